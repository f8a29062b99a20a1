#include "services/buildx.h"

static void push_all(struct strvec *out, const char *flag, const struct strvec *values)
{
    for (size_t i = 0; values && i < values->len; i++) {
        strvec_push(out, flag);
        strvec_push(out, values->items[i]);
    }
}

static void push_if(struct strvec *out, const char *flag, const char *value)
{
    if (value)
        strvec_push_many(out, flag, value, NULL);
}

/* Lambda takes neither attestations nor an index; OCI types carry every compression. */
static void push_output(const struct buildx_build *build, struct strvec *out)
{
    if (!build->tags) {
        strvec_push(out, "--output=type=cacheonly");
        return;
    }
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    const char *compression = build->compression ? build->compression : "gzip";
    strbuf_addf(&text, "type=image,push=true,oci-mediatypes=true,compression=%s", compression);
    if (build->compression_level >= 0)
        strbuf_addf(&text, ",compression-level=%d", build->compression_level);
    if (build->force_compression)
        strbuf_addstr(&text, ",force-compression=true");
    strvec_push_many(out, "--output", text.buf, NULL);
    strbuf_release(&text);
}

void buildx_arguments(const struct buildx_build *build, const struct strvec *secret_arguments,
                      const char *metadata_file, struct strvec *out)
{
    strvec_push_many(out, "build", "--progress=rawjson", "--provenance=false", "--sbom=false",
                     NULL);
    push_if(out, "--builder", build->builder);
    push_if(out, "--file", build->file);
    push_if(out, "--target", build->target);
    push_if(out, "--platform", build->platform);
    push_if(out, "--metadata-file", metadata_file);
    push_all(out, "--tag", build->tags);
    push_all(out, "--build-arg", build->build_args);
    push_all(out, "--build-context", build->build_contexts);
    push_all(out, "--label", build->labels);
    push_all(out, "--secret", secret_arguments);
    push_all(out, "--cache-from", build->cache_from);
    push_all(out, "--cache-to", build->cache_to);
    if (build->no_cache)
        strvec_push(out, "--no-cache");
    if (build->pull)
        strvec_push(out, "--pull");
    push_output(build, out);
    strvec_push(out, build->context); /* absolute: never taken for a flag */
}
