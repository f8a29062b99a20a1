/*
 * The function's configuration, written only where it differs. Before the code as a rule; a function whose image is gone or whose last update failed takes
 * no configuration, so there the code goes first and this comes after it.
 */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/restore.h"
#include "stages/stage.h"
#include "stages/survey.h"
#include "stages/wait.h"

#define SETTLE_LIMIT_MS 600000
#define UPDATE_TRIES    3

static bool is_wanted(const struct run *run)
{
    return run->facts.function.exists && !run->result.function.created &&
           !configuration_must_wait(&run->facts.function);
}

static bool is_wanted_late(const struct run *run)
{
    return !run->result.function.created && run->configuration_waits;
}

static bool may_have_arrived(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT || err->kind == ERROR_SERVER ||
           err->kind == ERROR_PROTOCOL || err->kind == ERROR_CANCELLED;
}

static int wait_for_it(struct run *run, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, SETTLE_LIMIT_MS, &settled, err) < 0)
        return -1;
    return wait_outcome(&settled, err);
}

/* What differs now, kept for the way back the first time. */
static int look(struct run *run, struct configuration_change *ret_change, struct error *err)
{
    if (configuration_compare(run->inputs, run->snapshot.configuration, ret_change, err) < 0)
        return -1;
    if (!ret_change->request || run->configuration_before)
        return 0;
    run->configuration_before = json_copy(ret_change->restore);
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
    if (*ret_done)
        return 0;
    int rc = lambda_update_configuration(&run->services.aws, run->inputs->function_name,
                                         change.request, run->snapshot.revision_id, &updated, err);
    if (rc == 0 || may_have_arrived(err))
        run->result.changed = run->configuration_touched = true;
    *ret_done = rc == 0;
    return rc;
}

static int configure(struct run *run, struct error *err)
{
    for (int try = 1;; try++) {
        bool done = false;
        if (send_once(run, &done, err) == 0) {
            if (!run->configuration_touched)
                log_info("the configuration is as it should be");
            else if (wait_for_it(run, err) < 0)
                return -1;
            return run->configuration_touched ? survey_function(run, err) : 0;
        }
        bool decide_again = err->kind == ERROR_CONFLICT || err->kind == ERROR_PRECONDITION ||
                            (may_have_arrived(err) && err->kind != ERROR_CANCELLED);
        if (try == UPDATE_TRIES || !decide_again)
            return error_wrap(err, "configuring the function %s", run->inputs->function_name);
        log_info("the function changed meanwhile, or its answer was lost (%s): looking again",
                 err->msg);
        error_reset(err);
        if (wait_for_it(run, err) < 0 || survey_function(run, err) < 0)
            return -1;
    }
}

static int put_back(struct run *run, struct error *err)
{
    CLEANUP(lambda_function)
    struct lambda_function now = {.configuration = NULL},
                           updated = {.configuration = NULL};
    if (wait_settled(run, NULL, SETTLE_LIMIT_MS, &now, err) < 0)
        return -1;
    if (lambda_update_configuration(&run->services.aws, run->inputs->function_name,
                                    run->configuration_before, now.revision_id, &updated, err) < 0)
        return -1;
    return wait_for_it(run, err);
}

static int undo(struct run *run, struct error *err)
{
    if (!run->configuration_touched)
        return 0;
    if (put_back(run, err) == 0) {
        run->configuration_touched = false;
        restore_note(run, "the configuration is as it was");
        return 0;
    }
    restore_remedy(run,
                   "aws lambda get-function-configuration --region %s --function-name %s   # "
                   "compare with the changes above",
                   run->result.region, run->inputs->function_name);
    return error_wrap(err, "putting the previous configuration back");
}

const struct stage stage_configure = {.name = "configure",
                                      .title = "Configure the function",
                                      .wanted = is_wanted,
                                      .run = configure,
                                      .undo = undo};
const struct stage stage_configure_late = {.name = "configure",
                                           .title = "Configure the function",
                                           .wanted = is_wanted_late,
                                           .run = configure,
                                           .undo = undo};
