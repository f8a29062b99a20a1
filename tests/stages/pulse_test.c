#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/log.h"
#include "stages/pulse.h"

Suite *pulse_suite(void);

static atomic_int live_lines, other_lines;
static char last[200];

static void on_line(void *context, enum log_level level, const struct log_place *place,
                    const char *text)
{
    (void)context, (void)level, (void)place, (void)text;
    other_lines++;
}

static void on_group_begin(void *context, const char *title)
{
    (void)context, (void)title;
}

static void on_group_end(void *context)
{
    (void)context;
}

static void on_live(void *context, const char *text)
{
    (void)context;
    snprintf(last, sizeof last, "%s", text);
    live_lines++;
}

static const struct log_sink terminal = {
    .line = on_line, .group_begin = on_group_begin, .group_end = on_group_end, .live = on_live};

/*
 * On a terminal once a second; at the end the live line is taken away, and nothing comes any more.
 */
START_TEST(live_line_beats_and_ends)
{
    log_use(&terminal);
    pulse_begin("Base image", 7000);
    ck_assert(pulse_wants_count());
    pulse_count(4, 10, 0, 0);
    ck_assert(!pulse_wants_count());
    for (int i = 0; i < 100 && live_lines == 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    ck_assert_int_gt(live_lines, 0);
    ck_assert_ptr_nonnull(strstr(last, "Base image: "));
    ck_assert_ptr_nonnull(strstr(last, "so far, usually 7.0 s; 4 of 10 steps done"));
    pulse_end();
    ck_assert_str_eq(last, "");
    ck_assert_int_eq(other_lines, 0);
    int before = live_lines;
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
    ck_assert_int_eq(live_lines, before);
    pulse_begin("Application image", 0); /* and again, for the next stage */
    for (int i = 0; i < 100 && live_lines == before; i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    ck_assert_ptr_nonnull(strstr(last, "Application image: "));
    pulse_end();
    pulse_release();
    pulse_release();
    log_use(NULL);
}
END_TEST

START_TEST(short_work_says_nothing)
{
    log_use(&terminal);
    for (int i = 0; i < 50; i++) {
        pulse_begin("Plan", 0);
        pulse_end();
    }
    ck_assert_int_eq(other_lines, 0);
    ck_assert_str_eq(last, "");
    pulse_release();
    log_use(NULL);
}
END_TEST

Suite *pulse_suite(void)
{
    Suite *suite = suite_create("pulse");
    TCase *cases = tcase_create("all");
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, live_line_beats_and_ends);
    tcase_add_test(cases, short_work_says_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}
