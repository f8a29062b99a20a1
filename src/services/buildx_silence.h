/*
 * buildx_silence.h: how long a build may say nothing. Pure.
 *
 * Neither BuildKit nor the Docker engine limits how long a registry may take for an answer: one that accepts a connection and then says nothing is waited for without end. A step of the
 * Dockerfile may be silent for as long as it likes, and an export that compresses may be, too. What only asks a registry may not, nor may buildx when no step is left to wait for (it then
 * asks, by the engine, which digest was pushed).
 */
#ifndef SERVICES_BUILDX_SILENCE_H
#define SERVICES_BUILDX_SILENCE_H

#include <stdint.h>

#include "services/progress.h"

#define BUILDX_SILENCE_IDLE_MS 60000 /* no step runs */
#define BUILDX_SILENCE_REGISTRY_MS                                                                 \
    300000 /* only steps that ask a registry, or push and say how much, run; or none has begun yet */
#define BUILDX_SILENCE_CACHE_MS 600000 /* a cache is exported: compressing is silent */

/* ms; 0: as long as it likes. The longest of what the steps that run may take. */
int64_t buildx_silence_ms(const struct progress *progress);

#endif
