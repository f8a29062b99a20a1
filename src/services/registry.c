#include "services/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/http_retry.h"

#define MANIFEST_MAX_BYTES ((size_t)4 << 20)
#define CONFIG_MAX_BYTES   ((size_t)8 << 20)
#define MAX_LAYERS         1024
#define MAX_BLOB_BYTES     (INT64_C(1) << 48) /* so that no sum of them overflows */

static const char manifest_types[] = "application/vnd.oci.image.manifest.v1+json, "
                                     "application/vnd.docker.distribution.manifest.v2+json, "
                                     "application/vnd.oci.image.index.v1+json, "
                                     "application/vnd.docker.distribution.manifest.list.v2+json";

void registry_manifest_release(struct registry_manifest *manifest)
{
    free(manifest->layers);
    free(manifest->text);
    manifest->layers = NULL;
    manifest->text = NULL;
    manifest->layer_count = 0;
}

void registry_image_config_release(struct registry_image_config *config)
{
    json_free(config->labels);
    json_free(config->json);
    config->labels = config->json = NULL;
}

static void digest_of(const char *bytes, size_t len, char ret_digest[DIGEST_SIZE])
{
    char hex[SHA256_HEX];
    crypto_sha256_hex(bytes, len, hex);
    snprintf(ret_digest, DIGEST_SIZE, "sha256:%s", hex);
}

static bool is_index_type(const char *media_type)
{
    return text_equal(media_type, "application/vnd.oci.image.index.v1+json") ||
           text_equal(media_type, "application/vnd.docker.distribution.manifest.list.v2+json");
}

static int parse_layers(const struct json *layers, struct registry_manifest *manifest,
                        struct error *err)
{
    size_t count = json_length(layers);
    if (json_type(layers) != JSON_ARRAY || count > MAX_LAYERS)
        return error_set(err, ERROR_PROTOCOL, "the manifest has no usable list of layers");
    manifest->layers = memory_new((count + 1) * sizeof *manifest->layers);
    JSON_EACH (layer, layers) {
        const char *digest = json_get_string(layer, "digest");
        int64_t size = json_get_int(layer, "size", -1);
        /* Only a digest is put into a URL: a stranger's manifest must not choose its path. */
        if (!text_is_digest(digest) || size < 0 || size > MAX_BLOB_BYTES)
            return error_set(err, ERROR_PROTOCOL,
                             "layer %zu of the manifest has no usable digest or size",
                             manifest->layer_count + 1);
        struct registry_layer *item = &manifest->layers[manifest->layer_count++];
        const char *type = json_get_string(layer, "mediaType");
        snprintf(item->digest, sizeof item->digest, "%s", digest);
        snprintf(item->media_type, sizeof item->media_type, "%s", type ? type : "");
        item->size_bytes = size;
        manifest->size_bytes += size;
    }
    return 0;
}

static int parse_image(const struct json *json, struct registry_manifest *manifest,
                       struct error *err)
{
    const struct json *config = json_get(json, "config");
    const char *digest = json_get_string(config, "digest"),
               *type = json_get_string(config, "mediaType");
    int64_t size = json_get_int(config, "size", 0);
    if (!text_is_digest(digest) || size < 0 || size > MAX_BLOB_BYTES)
        return error_set(err, ERROR_PROTOCOL, "the manifest has no usable config");
    snprintf(manifest->config_digest, sizeof manifest->config_digest, "%s", digest);
    snprintf(manifest->config_media_type, sizeof manifest->config_media_type, "%s",
             type ? type : "");
    manifest->size_bytes = size;
    return parse_layers(json_get(json, "layers"), manifest, err);
}

int registry_manifest_parse(const char *text, size_t len, const char *media_type,
                            struct registry_manifest *ret_manifest, struct error *err)
{
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(text, len, &json, err) < 0)
        return error_wrap(err, "reading a manifest");
    CLEANUP(registry_manifest)
    struct registry_manifest manifest = {.text = memory_copy_bytes(text, len)};
    const char *own_type = json_get_string(json, "mediaType");
    const char *type = own_type ? own_type : media_type;
    type = type ? type : "";
    snprintf(manifest.media_type, sizeof manifest.media_type, "%.*s", (int)strcspn(type, "; \t"),
             type);
    digest_of(text, len, manifest.digest);
    manifest.is_index = is_index_type(manifest.media_type) || json_get(json, "manifests");
    if (!manifest.is_index && parse_image(json, &manifest, err) < 0)
        return -1;
    *ret_manifest = manifest;
    manifest.text = NULL;
    manifest.layers = NULL;
    return 0;
}

static enum error_kind kind_of_status(int status)
{
    static const struct {
        int status;
        enum error_kind kind;
    } kinds[] = {{401, ERROR_UNAUTHORIZED},
                 {403, ERROR_DENIED},
                 {404, ERROR_NOT_FOUND},
                 {409, ERROR_CONFLICT},
                 {429, ERROR_THROTTLED}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].status == status)
            return kinds[i].kind;
    return status >= 500 ? ERROR_SERVER : ERROR_REFUSED;
}

/* {"errors":[{"code":"NAME_UNKNOWN","message":"…"}]} */
static int answer_error(const struct http_response *response, const char *what, struct error *err)
{
    struct error ignored = ERROR_INIT; /* not JSON: the status alone must do */
    CLEANUP(json) struct json *json = NULL;
    const struct json *first = NULL;
    if (response->body.len > 0 &&
        json_parse(response->body.buf, response->body.len, &json, &ignored) == 0)
        first = json_first(json_get(json, "errors"));
    const char *code = json_get_string(first, "code"), *message = json_get_string(first, "message");
    error_set_code(err, kind_of_status(response->status), response->status,
                   "%s: the registry answered %d%s%s", what, response->status, message ? ": " : "",
                   message ? message : "");
    if (err)
        snprintf(err->name, sizeof err->name, "%s", code ? code : "");
    return -1;
}

static void basic_auth(const struct registry *registry, struct strbuf *out)
{
    struct strbuf pair = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&pair, "%s:%s", registry->user, registry->password);
    strbuf_addstr(out, "Basic ");
    crypto_base64(out, pair.buf, pair.len);
    strbuf_release_secret(&pair);
}

struct ask { /* one request to the registry's API */
    const char *method, *accept;
    const char *repository, *kind, *reference; /* "manifests" or "blobs" */
    size_t max_bytes;
};

static int ask_registry(const struct registry *registry, const struct ask *ask,
                        struct http_response *ret_response, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(4096);
    struct strbuf auth = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&url, "https://%s/v2/%s/%s/%s", registry->host, ask->repository, ask->kind,
                ask->reference);
    if (registry->user)
        basic_auth(registry, &auth);
    const struct http_header headers[] = {{"Accept", ask->accept}, {"Authorization", auth.buf}};
    const struct http_request request = {.method = ask->method,
                                         .url = url.buf,
                                         .headers = headers,
                                         .header_count = registry->user ? 2 : 1,
                                         .max_body_bytes = ask->max_bytes};
    int rc = http_retry_exchange(registry->http, &request, ret_response, err);
    strbuf_release_secret(&auth);
    return rc;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The storage behind a registry has its own, signed URL: our password must not go there. */
static int follow_redirect(const struct registry *registry, size_t max_bytes,
                           struct http_response *response, struct error *err)
{
    const char *location = http_response_header(response, "location");
    if (!text_starts_with(location, "https://"))
        return error_set(err, ERROR_PROTOCOL,
                         "the registry redirects to something that is not https");
    CLEANUP_FREE char *url = memory_copy_string(location);
    const struct http_request request = {.method = "GET", .url = url, .max_body_bytes = max_bytes};
    return http_retry_exchange(registry->http, &request, response, err);
}

int registry_get_manifest(const struct registry *registry, const char *repository,
                          const char *reference, struct registry_manifest *ret_manifest,
                          struct error *err)
{
    const struct ask ask = {.method = "GET",
                            .accept = manifest_types,
                            .repository = repository,
                            .kind = "manifests",
                            .reference = reference,
                            .max_bytes = MANIFEST_MAX_BYTES};
    char what[600];
    bool by_digest = text_starts_with(reference, "sha256:");
    snprintf(what, sizeof what, "%s/%s%s%s", registry->host, repository, by_digest ? "@" : ":",
             reference);
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (ask_registry(registry, &ask, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, what, err);
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    if (registry_manifest_parse(response.body.buf, response.body.len,
                                http_response_header(&response, "content-type"), &manifest,
                                err) < 0)
        return error_wrap(err, "%s", what);
    const char *said = http_response_header(&response, "docker-content-digest");
    const char *wanted = by_digest ? reference : said;
    if (wanted && strcmp(wanted, manifest.digest) != 0)
        return error_set(err, ERROR_PROTOCOL, "%s: the manifest that came is %s", what,
                         manifest.digest);
    *ret_manifest = manifest;
    manifest.text = NULL;
    manifest.layers = NULL;
    return 0;
}

int registry_has_blob(const struct registry *registry, const char *repository, const char *digest,
                      bool *ret_exists, struct error *err)
{
    const struct ask ask = {.method = "HEAD",
                            .accept = "*/*",
                            .repository = repository,
                            .kind = "blobs",
                            .reference = digest};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (ask_registry(registry, &ask, &response, err) < 0)
        return -1;
    if (response.status != 200 && response.status != 404 && !is_redirect(response.status))
        return answer_error(&response, digest, err);
    *ret_exists = response.status != 404;
    return 0;
}

int registry_has_all_blobs(const struct registry *registry, const char *repository,
                           const struct registry_manifest *manifest, char ret_missing[DIGEST_SIZE],
                           struct error *err)
{
    bool exists = true;
    const char *digest = manifest->config_digest;
    for (size_t i = 0; exists && i <= manifest->layer_count; i++) {
        digest = i == 0 ? manifest->config_digest : manifest->layers[i - 1].digest;
        if (registry_has_blob(registry, repository, digest, &exists, err) < 0)
            return -1;
    }
    snprintf(ret_missing, DIGEST_SIZE, "%s", exists ? "" : digest);
    return 0;
}

static int parse_config(const struct http_response *response,
                        struct registry_image_config *ret_config, struct error *err)
{
    struct registry_image_config config = {.json = NULL};
    if (json_parse(response->body.buf, response->body.len, &config.json, err) < 0)
        return error_wrap(err, "reading an image's config");
    const struct {
        char *place;
        size_t size;
        const char *name;
    } members[] = {{config.architecture, sizeof config.architecture, "architecture"},
                   {config.os, sizeof config.os, "os"}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *text = json_get_string(config.json, members[i].name);
        snprintf(members[i].place, members[i].size, "%s", text ? text : "");
    }
    const struct json *labels = json_get(config.json, "config.Labels");
    config.labels = json_type(labels) == JSON_OBJECT ? json_copy(labels) : NULL;
    *ret_config = config;
    return 0;
}

int registry_get_image_config(const struct registry *registry, const char *repository,
                              const struct registry_manifest *manifest,
                              struct registry_image_config *ret_config, struct error *err)
{
    const struct ask ask = {.method = "GET",
                            .accept = "*/*",
                            .repository = repository,
                            .kind = "blobs",
                            .reference = manifest->config_digest,
                            .max_bytes = CONFIG_MAX_BYTES};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (ask_registry(registry, &ask, &response, err) < 0)
        return -1;
    if (is_redirect(response.status) &&
        follow_redirect(registry, CONFIG_MAX_BYTES, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, manifest->config_digest, err);
    char digest[DIGEST_SIZE];
    digest_of(response.body.buf, response.body.len, digest);
    if (strcmp(digest, manifest->config_digest) != 0)
        return error_set(err, ERROR_PROTOCOL, "the image's config is %s, not %s", digest,
                         manifest->config_digest);
    return parse_config(&response, ret_config, err);
}
