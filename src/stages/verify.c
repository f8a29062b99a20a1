/* The proof: the function that users meet answers as it should. */
#include "core/cleanup.h"
#include "core/log.h"
#include "stages/checks_run.h"
#include "stages/health.h"
#include "stages/journal.h"
#include "stages/stage.h"
#include "stages/warm_up.h"

static int warm_up(struct run *run, struct error *err)
{
    if (!run->result.changed || run->inputs->refresh_invocations == 0)
        return 0;
    int span = span_begin(&run->result.spans, run->span, "warm-up");
    int rc = warm_up_calls(run, &run->result.refreshed, err);
    span_end(&run->result.spans, span);
    if (rc < 0)
        return -1;
    log_info("warm-up: %d of %d calls answered well", run->result.refreshed,
             run->inputs->refresh_invocations);
    return 0;
}

static int verify(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    CLEANUP(health) struct health health = {.checked = false};
    int span = span_begin(&run->result.spans, run->span, "health");
    int rc = health_check(run, run->inputs->alias, &health, err);
    span_end(&run->result.spans, span);
    if (rc < 0)
        return -1;
    health_keep(run, &health);
    if (!health.checked) {
        log_warning("nothing was checked: give health-url or health-payload, so that a bad version "
                    "is noticed and undone");
    } else if (!health.good) {
        return error_set(err, ERROR_FAILED, "the function does not answer as it should: %s",
                         health.why);
    } else {
        log_info("health: good after %d %s", health.attempts,
                 health.attempts == 1 ? "try" : "tries");
        if (warm_up(run, err) < 0)
            return -1;
    }
    if (checks_run_always(run, err) < 0 || checks_run_storage(run, err) < 0)
        return -1;
    result->deployed = result->changed;
    journal_ended(run); /* a kill from here on undoes nothing */
    return 0;
}

const struct stage stage_verify = {
    .name = "verify", .title = "Verify", .wanted = NULL, .run = verify, .undo = NULL};
