/*
 * gate.h: what this event may ask for, and why. Pure: the contract's table "Gate: what an event
 * asks for", complete.
 *
 * The decision is made before anything outside is asked. The reasons are sentences for people ("the
 * head commit's message does not hold [test-s3]"); they never quote a stranger's text.
 *
 * Commands: `base` and `rollback` change things, so they pass the same gate as `deploy`; where that
 * says GATE_PLAN they say what they would do. `plan`, `status` and `dry-run: true` only look: they
 * run on every event, a fork's pull request included, where lacking credentials is no error
 * (`credentials_optional`). Nothing runs in a checkout of strangers' code that has our secrets: a
 * pull_request_target, or a workflow_run that a fork caused, is refused for every command unless
 * the checked-out commit is the base's (the default branch's).
 *
 * Storage tests are a part of `deploy` alone, and only where it really deploys: `always` does not
 * make a plan, a fork's pull request, `base`, `status` or `rollback` run any.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <stdbool.h>

#include "model/event.h"
#include "model/inputs.h"

enum gate_action {
    GATE_DEPLOY,  /* do what the command says */
    GATE_PLAN,    /* say what the command would do, change nothing */
    GATE_NOTHING, /* exit 0, said; AWS is not asked */
    GATE_REFUSE   /* exit 2, said */
};

struct gate {
    enum gate_action action;
    char reason[256];          /* never empty */
    bool credentials_optional; /* a fork's plan or status: without credentials, or with inputs
                                  that lack their secrets, there is nothing to do, exit 0 */
    bool storage_tests;
    char storage_reason[256]; /* never empty */
};

/*
 * `checked_out_commit` is the commit of the working tree (needed for pull_request_target, and for a
 * workflow_run with from_fork), or NULL if it is not known. Uses of inputs: command, dry_run,
 * storage_tests, storage_marker, storage_checks, allow_pull_request.
 */
struct gate gate_decide(const struct inputs *inputs, const struct event *event,
                        const char *checked_out_commit);

/*
 * The inputs are not good: a fork's plan or status (`credentials_optional`) has nothing to do then,
 * since what comes from secrets is empty there. Any other decision stays as it is.
 */
void gate_forgive_inputs(struct gate *gate);

#endif
