/*
 * wait.h: waiting for Lambda to finish what it was told. By GetFunction only, which has a quota of
 * its own (100/s; all other control calls share 15/s).
 */
#ifndef STAGES_WAIT_H
#define STAGES_WAIT_H

#include "stages/stage.h"

/*
 * How long to wait until the next look, `elapsed_ms` after the first one. By itself a tenth of what
 * has passed, so that the end is noticed within a tenth of the whole; near the time that the last
 * deployment took (`expected_ms`, 0: not known) a fortieth of that. Pure.
 */
int64_t wait_pause_ms(int64_t elapsed_ms, int64_t expected_ms);

#define WAIT_BLIND_LIMIT_MS 120000 /* looks that fail on end are borne for so long */

/* Is it worth asking again in a moment? There was no answer, or the far side's own error, or too
 * many ask. Pure. */
bool wait_may_pass(const struct error *err);

/* It is not Pending, and no update is in progress: what GetFunction tells is what answers. Pure. */
bool wait_is_settled(const struct lambda_function *function);

/*
 * Look again and again (wait_pause_ms) until the function (`qualifier` NULL: $LATEST) is not
 * Pending and no update is in progress. *ret_function is how it ended, whatever that is: see
 * wait_outcome. ERROR_TIMEOUT after `limit_ms` or at the run's deadline.
 *
 * Looks that fail in a way that passes are borne for two minutes on end, since an update goes on
 * whether we see it or not; after a cancel there is no time for that. So is a function or version
 * that this run has just made and that Lambda does not know yet (ERROR_NOT_FOUND;
 * hashicorp/terraform-provider-aws#25440). Any other failure ends it.
 */
int wait_settled(struct run *run, const char *qualifier, int64_t limit_ms,
                 struct lambda_function *ret_function, struct error *err);

/* 0 if a settled function is fit to serve; ERROR_FAILED with Lambda's reason and what to do about
 * it. Pure. */
int wait_outcome(const struct lambda_function *function, struct error *err);

#endif
