#include "stages/report.h"

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "model/outputs.h"
#include "model/summary.h"
#include "stages/journal.h"

/* Room that is left to other steps' words in the same summary file. */
#define SUMMARY_BYTES (GITHUB_SUMMARY_MAX_BYTES - 4096)

static int write_outputs(const struct run *run)
{
    int rc = 0;
    for (size_t i = 0; i < output_spec_count; i++) {
        CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(STRBUF_NO_CAP);
        output_specs[i].render(&run->result, &value);
        struct error err = ERROR_INIT;
        if (github_output(&run->services.github, output_specs[i].name, value.buf, &err) < 0) {
            log_warning("the output %s could not be written: %s", output_specs[i].name, err.msg);
            rc = -1;
        }
    }
    return rc;
}

static int write_summary(const struct run *run, const struct inputs *inputs)
{
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(GITHUB_SUMMARY_MAX_BYTES);
    struct error err = ERROR_INIT;
    summary_render(&run->result, inputs, SUMMARY_BYTES, &markdown);
    if (github_summary(&run->services.github, &markdown, &err) < 0) {
        log_warning("the summary could not be written: %s", err.msg);
        return -1;
    }
    return 0;
}

static void say_verdict(const struct result *result)
{
    CLEANUP(strbuf) struct strbuf took = STRBUF_INIT(64);
    summary_add_duration(&took, result->duration_ms);
    log_info("lambda-fastdeploy: %s after %s", outcome_name(result->outcome), took.buf);
}

void report_early(struct run *run, const struct inputs *inputs)
{
    struct result *result = &run->result;
    run->summary_bytes = github_summary_length(&run->services.github);
    run->reported_early = true;
    result->duration_ms = clock_now_ms() - result->spans.origin_ms;
    result_note_inputs(result, inputs);
    write_outputs(run);
    write_summary(run, inputs);
}

static void take_back_early_summary(const struct run *run)
{
    struct error err = ERROR_INIT;
    if (run->reported_early &&
        github_summary_cut(&run->services.github, run->summary_bytes, &err) < 0)
        log_warning("the summary begins with what was written before the way back: %s", err.msg);
}

int report(struct run *run, const struct inputs *inputs)
{
    struct result *result = &run->result;
    cancel_shield_begin();
    if (result->changed || run->code_touched || run->configuration_touched || run->alias_touched)
        journal_ended(run);
    result->duration_ms = clock_now_ms() - result->spans.origin_ms;
    result->times = run->facts.function.times;
    result->deployments = run->facts.function.deployments;
    if (inputs)
        result_note_inputs(result, inputs);
    int code = result_exit_code(result);
    if (write_outputs(run) < 0 && code == 0)
        code = 1;
    take_back_early_summary(run);
    if (write_summary(run, inputs) < 0 && code == 0)
        code = 1;
    say_verdict(result);
    cancel_shield_end();
    return code;
}
