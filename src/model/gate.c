#include "model/gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

#define MARKER_BYTES 60 /* of the marker in a reason */
#define WORD_BYTES   40 /* of an event's or action's name in a reason */

struct question {
    const struct inputs *inputs;    /* borrowed */
    const struct event *event;      /* borrowed */
    const char *checked_out_commit; /* borrowed; NULL: not known */
};

static void say(char *reason, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(char *reason, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(reason, size, fmt, ap);
    va_end(ap);
}

#define SAY(reason, ...) say((reason), sizeof(reason), __VA_ARGS__)

/* A name from GitHub, as long as it looks like one; else `otherwise`. */
static const char *word(const char *text, const char *otherwise)
{
    bool good = text && *text && strlen(text) <= WORD_BYTES &&
                strspn(text, "abcdefghijklmnopqrstuvwxyz_") == strlen(text);
    return good ? text : otherwise;
}

static const char *command_name(const struct question *question)
{
    for (size_t i = 0; i < command_spec_count; i++)
        if (command_specs[i].command == question->inputs->command)
            return command_specs[i].name;
    return "the command";
}

/* ---- the action ---- */

static bool is_trusted_commit(const struct question *question)
{
    const char *commit = question->checked_out_commit;
    const struct event *event = question->event;
    return !text_is_empty(commit) && (text_equal_ignore_case(commit, event->commit) ||
                                      text_equal_ignore_case(commit, event->base_commit));
}

/* Strangers' code must not run where our secrets are, whatever the command. */
static bool refuse_strangers(const struct question *question, struct gate *gate)
{
    const struct event *event = question->event;
    bool is_target = event->kind == EVENT_PULL_REQUEST_TARGET;
    bool is_run = event->kind == EVENT_OTHER && event->from_fork;
    if ((!is_target && !is_run) || is_trusted_commit(question))
        return false;
    const char *whose = is_target ? "the base's" : "the default branch's";
    const char *what = is_target ? "a pull_request_target" : "a workflow_run that a fork caused";
    gate->action = GATE_REFUSE;
    if (text_is_empty(question->checked_out_commit))
        SAY(gate->reason,
            "%s runs only in a checkout of %s commit, and the commit of this working tree is not "
            "known; use actions/checkout without ref",
            what, whose);
    else
        SAY(gate->reason,
            "%s runs only in a checkout of %s commit, and another one is checked out; use "
            "actions/checkout without ref",
            what, whose);
    return true;
}

/* plan, status and dry-run look and change nothing: any event may ask for them. */
static bool decide_looking(const struct question *question, struct gate *gate)
{
    const struct inputs *inputs = question->inputs;
    if (inputs->command == COMMAND_STATUS) {
        gate->action = GATE_DEPLOY;
        SAY(gate->reason, "status changes nothing, so any event may ask for it");
    } else if (inputs->command == COMMAND_PLAN) {
        gate->action = GATE_PLAN;
        SAY(gate->reason, "the command is plan");
    } else if (inputs->dry_run) {
        gate->action = GATE_PLAN;
        SAY(gate->reason, "dry-run is true");
    } else {
        return false;
    }
    gate->credentials_optional =
        question->event->kind == EVENT_PULL_REQUEST && question->event->from_fork;
    return true;
}

static void decide_yes(const struct question *question, struct gate *gate)
{
    gate->action = GATE_DEPLOY;
    SAY(gate->reason, "a %s event asks for it", word(question->event->name, "known"));
}

static void decide_none(const struct question *question, struct gate *gate)
{
    (void)question;
    gate->action = GATE_DEPLOY;
    SAY(gate->reason, "there is no event: it was asked for directly");
}

static void decide_branch(const struct question *question, struct gate *gate)
{
    (void)question;
    gate->action = GATE_DEPLOY;
    SAY(gate->reason, "a push to a branch asks for it");
}

static void decide_tag(const struct question *question, struct gate *gate)
{
    (void)question;
    gate->action = GATE_DEPLOY;
    SAY(gate->reason, "a push of a tag asks for it");
}

static void decide_delete(const struct question *question, struct gate *gate)
{
    gate->action = GATE_NOTHING;
    SAY(gate->reason, "the push deleted a branch or tag: there is nothing to %s",
        command_name(question));
}

static void decide_release(const struct question *question, struct gate *gate)
{
    static const char *const actions[] = {"published", "released", "prereleased"};
    const char *action = question->event->action;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (text_equal(action, actions[i])) {
            gate->action = GATE_DEPLOY;
            SAY(gate->reason, "a release was %s", actions[i]);
            return;
        }
    gate->action = GATE_NOTHING;
    SAY(gate->reason, "a release was %s: only published, released and prereleased ask for anything",
        word(action, "changed"));
}

static void decide_proposal(const struct question *question, struct gate *gate)
{
    bool allowed = question->inputs->allow_pull_request;
    bool is_group = question->event->kind == EVENT_MERGE_GROUP;
    if (!is_group && question->event->from_fork) {
        gate->action = GATE_NOTHING;
        SAY(gate->reason,
            "a pull request from a fork asks for nothing, whatever is allowed (only an explicit "
            "plan runs)");
        return;
    }
    gate->action = allowed ? GATE_DEPLOY : GATE_PLAN;
    SAY(gate->reason,
        allowed ? "allow-pull-request lets %s do it"
                : "%s gets a plan only, unless allow-pull-request is true",
        is_group ? "a merge group" : "a pull request");
}

static void decide_target(const struct question *question, struct gate *gate)
{
    (void)question;
    gate->action = GATE_DEPLOY;
    SAY(gate->reason, "a pull_request_target event in a checkout of the base's commit asks for it");
}

/* ---- the storage tests, under auto: does this event ask for them, and why ---- */

static bool holds_marker(const struct question *question, const char *whose, char *reason,
                         size_t size)
{
    const char *marker = question->inputs->storage_marker;
    const char *message = question->event->message;
    if (!message) {
        say(reason, size, "no message of %s is known", whose);
        return false;
    }
    size_t len = strnlen(marker, MARKER_BYTES);
    while (marker[len] && len > 0 && ((unsigned char)marker[len] & 0xC0) == 0x80)
        len--;
    bool holds = text_contains_ignore_case(message, marker);
    say(reason, size, "the message of %s %s %.*s%s", whose, holds ? "holds" : "does not hold",
        (int)len, marker, marker[len] ? "…" : "");
    return holds;
}

static bool ask_head_commit(const struct question *question, char *reason, size_t size)
{
    return holds_marker(question, "the head commit", reason, size);
}

static bool ask_last_commit(const struct question *question, char *reason, size_t size)
{
    return holds_marker(question, "the last commit", reason, size);
}

static bool ask_tag(const struct question *question, char *reason, size_t size)
{
    (void)question;
    say(reason, size, "a tag was pushed");
    return true;
}

static bool ask_release(const struct question *question, char *reason, size_t size)
{
    say(reason, size, "a release was %s", word(question->event->action, "made"));
    return true;
}

static bool ask_proposal(const struct question *question, char *reason, size_t size)
{
    (void)question;
    say(reason, size, "on a pull request or merge group the message is an outsider's text");
    return false;
}

static bool ask_other(const struct question *question, char *reason, size_t size)
{
    say(reason, size, "a %s event does not ask for them", word(question->event->name, "such"));
    return false;
}

/* The contract's table, row by row. */
static const struct row {
    void (*decide)(const struct question *question, struct gate *gate);
    bool (*ask)(const struct question *question, char *reason, size_t size);
} rows[] = {
    [EVENT_NONE] = {decide_none, ask_last_commit},
    [EVENT_PUSH_BRANCH] = {decide_branch, ask_head_commit},
    [EVENT_PUSH_TAG] = {decide_tag, ask_tag},
    [EVENT_PUSH_DELETE] = {decide_delete, ask_other},
    [EVENT_RELEASE] = {decide_release, ask_release},
    [EVENT_PULL_REQUEST] = {decide_proposal, ask_proposal},
    [EVENT_PULL_REQUEST_TARGET] = {decide_target, ask_proposal},
    [EVENT_MERGE_GROUP] = {decide_proposal, ask_proposal},
    [EVENT_OTHER] = {decide_yes, ask_other},
};

static bool ask_for_storage(const struct question *question, char *reason, size_t size)
{
    if (question->inputs->storage_tests == WHEN_AUTO)
        return rows[question->event->kind].ask(question, reason, size);
    bool always = question->inputs->storage_tests == WHEN_ALWAYS;
    say(reason, size, "storage-tests is %s", always ? "always" : "never");
    return always;
}

static const char no_tests[] = "nothing is done, so nothing is tested";

static void decide_storage(const struct question *question, struct gate *gate)
{
    if (gate->action == GATE_PLAN) {
        SAY(gate->storage_reason, "a plan runs no tests");
    } else if (gate->action != GATE_DEPLOY) {
        SAY(gate->storage_reason, "%s", no_tests);
    } else if (question->inputs->command != COMMAND_DEPLOY) {
        SAY(gate->storage_reason, "storage tests are a part of deploy, not of %s",
            command_name(question));
    } else {
        char reason[200];
        bool asked = ask_for_storage(question, reason, sizeof reason);
        gate->storage_tests = asked && !text_is_empty(question->inputs->storage_checks);
        SAY(gate->storage_reason, "%s%s", reason,
            asked && !gate->storage_tests ? ", but there are none: storage-checks is not given"
                                          : "");
    }
}

struct gate gate_decide(const struct inputs *inputs, const struct event *event,
                        const char *checked_out_commit)
{
    const struct question question = {inputs, event, checked_out_commit};
    struct gate gate = {.action = GATE_REFUSE};
    if (!refuse_strangers(&question, &gate) && !decide_looking(&question, &gate))
        rows[event->kind].decide(&question, &gate);
    decide_storage(&question, &gate);
    return gate;
}

void gate_forgive_inputs(struct gate *gate)
{
    if (!gate->credentials_optional)
        return;
    gate->action = GATE_NOTHING;
    gate->storage_tests = false;
    SAY(gate->reason,
        "a pull request from a fork gets no secrets, and without them the inputs are not complete");
    SAY(gate->storage_reason, "%s", no_tests);
}
