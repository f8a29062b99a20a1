/*
 * The alias moves to the proven version, all at once; and the way back. With provisioned
 * concurrency Lambda keeps its users on the old version for minutes (lambda_alias_kept_on): only
 * then the new one can be verified by the alias.
 */
#include <stdio.h>
#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "model/record.h"
#include "stages/health.h"
#include "stages/journal.h"
#include "stages/newer.h"
#include "stages/ours.h"
#include "stages/record.h"
#include "stages/restore.h"
#include "stages/stage.h"
#include "stages/wait.h"

#define ARRIVAL_LIMIT_MS 900000

/*
 * The version that has passed verification last, where the alias serves what is wanted already and
 * nobody has proved that: an earlier run moved it and was ended before. NULL: it is not so, or
 * nothing is going to prove it now either.
 */
static const char *proved_before(const struct run *run, struct record_list *list)
{
    const struct function_facts *function = &run->facts.function;
    bool will_be_proved = run->inputs->health_url || run->inputs->health_payload;
    record_read_list(run, list);
    if (!will_be_proved || run->result.function.version[0] || function->alias_routed ||
        run->inputs->command != COMMAND_DEPLOY || list->shared ||
        !record_is_unproved(run, list, function->alias_version))
        return NULL;
    return list->items[0].what;
}

static bool is_wanted(const struct run *run)
{
    struct record_list list;
    if (!run->inputs->alias)
        return false;
    if (!run->result.function.version[0])
        return proved_before(run, &list) != NULL;
    return !text_equal(run->facts.function.alias_version, run->result.function.version) ||
           run->facts.function.alias_routed;
}

static void keep_moved(struct run *run, const struct lambda_alias *moved)
{
    struct result *result = &run->result;
    snprintf(run->shifted_revision_id, sizeof run->shifted_revision_id, "%s",
             moved->routed ? "" : moved->revision_id); /* Lambda will move it once more */
    snprintf(result->function.alias_arn, sizeof result->function.alias_arn, "%s", moved->arn);
}

/* It serves `version` alone, or will in a moment. */
static bool has_moved_to(const struct lambda_alias *now, const char *version)
{
    return text_equal(now->version, version) && (!now->routed || lambda_alias_kept_on(now));
}

/* As it was before our change, or on its way back to that. */
static bool is_as_before(const struct run *run, const struct lambda_alias *now)
{
    const struct lambda_alias *before = &run->alias_before;
    const char *kept_on = lambda_alias_kept_on(now);
    if (before->routed)
        return now->routed && text_equal(now->version, before->version) &&
               json_equal(before->routing, now->routing);
    if (text_equal(now->version, before->version))
        return !now->routed || kept_on;
    return text_equal(kept_on, before->version) &&
           !text_equal(now->version, run->result.function.version);
}

static int move_alias(struct run *run, struct error *err)
{
    const struct function_facts *function = &run->facts.function;
    const char *name = run->inputs->function_name, *alias = run->inputs->alias;
    const char *version = run->result.function.version;
    CLEANUP(lambda_alias) struct lambda_alias moved = {.routing = NULL};
    int rc = function->alias_exists
                 ? lambda_update_alias(&run->services.aws, name, alias, version, NULL,
                                       function->alias_revision_id, &moved, err)
                 : lambda_create_alias(&run->services.aws, name, alias, version, &moved, err);
    if (rc == 0)
        keep_moved(run, &moved);
    return rc;
}

static int refuse_alias(const struct run *run, const struct lambda_alias *now, struct error *err)
{
    return error_set(err, ERROR_CONFLICT,
                     "somebody else has changed the alias %s since this run moved it (it serves "
                     "version %s): it is left alone",
                     run->inputs->alias, now->version);
}

/* An older run, or a person, has moved the alias before we could: what it serves now is what the
 * way back goes to. */
static void keep_others_move(struct run *run, struct lambda_alias *now)
{
    struct result *result = &run->result;
    log_warning("somebody else has moved the alias %s meanwhile: version %s is what would be put "
                "back, not %s",
                run->inputs->alias, now->version, run->alias_before.version);
    restore_keep_alias(run, now);
    snprintf(result->function.previous_version, sizeof result->function.previous_version, "%s",
             run->alias_before.version);
}

/* The alias changed since we looked, or the answer was lost: what is there decides. */
static int look_again(struct run *run, bool *ret_done, struct error *err)
{
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL};
    struct function_facts *function = &run->facts.function;
    if (lambda_get_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias, &now,
                         err) < 0) {
        if (err->kind != ERROR_NOT_FOUND || function->alias_exists)
            return error_wrap(err, "reading the alias %s", run->inputs->alias);
        error_reset(err);
        return 0; /* it was not made */
    }
    *ret_done = has_moved_to(&now, run->result.function.version);
    if (*ret_done) {
        keep_moved(run, &now);
        return 0;
    }
    if (!is_as_before(run, &now)) {
        if (run->alias_touched)
            return refuse_alias(run, &now, err);
        if (newer_yield_to_claim(run))
            return 0;
        keep_others_move(run, &now);
    }
    function->alias_exists = true;
    snprintf(function->alias_revision_id, sizeof function->alias_revision_id, "%s",
             now.revision_id);
    return 0;
}

/* One look: *ret_there when nothing keeps the alias's users from `version` any more. */
static int look_for_arrival(struct run *run, const char *version, bool *ret_said, bool *ret_there,
                            struct error *err)
{
    const char *alias = run->inputs->alias;
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL};
    if (lambda_get_alias(&run->services.aws, run->inputs->function_name, alias, &now, err) < 0)
        return error_wrap(err, "waiting for the alias %s", alias);
    if (!has_moved_to(&now, version))
        return refuse_alias(run, &now, err);
    keep_moved(run, &now);
    *ret_there = !now.routed;
    if (!*ret_there && !*ret_said)
        log_info("the alias %s names version %s, and Lambda keeps its users on version %s until "
                 "provisioned concurrency is there: waiting",
                 alias, version, lambda_alias_kept_on(&now));
    *ret_said = true;
    return 0;
}

static int wait_for_arrival(struct run *run, const char *version, struct error *err)
{
    int64_t limit_ms, start_ms = clock_now_ms(), seen_ms = start_ms;
    bool said = false;
    if (run_time_left(run, ARRIVAL_LIMIT_MS, &limit_ms, err) < 0)
        return -1;
    for (;;) {
        bool there = false;
        struct error look = ERROR_INIT;
        int rc = look_for_arrival(run, version, &said, &there, &look);
        int64_t now_ms = clock_now_ms();
        if (rc == 0)
            seen_ms = now_ms;
        else if (!wait_may_pass(&look) || now_ms - seen_ms > WAIT_BLIND_LIMIT_MS) {
            *err = look;
            return -1;
        }
        if (there || (run->restoring && cancel_signal()))
            return 0; /* after a cancel there are only seconds, and more to be put back */
        if (now_ms - start_ms > limit_ms)
            return error_set(err, ERROR_TIMEOUT,
                             "the alias %s does not serve version %s after %lld s",
                             run->inputs->alias, version, (long long)((now_ms - start_ms) / 1000));
        if (!clock_sleep_ms(wait_pause_ms(now_ms - start_ms, 0)))
            return error_set(err, ERROR_CANCELLED, "cancelled while the alias %s moved",
                             run->inputs->alias);
    }
}

/* This run brings the version to the proof, and if that fails, what passed last is put back, as the
 * run that was ended would have done. */
static int take_up_unfinished(struct run *run, struct error *err)
{
    struct record_list list;
    CLEANUP(lambda_function) struct lambda_function good = {.configuration = NULL};
    struct result *result = &run->result;
    const char *version = proved_before(run, &list);
    if (lambda_get_function(&run->services.aws, run->inputs->function_name, version, &good, err) <
        0) {
        if (err->kind != ERROR_NOT_FOUND)
            return error_wrap(err, "looking for the version that passed verification last");
        error_reset(err);
        return 0;
    }
    log_info(
        "an earlier run moved the alias %s to version %s and was ended before that was proved: "
        "if it does not answer well, version %s is put back",
        run->inputs->alias, run->facts.function.alias_version, version);
    snprintf(result->function.version, sizeof result->function.version, "%s",
             run->facts.function.alias_version);
    snprintf(result->function.previous_version, sizeof result->function.previous_version, "%s",
             version);
    lambda_alias_release(&run->alias_before);
    run->alias_before = (struct lambda_alias){.routing = NULL};
    snprintf(run->alias_before.version, sizeof run->alias_before.version, "%s", version);
    result->changed = run->alias_touched = true;
    return 0;
}

/* A version that served weeks ago may be idle: it is woken, and has to answer, before it gets
 * users. */
static int wake_if_idle(struct run *run, const char *version, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function now = {.configuration = NULL};
    CLEANUP(health) struct health health = {.checked = false};
    if (lambda_get_function(&run->services.aws, run->inputs->function_name, version, &now, err) < 0)
        return error_wrap(err, "reading version %s", version);
    if (!text_equal(now.state, "Inactive"))
        return 0;
    log_info("version %s was idle for weeks: waking it", version);
    if (health_check_version(run, version, &health, err) < 0)
        return -1;
    if (!health.checked)
        log_warning(
            "version %s was idle for weeks, and its first calls may fail while Lambda wakes "
            "it: with health-payload or health-url it is woken before it gets users",
            version);
    else if (!health.good)
        return error_set(err, ERROR_FAILED,
                         "version %s was idle for weeks and does not answer, so the alias %s was "
                         "not moved: %s",
                         version, run->inputs->alias, health.why);
    return 0;
}

/* Until the alias is moved, or a newer run has it: the outcome says so. */
static int move_until_decided(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    bool done = false;
    for (int try = 1; !done; try++) {
        journal_alias(run);
        bool moved = move_alias(run, err) == 0;
        if (moved || ours_may_have_arrived(err))
            result->changed = run->alias_touched = true;
        if (moved)
            return 0;
        if (try == OURS_TRIES || !ours_decide_again(err))
            return error_wrap(err, "moving the alias %s", run->inputs->alias);
        error_reset(err);
        if (look_again(run, &done, err) < 0)
            return -1;
        done = done || result->outcome == OUTCOME_SUPERSEDED;
    }
    return 0;
}

static int shift(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    const char *version = result->function.version, *before = run->alias_before.version;
    if (!version[0])
        return take_up_unfinished(run, err);
    if (run->inputs->command == COMMAND_ROLLBACK && wake_if_idle(run, version, err) < 0)
        return -1;
    snprintf(result->function.previous_version, sizeof result->function.previous_version, "%s",
             before);
    if (move_until_decided(run, err) < 0)
        return -1;
    if (result->outcome == OUTCOME_SUPERSEDED)
        return 0;
    if (before[0] && wait_for_arrival(run, version, err) < 0)
        return -1;
    log_info("the alias %s serves version %s%s%s", run->inputs->alias, version,
             before[0] ? ", before it " : "", before);
    return 0;
}

/* Ours while it bears our RevisionId; where that is not known, or is Lambda's own by now, while it
 * names our version. */
static bool is_ours(const struct run *run, const struct lambda_alias *now)
{
    const char *revision_id = run->shifted_revision_id;
    if (revision_id[0] && text_equal(now->revision_id, revision_id))
        return true;
    return has_moved_to(now, run->result.function.version) &&
           (!revision_id[0] || lambda_alias_kept_on(now));
}

/* *ret_done: there was something to put back. */
static int put_back_once(struct run *run, bool *ret_done, struct error *err)
{
    struct aws *aws = &run->services.aws;
    const char *name = run->inputs->function_name, *alias = run->inputs->alias;
    bool was_there = run->result.function.previous_version[0] != '\0';
    const struct lambda_alias *before = &run->alias_before;
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL}, moved = {.routing = NULL};
    *ret_done = false;
    if (lambda_get_alias(aws, name, alias, &now, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND || was_there)
            return error_wrap(err, "reading the alias %s", alias);
        error_reset(err);
        return 0;
    }
    if (!was_there || !is_as_before(run, &now)) {
        if (!is_ours(run, &now))
            return refuse_alias(run, &now, err);
        *ret_done = true;
        if (!was_there)
            return lambda_delete_alias(aws, name, alias, err);
        if (lambda_update_alias(aws, name, alias, before->version, before->routing, now.revision_id,
                                &moved, err) < 0)
            return -1;
    } else if (!text_equal(now.version, before->version)) {
        return 0; /* nothing of ours has arrived */
    }
    return before->routed ? 0 : wait_for_arrival(run, before->version, err);
}

static void say_commands(struct run *run)
{
    const char *region = run->result.region, *name = run->inputs->function_name;
    const char *alias = run->inputs->alias;
    CLEANUP(strbuf) struct strbuf weights = STRBUF_INIT(STRBUF_NO_CAP);
    if (!run->result.function.previous_version[0]) {
        restore_remedy(run, "aws lambda delete-alias --region %s --function-name %s --name %s",
                       region, name, alias);
        return;
    }
    if (run->alias_before.routed)
        json_print(run->alias_before.routing, &weights);
    restore_remedy(run,
                   "aws lambda update-alias --region %s --function-name %s --name %s "
                   "--function-version %s --routing-config '{\"AdditionalVersionWeights\":%s}'",
                   region, name, alias, run->alias_before.version,
                   weights.len > 0 ? weights.buf : "{}");
}

static int undo(struct run *run, struct error *err)
{
    bool done = false;
    if (!run->alias_touched)
        return 0;
    if (ours_put_back(run, put_back_once, &done, err) < 0) {
        restore_remedy(run, "# %.400s", err->msg);
        say_commands(run);
        return error_wrap(err, "putting the alias %s back", run->inputs->alias);
    }
    if (done && run->result.function.previous_version[0])
        restore_note(run, "the alias %s serves version %s again", run->inputs->alias,
                     run->alias_before.version);
    else if (done)
        restore_note(run, "the alias %s, which was new, is removed", run->inputs->alias);
    return 0;
}

static void say_way_back(struct run *run)
{
    if (run->alias_touched)
        say_commands(run);
}

const struct stage stage_shift = {.name = "shift",
                                  .title = "Move the alias",
                                  .wanted = is_wanted,
                                  .run = shift,
                                  .undo = undo,
                                  .say_way_back = say_way_back};
