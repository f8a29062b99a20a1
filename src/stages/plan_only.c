/* What `deploy` would do, and why; nothing is changed. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "model/configuration.h"
#include "model/plan.h"
#include "stages/publish.h"
#include "stages/stage.h"

static const char *const image_words[] = {
    [IMAGE_NONE] = "none",   [IMAGE_FOUND] = "use",   [IMAGE_RETAG] = "use and tag",
    [IMAGE_ADOPT] = "adopt", [IMAGE_BUILD] = "build", [IMAGE_REFUSE] = "cannot",
    [IMAGE_LATER] = "build",
};
static const char *const function_words[] = {
    [FUNCTION_UNCHANGED] = "leave", [FUNCTION_UPDATE] = "update", [FUNCTION_CREATE] = "create",
    [FUNCTION_REFUSE] = "cannot",   [FUNCTION_LATER] = "update",
};

static void keep_image(struct image_result *result, const struct image_plan *plan)
{
    result->action = plan->action;
    snprintf(result->reason, sizeof result->reason, "%s", plan->reason);
    snprintf(result->digest, sizeof result->digest, "%s", plan->digest);
}

/* What of the configuration differs; of the environment the names only. */
static int plan_configuration(struct run *run, struct error *err)
{
    struct strvec *changes = &run->result.function.configuration_changes;
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    if (!run->facts.function.exists)
        return 0; /* it is made with all of it */
    if (configuration_compare(run->inputs, run->snapshot.configuration, &change, err) < 0)
        return -1;
    for (size_t i = 0; i < change.differences.len; i++) {
        strvec_push(changes, change.differences.items[i]);
        log_info("configuration: %s", change.differences.items[i]);
    }
    if (change.differences.len == 0)
        log_info("configuration: leave (it is as it should be)");
    return 0;
}

static void plan_the_alias(struct run *run, const char *digest)
{
    struct result *result = &run->result;
    const char *alias = run->inputs->alias;
    bool changes = result->function.action != FUNCTION_UNCHANGED ||
                   result->function.configuration_changes.len > 0;
    if (!alias)
        return;
    struct alias_plan plan = publish_plan(run, digest, changes);
    const char *what = plan.publish ? "publish a version and move it there" : "leave";
    log_info("alias %s: %s (%s)", alias, what, plan.reason);
    snprintf(result->function.alias_plan, sizeof result->function.alias_plan, "%s: %s", what,
             plan.reason);
}

static int plan(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    struct image_plan base = plan_base(run->inputs, &run->facts.base);
    if (run->inputs->command == COMMAND_BASE) {
        keep_image(&result->base, &base);
        log_info("base image: %s (%s)", image_words[base.action], base.reason);
        return base.action == IMAGE_REFUSE
                   ? error_set(err, ERROR_REFUSED, "base image: %s", base.reason)
                   : 0;
    }
    struct image_plan image =
        plan_image(run->inputs, &run->facts.image, base.action == IMAGE_BUILD);
    bool known = image.action == IMAGE_FOUND || image.action == IMAGE_RETAG;
    struct function_plan function =
        plan_function(run->inputs, &run->facts.function, known ? image.digest : "");
    keep_image(&result->base, &base);
    keep_image(&result->image, &image);
    result->function.action = function.action;
    snprintf(result->function.reason, sizeof result->function.reason, "%s", function.reason);
    log_info("base image: %s (%s)", image_words[base.action], base.reason);
    log_info("application image: %s (%s)", image_words[image.action], image.reason);
    log_info("function: %s (%s)", function_words[function.action], function.reason);
    if (plan_configuration(run, err) < 0)
        return -1;
    plan_the_alias(run, known ? image.digest : "");
    if (base.action == IMAGE_REFUSE)
        return error_set(err, ERROR_REFUSED, "base image: %s", base.reason);
    if (image.action == IMAGE_REFUSE)
        return error_set(err, ERROR_REFUSED, "application image: %s", image.reason);
    return 0;
}

const struct stage stage_plan = {
    .name = "plan", .title = "Plan", .wanted = NULL, .only_looks = true, .run = plan, .undo = NULL};
