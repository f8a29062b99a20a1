#include "stages/health_try.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/http_event.h"
#include "services/probe.h"

#define PAYLOAD_SHOWN  200
#define BODY_MAX_BYTES 65536

/* The old version need not say what is expected of the new one. */
static const char *expected_text(const struct run *run)
{
    return run->restoring ? NULL : run->inputs->health_expect;
}

int health_ask_url(struct health_try *try, int64_t limit_ms, struct error *err)
{
    const struct probe probe = {.url = try->url,
                                .headers = &try->run->inputs->health_headers,
                                .expect_text = expected_text(try->run),
                                .timeout_ms = limit_ms};
    CLEANUP(probe_result) struct probe_result answer = PROBE_RESULT_INIT;
    if (probe_send(try->run->services.http, &probe, &answer, err) < 0)
        return -1;
    try->health->good = answer.good;
    snprintf(try->health->why, sizeof try->health->why, "%s", answer.why);
    redact_in_place(try->redact, try->health->why, sizeof try->health->why);
    return 0;
}

/* 409, and a name that boto/boto3#3788 reports. */
static bool says_it_is_waking(const struct error *err)
{
    return err->kind == ERROR_CONFLICT || text_equal(err->name, "CodeArtifactUserPendingException");
}

/* An error of AWS's own about the invocation is a bad answer; a missing permission or a cancel ends
 * the asking. */
static int invocation_failed(struct health_try *try, struct error *err)
{
    if (err->kind == ERROR_CANCELLED || err->kind == ERROR_DENIED ||
        err->kind == ERROR_UNAUTHORIZED)
        return error_wrap(err, "invoking the function");
    try->is_waking = says_it_is_waking(err);
    snprintf(try->health->why, sizeof try->health->why, "%s", err->msg);
    redact_in_place(try->redact, try->health->why, sizeof try->health->why);
    error_reset(err);
    return 0;
}

/* Why it is bad, and the beginning of the answer, without its secrets. */
static void explain(struct health_try *try, const char *payload, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void explain(struct health_try *try, const char *payload, const char *fmt, ...)
{
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    char *why = try->health->why;
    size_t size = sizeof try->health->why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, size, fmt, ap);
    va_end(ap);
    size_t used = strlen(why);
    redact_text(try->redact, payload, strlen(payload), &shown);
    snprintf(why + used, size - used, ": %.*s", PAYLOAD_SHOWN, shown.buf);
}

static void judge_payload(struct health_try *try, const char *payload)
{
    const char *expect = expected_text(try->run);
    if (expect && !strstr(payload, expect))
        explain(try, payload, "the answer does not hold \"%.100s\"", expect);
    else
        try->health->good = true;
}

/* An HTTP event's answer is judged as its user would: by status and body. */
static void judge_http_payload(struct health_try *try, const char *payload, size_t len)
{
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(BODY_MAX_BYTES);
    int status = 0;
    if (http_event_read(payload, len, &status, &body, &err) < 0)
        snprintf(try->health->why, sizeof try->health->why, "%s", err.msg);
    else if (status < 200 || status > 299)
        explain(try, body.buf, "answered %d", status);
    else
        judge_payload(try, body.buf);
}

void health_keep_log(struct health_try *try, const char *tail)
{
    struct health *health = try->health;
    free(health->log_tail);
    health->log_tail = NULL;
    if (health->good || !tail)
        return;
    struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    redact_text(try->redact, tail, strlen(tail), &shown);
    health->log_tail = strbuf_detach(&shown);
}

int health_ask_by_invoking(struct health_try *try, int64_t limit_ms, struct error *err)
{
    struct health *health = try->health;
    CLEANUP(lambda_invocation) struct lambda_invocation answer = {.payload = NULL};
    health->good = try->is_waking = false;
    if (lambda_invoke(&try->run->services.aws, try->run->inputs->function_name, try->qualifier,
                      try->event, strlen(try->event), limit_ms, &answer, err) < 0)
        return invocation_failed(try, err);
    const char *payload = answer.payload ? answer.payload : "";
    if (answer.function_error[0])
        explain(try, payload, "the function failed (%s)", answer.function_error);
    else if (try->is_http)
        judge_http_payload(try, payload, answer.payload_len);
    else
        judge_payload(try, payload);
    health_keep_log(try, answer.log_tail);
    return 0;
}
