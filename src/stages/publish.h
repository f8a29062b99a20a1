/*
 * publish.h: whether a version is to be published, decided the same way for plan, preflight and
 * deploy.
 */
#ifndef STAGES_PUBLISH_H
#define STAGES_PUBLISH_H

#include "model/plan.h"
#include "stages/stage.h"

/* `digest` is the image's, "" while it is not known; `changes`: the function's code or
 * configuration is changed. Sends nothing. */
struct alias_plan publish_plan(const struct run *run, const char *digest, bool changes);

#endif
