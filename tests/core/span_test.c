#include <check.h>
#include <pthread.h>

#include "core/clock.h"
#include "core/span.h"
#include "core/text.h"

Suite *span_suite(void);

static int64_t now;

static int64_t fake_now(void *context)
{
    (void)context;
    return now;
}

static const struct clock_source fake_clock = {.now_ms = fake_now};

START_TEST(spans_nest)
{
    now = 5000;
    clock_replace(&fake_clock);
    struct spans spans;
    spans_init(&spans);
    now += 10;
    int outer = span_begin(&spans, SPAN_NONE, "deploy %s", "hello");
    now += 5;
    int inner = span_begin(&spans, outer, "build");
    now += 100;
    ck_assert_int_eq(spans.items[inner].end_ms, -1);
    span_end(&spans, inner);
    now += 3;
    span_end(&spans, inner); /* the first end counts */
    span_end(&spans, outer);
    span_set_beside(&spans, inner);

    ck_assert_uint_eq(spans.len, 2);
    ck_assert_str_eq(spans.items[outer].name, "deploy hello");
    ck_assert_int_eq(spans.items[outer].parent, SPAN_NONE);
    ck_assert_int_eq(spans.items[outer].start_ms, 10);
    ck_assert_int_eq(spans.items[outer].end_ms, 118);
    ck_assert_int_eq(spans.items[outer].bytes, -1);
    ck_assert(!spans.items[outer].beside);
    ck_assert_int_eq(spans.items[inner].parent, outer);
    ck_assert_int_eq(spans.items[inner].start_ms, 15);
    ck_assert_int_eq(spans.items[inner].end_ms, 115);
    ck_assert(spans.items[inner].beside);
    clock_replace(NULL);
    spans_release(&spans);
    ck_assert_ptr_null(spans.items);
    spans_release(NULL);
}
END_TEST

START_TEST(known_times_are_added)
{
    struct spans spans;
    spans_init(&spans);
    int step = span_add(&spans, SPAN_NONE, "RUN a\nb", 7, 9, true, 4096);
    ck_assert_str_eq(spans.items[step].name, "RUN a\\x0ab");
    ck_assert_int_eq(spans.items[step].start_ms, 7);
    ck_assert_int_eq(spans.items[step].end_ms, 9);
    ck_assert(spans.items[step].cached);
    ck_assert_int_eq(spans.items[step].bytes, 4096);

    /* clocks that disagree: never negative, never open, never a parent that is not there */
    int early = span_add(&spans, 99, "early", -20, -5, false, -1);
    ck_assert_int_eq(spans.items[early].parent, SPAN_NONE);
    ck_assert_int_eq(spans.items[early].start_ms, 0);
    ck_assert_int_eq(spans.items[early].end_ms, 0);
    int backwards = span_add(&spans, -7, "backwards", 10, 4, false, -1);
    ck_assert_int_eq(spans.items[backwards].parent, SPAN_NONE);
    ck_assert_int_eq(spans.items[backwards].end_ms, 10);
    int self = span_add(&spans, 3, "its own parent", 1, 2, false, -1);
    ck_assert_int_eq(self, 3);
    ck_assert_int_eq(spans.items[self].parent, SPAN_NONE);
    spans_release(&spans);
}
END_TEST

START_TEST(long_names_are_cut)
{
    struct spans spans;
    spans_init(&spans);
    int span = span_begin(&spans, SPAN_NONE, "%0500d", 1);
    const char *name = spans.items[span].name;
    ck_assert_uint_eq(strlen(name), sizeof spans.items[span].name - 1);
    ck_assert(text_ends_with(name, "…"));
    spans_release(&spans);
}
END_TEST

START_TEST(too_many_are_counted)
{
    struct spans spans;
    spans_init(&spans);
    for (int i = 0; i < SPAN_MAX; i++)
        ck_assert_int_eq(span_add(&spans, i - 1, "x", 0, 1, false, -1), i);
    ck_assert_int_eq(span_begin(&spans, SPAN_NONE, "one more"), SPAN_NONE);
    span_end(&spans, SPAN_NONE);
    span_set_beside(&spans, SPAN_NONE);
    span_end(&spans, SPAN_MAX);
    span_set_beside(&spans, SPAN_MAX);
    ck_assert_uint_eq(spans.len, SPAN_MAX);
    ck_assert_uint_eq(spans.dropped, 1);
    ck_assert_int_eq(spans.items[SPAN_MAX - 1].parent, SPAN_MAX - 2);
    spans_release(&spans);
}
END_TEST

/* {start, end, is it on the way?} of a build's steps; 0 ms long ones were answered by the cache. */
static const struct {
    int64_t start_ms, end_ms;
    bool beside;
} steps[] = {
    {0, 100, false},   {0, 90, true},     {100, 100, false}, {100, 400, false},
    {110, 250, true},  {260, 390, true},  {400, 450, true},  {400, 450, true},
    {440, 460, false}, {460, 900, false}, {455, 470, true},
};

START_TEST(what_ran_at_the_same_time_is_beside)
{
    struct spans spans;
    spans_init(&spans);
    int parent = span_add(&spans, SPAN_NONE, "build", 0, 1000, false, -1);
    int other = span_add(&spans, SPAN_NONE, "other", 0, 1000, false, -1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        span_add(&spans, parent, "step", steps[i].start_ms, steps[i].end_ms, false, -1);
    span_add(&spans, other, "its own", 0, 1000, false, -1);
    spans_mark_beside(&spans, parent);
    spans_mark_beside(&spans, SPAN_MAX); /* nobody's parent */
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        ck_assert_msg(spans.items[2 + i].beside == steps[i].beside, "step %zu", i);
    ck_assert(!spans.items[parent].beside && !spans.items[other].beside);
    ck_assert(!spans.items[spans.len - 1].beside);
    spans_release(&spans);
}
END_TEST

START_TEST(time_so_far)
{
    now = 1000;
    clock_replace(&fake_clock);
    struct spans spans;
    spans_init(&spans);
    int span = span_begin(&spans, SPAN_NONE, "x");
    now += 30;
    ck_assert_int_eq(span_ms(&spans, span), 30);
    span_end(&spans, span);
    now += 30;
    ck_assert_int_eq(span_ms(&spans, span), 30);
    ck_assert_int_eq(span_ms(&spans, SPAN_NONE), 0);
    clock_replace(NULL);
    spans_release(&spans);
}
END_TEST

static void *end_it(void *context)
{
    span_end(context, 0);
    return NULL;
}

/* Between hold and let go nothing changes; afterwards it does. */
START_TEST(a_report_holds_them)
{
    struct spans spans;
    pthread_t thread;
    spans_init(&spans);
    span_begin(&spans, SPAN_NONE, "x");
    spans_hold(&spans);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_it, &spans), 0);
    clock_sleep_ms(50);
    ck_assert_int_eq(spans.items[0].end_ms, -1);
    spans_let_go(&spans);
    pthread_join(thread, NULL);
    ck_assert_int_ge(spans.items[0].end_ms, 0);
    spans_release(&spans);
}
END_TEST

#define THREADS          4
#define SPANS_PER_THREAD 1000

static void *record(void *context)
{
    struct spans *spans = context;
    for (int i = 0; i < SPANS_PER_THREAD; i++) {
        int span = span_begin(spans, SPAN_NONE, "span %d", i);
        span_set_beside(spans, span);
        span_end(spans, span);
    }
    return NULL;
}

START_TEST(threads_record_together)
{
    struct spans spans;
    pthread_t threads[THREADS];
    spans_init(&spans);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, record, &spans), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(spans.len, THREADS * SPANS_PER_THREAD);
    for (size_t i = 0; i < spans.len; i++) {
        ck_assert(spans.items[i].beside);
        ck_assert_int_ge(spans.items[i].end_ms, spans.items[i].start_ms);
        ck_assert(text_starts_with(spans.items[i].name, "span "));
    }
    spans_release(&spans);
}
END_TEST

Suite *span_suite(void)
{
    Suite *suite = suite_create("span");
    TCase *tests = tcase_create("span");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, spans_nest);
    tcase_add_test(tests, known_times_are_added);
    tcase_add_test(tests, long_names_are_cut);
    tcase_add_test(tests, too_many_are_counted);
    tcase_add_test(tests, what_ran_at_the_same_time_is_beside);
    tcase_add_test(tests, time_so_far);
    tcase_add_test(tests, a_report_holds_them);
    tcase_add_test(tests, threads_record_together);
    suite_add_tcase(suite, tests);
    return suite;
}
