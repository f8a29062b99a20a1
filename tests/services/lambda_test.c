#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "services/lambda.h"
#include "services/lambda_parse.h"
#include "tests/services/support_aws.h"

Suite *lambda_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BASE         "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions"
#define TAGS         "https://lambda.us-east-1.amazonaws.com/2017-03-31/tags/"
#define ARN          "arn:aws:lambda:us-east-1:123456789012:function:hello"
#define ARN_ENCODED  "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello"
#define DIGEST       "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE        "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello"

#define CONFIGURATION                                                                              \
    "{\"FunctionName\":\"hello\",\"FunctionArn\":\"" ARN "\",\"Role\":\"arn:aws:iam::1:role/x\","  \
    "\"CodeSize\":0,\"Description\":\"\",\"Timeout\":30,\"MemorySize\":1024,\"LastModified\":"     \
    "\"2026-11-23T13:20:00.000+0000\",\"CodeSha256\":\"0123456789abcdef\",\"Version\":"            \
    "\"$LATEST\",\"Environment\":{\"Variables\":{\"A\":\"1\"}},\"TracingConfig\":{\"Mode\":"       \
    "\"PassThrough\"},\"RevisionId\":\"11111111-2222-3333-4444-555555555555\",\"State\":"          \
    "\"Active\",\"LastUpdateStatus\":\"InProgress\",\"LastUpdateStatusReason\":\"The function is " \
    "being created.\",\"LastUpdateStatusReasonCode\":\"Creating\",\"PackageType\":\"Image\","      \
    "\"Architectures\":[\"arm64\"],\"EphemeralStorage\":{\"Size\":512}}"

static struct fake fake;

static const struct fake_answer configuration[] = {{.status = 200, .body = CONFIGURATION}};

/* ---- parsing ---- */

START_TEST(parses_a_function)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"Configuration\":" CONFIGURATION ",\"Code\":{\"RepositoryType\":\"ECR\","
                 "\"ImageUri\":\"" IMAGE ":v1\",\"ResolvedImageUri\":\"" IMAGE "@" DIGEST
                 "\"},\"Tags\":{\"team\":\"x\"},\"Concurrency\":{}}"}};
    CLEANUP(lambda_function) struct lambda_function function = {.configuration = NULL};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(lambda_get_function(&fake.aws, "hello", NULL, &function, &err) == 0, "%s",
                  err.msg);
    ck_assert_str_eq(fake.requests[0].method, "GET");
    ck_assert_str_eq(fake.requests[0].url, BASE "/hello");
    ck_assert_ptr_null(fake.requests[0].body);
    ck_assert_str_eq(function.name, "hello");
    ck_assert_str_eq(function.arn, ARN);
    ck_assert_str_eq(function.version, "$LATEST");
    ck_assert_str_eq(function.revision_id, "11111111-2222-3333-4444-555555555555");
    ck_assert_str_eq(function.package_type, "Image");
    ck_assert_str_eq(function.architecture, "arm64");
    ck_assert_str_eq(function.image_uri, IMAGE ":v1");
    ck_assert_str_eq(function.resolved_image_uri, IMAGE "@" DIGEST);
    ck_assert_str_eq(function.digest, DIGEST);
    ck_assert_str_eq(function.code_sha256, "0123456789abcdef");
    ck_assert_str_eq(function.state, "Active");
    ck_assert_str_eq(function.state_reason, "");
    ck_assert_str_eq(function.state_reason_code, "");
    ck_assert_str_eq(function.last_update_status, "InProgress");
    ck_assert_str_eq(function.last_update_reason, "The function is being created.");
    ck_assert_str_eq(function.last_update_reason_code, "Creating");
    ck_assert_int_eq(json_get_int(function.configuration, "MemorySize", 0), 1024);
    ck_assert_str_eq(json_get_string(function.tags, "team"), "x");
    fake_stop(&fake);
}
END_TEST

START_TEST(asks_for_a_qualifier)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"Configuration\":" CONFIGURATION "}"}};
    CLEANUP(lambda_function) struct lambda_function function = {.configuration = NULL};
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(lambda_get_function(&fake.aws, ARN, "$LATEST", &function, NULL), 0);
    ck_assert_str_eq(fake.requests[0].url, BASE "/" ARN_ENCODED "?Qualifier=%24LATEST");
    ck_assert_str_eq(function.digest, "");
    ck_assert_str_eq(function.resolved_image_uri, "");
    ck_assert_ptr_null(function.tags);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *json, *complaint;
} nonsense[] = {
    {"{}", "FunctionName"},
    {"{\"Configuration\":null}", "FunctionName"},
    {"{\"Configuration\":{\"FunctionName\":7,\"FunctionArn\":\"a\"}}", "FunctionName"},
    {"{\"Configuration\":{\"FunctionName\":\"f\"}}", "FunctionArn"},
    {"{\"Configuration\":{\"FunctionName\":\"f\",\"FunctionArn\":\"a\",\"RevisionId\":"
     "\"0123456789012345678901234567890123456789012345678901234567890123456789\"}}",
     "RevisionId is longer than Lambda's limit"},
    {"{\"Configuration\":{\"FunctionName\":\"f\",\"FunctionArn\":\"a\",\"Architectures\":"
     "[\"a-very-long-architecture\"]}}",
     "Architectures is longer"},
    {"{\"Configuration\":{\"FunctionName\":\"f\",\"FunctionArn\":\"a\"},\"Code\":"
     "{\"ResolvedImageUri\":\"r@" DIGEST DIGEST "\"}}",
     "digest in ResolvedImageUri"},
};

START_TEST(refuses_nonsense)
{
    CLEANUP(json) struct json *json = NULL;
    struct lambda_function function = {.name = "as before", .configuration = NULL};
    struct error err = ERROR_INIT;
    ck_assert_int_eq(json_parse(nonsense[_i].json, strlen(nonsense[_i].json), &json, NULL), 0);
    ck_assert_int_eq(lambda_parse_function(json, &function, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_msg(strstr(err.msg, nonsense[_i].complaint) != NULL, "%s", err.msg);
    ck_assert_str_eq(function.name, "as before");
}
END_TEST

START_TEST(cuts_prose)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(10000);
    CLEANUP(json) struct json *json = NULL;
    CLEANUP(lambda_function) struct lambda_function function = {.configuration = NULL};
    strbuf_addf(&text, "{\"FunctionName\":\"f\",\"FunctionArn\":\"a\",\"StateReason\":\"%0900d\"}",
                0);
    ck_assert_int_eq(json_parse(text.buf, text.len, &json, NULL), 0);
    ck_assert_int_eq(lambda_parse_configuration(json, &function, NULL), 0);
    ck_assert_uint_eq(strlen(function.state_reason), sizeof function.state_reason - 1);
    ck_assert_str_eq(function.architecture, "");
}
END_TEST

/* ---- requests whose answer is a configuration ---- */

static int update_code(struct lambda_function *ret)
{
    const struct lambda_code code = {.image_uri = IMAGE "@" DIGEST, .architecture = "x86_64"};
    return lambda_update_code(&fake.aws, "hello", &code, ret, NULL);
}

static int update_code_carefully(struct lambda_function *ret)
{
    const struct lambda_code code = {.image_uri = IMAGE "@" DIGEST,
                                     .architecture = "arm64",
                                     .revision_id = "r1",
                                     .dry_run = true};
    return lambda_update_code(&fake.aws, ARN, &code, ret, NULL);
}

static int update_configuration(struct lambda_function *ret)
{
    CLEANUP(json) struct json *changes = json_new_object();
    json_put_int(changes, "Timeout", 30);
    int result = lambda_update_configuration(&fake.aws, "hello", changes, "r1", ret, NULL);
    ck_assert_uint_eq(json_length(changes), 1); /* the caller's own stays as it was */
    return result;
}

static int create_function(struct lambda_function *ret)
{
    CLEANUP(json) struct json *request = json_new_object();
    json_put_string(request, "FunctionName", "hello");
    return lambda_create_function(&fake.aws, request, ret, NULL);
}

static int publish(struct lambda_function *ret)
{
    return lambda_publish_version(&fake.aws, "hello", "abc", "r1", "of today", ret, NULL);
}

static int publish_anything(struct lambda_function *ret)
{
    return lambda_publish_version(&fake.aws, "hello", NULL, NULL, NULL, ret, NULL);
}

static const struct {
    int (*call)(struct lambda_function *ret);
    const char *method, *url, *body;
} changes[] = {
    {update_code, "PUT", BASE "/hello/code",
     "{\"ImageUri\":\"" IMAGE "@" DIGEST "\",\"Architectures\":[\"x86_64\"]}"},
    {update_code_carefully, "PUT", BASE "/" ARN_ENCODED "/code",
     "{\"ImageUri\":\"" IMAGE "@" DIGEST
     "\",\"Architectures\":[\"arm64\"],\"RevisionId\":\"r1\",\"DryRun\":true}"},
    {update_configuration, "PUT", BASE "/hello/configuration",
     "{\"Timeout\":30,\"RevisionId\":\"r1\"}"},
    {create_function, "POST", BASE, "{\"FunctionName\":\"hello\"}"},
    {publish, "POST", BASE "/hello/versions",
     "{\"CodeSha256\":\"abc\",\"RevisionId\":\"r1\",\"Description\":\"of today\"}"},
    {publish_anything, "POST", BASE "/hello/versions", "{}"},
};

START_TEST(changes_a_function)
{
    CLEANUP(lambda_function) struct lambda_function function = {.configuration = NULL};
    fake_start(&fake, configuration, 1, NULL);
    ck_assert_int_eq(changes[_i].call(&function), 0);
    ck_assert_str_eq(fake.requests[0].method, changes[_i].method);
    ck_assert_str_eq(fake.requests[0].url, changes[_i].url);
    fake_expect_json(&fake.requests[0], changes[_i].body);
    ck_assert_str_eq(function.name, "hello");
    fake_stop(&fake);
}
END_TEST

START_TEST(an_answer_that_is_no_configuration)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{\"x\":1}"}};
    struct lambda_function function;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, 1, NULL);
    const struct lambda_code code = {.image_uri = "i", .architecture = "x86_64"};
    ck_assert_int_eq(lambda_update_code(&fake.aws, "hello", &code, &function, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.msg, "lambda UpdateFunctionCode: reading the answer: "));
    fake_stop(&fake);
}
END_TEST

/* ---- aliases ---- */

#define ALIAS                                                                                      \
    "{\"AliasArn\":\"" ARN ":live\",\"Name\":\"live\",\"FunctionVersion\":\"7\","                  \
    "\"Description\":\"\",\"RevisionId\":\"r7\"}"
#define ROUTED                                                                                     \
    "{\"AliasArn\":\"" ARN ":live\",\"Name\":\"live\",\"FunctionVersion\":\"7\","                  \
    "\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"8\":0.1}},\"RevisionId\":\"r7\"}"
#define UNROUTED                                                                                   \
    "{\"AliasArn\":\"" ARN ":live\",\"Name\":\"live\",\"FunctionVersion\":\"7\","                  \
    "\"RoutingConfig\":{\"AdditionalVersionWeights\":{}}}"

static int get_alias(struct lambda_alias *ret)
{
    return lambda_get_alias(&fake.aws, "hello", "live", ret, NULL);
}

static int create_alias(struct lambda_alias *ret)
{
    return lambda_create_alias(&fake.aws, "hello", "live", "7", ret, NULL);
}

static int move_alias(struct lambda_alias *ret)
{
    return lambda_update_alias(&fake.aws, "hello", "live", "7", NULL, "r6", ret, NULL);
}

static int share_alias(struct lambda_alias *ret)
{
    CLEANUP(json) struct json *weights = json_new_object();
    json_put_number(weights, "8", 0.1);
    return lambda_update_alias(&fake.aws, "hello", "live", "7", weights, NULL, ret, NULL);
}

static const struct {
    int (*call)(struct lambda_alias *ret);
    const char *method, *url, *body;
    const char *answer;
    bool routed;
    const char *revision;
} aliases[] = {
    {get_alias, "GET", BASE "/hello/aliases/live", NULL, ALIAS, false, "r7"},
    {get_alias, "GET", BASE "/hello/aliases/live", NULL, ROUTED, true, "r7"},
    {get_alias, "GET", BASE "/hello/aliases/live", NULL, UNROUTED, false, ""},
    {create_alias, "POST", BASE "/hello/aliases", "{\"Name\":\"live\",\"FunctionVersion\":\"7\"}",
     ALIAS, false, "r7"},
    {move_alias, "PUT", BASE "/hello/aliases/live",
     "{\"FunctionVersion\":\"7\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{}},"
     "\"RevisionId\":\"r6\"}",
     ALIAS, false, "r7"},
    {share_alias, "PUT", BASE "/hello/aliases/live",
     "{\"FunctionVersion\":\"7\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"8\":0.1}}}",
     ROUTED, true, "r7"},
};

START_TEST(handles_aliases)
{
    const struct fake_answer answers[] = {{.status = 200, .body = aliases[_i].answer}};
    CLEANUP(lambda_alias) struct lambda_alias alias = {.routed = false};
    fake_start(&fake, answers, 1, NULL);
    ck_assert_int_eq(aliases[_i].call(&alias), 0);
    ck_assert_str_eq(fake.requests[0].method, aliases[_i].method);
    ck_assert_str_eq(fake.requests[0].url, aliases[_i].url);
    if (aliases[_i].body)
        fake_expect_json(&fake.requests[0], aliases[_i].body);
    else
        ck_assert_ptr_null(fake.requests[0].body);
    ck_assert_str_eq(alias.name, "live");
    ck_assert_str_eq(alias.arn, ARN ":live");
    ck_assert_str_eq(alias.version, "7");
    ck_assert_str_eq(alias.revision_id, aliases[_i].revision);
    ck_assert_int_eq(alias.routed, aliases[_i].routed);
    ck_assert_int_eq(alias.routing != NULL, aliases[_i].routed);
    if (alias.routed)
        ck_assert_double_eq(json_get_number(alias.routing, "8", 0), 0.1);
    fake_stop(&fake);
}
END_TEST

START_TEST(deletes_an_alias)
{
    static const struct fake_answer answers[] = {{.status = 204}};
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(lambda_delete_alias(&fake.aws, "hello", "live", NULL), 0);
    ck_assert_str_eq(fake.requests[0].method, "DELETE");
    ck_assert_str_eq(fake.requests[0].url, BASE "/hello/aliases/live");
    fake_stop(&fake);
}
END_TEST

/* ---- Invoke ---- */

START_TEST(invokes)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"statusCode\":200}",
         .headers = {{"X-Amz-Executed-Version", "7"}, {"X-Amz-Log-Result", "U1RBUlQKRU5ECg=="}}}};
    CLEANUP(lambda_invocation) struct lambda_invocation invocation = {.payload = NULL};
    fake_start(&fake, answers, 1, NULL);
    ck_assert_int_eq(
        lambda_invoke(&fake.aws, "hello", "7", "{\"a\":1}", 7, 45000, &invocation, NULL), 0);
    const struct fake_request *sent = &fake.requests[0];
    ck_assert_str_eq(sent->method, "POST");
    ck_assert_str_eq(sent->url, BASE "/hello/invocations?Qualifier=7");
    ck_assert_str_eq(sent->body, "{\"a\":1}");
    ck_assert_int_eq(sent->timeout_ms, 45000);
    ck_assert_int_eq(sent->idle_timeout_ms, 45000); /* not a byte comes while the function runs */
    ck_assert_str_eq(fake_header(sent, "X-Amz-Invocation-Type"), "RequestResponse");
    ck_assert_str_eq(fake_header(sent, "X-Amz-Log-Type"), "Tail");
    ck_assert_ptr_nonnull(strstr(fake_header(sent, "Authorization"),
                                 "x-amz-date;x-amz-invocation-type;x-amz-log-type,"));
    ck_assert_int_eq(invocation.status, 200);
    ck_assert_str_eq(invocation.payload, "{\"statusCode\":200}");
    ck_assert_uint_eq(invocation.payload_len, 18);
    ck_assert_str_eq(invocation.function_error, "");
    ck_assert_str_eq(invocation.version, "7");
    ck_assert_str_eq(invocation.log_tail, "START\nEND\n");
    fake_stop(&fake);
}
END_TEST

START_TEST(sees_a_function_error)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"errorMessage\":\"boom\"}",
         .headers = {{"X-Amz-Function-Error", "Unhandled"}, {"X-Amz-Log-Result", "not base64!"}}}};
    CLEANUP(lambda_invocation) struct lambda_invocation invocation = {.payload = NULL};
    fake_start(&fake, answers, 1, NULL);
    ck_assert_int_eq(lambda_invoke(&fake.aws, "hello", NULL, NULL, 0, 1000, &invocation, NULL), 0);
    ck_assert_str_eq(fake.requests[0].url, BASE "/hello/invocations");
    ck_assert_str_eq(invocation.function_error, "Unhandled");
    ck_assert_str_eq(invocation.payload, "{\"errorMessage\":\"boom\"}");
    ck_assert_str_eq(invocation.version, "");
    ck_assert_ptr_null(invocation.log_tail);
    fake_stop(&fake);
}
END_TEST

START_TEST(invokes_once_only)
{
    static const struct fake_answer answers[] = {{.error = ERROR_TIMEOUT}};
    struct lambda_invocation invocation = {.payload = NULL};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, 1, NULL);
    ck_assert_int_eq(lambda_invoke(&fake.aws, "hello", NULL, "{}", 2, 1000, &invocation, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
    fake_stop(&fake);
}
END_TEST

/* ---- tags ---- */

START_TEST(tags)
{
    static const struct fake_answer answers[] = {
        {.status = 204},
        {.status = 200, .body = "{\"Tags\":{\"a\":\"b\"}}"},
        {.status = 200, .body = "{}"}};
    CLEANUP(json) struct json *some = json_new_object();
    CLEANUP(json) struct json *found = NULL;
    CLEANUP(json) struct json *none = NULL;
    fake_start(&fake, answers, COUNT(answers), NULL);
    json_put_string(some, "lambda-fastdeploy:claim", "x");
    ck_assert_int_eq(lambda_tag(&fake.aws, ARN, some, NULL), 0);
    ck_assert_int_eq(lambda_list_tags(&fake.aws, ARN, &found, NULL), 0);
    ck_assert_int_eq(lambda_list_tags(&fake.aws, ARN, &none, NULL), 0);
    ck_assert_str_eq(fake.requests[0].method, "POST");
    ck_assert_str_eq(fake.requests[0].url, TAGS ARN_ENCODED);
    fake_expect_json(&fake.requests[0], "{\"Tags\":{\"lambda-fastdeploy:claim\":\"x\"}}");
    ck_assert_str_eq(fake.requests[1].method, "GET");
    ck_assert_str_eq(fake.requests[1].url, TAGS ARN_ENCODED);
    ck_assert_str_eq(json_get_string(found, "a"), "b");
    ck_assert_uint_eq(json_length(none), 0);
    ck_assert_int_eq(json_type(none), JSON_OBJECT);
    fake_stop(&fake);
}
END_TEST

START_TEST(releases_what_is_empty)
{
    struct lambda_function function = {.configuration = NULL};
    struct lambda_alias alias = {.routed = false};
    struct lambda_invocation invocation = {.payload = NULL};
    lambda_function_release(&function);
    lambda_function_release(NULL);
    lambda_alias_release(&alias);
    lambda_alias_release(NULL);
    lambda_invocation_release(&invocation);
    lambda_invocation_release(NULL);
}
END_TEST

Suite *lambda_suite(void)
{
    Suite *suite = suite_create("lambda");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, parses_a_function);
    tcase_add_test(tcase, asks_for_a_qualifier);
    tcase_add_loop_test(tcase, refuses_nonsense, 0, COUNT(nonsense));
    tcase_add_test(tcase, cuts_prose);
    tcase_add_loop_test(tcase, changes_a_function, 0, COUNT(changes));
    tcase_add_test(tcase, an_answer_that_is_no_configuration);
    tcase_add_loop_test(tcase, handles_aliases, 0, COUNT(aliases));
    tcase_add_test(tcase, deletes_an_alias);
    tcase_add_test(tcase, invokes);
    tcase_add_test(tcase, sees_a_function_error);
    tcase_add_test(tcase, invokes_once_only);
    tcase_add_test(tcase, tags);
    tcase_add_test(tcase, releases_what_is_empty);
    suite_add_tcase(suite, tcase);
    return suite;
}
