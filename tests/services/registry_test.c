#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "services/registry.h"
#include "tests/services/support_aws.h"

Suite *registry_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEX          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST       "sha256:" HEX
#define OTHER        "sha256:f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OCI          "application/vnd.oci.image.manifest.v1+json"
#define GZIP         "application/vnd.oci.image.layer.v1.tar+gzip"
#define CONFIG       "{\"architecture\":\"arm64\",\"os\":\"linux\",\"config\":{\"Labels\":{\"a\":\"b\"}}}"
#define LAYER(digest, size)                                                                        \
    "{\"mediaType\":\"" GZIP "\",\"digest\":\"" digest "\",\"size\":" size "}"
#define MANIFEST(config, layers)                                                                   \
    "{\"schemaVersion\":2,\"mediaType\":\"" OCI "\",\"config\":{\"mediaType\":\"application/"      \
    "vnd.oci.image.config.v1+json\",\"digest\":\"" config "\",\"size\":7},\"layers\":[" layers     \
    "]}"
#define GOOD MANIFEST(DIGEST, LAYER(OTHER, "100") "," LAYER(DIGEST, "23"))

static struct fake fake;
static const struct registry registry = {
    .host = "1.dkr.ecr.r.amazonaws.com", .user = "AWS", .password = "p:w"};

/* ---- parsing ---- */

START_TEST(a_manifest_is_read)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    char hex[SHA256_HEX];
    ck_assert_int_eq(registry_manifest_parse(GOOD, strlen(GOOD), NULL, &manifest, NULL), 0);
    crypto_sha256_hex(GOOD, strlen(GOOD), hex);
    ck_assert_str_eq(manifest.digest + 7, hex);
    ck_assert_str_eq(manifest.media_type, OCI);
    ck_assert(!manifest.is_index);
    ck_assert_str_eq(manifest.config_digest, DIGEST);
    ck_assert_uint_eq(manifest.layer_count, 2);
    ck_assert_str_eq(manifest.layers[0].digest, OTHER);
    ck_assert_str_eq(manifest.layers[1].media_type, GZIP);
    ck_assert_int_eq(manifest.size_bytes, 130);
    ck_assert_str_eq(manifest.text, GOOD);
}
END_TEST

static const struct {
    const char *text, *said;
    bool is_index;
    const char *type;
} kinds[] = {
    {"{\"manifests\":[]}", "application/vnd.oci.image.index.v1+json", true,
     "application/vnd.oci.image.index.v1+json"},
    {"{\"mediaType\":\"application/vnd.docker.distribution.manifest.list.v2+json\"}", NULL, true,
     "application/vnd.docker.distribution.manifest.list.v2+json"},
    {"{\"manifests\":[]}", NULL, true, ""},
    {"{\"config\":{\"digest\":\"" DIGEST "\"},\"layers\":[]}", OCI "; charset=utf-8", false, OCI},
    {GOOD, "application/json", false, OCI},
};

START_TEST(kinds_of_manifests)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    ck_assert_int_eq(registry_manifest_parse(kinds[_i].text, strlen(kinds[_i].text), kinds[_i].said,
                                             &manifest, NULL),
                     0);
    ck_assert(manifest.is_index == kinds[_i].is_index);
    ck_assert_str_eq(manifest.media_type, kinds[_i].type);
}
END_TEST

static const char *const bad[] = {
    "",
    "{",
    "[]",
    "{}",
    "null",
    "{\"schemaVersion\":2,\"config\":{\"digest\":\"" DIGEST "\"}",
    "{\"config\":{\"digest\":\"" DIGEST "\"}}",
    MANIFEST("sha256:../../../v2/other/blobs/x", ""),
    MANIFEST("sha256:0123", ""),
    MANIFEST(DIGEST "0", ""),
    MANIFEST("sha512:" HEX, ""),
    MANIFEST(DIGEST, LAYER("x", "1")),
    MANIFEST(DIGEST, LAYER(DIGEST, "-1")),
    MANIFEST(DIGEST, LAYER(DIGEST, "\"1\"")),
    MANIFEST(DIGEST, LAYER(DIGEST, "9007199254740992")),
    MANIFEST(DIGEST, "{}"),
    "{\"config\":{\"digest\":\"" DIGEST "\"},\"layers\":{}}",
};

START_TEST(what_is_no_manifest)
{
    struct registry_manifest manifest = {.text = NULL};
    struct error err = ERROR_INIT;
    ck_assert_int_eq(registry_manifest_parse(bad[_i], strlen(bad[_i]), OCI, &manifest, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_ptr_null(manifest.text);
}
END_TEST

/* ---- asking ---- */

#define STATUS(number)                                                                             \
    {                                                                                              \
        .status = (number), .body = "{\"errors\":[{\"code\":\"X\",\"message\":\"why\"}]}"          \
    }
#define BROKEN(kind_)                                                                              \
    {                                                                                              \
        .status = 0, .error = (kind_)                                                              \
    }
#define MANIFEST_OK                                                                                \
    {                                                                                              \
        .status = 200, .body = GOOD                                                                \
    }

static const struct {
    struct fake_answer answers[4];
    size_t count;
    enum error_kind kind; /* ERROR_NONE: it comes */
    int code;
} asked[] = {
    {{MANIFEST_OK}, 1, ERROR_NONE, 0},
    {{STATUS(503), STATUS(429), MANIFEST_OK}, 3, ERROR_NONE, 0},
    {{BROKEN(ERROR_NETWORK), BROKEN(ERROR_TIMEOUT), MANIFEST_OK}, 3, ERROR_NONE, 0},
    {{STATUS(500), STATUS(502), STATUS(504)}, 3, ERROR_SERVER, 504},
    {{STATUS(429), STATUS(429), STATUS(429)}, 3, ERROR_THROTTLED, 429},
    {{BROKEN(ERROR_NETWORK), BROKEN(ERROR_NETWORK), BROKEN(ERROR_NETWORK)}, 3, ERROR_NETWORK, 0},
    {{STATUS(401)}, 1, ERROR_UNAUTHORIZED, 401},
    {{STATUS(403)}, 1, ERROR_DENIED, 403},
    {{STATUS(404)}, 1, ERROR_NOT_FOUND, 404},
    {{STATUS(400)}, 1, ERROR_REFUSED, 400},
    {{STATUS(307)}, 1, ERROR_REFUSED, 307},
    {{BROKEN(ERROR_TOO_LARGE)}, 1, ERROR_TOO_LARGE, 0},
    {{BROKEN(ERROR_CANCELLED)}, 1, ERROR_CANCELLED, 0},
    {{{.status = 200, .body = "{\"config\":"}}, 1, ERROR_PROTOCOL, 0},
    {{{.status = 200, .body = GOOD, .headers = {{"Docker-Content-Digest", OTHER}}}},
     1,
     ERROR_PROTOCOL,
     0},
};

START_TEST(manifests_are_asked_for)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    struct error err = ERROR_INIT;
    fake_listen(&fake, asked[_i].answers, asked[_i].count);
    int rc = registry_get_manifest(&registry, "team/app", "v1", &manifest, &err);
    ck_assert_int_eq(rc, asked[_i].kind == ERROR_NONE ? 0 : -1);
    ck_assert_int_eq(err.kind, asked[_i].kind);
    ck_assert_int_eq(err.code, asked[_i].code);
    if (err.code)
        ck_assert_ptr_nonnull(strstr(err.msg, "/team/app:v1: the registry answered "));
    if (err.code)
        ck_assert_ptr_nonnull(strstr(err.msg, ": why"));
    ck_assert(rc == 0 ? manifest.layer_count == 2 : !manifest.text);
    ck_assert_str_eq(fake.requests[0].url,
                     "https://1.dkr.ecr.r.amazonaws.com/v2/team/app/manifests/v1");
    ck_assert_str_eq(fake_header(&fake.requests[0], "authorization"), "Basic QVdTOnA6dw==");
    const char *accept = fake_header(&fake.requests[0], "accept");
    ck_assert(strstr(accept, OCI) && strstr(accept, "oci.image.index.v1+json") &&
              strstr(accept, "manifest.v2+json") && strstr(accept, "manifest.list.v2+json"));
    fake_stop(&fake);
}
END_TEST

START_TEST(a_digest_must_be_the_one_that_was_asked_for)
{
    static const struct fake_answer answers[] = {MANIFEST_OK, MANIFEST_OK};
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    struct error err = ERROR_INIT;
    char hex[SHA256_HEX], digest[80];
    crypto_sha256_hex(GOOD, strlen(GOOD), hex);
    snprintf(digest, sizeof digest, "sha256:%s", hex);
    fake_listen(&fake, answers, 2);
    ck_assert_int_eq(registry_get_manifest(&registry, "a", digest, &manifest, &err), 0);
    struct registry_manifest second = {.text = NULL};
    ck_assert_int_eq(registry_get_manifest(&registry, "a", OTHER, &second, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.msg, "/a@" OTHER ": the manifest that came is sha256:"));
    fake_stop(&fake);
}
END_TEST

START_TEST(a_cancel_ends_the_retries)
{
    static const struct fake_answer answers[] = {STATUS(503)};
    struct registry_manifest manifest = {.text = NULL};
    struct error err = ERROR_INIT;
    fake_listen(&fake, answers, 1);
    fake.cancel_at_sleep = 1;
    ck_assert_int_eq(registry_get_manifest(&registry, "a", "t", &manifest, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    fake_stop(&fake);
}
END_TEST

START_TEST(no_login_without_a_user)
{
    static const struct fake_answer answers[] = {MANIFEST_OK};
    const struct registry open = {.host = "r.example"};
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    fake_listen(&fake, answers, 1);
    ck_assert_int_eq(registry_get_manifest(&open, "a", "t", &manifest, NULL), 0);
    ck_assert_ptr_null(fake_header(&fake.requests[0], "authorization"));
    fake_stop(&fake);
}
END_TEST

/* ---- blobs ---- */

static const struct {
    int status;
    bool exists;
    enum error_kind kind;
} blobs[] = {{200, true, ERROR_NONE},
             {307, true, ERROR_NONE},
             {404, false, ERROR_NONE},
             {403, false, ERROR_DENIED},
             {401, false, ERROR_UNAUTHORIZED}};

START_TEST(blobs_are_looked_for)
{
    const struct fake_answer answers[] = {{.status = blobs[_i].status}};
    struct error err = ERROR_INIT;
    bool exists = false;
    fake_listen(&fake, answers, 1);
    int rc = registry_has_blob(&registry, "a", DIGEST, &exists, &err);
    ck_assert_int_eq(rc, blobs[_i].kind == ERROR_NONE ? 0 : -1);
    ck_assert_int_eq(err.kind, blobs[_i].kind);
    ck_assert(exists == blobs[_i].exists);
    ck_assert_str_eq(fake.requests[0].method, "HEAD");
    ck_assert_ptr_nonnull(strstr(fake.requests[0].url, "/v2/a/blobs/" DIGEST));
    fake_stop(&fake);
}
END_TEST

static const struct {
    int statuses[3];
    size_t asked;
    const char *missing;
} whole[] = {{{200, 200, 200}, 3, ""}, {{404}, 1, DIGEST}, {{200, 404}, 2, OTHER}};

START_TEST(all_blobs_of_a_manifest)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    struct fake_answer answers[3];
    char missing[80] = "?";
    for (size_t i = 0; i < 3; i++)
        answers[i] = (struct fake_answer){.status = whole[_i].statuses[i]};
    ck_assert_int_eq(registry_manifest_parse(GOOD, strlen(GOOD), NULL, &manifest, NULL), 0);
    fake_listen(&fake, answers, whole[_i].asked);
    ck_assert_int_eq(registry_has_all_blobs(&registry, "a", &manifest, missing, NULL), 0);
    ck_assert_str_eq(missing, whole[_i].missing);
    fake_stop(&fake);
}
END_TEST

/* ---- configs ---- */

#define STORE "https://store.example/x?Signature=secret"
#define TO(where)                                                                                  \
    {                                                                                              \
        .status = 307, .headers = { {"Location", where} }                                          \
    }
#define CONFIG_OK                                                                                  \
    {                                                                                              \
        .status = 200, .body = CONFIG                                                              \
    }

static const struct {
    struct fake_answer answers[4];
    size_t count;
    enum error_kind kind;
    const char *message;
} configs[] = {
    {{CONFIG_OK}, 1, ERROR_NONE, ""},
    {{TO(STORE), CONFIG_OK}, 2, ERROR_NONE, ""},
    {{TO(STORE), STATUS(503), CONFIG_OK}, 3, ERROR_NONE, ""},
    {{TO("http://store.example/x")}, 1, ERROR_PROTOCOL, "not https"},
    {{TO("/x")}, 1, ERROR_PROTOCOL, "not https"},
    {{{.status = 302}}, 1, ERROR_PROTOCOL, "not https"},
    {{TO(STORE), TO("https://third.example/")}, 2, ERROR_REFUSED, "answered 307"},
    {{TO(STORE), STATUS(403)}, 2, ERROR_DENIED, "answered 403"},
    {{{.status = 200, .body = "{}"}}, 1, ERROR_PROTOCOL, "the image's config is sha256:"},
    {{STATUS(404)}, 1, ERROR_NOT_FOUND, "answered 404"},
};

START_TEST(configs_are_asked_for)
{
    struct registry_manifest manifest = {.text = NULL};
    CLEANUP(registry_image_config) struct registry_image_config config = {.json = NULL};
    struct error err = ERROR_INIT;
    char hex[SHA256_HEX];
    crypto_sha256_hex(CONFIG, strlen(CONFIG), hex);
    snprintf(manifest.config_digest, sizeof manifest.config_digest, "sha256:%s", hex);
    fake_listen(&fake, configs[_i].answers, configs[_i].count);
    int rc = registry_get_image_config(&registry, "a", &manifest, &config, &err);
    ck_assert_int_eq(err.kind, configs[_i].kind);
    ck_assert_int_eq(rc, err.kind == ERROR_NONE ? 0 : -1);
    ck_assert_msg(strstr(err.msg, configs[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(strstr(err.msg, "Signature"));
    ck_assert_ptr_nonnull(fake_header(&fake.requests[0], "authorization"));
    for (size_t i = 1; i < fake.sent; i++) {
        ck_assert_str_eq(fake.requests[i].url, STORE);
        ck_assert_ptr_null(fake_header(&fake.requests[i], "authorization"));
    }
    if (rc == 0) {
        ck_assert_str_eq(config.architecture, "arm64");
        ck_assert_str_eq(config.os, "linux");
        ck_assert_str_eq(json_get_string(config.labels, "a"), "b");
    }
    fake_stop(&fake);
}
END_TEST

/* ---- an index ---- */

#define ENTRY(digest, os, architecture)                                                            \
    "{\"mediaType\":\"" OCI "\",\"size\":1,\"digest\":\"" digest "\",\"platform\":{\"os\":\"" os   \
    "\",\"architecture\":\"" architecture "\"}}"
#define INDEX(entries) "{\"manifests\":[" entries "]}"
#define ATTESTATION    ENTRY(OTHER, "unknown", "unknown")

static const struct {
    const char *text, *architecture;
    const char *digest; /* NULL: refused */
} indexes[] = {
    {INDEX(ENTRY(DIGEST, "linux", "amd64") "," ATTESTATION), "x86_64", DIGEST},
    {INDEX(ATTESTATION "," ENTRY(DIGEST, "linux", "amd64")), "x86_64", DIGEST},
    {INDEX(ENTRY(OTHER, "linux", "amd64") "," ENTRY(DIGEST, "linux", "arm64")), "arm64", DIGEST},
    {INDEX(ENTRY(OTHER, "windows", "amd64") "," ENTRY(DIGEST, "linux", "amd64")), "x86_64", DIGEST},
    {INDEX(ENTRY(DIGEST, "linux", "arm64") "," ATTESTATION), "x86_64", NULL},
    {INDEX(ENTRY("sha256:../x", "linux", "amd64")), "x86_64", NULL},
    {INDEX("{\"digest\":\"" DIGEST "\"},null,1"), "x86_64", NULL},
    {INDEX(""), "x86_64", NULL},
};

START_TEST(an_index_is_looked_into)
{
    CLEANUP(registry_manifest) struct registry_manifest index = {.text = NULL};
    struct error err = ERROR_INIT;
    char digest[80] = "";
    const char *text = indexes[_i].text;
    ck_assert_int_eq(registry_manifest_parse(text, strlen(text), NULL, &index, NULL), 0);
    ck_assert(index.is_index);
    int rc = registry_find_in_index(&index, indexes[_i].architecture, digest, &err);
    ck_assert_int_eq(rc, indexes[_i].digest ? 0 : -1);
    if (rc == 0) {
        ck_assert_str_eq(digest, indexes[_i].digest);
    } else {
        ck_assert_int_eq(err.kind, ERROR_REFUSED);
        ck_assert_msg(strstr(err.msg, "no image for linux/amd64") != NULL, "%s", err.msg);
    }
}
END_TEST

/* ---- Lambda ---- */

static const struct {
    const char *type, *layer, *os, *architecture, *wanted;
    bool is_index;
    int64_t size;
    const char *message; /* NULL: taken */
} images[] = {
    {OCI, GZIP, "linux", "amd64", "x86_64", false, 1, NULL},
    {OCI, GZIP, "linux", "arm64", "arm64", false, 1, NULL},
    {"application/vnd.docker.distribution.manifest.v2+json",
     "application/vnd.docker.image.rootfs.diff.tar.gzip", "linux", "amd64", "x86_64", false, 1,
     NULL},
    {OCI, "application/vnd.oci.image.layer.v1.tar+zstd", "linux", "amd64", "x86_64", false, 1,
     NULL},
    {OCI, "application/vnd.oci.image.layer.v1.tar", "linux", "amd64", "x86_64", false, 1, NULL},
    {OCI, GZIP, "linux", "amd64", "x86_64", false, INT64_C(10) << 30, NULL},
    {"application/vnd.oci.image.index.v1+json", GZIP, "", "", "x86_64", true, 1,
     "--provenance=false"},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", GZIP, "linux", "amd64", "x86_64",
     false, 1, "it has the media type application/vnd.docker.distribution.manifest.v1+prettyjws"},
    {"", GZIP, "linux", "amd64", "x86_64", false, 1, "it has the media type "},
    {OCI, "application/vnd.docker.image.rootfs.diff.tar", "linux", "amd64", "x86_64", false, 1,
     "layer 1 has the media type application/vnd.docker.image.rootfs.diff.tar"},
    {OCI, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "linux", "amd64", "x86_64",
     false, 1, "compression: gzip"},
    {OCI, GZIP, "linux", "amd64", "x86_64", false, (INT64_C(10) << 30) + 1, "10 GB"},
    {OCI, GZIP, "windows", "amd64", "x86_64", false, 1, "it is made for windows"},
    {OCI, GZIP, "", "", "x86_64", false, 1, "does not say for which system"},
    {OCI, GZIP, "linux", "amd64", "arm64", false, 1,
     "made for amd64, but the function runs on arm64"},
    {OCI, GZIP, "linux", "arm64", "x86_64", false, 1,
     "made for arm64, but the function runs on x86"},
    {OCI, GZIP, "linux", "386", "x86_64", false, 1, "made for 386"},
};

START_TEST(what_lambda_takes)
{
    struct registry_layer layer = {.digest = DIGEST};
    struct registry_manifest manifest = {.is_index = images[_i].is_index,
                                         .layers = &layer,
                                         .layer_count = 1,
                                         .size_bytes = images[_i].size};
    struct registry_image_config config = {.json = NULL};
    struct error err = ERROR_INIT;
    snprintf(manifest.media_type, sizeof manifest.media_type, "%s", images[_i].type);
    snprintf(layer.media_type, sizeof layer.media_type, "%s", images[_i].layer);
    snprintf(config.os, sizeof config.os, "%s", images[_i].os);
    snprintf(config.architecture, sizeof config.architecture, "%s", images[_i].architecture);
    int rc = registry_check_for_lambda(&manifest, &config, images[_i].wanted, &err);
    ck_assert_int_eq(rc, images[_i].message ? -1 : 0);
    if (images[_i].message) {
        ck_assert_int_eq(err.kind, ERROR_REFUSED);
        ck_assert_msg(strstr(err.msg, images[_i].message) != NULL, "%s", err.msg);
    }
}
END_TEST

Suite *registry_suite(void)
{
    Suite *suite = suite_create("registry");
    TCase *tcase = tcase_create("registry");
    tcase_add_test(tcase, a_manifest_is_read);
    tcase_add_loop_test(tcase, kinds_of_manifests, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, an_index_is_looked_into, 0, COUNT(indexes));
    tcase_add_loop_test(tcase, what_is_no_manifest, 0, COUNT(bad));
    tcase_add_loop_test(tcase, manifests_are_asked_for, 0, COUNT(asked));
    tcase_add_test(tcase, a_digest_must_be_the_one_that_was_asked_for);
    tcase_add_test(tcase, a_cancel_ends_the_retries);
    tcase_add_test(tcase, no_login_without_a_user);
    tcase_add_loop_test(tcase, blobs_are_looked_for, 0, COUNT(blobs));
    tcase_add_loop_test(tcase, all_blobs_of_a_manifest, 0, COUNT(whole));
    tcase_add_loop_test(tcase, configs_are_asked_for, 0, COUNT(configs));
    tcase_add_loop_test(tcase, what_lambda_takes, 0, COUNT(images));
    suite_add_tcase(suite, tcase);
    return suite;
}
