/* The repository before a push, and what the push has brought into it. */
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/images.h"

#define MAX_KNOWN 4

static int complete_repository(const struct image_place *place, struct error *err)
{
    bool changed = false;
    if (ecr_complete_repository(place->aws, place->name, &changed, err) == 0) {
        if (changed)
            log_info("the repository %s lacked a policy: it has Lambda's pull policy and an "
                     "expiry of untagged images now",
                     place->name);
        return 0;
    }
    if (err->kind != ERROR_DENIED)
        return error_wrap(err, "making the repository %s ready", place->name);
    log_info("the repository %s may lack Lambda's pull policy or an expiry of untagged images: %s",
             place->name, err->msg);
    error_reset(err);
    return 0;
}

int images_ensure_repository(const struct image_place *place, const struct image_facts *image,
                             struct error *err)
{
    if (image->repository_exists) {
        /* Nothing of ours was ever pushed here: it may be a repository that an earlier run could
         * not finish. */
        bool may_be_half_made = !image->pushed_before && !image->tag_digest[0] &&
                                !image->identity_digest[0] && !image->identity_tag_immutable;
        return may_be_half_made ? complete_repository(place, err) : 0;
    }
    struct ecr_repository repository = {.immutable = false};
    if (ecr_create_repository(place->aws, place->name, &repository, err) < 0)
        return error_wrap(err, "creating the repository %s", place->name);
    ecr_repository_release(&repository);
    log_info("created the repository %s (scan on push, untagged images expire after 14 days)",
             place->name);
    return 0;
}

static bool holds(const struct registry_manifest *manifest, const char *digest)
{
    if (text_equal(manifest->config_digest, digest))
        return true;
    for (size_t i = 0; i < manifest->layer_count; i++)
        if (text_equal(manifest->layers[i].digest, digest))
            return true;
    return false;
}

static int64_t bytes_of_layers(const struct registry_manifest *manifest)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < manifest->layer_count; i++)
        bytes += manifest->layers[i].size_bytes;
    return bytes;
}

static bool is_known(const struct registry_manifest *known, size_t count, const char *digest)
{
    for (size_t i = 0; i < count; i++)
        if (holds(&known[i], digest))
            return true;
    return false;
}

static int64_t new_bytes(const struct registry_manifest *manifest,
                         const struct registry_manifest *known, size_t count)
{
    int64_t config_bytes = manifest->size_bytes - bytes_of_layers(manifest);
    int64_t bytes = is_known(known, count, manifest->config_digest) ? 0 : config_bytes;
    for (size_t i = 0; i < manifest->layer_count; i++) {
        const struct registry_layer *layer = &manifest->layers[i];
        const struct registry_manifest before = {.layers = manifest->layers, .layer_count = i};
        if (!is_known(known, count, layer->digest) && !holds(&before, layer->digest))
            bytes += layer->size_bytes;
    }
    return bytes;
}

int images_new_bytes(const struct image_place *place, const struct image_facts *image,
                     const char *function_digest, const struct registry_manifest *manifest,
                     int64_t *ret_bytes, struct error *err)
{
    const char *candidates[MAX_KNOWN] = {image->tag_digest, image->identity_digest,
                                         image->pushed_digest, function_digest};
    const char *wanted[MAX_KNOWN];
    size_t count = 0, known_count = 0;
    for (size_t i = 0; i < MAX_KNOWN; i++) {
        bool again = false;
        for (size_t j = 0; j < count; j++)
            again = again || text_equal(wanted[j], candidates[i]);
        if (candidates[i][0] && !again)
            wanted[count++] = candidates[i];
    }
    struct ecr_image found[MAX_KNOWN] = {{.manifest = NULL}};
    struct registry_manifest known[MAX_KNOWN] = {{.text = NULL}};
    bool exists = false;
    int rc = count == 0 ? 0
                        : ecr_get_images(place->aws, NULL, place->name, wanted, count, found,
                                         &exists, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        if (found[i].digest[0]) /* it may have been swept up meanwhile */
            rc = registry_manifest_parse(found[i].manifest, strlen(found[i].manifest),
                                         found[i].media_type, &known[known_count++], err);
    if (rc == 0)
        *ret_bytes = new_bytes(manifest, known, known_count);
    for (size_t i = 0; i < MAX_KNOWN; i++) {
        ecr_image_release(&found[i]);
        registry_manifest_release(&known[i]);
    }
    return rc;
}
