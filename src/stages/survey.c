/* One look at everything remote: function, base image, application image. */
#include "stages/survey.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/task.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/builder.h"
#include "stages/context_identity.h"
#include "stages/images.h"
#include "stages/pin.h"
#include "stages/reading.h"
#include "stages/record.h"
#include "stages/secrets.h"

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
        secrets_tell(run, run->services.login.password);
        snprintf(facts->registry, sizeof facts->registry, "%s", run->services.login.registry);
        snprintf(facts->account, sizeof facts->account, "%.*s", (int)strcspn(facts->registry, "."),
                 facts->registry);
    }
    if (!run->result.account[0])
        log_info("account %s", facts->account);
    snprintf(run->result.account, sizeof run->result.account, "%s", facts->account);
    return 0;
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

/* Into the facts what the disk says of the base. */
static int describe_base(struct run *run, const char *platform, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct image_facts *base = &run->facts.base;
    struct identity identity;
    if (reading_take(run, platform, &identity, err) < 0)
        return -1;
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
    return 0;
}

/* The base is looked up while the function is still being asked for, on a guess of its platform. */
struct early {
    bool done; /* rc and err tell how it went */
    int rc;
    struct error err;
};

static void look_up_base_early(struct run *run, struct early *early)
{
    struct image_place place;
    if (!run->paths.base_file || !images_base_is_named(run))
        return;
    early->done = true;
    early->rc = describe_base(run, reading_platform(run), &early->err);
    if (early->rc == 0)
        early->rc = images_base_place(run, &place, &early->err);
    if (early->rc == 0)
        early->rc = images_look_up(&place, &run->facts.base, &early->err);
}

static int look_up_base(struct run *run, const struct early *early, struct error *err)
{
    struct image_facts *base = &run->facts.base;
    struct image_place place;
    bool anew = !early->done || !text_equal(run_platform(run), reading_platform(run));
    if (anew) {
        *base = (struct image_facts){.wanted = false};
        if (describe_base(run, run_platform(run), err) < 0)
            return -1;
    } else if (early->rc < 0) {
        *err = early->err;
        return -1;
    }
    if (images_base_place(run, &place, err) < 0)
        return -1;
    snprintf(run->result.base.repository, sizeof run->result.base.repository, "%s/%s",
             place.registry, place.name);
    snprintf(run->result.base.tag, sizeof run->result.base.tag, "%s", base->tag);
    if (anew && images_look_up(&place, base, err) < 0)
        return -1;
    if (images_look(run, &place, base, err) < 0)
        return -1;
    struct image_plan plan = plan_base(run->inputs, base);
    begin_to_build(run, &plan);
    return 0;
}

int survey_image(struct run *run, const char *base_digest, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct image_facts *image = &run->facts.image;
    CLEANUP(strvec) struct strvec base_names = STRVEC_INIT, triggers = STRVEC_INIT;
    bool triggers_known;
    char compression[READING_COMPRESSION_SIZE];
    pin_base_names(run, &base_names);
    if (pin_base_triggers(run, &triggers, &triggers_known, err) < 0)
        return -1;
    const struct identity_request request = {
        .workspace = run->paths.workspace,
        .file = run->paths.file,
        .context = run->paths.context,
        .target = inputs->target,
        .platform = run_platform(run),
        .build_args = &inputs->build_args,
        .compression = reading_compression(run, compression),
        .check = inputs->image_check,
        .base_digest = base_digest[0] ? base_digest : NULL,
        .base_names = run->facts.base.wanted ? &base_names : NULL,
        .base_onbuild = triggers_known ? &triggers : NULL,
        .period = reading_period(inputs->image_max_age_ms),
    };
    struct identity identity;
    int span = span_begin(&run->result.spans, run->span, "read the files of the application");
    int rc = context_identity(&request, &identity, err);
    span_end(&run->result.spans, span);
    if (rc < 0)
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
    if (images_look_up(&place, image, err) < 0 || images_look(run, &place, image, err) < 0)
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
    if (image->identity_digest[0])
        log_info("%s: %s is there, %s", what, image->identity_tag, image->identity_digest);
    else
        log_info("%s: %s is not there yet", what, image->identity_tag);
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

static int survey_images(struct run *run, bool base_only, const struct early *early,
                         struct error *err)
{
    if (run->paths.base_file) {
        if (look_up_base(run, early, err) < 0)
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

struct function_look {
    struct run *run;
    int rc;
    struct error err;
};

static void look_at_function_alone(void *context)
{
    struct function_look *look = context;
    look->rc = survey_function(look->run, &look->err);
}

/* Function and base are asked for at once: neither needs the other but for the platform, and of
 * that there is a guess. */
static int first_look(struct run *run, struct early *early, struct error *err)
{
    struct function_look look = {.run = run, .err = ERROR_INIT};
    struct task task = TASK(look_at_function_alone, &look);
    bool has_function = run->inputs->function_name != NULL;
    if (has_function)
        task_start(&task);
    look_up_base_early(run, early);
    if (has_function)
        task_join(&task);
    if (look.rc < 0)
        *err = look.err;
    return look.rc;
}

static int survey(struct run *run, struct error *err)
{
    bool base_only = run->inputs->command == COMMAND_BASE;
    bool may_refuse = !base_only && run->inputs->command != COMMAND_STATUS;
    struct early early = {.err = ERROR_INIT};
    if (first_look(run, &early, err) < 0)
        return -1;
    if (find_registry(run, err) < 0)
        return -1;
    if (run->inputs->function_name)
        say_function(run);
    if (may_refuse && (refuse_function(run, err) < 0 || refuse_configuration(run, err) < 0))
        return -1;
    bool deploys = run->inputs->command == COMMAND_DEPLOY || run->inputs->command == COMMAND_PLAN;
    if (deploys && record_yield(run))
        return 0;
    return run->inputs->command == COMMAND_ROLLBACK ? 0
                                                    : survey_images(run, base_only, &early, err);
}

const struct stage stage_survey = {.name = "survey",
                                   .title = "Look at what is there",
                                   .wanted = NULL,
                                   .only_looks = true,
                                   .run = survey,
                                   .undo = NULL};
