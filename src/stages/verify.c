/* The proof: the function that users meet answers as it should. */
#include <stdio.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "stages/health.h"
#include "stages/stage.h"

static void keep_health(struct result *result, const struct health *health)
{
    snprintf(result->health.status, sizeof result->health.status, "%s",
             !health->checked ? "not-checked"
             : health->good   ? "ok"
                              : "failed");
    snprintf(result->health.target, sizeof result->health.target, "%s",
             health->target ? health->target : "");
    result->health.attempts = health->attempts;
    result->health.ms = health->ms;
    snprintf(result->health.why, sizeof result->health.why, "%s", health->good ? "" : health->why);
    if (health->log_tail)
        strbuf_addstr(&result->evidence, health->log_tail);
}

static int warm_up(struct run *run, struct error *err)
{
    if (!run->result.changed || run->inputs->refresh_invocations == 0)
        return 0;
    if (health_refresh(run, &run->result.refreshed, err) < 0)
        return -1;
    log_info("warm-up: %d of %d calls answered well", run->result.refreshed,
             run->inputs->refresh_invocations);
    return 0;
}

static int verify(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    CLEANUP(health) struct health health = {.checked = false};
    if (health_check(run, NULL, &health, err) < 0)
        return -1;
    keep_health(result, &health);
    if (!health.checked) {
        log_warning("nothing was checked: give health-url or health-payload, so that a bad version "
                    "is noticed and undone");
    } else if (!health.good) {
        return error_set(err, ERROR_FAILED,
                         "the function does not answer as it should (%d tries): %s",
                         health.attempts, health.why);
    } else {
        log_info("health: good after %d %s", health.attempts,
                 health.attempts == 1 ? "try" : "tries");
        if (warm_up(run, err) < 0)
            return -1;
    }
    result->deployed = result->function.code_changed || result->function.created;
    return 0;
}

const struct stage stage_verify = {
    .name = "verify", .title = "Verify", .wanted = NULL, .run = verify, .undo = NULL};
