/*
 * survey.h: the parts of the survey that other stages call again when they know more.
 */
#ifndef STAGES_SURVEY_H
#define STAGES_SURVEY_H

#include "stages/stage.h"

/* Identity of the application image on the base `base_digest` ("": it has none), and what is under
 * its tags: into run->facts.image. */
int survey_image(struct run *run, const char *base_digest, struct error *err);

/* The function as it is now, into run->facts.function and run->snapshot, and, until our first
 * change of it, into run->before. That it is not there is no error. */
int survey_function(struct run *run, struct error *err);

#endif
