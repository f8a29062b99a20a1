/* One look at everything remote: function, base image, application image. */
#include "stages/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/builder.h"
#include "stages/context_identity.h"
#include "stages/images.h"
#include "stages/ours.h"
#include "stages/pin.h"
#include "stages/record.h"

static void copy_function(struct function_facts *facts, const struct lambda_function *function)
{
    *facts = (struct function_facts){.exists = true};
    snprintf(facts->arn, sizeof facts->arn, "%s", function->arn);
    snprintf(facts->digest, sizeof facts->digest, "%s", function->digest);
    snprintf(facts->image_uri, sizeof facts->image_uri, "%s", function->resolved_image_uri);
    snprintf(facts->repository, sizeof facts->repository, "%.*s",
             (int)strcspn(function->resolved_image_uri, "@"), function->resolved_image_uri);
    snprintf(facts->architecture, sizeof facts->architecture, "%s", function->architecture);
    snprintf(facts->package_type, sizeof facts->package_type, "%s", function->package_type);
    snprintf(facts->state, sizeof facts->state, "%s", function->state);
    snprintf(facts->state_reason, sizeof facts->state_reason, "%s", function->state_reason);
    snprintf(facts->last_update_status, sizeof facts->last_update_status, "%s",
             function->last_update_status);
    snprintf(facts->last_update_reason, sizeof facts->last_update_reason, "%s",
             function->last_update_reason);
    snprintf(facts->revision_id, sizeof facts->revision_id, "%s", function->revision_id);
    times_parse(json_string(json_member(function->tags, TIMES_TAG)), &facts->times);
}

/* The version that the alias serves, and its image. */
static int survey_alias(struct run *run, struct error *err)
{
    const char *name = run->inputs->function_name, *alias = run->inputs->alias;
    struct function_facts *facts = &run->facts.function;
    CLEANUP(lambda_function) struct lambda_function version = {.configuration = NULL};
    struct lambda_alias found = {.routing = NULL};
    if (lambda_get_alias(&run->services.aws, name, alias, &found, err) < 0) {
        if (err->kind != ERROR_NOT_FOUND)
            return error_wrap(err, "reading the alias %s", alias);
        error_reset(err); /* it will be made */
        return 0;
    }
    facts->alias_exists = true;
    facts->alias_routed = found.routed;
    snprintf(facts->alias_version, sizeof facts->alias_version, "%s", found.version);
    snprintf(facts->alias_revision_id, sizeof facts->alias_revision_id, "%s", found.revision_id);
    if (run->alias_touched) {
        lambda_alias_release(&found); /* what was there before us is known */
    } else {
        lambda_alias_release(&run->alias_before);
        run->alias_before = found;
        snprintf(run->result.function.alias_arn, sizeof run->result.function.alias_arn, "%s",
                 found.arn);
    }
    if (lambda_get_function(&run->services.aws, name, facts->alias_version, &version, err) < 0)
        return error_wrap(err, "reading version %s, which the alias %s serves",
                          facts->alias_version, alias);
    snprintf(facts->alias_digest, sizeof facts->alias_digest, "%s", version.digest);
    json_free(run->alias_configuration);
    run->alias_configuration = STEAL(version.configuration);
    return 0;
}

int survey_function(struct run *run, struct error *err)
{
    const char *name = run->inputs->function_name;
    struct lambda_function function = {.configuration = NULL};
    struct error local = ERROR_INIT;
    if (lambda_get_function(&run->services.aws, name, NULL, &function, &local) < 0) {
        if (local.kind == ERROR_NOT_FOUND) {
            run->facts.function = (struct function_facts){.exists = false};
            return 0;
        }
        *err = local;
        return error_wrap(err, "reading the function %s", name);
    }
    bool is_missing = run->facts.function.image_missing &&
                      text_equal(run->facts.function.digest, function.digest);
    copy_function(&run->facts.function, &function);
    run->facts.function.image_missing = is_missing;
    lambda_function_release(&run->snapshot);
    run->snapshot = function;
    run->looked_ms = clock_now_ms();
    ours_keep_before(run);
    return run->inputs->alias ? survey_alias(run, err) : 0;
}

/* "arn:aws:lambda:us-east-1:123456789012:function:hello": the fifth field is the account. */
static bool account_of_arn(const char *arn, char *ret_account, size_t size)
{
    for (int field = 0; field < 4 && arn; field++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    if (!arn || strcspn(arn, ":") >= size)
        return false;
    snprintf(ret_account, size, "%.*s", (int)strcspn(arn, ":"), arn);
    return true;
}

/* Our registry's host follows from the account; where no function tells the account, the registry's
 * login does. */
static int find_registry(struct run *run, struct error *err)
{
    struct facts *facts = &run->facts;
    if (facts->function.exists &&
        account_of_arn(facts->function.arn, facts->account, sizeof facts->account)) {
        snprintf(facts->registry, sizeof facts->registry, "%s.dkr.ecr.%s.%s", facts->account,
                 run->result.region, aws_dns_suffix(run->result.region));
    } else {
        if (ecr_get_login(&run->services.aws, &run->services.login, err) < 0)
            return error_wrap(err, "getting the registry's password");
        github_mask(&run->services.github, run->services.login.password);
        snprintf(facts->registry, sizeof facts->registry, "%s", run->services.login.registry);
        snprintf(facts->account, sizeof facts->account, "%.*s", (int)strcspn(facts->registry, "."),
                 facts->registry);
    }
    if (!run->result.account[0])
        log_info("account %s", facts->account);
    snprintf(run->result.account, sizeof run->result.account, "%s", facts->account);
    return 0;
}

/* With a maximum age, the number of the present period; else -1. */
static int64_t period_of(int64_t max_age_ms)
{
    return max_age_ms > 0 ? clock_wall_seconds() / (max_age_ms / 1000 > 0 ? max_age_ms / 1000 : 1)
                          : -1;
}

static const char *compression_name(const struct run *run)
{
    return run->inputs->compression == COMPRESSION_ZSTD ? "zstd" : "gzip";
}

/* Something will be built for certain: its builder boots while the rest is looked at. */
static void begin_to_build(struct run *run, const struct image_plan *plan)
{
    enum command command = run->inputs->command;
    bool changes =
        run->gate->action == GATE_DEPLOY && (command == COMMAND_DEPLOY || command == COMMAND_BASE);
    if (changes && plan->action == IMAGE_BUILD)
        builder_start(run);
}

/* What is in .git is new in every checkout: no two runs would have the same image. */
static void warn_of_git(const struct identity *identity, const char *what)
{
    if (identity->git_folder)
        log_warning("the build context of the %s holds the folder %s, so every commit changes the "
                    "image; add it to .dockerignore",
                    what, identity->git_path);
}

static int look_up_base(struct run *run, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct image_facts *base = &run->facts.base;
    const struct identity_request request = {
        .workspace = run->paths.workspace,
        .file = run->paths.base_file,
        .context = run->paths.base_context,
        .platform = run_platform(run),
        .build_args = &inputs->base_build_args,
        .compression = compression_name(run),
        .check = inputs->base_check,
        .period = period_of(inputs->base_max_age_ms),
    };
    struct identity identity;
    if (context_identity(&request, &identity, err) < 0)
        return error_wrap(err, "%s", inputs->base_file);
    warn_of_git(&identity, "base image");
    base->wanted = true;
    snprintf(base->identity, sizeof base->identity, "%s", identity.hex);
    snprintf(base->parts, sizeof base->parts, "%s", identity.parts);
    snprintf(base->file_name, sizeof base->file_name, "%s", inputs->base_file);
    snprintf(base->tag, sizeof base->tag, "%s", inputs->base_tag);
    snprintf(base->identity_tag, sizeof base->identity_tag, "%s-%.16s", inputs->base_tag,
             identity.hex);
    run->result.base.files = identity.file_count;
    snprintf(run->result.base.identity, sizeof run->result.base.identity, "%s", identity.hex);

    struct image_place place;
    if (images_base_place(run, &place, err) < 0)
        return -1;
    snprintf(run->result.base.repository, sizeof run->result.base.repository, "%s/%s",
             place.registry, place.name);
    snprintf(run->result.base.tag, sizeof run->result.base.tag, "%s", base->tag);
    if (images_look(run, &place, base, err) < 0)
        return -1;
    struct image_plan plan = plan_base(inputs, base);
    begin_to_build(run, &plan);
    return 0;
}

int survey_image(struct run *run, const char *base_digest, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct image_facts *image = &run->facts.image;
    CLEANUP(strvec) struct strvec base_names = STRVEC_INIT;
    pin_base_names(run, &base_names);
    const struct identity_request request = {
        .workspace = run->paths.workspace,
        .file = run->paths.file,
        .context = run->paths.context,
        .target = inputs->target,
        .platform = run_platform(run),
        .build_args = &inputs->build_args,
        .compression = compression_name(run),
        .check = inputs->image_check,
        .base_digest = base_digest[0] ? base_digest : NULL,
        .base_names = &base_names,
        .period = period_of(inputs->image_max_age_ms),
    };
    struct identity identity;
    if (context_identity(&request, &identity, err) < 0)
        return error_wrap(err, "%s", run->paths.file_name);
    warn_of_git(&identity, "application image");
    *image = (struct image_facts){.wanted = true};
    snprintf(image->identity, sizeof image->identity, "%s", identity.hex);
    snprintf(image->parts, sizeof image->parts, "%s", identity.parts);
    snprintf(image->file_name, sizeof image->file_name, "%s", run->paths.file_name);
    snprintf(image->tag, sizeof image->tag, "%s",
             inputs->image_tag ? inputs->image_tag : run->result.commit);
    snprintf(image->identity_tag, sizeof image->identity_tag, "src-%.16s", identity.hex);
    run->result.image.files = identity.file_count;
    snprintf(run->result.image.identity, sizeof run->result.image.identity, "%s", identity.hex);

    struct image_place place;
    if (images_place(run, &place, err) < 0)
        return -1;
    snprintf(run->result.image.repository, sizeof run->result.image.repository, "%s/%s",
             place.registry, place.name);
    snprintf(run->result.image.tag, sizeof run->result.image.tag, "%s", image->tag);
    if (images_look(run, &place, image, err) < 0)
        return -1;
    struct image_plan plan = plan_image(inputs, image, false);
    begin_to_build(run, &plan);
    const struct function_facts *function = &run->facts.function;
    bool comparable =
        function->digest[0] && text_equal(function->repository, run->result.image.repository);
    if (image->identity_digest[0] || image->tag_labelled || !comparable)
        return 0;
    return images_explain(run, &place, function->digest, image, err);
}

static void say_function(struct run *run)
{
    const struct function_facts *function = &run->facts.function;
    struct result *result = &run->result;
    if (run->inputs->alias)
        snprintf(result->function.alias, sizeof result->function.alias, "%s", run->inputs->alias);
    snprintf(result->function.name, sizeof result->function.name, "%s",
             function->exists ? run->snapshot.name : run->inputs->function_name);
    if (!function->exists) {
        log_info("function %s: not there", run->inputs->function_name);
        return;
    }
    snprintf(result->function.arn, sizeof result->function.arn, "%s", function->arn);
    snprintf(result->function.previous_digest, sizeof result->function.previous_digest, "%s",
             function->digest);
    log_info("function %s: %s, %s, runs %s", run->snapshot.name, function->state,
             function->architecture,
             function->digest[0] ? function->digest : function->package_type);
}

static void say_image(const char *what, const struct image_facts *image)
{
    log_info("%s: identity %.16s, %s", what, image->identity,
             image->identity_digest[0] ? image->identity_digest : "no image has it yet");
}

/* A function that cannot take an image is an error before anything is built or created. */
static int refuse_function(struct run *run, struct error *err)
{
    struct function_plan plan = plan_function(run->inputs, &run->facts.function, "");
    if (plan.action != FUNCTION_REFUSE)
        return 0;
    enum error_kind kind = run->facts.function.exists ? ERROR_REFUSED : ERROR_NOT_FOUND;
    return error_set(err, kind, "%s", plan.reason);
}

/* A configuration that the function cannot get is an error before anything is built, too. */
static int refuse_configuration(const struct run *run, struct error *err)
{
    enum command command = run->inputs->command;
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    const struct json *current = run->facts.function.exists ? run->snapshot.configuration : NULL;
    if (command != COMMAND_DEPLOY && command != COMMAND_PLAN)
        return 0;
    return configuration_compare(run->inputs, current, &change, err);
}

static int survey_images(struct run *run, bool base_only, struct error *err)
{
    if (run->paths.base_file) {
        if (look_up_base(run, err) < 0)
            return -1;
        say_image("base image", &run->facts.base);
    } else {
        struct image_plan none = plan_base(run->inputs, &run->facts.base);
        snprintf(run->result.base.status, sizeof run->result.base.status, "none");
        snprintf(run->result.base.reason, sizeof run->result.base.reason, "%s", none.reason);
    }
    struct image_plan base = plan_base(run->inputs, &run->facts.base);
    if (base_only || base.action == IMAGE_BUILD || base.action == IMAGE_REFUSE)
        return 0;
    if (survey_image(run, base.digest, err) < 0)
        return -1;
    say_image("application image", &run->facts.image);
    return 0;
}

static int survey(struct run *run, struct error *err)
{
    bool base_only = run->inputs->command == COMMAND_BASE;
    bool may_refuse = !base_only && run->inputs->command != COMMAND_STATUS;
    bool has_function = run->inputs->function_name != NULL;
    if (has_function && survey_function(run, err) < 0)
        return -1;
    if (find_registry(run, err) < 0)
        return -1;
    if (has_function)
        say_function(run);
    if (may_refuse && (refuse_function(run, err) < 0 || refuse_configuration(run, err) < 0))
        return -1;
    if (run->inputs->command == COMMAND_DEPLOY && record_is_superseded(run))
        return 0;
    return run->inputs->command == COMMAND_ROLLBACK ? 0 : survey_images(run, base_only, err);
}

const struct stage stage_survey = {.name = "survey",
                                   .title = "Look at what is there",
                                   .wanted = NULL,
                                   .only_looks = true,
                                   .run = survey,
                                   .undo = NULL};
