#include <check.h>

#include "core/retry.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

Suite *retry_suite(void);

static const struct retry_policy many = {
    .max_attempts = 1000,
    .max_throttled = 1000,
    .max_delay_ms = 20000,
    .transient_base_ms = 50,
    .throttled_base_ms = 1000,
};

/* ---- delays: rand · min(base · 2^i, max), then what the server asked for ---- */

static const struct {
    enum retry_class class;
    int attempts; /* before this one */
    int64_t retry_after_ms;
    double random_unit;
    int64_t delay_ms;
} delays[] = {
    {RETRY_TRANSIENT, 0, -1, 0.0, 0},           {RETRY_TRANSIENT, 0, -1, 0.5, 25},
    {RETRY_TRANSIENT, 1, -1, 0.5, 50},          {RETRY_TRANSIENT, 4, -1, 0.5, 400},
    {RETRY_TRANSIENT, 9, -1, 0.5, 10000},       {RETRY_TRANSIENT, 500, -1, 0.5, 10000},
    {RETRY_THROTTLED, 0, -1, 0.5, 500},         {RETRY_THROTTLED, 1, -1, 0.5, 1000},
    {RETRY_THROTTLED, 4, -1, 0.5, 8000},        {RETRY_THROTTLED, 5, -1, 0.5, 10000},
    {RETRY_THROTTLED, 0, -1, 0.999999, 999},    {RETRY_THROTTLED, 0, 100, 0.5, 500},
    {RETRY_THROTTLED, 0, 500, 0.5, 500},        {RETRY_THROTTLED, 0, 1200, 0.5, 1200},
    {RETRY_THROTTLED, 0, 5500, 0.5, 5500},      {RETRY_THROTTLED, 0, 5501, 0.5, 5500},
    {RETRY_TRANSIENT, 0, 3600000, 0.0, 5000},   {RETRY_TRANSIENT, 0, 0, 0.0, 0},
    {RETRY_TRANSIENT, 0, INT64_MAX, 0.0, 5000},
};

START_TEST(delay_case)
{
    struct retry retry = RETRY_INIT(&many, NULL);
    retry.attempts = delays[_i].attempts;
    int64_t delay_ms = -1;
    ck_assert(retry_again(&retry, delays[_i].class, delays[_i].retry_after_ms,
                          delays[_i].random_unit, &delay_ms));
    ck_assert_int_eq(delay_ms, delays[_i].delay_ms);
    ck_assert_int_eq(retry.attempts, delays[_i].attempts + 1);
}
END_TEST

static const enum retry_class classes[] = {RETRY_TRANSIENT, RETRY_THROTTLED};

START_TEST(three_attempts_in_all)
{
    struct retry retry = RETRY_INIT(&retry_standard, NULL);
    int64_t delay_ms = -1;
    ck_assert(retry_again(&retry, classes[_i], -1, 0.5, &delay_ms));
    ck_assert(retry_again(&retry, classes[_i], -1, 0.5, &delay_ms));
    delay_ms = -1;
    ck_assert(!retry_again(&retry, classes[_i], -1, 0.5, &delay_ms));
    ck_assert_int_eq(delay_ms, -1);
    ck_assert_int_eq(retry.attempts, 3);
}
END_TEST

/* ---- each class has a number of its own ---- */

START_TEST(throttling_counts_by_itself)
{
    static const struct retry_policy policy = {.max_attempts = 2,
                                               .max_throttled = 4,
                                               .max_delay_ms = 20000,
                                               .transient_base_ms = 50,
                                               .throttled_base_ms = 1000};
    struct retry retry = RETRY_INIT(&policy, NULL);
    int64_t delay_ms = -1;
    for (int i = 0; i < 3; i++)
        ck_assert(retry_again(&retry, RETRY_THROTTLED, -1, 0.5, &delay_ms));
    ck_assert(retry_again(&retry, RETRY_TRANSIENT, -1, 0.5, &delay_ms));
    ck_assert(!retry_again(&retry, RETRY_THROTTLED, -1, 0.5, &delay_ms));
}
END_TEST

START_TEST(never_is_never)
{
    struct retry_bucket bucket;
    retry_bucket_init(&bucket);
    struct retry retry = RETRY_INIT(&retry_standard, &bucket);
    int64_t delay_ms = -1;
    ck_assert(!retry_again(&retry, RETRY_NEVER, 5, 0.5, &delay_ms));
    ck_assert_int_eq(delay_ms, -1);
    ck_assert_int_eq(bucket.tokens, 500);
    retry_bucket_release(&bucket);
}
END_TEST

/* ---- the bucket ---- */

START_TEST(costs_and_refunds)
{
    struct retry_bucket bucket;
    retry_bucket_init(&bucket);
    ck_assert_int_eq(bucket.tokens, 500);
    int64_t delay_ms;
    struct retry first = RETRY_INIT(&retry_standard, &bucket);
    ck_assert(retry_again(&first, RETRY_TRANSIENT, -1, 0, &delay_ms));
    ck_assert_int_eq(bucket.tokens, 486);
    ck_assert(retry_again(&first, RETRY_THROTTLED, -1, 0, &delay_ms));
    ck_assert_int_eq(bucket.tokens, 481);
    retry_succeeded(&first); /* the last cost only */
    ck_assert_int_eq(bucket.tokens, 486);
    struct retry second = RETRY_INIT(&retry_standard, &bucket);
    retry_succeeded(&second);
    ck_assert_int_eq(bucket.tokens, 487);
    bucket.tokens = 500;
    retry_succeeded(&second); /* never over the brim */
    ck_assert_int_eq(bucket.tokens, 500);
    retry_bucket_release(&bucket);
}
END_TEST

START_TEST(last_attempt_costs_nothing)
{
    struct retry_bucket bucket;
    retry_bucket_init(&bucket);
    struct retry retry = RETRY_INIT(&retry_standard, &bucket);
    retry.transient = 2;
    int64_t delay_ms;
    ck_assert(!retry_again(&retry, RETRY_TRANSIENT, -1, 0, &delay_ms));
    ck_assert_int_eq(bucket.tokens, 500);
    retry_bucket_release(&bucket);
}
END_TEST

static const struct {
    enum retry_class class;
    int retries; /* that a full bucket pays for */
} empties[] = {{RETRY_TRANSIENT, 35}, {RETRY_THROTTLED, 100}};

START_TEST(empty_bucket_ends_it)
{
    struct retry_bucket bucket;
    retry_bucket_init(&bucket);
    struct retry retry = RETRY_INIT(&many, &bucket);
    int64_t delay_ms;
    for (int i = 0; i < empties[_i].retries; i++)
        ck_assert(retry_again(&retry, empties[_i].class, -1, 0, &delay_ms));
    int left = bucket.tokens;
    delay_ms = -1;
    ck_assert(!retry_again(&retry, empties[_i].class, -1, 0, &delay_ms));
    ck_assert_int_eq(delay_ms, -1);
    ck_assert_int_eq(bucket.tokens, left);
    ck_assert_int_ge(left, 0);
    retry_bucket_release(&bucket);
}
END_TEST

/* Many threads at one bucket: nothing is lost or made. */
static void *spend_and_refund(void *context)
{
    int64_t delay_ms;
    for (int i = 0; i < 2000; i++) {
        struct retry retry = RETRY_INIT(&retry_standard, context);
        if (retry_again(&retry, RETRY_TRANSIENT, -1, 0, &delay_ms))
            retry_succeeded(&retry);
    }
    return NULL;
}

START_TEST(bucket_is_shared)
{
    struct retry_bucket bucket;
    pthread_t threads[4];
    retry_bucket_init(&bucket);
    bucket.tokens = 300;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, spend_and_refund, &bucket), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(bucket.tokens, 300);
    retry_bucket_release(&bucket);
}
END_TEST

Suite *retry_suite(void)
{
    Suite *suite = suite_create("retry");
    TCase *tc = tcase_create("retry");
    tcase_add_loop_test(tc, delay_case, 0, COUNT(delays));
    tcase_add_loop_test(tc, three_attempts_in_all, 0, COUNT(classes));
    tcase_add_test(tc, throttling_counts_by_itself);
    tcase_add_test(tc, never_is_never);
    tcase_add_test(tc, costs_and_refunds);
    tcase_add_test(tc, last_attempt_costs_nothing);
    tcase_add_loop_test(tc, empty_bucket_ends_it, 0, 2);
    tcase_add_test(tc, bucket_is_shared);
    suite_add_tcase(suite, tc);
    return suite;
}
