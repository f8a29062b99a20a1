/*
 * deployed.h: which commits were deployed last, as which image and when, as a text for one of the
 * function's tags, so that a run can say which commit its own replaces and how often this function
 * is deployed. Pure.
 *
 *   lambda-fastdeploy:deployed "4e1243bd22c6@9b1f3e5d7c2a/29583920 81d3a763dbba@0c5e…/29583701"
 *
 * One entry a deployment that changed the function and was verified, the newest first: twelve
 * digits of the commit, of the image's digest, and the minutes since 1970. At most seven fit in 256
 * characters (model/record.h has the source); the oldest are left out.
 */
#ifndef MODEL_DEPLOYED_H
#define MODEL_DEPLOYED_H

#include <stddef.h>
#include <stdint.h>

#define DEPLOYED_TAG         "lambda-fastdeploy:deployed"
#define DEPLOYED_VALUE_SIZE  257
#define DEPLOYED_MAX_ENTRIES 7
#define DEPLOYED_DIGITS_SIZE 13

struct deployed_entry {
    char commit[DEPLOYED_DIGITS_SIZE];
    char digest[DEPLOYED_DIGITS_SIZE]; /* without "sha256:" */
    int64_t wall_s;                    /* since 1970, whole minutes once it was read back */
};

struct deployed {
    struct deployed_entry items[DEPLOYED_MAX_ENTRIES]; /* the newest first */
    size_t len;
};

/* NULL and what is not such a list give an empty one; entries that make no sense are left out. */
void deployed_parse(const char *value, struct deployed *ret_deployed);
void deployed_format(const struct deployed *deployed, char ret_value[DEPLOYED_VALUE_SIZE]);
/* A commit or a digest that is none ("", "main") adds nothing. */
void deployed_add(struct deployed *deployed, const char *commit, const char *digest,
                  int64_t wall_s);

/* The newest entry of the image with this digest, or NULL. Borrowed. */
const struct deployed_entry *deployed_find(const struct deployed *deployed, const char *digest);

/* The commit that the image with this digest was last deployed from, or "". Borrowed. */
const char *deployed_commit(const struct deployed *deployed, const char *digest);

#endif
