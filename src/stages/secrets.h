/*
 * secrets.h: what must not be seen. Keys, tokens, passwords, build secrets and headers: in no line
 * of the log, whoever wrote it, and for GitHub's runner masked on top of that. And what must not be
 * seen in a function's answers and logs, or in an error of AWS's: the values of its environment (as
 * it was, as it is, and as the inputs have it), the headers of health checks, build secrets, and
 * the keys and tokens of this run.
 */
#ifndef STAGES_SECRETS_H
#define STAGES_SECRETS_H

#include "model/redact.h"
#include "stages/stage.h"

/* From here to secrets_release nothing that was told is logged. */
void secrets_init(struct run *run);
void secrets_release(struct run *run);

/* A secret, as soon as it is there; from any thread. NULL, and what is too short to be one:
 * nothing. */
void secrets_tell(struct run *run, const char *secret);
/* Every secret that the inputs hold. Of health-headers: what is one by its header's name, or of 16
 * bytes and more. */
void secrets_tell_inputs(struct run *run, const struct inputs *inputs);

/* Fill in `redact` from the run. */
void secrets_collect(struct run *run, struct redact *redact);

/* Out of an error's message: AWS repeats in its refusals what it was sent. */
void secrets_hide(struct run *run, struct error *err);
/*
 * Out of what is kept of a failed step for the summary, which no runner masks before it is stored.
 */
void secrets_hide_evidence(struct run *run);

#endif
