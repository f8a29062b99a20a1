/*
 * cost.h: durations → money, as an estimate with its formula. Pure. Prices in US$.
 */
#ifndef MODEL_COST_H
#define MODEL_COST_H

#include <stdint.h>

struct cost {
    double
        run_usd; /* minutes started × minute price: GitHub rounds each job up to a whole minute */
    double storage_usd_month; /* images of this run, GB × price */
    double saved_usd;         /* against the baseline; 0 without one; may be negative */
};
struct cost cost_estimate(int64_t duration_ms, int64_t baseline_ms, int64_t image_bytes,
                          double minute_price_usd, double storage_price_usd);

#endif
