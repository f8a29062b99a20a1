#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "services/sts.h"
#include "tests/services/support_aws.h"

Suite *sts_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROLE         "arn:aws:iam::123456789012:role/deploy"
#define IDENTITY                                                                                   \
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"            \
    "  <GetCallerIdentityResult>\n"                                                                \
    "    <Arn>arn:aws:sts::123456789012:assumed-role/deploy/a&amp;b</Arn>\n"                       \
    "    <UserId>AROAEXAMPLE:a</UserId>\n    <Account>123456789012</Account>\n"                    \
    "  </GetCallerIdentityResult>\n"                                                               \
    "  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>\n"                            \
    "</GetCallerIdentityResponse>\n"
#define KEYS(operation)                                                                            \
    "<" operation "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" operation       \
    "Result><AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:x</Arn>"                \
    "</AssumedRoleUser><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>se/"    \
    "cr+et</SecretAccessKey><SessionToken>tok/en==</SessionToken><Expiration>2026-11-23T14:20:"    \
    "00Z</Expiration></Credentials></" operation "Result></" operation "Response>"

static struct fake fake;

START_TEST(says_who_we_are)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = IDENTITY}};
    struct sts_identity identity;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(sts_get_caller_identity(&fake.aws, &identity, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(identity.account, "123456789012");
    ck_assert_str_eq(fake.requests[0].body, "Action=GetCallerIdentity&Version=2011-06-15");
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *body;
    enum error_kind kind;
    const char *message;
} nobody[] = {
    {"<GetCallerIdentityResponse></GetCallerIdentityResponse>", ERROR_PROTOCOL,
     "sts GetCallerIdentity: the answer has no Account"},
    {"<GetCallerIdentityResponse><Account/></GetCallerIdentityResponse>", ERROR_PROTOCOL,
     "the answer has no Account"},
    {"<GetCallerIdentityResponse><Account>1234567890123456</Account><Arn>a</Arn>"
     "</GetCallerIdentityResponse>",
     ERROR_TOO_LARGE, "the answer's Account is too long"},
};

START_TEST(refuses_nobody)
{
    const struct fake_answer answers[] = {{.status = 200, .body = nobody[_i].body}};
    struct sts_identity identity;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(sts_get_caller_identity(&fake.aws, &identity, &err), -1);
    ck_assert_int_eq(err.kind, nobody[_i].kind);
    ck_assert_msg(strstr(err.msg, nobody[_i].message) != NULL, "%s", err.msg);
    fake_stop(&fake);
}
END_TEST

static void expect_keys(const struct credentials *keys)
{
    ck_assert_str_eq(keys->access_key_id, "ASIAEXAMPLE");
    ck_assert_str_eq(keys->secret_access_key, "se/cr+et");
    ck_assert_str_eq(keys->session_token, "tok/en==");
    ck_assert_int_eq(keys->expires_at, FAKE_WALL + 3600);
}

START_TEST(assumes_a_role)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = KEYS("AssumeRole")}};
    const struct sts_role role = {.arn = ROLE,
                                  .session_name = "run 7",
                                  .external_id = "a+b/c",
                                  .web_identity_token = "not for this",
                                  .duration_s = 3600};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(sts_assume_role(&fake.aws, &role, &keys, &err) == 0, "%s", err.msg);
    expect_keys(&keys);
    ck_assert_str_eq(fake.requests[0].body,
                     "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
                     "123456789012%3Arole%2Fdeploy&RoleSessionName=run%207&DurationSeconds=3600&"
                     "ExternalId=a%2Bb%2Fc");
    ck_assert_ptr_nonnull(fake_header(&fake.requests[0], "Authorization"));
    fake_stop(&fake);
}
END_TEST

START_TEST(assumes_a_role_with_a_token)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = KEYS("AssumeRoleWithWebIdentity")}};
    const struct sts_role role = {
        .arn = ROLE, .external_id = "not for this", .web_identity_token = "ey.J+.x_-"};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(sts_assume_role_with_web_identity(&fake.aws, &role, &keys, NULL), 0);
    expect_keys(&keys);
    ck_assert_str_eq(fake.requests[0].body,
                     "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam"
                     "%3A%3A123456789012%3Arole%2Fdeploy&RoleSessionName=lambda-fastdeploy&"
                     "WebIdentityToken=ey.J%2B.x_-");
    ck_assert_ptr_null(fake_header(&fake.requests[0], "Authorization"));
    fake_stop(&fake);
}
END_TEST

static const char *const no_keys[] = {
    "<AssumeRoleResponse></AssumeRoleResponse>",
    "<AssumeRoleResponse><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>"
    "<Expiration>2026-11-23T14:20:00Z</Expiration></AssumeRoleResponse>",
    "<AssumeRoleResponse><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>soon</Expiration></AssumeRoleResponse>",
};

START_TEST(refuses_what_are_no_keys)
{
    const struct fake_answer answers[] = {{.status = 200, .body = no_keys[_i]}};
    const struct sts_role role = {.arn = ROLE};
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(sts_assume_role(&fake.aws, &role, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_ptr_null(keys.access_key_id);
    fake_stop(&fake);
}
END_TEST

Suite *sts_suite(void)
{
    Suite *suite = suite_create("sts");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, says_who_we_are);
    tcase_add_loop_test(tcase, refuses_nobody, 0, COUNT(nobody));
    tcase_add_test(tcase, assumes_a_role);
    tcase_add_test(tcase, assumes_a_role_with_a_token);
    tcase_add_loop_test(tcase, refuses_what_are_no_keys, 0, COUNT(no_keys));
    suite_add_tcase(suite, tcase);
    return suite;
}
