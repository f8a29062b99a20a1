/*
 * build_steps.h: the steps of a build, from buildx's progress into the timing tree and the result.
 *
 * A run may build one image by several calls of buildx: a push that broke is tried again, and the
 * application's stages that need no base are built ahead. What an earlier call has built the later
 * one finds in BuildKit's cache; for the reader it was built by this run all the same.
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

/* A call whose image is in the registry is read while it still exports its caches; these are read
 * when it has ended. */
enum build_steps_part { BUILD_STEPS_ALL, BUILD_STEPS_BUT_CACHES, BUILD_STEPS_CACHES };

/* Since spans_init. */
struct build_times {
    int64_t heard_ms; /* BuildKit was first heard of */
    int64_t ended_ms; /* buildx had ended; or now */
    int64_t shown_ms; /* nothing is shown as having begun before that: where the parent begins, or
                         heard_ms */
};

/*
 * Every step of that part below the span `parent`, in the order in which they began; the user's own
 * instructions are also added to `steps`. BuildKit's clock may be another machine's, so its first
 * step is taken to have begun when BuildKit was first heard of. A step that an earlier call has run
 * may be told with the times that it had then: the last one ends with buildx at the latest, and
 * what began before the first is taken to have begun with it.
 */
void build_steps_read(const struct progress *progress, enum build_steps_part part,
                      struct spans *spans, int parent, const struct build_times *times,
                      struct build_steps *steps);

/* Those of `steps` that are cached because `earlier` has built them count as built, with the time
 * that it took. */
void build_steps_add_earlier(struct build_steps *steps, const struct build_steps *earlier);

void build_steps_release(struct build_steps *steps);

#endif
