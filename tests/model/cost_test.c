#include <check.h>

#include "model/cost.h"

Suite *cost_suite(void);

#define MINUTE INT64_C(60000)

static const struct {
    int64_t duration_ms, baseline_ms, bytes;
    double minute_price, storage_price;
    struct cost cost;
} costs[] = {
    {0, 0, 0, 0.006, 0.10, {.minutes = 0}},
    {-5, 0, -1, 0.006, 0.10, {.minutes = 0}},
    {1, 0, 0, 0.006, 0.10, {.minutes = 1, .run_usd = 0.006}},
    {MINUTE - 1, 0, 0, 0.006, 0.10, {.minutes = 1, .run_usd = 0.006}},
    {MINUTE, 0, 0, 0.006, 0.10, {.minutes = 1, .run_usd = 0.006}},
    {MINUTE + 1, 0, 0, 0.006, 0.10, {.minutes = 2, .run_usd = 0.012}},
    {0, 0, 2000000000, 0.006, 0.10, {.storage_usd_month = 0.20}},
    {0, 0, 312480000, 0, 0.10, {.storage_usd_month = 0.031248}},
    /* The origin's own figures: 32 minutes before, 5 now, US$ 0.008 a minute. */
    {5 * MINUTE,
     32 * MINUTE,
     0,
     0.008,
     0.10,
     {.minutes = 5,
      .baseline_minutes = 32,
      .saved_ms = 27 * MINUTE,
      .saved_percent = 84,
      .run_usd = 0.040,
      .saved_usd = 0.216}},
    {1620,
     32 * MINUTE,
     0,
     0.006,
     0.10,
     {.minutes = 1,
      .baseline_minutes = 32,
      .saved_ms = 32 * MINUTE - 1620,
      .saved_percent = 99,
      .run_usd = 0.006,
      .saved_usd = 0.186}},
    {3 * MINUTE,
     2 * MINUTE,
     0,
     0.006,
     0.10,
     {.minutes = 3,
      .baseline_minutes = 2,
      .saved_ms = -MINUTE,
      .saved_percent = -50,
      .run_usd = 0.018,
      .saved_usd = -0.006}},
    {7 * 24 * 60 * MINUTE,
     1,
     0,
     0,
     0,
     {.minutes = 10080,
      .baseline_minutes = 1,
      .saved_ms = 1 - 7 * 24 * 60 * MINUTE,
      .saved_percent = -INT64_C(60479999900)}},
};

START_TEST(cost_is_estimated)
{
    struct cost cost = cost_estimate(costs[_i].duration_ms, costs[_i].baseline_ms, costs[_i].bytes,
                                     costs[_i].minute_price, costs[_i].storage_price);
    const struct cost *wanted = &costs[_i].cost;
    ck_assert_int_eq(cost.minutes, wanted->minutes);
    ck_assert_int_eq(cost.baseline_minutes, wanted->baseline_minutes);
    ck_assert_int_eq(cost.saved_ms, wanted->saved_ms);
    ck_assert_int_eq(cost.saved_percent, wanted->saved_percent);
    ck_assert_double_eq_tol(cost.run_usd, wanted->run_usd, 1e-12);
    ck_assert_double_eq_tol(cost.storage_usd_month, wanted->storage_usd_month, 1e-12);
    ck_assert_double_eq_tol(cost.saved_usd, wanted->saved_usd, 1e-12);
}
END_TEST

Suite *cost_suite(void)
{
    Suite *suite = suite_create("model/cost");
    TCase *cases = tcase_create("cost");
    tcase_add_loop_test(cases, cost_is_estimated, 0, sizeof costs / sizeof *costs);
    suite_add_tcase(suite, cases);
    return suite;
}
