#include <check.h>
#include <stdio.h>

#include "model/past.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DAY_S        86400

Suite *past_suite(void);

static const struct {
    const char *times, *base, *image;
    int64_t duration_ms;
    struct past_comparison comparison;
} comparisons[] = {
    {"", "found", "built", 1000, {0}},
    {"400/0/200/100/60", "built", "built", 1000, {0}},
    {"400/0/200/100/60", "found", "reused", 1000, {0}},
    {"400/0/200/100/60", "found", "built", 1000, {1, 40000, 40000, 40000, 39000}},
    {"500/0/200/100/60 400/0/1/1/1", "found", "built", 50000, {2, 45000, 40000, 50000, -5000}},
    {"500/0/2/1/6 9000/8000/1/1/1 300/0/2/1/1 400/0/1/1/1",
     "found",
     "built",
     40000,
     {3, 40000, 30000, 50000, 0}},
    {"500/0/2/1/6 9000/8000/1/1/1", "built", "built", 1000, {1, 900000, 900000, 900000, 899000}},
};

START_TEST(only_those_alike_are_compared)
{
    struct result result;
    result_init(&result);
    times_parse(comparisons[_i].times, &result.times);
    snprintf(result.base.status, sizeof result.base.status, "%s", comparisons[_i].base);
    snprintf(result.image.status, sizeof result.image.status, "%s", comparisons[_i].image);
    result.duration_ms = comparisons[_i].duration_ms;
    struct past_comparison found = past_compare(&result), wanted = comparisons[_i].comparison;
    ck_assert_uint_eq(found.count, wanted.count);
    ck_assert_int_eq(found.median_ms, wanted.median_ms);
    ck_assert_int_eq(found.fastest_ms, wanted.fastest_ms);
    ck_assert_int_eq(found.slowest_ms, wanted.slowest_ms);
    ck_assert_int_eq(found.less_ms, wanted.less_ms);
    result_release(&result);
}
END_TEST

START_TEST(parts_that_were_not_run_say_nothing)
{
    struct times times;
    times_parse("500/0/200/100/60 9000/8000/300/100/70 400/0/0/100/80", &times);
    ck_assert_int_eq(past_expected_ms(&times, TIMES_BASE), 800000);
    ck_assert_int_eq(past_expected_ms(&times, TIMES_IMAGE), 25000);
    ck_assert_int_eq(past_expected_ms(&times, TIMES_VERIFY), 7000);
    times_parse("", &times);
    ck_assert_int_eq(past_expected_ms(&times, TIMES_TOTAL), 0);
}
END_TEST

static const struct {
    int count;
    int64_t apart_s, monthly;
} rates[] = {
    {0, DAY_S, 0},      {1, DAY_S, 30},          {2, DAY_S, 30},     {7, DAY_S, 30},
    {7, DAY_S / 10, 0}, {7, DAY_S / 7 + 1, 210}, {2, 45 * DAY_S, 1}, {3, 100 * DAY_S, 0},
};

START_TEST(rate_goes_by_the_last_ones)
{
    struct result result;
    result_init(&result);
    result.started_wall_s = 1785000000;
    for (int i = rates[_i].count; i > 0; i--)
        deployed_add(&result.deployments, "4e1243bd22c6", "9b1f3e5d7c2a",
                     result.started_wall_s - i * rates[_i].apart_s);
    ck_assert_int_eq(past_deployments_a_month(&result), rates[_i].monthly);
    result_release(&result);
}
END_TEST

static const struct {
    const char *times;
    enum outcome outcome;
    enum image_action base, image;
    enum function_action function;
    int64_t planned_ms;
} plans[] = {
    {"400/50/200/100/60", OUTCOME_PLANNED, IMAGE_BUILD, IMAGE_LATER, FUNCTION_LATER, 42000},
    {"400/50/200/100/60", OUTCOME_PLANNED, IMAGE_FOUND, IMAGE_BUILD, FUNCTION_UPDATE, 37000},
    {"400/50/200/100/60", OUTCOME_PLANNED, IMAGE_FOUND, IMAGE_FOUND, FUNCTION_UPDATE, 17000},
    {"400/50/200/100/60", OUTCOME_PLANNED, IMAGE_FOUND, IMAGE_FOUND, FUNCTION_UNCHANGED, 0},
    {"400/50/200/100/60", OUTCOME_DEPLOYED, IMAGE_BUILD, IMAGE_LATER, FUNCTION_LATER, 0},
    {"400/0/200/100/60", OUTCOME_PLANNED, IMAGE_BUILD, IMAGE_LATER, FUNCTION_LATER, 0},
    {"", OUTCOME_PLANNED, IMAGE_BUILD, IMAGE_LATER, FUNCTION_LATER, 0},
};

START_TEST(a_plan_takes_what_its_parts_take)
{
    struct result result;
    result_init(&result);
    times_parse(plans[_i].times, &result.times);
    result.outcome = plans[_i].outcome;
    result.base.action = plans[_i].base;
    result.image.action = plans[_i].image;
    result.function.action = plans[_i].function;
    result.duration_ms = 1000;
    ck_assert_int_eq(past_planned_ms(&result), plans[_i].planned_ms);
    result_release(&result);
}
END_TEST

Suite *past_suite(void)
{
    Suite *suite = suite_create("past");
    TCase *cases = tcase_create("all");
    tcase_add_loop_test(cases, only_those_alike_are_compared, 0, COUNT(comparisons));
    tcase_add_test(cases, parts_that_were_not_run_say_nothing);
    tcase_add_loop_test(cases, a_plan_takes_what_its_parts_take, 0, COUNT(plans));
    tcase_add_loop_test(cases, rate_goes_by_the_last_ones, 0, COUNT(rates));
    suite_add_tcase(suite, cases);
    return suite;
}
