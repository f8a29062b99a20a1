/* The providers that ask somebody: GitHub's OIDC, a token in a file, a container's endpoint. */
#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "services/credentials.h"
#include "tests/services/support_aws.h"

Suite *credentials_providers_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROLE         "arn:aws:iam::123456789012:role/deploy"
#define OTHER_ROLE   "arn:aws:iam::123456789012:role/other"
#define TOKEN_OF(sub_base64)                                                                       \
    {                                                                                              \
        .status = 200, .body = "{\"value\":\"e30." sub_base64 ".c2ln\"}"                           \
    }
#define TOKEN TOKEN_OF("eyJzdWIiOiJyZXBvOm8vciJ9") /* {"sub":"repo:o/r"} */
#define KEYS(operation, id)                                                                        \
    {                                                                                              \
        .status = 200,                                                                             \
        .body = "<" operation "Response><AccessKeyId>" id                                          \
                "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>" \
                "<Expiration>2026-11-23T14:20:00Z</Expiration></" operation "Response>"            \
    }
#define WEB_KEYS KEYS("AssumeRoleWithWebIdentity", "ASIAWEB")
#define STS_ERROR(number, code, message)                                                           \
    {                                                                                              \
        .status = (number), .body = "<ErrorResponse><Error><Code>" code "</Code><Message>" message \
                                    "</Message></Error></ErrorResponse>"                           \
    }
#define NO_ISSUER                                                                                  \
    STS_ERROR(400, "InvalidIdentityToken",                                                         \
              "Couldn't retrieve verification key from your identity provider")
#define NO_ISSUER_3 NO_ISSUER, NO_ISSUER, NO_ISSUER

static struct fake fake;
static const char *const nothing[] = {"AWS_EC2_METADATA_DISABLED=true", NULL};

/* Fetch once by the whole table of providers. */
static int fetch(const struct credentials_context *context, struct credentials *ret_keys,
                 struct error *err)
{
    CLEANUP(credentials_chain) struct credentials_chain chain;
    credentials_chain_init(&chain, context);
    return credentials_chain_get(&chain, ret_keys, err);
}

/* ---- GitHub OIDC ---- */

static struct credentials_context on_github(void)
{
    return (struct credentials_context){.environ = nothing,
                                        .region = "us-east-1",
                                        .role_to_assume = ROLE,
                                        .role_session_name = "run-7",
                                        .role_duration_s = 900,
                                        .audience = "aud",
                                        .oidc_request_url = "https://token.example/?v=2",
                                        .oidc_request_token = "job-secret"};
}

START_TEST(assumes_a_role_by_oidc)
{
    static const struct fake_answer answers[] = {TOKEN, WEB_KEYS};
    static const char *const environment[] = {"AWS_ACCESS_KEY_ID=AKIA2", "AWS_SECRET_ACCESS_KEY=s2",
                                              NULL};
    struct credentials_context context = on_github();
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    context.environ = environment; /* OIDC comes before it */
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_msg(fetch(&context, &keys, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(keys.access_key_id, "ASIAWEB");
    ck_assert_str_eq(keys.source, "GitHub OIDC, role " ROLE);
    ck_assert_int_eq(keys.expires_at, FAKE_WALL + 3600);
    ck_assert_str_eq(fake.requests[0].url, "https://token.example/?v=2&audience=aud");
    ck_assert_str_eq(fake.requests[1].url, "https://sts.us-east-1.amazonaws.com/");
    ck_assert_ptr_null(fake_header(&fake.requests[1], "Authorization"));
    ck_assert_str_eq(
        fake.requests[1].body,
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
        "123456789012%3Arole%2Fdeploy&RoleSessionName=run-7&DurationSeconds=900&WebIdentityToken="
        "e30.eyJzdWIiOiJyZXBvOm8vciJ9.c2ln");
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *role, *url, *token; /* one is missing */
} absent[] = {
    {NULL, "https://token.example/", "t"},
    {ROLE, NULL, "t"},
    {ROLE, "", "t"},
    {ROLE, "https://token.example/", NULL},
    {ROLE, "https://token.example/", ""},
};

START_TEST(needs_a_role_and_a_job_with_a_token)
{
    const struct credentials_context context = {.environ = nothing,
                                                .region = "us-east-1",
                                                .role_to_assume = absent[_i].role,
                                                .oidc_request_url = absent[_i].url,
                                                .oidc_request_token = absent[_i].token};
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, NULL, 0);
    ck_assert_int_eq(fetch(&context, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_UNAUTHORIZED);
    ck_assert_ptr_nonnull(strstr(err.msg, "`permissions: id-token: write`"));
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *what;
    struct fake_answer answers[17];
    size_t count;
    enum error_kind kind;
    const char *message;
} refusals[] = {
    {"a trust policy that does not match",
     {TOKEN,
      STS_ERROR(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")},
     2,
     ERROR_DENIED,
     "credentials by GitHub OIDC: assuming " ROLE
     ": the role's trust policy does not accept a token "
     "with sub \"repo:o/r\": sts AssumeRoleWithWebIdentity: AccessDenied: Not authorized to "
     "perform "
     "sts:AssumeRoleWithWebIdentity (HTTP 403)"},
    {"a wrong audience",
     {TOKEN, STS_ERROR(400, "InvalidIdentityToken", "Incorrect token audience")},
     2,
     ERROR_UNAUTHORIZED,
     "a token with sub \"repo:o/r\" was refused: sts AssumeRoleWithWebIdentity: "
     "InvalidIdentityToken: Incorrect token audience"},
    {"an expired token",
     {TOKEN, STS_ERROR(400, "ExpiredTokenException", "Token expired")},
     2,
     ERROR_UNAUTHORIZED,
     "Token expired"},
    {"no token",
     {{.status = 403}},
     1,
     ERROR_UNAUTHORIZED,
     "assuming " ROLE ": asking GitHub for the job's OIDC token: the answer was HTTP 403"},
    {"GitHub that is down for a moment",
     {{.status = 503}, {.status = 503}, {.status = 503}, {.error = ERROR_NETWORK}, TOKEN, WEB_KEYS},
     6,
     ERROR_NONE,
     NULL},
    {"GitHub that is down",
     {{.status = 503},
      {.status = 503},
      {.status = 503},
      {.status = 429},
      {.status = 429},
      {.status = 429},
      {.status = 503},
      {.status = 503},
      {.status = 503},
      {.status = 502},
      {.status = 502},
      {.status = 502}},
     12,
     ERROR_SERVER,
     "asking GitHub for the job's OIDC token: the answer was HTTP 502"},
    {"an issuer that AWS reaches at last, with a new token",
     {TOKEN, NO_ISSUER_3, TOKEN, NO_ISSUER, WEB_KEYS},
     7,
     ERROR_NONE,
     NULL},
    {"an issuer that AWS cannot reach",
     {TOKEN, NO_ISSUER_3, TOKEN, NO_ISSUER_3, TOKEN, NO_ISSUER_3, TOKEN, NO_ISSUER_3},
     16,
     ERROR_SERVER,
     "Couldn't retrieve verification key"},
    {"an STS that is down is not asked for so long",
     {TOKEN, {.status = 503}, {.status = 503}, {.status = 503}},
     4,
     ERROR_SERVER,
     "HTTP 503"},
};

START_TEST(settles_with_the_issuer)
{
    const struct credentials_context context = on_github();
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, refusals[_i].answers, refusals[_i].count);
    int result = fetch(&context, &keys, &err);
    ck_assert_msg(result == (refusals[_i].kind ? -1 : 0), "%s: %s", refusals[_i].what, err.msg);
    ck_assert_msg(err.kind == refusals[_i].kind, "%s: %s", refusals[_i].what, err.msg);
    if (refusals[_i].message)
        ck_assert_msg(strstr(err.msg, refusals[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(strstr(err.msg, "c2ln"));
    ck_assert_ptr_null(strstr(err.msg, "job-secret"));
    fake_stop(&fake);
}
END_TEST

START_TEST(a_cancel_ends_the_wait_for_the_issuer)
{
    static const struct fake_answer answers[] = {TOKEN, NO_ISSUER_3};
    const struct credentials_context context = on_github();
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    fake.cancel_at_sleep = 3; /* the first two are those of one call to STS */
    ck_assert_int_eq(fetch(&context, &keys, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    fake_stop(&fake);
}
END_TEST

/* ---- a token in a file ---- */

static char *folder;
static char path_variable[300], path[200];

static void make_folder(void)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(file_make_temp_folder(NULL, &folder, &err) == 0, "%s", err.msg);
    snprintf(path, sizeof path, "%s/token", folder);
}

static void remove_folder(void)
{
    file_remove_tree(folder, NULL);
    free(folder);
}

static void write_token(const char *text)
{
    ck_assert_int_eq(file_write(path, text, strlen(text), 0600, NULL), 0);
    snprintf(path_variable, sizeof path_variable, "AWS_WEB_IDENTITY_TOKEN_FILE=%s", path);
}

static const struct {
    const char *what;
    const char *environment[3]; /* besides the file */
    const char *role;           /* role-to-assume */
    struct fake_answer answers[2];
    size_t count;
    const char *id, *source, *body_part;
} files[] = {
    {"its own role",
     {"AWS_ROLE_ARN=" ROLE, "AWS_ROLE_SESSION_NAME=pod"},
     NULL,
     {WEB_KEYS},
     1,
     "ASIAWEB",
     "web identity token file, role " ROLE,
     "&RoleSessionName=pod&WebIdentityToken=e30.e30.c2ln"},
    {"the role that was asked for",
     {NULL},
     ROLE,
     {WEB_KEYS},
     1,
     "ASIAWEB",
     "web identity token file, role " ROLE,
     "&RoleSessionName=run-7&DurationSeconds=900&WebIdentityToken=e30.e30.c2ln"},
    {"both, and the same",
     {"AWS_ROLE_ARN=" ROLE},
     ROLE,
     {WEB_KEYS},
     1,
     "ASIAWEB",
     "web identity token file, role " ROLE,
     "&DurationSeconds=900&"},
    {"its own role, and from there the one that was asked for",
     {"AWS_ROLE_ARN=" OTHER_ROLE},
     ROLE,
     {WEB_KEYS, KEYS("AssumeRole", "ASIAROLE")},
     2,
     "ASIAROLE",
     "web identity token file, role " OTHER_ROLE ", role arn:aws:iam::",
     "role%2Fother&RoleSessionName=run-7&WebIdentityToken="},
    {"keys in the environment come first",
     {"AWS_ACCESS_KEY_ID=AKIA2", "AWS_SECRET_ACCESS_KEY=s2"},
     NULL,
     {{.status = 0}},
     0,
     "AKIA2",
     "environment",
     NULL},
};

START_TEST(uses_a_token_file)
{
    const char *const environment[] = {path_variable, files[_i].environment[0],
                                       files[_i].environment[0] ? files[_i].environment[1] : NULL,
                                       NULL};
    const struct credentials_context context = {.environ = environment,
                                                .region = "us-east-1",
                                                .role_to_assume = files[_i].role,
                                                .role_session_name = "run-7",
                                                .role_duration_s = 900};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    write_token("  e30.e30.c2ln\n");
    fake_listen(&fake, files[_i].answers, files[_i].count);
    ck_assert_msg(fetch(&context, &keys, &err) == 0, "%s: %s", files[_i].what, err.msg);
    ck_assert_str_eq(keys.access_key_id, files[_i].id);
    ck_assert_msg(strncmp(keys.source, files[_i].source, strlen(files[_i].source)) == 0, "%s",
                  keys.source);
    if (files[_i].body_part)
        ck_assert_msg(strstr(fake.requests[0].body, files[_i].body_part) != NULL, "%s",
                      fake.requests[0].body);
    fake_stop(&fake);
}
END_TEST

START_TEST(reads_the_token_anew)
{
    static const struct fake_answer answers[] = {WEB_KEYS, WEB_KEYS};
    const char *const environment[] = {path_variable, "AWS_ROLE_ARN=" ROLE, NULL};
    const struct credentials_context context = {.environ = environment, .region = "us-east-1"};
    fake_listen(&fake, answers, COUNT(answers));
    CLEANUP(credentials_chain) struct credentials_chain chain;
    credentials_chain_init(&chain, &context);
    for (int i = 0; i < 2; i++) {
        CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
        write_token(i == 0 ? "first" : "second");
        ck_assert_int_eq(credentials_chain_get(&chain, &keys, NULL), 0);
        credentials_chain_forget(&chain);
    }
    ck_assert_ptr_nonnull(strstr(fake.requests[0].body, "WebIdentityToken=first"));
    ck_assert_ptr_nonnull(strstr(fake.requests[1].body, "WebIdentityToken=second"));
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *content; /* NULL: no file */
    const char *role;
    enum error_kind kind;
    const char *message;
} bad_files[] = {
    {"t", NULL, ERROR_INPUT,
     "AWS_WEB_IDENTITY_TOKEN_FILE is set, but neither AWS_ROLE_ARN nor role-to-assume"},
    {" \n", ROLE, ERROR_UNAUTHORIZED, "is empty"},
    {NULL, ROLE, ERROR_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE: "},
};

START_TEST(complains_of_a_token_file)
{
    const char *const environment[] = {path_variable, NULL};
    const struct credentials_context context = {
        .environ = environment, .region = "us-east-1", .role_to_assume = bad_files[_i].role};
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    write_token(bad_files[_i].content ? bad_files[_i].content : "");
    if (!bad_files[_i].content)
        remove(path);
    fake_listen(&fake, NULL, 0);
    ck_assert_int_eq(fetch(&context, &keys, &err), -1);
    ck_assert_msg(err.kind == bad_files[_i].kind, "%s", err.msg);
    ck_assert_msg(strstr(err.msg, bad_files[_i].message) != NULL, "%s", err.msg);
    fake_stop(&fake);
}
END_TEST

/* ---- a container's endpoint ---- */

#define CONTAINER_KEYS                                                                             \
    {                                                                                              \
        .status = 200, .body = "{\"RoleArn\":\"r\",\"AccessKeyId\":\"ASIACON\","                   \
                               "\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":"         \
                               "\"2026-11-23T14:20:00Z\"}"                                         \
    }

static const struct {
    const char *environment[3];
    const char *url, *authorization;
    bool plain;
} containers[] = {
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x?y=1"},
     "http://169.254.170.2/v2/x?y=1",
     NULL,
     true},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/r", "AWS_CONTAINER_CREDENTIALS_FULL_URI=https://f/"},
     "http://169.254.170.2/r",
     NULL,
     true},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN=abc"},
     "http://169.254.170.23/v1/credentials",
     "abc",
     true},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[fd00:ec2::23]:80/v1"},
     "http://[fd00:ec2::23]:80/v1",
     NULL,
     true},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2"},
     "http://169.254.170.2",
     NULL,
     true},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=https://creds.example/x"},
     "https://creds.example/x",
     NULL,
     false},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:99/x"},
     "http://127.0.0.1:99/x",
     NULL,
     false}, /* http_send lets loopback pass */
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://evil.example/x"},
     "http://evil.example/x",
     NULL,
     false}, /* and refuses this */
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2.evil.example/"},
     "http://169.254.170.2.evil.example/",
     NULL,
     false},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23@evil.example/"},
     "http://169.254.170.23@evil.example/",
     NULL,
     false},
    {{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.2:80@evil.example/"},
     "http://169.254.170.2:80@evil.example/",
     NULL,
     false},
};

START_TEST(asks_the_container)
{
    static const struct fake_answer answers[] = {CONTAINER_KEYS};
    const struct credentials_context context = {.environ = containers[_i].environment};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_msg(fetch(&context, &keys, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(keys.access_key_id, "ASIACON");
    ck_assert_str_eq(keys.session_token, "t");
    ck_assert_int_eq(keys.expires_at, FAKE_WALL + 3600);
    ck_assert_str_eq(keys.source, "container");
    ck_assert_str_eq(fake.requests[0].url, containers[_i].url);
    ck_assert_pstr_eq(fake_header(&fake.requests[0], "Authorization"),
                      containers[_i].authorization);
    ck_assert_int_eq(fake.requests[0].allow_plain_http, containers[_i].plain);
    ck_assert_int_eq(fake.requests[0].timeout_ms, 2000);
    fake_stop(&fake);
}
END_TEST

START_TEST(a_token_file_beats_the_token)
{
    static const struct fake_answer answers[] = {CONTAINER_KEYS};
    char variable[300];
    const char *const environment[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/",
                                       "AWS_CONTAINER_AUTHORIZATION_TOKEN=abc", variable, NULL};
    const struct credentials_context context = {.environ = environment};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    write_token("from-file\n");
    snprintf(variable, sizeof variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", path);
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(fetch(&context, &keys, NULL), 0);
    ck_assert_str_eq(fake_header(&fake.requests[0], "Authorization"), "from-file");
    fake_stop(&fake);
}
END_TEST

START_TEST(chains_from_a_container)
{
    static const struct fake_answer answers[] = {CONTAINER_KEYS, KEYS("AssumeRole", "ASIAROLE")};
    static const char *const environment[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/r", NULL};
    const struct credentials_context context = {
        .environ = environment, .region = "us-east-1", .role_to_assume = ROLE};
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    fake_listen(&fake, answers, COUNT(answers));
    ck_assert_int_eq(fetch(&context, &keys, NULL), 0);
    ck_assert_str_eq(keys.access_key_id, "ASIAROLE");
    ck_assert_str_eq(keys.source, "container, role " ROLE);
    ck_assert_ptr_nonnull(strstr(fake_header(&fake.requests[1], "Authorization"), "=ASIACON/"));
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *environment[3];
    struct fake_answer answers[3];
    size_t count;
    enum error_kind kind;
    const char *message;
} bad_containers[] = {
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=@evil.example/"},
     {{.status = 0}},
     0,
     ERROR_INPUT,
     "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash"},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/", "AWS_CONTAINER_AUTHORIZATION_TOKEN=a\r\nX: y"},
     {{.status = 0}},
     0,
     ERROR_INPUT,
     "AWS_CONTAINER_AUTHORIZATION_TOKEN: the token has a line break in it"},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/no/such"},
     {{.status = 0}},
     0,
     ERROR_NOT_FOUND,
     "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/"},
     {{.status = 404}},
     1,
     ERROR_UNAUTHORIZED,
     "credentials by container: asking the container's credentials endpoint: the answer was HTTP "
     "404"},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/"},
     {{.status = 500}, {.status = 500}, {.status = 500}},
     3,
     ERROR_SERVER,
     "HTTP 500"},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/"},
     {{.status = 200, .body = "{\"AccessKeyId\":\"a\"}"}},
     1,
     ERROR_PROTOCOL,
     "SecretAccessKey"},
    {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/"},
     {{.status = 200,
       .body = "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"x\"}"}},
     1,
     ERROR_PROTOCOL,
     "Expiration is not a time"},
};

START_TEST(complains_of_a_container)
{
    const struct credentials_context context = {.environ = bad_containers[_i].environment};
    struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    fake_listen(&fake, bad_containers[_i].answers, bad_containers[_i].count);
    ck_assert_int_eq(fetch(&context, &keys, &err), -1);
    ck_assert_msg(err.kind == bad_containers[_i].kind, "%s", err.msg);
    ck_assert_msg(strstr(err.msg, bad_containers[_i].message) != NULL, "%s", err.msg);
    fake_stop(&fake);
}
END_TEST

Suite *credentials_providers_suite(void)
{
    Suite *suite = suite_create("credentials_providers");
    TCase *oidc = tcase_create("oidc");
    tcase_add_test(oidc, assumes_a_role_by_oidc);
    tcase_add_loop_test(oidc, needs_a_role_and_a_job_with_a_token, 0, COUNT(absent));
    tcase_add_loop_test(oidc, settles_with_the_issuer, 0, COUNT(refusals));
    tcase_add_test(oidc, a_cancel_ends_the_wait_for_the_issuer);
    suite_add_tcase(suite, oidc);
    TCase *file = tcase_create("file");
    tcase_add_checked_fixture(file, make_folder, remove_folder);
    tcase_add_loop_test(file, uses_a_token_file, 0, COUNT(files));
    tcase_add_test(file, reads_the_token_anew);
    tcase_add_loop_test(file, complains_of_a_token_file, 0, COUNT(bad_files));
    tcase_add_test(file, a_token_file_beats_the_token);
    suite_add_tcase(suite, file);
    TCase *container = tcase_create("container");
    tcase_add_loop_test(container, asks_the_container, 0, COUNT(containers));
    tcase_add_test(container, chains_from_a_container);
    tcase_add_loop_test(container, complains_of_a_container, 0, COUNT(bad_containers));
    suite_add_tcase(suite, container);
    return suite;
}
