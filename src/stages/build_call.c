#include "stages/build_call.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "services/buildx_errors.h"
#include "stages/place.h"
#include "stages/pulse.h"
#include "stages/side_build.h"

static void log_build_line(void *context, const char *line, size_t len)
{
    (void)context;
    log_foreign(line, len);
}

static void count_progress(void *context, const struct progress *progress)
{
    size_t all, cached, done;
    (void)context;
    if (!pulse_wants_count())
        return;
    progress_count(progress, &all, &cached, &done);
    pulse_count(done, all, progress->pushed_bytes, progress->total_push_bytes);
}

static void keep_evidence(struct run *run, const struct progress *progress)
{
    const struct progress_step *failed = progress_failed_step(progress);
    struct strbuf *evidence = &run->result.evidence;
    strbuf_reset(evidence);
    if (failed) {
        const char *text = failed->tail.buf;
        const char *newline =
            failed->tail.len >= PROGRESS_TAIL_BYTES ? strchr(text, '\n') : NULL; /* it was cut */
        strbuf_addstr(evidence, newline ? newline + 1 : text);
        strbuf_trim(evidence);
        if (evidence->len == 0 && failed->error)
            strbuf_addstr(evidence, failed->error); /* the step itself had nothing to say */
    } else {
        strbuf_add(evidence, progress->other.buf, progress->other.len);
    }
}

struct call {
    struct run *run;                 /* borrowed */
    const struct image_order *order; /* borrowed */
    int span;
    struct build_times times;
    struct build_steps steps; /* the caller's in the end */
    char digest[DIGEST_SIZE];
    /* of a call that failed */
    int failed_line; /* of the Dockerfile; 0: none */
    bool was_at_its_caches;
};

static void take(void *context, int rc, bool goes_on, const struct buildx_result *built)
{
    struct call *call = context;
    struct spans *spans = &call->run->result.spans;
    span_end(spans, call->span);
    call->times.ended_ms = clock_now_ms() - spans->origin_ms;
    if (built->heard_ms > 0)
        call->times.heard_ms = call->times.shown_ms = built->heard_ms - spans->origin_ms;
    build_steps_read(&built->progress, goes_on ? BUILD_STEPS_BUT_CACHES : BUILD_STEPS_ALL, spans,
                     call->span, &call->times, &call->steps);
    call->order->result->pushed_bytes = built->progress.pushed_bytes;
    snprintf(call->digest, sizeof call->digest, "%s", built->digest);
    if (rc == 0)
        return;
    call->failed_line = buildx_failed_line(&built->progress);
    call->was_at_its_caches = progress_is_at_its_caches(&built->progress);
    keep_evidence(call->run, &built->progress);
    place_failure(call->run, call->order->file, call->failed_line);
}

static int push(struct call *call, const struct buildx_build *build, struct error *err)
{
    char what[80];
    const struct side_build_push push = {.build = build, .on_end = take, .context = call};
    snprintf(what, sizeof what, "Cache of the %s", call->order->what);
    if (build->cache_to->len > 0)
        return side_build_push(call->run, what, &push, err);
    struct buildx_result built;
    int rc = buildx_build(&call->run->services.buildx, build, &built, err);
    take(call, rc, false, &built);
    buildx_result_release(&built);
    return rc;
}

/* Only where the call is waited for as a whole: a cache may never hold up an image for good. */
static void leave_out_caches(struct buildx_build *build)
{
    static const struct strvec none = STRVEC_INIT;
    log_warning("writing the caches holds the build up, so they are left unwritten");
    build->cache_to = &none;
}

int build_call(struct run *run, const struct image_order *order, struct buildx_build *build,
               struct build_steps *ret_steps, char ret_digest[DIGEST_SIZE], struct error *err)
{
    int64_t now_ms = clock_now_ms() - run->result.spans.origin_ms;
    struct call call = {.run = run,
                        .order = order,
                        .span = span_begin(&run->result.spans, run->span, "build and push"),
                        .times = {.heard_ms = now_ms, .shown_ms = now_ms}};
    build->on_line = log_build_line;
    build->on_change = count_progress;
    int rc = push(&call, build, err);
    *ret_steps = call.steps;
    if (rc < 0 && err->code == BUILDX_STOOD_STILL && call.was_at_its_caches)
        leave_out_caches(build);
    if (rc < 0 && call.failed_line > 0)
        error_wrap(err, "%s:%d", order->file_name, call.failed_line);
    if (rc == 0)
        snprintf(ret_digest, DIGEST_SIZE, "%s", call.digest);
    return rc;
}
