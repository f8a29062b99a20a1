#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/outputs.h"
#include "model/summary.h"
#include "support_results.h"
#include "support_schema.h"

#define MEGABYTE     ((size_t)1 << 20)
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define REGISTRY   "123456789012.dkr.ecr.us-east-1.amazonaws.com"
#define ARN        "arn:aws:lambda:us-east-1:123456789012:function:rag-text-to-sql-server"
#define OLD_DIGEST "sha256:0c5e0d8f54a1b3f2c9d7e6a5b4c3d2e1f00112233445566778899aabbccddeef"
#define NEW_DIGEST "sha256:9b1f3e5d7c2a4860bdf1e3a5c7d9fb0214365870a9bccddeeff0011223344556"
#define BASE       "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
#define COMMIT     "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"

Suite *outputs_suite(void);

static const struct output_spec *output_named(const char *name)
{
    for (size_t i = 0; i < output_spec_count; i++)
        if (strcmp(output_specs[i].name, name) == 0)
            return &output_specs[i];
    ck_abort_msg("there is no output %s", name);
    return NULL;
}

static const struct {
    const char *result, *output, *value;
} values[] = {
    {"code-change", "image-uri", REGISTRY "/rag-text-to-sql-server@" NEW_DIGEST},
    {"code-change", "image-digest", NEW_DIGEST},
    {"code-change", "image-tag", COMMIT},
    {"code-change", "image-built", "built"},
    {"code-change", "base-image-uri", REGISTRY "/lambda-python-deps@" BASE},
    {"code-change", "base-image-digest", BASE},
    {"code-change", "base-status", "found"},
    {"code-change", "base-reason", "the image 3.12-0f5a7b9c1d3e4f60 is there"},
    {"code-change", "function-arn", ARN},
    {"code-change", "function-version", "42"},
    {"code-change", "alias-arn", ARN ":live"},
    {"code-change", "previous-image-digest", OLD_DIGEST},
    {"code-change", "previous-version", "41"},
    {"code-change", "deployed", "true"},
    {"code-change", "rolled-back", "false"},
    {"code-change", "storage-tests", "skipped"},
    {"code-change", "storage-reason", "the message of the head commit does not hold [test-s3]"},
    {"code-change", "health", "ok"},
    {"code-change", "duration-seconds", "38.1"},
    {"first-deploy", "base-status", "built"},
    {"first-deploy", "base-reason", "its ECR repository did not exist"},
    {"first-deploy", "previous-image-digest", ""},
    {"first-deploy", "function-version", ""},
    {"first-deploy", "alias-arn", ""},
    {"first-deploy", "duration-seconds", "1515.5"},
    {"nothing-changed", "image-built", "reused"},
    {"nothing-changed", "image-digest", OLD_DIGEST},
    {"nothing-changed", "deployed", "false"},
    {"nothing-changed", "duration-seconds", "1.6"},
    {"build-failure", "image-uri", ""},
    {"build-failure", "image-digest", ""},
    {"build-failure", "image-tag", ""}, /* it names no image */
    {"build-failure", "image-built", ""},
    {"build-failure", "deployed", "false"},
    {"build-failure", "health", ""},
    {"health-rollback", "deployed", "false"},
    {"health-rollback", "rolled-back", "true"},
    {"health-rollback", "health", "failed"},
    {"storage-tests", "storage-tests", "run"},
    {"storage-tests", "storage-reason", "a tag was pushed"},
    {"bad-input", "deployed", "false"},
    {"bad-input", "rolled-back", "false"},
    {"bad-input", "storage-tests", ""}, /* not decided */
    {"bad-input", "storage-reason", ""},
    {"bad-input", "health", ""},
    {"bad-input", "duration-seconds", "0.0"},
    {"not-asked", "storage-tests", "skipped"},
};

START_TEST(output_has_its_value)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named(values[_i].result), &result, &inputs);
    CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(MEGABYTE);
    output_named(values[_i].output)->render(&result, &value);
    ck_assert_str_eq(value.buf, values[_i].value);
    result_release(&result);
}
END_TEST

/* The contract's list, in its order. */
START_TEST(outputs_are_those_of_the_contract)
{
    static const char *const names[] = {
        "image-uri",        "image-digest",   "image-tag",
        "image-built",      "base-image-uri", "base-image-digest",
        "base-status",      "base-reason",    "function-arn",
        "function-version", "alias-arn",      "previous-image-digest",
        "previous-version", "deployed",       "rolled-back",
        "storage-tests",    "storage-reason", "health",
        "duration-seconds", "timings",        "result",
    };
    ck_assert_uint_eq(output_spec_count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_str_eq(output_specs[i].name, names[i]);
        ck_assert(!text_is_empty(output_specs[i].help));
    }
}
END_TEST

static const struct {
    int64_t ms;
    const char *seconds;
} durations[] = {{0, "0.0"},    {49, "0.0"},   {50, "0.1"},     {999, "1.0"},       {1000, "1.0"},
                 {1949, "1.9"}, {1950, "2.0"}, {72300, "72.3"}, {3600000, "3600.0"}};

START_TEST(duration_has_one_decimal)
{
    struct result result;
    result_init(&result);
    result.duration_ms = durations[_i].ms;
    CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(100);
    output_named("duration-seconds")->render(&result, &value);
    ck_assert_str_eq(value.buf, durations[_i].seconds);
    result_release(&result);
}
END_TEST

static void parse_output(const struct result *result, const char *name, struct json **ret_json)
{
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(4 * MEGABYTE);
    output_named(name)->render(result, &text);
    ck_assert_ptr_null(strchr(text.buf, '\n'));
    ck_assert_msg(json_parse(text.buf, text.len, ret_json, &err) == 0, "%s", err.msg);
}

START_TEST(json_is_as_its_schema_says)
{
    struct result result;
    struct inputs inputs;
    char problem[500] = "";
    make_result(&result_cases[_i], &result, &inputs);
    CLEANUP(json) struct json *all = NULL;
    CLEANUP(json) struct json *timings = NULL;
    parse_output(&result, "result", &all);
    parse_output(&result, "timings", &timings);
    ck_assert_msg(schema_check("docs/result.schema.json", all, problem, sizeof problem) == 0, "%s",
                  problem);
    ck_assert_msg(schema_check("docs/timings.schema.json", timings, problem, sizeof problem) == 0,
                  "%s", problem);
    ck_assert(json_equal(json_member(all, "timings"), timings));
    result_release(&result);
}
END_TEST

/* The schemas refuse what is not as they say; else the test above could not fail. */
START_TEST(schema_refuses)
{
    static const struct {
        const char *json, *problem;
    } bad[] = {
        {"[]", "$: it is not of type object"},
        {"{\"total_ms\":1,\"other_ms\":0,\"rest_ms\":0,\"spans\":[]}", "$: it lacks left_out"},
        {"{\"total_ms\":1.5,\"other_ms\":0,\"rest_ms\":0,\"spans\":[],\"left_out\":0}",
         "$.total_ms: it is no whole number: 1.5"},
        {"{\"total_ms\":-1,\"other_ms\":0,\"rest_ms\":0,\"spans\":[],\"left_out\":0}",
         "$.total_ms: it is less than 0: -1"},
        {"{\"total_ms\":1,\"other_ms\":0,\"rest_ms\":0,\"spans\":[],\"left_out\":0,\"more\":1}",
         "$.more: the schema does not know it"},
        {"{\"total_ms\":1,\"other_ms\":0,\"rest_ms\":0,\"spans\":[{\"name\":7}],\"left_out\":0}",
         "$.spans[0]: it lacks start_ms"},
        {"{\"total_ms\":1,\"other_ms\":0,\"rest_ms\":0,\"spans\":[{\"name\":7,\"start_ms\":0,"
         "\"ms\":0,"
         "\"beside\":false,\"cached\":false}],\"left_out\":0}",
         "$.spans[0].name: it is not of type string"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(json) struct json *json = NULL;
        struct error err = ERROR_INIT;
        char problem[500] = "";
        ck_assert_int_eq(json_parse(bad[i].json, strlen(bad[i].json), &json, &err), 0);
        ck_assert_int_eq(schema_check("docs/timings.schema.json", json, problem, sizeof problem),
                         -1);
        ck_assert_str_eq(problem, bad[i].problem);
    }
    CLEANUP(json) struct json *outcome = NULL;
    struct error err = ERROR_INIT;
    char problem[500] = "";
    ck_assert_int_eq(json_parse("{\"outcome\":\"fine\"}", 18, &outcome, &err), 0);
    ck_assert_int_eq(schema_check("docs/result.schema.json", outcome, problem, sizeof problem), -1);
    ck_assert_msg(strstr(problem, "\"fine\"") || strstr(problem, "it lacks"), "%s", problem);
}
END_TEST

/* GitHub takes 1 MB of outputs from a job, counted as UTF-16. */
START_TEST(outputs_stay_small)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named("code-change"), &result, &inputs);
    add_long_build(&result, 8000);
    add_long_build(&result, 9000); /* more than there can be spans */
    ck_assert_uint_gt(result.spans.dropped, 0);
    for (int i = 0; i < 500; i++)
        check_results_add(&result.checks, "GET /x -> 200", true, 200, "", 1);
    size_t total = 0;
    for (size_t i = 0; i < output_spec_count; i++) {
        CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(4 * MEGABYTE);
        output_specs[i].render(&result, &value);
        total += value.len * 2;
    }
    ck_assert_uint_lt(total, 400000);

    CLEANUP(json) struct json *json = NULL;
    parse_output(&result, "timings", &json);
    const struct json *spans = json_member(json, "spans");
    ck_assert_int_eq(json_get_int(json, "left_out", 0),
                     (int64_t)(result.spans.len + result.spans.dropped - json_length(spans)));
    int64_t index = 0;
    JSON_EACH (span, spans) {
        ck_assert_int_lt(json_get_int(span, "parent", -1), index);
        index++;
    }
    CLEANUP(json) struct json *all = NULL;
    parse_output(&result, "result", &all);
    ck_assert_uint_eq(json_length(json_get(all, "checks.list")), 200);
    ck_assert_int_eq(json_get_int(all, "checks.all", 0), 502);
    ck_assert_int_eq(json_get_int(all, "checks.good", 0), 502);
    result_release(&result);
}
END_TEST

/* What builds and functions say may hold anything: it is in the log, not in outputs. */
START_TEST(evidence_is_no_output)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named("build-failure"), &result, &inputs);
    for (size_t i = 0; i < output_spec_count; i++) {
        CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(MEGABYTE);
        output_specs[i].render(&result, &value);
        ck_assert_ptr_null(strstr(value.buf, "langchain"));
    }
    result_release(&result);
}
END_TEST

/* What a number of the result looks like in words; its name says what it is. */
static void add_number_looks(const char *name, double number, struct strbuf *out)
{
    strbuf_addch(out, ' ');
    if (text_equal(name, "ms") || text_ends_with(name, "_ms"))
        summary_add_duration(out, (int64_t)number);
    else if (text_equal(name, "bytes") || text_ends_with(name, "_bytes"))
        summary_add_bytes(out, (int64_t)number);
    else if (strstr(name, "usd"))
        strbuf_addf(out, "%.2f %.3f %.4f", number, number, number);
    else
        strbuf_addf(out, "%.0f", number);
    strbuf_addch(out, ' ');
}

static void add_looks(const struct json *json, struct strbuf *out)
{
    if (json_type(json) == JSON_NUMBER) {
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(100);
        json_print(json, &text);
        double number = strtod(text.buf, NULL);
        const char *name = json_name(json);
        add_number_looks(name ? name : "", number < 0 ? -number : number, out);
    } else if (json_type(json) == JSON_STRING) {
        strbuf_addf(out, " %s ", json_string(json));
    }
    JSON_EACH (child, json) {
        add_looks(child, out);
    }
}

/* A word that begins with a digit, with its unit; '.' belongs to it only before another digit. */
static size_t number_length(const char *text)
{
    static const char *const units[] = {" ms", " s", " min", " h", " B", " kB", " MB", " GB"};
    size_t len = 0;
    while (isalnum((unsigned char)text[len]) ||
           (text[len] == '.' && isdigit((unsigned char)text[len + 1])))
        len++;
    for (size_t i = 0; i < COUNT(units); i++) {
        size_t unit = strlen(units[i]);
        if (strncmp(text + len, units[i], unit) == 0 && !isalnum((unsigned char)text[len + unit]))
            return len + unit;
    }
    return len;
}

/* As a whole word, or as the first twelve digits of a digest or a commit. */
static bool is_known(const char *looks, const char *number, size_t len)
{
    char wanted[200];
    snprintf(wanted, sizeof wanted, "%.*s", (int)len, number);
    for (const char *at = strstr(looks, wanted); at; at = strstr(at + 1, wanted))
        if (!isalnum((unsigned char)at[-1]) && (len == 12 || !isalnum((unsigned char)at[len])))
            return true;
    return false;
}

/* Every number that the summary says is in the result: charts and tests' output left aside. */
START_TEST(numbers_of_the_summary_are_in_the_result)
{
    struct result result;
    struct inputs inputs;
    make_result(&result_cases[_i], &result, &inputs);
    strbuf_reset(&result.evidence);
    CLEANUP(json) struct json *json = outputs_result(&result);
    CLEANUP(strbuf) struct strbuf looks = STRBUF_INIT(MEGABYTE);
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    strbuf_addch(&looks, ' ');
    add_looks(json, &looks);
    summary_render(&result, &inputs, MEGABYTE, &markdown);
    char *chart = strstr(markdown.buf, "```mermaid");
    const char *end = chart ? strstr(chart, "</details>") : NULL;
    size_t checked = 0;
    for (const char *at = markdown.buf; *at; at++) {
        if (at == chart)
            at = end;
        bool is_entity = at > markdown.buf && at[-1] == '#';
        bool in_word = at > markdown.buf && isalnum((unsigned char)at[-1]);
        if (!isdigit((unsigned char)*at) || in_word || is_entity)
            continue;
        size_t len = number_length(at);
        ck_assert_msg(is_known(looks.buf, at, len), "%.*s of '%.*s' is not in the result", (int)len,
                      at, 60, at);
        checked++;
        at += len - 1;
    }
    if (result.outcome == OUTCOME_DEPLOYED)
        ck_assert_uint_gt(checked, 15);
    result_release(&result);
}
END_TEST

/* The stages that are waited for, and what is between them, are the whole run. */
START_TEST(times_add_up)
{
    struct result result;
    struct inputs inputs;
    make_result(&result_cases[_i], &result, &inputs);
    CLEANUP(json) struct json *json = outputs_timings(&result);
    int64_t sum = json_get_int(json, "other_ms", 0);
    JSON_EACH (span, json_member(json, "spans")) {
        if (!json_member(span, "parent") && !json_get_bool(span, "beside", false))
            sum += json_get_int(span, "ms", 0);
    }
    ck_assert_int_eq(sum, json_get_int(json, "total_ms", -1));
    result_release(&result);
}
END_TEST

START_TEST(invalid_text_becomes_json)
{
    struct result result;
    result_init(&result);
    snprintf(result.ref, sizeof result.ref, "refs/heads/\xff\x01\"\\");
    CLEANUP(json) struct json *json = NULL;
    parse_output(&result, "result", &json);
    ck_assert_str_eq(json_get_string(json, "run.ref"), "refs/heads/\xef\xbf\xbd\x01\"\\");
    result_release(&result);
}
END_TEST

Suite *outputs_suite(void)
{
    Suite *suite = suite_create("model/outputs");
    TCase *cases = tcase_create("outputs");
    tcase_add_loop_test(cases, output_has_its_value, 0, COUNT(values));
    tcase_add_test(cases, outputs_are_those_of_the_contract);
    tcase_add_loop_test(cases, duration_has_one_decimal, 0, COUNT(durations));
    tcase_add_loop_test(cases, json_is_as_its_schema_says, 0, (int)result_case_count);
    tcase_add_test(cases, schema_refuses);
    tcase_add_test(cases, outputs_stay_small);
    tcase_add_test(cases, evidence_is_no_output);
    tcase_add_loop_test(cases, numbers_of_the_summary_are_in_the_result, 0, (int)result_case_count);
    tcase_add_loop_test(cases, times_add_up, 0, (int)result_case_count);
    tcase_add_test(cases, invalid_text_becomes_json);
    suite_add_tcase(suite, cases);
    return suite;
}
