#include "stages/warm_up.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/task.h"
#include "services/probe.h"
#include "stages/health_try.h"

#define LOOK_MS 10

struct call {
    struct task task;
    struct health_try try;
    health_ask *ask;
    struct health health;
    int64_t limit_ms;
    int rc;
    struct error err;
    atomic_bool answered;
};

static void call_in_thread(void *context)
{
    struct call *call = context;
    call->rc = call->ask(&call->try, call->limit_ms, &call->err);
    atomic_store(&call->answered, true);
}

/* The next one goes out when this one is answered, or after the interval. */
static int await_turn(const struct call *call, int64_t interval_ms, struct error *err)
{
    int64_t end_ms = clock_now_ms() + interval_ms;
    while (!atomic_load(&call->answered) && clock_now_ms() < end_ms)
        if (!clock_sleep_ms(LOOK_MS))
            return error_set(err, ERROR_CANCELLED, "cancelled while the function was warmed up");
    return 0;
}

static int start_calls(struct run *run, struct call *calls, size_t *ret_started, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    for (size_t i = 0; i < (size_t)inputs->refresh_invocations; i++) {
        struct call *call = &calls[i];
        if (i > 0 && await_turn(call - 1, (int64_t)(inputs->refresh_interval_s * 1000), err) < 0)
            return -1;
        if (run_time_left(run, HEALTH_TRY_LIMIT_MS, &call->limit_ms, err) < 0)
            return -1;
        task_start(&call->task);
        *ret_started = i + 1;
    }
    return 0;
}

int warm_up_calls(struct run *run, int *ret_good, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    size_t count = (size_t)inputs->refresh_invocations, started = 0;
    CLEANUP_FREE char *url =
        inputs->health_url ? probe_join_url(inputs->health_url, inputs->health_path) : NULL;
    CLEANUP(redact) struct redact redact = REDACT_INIT; /* nothing of these answers is kept */
    struct call *calls = memory_new((count + 1) * sizeof *calls);
    int good = 0;
    for (size_t i = 0; i < count; i++) {
        struct call *call = &calls[i];
        call->task = (struct task)TASK(call_in_thread, call);
        call->ask = url ? health_ask_url : health_ask_by_invoking;
        call->health = (struct health){.checked = true};
        call->err = (struct error)ERROR_INIT;
        atomic_init(&call->answered, false);
        call->try = (struct health_try){.run = run,
                                        .qualifier = inputs->alias,
                                        .url = url,
                                        .event = inputs->health_payload,
                                        .redact = &redact,
                                        .health = &call->health};
    }
    int rc = start_calls(run, calls, &started, err);
    for (size_t i = 0; i < started; i++) {
        struct call *call = &calls[i];
        task_join(&call->task);
        if (rc == 0 && call->rc < 0) {
            *err = call->err;
            rc = -1;
        }
        good += call->health.good;
        health_release(&call->health);
    }
    free(calls);
    if (rc == 0)
        *ret_good = good;
    return rc;
}
