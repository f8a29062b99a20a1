#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/clock.h"

Suite *clock_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static const struct {
    int64_t seconds;
    const char *basic, *iso;
} formats[] = {
    {0, "19700101T000000Z", "1970-01-01T00:00:00Z"},
    {1440938160, "20150830T123600Z", "2015-08-30T12:36:00Z"},
    {951782399, "20000228T235959Z", "2000-02-28T23:59:59Z"},
    {951868799, "20000229T235959Z", "2000-02-29T23:59:59Z"},
    {4294967296, "21060207T062816Z", "2106-02-07T06:28:16Z"},
    {-1, "19691231T235959Z", "1969-12-31T23:59:59Z"},
    {INT64_MAX, "", ""},
    {INT64_C(253402300800), "", ""}, /* the year 10000 does not fit */
};

START_TEST(dates_are_formatted)
{
    char basic[17];
    char iso[21];
    clock_format_basic(formats[_i].seconds, basic, sizeof basic);
    clock_format_iso(formats[_i].seconds, iso, sizeof iso);
    ck_assert_str_eq(basic, formats[_i].basic);
    ck_assert_str_eq(iso, formats[_i].iso);
}
END_TEST

struct date {
    const char *text;
    bool is_date;
    int64_t seconds;
};

static const struct date http_dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
    {"Tue, 29 Feb 2000 12:00:00 GMT", true, 951825600},
    {"Thu, 29 Feb 2024 23:59:59 GMT", true, 1709251199},
    {"Sat, 31 Dec 2016 23:59:60 GMT", true, 1483228800}, /* a leap second */
    {"Wed, 29 Feb 2023 12:00:00 GMT", false, 0},
    {"Thu, 29 Feb 1900 12:00:00 GMT", false, 0},
    {"Sun, 31 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 00 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 1994 24:00:00 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:60:00 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:49:61 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:49:37 UTC", false, 0},
    {"Sun, 06 Nov 1994 08:49:37 +0000", false, 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", false, 0},
    {" Sun, 06 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 6 Nov 1994 08:49:37 GMT", false, 0},
    {"Son, 06 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nox 1994 08:49:37 GMT", false, 0},
    {"Sunday, 06-Nov-94 08:49:37 GMT", false, 0},
    {"Sun Nov  6 08:49:37 1994", false, 0},
    {"Sun, 06 Nov -994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 1994", false, 0},
    {"", false, 0},
    {NULL, false, 0},
};

START_TEST(http_dates_are_read)
{
    int64_t seconds = 77;
    ck_assert_int_eq(clock_parse_http_date(http_dates[_i].text, &seconds), http_dates[_i].is_date);
    ck_assert_int_eq(seconds, http_dates[_i].is_date ? http_dates[_i].seconds : 77);
}
END_TEST

static const struct date iso_dates[] = {
    {"2015-08-30T12:36:00Z", true, 1440938160},
    {"2015-08-30T12:36:00.123456789Z", true, 1440938160},
    {"2015-08-30T12:36:00.9Z", true, 1440938160},
    {"2015-08-30T12:36:00+00:00", true, 1440938160},
    {"2015-08-30T14:36:00+02:00", true, 1440938160},
    {"2015-08-30T07:06:00-05:30", true, 1440938160},
    {"2015-08-30T12:36:00.000+0000", true, 1440938160}, /* as Lambda writes it */
    {"2015-08-30T07:06:00.5-0530", true, 1440938160},
    {"2016-01-01T00:30:00+01:00", true, 1451604600},
    {"0001-01-01T00:00:00Z", true, INT64_C(-62135596800)}, /* as Docker writes "never" */
    {"9999-12-31T23:59:59Z", true, INT64_C(253402300799)},
    {"2015-08-30T12:36:00", false, 0},
    {"2015-08-30T12:36:00z", false, 0},
    {"2015-08-30 12:36:00Z", false, 0},
    {"2015-08-30T12:36Z", false, 0},
    {"2015-08-30", false, 0},
    {"2015-08-30T12:36:00.Z", false, 0},
    {"2015-08-30T12:36:00,5Z", false, 0},
    {"2015-08-30T12:36:00+", false, 0},
    {"2015-08-30T12:36:00+00", false, 0},
    {"2015-08-30T12:36:00+24:00", false, 0},
    {"2015-08-30T12:36:00+00:60", false, 0},
    {"2015-08-30T12:36:00+0:00", false, 0},
    {"2015-08-30T12:36:00Z ", false, 0},
    {"2015-08-30T12:36:00ZZ", false, 0},
    {"2015-00-30T12:36:00Z", false, 0},
    {"2015-13-30T12:36:00Z", false, 0},
    {"2015-02-29T12:36:00Z", false, 0},
    {"2015-04-31T12:36:00Z", false, 0},
    {"2015-08-32T12:36:00Z", false, 0},
    {"2015-08-30T24:00:00Z", false, 0},
    {"15-08-30T12:36:00Z", false, 0},
    {"+2015-08-30T12:36:00Z", false, 0},
    {"-015-08-30T12:36:00Z", false, 0},
    {"20150830T123600Z", false, 0},
    {"", false, 0},
    {NULL, false, 0},
};

START_TEST(iso_dates_are_read)
{
    int64_t seconds = 77;
    ck_assert_int_eq(clock_parse_iso(iso_dates[_i].text, &seconds), iso_dates[_i].is_date);
    ck_assert_int_eq(seconds, iso_dates[_i].is_date ? iso_dates[_i].seconds : 77);
}
END_TEST

/* Neither the local time zone nor its summer time plays a part. */
START_TEST(time_zones_do_not_matter)
{
    setenv("TZ", "America/New_York", 1);
    tzset();
    int64_t seconds = 0;
    char iso[21];
    ck_assert(clock_parse_http_date("Wed, 01 Jul 2015 00:00:00 GMT", &seconds));
    clock_format_iso(seconds, iso, sizeof iso);
    ck_assert_str_eq(iso, "2015-07-01T00:00:00Z");
    unsetenv("TZ");
    tzset();
}
END_TEST

static int64_t fake_now(void *context)
{
    return *(int64_t *)context;
}

static bool fake_sleep(void *context, int64_t ms)
{
    *(int64_t *)context += ms;
    return ms != 13;
}

START_TEST(the_clock_can_be_replaced)
{
    int64_t now = 1000;
    const struct clock_source source = {
        .now_ms = fake_now, .sleep_ms = fake_sleep, .context = &now};
    clock_replace(&source);
    ck_assert_int_eq(clock_now_ms(), 1000);
    ck_assert(clock_sleep_ms(60000));
    ck_assert(!clock_sleep_ms(13));
    ck_assert_int_eq(clock_now_ms(), 61013);
    ck_assert_int_gt(clock_wall_seconds(), 1600000000); /* not replaced: the real one */
    const struct clock_source wall = {.wall_seconds = fake_now, .context = &now};
    clock_replace(&wall);
    ck_assert_int_eq(clock_wall_seconds(), 61013);
    clock_replace(NULL);
    ck_assert_int_gt(clock_wall_seconds(), 1600000000);
}
END_TEST

START_TEST(sleep_lasts_as_long_as_it_should)
{
    int64_t start = clock_now_ms();
    ck_assert(clock_sleep_ms(30));
    int64_t took = clock_now_ms() - start;
    ck_assert_int_ge(took, 29); /* both ends are rounded down */
    ck_assert_int_lt(took, 2000);
    start = clock_now_ms();
    ck_assert(clock_sleep_ms(0));
    ck_assert(clock_sleep_ms(-5));
    ck_assert_int_lt(clock_now_ms() - start, 1000);
}
END_TEST

struct sleeper {
    int64_t ms, took_ms, cpu_ms;
    bool is_shielded, was_whole, saw_cancel;
};

static void *sleep_in_thread(void *context)
{
    struct sleeper *sleeper = context;
    if (sleeper->is_shielded)
        cancel_shield_begin();
    int64_t start = clock_now_ms();
    sleeper->was_whole = clock_sleep_ms(sleeper->ms);
    sleeper->took_ms = clock_now_ms() - start;
    sleeper->saw_cancel = cancel_requested();
    if (sleeper->is_shielded)
        cancel_shield_end();
    struct timespec cpu;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    sleeper->cpu_ms = (int64_t)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000;
    return NULL;
}

/* A signal wakes those that sleep, but not those that put things back; nobody spins meanwhile. */
START_TEST(a_signal_wakes_whoever_is_not_shielded)
{
    cancel_install();
    struct sleeper bare = {.ms = 20000};
    struct sleeper shielded = {.ms = 300, .is_shielded = true};
    pthread_t threads[2];
    ck_assert_int_eq(pthread_create(&threads[0], NULL, sleep_in_thread, &bare), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, sleep_in_thread, &shielded), 0);
    usleep(50000);
    kill(getpid(), SIGTERM);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);

    ck_assert(!bare.was_whole);
    ck_assert(bare.saw_cancel);
    ck_assert_int_lt(bare.took_ms, 5000);
    ck_assert(shielded.was_whole);
    ck_assert(!shielded.saw_cancel);
    ck_assert_int_ge(shielded.took_ms, 299);
    ck_assert_int_lt(shielded.cpu_ms, 100);

    int64_t start = clock_now_ms();
    ck_assert(!clock_sleep_ms(20000));
    ck_assert_int_lt(clock_now_ms() - start, 5000);
    cancel_pretend(0);
    ck_assert(clock_sleep_ms(1));
}
END_TEST

Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tests = tcase_create("clock");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, dates_are_formatted, 0, COUNT(formats));
    tcase_add_loop_test(tests, http_dates_are_read, 0, COUNT(http_dates));
    tcase_add_loop_test(tests, iso_dates_are_read, 0, COUNT(iso_dates));
    tcase_add_test(tests, time_zones_do_not_matter);
    tcase_add_test(tests, the_clock_can_be_replaced);
    tcase_add_test(tests, sleep_lasts_as_long_as_it_should);
    tcase_add_test(tests, a_signal_wakes_whoever_is_not_shielded);
    suite_add_tcase(suite, tests);
    return suite;
}
