/*
 * caches.h: where a build reads its cache from, and where it leaves one.
 *
 * The registry cache lives in the tag `buildcache` of the image's own repository, or of
 * `cache-repository`, which is made if it is missing. There the base's is called `buildcache-base`:
 * the two would overwrite each other. GitHub's cache is used where the job has its token, in a
 * scope of each repository's own. A cache that cannot be read or written never fails a build; what
 * keeps it from being written is said.
 */
#ifndef STAGES_CACHES_H
#define STAGES_CACHES_H

#include "core/strvec.h"
#include "stages/build_image.h"

/* May this run's builds write a cache? Strangers' changes must not end up in what everybody builds
 * with. */
bool caches_may_write(const struct run *run);

/* The values of --cache-from and --cache-to. */
int caches_choose(struct run *run, const struct image_order *order, struct strvec *ret_from,
                  struct strvec *ret_to, struct error *err);

#define CACHES_REFERENCE_SIZE 400

/* The registry cache of an image, "repository:tag", and whether anything is there. */
int caches_look(struct run *run, const struct image_place *place, bool is_base,
                char ret_reference[CACHES_REFERENCE_SIZE], bool *ret_there, struct error *err);

#endif
