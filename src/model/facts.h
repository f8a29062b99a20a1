/*
 * facts.h: what one look at everything remote found: plain values, no pointers to services.
 *
 * The survey stage fills this in; model/plan.c decides from it. "" and false mean: it is not there.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "model/deployed.h"
#include "model/times.h"

#define TAG_SIZE 130

/* One image that we may need: what it should be, and what is under its tags in ECR. */
struct image_facts {
    bool wanted;   /* there is a Dockerfile for it (always true for the application) */
    bool external; /* the base is a full URI in another account or region: only read */
    bool repository_exists;
    char identity[65];  /* hex; "" when it could not be known yet (the base is still to be built) */
    char tag[TAG_SIZE]; /* for people: base-tag, or the commit */
    char identity_tag[TAG_SIZE]; /* <base-tag>-<16 hex> or src-<16 hex> */
    char push_tag[TAG_SIZE]; /* where a build is pushed to before it is proven; free to be moved, or
                                new */
    char identity_digest[DIGEST_SIZE]; /* what identity_tag names now */
    char tag_digest[DIGEST_SIZE];      /* what tag names now */
    char tag_label[65]; /* the identity in the label of the image under tag; looked up only when
                           identity_tag names nothing */
    bool tag_labelled;  /* that image has such a label */
    bool tag_immutable, identity_tag_immutable;
    bool pushed_before; /* the tag that a build is pushed under was there: a run of ours has built
                           here */
    char pushed_digest[DIGEST_SIZE]; /* what that tag named */
    bool cache_tag_immutable;        /* a cache can be written to this repository once only */
    bool blobs_missing; /* looked up only on a re-run: a blob of identity_digest is gone */
    char parts[4096];   /* digests of what the identity was made of: goes into a label, to say later
                           what changed */
    char file_name[300]; /* the Dockerfile as the user knows it */
    char change[200];    /* "Dockerfile.lambda.base changed", "argument PY changed"…, or "" */
};

struct function_facts {
    bool exists;
    char arn[320];
    char digest[DIGEST_SIZE]; /* of the image it runs; "" for a zip function */
    char repository[300];     /* of that image */
    char architecture[16];    /* "x86_64", "arm64" */
    char package_type[16];    /* "Image", "Zip" */
    char state[32];
    char last_update_status[32];
    bool alias_exists; /* the alias that the inputs name; all below only then */
    char alias_version[24];
    char alias_digest[DIGEST_SIZE]; /* of that version's image */
    char alias_revision_id[64];
    bool alias_routed;           /* a share of its calls goes to another version */
    struct times times;          /* how long the deployments before this one took */
    struct deployed deployments; /* which commits they were */
    bool image_missing; /* looked up before the first change: the image it runs is gone from ECR,
                           there is no way back to it */
};

struct facts {
    char account[16];
    char registry[256]; /* "123456789012.dkr.ecr.us-east-1.amazonaws.com" */
    struct image_facts base, image;
    struct function_facts function;
};

#endif
