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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"

struct http; /* opaque */

struct http_options {
    const char *ca_file;    /* borrowed during http_new; NULL: the system's */
    const char *user_agent; /* borrowed during http_new */
};

struct http *
http_new(const struct http_options *options); /* also sets libcurl up: before the first thread */
void http_free(struct http *http);            /* NULL is allowed */

struct http_header {
    const char *name;  /* borrowed */
    const char *value; /* borrowed */
};

struct http_request {
    const char *method;
    const char *url; /* sent as it stands: dots and escapes in the path are left alone */
    const struct http_header *headers; /* borrowed */
    size_t header_count;
    const char *body; /* borrowed; NULL: none */
    size_t body_len;
    const char *unix_socket;    /* borrowed; path of the engine's socket; NULL: TCP */
    int64_t connect_timeout_ms; /* 0: 10,000 */
    int64_t timeout_ms;         /* the whole exchange; 0: 60,000 */
    int64_t idle_timeout_ms;    /* no byte moved for so long; 0: 30,000 */
    size_t max_body_bytes;      /* 0: 8 MiB */
    bool allow_plain_http;
    /* NULL: the body is collected in the response. Else called with each piece as it comes;
     * non-zero stops (ERROR_CANCELLED). */
    int (*on_body)(void *context, const char *bytes, size_t len);
    void *context; /* borrowed; for on_body */
};

struct http_response {
    int status;
    struct strbuf body;
    char **header_names;  /* owned; lower case */
    char **header_values; /* owned; white space around them is gone */
    size_t header_count;
    int64_t elapsed_ms;
    bool new_connection; /* a handshake was needed */
};

#define HTTP_RESPONSE_INIT                                                                         \
    {                                                                                              \
        .status = 0, .body = STRBUF_INIT(0)                                                        \
    }
void http_response_release(struct http_response *response);

/* The value of a header (any case of `name`), the first one if there are several, or NULL. Borrowed
 * from `response`. */
const char *http_response_header(const struct http_response *response, const char *name);

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
/* For senders in tests: fill a response. */
void http_response_fill(struct http_response *response, int status, const char *body, size_t len);
void http_response_add_header(struct http_response *response, const char *name, const char *value);

/* Percent-encode everything but unreserved characters (RFC 3986 §2.3); '/' is kept when
 * `keep_slash`. */
void http_add_encoded(struct strbuf *sb, const char *text, bool keep_slash);

#endif
