#include "model/http_event.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/text.h"

/* "Name: value" lines → lower-case names, as API Gateway hands them on. */
static struct json *make_headers(const struct http_event *event)
{
    struct json *headers = json_new_object();
    json_put_string(headers, "host", event->host);
    json_put_string(headers, "user-agent", "lambda-fastdeploy");
    json_put_string(headers, "accept", "*/*");
    for (size_t i = 0; event->headers && i < event->headers->len; i++) {
        const char *line = event->headers->items[i];
        size_t len = strcspn(line, ":");
        CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
        for (size_t c = 0; c < len; c++)
            strbuf_addch(&name,
                         line[c] >= 'A' && line[c] <= 'Z' ? (char)(line[c] - 'A' + 'a') : line[c]);
        if (line[len] == ':')
            json_put_string(headers, name.buf, line + len + 1 + strspn(line + len + 1, " \t"));
    }
    return headers;
}

static struct json *make_context(const struct http_event *event, const char *path)
{
    struct json *context = json_new_object(), *http = json_new_object();
    json_put_string(context, "accountId", "anonymous");
    json_put_string(context, "apiId", "lambda-fastdeploy");
    json_put_string(context, "domainName", event->host);
    json_put_string(context, "requestId", event->request_id);
    json_put_string(context, "routeKey", "$default");
    json_put_string(context, "stage", "$default");
    json_put_int(context, "timeEpoch", event->wall_seconds * 1000);
    json_put_string(http, "method", event->method);
    json_put_string(http, "path", path);
    json_put_string(http, "protocol", "HTTP/1.1");
    json_put_string(http, "sourceIp", "127.0.0.1");
    json_put_string(http, "userAgent", "lambda-fastdeploy");
    json_put(context, "http", http);
    return context;
}

/* "a%20b+c" → "a b c" */
static void add_decoded(struct strbuf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = i + 2 < len && text[i] == '%' ? text_hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? text_hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            strbuf_addch(out, (char)(high * 16 + low));
            i += 2;
        } else {
            strbuf_addch(out, text[i] == '+' ? ' ' : text[i]);
        }
    }
}

/* "a=1&b=2&a=3" → {"a":"1,3","b":"2"} */
static struct json *make_parameters(const char *query)
{
    struct json *parameters = json_new_object();
    while (*query) {
        size_t len = strcspn(query, "&"), name_len = strcspn(query, "=&");
        CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
        CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(STRBUF_NO_CAP);
        add_decoded(&name, query, name_len);
        const char *before = json_string(json_member(parameters, name.buf));
        if (before)
            strbuf_addf(&value, "%s,", before);
        if (name_len < len)
            add_decoded(&value, query + name_len + 1, len - name_len - 1);
        if (len > 0)
            json_put_string(parameters, name.buf, value.buf);
        query += len + (query[len] == '&');
    }
    return parameters;
}

void http_event_make(const struct http_event *event, struct strbuf *out)
{
    CLEANUP(json) struct json *json = json_new_object();
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    size_t path_len = strcspn(event->path, "?");
    strbuf_add(&path, event->path, path_len);
    json_put_string(json, "version", "2.0");
    json_put_string(json, "routeKey", "$default");
    json_put_string(json, "rawPath", path.buf);
    json_put_string(json, "rawQueryString",
                    event->path[path_len] ? event->path + path_len + 1 : "");
    json_put(json, "headers", make_headers(event));
    json_put(json, "requestContext", make_context(event, path.buf));
    if (event->path[path_len] && event->path[path_len + 1])
        json_put(json, "queryStringParameters", make_parameters(event->path + path_len + 1));
    json_put_bool(json, "isBase64Encoded", false);
    json_print(json, out);
}

static int read_body(const struct json *answer, struct strbuf *ret_body, struct error *err)
{
    const struct json *body = json_get(answer, "body");
    const char *text = json_string(body);
    if (text && json_get_bool(answer, "isBase64Encoded", false))
        return crypto_base64_decode(ret_body, text, strlen(text), err);
    if (text)
        strbuf_addstr(ret_body, text);
    else if (json_type(body) != JSON_MISSING && json_type(body) != JSON_NULL)
        json_print(body, ret_body);
    return 0;
}

int http_event_read(const char *payload, size_t len, int *ret_status, struct strbuf *ret_body,
                    struct error *err)
{
    struct error ignored = ERROR_INIT; /* text that is not JSON stands for itself */
    CLEANUP(json) struct json *json = NULL;
    strbuf_reset(ret_body);
    bool is_answer = json_parse(payload, len, &json, &ignored) == 0 &&
                     json_type(json) == JSON_OBJECT && json_get(json, "statusCode");
    if (!is_answer) {
        if (json_string(json))
            strbuf_addstr(ret_body, json_string(json));
        else
            strbuf_add(ret_body, payload, len);
        *ret_status = 200;
        return 0;
    }
    int64_t status = json_get_int(json, "statusCode", 0);
    const char *text = json_get_string(json, "statusCode"); /* some functions answer "200" */
    if (text && !text_to_int64(text, 100, 599, &status))
        status = 0;
    if (status < 100 || status > 599)
        return error_set(err, ERROR_PROTOCOL,
                         "the function's answer has a statusCode that is not one");
    if (read_body(json, ret_body, err) < 0)
        return error_wrap(err, "the body of the function's answer");
    *ret_status = (int)status;
    return 0;
}
