/*
 * gate.h: what this event may ask for, and why. Pure: the contract's table "Gate: what an event
 * asks for", complete.
 *
 * The decision is made before anything outside is asked. The reasons are sentences for people ("the
 * head commit's message does not hold [test-s3]"); they never quote a stranger's text.
 */
#ifndef MODEL_GATE_H
#define MODEL_GATE_H

#include <stdbool.h>

#include "model/event.h"
#include "model/inputs.h"

enum gate_action {
    GATE_DEPLOY,  /* do what the command says */
    GATE_PLAN,    /* say what would be done, change nothing */
    GATE_NOTHING, /* exit 0, said; AWS is not asked */
    GATE_REFUSE   /* exit 2, said */
};

struct gate {
    enum gate_action action;
    char reason[256]; /* never empty */
    bool storage_tests;
    char storage_reason[256]; /* never empty */
};

/*
 * `checked_out_commit` is the commit of the working tree (needed for pull_request_target), or NULL
 * if it is not known. Uses of inputs: command, dry_run, storage_tests, storage_marker,
 * storage_checks, allow_pull_request.
 */
struct gate gate_decide(const struct inputs *inputs, const struct event *event,
                        const char *checked_out_commit);

#endif
