#include "stages/checks_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/memory.h"
#include "model/checks.h"
#include "services/probe.h"
#include "stages/place.h"
#include "stages/secrets.h"

#define CHECK_LIMIT_MS 30000
#define BODY_MAX_BYTES ((size_t)1 << 20)
#define URL_MAX_BYTES  16384

struct check_run { /* one list of checks on its way */
    struct run *run;
    const char *input_name;
    const struct checks *checks;
    struct json **answers; /* owned; one a check; NULL where it was not JSON */
    struct check_results *results;
    struct redact redact; /* what answers must not show */
    int span;
};

static int validate(const struct run *run, const char *input_name, const char *lines,
                    struct error *err)
{
    CLEANUP(checks) struct checks checks = {.items = NULL};
    if (checks_parse(input_name, lines, &checks, err) < 0)
        return -1;
    if (checks.len > 0 && !run->inputs->health_url)
        return error_set(err, ERROR_INPUT, "%s needs health-url: that is where the checks are sent",
                         input_name);
    return 0;
}

int checks_validate(const struct run *run, struct error *err)
{
    if (validate(run, "checks", run->inputs->checks, err) < 0)
        return -1;
    return validate(run, "storage-checks", run->inputs->storage_checks, err);
}

/*
 * Values of earlier answers into path and body; what cannot be filled in makes the check a bad one.
 */
static int fill_in(const struct check_run *list, size_t index, struct strbuf *ret_path,
                   struct strbuf *ret_body, struct error *err)
{
    const struct check *check = &list->checks->items[index];
    const struct json *const *answers = (const struct json *const *)list->answers;
    if (checks_substitute(check->path, answers, index, false, ret_path, err) < 0)
        return -1;
    return check->body ? checks_substitute(check->body, answers, index, true, ret_body, err) : 0;
}

static void keep_answer(struct check_run *list, size_t index, const struct strbuf *body)
{
    struct error ignored = ERROR_INIT; /* an answer that is not JSON has no values to give */
    if (body->len > 0 && json_parse(body->buf, body->len, &list->answers[index], &ignored) < 0)
        list->answers[index] = NULL;
}

static int send_check(struct check_run *list, size_t index, struct probe_result *answer,
                      struct error *err)
{
    const struct check *check = &list->checks->items[index];
    const struct inputs *inputs = list->run->inputs;
    CLEANUP(strbuf)
    struct strbuf path = STRBUF_INIT(URL_MAX_BYTES), body = STRBUF_INIT(BODY_MAX_BYTES);
    struct error local = ERROR_INIT;
    if (fill_in(list, index, &path, &body, &local) < 0) {
        snprintf(answer->why, sizeof answer->why, "%.500s", local.msg);
        return 0;
    }
    int64_t timeout_ms;
    if (run_time_left(list->run, CHECK_LIMIT_MS, &timeout_ms, err) < 0)
        return -1;
    CLEANUP_FREE char *url = probe_join_url(inputs->health_url, path.buf);
    const struct probe probe = {.method = check->method,
                                .url = url,
                                .body = check->body ? body.buf : NULL,
                                .headers = &inputs->health_headers,
                                .expect_status = check->status,
                                .expect_text = check->expect,
                                .timeout_ms = timeout_ms};
    return probe_send(list->run->services.http, &probe, answer, err);
}

static int run_check(struct check_run *list, size_t index, struct error *err)
{
    const struct check *check = &list->checks->items[index];
    CLEANUP(probe_result) struct probe_result answer = PROBE_RESULT_INIT;
    int span =
        span_begin(&list->run->result.spans, list->span, "%s %s", check->method, check->path);
    int rc = send_check(list, index, &answer, err);
    span_end(&list->run->result.spans, span);
    if (rc < 0)
        return error_wrap(err, "%s:%d", list->input_name, check->line_number);
    redact_in_place(&list->redact, answer.why, sizeof answer.why);
    check_results_add(list->results, check->line, answer.good, answer.status, answer.why,
                      answer.elapsed_ms);
    if (!answer.good) {
        place_failure_in_workflow(list->run, check->line);
        return error_set(err, ERROR_FAILED, "%s:%d: %s %s: %s", list->input_name,
                         check->line_number, check->method, check->path, answer.why);
    }
    keep_answer(list, index, &answer.body);
    log_info("ok: %s %s answered %d after %lld ms", check->method, check->path, answer.status,
             (long long)answer.elapsed_ms);
    return 0;
}

static int run_list(struct run *run, const char *input_name, const char *title, const char *lines,
                    struct check_results *results, struct error *err)
{
    CLEANUP(checks) struct checks checks = {.items = NULL};
    if (checks_parse(input_name, lines, &checks, err) < 0)
        return -1;
    if (checks.len == 0)
        return 0;
    struct check_run list = {
        .run = run, .input_name = input_name, .checks = &checks, .results = results};
    secrets_collect(run, &list.redact);
    list.answers = memory_new((checks.len + 1) * sizeof *list.answers);
    list.span = span_begin(&run->result.spans, run->span, "%s", title);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < checks.len; i++)
        rc = run_check(&list, i, err);
    span_end(&run->result.spans, list.span);
    for (size_t i = 0; i < checks.len; i++)
        json_free(list.answers[i]);
    free(list.answers);
    redact_release(&list.redact);
    return rc;
}

int checks_run_always(struct run *run, struct error *err)
{
    return run_list(run, "checks", "checks", run->inputs->checks, &run->result.checks, err);
}

int checks_run_storage(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    log_info("storage tests %s: %s", run->gate->storage_tests ? "run" : "are skipped",
             run->gate->storage_reason);
    if (!run->gate->storage_tests)
        return 0;
    result->storage_run = true;
    return run_list(run, "storage-checks", "storage tests", run->inputs->storage_checks,
                    &result->storage_checks, err);
}
