#include "stages/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "model/outputs.h"
#include "model/summary.h"
#include "stages/journal.h"

#define WORTH_SAYING_MS 100
/* Room that is left to other steps' words in the same summary file. */
#define SUMMARY_BYTES (GITHUB_SUMMARY_MAX_BYTES - 4096)

/* The first problem counts; a second one is a warning. */
static void keep_problem(const struct error *err, struct error *problem)
{
    if (problem->kind == ERROR_NONE)
        *problem = *err;
    else
        log_warning("%s", err->msg);
}

static void write_outputs(const struct run *run, struct error *problem)
{
    struct error first = ERROR_INIT;
    size_t lost = 0;
    for (size_t i = 0; i < output_spec_count; i++) {
        CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(STRBUF_NO_CAP);
        output_specs[i].render(&run->result, &value);
        struct error err = ERROR_INIT;
        if (github_output(&run->services.github, output_specs[i].name, value.buf, &err) == 0)
            continue;
        if (lost++ == 0)
            first = err;
    }
    if (lost == 0)
        return;
    error_wrap(&first, "%zu of %zu outputs could not be written", lost, output_spec_count);
    keep_problem(&first, problem);
}

static void write_summary(const struct run *run, const struct inputs *inputs, struct error *problem)
{
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(GITHUB_SUMMARY_MAX_BYTES);
    struct error err = ERROR_INIT;
    summary_render(&run->result, inputs, SUMMARY_BYTES, &markdown);
    if (github_summary(&run->services.github, &markdown, &err) == 0)
        return;
    error_wrap(&err, "the summary could not be written");
    keep_problem(&err, problem);
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
    spans_hold(&result->spans);
    result->duration_ms = clock_now_ms() - result->spans.origin_ms;
    result_note_inputs(result, inputs);
    struct error problem = ERROR_INIT;
    write_outputs(run, &problem);
    write_summary(run, inputs, &problem);
    spans_let_go(&result->spans);
    if (problem.kind != ERROR_NONE)
        log_warning("%s", problem.msg);
}

static void take_back_early_summary(const struct run *run)
{
    struct error err = ERROR_INIT;
    if (run->reported_early &&
        github_summary_cut(&run->services.github, run->summary_bytes, &err) < 0)
        log_warning("the summary begins with what was written before the way back: %s", err.msg);
}

void report_help(enum inputs_ask ask)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    if (ask == INPUTS_HELP)
        inputs_help(&text);
    else
        strbuf_addstr(&text, "lambda-fastdeploy " VERSION "\n");
    fputs(text.buf, stdout);
}

void report_gate(const struct gate *gate)
{
    if (gate->action == GATE_NOTHING)
        log_info("Nothing to do: %s", gate->reason);
    else if (gate->action == GATE_PLAN)
        log_info("Only a plan: %s", gate->reason);
    else
        log_debug("gate: %s", gate->reason);
    log_debug("storage tests: %s", gate->storage_reason);
}

void report_stage_time(struct run *run)
{
    CLEANUP(strbuf) struct strbuf took = STRBUF_INIT(64);
    int64_t ms = span_ms(&run->result.spans, run->span);
    summary_add_duration(&took, ms);
    if (ms >= WORTH_SAYING_MS)
        log_info("took %s", took.buf);
}

static int json_fd = -1; /* standard output as it was, when --json is given */

int report_json_begin(struct error *err)
{
    json_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (json_fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return error_set_errno(err, "making room for --json on standard output");
    return 0;
}

int report_json_end(struct result *result)
{
    if (json_fd < 0)
        return 0;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    spans_hold(&result->spans);
    struct json *json = outputs_result(result);
    spans_let_go(&result->spans);
    json_print_pretty(json, &text);
    json_free(json);
    FILE *out = fdopen(json_fd, "w");
    bool is_good = out && fprintf(out, "%s\n", text.buf) > 0;
    is_good = (out ? fclose(out) : close(json_fd)) == 0 && is_good;
    json_fd = -1;
    if (!is_good)
        log_warning("the result could not be written as JSON: %s", strerror(errno));
    return is_good ? 0 : -1;
}

int report(struct run *run, const struct inputs *inputs, struct error *ret_problem)
{
    struct result *result = &run->result;
    cancel_shield_begin();
    journal_ended(run);
    spans_hold(&result->spans); /* outputs and summary say the same, whatever still runs */
    result->duration_ms = clock_now_ms() - result->spans.origin_ms;
    result->times = run->facts.function.times;
    result->deployments = run->facts.function.deployments;
    if (inputs)
        result_note_inputs(result, inputs);
    int code = result_exit_code(result);
    write_outputs(run, ret_problem);
    take_back_early_summary(run);
    write_summary(run, inputs, ret_problem);
    spans_let_go(&result->spans);
    say_verdict(result);
    cancel_shield_end();
    return code == 0 && ret_problem->kind != ERROR_NONE ? 1 : code;
}
