/* The base image: found by its identity tag, adopted, or built. */
#include <stdio.h>

#include "core/log.h"
#include "stages/app_image.h"
#include "stages/build_image.h"
#include "stages/caches.h"
#include "stages/images.h"

static bool is_wanted(const struct run *run)
{
    return run->facts.base.wanted;
}

static void use_found(struct run *run, const struct image_place *place,
                      const struct image_plan *plan)
{
    struct image_result *result = &run->result.base;
    snprintf(result->digest, sizeof result->digest, "%s", plan->digest);
    images_uri(place, plan->digest, result->uri, sizeof result->uri);
}

static const char *const statuses[] = {
    [IMAGE_NONE] = "none",     [IMAGE_FOUND] = "found", [IMAGE_RETAG] = "found",
    [IMAGE_ADOPT] = "adopted", [IMAGE_BUILD] = "built", [IMAGE_REFUSE] = "",
};

static int act_on_plan(struct run *run, const struct image_place *place,
                       const struct image_plan *plan, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    const struct image_order order = {
        .what = "base image",
        .file = run->paths.base_file,
        .context = run->paths.base_context,
        .file_name = inputs->base_file,
        .build_args = &inputs->base_build_args,
        .secrets = &inputs->secrets,
        .place = place,
        .facts = &run->facts.base,
        .check = inputs->base_check,
        .fresh = plan->fresh,
        .use_cache = !plan->fresh && !run->facts.base.blobs_missing,
        .write_cache = caches_may_write(run),
        .is_base = true,
        .result = &run->result.base,
    };
    switch (plan->action) {
    case IMAGE_REFUSE:
        return error_set(err, ERROR_REFUSED, "base image: %s", plan->reason);
    case IMAGE_BUILD:
        app_image_build_ahead(run);
        if (build_image(run, &order, err) < 0)
            return -1;
        compare_cached_steps(run, &order);
        return 0;
    case IMAGE_RETAG:
    case IMAGE_ADOPT:
        return prove_and_tag_image(run, &order, plan->digest, err);
    default:
        use_found(run, place, plan);
        return 0;
    }
}

/* A base that somebody else builds is taken by its tag; that alone does not tell from which
 * contents it was built. */
static void say_if_older(const struct run *run, const struct image_plan *plan)
{
    const struct image_facts *base = &run->facts.base;
    if (base->external && plan->action == IMAGE_FOUND && !base->identity_digest[0])
        log_warning(
            "the base image may be older than %s: there is no tag %s in its repository, and "
            "%s is used as it is; the base command builds it, with its own account's role",
            run->inputs->base_file, base->identity_tag, base->tag);
}

static int base_image(struct run *run, struct error *err)
{
    struct image_result *result = &run->result.base;
    struct image_plan plan = plan_base(run->inputs, &run->facts.base);
    struct image_place place;
    if (images_base_place(run, &place, err) < 0)
        return -1;
    result->action = plan.action;
    snprintf(result->reason, sizeof result->reason, "%s", plan.reason);
    if (plan.action == IMAGE_BUILD)
        log_info("building the base image: %s", plan.reason);
    if (act_on_plan(run, &place, &plan, err) < 0)
        return -1;
    snprintf(result->status, sizeof result->status, "%s", statuses[plan.action]);
    if (plan.action == IMAGE_ADOPT)
        log_warning("base image adopted: %s", plan.reason);
    say_if_older(run, &plan);
    log_info("base image %s: %s", result->status, result->uri);
    return 0;
}

const struct stage stage_base_image = {.name = "base-image",
                                       .title = "Base image",
                                       .wanted = is_wanted,
                                       .run = base_image,
                                       .undo = NULL};
