/* The change: the function gets the image by digest; and the way back. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "model/plan.h"
#include "stages/create.h"
#include "stages/record.h"
#include "stages/restore.h"
#include "stages/stage.h"
#include "stages/survey.h"
#include "stages/wait.h"

#define SETTLE_LIMIT_MS 600000
#define UPDATE_TRIES    3

static int update_code(struct run *run, const char *image_uri, struct lambda_function *ret_function,
                       struct error *err)
{
    const struct lambda_code code = {.image_uri = image_uri,
                                     .architecture = plan_architecture(run_platform(run)),
                                     .revision_id = run->snapshot.revision_id};
    return lambda_update_code(&run->services.aws, run->inputs->function_name, &code, ret_function,
                              err);
}

/* Let an update of somebody else's end, and look at what it left. */
static int read_settled(struct run *run, struct error *err)
{
    struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, SETTLE_LIMIT_MS, &settled, err) < 0)
        return -1;
    lambda_function_release(&settled);
    return survey_function(run, err);
}

static bool may_have_arrived(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT || err->kind == ERROR_SERVER ||
           err->kind == ERROR_PROTOCOL || err->kind == ERROR_CANCELLED;
}

/*
 * Update, and look again where the answer does not tell: an update that was refused because the function changed
 * meanwhile is decided anew; one whose answer was lost may have been done.
 */
static int change_code(struct run *run, const char *image_uri, const char *digest,
                       struct error *err)
{
    for (int try = 1;; try++) {
        CLEANUP(lambda_function) struct lambda_function updated = {.configuration = NULL};
        if (update_code(run, image_uri, &updated, err) == 0) {
            run->result.changed = run->code_touched = true;
            return 0;
        }
        if (may_have_arrived(err))
            run->result.changed = run->code_touched =
                true; /* until we know better, the way back must look */
        bool decide_again = err->kind == ERROR_CONFLICT || err->kind == ERROR_PRECONDITION ||
                            (may_have_arrived(err) && err->kind != ERROR_CANCELLED);
        if (try == UPDATE_TRIES || !decide_again)
            return error_wrap(err, "updating the function %s", run->inputs->function_name);
        log_info("the function changed meanwhile, or its answer was lost (%s): looking again",
                 err->msg);
        error_reset(err);
        if (read_settled(run, err) < 0)
            return -1;
        if (record_is_superseded(run))
            return 0;
        if (text_equal(run->facts.function.digest, digest)) {
            run->result.changed = run->code_touched = true;
            return 0;
        }
    }
}

/* A function that appeared meanwhile is updated like any other. */
static int make_function(struct run *run, const char *digest, struct error *err)
{
    struct result *result = &run->result;
    if (create_function(run, &result->function.created, err) < 0)
        return -1;
    if (result->function.created) {
        result->changed = true;
        return 0;
    }
    log_info("the function is there by now");
    return change_code(run, result->image.uri, digest, err);
}

static int wait_for_update(struct run *run, const char *digest, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, SETTLE_LIMIT_MS, &settled, err) < 0 ||
        wait_outcome(&settled, err) < 0)
        return -1;
    if (!text_equal(settled.digest, digest))
        return error_set(err, ERROR_CONFLICT,
                         "the function runs %s, not the image that it was given: somebody else "
                         "has changed it meanwhile",
                         settled.digest);
    snprintf(run->result.function.arn, sizeof run->result.function.arn, "%s", settled.arn);
    snprintf(run->result.function.name, sizeof run->result.function.name, "%s", settled.name);
    return 0;
}

static int change_function(struct run *run, const struct function_plan *plan, struct error *err)
{
    struct result *result = &run->result;
    const char *digest = result->image.digest;
    bool is_new = plan->action == FUNCTION_CREATE;
    log_info("%s the function: %s", is_new ? "creating" : "updating", plan->reason);
    if ((is_new ? make_function(run, digest, err)
                : change_code(run, result->image.uri, digest, err)) < 0)
        return -1;
    if (result->outcome == OUTCOME_SUPERSEDED)
        return 0;
    if (wait_for_update(run, digest, err) < 0)
        return -1;
    result->function.code_changed = true;
    log_info("the function runs %s", digest);
    return 0;
}

/* A rollback with an alias moves the alias alone. */
static bool is_wanted(const struct run *run)
{
    return run->result.image.digest[0] != '\0';
}

static int release(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    const char *digest = result->image.digest;
    const struct function_facts *function = &run->facts.function;
    if (function->digest[0] && !text_equal(function->digest, result->function.previous_digest))
        log_warning("somebody else has deployed %s meanwhile: that is what would be put back",
                    function->digest);
    snprintf(result->function.previous_digest, sizeof result->function.previous_digest, "%s",
             run->facts.function.digest);

    run->configuration_waits = configuration_must_wait(function);
    struct function_plan plan = plan_function(run->inputs, &run->facts.function, digest);
    result->function.action = plan.action;
    snprintf(result->function.reason, sizeof result->function.reason, "%s", plan.reason);
    if (plan.action == FUNCTION_REFUSE)
        return error_set(err, ERROR_REFUSED, "%s", plan.reason);
    if (plan.action == FUNCTION_UNCHANGED) {
        log_info("function: %s", plan.reason);
        return 0;
    }
    return change_function(run, &plan, err);
}

static int put_back(struct run *run, const char *previous_uri, const char *previous_digest,
                    struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function now = {.configuration = NULL};
    if (wait_settled(run, NULL, SETTLE_LIMIT_MS, &now, err) < 0)
        return -1;
    bool is_back =
        text_equal(now.digest, previous_digest) && text_equal(now.last_update_status, "Successful");
    if (is_back)
        return 0;
    if (!text_equal(now.digest, previous_digest) &&
        !text_equal(now.digest, run->result.image.digest))
        return error_set(err, ERROR_CONFLICT,
                         "somebody else has changed the function to %s: it is left alone",
                         now.digest);
    const struct lambda_code code = {.image_uri = previous_uri,
                                     .architecture = run->snapshot.architecture,
                                     .revision_id = now.revision_id};
    CLEANUP(lambda_function) struct lambda_function updated = {.configuration = NULL};
    if (lambda_update_code(&run->services.aws, run->inputs->function_name, &code, &updated, err) <
        0)
        return -1;
    return wait_for_update(run, previous_digest, err);
}

static int undo(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    if (result->function.created) {
        log_warning("the function was created by this run: there is nothing before it to put back");
        return 0;
    }
    if (!run->code_touched)
        return 0;
    if (put_back(run, run->snapshot.resolved_image_uri, result->function.previous_digest, err) ==
        0) {
        restore_note(run, "the function runs %s again", result->function.previous_digest);
        return 0;
    }
    restore_remedy(run,
                   "aws lambda update-function-code --region %s --function-name %s --image-uri %s",
                   result->region, run->inputs->function_name, run->snapshot.resolved_image_uri);
    return error_wrap(err, "putting the previous image back");
}

const struct stage stage_release = {.name = "release",
                                    .title = "Update the function",
                                    .wanted = is_wanted,
                                    .run = release,
                                    .undo = undo};
