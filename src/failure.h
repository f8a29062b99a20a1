/*
 * failure.h: what follows when a stage fails, or finds that a newer run has the function: what was
 * changed is put back, and what came of it is told.
 *
 * `stages` is the pipeline that runs, ended by NULL; `at` the place of the stage in it.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include "stages/stage.h"

/* Keep the error in the result. The first one counts. */
void failure_remember(struct result *result, const char *stage, const char *title,
                      const struct error *err);

/* The one place where an error is told: without secrets, and with the place in the docs that speaks
 * of it. */
void failure_say(struct run *run, const char *stage, const struct error *err);

/* Put back what the stages up to and including `at` changed, the newest first, and prove that it
 * answers. `err` is the first error; any other is told. */
int failure_put_back(struct run *run, const struct stage *const *stages, size_t at,
                     struct error *err);

/* What the program cannot put in order: tell it, and by which commands a person does. The run's
 * outcome says so from here on. */
void failure_leave_to_person(struct run *run, const char *stage, const struct error *err);

/* Yield where a stage has failed because a newer run works on the function, too: then (true) this
 * run has not failed, it is superseded. */
bool failure_yield(struct run *run, const struct stage *const *stages, size_t at,
                   struct error *err);

/*
 * A newer run has the function: what this one had changed is put back, unless the newer one has
 * changed it already, or it has passed verification: the newer one goes on from there.
 */
void failure_stand_back(struct run *run, const struct stage *const *stages, size_t at);

/* Tell it, and put back what was changed, where on-failure does not say otherwise. */
void failure_handle(struct run *run, const struct stage *const *stages, size_t at,
                    struct error *err);

#endif
