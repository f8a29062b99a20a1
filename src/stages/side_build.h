/*
 * side_build.h: calls of buildx beside the way that the run takes.
 *
 * Two things need BuildKit and hold nothing up: the application's stages that need no base are built while the base is built, and an image's caches
 * are exported while the function is updated. Each is one call of buildx that pushes no image (`--output=type=cacheonly`), in a thread of its own; in
 * the timing tree it stands beside the rest.
 *
 * None of them can fail a run. What was to be built ahead is built by the call that needs it, and meets the same error there; a cache that could not
 * be written is a warning. Both end when the run is cancelled or its deadline comes.
 */
#ifndef STAGES_SIDE_BUILD_H
#define STAGES_SIDE_BUILD_H

#include "stages/build_steps.h"
#include "stages/stage.h"

enum side_build_kind {
    SIDE_BUILD_AHEAD,  /* stages of the application, while the base is built */
    SIDE_BUILD_CACHES, /* of an image that has been pushed */
};

/*
 * Begin, and return at once. `what` names it in the timing tree. Of `build` the lists of arguments, contexts and caches and the target are copied, its
 * tags and labels left out; its other texts and its secrets must live as long as the run.
 */
void side_build_start(struct run *run, enum side_build_kind kind, const char *what,
                      const struct buildx_build *build);

/* The image that the stages were built ahead for is built: end those that still run, and add what they have built to `earlier`. */
void side_builds_take_ahead(struct run *run, struct build_steps *earlier);

/* When the pipeline has ended, however it ended: end what was to be built ahead, wait until the caches are written, and say what came of it. */
void side_builds_finish(struct run *run);

void side_builds_release(struct run *run);

#endif
