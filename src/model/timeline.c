#include "model/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/cached_steps.h"

#define BRIEF_MS 1000

int64_t timeline_span_ms(const struct result *result, const struct span *span)
{
    int64_t end_ms = span->end_ms >= 0 ? span->end_ms : result->duration_ms;
    return end_ms > span->start_ms ? end_ms - span->start_ms : 0;
}

int64_t timeline_other_ms(const struct result *result)
{
    int64_t other_ms = result->duration_ms;
    for (size_t i = 0; i < result->spans.len; i++) {
        const struct span *span = &result->spans.items[i];
        if (span->parent == SPAN_NONE && !span->beside)
            other_ms -= timeline_span_ms(result, span);
    }
    return other_ms > 0 ? other_ms : 0;
}

bool timeline_is_brief(const struct result *result, const struct span *span)
{
    int64_t ms = timeline_span_ms(result, span);
    return span->end_ms >= 0 && ms < BRIEF_MS && ms * 100 < result->duration_ms &&
           cached_steps_number(span->name) == 0;
}

int64_t timeline_rest_ms(const struct result *result)
{
    int64_t rest_ms = timeline_other_ms(result);
    for (size_t i = 0; i < result->spans.len; i++) {
        const struct span *span = &result->spans.items[i];
        if (span->parent == SPAN_NONE && !span->beside && timeline_is_brief(result, span))
            rest_ms += timeline_span_ms(result, span);
    }
    return rest_ms;
}

static const char *failed_step(const struct image_result *image)
{
    for (size_t i = 0; i < image->step_count; i++)
        if (image->steps[i].failed)
            return image->steps[i].name;
    return NULL;
}

static int failed_stage(const struct result *result)
{
    for (size_t i = result->spans.len; i-- > 0 && result->failed_title[0];)
        if (result->spans.items[i].parent == SPAN_NONE &&
            strcmp(result->spans.items[i].name, result->failed_title) == 0)
            return (int)i;
    return SPAN_NONE;
}

int timeline_failed_span(const struct result *result)
{
    const struct spans *spans = &result->spans;
    const char *name = failed_step(&result->image);
    if (!name)
        name = failed_step(&result->base);
    if (!name)
        return failed_stage(result);
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(sizeof spans->items->name - 1);
    text_add_visible(&visible, name, strlen(name), sizeof spans->items->name - 1, false);
    for (size_t i = spans->len; i-- > 0;)
        if (!spans->items[i].cached && strcmp(visible.buf, spans->items[i].name) == 0)
            return (int)i;
    return SPAN_NONE;
}

struct child {
    size_t index;
    int64_t ms;
};

static int by_time(const void *left, const void *right)
{
    const struct child *a = left;
    const struct child *b = right;
    if (a->ms != b->ms)
        return a->ms < b->ms ? 1 : -1;
    return a->index < b->index ? -1 : 1;
}

/* Of the children of `parent`: the slowest, the first, the last. */
static void choose_children(const struct result *result, int parent, size_t count,
                            size_t max_children, bool *chosen)
{
    const struct spans *spans = &result->spans;
    CLEANUP_FREE struct child *children = memory_new((count + 1) * sizeof *children);
    size_t len = 0;
    size_t edge = max_children / 4;
    int failed = timeline_failed_span(result);
    for (size_t i = 0; i < spans->len && len < count; i++) {
        if (spans->items[i].parent != parent)
            continue;
        chosen[i] = len < edge || len >= count - edge || (int)i == failed;
        children[len++] =
            (struct child){.index = i, .ms = timeline_span_ms(result, &spans->items[i])};
    }
    qsort(children, len, sizeof *children, by_time);
    size_t left = max_children - 2 * edge;
    for (size_t i = 0; i < len && left > 0; i++) {
        if (chosen[children[i].index])
            continue;
        chosen[children[i].index] = true;
        left--;
    }
}

bool *timeline_choose(const struct result *result, size_t max_children)
{
    const struct spans *spans = &result->spans;
    bool *chosen = memory_new((spans->len + 1) * sizeof *chosen);
    CLEANUP_FREE size_t *counts = memory_new((spans->len + 1) * sizeof *counts);
    for (size_t i = 0; i < spans->len; i++) {
        chosen[i] = true;
        if (spans->items[i].parent != SPAN_NONE)
            counts[spans->items[i].parent]++;
    }
    for (size_t i = 0; i < spans->len; i++)
        if (counts[i] > max_children)
            choose_children(result, (int)i, counts[i], max_children, chosen);
    for (size_t i = 0; i < spans->len; i++) /* parents stand before their children */
        if (spans->items[i].parent != SPAN_NONE && !chosen[spans->items[i].parent])
            chosen[i] = false;
    return chosen;
}
