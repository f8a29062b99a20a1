#include "model/troubleshooting.h"

#include <stdbool.h>
#include <stddef.h>

#include "core/text.h"

#define FILE_NAME "docs/troubleshooting.md"
#define ANY_KIND  ERROR_NONE

/* The first row that fits. A stage of NULL is every stage; the last rows hold every kind once. */
static const struct {
    const char *stage;
    enum error_kind kind;
    const char *anchor;
} places[] = {
    {TROUBLESHOOTING_PUT_BACK, ANY_KIND, "not-put-back"},
    {"cleanup", ANY_KIND, "cancelled"},

    {"gate", ERROR_INPUT, "pull-request-target"},
    {"prepare", ERROR_INPUT, "not-in-the-workspace"},
    {"identify", ERROR_DENIED, "role-refused"},
    {"identify", ERROR_REFUSED, "wrong-account"},
    {"survey", ERROR_INPUT, "dockerfile"},
    {"survey", ERROR_FAILED, "context-changed"},
    {"survey", ERROR_NOT_FOUND, "no-function"},
    {"survey", ERROR_REFUSED, "function-refuses"},
    {"rollback", ERROR_NOT_FOUND, "no-way-back"},
    {"rollback", ERROR_REFUSED, "no-way-back"},
    {"plan", ERROR_REFUSED, "image-refused"},

    {"base-image", ERROR_INPUT, "build"},
    {"base-image", ERROR_FAILED, "build"},
    {"base-image", ERROR_NOT_FOUND, "build-not-found"},
    {"base-image", ERROR_REFUSED, "image-refused"},
    {"base-image", ERROR_THROTTLED, "pull-limit"},
    {"app-image", ERROR_INPUT, "build"},
    {"app-image", ERROR_FAILED, "build"},
    {"app-image", ERROR_NOT_FOUND, "build-not-found"},
    {"app-image", ERROR_REFUSED, "image-refused"},
    {"app-image", ERROR_THROTTLED, "pull-limit"},

    {"publish", ERROR_FAILED, "verification"},
    {"verify", ERROR_FAILED, "verification"},

    {NULL, ERROR_INPUT, "bad-input"},
    {NULL, ERROR_SYSTEM, "files"},
    {NULL, ERROR_NETWORK, "network"},
    {NULL, ERROR_TIMEOUT, "too-slow"},
    {NULL, ERROR_CANCELLED, "cancelled"},
    {NULL, ERROR_UNAUTHORIZED, "no-credentials"},
    {NULL, ERROR_DENIED, "permission"},
    {NULL, ERROR_NOT_FOUND, "gone"},
    {NULL, ERROR_CONFLICT, "somebody-else"},
    {NULL, ERROR_PRECONDITION, "somebody-else"},
    {NULL, ERROR_THROTTLED, "throttled"},
    {NULL, ERROR_REFUSED, "aws-refuses"},
    {NULL, ERROR_SERVER, "server"},
    {NULL, ERROR_PROTOCOL, "answer"},
    {NULL, ERROR_TOO_LARGE, "too-large"},
    {NULL, ERROR_PROCESS, "build"},
    {NULL, ERROR_FAILED, "update"},
    {NULL, ANY_KIND, "other"},
};

const char *troubleshooting_anchor(const char *stage, enum error_kind kind)
{
    size_t last = sizeof places / sizeof *places - 1;
    for (size_t i = 0; i < last; i++) {
        bool fits_stage = !places[i].stage || text_equal(places[i].stage, stage);
        bool fits_kind = places[i].kind == ANY_KIND || places[i].kind == kind;
        if (fits_stage && fits_kind)
            return places[i].anchor;
    }
    return places[last].anchor;
}

static bool is_given(const char *text)
{
    return text && text[0] != '\0';
}

void troubleshooting_address(const char *anchor, const char *server_url, const char *repository,
                             const char *ref, struct strbuf *out)
{
    if (text_equal(server_url, "https://github.com") && is_given(repository) && is_given(ref))
        strbuf_addf(out, "%s/%s/blob/%s/", server_url, repository, ref);
    strbuf_addf(out, FILE_NAME "#%s", anchor);
}
