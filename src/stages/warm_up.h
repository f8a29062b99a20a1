/*
 * warm_up.h: calls that make Lambda start execution environments of the new version before users
 * do.
 *
 * refresh-invocations calls, by health-url or else by health-payload, each begun when the one
 * before was answered, or after refresh-interval. What they answer is counted only. -1: cancelled,
 * the deadline, no permission.
 */
#ifndef STAGES_WARM_UP_H
#define STAGES_WARM_UP_H

#include "stages/stage.h"

int warm_up_calls(struct run *run, int *ret_good, struct error *err);

#endif
