/*
 * images.h: what stages ask of ECR about one of our two images (the base and the application):
 * where it lives, what is under its tags, and giving it tags.
 */
#ifndef STAGES_IMAGES_H
#define STAGES_IMAGES_H

#include "stages/stage.h"

/* The ECR repository of an image and the AWS region that is asked for it. Pointers are borrowed
 * from the run. */
struct image_place {
    struct aws *aws;
    char registry[256];      /* "123456789012.dkr.ecr.us-east-1.amazonaws.com" */
    char account[16];        /* another account's registry; "": our own */
    char name[260];          /* "lambda-python-deps" */
    bool external;           /* another account or region: only read */
    struct ecr_login *login; /* where images_login keeps the password */
};

/* run->facts.registry must be known. ERROR_INPUT: base-repository is a URI that is not ECR's. */
int images_base_place(struct run *run, struct image_place *ret_place, struct error *err);
int images_place(struct run *run, struct image_place *ret_place, struct error *err);

/* "registry/name@digest" */
void images_uri(const struct image_place *place, const char *digest, char *ret_uri, size_t size);

/* Get the registry's password if we have none that is good for a while, and open a view on the
 * registry. The view borrows from run and place. */
int images_login(struct run *run, const struct image_place *place, struct registry *ret_registry,
                 struct error *err);

/* Is the base's place given by name, so that images_base_place needs no registry to know it? */
bool images_base_is_named(const struct run *run);

/* Look under the image's tags: the digests. place->registry may be unknown. One request. */
int images_look_up(const struct image_place *place, struct image_facts *image, struct error *err);

/*
 * After images_look_up, what else plan.c wants to know: where the identity tag names nothing, the
 * label of the image under the people's tag and the repository's settings. No request when both
 * tags name the same image.
 */
int images_look(struct run *run, const struct image_place *place, struct image_facts *image,
                struct error *err);

/* Into image->change what differs between the image `old_digest` and the one that is wanted, as far
 * as its labels tell. */
int images_explain(struct run *run, const struct image_place *place, const char *old_digest,
                   struct image_facts *image, struct error *err);

/* The repository as a build needs it: made if it is missing, made ready if a run of ours could not
 * finish that. */
int images_ensure_repository(const struct image_place *place, const struct image_facts *image,
                             struct error *err);

/*
 * Bytes of the pushed image that are in none of the images that were looked up in its repository
 * before: what had to be pushed. `function_digest` is one more that may be there, or "".
 */
int images_new_bytes(const struct image_place *place, const struct image_facts *image,
                     const char *function_digest, const struct registry_manifest *manifest,
                     int64_t *ret_bytes, struct error *err);

/* The tag keep-<12 hex digits> for what a function or version may use, so that it is not swept up
 * as untagged. */
int images_keep(const struct image_place *place, const char *digest, struct error *err);

enum images_tag_flags {
    IMAGES_KEEP_OLD = 1, /* a digest that loses a tag gets the tag keep-<12 hex digits> */
    IMAGES_IS_SERVED = 2 /* the function runs `digest` already: nobody else's takes its place */
};

/*
 * Give `digest` the image's tags, the people's first and the identity's last. Just before, they
 * are looked up again: if another run has put the identity tag meanwhile, its digest gets the
 * people's tag, too, and is to be used instead; with IMAGES_IS_SERVED `digest` gets the people's
 * tag all the same (a keep- tag where that cannot move), so that it does not expire. A tag that is
 * there and immutable stays where it is.
 * *ret_digest is the digest that the identity tag names afterwards.
 */
int images_tag(const struct image_place *place, const struct image_facts *image, const char *digest,
               unsigned flags, char ret_digest[DIGEST_SIZE], struct error *err);

/* Where a registry cache is kept. */
#define IMAGES_CACHE_TAG "buildcache"

/*
 * The label under which an image remembers its identity, and the one with the digests of its parts.
 */
#define IMAGES_IDENTITY_LABEL "io.github.lambda-fastdeploy.identity"
#define IMAGES_PARTS_LABEL    "io.github.lambda-fastdeploy.parts"

#endif
