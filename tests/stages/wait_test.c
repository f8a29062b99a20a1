/*
 * How often a change is looked at while it goes on.
 */
#include <check.h>

#include "stages/wait.h"

Suite *wait_suite(void);

/* How many looks it takes, and how late the end of an update of `ms` is noticed. */
static int looks_until(int64_t ms, int64_t expected_ms, int64_t *ret_late_ms)
{
    int looks = 1;
    int64_t now_ms = 0;
    while (now_ms < ms) {
        now_ms += wait_pause_ms(now_ms, expected_ms);
        looks++;
    }
    *ret_late_ms = now_ms - ms;
    return looks;
}

static const struct {
    int64_t ms, expected_ms, most_late_ms;
    int most_looks;
} rows[] = {
    {0, 0, 0, 1},
    {300, 0, 100, 5},
    {4000, 0, 400, 28},
    {60000, 0, 2000, 66},
    {600000, 0, 2000, 350},
    {4000, 4000, 100, 40},   /* as expected */
    {4300, 4000, 100, 40},   /* a little longer */
    {3300, 4000, 100, 40},   /* a little less */
    {1000, 4000, 100, 14},   /* much less */
    {30000, 4000, 2000, 80}, /* much longer */
    {60000, 60000, 1500, 80},
    {200, 100, 200, 6},
};

START_TEST(notices_the_end_soon)
{
    int64_t late_ms;
    int looks = looks_until(rows[_i].ms, rows[_i].expected_ms, &late_ms);
    ck_assert_int_le(late_ms, rows[_i].most_late_ms);
    ck_assert_int_le(looks, rows[_i].most_looks);
}
END_TEST

START_TEST(always_goes_on)
{
    for (int64_t expected_ms = 0; expected_ms < 20000; expected_ms += 7)
        for (int64_t elapsed_ms = 0; elapsed_ms < 30000; elapsed_ms += 501)
            ck_assert_int_ge(wait_pause_ms(elapsed_ms, expected_ms), 50);
}
END_TEST

Suite *wait_suite(void)
{
    Suite *suite = suite_create("wait");
    TCase *pauses = tcase_create("pauses");
    tcase_add_loop_test(pauses, notices_the_end_soon, 0, sizeof rows / sizeof *rows);
    tcase_add_test(pauses, always_goes_on);
    suite_add_tcase(suite, pauses);
    return suite;
}
