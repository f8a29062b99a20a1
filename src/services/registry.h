/*
 * registry.h: the OCI distribution API, as ECR speaks it: manifests and blobs, read only. Pushing
 * is BuildKit's work. Source: github.com/opencontainers/distribution-spec;
 * docs.aws.amazon.com/AmazonECR registry authentication (Basic).
 *
 * ECR answers a blob's GET with a redirect to storage on another host: it is followed once, by
 * hand, without our password.
 */
#ifndef SERVICES_REGISTRY_H
#define SERVICES_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/json.h"
#include "core/text.h"

struct registry { /* all borrowed */
    struct http *http;
    const char *host;            /* "123456789012.dkr.ecr.us-east-1.amazonaws.com" */
    const char *user, *password; /* secret; user NULL: no login */
};

struct registry_layer {
    char digest[DIGEST_SIZE];
    char media_type[96];
    int64_t size_bytes;
};

struct registry_manifest {
    char digest[DIGEST_SIZE]; /* of the exact bytes, computed by us and compared with what the
                               * registry said
                               */
    char media_type[128];
    bool is_index;
    char config_digest[DIGEST_SIZE];
    char config_media_type[96];
    struct registry_layer *layers; /* owned */
    size_t layer_count;
    int64_t size_bytes; /* config and layers, compressed */
    char *text;         /* owned; the exact bytes */
};
void registry_manifest_release(struct registry_manifest *manifest);

/* Pure: parse a manifest's bytes; ERROR_PROTOCOL. `media_type` (may be NULL) as the Content-Type
 * said. */
int registry_manifest_parse(const char *text, size_t len, const char *media_type,
                            struct registry_manifest *ret_manifest, struct error *err);

/* `reference` is a tag or a digest. ERROR_NOT_FOUND. */
int registry_get_manifest(const struct registry *registry, const char *repository,
                          const char *reference, struct registry_manifest *ret_manifest,
                          struct error *err);
/* 0 and *ret_exists. */
int registry_has_blob(const struct registry *registry, const char *repository, const char *digest,
                      bool *ret_exists, struct error *err);
/* Every blob of the manifest is there. *ret_missing gets the first missing digest, or "". */
int registry_has_all_blobs(const struct registry *registry, const char *repository,
                           const struct registry_manifest *manifest, char ret_missing[DIGEST_SIZE],
                           struct error *err);

struct registry_image_config {
    char architecture[32]; /* "amd64", "arm64" */
    char os[32];
    struct json *labels; /* owned; an object of strings, or NULL */
    struct json *json;   /* owned; all of it */
};
void registry_image_config_release(struct registry_image_config *config);
int registry_get_image_config(const struct registry *registry, const char *repository,
                              const struct registry_manifest *manifest,
                              struct registry_image_config *ret_config, struct error *err);

/* Is this an image that Lambda takes? 0, or ERROR_REFUSED whose message says what it is instead and
 * which flag or line causes it. Pure. */
int registry_check_for_lambda(const struct registry_manifest *manifest,
                              const struct registry_image_config *config, const char *architecture,
                              struct error *err);

/* Pure: the digest of an index's image for Lambda's `architecture`. ERROR_REFUSED: it has none. */
int registry_find_in_index(const struct registry_manifest *index, const char *architecture,
                           char ret_digest[DIGEST_SIZE], struct error *err);

#endif
