#include "services/http_retry.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/retry.h"

static int judge_status(int status, enum retry_class *ret_class, struct error *err)
{
    enum error_kind kind = ERROR_UNAUTHORIZED;
    *ret_class = RETRY_NEVER;
    if (status == 200)
        return 0;
    if (status == 429) {
        kind = ERROR_THROTTLED;
        *ret_class = RETRY_THROTTLED;
    } else if (status >= 500) {
        kind = ERROR_SERVER;
        *ret_class = RETRY_TRANSIENT;
    }
    return error_set_code(err, kind, status, "the answer was HTTP %d", status);
}

int http_retry_send(struct http *http, const struct http_request *request,
                    struct http_response *ret_response, struct error *err)
{
    struct retry retry = RETRY_INIT(&retry_standard, NULL);
    for (;;) {
        struct error local = ERROR_INIT;
        enum retry_class class;
        int64_t delay_ms;
        if (http_send(http, request, ret_response, &local) == 0) {
            if (judge_status(ret_response->status, &class, &local) == 0)
                return 0;
            http_retry_release(ret_response);
        } else {
            bool transient = local.kind == ERROR_NETWORK || local.kind == ERROR_TIMEOUT;
            class = transient ? RETRY_TRANSIENT : RETRY_NEVER;
        }
        if (!retry_again(&retry, class, -1, crypto_random_unit(), &delay_ms)) {
            if (err)
                *err = local;
            return -1;
        }
        if (!clock_sleep_ms(delay_ms))
            return error_set(err, ERROR_CANCELLED, "cancelled before it was tried again: %s",
                             local.msg);
    }
}

void http_retry_release(struct http_response *response)
{
    strbuf_release_secret(&response->body);
    http_response_release(response);
}
