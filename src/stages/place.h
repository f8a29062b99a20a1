/*
 * place.h: where in the user's files the failure belongs, so that GitHub shows it there.
 *
 * Best effort: a place that cannot be found is left out, nothing fails for it.
 */
#ifndef STAGES_PLACE_H
#define STAGES_PLACE_H

#include "stages/stage.h"

/* A line (from 1; 0 or less: none is known) of a file in the workspace, by its absolute path. */
void place_failure(struct run *run, const char *path, int line);

/* The line of the workflow's file that holds this text (a check as it was written). */
void place_failure_in_workflow(struct run *run, const char *text);

#endif
