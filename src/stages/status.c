/* What is there now, in a few lines; nothing is changed. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/plan.h"
#include "model/record.h"
#include "stages/caches.h"
#include "stages/health.h"
#include "stages/record.h"
#include "stages/stage.h"

static void say_image(const char *what, const struct image_facts *image)
{
    if (!image->wanted)
        log_info("%s: none", what);
    else if (image->identity_digest[0])
        log_info("%s: %s is there (%s)", what, image->identity_tag, image->identity_digest);
    else if (image->tag_digest[0])
        log_info("%s: %s is there, but was built from other contents%s%s", what, image->tag,
                 image->change[0] ? ": " : "", image->change);
    else
        log_info("%s: not built yet", what);
}

static void say_function(const struct run *run)
{
    const struct function_facts *function = &run->facts.function;
    if (!function->exists) {
        log_info("function: not there");
        return;
    }
    log_info("function: %s, %s, runs %s", function->state, function->last_update_status,
             function->digest[0] ? function->digest : "a zip package, which no image can replace");
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
static void say_drift(const struct run *run)
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
    log_info("last verified: %s, by run %lld%s", last->what, (long long)last->run,
             now[0] && !text_equal(now, last->what) ? "; what serves now is another one" : "");
}

static int status(struct run *run, struct error *err)
{
    CLEANUP(health) struct health health = {.checked = false};
    say_image("base image", &run->facts.base);
    if (run->facts.image.wanted)
        say_image("application image", &run->facts.image);
    else
        log_info("application image: not built yet from this base image, which is not there");
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
