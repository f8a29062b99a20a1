/*
 * health.h: does the function answer as it should? By its URL, or by invoking it. Shared by verify
 * and by the way back.
 *
 * cold-start-wait bounds the time in which the first good answer is awaited, asking all along; then
 * come health-retries tries, each at most 30 s long, health-interval apart. No fixed sleeps: the
 * first good answer ends it. While Lambda wakes what was idle for weeks it is waited for besides.
 */
#ifndef STAGES_HEALTH_H
#define STAGES_HEALTH_H

#include "stages/stage.h"

struct health {
    bool checked; /* false: neither health-url nor health-payload is given */
    bool good;
    const char *target; /* "url", "invoke" */
    int attempts;
    int64_t ms;
    char why[512];
    char *log_tail; /* owned; of the last bad invocation; NULL: none */
};
void health_release(struct health *health);

/* What users meet: by invoking `qualifier` (NULL: $LATEST) with health-payload, and by health-url.
 * 0 whenever there is a verdict. -1: cancelled, the deadline, or not permitted. */
int health_check(struct run *run, const char *qualifier, struct health *ret_health,
                 struct error *err);

/*
 * Where nothing is to be changed as far as is known: ask once, in a thread of its own, beside the
 * claim. A good answer is what health_check gives later if the run has really changed nothing;
 * after a change, or a bad answer, it asks anew. Does nothing where nothing is checked.
 */
void health_ask_ahead(struct run *run);
void health_ahead_join(struct run *run);
void health_ahead_free(struct run *run);

/*
 * One version, by invoking it, before any user meets it: with health-payload, or, if only
 * health-url is given, with the event that API Gateway would make of a GET of health-path.
 */
int health_check_version(struct run *run, const char *version, struct health *ret_health,
                         struct error *err);

/* The verdict into the result. */
void health_keep(struct run *run, const struct health *health);

#endif
