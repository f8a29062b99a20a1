#include "stages/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/task.h"
#include "model/http_event.h"
#include "model/redact.h"
#include "services/logs.h"
#include "services/probe.h"
#include "stages/health_try.h"
#include "stages/secrets.h"
#include "stages/wait.h"

#define FIRST_PAUSE_MS   100
#define LONGEST_PAUSE_MS 1000
#define WAKE_LIMIT_MS    300000
#define LOG_MAX_BYTES    4096 /* as much as Invoke gives */

void health_release(struct health *health)
{
    free(health->log_tail);
    health->log_tail = NULL;
}

/* No try can be good before Lambda has made it ready. */
static int let_it_wake(struct health_try *try, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function awake = {.configuration = NULL};
    if (wait_settled(try->run, try->qualifier, WAKE_LIMIT_MS, &awake, err) == 0)
        return 0;
    if (err->kind == ERROR_CANCELLED)
        return -1;
    log_debug("%s", err->msg); /* what the next tries meet is the verdict */
    error_reset(err);
    return 0;
}

static int ask_once(struct health_try *try, health_ask *ask, struct error *err)
{
    int64_t limit_ms;
    if (run_time_left(try->run, HEALTH_TRY_LIMIT_MS, &limit_ms, err) < 0)
        return -1;
    try->health->attempts++;
    if (ask(try, limit_ms, err) < 0)
        return -1;
    if (!try->health->good)
        log_info("try %d: %s", try->health->attempts, try->health->why);
    return try->is_waking && !cancel_signal() ? let_it_wake(try, err) : 0;
}

static int pause_between(int64_t ms, struct error *err)
{
    return clock_sleep_ms(ms)
               ? 0
               : error_set(err, ERROR_CANCELLED, "cancelled while the function was checked");
}

static int ask_until_good(struct health_try *try, health_ask *ask, struct error *err)
{
    const struct inputs *inputs = try->run->inputs;
    struct health *health = try->health;
    int64_t cold_end_ms = clock_now_ms() + (int64_t)(inputs->cold_start_wait_s * 1000);
    int64_t pause_ms = FIRST_PAUSE_MS;
    do {
        if (ask_once(try, ask, err) < 0)
            return -1;
        if (health->good || cancel_signal())
            return 0; /* after a cancel there is no time for more than one try: the runner kills
                         within seconds */
        if (pause_between(pause_ms, err) < 0)
            return -1;
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    } while (clock_now_ms() < cold_end_ms);

    for (int i = 0; i < inputs->health_retries; i++) {
        if (i > 0 && pause_between((int64_t)(inputs->health_interval_s * 1000), err) < 0)
            return -1;
        if (ask_once(try, ask, err) < 0)
            return -1;
        if (health->good)
            return 0;
    }
    return 0;
}

/* Of a bad answer by URL there is no log with it: what CloudWatch Logs has since then, where that
 * may be read. */
static void fetch_log(struct health_try *try, int64_t since_s)
{
    struct run *run = try->run;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf group = STRBUF_INIT(STRBUF_NO_CAP);
    const char *named = json_get_string(run->snapshot.configuration, "LoggingConfig.LogGroup");
    if (try->health->good || try->health->log_tail)
        return;
    if (named)
        strbuf_addstr(&group, named);
    else
        strbuf_addf(&group, "/aws/lambda/%s", run->result.function.name);
    if (logs_read(&run->services.aws, group.buf, since_s * 1000, LOG_MAX_BYTES, &text, &err) < 0) {
        if (err.kind == ERROR_DENIED)
            log_info("the function's log would be shown here; %s", err.msg);
        else
            log_debug("no log of the function: %s", err.msg);
    } else if (text.len > 0)
        health_keep_log(try, text.buf);
}

/* ---- asking ahead ---- */

struct health_ahead {
    struct task task;
    struct health_try try;
    struct redact
        redact; /* made by the run's own thread: the claim's look replaces what it reads */
    struct health health;
    char *url; /* owned */
    int span;
    int rc; /* below 0: no verdict, health_check finds out why */
};

static int ask_ways(struct health_ahead *ahead, struct error *err)
{
    const struct inputs *inputs = ahead->try.run->inputs;
    if (inputs->health_payload) {
        ahead->health.target = "invoke";
        if (health_ask_by_invoking(&ahead->try, HEALTH_TRY_LIMIT_MS, err) < 0)
            return -1;
    }
    if (!inputs->health_url || (inputs->health_payload && !ahead->health.good))
        return 0;
    ahead->health.target = "url";
    return health_ask_url(&ahead->try, HEALTH_TRY_LIMIT_MS, err);
}

static void ask_in_thread(void *context)
{
    struct health_ahead *ahead = context;
    struct error ignored = ERROR_INIT;
    ahead->rc = ask_ways(ahead, &ignored);
    struct spans *spans = &ahead->try.run->result.spans;
    span_end(spans, ahead->span);
    ahead->health.ms = span_ms(spans, ahead->span);
}

void health_ask_ahead(struct run *run)
{
    const struct inputs *inputs = run->inputs;
    if (run->health_ahead || (!inputs->health_url && !inputs->health_payload))
        return;
    struct health_ahead *ahead = memory_new(sizeof *ahead);
    *ahead = (struct health_ahead){.task = TASK(ask_in_thread, ahead),
                                   .redact = REDACT_INIT,
                                   .health = {.checked = true, .attempts = 1}};
    if (inputs->health_url)
        ahead->url = probe_join_url(inputs->health_url, inputs->health_path);
    secrets_collect(run, &ahead->redact);
    ahead->try = (struct health_try){.run = run,
                                     .qualifier = inputs->alias,
                                     .url = ahead->url,
                                     .event = inputs->health_payload,
                                     .redact = &ahead->redact,
                                     .health = &ahead->health};
    run->health_ahead = ahead;
    ahead->span = span_begin(&run->result.spans, SPAN_NONE, "Ask for the health early");
    span_set_beside(&run->result.spans, ahead->span);
    task_start(&ahead->task);
}

void health_ahead_join(struct run *run)
{
    if (run->health_ahead)
        task_join(&run->health_ahead->task);
}

void health_ahead_free(struct run *run)
{
    struct health_ahead *ahead = run->health_ahead;
    if (!ahead)
        return;
    task_join(&ahead->task);
    health_release(&ahead->health);
    redact_release(&ahead->redact);
    free(ahead->url);
    free(ahead);
    run->health_ahead = NULL;
}

/* A good answer that came while the function was what it is now. */
static bool has_answered_ahead(const struct run *run)
{
    const struct health_ahead *ahead = run->health_ahead;
    return ahead && ahead->rc == 0 && ahead->health.good && !run->result.changed;
}

int health_check(struct run *run, const char *qualifier, struct health *ret_health,
                 struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct health health = {.checked = inputs->health_payload || inputs->health_url};
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    struct health_try try = {.run = run,
                             .qualifier = qualifier,
                             .event = inputs->health_payload,
                             .redact = &redact,
                             .health = &health};
    int64_t start_ms = clock_now_ms(), since_s = clock_wall_seconds();
    secrets_collect(run, &redact);
    int rc = 0;
    if (has_answered_ahead(run)) {
        *ret_health = run->health_ahead->health;
        ret_health->log_tail = NULL; /* there is none with a good answer */
        return 0;
    }
    if (inputs->health_payload) {
        health.target = "invoke";
        rc = ask_until_good(&try, health_ask_by_invoking, err);
    }
    if (rc == 0 && inputs->health_url && (health.good || !inputs->health_payload)) {
        CLEANUP_FREE char *url = probe_join_url(inputs->health_url, inputs->health_path);
        try.url = url;
        health.target = "url";
        health.good = false;
        rc = ask_until_good(&try, health_ask_url, err);
        if (rc == 0)
            fetch_log(&try, since_s);
    }
    if (rc < 0) {
        health_release(&health);
        return -1;
    }
    health.ms = clock_now_ms() - start_ms;
    *ret_health = health;
    return 0;
}

static void make_http_event(const struct run *run, struct strbuf *out)
{
    const struct inputs *inputs = run->inputs;
    const char *host = strstr(inputs->health_url, "://");
    host = host ? host + strlen("://") : inputs->health_url;
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(256);
    strbuf_add(&name, host, strcspn(host, "/:?"));
    char request_id[17];
    crypto_random_hex(request_id, sizeof request_id - 1);
    const struct http_event event = {.method = "GET",
                                     .path = inputs->health_path,
                                     .headers = &inputs->health_headers,
                                     .host = name.buf,
                                     .request_id = request_id,
                                     .wall_seconds = clock_wall_seconds()};
    http_event_make(&event, out);
}

int health_check_version(struct run *run, const char *version, struct health *ret_health,
                         struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct health health = {.checked = inputs->health_payload || inputs->health_url,
                            .target = "invoke"};
    struct strbuf event = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    struct health_try try = {.run = run,
                             .qualifier = version,
                             .is_http = !inputs->health_payload,
                             .redact = &redact,
                             .health = &health};
    int64_t start_ms = clock_now_ms();
    secrets_collect(run, &redact);
    int rc = 0;
    if (health.checked) {
        if (try.is_http)
            make_http_event(run, &event);
        try.event = try.is_http ? event.buf : inputs->health_payload;
        rc = ask_until_good(&try, health_ask_by_invoking, err);
    }
    strbuf_release_secret(&event); /* health-headers are in it */
    if (rc < 0) {
        health_release(&health);
        return -1;
    }
    health.ms = clock_now_ms() - start_ms;
    *ret_health = health;
    return 0;
}

void health_keep(struct run *run, const struct health *health)
{
    struct result *result = &run->result;
    snprintf(result->health.status, sizeof result->health.status, "%s",
             !health->checked ? "not-checked"
             : health->good   ? "ok"
                              : "failed");
    snprintf(result->health.target, sizeof result->health.target, "%s",
             health->target ? health->target : "");
    result->health.attempts = health->attempts;
    result->health.ms = health->ms;
    snprintf(result->health.why, sizeof result->health.why, "%s", health->good ? "" : health->why);
    if (!health->log_tail)
        return;
    strbuf_addstr(&result->evidence, health->log_tail);
    log_info("the function's own log ends with:");
    log_foreign(health->log_tail, strlen(health->log_tail));
}
