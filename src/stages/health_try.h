/*
 * health_try.h: the function asked once, and its answer judged. How often and how long is
 * health.h's matter; the warm-up's calls are tries as well.
 *
 * A function or version that nobody has called for weeks is Inactive. The first invocation fails,
 * and Lambda makes it ready for the next ones, which takes up to minutes: `is_waking` says that so
 * it is. (docs.aws.amazon.com/lambda/latest/dg/functions-states.html)
 *
 * Errors (-1): cancelled, the deadline, no permission. Any answer, and none at all, is a verdict:
 * `health->good` and `health->why`, in which the texts of `redact` are hidden.
 */
#ifndef STAGES_HEALTH_TRY_H
#define STAGES_HEALTH_TRY_H

#include "model/redact.h"
#include "stages/health.h"

#define HEALTH_TRY_LIMIT_MS 30000

struct health_try { /* all borrowed */
    struct run *run;
    const char *qualifier;       /* NULL: $LATEST */
    char *url;                   /* NULL: not by URL */
    const char *event;           /* NULL: not by invoking */
    bool is_http;                /* the event is an HTTP request's */
    const struct redact *redact; /* what answers and logs must not show */
    struct health *health;       /* the verdict; its log_tail is the caller's to release */
    bool is_waking;              /* set by a try */
};

/* Takes at most `limit_ms`. */
typedef int health_ask(struct health_try *try, int64_t limit_ms, struct error *err);
health_ask health_ask_url;
health_ask health_ask_by_invoking; /* keeps the log that comes with a bad answer */

/* The end of the function's log, for the report. Kept without secrets, and only of a bad try. */
void health_keep_log(struct health_try *try, const char *tail);

#endif
