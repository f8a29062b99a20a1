#include <check.h>

#include "core/cleanup.h"
#include "core/http_message.h"

Suite *http_message_suite(void);

/* ---- percent encoding ---- */

static const struct {
    const char *text;
    bool keep_slash;
    const char *encoded;
} encodings[] = {
    {"", false, ""},
    {"AZaz09-._~", false, "AZaz09-._~"},
    {"a b+c", false, "a%20b%2Bc"},
    {"arn:aws:lambda", false, "arn%3Aaws%3Alambda"},
    {"a/b", false, "a%2Fb"},
    {"a/b//c", true, "a/b//c"},
    {"%41", false, "%2541"},
    {"!*'();@&=$,?#[]", false, "%21%2A%27%28%29%3B%40%26%3D%24%2C%3F%23%5B%5D"},
    {"\xc3\xa9\x7f\x01", false, "%C3%A9%7F%01"},
};

START_TEST(encode_case)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    http_add_encoded(&out, encodings[_i].text, encodings[_i].keep_slash);
    ck_assert_str_eq(out.buf, encodings[_i].encoded);
}
END_TEST

/* ---- loopback ---- */

static const struct {
    const char *host;
    bool is_loopback;
} hosts[] = {
    {"localhost", true},           {"LOCALHOST", true},   {"127.0.0.1", true},
    {"127.255.255.254", true},     {"[::1]", true},       {"128.0.0.1", false},
    {"12.127.0.1", false},         {"localhost.", false}, {"localhost.example.com", false},
    {"127.0.0.1.nip.io", false},   {"127.1", false},      {"0x7f000001", false},
    {"2130706433", false},         {"0.0.0.0", false},    {"[::]", false},
    {"[::ffff:127.0.0.1]", false}, {"", false},           {"169.254.169.254", false},
};

START_TEST(loopback_case)
{
    ck_assert(http_is_loopback(hosts[_i].host) == hosts[_i].is_loopback);
}
END_TEST

/* ---- requests ---- */

static const struct {
    const char *method, *name, *value;
    bool is_fine;
} requests[] = {
    {"GET", "X-Amz-Date", "20150830T123600Z", true},
    {"M-SEARCH", "a!#$%&'*+-.^_`|~9", "\xc3\xa9 tab\there", true},
    {"GET", "Empty", "", true},
    {"", "A", "b", false},
    {"GET /x HTTP/1.1\r\nA:", "A", "b", false},
    {"GE T", "A", "b", false},
    {"GET", "", "b", false},
    {"GET", "A:", "b", false},
    {"GET", "A B", "b", false},
    {"GET", "A\r\nB", "b", false},
    {"GET", "A", "b\r\nEvil: yes", false},
    {"GET", "A", "b\nc", false},
    {"GET", "A", "b\rc", false},
    {"GET", "A", "b\x7f", false},
    {"GET", "\xc3\xa9", "b", false},
};

START_TEST(request_case)
{
    struct http_header headers[] = {{"First", "fine"}, {requests[_i].name, requests[_i].value}};
    struct http_request request = {
        .method = requests[_i].method, .headers = headers, .header_count = 2};
    struct error err = ERROR_INIT;
    ck_assert_int_eq(http_request_check(&request, &err), requests[_i].is_fine ? 0 : -1);
    ck_assert_int_eq(err.kind, requests[_i].is_fine ? ERROR_NONE : ERROR_INPUT);
    ck_assert_ptr_null(strstr(err.msg, "Evil"));
}
END_TEST

/* ---- responses ---- */

START_TEST(responses)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    http_response_release(&response);
    http_response_fill(&response, 201, "bo\0dy", 5);
    ck_assert_int_eq(response.status, 201);
    ck_assert_uint_eq(response.body.len, 5);
    ck_assert_mem_eq(response.body.buf, "bo\0dy", 6);
    ck_assert_ptr_null(http_response_header(&response, "etag"));
    http_response_add_header(&response, "ETag", "  \"one\"\t ");
    http_response_add_header(&response, "Empty", "");
    http_response_add_header(&response, "etag", "two");
    ck_assert_uint_eq(response.header_count, 3);
    ck_assert_str_eq(response.header_names[0], "etag");
    ck_assert_str_eq(http_response_header(&response, "ETAG"), "\"one\"");
    ck_assert_str_eq(http_response_header(&response, "empty"), "");
    http_response_fill(&response, 204, "", 0);
    ck_assert_uint_eq(response.header_count, 0);
    ck_assert_str_eq(response.body.buf, "");
    http_response_release(&response);
    http_response_release(&response);
    ck_assert_int_eq(response.status, 0);
}
END_TEST

Suite *http_message_suite(void)
{
    Suite *suite = suite_create("http_message");
    TCase *tc = tcase_create("http_message");
    tcase_add_loop_test(tc, encode_case, 0, sizeof encodings / sizeof *encodings);
    tcase_add_loop_test(tc, loopback_case, 0, sizeof hosts / sizeof *hosts);
    tcase_add_loop_test(tc, request_case, 0, sizeof requests / sizeof *requests);
    tcase_add_test(tc, responses);
    suite_add_tcase(suite, tc);
    return suite;
}
