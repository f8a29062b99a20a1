/*
 * cached_steps.h: which steps of a build were cached, as a text for one of the function's tags, so
 * that the next build can tell which one no longer is. Pure.
 *
 * The text is a list of 4 hex digits for each cached step: the beginning of the SHA-256 of its
 * stage and instruction, without its number, which moves when a step is added before it. FROM is no
 * step here: whether it is cached depends on the builder. At most 256 characters (model/record.h
 * has the source), that is 64 steps.
 */
#ifndef MODEL_CACHED_STEPS_H
#define MODEL_CACHED_STEPS_H

#include <stddef.h>

#include "model/result.h"

#define CACHED_STEPS_TAG      "lambda-fastdeploy:cached"
#define CACHED_STEPS_BASE_TAG "lambda-fastdeploy:cached-base"
#define CACHED_STEPS_SIZE     257

/* The number of an instruction's step within its stage ("[build 3/7] RUN make": 3), 0: another part
 * of a build. */
int cached_steps_number(const char *name);

/* "-" when none was cached: a tag's value is not empty. */
void cached_steps_format(const struct build_step_result *steps, size_t count,
                         char ret_text[CACHED_STEPS_SIZE]);

/* The first step that is in `text` (NULL: nothing is known) and is not cached now, or NULL.
 * Borrowed from `steps`. */
const struct build_step_result *
cached_steps_lost(const char *text, const struct build_step_result *steps, size_t count);

#endif
