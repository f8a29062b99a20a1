/* What several inputs must agree on. */
#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "model/support_inputs.h"

Suite *inputs_together_suite(void);

#define COUNT(table)  ((int)(sizeof(table) / sizeof *(table)))
#define ARN           "arn:aws:lambda:us-east-1:123456789012:function:"
#define CONFIGURATION "--function-configuration="
#define X64           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const taken[][5] = {
    {"--function-name=" ARN "hello", "--aws-region=us-east-1"},
    {"--function-name=" ARN "hello", "--allowed-account-ids=210987654321,123456789012"},
    {"--function-name=" ARN "Hello", "--repository=hello"},
    {"--function-name=Hello", "--repository=hello"},
    {"base", "--function-name=hello"},
    {"--aws-access-key-id=AKID", "--aws-secret-access-key=x"},
    {"--aws-access-key-id=AKID", "--aws-secret-access-key=x", "--aws-session-token=y"},
    {"--image-tag=3.12"},
    {"--image-tag=3.13", "--base-repository=hello"},
    {"--compression=zstd", "--compression-level=22"},
    {"--environment-mode=replace", "--environment=AB=1"},
    {"--health-url=https://x", "--checks=GET / -> 200", "--storage-checks=GET / -> 200"},
    {"--health-url=https://x", "--health-expect=ok"},
    {"--health-payload={}", "--health-expect=ok"},
    {CONFIGURATION "{}"},
    {CONFIGURATION "{\"TracingConfig\":{\"Mode\":\"Active\"},\"Role\":\"arn\",\"NewThing\":1}"},
    {CONFIGURATION "{\"MemorySize\":128,\"Timeout\":900,\"EphemeralStorage\":{\"Size\":512}}"},
    {CONFIGURATION "{\"Environment\":{\"Variables\":{\"AB\":\"1\"}}}"},
    {CONFIGURATION "{\"Description\":\"x\"}", "--memory-size=256"},
};

START_TEST(agree)
{
    CLEANUP(inputs) struct inputs inputs = must_read(taken[_i]);
    ck_assert_ptr_nonnull(inputs.function_name);
}
END_TEST

static const struct {
    const char *arguments[5];
    const char *message;
} refused[] = {
    {{"--function-name=" ARN "hello", "--aws-region=eu-west-1"},
     "aws-region: eu-west-1, but function-name is an ARN of us-east-1"},
    {{"--function-name=" ARN "hello", "--allowed-account-ids=210987654321"},
     "function-name: its account 123456789012 is not one of allowed-account-ids"},
    {{"--function-name=Hello"},
     "repository: not given, and the function's name Hello is no ECR repository's name"},
    {{"--function-name=" ARN "hello__x"},
     "repository: not given, and the function's name hello__x"},
    {{"--function-name=x"}, "repository: not given, and the function's name x is no"},
    {{"--aws-access-key-id=AKID"}, "aws-secret-access-key: not given, but the other half"},
    {{"--aws-secret-access-key=x"}, "aws-access-key-id: not given, but the other half"},
    {{"--aws-session-token=x"}, "aws-session-token: given without aws-access-key-id"},
    {{"--image-tag=3.12", "--base-repository=hello"},
     "image-tag: the same as base-tag in the same repository"},
    {{"--compression-level=10"}, "compression-level: 10 is for zstd; gzip takes 0 to 9"},
    {{"--compression=gzip", "--compression-level=10"}, "compression-level: 10 is for zstd"},
    {{"--environment-mode=replace"}, "environment-mode: replace, but environment is not given"},
    {{"--checks=GET / -> 200"}, "checks: given without health-url"},
    {{"--storage-checks=GET / -> 200"}, "storage-checks: given without health-url"},
    {{"--health-expect=ok"}, "health-expect: given, but neither health-url nor health-payload"},
    {{CONFIGURATION "[]"}, "function-configuration: the value is not a JSON object; give one such"},
    {{CONFIGURATION "\"x\""}, "function-configuration: the value is not a JSON object"},
    {{CONFIGURATION "null"}, "function-configuration: the value is not a JSON object"},
    {{CONFIGURATION "{"}, "function-configuration: the value is not JSON"},
    {{CONFIGURATION "{\"Role\":1,\"Role\":2}"}, "function-configuration: the value is not JSON"},
    {{CONFIGURATION "{\"FunctionName\":\"x\"}"},
     "function-configuration: 'FunctionName' is the input function-name's; leave it out"},
    {{CONFIGURATION "{\"RevisionId\":\"x\"}"},
     "function-configuration: 'RevisionId' is set by the"},
    {{CONFIGURATION "{\"ImageUri\":\"x\"}"}, "function-configuration: 'ImageUri' belongs to the"},
    {{CONFIGURATION "{\"Publish\":true}"}, "function-configuration: 'Publish' belongs to the code"},
    {{CONFIGURATION "{\"Handler\":\"x\"}"}, "function-configuration: 'Handler' is for functions"},
    {{CONFIGURATION "{\"Layers\":[]}"}, "function-configuration: 'Layers' is for functions that"},
    {{CONFIGURATION "{\"Tags\":{}}"}, "function-configuration: 'Tags' is not a part of"},
    {{CONFIGURATION "{\"memorySize\":128}"},
     "function-configuration: 'memorySize' is written MemorySize"},
    {{CONFIGURATION "{\"TimeOut\":3}"}, "function-configuration: 'TimeOut' is written Timeout"},
    {{CONFIGURATION "{\"MemorySize\":127}"},
     "function-configuration: MemorySize is not a whole number from 128 to 10240"},
    {{CONFIGURATION "{\"MemorySize\":\"128\"}"}, "function-configuration: MemorySize is not a"},
    {{CONFIGURATION "{\"Timeout\":900.5}"}, "function-configuration: Timeout is not a whole"},
    {{CONFIGURATION "{\"Timeout\":901}"}, "function-configuration: Timeout is not a whole"},
    {{CONFIGURATION "{\"EphemeralStorage\":{\"Size\":1}}"},
     "function-configuration: EphemeralStorage.Size is not a whole number from 512"},
    {{CONFIGURATION "{\"EphemeralStorage\":512}"}, "function-configuration: EphemeralStorage.Size"},
    {{CONFIGURATION "{\"MemorySize\":256}", "--memory-size=256"},
     "function-configuration: 'MemorySize' says what the input memory-size says; give only one"},
    {{CONFIGURATION "{\"Timeout\":3}", "--timeout=3"}, "function-configuration: 'Timeout' says"},
    {{CONFIGURATION "{\"Description\":\"\"}", "--description=x"},
     "function-configuration: 'Description' says"},
    {{CONFIGURATION "{\"EphemeralStorage\":{\"Size\":512}}", "--ephemeral-storage=512"},
     "function-configuration: 'EphemeralStorage' says"},
    {{CONFIGURATION "{\"Environment\":{\"Variables\":{}}}", "--environment=AB=1"},
     "function-configuration: 'Environment' says what the input environment says"},
    {{CONFIGURATION "{\"Description\":\"" X64 X64 X64 X64 "x\"}"},
     "function-configuration: Description: the value has 257 characters; Lambda takes 256"},
    {{CONFIGURATION "{\"Environment\":{\"AB\":\"1\"}}"},
     "function-configuration: Environment is not {\"Variables\""},
    {{CONFIGURATION "{\"Environment\":{\"Variables\":{\"AB\":1}}}"},
     "function-configuration: a value of Environment.Variables is not a string"},
    {{CONFIGURATION "{\"Environment\":{\"Variables\":{\"A\":\"1\"}}}"},
     "function-configuration: Environment.Variables: the key is no variable's name"},
    {{CONFIGURATION "{\"Environment\":{\"Variables\":{\"AWS_REGION\":\"1\"}}}"},
     "function-configuration: Environment.Variables: AWS_REGION is reserved"},
};

START_TEST(disagree)
{
    must_refuse(refused[_i].arguments, refused[_i].message);
}
END_TEST

/* {"KEY":"VALUE"} with a value of `length` bytes, every other one a quote where `quoted`. */
static int read_variables(const char *head, size_t length, bool quoted, const char *tail)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, head);
    for (size_t i = 0; i < length; i++)
        strbuf_addch(&text, quoted && i % 2 == 1 ? '"' : 'x');
    strbuf_addstr(&text, tail);
    const char *const arguments[] = {text.buf, NULL};
    struct inputs inputs;
    int rc = read_arguments(arguments, &inputs, NULL);
    if (rc == 0)
        inputs_release(&inputs);
    return rc;
}

/* As JSON: {"KEY":"…"} is 10 bytes more than the value, a quote in it two bytes. */
START_TEST(environment_is_measured_as_lambda_does)
{
    ck_assert_int_eq(read_variables("--environment=KEY=", 4096 - 10, false, ""), 0);
    ck_assert_int_eq(read_variables("--environment=KEY=", 4096 - 9, false, ""), -1);
    ck_assert_int_eq(read_variables("--environment=KEY=", 2724, true, ""), 0); /* 1362 quotes */
    ck_assert_int_eq(read_variables("--environment=KEY=", 2726, true, ""), -1);
    ck_assert_int_eq(read_variables("--environment=AB=1\nKEY=", 4096 - 10 - 9, false, ""), 0);
    ck_assert_int_eq(read_variables("--environment=AB=1\nKEY=", 4096 - 9 - 9, false, ""), -1);
    const char *head = CONFIGURATION "{\"Environment\":{\"Variables\":{\"KEY\":\"";
    ck_assert_int_eq(read_variables(head, 4096 - 10, false, "\"}}}"), 0);
    ck_assert_int_eq(read_variables(head, 4096 - 9, false, "\"}}}"), -1);
}
END_TEST

Suite *inputs_together_suite(void)
{
    Suite *suite = suite_create("inputs_together");
    TCase *tcase = tcase_create("inputs_together");
    tcase_add_loop_test(tcase, agree, 0, COUNT(taken));
    tcase_add_loop_test(tcase, disagree, 0, COUNT(refused));
    tcase_add_test(tcase, environment_is_measured_as_lambda_does);
    suite_add_tcase(suite, tcase);
    return suite;
}
