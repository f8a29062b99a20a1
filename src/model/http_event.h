/*
 * http_event.h: an HTTP request as API Gateway hands it to a function (HTTP API, payload
 * format 2.0), and the function's answer read as API Gateway reads it. For asking one version of a
 * function by Invoke what users will ask it by HTTP. Pure. Source:
 * docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
#ifndef MODEL_HTTP_EVENT_H
#define MODEL_HTTP_EVENT_H

#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"
#include "core/strvec.h"

struct http_event {               /* all borrowed */
    const char *method;           /* "GET" */
    const char *path;             /* "/health?deep=1": the query behind '?' goes where it belongs */
    const struct strvec *headers; /* "Name: value"; NULL: none */
    const char *host;             /* "abc.execute-api.us-east-1.amazonaws.com" */
    const char *request_id;       /* any that is new */
    int64_t wall_seconds;
};
/* The event's JSON. */
void http_event_make(const struct http_event *event, struct strbuf *out);

/*
 * The function's answer: {"statusCode":…,"body":…,"isBase64Encoded":…}, or, without statusCode, any
 * JSON or text, which stands for 200. ERROR_PROTOCOL: statusCode is not a status, or the base64 is
 * none.
 */
int http_event_read(const char *payload, size_t len, int *ret_status, struct strbuf *ret_body,
                    struct error *err);

#endif
