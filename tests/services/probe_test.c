#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "services/probe.h"
#include "tests/services/support_aws.h"

Suite *probe_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct fake fake;

static const struct {
    const char *base, *path, *url;
} joins[] = {
    {"https://h", "/", "https://h/"},
    {"https://h/", "/", "https://h/"},
    {"https://h/prod", "/health", "https://h/prod/health"},
    {"https://h/prod/", "/health", "https://h/prod/health"},
    {"https://h/prod//", "health", "https://h/prod/health"},
    {"https://h/prod", "", "https://h/prod/"},
    {"https://h", "/a/b/", "https://h/a/b/"},
    {"https://h/p?key=1", "/x", "https://h/p/x?key=1"},
    {"https://h/p/?key=1", "/x?y=2&z", "https://h/p/x?key=1&y=2&z"},
    {"https://h", "/x?y=2", "https://h/x?y=2"},
    {"https://h", "?y=2", "https://h/?y=2"},
    {"https://h/p?", "/x?", "https://h/p/x"},
    {"https://h/p#top", "/x#part", "https://h/p/x"},
    {"https://h/p?a=1#top", "/x?b=2#part", "https://h/p/x?a=1&b=2"},
};

START_TEST(urls_are_joined)
{
    CLEANUP_FREE char *url = probe_join_url(joins[_i].base, joins[_i].path);
    ck_assert_str_eq(url, joins[_i].url);
}
END_TEST

static const struct {
    int expect_status;
    const char *expect_text;
    struct fake_answer answer;
    bool good;
    const char *why;
} verdicts[] = {
    {0, NULL, {.status = 200, .body = "ok"}, true, ""},
    {0, NULL, {.status = 204}, true, ""},
    {0, NULL, {.status = 299}, true, ""},
    {0, NULL, {.status = 199}, false, "answered 199"},
    {0, NULL, {.status = 500, .body = "oh\nno\x1b[31m!"}, false, "answered 500: oh\\x0ano!"},
    {404, NULL, {.status = 404}, true, ""},
    {404, NULL, {.status = 200}, false, "answered 200"},
    {302, NULL, {.status = 302, .headers = {{"Location", "/x"}}}, true, ""},
    {0,
     NULL,
     {.status = 302, .headers = {{"Location", "/login"}}, .body = "moved"},
     false,
     "answered 302, which leads to /login: moved"},
    {0,
     NULL,
     {.status = 301, .headers = {{"Location", "\xe2\x80\xae"}}},
     false,
     "answered 301, which leads to \\u202e"},
    {0, "ok", {.status = 200, .body = "all is ok"}, true, ""},
    {0, "ok", {.status = 200, .body = "a\0ok", .body_len = 4}, true, ""},
    {0, "ok", {.status = 200, .body = "bad"}, false, "answered 200, but without \"ok\": bad"},
    {0, "ok", {.status = 200}, false, "answered 200, but without \"ok\""},
    {0, "ok", {.status = 500, .body = "ok"}, false, "answered 500: ok"},
    {0, NULL, {.status = 0, .error = ERROR_NETWORK}, false, "no answer: GET api.example: it broke"},
    {0, NULL, {.status = 0, .error = ERROR_TIMEOUT}, false, "no answer: GET api.example: it broke"},
    {0,
     NULL,
     {.status = 0, .error = ERROR_TOO_LARGE},
     false,
     "no answer: GET api.example: it broke"},
};

START_TEST(answers_are_judged)
{
    const struct probe probe = {.url = "https://h/",
                                .expect_status = verdicts[_i].expect_status,
                                .expect_text = verdicts[_i].expect_text,
                                .timeout_ms = 1234};
    CLEANUP(probe_result) struct probe_result result = PROBE_RESULT_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, &verdicts[_i].answer, 1);
    ck_assert_int_eq(probe_send(NULL, &probe, &result, &err), 0);
    ck_assert(result.good == verdicts[_i].good);
    ck_assert_str_eq(result.why, verdicts[_i].why);
    ck_assert_int_eq(result.status, verdicts[_i].answer.status);
    ck_assert_int_eq(err.kind, ERROR_NONE);
    ck_assert_str_eq(fake.requests[0].method, "GET");
    ck_assert_int_eq(fake.requests[0].timeout_ms, 1234);
    fake_stop(&fake);
}
END_TEST

START_TEST(no_verdict)
{
    static const enum error_kind kinds[] = {ERROR_INPUT, ERROR_CANCELLED};
    const struct fake_answer answer = {.status = 0, .error = kinds[_i]};
    const struct probe probe = {.url = "x"};
    struct probe_result result = PROBE_RESULT_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, &answer, 1);
    ck_assert_int_eq(probe_send(NULL, &probe, &result, &err), -1);
    ck_assert_int_eq(err.kind, kinds[_i]);
    fake_stop(&fake);
}
END_TEST

START_TEST(headers_and_body_go_out)
{
    const struct fake_answer answers[] = {{.status = 200}, {.status = 200}, {.status = 200}};
    CLEANUP(strvec) struct strvec headers = STRVEC_INIT, own = STRVEC_INIT;
    CLEANUP(probe_result) struct probe_result result = PROBE_RESULT_INIT;
    strvec_push_many(&headers, "X-Key:  a: b", "Empty:", "no header", NULL);
    strvec_push_many(&own, "content-TYPE: text/plain", NULL);
    struct probe probe = {.url = "https://h/", .method = "POST", .body = "{}", .headers = &headers};
    fake_listen(&fake, answers, 3);
    ck_assert_int_eq(probe_send(NULL, &probe, &result, NULL), 0);
    ck_assert_uint_eq(fake.requests[0].header_count, 3);
    ck_assert_str_eq(fake_header(&fake.requests[0], "x-key"), "a: b");
    ck_assert_str_eq(fake_header(&fake.requests[0], "empty"), "");
    ck_assert_str_eq(fake_header(&fake.requests[0], "content-type"), "application/json");
    ck_assert_str_eq(fake.requests[0].body, "{}");
    ck_assert_str_eq(fake.requests[0].method, "POST");
    probe.headers = &own;
    ck_assert_int_eq(probe_send(NULL, &probe, &result, NULL), 0);
    ck_assert_uint_eq(fake.requests[1].header_count, 1);
    ck_assert_str_eq(fake_header(&fake.requests[1], "content-type"), "text/plain");
    probe.body = NULL;
    probe.headers = NULL;
    ck_assert_int_eq(probe_send(NULL, &probe, &result, NULL), 0);
    ck_assert_uint_eq(fake.requests[2].header_count, 0);
    ck_assert_ptr_null(fake.requests[2].body);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_huge_answer_is_judged_whole)
{
    enum { SIZE = 1 << 20 };
    CLEANUP_FREE char *body = memory_new(SIZE + 1);
    memset(body, 'x', SIZE);
    memcpy(body + SIZE - 3, "end", 3);
    const struct fake_answer answers[] = {{.status = 200, .body = body},
                                          {.status = 200, .body = body}};
    struct probe probe = {.url = "https://h/", .expect_text = "end"};
    CLEANUP(probe_result) struct probe_result result = PROBE_RESULT_INIT;
    fake_listen(&fake, answers, 2);
    ck_assert_int_eq(probe_send(NULL, &probe, &result, NULL), 0);
    ck_assert(result.good);
    ck_assert_uint_eq(result.body.len, 65536);
    probe.expect_text = "END";
    ck_assert_int_eq(probe_send(NULL, &probe, &result, NULL), 0);
    ck_assert(!result.good);
    ck_assert_uint_lt(strlen(result.why), 300);
    fake_stop(&fake);
}
END_TEST

Suite *probe_suite(void)
{
    Suite *suite = suite_create("probe");
    TCase *tcase = tcase_create("probe");
    tcase_add_loop_test(tcase, urls_are_joined, 0, COUNT(joins));
    tcase_add_loop_test(tcase, answers_are_judged, 0, COUNT(verdicts));
    tcase_add_loop_test(tcase, no_verdict, 0, 2);
    tcase_add_test(tcase, headers_and_body_go_out);
    tcase_add_test(tcase, a_huge_answer_is_judged_whole);
    suite_add_tcase(suite, tcase);
    return suite;
}
