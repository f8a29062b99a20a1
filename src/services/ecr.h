/*
 * ecr.h: ECR's control API: repositories, tags, the registry's password. Images themselves go
 * through services/registry.c. Source: docs.aws.amazon.com/AmazonECR/latest/APIReference.
 */
#ifndef SERVICES_ECR_H
#define SERVICES_ECR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strvec.h"
#include "core/text.h"
#include "services/aws.h"

struct ecr_login {
    char *registry;     /* owned; "123456789012.dkr.ecr.us-east-1.amazonaws.com" */
    char *password;     /* owned; secret; the user is "AWS" */
    int64_t expires_at; /* wall seconds */
};
void ecr_login_release(struct ecr_login *login);
/* For the caller's own registry; the password is good for every registry that he may read. */
int ecr_get_login(struct aws *aws, struct ecr_login *ret_login, struct error *err);

struct ecr_repository {
    bool immutable;           /* tags cannot be moved: IMMUTABLE, IMMUTABLE_WITH_EXCLUSION */
    struct strvec exclusions; /* *_WITH_EXCLUSION: patterns ('*') of tags for which the opposite of
                                 `immutable` holds */
};
void ecr_repository_release(struct ecr_repository *repository);
bool ecr_tag_is_immutable(const struct ecr_repository *repository, const char *tag);
/* ERROR_NOT_FOUND if it is not there. `registry_id` is the account, NULL: the caller's. */
int ecr_describe_repository(struct aws *aws, const char *registry_id, const char *name,
                            struct ecr_repository *ret_repository, struct error *err);
/*
 * Create (scan on push), then Lambda's pull policy, then the lifecycle rule "untagged images expire
 * after 14 days". A repository that somebody made meanwhile is success, and is left as it is. When
 * it was created and one of the other two fails, that is the error, and the repository stays.
 */
int ecr_create_repository(struct aws *aws, const char *name, struct ecr_repository *ret_repository,
                          struct error *err);

/*
 * Put those of the two policies that an empty repository lacks: one that was created, but whose
 * next call failed, is made ready so. A repository that holds an image, and a policy that somebody
 * has set, are left as they are. *ret_changed: something was put.
 */
int ecr_complete_repository(struct aws *aws, const char *name, bool *ret_changed,
                            struct error *err);

struct ecr_image {
    char digest[DIGEST_SIZE]; /* "sha256:…" */
    char *manifest;           /* owned; the exact bytes */
    char media_type[128];
};
void ecr_image_release(struct ecr_image *image);

/* One tag or digest ("sha256:…"). ERROR_NOT_FOUND if the image or repository is not there. */
int ecr_get_image(struct aws *aws, const char *registry_id, const char *repository,
                  const char *tag_or_digest, struct ecr_image *ret_image, struct error *err);
/* Several tags or digests at once; ret_images[i] (overwritten, not released) has digest "" where
 * there is none. A missing repository: all are missing. */
int ecr_get_images(struct aws *aws, const char *registry_id, const char *repository,
                   const char *const *tags_or_digests, size_t count, struct ecr_image *ret_images,
                   bool *ret_repository_exists, struct error *err);
/* Give an existing manifest a further tag. The same tag on the same digest already: success.
 * ERROR_CONFLICT when the tag is immutable and elsewhere. */
int ecr_put_image(struct aws *aws, const char *repository, const struct ecr_image *image,
                  const char *tag, struct error *err);

/* "123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag@sha256:…" into its parts; false if it is
 * not an ECR reference. */
struct ecr_reference {
    char registry[256], account[16], region[32], repository[260], tag[130],
        digest[DIGEST_SIZE]; /* "" where there is none */
};
bool ecr_parse_reference(const char *text, struct ecr_reference *ret_reference);

#endif
