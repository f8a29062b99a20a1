/*
 * checks_run.h: lines of checks, sent to the deployed function by HTTP.
 *
 * Each PATH is below health-url, as health-path is (so a stage's prefix such as /prod stays). They
 * run in order; values of earlier answers can stand in later ones (model/checks.h). After the first
 * bad one the rest is not sent: what it would say of a broken function helps nobody.
 */
#ifndef STAGES_CHECKS_RUN_H
#define STAGES_CHECKS_RUN_H

#include "stages/stage.h"

/* Before anything is tried: do the inputs checks and storage-checks parse, and is there a
 * health-url for them? ERROR_INPUT. */
int checks_validate(const struct run *run, struct error *err);

/* The input `checks`. ERROR_FAILED names the line that failed. */
int checks_run_always(struct run *run, struct error *err);

/* The input `storage-checks`, when the gate says so; always says in the log why they run or not. */
int checks_run_storage(struct run *run, struct error *err);

#endif
