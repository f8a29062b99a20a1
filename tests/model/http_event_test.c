#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/text.h"
#include "model/http_event.h"

Suite *http_event_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static struct json *make(const struct http_event *event)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct json *json = NULL;
    struct error err = ERROR_INIT;
    http_event_make(event, &text);
    ck_assert_msg(json_parse(text.buf, text.len, &json, &err) == 0, "%s: %s", err.msg, text.buf);
    return json;
}

START_TEST(makes_a_request)
{
    CLEANUP(strvec) struct strvec headers = STRVEC_INIT;
    strvec_push(&headers, "X-Api-Key: secret value");
    strvec_push(&headers, "Accept:text/html");
    const struct http_event event = {.method = "GET",
                                     .path = "/health",
                                     .headers = &headers,
                                     .host = "abc.example.com",
                                     .request_id = "0123456789abcdef",
                                     .wall_seconds = 1700000000};
    CLEANUP(json) struct json *json = make(&event);
    ck_assert_str_eq(json_get_string(json, "version"), "2.0");
    ck_assert_str_eq(json_get_string(json, "routeKey"), "$default");
    ck_assert_str_eq(json_get_string(json, "rawPath"), "/health");
    ck_assert_str_eq(json_get_string(json, "rawQueryString"), "");
    ck_assert_int_eq(json_type(json_member(json, "queryStringParameters")), JSON_MISSING);
    ck_assert_int_eq(json_type(json_member(json, "body")), JSON_MISSING);
    ck_assert(!json_get_bool(json, "isBase64Encoded", true));
    ck_assert_str_eq(json_get_string(json, "headers.x-api-key"), "secret value");
    ck_assert_str_eq(json_get_string(json, "headers.accept"), "text/html");
    ck_assert_str_eq(json_get_string(json, "headers.host"), "abc.example.com");
    const struct json *context = json_get(json, "requestContext");
    ck_assert_str_eq(json_get_string(context, "http.method"), "GET");
    ck_assert_str_eq(json_get_string(context, "http.path"), "/health");
    ck_assert_str_eq(json_get_string(context, "stage"), "$default");
    ck_assert_str_eq(json_get_string(context, "requestId"), "0123456789abcdef");
    ck_assert_int_eq(json_get_int(context, "timeEpoch", 0), 1700000000000);
}
END_TEST

static const struct {
    const char *path, *raw_path, *raw_query, *parameters; /* NULL: there is no such member */
} queries[] = {
    {"/health?", "/health", "", NULL},
    {"/health?deep=1", "/health", "deep=1", "{\"deep\":\"1\"}"},
    {"/health?a=1&b=2&a=3", "/health", "a=1&b=2&a=3", "{\"a\":\"1,3\",\"b\":\"2\"}"},
    {"/h?who=a%20b+c%3d&x", "/h", "who=a%20b+c%3d&x", "{\"who\":\"a b c=\",\"x\":\"\"}"},
    {"/h?&&a=1&", "/h", "&&a=1&", "{\"a\":\"1\"}"},
    {"/h?a=%", "/h", "a=%", "{\"a\":\"%\"}"},
    {"/h?a=%4", "/h", "a=%4", "{\"a\":\"%4\"}"},
    {"/h?a=%zz&b=%4A", "/h", "a=%zz&b=%4A", "{\"a\":\"%zz\",\"b\":\"J\"}"},
    {"/h?a=b=c?d", "/h", "a=b=c?d", "{\"a\":\"b=c?d\"}"},
};

START_TEST(takes_the_query_apart)
{
    const struct http_event event = {.method = "GET", .path = queries[_i].path, .host = "h"};
    CLEANUP(json) struct json *json = make(&event);
    ck_assert_str_eq(json_get_string(json, "rawPath"), queries[_i].raw_path);
    ck_assert_str_eq(json_get_string(json, "rawQueryString"), queries[_i].raw_query);
    const struct json *parameters = json_member(json, "queryStringParameters");
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    if (!queries[_i].parameters) {
        ck_assert_int_eq(json_type(parameters), JSON_MISSING);
        return;
    }
    json_print(parameters, &text);
    ck_assert_str_eq(text.buf, queries[_i].parameters);
}
END_TEST

static const struct {
    const char *payload;
    int status; /* 0: refused */
    const char *body;
} answers[] = {
    {"{\"statusCode\":200,\"body\":\"ok\"}", 200, "ok"},
    {"{\"statusCode\":503,\"body\":\"no\"}", 503, "no"},
    {"{\"statusCode\":\"204\"}", 204, ""},
    {"{\"statusCode\":200,\"body\":null}", 200, ""},
    {"{\"statusCode\":200,\"body\":{\"a\":1}}", 200, "{\"a\":1}"},
    {"{\"statusCode\":200,\"body\":\"b2s=\",\"isBase64Encoded\":true}", 200, "ok"},
    {"{\"statusCode\":200,\"body\":\"b2s=\",\"isBase64Encoded\":false}", 200, "b2s="},
    {"{\"statusCode\":200,\"body\":\"!\",\"isBase64Encoded\":true}", 0, NULL},
    {"{\"statusCode\":0}", 0, NULL},
    {"{\"statusCode\":99}", 0, NULL},
    {"{\"statusCode\":600}", 0, NULL},
    {"{\"statusCode\":\"good\"}", 0, NULL},
    {"{\"statusCode\":200.5}", 0, NULL},
    {"{\"statusCode\":null}", 0, NULL},
    {"{\"answer\":42}", 200, "{\"answer\":42}"},
    {"\"plain\"", 200, "plain"},
    {"[1]", 200, "[1]"},
    {"null", 200, "null"},
    {"not JSON", 200, "not JSON"},
    {"", 200, ""},
};

START_TEST(reads_answers)
{
    CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(1024);
    struct error err = ERROR_INIT;
    int status = -1;
    const char *payload = answers[_i].payload;
    strbuf_addstr(&body, "left over");
    int rc = http_event_read(payload, strlen(payload), &status, &body, &err);
    if (answers[_i].status == 0) {
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
        ck_assert_int_eq(status, -1);
        return;
    }
    ck_assert_msg(rc == 0, "%s", err.msg);
    ck_assert_int_eq(status, answers[_i].status);
    ck_assert_str_eq(body.buf, answers[_i].body);
}
END_TEST

Suite *http_event_suite(void)
{
    Suite *suite = suite_create("http_event");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, makes_a_request);
    tcase_add_loop_test(tcase, takes_the_query_apart, 0, COUNT(queries));
    tcase_add_loop_test(tcase, reads_answers, 0, COUNT(answers));
    suite_add_tcase(suite, tcase);
    return suite;
}
