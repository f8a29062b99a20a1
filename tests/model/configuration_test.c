#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/configuration.h"
#include "model/support_inputs.h"

Suite *configuration_suite(void);

#define COUNT(table)  ((int)(sizeof(table) / sizeof *(table)))
#define FURTHER(text) "--function-configuration=" text

/* As Lambda answers for an image function that nobody has configured. */
static const char plain[] =
    "{\"FunctionName\":\"hello\",\"Description\":\"\",\"Timeout\":3,\"MemorySize\":128,"
    "\"Role\":\"arn:role\",\"RevisionId\":\"r1\",\"PackageType\":\"Image\","
    "\"Architectures\":[\"x86_64\"],\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\","
    "\"LastModified\":\"2026-11-23T00:00:00.000+0000\",\"CodeSha256\":\"aa\","
    "\"TracingConfig\":{\"Mode\":\"PassThrough\"},\"EphemeralStorage\":{\"Size\":512},"
    "\"SnapStart\":{\"ApplyOn\":\"None\",\"OptimizationStatus\":\"Off\"},"
    "\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/hello\"}}";

/* And for one that has everything, in the shapes that its answers have. */
static const char full[] =
    "{\"FunctionName\":\"hello\",\"Description\":\"Answers\",\"Timeout\":9,\"MemorySize\":256,"
    "\"Role\":\"arn:other\",\"RevisionId\":\"r2\",\"PackageType\":\"Image\","
    "\"Architectures\":[\"x86_64\"],\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\","
    "\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\",\"EMPTY\":\"\"}},"
    "\"TracingConfig\":{\"Mode\":\"Active\"},\"EphemeralStorage\":{\"Size\":1024},"
    "\"KMSKeyArn\":\"arn:key\",\"DeadLetterConfig\":{\"TargetArn\":\"arn:queue\"},"
    "\"FileSystemConfigs\":[{\"Arn\":\"arn:fs\",\"LocalMountPath\":\"/mnt/data\"}],"
    "\"ImageConfigResponse\":{\"ImageConfig\":{\"Command\":[\"serve\"],\"WorkingDirectory\":\"/"
    "\"}},"
    "\"Layers\":[{\"Arn\":\"arn:layer:1\",\"CodeSize\":1024}],"
    "\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-b\"],\"SecurityGroupIds\":[\"sg-1\"],"
    "\"VpcId\":\"vpc-1\",\"Ipv6AllowedForDualStack\":false},"
    "\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\",\"OptimizationStatus\":\"On\"},"
    "\"LoggingConfig\":{\"LogFormat\":\"JSON\",\"ApplicationLogLevel\":\"INFO\","
    "\"LogGroup\":\"/aws/lambda/hello\"}}";

static const char hidden[] =
    "{\"FunctionName\":\"hello\",\"Environment\":{\"Error\":{\"ErrorCode\":"
    "\"AccessDeniedException\",\"Message\":\"no key\"}}}";

static struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct error err = ERROR_INIT;
    ck_assert_msg(json_parse(text, strlen(text), &json, &err) == 0, "%s: %s", err.msg, text);
    return json;
}

static void assert_json(const struct json *json, const char *expected)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(json) struct json *wanted = expected ? parse(expected) : NULL;
    if (json)
        json_print(json, &text);
    ck_assert_msg(expected ? json_equal(json, wanted) : json == NULL, "is %s, not %s", text.buf,
                  expected ? expected : "nothing");
}

static const struct {
    const char *current;
    const char *arguments[4];
    const char *request, *restore; /* NULL: there is no difference */
    const char *differences;       /* joined by '|' */
} changes[] = {
    /* What is not named is not touched. */
    {plain, {NULL}, NULL, NULL, ""},
    {full, {NULL}, NULL, NULL, ""},
    {hidden, {NULL}, NULL, NULL, ""},
    {plain, {"--memory-size=128", "--timeout=3", "--ephemeral-storage=512"}, NULL, NULL, ""},
    {plain,
     {"--memory-size=256", "--timeout=9", "--description=Answers"},
     "{\"MemorySize\":256,\"Timeout\":9,\"Description\":\"Answers\"}",
     "{\"MemorySize\":128,\"Timeout\":3,\"Description\":\"\"}",
     "description: \"\" → \"Answers\"|memory-size: 128 → 256|timeout: 3 → 9"},
    {plain,
     {"--ephemeral-storage=1024"},
     "{\"EphemeralStorage\":{\"Size\":1024}}",
     "{\"EphemeralStorage\":{\"Size\":512}}",
     "ephemeral-storage: {\"Size\":512} → {\"Size\":1024}"},
    /* The environment: names only. */
    {full, {"--environment=KEEP=kept"}, NULL, NULL, ""},
    {full, {"--environment=EMPTY="}, NULL, NULL, ""},
    {full,
     {"--environment=PASSWORD=other\nNEW=1"},
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"other\",\"EMPTY\":\"\","
     "\"NEW\":\"1\"}}}",
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\",\"EMPTY\":\"\"}}"
     "}",
     "environment: ~ PASSWORD, + NEW"},
    {full,
     {"--environment=KEEP=kept", "--environment-mode=replace"},
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\"}}}",
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\",\"EMPTY\":\"\"}}"
     "}",
     "environment: - PASSWORD, - EMPTY"},
    {full,
     {FURTHER("{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\"}}}")},
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\"}}}",
     "{\"Environment\":{\"Variables\":{\"KEEP\":\"kept\",\"PASSWORD\":\"hunter22\",\"EMPTY\":\"\"}}"
     "}",
     "environment: - EMPTY"},
    {plain,
     {"--environment=NEW=a=b"},
     "{\"Environment\":{\"Variables\":{\"NEW\":\"a=b\"}}}",
     "{\"Environment\":{\"Variables\":{}}}",
     "environment: + NEW"},
    {hidden,
     {"--environment=NEW=1", "--environment-mode=replace"},
     "{\"Environment\":{\"Variables\":{\"NEW\":\"1\"}}}",
     "{}",
     "environment: + NEW"},
    /* Each row of the table: the same in the answer's shape, and a difference with its way back. */
    {full,
     {FURTHER("{\"VpcConfig\":{\"SubnetIds\":[\"subnet-b\",\"subnet-a\"]}}")},
     NULL,
     NULL,
     ""},
    {full,
     {FURTHER("{\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-b\"],\"SecurityGroupIds\":"
              "[\"sg-1\"],\"Ipv6AllowedForDualStack\":false}}")},
     NULL,
     NULL,
     ""},
    {full,
     {FURTHER("{\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-a\"]}}")},
     "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-a\"]}}",
     "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-b\"],\"SecurityGroupIds\":[\"sg-1\"],"
     "\"Ipv6AllowedForDualStack\":false}}",
     NULL},
    {full,
     {FURTHER("{\"VpcConfig\":{\"Ipv6AllowedForDualStack\":true}}")},
     "{\"VpcConfig\":{\"Ipv6AllowedForDualStack\":true}}",
     "{\"VpcConfig\":{\"SubnetIds\":[\"subnet-a\",\"subnet-b\"],\"SecurityGroupIds\":[\"sg-1\"],"
     "\"Ipv6AllowedForDualStack\":false}}",
     NULL},
    {plain,
     {FURTHER("{\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[]}}")},
     NULL,
     NULL,
     ""},
    {full,
     {FURTHER("{\"ImageConfig\":{\"Command\":[\"serve\"],\"EntryPoint\":[],\"WorkingDirectory\":"
              "\"/\"}}")},
     NULL,
     NULL,
     ""},
    {full,
     {FURTHER("{\"ImageConfig\":{\"Command\":[\"serve\"]}}")},
     "{\"ImageConfig\":{\"Command\":[\"serve\"]}}",
     "{\"ImageConfig\":{\"Command\":[\"serve\"],\"WorkingDirectory\":\"/\"}}",
     NULL},
    {plain, {FURTHER("{\"ImageConfig\":{}}")}, NULL, NULL, ""},
    {plain,
     {FURTHER("{\"ImageConfig\":{\"Command\":[\"serve\"]}}")},
     "{\"ImageConfig\":{\"Command\":[\"serve\"]}}",
     "{\"ImageConfig\":{}}",
     "ImageConfig: {} → {\"Command\":[\"serve\"]}"},
    {full, {FURTHER("{\"TracingConfig\":{\"Mode\":\"Active\"}}")}, NULL, NULL, ""},
    {hidden, {FURTHER("{\"TracingConfig\":{\"Mode\":\"PassThrough\"}}")}, NULL, NULL, ""},
    {plain,
     {FURTHER("{\"TracingConfig\":{\"Mode\":\"Active\"}}")},
     "{\"TracingConfig\":{\"Mode\":\"Active\"}}",
     "{\"TracingConfig\":{\"Mode\":\"PassThrough\"}}",
     NULL},
    {full, {FURTHER("{\"DeadLetterConfig\":{\"TargetArn\":\"arn:queue\"}}")}, NULL, NULL, ""},
    {plain, {FURTHER("{\"DeadLetterConfig\":{\"TargetArn\":\"\"}}")}, NULL, NULL, ""},
    {plain,
     {FURTHER("{\"DeadLetterConfig\":{\"TargetArn\":\"arn:queue\"}}")},
     "{\"DeadLetterConfig\":{\"TargetArn\":\"arn:queue\"}}",
     "{\"DeadLetterConfig\":{\"TargetArn\":\"\"}}",
     NULL},
    {full,
     {FURTHER("{\"FileSystemConfigs\":[{\"LocalMountPath\":\"/mnt/data\",\"Arn\":\"arn:fs\"}]}")},
     NULL,
     NULL,
     ""},
    {full,
     {FURTHER("{\"FileSystemConfigs\":[]}")},
     "{\"FileSystemConfigs\":[]}",
     "{\"FileSystemConfigs\":[{\"Arn\":\"arn:fs\",\"LocalMountPath\":\"/mnt/data\"}]}",
     NULL},
    {full, {FURTHER("{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}")}, NULL, NULL, ""},
    {plain,
     {FURTHER("{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}")},
     "{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}",
     "{\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/hello\"}}",
     NULL},
    /* Levels are INFO where nothing is said, and there are none in plain text. */
    {full, {FURTHER("{\"LoggingConfig\":{\"SystemLogLevel\":\"INFO\"}}")}, NULL, NULL, ""},
    {full,
     {FURTHER("{\"LoggingConfig\":{\"SystemLogLevel\":\"DEBUG\"}}")},
     "{\"LoggingConfig\":{\"SystemLogLevel\":\"DEBUG\"}}",
     "{\"LoggingConfig\":{\"LogFormat\":\"JSON\",\"ApplicationLogLevel\":\"INFO\",\"LogGroup\":"
     "\"/aws/lambda/hello\",\"SystemLogLevel\":\"INFO\"}}",
     NULL},
    /* A Lambda that does not show it yet: its documented default is the way back. */
    {hidden,
     {FURTHER("{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}")},
     "{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}",
     "{\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/aws/lambda/hello\"}}",
     NULL},
    {full, {FURTHER("{\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\"}}")}, NULL, NULL, ""},
    {full,
     {FURTHER("{\"SnapStart\":{\"ApplyOn\":\"None\"}}")},
     "{\"SnapStart\":{\"ApplyOn\":\"None\"}}",
     "{\"SnapStart\":{\"ApplyOn\":\"PublishedVersions\"}}",
     NULL},
    {full, {FURTHER("{\"KMSKeyArn\":\"arn:key\"}")}, NULL, NULL, ""},
    {plain, {FURTHER("{\"KMSKeyArn\":\"\"}")}, NULL, NULL, ""},
    {full,
     {FURTHER("{\"KMSKeyArn\":\"\"}")},
     "{\"KMSKeyArn\":\"\"}",
     "{\"KMSKeyArn\":\"arn:key\"}",
     "KMSKeyArn: \"arn:key\" → \"\""},
    {plain,
     {FURTHER("{\"Role\":\"arn:other\"}")},
     "{\"Role\":\"arn:other\"}",
     "{\"Role\":\"arn:role\"}",
     NULL},
    /* What the table does not know: Lambda may have learned it since. */
    {plain, {FURTHER("{\"NewThing\":1}")}, "{\"NewThing\":1}", "{}", "NewThing: nothing → 1"},
};

START_TEST(finds_what_differs)
{
    CLEANUP(inputs) struct inputs inputs = must_read(changes[_i].arguments);
    CLEANUP(json) struct json *current = parse(changes[_i].current);
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    ck_assert_msg(configuration_compare(&inputs, current, &change, &err) == 0, "%s", err.msg);
    assert_json(change.request, changes[_i].request);
    assert_json(change.restore, changes[_i].restore);
    for (size_t i = 0; i < change.differences.len; i++)
        strbuf_addf(&said, "%s%s", i > 0 ? "|" : "", change.differences.items[i]);
    if (changes[_i].differences)
        ck_assert_str_eq(said.buf, changes[_i].differences);
    ck_assert_ptr_null(strstr(said.buf, "hunter22"));
}
END_TEST

static const struct {
    const char *current;
    const char *arguments[4];
    const char *lost; /* NULL: all of it has a way back */
} ways_back[] = {
    {plain, {"--memory-size=256", "--environment=NEW=1"}, NULL},
    {hidden, {"--environment=NEW=1", "--environment-mode=replace"}, "Environment"},
    {hidden, {FURTHER("{\"LoggingConfig\":{\"LogFormat\":\"JSON\"}}")}, NULL},
    {plain, {FURTHER("{\"NewThing\":1}"), "--memory-size=256"}, "NewThing"},
};

START_TEST(knows_what_has_no_way_back)
{
    CLEANUP(inputs) struct inputs inputs = must_read(ways_back[_i].arguments);
    CLEANUP(json) struct json *current = parse(ways_back[_i].current);
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(configuration_compare(&inputs, current, &change, &err), 0);
    ck_assert_uint_eq(change.lost.len, ways_back[_i].lost ? 1 : 0);
    if (ways_back[_i].lost)
        ck_assert_str_eq(change.lost.items[0], ways_back[_i].lost);
}
END_TEST

/* A request that was done leaves nothing to be done, and its way back neither. */
START_TEST(knows_what_was_done)
{
    CLEANUP(inputs) struct inputs inputs = must_read(changes[_i].arguments);
    CLEANUP(json) struct json *current = parse(changes[_i].current);
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(configuration_compare(&inputs, current, &change, &err), 0);
    ck_assert(configuration_has(current, change.restore));
    ck_assert_int_eq(configuration_has(current, change.request), change.request == NULL);
}
END_TEST

static const struct {
    const char *current;
    const char *arguments[4];
    enum error_kind kind;
    const char *message;
} refused[] = {
    {hidden,
     {"--environment=NEW=1"},
     ERROR_REFUSED,
     "Lambda cannot show the function's environment (AccessDeniedException), so nothing can be "
     "merged into it; mend that, or give environment-mode: replace with all of it"},
};

START_TEST(refuses)
{
    CLEANUP(inputs) struct inputs inputs = must_read(refused[_i].arguments);
    CLEANUP(json) struct json *current = parse(refused[_i].current);
    struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(configuration_compare(&inputs, current, &change, &err), -1);
    ck_assert_int_eq(err.kind, refused[_i].kind);
    ck_assert_str_eq(err.msg, refused[_i].message);
    ck_assert_ptr_null(change.request);
}
END_TEST

static const struct {
    int there, given;
    bool fits;
} sizes[] = {{0, 4000, true}, {2000, 2076, true}, {2000, 2085, true}, {2000, 2086, false}};

/* "BIG" and "MORE" have 7 bytes, "=" none: 4096 in all. */
START_TEST(counts_the_environment)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf flag = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, "{\"Environment\":{\"Variables\":{\"BIG\":\"");
    for (int i = 0; i < sizes[_i].there + 4; i++)
        strbuf_addch(&text, 'x');
    strbuf_addstr(&text, "\"}}}");
    strbuf_addstr(&flag, "--environment=MORE=");
    for (int i = 0; i < sizes[_i].given; i++)
        strbuf_addch(&flag, 'y');
    CLEANUP(inputs) struct inputs inputs = INPUTS(flag.buf);
    CLEANUP(json) struct json *current = parse(text.buf);
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    struct error err = ERROR_INIT;
    int rc = configuration_compare(&inputs, current, &change, &err);
    ck_assert_int_eq(rc, sizes[_i].fits ? 0 : -1);
    if (!sizes[_i].fits) {
        ck_assert_int_eq(err.kind, ERROR_INPUT);
        ck_assert_str_eq(
            err.msg, "environment: names and values together have 4097 bytes; Lambda takes 4096");
    }
}
END_TEST

START_TEST(fills_in_a_request)
{
    CLEANUP(inputs)
    struct inputs inputs = INPUTS("--environment=A1=1", "--memory-size=256",
                                  FURTHER("{\"TracingConfig\":{\"Mode\":\"Active\"}}"));
    CLEANUP(json) struct json *request = parse("{\"MemorySize\":1024,\"Timeout\":30}");
    struct error err = ERROR_INIT;
    ck_assert_int_eq(configuration_put_wanted(&inputs, request, &err), 0);
    assert_json(request,
                "{\"MemorySize\":256,\"Timeout\":30,\"TracingConfig\":{\"Mode\":\"Active\"},"
                "\"Environment\":{\"Variables\":{\"A1\":\"1\"}}}");
}
END_TEST

static const struct {
    const char *member, *value; /* put into `full` */
    bool same;
} settings[] = {
    {"RevisionId", "\"r9\"", true},
    {"State", "\"Inactive\"", true},
    {"LastUpdateStatus", "\"InProgress\"", true},
    {"LastModified", "\"2027-01-01T00:00:00.000+0000\"", true},
    {"CodeSha256", "\"bb\"", true},
    {"SnapStart", "{\"ApplyOn\":\"PublishedVersions\",\"OptimizationStatus\":\"Off\"}", true},
    {"Description", "\"Other\"", false},
    {"Timeout", "10", false},
    {"MemorySize", "512", false},
    {"Role", "\"arn:third\"", false},
    {"Architectures", "[\"arm64\"]", false},
    {"PackageType", "\"Zip\"", false},
    {"Environment", "{\"Variables\":{\"KEEP\":\"kept\"}}", false},
    {"Environment", "{\"Error\":{\"ErrorCode\":\"x\"}}", false},
    {"EphemeralStorage", "{\"Size\":2048}", false},
    {"Layers", "[]", false},
    {"VpcConfig", "{}", false},
    {"ImageConfigResponse", "{}", false},
    {"TracingConfig", "{\"Mode\":\"PassThrough\"}", false},
    {"DeadLetterConfig", "{}", false},
    {"FileSystemConfigs", "[]", false},
    {"LoggingConfig", "{\"LogFormat\":\"Text\"}", false},
    {"SnapStart", "{\"ApplyOn\":\"None\"}", false},
    {"KMSKeyArn", "\"\"", false},
};

START_TEST(knows_whose_work_it_is)
{
    CLEANUP(json) struct json *before = parse(full);
    CLEANUP(json) struct json *after = parse(full);
    json_put(after, settings[_i].member, parse(settings[_i].value));
    ck_assert_int_eq(configuration_same_settings(before, after), settings[_i].same);
    ck_assert_int_eq(configuration_same_settings(after, before), settings[_i].same);
    ck_assert(configuration_same_settings(after, after));
}
END_TEST

static const struct {
    const char *state, *status;
    bool image_missing, waits;
} waiting[] = {
    {"Active", "Successful", false, false}, {"Inactive", "Successful", false, false},
    {"Active", "Failed", false, true},      {"Failed", "", false, true},
    {"Active", "Successful", true, true},   {"Active", "InProgress", false, false},
};

START_TEST(knows_when_code_goes_first)
{
    struct function_facts function = {.image_missing = waiting[_i].image_missing};
    snprintf(function.state, sizeof function.state, "%s", waiting[_i].state);
    snprintf(function.last_update_status, sizeof function.last_update_status, "%s",
             waiting[_i].status);
    ck_assert_int_eq(configuration_must_wait(&function), waiting[_i].waits);
}
END_TEST

Suite *configuration_suite(void)
{
    Suite *suite = suite_create("configuration");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, finds_what_differs, 0, COUNT(changes));
    tcase_add_loop_test(tcase, knows_what_was_done, 0, COUNT(changes));
    tcase_add_loop_test(tcase, knows_what_has_no_way_back, 0, COUNT(ways_back));
    tcase_add_loop_test(tcase, refuses, 0, COUNT(refused));
    tcase_add_loop_test(tcase, counts_the_environment, 0, COUNT(sizes));
    tcase_add_test(tcase, fills_in_a_request);
    tcase_add_loop_test(tcase, knows_whose_work_it_is, 0, COUNT(settings));
    tcase_add_loop_test(tcase, knows_when_code_goes_first, 0, COUNT(waiting));
    suite_add_tcase(suite, tcase);
    return suite;
}
