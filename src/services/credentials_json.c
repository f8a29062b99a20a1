/* The keys that a platform's own endpoint answers with. */
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"

int credentials_read_json(const struct strbuf *body, struct credentials *ret_credentials,
                          struct error *err)
{
    CLEANUP(json) struct json *json = NULL;
    const char *id;
    const char *secret;
    int64_t expires_at = 0;
    if (json_parse(body->buf, body->len, &json, err) < 0)
        return -1;
    const char *code = json_get_string(json, "Code");
    if (code && !text_equal(code, "Success"))
        return error_set(err, ERROR_UNAUTHORIZED, "the answer is not keys, but %.64s", code);
    if (json_need_string(json, "AccessKeyId", &id, err) < 0 ||
        json_need_string(json, "SecretAccessKey", &secret, err) < 0)
        return -1;
    const char *expiration = json_get_string(json, "Expiration");
    if (expiration && !clock_parse_iso(expiration, &expires_at))
        return error_set(err, ERROR_PROTOCOL, "Expiration is not a time: %.64s", expiration);
    *ret_credentials =
        (struct credentials){.access_key_id = memory_copy_string(id),
                             .secret_access_key = memory_copy_string(secret),
                             .session_token = memory_copy_string(json_get_string(json, "Token")),
                             .expires_at = expires_at};
    return 0;
}
