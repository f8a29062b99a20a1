#include "stages/caches.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/text.h"
#include "stages/builder.h"

struct cache_place {
    char repository[260], tag[64];
    bool immutable; /* the tag cannot be written again */
};

/* An image in another repository than its own: its own repository's settings are known already. */
static int look_at_cache_repository(const struct image_order *order, struct cache_place *cache,
                                    struct error *err)
{
    struct ecr_repository repository = {.immutable = false};
    int rc = ecr_describe_repository(order->place->aws, NULL, cache->repository, &repository, err);
    if (rc < 0 && err->kind == ERROR_NOT_FOUND && order->write_cache) {
        error_reset(err);
        rc = ecr_create_repository(order->place->aws, cache->repository, &repository, err);
        if (rc == 0)
            log_info("created the repository %s for the cache", cache->repository);
    }
    if (rc == 0)
        cache->immutable = ecr_tag_is_immutable(&repository, cache->tag);
    ecr_repository_release(&repository);
    return rc;
}

/* Would the application's cache be in the same repository as the base's? */
static bool is_shared(struct run *run, const struct image_place *base)
{
    struct image_place application;
    struct error ignored = ERROR_INIT; /* it is said when the application is looked at */
    if (run->inputs->cache_repository)
        return true;
    return run->inputs->function_name && images_place(run, &application, &ignored) == 0 &&
           text_equal(application.name, base->name);
}

static const char *cache_tag(struct run *run, const struct image_place *place, bool is_base)
{
    return is_base && is_shared(run, place) ? IMAGES_CACHE_TAG "-base" : IMAGES_CACHE_TAG;
}

static int find_cache_place(struct run *run, const struct image_order *order,
                            struct cache_place *ret_cache, struct error *err)
{
    const char *given = run->inputs->cache_repository;
    const struct image_place *place = order->place;
    struct cache_place cache = {.immutable = order->facts->cache_tag_immutable};
    snprintf(cache.repository, sizeof cache.repository, "%s", given ? given : place->name);
    snprintf(cache.tag, sizeof cache.tag, "%s", cache_tag(run, place, order->is_base));
    if (!text_equal(cache.repository, place->name) &&
        look_at_cache_repository(order, &cache, err) < 0)
        return error_wrap(err, "cache-repository %s", cache.repository);
    *ret_cache = cache;
    return 0;
}

/* A cache is worth less than a build. */
static bool go_on_without(struct error *err)
{
    if (err->kind == ERROR_CANCELLED)
        return false;
    log_warning("no registry cache: %s", err->msg);
    error_reset(err);
    return true;
}

/* ECR needs image-manifest and OCI media types (containers-roadmap#876). */
static int choose_registry_cache(struct run *run, const struct image_order *order,
                                 struct strvec *from, struct strvec *to, struct error *err)
{
    struct cache_place cache = {0};
    if (find_cache_place(run, order, &cache, err) < 0)
        return go_on_without(err) ? 0 : -1;
    if (order->use_cache)
        strvec_pushf(from, "type=registry,ref=%s/%s:%s", order->place->registry, cache.repository,
                     cache.tag);
    if (!order->write_cache)
        return 0;
    if (cache.immutable) {
        log_warning("no registry cache is written: the repository %s is immutable, and the cache's "
                    "tag has to move; give another one as cache-repository",
                    cache.repository);
        return 0;
    }
    strvec_pushf(to,
                 "type=registry,ref=%s/%s:%s,mode=max,image-manifest=true,oci-mediatypes=true,"
                 "compression=%s,ignore-error=true",
                 order->place->registry, cache.repository, cache.tag,
                 run->inputs->compression == COMPRESSION_ZSTD ? "zstd" : "gzip");
    return 0;
}

bool caches_may_write(const struct run *run)
{
    return run->event->kind != EVENT_PULL_REQUEST && run->event->kind != EVENT_PULL_REQUEST_TARGET;
}

int caches_choose(struct run *run, const struct image_order *order, struct strvec *ret_from,
                  struct strvec *ret_to, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    if (!builder_can_cache(run))
        return 0;
    if (inputs->cache_registry && choose_registry_cache(run, order, ret_from, ret_to, err) < 0)
        return -1;
    if (inputs->cache_gha && run->services.github.runtime_token) {
        if (order->use_cache)
            strvec_pushf(ret_from, "type=gha,scope=%s", order->place->name);
        if (order->write_cache)
            strvec_pushf(ret_to, "type=gha,scope=%s,mode=max,ignore-error=true",
                         order->place->name);
    }
    return 0;
}

int caches_look(struct run *run, const struct image_place *place, bool is_base,
                char ret_reference[CACHES_REFERENCE_SIZE], bool *ret_there, struct error *err)
{
    const char *given = run->inputs->cache_repository;
    const char *repository = given ? given : place->name, *tag = cache_tag(run, place, is_base);
    struct ecr_image image = {.manifest = NULL};
    bool exists;
    if (ecr_get_images(place->aws, place->account[0] ? place->account : NULL, repository, &tag, 1,
                       &image, &exists, err) < 0)
        return error_wrap(err, "looking for the cache %s:%s", repository, tag);
    *ret_there = image.digest[0] != '\0';
    ecr_image_release(&image);
    snprintf(ret_reference, CACHES_REFERENCE_SIZE, "%s:%s", repository, tag);
    return 0;
}
