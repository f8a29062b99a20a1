#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "services/oidc.h"
#include "tests/services/support_aws.h"

Suite *oidc_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define URL          "https://token.example/x?api-version=2.0"
#define OK                                                                                         \
    {                                                                                              \
        .status = 200, .body = "{\"count\":1,\"value\":\"ey.ab-_.c\"}"                             \
    }

static struct fake fake;

START_TEST(asks_for_a_token)
{
    static const struct fake_answer answers[] = {OK};
    const struct oidc_request request = {.url = URL, .token = "job-secret"};
    char *token = NULL;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_msg(oidc_get_token(NULL, &request, &token, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(token, "ey.ab-_.c");
    ck_assert_str_eq(fake.requests[0].method, "GET");
    ck_assert_str_eq(fake.requests[0].url, URL "&audience=sts.amazonaws.com");
    ck_assert_str_eq(fake_header(&fake.requests[0], "Authorization"), "Bearer job-secret");
    ck_assert(!fake.requests[0].allow_plain_http);
    memory_free_secret(token);
    fake_stop(&fake);
}
END_TEST

START_TEST(asks_for_an_audience)
{
    static const struct fake_answer answers[] = {OK};
    const struct oidc_request request = {
        .url = "https://token.example/x", .token = "t", .audience = "a&b c"};
    char *token = NULL;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(oidc_get_token(NULL, &request, &token, NULL), 0);
    ck_assert_str_eq(fake.requests[0].url, "https://token.example/x?audience=a%26b%20c");
    memory_free_secret(token);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *what;
    struct fake_answer answers[3];
    size_t count;
    enum error_kind kind;
    const char *message;
} cases[] = {
    {"an issuer that fails twice, then answers",
     {{.status = 500}, {.error = ERROR_NETWORK, .error_name = "reset"}, OK},
     3,
     ERROR_NONE,
     NULL},
    {"throttled", {{.status = 429}, OK}, 2, ERROR_NONE, NULL},
    {"an issuer that fails",
     {{.status = 503}, {.status = 502}, {.status = 500}},
     3,
     ERROR_SERVER,
     "asking GitHub for the job's OIDC token: the answer was HTTP 500"},
    {"throttled for long",
     {{.status = 429}, {.status = 429}, {.status = 429}},
     3,
     ERROR_THROTTLED,
     "HTTP 429"},
    {"a refusal is final", {{.status = 403}}, 1, ERROR_UNAUTHORIZED, "HTTP 403"},
    {"so is a redirect", {{.status = 302}}, 1, ERROR_UNAUTHORIZED, "HTTP 302"},
    {"no network",
     {{.error = ERROR_TIMEOUT}, {.error = ERROR_TIMEOUT}, {.error = ERROR_TIMEOUT}},
     3,
     ERROR_TIMEOUT,
     "it broke"},
    {"a URL that is none", {{.error = ERROR_INPUT}}, 1, ERROR_INPUT, "it broke"},
    {"a page",
     {{.status = 200, .body = "<html>"}},
     1,
     ERROR_PROTOCOL,
     "reading the job's OIDC token"},
    {"no value", {{.status = 200, .body = "{\"value\":1}"}}, 1, ERROR_PROTOCOL, "value"},
    {"an empty value", {{.status = 200, .body = "{\"value\":\"\"}"}}, 1, ERROR_PROTOCOL, "empty"},
};

START_TEST(settles)
{
    const struct oidc_request request = {.url = URL, .token = "job-secret"};
    char *token = NULL;
    struct error err = ERROR_INIT;
    fake_listen(&fake, cases[_i].answers, cases[_i].count);
    int result = oidc_get_token(NULL, &request, &token, &err);
    ck_assert_msg(result == (cases[_i].kind ? -1 : 0), "%s: %s", cases[_i].what, err.msg);
    ck_assert_msg(err.kind == cases[_i].kind, "%s: %s", cases[_i].what, err.msg);
    ck_assert_int_eq(token != NULL, result == 0);
    ck_assert_ptr_null(strstr(err.msg, "secret"));
    if (cases[_i].message)
        ck_assert_msg(strstr(err.msg, cases[_i].message) != NULL, "%s", err.msg);
    ck_assert_uint_eq(fake.slept, cases[_i].count - 1);
    memory_free_secret(token);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_cancel_ends_it)
{
    static const struct fake_answer answers[] = {{.status = 500}};
    const struct oidc_request request = {.url = URL, .token = "job-secret"};
    char *token = NULL;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    fake.cancel_at_sleep = 1;
    ck_assert_int_eq(oidc_get_token(NULL, &request, &token, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *token, *claims;
} tokens[] = {
    /* {"sub":"repo:o/r:ref:refs/heads/main","aud":"sts.amazonaws.com","repository":"o/r",
       "ref":"refs/heads/main","environment":"prod","actor":"x","exp":1} */
    {"e30.eyJzdWIiOiJyZXBvOm8vcjpyZWY6cmVmcy9oZWFkcy9tYWluIiwiYXVkIjoic3RzLmFtYXpvbmF3cy5jb20iLCJy"
     "ZXBvc2l0b3J5Ijoiby9yIiwicmVmIjoicmVmcy9oZWFkcy9tYWluIiwiZW52aXJvbm1lbnQiOiJwcm9kIiwiYWN0b3Ii"
     "OiJ4IiwiZXhwIjoxfQ.c2ln",
     "sub \"repo:o/r:ref:refs/heads/main\", aud \"sts.amazonaws.com\", repository \"o/r\", ref "
     "\"refs/heads/main\", environment \"prod\""},
    {"e30.eyJzdWIiOiJhXG46OmIifQ.x", "sub \"a\\x0a::b\""}, /* {"sub":"a\n::b"} */
    {"e30.eyJhdWQiOlsiYSJdfQ.x", ""},                      /* {"aud":["a"]} */
    {"e30.e30.x", ""},
    {"e30.bm90IGpzb24.x", ""},
    {"e30.***.x", ""},
    {"e30.", ""},
    {"opaque", ""},
    {"", ""},
};

START_TEST(shows_claims)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(1000);
    oidc_add_claims(&text, tokens[_i].token);
    ck_assert_str_eq(text.buf, tokens[_i].claims);
}
END_TEST

Suite *oidc_suite(void)
{
    Suite *suite = suite_create("oidc");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, asks_for_a_token);
    tcase_add_test(tcase, asks_for_an_audience);
    tcase_add_loop_test(tcase, settles, 0, COUNT(cases));
    tcase_add_test(tcase, a_cancel_ends_it);
    tcase_add_loop_test(tcase, shows_claims, 0, COUNT(tokens));
    suite_add_tcase(suite, tcase);
    return suite;
}
