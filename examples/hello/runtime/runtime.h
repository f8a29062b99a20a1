/*
 * runtime.h: a small client of AWS Lambda's Runtime API, for functions written in C.
 *
 * The program gives runtime_run one handler. The handler gets each event and fills in a reply.
 * An event of an HTTP API (payload format 2.0) or of a function URL comes with its method and
 * path, and the reply's status counts. For any other event the reply's body alone is the answer.
 *
 * Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

struct event {
    const char *payload; /* borrowed, valid during the call; JSON, zero-terminated */
    size_t payload_len;
    const char *request_id; /* borrowed, valid during the call */
    bool is_http;
    char method[16]; /* "GET"; "" if it is not HTTP */
    char path[1024]; /* "/health"; "" if it is not HTTP */
};

struct reply {
    int status;       /* of the HTTP answer; 200 unless the handler sets another */
    char body[65536]; /* JSON text, zero-terminated */
};

/* 0: answered. Anything else: the function failed, and reply->body is the reason as plain text. */
typedef int handler(const struct event *event, struct reply *reply);

/* Serve events until the Runtime API is gone. Returns the program's exit code, never 0: a function
 * that ends has failed. The reason is on stderr. */
int runtime_run(handler *handle);

/* Fill in status and body. 0, or -1 if the text does not fit. */
int reply_json(struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The value of a member of a JSON object, as it is written there: strings with their quotes and
 * escapes. `path` names members of members by dots: "requestContext.http.method". False if there
 * is no such member or the text is not JSON as far as it was read. At most 64 levels deep.
 */
bool json_find(const char *text, size_t len, const char *path, const char **ret_value,
               size_t *ret_len);

/* The text of a JSON string value, unescaped (\uXXXX only below 128). False: not a string, an
 * escape that is not supported, or too long for `size`. */
bool json_text(const char *value, size_t len, char *out, size_t size);

/* `text` as a JSON string with its quotes. 0, or -1 if it does not fit into `size`. */
int json_quote(const char *text, char *out, size_t size);

#endif
