/*
 * build_steps.h: the steps of a build, from buildx's progress into the timing tree and the result.
 *
 * A run may build one image by several calls of buildx: a push that broke is tried again, and the application's stages that need no base are built
 * ahead. What an earlier call has built the later one finds in BuildKit's cache; for the reader it was built by this run all the same.
 */
#ifndef STAGES_BUILD_STEPS_H
#define STAGES_BUILD_STEPS_H

#include "core/span.h"
#include "model/result.h"
#include "services/progress.h"

struct build_steps {                 /* all zero: none */
    struct build_step_result *items; /* owned */
    size_t len;
};

/*
 * Every step below the span `parent`, in the order in which they began; the user's own instructions are also added to `steps`.
 * Both times since spans_init: when BuildKit was first heard of, and when buildx had ended. BuildKit's clock may be another machine's, so its first step is
 * taken to have begun then. A step that an earlier call has run may be told with the times that it had then: the last one ends with buildx at the latest, and
 * what began before the first is taken to have begun with it.
 */
void build_steps_read(const struct progress *progress, struct spans *spans, int parent,
                      int64_t began_ms, int64_t ended_ms, struct build_steps *steps);

/* Of a call that only repeats a build, to export its caches: what is none of the user's instructions. */
void build_steps_show_others(const struct progress *progress, struct spans *spans, int parent,
                             int64_t began_ms, int64_t ended_ms);

/* Those of `steps` that are cached because `earlier` has built them count as built, with the time that it took. */
void build_steps_add_earlier(struct build_steps *steps, const struct build_steps *earlier);

void build_steps_release(struct build_steps *steps);

#endif
