/* The application image: reused by its identity tag, or built on the base by digest. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "stages/build_image.h"
#include "stages/builder.h"
#include "stages/images.h"
#include "stages/pin.h"
#include "stages/survey.h"

static int build_application(struct run *run, const struct image_place *place,
                             const struct image_plan *plan, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    CLEANUP(strvec) struct strvec contexts = STRVEC_INIT, build_args = STRVEC_INIT;
    if (pin_base(run, run->result.base.uri, &contexts, &build_args, err) < 0)
        return -1;
    const struct image_order order = {
        .what = "application image",
        .file = run->paths.file,
        .context = run->paths.context,
        .target = inputs->target,
        .file_name = run->paths.file_name,
        .build_args = &build_args,
        .build_contexts = &contexts,
        .secrets = &inputs->secrets,
        .place = place,
        .facts = &run->facts.image,
        .check = inputs->image_check,
        .fresh = plan->fresh || inputs->no_cache,
        .use_cache = !plan->fresh && !inputs->no_cache,
        .write_cache = run->event->kind != EVENT_PULL_REQUEST,
        .keep_old = true,
        .result = &run->result.image,
    };
    if (plan->action == IMAGE_RETAG)
        return prove_and_tag_image(run, &order, plan->digest, err);
    return build_image(run, &order, err);
}

static int reuse_application(struct run *run, const struct image_place *place,
                             const struct image_plan *plan, struct error *err)
{
    struct image_result *result = &run->result.image;
    snprintf(result->digest, sizeof result->digest, "%s", plan->digest);
    images_uri(place, plan->digest, result->uri, sizeof result->uri);
    if (!plan->add_tag || !run->facts.image.tag[0])
        return 0;
    char ignored_digest[DIGEST_SIZE];
    log_info("giving it the tag %s", run->facts.image.tag);
    return images_tag(place, &run->facts.image, plan->digest, true, ignored_digest, err);
}

/* BuildKit pulls the base from where it lives, and needs a login there too. */
static int prepare_base_login(struct run *run, struct error *err)
{
    struct image_place base;
    struct registry registry;
    if (!run->facts.base.wanted)
        return 0;
    if (images_base_place(run, &base, err) < 0)
        return -1;
    if (!base.external)
        return 0; /* the login to our own registry is enough */
    if (images_login(run, &base, &registry, err) < 0)
        return -1;
    return builder_ready(run, &base, err);
}

static int app_image(struct run *run, struct error *err)
{
    struct image_result *result = &run->result.image;
    if (!run->facts.image.wanted && survey_image(run, run->result.base.digest, err) < 0)
        return -1;
    struct image_plan plan = plan_image(run->inputs, &run->facts.image, false);
    struct image_place place;
    if (images_place(run, &place, err) < 0)
        return -1;
    result->action = plan.action;
    snprintf(result->reason, sizeof result->reason, "%s", plan.reason);
    if (plan.action == IMAGE_REFUSE)
        return error_set(err, ERROR_REFUSED, "application image: %s", plan.reason);
    bool reuse = plan.action == IMAGE_FOUND;
    if (!reuse) {
        log_info("building the application image: %s", plan.reason);
        if (prepare_base_login(run, err) < 0)
            return -1;
    }
    int rc = reuse ? reuse_application(run, &place, &plan, err)
                   : build_application(run, &place, &plan, err);
    if (rc < 0)
        return -1;
    snprintf(result->status, sizeof result->status, "%s",
             plan.action == IMAGE_BUILD ? "built" : "reused");
    log_info("application image %s: %s", result->status, result->uri);
    return 0;
}

const struct stage stage_app_image = {.name = "app-image",
                                      .title = "Application image",
                                      .wanted = NULL,
                                      .run = app_image,
                                      .undo = NULL};
