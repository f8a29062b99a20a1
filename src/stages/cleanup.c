#include "stages/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/journal.h"
#include "stages/ours.h"
#include "stages/record.h"
#include "stages/restore.h"

static const char *noted(const struct run *run, const char *name)
{
    char variable[64];
    snprintf(variable, sizeof variable, "STATE_%s", name);
    return environ_get(run->environ, variable);
}

/* ---- this machine ---- */

/* Only a folder that a run makes, and only where it makes them: anybody can set a variable. */
static bool is_runs_folder(const struct run *run, const char *path)
{
    CLEANUP_FREE char *parent = NULL;
    struct stat there;
    const char *name = strrchr(path, '/');
    if (!name || !text_starts_with(name, "/tmp-") || !run->services.github.runner_temp ||
        lstat(path, &there) < 0 || !S_ISDIR(there.st_mode))
        return false;
    parent = realpath(run->services.github.runner_temp, NULL);
    return parent && strlen(parent) == (size_t)(name - path) &&
           strncmp(parent, path, strlen(parent)) == 0;
}

static void remove_folder(const struct run *run)
{
    const char *path = noted(run, JOURNAL_TEMP_FOLDER);
    struct error err = ERROR_INIT;
    if (!path || !is_runs_folder(run, path))
        return;
    if (file_remove_tree(path, &err) < 0)
        log_warning("temporary files and logins stay behind: %s", err.msg);
    else
        log_info("temporary files and logins of the run are removed");
}

static void remove_builder(struct run *run)
{
    const char *name = noted(run, JOURNAL_BUILDER);
    struct error err = ERROR_INIT;
    struct buildx *buildx = &run->services.buildx;
    if (!name)
        return;
    if (run_temp_folder(run, &err) == 0 &&
        buildx_init(buildx, run->environ, run->temp_folder, false, &err) == 0) {
        run->services.buildx_ready = true;
        if (buildx_remove_builder(buildx, name, &err) == 0)
            log_info("the builder %s is removed", name);
    }
    if (err.kind != ERROR_NONE)
        log_warning("the builder %s stays behind: %s", name, err.msg);
}

void cleanup_machine(struct run *run)
{
    remove_folder(run);
    remove_builder(run);
}

/* ---- the function ---- */

bool cleanup_is_due(const struct run *run)
{
    return !noted(run, JOURNAL_ENDED) &&
           (noted(run, JOURNAL_DIGEST_BEFORE) || noted(run, JOURNAL_ALIAS_BEFORE) ||
            noted(run, JOURNAL_CONFIGURATION));
}

#define COPY(to, run, name) snprintf(to, sizeof(to), "%s", noted(run, name) ? noted(run, name) : "")

/* The run's memory, as far as the way back reads it. */
static void remember_code(struct run *run)
{
    if (!noted(run, JOURNAL_DIGEST_BEFORE))
        return;
    COPY(run->before.resolved_image_uri, run, JOURNAL_IMAGE_BEFORE);
    COPY(run->before.digest, run, JOURNAL_DIGEST_BEFORE);
    COPY(run->before.architecture, run, JOURNAL_ARCHITECTURE);
    COPY(run->left.digest, run, JOURNAL_DIGEST_OURS);
    run->code_touched = true;
}

static int remember_alias(struct run *run, struct error *err)
{
    const char *before = noted(run, JOURNAL_ALIAS_BEFORE);
    const char *routing = noted(run, JOURNAL_ROUTING_BEFORE);
    if (!before)
        return 0;
    if (routing && json_parse(routing, strlen(routing), &run->alias_before.routing, err) < 0)
        return error_wrap(err, "reading the weights that the alias had");
    run->alias_before.routed = routing != NULL;
    if (!text_equal(before, "-"))
        COPY(run->alias_before.version, run, JOURNAL_ALIAS_BEFORE);
    COPY(run->result.function.previous_version, run, JOURNAL_ALIAS_BEFORE);
    if (text_equal(before, "-"))
        run->result.function.previous_version[0] = '\0';
    COPY(run->result.function.version, run, JOURNAL_ALIAS_OURS);
    run->alias_touched = true;
    return 0;
}

/* A configuration holds secrets, so what it was is written down nowhere. */
static int tell_of_configuration(struct run *run, struct error *err)
{
    if (!noted(run, JOURNAL_CONFIGURATION))
        return 0;
    restore_remedy(run,
                   "# deploy the last good commit again; its workflow sets the configuration:");
    restore_remedy(run, "aws lambda get-function-configuration --region %s --function-name %s",
                   run->result.region, run->inputs->function_name);
    return error_set(err, ERROR_FAILED,
                     "the run was killed after it had begun to change the configuration of %s, and "
                     "what that was before is not known any more",
                     run->inputs->function_name);
}

static int look(struct run *run, struct error *err)
{
    log_warning("the run was killed, or lost its connection, while it changed the function %s",
                run->inputs->function_name);
    if (lambda_get_function(&run->services.aws, run->inputs->function_name, NULL, &run->snapshot,
                            err) < 0)
        return error_wrap(err, "looking at what the killed run has left");
    if (record_yield(run))
        return 0;
    remember_code(run);
    return remember_alias(run, err);
}

void cleanup_say_way_back(struct run *run)
{
    struct error ignored = ERROR_INIT; /* the one that is told is why nothing could be done */
    snprintf(run->result.region, sizeof run->result.region, "%s", run->inputs->aws_region);
    if (run->code_touched || run->alias_touched)
        return; /* it was looked at: the undo says what it could not do */
    remember_code(run);
    if (remember_alias(run, &ignored) < 0)
        log_debug("%s", ignored.msg);
    stage_release.say_way_back(run);
    stage_shift.say_way_back(run);
    (void)tell_of_configuration(run, &ignored);
}

int cleanup_conclude(struct run *run, struct error *err)
{
    if (!run->result.restored[0])
        log_info("nothing of it had arrived, or it is back already");
    else
        log_warning("the killed run's change is undone: %s", run->result.restored);
    return tell_of_configuration(run, err);
}

const struct stage stage_cleanup = {
    .name = "cleanup", .title = "Look at what the killed run has left", .run = look};
