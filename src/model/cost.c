#include "model/cost.h"

#define MINUTE_MS     60000
#define BYTES_IN_A_GB 1e9

/* GitHub bills every minute that was started. */
static int64_t billed_minutes(int64_t ms)
{
    if (ms <= 0)
        return 0;
    return ms / MINUTE_MS + (ms % MINUTE_MS > 0);
}

struct cost cost_estimate(int64_t duration_ms, int64_t baseline_ms, int64_t image_bytes,
                          double minute_price_usd, double storage_price_usd)
{
    struct cost cost = {.minutes = billed_minutes(duration_ms),
                        .baseline_minutes = billed_minutes(baseline_ms)};
    cost.run_usd = (double)cost.minutes * minute_price_usd;
    if (image_bytes > 0)
        cost.storage_usd_month = (double)image_bytes / BYTES_IN_A_GB * storage_price_usd;
    if (baseline_ms > 0) {
        cost.saved_ms = baseline_ms - duration_ms;
        cost.saved_percent = (int64_t)((double)cost.saved_ms * 100 / (double)baseline_ms);
        cost.saved_usd = (double)(cost.baseline_minutes - cost.minutes) * minute_price_usd;
    }
    return cost;
}
