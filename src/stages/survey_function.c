/* The survey's look at the function, and at the version behind its alias. */
#include "stages/survey.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/task.h"
#include "core/text.h"
#include "stages/ours.h"
#include "stages/restore.h"

static void copy_function(struct function_facts *facts, const struct lambda_function *function)
{
    *facts = (struct function_facts){.exists = true};
    snprintf(facts->arn, sizeof facts->arn, "%s", function->arn);
    snprintf(facts->digest, sizeof facts->digest, "%s", function->digest);
    snprintf(facts->repository, sizeof facts->repository, "%.*s",
             (int)strcspn(function->resolved_image_uri, "@"), function->resolved_image_uri);
    snprintf(facts->architecture, sizeof facts->architecture, "%s", function->architecture);
    snprintf(facts->package_type, sizeof facts->package_type, "%s", function->package_type);
    snprintf(facts->state, sizeof facts->state, "%s", function->state);
    snprintf(facts->last_update_status, sizeof facts->last_update_status, "%s",
             function->last_update_status);
    times_parse(json_string(json_member(function->tags, TIMES_TAG)), &facts->times);
    deployed_parse(json_string(json_member(function->tags, DEPLOYED_TAG)), &facts->deployments);
}

/* One of the three requests that go out at once about a function. */
struct look {
    struct aws *aws;              /* borrowed */
    const char *name, *alias;     /* borrowed */
    struct lambda_function found; /* the function, or the version behind the alias */
    struct lambda_alias found_alias;
    int rc;
    struct error err;
};

static void look_at_alias(void *context)
{
    struct look *look = context;
    look->rc = lambda_get_alias(look->aws, look->name, look->alias, &look->found_alias, &look->err);
}

static void look_at_function(void *context)
{
    struct look *look = context;
    look->rc = lambda_get_function(look->aws, look->name, look->alias, &look->found, &look->err);
}

enum { LOOK_VERSION, LOOK_ALIAS, LOOK_FUNCTION, LOOKS };

static void looks_release(struct look looks[LOOKS])
{
    for (size_t i = 0; i < LOOKS; i++) {
        lambda_function_release(&looks[i].found);
        lambda_alias_release(&looks[i].found_alias);
    }
}

/* The version that the alias served at the last look. A version never changes, so it is not asked
 * for again. */
struct known_version {
    char number[24]; /* "": none is known */
    char digest[DIGEST_SIZE];
};

static struct known_version known_version(const struct run *run)
{
    const struct function_facts *facts = &run->facts.function;
    struct known_version known = {.number = ""};
    if (run->alias_configuration) {
        snprintf(known.number, sizeof known.number, "%s", facts->alias_version);
        snprintf(known.digest, sizeof known.digest, "%s", facts->alias_digest);
    }
    return known;
}

/* The version behind the alias was asked for at the same time; if the alias was moved in between,
 * it is asked for by number. */
static int use_version(struct run *run, struct look *look, const struct known_version *known,
                       struct error *err)
{
    struct function_facts *facts = &run->facts.function;
    if (known->number[0] && text_equal(known->number, facts->alias_version)) {
        snprintf(facts->alias_digest, sizeof facts->alias_digest, "%s", known->digest);
        return 0;
    }
    if (look->rc < 0 || !text_equal(look->found.version, facts->alias_version)) {
        lambda_function_release(&look->found);
        look->found = (struct lambda_function){.configuration = NULL};
        if (lambda_get_function(look->aws, look->name, facts->alias_version, &look->found, err) < 0)
            return error_wrap(err, "reading version %s, which the alias %s serves",
                              facts->alias_version, look->alias);
    }
    snprintf(facts->alias_digest, sizeof facts->alias_digest, "%s", look->found.digest);
    json_free(run->alias_configuration);
    run->alias_configuration = STEAL(look->found.configuration);
    return 0;
}

/* The version that the alias serves, and its image. */
static int use_alias(struct run *run, struct look looks[LOOKS], const struct known_version *known,
                     struct error *err)
{
    struct look *look = &looks[LOOK_ALIAS];
    struct function_facts *facts = &run->facts.function;
    if (look->rc < 0 && look->err.kind == ERROR_NOT_FOUND)
        return 0; /* it will be made */
    if (look->rc < 0) {
        *err = look->err;
        return error_wrap(err, "reading the alias %s", look->alias);
    }
    const struct lambda_alias *found = &look->found_alias;
    facts->alias_exists = true;
    facts->alias_routed = found->routed;
    snprintf(facts->alias_version, sizeof facts->alias_version, "%s", found->version);
    snprintf(facts->alias_revision_id, sizeof facts->alias_revision_id, "%s", found->revision_id);
    if (!run->alias_touched) { /* else what was there before us is known */
        snprintf(run->result.function.alias_arn, sizeof run->result.function.alias_arn, "%s",
                 found->arn);
        restore_keep_alias(run, &look->found_alias);
    }
    return use_version(run, &looks[LOOK_VERSION], known, err);
}

static int use_function(struct run *run, struct look looks[LOOKS], struct error *err)
{
    struct look *look = &looks[LOOK_FUNCTION];
    const struct known_version known = known_version(run);
    if (look->rc < 0 && look->err.kind == ERROR_NOT_FOUND) {
        run->facts.function = (struct function_facts){.exists = false};
        return 0;
    }
    if (look->rc < 0) {
        *err = look->err;
        return error_wrap(err, "reading the function %s", look->name);
    }
    bool is_missing = run->facts.function.image_missing &&
                      text_equal(run->facts.function.digest, look->found.digest);
    copy_function(&run->facts.function, &look->found);
    run->facts.function.image_missing = is_missing;
    lambda_function_release(&run->snapshot);
    run->snapshot = look->found;
    look->found = (struct lambda_function){.configuration = NULL};
    run->looked_ms = clock_now_ms();
    ours_keep_before(run);
    return run->inputs->alias ? use_alias(run, looks, &known, err) : 0;
}

int survey_function(struct run *run, struct error *err)
{
    const struct look look = {.aws = &run->services.aws,
                              .name = run->inputs->function_name,
                              .alias = run->inputs->alias,
                              .err = ERROR_INIT};
    struct look looks[LOOKS] = {look, look, look};
    looks[LOOK_FUNCTION].alias = NULL;
    looks[LOOK_VERSION].rc = -1; /* not asked for */
    struct task tasks[LOOKS] = {[LOOK_VERSION] = TASK(look_at_function, &looks[LOOK_VERSION]),
                                [LOOK_ALIAS] = TASK(look_at_alias, &looks[LOOK_ALIAS]),
                                [LOOK_FUNCTION] = TASK(look_at_function, &looks[LOOK_FUNCTION])};
    size_t first = !run->inputs->alias            ? LOOK_FUNCTION
                   : known_version(run).number[0] ? LOOK_ALIAS
                                                  : LOOK_VERSION;
    task_run_all(tasks + first, LOOKS - first);
    int rc = use_function(run, looks, err);
    looks_release(looks);
    return rc;
}
