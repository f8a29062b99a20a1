/*
 * retry.h: when to try again, and after how long. Pure but for the token bucket's lock.
 *
 * AWS's standard retry mode as of November 2026 (3 attempts in all; rand(0,1) · min(base ·
 * 2^i, 20 s) with i from 0, base 50 ms for transient errors and 1 s for throttling; a bucket of 500
 * tokens, 14 a transient retry, 5 a throttling retry; success gives the last cost back, or 1 if
 * nothing was retried; `x-amz-retry-after` in ms is clamped to [t, t + 5 s]). Source:
 * aws.amazon.com/blogs/developer/updated-default-retry-behavior-for-aws-sdks-and-tools/ and
 * botocore retries/{standard,quota}.py.
 */
#ifndef CORE_RETRY_H
#define CORE_RETRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum retry_class { RETRY_NEVER, RETRY_TRANSIENT, RETRY_THROTTLED };

struct retry_bucket { /* shared by all calls to AWS of one run */
    pthread_mutex_t lock;
    int tokens;
};
void retry_bucket_init(struct retry_bucket *bucket);
void retry_bucket_release(struct retry_bucket *bucket);

struct retry_policy {
    int max_attempts;     /* that a transient error ends; the first one counts */
    int max_throttled;    /* the same of throttling, which waits for others to be done */
    int64_t max_delay_ms; /* of one pause */
    int64_t transient_base_ms;
    int64_t throttled_base_ms;
};
extern const struct retry_policy retry_standard;

struct retry {                         /* one call's state */
    const struct retry_policy *policy; /* borrowed */
    struct retry_bucket *bucket;       /* borrowed; NULL: no bucket */
    int attempts;                      /* made so far */
    int transient, throttled;          /* how many of them ended so */
    int last_cost;
};
#define RETRY_INIT(p, b)                                                                           \
    {                                                                                              \
        .policy = (p), .bucket = (b), .attempts = 0, .transient = 0, .throttled = 0,               \
        .last_cost = 0                                                                             \
    }

/*
 * After a failed attempt of this class: true and how long to wait before the next, or false: give
 * up. `random_unit` is uniform in [0, 1); `retry_after_ms` is what the server asked for, or -1.
 */
bool retry_again(struct retry *retry, enum retry_class class, int64_t retry_after_ms,
                 double random_unit, int64_t *ret_delay_ms);
void retry_succeeded(struct retry *retry);

#endif
