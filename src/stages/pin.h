/*
 * pin.h: the application's Dockerfile builds on the base by digest, without a change to the file.
 *
 * However the base is written (`ARG BASE_IMAGE` and `FROM $BASE_IMAGE`, `FROM base`, or `FROM
 * <registry>/<repository>:<tag>`), buildx's named contexts replace that name by
 * `docker-image://<repository>@<digest>`. A stage of the user's own that is called like it wins.
 */
#ifndef STAGES_PIN_H
#define STAGES_PIN_H

#include "core/strvec.h"
#include "stages/stage.h"

/* Every way in which a Dockerfile may name our base: "base", and the repository with and without
 * its tag. */
void pin_base_names(struct run *run, struct strvec *ret_names);

/* The ONBUILD triggers that the base brings, from its Dockerfile. *ret_known false: there is no
 * base of ours, or nobody but its frontend knows. */
int pin_base_triggers(struct run *run, struct strvec *ret_triggers, bool *ret_known,
                      struct error *err);

/*
 * The arguments for buildx: named contexts (name=docker-image://uri) and build arguments (the
 * user's, with BASE_IMAGE when the Dockerfile declares it and the user gives none). `base_uri` is
 * repository@digest.
 */
int pin_base(struct run *run, const char *base_uri, struct strvec *ret_contexts,
             struct strvec *ret_build_args, struct error *err);

/*
 * Before the base is there: the names of the application's stages that can be built without it, and
 * the build arguments that its Dockerfile needs to be read at all. Nothing where it does not use
 * the base.
 */
int pin_stages_without_base(struct run *run, struct strvec *ret_stages,
                            struct strvec *ret_build_args, struct error *err);

#endif
