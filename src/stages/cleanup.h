/*
 * cleanup.h: what a killed run has left behind, put in order: the post step's work, under the
 * program's second name /cleanup.
 *
 * It reads what the run wrote down (stages/journal.h). It never deploys: the only changes of the
 * function that it can make are those of the way back, by the same stages' undo, under the same
 * rule: only what is still as the killed run left it.
 */
#ifndef STAGES_CLEANUP_H
#define STAGES_CLEANUP_H

#include "stages/stage.h"

/* The run's private folder, its logins in it, and the builder container that it started. Failures
 * are warnings. */
void cleanup_machine(struct run *run);

/* Has the run changed the function, or was it about to, and has not come to its end? */
bool cleanup_is_due(const struct run *run);

/* What the killed run has changed and what was there before, for the stages' undo; superseded, if a
 * newer run has the function. Behind stage_identify. */
extern const struct stage stage_cleanup;

/* Nothing could be looked at, without keys for one: the commands by which a person would put it
 * back, by what the run wrote down. */
void cleanup_say_way_back(struct run *run);

/* All is put back that can be: tell it. ERROR_FAILED if there is more, which only a person can. */
int cleanup_conclude(struct run *run, struct error *err);

#endif
