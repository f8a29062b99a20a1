#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "model/timeline.h"

Suite *timeline_suite(void);

static int add(struct result *result, int parent, int64_t start_ms, int64_t end_ms)
{
    return span_add(&result->spans, parent, "x", start_ms, end_ms, false, -1);
}

START_TEST(what_is_between_the_stages)
{
    struct result result;
    result_init(&result);
    result.duration_ms = 1000;
    ck_assert_int_eq(timeline_other_ms(&result), 1000);
    int first = add(&result, SPAN_NONE, 100, 300);
    add(&result, first, 100, 250); /* inside: already counted */
    ck_assert_int_eq(timeline_other_ms(&result), 800);
    int beside = add(&result, SPAN_NONE, 100, 900);
    span_set_beside(&result.spans, beside);
    ck_assert_int_eq(timeline_other_ms(&result), 800);
    int open = add(&result, SPAN_NONE, 400, 400);
    result.spans.items[open].end_ms = -1; /* until the run ended */
    ck_assert_int_eq(timeline_span_ms(&result, &result.spans.items[open]), 600);
    ck_assert_int_eq(timeline_other_ms(&result), 200);
    add(&result, SPAN_NONE, 0, 5000); /* clocks that disagree: not less than nothing */
    ck_assert_int_eq(timeline_other_ms(&result), 0);
    result.spans.items[open].start_ms = 2000;
    ck_assert_int_eq(timeline_span_ms(&result, &result.spans.items[open]), 0);
    result_release(&result);
}
END_TEST

static size_t count_chosen(const struct result *result, const bool *chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < result->spans.len; i++)
        count += chosen[i];
    return count;
}

START_TEST(few_are_all_chosen)
{
    struct result result;
    result_init(&result);
    int parent = add(&result, SPAN_NONE, 0, 9);
    for (int i = 0; i < 8; i++)
        add(&result, parent, i, i + 1);
    CLEANUP_FREE bool *chosen = timeline_choose(&result, 8);
    ck_assert_uint_eq(count_chosen(&result, chosen), 9);
    result_release(&result);
}
END_TEST

/* Of 100 children 8 may be shown: the first two, the last two, the four slowest of the others. */
START_TEST(first_last_and_slowest_are_chosen)
{
    static const int slow[] = {10, 33, 34, 90};
    struct result result;
    result_init(&result);
    int parent = add(&result, SPAN_NONE, 0, 1000);
    for (int i = 0; i < 100; i++)
        add(&result, parent, i, i + 1);
    for (size_t i = 0; i < 4; i++)
        result.spans.items[1 + slow[i]].end_ms += 50;
    int child = add(&result, 1 + 50, 50, 51); /* of one that is not shown */
    int shown = add(&result, 1 + 33, 33, 34);
    CLEANUP_FREE bool *chosen = timeline_choose(&result, 8);
    static const int wanted[] = {0, 1, 10, 33, 34, 90, 98, 99};
    for (size_t i = 0; i < 8; i++)
        ck_assert_msg(chosen[1 + wanted[i]], "%d is missing", wanted[i]);
    ck_assert(chosen[0]);
    ck_assert(!chosen[child]);
    ck_assert(chosen[shown]);
    ck_assert_uint_eq(count_chosen(&result, chosen), 10);
    result_release(&result);
}
END_TEST

START_TEST(outermost_are_always_chosen)
{
    struct result result;
    result_init(&result);
    for (int i = 0; i < 30; i++)
        add(&result, add(&result, SPAN_NONE, i, i + 1), i, i + 1);
    CLEANUP_FREE bool *chosen = timeline_choose(&result, 0);
    for (size_t i = 0; i < result.spans.len; i++)
        ck_assert_int_eq(chosen[i], result.spans.items[i].parent == SPAN_NONE);
    result_release(&result);
}
END_TEST

START_TEST(failed_step_is_chosen)
{
    struct result result;
    result_init(&result);
    ck_assert_int_eq(timeline_failed_span(&result), SPAN_NONE);
    int parent = add(&result, SPAN_NONE, 0, 1000);
    int failed = SPAN_NONE;
    for (int i = 0; i < 100; i++) {
        char name[200];
        snprintf(name, sizeof name, "[%d/100] RUN a\ttab%c%.150s", i, i == 51 ? '\n' : ' ',
                 "and a name that is longer than a span's can be, so that it is cut there, and "
                 "only its beginning can be compared with the step's");
        int span = span_add(&result.spans, parent, name, i, i + 1, false, -1);
        if (i != 51)
            continue;
        failed = span;
        result.base.steps = memory_new(sizeof *result.base.steps);
        result.base.steps[0].name = memory_copy_string(name);
        result.base.steps[0].failed = true;
        result.base.step_count = 1;
    }
    ck_assert_int_ne(failed, SPAN_NONE);
    ck_assert_int_eq(timeline_failed_span(&result), failed);
    CLEANUP_FREE bool *chosen = timeline_choose(&result, 4);
    ck_assert(chosen[failed]);
    result.base.steps[0].failed = false;
    ck_assert_int_eq(timeline_failed_span(&result), SPAN_NONE);
    result_release(&result);
}
END_TEST

START_TEST(nothing_to_choose)
{
    struct result result;
    result_init(&result);
    CLEANUP_FREE bool *chosen = timeline_choose(&result, 8);
    ck_assert_ptr_nonnull(chosen);
    result_release(&result);
}
END_TEST

Suite *timeline_suite(void)
{
    Suite *suite = suite_create("model/timeline");
    TCase *cases = tcase_create("timeline");
    tcase_add_test(cases, what_is_between_the_stages);
    tcase_add_test(cases, few_are_all_chosen);
    tcase_add_test(cases, first_last_and_slowest_are_chosen);
    tcase_add_test(cases, outermost_are_always_chosen);
    tcase_add_test(cases, failed_step_is_chosen);
    tcase_add_test(cases, nothing_to_choose);
    suite_add_tcase(suite, cases);
    return suite;
}
