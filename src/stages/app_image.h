/*
 * app_image.h: what the release asks of the application image when Lambda does not take it.
 *
 * Whether Lambda reads zstd layers is not documented. An image with `compression: zstd` gets its tags only after Lambda has taken it (the stage
 * name_image); if Lambda refuses it, it is exported once more, with gzip.
 */
#ifndef STAGES_APP_IMAGE_H
#define STAGES_APP_IMAGE_H

#include <stdbool.h>

#include "stages/stage.h"

/* Is `err` Lambda's refusal of an image that may be so because of its zstd layers? True at most once in a run. */
bool app_image_may_be_zstd(const struct run *run, const struct error *err);

/* Export the same image with gzip; the result then names that one. Says why in a warning. */
int app_image_as_gzip(struct run *run, const struct error *refusal, struct error *err);

extern const struct stage stage_app_image, stage_name_image;

#endif
