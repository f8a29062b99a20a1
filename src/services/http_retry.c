#include "services/http_retry.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/retry.h"
#include "core/text.h"

static enum retry_class class_of(int rc, int status, const struct error *err)
{
    if (rc < 0 && text_equal(err->name, "deadline"))
        return RETRY_NEVER;
    if (rc < 0)
        return err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT ? RETRY_TRANSIENT
                                                                        : RETRY_NEVER;
    if (status == 429)
        return RETRY_THROTTLED;
    return status >= 500 ? RETRY_TRANSIENT : RETRY_NEVER;
}

int http_retry_exchange(struct http *http, const struct http_request *request,
                        struct http_response *ret_response, struct error *err)
{
    struct retry retry = RETRY_INIT(&retry_standard, NULL);
    for (;;) {
        struct error local = ERROR_INIT;
        int rc = http_send(http, request, ret_response, &local);
        enum retry_class class = class_of(rc, rc < 0 ? 0 : ret_response->status, &local);
        int64_t delay_ms;
        if (class == RETRY_NEVER ||
            !retry_again(&retry, class, -1, crypto_random_unit(), &delay_ms)) {
            if (rc < 0 && err)
                *err = local;
            return rc;
        }
        if (rc == 0)
            error_set(&local, ERROR_SERVER, "the answer was HTTP %d", ret_response->status);
        http_retry_release(ret_response);
        if (!clock_sleep_ms(delay_ms))
            return error_set(err, ERROR_CANCELLED, "cancelled before it was tried again: %s",
                             local.msg);
    }
}

int http_retry_send(struct http *http, const struct http_request *request,
                    struct http_response *ret_response, struct error *err)
{
    if (http_retry_exchange(http, request, ret_response, err) < 0)
        return -1;
    int status = ret_response->status;
    if (status == 200)
        return 0;
    http_retry_release(ret_response);
    enum error_kind kind = status == 429   ? ERROR_THROTTLED
                           : status >= 500 ? ERROR_SERVER
                                           : ERROR_UNAUTHORIZED;
    return error_set_code(err, kind, status, "the answer was HTTP %d", status);
}

void http_retry_release(struct http_response *response)
{
    strbuf_release_secret(&response->body);
    http_response_release(response);
}
