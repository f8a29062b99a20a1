#include "model/outputs.h"

#include "core/cleanup.h"
#include "core/memory.h"
#include "model/timeline.h"

/* More spans than these are left out of the `timings` output: GitHub takes 1 MB of outputs from a
 * whole job. */
#define TIMINGS_CHILDREN ((size_t)150)

#define TEXT_OUTPUT(function, field)                                                               \
    static void function(const struct result *result, struct strbuf *out)                          \
    {                                                                                              \
        strbuf_addstr(out, result->field);                                                         \
    }

TEXT_OUTPUT(add_image_uri, image.uri)
TEXT_OUTPUT(add_image_digest, image.digest)
TEXT_OUTPUT(add_image_status, image.status)
TEXT_OUTPUT(add_base_uri, base.uri)
TEXT_OUTPUT(add_base_digest, base.digest)
TEXT_OUTPUT(add_base_status, base.status)
TEXT_OUTPUT(add_base_reason, base.reason)
TEXT_OUTPUT(add_function_arn, function.arn)
TEXT_OUTPUT(add_function_version, function.version)
TEXT_OUTPUT(add_alias_arn, function.alias_arn)
TEXT_OUTPUT(add_previous_digest, function.previous_digest)
TEXT_OUTPUT(add_previous_version, function.previous_version)
TEXT_OUTPUT(add_storage_reason, storage_reason)
TEXT_OUTPUT(add_health, health.status)

static void add_image_tag(const struct result *result, struct strbuf *out)
{
    if (result->image.digest[0]) /* a tag that names no image yet is no output */
        strbuf_addstr(out, result->image.tag);
}

static void add_deployed(const struct result *result, struct strbuf *out)
{
    strbuf_addstr(out, result->deployed ? "true" : "false");
}

static void add_rolled_back(const struct result *result, struct strbuf *out)
{
    strbuf_addstr(out, result->rolled_back ? "true" : "false");
}

static void add_storage_tests(const struct result *result, struct strbuf *out)
{
    strbuf_addstr(out, outputs_storage_tests(result));
}

static void add_duration(const struct result *result, struct strbuf *out)
{
    int64_t tenths = (result->duration_ms + 50) / 100;
    strbuf_addf(out, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void add_timings(const struct result *result, struct strbuf *out)
{
    struct json *json = outputs_timings(result);
    json_print(json, out);
    json_free(json);
}

static void add_result(const struct result *result, struct strbuf *out)
{
    struct json *json = outputs_result(result);
    json_print(json, out);
    json_free(json);
}

const struct output_spec output_specs[] = {
    {"image-uri", "Application image by digest: registry/repository@sha256:…", add_image_uri},
    {"image-digest", "Digest of the application image.", add_image_digest},
    {"image-tag", "The application image's tag that people read.", add_image_tag},
    {"image-built", "built, or reused: an image of the same content was there.", add_image_status},
    {"base-image-uri", "Base image by digest.", add_base_uri},
    {"base-image-digest", "Digest of the base image.", add_base_digest},
    {"base-status", "found, built, adopted, or none: there is no Dockerfile of a base image.",
     add_base_status},
    {"base-reason", "Why the base image was used or built.", add_base_reason},
    {"function-arn", "ARN of the function.", add_function_arn},
    {"function-version", "Version that was published.", add_function_version},
    {"alias-arn", "ARN of the alias.", add_alias_arn},
    {"previous-image-digest", "Digest of the image that the function ran before.",
     add_previous_digest},
    {"previous-version", "Version that the alias named before.", add_previous_version},
    {"deployed", "true if the function serves this commit because of this run, else false.",
     add_deployed},
    {"rolled-back", "true if the function was put back after a failure, else false.",
     add_rolled_back},
    {"storage-tests", "run or skipped.", add_storage_tests},
    {"storage-reason", "Why the storage tests were run or skipped.", add_storage_reason},
    {"health", "ok, failed or not-checked.", add_health},
    {"duration-seconds", "What the run took, with one decimal.", add_duration},
    {"timings", "What each stage and build step took, as JSON (docs/timings.schema.json).",
     add_timings},
    {"result", "Everything that is known of the run, as JSON (docs/result.md).", add_result},
};
const size_t output_spec_count = sizeof output_specs / sizeof *output_specs;

const char *outputs_storage_tests(const struct result *result)
{
    if (result->storage_run)
        return "run";
    return result->storage_reason[0] ? "skipped" : "";
}

static struct json *span_json(const struct result *result, const struct span *span, int parent)
{
    struct json *json = json_new_object();
    json_put_string(json, "name", span->name);
    if (parent != SPAN_NONE)
        json_put_int(json, "parent", parent);
    json_put_int(json, "start_ms", span->start_ms);
    json_put_int(json, "ms", timeline_span_ms(result, span));
    json_put_bool(json, "beside", span->beside);
    json_put_bool(json, "cached", span->cached);
    if (span->bytes >= 0)
        json_put_int(json, "bytes", span->bytes);
    return json;
}

struct json *outputs_timings(const struct result *result)
{
    const struct spans *spans = &result->spans;
    struct json *json = json_new_object();
    struct json *list = json_new_array();
    json_put_int(json, "total_ms", result->duration_ms);
    json_put_int(json, "other_ms", timeline_other_ms(result));
    json_put_int(json, "rest_ms", timeline_rest_ms(result));

    CLEANUP_FREE bool *chosen = timeline_choose(result, TIMINGS_CHILDREN);
    CLEANUP_FREE int *place = memory_new((spans->len + 1) * sizeof *place);
    int count = 0;
    for (size_t i = 0; i < spans->len; i++) {
        const struct span *span = &spans->items[i];
        if (!chosen[i])
            continue;
        place[i] = count++;
        json_append(list, span_json(result, span,
                                    span->parent == SPAN_NONE ? SPAN_NONE : place[span->parent]));
    }
    json_put(json, "spans", list);
    json_put_int(json, "left_out", (int64_t)(spans->len - (size_t)count + spans->dropped));
    return json;
}
