/*
 * newer.h: yielding to a newer run of the same repository, workflow and ref that has come in
 * between, after this one has claimed the function (stages/record.h).
 *
 * Both look at the function again, and keep its tags in run->snapshot. True: the result's outcome
 * is superseded now, with the reason. Where the look fails nothing is yielded: what this run has
 * met by itself is then what is told.
 */
#ifndef STAGES_NEWER_H
#define STAGES_NEWER_H

#include "stages/stage.h"

/* For a run whose change was refused, since the function or its alias is not as this run has seen
 * it. */
bool newer_yield_to_claim(struct run *run);

/* The newer run has changed the function or the alias already: what this run has left is not there
 * any more. */
bool newer_yield_to_change(struct run *run);

#endif
