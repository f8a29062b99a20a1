/*
 * result.h: what the run found and did. Each stage writes only its own slot; outputs, summary and
 * exit code are read from here.
 *
 * Plain values; texts of strangers are in it as they came, and are made harmless where they are
 * shown.
 */
#ifndef MODEL_RESULT_H
#define MODEL_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/span.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "model/facts.h"
#include "model/inputs.h"
#include "model/plan.h"

enum outcome {
    OUTCOME_UNDECIDED = 0,
    OUTCOME_DEPLOYED, /* the function was changed and verified (or the base was built, for `base`)
                       */
    OUTCOME_NOTHING_TO_DO, /* all was as it should be */
    OUTCOME_NOT_ASKED,     /* the gate: this event asks for nothing */
    OUTCOME_PLANNED,
    OUTCOME_SUPERSEDED, /* a newer run has the function */
    OUTCOME_BAD_INPUT,  /* exit 2 */
    OUTCOME_FAILED,     /* exit 1: nothing was changed, or all was put back, or on-failure: keep */
    OUTCOME_NEEDS_PERSON, /* exit 3 */
    OUTCOME_CANCELLED     /* exit 130 or 143 */
};

struct build_step_result {
    char *name; /* owned */
    bool cached, failed;
    int64_t ms;
};

struct image_result {
    enum image_action action;
    char status[16]; /* base: found, built, adopted, none; image: built, reused; "" not reached */
    char reason[REASON_SIZE];
    char uri[600];        /* repository@digest */
    char repository[300]; /* registry/name */
    char digest[DIGEST_SIZE];
    char tag[TAG_SIZE];
    char identity[65];
    int64_t size_bytes;              /* compressed, as the manifest says; 0: not known */
    int64_t pushed_bytes;            /* 0: nothing built, or not known */
    size_t files;                    /* of the context that count */
    struct build_step_result *steps; /* owned; only when built */
    size_t step_count, cached_count;
    char lost_cache[200]; /* the first step that was cached last time and is not now, or "" */
};

struct check_result {
    char *line; /* owned; as written */
    bool good;
    int status;
    char why[512]; /* when it is not good */
    int64_t ms;
};

struct check_results {
    struct check_result *items; /* owned */
    size_t len;
};

struct result {
    enum outcome outcome;
    int signal;           /* that cancelled us, or 0 */
    struct error failure; /* the first error; kind NONE: all is well */
    char failed_stage[40];
    char failed_title[80]; /* as the log and the timing tree name it; "" before the first stage */
    char failed_file[300]; /* within the workspace; "": no place is known */
    int failed_line;
    char remedy[4096]; /* what to do now; "" none; holds exact commands when a person is needed */
    struct strbuf
        evidence; /* a failed step's last lines, the function's log tail; a stranger's text */

    char command[16];
    char gate_reason[REASON_SIZE];
    char credentials_source[96], account[16], region[32];
    char commit[64], ref[256], repository[256], run_number[24], run_url[512];

    struct image_result base, image;

    struct {
        char name[160], arn[320], alias[132], alias_arn[400];
        char version[24], previous_version[24];
        char previous_digest[DIGEST_SIZE];
        bool created, code_changed;
        struct strvec
            configuration_changes; /* "memory-size: 128 → 256", "environment: +KEY, ~KEY" */
        enum function_action action;
        char reason[REASON_SIZE];
        char
            alias_plan[REASON_SIZE]; /* what a deployment would do with the alias; only by `plan` */
    } function;

    struct {             /* what `status` has seen; "" and 0: not looked for, or not known */
        char state[120]; /* of the function, in words */
        char serves[64]; /* what the alias names */
        char
            verified[40]; /* what passed verification last: a version, or an image's identity tag */
        int64_t verified_run;
        bool drifted; /* what serves now is another one */
        char caches[400];
    } look;
    struct {
        char status[16]; /* ok, failed, not-checked; "" not reached */
        char target[16]; /* "url", "invoke" */
        int attempts;
        int64_t ms;    /* from the first try to the good answer */
        char why[512]; /* the last bad answer */
    } health;
    int refreshed; /* refresh invocations that were answered well */
    struct check_results checks, storage_checks;
    bool storage_run;
    char storage_reason[REASON_SIZE];

    bool changed;  /* something in AWS that serves users was changed by this run */
    bool deployed; /* at the end the function serves this commit because of this run */
    bool rolled_back;
    char restored[512]; /* what was put back, one sentence; "" nothing */

    int64_t started_wall_s;
    int64_t duration_ms;
    struct times times;          /* of the deployments before this one */
    struct deployed deployments; /* which they were */
    int64_t baseline_ms;         /* what a deployment took before; 0: not told */
    double minute_price_usd, storage_price_usd;
    struct spans spans;
};

void result_init(struct result *result);
/* What the report needs of the inputs: the command's name, baseline and prices. */
void result_note_inputs(struct result *result, const struct inputs *inputs);
void result_release(struct result *result);

/* By outcome (and signal). */
int result_exit_code(const struct result *result);
/* "deployed", "nothing to do", "failed"… for people. */
const char *outcome_name(enum outcome outcome);

/* A check's result, appended. `line` and `why` are copied. */
void check_results_add(struct check_results *results, const char *line, bool good, int status,
                       const char *why, int64_t ms);

#endif
