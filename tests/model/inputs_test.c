/* How inputs are found: flags, environment, defaults, commands, the table itself, --help. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/support_inputs.h"

Suite *inputs_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define ARGV(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        "lambda-fastdeploy", __VA_ARGS__, NULL                                                     \
    }
#define LEN(...) ((int)(sizeof((const char *const[]){"", __VA_ARGS__}) / sizeof(char *)))
#define ENV(...)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        "AWS_REGION=eu-west-1", __VA_ARGS__, NULL                                                  \
    }
#define LIST(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const char *const bare[] = {"lambda-fastdeploy", NULL};

static struct inputs read_env(const char *const *env)
{
    struct inputs inputs;
    enum inputs_ask ask;
    struct error err = ERROR_INIT;
    ck_assert_msg(inputs_read(1, bare, env, &inputs, &ask, &err) == 0, "%s", err.msg);
    ck_assert_int_eq(ask, INPUTS_RUN);
    return inputs;
}

START_TEST(defaults_are_those_of_the_contract)
{
    CLEANUP(inputs) struct inputs inputs = read_env(ENV("INPUT_FUNCTION-NAME=hello"));
    ck_assert_int_eq(inputs.command, COMMAND_DEPLOY);
    ck_assert(!inputs.dry_run && !inputs.json && !inputs.adopt_base && !inputs.no_cache);
    ck_assert(inputs.skip_unchanged && inputs.record);
    ck_assert(!inputs.allow_older && !inputs.allow_pull_request);
    ck_assert_int_eq(inputs.deadline_ms, 3600000);
    ck_assert_str_eq(inputs.aws_region, "eu-west-1");
    ck_assert_str_eq(inputs.audience, "sts.amazonaws.com");
    ck_assert_str_eq(inputs.role_session_name, "lambda-fastdeploy");
    ck_assert_int_eq(inputs.role_duration_ms, 3600000);
    ck_assert_str_eq(inputs.base_file, "Dockerfile.lambda.base");
    ck_assert_str_eq(inputs.base_context, ".");
    ck_assert_str_eq(inputs.base_repository, "lambda-python-deps");
    ck_assert_str_eq(inputs.base_tag, "3.12");
    ck_assert_int_eq(inputs.base_max_age_ms, 0);
    ck_assert_int_eq(inputs.rebuild_base, REBUILD_AUTO);
    ck_assert_str_eq(inputs.file, "Dockerfile.lambda");
    ck_assert_str_eq(inputs.context, ".");
    ck_assert(inputs.cache_registry && inputs.cache_gha);
    ck_assert_int_eq(inputs.compression, COMPRESSION_AUTO);
    ck_assert_int_eq(inputs.compression_level, 3);
    ck_assert_str_eq(inputs.builder, "auto");
    ck_assert_str_eq(inputs.function_name, "hello");
    ck_assert_int_eq(inputs.environment_mode, ENVIRONMENT_MERGE);
    ck_assert_int_eq(inputs.memory_size_mb, INPUT_INT_UNSET);
    ck_assert_int_eq(inputs.timeout_s, INPUT_INT_UNSET);
    ck_assert_int_eq(inputs.ephemeral_storage_mb, INPUT_INT_UNSET);
    ck_assert_str_eq(inputs.health_path, "/health");
    ck_assert_double_eq(inputs.cold_start_wait_s, 10);
    ck_assert_int_eq(inputs.health_retries, 3);
    ck_assert_double_eq(inputs.health_interval_s, 5);
    ck_assert_int_eq(inputs.refresh_invocations, 5);
    ck_assert_double_eq(inputs.refresh_interval_s, 0.3);
    ck_assert_int_eq(inputs.storage_tests, WHEN_AUTO);
    ck_assert_str_eq(inputs.storage_marker, "[test-s3]");
    ck_assert_int_eq(inputs.on_failure, ON_FAILURE_ROLLBACK);
    ck_assert_int_eq(inputs.baseline_ms, 0);
    ck_assert_double_eq(inputs.minute_price_usd, 0.006);
    ck_assert_double_eq(inputs.storage_price_usd, 0.10);
}
END_TEST

START_TEST(what_has_no_default_is_not_there)
{
    CLEANUP(inputs) struct inputs inputs = read_env(ENV("INPUT_FUNCTION-NAME=hello"));
    const char *const absent[] = {
        inputs.role_to_assume,
        inputs.role_external_id,
        inputs.aws_access_key_id,
        inputs.base_check,
        inputs.aws_secret_access_key,
        inputs.aws_session_token,
        inputs.repository,
        inputs.target,
        inputs.platform,
        inputs.image_tag,
        inputs.image_check,
        inputs.cache_repository,
        inputs.alias,
        inputs.create_with_role,
        inputs.description,
        inputs.health_url,
        inputs.health_payload,
        inputs.health_expect,
        inputs.storage_checks,
        inputs.checks,
        inputs.function_configuration,
    };
    for (int i = 0; i < COUNT(absent); i++)
        ck_assert_msg(!absent[i], "field %d: %s", i, absent[i]);
    ck_assert_uint_eq(inputs.environment.len + inputs.build_args.len + inputs.secrets.len +
                          inputs.base_build_args.len + inputs.health_headers.len +
                          inputs.allowed_account_ids.len,
                      0);
    for (size_t i = 0; i < input_spec_count; i++)
        ck_assert_int_eq(inputs_given(&inputs, input_specs[i].name),
                         strcmp(input_specs[i].name, "function-name") == 0);
}
END_TEST

START_TEST(flags_beat_the_environment)
{
    struct inputs inputs;
    enum inputs_ask ask;
    struct error err = ERROR_INIT;
    const char *const *env =
        ENV("INPUT_FUNCTION-NAME=env", "INPUT_ALIAS=env", "INPUT_TARGET=env", "INPUT_BASE-TAG=env");
    const char *const *argv = ARGV("plan", "--function-name", "flag", "--alias=flag", "--target=");
    ck_assert_int_eq(inputs_read(6, argv, env, &inputs, &ask, &err), 0);
    ck_assert_int_eq(inputs.command, COMMAND_PLAN);
    ck_assert_str_eq(inputs.function_name, "flag");
    ck_assert_str_eq(inputs.alias, "flag");
    ck_assert_ptr_null(inputs.target); /* an empty flag: not given */
    ck_assert_str_eq(inputs.base_tag, "env");
    ck_assert(inputs_given(&inputs, "alias") && inputs_given(&inputs, "base-tag"));
    ck_assert(!inputs_given(&inputs, "target") && !inputs_given(&inputs, "base-file"));
    inputs_release(&inputs);
}
END_TEST

START_TEST(empty_and_blank_values_are_not_given)
{
    CLEANUP(inputs)
    struct inputs inputs =
        read_env(ENV("INPUT_FUNCTION-NAME= \n hello\t\r\n", "INPUT_ALIAS=", "INPUT_BASE-TAG= \n",
                     "INPUT_STORAGE-MARKER=  ", "INPUT_ALARMS=", "INPUT_TRAFFIC=all-at-once"));
    ck_assert_str_eq(inputs.function_name, "hello");
    ck_assert_ptr_null(inputs.alias);
    ck_assert_str_eq(inputs.base_tag, "3.12");
    ck_assert_str_eq(inputs.storage_marker, "[test-s3]");
    ck_assert(!inputs_given(&inputs, "base-tag"));
}
END_TEST

START_TEST(other_peoples_inputs_are_ignored)
{
    CLEANUP(inputs)
    struct inputs inputs =
        read_env(ENV("INPUT_FUNCTION-NAME=hello", "INPUT_WHO-KNOWS=1", "INPUT_FUNCTION_NAME=other",
                     "input_alias=low", "INPUT_=x"));
    ck_assert_str_eq(inputs.function_name, "hello");
    ck_assert_ptr_null(inputs.alias);
}
END_TEST

static const struct {
    const char *name;
    enum command command;
} commands[] = {
    {"deploy", COMMAND_DEPLOY}, {"plan", COMMAND_PLAN},         {"base", COMMAND_BASE},
    {"status", COMMAND_STATUS}, {"rollback", COMMAND_ROLLBACK},
};

START_TEST(commands_by_word_flag_and_environment)
{
    char flag[40], variable[40];
    snprintf(flag, sizeof flag, "--command=%s", commands[_i].name);
    snprintf(variable, sizeof variable, "INPUT_COMMAND=%s", commands[_i].name);
    CLEANUP(inputs) struct inputs by_word = INPUTS(commands[_i].name);
    CLEANUP(inputs) struct inputs by_flag = INPUTS(flag);
    CLEANUP(inputs) struct inputs by_env = read_env(ENV(variable, "INPUT_FUNCTION-NAME=hello"));
    ck_assert_int_eq(by_word.command, commands[_i].command);
    ck_assert_int_eq(by_flag.command, commands[_i].command);
    ck_assert_int_eq(by_env.command, commands[_i].command);
}
END_TEST

static const struct {
    const char *arguments[5];
    const char *message;
} refused[] = {
    {{"deply"},
     "command: 'deply' is none of its choices; give deploy, plan, base, status or rollback"},
    {{"prune"}, "command: 'prune' is not supported yet"},
    {{"--command=Plan"}, "command: 'Plan' is none"},
    {{"plan", "--command=plan"}, "command: given more than once"},
    {{"deploy", "plan"}, "unexpected argument 'plan'; the command comes first"},
    {{"--alias", "live", "plan"}, "unexpected argument 'plan'"},
    {{"--alais", "live"}, "unknown flag '--alais'"},
    {{"--alais=secret"}, "unknown flag '--alais';"},
    {{"--"}, "unknown flag '--'"},
    {{"--=x"}, "unknown flag '--'"},
    {{"--json=true"}, "unknown flag '--json'"},
    {{"--Alias=live"}, "unknown flag '--Alias'"},
    {{"-x"}, "unexpected argument '-x'"},
    {{"--alias"}, "--alias has no value; write --alias VALUE"},
    {{"--alias", "--json"}, "--alias has no value"},
    {{"--dry-run", "--json"}, "--dry-run has no value"},
    {{"--alias=a", "--alias=a"}, "alias: given more than once"},
    {{"--alias=", "--alias=a"}, "alias: given more than once"},
    {{"--traffic=canary:10%:5m"}, "traffic: not supported yet; leave it out or give all-at-once"},
    {{"--alarms=a"}, "alarms: not supported yet; leave it out"},
    {{"--keep-versions=3"}, "keep-versions: not supported yet"},
    {{"--keep-images=3"}, "keep-images: not supported yet"},
};

START_TEST(refuses_what_it_does_not_know)
{
    must_refuse(refused[_i].arguments, refused[_i].message);
}
END_TEST

START_TEST(only_the_base_does_without_a_function)
{
    static const char *const env[] = {"AWS_REGION=us-east-1", NULL};
    for (int i = 0; i < COUNT(commands); i++) {
        struct inputs inputs;
        enum inputs_ask ask = INPUTS_VERSION;
        struct error err = ERROR_INIT;
        int rc = inputs_read(2, ARGV(commands[i].name), env, &inputs, &ask, &err);
        if (commands[i].command == COMMAND_BASE) {
            ck_assert_msg(rc == 0, "%s", err.msg);
            ck_assert_ptr_null(inputs.function_name);
            inputs_release(&inputs);
        } else {
            ck_assert_int_eq(rc, -1);
            ck_assert_int_eq(err.kind, ERROR_INPUT);
            ck_assert_int_eq(ask, INPUTS_VERSION); /* untouched */
            ck_assert(text_starts_with(err.msg, "function-name: required, and not given"));
        }
    }
}
END_TEST

START_TEST(repeated_flags_add_lines)
{
    CLEANUP(inputs)
    struct inputs inputs = INPUTS("--build-args=A=1", "--build-args", "B=2\nC=3",
                                  "--build-args=", "--allowed-account-ids=123456789012",
                                  "--allowed-account-ids=210987654321, 111111111111");
    ck_assert_uint_eq(inputs.build_args.len, 3);
    ck_assert_str_eq(inputs.build_args.items[2], "C=3");
    ck_assert_uint_eq(inputs.allowed_account_ids.len, 3);
}
END_TEST

START_TEST(a_value_may_begin_with_dashes_behind_an_equals_sign)
{
    CLEANUP(inputs) struct inputs inputs = INPUTS("--image-check=--version", "--json");
    ck_assert_str_eq(inputs.image_check, "--version");
    ck_assert(inputs.json);
}
END_TEST

static const struct {
    const char *arguments[4];
    int count;
    enum inputs_ask ask;
} asks[] = {
    {{"x", "--help"}, 2, INPUTS_HELP},
    {{"x", "-h"}, 2, INPUTS_HELP},
    {{"x", "--version"}, 2, INPUTS_VERSION},
    {{"x", "plan", "--help"}, 3, INPUTS_HELP},
    {{"x", "--nonsense", "--help"}, 3, INPUTS_HELP},
    {{"x", "--alias", "--version"}, 3, INPUTS_VERSION},
};

START_TEST(help_and_version_need_nothing_else)
{
    static const char *const no_env[] = {NULL};
    struct inputs inputs;
    enum inputs_ask ask = INPUTS_RUN;
    ck_assert_int_eq(inputs_read(asks[_i].count, asks[_i].arguments, no_env, &inputs, &ask, NULL),
                     0);
    ck_assert_int_eq(ask, asks[_i].ask);
}
END_TEST

/* ---- region and session ---- */

static const struct {
    const char *argument;
    const char *env[4];
    const char *region, *message;
} regions[] = {
    {"--alias=a", {"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-2"}, "us-east-1", NULL},
    {"--alias=a", {"AWS_DEFAULT_REGION=us-east-2"}, "us-east-2", NULL},
    {"--alias=a", {"AWS_REGION=", "AWS_DEFAULT_REGION=us-east-2"}, "us-east-2", NULL},
    {"--aws-region=eu-west-1", {"AWS_REGION=us-east-1"}, "eu-west-1", NULL},
    {"--alias=a", {"INPUT_AWS-REGION=eu-west-1", "AWS_REGION=us-east-1"}, "eu-west-1", NULL},
    {"--alias=a", {NULL}, NULL, "aws-region: not given, and neither AWS_REGION nor"},
    {"--alias=a", {"AWS_REGION=Virginia"}, NULL, "AWS_REGION: 'Virginia' is no AWS region"},
    {"--aws-region=evil.example/", {NULL}, NULL, "aws-region: 'evil.example/' is no AWS region"},
};

START_TEST(region_from_input_or_environment)
{
    struct inputs inputs;
    enum inputs_ask ask;
    struct error err = ERROR_INIT;
    int rc = inputs_read(3, ARGV("--function-name=hello", regions[_i].argument), regions[_i].env,
                         &inputs, &ask, &err);
    if (regions[_i].region) {
        ck_assert_msg(rc == 0, "%s", err.msg);
        ck_assert_str_eq(inputs.aws_region, regions[_i].region);
        inputs_release(&inputs);
    } else {
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
        ck_assert_msg(text_starts_with(err.msg, regions[_i].message), "%s", err.msg);
    }
}
END_TEST

START_TEST(an_arn_brings_its_region)
{
    CLEANUP(inputs)
    struct inputs inputs =
        INPUTS("--function-name=arn:aws:lambda:ap-south-1:123456789012:function:hello");
    ck_assert_str_eq(inputs.aws_region, "ap-south-1"); /* and not AWS_REGION's */
}
END_TEST

static const struct {
    const char *env, *session;
} sessions[] = {
    {"GITHUB_RUN_ID=1234567890", "lambda-fastdeploy-1234567890"},
    {"GITHUB_RUN_ID=12;rm", "lambda-fastdeploy"},
    {"GITHUB_RUN_ID=", "lambda-fastdeploy"},
    {"INPUT_ROLE-SESSION-NAME=mine", "mine"},
    {"GITHUB_RUN_ID=123456789012345678901234567890123456789012345678901234567890",
     "lambda-fastdeploy-1234567890123456789012345678901234567890123456"},
};

START_TEST(session_name_holds_the_run)
{
    CLEANUP(inputs)
    struct inputs inputs = read_env(ENV("INPUT_FUNCTION-NAME=hello", sessions[_i].env));
    ck_assert_str_eq(inputs.role_session_name, sessions[_i].session);
}
END_TEST

/* ---- the table, and its help ---- */

START_TEST(the_table_is_sound)
{
    for (size_t i = 0; i < input_spec_count; i++) {
        const struct input_spec *spec = &input_specs[i];
        ck_assert_ptr_nonnull(spec->type);
        ck_assert_msg(strspn(spec->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(spec->name), "%s",
                      spec->name);
        size_t len = strlen(spec->help);
        ck_assert_msg(len > 10 && spec->help[len - 1] == '.' && !strstr(spec->help, "  "), "%s",
                      spec->name);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(spec->name, input_specs[k].name);
            if (!spec->later)
                ck_assert_msg(spec->offset != input_specs[k].offset || input_specs[k].later,
                              "%s and %s share a field", spec->name, input_specs[k].name);
        }
    }
    for (size_t i = 0; i < command_spec_count; i++)
        ck_assert_uint_eq(command_specs[i].command, i);
}
END_TEST

START_TEST(help_names_everything_within_its_width)
{
    CLEANUP(strbuf) struct strbuf help = STRBUF_INIT(STRBUF_NO_CAP);
    inputs_help(&help);
    for (size_t i = 0; i < input_spec_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "\n  --%s ", input_specs[i].name);
        ck_assert_msg(strstr(help.buf, name), "%s", input_specs[i].name);
        snprintf(name, sizeof name, "\n%s\n", input_specs[i].group);
        const char *group = strstr(help.buf, name);
        ck_assert_msg(group && !strstr(group + 1, name), "group %s", input_specs[i].group);
    }
    for (const char *line = help.buf; *line; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        ck_assert_msg(len <= 96, "%.*s", (int)len, line);
        ck_assert_msg(len == 0 || line[len - 1] != ' ', "%.*s|", (int)len, line);
    }
    ck_assert_ptr_nonnull(strstr(help.buf, "(default: AWS_REGION)"));
    ck_assert_ptr_nonnull(strstr(help.buf, "(required)"));
    ck_assert_ptr_nonnull(strstr(help.buf, "(not supported yet)"));
}
END_TEST

START_TEST(release_takes_nothing_and_twice)
{
    inputs_release(NULL);
    struct inputs inputs = INPUTS("--environment=KEY=value", "--aws-access-key-id=AKID",
                                  "--aws-secret-access-key=secret", "--health-headers=A: b");
    inputs_release(&inputs);
    ck_assert_ptr_null(inputs.aws_secret_access_key);
    ck_assert_uint_eq(inputs.environment.len, 0);
    inputs_release(&inputs);
}
END_TEST

Suite *inputs_suite(void)
{
    Suite *suite = suite_create("inputs");
    TCase *tcase = tcase_create("inputs");
    tcase_add_test(tcase, defaults_are_those_of_the_contract);
    tcase_add_test(tcase, what_has_no_default_is_not_there);
    tcase_add_test(tcase, flags_beat_the_environment);
    tcase_add_test(tcase, empty_and_blank_values_are_not_given);
    tcase_add_test(tcase, other_peoples_inputs_are_ignored);
    tcase_add_loop_test(tcase, commands_by_word_flag_and_environment, 0, COUNT(commands));
    tcase_add_loop_test(tcase, refuses_what_it_does_not_know, 0, COUNT(refused));
    tcase_add_test(tcase, only_the_base_does_without_a_function);
    tcase_add_test(tcase, repeated_flags_add_lines);
    tcase_add_test(tcase, a_value_may_begin_with_dashes_behind_an_equals_sign);
    tcase_add_loop_test(tcase, help_and_version_need_nothing_else, 0, COUNT(asks));
    tcase_add_loop_test(tcase, region_from_input_or_environment, 0, COUNT(regions));
    tcase_add_test(tcase, an_arn_brings_its_region);
    tcase_add_loop_test(tcase, session_name_holds_the_run, 0, COUNT(sessions));
    tcase_add_test(tcase, the_table_is_sound);
    tcase_add_test(tcase, help_names_everything_within_its_width);
    tcase_add_test(tcase, release_takes_nothing_and_twice);
    suite_add_tcase(suite, tcase);
    return suite;
}
