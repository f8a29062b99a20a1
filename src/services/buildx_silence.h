/*
 * buildx_silence.h: how long a build may stand still. Pure.
 *
 * Neither BuildKit nor the Docker engine limits how long a registry may take for an answer: one
 * that accepts a connection and then says nothing is waited for without end, and BuildKit's
 * scheduler may keep every other build waiting meanwhile. A build stands still when its progress
 * (services/progress.h, `changes`) does.
 *
 * What is limited is only what is known to do nothing but ask a registry, or to say how far it is.
 * Everything else may stand still for as long as it likes, until the deadline of the run: a step of
 * the Dockerfile, an export that compresses, a push by BuildKit itself (it tells no bytes), and a
 * moment at which no step is told to run, which has many innocent reasons.
 */
#ifndef SERVICES_BUILDX_SILENCE_H
#define SERVICES_BUILDX_SILENCE_H

#include <stdint.h>

#include "services/progress.h"

#define BUILDX_SILENCE_PUSHED_MS                                                                   \
    60000 /* the engine has pushed: buildx asks it which digest that was */
#define BUILDX_SILENCE_REGISTRY_MS                                                                 \
    300000 /* only steps that ask a registry, or an engine that pushes and says how much; or no    \
              step is known yet */
#define BUILDX_SILENCE_CACHE_MS                                                                    \
    600000 /* a cache is exported: to compress a large layer takes minutes */

/*
 * ms; 0: as long as it likes. `exchange_limit_ms` is what the user lets any one exchange with a
 * registry take (0: not limited): a question is a few of them, one after the other (is it there, a
 * token, the manifest, a blob).
 */
int64_t buildx_silence_ms(const struct progress *progress, int64_t exchange_limit_ms);

#endif
