#include "failure.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/troubleshooting.h"
#include "stages/journal.h"
#include "stages/newer.h"
#include "stages/record.h"
#include "stages/report.h"
#include "stages/restore.h"
#include "stages/secrets.h"
#include "stages/wait.h"

void failure_remember(struct result *result, const char *stage, const char *title,
                      const struct error *err)
{
    if (result->failure.kind != ERROR_NONE)
        return; /* the first one counts */
    result->failure = *err;
    snprintf(result->failed_stage, sizeof result->failed_stage, "%s", stage);
    snprintf(result->failed_title, sizeof result->failed_title, "%s", title);
}

void failure_say(struct run *run, const char *stage, const struct error *err)
{
    const struct github *github = &run->services.github;
    CLEANUP(strbuf) struct strbuf address = STRBUF_INIT(STRBUF_NO_CAP);
    troubleshooting_address(troubleshooting_anchor(stage, err->kind), github->server_url,
                            github->action_repository, github->action_ref, &address);
    struct error shown = *err;
    secrets_hide(run, &shown);
    const struct result *result = &run->result;
    const struct log_place place = {.file = result->failed_file, .line = result->failed_line};
    bool has_place = result->failed_file[0] && text_equal(stage, result->failed_stage);
    log_at(LOG_ERROR, has_place ? &place : NULL, "%s (help: %s)", shown.msg, address.buf);
}

/* A newer run has changed this already: what this run did there is gone, and nothing is to be put
 * back. */
static bool is_left_to_newer(const struct run *run, const struct error *err)
{
    return run->result.outcome == OUTCOME_SUPERSEDED && err->kind == ERROR_CONFLICT &&
           err->code == 0;
}

int failure_put_back(struct run *run, const struct stage *const *stages, size_t at,
                     struct error *err)
{
    cancel_shield_begin();
    restore_begin(run);
    log_group_begin("Put back what was there before");
    run->span = span_begin(&run->result.spans, SPAN_NONE, "Put back what was there before");
    int rc = 0;
    for (size_t i = at + 1; i-- > 0;) {
        struct error next = ERROR_INIT;
        size_t remedy_len = strlen(run->result.remedy);
        if (!stages[i]->undo || stages[i]->undo(run, &next) == 0)
            continue;
        if (is_left_to_newer(run, &next)) {
            secrets_hide(run, &next);
            log_info("%s", next.msg);
            run->result.remedy[remedy_len] = '\0';
            continue;
        }
        if (rc == 0)
            *err = next; /* the others are put back all the same */
        else
            failure_say(run, TROUBLESHOOTING_PUT_BACK, &next);
        rc = -1;
    }
    if (rc == 0)
        rc = restore_verify(run, err);
    span_end(&run->result.spans, run->span);
    log_group_end();
    cancel_shield_end();
    return rc;
}

/* Ten seconds after the first signal the runner kills us: what a person would have to do then is
 * said before the way back begins. */
static void say_way_back(struct run *run, const struct stage *const *stages, size_t last)
{
    struct result *result = &run->result;
    enum outcome outcome = result->outcome;
    for (size_t i = last + 1; i-- > 0;)
        if (stages[i]->say_way_back)
            stages[i]->say_way_back(run);
    if (!result->remedy[0])
        return;
    log_info(
        "putting back what was there before; if this run is killed before it is done, do it by "
        "hand:\n%s",
        result->remedy);
    result->outcome = OUTCOME_NEEDS_PERSON;
    report_early(run, run->inputs);
    result->outcome = outcome;
    result->remedy[0] = '\0';
}

/* Kept is only what is there whole: a function that a failed update has left half-changed is put
 * back whatever on-failure says. */
static bool is_kept(const struct run *run, const struct stage *failed)
{
    return run->inputs->on_failure == ON_FAILURE_KEEP && failed == &stage_verify &&
           !cancel_signal();
}

void failure_leave_to_person(struct run *run, const char *stage, const struct error *err)
{
    struct result *result = &run->result;
    result->outcome = OUTCOME_NEEDS_PERSON;
    failure_say(run, stage, err);
    if (result->remedy[0])
        log_info("to put the function back by hand:\n%s", result->remedy);
}

void failure_stand_back(struct run *run, const struct stage *const *stages, size_t at)
{
    struct result *result = &run->result;
    struct error err = ERROR_INIT;
    char reason[sizeof result->function.reason];
    result->deployed = false;
    if (!result->changed || stages[at] == &stage_record)
        return;
    if (result->function.code_changed && record_newer_wants_ours(run)) {
        log_info("the newer run wants the same image, so it stays");
        return;
    }
    if (failure_put_back(run, stages, at, &err) == 0) {
        snprintf(reason, sizeof reason, "%s", result->function.reason);
        if (result->restored[0])
            snprintf(result->function.reason, sizeof result->function.reason, "%.300s; %.200s",
                     reason, result->restored);
        return;
    }
    run->way_back_broke_off = wait_may_pass(&err);
    secrets_hide(run, &err);
    const struct stage *stopped = stages[at];
    failure_remember(result, stopped->name, stopped->title, &err);
    failure_leave_to_person(run, TROUBLESHOOTING_PUT_BACK, &err);
}

void failure_handle(struct run *run, const struct stage *const *stages, size_t at,
                    struct error *err)
{
    struct result *result = &run->result;
    const struct stage *failed = stages[at];
    secrets_hide(run, err);
    secrets_hide_evidence(run);
    result->signal = cancel_signal();
    if (err->kind == ERROR_CANCELLED && result->signal) {
        log_debug("%s", err->msg); /* which request it happened to meet helps nobody */
        error_set(err, ERROR_CANCELLED, "cancelled by %s at: %s",
                  result->signal == SIGINT ? "SIGINT" : "SIGTERM", failed->title);
    }
    failure_remember(result, failed->name, failed->title, err);
    if (err->kind == ERROR_CANCELLED)
        result->outcome = OUTCOME_CANCELLED;
    else if (err->kind == ERROR_INPUT && failed->only_looks)
        result->outcome = OUTCOME_BAD_INPUT;
    else
        result->outcome = OUTCOME_FAILED;
    failure_say(run, failed->name, err);

    if (!result->changed)
        return;
    if (is_kept(run, failed)) {
        result->deployed =
            run->inputs->command != COMMAND_ROLLBACK; /* that serves another commit */
        log_warning("on-failure is keep: the function serves the new image");
        journal_ended(run);
        return;
    }
    result->deployed = false;
    struct error undo_error = ERROR_INIT;
    if (cancel_signal())
        say_way_back(run, stages, at);
    if (failure_put_back(run, stages, at, &undo_error) < 0) {
        run->way_back_broke_off = wait_may_pass(&undo_error);
        failure_leave_to_person(run, TROUBLESHOOTING_PUT_BACK, &undo_error);
    } else if (!result->restored[0] && !result->function.created) {
        result->changed = false; /* nothing of it had arrived */
    }
}

static bool follows_claim(const struct stage *const *stages, size_t at)
{
    while (at-- > 0)
        if (stages[at] == &stage_claim)
            return true;
    return false;
}

bool failure_yield(struct run *run, const struct stage *const *stages, size_t at, struct error *err)
{
    bool is_conflict = err->kind == ERROR_CONFLICT || err->kind == ERROR_PRECONDITION;
    if (!follows_claim(stages, at) || cancel_signal())
        return false;
    if (is_conflict ? !newer_yield_to_claim(run)
                    : !run->result.changed || !newer_yield_to_change(run))
        return false;
    secrets_hide(run, err);
    log_info("%s", err->msg);
    return true;
}
