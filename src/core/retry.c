#include "core/retry.h"

#define BUCKET_SIZE        500
#define TRANSIENT_COST     14
#define THROTTLED_COST     5
#define UNRETRIED_GAIN     1
#define RETRY_AFTER_MARGIN 5000 /* ms above our own pause that a server may ask for */

const struct retry_policy retry_standard = {
    .max_attempts = 3,
    .max_throttled = 3,
    .max_delay_ms = 20000,
    .transient_base_ms = 50,
    .throttled_base_ms = 1000,
};

void retry_bucket_init(struct retry_bucket *bucket)
{
    pthread_mutex_init(&bucket->lock, NULL);
    bucket->tokens = BUCKET_SIZE;
}

void retry_bucket_release(struct retry_bucket *bucket)
{
    pthread_mutex_destroy(&bucket->lock);
}

static bool bucket_take(struct retry_bucket *bucket, int cost)
{
    if (!bucket)
        return true;
    pthread_mutex_lock(&bucket->lock);
    bool enough = bucket->tokens >= cost;
    if (enough)
        bucket->tokens -= cost;
    pthread_mutex_unlock(&bucket->lock);
    return enough;
}

static void bucket_give(struct retry_bucket *bucket, int tokens)
{
    if (!bucket)
        return;
    pthread_mutex_lock(&bucket->lock);
    bucket->tokens += tokens;
    if (bucket->tokens > BUCKET_SIZE)
        bucket->tokens = BUCKET_SIZE;
    pthread_mutex_unlock(&bucket->lock);
}

/* base · 2^doublings, at most `max`. */
static int64_t grown(int64_t base, int doublings, int64_t max)
{
    while (doublings-- > 0 && base < max)
        base *= 2;
    return base < max ? base : max;
}

/* What the server asked for, within reason: never sooner than we would, never much later. */
static int64_t heed(int64_t delay_ms, int64_t retry_after_ms)
{
    if (retry_after_ms <= delay_ms)
        return delay_ms;
    int64_t latest_ms = delay_ms + RETRY_AFTER_MARGIN;
    return retry_after_ms < latest_ms ? retry_after_ms : latest_ms;
}

/* One more failure of this class: was it the last that the policy allows? */
static bool is_last(struct retry *retry, enum retry_class class)
{
    retry->attempts++;
    if (class == RETRY_THROTTLED)
        return ++retry->throttled >= retry->policy->max_throttled;
    return class == RETRY_NEVER || ++retry->transient >= retry->policy->max_attempts;
}

bool retry_again(struct retry *retry, enum retry_class class, int64_t retry_after_ms,
                 double random_unit, int64_t *ret_delay_ms)
{
    const struct retry_policy *policy = retry->policy;
    if (is_last(retry, class))
        return false;
    int cost = class == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;
    if (!bucket_take(retry->bucket, cost))
        return false;
    retry->last_cost = cost;
    int64_t base_ms =
        class == RETRY_THROTTLED ? policy->throttled_base_ms : policy->transient_base_ms;
    int64_t most_ms = grown(base_ms, retry->attempts - 1, policy->max_delay_ms);
    *ret_delay_ms = heed((int64_t)(random_unit * (double)most_ms), retry_after_ms);
    return true;
}

void retry_succeeded(struct retry *retry)
{
    bucket_give(retry->bucket, retry->last_cost ? retry->last_cost : UNRETRIED_GAIN);
    retry->last_cost = 0;
}
