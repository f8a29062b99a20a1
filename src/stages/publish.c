/* With an alias: the new version, published and proven by invoking it before any user meets it. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/health.h"
#include "stages/ours.h"
#include "stages/publish.h"
#include "stages/record.h"
#include "stages/stage.h"
#include "stages/wait.h"

#define ACTIVE_LIMIT_MS 600000

/* Was this function configured otherwise since the alias's version was published, in what the
 * inputs ask for? */
static bool is_configured_otherwise(const struct run *run)
{
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    CLEANUP(json) struct json *configuration = json_copy(run->alias_configuration);
    struct error ignored = ERROR_INIT; /* an environment that cannot be read tells nothing */
    if (!configuration)
        return false;
    json_put_string(configuration, "Description",
                    run->inputs->description); /* a version's says its commit */
    return configuration_compare(run->inputs, configuration, &change, &ignored) == 0 &&
           change.request;
}

struct alias_plan publish_plan(const struct run *run, const char *digest, bool changes)
{
    return plan_alias(run->inputs, &run->facts.function, digest, changes,
                      is_configured_otherwise(run));
}

/* Does the alias serve anything else than what is wanted now? */
static bool is_wanted(const struct run *run)
{
    const struct result *result = &run->result;
    bool changed = result->function.code_changed || result->function.configuration_changes.len > 0;
    return publish_plan(run, result->image.digest, changed).publish;
}

/*
 * CodeSha256 and RevisionId tie the version to the code that was put there: what somebody else
 * changed meanwhile is not published. A publish that changes nothing gives the version that is
 * there.
 */
static int publish_once(struct run *run, char ret_version[24], struct error *err)
{
    CLEANUP(lambda_function)
    struct lambda_function now = {.configuration = NULL}, version = {.configuration = NULL};
    if (wait_settled(run, NULL, ACTIVE_LIMIT_MS, &now, err) < 0)
        return -1;
    if (now.tags) { /* a newer run may have claimed the function meanwhile */
        json_free(run->snapshot.tags);
        run->snapshot.tags = STEAL(now.tags);
    }
    if (record_yield(run))
        return 0;
    bool ours = text_equal(now.digest, run->result.image.digest) &&
                (!run->left.configuration || ours_is_still(run, &now));
    if (!ours)
        return error_set(
            err, ERROR_CONFLICT,
            "somebody else has changed the function %s meanwhile (it runs %s): it is not published",
            run->inputs->function_name, now.digest);
    if (lambda_publish_version(&run->services.aws, run->inputs->function_name, now.code_sha256,
                               now.revision_id, run->result.commit[0] ? run->result.commit : NULL,
                               &version, err) < 0)
        return -1;
    snprintf(ret_version, 24, "%s", version.version);
    return 0;
}

static int publish_version(struct run *run, char ret_version[24], struct error *err)
{
    for (int try = 1; publish_once(run, ret_version, err) < 0; try++) {
        bool refused_here = err->kind == ERROR_CONFLICT && err->code == 0;
        if (try == OURS_TRIES || refused_here || !ours_decide_again(err))
            return error_wrap(err, "publishing a version");
        log_info("no version yet (%s): looking again", err->msg);
        error_reset(err);
    }
    return 0;
}

static int wait_until_active(struct run *run, const char *version, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, version, ACTIVE_LIMIT_MS, &settled, err) < 0 ||
        wait_outcome(&settled, err) < 0)
        return error_wrap(err, "version %s", version);
    return 0;
}

static int publish(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    char version[24];
    if (publish_version(run, version, err) < 0)
        return -1;
    if (result->outcome == OUTCOME_SUPERSEDED)
        return 0;
    if (wait_until_active(run, version, err) < 0)
        return -1;
    snprintf(result->function.version, sizeof result->function.version, "%s", version);
    log_info("published version %s", version);

    CLEANUP(health) struct health health = {.checked = false};
    if (health_check_version(run, version, &health, err) < 0)
        return -1;
    health_keep(run, &health);
    if (!health.checked) {
        log_warning(
            "version %s was not checked before the alias moves: give health-payload or health-url",
            version);
        return 0;
    }
    if (!health.good)
        return error_set(err, ERROR_FAILED,
                         "version %s does not answer as it should, and the alias %s was not "
                         "moved: %s",
                         version, run->inputs->alias, health.why);
    log_info("version %s answers well after %d %s", version, health.attempts,
             health.attempts == 1 ? "try" : "tries");
    return 0;
}

const struct stage stage_publish = {.name = "publish",
                                    .title = "Publish and verify a version",
                                    .wanted = is_wanted,
                                    .run = publish,
                                    .undo = NULL};
