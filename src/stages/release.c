/* The change: the function gets the image by digest; and the way back. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "model/plan.h"
#include "model/record.h"
#include "stages/app_image.h"
#include "stages/build_image.h"
#include "stages/create.h"
#include "stages/health.h"
#include "stages/images.h"
#include "stages/journal.h"
#include "stages/ours.h"
#include "stages/record.h"
#include "stages/restore.h"
#include "stages/stage.h"
#include "stages/survey.h"
#include "stages/wait.h"

static int update_code(struct run *run, const char *image_uri, struct lambda_function *ret_function,
                       struct error *err)
{
    const struct lambda_code code = {.image_uri = image_uri,
                                     .architecture = plan_architecture(run_platform(run)),
                                     .revision_id = run->snapshot.revision_id};
    return lambda_update_code(&run->services.aws, run->inputs->function_name, &code, ret_function,
                              err);
}

/* Let an update end, whosever it is, and look at what it has left. */
static int read_settled(struct run *run, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, OURS_SETTLE_LIMIT_MS, &settled, err) < 0)
        return -1;
    return survey_function(run, err);
}

/* Somebody else's work is on top of ours. A newer run has deployed over it: nothing of ours is
 * left, and nothing is to be put back. */
static int give_way(struct run *run, struct error *err)
{
    if (!record_yield(run))
        return ours_refuse(run, &run->snapshot, err);
    run->result.changed = run->code_touched = run->configuration_touched = false;
    return 0;
}

struct attempt {         /* at changing the code */
    bool touched_before; /* this run had given the function an image before it */
    bool was_lost;       /* its answer was */
};

/*
 * The function changed before our update, or the update's answer was lost. *ret_done: it has
 * arrived. Else what is there now is what the way back goes to, unless this run has configured it
 * already: then somebody else's work is on top of ours.
 */
static int look_again(struct run *run, const char *digest, const struct attempt *last,
                      bool *ret_done, struct error *err)
{
    if (read_settled(run, err) < 0) {
        if (last->was_lost)
            ours_may_have_given(run, digest);
        return -1;
    }
    *ret_done = last->was_lost && text_equal(run->snapshot.digest, digest);
    if (*ret_done) {
        ours_took(run, NULL, digest);
        return 0;
    }
    run->code_touched = last->touched_before; /* this attempt was never there */
    run->result.changed = run->configuration_touched || run->code_touched;
    if (run->result.changed && !ours_is_still(run, &run->snapshot))
        return give_way(run, err);
    ours_keep_before(run);
    bool superseded = false;
    if (record_claim_function(run, &superseded, err) < 0)
        return -1;
    return 0; /* superseded: the outcome says so */
}

/*
 * Update, and look again where the answer does not tell: an update that was refused because the
 * function changed meanwhile is decided anew; one whose answer was lost may have been done.
 */
static int change_code(struct run *run, const char *image_uri, const char *digest,
                       struct error *err)
{
    struct attempt last = {.touched_before = run->code_touched};
    for (int try = 1;; try++) {
        CLEANUP(lambda_function) struct lambda_function updated = {.configuration = NULL};
        journal_code(run, digest);
        if (update_code(run, image_uri, &updated, err) == 0) {
            run->result.changed = run->code_touched = true;
            ours_took(run, &updated, digest);
            return 0;
        }
        if (ours_may_have_arrived(err))
            run->result.changed = run->code_touched =
                true; /* until we know better, the way back must look */
        if (try == OURS_TRIES || !ours_decide_again(err)) {
            if (ours_may_have_arrived(err))
                ours_may_have_given(run, digest);
            return error_wrap(err, "updating the function %s", run->inputs->function_name);
        }
        log_info("the function changed meanwhile, or its answer was lost (%s): looking again",
                 err->msg);
        last.was_lost = last.was_lost || ours_may_have_arrived(err);
        error_reset(err);
        bool done = false;
        if (look_again(run, digest, &last, &done, err) < 0)
            return -1;
        if (done || run->result.outcome == OUTCOME_SUPERSEDED)
            return 0;
    }
}

/* A function that appeared meanwhile is updated like any other. */
static int make_function(struct run *run, const char *digest, struct error *err)
{
    struct result *result = &run->result;
    struct lambda_function made = {.configuration = NULL};
    int rc = create_function(run, &result->function.created, &made, err);
    if (result->function.created) {
        result->changed = true;
        ours_took(run, made.configuration ? &made : NULL, digest);
    }
    if (rc < 0 || result->function.created)
        return rc;
    log_warning("somebody else has created the function meanwhile: it is updated");
    bool superseded = false;
    run->configuration_waits = true;
    if (read_settled(run, err) < 0 || record_claim_function(run, &superseded, err) < 0)
        return -1;
    if (superseded)
        return 0;
    struct function_plan plan = plan_function(run->inputs, &run->facts.function, digest);
    if (plan.action == FUNCTION_REFUSE)
        return error_set(err, ERROR_REFUSED, "%s", plan.reason);
    if (plan.action == FUNCTION_UNCHANGED) {
        ours_took(run, NULL, digest);
        return 0;
    }
    return change_code(run, result->image.uri, digest, err);
}

static int give_image(struct run *run, bool is_new, struct error *err)
{
    struct result *result = &run->result;
    const char *digest = result->image.digest;
    if ((is_new ? make_function(run, digest, err)
                : change_code(run, result->image.uri, digest, err)) < 0)
        return -1;
    return result->outcome == OUTCOME_SUPERSEDED ? 0 : ours_settle(run, err);
}

/* Lambda says no at once, or only after it has tried to unpack the image: a function that was
 * created is there then. */
static int give_gzip_image(struct run *run, const struct error *refusal, struct error *err)
{
    if (app_image_as_gzip(run, refusal, err) < 0 || survey_function(run, err) < 0)
        return -1;
    return give_image(run, !run->facts.function.exists, err);
}

static int change_function(struct run *run, const struct function_plan *plan, struct error *err)
{
    struct result *result = &run->result;
    bool is_new = plan->action == FUNCTION_CREATE;
    log_info("%s the function: %s", is_new ? "creating" : "updating", plan->reason);
    if (give_image(run, is_new, err) < 0) {
        struct error refusal = *err;
        if (!app_image_may_be_zstd(run, &refusal))
            return -1;
        error_reset(err);
        if (give_gzip_image(run, &refusal, err) < 0)
            return -1;
    }
    if (result->outcome == OUTCOME_SUPERSEDED)
        return 0;
    result->function.code_changed = true;
    log_info("the function runs %s", result->image.digest);
    record_yield(
        run); /* a newer run that saw the function just before our change: ours is put back */
    return 0;
}

/*
 * The function has this image already, and nobody has proved it: an earlier run gave it the image
 * and was ended before that. This run brings it to the proof, and if that fails, what passed last
 * is put back, as that run would have done.
 */
static int take_up_unfinished(struct run *run, const char *digest, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct record_list list;
    struct image_place place;
    struct ecr_image good = {.manifest = NULL};
    char current[40];
    bool exists = false;
    bool will_be_proved = inputs->health_url || inputs->health_payload;
    record_read_list(run, &list);
    record_current(run, current);
    /* An image that was built again bears its tags only after the proof. */
    bool is_unproved = record_is_unproved(run, &list, current) ||
                       (list.len > 0 && must_prove_image(&run->facts.image, digest));
    if (inputs->alias || !will_be_proved || !is_unproved)
        return 0;
    const char *tag = list.items[0].what;
    if (images_place(run, &place, err) < 0 ||
        ecr_get_images(place.aws, NULL, place.name, &tag, 1, &good, &exists, err) < 0)
        return error_wrap(err, "looking for the image that passed verification last");
    if (good.digest[0] && !text_equal(good.digest, digest)) {
        log_info("an earlier run gave the function this image and was ended before it was proved: "
                 "if it does not answer well, %s is put back",
                 tag);
        ours_keep_before(run);
        snprintf(run->before.digest, sizeof run->before.digest, "%s", good.digest);
        images_uri(&place, good.digest, run->before.resolved_image_uri,
                   sizeof run->before.resolved_image_uri);
        snprintf(run->result.function.previous_digest, sizeof run->result.function.previous_digest,
                 "%s", good.digest);
        ours_took(run, NULL, digest);
        run->result.changed = run->code_touched = true;
    }
    ecr_image_release(&good);
    return 0;
}

/* A rollback with an alias moves the alias alone. */
static bool is_wanted(const struct run *run)
{
    return run->result.image.digest[0] != '\0';
}

/* Of an earlier run that was ended, or somebody else's: Lambda tells the new image at once, and the
 * old one answers until the update has ended. */
static int let_an_update_end(struct run *run, struct error *err)
{
    if (!run->facts.function.exists || wait_is_settled(&run->snapshot))
        return 0;
    log_info("an update of the function is under way: waiting for its end");
    health_ahead_free(run); /* that was the old one's answer */
    return read_settled(run, err);
}

static int release(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    const char *digest = result->image.digest;
    const struct function_facts *function = &run->facts.function;
    if (let_an_update_end(run, err) < 0)
        return -1;
    if (record_yield(run))
        return 0; /* a newer run has come since the claim */
    run->configuration_waits = configuration_must_wait(function);
    struct function_plan plan = plan_function(run->inputs, &run->facts.function, digest);
    result->function.action = plan.action;
    snprintf(result->function.reason, sizeof result->function.reason, "%s", plan.reason);
    if (plan.action == FUNCTION_REFUSE)
        return error_set(err, ERROR_REFUSED, "%s", plan.reason);
    if (plan.action == FUNCTION_UNCHANGED) {
        log_info("function: %s", plan.reason);
        return take_up_unfinished(run, digest, err);
    }
    return change_function(run, &plan, err);
}

/* The image that was there before us, and only over what is still ours. *ret_done: there was
 * something to put back. */
static int put_back_once(struct run *run, bool *ret_done, struct error *err)
{
    const struct lambda_function *before = &run->before;
    CLEANUP(lambda_function)
    struct lambda_function now = {.configuration = NULL}, updated = {.configuration = NULL};
    if (wait_settled(run, NULL, OURS_SETTLE_LIMIT_MS, &now, err) < 0)
        return -1;
    *ret_done = false;
    if (text_equal(now.digest, before->digest) && !text_equal(now.last_update_status, "Failed"))
        return 0;
    if (!ours_is_still(run, &now))
        return ours_refuse(run, &now, err);
    const struct lambda_code code = {.image_uri = before->resolved_image_uri,
                                     .architecture = before->architecture,
                                     .revision_id = now.revision_id};
    *ret_done = true;
    if (lambda_update_code(&run->services.aws, run->inputs->function_name, &code, &updated, err) <
        0)
        return -1;
    ours_took(run, &updated, before->digest);
    return ours_settle(run, err);
}

static void say_commands(struct run *run)
{
    if (run->way_back_missing)
        restore_remedy(run, "# the image must be in ECR again first; or give another one that is");
    restore_remedy(run,
                   "aws lambda update-function-code --region %s --function-name %s "
                   "--architectures %s --image-uri %s",
                   run->result.region, run->inputs->function_name, run->before.architecture,
                   run->before.resolved_image_uri);
}

static void say_way_back(struct run *run)
{
    if (run->code_touched && !run->result.function.created)
        say_commands(run);
}

static int undo(struct run *run, struct error *err)
{
    if (run->result.function.created) {
        restore_note(run, "the function was created by this run and stays: there was nothing "
                          "before it to put back");
        log_warning("the new function is there and has not passed verification; to remove it: "
                    "aws lambda delete-function --region %s --function-name %s",
                    run->result.region, run->inputs->function_name);
        return 0;
    }
    if (!run->code_touched)
        return 0;
    bool done = false;
    if (ours_put_back(run, put_back_once, &done, err) == 0) {
        if (done)
            restore_note(run, "the function runs %s again", run->before.digest);
        return 0;
    }
    restore_remedy(run, "# %.400s", err->msg);
    say_commands(run);
    return error_wrap(err, "putting the previous image back");
}

const struct stage stage_release = {.name = "release",
                                    .title = "Update the function",
                                    .wanted = is_wanted,
                                    .run = release,
                                    .undo = undo,
                                    .say_way_back = say_way_back};
