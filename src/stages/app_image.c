/* The application image: reused by its identity tag, or built on the base by digest. */
#include "stages/app_image.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/build_image.h"
#include "stages/builder.h"
#include "stages/caches.h"
#include "stages/images.h"
#include "stages/pin.h"
#include "stages/side_build.h"
#include "stages/survey.h"

#define MAX_STAGES_AHEAD 4 /* each is a call of buildx; more would only crowd the base's build */

static void fill_order(struct run *run, const struct image_place *place, bool fresh,
                       struct image_order *order)
{
    const struct inputs *inputs = run->inputs;
    *order = (struct image_order){
        .what = "application image",
        .file = run->paths.file,
        .context = run->paths.context,
        .target = inputs->target,
        .file_name = run->paths.file_name,
        .secrets = &inputs->secrets,
        .place = place,
        .facts = &run->facts.image,
        .check = inputs->image_check,
        .fresh = fresh,
        .use_cache = !fresh && !run->facts.image.blobs_missing,
        .write_cache = caches_may_write(run),
        .keep_old = true,
        .needs_proof = true,
        .result = &run->result.image,
    };
}

static int build_pinned(struct run *run, const struct image_order *order, struct error *err)
{
    CLEANUP(strvec) struct strvec contexts = STRVEC_INIT, build_args = STRVEC_INIT;
    if (pin_base(run, run->result.base.uri, &contexts, &build_args, err) < 0)
        return -1;
    struct image_order pinned = *order;
    pinned.build_args = &build_args;
    pinned.build_contexts = &contexts;
    return build_image(run, &pinned, err);
}

static int build_application(struct run *run, const struct image_place *place,
                             const struct image_plan *plan, struct error *err)
{
    struct image_order order;
    fill_order(run, place, plan->fresh || run->inputs->no_cache, &order);
    if (plan->action == IMAGE_RETAG)
        return prove_and_tag_image(run, &order, plan->digest, err);
    order.tags_wait = run->image_tags_wait = run->inputs->compression == COMPRESSION_ZSTD;
    if (build_pinned(run, &order, err) < 0)
        return -1;
    compare_cached_steps(run, &order);
    return 0;
}

/* A fresh build would build it all again. */
static bool may_build_ahead(const struct run *run)
{
    const struct inputs *inputs = run->inputs;
    return inputs->command == COMMAND_DEPLOY && !inputs->no_cache && inputs->image_max_age_ms == 0;
}

static int build_ahead(struct run *run, struct error *err)
{
    struct image_place place;
    struct registry registry;
    struct image_order order;
    struct buildx_build build;
    CLEANUP(strvec) struct strvec stages = STRVEC_INIT, build_args = STRVEC_INIT;
    CLEANUP(strvec) struct strvec cache_from = STRVEC_INIT, unused = STRVEC_INIT;
    if (pin_stages_without_base(run, &stages, &build_args, err) < 0)
        return -1;
    if (stages.len == 0)
        return 0;
    if (images_place(run, &place, err) < 0 || images_login(run, &place, &registry, err) < 0 ||
        builder_ready(run, &place, err) < 0)
        return -1;
    fill_order(run, &place, false, &order);
    order.write_cache = false; /* the whole image's cache is written when that is built */
    order.build_args = &build_args;
    if (caches_choose(run, &order, &cache_from, &unused, err) < 0)
        return -1;
    build_image_arguments(run, &order, &build);
    build.cache_from = &cache_from;
    for (size_t i = 0; i < stages.len && i < MAX_STAGES_AHEAD; i++) {
        char what[80];
        snprintf(what, sizeof what, "Application stage %s", stages.items[i]);
        log_info("beside it, the application's stage %s is built", stages.items[i]);
        build.target = stages.items[i];
        if (run_time_left(run, INT64_MAX, &build.timeout_ms, err) < 0)
            return -1;
        side_build_ahead(run, what, &build);
    }
    return 0;
}

void app_image_build_ahead(struct run *run)
{
    struct error err = ERROR_INIT;
    if (may_build_ahead(run) && build_ahead(run, &err) < 0)
        log_debug("nothing is built ahead: %s", err.msg); /* the build that needs it will tell */
}

bool app_image_may_be_zstd(const struct run *run, const struct error *err)
{
    static const char *const words[] = {"media type", "LayerDetected", "InvalidImage"};
    bool refused = err->kind == ERROR_REFUSED || err->kind == ERROR_FAILED;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(err->msg, words[i]))
            return refused && run->image_tags_wait && !run->image_is_gzip;
    return false;
}

int app_image_as_gzip(struct run *run, const struct error *refusal, struct error *err)
{
    struct image_place place;
    struct image_order order;
    struct image_result *result = &run->result.image;
    log_warning("Lambda refuses the image with zstd layers, so it is exported again with gzip; "
                "compression: gzip spares this: %s",
                refusal->msg);
    run->image_is_gzip = true;
    run->facts.image.repository_exists = true; /* the first export made it, if need be */
    if (images_place(run, &place, err) < 0)
        return -1;
    fill_order(run, &place, false, &order);
    order.check = NULL; /* the same files: they have passed */
    order.write_cache = false;
    order.gzip_instead = order.tags_wait = true;
    result->pushed_bytes = 0;
    return build_pinned(run, &order, err);
}

static bool do_tags_wait(const struct run *run)
{
    return run->image_tags_wait;
}

static int name_served_image(struct run *run, bool is_proved, struct error *err)
{
    struct image_place place;
    struct image_order order;
    if (images_place(run, &place, err) < 0)
        return -1;
    fill_order(run, &place, false, &order);
    order.is_served = true;
    order.needs_proof = !is_proved;
    char digest[DIGEST_SIZE];
    snprintf(digest, sizeof digest, "%s", run->result.image.digest);
    return name_image(&order, digest, err);
}

static int name_waiting_image(struct run *run, struct error *err)
{
    log_info("Lambda has taken the image: it gets its tags");
    return name_served_image(run, false, err);
}

static bool is_built_again(const struct run *run)
{
    return must_prove_image(&run->facts.image, run->result.image.digest);
}

static int name_proved_image(struct run *run, struct error *err)
{
    log_info("the function answers well with the image: it gets its tags");
    if (name_served_image(run, true, err) < 0)
        return error_wrap(err, "deployed, but the next deployment of the same contents goes back "
                               "to the image before");
    return 0;
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
    return images_tag(place, &run->facts.image, plan->digest, IMAGES_KEEP_OLD, ignored_digest, err);
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

const struct stage stage_name_image = {.name = "name-image",
                                       .title = "Name the image",
                                       .wanted = do_tags_wait,
                                       .run = name_waiting_image,
                                       .undo = NULL};

const struct stage stage_name_proved_image = {.name = "name-image",
                                              .title = "Name the image",
                                              .wanted = is_built_again,
                                              .closes = true,
                                              .run = name_proved_image,
                                              .undo = NULL};
