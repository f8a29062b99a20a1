/*
 * progress.h: buildx's raw progress (`--progress=rawjson`, one JSON object a line: BuildKit's
 * SolveStatus) → steps with times.
 *
 * Pure: lines go in, a picture of the build comes out, whatever order they come in. Text of steps
 * and logs is a stranger's. Source: github.com/moby/buildkit client/graph.go (Vertex, VertexStatus,
 * VertexLog, VertexWarning, SolveStatus), util/push/push.go (names of what is pushed).
 */
#ifndef SERVICES_PROGRESS_H
#define SERVICES_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strbuf.h"
#include "core/text.h"

#define PROGRESS_MAX_STEPS  8192
#define PROGRESS_TAIL_BYTES 4096 /* kept of each step's output: its end */

struct progress_step {
    char digest[DIGEST_SIZE];
    char *name; /* owned; "[build 2/3] RUN gcc …"; cut at 512 bytes */
    bool started, completed, cached, internal;
    bool running; /* a step may run several times: not the same as started && !completed */
    int64_t start_ms, end_ms; /* wall clock, ms since 1970; 0: not known */
    int64_t bytes;            /* transferred by its statuses (pushing, pulling, sending); 0: none */
    char *error;              /* owned; NULL: none; cut at 4 KiB */
    struct strbuf tail;       /* the last PROGRESS_TAIL_BYTES of its output */
    int number;               /* order of first appearance, from 1 */
};

struct progress {
    struct progress_step *steps; /* owned */
    size_t len, alloc;
    size_t dropped_steps; /* reports of steps that are over PROGRESS_MAX_STEPS */
    size_t bad_lines;
    uint64_t changes; /* grows with all that is new: a step, its beginning, end and output, a
                         transfer, its bytes and end; not with what is said again */
    int64_t pushed_bytes, total_push_bytes;
    char pushed_digest[DIGEST_SIZE]; /* of the manifest that BuildKit has pushed, well; "": none
                               yet, or the engine pushes */
    struct strbuf other; /* lines that are not JSON: buildx's own errors; the last 8 KiB */
    void (*on_line)(void *context, const char *line,
                    size_t len); /* a readable line for the log: "#5 [build 2/3] RUN …", "#5 0.123
                                    output", "#5 CACHED", "#5 DONE 1.2s" */
    void (*on_change)(void *context,
                      const struct progress *progress); /* after each raw line; NULL: nobody asks */
    void *context;                                      /* borrowed */
    struct progress_private *private;                   /* owned; progress.c's own */
};

void progress_init(struct progress *progress);
void progress_release(struct progress *progress);
void progress_add_line(struct progress *progress, const char *line, size_t len);

/* Steps that read a cache (BuildKit goes on without it) or write one (which fails a build unless
 * its errors are ignored). */
bool progress_is_cache_import(const struct progress_step *step);
bool progress_is_cache_export(const struct progress_step *step);

/* It had begun to write caches, and not all of them are written, for whatever reason. */
bool progress_is_at_its_caches(const struct progress *progress);
/* There were caches to write, and all of them are. */
bool progress_caches_are_written(const struct progress *progress);

/* The step that failed first, or NULL. Never one that reads a cache (BuildKit goes on without it)
 * or was only cancelled; one that writes a cache only if nothing else failed (its errors may be
 * ignored). */
const struct progress_step *progress_failed_step(const struct progress *progress);
/* Counts over steps that are not internal. */
void progress_count(const struct progress *progress, size_t *ret_steps, size_t *ret_cached,
                    size_t *ret_done);

#endif
