/* A manifest as a registry gives it, and whether Lambda would take the image. */
#include "core/json.h"
#include "services/registry.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {NULL, "application/vnd.oci.image.manifest.v1+json",
                                        "application/vnd.oci.image.index.v1+json", "text/html"};
    struct registry_manifest manifest = {.text = NULL};
    struct registry_image_config config = {.architecture = "amd64", .os = "linux"};
    struct error err = ERROR_INIT;
    if (size < 1)
        return 0;
    CLEANUP_FREE char *text = fuzz_text(data + 1, size - 1);
    if (registry_manifest_parse(text, size - 1, types[data[0] % 4], &manifest, &err) < 0) {
        EXPECT(err.kind == ERROR_PROTOCOL || err.kind == ERROR_TOO_LARGE);
        return 0;
    }
    EXPECT(strlen(manifest.digest) == strlen("sha256:") + 64);
    EXPECT(manifest.size_bytes >= 0);
    int verdict = registry_check_for_lambda(&manifest, &config, "x86_64", &err);
    EXPECT(!manifest.is_index || verdict < 0);
    EXPECT(verdict == 0 || err.kind == ERROR_REFUSED);
    char digest[80] = "";
    error_reset(&err);
    if (manifest.is_index && registry_find_in_index(&manifest, "x86_64", digest, &err) == 0)
        EXPECT(strlen(digest) == strlen("sha256:") + 64);
    registry_manifest_release(&manifest);
    return 0;
}
