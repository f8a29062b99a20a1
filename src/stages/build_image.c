#include "stages/build_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/plan.h"
#include "stages/builder.h"

#define CHECK_TIMEOUT_MS 600000
#define EVIDENCE_BYTES   8192
#define PUSH_TRIES       3
#define PUSH_PAUSE_MS    1000
#define CACHE_TAG        "buildcache"

static void log_build_line(void *context, const char *line, size_t len)
{
    (void)context;
    log_foreign(line, len);
}

static void log_check_line(void *context, bool is_stderr, const char *line, size_t len)
{
    (void)is_stderr;
    struct result *result = context;
    log_foreign(line, len);
    strbuf_add(&result->evidence, line, len);
    strbuf_addch(&result->evidence, '\n');
}

static int ensure_repository(const struct image_order *order, struct error *err)
{
    if (order->facts->repository_exists)
        return 0;
    struct ecr_repository repository = {.immutable = false};
    if (ecr_create_repository(order->place->aws, order->place->name, &repository, err) < 0)
        return error_wrap(err, "creating the repository %s", order->place->name);
    ecr_repository_release(&repository);
    log_info("created the repository %s (scan on push, untagged images expire after 14 days)",
             order->place->name);
    return 0;
}

/* What a step of the build was, where it began, and its bytes, into the timing tree and the result.
 */
static void keep_steps(struct run *run, const struct progress *progress, int span, int64_t began_ms,
                       struct image_result *result)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < progress->len; i++)
        if (progress->steps[i].start_ms > 0 && progress->steps[i].start_ms < first_ms)
            first_ms = progress->steps[i].start_ms;
    result->steps = memory_new((progress->len + 1) * sizeof *result->steps);
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        if (step->internal)
            continue;
        int64_t start_ms = step->start_ms > 0 ? began_ms + step->start_ms - first_ms : began_ms;
        int64_t end_ms = step->end_ms > 0 ? began_ms + step->end_ms - first_ms : start_ms;
        result->steps[result->step_count++] =
            (struct build_step_result){.name = memory_copy_string(step->name),
                                       .cached = step->cached,
                                       .failed = step->error != NULL,
                                       .ms = end_ms - start_ms};
        result->cached_count += step->cached;
        span_add(&run->result.spans, span, step->name, start_ms, end_ms, step->cached,
                 step->bytes > 0 ? step->bytes : -1);
    }
    result->pushed_bytes = progress->pushed_bytes;
}

static void keep_evidence(struct run *run, const struct progress *progress)
{
    const struct progress_step *failed = progress_failed_step(progress);
    struct strbuf *evidence = &run->result.evidence;
    strbuf_reset(evidence);
    if (failed) {
        strbuf_addf(evidence, "%s\n", failed->name);
        strbuf_add(evidence, failed->tail.buf, failed->tail.len);
        if (failed->error)
            strbuf_addf(evidence, "\n%s\n", failed->error);
    } else {
        strbuf_add(evidence, progress->other.buf, progress->other.len);
    }
}

/* Where the cache is read from and written to. ECR needs image-manifest and OCI media types
 * (containers-roadmap#876). */
static void choose_caches(const struct run *run, const struct image_order *order,
                          struct strvec *from, struct strvec *to)
{
    const struct inputs *inputs = run->inputs;
    char name[700];
    if (inputs->cache_repository && strchr(inputs->cache_repository, '/') &&
        strchr(inputs->cache_repository, '.'))
        snprintf(name, sizeof name, "%s:" CACHE_TAG, inputs->cache_repository);
    else
        snprintf(name, sizeof name, "%s/%s:" CACHE_TAG, order->place->registry,
                 inputs->cache_repository ? inputs->cache_repository : order->place->name);
    const char *compression = inputs->compression == COMPRESSION_ZSTD ? "zstd" : "gzip";
    if (inputs->cache_registry && order->use_cache)
        strvec_pushf(from, "type=registry,ref=%s", name);
    if (inputs->cache_registry && order->write_cache)
        strvec_pushf(to,
                     "type=registry,ref=%s,mode=max,image-manifest=true,oci-mediatypes=true,"
                     "compression=%s,ignore-error=true",
                     name, compression);
    if (inputs->cache_gha && run->services.github.runtime_token) {
        if (order->use_cache)
            strvec_push(from, "type=gha");
        if (order->write_cache)
            strvec_push(to, "type=gha,mode=max,ignore-error=true");
    }
}

static int run_build(struct run *run, const struct image_order *order,
                     const struct buildx_build *build, char ret_digest[DIGEST_SIZE],
                     struct error *err)
{
    int span = span_begin(&run->result.spans, run->span, "build and push");
    int64_t began_ms = clock_now_ms() - run->result.spans.origin_ms;
    struct buildx_result built = {.digest = ""};
    int rc = buildx_build(&run->services.buildx, build, &built, err);
    span_end(&run->result.spans, span);
    keep_steps(run, &built.progress, span, began_ms, order->result);
    if (rc < 0)
        keep_evidence(run, &built.progress);
    else
        snprintf(ret_digest, DIGEST_SIZE, "%s", built.digest);
    buildx_result_release(&built);
    return rc;
}

static bool worth_another_try(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_SERVER || err->kind == ERROR_THROTTLED;
}

static void forget_steps(struct image_result *result)
{
    for (size_t i = 0; i < result->step_count; i++)
        free(result->steps[i].name);
    free(result->steps);
    result->steps = NULL;
    result->step_count = result->cached_count = 0;
}

/* A push or a pull that broke is taken up again by running the same build: what is done already is
 * not done again. */
static int build_and_push(struct run *run, const struct image_order *order,
                          struct buildx_build *build, char ret_digest[DIGEST_SIZE],
                          struct error *err)
{
    for (int try = 1;; try++) {
        if (run_time_left(run, INT64_MAX, &build->timeout_ms, err) < 0)
            return -1;
        forget_steps(order->result);
        if (run_build(run, order, build, ret_digest, err) == 0)
            return 0;
        if (try == PUSH_TRIES || !worth_another_try(err))
            return error_wrap(err, "building the %s", order->what);
        log_warning("%s; trying again", err->msg);
        error_reset(err);
        if (!clock_sleep_ms(PUSH_PAUSE_MS * try))
            return error_set(err, ERROR_CANCELLED, "cancelled while the %s was built", order->what);
    }
}

static int inspect_image(struct run *run, const struct image_order *order, const char *digest,
                         struct error *err)
{
    struct registry registry;
    if (images_login(run, order->place, &registry, err) < 0)
        return -1;
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    CLEANUP(registry_image_config) struct registry_image_config config = {.json = NULL};
    if (registry_get_manifest(&registry, order->place->name, digest, &manifest, err) < 0)
        return error_wrap(err, "reading the pushed %s", order->what);
    if (!manifest.is_index &&
        registry_get_image_config(&registry, order->place->name, &manifest, &config, err) < 0)
        return error_wrap(err, "reading the pushed %s", order->what);
    if (registry_check_for_lambda(&manifest, &config, plan_architecture(run_platform(run)), err) <
        0)
        return error_wrap(err, "the %s %s", order->what, digest);
    order->result->size_bytes = manifest.size_bytes;
    return 0;
}

/* {"username","password","serveraddress"} in base64, as the engine's X-Registry-Auth wants it. */
static void add_engine_login(const struct image_place *place, struct strbuf *out)
{
    struct json *login = json_new_object();
    json_put_string(login, "username", "AWS");
    json_put_string(login, "password", place->login->password);
    json_put_string(login, "serveraddress", place->registry);
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    json_print(login, &text);
    crypto_base64(out, text.buf, text.len);
    strbuf_release_secret(&text);
    json_free(login);
}

static int check_image(struct run *run, const struct image_order *order, const char *digest,
                       struct error *err)
{
    if (!order->check)
        return 0;
    int64_t timeout_ms;
    if (run_time_left(run, CHECK_TIMEOUT_MS, &timeout_ms, err) < 0)
        return -1;
    char uri[600];
    images_uri(order->place, digest, uri, sizeof uri);
    struct strbuf login = STRBUF_INIT(STRBUF_NO_CAP);
    add_engine_login(order->place, &login);
    log_info("checking the %s: %s", order->what, order->check);
    int span = span_begin(&run->result.spans, run->span, "check");
    strbuf_reset(&run->result.evidence);
    const struct docker_run check = {.image = uri,
                                     .platform = run_platform(run),
                                     .registry_auth = login.buf,
                                     .command = order->check,
                                     .timeout_ms = timeout_ms,
                                     .on_line = log_check_line,
                                     .context = &run->result};
    int rc = docker_run_check(&run->services.docker, &check, err);
    span_end(&run->result.spans, span);
    strbuf_release_secret(&login);
    if (rc < 0)
        return error_wrap(err, "checking the %s", order->what);
    strbuf_reset(&run->result.evidence);
    return 0;
}

int prove_and_tag_image(struct run *run, const struct image_order *order, const char *digest,
                        struct error *err)
{
    char final_digest[DIGEST_SIZE];
    if (inspect_image(run, order, digest, err) < 0 || check_image(run, order, digest, err) < 0)
        return -1;
    if (images_tag(order->place, order->facts, digest, order->keep_old, final_digest, err) < 0)
        return error_wrap(err, "tagging the %s", order->what);
    if (!text_equal(digest, final_digest))
        log_info("another run has built the same %s meanwhile: %s is used", order->what,
                 final_digest);
    struct image_result *result = order->result;
    snprintf(result->digest, sizeof result->digest, "%s", final_digest);
    images_uri(order->place, final_digest, result->uri, sizeof result->uri);
    return 0;
}

static void say_steps(const struct image_order *order)
{
    const struct image_result *result = order->result;
    log_info("built %s: %zu steps, %zu of them cached", order->what, result->step_count,
             result->cached_count);
}

int build_image(struct run *run, const struct image_order *order, struct error *err)
{
    struct registry registry;
    if (images_login(run, order->place, &registry, err) < 0 ||
        builder_ready(run, order->place, err) < 0 || ensure_repository(order, err) < 0)
        return -1;

    CLEANUP(strvec)
    struct strvec from = STRVEC_INIT, to = STRVEC_INIT, labels = STRVEC_INIT, tags = STRVEC_INIT;
    strvec_pushf(&tags, "%s/%s:%s", order->place->registry, order->place->name,
                 order->facts->push_tag);
    if (builder_can_cache(run))
        choose_caches(run, order, &from, &to);
    strvec_pushf(&labels, IMAGES_IDENTITY_LABEL "=%s", order->facts->identity);
    strvec_pushf(&labels, IMAGES_PARTS_LABEL "=%s", order->facts->parts);
    struct buildx_build build = {
        .builder = builder_name(run),
        .file = order->file,
        .context = order->context,
        .target = order->target,
        .platform = run_platform(run),
        .build_args = order->build_args,
        .build_contexts = order->build_contexts,
        .secrets = order->secrets,
        .labels = &labels,
        .cache_from = &from,
        .cache_to = &to,
        .tags = &tags,
        .compression = run->inputs->compression == COMPRESSION_ZSTD ? "zstd" : "gzip",
        .compression_level =
            run->inputs->compression == COMPRESSION_ZSTD ? run->inputs->compression_level : -1,
        .no_cache = order->fresh,
        .pull = order->fresh,
        .on_line = log_build_line,
    };
    char digest[DIGEST_SIZE];
    if (build_and_push(run, order, &build, digest, err) < 0)
        return -1;
    say_steps(order);
    return prove_and_tag_image(run, order, digest, err);
}
