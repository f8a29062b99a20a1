/*
 * secrets.h: what must not be seen in a function's answers and logs: the values of its environment (as it was, as it is, and as the inputs have it), the headers of
 * health checks, build secrets, and the keys of this run.
 */
#ifndef STAGES_SECRETS_H
#define STAGES_SECRETS_H

#include "model/redact.h"
#include "stages/stage.h"

/* Ask the runner to hide every secret that the inputs hold. */
void secrets_mask(const struct github *github, const struct inputs *inputs);

/* Fill in `redact` from the run. */
void secrets_collect(const struct run *run, struct redact *redact);

/* Out of an error's message: Lambda repeats in its refusals what it was sent. */
void secrets_hide(const struct run *run, struct error *err);

#endif
