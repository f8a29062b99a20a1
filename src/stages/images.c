#include "stages/images.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/text.h"
#include "model/identity.h"
#include "model/plan.h"
#include "stages/secrets.h"

/*
 * A build needs a tag to push to (the engine's own BuildKit cannot push by digest). It says nothing
 * about the image: what is under it may be unproven.
 */
#define PUSH_TAG       "pushed"
#define LOGIN_MARGIN_S 1800 /* a long build pushes at its end */

static void our_place(struct run *run, const char *name, struct image_place *ret_place)
{
    *ret_place = (struct image_place){.aws = &run->services.aws, .login = &run->services.login};
    snprintf(ret_place->registry, sizeof ret_place->registry, "%s", run->facts.registry);
    snprintf(ret_place->name, sizeof ret_place->name, "%s", name);
}

static int external_place(struct run *run, const struct ecr_reference *reference,
                          struct image_place *ret_place, struct error *err)
{
    struct services *services = &run->services;
    struct image_place place = {
        .aws = &services->aws, .external = true, .login = &services->base_login};
    if (!text_equal(reference->region, run->result.region)) {
        if (!services->base_aws_ready &&
            aws_init(&services->base_aws, services->http, &services->credentials, run->environ,
                     reference->region, err) < 0)
            return error_wrap(err, "base-repository");
        services->base_aws.observe = services->aws.observe;
        services->base_aws_ready = true;
        place.aws = &services->base_aws;
    }
    snprintf(place.registry, sizeof place.registry, "%s", reference->registry);
    snprintf(place.account, sizeof place.account, "%s", reference->account);
    snprintf(place.name, sizeof place.name, "%s", reference->repository);
    *ret_place = place;
    return 0;
}

/* "team.a/deps" is a name like any other. */
bool images_base_is_named(const struct run *run)
{
    const char *repository = run->inputs->base_repository;
    struct ecr_reference reference;
    return !strchr(repository, '.') || !strchr(repository, '/') ||
           !ecr_parse_reference(repository, &reference);
}

int images_base_place(struct run *run, struct image_place *ret_place, struct error *err)
{
    const char *repository = run->inputs->base_repository;
    struct ecr_reference reference;
    if (images_base_is_named(run) || !ecr_parse_reference(repository, &reference)) {
        our_place(run, repository, ret_place);
        return 0;
    }
    if (text_equal(reference.registry, run->facts.registry)) {
        our_place(run, reference.repository, ret_place);
        return 0;
    }
    return external_place(run, &reference, ret_place, err);
}

/* The name in "arn:…:function:name[:qualifier]" or in a plain name. */
static void function_short_name(const char *name_or_arn, char *ret_name, size_t size)
{
    const char *start = strstr(name_or_arn, ":function:");
    start = start ? start + strlen(":function:") : name_or_arn;
    snprintf(ret_name, size, "%.*s", (int)strcspn(start, ":"), start);
}

int images_place(struct run *run, struct image_place *ret_place, struct error *err)
{
    char name[260];
    if (run->inputs->repository)
        snprintf(name, sizeof name, "%s", run->inputs->repository);
    else
        function_short_name(run->inputs->function_name, name, sizeof name);
    struct ecr_reference reference;
    if (ecr_parse_reference(name, &reference)) {
        if (!text_equal(reference.registry, run->facts.registry))
            return error_set(err, ERROR_INPUT,
                             "repository: Lambda takes images only from a registry of its own "
                             "region; %s is not %s",
                             reference.registry, run->facts.registry);
        snprintf(name, sizeof name, "%s", reference.repository);
    }
    our_place(run, name, ret_place);
    return 0;
}

void images_uri(const struct image_place *place, const char *digest, char *ret_uri, size_t size)
{
    snprintf(ret_uri, size, "%s/%s@%s", place->registry, place->name, digest);
}

int images_login(struct run *run, const struct image_place *place, struct registry *ret_registry,
                 struct error *err)
{
    struct ecr_login *login = place->login;
    if (!login->password || login->expires_at < clock_wall_seconds() + LOGIN_MARGIN_S) {
        struct ecr_login fresh = {.registry = NULL};
        if (ecr_get_login(place->aws, &fresh, err) < 0)
            return error_wrap(err, "getting the registry's password");
        ecr_login_release(login);
        *login = fresh;
        secrets_tell(run, login->password);
    }
    *ret_registry = (struct registry){.http = run->services.http,
                                      .host = place->registry,
                                      .user = "AWS",
                                      .password = login->password};
    return 0;
}

/* The labels of one of our images into `image`: which identity it has, and what differs from the
 * one that is wanted. */
static int read_labels(const struct registry *registry, const struct image_place *place,
                       const char *digest, struct image_facts *image, char ret_identity[65],
                       struct error *err)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    CLEANUP(registry_image_config) struct registry_image_config config = {.json = NULL};
    ret_identity[0] = '\0';
    if (registry_get_manifest(registry, place->name, digest, &manifest, err) < 0)
        return -1;
    if (manifest.is_index)
        return 0; /* not one of ours */
    if (registry_get_image_config(registry, place->name, &manifest, &config, err) < 0)
        return -1;
    const char *identity = json_string(json_member(config.labels, IMAGES_IDENTITY_LABEL));
    const char *parts = json_string(json_member(config.labels, IMAGES_PARTS_LABEL));
    CLEANUP(strbuf) struct strbuf change = STRBUF_INIT(sizeof image->change - 1);
    if (parts)
        identity_explain(parts, image->parts, image->file_name, &change);
    snprintf(image->change, sizeof image->change, "%s", change.buf);
    snprintf(ret_identity, 65, "%s", identity ? identity : "");
    return 0;
}

static int look_at_label(struct run *run, const struct image_place *place,
                         struct image_facts *image, struct error *err)
{
    struct registry registry;
    if (images_login(run, place, &registry, err) < 0)
        return -1;
    if (read_labels(&registry, place, image->tag_digest, image, image->tag_label, err) < 0)
        return error_wrap(err, "reading the labels of %s:%s", place->name, image->tag);
    image->tag_labelled = image->tag_label[0] != '\0';
    return 0;
}

int images_explain(struct run *run, const struct image_place *place, const char *old_digest,
                   struct image_facts *image, struct error *err)
{
    struct registry registry;
    char ignored_identity[65];
    if (images_login(run, place, &registry, err) < 0)
        return -1;
    if (read_labels(&registry, place, old_digest, image, ignored_identity, err) == 0 ||
        err->kind != ERROR_NOT_FOUND)
        return err->kind == ERROR_NONE
                   ? 0
                   : error_wrap(err, "reading the labels of %s@%s", place->name, old_digest);
    error_reset(err); /* the old image is gone: nothing to compare with */
    return 0;
}

/* Of an index, as an adopted base may be one: what its image for this platform lacks, if only that
 * image's own manifest. */
static int missing_of_index(const struct run *run, const struct registry *registry,
                            const struct image_place *place, const struct registry_manifest *index,
                            char ret_missing[DIGEST_SIZE], struct error *err)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    char digest[DIGEST_SIZE];
    if (registry_find_in_index(index, plan_architecture(run_platform(run)), digest, err) < 0)
        return -1;
    if (registry_get_manifest(registry, place->name, digest, &manifest, err) == 0)
        return registry_has_all_blobs(registry, place->name, &manifest, ret_missing, err);
    if (err->kind != ERROR_NOT_FOUND)
        return -1;
    error_reset(err);
    snprintf(ret_missing, DIGEST_SIZE, "%s", digest);
    return 0;
}

static int missing_of_image(const struct run *run, const struct registry *registry,
                            const struct image_place *place, const char *digest,
                            char ret_missing[DIGEST_SIZE], struct error *err)
{
    CLEANUP(registry_manifest) struct registry_manifest manifest = {.text = NULL};
    if (registry_get_manifest(registry, place->name, digest, &manifest, err) < 0)
        return -1;
    return manifest.is_index
               ? missing_of_index(run, registry, place, &manifest, ret_missing, err)
               : registry_has_all_blobs(registry, place->name, &manifest, ret_missing, err);
}

/* A push that was cut off, or a lifecycle rule, can leave a manifest whose layers are gone. */
static int look_for_blobs(struct run *run, const struct image_place *place,
                          struct image_facts *image, struct error *err)
{
    struct registry registry;
    char missing[DIGEST_SIZE];
    if (images_login(run, place, &registry, err) < 0 ||
        missing_of_image(run, &registry, place, image->identity_digest, missing, err) < 0)
        return error_wrap(err, "looking whether %s:%s is whole", place->name, image->identity_tag);
    image->blobs_missing = missing[0] != '\0';
    if (image->blobs_missing)
        log_warning("the image %s:%s lacks its layer %s", place->name, image->identity_tag,
                    missing);
    return 0;
}

static bool is_rerun(const struct run *run)
{
    const char *attempt = run->services.github.run_attempt;
    return attempt && !text_equal(attempt, "1");
}

static int look_at_repository(const struct image_place *place, struct image_facts *image,
                              struct error *err)
{
    struct ecr_repository repository = {.immutable = false};
    const char *account = place->account[0] ? place->account : NULL;
    if (ecr_describe_repository(place->aws, account, place->name, &repository, err) < 0)
        return error_wrap(err, "reading the settings of the repository %s", place->name);
    image->tag_immutable = image->tag[0] && ecr_tag_is_immutable(&repository, image->tag);
    image->identity_tag_immutable = ecr_tag_is_immutable(&repository, image->identity_tag);
    image->cache_tag_immutable = ecr_tag_is_immutable(&repository, IMAGES_CACHE_TAG);
    if (ecr_tag_is_immutable(&repository, PUSH_TAG)) {
        char random[13];
        crypto_random_hex(random, 12);
        snprintf(image->push_tag, sizeof image->push_tag, PUSH_TAG "-%s", random);
    }
    ecr_repository_release(&repository);
    return 0;
}

static bool tags_may_change(const struct run *run, const struct image_facts *image)
{
    const struct inputs *inputs = run->inputs;
    bool forced =
        inputs->rebuild_base == REBUILD_ALWAYS || inputs->no_cache || !inputs->skip_unchanged;
    return forced || !image->identity_digest[0] || image->blobs_missing ||
           !text_equal(image->identity_digest, image->tag_digest);
}

/* What the tags that matter name now. */
int images_look_up(const struct image_place *place, struct image_facts *image, struct error *err)
{
    const char *tags[3] = {image->identity_tag, PUSH_TAG, image->tag};
    struct ecr_image found[3] = {{.manifest = NULL}, {.manifest = NULL}, {.manifest = NULL}};
    size_t count = image->tag[0] ? 3 : 2;
    const char *account = place->account[0] ? place->account : NULL;
    if (ecr_get_images(place->aws, account, place->name, tags, count, found,
                       &image->repository_exists, err) < 0)
        return error_wrap(err, "looking into the repository %s", place->name);
    image->external = place->external;
    image->pushed_before = found[1].digest[0] != '\0';
    snprintf(image->push_tag, sizeof image->push_tag, PUSH_TAG);
    snprintf(image->identity_digest, sizeof image->identity_digest, "%s", found[0].digest);
    snprintf(image->pushed_digest, sizeof image->pushed_digest, "%s", found[1].digest);
    snprintf(image->tag_digest, sizeof image->tag_digest, "%s", found[2].digest);
    for (size_t i = 0; i < 3; i++)
        ecr_image_release(&found[i]);
    return 0;
}

int images_look(struct run *run, const struct image_place *place, struct image_facts *image,
                struct error *err)
{
    if (!image->repository_exists || place->external)
        return 0;
    if (image->identity_digest[0] && is_rerun(run) && look_for_blobs(run, place, image, err) < 0)
        return -1;
    if (!image->identity_digest[0] && image->tag_digest[0] &&
        look_at_label(run, place, image, err) < 0)
        return -1;
    return tags_may_change(run, image) ? look_at_repository(place, image, err) : 0;
}
