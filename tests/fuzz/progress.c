/* buildx's progress, line by line, and what the report keeps of it. */
#include "services/progress.h"
#include "model/cached_steps.h"
#include "tests/fuzz/fuzz.h"

static void line_seen(void *context, const char *line, size_t len)
{
    size_t *bytes = context;
    EXPECT(line[len] == '\0' || len > 0);
    *bytes += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct progress progress;
    size_t bytes = 0, steps, cached, done;
    CLEANUP_FREE char *text = fuzz_text(data, size);
    progress_init(&progress);
    progress.on_line = line_seen;
    progress.context = &bytes;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end ? (size_t)(end - text) - at : size - at;
        CLEANUP_FREE char *line = fuzz_text(data + at, len);
        progress_add_line(&progress, line, len);
        at += len + 1;
    }
    progress_count(&progress, &steps, &cached, &done);
    EXPECT(cached <= steps && done <= steps && steps <= progress.len);
    const struct progress_step *failed = progress_failed_step(&progress);
    EXPECT(!failed || failed->error);
    for (size_t i = 0; i < progress.len; i++) {
        EXPECT(progress.steps[i].tail.len <= PROGRESS_TAIL_BYTES);
        (void)cached_steps_number(progress.steps[i].name ? progress.steps[i].name : "");
    }
    progress_release(&progress);
    return 0;
}
