/* What Lambda takes as an image: docs.aws.amazon.com/lambda/latest/dg/images-create.html. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "services/registry.h"

#define IMAGE_MAX_BYTES ((int64_t)10 << 30)

static const char *const manifest_types[] = {"application/vnd.oci.image.manifest.v1+json",
                                             "application/vnd.docker.distribution.manifest.v2+json",
                                             NULL};
static const char *const layer_types[] = {
    "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.gzip", NULL};
/* Lambda's word for an architecture → the image's. */
static const struct {
    const char *lambda, *image;
} architectures[] = {{"x86_64", "amd64"}, {"arm64", "arm64"}};

static bool is_one_of(const char *const *types, const char *type)
{
    for (; *types; types++)
        if (strcmp(*types, type) == 0)
            return true;
    return false;
}

static int check_layers(const struct registry_manifest *manifest, struct error *err)
{
    for (size_t i = 0; i < manifest->layer_count; i++)
        if (!is_one_of(layer_types, manifest->layers[i].media_type))
            return error_set(err, ERROR_REFUSED,
                             "layer %zu has the media type %s, which Lambda does not take; use "
                             "compression: gzip",
                             i + 1, manifest->layers[i].media_type);
    if (manifest->size_bytes > IMAGE_MAX_BYTES)
        return error_set(err, ERROR_REFUSED,
                         "it has %lld bytes compressed; Lambda takes at most 10 GB uncompressed",
                         (long long)manifest->size_bytes);
    return 0;
}

int registry_check_for_lambda(const struct registry_manifest *manifest,
                              const struct registry_image_config *config, const char *architecture,
                              struct error *err)
{
    if (manifest->is_index)
        return error_set(err, ERROR_REFUSED,
                         "it is an image index (%s), and Lambda takes a single image: build one "
                         "platform only, with "
                         "--provenance=false and --sbom=false",
                         manifest->media_type);
    if (!is_one_of(manifest_types, manifest->media_type))
        return error_set(err, ERROR_REFUSED, "it has the media type %s, which Lambda does not take",
                         manifest->media_type);
    if (check_layers(manifest, err) < 0)
        return -1;
    if (!config->os[0] || !config->architecture[0])
        return error_set(err, ERROR_REFUSED,
                         "its config (%s) does not say for which system it is made: it is no image "
                         "of a container",
                         manifest->config_media_type);
    if (strcmp(config->os, "linux") != 0)
        return error_set(err, ERROR_REFUSED, "it is made for %s; Lambda runs linux", config->os);
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (text_equal(architectures[i].lambda, architecture) &&
            strcmp(architectures[i].image, config->architecture) != 0)
            return error_set(err, ERROR_REFUSED,
                             "it is made for %s, but the function runs on %s: look at `platform` "
                             "and at the FROM lines of the "
                             "Dockerfile",
                             config->architecture, architecture);
    return 0;
}

static const char *image_architecture(const char *lambda)
{
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (text_equal(architectures[i].lambda, lambda))
            return architectures[i].image;
    return lambda;
}

int registry_find_in_index(const struct registry_manifest *index, const char *architecture,
                           char ret_digest[DIGEST_SIZE], struct error *err)
{
    CLEANUP(json) struct json *json = NULL;
    const char *wanted = image_architecture(architecture);
    if (json_parse(index->text, strlen(index->text), &json, err) < 0)
        return error_wrap(err, "reading an index");
    JSON_EACH (manifest, json_get(json, "manifests")) {
        const char *digest = json_get_string(manifest, "digest");
        if (text_equal(json_get_string(manifest, "platform.os"), "linux") &&
            text_equal(json_get_string(manifest, "platform.architecture"), wanted) &&
            text_is_digest(digest)) {
            snprintf(ret_digest, DIGEST_SIZE, "%s", digest);
            return 0;
        }
    }
    return error_set(err, ERROR_REFUSED,
                     "it is an image index that has no image for linux/%s: look at `platform`, or "
                     "build it for that platform, too",
                     wanted);
}
