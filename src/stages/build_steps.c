#include "stages/build_steps.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/text.h"
#include "model/cached_steps.h"

/* BuildKit tells of a stage's last step first. */
static int compare_steps(const void *left, const void *right)
{
    const struct progress_step *a = *(const struct progress_step *const *)left,
                               *b = *(const struct progress_step *const *)right;
    int a_number = cached_steps_number(a->name), b_number = cached_steps_number(b->name);
    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return a_number != b_number ? a_number - b_number : a->number - b->number;
}

/* Those that are not BuildKit's own, in the order in which they began. The caller frees it. */
static const struct progress_step **sort_steps(const struct progress *progress, size_t *ret_count)
{
    const struct progress_step **steps = memory_new((progress->len + 1) * sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < progress->len; i++)
        if (!progress->steps[i].internal)
            steps[count++] = &progress->steps[i];
    qsort(steps, count, sizeof *steps, compare_steps);
    *ret_count = count;
    return steps;
}

/* How BuildKit's clock becomes ours: what to add to its times. */
static int64_t clock_shift_ms(const struct progress *progress, int64_t began_ms, int64_t ended_ms)
{
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        if (step->start_ms > 0 && step->start_ms < first_ms)
            first_ms = step->start_ms;
        if (step->end_ms > last_ms)
            last_ms = step->end_ms;
    }
    if (first_ms == INT64_MAX)
        return 0; /* nothing has a time */
    return last_ms + began_ms - first_ms > ended_ms ? ended_ms - last_ms : began_ms - first_ms;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void add_instruction(const struct progress_step *step, int64_t ms, struct build_steps *steps)
{
    steps->items = memory_resize(steps->items, steps->len + 1, sizeof *steps->items);
    steps->items[steps->len++] = (struct build_step_result){.name = memory_copy_string(step->name),
                                                            .cached = step->cached,
                                                            .failed = step->error != NULL,
                                                            .ms = ms};
}

static bool is_of(const struct progress_step *step, enum build_steps_part part)
{
    bool is_cache = progress_is_cache_export(step);
    return part == BUILD_STEPS_ALL || is_cache == (part == BUILD_STEPS_CACHES);
}

void build_steps_read(const struct progress *progress, enum build_steps_part part,
                      struct spans *spans, int parent, const struct build_times *times,
                      struct build_steps *steps)
{
    size_t count;
    int64_t shift_ms = clock_shift_ms(progress, times->heard_ms, times->ended_ms);
    const struct progress_step **sorted = sort_steps(progress, &count);
    for (size_t i = 0; i < count; i++) {
        const struct progress_step *step = sorted[i];
        int64_t start_ms = step->start_ms > 0 ? later(step->start_ms + shift_ms, times->shown_ms)
                                              : times->shown_ms;
        int64_t end_ms = step->end_ms > 0 ? later(step->end_ms + shift_ms, start_ms) : start_ms;
        if (!is_of(step, part))
            continue;
        if (cached_steps_number(step->name) != 0)
            add_instruction(step, end_ms - start_ms, steps);
        if (!step->started && !step->cached)
            continue; /* its turn never came */
        span_add(spans, parent, step->name, start_ms, end_ms, step->cached,
                 step->bytes > 0 ? step->bytes : -1);
    }
    spans_mark_beside(spans, parent);
    free(sorted);
}

void build_steps_add_earlier(struct build_steps *steps, const struct build_steps *earlier)
{
    for (size_t i = 0; i < steps->len; i++)
        for (size_t j = 0; j < earlier->len; j++) {
            struct build_step_result *step = &steps->items[i];
            if (!step->cached || earlier->items[j].cached ||
                !text_equal(step->name, earlier->items[j].name))
                continue;
            step->cached = false;
            step->ms = earlier->items[j].ms;
        }
}

void build_steps_release(struct build_steps *steps)
{
    for (size_t i = 0; i < steps->len; i++)
        free(steps->items[i].name);
    free(steps->items);
    *steps = (struct build_steps){.items = NULL};
}
