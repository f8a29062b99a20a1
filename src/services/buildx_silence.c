#include "services/buildx_silence.h"

#include <stdbool.h>

#include "core/text.h"

#define AS_LONG_AS_IT_LIKES     0
#define EXCHANGES_OF_A_QUESTION 4

enum standing { STANDS_FOR_REGISTRY, STANDS_FOR_CACHE, STANDS_FOR_ANYTHING };

static bool is_push_by_the_engine(const struct progress_step *step)
{
    return text_starts_with(step->name, "pushing ") && text_ends_with(step->name, " with docker");
}

static bool asks_a_registry(const struct progress_step *step)
{
    return text_starts_with(step->name, "[internal] load metadata for ") ||
           text_starts_with(step->name, "resolve image config for ") ||
           progress_is_cache_import(step) || is_push_by_the_engine(step);
}

static enum standing standing_of(const struct progress_step *step)
{
    if (asks_a_registry(step))
        return STANDS_FOR_REGISTRY;
    return progress_is_cache_export(step) ? STANDS_FOR_CACHE : STANDS_FOR_ANYTHING;
}

static int64_t smaller(int64_t limit_ms, int64_t exchange_limit_ms)
{
    int64_t most_ms = EXCHANGES_OF_A_QUESTION * exchange_limit_ms;
    return most_ms > 0 && most_ms < limit_ms ? most_ms : limit_ms;
}

int64_t buildx_silence_ms(const struct progress *progress, int64_t exchange_limit_ms)
{
    enum standing standing = STANDS_FOR_REGISTRY; /* the most patient of the steps that run */
    bool is_any_running = false, has_engine_pushed = false;
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        has_engine_pushed = has_engine_pushed || (is_push_by_the_engine(step) && step->completed);
        if (!step->running)
            continue;
        is_any_running = true;
        standing = standing_of(step) > standing ? standing_of(step) : standing;
    }
    if (progress->dropped_steps > 0 || standing == STANDS_FOR_ANYTHING)
        return AS_LONG_AS_IT_LIKES; /* a step that is not known may run */
    if (standing == STANDS_FOR_CACHE)
        return BUILDX_SILENCE_CACHE_MS;
    if (is_any_running || progress->len == 0)
        return smaller(BUILDX_SILENCE_REGISTRY_MS, exchange_limit_ms);
    return has_engine_pushed ? smaller(BUILDX_SILENCE_PUSHED_MS, exchange_limit_ms)
                             : AS_LONG_AS_IT_LIKES;
}
