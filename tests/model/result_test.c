#include <check.h>
#include <signal.h>
#include <string.h>

#include "core/memory.h"
#include "model/result.h"

Suite *result_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    enum outcome outcome;
    int signal, exit_code;
    const char *name;
} outcomes[] = {
    {OUTCOME_UNDECIDED, 0, 1, "not finished"},
    {OUTCOME_DEPLOYED, 0, 0, "deployed"},
    {OUTCOME_NOTHING_TO_DO, 0, 0, "nothing to do"},
    {OUTCOME_NOT_ASKED, 0, 0, "not asked for"},
    {OUTCOME_PLANNED, 0, 0, "planned"},
    {OUTCOME_SUPERSEDED, 0, 0, "superseded"},
    {OUTCOME_BAD_INPUT, 0, 2, "bad input"},
    {OUTCOME_FAILED, 0, 1, "failed"},
    {OUTCOME_FAILED, SIGTERM, 1, "failed"}, /* it failed before the signal counted */
    {OUTCOME_NEEDS_PERSON, 0, 3, "failed, needs a person"},
    {OUTCOME_NEEDS_PERSON, SIGINT, 3, "failed, needs a person"},
    {OUTCOME_CANCELLED, 0, 130, "cancelled"},
    {OUTCOME_CANCELLED, SIGINT, 130, "cancelled"},
    {OUTCOME_CANCELLED, SIGTERM, 143, "cancelled"},
};

START_TEST(outcome_gives_exit_code)
{
    struct result result;
    result_init(&result);
    result.outcome = outcomes[_i].outcome;
    result.signal = outcomes[_i].signal;
    ck_assert_int_eq(result_exit_code(&result), outcomes[_i].exit_code);
    ck_assert_str_eq(outcome_name(outcomes[_i].outcome), outcomes[_i].name);
    result_release(&result);
}
END_TEST

START_TEST(new_result_says_nothing)
{
    struct result result;
    memset(&result, 0xAA, sizeof result);
    result_init(&result);
    ck_assert_int_eq(result.outcome, OUTCOME_UNDECIDED);
    ck_assert_int_eq(result.failure.kind, ERROR_NONE);
    ck_assert(!result.deployed && !result.changed && !result.rolled_back && !result.storage_run);
    ck_assert_str_eq(result.image.digest, "");
    ck_assert_str_eq(result.health.status, "");
    ck_assert_str_eq(result.evidence.buf, "");
    ck_assert_uint_eq(result.spans.len, 0);
    ck_assert_uint_eq(result.checks.len, 0);
    result_release(&result);
}
END_TEST

START_TEST(checks_are_kept)
{
    struct result result;
    result_init(&result);
    char line[] = "GET / -> 200";
    char why[600];
    memset(why, 'w', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    check_results_add(&result.checks, line, true, 200, NULL, 12);
    line[0] = 'X'; /* it was copied */
    for (int i = 0; i < 100; i++)
        check_results_add(&result.checks, "PUT / -> 201", false, 500, why, i);
    ck_assert_uint_eq(result.checks.len, 101);
    ck_assert_str_eq(result.checks.items[0].line, "GET / -> 200");
    ck_assert(result.checks.items[0].good);
    ck_assert_int_eq(result.checks.items[0].status, 200);
    ck_assert_str_eq(result.checks.items[0].why, "");
    ck_assert_int_eq(result.checks.items[0].ms, 12);
    ck_assert(!result.checks.items[100].good);
    ck_assert_int_eq(result.checks.items[100].ms, 99);
    ck_assert_uint_eq(strlen(result.checks.items[100].why),
                      sizeof result.checks.items[100].why - 1);
    ck_assert_uint_eq(result.storage_checks.len, 0);
    result_release(&result);
}
END_TEST

/* Evidence is a stranger's: it cannot grow without limit. Valgrind sees that all is given back. */
START_TEST(everything_is_released)
{
    struct result result;
    result_init(&result);
    struct image_result *const images[] = {&result.base, &result.image};
    for (size_t i = 0; i < COUNT(images); i++) {
        images[i]->steps = memory_new(2 * sizeof *images[i]->steps);
        images[i]->step_count = 2;
        images[i]->steps[0].name = memory_copy_string("FROM scratch");
        images[i]->steps[1].name = memory_copy_string("COPY . /");
    }
    for (int i = 0; i < 10000; i++)
        strbuf_addstr(&result.evidence, "a line of a build that says a lot\n");
    ck_assert(result.evidence.overflowed);
    ck_assert_uint_le(result.evidence.len, 65536);
    strvec_push(&result.function.configuration_changes, "timeout: 3 → 30");
    check_results_add(&result.storage_checks, "GET / -> 200", true, 200, "", 1);
    span_add(&result.spans, SPAN_NONE, "x", 0, 1, false, -1);
    result_release(&result);
    ck_assert_ptr_null(result.base.steps);
    ck_assert_uint_eq(result.image.step_count, 0);
}
END_TEST

START_TEST(inputs_are_noted)
{
    static const struct {
        enum command command;
        const char *name;
    } commands[] = {{COMMAND_DEPLOY, "deploy"}, {COMMAND_PLAN, "plan"},
                    {COMMAND_BASE, "base"},     {COMMAND_STATUS, "status"},
                    {COMMAND_PRUNE, "prune"},   {COMMAND_ROLLBACK, "rollback"}};
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct result result;
        result_init(&result);
        struct inputs inputs = {.command = commands[i].command,
                                .baseline_ms = 1920000,
                                .minute_price_usd = 0.006,
                                .storage_price_usd = 0.10};
        result_note_inputs(&result, &inputs);
        ck_assert_str_eq(result.command, commands[i].name);
        ck_assert_int_eq(result.baseline_ms, 1920000);
        ck_assert_double_eq(result.minute_price_usd, 0.006);
        ck_assert_double_eq(result.storage_price_usd, 0.10);
        result_release(&result);
    }
}
END_TEST

Suite *result_suite(void)
{
    Suite *suite = suite_create("model/result");
    TCase *cases = tcase_create("result");
    tcase_add_loop_test(cases, outcome_gives_exit_code, 0, COUNT(outcomes));
    tcase_add_test(cases, new_result_says_nothing);
    tcase_add_test(cases, checks_are_kept);
    tcase_add_test(cases, everything_is_released);
    tcase_add_test(cases, inputs_are_noted);
    suite_add_tcase(suite, cases);
    return suite;
}
