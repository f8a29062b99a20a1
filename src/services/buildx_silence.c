#include "services/buildx_silence.h"

#include <stdbool.h>

#include "core/text.h"

#define AS_LONG_AS_IT_LIKES INT64_MAX

/* By what the names of steps begin with: BuildKit's, and buildx's own for an engine that pushes. */
static const struct {
    const char *name;
    int64_t silence_ms;
} rules[] = {
    {"[auth] ", BUILDX_SILENCE_REGISTRY_MS},
    {"[internal] load metadata for ", BUILDX_SILENCE_REGISTRY_MS},
    {"resolve image config for ", BUILDX_SILENCE_REGISTRY_MS},
    {"importing cache manifest from ", BUILDX_SILENCE_REGISTRY_MS},
    {"pushing ", BUILDX_SILENCE_REGISTRY_MS},
    {"exporting cache to ", BUILDX_SILENCE_CACHE_MS},
};

static int64_t silence_of(const struct progress_step *step)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (text_starts_with(step->name, rules[i].name))
            return rules[i].silence_ms;
    return AS_LONG_AS_IT_LIKES;
}

int64_t buildx_silence_ms(const struct progress *progress)
{
    int64_t longest_ms = progress->len > 0 ? BUILDX_SILENCE_IDLE_MS : BUILDX_SILENCE_REGISTRY_MS;
    for (size_t i = 0; i < progress->len; i++) {
        const struct progress_step *step = &progress->steps[i];
        bool is_running = step->started && !step->completed && !step->error;
        int64_t silence_ms = is_running ? silence_of(step) : 0;
        longest_ms = silence_ms > longest_ms ? silence_ms : longest_ms;
    }
    return longest_ms == AS_LONG_AS_IT_LIKES ? 0 : longest_ms;
}
