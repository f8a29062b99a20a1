/*
 * build_image.h: build one image, push it, prove it, tag it. The base and the application go the
 * same way.
 *
 * The order is the safety: push under a tag that says nothing, inspect what was pushed, run the
 * check in it, and only then give the tags, the identity tag last. A run that ends anywhere before
 * leaves nothing that a later run would use. Where the identity tag of the application names
 * another image already, that one may be what serves and what a rollback goes to: the tags wait
 * until the function has passed verification with the new one. When the image is in the registry
 * the run goes on, and the call exports its caches beside it (stages/side_build.h).
 */
#ifndef STAGES_BUILD_IMAGE_H
#define STAGES_BUILD_IMAGE_H

#include "stages/images.h"
#include "stages/stage.h"

struct image_order {                     /* all borrowed */
    const char *what;                    /* "base image", "application image" */
    const char *file, *context, *target; /* absolute; target NULL: the last stage */
    const char *file_name;               /* the Dockerfile as the user knows it */
    const struct strvec *build_args, *build_contexts, *secrets; /* secrets NULL: none */
    const struct image_place *place;
    const struct image_facts *facts;
    const char *check; /* command to run in the image; NULL: none */
    bool fresh;        /* --no-cache --pull */
    bool use_cache, write_cache;
    bool is_base;
    bool keep_old;     /* a digest that loses a tag is kept */
    bool needs_proof;  /* it takes no tag from another image before the function has answered well
                          with it */
    bool gzip_instead; /* whatever `compression` says: every layer as gzip */
    bool tags_wait;    /* prove it, but give it no tag yet (name_image does) */
    bool is_served;    /* the function runs it already (name_image) */
    struct image_result *result; /* slot to fill */
};

/* ERROR_FAILED: a step or the check failed; ERROR_REFUSED: Lambda would not take what was built.
 * The result's digest and uri are set on success only. */
int build_image(struct run *run, const struct image_order *order, struct error *err);

/* The order as buildx takes it, without tags, labels, caches and a time limit. Borrows from run and
 * order. */
void build_image_arguments(const struct run *run, const struct image_order *order,
                           struct buildx_build *ret_build);

/*
 * After a build: which step was cached last time and is not now (into the result, and the log), by
 * what the function's tags remember, and what the next build is told about this one. A build
 * without a cache tells nothing.
 */
void compare_cached_steps(struct run *run, const struct image_order *order);

/*
 * Give a proven image its tags. The result's digest becomes what the identity tag names then,
 * except where the function runs `digest` already: what the outputs name is what serves. With
 * needs_proof, where the image would take the identity tag from another one: it is kept, and gets
 * no tag yet.
 */
int name_image(const struct image_order *order, const char *digest, struct error *err);

/* Is the image built again, and must it pass verification before it takes the identity tag from the
 * one before? One that lacks layers is of no use to anybody, and does not count. */
bool must_prove_image(const struct image_facts *facts, const char *digest);

/* The same proof for an image that is there already (adopted or found by label): inspect, check,
 * tag. A base may be an index that holds an image for the platform. */
int prove_and_tag_image(struct run *run, const struct image_order *order, const char *digest,
                        struct error *err);

#endif
