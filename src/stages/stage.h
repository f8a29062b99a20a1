/*
 * stage.h: one step of the pipeline, and what all of them share.
 *
 * Data goes one way: inputs + event → facts → plan → stages → result → report. A stage reads
 * inputs, facts and the slots of the stages before it; it writes the facts it is there for and its
 * own slot of the result, and logs. app.c runs them in the order of one table.
 */
#ifndef STAGES_STAGE_H
#define STAGES_STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/task.h"
#include "model/cached_steps.h"
#include "model/event.h"
#include "model/facts.h"
#include "model/gate.h"
#include "model/inputs.h"
#include "model/redact.h"
#include "model/result.h"
#include "services/aws.h"
#include "services/buildx.h"
#include "services/credentials.h"
#include "services/docker.h"
#include "services/ecr.h"
#include "services/github.h"
#include "services/lambda.h"
#include "services/registry.h"

/* Making the builder ready, beside other work (stages/builder.h). */
struct builder_start {
    struct task task;
    const char *platform; /* borrowed; what it must be able to build for */
    int64_t end_ms;       /* clock_now_ms() at which the run ends, as it was at the beginning */
    char text[200];       /* which builder it is, for the log */
    struct error failure; /* ERROR_NONE: it is ready */
    int span;             /* beside the way */
    bool is_native;       /* it builds for the processor that the engine runs on */
    bool begun, told;     /* `told`: the text is in the log */
};
/* What no line of the log may hold (stages/secrets.h). */
struct known_secrets {
    pthread_mutex_t lock;
    struct redact redact; /* under lock */
};

struct reading;      /* stages/reading.h */
struct health_ahead; /* stages/health.h */
struct side_build;   /* stages/side_build.h */

struct services {
    struct github github;
    struct http *http;         /* owned */
    int64_t exchange_limit_ms; /* how long any one HTTP exchange may take; 0: each has a limit of
                                  its own */
    struct credentials_chain credentials;
    struct aws aws;
    struct aws base_aws; /* the base repository's region, when it is another one */
    struct ecr_login
        login; /* of our registry; filled in by images_login, when something asks for it */
    struct ecr_login base_login; /* of the base's registry, when it is another one */
    struct docker docker;
    struct buildx buildx; /* filled in by builder_start, when something is to be built */
    bool buildx_ready;
    char builder[128];   /* its name; "": the engine's own */
    bool builder_caches; /* it can export caches */
    struct builder_start
        builder_start; /* builder.c's own; nobody else reads the four above before it has ended */
    bool aws_ready, base_aws_ready, credentials_ready; /* what app.c must release */
};

/* The files of the user's checkout, absolute, symlinks resolved, all inside of the workspace.
 * Owned. */
struct run_paths {
    char *workspace;
    char *base_file, *base_context; /* NULL: no base */
    char *file, *context;
    const char *file_name; /* borrowed; as the user knows it: "Dockerfile.lambda" */
};

struct run {
    const char *const *environ;  /* borrowed */
    const struct inputs *inputs; /* borrowed */
    const struct event *event;   /* borrowed */
    const struct gate *gate;     /* borrowed */
    struct known_secrets known_secrets;
    struct run_paths paths;
    char *temp_folder;   /* owned; 0700, removed at the end; NULL until somebody needs one
                            (run_temp_folder) */
    int64_t deadline_ms; /* clock_now_ms() at which the whole run ends; set by run_set_deadline */
    struct services services;
    struct reading *reading;           /* owned; NULL: none was begun */
    struct health_ahead *health_ahead; /* owned; NULL: nothing was asked ahead */
    struct side_build *side_builds;    /* owned; a list; NULL: none was begun */
    struct facts facts;
    struct lambda_function snapshot;  /* the function as the last look found it */
    int64_t looked_ms;                /* clock_now_ms() of that look */
    struct lambda_function before;    /* the function before our first change (stages/ours.h) */
    struct lambda_function left;      /* the function as our last change has left it */
    struct lambda_alias alias_before; /* the alias before our first change of it */
    struct json *alias_configuration; /* owned; of the version that the alias serves; NULL: none */
    char shifted_revision_id[64];     /* of the alias after we have moved it */
    bool configuration_touched, code_touched,
        alias_touched;        /* we have asked for it to be changed, and it may have been */
    bool configuration_waits; /* the function takes no configuration before it has new code */
    struct json *configuration_before; /* owned; the members that we have changed, as they were;
                                          NULL: none */
    struct strvec configuration_lost; /* those of them whose values before our change are not known:
                                         no way back to them */
    bool restoring;                   /* we are on the way back: what answers is the old version */
    bool way_back_missing;            /* the image before our change is gone from ECR */
    bool image_tags_wait;             /* the image gets its tags only after Lambda has taken it */
    bool image_is_gzip;               /* it was exported with gzip after Lambda had refused it */
    bool is_journaled;       /* what /cleanup would put back is written down (stages/journal.h) */
    bool way_back_broke_off; /* at an error that passes: it may succeed in a moment */
    bool cannot_tag;         /* the function may not be tagged; said once */
    /* which steps of the builds were cached, remembered at the end; "": not built, or without a
     * cache */
    char cached_steps[CACHED_STEPS_SIZE], cached_base_steps[CACHED_STEPS_SIZE];
    char rollback_target[40]; /* the version or identity tag that a rollback goes back to */
    struct result result;
    int span;             /* of the stage that runs */
    bool reported_early;  /* outputs and summary are written already (stages/report.h) */
    size_t summary_bytes; /* what was in the summary's file before that */
};

struct stage {
    const char *name;  /* "survey": in the result */
    const char *title; /* "Look at what is there": the log group and the timing tree */
    bool (*wanted)(const struct run *run); /* NULL: always */
    bool only_looks; /* nothing was tried yet when it fails: bad input is exit 2 */
    bool closes;     /* after the proof: it is not skipped by a cancel, and its failure is a warning
                        that undoes nothing */
    int (*run)(struct run *run, struct error *err);
    /* Put back what this stage changed; called in reverse order after a later failure, only for
     * stages that were begun. NULL: nothing to put back. */
    int (*undo)(struct run *run, struct error *err);
    /* The commands by which a person would do what `undo` does, by restore_remedy; without asking
     * anybody. NULL where undo is NULL. */
    void (*say_way_back)(struct run *run);
};

extern const struct stage stage_prepare, stage_identify, stage_survey, stage_plan, stage_preflight,
    stage_publish, stage_shift, stage_configure, stage_configure_late, stage_rollback,
    stage_rollback_begin, stage_rolled_back, stage_status, stage_base_image, stage_release,
    stage_verify;

/* Time left of the whole run, at most `limit_ms`, at least 1; ERROR_TIMEOUT when there is none. */
int run_time_left(const struct run *run, int64_t limit_ms, int64_t *ret_ms, struct error *err);
/* Processes, waits and HTTP alike end then. */
void run_set_deadline(struct run *run, int64_t deadline_ms);
/* At least so much time from now on: for putting back, and for what follows the proof. */
void run_give_time(struct run *run, int64_t ms);
/* Make run->temp_folder if it is not there yet. */
int run_temp_folder(struct run *run, struct error *err);
/* Everything that it owns, and the temporary folder. */
void run_release(struct run *run);
/* The image platform of this run: the input's, else the function's, else Lambda's default. Never
 * NULL. */
const char *run_platform(const struct run *run);

#endif
