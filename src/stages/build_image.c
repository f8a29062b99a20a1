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
#include "model/cached_steps.h"
#include "model/plan.h"
#include "model/summary.h"
#include "stages/build_call.h"
#include "stages/build_steps.h"
#include "stages/builder.h"
#include "stages/caches.h"
#include "stages/reading.h"
#include "stages/side_build.h"

#define CHECK_TIMEOUT_MS 600000
#define PUSH_TRIES       3
#define PUSH_PAUSE_MS    1000
#define SHARED_TRIES     8 /* of builds that meet others on the same engine */
#define SHARED_PAUSE_MS  1000

static void log_check_line(void *context, bool is_stderr, const char *line, size_t len)
{
    (void)is_stderr;
    struct result *result = context;
    log_foreign(line, len);
    strbuf_add(&result->evidence, line, len);
    strbuf_addch(&result->evidence, '\n');
}

static void tell_left_behind(void *context, const char *container)
{
    (void)context;
    log_warning("the container of the check could not be removed: docker rm --force %s", container);
}

static bool worth_another_try(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_SERVER || err->kind == ERROR_THROTTLED;
}

static void keep_steps(struct image_result *result, struct build_steps *steps)
{
    struct build_steps before = {.items = result->steps, .len = result->step_count};
    build_steps_release(&before);
    result->steps = STEAL(steps->items);
    result->step_count = steps->len;
    result->cached_count = 0;
    for (size_t i = 0; i < result->step_count; i++)
        result->cached_count += result->steps[i].cached;
}

/* One try; *steps are those of this try and of the ones before. */
static int try_build(struct run *run, const struct image_order *order, struct buildx_build *build,
                     struct build_steps *steps, char ret_digest[DIGEST_SIZE], struct error *err)
{
    struct build_steps earlier = *steps;
    *steps = (struct build_steps){.items = NULL};
    int rc = build_call(run, order, build, steps, ret_digest, err);
    build_steps_add_earlier(steps, &earlier);
    build_steps_release(&earlier);
    return rc;
}

/* A push or a pull that broke is taken up again by running the same build: what is done already is
 * not done again. */
static int try_until_pushed(struct run *run, const struct image_order *order,
                            struct buildx_build *build, struct build_steps *steps,
                            char ret_digest[DIGEST_SIZE], struct error *err)
{
    for (int try = 1;; try++) {
        if (run_time_left(run, INT64_MAX, &build->timeout_ms, err) < 0)
            return -1;
        if (try_build(run, order, build, steps, ret_digest, err) == 0)
            return 0;
        if (try == PUSH_TRIES || !worth_another_try(err))
            return error_wrap(err, "building the %s", order->what);
        log_warning("%s; trying again", err->msg);
        error_reset(err);
        if (!clock_sleep_ms(PUSH_PAUSE_MS * try))
            return error_set(err, ERROR_CANCELLED, "cancelled while the %s was built", order->what);
    }
}

/* `again`: the same image once more, and what was built the first time was built by this run. */
static int build_and_push(struct run *run, const struct image_order *order,
                          struct buildx_build *build, bool again, char ret_digest[DIGEST_SIZE],
                          struct error *err)
{
    struct image_result *result = order->result;
    struct build_steps steps = {.items = NULL}, ahead = {.items = NULL};
    if (again) {
        steps.items = STEAL(result->steps);
        steps.len = result->step_count;
        result->step_count = 0;
    }
    int rc = try_until_pushed(run, order, build, &steps, ret_digest, err);
    if (!order->is_base)
        side_builds_take_ahead(run, &ahead);
    build_steps_add_earlier(&steps, &ahead);
    build_steps_release(&ahead);
    keep_steps(result, &steps);
    return rc;
}

/* The engine's own BuildKit does not tell how much it has pushed. */
static int count_pushed_bytes(const struct run *run, const struct image_order *order,
                              const struct registry_manifest *manifest, struct error *err)
{
    const struct function_facts *function = &run->facts.function;
    struct image_result *result = order->result;
    bool is_here = text_equal(function->repository, result->repository);
    if (result->pushed_bytes > 0 ||
        images_new_bytes(order->place, order->facts, is_here ? function->digest : "", manifest,
                         &result->pushed_bytes, err) == 0 ||
        err->kind == ERROR_CANCELLED)
        return err->kind == ERROR_CANCELLED ? -1 : 0;
    log_debug("how much was pushed is not known: %s", err->msg);
    error_reset(err);
    return 0;
}

/* What the registry holds under a digest. */
struct image_content {
    struct registry_manifest manifest;
    struct registry_image_config config; /* of an index: none */
};

static void image_content_release(struct image_content *content)
{
    registry_manifest_release(&content->manifest);
    registry_image_config_release(&content->config);
    *content = (struct image_content){.manifest = {.text = NULL}};
}

static int read_image(const struct image_order *order, const struct registry *registry,
                      const char *digest, struct image_content *ret_content, struct error *err)
{
    const char *repository = order->place->name;
    if (registry_get_manifest(registry, repository, digest, &ret_content->manifest, err) < 0 ||
        (!ret_content->manifest.is_index &&
         registry_get_image_config(registry, repository, &ret_content->manifest,
                                   &ret_content->config, err) < 0))
        return error_wrap(err, "reading the pushed %s", order->what);
    return 0;
}

static int inspect_image(struct run *run, const struct image_order *order, const char *digest,
                         const struct image_content *content, struct error *err)
{
    if (registry_check_for_lambda(&content->manifest, &content->config,
                                  plan_architecture(run_platform(run)), err) < 0)
        return error_wrap(err, "the %s %s", order->what, digest);
    order->result->size_bytes = content->manifest.size_bytes;
    return order->result->step_count > 0 ? count_pushed_bytes(run, order, &content->manifest, err)
                                         : 0;
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
                                     .on_left_behind = tell_left_behind,
                                     .context = &run->result};
    int rc = docker_run_check(&run->services.docker, &check, err);
    span_end(&run->result.spans, span);
    strbuf_release_secret(&login);
    if (rc < 0)
        return error_wrap(err, "checking the %s", order->what);
    strbuf_reset(&run->result.evidence);
    return 0;
}

static void use_image(const struct image_order *order, const char *digest)
{
    struct image_result *result = order->result;
    snprintf(result->digest, sizeof result->digest, "%s", digest);
    images_uri(order->place, digest, result->uri, sizeof result->uri);
}

bool must_prove_image(const struct image_facts *facts, const char *digest)
{
    return facts->identity_digest[0] && digest[0] && !facts->blobs_missing &&
           !text_equal(facts->identity_digest, digest);
}

static int keep_unproved(const struct image_order *order, const char *digest, struct error *err)
{
    if (images_keep(order->place, digest, err) < 0)
        return error_wrap(err, "keeping the %s", order->what);
    log_info("the tag %s stays on %s until the function has answered well with the new image",
             order->facts->identity_tag, order->facts->identity_digest);
    use_image(order, digest);
    return 0;
}

int name_image(const struct image_order *order, const char *digest, struct error *err)
{
    if (order->needs_proof && must_prove_image(order->facts, digest))
        return keep_unproved(order, digest, err);
    char final_digest[DIGEST_SIZE];
    unsigned flags =
        (order->keep_old ? IMAGES_KEEP_OLD : 0) | (order->is_served ? IMAGES_IS_SERVED : 0);
    if (images_tag(order->place, order->facts, digest, flags, final_digest, err) < 0)
        return error_wrap(err, "tagging the %s", order->what);
    const char *used = order->is_served ? digest : final_digest;
    if (!text_equal(digest, final_digest))
        log_info("another run has built the same %s meanwhile, %s: %s is used", order->what,
                 final_digest, used);
    use_image(order, used);
    return 0;
}

static int prove_and_tag(struct run *run, const struct image_order *order, const char *digest,
                         const struct image_content *content, struct error *err)
{
    if (inspect_image(run, order, digest, content, err) < 0 ||
        check_image(run, order, digest, err) < 0)
        return -1;
    if (!order->tags_wait)
        return name_image(order, digest, err);
    use_image(order, digest);
    return 0;
}

/* Lambda does not take the base itself, so that may be an index, as buildx pushes one by default:
 * its image for this platform is what is inspected. */
static int read_image_of_index(const struct run *run, const struct image_order *order,
                               const struct registry *registry, struct image_content *content,
                               struct error *err)
{
    char digest[DIGEST_SIZE];
    if (registry_find_in_index(&content->manifest, plan_architecture(run_platform(run)), digest,
                               err) < 0)
        return error_wrap(err, "the %s %s", order->what, content->manifest.digest);
    image_content_release(content);
    return read_image(order, registry, digest, content, err);
}

int prove_and_tag_image(struct run *run, const struct image_order *order, const char *digest,
                        struct error *err)
{
    struct registry registry;
    CLEANUP(image_content) struct image_content content = {.manifest = {.text = NULL}};
    if (images_login(run, order->place, &registry, err) < 0 ||
        read_image(order, &registry, digest, &content, err) < 0)
        return -1;
    if (order->is_base && content.manifest.is_index &&
        read_image_of_index(run, order, &registry, &content, err) < 0)
        return -1;
    return prove_and_tag(run, order, digest, &content, err);
}

static void say_steps(const struct image_order *order)
{
    const struct image_result *result = order->result;
    CLEANUP(strbuf) struct strbuf pushed = STRBUF_INIT(64);
    summary_add_bytes(&pushed, result->pushed_bytes);
    log_info("built %s: %zu steps, %zu of them cached, %s pushed", order->what, result->step_count,
             result->cached_count, pushed.buf);
}

void build_image_arguments(const struct run *run, const struct image_order *order,
                           struct buildx_build *ret_build)
{
    bool zstd = run->inputs->compression == COMPRESSION_ZSTD && !order->gzip_instead;
    *ret_build = (struct buildx_build){
        .builder = builder_name(run),
        .file = order->file,
        .context = order->context,
        .target = order->target,
        .platform = run_platform(run),
        .build_args = order->build_args,
        .build_contexts = order->build_contexts,
        .secrets = order->secrets,
        .compression = zstd ? "zstd" : "gzip",
        .compression_level = order->gzip_instead ? -1 : reading_compression_level(run),
        .force_compression = !zstd, /* the engine, a cache or an upstream image may have a layer as
                                       zstd already, which Lambda may not take */
        .no_cache = order->fresh,
        .pull = order->fresh,
    };
}

/*
 * Builds that share an engine give their images the same tag there, and the engine pushes what
 * bears it at that moment: that may be another run's. The label tells whose it is. ERROR_CONFLICT:
 * not ours.
 */
static int check_is_ours(const struct image_order *order, const struct image_content *content,
                         struct error *err)
{
    if (content->manifest.is_index)
        return 0; /* refused by what follows, with its reason */
    const char *identity = json_string(json_member(content->config.labels, IMAGES_IDENTITY_LABEL));
    if (text_equal(identity, order->facts->identity))
        return 0;
    return error_set(
        err, ERROR_CONFLICT,
        "what was pushed as the %s is another run's: both used this engine at the same "
        "moment",
        order->what);
}

static int build_ours(struct run *run, const struct image_order *order,
                      const struct registry *registry, struct buildx_build *build,
                      char ret_digest[DIGEST_SIZE], struct image_content *ret_content,
                      struct error *err)
{
    for (int try = 1;; try++) {
        if (build_and_push(run, order, build, try > 1, ret_digest, err) < 0 ||
            read_image(order, registry, ret_digest, ret_content, err) < 0)
            return -1;
        if (check_is_ours(order, ret_content, err) == 0)
            return 0;
        if (err->kind != ERROR_CONFLICT || try == SHARED_TRIES)
            return -1;
        log_warning("%s; building again", err->msg);
        error_reset(err);
        image_content_release(ret_content);
        if (!clock_sleep_ms((int64_t)(crypto_random_unit() * SHARED_PAUSE_MS * try)))
            return error_set(err, ERROR_CANCELLED, "cancelled while the %s was built", order->what);
    }
}

int build_image(struct run *run, const struct image_order *order, struct error *err)
{
    struct registry registry;
    CLEANUP(strvec)
    struct strvec from = STRVEC_INIT, to = STRVEC_INIT, labels = STRVEC_INIT, tags = STRVEC_INIT;
    if (images_login(run, order->place, &registry, err) < 0 ||
        builder_ready(run, order->place, err) < 0 ||
        images_ensure_repository(order->place, order->facts, err) < 0 ||
        caches_choose(run, order, &from, &to, err) < 0)
        return -1;
    strvec_pushf(&tags, "%s/%s:%s", order->place->registry, order->place->name,
                 order->facts->push_tag);
    strvec_pushf(&labels, IMAGES_IDENTITY_LABEL "=%s", order->facts->identity);
    strvec_pushf(&labels, IMAGES_PARTS_LABEL "=%s", order->facts->parts);
    struct buildx_build build;
    build_image_arguments(run, order, &build);
    build.labels = &labels;
    build.tags = &tags;
    build.cache_from = &from;
    build.cache_to = &to;
    char digest[DIGEST_SIZE];
    CLEANUP(image_content) struct image_content content = {.manifest = {.text = NULL}};
    if (build_ours(run, order, &registry, &build, digest, &content, err) < 0)
        return -1;
    if (prove_and_tag(run, order, digest, &content, err) < 0)
        return -1;
    say_steps(order);
    return 0;
}

void compare_cached_steps(struct run *run, const struct image_order *order)
{
    struct image_result *result = order->result;
    if (order->fresh)
        return;
    const char *tag = order->is_base ? CACHED_STEPS_BASE_TAG : CACHED_STEPS_TAG;
    const char *before = json_string(json_member(run->snapshot.tags, tag));
    const struct build_step_result *lost =
        cached_steps_lost(before, result->steps, result->step_count);
    if (lost) {
        snprintf(result->lost_cache, sizeof result->lost_cache, "%s", lost->name);
        log_info("%s: no longer cached, from here on: %s", order->what, lost->name);
    }
    cached_steps_format(result->steps, result->step_count,
                        order->is_base ? run->cached_base_steps : run->cached_steps);
}
