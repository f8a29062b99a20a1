/*
 * cost.h: durations → money, as an estimate with its formula. Pure. Prices in US$.
 *
 * It is an estimate: the job's other steps count towards its minutes too, GitHub rounds the whole
 * job up, and ECR stores a layer that several images of a repository share only once.
 */
#ifndef MODEL_COST_H
#define MODEL_COST_H

#include <stdint.h>

struct cost {
    int64_t minutes;          /* started ones: GitHub rounds each job up to a whole minute */
    int64_t baseline_minutes; /* 0: no baseline */
    int64_t saved_ms;         /* baseline − duration, may be negative; 0 without a baseline */
    int64_t saved_percent;    /* of the baseline, cut to a whole number; the same */
    double run_usd;           /* minutes × minute price */
    double storage_usd_month; /* images that this run added, GB (10^9 bytes) × price */
    double saved_usd; /* (baseline minutes − minutes) × minute price; 0 without a baseline; may be
                         negative */
};

/* `baseline_ms` 0: none. `image_bytes` 0: nothing was added, or it is not known. */
struct cost cost_estimate(int64_t duration_ms, int64_t baseline_ms, int64_t image_bytes,
                          double minute_price_usd, double storage_price_usd);

#endif
