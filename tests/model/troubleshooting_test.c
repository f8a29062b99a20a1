#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "model/troubleshooting.h"

Suite *troubleshooting_suite(void);

static const struct {
    const char *stage;
    enum error_kind kind;
    const char *anchor;
} places[] = {
    {"inputs", ERROR_INPUT, "bad-input"},
    {"gate", ERROR_INPUT, "pull-request-target"},
    {"prepare", ERROR_INPUT, "not-in-the-workspace"},
    {"prepare", ERROR_SYSTEM, "files"},
    {"identify", ERROR_UNAUTHORIZED, "no-credentials"},
    {"identify", ERROR_DENIED, "role-refused"},
    {"identify", ERROR_REFUSED, "wrong-account"},
    {"identify", ERROR_NETWORK, "network"},
    {"survey", ERROR_DENIED, "permission"},
    {"survey", ERROR_NOT_FOUND, "no-function"},
    {"app-image", ERROR_FAILED, "build"},
    {"app-image", ERROR_PROCESS, "build"},
    {"app-image", ERROR_NOT_FOUND, "build-not-found"},
    {"release", ERROR_FAILED, "update"},
    {"release", ERROR_NOT_FOUND, "gone"},
    {"verify", ERROR_FAILED, "verification"},
    {"configure", ERROR_PRECONDITION, "somebody-else"},
    {TROUBLESHOOTING_PUT_BACK, ERROR_FAILED, "not-put-back"},
    {TROUBLESHOOTING_PUT_BACK, ERROR_NETWORK, "not-put-back"},
    {NULL, ERROR_THROTTLED, "throttled"},
    {"a stage to come", ERROR_TOO_LARGE, "too-large"},
    {"verify", ERROR_NONE, "other"},
};

START_TEST(chooses_by_stage_and_kind)
{
    ck_assert_str_eq(troubleshooting_anchor(places[_i].stage, places[_i].kind), places[_i].anchor);
}
END_TEST

/* Whatever stage may come: an error of a known kind is never left in the last heading. */
START_TEST(knows_every_kind)
{
    enum error_kind kind = (enum error_kind)_i;
    ck_assert_str_ne(error_kind_name(kind), "");
    ck_assert_str_ne(troubleshooting_anchor("a stage to come", kind), "other");
    ck_assert_str_ne(troubleshooting_anchor(NULL, kind), "other");
}
END_TEST

static const struct {
    const char *server_url, *repository, *ref, *address;
} addresses[] = {
    {"https://github.com", "org/lambda-fastdeploy", "v1",
     "https://github.com/org/lambda-fastdeploy/blob/v1/docs/troubleshooting.md#build"},
    {"https://github.com", "", "", "docs/troubleshooting.md#build"}, /* uses: ./ */
    {"https://github.com", "org/lambda-fastdeploy", "", "docs/troubleshooting.md#build"},
    {"https://github.com", NULL, "v1", "docs/troubleshooting.md#build"},
    {"https://git.example.com", "org/lambda-fastdeploy", "v1", "docs/troubleshooting.md#build"},
    {NULL, NULL, NULL, "docs/troubleshooting.md#build"},
};

START_TEST(writes_the_address)
{
    CLEANUP(strbuf) struct strbuf address = STRBUF_INIT(STRBUF_NO_CAP);
    troubleshooting_address("build", addresses[_i].server_url, addresses[_i].repository,
                            addresses[_i].ref, &address);
    ck_assert_str_eq(address.buf, addresses[_i].address);
}
END_TEST

Suite *troubleshooting_suite(void)
{
    Suite *suite = suite_create("model/troubleshooting");
    TCase *tcase = tcase_create("troubleshooting");
    tcase_add_loop_test(tcase, chooses_by_stage_and_kind, 0, sizeof places / sizeof *places);
    tcase_add_loop_test(tcase, knows_every_kind, ERROR_INPUT, ERROR_FAILED + 1);
    tcase_add_loop_test(tcase, writes_the_address, 0, sizeof addresses / sizeof *addresses);
    suite_add_tcase(suite, tcase);
    return suite;
}
