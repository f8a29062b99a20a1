/* The workspace, the commit and the files that the inputs name: everything that can be wrong before
 * AWS is asked. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/git.h"
#include "stages/checks_run.h"
#include "stages/reading.h"
#include "stages/stage.h"

#define FALLBACK_FILE "Dockerfile"

static int find_workspace(struct run *run, struct error *err)
{
    const char *named = run->services.github.workspace;
    char *real = realpath(named ? named : ".", NULL);
    if (!real)
        return error_set(err, ERROR_INPUT,
                         "the workspace %s is not there; check the repository out first",
                         named ? named : ".");
    run->paths.workspace = real;
    return 0;
}

/* A path given by an input; what is wrong with it is bad input. */
static int resolve_input(const struct run *run, const char *input, const char *path, bool is_folder,
                         char **ret_path, struct error *err)
{
    CLEANUP_FREE char *resolved = NULL;
    if (file_resolve_within(run->paths.workspace, path, &resolved, err) < 0) {
        if (err->kind == ERROR_NOT_FOUND)
            return error_set(
                err, ERROR_INPUT,
                "%s: there is no %s in the workspace; check it out first, or correct %s", input,
                path, input);
        return error_wrap(err, "%s", input);
    }
    if (is_folder ? !folder_exists(resolved) : !file_exists(resolved))
        return error_set(err, ERROR_INPUT, "%s: %s is not a %s", input, path,
                         is_folder ? "folder" : "file");
    *ret_path = STEAL(resolved);
    return 0;
}

static bool is_there(const struct run *run, const char *path)
{
    CLEANUP_FREE char *resolved = NULL;
    struct error ignored = ERROR_INIT;
    return file_resolve_within(run->paths.workspace, path, &resolved, &ignored) == 0;
}

static int find_base(struct run *run, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    if (inputs->command == COMMAND_ROLLBACK)
        return 0; /* nothing is built */
    bool required = inputs_given(inputs, "base-file") || inputs->command == COMMAND_BASE;
    if (!required && !is_there(run, inputs->base_file)) {
        log_info("no %s here: the application image is built without a base of its own",
                 inputs->base_file);
        return 0;
    }
    if (resolve_input(run, "base-file", inputs->base_file, false, &run->paths.base_file, err) < 0)
        return -1;
    return resolve_input(run, "base-context", inputs->base_context, true, &run->paths.base_context,
                         err);
}

static int find_application(struct run *run, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    if (inputs->command == COMMAND_BASE || inputs->command == COMMAND_ROLLBACK)
        return 0;
    run->paths.file_name = inputs->file;
    if (!inputs_given(inputs, "file") && !is_there(run, inputs->file) &&
        is_there(run, FALLBACK_FILE))
        run->paths.file_name = FALLBACK_FILE;
    if (resolve_input(run, "file", run->paths.file_name, false, &run->paths.file, err) < 0)
        return -1;
    return resolve_input(run, "context", inputs->context, true, &run->paths.context, err);
}

/*
 * What is deployed is what is checked out: of a workflow_run the event's commit is the default
 * branch's last one, and `ref:` of a checkout chooses another one. Of a pull request a merge commit
 * of nobody's is checked out: there the event names the head.
 */
static const char *choose_commit(const struct run *run, const char *head)
{
    const struct event *event = run->event;
    bool is_pull_request =
        event->kind == EVENT_PULL_REQUEST || event->kind == EVENT_PULL_REQUEST_TARGET;
    if (!event->commit || !head || is_pull_request)
        return event->commit ? event->commit : head;
    if (!text_equal(head, event->commit))
        log_info("the commit %s is checked out, not the event's (%s)", head, event->commit);
    return head;
}

static void find_commit(struct run *run)
{
    struct result *result = &run->result;
    const struct github *github = &run->services.github;
    CLEANUP_FREE char *head = NULL;
    struct error err = ERROR_INIT;
    if (git_head(run->paths.workspace, &head, NULL, &err) < 0)
        log_debug("no commit is checked out: %s", err.msg);
    const char *commit = choose_commit(run, head);
    snprintf(result->commit, sizeof result->commit, "%s", commit ? commit : "");
    snprintf(result->ref, sizeof result->ref, "%s", run->event->ref ? run->event->ref : "");
    snprintf(result->repository, sizeof result->repository, "%s",
             github->repository ? github->repository : "");
    snprintf(result->run_number, sizeof result->run_number, "%s",
             github->run_number ? github->run_number : "");
    if (github->server_url && github->repository && github->run_id)
        snprintf(result->run_url, sizeof result->run_url, "%s/%s/actions/runs/%s",
                 github->server_url, github->repository, github->run_id);
}

static int prepare(struct run *run, struct error *err)
{
    if (checks_validate(run, err) < 0 || find_workspace(run, err) < 0 || find_base(run, err) < 0 ||
        find_application(run, err) < 0)
        return -1;
    reading_start(run);
    find_commit(run);
    if (run->result.commit[0])
        log_info("commit %s", run->result.commit);
    return 0;
}

const struct stage stage_prepare = {.name = "prepare",
                                    .title = "Read the checkout",
                                    .wanted = NULL,
                                    .only_looks = true,
                                    .run = prepare,
                                    .undo = NULL};
