#include <stdlib.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "model/plan.h"
#include "stages/builder.h"
#include "stages/health.h"
#include "stages/journal.h"
#include "stages/reading.h"
#include "stages/side_build.h"
#include "stages/stage.h"

#define DEFAULT_ARCHITECTURE "x86_64" /* Lambda's own, when nothing else is said */

int run_time_left(const struct run *run, int64_t limit_ms, int64_t *ret_ms, struct error *err)
{
    int64_t left_ms = run->deadline_ms - clock_now_ms();
    if (left_ms <= 0)
        return error_set(err, ERROR_TIMEOUT, "the deadline of %lld s for the whole run has passed",
                         (long long)(run->inputs->deadline_ms / 1000));
    *ret_ms = left_ms < limit_ms ? left_ms : limit_ms;
    return 0;
}

void run_set_deadline(struct run *run, int64_t deadline_ms)
{
    run->deadline_ms = deadline_ms;
    if (run->services.http)
        http_set_deadline(run->services.http, deadline_ms);
}

void run_give_time(struct run *run, int64_t ms)
{
    int64_t end_ms = clock_now_ms() + ms;
    if (run->deadline_ms < end_ms)
        run_set_deadline(run, end_ms);
}

int run_temp_folder(struct run *run, struct error *err)
{
    if (run->temp_folder)
        return 0;
    /* A runner before 2.329 names a folder of its host that is not there in a container. */
    const char *wanted = run->services.github.runner_temp;
    struct error ignored = ERROR_INIT;
    if ((!wanted || file_make_temp_folder(wanted, &run->temp_folder, &ignored) < 0) &&
        file_make_temp_folder(NULL, &run->temp_folder, err) < 0)
        return -1;
    journal_temp_folder(run);
    return 0;
}

const char *run_platform(const struct run *run)
{
    if (run->inputs->platform)
        return run->inputs->platform;
    const char *platform = plan_platform(run->facts.function.architecture);
    return platform ? platform : plan_platform(DEFAULT_ARCHITECTURE);
}

static void remove_temp_folder(struct run *run)
{
    struct error err = ERROR_INIT;
    if (!run->temp_folder)
        return;
    if (file_remove_tree(run->temp_folder, &err) < 0)
        log_warning("temporary files stay behind: %s", err.msg);
    free(run->temp_folder);
    run->temp_folder = NULL;
}

void run_release(struct run *run)
{
    side_builds_release(run); /* they use the builder */
    builder_release(run);
    reading_end(run);
    health_ahead_free(run);
    struct services *services = &run->services;
    ecr_login_release(&services->login);
    ecr_login_release(&services->base_login);
    if (services->base_aws_ready)
        aws_release(&services->base_aws);
    if (services->aws_ready)
        aws_release(&services->aws);
    if (services->credentials_ready)
        credentials_chain_release(&services->credentials);
    http_free(services->http);
    remove_temp_folder(run); /* behind the connections: each level of it takes a descriptor */
    free(run->paths.workspace);
    free(run->paths.base_file);
    free(run->paths.base_context);
    free(run->paths.file);
    free(run->paths.context);
    lambda_function_release(&run->snapshot);
    lambda_function_release(&run->before);
    lambda_function_release(&run->left);
    json_free(run->alias_configuration);
    lambda_alias_release(&run->alias_before);
    json_free(run->configuration_before);
    strvec_release(&run->configuration_lost);
    result_release(&run->result);
}
