#include "stages/newer.h"

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"
#include "stages/ours.h"
#include "stages/record.h"

/* *ret_ours: the alias serves the version that this run has moved it to, or this run has not moved
 * it. */
static int look_at_alias(struct run *run, bool *ret_ours, struct error *err)
{
    CLEANUP(lambda_alias) struct lambda_alias now = {.routing = NULL};
    *ret_ours = true;
    if (!run->alias_touched)
        return 0;
    if (lambda_get_alias(&run->services.aws, run->inputs->function_name, run->inputs->alias, &now,
                         err) < 0)
        return -1;
    *ret_ours = text_equal(now.version, run->result.function.version);
    return 0;
}

static int look(struct run *run, bool *ret_ours, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function now = {.configuration = NULL};
    if (lambda_get_function(&run->services.aws, run->inputs->function_name, NULL, &now, err) < 0 ||
        look_at_alias(run, ret_ours, err) < 0)
        return -1;
    *ret_ours = *ret_ours && ours_is_still(run, &now);
    if (now.tags) {
        json_free(run->snapshot.tags);
        run->snapshot.tags = STEAL(now.tags);
    }
    return 0;
}

static bool yield_to(struct run *run, bool only_with_change)
{
    struct error err = ERROR_INIT;
    bool ours;
    if (look(run, &ours, &err) < 0) {
        log_debug("whether a newer run has the function is not known: %s", err.msg);
        return false;
    }
    return !(only_with_change && ours) && record_yield(run);
}

bool newer_yield_to_claim(struct run *run)
{
    return yield_to(run, false);
}

bool newer_yield_to_change(struct run *run)
{
    return yield_to(run, true);
}
