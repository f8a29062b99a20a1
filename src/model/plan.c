#include "model/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

static void set_text(char *place, size_t size, const char *text)
{
    snprintf(place, size, "%s", text);
}

static struct image_plan image_plan(enum image_action action, const char *digest, const char *fmt,
                                    ...) __attribute__((format(printf, 3, 4)));

static struct image_plan image_plan(enum image_action action, const char *digest, const char *fmt,
                                    ...)
{
    struct image_plan plan = {.action = action};
    set_text(plan.digest, sizeof plan.digest, digest);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(plan.reason, sizeof plan.reason, fmt, ap);
    va_end(ap);
    return plan;
}

static bool has(const char *digest_or_text)
{
    return digest_or_text[0] != '\0';
}

static bool bears_this_identity(const struct image_facts *image)
{
    return has(image->tag_digest) && image->tag_labelled &&
           text_equal(image->tag_label, image->identity);
}

/* Why the base must be built, when neither its tags nor an adoption can give it. */
static const char *why_base_is_built(const struct image_facts *base, char *buffer, size_t size)
{
    if (!base->repository_exists)
        snprintf(buffer, size, "its ECR repository did not exist");
    else if (base->blobs_missing)
        snprintf(buffer, size, "a layer of the image %s is gone", base->identity_tag);
    else if (has(base->change))
        snprintf(buffer, size, "%s", base->change);
    else if (has(base->tag_digest) && base->tag_labelled)
        snprintf(buffer, size, "the image %s was built from other contents", base->tag);
    else if (has(base->tag_digest))
        snprintf(
            buffer, size,
            "the image %s does not say what it was built from (adopt-base: true uses it as it is)",
            base->tag);
    else
        snprintf(buffer, size, "no image has the tag %s", base->identity_tag);
    return buffer;
}

static struct image_plan plan_external_base(const struct image_facts *base)
{
    if (has(base->identity_digest))
        return image_plan(IMAGE_FOUND, base->identity_digest, "the image %s is there",
                          base->identity_tag);
    if (has(base->tag_digest))
        return image_plan(IMAGE_FOUND, base->tag_digest,
                          "the image %s is used as it is: its repository is only read", base->tag);
    return image_plan(IMAGE_REFUSE, "",
                      "base-repository is in another account or region and has no image %s; build "
                      "it there, with the "
                      "base command",
                      base->tag);
}

static struct image_plan plan_forced_base(const struct image_facts *base)
{
    if (has(base->identity_digest) && base->identity_tag_immutable)
        return image_plan(
            IMAGE_REFUSE, "",
            "rebuild-base is always, but the repository is immutable and has the tag %s already",
            base->identity_tag);
    struct image_plan plan = image_plan(IMAGE_BUILD, "", "rebuild-base is always");
    plan.fresh = true;
    return plan;
}

static struct image_plan plan_frozen_base(const struct image_facts *base)
{
    if (has(base->tag_digest))
        return image_plan(
            IMAGE_FOUND, base->tag_digest,
            "rebuild-base is never: the image %s is used though its contents may differ",
            base->tag);
    return image_plan(IMAGE_REFUSE, "", "rebuild-base is never and there is no image %s",
                      base->tag);
}

struct image_plan plan_base(const struct inputs *inputs, const struct image_facts *base)
{
    if (!base->wanted)
        return image_plan(IMAGE_NONE, "", "there is no %s", inputs->base_file);
    if (base->external)
        return plan_external_base(base);
    if (inputs->rebuild_base == REBUILD_ALWAYS)
        return plan_forced_base(base);
    if (has(base->identity_digest) && !base->blobs_missing)
        return image_plan(IMAGE_FOUND, base->identity_digest, "the image %s is there",
                          base->identity_tag);
    if (bears_this_identity(base) && !base->blobs_missing)
        return image_plan(IMAGE_RETAG, base->tag_digest,
                          "the image %s was built from the same contents", base->tag);
    if (inputs->rebuild_base == REBUILD_NEVER)
        return plan_frozen_base(base);
    if (inputs->adopt_base && has(base->tag_digest) && !base->tag_labelled)
        return image_plan(IMAGE_ADOPT, base->tag_digest,
                          "adopt-base: the image %s is taken as built from %s", base->tag,
                          inputs->base_file);

    char why[REASON_SIZE];
    struct image_plan plan =
        image_plan(IMAGE_BUILD, "", "%s", why_base_is_built(base, why, sizeof why));
    plan.fresh = inputs->base_max_age_ms > 0;
    return plan;
}

static struct image_plan found_image(const struct image_facts *image, const char *why)
{
    struct image_plan plan =
        image_plan(IMAGE_FOUND, image->identity_digest, "%s %s", why, image->identity_tag);
    plan.add_tag = !text_equal(image->tag_digest, image->identity_digest);
    return plan;
}

/* The image that is there already, when it may be used; IMAGE_LATER when there is none. */
static struct image_plan plan_reuse(const struct inputs *inputs, const struct image_facts *image)
{
    bool may_skip = inputs->skip_unchanged && !inputs->no_cache;
    if (has(image->identity_digest) && !image->blobs_missing) {
        if (image->identity_tag_immutable && !may_skip)
            return found_image(image, "the repository is immutable and has these contents as");
        if (may_skip)
            return found_image(image, "nothing changed since the image");
    }
    if (may_skip && !image->blobs_missing && bears_this_identity(image))
        return image_plan(IMAGE_RETAG, image->tag_digest,
                          "the image %s was built from the same contents", image->tag);
    return image_plan(IMAGE_LATER, "", "no image has these contents yet");
}

static struct image_plan plan_image_build(const struct inputs *inputs,
                                          const struct image_facts *image)
{
    struct image_plan plan;
    if (inputs->no_cache)
        plan = image_plan(IMAGE_BUILD, "", "no-cache is true");
    else if (!inputs->skip_unchanged)
        plan = image_plan(IMAGE_BUILD, "", "skip-unchanged is false");
    else if (image->blobs_missing)
        plan = image_plan(IMAGE_BUILD, "", "a layer of the image %s is gone", image->identity_tag);
    else if (has(image->change))
        plan = image_plan(IMAGE_BUILD, "", "%s", image->change);
    else
        plan = image_plan(IMAGE_BUILD, "", "no image has these contents yet");
    plan.fresh = inputs->image_max_age_ms > 0;
    return plan;
}

/* The repository is immutable, and what `tag` names cannot be used. */
static struct image_plan refuse_taken_tag(const struct image_facts *image)
{
    bool same = text_equal(image->tag_digest, image->identity_digest) || bears_this_identity(image);
    if (same && image->blobs_missing)
        return image_plan(IMAGE_REFUSE, "",
                          "a layer of the image %s is gone, and the repository is immutable; "
                          "delete that image",
                          image->tag);
    return image_plan(IMAGE_REFUSE, "",
                      "the repository is immutable and its tag %s names %s; give another image-tag",
                      image->tag, same ? "an image already" : "other contents");
}

struct image_plan plan_image(const struct inputs *inputs, const struct image_facts *image,
                             bool base_will_be_built)
{
    if (base_will_be_built)
        return image_plan(IMAGE_LATER, "", "the base image will be built first");

    struct image_plan plan = plan_reuse(inputs, image);
    bool tag_taken = has(image->tag_digest) && image->tag_immutable &&
                     !text_equal(image->tag_digest, plan.digest);
    if (tag_taken)
        return refuse_taken_tag(image);
    return plan.action == IMAGE_LATER ? plan_image_build(inputs, image) : plan;
}

static struct function_plan function_plan(enum function_action action, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static struct function_plan function_plan(enum function_action action, const char *fmt, ...)
{
    struct function_plan plan = {.action = action};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(plan.reason, sizeof plan.reason, fmt, ap);
    va_end(ap);
    return plan;
}

static struct function_plan plan_missing_function(const struct inputs *inputs)
{
    if (!inputs->create_with_role)
        return function_plan(FUNCTION_REFUSE,
                             "there is no function %s; give create-with-role to have it created, "
                             "or correct function-name",
                             inputs->function_name);
    return function_plan(FUNCTION_CREATE, "there is no function %s yet", inputs->function_name);
}

struct function_plan plan_function(const struct inputs *inputs,
                                   const struct function_facts *function, const char *digest)
{
    if (!function->exists)
        return plan_missing_function(inputs);
    if (text_equal(function->package_type, "Zip"))
        return function_plan(FUNCTION_REFUSE,
                             "the function %s is a zip package, and Lambda cannot turn it into an "
                             "image function; make "
                             "a new function",
                             inputs->function_name);
    const char *wanted =
        inputs->platform ? plan_architecture(inputs->platform) : function->architecture;
    if (!text_equal(wanted, function->architecture))
        return function_plan(FUNCTION_REFUSE, "platform is %s, but the function runs on %s",
                             inputs->platform, function->architecture);
    if (!has(digest))
        return function_plan(FUNCTION_LATER, "an image is built first");
    if (!text_equal(digest, function->digest))
        return function_plan(FUNCTION_UPDATE, "it runs another image");
    if (text_equal(function->state, "Failed") || text_equal(function->last_update_status, "Failed"))
        return function_plan(FUNCTION_UPDATE, "its last update failed");
    return function_plan(FUNCTION_UNCHANGED, "it runs this image already");
}

static struct alias_plan alias_plan(bool publish, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static struct alias_plan alias_plan(bool publish, const char *fmt, ...)
{
    struct alias_plan plan = {.publish = publish};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(plan.reason, sizeof plan.reason, fmt, ap);
    va_end(ap);
    return plan;
}

struct alias_plan plan_alias(const struct inputs *inputs, const struct function_facts *function,
                             const char *digest, bool changes, bool configured_otherwise)
{
    const char *version = function->alias_version;
    if (!inputs->alias)
        return (struct alias_plan){.publish = false};
    if (!function->alias_exists)
        return alias_plan(true, "there is no alias %s yet", inputs->alias);
    if (changes)
        return alias_plan(true, "the function changes");
    if (!has(digest))
        return alias_plan(true, "an image is built first");
    if (!text_equal(digest, function->alias_digest))
        return alias_plan(true, "version %s runs another image", version);
    if (function->alias_routed)
        return alias_plan(true, "a share of its calls goes to another version than %s", version);
    if (configured_otherwise)
        return alias_plan(true, "version %s is configured otherwise", version);
    return alias_plan(false, "version %s is this one", version);
}

static const struct {
    const char *architecture, *platform;
} platforms[] = {{"x86_64", "linux/amd64"}, {"arm64", "linux/arm64"}};

const char *plan_platform(const char *lambda_architecture)
{
    for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++)
        if (text_equal(platforms[i].architecture, lambda_architecture))
            return platforms[i].platform;
    return NULL;
}

const char *plan_architecture(const char *platform)
{
    for (size_t i = 0; i < sizeof platforms / sizeof *platforms; i++)
        if (text_equal(platforms[i].platform, platform))
            return platforms[i].architecture;
    return NULL;
}
