/* The role of an EC2 instance, and who is told of secrets. */
#include <check.h>

#include "core/cleanup.h"
#include "core/strvec.h"
#include "services/credentials.h"
#include "tests/services/support_aws.h"

Suite *credentials_instance_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROLE         "arn:aws:iam::123456789012:role/deploy"
#define METADATA     "http://169.254.169.254/latest/"
#define CREDENTIALS  "meta-data/iam/security-credentials/"
#define NO_ANSWER                                                                                  \
    {                                                                                              \
        .status = 0, .error = ERROR_TIMEOUT, .error_name = "connect"                               \
    }
#define ANSWER(text)                                                                               \
    {                                                                                              \
        .status = 200, .body = (text)                                                              \
    }
#define TOKEN ANSWER("imds-token==\n")
#define NAME  ANSWER("my role\nanother")
#define KEYS                                                                                       \
    ANSWER("{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAEC2\",\"SecretAccessKey\":\"ec2-secret\"," \
           "\"Token\":\"ec2-session\",\"Expiration\":\"2026-11-23T14:20:00Z\"}")
#define ROLE_KEYS(operation)                                                                       \
    ANSWER("<" operation                                                                           \
           "Response><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret"              \
           "</SecretAccessKey><SessionToken>role-session</SessionToken><Expiration>"               \
           "2026-11-23T14:20:00Z</Expiration></" operation "Response>")

static struct fake fake;

static int fetch(const struct credentials_context *context, struct credentials *ret_keys,
                 struct error *err)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    credentials_chain_init(&chain, context);
    return credentials_chain_get(&chain, ret_keys, err);
}

START_TEST(asks_the_instance)
{
    static const struct fake_answer answers[] = {TOKEN, NAME, KEYS};
    static const char *const environment[] = {NULL};
    const struct credentials_context context = {.environ = environment, .region = "us-east-1"};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_msg(fetch(&context, &keys, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(keys.access_key_id, "ASIAEC2");
    ck_assert_str_eq(keys.secret_access_key, "ec2-secret");
    ck_assert_str_eq(keys.session_token, "ec2-session");
    ck_assert_int_eq(keys.expires_at, FAKE_WALL + 3600);
    ck_assert_str_eq(keys.source, "instance");
    ck_assert_str_eq(keys.account, "");
    ck_assert_str_eq(fake.requests[0].method, "PUT");
    ck_assert_str_eq(fake.requests[0].url, METADATA "api/token");
    ck_assert_str_eq(fake_header(&fake.requests[0], "X-aws-ec2-metadata-token-ttl-seconds"),
                     "21600");
    ck_assert_str_eq(fake.requests[1].url, METADATA CREDENTIALS);
    ck_assert_str_eq(fake.requests[2].url, METADATA CREDENTIALS "my%20role");
    for (int i = 0; i < 3; i++) {
        ck_assert(fake.requests[i].allow_plain_http);
        ck_assert_int_eq(fake.requests[i].timeout_ms, 1000);
    }
    for (int i = 1; i < 3; i++)
        ck_assert_str_eq(fake_header(&fake.requests[i], "X-aws-ec2-metadata-token"),
                         "imds-token==");
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *variable;
    const char *url;
    bool plain;
} endpoints[] = {
    {"AWS_EC2_METADATA_DISABLED=no", METADATA "api/token", true},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=ipv6", "http://[fd00:ec2::254]/latest/api/token",
     true},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv4", METADATA "api/token", true},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://[fd00:ec2::254]/",
     "http://[fd00:ec2::254]/latest/api/token", true},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:99/",
     "http://127.0.0.1:99/latest/api/token", false}, /* http_send lets loopback pass */
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://evil.example",
     "http://evil.example/latest/api/token", false}, /* and refuses these */
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.169.254@evil.example",
     "http://169.254.169.254@evil.example/latest/api/token", false},
    {"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.169.254.evil.example",
     "http://169.254.169.254.evil.example/latest/api/token", false},
};

START_TEST(asks_where_it_is_told_to)
{
    static const struct fake_answer answers[] = {NO_ANSWER};
    const char *const environment[] = {endpoints[_i].variable, NULL};
    const struct credentials_context context = {.environ = environment, .region = "us-east-1"};
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(fetch(&context, &keys, &err), -1);
    ck_assert_msg(strstr(err.msg, "no AWS credentials were found") != NULL, "%s", err.msg);
    ck_assert_str_eq(fake.requests[0].url, endpoints[_i].url);
    ck_assert_int_eq(fake.requests[0].allow_plain_http, endpoints[_i].plain);
    ck_assert_uint_eq(fake.slept, 0);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *what;
    const char *variable;
    struct fake_answer answers[5];
    size_t count;
    enum error_kind kind;
    const char *message;
} cases[] = {
    {"switched off",
     "AWS_EC2_METADATA_DISABLED=TRUE",
     {NO_ANSWER},
     0,
     ERROR_UNAUTHORIZED,
     "no AWS credentials were found"},
    {"nobody is there", "A=b", {NO_ANSWER}, 1, ERROR_UNAUTHORIZED, "hop limit of 2"},
    {"another cloud's service",
     "A=b",
     {{.status = 400}},
     1,
     ERROR_UNAUTHORIZED,
     "no AWS credentials were found"},
    {"only version 1, which is not asked",
     "A=b",
     {{.status = 403}},
     1,
     ERROR_UNAUTHORIZED,
     "no AWS credentials were found"},
    {"an instance without a role",
     "A=b",
     {TOKEN, {.status = 404}},
     2,
     ERROR_UNAUTHORIZED,
     "no AWS credentials were found"},
    {"an empty list of roles",
     "A=b",
     {TOKEN, ANSWER("\n")},
     2,
     ERROR_UNAUTHORIZED,
     "no AWS credentials were found"},
    {"a refused address",
     "A=b",
     {{.status = 0, .error = ERROR_INPUT}},
     1,
     ERROR_INPUT,
     "credentials by instance: asking the instance's metadata service"},
    {"it is overworked",
     "A=b",
     {{.status = 503}, {.status = 503}, {.status = 503}, {.status = 503}},
     4,
     ERROR_SERVER,
     "HTTP 503"},
    {"overworked once", "A=b", {{.status = 503}, TOKEN, NAME, KEYS}, 4, ERROR_NONE, NULL},
    {"a token of two lines",
     "A=b",
     {ANSWER("<html>\r\nX: y")},
     1,
     ERROR_PROTOCOL,
     "its token is none"},
    {"an empty token", "A=b", {ANSWER("\n")}, 1, ERROR_PROTOCOL, "its token is none"},
    {"the list is refused",
     "A=b",
     {TOKEN, {.status = 401}},
     2,
     ERROR_UNAUTHORIZED,
     "asking for the instance's role: the answer was HTTP 401"},
    {"the keys are refused",
     "A=b",
     {TOKEN, NAME, {.status = 404}},
     3,
     ERROR_UNAUTHORIZED,
     "asking for the keys of the instance's role: the answer was HTTP 404"},
    {"no keys",
     "A=b",
     {TOKEN, NAME, ANSWER("{\"Code\":\"AssumeRoleUnauthorizedAccess\"}")},
     3,
     ERROR_UNAUTHORIZED,
     "AssumeRoleUnauthorizedAccess"},
    {"half of the keys",
     "A=b",
     {TOKEN, NAME, ANSWER("{\"AccessKeyId\":\"a\"}")},
     3,
     ERROR_PROTOCOL,
     "SecretAccessKey"},
    {"a connection lost on the way",
     "A=b",
     {TOKEN, NAME, {.status = 500}, KEYS},
     4,
     ERROR_NONE,
     NULL},
};

START_TEST(settles_with_the_instance)
{
    const char *const environment[] = {cases[_i].variable, NULL};
    const struct credentials_context context = {.environ = environment, .region = "us-east-1"};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, cases[_i].answers, cases[_i].count);
    int result = fetch(&context, &keys, &err);
    ck_assert_msg(result == (cases[_i].kind ? -1 : 0), "%s: %s", cases[_i].what, err.msg);
    ck_assert_msg(err.kind == cases[_i].kind, "%s: %s", cases[_i].what, err.msg);
    if (cases[_i].message)
        ck_assert_msg(strstr(err.msg, cases[_i].message) != NULL, "%s: %s", cases[_i].what,
                      err.msg);
    fake_stop(&fake);
}
END_TEST

/* ---- who is told ---- */

static void listen(void *listener, const char *secret)
{
    strvec_push(listener, secret);
}

static void expect_told(const struct strvec *told, const char *const *expected, size_t count)
{
    ck_assert_uint_eq(told->len, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(told->items[i], expected[i]);
}

START_TEST(tells_every_secret_at_once)
{
    static const struct fake_answer answers[] = {TOKEN, NAME, KEYS, ROLE_KEYS("AssumeRole")};
    static const char *const environment[] = {NULL};
    static const char *const expected[] = {"imds-token==", "ec2-secret", "ec2-session",
                                           "role-secret", "role-session"};
    CLEANUP(strvec) struct strvec told = STRVEC_INIT;
    const struct credentials_context context = {.environ = environment,
                                                .region = "us-east-1",
                                                .role_to_assume = ROLE,
                                                .on_secret = listen,
                                                .secret_listener = &told};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(fetch(&context, &keys, NULL), 0);
    ck_assert_str_eq(keys.account, "123456789012");
    expect_told(&told, expected, COUNT(expected));
    fake_stop(&fake);
}
END_TEST

START_TEST(tells_renewed_secrets)
{
    static const struct fake_answer answers[] = {ANSWER("{\"value\":\"e30.e30.first\"}"),
                                                 {.status = 403},
                                                 ANSWER("{\"value\":\"e30.e30.second\"}"),
                                                 ROLE_KEYS("AssumeRoleWithWebIdentity")};
    static const char *const environment[] = {NULL};
    static const char *const expected[] = {"e30.e30.first", "e30.e30.second", "role-secret",
                                           "role-session"};
    CLEANUP(strvec) struct strvec told = STRVEC_INIT;
    const struct credentials_context context = {.environ = environment,
                                                .region = "us-east-1",
                                                .role_to_assume = ROLE,
                                                .oidc_request_url = "https://token.example/",
                                                .oidc_request_token = "job",
                                                .on_secret = listen,
                                                .secret_listener = &told};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    CLEANUP(credentials_chain) struct credentials_chain chain;
    fake_listen(&fake, answers, COUNT(answers));
    credentials_chain_init(&chain, &context);
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, NULL), -1);
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, NULL), 0);
    expect_told(&told, expected, COUNT(expected));
    fake_stop(&fake);
}
END_TEST

Suite *credentials_instance_suite(void)
{
    Suite *suite = suite_create("credentials_instance");
    TCase *instance = tcase_create("instance");
    tcase_add_test(instance, asks_the_instance);
    tcase_add_loop_test(instance, asks_where_it_is_told_to, 0, COUNT(endpoints));
    tcase_add_loop_test(instance, settles_with_the_instance, 0, COUNT(cases));
    suite_add_tcase(suite, instance);
    TCase *secrets = tcase_create("secrets");
    tcase_add_test(secrets, tells_every_secret_at_once);
    tcase_add_test(secrets, tells_renewed_secrets);
    suite_add_tcase(suite, secrets);
    return suite;
}
