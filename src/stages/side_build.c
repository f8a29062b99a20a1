#include "stages/side_build.h"

#include <pthread.h>
#include <stdatomic.h>
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

enum side_build_kind {
    SIDE_BUILD_AHEAD,  /* stages of the application, while the base is built */
    SIDE_BUILD_CACHES, /* of an image that has been pushed */
};

struct side_build {
    struct side_build *next; /* owned */
    enum side_build_kind kind;
    char what[80];
    struct task task;
    struct buildx *buildx; /* borrowed */
    struct spans *spans;   /* borrowed */
    int span;
    struct build_times times;
    struct buildx_build build; /* borrows from what follows */
    struct strvec build_args, build_contexts, cache_from, cache_to, tags, labels;
    char *target; /* owned */
    atomic_bool stop;
    bool joined;
    struct strbuf said; /* its output, until the log has room for it */
    /* Of a push. The run waits while it is `awaited`; then the call goes on by itself. */
    const struct side_build_push *push; /* borrowed, while awaited */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool awaited, pushed; /* written under lock, by its thread alone, which reads them without */
    struct buildx_result result; /* these three, for the others, once it has ended */
    struct error failure;
    int rc;
};

static int64_t since_start(const struct side_build *side, int64_t at_ms)
{
    return at_ms - side->spans->origin_ms;
}

static void begin_span(struct side_build *side)
{
    side->span = span_begin(side->spans, SPAN_NONE, "%s", side->what);
    span_set_beside(side->spans, side->span);
}

static void wake(struct side_build *side, bool pushed)
{
    pthread_mutex_lock(&side->lock);
    side->awaited = false;
    side->pushed = pushed;
    pthread_cond_signal(&side->woken);
    pthread_mutex_unlock(&side->lock);
}

static void build(void *context)
{
    struct side_build *side = context;
    side->rc = buildx_build(side->buildx, &side->build, &side->result, &side->failure);
    side->times.ended_ms = since_start(side, clock_now_ms());
    if (side->result.heard_ms > 0)
        side->times.heard_ms = since_start(side, side->result.heard_ms);
    if (side->awaited)
        wake(side, false); /* nothing goes on */
    else
        span_end(side->spans, side->span);
}

static void keep_line(void *context, const char *line, size_t len)
{
    struct side_build *side = context;
    strbuf_add(&side->said, line, len);
    strbuf_addch(&side->said, '\n');
}

/* The run waits, so that what is its own may be touched. */
static void hand_over(void *context, const struct buildx_result *result)
{
    struct side_build *side = context;
    side->push->on_end(side->push->context, 0, true, result);
    begin_span(side);
    side->times.shown_ms = since_start(side, clock_now_ms());
    wake(side, true);
}

static void pass_line(void *context, const char *line, size_t len)
{
    struct side_build *side = context;
    if (side->awaited)
        side->push->build->on_line(side->push->build->line_context, line, len);
}

static void pass_change(void *context, const struct progress *progress)
{
    struct side_build *side = context;
    if (side->awaited)
        side->push->build->on_change(side->push->build->line_context, progress);
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

static void copy_list(struct strvec *copy, const struct strvec *original,
                      const struct strvec **ret_used)
{
    strvec_push_all(copy, original);
    *ret_used = original ? copy : NULL;
}

static void copy_build(struct side_build *side, const struct buildx_build *original)
{
    struct buildx_build *build = &side->build;
    *build = *original;
    copy_list(&side->build_args, original->build_args, &build->build_args);
    copy_list(&side->build_contexts, original->build_contexts, &build->build_contexts);
    copy_list(&side->cache_from, original->cache_from, &build->cache_from);
    copy_list(&side->cache_to, original->cache_to, &build->cache_to);
    copy_list(&side->tags, original->tags, &build->tags);
    copy_list(&side->labels, original->labels, &build->labels);
    build->target = side->target = memory_copy_string(original->target);
    build->stop = &side->stop;
    build->line_context = side;
}

/* What points to it; NULL: the end of the list. */
static struct side_build **find(struct run *run, const struct side_build *side)
{
    struct side_build **at = &run->side_builds;
    while (*at != side)
        at = &(*at)->next;
    return at;
}

static struct side_build *add(struct run *run, enum side_build_kind kind, const char *what,
                              const struct buildx_build *original)
{
    struct side_build *side = memory_new(sizeof *side);
    side->kind = kind;
    snprintf(side->what, sizeof side->what, "%s", what);
    side->task = (struct task)TASK(build, side);
    side->buildx = &run->services.buildx;
    side->spans = &run->result.spans;
    side->times.heard_ms = side->times.shown_ms = since_start(side, clock_now_ms());
    atomic_init(&side->stop, false);
    side->failure = (struct error)ERROR_INIT;
    strbuf_init(&side->said, SAID_BYTES);
    pthread_mutex_init(&side->lock, NULL);
    pthread_cond_init(&side->woken, NULL);
    copy_build(side, original);
    *find(run, NULL) = side;
    return side;
}

void side_build_ahead(struct run *run, const char *what, const struct buildx_build *original)
{
    struct side_build *side = add(run, SIDE_BUILD_AHEAD, what, original);
    side->build.on_line = keep_line; /* the log shows one build at a time */
    side->build.on_change = NULL;
    begin_span(side);
    task_start(&side->task);
}

static void join(struct side_build *side)
{
    task_join(&side->task);
    side->joined = true;
}

static void release(struct side_build *side)
{
    atomic_store(&side->stop, true);
    task_join(&side->task);
    buildx_result_release(&side->result);
    strbuf_release(&side->said);
    strvec_release(&side->build_args);
    strvec_release(&side->build_contexts);
    strvec_release(&side->cache_from);
    strvec_release(&side->cache_to);
    strvec_release(&side->tags);
    strvec_release(&side->labels);
    pthread_cond_destroy(&side->woken);
    pthread_mutex_destroy(&side->lock);
    free(side->target);
    free(side);
}

int side_build_push(struct run *run, const char *what, const struct side_build_push *push,
                    struct error *err)
{
    struct side_build *side = add(run, SIDE_BUILD_CACHES, what, push->build);
    side->push = push;
    side->awaited = true;
    side->build.on_line = push->build->on_line ? pass_line : NULL;
    side->build.on_change = push->build->on_change ? pass_change : NULL;
    side->build.on_pushed = hand_over;
    task_start(&side->task);
    pthread_mutex_lock(&side->lock);
    while (side->awaited)
        pthread_cond_wait(&side->woken, &side->lock);
    bool pushed = side->pushed;
    pthread_mutex_unlock(&side->lock);
    if (pushed)
        return 0;
    task_join(&side->task);
    push->on_end(push->context, side->rc, false, &side->result);
    if (side->rc == 0)
        return 0; /* what came of its caches is said in the end */
    if (err)
        *err = side->failure;
    *find(run, side) = side->next;
    release(side);
    return -1;
}

void side_builds_take_ahead(struct run *run, struct build_steps *earlier)
{
    for (struct side_build *side = run->side_builds; side; side = side->next) {
        if (side->kind != SIDE_BUILD_AHEAD || side->joined)
            continue;
        atomic_store(&side->stop, true);
        join(side);
        show_lines(side);
        build_steps_read(&side->result.progress, BUILD_STEPS_ALL, side->spans, side->span,
                         &side->times, earlier);
        if (side->rc < 0)
            log_debug("%s: %s", side->what, side->failure.msg);
    }
}

/* BuildKit ignores that a cache cannot be written, as we ask it to: the step tells. */
static const char *why_not_written(const struct side_build *side)
{
    if (progress_caches_are_written(&side->result.progress))
        return NULL;
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
        struct build_steps none = {.items = NULL};
        if (side->pushed)
            build_steps_read(&side->result.progress, BUILD_STEPS_CACHES, side->spans, side->span,
                             &side->times, &none);
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
        release(side);
    }
}
