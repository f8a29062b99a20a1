/*
 * http.h: one HTTP exchange, by libcurl (its only includer). One of the three seams.
 *
 * TLS is always verified, 1.2 and up. Redirects are not followed. Proxies come from HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY. Answers are capped. Connections, TLS sessions and DNS answers are kept
 * and shared between threads: one `struct http` for the whole run, used by all threads. Plain http
 * is refused except to loopback, a unix socket, or a host that the request allows by
 * `allow_plain_http` (the container credential addresses).
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include "core/error.h"
#include "core/http_message.h"

struct http; /* opaque */

struct http_options {
    const char *ca_file;    /* borrowed during http_new; NULL: the system's */
    const char *user_agent; /* borrowed during http_new */
};

struct http *
http_new(const struct http_options *options); /* also sets libcurl up: before the first thread */
void http_free(struct http *http);            /* NULL is allowed */

/*
 * 0: an answer with any status arrived whole. -1: ERROR_NETWORK (DNS, connect, reset, TLS,
 * truncated), ERROR_TIMEOUT, ERROR_TOO_LARGE, ERROR_CANCELLED, ERROR_INPUT (a URL that is not one,
 * plain http where it is refused). `ret_response` must be initialised; it is released first, and
 * filled in only on success. The message names method, host and path, never the query or a header.
 * err->name is "dns", "connect", "tls", "reset", "truncated" or "timeout" where that is known;
 * "connect" and "dns" mean that nothing was sent.
 */
int http_send(struct http *http, const struct http_request *request,
              struct http_response *ret_response, struct error *err);

/* The seam: NULL puts the real one back. */
typedef int http_sender(void *context, const struct http_request *request,
                        struct http_response *ret_response, struct error *err);
void http_replace(http_sender *sender, void *context);
#endif
