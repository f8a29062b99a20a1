/*
 * side_build.h: calls of buildx that go on beside the way that the run takes.
 *
 * Two things need BuildKit and hold nothing up. The application's stages that need no base are
 * built while the base is built: a call of its own that pushes no image
 * (`--output=type=cacheonly`). And the call that builds an image exports its caches, too, behind
 * the push or beside it: the run goes on as soon as the image is in the registry, and the rest of
 * the call beside the run. Each is in a thread of its own; in the timing tree it stands beside the
 * rest.
 *
 * Neither can fail a run. What was to be built ahead is built by the call that needs it, and meets
 * the same error there; a cache that could not be written is a warning. Both end when the run is
 * cancelled or its deadline comes.
 *
 * Of a struct buildx_build that is given here the lists of arguments, contexts, caches, tags and
 * labels and the target are copied; its other texts and its secrets must live as long as the run.
 */
#ifndef STAGES_SIDE_BUILD_H
#define STAGES_SIDE_BUILD_H

#include "stages/build_steps.h"
#include "stages/stage.h"

/* Begin, and return at once. `what` names it in the timing tree. */
void side_build_ahead(struct run *run, const char *what, const struct buildx_build *build);

struct side_build_push {
    const struct buildx_build
        *build; /* borrowed; its on_line and on_change are called until the run goes on */
    /*
     * Called once, before side_build_push returns, from whichever thread: rc 0 and the image is in
     * the registry, or -1. `goes_on`: the call has not ended. The result lives only until this
     * returns.
     */
    void (*on_end)(void *context, int rc, bool goes_on, const struct buildx_result *result);
    void *context; /* borrowed */
};

/*
 * Build, and wait until the image is in the registry. 0: what may be left of the call goes on
 * beside, named `what` in the timing tree. -1: as buildx_build, and nothing goes on.
 */
int side_build_push(struct run *run, const char *what, const struct side_build_push *push,
                    struct error *err);

/* The image that the stages were built ahead for is built: end those that still run, and add what
 * they have built to `earlier`. */
void side_builds_take_ahead(struct run *run, struct build_steps *earlier);

/* When the pipeline has ended, however it ended: end what was to be built ahead, wait until the
 * caches are written, and say what came of it. */
void side_builds_finish(struct run *run);

void side_builds_release(struct run *run);

#endif
