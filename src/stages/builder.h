/*
 * builder.h: which BuildKit builds, and making it ready the first time that something is to be
 * built: beside the rest of the survey as soon as that is certain, so that a builder container
 * boots while others are asked.
 *
 * `auto`: the engine's own when it can export caches (containerd image store), else a
 * docker-container builder that is kept by name within the job (and by that name not met by the
 * jobs of other runners that share the engine); one whose boot hangs is given up, once, for a fresh
 * one. A name or endpoint is used as it is given.
 */
#ifndef STAGES_BUILDER_H
#define STAGES_BUILDER_H

#include "stages/images.h"
#include "stages/stage.h"

/*
 * Begin to make it ready, in a thread of its own, and return at once; a second call does nothing.
 * Only when something will be built for certain: where nothing is, no builder is started. What goes
 * wrong is told by builder_ready.
 */
void builder_start(struct run *run);

/*
 * Find buildx, ask the engine what it is, log in to the place's registry in a private
 * configuration; wait for what builder_start has begun. Later calls only add what is missing. Also
 * refuses a platform that this engine cannot build (ERROR_REFUSED, with the two remedies).
 */
int builder_ready(struct run *run, const struct image_place *place, struct error *err);

/* NULL: the engine's own. */
const char *builder_name(const struct run *run);
bool builder_can_cache(const struct run *run);

/*
 * At the end of the run: waits for a start that nobody needed after all. The builder itself stays.
 */
void builder_release(struct run *run);

#endif
