/*
 * http.h: one HTTP exchange, by libcurl. One of the three seams.
 *
 * TLS is always verified, 1.2 and up. Redirects are not followed. Proxies come from HTTPS_PROXY,
 * ALL_PROXY and NO_PROXY; plain http and unix sockets never go through one. Answers are capped, and
 * so are their headers (128 KiB). Connections are kept, TLS sessions and DNS answers are shared
 * between threads: one `struct http` for the whole run, used by all threads. Plain http is refused
 * except to loopback, a unix socket, or a host that the request allows by `allow_plain_http` (the
 * container credential addresses). Only the headers that are given go out, besides Host, User-Agent
 * and Content-Length.
 *
 * A request is sent once. Where the server closed a kept connection just then, only GET, HEAD and
 * OPTIONS are sent again on a new one; the others may have had their effect and fail ("reset").
 * A cancel is noticed within 200 ms. SIGPIPE must be ignored (cancel_install does it).
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include "core/error.h"
#include "core/http_message.h"

struct http; /* opaque */

struct http_options {
    const char *ca_file; /* borrowed during http_new; nothing else is trusted; NULL: the system's */
    const char *user_agent; /* borrowed during http_new */
    /* Told of every exchange whose request is not `quiet`, from its thread: "GET host/path", the
     * status (0: no answer), its time, whether it needed a new connection. NULL: nobody. */
    void (*observe)(void *context, const char *what, int status, int64_t ms, bool new_connection);
    void *context;          /* borrowed */
    int64_t max_timeout_ms; /* no exchange may take longer, whatever its request says; 0: no such
                               limit */
};

struct http *
http_new(const struct http_options *options); /* also sets libcurl up: before the first thread */
void http_free(struct http *http);            /* NULL is allowed */

/*
 * No exchange goes on after this moment of clock_now_ms(), but those that only clean up; 0: no such
 * moment. From then on http_send fails at once with ERROR_TIMEOUT, name "deadline". May be moved
 * while exchanges run: it counts for those that begin later.
 */
void http_set_deadline(struct http *http, int64_t deadline_ms);

/*
 * 0: an answer with any status arrived whole. -1: ERROR_NETWORK (DNS, connect, reset, TLS,
 * truncated, no HTTP), ERROR_TIMEOUT, ERROR_TOO_LARGE, ERROR_CANCELLED, ERROR_INPUT (a URL that is
 * not one or holds credentials, plain http where it is refused, a header with a newline, a CA file
 * that cannot be read). `ret_response` must be initialised; it is released first, and filled in
 * only on success. The message names method, host and path, never the query or a header.
 * err->name is "dns", "connect", "tls", "reset", "truncated", "garbage", "timeout" or "deadline";
 * "dns", "connect" (refused, a proxy's refusal, or too slow: ERROR_TIMEOUT), "tls" and "deadline"
 * mean that nothing of the request was sent.
 */
int http_send(struct http *http, const struct http_request *request,
              struct http_response *ret_response, struct error *err);

/* The seam: NULL puts the real one back. */
typedef int http_sender(void *context, const struct http_request *request,
                        struct http_response *ret_response, struct error *err);
void http_replace(http_sender *sender, void *context);

#endif
