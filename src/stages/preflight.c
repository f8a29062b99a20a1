/* Before anything is built: may we update this function at all? A build of half an hour must not
 * end in "access denied". */
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "model/configuration.h"
#include "model/plan.h"
#include "stages/publish.h"
#include "stages/stage.h"

static bool is_change_planned(const struct run *run)
{
    struct image_plan base = plan_base(run->inputs, &run->facts.base);
    bool base_first = base.action == IMAGE_BUILD;
    struct image_plan image = plan_image(run->inputs, &run->facts.image, base_first);
    if (image.action != IMAGE_FOUND && image.action != IMAGE_RETAG)
        return true;
    if (plan_function(run->inputs, &run->facts.function, image.digest).action == FUNCTION_UPDATE)
        return true;
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    struct error ignored = ERROR_INIT; /* the survey has told what cannot be */
    if (configuration_compare(run->inputs, run->snapshot.configuration, &change, &ignored) == 0 &&
        change.request)
        return true;
    return publish_plan(run, image.digest, false).publish;
}

static bool is_wanted(const struct run *run)
{
    return run->facts.function.exists && run->snapshot.resolved_image_uri[0] &&
           is_change_planned(run);
}

static int preflight(struct run *run, struct error *err)
{
    const struct lambda_code code = {.image_uri = run->snapshot.resolved_image_uri,
                                     .architecture = run->snapshot.architecture,
                                     .dry_run = true};
    CLEANUP(lambda_function) struct lambda_function ignored = {.configuration = NULL};
    if (lambda_update_code(&run->services.aws, run->inputs->function_name, &code, &ignored, err) ==
        0) {
        log_info("this role may update the function");
        return 0;
    }
    /* An update that is under way, an image that is gone, or one that Lambda may not read any more,
     * is no matter of this role's permissions: the update itself will tell. */
    bool is_lambdas = strstr(err->msg, "permission to access the ECR image");
    if (err->kind == ERROR_DENIED && !is_lambdas)
        return error_wrap(err, "nothing was built, since this role may not update the function");
    log_debug("the dry run says: %s", err->msg);
    error_reset(err);
    return 0;
}

const struct stage stage_preflight = {.name = "preflight",
                                      .title = "Check permissions",
                                      .wanted = is_wanted,
                                      .run = preflight,
                                      .undo = NULL};
