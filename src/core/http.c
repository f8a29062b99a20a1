/*
 * Why a multi handle: curl_easy_perform looks up once a second only, and knows no "nothing came for
 * so long". This loop looks every 200 ms, and at once when a cancel comes.
 */
#include "core/http.h"

#include <stdatomic.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/http_curl.h"
#include "core/memory.h"
#include "core/text.h"

#define SLICE_MS 200
#define WHAT_MAX 300 /* of method, host and path in a message: the reason must have room, too */

static void exchange_release(struct exchange *exchange)
{
    strbuf_release(&exchange->origin);
    strbuf_release(&exchange->what);
    strbuf_release(&exchange->body);
    for (struct curl_slist *line = exchange->headers; line; line = line->next)
        memory_wipe(line->data, strlen(line->data)); /* tokens and passwords among them */
    curl_slist_free_all(exchange->headers);
}

/* ---- the URL, read by curl's own parser: what is checked is what is used ---- */

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) ==
                   CURLUE_OK
               ? text
               : NULL;
}

static int read_url(CURLU *url, struct exchange *exchange, struct error *err)
{
    const struct http_request *request = exchange->request;
    enum { SCHEME, HOST, PORT, PATH, USER, PASSWORD, PARTS };
    static const CURLUPart names[PARTS] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT,
                                           CURLUPART_PATH,   CURLUPART_USER, CURLUPART_PASSWORD};
    char *parts[PARTS];
    for (int i = 0; i < PARTS; i++)
        parts[i] = url_part(url, names[i]);
    int rc = 0;
    bool is_https = text_equal(parts[SCHEME], "https");
    if ((!is_https && !text_equal(parts[SCHEME], "http")) || text_is_empty(parts[HOST])) {
        rc = error_set(err, ERROR_INPUT, "%s: the URL is not http or https", request->method);
    } else if (parts[USER] || parts[PASSWORD]) {
        rc = error_set(err, ERROR_INPUT, "%s %s: the URL holds credentials", request->method,
                       parts[HOST]);
    } else if (!is_https && !request->unix_socket && !request->allow_plain_http &&
               !http_is_loopback(parts[HOST])) {
        rc = error_set(err, ERROR_INPUT, "%s %s: plain http is refused, https is needed",
                       request->method, parts[HOST]);
    } else {
        exchange->plain = !is_https;
        strbuf_addf(&exchange->what, "%s %s%s", request->method, parts[HOST], parts[PATH]);
        strbuf_addf(&exchange->origin, "%s %s %s %s", parts[SCHEME], parts[HOST], parts[PORT],
                    request->unix_socket ? request->unix_socket : "");
    }
    for (int i = 0; i < PARTS; i++)
        curl_free(parts[i]);
    return rc;
}

static int check_url(struct exchange *exchange, struct error *err)
{
    CURLU *url = curl_url();
    if (!url)
        http_no_memory();
    int rc = 0;
    if (curl_url_set(url, CURLUPART_URL, exchange->request->url, CURLU_PATH_AS_IS) != CURLUE_OK)
        rc = error_set(err, ERROR_INPUT, "%s: not a URL", exchange->request->method);
    else
        rc = read_url(url, exchange, err);
    curl_url_cleanup(url);
    return rc;
}

/* ---- the transfer ---- */

static bool is_cancelled(struct exchange *exchange, int64_t now_ms)
{
    if (!cancel_requested())
        return false;
    if (exchange->cancelled_ms == 0)
        exchange->cancelled_ms = now_ms;
    return exchange->times_sent == 0 ||
           now_ms - exchange->cancelled_ms >= exchange->request->cancel_grace_ms;
}

static void look_around(CURL *easy, struct exchange *exchange)
{
    curl_off_t out = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &out);
    curl_off_t moved = out + (curl_off_t)(exchange->header_bytes + exchange->body_bytes);
    int64_t now_ms = clock_now_ms();
    if (moved != exchange->moved || exchange->times_sent == 0) {
        exchange->moved = moved;
        exchange->moved_ms = now_ms;
    }
    if (is_cancelled(exchange, now_ms))
        exchange->stop = STOP_CANCELLED;
    else if (now_ms - exchange->moved_ms >= exchange->idle_timeout_ms)
        exchange->stop = STOP_IDLE;
}

static CURLcode drive(struct worker *worker, struct exchange *exchange)
{
    for (;;) {
        int running = 0;
        if (curl_multi_perform(worker->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running == 0)
            break;
        look_around(worker->easy, exchange);
        if (exchange->stop != STOP_NONE)
            return CURLE_ABORTED_BY_CALLBACK;
        /* Once somebody asked us to stop the fd stays readable: then it has nothing to tell. */
        struct curl_waitfd wake = {.fd = cancel_fd(), .events = CURL_WAIT_POLLIN};
        unsigned int wakes = wake.fd >= 0 && cancel_signal() == 0 ? 1 : 0;
        if (curl_multi_poll(worker->multi, &wake, wakes, SLICE_MS, NULL) != CURLM_OK)
            return CURLE_FAILED_INIT;
    }
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(worker->multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

static CURLcode perform(struct http *http, struct worker *worker, struct exchange *exchange)
{
    CURLcode rc = http_set_options(worker->easy, http, exchange);
    if (rc != CURLE_OK)
        return rc;
    if (curl_multi_add_handle(worker->multi, worker->easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    return drive(worker, exchange);
}

/* ---- what came of it ---- */

static const struct {
    CURLcode code;
    enum error_kind kind;
    const char *name;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_NETWORK, "dns"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_NETWORK, "dns"},
    {CURLE_COULDNT_CONNECT, ERROR_NETWORK, "connect"},
    {CURLE_PROXY, ERROR_NETWORK, "connect"},
    {CURLE_SSL_CONNECT_ERROR, ERROR_NETWORK, "tls"},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_NETWORK, "tls"},
    {CURLE_SSL_CIPHER, ERROR_NETWORK, "tls"},
    {CURLE_SSL_CERTPROBLEM, ERROR_NETWORK, "tls"},
    {CURLE_SSL_ISSUER_ERROR, ERROR_NETWORK, "tls"},
    {CURLE_SSL_INVALIDCERTSTATUS, ERROR_NETWORK, "tls"},
    {CURLE_SSL_CACERT_BADFILE, ERROR_INPUT, "tls"},
    {CURLE_SEND_ERROR, ERROR_NETWORK, "reset"},
    {CURLE_RECV_ERROR, ERROR_NETWORK, "reset"},
    {CURLE_GOT_NOTHING, ERROR_NETWORK, "reset"},
    {CURLE_HTTP2, ERROR_NETWORK, "reset"},
    {CURLE_HTTP2_STREAM, ERROR_NETWORK, "reset"},
    {CURLE_PARTIAL_FILE, ERROR_NETWORK, "truncated"},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_NETWORK, "garbage"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_NETWORK, "garbage"},
    {CURLE_OPERATION_TIMEDOUT, ERROR_TIMEOUT, "timeout"},
    {CURLE_URL_MALFORMAT, ERROR_INPUT, ""},
    {CURLE_OUT_OF_MEMORY, ERROR_SYSTEM, ""},
    {CURLE_FAILED_INIT, ERROR_SYSTEM, ""},
    {CURLE_UNKNOWN_OPTION, ERROR_SYSTEM, ""},
    {CURLE_NOT_BUILT_IN, ERROR_SYSTEM, ""},
};

static int fail(const struct exchange *exchange, enum error_kind kind, const char *name,
                const char *detail, struct error *err)
{
    error_set(err, kind, "%s: %s", exchange->what.buf, detail);
    if (err)
        snprintf(err->name, sizeof err->name, "%s", name);
    return -1;
}

static int fail_stopped(const struct exchange *exchange, struct error *err)
{
    char detail[100];
    switch (exchange->stop) {
    case STOP_IDLE:
        snprintf(detail, sizeof detail, "nothing came for %lld ms",
                 (long long)exchange->idle_timeout_ms);
        return fail(exchange, ERROR_TIMEOUT, "timeout", detail, err);
    case STOP_BODY:
        snprintf(detail, sizeof detail, "the answer is over %zu bytes", exchange->max_body);
        return fail(exchange, ERROR_TOO_LARGE, "", detail, err);
    case STOP_HEADERS:
        return fail(exchange, ERROR_TOO_LARGE, "", "the answer's headers are too long", err);
    case STOP_READER:
        return fail(exchange, ERROR_CANCELLED, "", "reading was given up", err);
    case STOP_RESENT:
        return fail(exchange, ERROR_NETWORK, "reset",
                    "the kept connection was closed before an answer came", err);
    default:
        return fail(exchange, ERROR_CANCELLED, "", "cancelled", err);
    }
}

/* A line of over 100 KB in the head is out of memory to libcurl before 8.6, too large since. */
static bool is_long_header(const struct exchange *exchange, CURLcode rc)
{
#if LIBCURL_VERSION_NUM >= 0x080600
    if (rc == CURLE_TOO_LARGE)
        return true;
#endif
    return rc == CURLE_OUT_OF_MEMORY && exchange->times_sent > 0 && !exchange->head_ended;
}

static int fail_with(struct exchange *exchange, CURLcode rc, struct error *err)
{
    if (is_long_header(exchange, rc))
        exchange->stop = STOP_HEADERS;
    if (exchange->stop != STOP_NONE)
        return fail_stopped(exchange, err);
    if (exchange->distrust.kind != ERROR_NONE)
        return fail(exchange, exchange->distrust.kind, "tls", exchange->distrust.msg, err);
    const char *detail = exchange->detail[0] ? exchange->detail : curl_easy_strerror(rc);
    enum error_kind kind = ERROR_NETWORK;
    const char *name = "";
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code == rc) {
            kind = failures[i].kind;
            name = failures[i].name;
        }
    }
    /* Before the request went out there is only the way there: a proxy's CONNECT, say. */
    if (exchange->times_sent == 0 && (text_equal(name, "timeout") || text_equal(name, "reset")))
        name = "connect";
    return fail(exchange, kind, name, detail, err);
}

static int take_answer(CURL *easy, struct exchange *exchange, struct http_response *ret_response,
                       struct error *err)
{
    long status = 0;
    long connects = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    if (status < 200)
        return fail(exchange, ERROR_NETWORK, "garbage", "an answer without a final status", err);
    if (!exchange->head_ended)
        return fail(exchange, ERROR_NETWORK, "truncated", "the answer ended in its headers", err);
    ret_response->status = (int)status;
    ret_response->new_connection = connects > 0;
    ret_response->body = exchange->body;
    strbuf_init(&exchange->body, 0);
    struct curl_header *header = NULL;
    while ((header = curl_easy_nextheader(easy, CURLH_HEADER, -1, header)))
        http_response_add_header(ret_response, header->name, header->value);
    return 0;
}

static int transfer(struct http *http, struct exchange *exchange,
                    struct http_response *ret_response, struct error *err)
{
    struct worker *worker = http_take_worker(http, exchange->origin.buf);
    CURLcode rc = perform(http, worker, exchange);
    int result = rc == CURLE_OK ? take_answer(worker->easy, exchange, ret_response, err)
                                : fail_with(exchange, rc, err);
    curl_multi_remove_handle(worker->multi, worker->easy);
    http_give_worker_back(http, worker);
    return result;
}

/* ---- the seam ---- */

static http_sender *replaced;
static void *replaced_context; /* borrowed */

void http_replace(http_sender *sender, void *context)
{
    replaced = sender;
    replaced_context = context;
}

void http_set_deadline(struct http *http, int64_t deadline_ms)
{
    atomic_store(&http->deadline_ms, deadline_ms);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The request's own limits, held to what may be taken in all. */
static int set_limits(struct http *http, struct exchange *exchange, int64_t now_ms,
                      struct error *err)
{
    const struct http_request *request = exchange->request;
    int64_t deadline_ms = request->cleans_up ? 0 : atomic_load(&http->deadline_ms);
    exchange->timeout_ms = http_or_default(request->timeout_ms, HTTP_TIMEOUT_MS);
    exchange->idle_timeout_ms = http_or_default(request->idle_timeout_ms, HTTP_IDLE_TIMEOUT_MS);
    if (http->max_timeout_ms > 0)
        exchange->timeout_ms = smaller(exchange->timeout_ms, http->max_timeout_ms);
    if (deadline_ms == 0)
        return 0;
    if (deadline_ms <= now_ms)
        return fail(exchange, ERROR_TIMEOUT, "deadline",
                    "the deadline for the whole run has passed", err);
    exchange->timeout_ms = smaller(exchange->timeout_ms, deadline_ms - now_ms);
    return 0;
}

int http_send(struct http *http, const struct http_request *request,
              struct http_response *ret_response, struct error *err)
{
    http_response_release(ret_response);
    if (replaced)
        return replaced(replaced_context, request, ret_response, err);
    int64_t start_ms = clock_now_ms();
    CLEANUP(exchange)
    struct exchange exchange = {
        .request = request,
        .origin = STRBUF_INIT(STRBUF_NO_CAP),
        .what = STRBUF_INIT(WHAT_MAX),
        .max_body = request->max_body_bytes ? request->max_body_bytes : HTTP_MAX_BODY,
        .moved_ms = start_ms,
    };
    strbuf_init(&exchange.body, exchange.max_body);
    if (http_request_check(request, err) < 0 || check_url(&exchange, err) < 0)
        return -1;
    if (cancel_requested())
        return fail(&exchange, ERROR_CANCELLED, "", "cancelled", err);
    if (set_limits(http, &exchange, start_ms, err) < 0)
        return -1;
    int rc = transfer(http, &exchange, ret_response, err);
    int64_t elapsed_ms = clock_now_ms() - start_ms;
    bool answered = rc == 0;
    if (http->observe && !request->quiet)
        http->observe(http->context, exchange.what.buf, answered ? ret_response->status : 0,
                      elapsed_ms, answered && ret_response->new_connection);
    if (answered)
        ret_response->elapsed_ms = elapsed_ms;
    return rc;
}
