/* What is there now, in a few lines; nothing is changed. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/plan.h"
#include "model/record.h"
#include "stages/caches.h"
#include "stages/health.h"
#include "stages/record.h"
#include "stages/stage.h"

static void say_image(const char *what, const struct image_facts *image,
                      struct image_result *result)
{
    char *reason = result->reason;
    size_t size = sizeof result->reason;
    snprintf(result->digest, sizeof result->digest, "%s", image->identity_digest);
    if (!image->wanted)
        snprintf(reason, size, "there is no Dockerfile for it");
    else if (image->identity_digest[0])
        snprintf(reason, size, "the image %s is there", image->identity_tag);
    else if (image->tag_digest[0])
        snprintf(reason, size, "%s is there, but was built from other contents%s%s", image->tag,
                 image->change[0] ? ": " : "", image->change);
    else
        snprintf(reason, size, "not built yet");
    log_info("%s: %s%s%s", what, reason, result->digest[0] ? ", " : "", result->digest);
}

static void say_missing_application(struct image_result *result)
{
    snprintf(result->reason, sizeof result->reason,
             "not built yet from this base image, which is not there");
    log_info("application image: %s", result->reason);
}

static void say_function(struct run *run)
{
    char *state = run->result.look.state, *serves = run->result.look.serves;
    const struct function_facts *function = &run->facts.function;
    if (!function->exists) {
        snprintf(state, sizeof run->result.look.state, "not there");
        log_info("function: not there");
        return;
    }
    log_info("function: %s, %s, runs %s", function->state, function->last_update_status,
             function->digest[0] ? function->digest : "a zip package, which no image can replace");
    snprintf(state, sizeof run->result.look.state, "%s, last update %s", function->state,
             function->last_update_status);
    if (run->inputs->alias)
        snprintf(serves, sizeof run->result.look.serves, "%s%s",
                 function->alias_exists ? function->alias_version : "not there",
                 function->alias_routed ? " and a share of another one" : "");
    if (run->inputs->alias && function->alias_exists)
        log_info("alias %s: version %s%s, %s", run->inputs->alias, function->alias_version,
                 function->alias_routed ? " and a share to another one" : "",
                 function->alias_digest);
    else if (run->inputs->alias)
        log_info("alias %s: not there", run->inputs->alias);
}

static int say_cache(struct run *run, bool is_base, struct error *err)
{
    struct image_place place;
    char reference[CACHES_REFERENCE_SIZE];
    bool is_there = false;
    if ((is_base ? images_base_place(run, &place, err) : images_place(run, &place, err)) < 0 ||
        caches_look(run, &place, is_base, reference, &is_there, err) < 0)
        return -1;
    char *caches = run->result.look.caches;
    size_t used = strlen(caches);
    snprintf(caches + used, sizeof run->result.look.caches - used, "%s%s image: %s",
             used > 0 ? ", " : "", is_base ? "base" : "application",
             is_there ? "there" : "not there yet");
    log_info("cache of the %s image: %s %s", is_base ? "base" : "application", reference,
             is_there ? "is there" : "is not there yet");
    return 0;
}

static int say_caches(struct run *run, struct error *err)
{
    if (!run->inputs->cache_registry) {
        log_info("cache: none in the registry is used");
        return 0;
    }
    if (run->facts.base.wanted && say_cache(run, true, err) < 0)
        return -1;
    return say_cache(run, false, err);
}

/* Drift: what serves is not what was last deployed and verified. */
static void say_drift(struct run *run)
{
    struct record_list list;
    char now[40] = "";
    record_read_list(run, &list);
    if (list.len == 0)
        return;
    if (run->inputs->alias)
        snprintf(now, sizeof now, "%s", run->facts.function.alias_version);
    else if (text_equal(run->facts.function.digest, run->facts.image.identity_digest))
        snprintf(now, sizeof now, "%s", run->facts.image.identity_tag);
    const struct record_entry *last = &list.items[0];
    struct result *result = &run->result;
    snprintf(result->look.verified, sizeof result->look.verified, "%s", last->what);
    result->look.verified_run = last->run;
    result->look.drifted = now[0] && !list.shared && !text_equal(now, last->what);
    log_info("last verified: %s, by run %lld%s", last->what, (long long)last->run,
             result->look.drifted ? "; what serves now is another one" : "");
}

static int status(struct run *run, struct error *err)
{
    CLEANUP(health) struct health health = {.checked = false};
    say_image("base image", &run->facts.base, &run->result.base);
    if (run->facts.image.wanted)
        say_image("application image", &run->facts.image, &run->result.image);
    else
        say_missing_application(&run->result.image);
    if (say_caches(run, err) < 0)
        return -1;
    say_function(run);
    say_drift(run);
    if (!run->facts.function.exists)
        return 0;
    if (health_check(run, run->inputs->alias, &health, err) < 0)
        return -1;
    health_keep(run, &health);
    log_info("health: %s%s%s", run->result.health.status,
             health.good || !health.checked ? "" : ": ",
             health.good || !health.checked ? "" : health.why);
    return 0;
}

const struct stage stage_status = {.name = "status",
                                   .title = "What is there",
                                   .wanted = NULL,
                                   .only_looks = true,
                                   .run = status,
                                   .undo = NULL};
