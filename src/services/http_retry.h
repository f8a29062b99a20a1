/*
 * http_retry.h: a question that can be asked again: of a small service beside AWS (GitHub's token
 * issuer, a container's credentials) that either answers 200 or has nothing for us, or of a
 * registry.
 *
 * Transient errors (no answer, 5xx) and throttling are tried again as core/retry's standard says.
 */
#ifndef SERVICES_HTTP_RETRY_H
#define SERVICES_HTTP_RETRY_H

#include "core/error.h"
#include "core/http.h"

/* 0: an answer, of whatever status (a 5xx or 429 is the last of several); -1: no answer, the last
 * attempt's error, or ERROR_CANCELLED. */
int http_retry_exchange(struct http *http, const struct http_request *request,
                        struct http_response *ret_response, struct error *err);

/*
 * 0: the answer is a 200. Any other status is an error: ERROR_SERVER (5xx), ERROR_THROTTLED (429),
 * ERROR_UNAUTHORIZED (the rest: these services refuse for no other reason), code = status. The body
 * may hold secrets: http_retry_release wipes it. `ret_response` must be initialised.
 */
int http_retry_send(struct http *http, const struct http_request *request,
                    struct http_response *ret_response, struct error *err);
void http_retry_release(struct http_response *response);

#endif
