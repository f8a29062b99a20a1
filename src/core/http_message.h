/*
 * http_message.h: what goes out and what comes back in one HTTP exchange.
 *
 * Pure: the plain structs that core/http.c and whoever replaces it in tests share.
 */
#ifndef CORE_HTTP_MESSAGE_H
#define CORE_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"

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
    int64_t cancel_grace_ms; /* once it is on its way, a cancel leaves it so long to be answered */
    size_t max_body_bytes;   /* 0: 8 MiB; also with on_body */
    bool allow_plain_http;
    bool quiet;     /* its caller tells of it itself: the observer is not told */
    bool cleans_up; /* sent after the run's deadline, too (http_set_deadline) */
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

/* For senders in tests: fill a response. */
void http_response_fill(struct http_response *response, int status, const char *body, size_t len);
void http_response_add_header(struct http_response *response, const char *name, const char *value);

/* ERROR_INPUT unless method and header names are tokens (RFC 9110 §5.6.2) and no header's value
 * holds a control character other than a tab: nothing can be smuggled in. */
int http_request_check(const struct http_request *request, struct error *err);

/* "localhost", 127.0.0.0/8 or "[::1]", as they stand in a URL. */
bool http_is_loopback(const char *host);

/* Percent-encode everything but unreserved characters (RFC 3986 §2.3); '/' is kept when
 * `keep_slash`. */
void http_add_encoded(struct strbuf *sb, const char *text, bool keep_slash);

#endif
