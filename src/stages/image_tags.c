/* Giving an image its tags: the last step, which makes it one that later runs may use. */
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/text.h"
#include "stages/images.h"

#define TAG_TRIES 3 /* as often as other runs get in between */

enum { IDENTITY, DIGEST, TAG, LOOKUPS };

int images_keep(const struct image_place *place, const char *digest, struct error *err)
{
    char tag[64];
    snprintf(tag, sizeof tag, "keep-%.12s", digest + strlen("sha256:"));
    struct ecr_image old = {.manifest = NULL};
    if (ecr_get_image(place->aws, NULL, place->name, digest, &old, err) < 0)
        return -1;
    int rc = ecr_put_image(place->aws, place->name, &old, tag, err);
    ecr_image_release(&old);
    return rc;
}

static int move_tag(const struct image_place *place, const struct ecr_image *image, const char *tag,
                    const char *old_digest, bool keep_old, struct error *err)
{
    if (text_equal(old_digest, image->digest))
        return 0;
    if (keep_old && old_digest[0] && images_keep(place, old_digest, err) < 0)
        return error_wrap(err, "keeping the image that loses the tag %s", tag);
    if (ecr_put_image(place->aws, place->name, image, tag, err) < 0)
        return error_wrap(err, "giving the image the tag %s:%s", place->name, tag);
    return 0;
}

/*
 * `given` gets the people's tag, and the identity's unless that stays where another run has put it.
 */
static int put_tags(const struct image_place *place, const struct image_facts *image,
                    const struct ecr_image found[LOOKUPS], const struct ecr_image *given,
                    unsigned flags, bool identity_stays, struct error *err)
{
    const char *old_digest = found[TAG].digest;
    bool keep_old = flags & IMAGES_KEEP_OLD;
    bool stays = image->tag_immutable && old_digest[0];
    if (stays && !text_equal(old_digest, given->digest))
        log_info("the tag %s:%s stays on %s: the repository is immutable", place->name, image->tag,
                 old_digest);
    bool gets_tag = image->tag[0] && !stays;
    if (gets_tag && move_tag(place, given, image->tag, old_digest, keep_old, err) < 0)
        return -1;
    if (!identity_stays)
        return move_tag(place, given, image->identity_tag, found[IDENTITY].digest, keep_old, err);
    if (!gets_tag && images_keep(place, given->digest, err) < 0)
        return error_wrap(err, "keeping the image that the function runs");
    return 0;
}

static int try_to_tag(const struct image_place *place, const struct image_facts *image,
                      const char *digest, unsigned flags, char ret_digest[DIGEST_SIZE],
                      struct error *err)
{
    const char *wanted[LOOKUPS] = {
        [IDENTITY] = image->identity_tag, [DIGEST] = digest, [TAG] = image->tag};
    struct ecr_image found[LOOKUPS] = {{.manifest = NULL}, {.manifest = NULL}, {.manifest = NULL}};
    bool exists = false;
    size_t count = image->tag[0] ? LOOKUPS : LOOKUPS - 1;
    if (ecr_get_images(place->aws, NULL, place->name, wanted, count, found, &exists, err) < 0)
        return -1;
    bool overtaken =
        found[IDENTITY].digest[0] && !text_equal(found[IDENTITY].digest, image->identity_digest);
    bool identity_stays = overtaken && (flags & IMAGES_IS_SERVED);
    const struct ecr_image *winner = overtaken ? &found[IDENTITY] : &found[DIGEST];
    const struct ecr_image *given = identity_stays ? &found[DIGEST] : winner;
    int rc =
        found[DIGEST].digest[0]
            ? put_tags(place, image, found, given, flags, identity_stays, err)
            : error_set(err, ERROR_NOT_FOUND, "the image %s@%s is not there", place->name, digest);
    if (rc == 0)
        snprintf(ret_digest, DIGEST_SIZE, "%s", winner->digest);
    for (size_t i = 0; i < LOOKUPS; i++)
        ecr_image_release(&found[i]);
    return rc;
}

int images_tag(const struct image_place *place, const struct image_facts *image, const char *digest,
               unsigned flags, char ret_digest[DIGEST_SIZE], struct error *err)
{
    for (int try = 1;; try++) {
        if (try_to_tag(place, image, digest, flags, ret_digest, err) == 0)
            return 0;
        if (err->kind != ERROR_CONFLICT || try == TAG_TRIES)
            return -1;
        error_reset(err); /* another run has put an immutable tag since we looked */
    }
}
