#include "core/http_curl.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/text.h"

#define CONNECT_TIMEOUT_MS 10000
#define MAX_HEADERS        ((size_t)128 << 10) /* bytes, status line and line ends included */

/* ---- what curl calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    const struct http_request *request = exchange->request;
    size_t len = size * count;
    if (len > exchange->max_body - exchange->body_bytes) {
        exchange->stop = STOP_BODY;
        return CURL_WRITEFUNC_ERROR;
    }
    exchange->body_bytes += len;
    if (!request->on_body) {
        strbuf_add(&exchange->body, bytes, len);
    } else if (request->on_body(request->context, bytes, len) != 0) {
        exchange->stop = STOP_READER;
        return CURL_WRITEFUNC_ERROR;
    }
    return len;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    if (len > MAX_HEADERS - exchange->header_bytes) {
        exchange->stop = STOP_HEADERS;
        return CURL_WRITEFUNC_ERROR;
    }
    exchange->header_bytes += len;
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) /* there may be several: 100 Continue */
        exchange->head_ended = false;
    else if (bytes[0] == '\r' || bytes[0] == '\n')
        exchange->head_ended = true;
    return len;
}

static bool is_safe(const char *method)
{
    return text_equal(method, "GET") || text_equal(method, "HEAD") || text_equal(method, "OPTIONS");
}

/*
 * The connection stands, and the request is about to go out: the first or, by curl, another time.
 */
static int before_sending(void *context, char *their_ip, char *our_ip, int their_port, int our_port)
{
    struct exchange *exchange = context;
    (void)their_ip;
    (void)our_ip;
    (void)their_port;
    (void)our_port;
    if (exchange->times_sent > 0 && !is_safe(exchange->request->method)) {
        exchange->stop = STOP_RESENT;
        return CURL_PREREQFUNC_ABORT;
    }
    exchange->times_sent++;
    exchange->moved_ms = clock_now_ms();
    return CURL_PREREQFUNC_OK;
}

/* ---- options ---- */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (rc == CURLE_OK)                                                                        \
            rc = curl_easy_setopt(easy, option, value);                                            \
    } while (0)

long http_or_default(int64_t given_ms, long default_ms)
{
    return given_ms > 0 ? (long)given_ms : default_ms;
}

static CURLcode set_transport(CURL *easy, const struct http *http, struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_SHARE, http->share);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_HTTP_VERSION, http->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        http_or_default(request->connect_timeout_ms, CONNECT_TIMEOUT_MS));
    SET(CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
    if (request->unix_socket)
        SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    if (exchange->plain || request->unix_socket)
        SET(CURLOPT_PROXY, ""); /* none, whatever the environment says */
    if (rc == CURLE_OK) /* else it would wait for a resolver that hangs; older ones know it not */
        (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    return rc;
}

static CURLcode apply_trust(CURL *easy, void *ssl_ctx, void *context)
{
    struct exchange *exchange = context;
    (void)easy;
    return trust_apply(exchange->trust, ssl_ctx, &exchange->distrust) == 0
               ? CURLE_OK
               : CURLE_SSL_CACERT_BADFILE;
}

/* False: this libcurl's TLS is not OpenSSL. */
static bool share_trust(CURL *easy, struct exchange *exchange)
{
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, apply_trust) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, exchange) == CURLE_OK;
}

static CURLcode set_tls(CURL *easy, const struct http *http, struct exchange *exchange)
{
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    exchange->trust = http->trust;
    bool is_shared = share_trust(easy, exchange);
    if (is_shared || http->ca_file) { /* nobody else */
        const char *ca_file = is_shared ? NULL : http->ca_file;
        SET(CURLOPT_CAINFO, ca_file);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_PROXY_CAINFO, ca_file);
        SET(CURLOPT_PROXY_CAPATH, NULL);
    }
    return rc;
}

static CURLcode set_callbacks(CURL *easy, struct exchange *exchange)
{
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, exchange);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, exchange);
    SET(CURLOPT_PREREQFUNCTION, before_sending);
    SET(CURLOPT_PREREQDATA, exchange);
    SET(CURLOPT_ERRORBUFFER, exchange->detail);
    return rc;
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (text_equal_ignore_case(request->headers[i].name, name))
            return true;
    return false;
}

static bool add_header(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (longer)
        exchange->headers = longer;
    return longer != NULL;
}

/* curl's syntax: "Name: value", "Name;" for an empty value, "Name:" for none of its own. */
static CURLcode set_headers(CURL *easy, struct exchange *exchange)
{
    static const char *const own[] = {"Accept", "Content-Type", "Expect"};
    const struct http_request *request = exchange->request;
    CLEANUP_SECRET struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    CURLcode rc = CURLE_OK;
    bool added = true;
    for (size_t i = 0; i < request->header_count && added; i++) {
        const struct http_header *header = &request->headers[i];
        strbuf_reset(&line);
        strbuf_addstr(&line, header->name);
        strbuf_addstr(&line, text_is_empty(header->value) ? ";" : ": ");
        if (!text_is_empty(header->value))
            strbuf_addstr(&line, header->value);
        added = add_header(exchange, line.buf);
    }
    for (size_t i = 0; i < sizeof own / sizeof *own && added; i++) {
        if (has_header(request, own[i]))
            continue;
        strbuf_reset(&line);
        strbuf_addf(&line, "%s:", own[i]);
        added = add_header(exchange, line.buf);
    }
    SET(CURLOPT_HTTPHEADER, exchange->headers);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* none of them to a proxy */
    return added ? rc : CURLE_OUT_OF_MEMORY;
}

static CURLcode set_request(CURL *easy, const struct http *http, struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    bool sends_length = request->body || text_equal(request->method, "POST") ||
                        text_equal(request->method, "PUT") || text_equal(request->method, "PATCH");
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    if (http->user_agent)
        SET(CURLOPT_USERAGENT, http->user_agent);
    if (text_equal(request->method, "HEAD")) {
        SET(CURLOPT_NOBODY, 1L);
        return rc;
    }
    if (sends_length) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_len : 0));
        SET(CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    return rc;
}

CURLcode http_set_options(CURL *easy, const struct http *http, struct exchange *exchange)
{
    CURLcode rc = set_transport(easy, http, exchange);
    if (rc == CURLE_OK)
        rc = set_tls(easy, http, exchange);
    if (rc == CURLE_OK)
        rc = set_callbacks(easy, exchange);
    if (rc == CURLE_OK)
        rc = set_headers(easy, exchange);
    if (rc == CURLE_OK)
        rc = set_request(easy, http, exchange);
    return rc;
}
