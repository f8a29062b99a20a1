/*
 * The function's configuration, written only where it differs. Before the code as a rule; a
 * function whose image is gone or whose last update failed takes no configuration, so there the
 * code goes first and this comes after it.
 */
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/journal.h"
#include "stages/ours.h"
#include "stages/record.h"
#include "stages/restore.h"
#include "stages/secrets.h"
#include "stages/stage.h"
#include "stages/survey.h"
#include "stages/wait.h"

#define COMMAND_MAX_BYTES 2000 /* of the JSON in a command */

static bool is_wanted(const struct run *run)
{
    return run->facts.function.exists && !run->result.function.created &&
           !configuration_must_wait(&run->facts.function);
}

static bool is_wanted_late(const struct run *run)
{
    return !run->result.function.created && run->configuration_waits;
}

/* What differs now, kept for the way back the first time. */
static int look(struct run *run, struct configuration_change *ret_change, struct error *err)
{
    if (configuration_compare(run->inputs, run->snapshot.configuration, ret_change, err) < 0)
        return -1;
    if (!ret_change->request || run->configuration_before)
        return 0;
    run->configuration_before = json_copy(ret_change->restore);
    for (size_t i = 0; i < ret_change->lost.len; i++)
        strvec_push(&run->configuration_lost, ret_change->lost.items[i]);
    for (size_t i = 0; i < ret_change->differences.len; i++) {
        log_info("%s", ret_change->differences.items[i]);
        strvec_push(&run->result.function.configuration_changes, ret_change->differences.items[i]);
    }
    return 0;
}

/* Send it; true in *ret_done when nothing is left to be sent. */
static int send_once(struct run *run, bool *ret_done, struct error *err)
{
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    CLEANUP(lambda_function) struct lambda_function updated = {.configuration = NULL};
    if (look(run, &change, err) < 0)
        return -1;
    *ret_done = !change.request;
    if (*ret_done) {
        if (run->configuration_touched)
            ours_took(run, NULL,
                      run->snapshot.digest); /* the answer was lost, and it had arrived */
        return 0;
    }
    journal_configuration(run);
    int rc = lambda_update_configuration(&run->services.aws, run->inputs->function_name,
                                         change.request, run->snapshot.revision_id, &updated, err);
    if (rc < 0)
        secrets_hide(run, err);
    if (rc == 0 || ours_may_have_arrived(err))
        run->result.changed = run->configuration_touched = true;
    if (rc == 0)
        ours_took(run, &updated, run->snapshot.digest);
    else if (ours_may_have_arrived(err))
        ours_took(run, NULL, run->snapshot.digest);
    *ret_done = rc == 0;
    return rc;
}

/*
 * The function changed before our update, or the update's answer was lost. What is there now is
 * what is compared and, where it is not our own doing, what the way back goes to.
 */
static int look_again(struct run *run, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, OURS_SETTLE_LIMIT_MS, &settled, err) < 0 ||
        survey_function(run, err) < 0)
        return -1;
    if (run->code_touched && record_yield(run))
        return 0;
    if (run->code_touched)
        return ours_is_still(run, &run->snapshot) ? 0 : ours_refuse(run, &run->snapshot, err);
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    if (configuration_compare(run->inputs, run->snapshot.configuration, &change, err) < 0)
        return -1;
    if (run->configuration_touched && !change.request)
        return 0; /* it had arrived */
    run->result.changed = run->configuration_touched = false;
    json_free(run->configuration_before);
    run->configuration_before = NULL;
    strvec_release(&run->configuration_lost);
    strvec_release(&run->result.function.configuration_changes);
    ours_keep_before(run);
    bool superseded = false; /* the outcome says so */
    return record_claim_function(run, &superseded, err);
}

/* After the code has changed, the look that the survey took is an old one. */
static int look_after_release(struct run *run, struct error *err)
{
    if (!run->code_touched)
        return 0;
    if (survey_function(run, err) < 0)
        return -1;
    return ours_is_still(run, &run->snapshot) ? 0 : ours_refuse(run, &run->snapshot, err);
}

/* Our change is there, and nobody's on top of it. A newer run's claim ends it as superseded. */
static int settle(struct run *run, struct error *err)
{
    if (ours_settle(run, err) < 0 || survey_function(run, err) < 0)
        return -1;
    if (record_yield(run))
        return 0;
    return ours_is_still(run, &run->snapshot) ? 0 : ours_refuse(run, &run->snapshot, err);
}

static int configure(struct run *run, struct error *err)
{
    if (look_after_release(run, err) < 0)
        return -1;
    for (int try = 1;; try++) {
        bool done = false;
        if (send_once(run, &done, err) == 0) {
            if (!run->configuration_touched) {
                log_info("the configuration is as it should be");
                return 0;
            }
            return settle(run, err);
        }
        if (try == OURS_TRIES || !ours_decide_again(err))
            return error_wrap(err, "configuring the function %s", run->inputs->function_name);
        log_info("the function changed meanwhile, or its answer was lost (%s): looking again",
                 err->msg);
        error_reset(err);
        if (look_again(run, err) < 0)
            return -1;
        if (run->result.outcome == OUTCOME_SUPERSEDED)
            return 0;
    }
}

static int put_back_once(struct run *run, bool *ret_done, struct error *err)
{
    CLEANUP(lambda_function)
    struct lambda_function now = {.configuration = NULL}, updated = {.configuration = NULL};
    const struct json *before = run->configuration_before;
    if (wait_settled(run, NULL, OURS_SETTLE_LIMIT_MS, &now, err) < 0)
        return -1;
    *ret_done = false;
    if (json_length(before) == 0 || configuration_has(now.configuration, before))
        return 0;
    if (!ours_is_still(run, &now))
        return ours_refuse(run, &now, err);
    *ret_done = true;
    if (lambda_update_configuration(&run->services.aws, run->inputs->function_name, before,
                                    now.revision_id, &updated, err) < 0)
        return -1;
    ours_took(run, &updated, now.digest);
    return ours_settle(run, err);
}

/* As single quotes of a shell hold it: in JSON an apostrophe stands in strings only, which may say
 * it by its number. */
static void print_for_shell(const struct json *json, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    json_print(json, &text);
    for (const char *c = text.buf; *c; c++)
        if (*c == '\'')
            strbuf_addstr(out, "\\u0027");
        else
            strbuf_addch(out, *c);
}

/* The member as it was joins the command's JSON, unless that becomes too long for a message. */
static bool put_if_short(struct json *request, const struct json *member)
{
    CLEANUP(strbuf) struct strbuf whole = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf part = STRBUF_INIT(STRBUF_NO_CAP);
    print_for_shell(request, &whole);
    print_for_shell(member, &part);
    if (whole.len + part.len > COMMAND_MAX_BYTES)
        return false;
    json_put(request, json_name(member), json_copy(member));
    return true;
}

/*
 * What a person can type. Values of the environment are never printed: they are named.
 * `with_known`: what is known was not put back either.
 */
static void say_commands(struct run *run, bool with_known)
{
    CLEANUP(json) struct json *request = json_new_object();
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strvec) struct strvec long_ones = STRVEC_INIT;
    const char *region = run->result.region, *name = run->inputs->function_name;
    bool has_environment = strvec_contains(&run->configuration_lost, "Environment");
    json_put_string(request, "FunctionName", name);
    JSON_EACH (member, with_known ? run->configuration_before : NULL) {
        if (text_equal(json_name(member), "Environment"))
            has_environment = true;
        else if (!put_if_short(request, member))
            strvec_push(&long_ones, json_name(member));
    }
    print_for_shell(request, &text);
    if (json_length(request) > 1)
        restore_remedy(run,
                       "aws lambda update-function-configuration --region %s --cli-input-json '%s'",
                       region, text.buf);
    for (size_t i = 0; i < long_ones.len; i++)
        restore_remedy(run,
                       "# %s was longer than fits here: its value stands in the workflow of the "
                       "last good commit",
                       long_ones.items[i]);
    if (has_environment)
        restore_remedy(run,
                       "aws lambda update-function-configuration --region %s --function-name %s "
                       "--environment file://environment.json   # its values before are known to "
                       "you only; the names are in the log",
                       region, name);
    for (size_t i = 0; i < run->configuration_lost.len; i++) {
        const char *lost = run->configuration_lost.items[i];
        if (!text_equal(lost, "Environment"))
            restore_remedy(run,
                           "aws lambda update-function-configuration --region %s "
                           "--cli-input-json '{\"FunctionName\":\"%s\",\"%s\":…}'   # Lambda "
                           "did not show what it was before",
                           region, name, lost);
    }
}

static int refuse_lost(struct run *run, struct error *err)
{
    CLEANUP(strbuf) struct strbuf names = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < run->configuration_lost.len; i++)
        strbuf_addf(&names, "%s%s", i > 0 ? ", " : "", run->configuration_lost.items[i]);
    return error_set(err, ERROR_REFUSED,
                     "of the configuration this cannot be put back, since Lambda did not show what "
                     "it was before: %s",
                     names.buf);
}

static void say_way_back(struct run *run)
{
    if (run->configuration_touched)
        say_commands(run, true);
}

static int undo(struct run *run, struct error *err)
{
    if (!run->configuration_touched)
        return 0;
    bool done = false;
    run->configuration_touched = false; /* once, whichever of the two stages did it */
    if (ours_put_back(run, put_back_once, &done, err) < 0) {
        restore_remedy(run, "# %.400s", err->msg);
        say_commands(run, true);
        return error_wrap(err, "putting the previous configuration back");
    }
    bool is_whole = run->configuration_lost.len == 0;
    if (done)
        restore_note(run, is_whole ? "the configuration is as it was"
                                   : "the rest of the configuration is as it was");
    if (is_whole) {
        journal_configuration_is_back(run);
        return 0;
    }
    say_commands(run, false);
    return refuse_lost(run, err);
}

const struct stage stage_configure = {.name = "configure",
                                      .title = "Configure the function",
                                      .wanted = is_wanted,
                                      .run = configure,
                                      .undo = undo,
                                      .say_way_back = say_way_back};
const struct stage stage_configure_late = {.name = "configure",
                                           .title = "Configure the function",
                                           .wanted = is_wanted_late,
                                           .run = configure,
                                           .undo = undo,
                                           .say_way_back = NULL}; /* the other one says it */
