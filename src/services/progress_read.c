/* What is asked of a picture of a build. */
#include "services/progress.h"

#include <string.h>

#include "core/text.h"

bool progress_is_cache_import(const struct progress_step *step)
{
    return text_starts_with(step->name, "importing cache manifest");
}

bool progress_is_cache_export(const struct progress_step *step)
{
    return text_starts_with(step->name, "exporting cache") ||
           text_starts_with(step->name, "exporting to GitHub Actions Cache");
}

static void count_exports(const struct progress *progress, size_t *ret_begun, size_t *ret_written)
{
    *ret_begun = *ret_written = 0;
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        if (!progress_is_cache_export(step))
            continue;
        ++*ret_begun;
        *ret_written += step->completed && !step->error;
    }
}

bool progress_is_at_its_caches(const struct progress *progress)
{
    size_t begun, written;
    count_exports(progress, &begun, &written);
    return written < begun;
}

bool progress_caches_are_written(const struct progress *progress)
{
    size_t begun, written;
    count_exports(progress, &begun, &written);
    return begun > 0 && written == begun;
}

/* Lower comes first: what failed the build, then when; a time that is not known is the last. */
static bool failed_before(const struct progress_step *a, const struct progress_step *b)
{
    if (progress_is_cache_export(a) != progress_is_cache_export(b))
        return progress_is_cache_export(b);
    return a->end_ms > 0 && (b->end_ms == 0 || a->end_ms < b->end_ms);
}

const struct progress_step *progress_failed_step(const struct progress *progress)
{
    const struct progress_step *first = NULL;
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        if (step->error && !progress_is_cache_import(step) &&
            !strstr(step->error, "context canceled") && (!first || failed_before(step, first)))
            first = step;
    }
    return first;
}

void progress_count(const struct progress *progress, size_t *ret_steps, size_t *ret_cached,
                    size_t *ret_done)
{
    size_t steps = 0, cached = 0, done = 0;
    for (size_t i = 0; i < progress->len; i++) {
        if (progress->steps[i].internal)
            continue;
        steps++;
        cached += progress->steps[i].cached;
        done += progress->steps[i].completed;
    }
    *ret_steps = steps;
    *ret_cached = cached;
    *ret_done = done;
}
