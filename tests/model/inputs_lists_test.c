/* What becomes of values: lines, durations, large ones. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "model/support_inputs.h"

Suite *inputs_lists_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define ROLE         "arn:aws:iam::123456789012:role/"

/* ---- lines ---- */

START_TEST(lines_as_people_write_them)
{
    CLEANUP(inputs)
    struct inputs inputs = INPUTS("--environment=\n  FIRST=1 \r\n\r\n\tQUOTED=\"a b\"\nEMPTY=\n"
                                  "EQUALS=a=b==\nUNICODE=grün ☃\n  SPACES=  inner  \n");
    static const char *const expected[] = {
        "FIRST=1", "QUOTED=\"a b\"", "EMPTY=", "EQUALS=a=b==", "UNICODE=grün ☃", "SPACES=  inner"};
    ck_assert_uint_eq(inputs.environment.len, COUNT(expected));
    for (int i = 0; i < COUNT(expected); i++)
        ck_assert_str_eq(inputs.environment.items[i], expected[i]);
}
END_TEST

START_TEST(headers_are_put_in_order)
{
    CLEANUP(inputs)
    struct inputs inputs = INPUTS("--health-headers=A:1\r\nB: 2 3 \nC:\n  D:\t4");
    static const char *const expected[] = {"A: 1", "B: 2 3", "C: ", "D: 4"};
    ck_assert_uint_eq(inputs.health_headers.len, COUNT(expected));
    for (int i = 0; i < COUNT(expected); i++)
        ck_assert_str_eq(inputs.health_headers.items[i], expected[i]);
}
END_TEST

START_TEST(fields_hold_what_was_said)
{
    CLEANUP(inputs)
    struct inputs inputs =
        INPUTS("--cache=gha", "--compression=zstd", "--rebuild-base=never", "--timeout=900",
               "--platform=linux/arm64", "--on-failure=keep", "--storage-tests=always",
               "--baseline=32m", "--minute-price=0.008", "--compression-level=19");
    ck_assert(inputs.cache_gha && !inputs.cache_registry);
    ck_assert_int_eq(inputs.compression, COMPRESSION_ZSTD);
    ck_assert_int_eq(inputs.compression_level, 19);
    ck_assert_int_eq(inputs.rebuild_base, REBUILD_NEVER);
    ck_assert_int_eq(inputs.timeout_s, 900);
    ck_assert_str_eq(inputs.platform, "linux/arm64");
    ck_assert_int_eq(inputs.on_failure, ON_FAILURE_KEEP);
    ck_assert_int_eq(inputs.storage_tests, WHEN_ALWAYS);
    ck_assert_int_eq(inputs.baseline_ms, 1920000);
    ck_assert_double_eq(inputs.minute_price_usd, 0.008);
}
END_TEST

START_TEST(descriptions_are_counted_in_characters)
{
    char text[20 + 256 * 4] = "--description=";
    for (int i = 0; i < 256; i++)
        snprintf(text + strlen(text), 5, "%s", "🐍");
    CLEANUP(inputs) struct inputs inputs = INPUTS(text);
    ck_assert_uint_eq(strlen(inputs.description), 1024);
}
END_TEST

/* ---- durations ---- */

static const struct {
    const char *text;
    int64_t ms;
} durations[] = {
    {"0", 0},
    {"45", 45000},
    {"45s", 45000},
    {"60m", 3600000},
    {"1h30m", 5400000},
    {"30d", INT64_C(2592000000)},
    {"1d1h1m1s", INT64_C(90061000)},
    {"007m", 420000},
    {"36500d", INT64_C(3153600000000)},
    {"", -1},
    {"m", -1},
    {"1", 1000},
    {"1x", -1},
    {"1M", -1},
    {"1m1", -1},
    {"1m1h", -1},
    {"1m1m", -1},
    {"-1m", -1},
    {"+1m", -1},
    {"1 m", -1},
    {" 1m", -1},
    {"1.5h", -1},
    {"36501d", -1},
    {"36500d1s", -1},
    {"99999999999999999999999s", -1},
    {"9223372036854775807d", -1},
    {"9223372036854775807", -1},
    {"18446744073709551661s", -1}, /* 2^64 + 45 */
    {"213503982335d", -1},         /* 2^64 ms and a little */
};

START_TEST(durations_to_milliseconds)
{
    int64_t ms = -1;
    struct error err = ERROR_INIT;
    int rc = duration_parse(durations[_i].text, &ms, &err);
    ck_assert_msg(ms == durations[_i].ms, "'%s': %lld", durations[_i].text, (long long)ms);
    ck_assert_int_eq(rc, durations[_i].ms < 0 ? -1 : 0);
    ck_assert_int_eq(err.kind, rc < 0 ? ERROR_INPUT : ERROR_NONE);
}
END_TEST

/* ---- large ones ---- */

/* `head`, and `unit` until `bytes` are full. Heap. */
static char *make_large(const char *head, const char *unit, size_t bytes)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, head);
    while (text.len < bytes)
        strbuf_addstr(&text, unit);
    return strbuf_detach(&text);
}

static const struct {
    const char *head, *unit, *message; /* message NULL: taken */
} large[] = {
    {"--alias=", "a", "alias: the value has "},
    {"--image-check=", "x", "image-check: the value has "},
    {"--environment=KEY=", "x", "environment: the value has "},
};

START_TEST(more_than_a_mebibyte_is_refused)
{
    CLEANUP_FREE char *argument = make_large(large[_i].head, large[_i].unit, (1 << 20) + 100);
    const char *const arguments[] = {argument, NULL};
    must_refuse(arguments, large[_i].message);
}
END_TEST

static const struct {
    const char *head, *unit, *message;
} almost[] = {
    {"--alias=", "a",
     "alias: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' is no"},
    {"--alias=", "é", "alias: 'éééééééééééééééééééééééééééééé…' is no"},
    {"--alias=a", "é", "alias: 'aééééééééééééééééééééééééééééé…' is no"},
    {"--environment=KEY=", "x", "environment: 999992 bytes as JSON; Lambda takes 4096 in all"},
    {"--build-args=", "A=1\n", "build-args:2: the same key as in line 1"},
    {"--secrets=a=", "x", NULL},
    {"--image-check=", "true\n", NULL},
    {"--health-payload=[", "[", "health-payload: the value is not JSON"},
    {"--health-url=https://", "a", NULL},
    {"--health-path=/", "a", NULL},
    {"--health-headers=X: ", "a", NULL},
    {"--checks=GET /x -> 200\n", "GET /x -> 200\n", "checks: given without health-url"},
    {"--allowed-account-ids=123456789012", ",123456789012", NULL},
    {"--function-configuration={\"Role\":\"", "x", "function-configuration: the value is not JSON"},
    {"--role-to-assume=" ROLE, "a/", "role-to-assume: '"},
    {"--repository=", "a/a", "repository: '"},
    {"--deadline=", "1m", "deadline: '"},
    {"--timeout=", "9", "timeout: '"},
};

START_TEST(nearly_a_mebibyte_is_judged)
{
    CLEANUP_FREE char *argument = make_large(almost[_i].head, almost[_i].unit, 1000000);
    const char *const arguments[] = {argument, NULL};
    if (almost[_i].message)
        must_refuse(arguments, almost[_i].message);
    else {
        struct inputs inputs = must_read(arguments);
        inputs_release(&inputs);
    }
}
END_TEST

START_TEST(many_different_keys_are_judged_quickly)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, "--build-args=");
    for (int i = 99999; i >= 0; i--)
        strbuf_addf(&text, "A%d=\n", i);
    CLEANUP(inputs) struct inputs inputs = INPUTS(text.buf);
    ck_assert_uint_eq(inputs.build_args.len, 100000);
    ck_assert_str_eq(inputs.build_args.items[0], "A99999="); /* in the order given */
}
END_TEST

Suite *inputs_lists_suite(void)
{
    Suite *suite = suite_create("inputs_lists");
    TCase *tcase = tcase_create("inputs_lists");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, lines_as_people_write_them);
    tcase_add_test(tcase, headers_are_put_in_order);
    tcase_add_test(tcase, fields_hold_what_was_said);
    tcase_add_test(tcase, descriptions_are_counted_in_characters);
    tcase_add_loop_test(tcase, durations_to_milliseconds, 0, COUNT(durations));
    tcase_add_loop_test(tcase, more_than_a_mebibyte_is_refused, 0, COUNT(large));
    tcase_add_loop_test(tcase, nearly_a_mebibyte_is_judged, 0, COUNT(almost));
    tcase_add_test(tcase, many_different_keys_are_judged_quickly);
    suite_add_tcase(suite, tcase);
    return suite;
}
