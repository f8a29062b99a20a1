/*
 * app_image.h: what other stages ask of the application image: that it is begun while its base is
 * built, and another one when Lambda does not take it.
 *
 * Whether Lambda reads zstd layers is not documented. An image with `compression: zstd` gets its
 * tags only after Lambda has taken it (the stage name_image); if Lambda refuses it, it is exported
 * once more, with gzip.
 */
#ifndef STAGES_APP_IMAGE_H
#define STAGES_APP_IMAGE_H

#include <stdbool.h>

#include "stages/stage.h"

/* The base is about to be built: build what needs no base of the application image meanwhile
 * (stages/side_build.h). Nothing fails for it. */
void app_image_build_ahead(struct run *run);

/* Is `err` Lambda's refusal of an image that may be so because of its zstd layers? True at most
 * once in a run. */
bool app_image_may_be_zstd(const struct run *run, const struct error *err);

/* Export the same image with gzip; the result then names that one. Says why in a warning. */
int app_image_as_gzip(struct run *run, const struct error *refusal, struct error *err);

/* stage_name_proved_image: an image that was built again takes its tags from the one before only
 * after the proof (stages/build_image.h). */
extern const struct stage stage_app_image, stage_name_image, stage_name_proved_image;

#endif
