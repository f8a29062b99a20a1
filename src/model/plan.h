/*
 * plan.h: from inputs and facts to what will be done, each with its reason. Pure: the same
 * functions answer `plan` and drive `deploy`, one decision at a time, as the facts that it needs
 * become known.
 *
 * The rules and their order are the contract's ("Images: identity, and when one is built",
 * "Function: order of change").
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <stdbool.h>

#include "model/facts.h"
#include "model/inputs.h"

#define REASON_SIZE 512 /* room for a function's ARN or a tag of 128 characters */

enum image_action {
    IMAGE_NONE,   /* no base Dockerfile: no base stage */
    IMAGE_FOUND,  /* use `digest` */
    IMAGE_RETAG,  /* `digest` is the right image, only its identity tag is lost: put it back */
    IMAGE_ADOPT,  /* the user says that `digest` is right: check it, then tag it */
    IMAGE_BUILD,  /* build, push, inspect, check, tag */
    IMAGE_REFUSE, /* cannot be done; the reason says why and what to do */
    IMAGE_LATER   /* cannot be known before the base is built (only in a plan) */
};

struct image_plan {
    enum image_action action;
    bool fresh;               /* build with --no-cache --pull */
    bool add_tag;             /* found, but `tag` does not name it yet */
    char digest[DIGEST_SIZE]; /* for FOUND, RETAG, ADOPT */
    char reason[REASON_SIZE]; /* one clause: "no image has the tag 3.12-0123456789abcdef" */
};

struct image_plan plan_base(const struct inputs *inputs, const struct image_facts *base);
struct image_plan plan_image(const struct inputs *inputs, const struct image_facts *image,
                             bool base_will_be_built);

enum function_action {
    FUNCTION_UNCHANGED,
    FUNCTION_UPDATE,
    FUNCTION_CREATE,
    FUNCTION_REFUSE, /* a zip function, a wrong architecture, missing and no role… */
    FUNCTION_LATER   /* depends on an image that is still to be built */
};

struct function_plan {
    enum function_action action;
    char reason[REASON_SIZE];
};

/* `digest` of the image to run, "" while it is not known. */
struct function_plan plan_function(const struct inputs *inputs,
                                   const struct function_facts *function, const char *digest);

/* Does the alias get another version? */
struct alias_plan {
    bool publish;             /* publish a version, prove it, move the alias to it */
    char reason[REASON_SIZE]; /* "" without an alias */
};

/*
 * `digest` as above; `changes`: code or configuration of the function will be changed, or was;
 * `configured_otherwise`: the version that the alias serves differs from what the inputs ask for.
 */
struct alias_plan plan_alias(const struct inputs *inputs, const struct function_facts *function,
                             const char *digest, bool changes, bool configured_otherwise);

/* "linux/amd64" for x86_64, "linux/arm64" for arm64, NULL for anything else; and back. */
const char *plan_platform(const char *lambda_architecture);
const char *plan_architecture(const char *platform);

#endif
