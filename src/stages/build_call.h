/*
 * build_call.h: one call of buildx that pushes an image, and what is taken from it: its steps into
 * the timing tree, its bytes, and, where it fails, the evidence and the place in the Dockerfile.
 * Trying again is stages/build_image.c's.
 */
#ifndef STAGES_BUILD_CALL_H
#define STAGES_BUILD_CALL_H

#include "stages/build_image.h"
#include "stages/build_steps.h"

/*
 * Returns when the image is in the registry; the caches of `build` may still be written then
 * (stages/side_build.h). Its output goes to the log. Where its caches have kept it from its end,
 * `build` is changed so that another try goes without them. `ret_steps` is set in any case, and the
 * caller's. Errors: as buildx_build.
 */
int build_call(struct run *run, const struct image_order *order, struct buildx_build *build,
               struct build_steps *ret_steps, char ret_digest[DIGEST_SIZE], struct error *err);

#endif
