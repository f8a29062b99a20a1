/*
 * reading.h: the base image's identity, read from the disk while the network is waited for.
 *
 * It needs nothing from AWS but the platform, and of that there is a good guess: the input's, else
 * this machine's, which builds for itself as a rule. Where the guess proves wrong, it is read anew.
 */
#ifndef STAGES_READING_H
#define STAGES_READING_H

#include "stages/context_identity.h"
#include "stages/stage.h"

/* Begin, in a thread of its own, if there is a base. Needs the paths of stages/prepare.c. */
void reading_start(struct run *run);

/*
 * The identity for `platform`. Waits for the thread; computes it here if there is none, or if the
 * guess was wrong. May be asked again and again, from one thread.
 */
int reading_take(struct run *run, const char *platform, struct identity *ret_identity,
                 struct error *err);

/* What reading_start has guessed; never NULL. */
const char *reading_platform(const struct run *run);

/* Waits for the thread. Without one it does nothing. */
void reading_end(struct run *run);

/* Level of compression as the build gets it; -1: BuildKit's own. */
int reading_compression_level(const struct run *run);
/* Compression as an identity knows it ("gzip", "gzip 9"), and the number of the present period (-1:
 * no maximum age). */
#define READING_COMPRESSION_SIZE 16
const char *reading_compression(const struct run *run, char buffer[READING_COMPRESSION_SIZE]);
int64_t reading_period(int64_t max_age_ms);

#endif
