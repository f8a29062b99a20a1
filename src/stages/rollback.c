/*
 * Back to what passed verification before. With an alias the earlier version is chosen (code and
 * configuration); without one the earlier image (the code alone). The changes themselves are made
 * by the same stages as a deployment's: release, shift, verify.
 */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/record.h"
#include "stages/images.h"
#include "stages/record.h"
#include "stages/stage.h"

static int refuse_empty(const struct run *run, struct error *err)
{
    return error_set(
        err, ERROR_REFUSED,
        "there is nothing to roll %s back to: no earlier %s that passed verification is remembered",
        run->inputs->function_name, run->inputs->alias ? "version" : "image");
}

static int check_image_exists(struct run *run, const char *what, const char *image_uri,
                              struct error *err)
{
    struct ecr_reference reference;
    struct ecr_image image = {.manifest = NULL};
    if (!ecr_parse_reference(image_uri, &reference))
        return error_set(err, ERROR_REFUSED, "%s has no image that can be looked up", what);
    int rc = ecr_get_image(&run->services.aws, reference.account, reference.repository,
                           reference.digest, &image, err);
    ecr_image_release(&image);
    if (rc == 0)
        return 0;
    if (err->kind == ERROR_NOT_FOUND)
        return error_set(
            err, ERROR_REFUSED,
            "%s cannot be used any more: its image %s is gone from ECR; nothing was changed", what,
            image_uri);
    return error_wrap(err, "looking for the image of %s", what);
}

/*
 * What an earlier run, or an earlier attempt of this one, has begun is ended and not gone beyond.
 */
static const struct record_entry *choose(const struct run *run, const struct record_list *list,
                                         const char *current)
{
    const struct record_entry *unfinished = record_unfinished_rollback(run, list, current);
    if (unfinished)
        log_info("a rollback to %s was begun already: this run ends it", unfinished->what);
    return unfinished ? unfinished : record_list_before(list, current);
}

static int choose_version(struct run *run, const struct record_list *list, struct error *err)
{
    const struct function_facts *function = &run->facts.function;
    if (!function->alias_exists)
        return error_set(err, ERROR_REFUSED, "the function has no alias %s", run->inputs->alias);
    const struct record_entry *target = choose(run, list, function->alias_version);
    if (!target)
        return refuse_empty(run, err);
    char what[64];
    snprintf(what, sizeof what, "version %s", target->what);
    CLEANUP(lambda_function) struct lambda_function version = {.configuration = NULL};
    if (lambda_get_function(&run->services.aws, run->inputs->function_name, target->what, &version,
                            err) < 0)
        return error_wrap(err, "reading %s", what);
    if (check_image_exists(run, what, version.resolved_image_uri, err) < 0)
        return -1;
    snprintf(run->rollback_target, sizeof run->rollback_target, "%s", target->what);
    snprintf(run->result.function.version, sizeof run->result.function.version, "%s", target->what);
    log_info("version %s serves now; back to version %s of run %lld", function->alias_version,
             target->what, (long long)target->run);
    return 0;
}

/* The entry whose image the function runs now, "" if it is none of them. */
static const char *current_entry(const struct run *run, const struct record_list *list,
                                 const struct ecr_image *images)
{
    for (size_t i = 0; i < list->len; i++)
        if (images[i].digest[0] && text_equal(images[i].digest, run->facts.function.digest))
            return list->items[i].what;
    return "";
}

static int use_image(struct run *run, const struct image_place *place,
                     const struct record_entry *target, const char *digest, struct error *err)
{
    struct image_result *result = &run->result.image;
    if (!digest[0])
        return error_set(err, ERROR_REFUSED,
                         "the image %s:%s is gone from ECR; nothing was changed", place->name,
                         target->what);
    snprintf(run->rollback_target, sizeof run->rollback_target, "%s", target->what);
    snprintf(result->digest, sizeof result->digest, "%s", digest);
    snprintf(result->status, sizeof result->status, "reused");
    snprintf(result->reason, sizeof result->reason, "run %lld has verified it",
             (long long)target->run);
    images_uri(place, digest, result->uri, sizeof result->uri);
    log_info("back to the image %s of run %lld; the configuration stays as it is, since without an "
             "alias only the code goes back",
             target->what, (long long)target->run);
    return 0;
}

static int choose_image(struct run *run, const struct record_list *list, struct error *err)
{
    struct image_place place;
    struct ecr_image images[RECORD_MAX_ENTRIES];
    const char *tags[RECORD_MAX_ENTRIES];
    bool exists = false;
    if (list->len == 0)
        return refuse_empty(run, err);
    if (images_place(run, &place, err) < 0)
        return -1;
    memset(images, 0, sizeof images);
    for (size_t i = 0; i < list->len; i++)
        tags[i] = list->items[i].what;
    if (ecr_get_images(place.aws, NULL, place.name, tags, list->len, images, &exists, err) < 0)
        return error_wrap(err, "looking for the images that passed verification");
    const struct record_entry *target = choose(run, list, current_entry(run, list, images));
    int rc = target ? use_image(run, &place, target, images[target - list->items].digest, err)
                    : refuse_empty(run, err);
    for (size_t i = 0; i < list->len; i++)
        ecr_image_release(&images[i]);
    return rc;
}

static int rollback(struct run *run, struct error *err)
{
    struct record_list list;
    record_read_list(run, &list);
    return run->inputs->alias ? choose_version(run, &list, err) : choose_image(run, &list, err);
}

const struct stage stage_rollback = {.name = "rollback",
                                     .title = "Choose what to go back to",
                                     .wanted = NULL,
                                     .only_looks = true,
                                     .run = rollback,
                                     .undo = NULL};

static bool is_record_wanted(const struct run *run)
{
    return run->inputs->record;
}

static int begin(struct run *run, struct error *err)
{
    struct record_list list;
    record_read_list(run, &list);
    return record_begin_rollback(run, list.len > 0 ? list.items[0].what : "", run->rollback_target,
                                 err);
}

const struct stage stage_rollback_begin = {.name = "record",
                                           .title = "Remember that a rollback has begun",
                                           .wanted = is_record_wanted,
                                           .run = begin,
                                           .undo = NULL};

/* What was rolled back from is forgotten, so that a second rollback goes further back. */
static int forget(struct run *run, struct error *err)
{
    struct record_list list;
    record_read_list(run, &list);
    record_list_drop_until(&list, run->rollback_target);
    return record_end_rollback(run, &list, err);
}

const struct stage stage_rolled_back = {.name = "record",
                                        .title = "Remember this rollback",
                                        .wanted = is_record_wanted,
                                        .closes = true,
                                        .run = forget,
                                        .undo = NULL};
