#include "stages/builder.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/journal.h"

#define BOOT_TIMEOUT_MS 120000
#define OUR_BUILDER     "lambda-fastdeploy"
#define NAME_SIZE       64
#define RUNNER_DIGITS   8

/* `builder` as an endpoint, for buildx's driver "remote". "docker-container://name" is that builder
 * container. */
static const char *const endpoint_schemes[] = {"tcp://", "unix://", "docker-container://",
                                               "kube-pod://"};

static bool is_endpoint(const char *builder)
{
    for (size_t i = 0; i < sizeof endpoint_schemes / sizeof *endpoint_schemes; i++)
        if (text_starts_with(builder, endpoint_schemes[i]))
            return true;
    return false;
}

/*
 * Kept by name: a later step of the same job finds it again, and the runner's next job does where
 * no post step has removed it. Runners that share an engine have others: each one's job removes its
 * own.
 */
static void name_builder(const struct run *run, char ret_name[NAME_SIZE])
{
    const struct github *github = &run->services.github;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    char hex[SHA256_HEX];
    strbuf_addf(&text, "%s\n%s\n", github->repository ? github->repository : "",
                github->runner_name ? github->runner_name : "");
    crypto_sha256_hex(text.buf, text.len, hex);
    snprintf(ret_name, NAME_SIZE, OUR_BUILDER "%s%.*s", github->is_actions ? "-" : "",
             github->is_actions ? RUNNER_DIGITS : 0, hex);
}

static bool is_auto(const struct run *run)
{
    return text_equal(run->inputs->builder, "auto");
}

/* Of the thread: the run's own deadline may move meanwhile. */
static int64_t boot_limit_ms(const struct run *run)
{
    int64_t left_ms = run->services.builder_start.end_ms - clock_now_ms();
    return left_ms < 1 ? 1 : left_ms < BOOT_TIMEOUT_MS ? left_ms : BOOT_TIMEOUT_MS;
}

static int boot_container(struct run *run, const char *name, struct error *err)
{
    struct services *services = &run->services;
    snprintf(services->builder, sizeof services->builder, "%s", name);
    journal_builder(run);
    return buildx_ensure_builder(&services->buildx, services->builder, "docker-container", NULL,
                                 boot_limit_ms(run), err);
}

/* One that hangs is given up for a fresh one under another name: what holds it up would hold up its
 * name, too. */
static int boot_own_builder(struct run *run, struct error *err)
{
    struct services *services = &run->services;
    struct error ignored = ERROR_INIT; /* the container ends with the machine */
    char name[NAME_SIZE], second[NAME_SIZE + 2];
    name_builder(run, name);
    snprintf(second, sizeof second, "%s-2", name);
    int rc = boot_container(run, name, err);
    if (rc == 0 || err->kind != ERROR_TIMEOUT || services->builder_start.end_ms <= clock_now_ms())
        return rc;
    error_reset(err);
    (void)buildx_give_up_builder(&services->buildx, name, &ignored);
    snprintf(services->builder_start.text, sizeof services->builder_start.text,
             "a second container: the first one hung while it started, and was given up");
    if (boot_container(run, second, err) < 0)
        return error_wrap(err, "after the first one hung");
    return 0;
}

static int choose_engines_builder(struct run *run, const struct docker_info *info,
                                  struct error *err)
{
    struct services *services = &run->services;
    services->builder[0] = '\0';
    services->builder_caches = info->containerd_store;
    if (info->containerd_store) {
        snprintf(services->builder_start.text, sizeof services->builder_start.text,
                 "the engine's own BuildKit (Docker %s)", info->server_version);
        return 0;
    }
    bool has_cache = run->inputs->cache_registry ||
                     (run->inputs->cache_gha && run->services.github.runtime_token);
    if (!has_cache)
        return 0; /* nothing to export: the engine's own will do */
    services->builder_caches = true;
    snprintf(services->builder_start.text, sizeof services->builder_start.text,
             "a container (this engine's own BuildKit cannot export caches)");
    return boot_own_builder(run, err);
}

static int choose_builder(struct run *run, struct error *err)
{
    struct services *services = &run->services;
    const char *wanted = run->inputs->builder;
    if (is_auto(run)) {
        struct docker_info info;
        if (docker_get_info(&services->docker, &info, err) < 0)
            return error_wrap(err, "asking the Docker engine");
        services->builder_start.is_native =
            text_starts_with(services->builder_start.platform, "linux/") &&
            text_equal(services->builder_start.platform + strlen("linux/"), info.architecture);
        return choose_engines_builder(run, &info, err);
    }
    services->builder_caches = true;
    char ours[NAME_SIZE];
    name_builder(run, ours);
    snprintf(services->builder, sizeof services->builder, "%s",
             is_endpoint(wanted) ? ours : wanted);
    snprintf(services->builder_start.text, sizeof services->builder_start.text, "%s", wanted);
    if (!is_endpoint(wanted))
        return 0;
    return buildx_ensure_builder(&services->buildx, services->builder, "remote", wanted,
                                 boot_limit_ms(run), err);
}

/* Without emulation another architecture would fail half an hour later, in its first RUN, with
 * "exec format error". */
static int refuse_foreign_platform(struct run *run, struct error *err)
{
    const char *platform = run->services.builder_start.platform;
    bool can = true;
    if (run->services.builder_start.is_native)
        return 0;
    if (buildx_builds_platform(&run->services.buildx, builder_name(run), platform, &can, err) < 0)
        return -1;
    if (can)
        return 0;
    return error_set(err, ERROR_REFUSED,
                     "this builder cannot build for %s: use a runner of that architecture "
                     "(ubuntu-24.04-arm), or add "
                     "emulation first (docker/setup-qemu-action)",
                     platform);
}

static void make_ready(struct run *run)
{
    struct services *services = &run->services;
    struct error *err = &services->builder_start.failure;
    bool own_builders = !is_auto(run) && !is_endpoint(run->inputs->builder);
    if (buildx_init(&services->buildx, run->environ, run->temp_folder, own_builders, err) < 0)
        return;
    services->buildx.exchange_limit_ms = services->exchange_limit_ms;
    services->buildx_ready = true;
    if (choose_builder(run, err) == 0)
        (void)refuse_foreign_platform(run, err); /* builder_ready tells */
}

/* The thread's work: it logs nothing, and writes only to what is kept for it in services. */
static void make_ready_in_thread(void *context)
{
    struct run *run = context;
    make_ready(run);
    span_end(&run->result.spans, run->services.builder_start.span);
}

static int begin(struct run *run, struct error *err)
{
    struct builder_start *start = &run->services.builder_start;
    if (start->begun)
        return 0;
    if (run_temp_folder(run, err) < 0)
        return -1;
    start->begun = true;
    start->platform = run_platform(run);
    start->end_ms = run->deadline_ms;
    start->span = span_begin(&run->result.spans, SPAN_NONE, "Make the builder ready");
    span_set_beside(&run->result.spans, start->span);
    start->task = (struct task)TASK(make_ready_in_thread, run);
    task_start(&start->task);
    return 0;
}

void builder_start(struct run *run)
{
    struct error ignored = ERROR_INIT; /* builder_ready meets it again */
    (void)begin(run, &ignored);
}

int builder_ready(struct run *run, const struct image_place *place, struct error *err)
{
    struct builder_start *start = &run->services.builder_start;
    if (begin(run, err) < 0)
        return -1;
    int span = span_begin(&run->result.spans, run->span, "wait for the builder");
    task_join(&start->task);
    span_end(&run->result.spans, span);
    if (start->text[0] && !start->told)
        log_info("builder: %s", start->text);
    start->told = true;
    if (start->failure.kind != ERROR_NONE) {
        *err = start->failure;
        return -1;
    }
    return buildx_login(&run->services.buildx, place->registry, "AWS", place->login->password, err);
}

void builder_release(struct run *run)
{
    struct services *services = &run->services;
    if (services->builder_start.begun)
        task_join(&services->builder_start.task);
    if (services->buildx_ready)
        buildx_release(&services->buildx);
    services->buildx_ready = false;
}

const char *builder_name(const struct run *run)
{
    return run->services.builder[0] ? run->services.builder : NULL;
}

bool builder_can_cache(const struct run *run)
{
    return run->services.builder_caches;
}
