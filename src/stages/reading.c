#include "stages/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/task.h"
#include "core/text.h"
#include "model/plan.h"

#define ZSTD_DEFAULT_LEVEL 3 /* of compression-level, and zstd's own */

struct reading {
    struct run *run; /* borrowed; only what prepare has written is read */
    struct task task;
    const char *platform; /* borrowed */
    struct identity identity;
    struct error err;
    int rc, span;
};

/* The default level is zstd's: gzip has only one that was given. */
int reading_compression_level(const struct run *run)
{
    const struct inputs *inputs = run->inputs;
    bool counts =
        inputs->compression == COMPRESSION_ZSTD || inputs_given(inputs, "compression-level");
    return counts ? inputs->compression_level : -1;
}

const char *reading_compression(const struct run *run, char buffer[READING_COMPRESSION_SIZE])
{
    bool is_zstd = run->inputs->compression == COMPRESSION_ZSTD;
    int level = reading_compression_level(run);
    if (level < 0 || (is_zstd && level == ZSTD_DEFAULT_LEVEL))
        return is_zstd ? "zstd" : "gzip";
    snprintf(buffer, READING_COMPRESSION_SIZE, "%s %d", is_zstd ? "zstd" : "gzip", level);
    return buffer;
}

int64_t reading_period(int64_t max_age_ms)
{
    return max_age_ms > 0 ? clock_wall_seconds() / (max_age_ms / 1000 > 0 ? max_age_ms / 1000 : 1)
                          : -1;
}

const char *reading_platform(const struct run *run)
{
    struct utsname machine;
    if (run->inputs->platform)
        return run->inputs->platform;
    bool is_arm = uname(&machine) == 0 && text_equal(machine.machine, "aarch64");
    return plan_platform(is_arm ? "arm64" : "x86_64");
}

static int read_base(struct run *run, const char *platform, struct identity *ret_identity,
                     struct error *err)
{
    const struct inputs *inputs = run->inputs;
    char compression[READING_COMPRESSION_SIZE];
    const struct identity_request request = {
        .workspace = run->paths.workspace,
        .file = run->paths.base_file,
        .context = run->paths.base_context,
        .platform = platform,
        .build_args = &inputs->base_build_args,
        .compression = reading_compression(run, compression),
        .check = inputs->base_check,
        .period = reading_period(inputs->base_max_age_ms),
    };
    if (context_identity(&request, ret_identity, err) < 0)
        return error_wrap(err, "%s", inputs->base_file);
    return 0;
}

static void read_in_thread(void *context)
{
    struct reading *reading = context;
    reading->rc = read_base(reading->run, reading->platform, &reading->identity, &reading->err);
    span_end(&reading->run->result.spans, reading->span);
}

void reading_start(struct run *run)
{
    if (!run->paths.base_file || run->reading)
        return;
    struct reading *reading = memory_new(sizeof *reading);
    *reading = (struct reading){.run = run,
                                .task = TASK(read_in_thread, reading),
                                .platform = reading_platform(run),
                                .err = ERROR_INIT};
    run->reading = reading;
    reading->span = span_begin(&run->result.spans, SPAN_NONE, "Read the files of the base image");
    span_set_beside(&run->result.spans, reading->span);
    task_start(&reading->task);
}

int reading_take(struct run *run, const char *platform, struct identity *ret_identity,
                 struct error *err)
{
    struct reading *reading = run->reading;
    if (reading)
        task_join(&reading->task);
    if (!reading || !text_equal(reading->platform, platform))
        return read_base(run, platform, ret_identity, err);
    if (reading->rc < 0)
        *err = reading->err;
    else
        *ret_identity = reading->identity;
    return reading->rc;
}

void reading_end(struct run *run)
{
    if (!run->reading)
        return;
    task_join(&run->reading->task);
    free(run->reading);
    run->reading = NULL;
}
