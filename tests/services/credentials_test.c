#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/task.h"
#include "services/aws_operations.h"
#include "services/credentials.h"
#include "tests/services/support_aws.h"

Suite *credentials_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROLE         "arn:aws:iam::123456789012:role/deploy"
#define ROLE_KEYS                                                                                  \
    "<AssumeRoleResponse><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>rolesecret"           \
    "</SecretAccessKey><SessionToken>roletoken</SessionToken><Expiration>2026-11-23T14:20:00Z"     \
    "</Expiration></AssumeRoleResponse>"

static struct fake fake;
static const char *const nothing[] = {"AWS_EC2_METADATA_DISABLED=true", NULL};

/* ---- static inputs and environment ---- */

static const struct {
    const char *what;
    const char *inputs[3];
    const char *environ[4];
    const char *source;  /* NULL: an error */
    const char *keys[3]; /* id, secret, token */
    enum error_kind kind;
    const char *message;
} cases[] = {
    {.what = "inputs",
     .inputs = {"AKIA1", "s1"},
     .source = "static inputs",
     .keys = {"AKIA1", "s1", NULL}},
    {.what = "inputs with a token",
     .inputs = {"ASIA1", "s1", "t1"},
     .source = "static inputs",
     .keys = {"ASIA1", "s1", "t1"}},
    {.what = "inputs that are empty are not given",
     .inputs = {"", " ", ""},
     .environ = {"AWS_ACCESS_KEY_ID=AKIA2", "AWS_SECRET_ACCESS_KEY=s2"},
     .source = "environment",
     .keys = {"AKIA2", "s2", NULL}},
    {.what = "inputs beat the environment, token and all",
     .inputs = {"AKIA1", "s1"},
     .environ = {"AWS_ACCESS_KEY_ID=AKIA2", "AWS_SECRET_ACCESS_KEY=s2", "AWS_SESSION_TOKEN=t2"},
     .source = "static inputs",
     .keys = {"AKIA1", "s1", NULL}},
    {.what = "environment",
     .environ = {"AWS_ACCESS_KEY_ID=ASIA2", "AWS_SECRET_ACCESS_KEY=s2", "AWS_SESSION_TOKEN=t2"},
     .source = "environment",
     .keys = {"ASIA2", "s2", "t2"}},
    {.what = "half of the inputs",
     .inputs = {"AKIA1"},
     .kind = ERROR_INPUT,
     .message = "aws-access-key-id is given without aws-secret-access-key"},
    {.what = "the other half",
     .inputs = {NULL, "s1"},
     .kind = ERROR_INPUT,
     .message = "aws-secret-access-key is given without aws-access-key-id"},
    {.what = "half of the environment",
     .environ = {"AWS_ACCESS_KEY_ID=AKIA2"},
     .kind = ERROR_INPUT,
     .message = "AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY"},
    {.what = "the other half",
     .environ = {"AWS_SECRET_ACCESS_KEY=s2"},
     .kind = ERROR_INPUT,
     .message = "AWS_SECRET_ACCESS_KEY is set, but not AWS_ACCESS_KEY_ID"},
    {.what = "nothing",
     .environ = {"AWS_ACCESS_KEY_ID=", "AWS_EC2_METADATA_DISABLED=true"},
     .kind = ERROR_UNAUTHORIZED,
     .message = "no AWS credentials were found: give role-to-assume in a job with `permissions: "
                "id-token: write`, or aws-access-key-id and aws-secret-access-key"},
};

START_TEST(finds_keys)
{
    const struct credentials_context context = {.environ = cases[_i].environ,
                                                .region = "us-east-1",
                                                .access_key_id = cases[_i].inputs[0],
                                                .secret_access_key = cases[_i].inputs[1],
                                                .session_token = cases[_i].inputs[2]};
    CLEANUP(credentials_chain) struct credentials_chain chain;
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, NULL, 0);
    credentials_chain_init(&chain, &context);
    int result = credentials_chain_get(&chain, &keys, &err);
    ck_assert_msg(result == (cases[_i].source ? 0 : -1), "%s: %s", cases[_i].what, err.msg);
    if (result == 0) {
        ck_assert_str_eq(keys.source, cases[_i].source);
        ck_assert_str_eq(keys.access_key_id, cases[_i].keys[0]);
        ck_assert_str_eq(keys.secret_access_key, cases[_i].keys[1]);
        ck_assert_pstr_eq(keys.session_token, cases[_i].keys[2]);
        ck_assert_int_eq(keys.expires_at, 0);
    } else {
        ck_assert_int_eq(err.kind, cases[_i].kind);
        ck_assert_msg(strstr(err.msg, cases[_i].message) != NULL, "%s", err.msg);
        ck_assert_ptr_null(keys.access_key_id);
    }
    fake_stop(&fake);
}
END_TEST

/* ---- a role ---- */

START_TEST(assumes_the_role)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = ROLE_KEYS}};
    const struct credentials_context context = {.environ = nothing,
                                                .region = "eu-west-1",
                                                .role_to_assume = ROLE,
                                                .role_session_name = "run-7",
                                                .role_external_id = "x7",
                                                .role_duration_s = 1800,
                                                .access_key_id = "ASIA1",
                                                .secret_access_key = "s1",
                                                .session_token = "t1"};
    CLEANUP(credentials_chain) struct credentials_chain chain;
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    credentials_chain_init(&chain, &context);
    ck_assert_msg(credentials_chain_get(&chain, &keys, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(keys.access_key_id, "ASIAROLE");
    ck_assert_str_eq(keys.secret_access_key, "rolesecret");
    ck_assert_str_eq(keys.session_token, "roletoken");
    ck_assert_int_eq(keys.expires_at, FAKE_WALL + 3600);
    ck_assert_str_eq(keys.source, "static inputs, role " ROLE);
    ck_assert(keys.role_assumed);
    const struct fake_request *sent = &fake.requests[0];
    ck_assert_str_eq(sent->url, "https://sts.eu-west-1.amazonaws.com/");
    ck_assert_str_eq(fake_header(sent, "X-Amz-Security-Token"), "t1");
    ck_assert_ptr_nonnull(strstr(fake_header(sent, "Authorization"), "Credential=ASIA1/"));
    ck_assert_ptr_nonnull(
        strstr(sent->body, "RoleSessionName=run-7&DurationSeconds=1800&ExternalId=x7"));
    fake_stop(&fake);
}
END_TEST

START_TEST(a_role_is_never_left_out)
{
    static const struct fake_answer answers[] = {
        {.status = 403,
         .body =
             "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized "
             "to perform: sts:AssumeRole on resource: r</Message></Error></ErrorResponse>"}};
    struct credentials_context context = {.environ = nothing,
                                          .region = "us-east-1",
                                          .role_to_assume = ROLE,
                                          .access_key_id = "AKIA1",
                                          .secret_access_key = "s1"};
    CLEANUP(credentials_chain) struct credentials_chain chain;
    struct credentials_chain empty;
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    credentials_chain_init(&chain, &context);
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_DENIED);
    ck_assert_ptr_nonnull(strstr(err.msg, "assuming " ROLE " with the keys by static inputs: "));

    context.access_key_id = context.secret_access_key = NULL;
    credentials_chain_init(&empty, &context);
    ck_assert_int_eq(credentials_chain_get(&empty, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_UNAUTHORIZED);
    ck_assert_ptr_nonnull(strstr(err.msg, "nothing to assume " ROLE " with"));
    ck_assert_ptr_nonnull(strstr(err.msg, "id-token: write"));
    ck_assert_ptr_null(keys.access_key_id);
    credentials_chain_release(&empty);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_role_needs_a_region)
{
    const struct credentials_context context = {.environ = nothing,
                                                .role_to_assume = ROLE,
                                                .access_key_id = "AKIA1",
                                                .secret_access_key = "s1"};
    CLEANUP(credentials_chain) struct credentials_chain chain;
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, NULL, 0);
    credentials_chain_init(&chain, &context);
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    fake_stop(&fake);
}
END_TEST

/* ---- renewal ---- */

static int fetches;    /* how often the provider below was asked */
static int64_t life_s; /* of the keys that it gives; 0: for ever */
static bool fetch_fails;

static int fetch_numbered(const struct credentials_context *context,
                          struct credentials *ret_credentials, bool *ret_applies, struct error *err)
{
    (void)context;
    *ret_applies = true;
    fetches++;
    if (fetch_fails)
        return error_set(err, ERROR_NETWORK, "no answer");
    char id[16];
    snprintf(id, sizeof id, "KEY%d", fetches);
    *ret_credentials = (struct credentials){.access_key_id = memory_copy_string(id),
                                            .secret_access_key = memory_copy_string("secret"),
                                            .expires_at = life_s ? fake.wall_s + life_s : 0,
                                            .source = "a test"};
    return 0;
}

static int fetch_nothing(const struct credentials_context *context,
                         struct credentials *ret_credentials, bool *ret_applies, struct error *err)
{
    (void)context;
    (void)ret_credentials;
    (void)err;
    *ret_applies = false;
    return 0;
}

static const struct credentials_provider numbered = {.name = "numbers", .fetch = fetch_numbered};
static const struct credentials_provider shy = {.name = "shyness", .fetch = fetch_nothing};
static const struct credentials_provider *const providers[] = {&shy, &numbered, &shy, NULL};

static void chain_start(struct credentials_chain *chain, int64_t life)
{
    const struct credentials_context context = {.environ = nothing};
    fake_listen(&fake, NULL, 0);
    fetches = 0;
    fetch_fails = false;
    life_s = life;
    credentials_chain_init(chain, &context);
    chain->providers = providers;
}

static void expect_key(struct credentials_chain *chain, const char *id)
{
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    ck_assert_msg(credentials_chain_get(chain, &keys, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(keys.access_key_id, id);
    ck_assert_int_eq(err.kind, ERROR_NONE);
}

static const struct {
    int64_t life, after;
    const char *id;
} ages[] = {
    {0, 1000000, "KEY1"}, {3600, 0, "KEY1"}, {3600, 3299, "KEY1"}, {3600, 3300, "KEY2"},
    {3600, 3700, "KEY2"}, {20, 9, "KEY1"},   {20, 10, "KEY2"},     {600, 299, "KEY1"},
    {600, 300, "KEY2"},   {-60, 0, "KEY2"},
};

START_TEST(renews_in_time)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    chain_start(&chain, ages[_i].life);
    expect_key(&chain, "KEY1");
    fake.wall_s += ages[_i].after;
    expect_key(&chain, ages[_i].id);
    fake_stop(&fake);
}
END_TEST

START_TEST(uses_old_keys_while_they_are_good)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    chain_start(&chain, 3600);
    expect_key(&chain, "KEY1");
    fetch_fails = true;
    fake.wall_s += 3300;
    expect_key(&chain, "KEY1");
    expect_key(&chain, "KEY1");
    ck_assert_int_eq(fetches, 2); /* a failure may take its time: not before each call */
    fake.wall_s += 29;
    expect_key(&chain, "KEY1");
    ck_assert_int_eq(fetches, 2);
    fake.wall_s++;
    expect_key(&chain, "KEY1");
    ck_assert_int_eq(fetches, 3);
    fake.wall_s += 30;
    fetch_fails = false;
    expect_key(&chain, "KEY4");
    fetch_fails = true;
    fake.wall_s += 3590; /* ten seconds are left: no pause goes over the end */
    expect_key(&chain, "KEY4");
    fake.wall_s += 10;
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NETWORK);
    ck_assert_str_eq(err.msg, "credentials by numbers: no answer");
    ck_assert_ptr_null(keys.access_key_id);
    fake_stop(&fake);
}
END_TEST

START_TEST(forgets)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    chain_start(&chain, 0);
    expect_key(&chain, "KEY1");
    expect_key(&chain, "KEY1");
    credentials_chain_forget(&chain);
    expect_key(&chain, "KEY2");
    credentials_chain_forget(&chain);
    fetch_fails = true;
    ck_assert_int_eq(credentials_chain_get(&chain, &keys, &err), -1);
    fake_stop(&fake);
}
END_TEST

START_TEST(an_expired_token_is_answered_with_new_keys)
{
    static const struct fake_answer answers[] = {
        {.status = 403, .headers = {{"X-Amzn-ErrorType", "ExpiredTokenException"}}},
        {.status = 200, .body = "{}"}};
    CLEANUP(credentials_chain) struct credentials_chain chain;
    CLEANUP(aws) struct aws aws = {.region = ""};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    chain_start(&chain, 3600);
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(aws_init(&aws, NULL, &chain, nothing, "us-east-1", NULL), 0);
    ck_assert_int_eq(aws_call(&aws, &call, &answer, NULL), 0);
    ck_assert_ptr_nonnull(strstr(fake_header(&fake.requests[0], "Authorization"), "=KEY1/"));
    ck_assert_ptr_nonnull(strstr(fake_header(&fake.requests[1], "Authorization"), "=KEY2/"));
    fake_stop(&fake);
}
END_TEST

static void get_some(void *context)
{
    for (int i = 0; i < 200; i++) {
        CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
        ck_assert_int_eq(credentials_chain_get(context, &keys, NULL), 0);
        ck_assert_str_eq(keys.secret_access_key, "secret");
    }
}

START_TEST(serves_several_threads)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    chain_start(&chain, 3600);
    struct task tasks[] = {TASK(get_some, &chain), TASK(get_some, &chain), TASK(get_some, &chain),
                           TASK(get_some, &chain)};
    task_run_all(tasks, COUNT(tasks));
    ck_assert_int_eq(fetches, 1);
    fake_stop(&fake);
}
END_TEST

START_TEST(copies_and_releases)
{
    CLEANUP(credentials) struct credentials copy = CREDENTIALS_INIT;
    struct credentials from = {.access_key_id = memory_copy_string("a"),
                               .secret_access_key = memory_copy_string("b"),
                               .expires_at = 7,
                               .source = "here"};
    credentials_copy(&copy, &from);
    credentials_copy(&copy, &from);
    credentials_release(&from);
    credentials_release(&from);
    credentials_release(NULL);
    ck_assert_ptr_null(from.secret_access_key);
    ck_assert_str_eq(copy.access_key_id, "a");
    ck_assert_str_eq(copy.secret_access_key, "b");
    ck_assert_ptr_null(copy.session_token);
    ck_assert_int_eq(copy.expires_at, 7);
    ck_assert_str_eq(copy.source, "here");
}
END_TEST

Suite *credentials_suite(void)
{
    Suite *suite = suite_create("credentials");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, finds_keys, 0, COUNT(cases));
    tcase_add_test(tcase, assumes_the_role);
    tcase_add_test(tcase, a_role_is_never_left_out);
    tcase_add_test(tcase, a_role_needs_a_region);
    tcase_add_loop_test(tcase, renews_in_time, 0, COUNT(ages));
    tcase_add_test(tcase, uses_old_keys_while_they_are_good);
    tcase_add_test(tcase, forgets);
    tcase_add_test(tcase, an_expired_token_is_answered_with_new_keys);
    tcase_add_test(tcase, serves_several_threads);
    tcase_add_test(tcase, copies_and_releases);
    suite_add_tcase(suite, tcase);
    return suite;
}
