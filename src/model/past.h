/*
 * past.h: what the last deployments of a function say about the next one, and about this one. Pure.
 */
#ifndef MODEL_PAST_H
#define MODEL_PAST_H

#include <stddef.h>
#include <stdint.h>

#include "model/result.h"
#include "model/times.h"

/* What a part usually takes: the median of those deployments in which it took anything; 0: not
 * known. */
int64_t past_expected_ms(const struct times *times, enum times_part part);

/* What a deployment as it is planned will probably take: the usual times of the parts that it would
 * do, and the plan's own. 0: this is no plan, it would do nothing, or of a part that it would do
 * nothing is known. */
int64_t past_planned_ms(const struct result *result);

/* This run among the deployments that built as much as it did. */
struct past_comparison {
    size_t count; /* of them; 0: there is nothing to compare with, and all else is 0 */
    int64_t median_ms, fastest_ms, slowest_ms;
    int64_t less_ms; /* median − this run; negative: it took more */
};
struct past_comparison past_compare(const struct result *result);

/* Deployments within 30 days at the rate of the last ones, this one counted; 0: there were too few,
 * or all on one day. */
int64_t past_deployments_a_month(const struct result *result);

#endif
