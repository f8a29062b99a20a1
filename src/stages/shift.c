/* The alias moves to the proven version, all at once; and the way back. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/restore.h"
#include "stages/stage.h"

#define SHIFT_TRIES 3

static bool is_wanted(const struct run *run)
{
    return run->inputs->alias && run->result.function.version[0] &&
           (!text_equal(run->facts.function.alias_version, run->result.function.version) ||
            run->facts.function.alias_routed);
}

static int move_alias(struct run *run, struct error *err)
{
    const struct function_facts *function = &run->facts.function;
    const char *name = run->inputs->function_name, *alias = run->inputs->alias;
    const char *version = run->result.function.version;
    CLEANUP(lambda_alias) struct lambda_alias moved = {.routing = NULL};
    int rc = function->alias_exists
                 ? lambda_update_alias(&run->services.aws, name, alias, version, NULL,
                                       function->alias_revision_id, &moved, err)
                 : lambda_create_alias(&run->services.aws, name, alias, version, &moved, err);
    if (rc == 0)
        snprintf(run->shifted_revision_id, sizeof run->shifted_revision_id, "%s",
                 moved.revision_id);
    return rc;
}

static bool may_have_arrived(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT || err->kind == ERROR_SERVER ||
           err->kind == ERROR_PROTOCOL;
}

/* The alias changed since we looked, or the answer was lost: what is there decides. */
static int look_again(struct run *run, const char *expected_version, bool *ret_done,
                      struct error *err)
{
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL};
    struct function_facts *function = &run->facts.function;
    if (lambda_get_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias, &now,
                         err) < 0)
        return error_wrap(err, "reading the alias %s", run->inputs->alias);
    *ret_done = text_equal(now.version, run->result.function.version) && !now.routed;
    if (*ret_done) {
        snprintf(run->shifted_revision_id, sizeof run->shifted_revision_id, "%s", now.revision_id);
        return 0;
    }
    if (!text_equal(now.version, expected_version))
        return error_set(err, ERROR_CONFLICT,
                         "somebody else has moved the alias %s to version %s meanwhile",
                         run->inputs->alias, now.version);
    function->alias_exists = true;
    snprintf(function->alias_revision_id, sizeof function->alias_revision_id, "%s",
             now.revision_id);
    return 0;
}

static int shift(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    const struct function_facts *function = &run->facts.function;
    char before[24];
    snprintf(before, sizeof before, "%s", function->alias_version);
    snprintf(result->function.previous_version, sizeof result->function.previous_version, "%s",
             before);
    bool done = false;
    for (int try = 1; !done; try++) {
        result->changed = run->alias_touched = true; /* before it can have arrived */
        if (move_alias(run, err) == 0)
            break;
        bool decide_again =
            err->kind == ERROR_CONFLICT || err->kind == ERROR_PRECONDITION || may_have_arrived(err);
        if (try == SHIFT_TRIES || !decide_again)
            return error_wrap(err, "moving the alias %s", run->inputs->alias);
        error_reset(err);
        if (look_again(run, before, &done, err) < 0)
            return -1;
    }
    log_info("the alias %s serves version %s%s%s", run->inputs->alias, result->function.version,
             before[0] ? ", before it " : "", before);
    return 0;
}

static int remove_new_alias(struct run *run, struct error *err)
{
    if (lambda_delete_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias,
                            err) < 0 &&
        err->kind != ERROR_NOT_FOUND)
        return error_wrap(err, "removing the new alias %s", run->inputs->alias);
    error_reset(err);
    return 0;
}

/* Only what still bears our RevisionId is put back. */
static int put_back(struct run *run, struct error *err)
{
    const char *before = run->result.function.previous_version;
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL}, moved = {.routing = NULL};
    if (!before[0])
        return remove_new_alias(run, err);
    if (lambda_get_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias, &now,
                         err) < 0)
        return error_wrap(err, "reading the alias %s", run->inputs->alias);
    if (text_equal(now.version, before))
        return 0;
    if (run->shifted_revision_id[0] && !text_equal(now.revision_id, run->shifted_revision_id))
        return error_set(err, ERROR_CONFLICT,
                         "somebody else has changed the alias %s since: it is left alone",
                         run->inputs->alias);
    if (lambda_update_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias,
                            before, run->alias_before.routing, now.revision_id, &moved, err) < 0)
        return error_wrap(err, "moving the alias %s back to version %s", run->inputs->alias,
                          before);
    return 0;
}

static int undo(struct run *run, struct error *err)
{
    if (!run->alias_touched)
        return 0;
    const char *alias = run->inputs->alias, *before = run->result.function.previous_version;
    if (put_back(run, err) == 0) {
        if (before[0])
            restore_note(run, "the alias %s serves version %s again", alias, before);
        else
            restore_note(run, "the alias %s, which was new, is removed", alias);
        return 0;
    }
    restore_remedy(
        run,
        "aws lambda update-alias --region %s --function-name %s --name %s --function-version %s",
        run->result.region, run->inputs->function_name, alias, before);
    return -1;
}

const struct stage stage_shift = {
    .name = "shift", .title = "Move the alias", .wanted = is_wanted, .run = shift, .undo = undo};
