#include "stages/restore.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "stages/health.h"

#define WAY_BACK_LIMIT_MS 1200000

static void append(char *place, size_t size, const char *separator, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

/*
 * What is appended is one line whatever is in it: a remedy's lines are commands that a person
 * copies, and an error's message is a stranger's text.
 */
static void append(char *place, size_t size, const char *separator, const char *fmt, va_list ap)
{
    size_t used = strlen(place);
    if (used > 0)
        used += (size_t)snprintf(place + used, size - used, "%s", separator);
    if (used >= size)
        return;
    vsnprintf(place + used, size - used, fmt, ap);
    for (char *at = place + used; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
}

void restore_begin(struct run *run)
{
    run->restoring = true;
    run_give_time(run, WAY_BACK_LIMIT_MS);
}

void restore_keep_alias(struct run *run, struct lambda_alias *found)
{
    struct lambda_alias *before = &run->alias_before;
    const char *kept_on = lambda_alias_kept_on(found);
    lambda_alias_release(before);
    *before = *found;
    if (kept_on) {
        snprintf(before->version, sizeof before->version, "%s", kept_on);
        before->routed = false;
        json_free(before->routing);
        before->routing = NULL;
    }
    found->routing = NULL;
}

void restore_note(struct run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(run->result.restored, sizeof run->result.restored, "; ", fmt, ap);
    va_end(ap);
}

void restore_remedy(struct run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(run->result.remedy, sizeof run->result.remedy, "\n", fmt, ap);
    va_end(ap);
}

/* What users met before: the alias if it was there. A new alias is gone again, and its URL with it:
 * then the function itself is invoked. */
static int check_health(struct run *run, struct health *ret_health, struct error *err)
{
    const char *alias = run->inputs->alias;
    bool alias_was_there = run->alias_before.version[0] != '\0';
    if (alias && !alias_was_there)
        return health_check_version(run, NULL, ret_health, err);
    return health_check(run, alias, ret_health, err);
}

/* What was there before does not answer either: that is nothing that putting back can mend. */
static void say_where_to_look(struct run *run)
{
    const char *name = run->inputs->function_name, *region = run->result.region;
    const char *group = json_get_string(run->before.configuration, "LoggingConfig.LogGroup");
    restore_remedy(run, "# everything is as it was before this run, and that does not answer as it "
                        "should: its log says why");
    if (group)
        restore_remedy(run, "aws logs tail --region %s --since 30m %s", region, group);
    else
        restore_remedy(run, "aws logs tail --region %s --since 30m /aws/lambda/%s", region,
                       run->before.name[0] ? run->before.name : name);
    restore_remedy(run, "# then deploy a commit that answers, or go further back:");
    restore_remedy(run, "lambda-fastdeploy rollback --aws-region %s --function-name %s%s%s", region,
                   name, run->inputs->alias ? " --alias " : "",
                   run->inputs->alias ? run->inputs->alias : "");
}

int restore_verify(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    if (!result->restored[0] || result->function.created)
        return 0; /* nothing was there to be put back */
    CLEANUP(health) struct health health = {.checked = false};
    if (check_health(run, &health, err) < 0) {
        say_where_to_look(run);
        return error_wrap(err, "put back (%s), but not verified", result->restored);
    }
    result->rolled_back = true;
    if (health.checked && !health.good) {
        say_where_to_look(run);
        return error_set(err, ERROR_FAILED,
                         "put back, but the function does not answer as it should even so: %s",
                         health.why);
    }
    log_info("put back: %s%s", result->restored, health.checked ? "; the function answers" : "");
    return 0;
}
