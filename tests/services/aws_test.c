#include <check.h>
#include <stdlib.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "services/aws_operations.h"
#include "tests/services/support_aws.h"

Suite *aws_suite(void);

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define DATE_LATER    "Mon, 23 Nov 2026 14:20:00 GMT" /* FAKE_WALL and an hour */
#define DATE_NOW      "Mon, 23 Nov 2026 13:20:03 GMT"
#define CONFLICT_BODY "{\"Type\":\"User\",\"message\":\"An update is in progress\"}"

static struct fake fake;

/* ---- what is sent ---- */

START_TEST(sends_rest_json)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{\"a\":1}"}};
    static const struct http_header headers[] = {{"X-Extra", "yes"}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    CLEANUP(json) struct json *body = json_new_object();
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    json_put_string(body, "ImageUri", "x@sha256:0");
    const struct aws_call call = {
        .operation = &lambda_op_update_alias,
        .path_args = {"arn:aws:lambda:us-east-1:123456789012:function:hello", "a/b c"},
        .query = "Qualifier=7",
        .body = body,
        .headers = headers,
        .header_count = 1,
        .timeout_ms = 1234};
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    ck_assert_int_eq(json_get_int(answer.json, "a", 0), 1);
    ck_assert_int_eq(answer.http.status, 200);
    const struct fake_request *sent = &fake.requests[0];
    ck_assert_str_eq(sent->method, "PUT");
    ck_assert_str_eq(sent->url,
                     "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/"
                     "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello/aliases/"
                     "a%2Fb%20c?Qualifier=7");
    fake_expect_json(sent, "{\"ImageUri\":\"x@sha256:0\"}");
    ck_assert_int_eq(sent->timeout_ms, 1234);
    ck_assert_str_eq(fake_header(sent, "Host"), "lambda.us-east-1.amazonaws.com");
    ck_assert_str_eq(fake_header(sent, "Content-Type"), "application/json");
    ck_assert_str_eq(fake_header(sent, "X-Extra"), "yes");
    ck_assert_str_eq(fake_header(sent, "X-Amz-Date"), "20261123T132000Z");
    ck_assert_ptr_null(fake_header(sent, "X-Amz-Security-Token"));
    /* made by botocore's signer from the same request */
    ck_assert_str_eq(
        fake_header(sent, "Authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/lambda/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-extra, "
        "Signature=54d710f5429f4992398d9b0f1cb9d58136686fc71f855bc4b13f888bcbfa9909");
    fake_stop(&fake);
}
END_TEST

START_TEST(sends_json_1_1)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{}"}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    const struct aws_call call = {.operation = &ecr_op_get_authorization_token};
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    const struct fake_request *sent = &fake.requests[0];
    ck_assert_str_eq(sent->method, "POST");
    ck_assert_str_eq(sent->url, "https://api.ecr.us-east-1.amazonaws.com/");
    ck_assert_str_eq(sent->body, "{}");
    ck_assert_str_eq(fake_header(sent, "X-Amz-Target"),
                     "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    ck_assert_str_eq(fake_header(sent, "Content-Type"), "application/x-amz-json-1.1");
    ck_assert_ptr_nonnull(strstr(fake_header(sent, "Authorization"),
                                 "/us-east-1/ecr/aws4_request, "
                                 "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "));
    fake_stop(&fake);
}
END_TEST

START_TEST(sends_a_form)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "<AssumeRoleResponse>x</AssumeRoleResponse>"}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    const struct aws_call call = {.operation = &sts_op_assume_role, .form = "RoleArn=a%3Ab"};
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    ck_assert_ptr_null(answer.json);
    const struct fake_request *sent = &fake.requests[0];
    ck_assert_str_eq(sent->method, "POST");
    ck_assert_str_eq(sent->url, "https://sts.us-east-1.amazonaws.com/");
    ck_assert_str_eq(sent->body, "Action=AssumeRole&Version=2011-06-15&RoleArn=a%3Ab");
    ck_assert_str_eq(fake_header(sent, "Content-Type"),
                     "application/x-www-form-urlencoded; charset=utf-8");
    fake_stop(&fake);
}
END_TEST

START_TEST(sends_unsigned)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "<x></AssumeRoleWithWebIdentityResponse>"}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.aws.credentials = NULL; /* never asked */
    const struct aws_call call = {.operation = &sts_op_assume_role_with_web_identity};
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    ck_assert_ptr_null(fake_header(&fake.requests[0], "Authorization"));
    ck_assert_ptr_null(fake_header(&fake.requests[0], "X-Amz-Date"));
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *endpoint, *host, *url;
} places[] = {
    {"https://host:443/base/", "host", "https://host:443/base/2015-03-31/functions/f"},
    {"http://127.0.0.1:80", "127.0.0.1", "http://127.0.0.1:80/2015-03-31/functions/f"},
    {"http://127.0.0.1:443", "127.0.0.1:443", "http://127.0.0.1:443/2015-03-31/functions/f"},
    {"https://[::1]:8443", "[::1]:8443", "https://[::1]:8443/2015-03-31/functions/f"},
};

START_TEST(names_the_host_as_the_wire_does)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{}"}};
    char variable[100];
    const char *const environment[] = {variable, NULL};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL=%s", places[_i].endpoint);
    fake_start(&fake, answers, COUNT(answers), environment);
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(fake_header(&fake.requests[0], "Host"), places[_i].host);
    ck_assert_str_eq(fake.requests[0].url, places[_i].url);
    ck_assert_ptr_null(fake_header(&fake.requests[0], "Content-Type"));
    ck_assert_ptr_null(fake.requests[0].body);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *environment[3];
    bool refused;
} fips[] = {
    {{"AWS_USE_FIPS_ENDPOINT=true"}, true},
    {{"AWS_USE_FIPS_ENDPOINT=True",
      "AWS_ENDPOINT_URL_STS=https://sts-fips.us-east-1.amazonaws.com"},
     true},
    {{"AWS_USE_FIPS_ENDPOINT=true",
      "AWS_ENDPOINT_URL_LAMBDA=https://lambda-fips.us-east-1.amazonaws.com"},
     false},
    {{"AWS_USE_FIPS_ENDPOINT=false"}, false},
};

START_TEST(asks_no_other_endpoint_than_a_fips_one_that_is_wanted)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "{}"}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, fips[_i].refused ? 0 : 1, fips[_i].environment);
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, &err), fips[_i].refused ? -1 : 0);
    if (fips[_i].refused) {
        ck_assert_int_eq(err.kind, ERROR_INPUT);
        ck_assert_ptr_nonnull(strstr(err.msg, "AWS_ENDPOINT_URL_LAMBDA"));
    }
    fake_stop(&fake);
}
END_TEST

/* ---- what comes of the answers ---- */

struct scenario {
    const char *what;
    struct fake_answer answers[9];
    const struct aws_operation *operation;
    bool single;
    enum error_kind kind; /* ERROR_NONE: it succeeds */
    int code;
    const char *name;
    const char *message;   /* a part of it */
    int64_t most_sleep[8]; /* upper bounds of the pauses; 0: no pause */
    int64_t least_sleep;   /* of the first */
};

#define OK                                                                                         \
    {                                                                                              \
        .status = 200, .body = "{}"                                                                \
    }
#define RESET                                                                                      \
    {                                                                                              \
        .error = ERROR_NETWORK, .error_name = "reset"                                              \
    }
#define NO_CONNECTION                                                                              \
    {                                                                                              \
        .error = ERROR_NETWORK, .error_name = "connect"                                            \
    }
#define STATUS(number)                                                                             \
    {                                                                                              \
        .status = (number), .body = ""                                                             \
    }
#define THROTTLED                                                                                  \
    {                                                                                              \
        .status = 429, .body = "{\"message\":\"Rate exceeded\"}", .headers = {                     \
            {"x-amzn-errortype", "TooManyRequestsException"}                                       \
        }                                                                                          \
    }

static const struct scenario scenarios[] = {
    {.what = "success at once", .answers = {OK}},
    {.what = "503, then success", .answers = {STATUS(503), OK}, .most_sleep = {50}},
    {.what = "500 twice, then success",
     .answers = {STATUS(500), STATUS(500), OK},
     .most_sleep = {50, 100}},
    {.what = "three attempts, not more",
     .answers = {STATUS(502), STATUS(504), STATUS(503)},
     .kind = ERROR_SERVER,
     .code = 503,
     .name = "",
     .message = "lambda GetFunction: after 3 attempts: no explanation was given (HTTP 503)",
     .most_sleep = {50, 100}},
    {.what = "throttling is waited for longer",
     .answers = {THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED, OK},
     .most_sleep = {1000, 2000, 4000, 8000, 16000, 20000, 20000}},
    {.what = "throttling for ever",
     .answers = {THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED, THROTTLED,
                 THROTTLED},
     .kind = ERROR_THROTTLED,
     .code = 429,
     .name = "TooManyRequestsException",
     .message = "after 8 attempts: TooManyRequestsException: Rate exceeded (HTTP 429)",
     .most_sleep = {1000, 2000, 4000, 8000, 16000, 20000, 20000}},
    {.what = "an invocation's throttling is the function's",
     .answers = {THROTTLED, THROTTLED, THROTTLED},
     .operation = &lambda_op_invoke,
     .kind = ERROR_THROTTLED,
     .code = 429,
     .most_sleep = {1000, 2000}},
    {.what = "what is transient counts by itself",
     .answers = {THROTTLED, THROTTLED, THROTTLED, STATUS(500), STATUS(500), OK},
     .most_sleep = {1000, 2000, 4000, 400, 800}},
    {.what = "the server says how long",
     .answers = {{.status = 503, .headers = {{"x-amz-retry-after", "1500"}}}, OK},
     .most_sleep = {1500},
     .least_sleep = 1500},
    {.what = "the server asks for too long",
     .answers = {{.status = 503, .headers = {{"x-amz-retry-after", "60000"}}}, OK},
     .most_sleep = {5050},
     .least_sleep = 5000},
    {.what = "Retry-After is not read",
     .answers = {{.status = 503, .headers = {{"Retry-After", "60"}}}, OK},
     .most_sleep = {50}},
    {.what = "a reset connection", .answers = {RESET, OK}, .most_sleep = {50}},
    {.what = "no connection", .answers = {NO_CONNECTION, OK}, .most_sleep = {50}},
    {.what = "a timeout", .answers = {{.error = ERROR_TIMEOUT}, OK}, .most_sleep = {50}},
    {.what = "too much is not asked for again",
     .answers = {{.error = ERROR_TOO_LARGE}},
     .kind = ERROR_TOO_LARGE,
     .message = "lambda GetFunction: GET api.example: it broke"},
    {.what = "a cancelled exchange",
     .answers = {{.error = ERROR_CANCELLED}},
     .kind = ERROR_CANCELLED},
    {.what = "a cut body",
     .answers = {{.status = 200, .body = "{\"Configuration\":{\"Func"}, OK},
     .most_sleep = {50}},
    {.what = "garbage three times",
     .answers = {{.status = 200, .body = "<html>"},
                 {.status = 200, .body = ""},
                 {.status = 200, .body = "[1]"}},
     .kind = ERROR_PROTOCOL,
     .code = 200,
     .message = "not an object",
     .most_sleep = {50, 100}},
    {.what = "no content is an answer too", .answers = {STATUS(204)}},
    {.what = "a nameless 404 is final, and proves nothing",
     .answers = {STATUS(404)},
     .kind = ERROR_REFUSED,
     .code = 404,
     .message = "lambda GetFunction: no explanation was given (HTTP 404)"},
    {.what = "409 is a decision",
     .answers = {{.status = 409,
                  .body = CONFLICT_BODY,
                  .headers = {{"X-Amzn-ErrorType", "ResourceConflictException"},
                              {"x-amzn-RequestId", "c0ffee"}}}},
     .operation = &lambda_op_update_function_code,
     .kind = ERROR_CONFLICT,
     .code = 409,
     .name = "ResourceConflictException",
     .message = "lambda UpdateFunctionCode: ResourceConflictException: An update is in progress "
                "(HTTP 409, request c0ffee)"},
    {.what = "412 is a decision",
     .answers = {STATUS(412)},
     .operation = &lambda_op_update_alias,
     .kind = ERROR_PRECONDITION,
     .code = 412},
    {.what = "a change whose answer was lost, and then a conflict: perhaps with ourselves",
     .answers = {RESET, {.status = 409, .body = CONFLICT_BODY}},
     .operation = &lambda_op_update_function_code,
     .kind = ERROR_NETWORK,
     .code = 409,
     .message = "after 2 attempts: an earlier attempt got no answer and may have taken effect",
     .most_sleep = {50}},
    {.what = "a change that got a 500, and then 412: perhaps our own",
     .answers = {STATUS(500), STATUS(412)},
     .operation = &lambda_op_update_alias,
     .kind = ERROR_NETWORK,
     .code = 412,
     .most_sleep = {50}},
    {.what = "a change whose answer was lost, and then throttling: it may have taken effect",
     .answers = {RESET, STATUS(429), STATUS(429), STATUS(409)},
     .operation = &lambda_op_update_function_code,
     .kind = ERROR_NETWORK,
     .code = 409,
     .most_sleep = {50, 2000, 4000}},
    {.what = "a change that never went out, and then a conflict: somebody else's",
     .answers = {NO_CONNECTION, STATUS(409)},
     .operation = &lambda_op_update_function_code,
     .kind = ERROR_CONFLICT,
     .code = 409,
     .most_sleep = {50}},
    {.what = "a throttled change, and then a conflict: somebody else's",
     .answers = {THROTTLED, STATUS(409)},
     .operation = &lambda_op_update_function_code,
     .kind = ERROR_CONFLICT,
     .code = 409,
     .most_sleep = {1000}},
    {.what = "a question whose answer was lost, and then a conflict",
     .answers = {RESET, STATUS(409)},
     .kind = ERROR_CONFLICT,
     .code = 409,
     .most_sleep = {50}},
    {.what = "single: a lost answer is not asked for again",
     .answers = {RESET},
     .single = true,
     .operation = &lambda_op_invoke,
     .kind = ERROR_NETWORK,
     .name = "reset"},
    {.what = "single: nor is it after a 500",
     .answers = {STATUS(500)},
     .single = true,
     .operation = &lambda_op_invoke,
     .kind = ERROR_SERVER,
     .code = 500},
    {.what = "single: it is where nothing was sent",
     .answers = {NO_CONNECTION, OK},
     .single = true,
     .operation = &lambda_op_invoke,
     .most_sleep = {50}},
    {.what = "single: and where the server was not believed",
     .answers = {{.error = ERROR_NETWORK, .error_name = "tls"}, OK},
     .single = true,
     .operation = &lambda_op_invoke,
     .most_sleep = {50}},
    {.what = "single: it is when it was throttled",
     .answers = {{.status = 502, .headers = {{"X-Amzn-ErrorType", "EC2ThrottledException"}}}, OK},
     .single = true,
     .operation = &lambda_op_invoke,
     .most_sleep = {1000}},
    {.what = "access denied in AWS's own words",
     .answers = {{.status = 403,
                  .body = "{\"Message\":\"User: u is not authorized to perform: lambda:GetFunction "
                          "on resource: r\"}",
                  .headers = {{"X-Amzn-ErrorType", "AccessDeniedException"}}}},
     .kind = ERROR_DENIED,
     .code = 403,
     .name = "AccessDeniedException",
     .message = "lambda GetFunction: AccessDeniedException: User: u is not authorized to perform: "
                "lambda:GetFunction on resource: r (HTTP 403)"},
    {.what = "access denied because of another action",
     .answers = {{.status = 403,
                  .body = "{\"Message\":\"User: u is not authorized to perform: iam:PassRole on "
                          "resource: r\"}"}},
     .operation = &lambda_op_create_function,
     .kind = ERROR_DENIED,
     .code = 403,
     .message = "lambda CreateFunction: User: u is not authorized to perform: iam:PassRole on "
                "resource: r (HTTP 403)"},
    {.what = "an image that Lambda may not pull",
     .answers = {{.status = 403,
                  .body = "{\"Message\":\"Lambda does not have permission to access the ECR image. "
                          "Check the ECR permissions.\"}"}},
     .operation = &lambda_op_create_function,
     .kind = ERROR_DENIED,
     .code = 403,
     .message = "lambda CreateFunction: Lambda does not have permission to access the ECR image. "
                "Check the ECR permissions.; the repository's policy must let "
                "lambda.amazonaws.com pull, or this needs ecr:GetRepositoryPolicy and "
                "ecr:SetRepositoryPolicy, so that Lambda can put it there (HTTP 403)"},
    {.what = "access denied without a word",
     .answers = {{.status = 403, .body = "{\"message\":\"Forbidden\"}"}},
     .operation = &lambda_op_invoke,
     .kind = ERROR_DENIED,
     .code = 403,
     .message = "lambda Invoke: Forbidden; this needs the IAM permission lambda:InvokeFunction "
                "(HTTP 403)"},
    {.what = "the clock is off: signed again at once",
     .answers = {{.status = 403,
                  .headers = {{"X-Amzn-ErrorType", "RequestTimeTooSkewed"}, {"Date", DATE_LATER}}},
                 OK}},
    {.what = "the clock is off, twice",
     .answers = {{.status = 400,
                  .headers = {{"X-Amzn-ErrorType", "RequestExpired"}, {"Date", DATE_LATER}}},
                 {.status = 400,
                  .headers = {{"X-Amzn-ErrorType", "RequestExpired"}, {"Date", DATE_LATER}}}},
     .kind = ERROR_UNAUTHORIZED,
     .code = 400,
     .name = "RequestExpired"},
    {.what = "the clock is off, but the server does not say by how much",
     .answers = {{.status = 400, .headers = {{"X-Amzn-ErrorType", "RequestInTheFuture"}}}},
     .kind = ERROR_UNAUTHORIZED,
     .code = 400},
    {.what = "a signature that expired: the clock",
     .answers = {{.status = 403,
                  .headers = {{"X-Amzn-ErrorType", "InvalidSignatureException"},
                              {"Date", DATE_LATER}}},
                 OK}},
    {.what = "a signature that is wrong: no clock helps",
     .answers = {{.status = 403,
                  .headers = {{"X-Amzn-ErrorType", "SignatureDoesNotMatch"}, {"Date", DATE_NOW}}}},
     .kind = ERROR_UNAUTHORIZED,
     .code = 403,
     .name = "SignatureDoesNotMatch"},
    {.what = "expired keys: others, once",
     .answers = {{.status = 403, .headers = {{"X-Amzn-ErrorType", "ExpiredTokenException"}}}, OK}},
    {.what = "expired keys, twice",
     .answers = {{.status = 403, .headers = {{"X-Amzn-ErrorType", "ExpiredTokenException"}}},
                 {.status = 403, .headers = {{"X-Amzn-ErrorType", "ExpiredTokenException"}}}},
     .kind = ERROR_UNAUTHORIZED,
     .code = 403,
     .name = "ExpiredTokenException"},
    {.what = "expired keys, a clock that is off, a 503, and then success",
     .answers = {{.status = 403, .headers = {{"X-Amzn-ErrorType", "ExpiredTokenException"}}},
                 {.status = 403,
                  .headers = {{"X-Amzn-ErrorType", "RequestTimeTooSkewed"}, {"Date", DATE_LATER}}},
                 STATUS(503),
                 OK},
     .most_sleep = {50}},
};

static size_t count_answers(const struct scenario *scenario)
{
    size_t count = 0;
    while (count < COUNT(scenario->answers) &&
           (scenario->answers[count].status || scenario->answers[count].error))
        count++;
    return count;
}

START_TEST(settles)
{
    const struct scenario *now = &scenarios[_i];
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, now->answers, count_answers(now), NULL);
    const struct aws_call call = {.operation =
                                      now->operation ? now->operation : &lambda_op_get_function,
                                  .path_args = {"f", "a"},
                                  .single = now->single};
    int result = aws_call(&fake.aws, &call, &answer, &err);
    ck_assert_msg(result == (now->kind == ERROR_NONE ? 0 : -1), "%s: %s", now->what, err.msg);
    ck_assert_msg(err.kind == now->kind, "%s: %s", now->what, err.msg);
    ck_assert_msg(err.code == now->code, "%s: %d", now->what, err.code);
    if (now->name)
        ck_assert_str_eq(err.name, now->name);
    if (now->message)
        ck_assert_msg(strstr(err.msg, now->message) != NULL, "%s: %s", now->what, err.msg);
    size_t pauses = 0;
    for (; pauses < COUNT(now->most_sleep) && now->most_sleep[pauses] > 0; pauses++) {
        ck_assert_msg(pauses < fake.slept, "%s: no pause", now->what);
        ck_assert_msg(fake.sleeps[pauses] <= now->most_sleep[pauses], "%s: %lld ms", now->what,
                      (long long)fake.sleeps[pauses]);
    }
    ck_assert_uint_eq(fake.slept, pauses);
    if (pauses > 0)
        ck_assert_int_ge(fake.sleeps[0], now->least_sleep);
    fake_stop(&fake);
}
END_TEST

START_TEST(pauses_are_spread)
{
    static const struct fake_answer answers[] = {THROTTLED, OK};
    int64_t most = 0;
    int64_t least = 1000;
    for (int i = 0; i < 60; i++) {
        CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
        const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
        fake_start(&fake, answers, COUNT(answers), NULL);
        ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, NULL), 0);
        most = fake.sleeps[0] > most ? fake.sleeps[0] : most;
        least = fake.sleeps[0] < least ? fake.sleeps[0] : least;
        fake_stop(&fake);
    }
    /* 60 numbers in [0, 1000): each bound fails once in 10^7 runs or rarer */
    ck_assert_int_gt(most, 750);
    ck_assert_int_lt(least, 250);
}
END_TEST

START_TEST(keeps_the_corrected_clock)
{
    static const struct fake_answer answers[] = {
        {.status = 403,
         .headers = {{"X-Amzn-ErrorType", "RequestTimeTooSkewed"}, {"Date", DATE_LATER}}},
        OK,
        OK};
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    fake_start(&fake, answers, COUNT(answers), NULL);
    for (int i = 0; i < 2; i++) {
        CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
        ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, NULL), 0);
    }
    ck_assert_str_eq(fake_header(&fake.requests[0], "X-Amz-Date"), "20261123T132000Z");
    ck_assert_str_eq(fake_header(&fake.requests[1], "X-Amz-Date"), "20261123T142000Z");
    ck_assert_str_eq(fake_header(&fake.requests[2], "X-Amz-Date"), "20261123T142000Z");
    ck_assert_int_eq(fake.aws.skew_s, 3600);
    fake_stop(&fake);
}
END_TEST

START_TEST(empties_the_bucket)
{
    /* 500 tokens are 35 transient retries of 14; then a failure is final at once */
    struct fake_answer answers[] = {STATUS(503)};
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.aws.bucket.tokens = 13;
    ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_SERVER);
    ck_assert_uint_eq(fake.slept, 0);
    fake_stop(&fake);
}
END_TEST

START_TEST(gives_tokens_back)
{
    static const struct fake_answer answers[] = {STATUS(503), OK};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.aws.bucket.tokens = 100;
    ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, NULL), 0);
    ck_assert_int_eq(fake.aws.bucket.tokens, 100);
    fake_stop(&fake);
}
END_TEST

START_TEST(never_sleeps_through_a_cancel)
{
    static const struct fake_answer answers[] = {STATUS(503)};
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.cancel_at_sleep = 1;
    ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    ck_assert_ptr_nonnull(strstr(err.msg, "HTTP 503"));
    fake_stop(&fake);
}
END_TEST

START_TEST(sends_nothing_after_a_cancel)
{
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    struct error err = ERROR_INIT;
    fake_start(&fake, NULL, 0, NULL);
    cancel_pretend(2);
    ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    fake_stop(&fake);
}
END_TEST

START_TEST(has_room_for_headers)
{
    static const struct http_header headers[13] = {{"a", "b"}};
    const struct aws_call call = {.operation = &lambda_op_get_function,
                                  .path_args = {"f"},
                                  .headers = headers,
                                  .header_count = 13};
    struct error err = ERROR_INIT;
    fake_start(&fake, NULL, 0, NULL);
    ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    fake_stop(&fake);
}
END_TEST

START_TEST(needs_something_to_speak_of)
{
    static const char *const names[] = {NULL, "", " "};
    fake_start(&fake, NULL, 0, NULL);
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct aws_call call = {.operation = &lambda_op_get_alias,
                                      .path_args = {"hello", names[i]}};
        struct error err = ERROR_INIT;
        ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
    }
    fake_stop(&fake);
}
END_TEST

START_TEST(checks_xml_answers)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "<GetCallerIdentityResponse><Arn>x</Arn>"},
        {.status = 200, .body = "<html>sign in</html>"},
        {.status = 200, .body = ""}};
    const struct aws_call call = {.operation = &sts_op_get_caller_identity};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(aws_call(&fake.aws, &call, NULL, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    fake_stop(&fake);
}
END_TEST

START_TEST(keeps_a_raw_answer)
{
    static const struct fake_answer answers[] = {{.status = 200, .body = "a\0b", .body_len = 3}};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {
        .operation = &lambda_op_invoke, .path_args = {"f"}, .raw_body = "x\0y", .raw_body_len = 3};
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, NULL), 0);
    ck_assert_ptr_null(answer.json);
    ck_assert_uint_eq(answer.http.body.len, 3);
    ck_assert_int_eq(memcmp(answer.http.body.buf, "a\0b", 3), 0);
    ck_assert_uint_eq(fake.requests[0].body_len, 3);
    ck_assert_int_eq(memcmp(fake.requests[0].body, "x\0y", 3), 0);
    fake_stop(&fake);
}
END_TEST

/* ---- who watches ---- */

static char seen[500];

static void watch(void *context, const struct aws_operation *operation, int attempt, int status,
                  int64_t elapsed_ms, const char *error_name)
{
    ck_assert_ptr_eq(context, seen);
    ck_assert_int_eq(elapsed_ms, 0);
    size_t len = strlen(seen);
    snprintf(seen + len, sizeof seen - len, "%s %d %d %s;", operation->name, attempt, status,
             error_name);
}

START_TEST(tells_the_observer)
{
    static const struct fake_answer answers[] = {RESET, THROTTLED, OK};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = &lambda_op_get_function, .path_args = {"f"}};
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.aws.observe = watch;
    fake.aws.context = seen;
    ck_assert_int_eq(aws_call(&fake.aws, &call, &answer, NULL), 0);
    ck_assert_str_eq(seen, "GetFunction 1 0 reset;GetFunction 2 429 TooManyRequestsException;"
                           "GetFunction 3 200 ;");
    fake_stop(&fake);
}
END_TEST

/* As a call beside this one would: its own refusal came first. */
static void set_clock_meanwhile(void *context, const struct aws_operation *operation, int attempt,
                                int status, int64_t elapsed_ms, const char *error_name)
{
    (void)operation, (void)attempt, (void)status, (void)elapsed_ms, (void)error_name;
    ((struct aws *)context)->skew_s = 3600;
}

START_TEST(signs_again_when_another_call_has_set_the_clock)
{
    static const struct fake_answer answers[] = {
        {.status = 403,
         .headers = {{"X-Amzn-ErrorType", "InvalidSignatureException"}, {"Date", DATE_LATER}}},
        {.status = 200, .body = "{}"}};
    const struct aws_call call = {.operation = &ecr_op_get_authorization_token};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    fake.aws.observe = set_clock_meanwhile;
    fake.aws.context = &fake.aws;
    ck_assert_msg(aws_call(&fake.aws, &call, &answer, &err) == 0, "%s", err.msg);
    ck_assert_int_eq(fake.aws.skew_s, 3600);
    fake_stop(&fake);
}
END_TEST

Suite *aws_suite(void)
{
    Suite *suite = suite_create("aws");
    TCase *sending = tcase_create("sending");
    tcase_add_test(sending, sends_rest_json);
    tcase_add_test(sending, sends_json_1_1);
    tcase_add_test(sending, sends_a_form);
    tcase_add_test(sending, sends_unsigned);
    tcase_add_test(sending, has_room_for_headers);
    tcase_add_test(sending, needs_something_to_speak_of);
    tcase_add_loop_test(sending, names_the_host_as_the_wire_does, 0, COUNT(places));
    tcase_add_loop_test(sending, asks_no_other_endpoint_than_a_fips_one_that_is_wanted, 0,
                        COUNT(fips));
    suite_add_tcase(suite, sending);
    TCase *settling = tcase_create("settling");
    tcase_add_loop_test(settling, settles, 0, COUNT(scenarios));
    tcase_add_test(settling, pauses_are_spread);
    tcase_add_test(settling, keeps_the_corrected_clock);
    tcase_add_test(settling, empties_the_bucket);
    tcase_add_test(settling, gives_tokens_back);
    tcase_add_test(settling, never_sleeps_through_a_cancel);
    tcase_add_test(settling, sends_nothing_after_a_cancel);
    tcase_add_test(settling, checks_xml_answers);
    tcase_add_test(settling, keeps_a_raw_answer);
    tcase_add_test(settling, tells_the_observer);
    tcase_add_test(settling, signs_again_when_another_call_has_set_the_clock);
    suite_add_tcase(suite, settling);
    return suite;
}
