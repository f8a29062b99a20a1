#include <check.h>
#include <stdio.h>
#include <string.h>

#include "model/plan.h"

Suite *plan_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define GOOD     "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define IDENTITY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FOREIGN  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define BASE_TAG "3.12-0123456789abcdef"
#define COMMIT   "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"

#define SET(place, text) set_text(place, sizeof(place), text)

static void set_text(char *place, size_t size, const char *text)
{
    snprintf(place, size, "%s", text ? text : "");
}

static char base_file[] = "Dockerfile.lambda.base";
static char function_name[] = "hello";
static char role[] = "arn:aws:iam::123456789012:role/hello";

/* What is in ECR, and what is asked for; a member that is not given is false, NULL or auto. */
struct base_case {
    const char *what;
    bool no_identity; /* not known yet */
    bool unwanted, external, no_repository, blobs_missing, immutable;
    const char *identity_digest, *tag_digest;
    const char *label; /* of the image under the tag; NULL: it has none */
    const char *change;
    enum rebuild rebuild;
    bool adopt, max_age;
    enum image_action action;
    const char *digest;
    bool fresh;
    const char *reason;
};

static const struct base_case base_cases[] = {
    {.what = "no Dockerfile of a base",
     .unwanted = true,
     .action = IMAGE_NONE,
     .reason = "there is no Dockerfile.lambda.base"},
    {.what = "no Dockerfile, whatever is asked",
     .unwanted = true,
     .rebuild = REBUILD_ALWAYS,
     .adopt = true,
     .identity_digest = GOOD,
     .action = IMAGE_NONE,
     .reason = "there is no Dockerfile.lambda.base"},

    /* Rule 1: always. */
    {.what = "always",
     .rebuild = REBUILD_ALWAYS,
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .label = IDENTITY,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "rebuild-base is always"},
    {.what = "always, before adopting",
     .rebuild = REBUILD_ALWAYS,
     .adopt = true,
     .tag_digest = OTHER,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "rebuild-base is always"},
    {.what = "always, no repository yet",
     .rebuild = REBUILD_ALWAYS,
     .no_repository = true,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "rebuild-base is always"},
    {.what = "always, immutable and there",
     .rebuild = REBUILD_ALWAYS,
     .immutable = true,
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .action = IMAGE_REFUSE,
     .reason = "rebuild-base is always, but the repository is immutable and has the tag " BASE_TAG
               " already"},
    {.what = "always, immutable, but nothing there that would be overwritten",
     .rebuild = REBUILD_ALWAYS,
     .immutable = true,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "rebuild-base is always"},

    /* Rule 2: the identity tag. */
    {.what = "identity tag there",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .label = IDENTITY,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "identity tag there, the other tag names another image",
     .identity_digest = GOOD,
     .tag_digest = OTHER,
     .label = FOREIGN,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "identity tag there, the other tag is gone",
     .identity_digest = GOOD,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "identity tag there, never and adopt change nothing",
     .identity_digest = GOOD,
     .tag_digest = OTHER,
     .rebuild = REBUILD_NEVER,
     .adopt = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "identity tag there, immutable",
     .identity_digest = GOOD,
     .immutable = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "identity tag there, with a maximum age",
     .identity_digest = GOOD,
     .max_age = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "a layer is gone",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .label = IDENTITY,
     .blobs_missing = true,
     .action = IMAGE_BUILD,
     .reason = "a layer of the image " BASE_TAG " is gone"},

    /* Rule 3: the label of the image under the tag that people read. */
    {.what = "identity tag lost",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .action = IMAGE_RETAG,
     .digest = GOOD,
     .reason = "the image 3.12 was built from the same contents"},
    {.what = "identity tag lost, before adopting",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .adopt = true,
     .action = IMAGE_RETAG,
     .digest = GOOD,
     .reason = "the image 3.12 was built from the same contents"},
    {.what = "identity tag lost, before never",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .rebuild = REBUILD_NEVER,
     .action = IMAGE_RETAG,
     .digest = GOOD,
     .reason = "the image 3.12 was built from the same contents"},

    {.what = "no label is not the label of an unknown identity",
     .no_identity = true,
     .tag_digest = OTHER,
     .action = IMAGE_BUILD,
     .reason = "the image 3.12 does not say what it was built from (adopt-base: true uses it as "
               "it is)"},

    /* never */
    {.what = "never, other contents",
     .rebuild = REBUILD_NEVER,
     .tag_digest = OTHER,
     .label = FOREIGN,
     .action = IMAGE_FOUND,
     .digest = OTHER,
     .reason = "rebuild-base is never: the image 3.12 is used though its contents may differ"},
    {.what = "never, no label",
     .rebuild = REBUILD_NEVER,
     .tag_digest = OTHER,
     .action = IMAGE_FOUND,
     .digest = OTHER,
     .reason = "rebuild-base is never: the image 3.12 is used though its contents may differ"},
    {.what = "never, nothing there",
     .rebuild = REBUILD_NEVER,
     .action = IMAGE_REFUSE,
     .reason = "rebuild-base is never and there is no image 3.12"},

    /* Rule 4: adopting. */
    {.what = "adopt",
     .adopt = true,
     .tag_digest = OTHER,
     .action = IMAGE_ADOPT,
     .digest = OTHER,
     .reason = "adopt-base: the image 3.12 is taken as built from Dockerfile.lambda.base"},
    {.what = "adopt is only for images without a label",
     .adopt = true,
     .tag_digest = OTHER,
     .label = FOREIGN,
     .action = IMAGE_BUILD,
     .reason = "the image 3.12 was built from other contents"},
    {.what = "adopt, nothing there",
     .adopt = true,
     .action = IMAGE_BUILD,
     .reason = "no image has the tag " BASE_TAG},

    /* Rule 5: build, and why. */
    {.what = "no repository",
     .no_repository = true,
     .action = IMAGE_BUILD,
     .reason = "its ECR repository did not exist"},
    {.what = "nothing there", .action = IMAGE_BUILD, .reason = "no image has the tag " BASE_TAG},
    {.what = "nothing there, immutable",
     .immutable = true,
     .action = IMAGE_BUILD,
     .reason = "no image has the tag " BASE_TAG},
    {.what = "changed, and it is known what",
     .tag_digest = OTHER,
     .label = FOREIGN,
     .change = "argument PY changed",
     .action = IMAGE_BUILD,
     .reason = "argument PY changed"},
    {.what = "changed, and it is not known what",
     .tag_digest = OTHER,
     .label = FOREIGN,
     .action = IMAGE_BUILD,
     .reason = "the image 3.12 was built from other contents"},
    {.what = "somebody else's image",
     .tag_digest = OTHER,
     .action = IMAGE_BUILD,
     .reason = "the image 3.12 does not say what it was built from (adopt-base: true uses it as "
               "it is)"},
    {.what = "too old: another period, another identity",
     .tag_digest = OTHER,
     .label = FOREIGN,
     .max_age = true,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "the image 3.12 was built from other contents"},

    /* A base in another account or region is only read. */
    {.what = "external, identity tag",
     .external = true,
     .identity_digest = GOOD,
     .tag_digest = OTHER,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = "the image " BASE_TAG " is there"},
    {.what = "external, tag",
     .external = true,
     .tag_digest = OTHER,
     .rebuild = REBUILD_ALWAYS,
     .action = IMAGE_FOUND,
     .digest = OTHER,
     .reason = "the image 3.12 is used as it is: its repository is only read"},
    {.what = "external, nothing",
     .external = true,
     .action = IMAGE_REFUSE,
     .reason = "base-repository is in another account or region and has no image 3.12; build it "
               "there, with the base command"},
};

static void check_plan(const char *what, const struct image_plan *plan, enum image_action action,
                       const char *digest, bool fresh, const char *reason)
{
    ck_assert_msg(plan->action == action, "%s: action %d, not %d (%s)", what, (int)plan->action,
                  (int)action, plan->reason);
    ck_assert_msg(strcmp(plan->digest, digest ? digest : "") == 0, "%s: digest %s", what,
                  plan->digest);
    ck_assert_msg(plan->fresh == fresh, "%s: fresh %d", what, plan->fresh);
    ck_assert_str_eq(plan->reason, reason);
}

START_TEST(base_is_planned)
{
    const struct base_case *row = &base_cases[_i];
    struct inputs inputs = {.base_file = base_file,
                            .rebuild_base = row->rebuild,
                            .adopt_base = row->adopt,
                            .base_max_age_ms = row->max_age ? 1 : 0};
    struct image_facts facts = {.wanted = !row->unwanted,
                                .external = row->external,
                                .repository_exists = !row->no_repository,
                                .blobs_missing = row->blobs_missing,
                                .tag_immutable = row->immutable,
                                .identity_tag_immutable = row->immutable,
                                .tag_labelled = row->label != NULL};
    SET(facts.identity, row->no_identity ? NULL : IDENTITY);
    SET(facts.tag, "3.12");
    SET(facts.identity_tag, BASE_TAG);
    SET(facts.identity_digest, row->identity_digest);
    SET(facts.tag_digest, row->tag_digest);
    SET(facts.tag_label, row->label);
    SET(facts.change, row->change);
    struct image_plan plan = plan_base(&inputs, &facts);
    check_plan(row->what, &plan, row->action, row->digest, row->fresh, row->reason);
    ck_assert(!plan.add_tag);
}
END_TEST

struct image_case {
    const char *what;
    bool base_will_be_built, blobs_missing, tag_immutable, identity_tag_immutable;
    const char *identity_digest, *tag_digest, *label, *change;
    bool always, no_cache, max_age; /* always: skip-unchanged is false */
    enum image_action action;
    const char *digest;
    bool fresh, add_tag;
    const char *reason;
};

#define UNCHANGED "nothing changed since the image src-0123456789abcdef"
#define TAKEN(how)                                                                                 \
    "the repository is immutable and its tag " COMMIT " names " how "; give another image-tag"
#define IMMUTABLE_HAS "the repository is immutable and has these contents as src-0123456789abcdef"

static const struct image_case image_cases[] = {
    {.what = "the base comes first",
     .base_will_be_built = true,
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .action = IMAGE_LATER,
     .reason = "the base image will be built first"},

    /* Reuse. */
    {.what = "the same commit again",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = UNCHANGED},
    {.what = "another commit of the same contents",
     .identity_digest = GOOD,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .add_tag = true,
     .reason = UNCHANGED},
    {.what = "the tag names another image",
     .identity_digest = GOOD,
     .tag_digest = OTHER,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .add_tag = true,
     .reason = UNCHANGED},
    {.what = "reuse with a maximum age",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .max_age = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = UNCHANGED},

    /* The identity tag is lost. */
    {.what = "label",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .action = IMAGE_RETAG,
     .digest = GOOD,
     .reason = "the image " COMMIT " was built from the same contents"},
    {.what = "label, immutable",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_RETAG,
     .digest = GOOD,
     .reason = "the image " COMMIT " was built from the same contents"},
    {.what = "label, but skip-unchanged is false",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .always = true,
     .action = IMAGE_BUILD,
     .reason = "skip-unchanged is false"},
    {.what = "label, but no-cache",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .no_cache = true,
     .action = IMAGE_BUILD,
     .reason = "no-cache is true"},
    {.what = "somebody else's label",
     .tag_digest = OTHER,
     .label = FOREIGN,
     .action = IMAGE_BUILD,
     .reason = "no image has these contents yet"},

    /* Build, and why. */
    {.what = "new contents", .action = IMAGE_BUILD, .reason = "no image has these contents yet"},
    {.what = "new contents, what changed is known",
     .change = "app/main.py changed",
     .action = IMAGE_BUILD,
     .reason = "app/main.py changed"},
    {.what = "new contents, with a maximum age",
     .max_age = true,
     .action = IMAGE_BUILD,
     .fresh = true,
     .reason = "no image has these contents yet"},
    {.what = "a layer is gone",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .blobs_missing = true,
     .label = IDENTITY,
     .action = IMAGE_BUILD,
     .reason = "a layer of the image src-0123456789abcdef is gone"},
    {.what = "skip-unchanged is false",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .always = true,
     .change = "x changed",
     .action = IMAGE_BUILD,
     .reason = "skip-unchanged is false"},
    {.what = "no-cache, said before skip-unchanged",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .always = true,
     .no_cache = true,
     .action = IMAGE_BUILD,
     .reason = "no-cache is true"},

    /* Immutable repositories. */
    {.what = "immutable, the same commit again",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = UNCHANGED},
    {.what = "immutable, another commit of the same contents",
     .identity_digest = GOOD,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .add_tag = true,
     .reason = UNCHANGED},
    {.what = "immutable, new commit",
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_BUILD,
     .reason = "no image has these contents yet"},
    {.what = "immutable, no-cache on the same contents uses them",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .no_cache = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .reason = IMMUTABLE_HAS},
    {.what = "immutable, skip-unchanged false on the same contents uses them",
     .identity_digest = GOOD,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .always = true,
     .action = IMAGE_FOUND,
     .digest = GOOD,
     .add_tag = true,
     .reason = IMMUTABLE_HAS},
    {.what = "immutable, the tag names other contents",
     .tag_digest = OTHER,
     .label = FOREIGN,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_REFUSE,
     .reason = TAKEN("other contents")},
    {.what = "immutable, the tag names other contents, the right ones are there",
     .identity_digest = GOOD,
     .tag_digest = OTHER,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .action = IMAGE_REFUSE,
     .reason = TAKEN("other contents")},
    {.what = "only identity tags may move: no-cache on the same commit",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .tag_immutable = true,
     .no_cache = true,
     .action = IMAGE_REFUSE,
     .reason = TAKEN("an image already")},
    {.what = "immutable, label, but no-cache",
     .tag_digest = GOOD,
     .label = IDENTITY,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .no_cache = true,
     .action = IMAGE_REFUSE,
     .reason = TAKEN("an image already")},
    {.what = "immutable, a layer is gone",
     .identity_digest = GOOD,
     .tag_digest = GOOD,
     .tag_immutable = true,
     .identity_tag_immutable = true,
     .blobs_missing = true,
     .action = IMAGE_REFUSE,
     .reason = "a layer of the image " COMMIT " is gone, and the repository is immutable; delete "
               "that image"},
};

START_TEST(image_is_planned)
{
    const struct image_case *row = &image_cases[_i];
    struct inputs inputs = {.skip_unchanged = !row->always,
                            .no_cache = row->no_cache,
                            .image_max_age_ms = row->max_age ? 1 : 0};
    struct image_facts facts = {.wanted = true,
                                .repository_exists = true,
                                .blobs_missing = row->blobs_missing,
                                .tag_immutable = row->tag_immutable,
                                .identity_tag_immutable = row->identity_tag_immutable,
                                .tag_labelled = row->label != NULL};
    SET(facts.identity, IDENTITY);
    SET(facts.tag, COMMIT);
    SET(facts.identity_tag, "src-0123456789abcdef");
    SET(facts.identity_digest, row->identity_digest);
    SET(facts.tag_digest, row->tag_digest);
    SET(facts.tag_label, row->label);
    SET(facts.change, row->change);
    struct image_plan plan = plan_image(&inputs, &facts, row->base_will_be_built);
    check_plan(row->what, &plan, row->action, row->digest, row->fresh, row->reason);
    ck_assert_msg(plan.add_tag == row->add_tag, "%s: add_tag %d", row->what, plan.add_tag);
}
END_TEST

struct function_case {
    const char *what;
    bool missing, with_role;
    const char *digest, *runs, *architecture, *package, *state, *update;
    char *platform;
    enum function_action action;
    const char *reason;
};

static char amd64[] = "linux/amd64", arm64[] = "linux/arm64";

static const struct function_case function_cases[] = {
    {.what = "unchanged",
     .digest = GOOD,
     .runs = GOOD,
     .action = FUNCTION_UNCHANGED,
     .reason = "it runs this image already"},
    {.what = "unchanged, platform given",
     .digest = GOOD,
     .runs = GOOD,
     .platform = amd64,
     .action = FUNCTION_UNCHANGED,
     .reason = "it runs this image already"},
    {.what = "unchanged, inactive",
     .digest = GOOD,
     .runs = GOOD,
     .state = "Inactive",
     .action = FUNCTION_UNCHANGED,
     .reason = "it runs this image already"},
    {.what = "another image",
     .digest = GOOD,
     .runs = OTHER,
     .action = FUNCTION_UPDATE,
     .reason = "it runs another image"},
    {.what = "another image, inactive",
     .digest = GOOD,
     .runs = OTHER,
     .state = "Inactive",
     .action = FUNCTION_UPDATE,
     .reason = "it runs another image"},
    {.what = "no digest known of what it runs",
     .digest = GOOD,
     .runs = "",
     .action = FUNCTION_UPDATE,
     .reason = "it runs another image"},
    {.what = "not built yet",
     .digest = "",
     .runs = OTHER,
     .action = FUNCTION_LATER,
     .reason = "an image is built first"},
    {.what = "the same image, but its last update failed",
     .digest = GOOD,
     .runs = GOOD,
     .update = "Failed",
     .action = FUNCTION_UPDATE,
     .reason = "its last update failed"},
    {.what = "the same image, but it failed",
     .digest = GOOD,
     .runs = GOOD,
     .state = "Failed",
     .action = FUNCTION_UPDATE,
     .reason = "its last update failed"},
    {.what = "another image, and the last update failed",
     .digest = GOOD,
     .runs = OTHER,
     .update = "Failed",
     .action = FUNCTION_UPDATE,
     .reason = "it runs another image"},
    {.what = "missing",
     .missing = true,
     .digest = GOOD,
     .action = FUNCTION_REFUSE,
     .reason = "there is no function hello; give create-with-role to have it created, or correct "
               "function-name"},
    {.what = "missing, before anything is built",
     .missing = true,
     .digest = "",
     .action = FUNCTION_REFUSE,
     .reason = "there is no function hello; give create-with-role to have it created, or correct "
               "function-name"},
    {.what = "missing, with a role",
     .missing = true,
     .with_role = true,
     .digest = "",
     .action = FUNCTION_CREATE,
     .reason = "there is no function hello yet"},
    {.what = "missing, with a role and an image",
     .missing = true,
     .with_role = true,
     .digest = GOOD,
     .platform = arm64,
     .action = FUNCTION_CREATE,
     .reason = "there is no function hello yet"},
    {.what = "there, a role changes nothing",
     .with_role = true,
     .digest = GOOD,
     .runs = GOOD,
     .action = FUNCTION_UNCHANGED,
     .reason = "it runs this image already"},
    {.what = "zip",
     .package = "Zip",
     .digest = GOOD,
     .runs = "",
     .action = FUNCTION_REFUSE,
     .reason = "the function hello is a zip package, and Lambda cannot turn it into an image "
               "function; make a new function"},
    {.what = "zip, before anything is built",
     .package = "Zip",
     .digest = "",
     .runs = "",
     .action = FUNCTION_REFUSE,
     .reason = "the function hello is a zip package, and Lambda cannot turn it into an image "
               "function; make a new function"},
    {.what = "wrong architecture",
     .digest = GOOD,
     .runs = OTHER,
     .platform = arm64,
     .action = FUNCTION_REFUSE,
     .reason = "platform is linux/arm64, but the function runs on x86_64"},
    {.what = "wrong architecture, before anything is built",
     .digest = "",
     .runs = OTHER,
     .platform = amd64,
     .architecture = "arm64",
     .action = FUNCTION_REFUSE,
     .reason = "platform is linux/amd64, but the function runs on arm64"},
    {.what = "arm64",
     .digest = GOOD,
     .runs = OTHER,
     .platform = arm64,
     .architecture = "arm64",
     .action = FUNCTION_UPDATE,
     .reason = "it runs another image"},
    {.what = "arm64, no platform given",
     .digest = GOOD,
     .runs = GOOD,
     .architecture = "arm64",
     .action = FUNCTION_UNCHANGED,
     .reason = "it runs this image already"},
};

START_TEST(function_is_planned)
{
    const struct function_case *row = &function_cases[_i];
    struct inputs inputs = {.function_name = function_name,
                            .platform = row->platform,
                            .create_with_role = row->with_role ? role : NULL};
    struct function_facts facts = {.exists = !row->missing};
    SET(facts.digest, row->runs);
    if (!row->missing) {
        SET(facts.architecture, row->architecture ? row->architecture : "x86_64");
        SET(facts.package_type, row->package ? row->package : "Image");
        SET(facts.state, row->state ? row->state : "Active");
        SET(facts.last_update_status, row->update ? row->update : "Successful");
    }
    struct function_plan plan = plan_function(&inputs, &facts, row->digest);
    ck_assert_msg(plan.action == row->action, "%s: action %d, not %d", row->what, (int)plan.action,
                  (int)row->action);
    ck_assert_str_eq(plan.reason, row->reason);
}
END_TEST

/* The longest names leave a reason whole. */
START_TEST(reasons_are_not_cut)
{
    char name[200], tag[129];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(tag, 't', sizeof tag - 1);
    tag[sizeof tag - 1] = '\0';
    struct inputs inputs = {.function_name = name, .skip_unchanged = true};
    struct function_facts function = {.exists = true};
    SET(function.package_type, "Zip");
    ck_assert_ptr_nonnull(
        strstr(plan_function(&inputs, &function, "").reason, "make a new function"));
    function.exists = false;
    ck_assert_ptr_nonnull(
        strstr(plan_function(&inputs, &function, "").reason, "correct function-name"));
    struct image_facts image = {.wanted = true, .tag_immutable = true};
    SET(image.tag, tag);
    SET(image.tag_digest, OTHER);
    SET(image.identity, IDENTITY);
    ck_assert_ptr_nonnull(strstr(plan_image(&inputs, &image, false).reason, "another image-tag"));
    image.tag_immutable = false;
    image.repository_exists = true;
    ck_assert_ptr_nonnull(strstr(plan_base(&inputs, &image).reason, "uses it as it is)"));
    image.external = true;
    image.tag_digest[0] = '\0';
    ck_assert_ptr_nonnull(strstr(plan_base(&inputs, &image).reason, "with the base command"));
}
END_TEST

static const struct {
    const char *what;
    const char *alias, *digest;
    bool exists, changes, routed, configured_otherwise;
    bool publish;
    const char *reason;
} alias_cases[] = {
    {"no alias wanted", NULL, OTHER, false, true, false, false, false, ""},
    {"new", "live", IDENTITY, false, false, false, false, true, "there is no alias live yet"},
    {"changes", "live", IDENTITY, true, true, false, false, true, "the function changes"},
    {"not known yet", "live", "", true, false, false, false, true, "an image is built first"},
    {"another image", "live", OTHER, true, false, false, false, true,
     "version 3 runs another image"},
    {"weights", "live", IDENTITY, true, false, true, false, true,
     "a share of its calls goes to another version than 3"},
    {"configured", "live", IDENTITY, true, false, false, true, true,
     "version 3 is configured otherwise"},
    {"the same", "live", IDENTITY, true, false, false, false, false, "version 3 is this one"},
};

START_TEST(alias_is_planned)
{
    char alias[] = "live";
    const struct inputs inputs = {.alias = alias_cases[_i].alias ? alias : NULL};
    struct function_facts function = {.exists = true,
                                      .alias_exists = alias_cases[_i].exists,
                                      .alias_routed = alias_cases[_i].routed};
    if (function.alias_exists) {
        SET(function.alias_version, "3");
        SET(function.alias_digest, IDENTITY);
    }
    struct alias_plan plan =
        plan_alias(&inputs, &function, alias_cases[_i].digest, alias_cases[_i].changes,
                   alias_cases[_i].configured_otherwise);
    ck_assert_msg(plan.publish == alias_cases[_i].publish, "%s", alias_cases[_i].what);
    ck_assert_str_eq(plan.reason, alias_cases[_i].reason);
}
END_TEST

START_TEST(platforms_and_architectures)
{
    ck_assert_str_eq(plan_platform("x86_64"), "linux/amd64");
    ck_assert_str_eq(plan_platform("arm64"), "linux/arm64");
    ck_assert_str_eq(plan_architecture("linux/amd64"), "x86_64");
    ck_assert_str_eq(plan_architecture("linux/arm64"), "arm64");
    ck_assert_ptr_null(plan_platform("linux/amd64"));
    ck_assert_ptr_null(plan_platform(""));
    ck_assert_ptr_null(plan_platform(NULL));
    ck_assert_ptr_null(plan_architecture("windows/amd64"));
    ck_assert_ptr_null(plan_architecture("linux/arm64/v8"));
    ck_assert_ptr_null(plan_architecture(NULL));
}
END_TEST

Suite *plan_suite(void)
{
    Suite *suite = suite_create("model/plan");
    TCase *cases = tcase_create("plan");
    tcase_add_loop_test(cases, base_is_planned, 0, COUNT(base_cases));
    tcase_add_loop_test(cases, image_is_planned, 0, COUNT(image_cases));
    tcase_add_loop_test(cases, function_is_planned, 0, COUNT(function_cases));
    tcase_add_loop_test(cases, alias_is_planned, 0, COUNT(alias_cases));
    tcase_add_test(cases, reasons_are_not_cut);
    tcase_add_test(cases, platforms_and_architectures);
    suite_add_tcase(suite, cases);
    return suite;
}
