#include "services/oidc.h"

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/http_retry.h"

#define ATTEMPT_MS      15000
#define MAX_ANSWER      65536
#define MAX_CLAIMS      16384
#define CLAIM_SHOWN_MAX 160 /* bytes of one claim in a message */

int oidc_get_token(struct http *http, const struct oidc_request *request, char **ret_token,
                   struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_SECRET struct strbuf authorization = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(json) struct json *json = NULL;
    const char *token = NULL;
    strbuf_addf(&url, "%s%caudience=", request->url, strchr(request->url, '?') ? '&' : '?');
    http_add_encoded(&url, request->audience ? request->audience : "sts.amazonaws.com", false);
    strbuf_addf(&authorization, "Bearer %s", request->token);
    const struct http_header headers[] = {{"Authorization", authorization.buf},
                                          {"Accept", "application/json"}};
    const struct http_request http_request = {.method = "GET",
                                              .url = url.buf,
                                              .headers = headers,
                                              .header_count = 2,
                                              .timeout_ms = ATTEMPT_MS,
                                              .max_body_bytes = MAX_ANSWER};
    __attribute__((cleanup(http_retry_release))) struct http_response response = HTTP_RESPONSE_INIT;
    if (http_retry_send(http, &http_request, &response, err) < 0)
        return error_wrap(err, "asking GitHub for the job's OIDC token");
    if (json_parse(response.body.buf, response.body.len, &json, err) < 0 ||
        json_need_string(json, "value", &token, err) < 0)
        return error_wrap(err, "reading the job's OIDC token");
    if (text_is_empty(token))
        return error_set(err, ERROR_PROTOCOL, "the job's OIDC token is empty");
    *ret_token = memory_copy_string(token);
    return 0;
}

static void add_claim(struct strbuf *out, const struct json *claims, const char *name)
{
    const char *text = json_string(json_member(claims, name));
    if (!text)
        return;
    strbuf_addf(out, "%s%s \"", out->len > 0 ? ", " : "", name);
    text_add_visible(out, text, strlen(text), CLAIM_SHOWN_MAX, false);
    strbuf_addch(out, '"');
}

void oidc_add_claims(struct strbuf *out, const char *token)
{
    static const char *const shown[] = {"sub", "aud", "repository", "ref", "environment"};
    const char *start = strchr(token, '.');
    size_t len = start ? strcspn(start + 1, ".") : 0;
    CLEANUP(strbuf) struct strbuf payload = STRBUF_INIT(MAX_CLAIMS);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(MAX_CLAIMS);
    CLEANUP(json) struct json *claims = NULL;
    if (!start || crypto_base64_decode(&payload, start + 1, len, NULL) < 0 ||
        json_parse(payload.buf, payload.len, &claims, NULL) < 0)
        return;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        add_claim(&text, claims, shown[i]);
    strbuf_addsb(out, &text);
}
