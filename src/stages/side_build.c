#include "stages/side_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "stages/builder.h"
#include "stages/pulse.h"

#define SAID_BYTES ((size_t)4 << 20) /* more of it is not shown */

struct side_build {
    struct side_build *next; /* owned */
    enum side_build_kind kind;
    char what[80];
    struct task task;
    struct buildx *buildx; /* borrowed */
    struct spans *spans;   /* borrowed */
    int span;
    int64_t began_ms, ended_ms; /* since spans_init; began: as build_steps_read wants it */
    struct buildx_build build;  /* borrows from what follows */
    struct strvec build_args, build_contexts, cache_from, cache_to;
    char *target; /* owned */
    atomic_bool stop;
    bool joined;
    struct strbuf said;          /* its output, until the log has room for it */
    struct buildx_result result; /* these three once it has ended */
    struct error failure;
    int rc;
};

static void build(void *context)
{
    struct side_build *side = context;
    side->rc = buildx_build(side->buildx, &side->build, &side->result, &side->failure);
    side->ended_ms = clock_now_ms() - side->spans->origin_ms;
    if (side->result.heard_ms > 0)
        side->began_ms = side->result.heard_ms - side->spans->origin_ms;
    span_end(side->spans, side->span);
}

static void keep_line(void *context, const char *line, size_t len)
{
    struct side_build *side = context;
    strbuf_add(&side->said, line, len);
    strbuf_addch(&side->said, '\n');
}

/* A step that was built ahead is only CACHED in the build that follows. */
static void show_lines(const struct side_build *side)
{
    for (const char *line = side->said.buf; *line;) {
        size_t len = strcspn(line, "\n");
        log_foreign(line, len);
        line += len + (line[len] == '\n');
    }
}

static void copy_build(struct side_build *side, const struct buildx_build *original)
{
    strvec_push_all(&side->build_args, original->build_args);
    strvec_push_all(&side->build_contexts, original->build_contexts);
    strvec_push_all(&side->cache_from, original->cache_from);
    strvec_push_all(&side->cache_to, original->cache_to);
    side->target = original->target ? memory_copy_string(original->target) : NULL;
    side->build = *original;
    side->build.build_args = &side->build_args;
    side->build.build_contexts = &side->build_contexts;
    side->build.cache_from = &side->cache_from;
    side->build.cache_to = &side->cache_to;
    side->build.target = side->target;
    side->build.tags = side->build.labels = NULL;
    side->build.stop = &side->stop;
    side->build.on_line =
        side->kind == SIDE_BUILD_AHEAD ? keep_line : NULL; /* the log shows one build at a time */
    side->build.line_context = side;
    side->build.on_change = NULL;
}

void side_build_start(struct run *run, enum side_build_kind kind, const char *what,
                      const struct buildx_build *original)
{
    struct side_build *side = memory_new(sizeof *side);
    side->kind = kind;
    snprintf(side->what, sizeof side->what, "%s", what);
    side->task = (struct task)TASK(build, side);
    side->buildx = &run->services.buildx;
    side->spans = &run->result.spans;
    side->span = span_begin(side->spans, SPAN_NONE, "%s", what);
    span_set_beside(side->spans, side->span);
    side->began_ms = clock_now_ms() - side->spans->origin_ms;
    atomic_init(&side->stop, false);
    side->failure = (struct error)ERROR_INIT;
    strbuf_init(&side->said, SAID_BYTES);
    copy_build(side, original);
    struct side_build **end = &run->side_builds;
    while (*end)
        end = &(*end)->next;
    *end = side;
    task_start(&side->task);
}

static void join(struct side_build *side)
{
    task_join(&side->task);
    side->joined = true;
}

void side_builds_take_ahead(struct run *run, struct build_steps *earlier)
{
    for (struct side_build *side = run->side_builds; side; side = side->next) {
        if (side->kind != SIDE_BUILD_AHEAD || side->joined)
            continue;
        atomic_store(&side->stop, true);
        join(side);
        show_lines(side);
        build_steps_read(&side->result.progress, side->spans, side->span, side->began_ms,
                         side->ended_ms, earlier);
        if (side->rc < 0)
            log_debug("%s: %s", side->what, side->failure.msg);
    }
}

/* BuildKit ignores that a cache cannot be written, as we ask it to: the step tells. */
static const char *why_not_written(const struct side_build *side)
{
    if (side->rc < 0)
        return side->failure.msg;
    const struct progress_step *failed = progress_failed_step(&side->result.progress);
    return failed && failed->error ? failed->error : NULL;
}

static void say(const struct side_build *side)
{
    const char *why = why_not_written(side);
    if (side->failure.kind == ERROR_CANCELLED)
        log_info("%s: cancelled", side->what);
    else if (why)
        log_warning("%s: not written, so the next build has less to start from: %s", side->what,
                    why);
    else
        log_info("%s: written", side->what);
}

static bool is_waited_for(const struct side_build *side)
{
    return side->kind == SIDE_BUILD_CACHES && !side->joined;
}

void side_builds_finish(struct run *run)
{
    static const char title[] = "Write the caches";
    struct build_steps unused = {.items = NULL};
    bool is_any = false;
    side_builds_take_ahead(run, &unused);
    build_steps_release(&unused);
    for (struct side_build *side = run->side_builds; side; side = side->next)
        is_any = is_any || is_waited_for(side);
    if (!is_any)
        return;
    log_group_begin("%s", title);
    int span = span_begin(&run->result.spans, SPAN_NONE, "%s", title);
    pulse_begin(title, 0);
    for (struct side_build *side = run->side_builds; side; side = side->next) {
        if (!is_waited_for(side))
            continue;
        join(side);
        build_steps_show_others(&side->result.progress, side->spans, side->span, side->began_ms,
                                side->ended_ms);
        say(side);
    }
    pulse_end();
    span_end(&run->result.spans, span);
    log_group_end();
}

void side_builds_release(struct run *run)
{
    while (run->side_builds) {
        struct side_build *side = run->side_builds;
        run->side_builds = side->next;
        atomic_store(&side->stop, true);
        task_join(&side->task);
        buildx_result_release(&side->result);
        strbuf_release(&side->said);
        strvec_release(&side->build_args);
        strvec_release(&side->build_contexts);
        strvec_release(&side->cache_from);
        strvec_release(&side->cache_to);
        free(side->target);
        free(side);
    }
}
