#include "app.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/log.h"
#include "core/log_terminal.h"
#include "core/private.h"
#include "core/streams.h"
#include "core/text.h"
#include "failure.h"
#include "model/troubleshooting.h"
#include "services/git.h"
#include "stages/app_image.h"
#include "stages/builder.h"
#include "stages/cleanup.h"
#include "stages/health.h"
#include "stages/pulse.h"
#include "stages/reading.h"
#include "stages/record.h"
#include "stages/report.h"
#include "stages/secrets.h"
#include "stages/side_build.h"
#include "stages/stage.h"

#define MAX_STAGES       20
#define CLOSING_LIMIT_MS 60000 /* for what follows the proof, whatever the deadline says */

/* What each command runs, in order; with `plan_only` when nothing may be changed. The report always
 * follows. */
static const struct pipeline {
    enum command command;
    bool plan_only;
    const struct stage *stages[MAX_STAGES];
} pipelines[] = {
    {COMMAND_DEPLOY,
     false,
     {&stage_prepare, &stage_identify, &stage_survey, &stage_preflight, &stage_base_image,
      &stage_app_image, &stage_claim, &stage_configure, &stage_release, &stage_name_image,
      &stage_configure_late, &stage_publish, &stage_shift, &stage_verify, &stage_name_proved_image,
      &stage_record, NULL}},
    {COMMAND_DEPLOY, true, {&stage_prepare, &stage_identify, &stage_survey, &stage_plan, NULL}},
    {COMMAND_BASE,
     false,
     {&stage_prepare, &stage_identify, &stage_survey, &stage_base_image, NULL}},
    {COMMAND_BASE, true, {&stage_prepare, &stage_identify, &stage_survey, &stage_plan, NULL}},
    {COMMAND_ROLLBACK,
     false,
     {&stage_prepare, &stage_identify, &stage_survey, &stage_rollback, &stage_claim,
      &stage_rollback_begin, &stage_release, &stage_shift, &stage_verify, &stage_rolled_back,
      NULL}},
    {COMMAND_ROLLBACK,
     true,
     {&stage_prepare, &stage_identify, &stage_survey, &stage_rollback, NULL}},
    {COMMAND_STATUS, false, {&stage_prepare, &stage_identify, &stage_survey, &stage_status, NULL}},
};

struct app {
    struct inputs inputs;
    struct event event;
    struct gate gate;
    struct run run;
    bool has_inputs, has_event;
};

static void fail_before_start(struct app *app, const char *stage, const struct error *err)
{
    failure_remember(&app->run.result, stage, "", err);
    app->run.result.outcome = err->kind == ERROR_INPUT ? OUTCOME_BAD_INPUT : OUTCOME_FAILED;
    failure_say(&app->run, stage, err);
}

/* The commit of the working tree matters only where a stranger may have chosen it. */
static void checked_out_commit(const struct app *app, char **ret_commit)
{
    *ret_commit = NULL;
    if (app->event.kind != EVENT_PULL_REQUEST_TARGET && !app->event.from_fork)
        return;
    const char *workspace = app->run.services.github.workspace;
    struct error ignored = ERROR_INIT; /* not known: the gate then refuses, and says so */
    if (git_head(workspace ? workspace : ".", ret_commit, NULL, &ignored) < 0)
        *ret_commit = NULL;
}

static int read_event(struct app *app, struct error *err)
{
    struct github *github = &app->run.services.github;
    CLEANUP(strbuf) struct strbuf payload = STRBUF_INIT(GITHUB_PAYLOAD_MAX_BYTES);
    if (github_read_payload(github, &payload, err) < 0)
        return -1;
    bool there = payload.len > 0;
    if (event_parse(github->event_name, github->ref, github->sha, there ? payload.buf : NULL,
                    payload.len, &app->event, err) < 0)
        return -1;
    app->has_event = true;
    if (app->event.kind == EVENT_NONE && !app->event.message) {
        struct error ignored = ERROR_INIT; /* no repository here: there is no message to look at */
        if (git_head(github->workspace ? github->workspace : ".",
                     app->event.commit ? NULL : &app->event.commit, &app->event.message,
                     &ignored) < 0)
            log_debug("no commit to read here: %s", ignored.msg);
    }
    return 0;
}

/*
 * The inputs are not good: does the event ask for nothing at all, whatever they say? A pull request
 * from a fork has no secrets, and that is no mistake of anybody's: its explicit plan has nothing to
 * do then, either.
 */
static bool event_asks_for_nothing(struct app *app, int argc, const char *const *argv,
                                   const char *const *environment)
{
    CLEANUP(inputs) struct inputs intent = {.json = false};
    struct error ignored = ERROR_INIT; /* the inputs' own error is the one that is told */
    if (inputs_read_intent(argc, argv, environment, &intent, &ignored) < 0 ||
        read_event(app, &ignored) < 0)
        return false;
    struct gate gate = gate_decide(&intent, &app->event, NULL);
    gate_forgive_inputs(&gate);
    if (gate.action != GATE_NOTHING)
        return false;
    app->gate = gate;
    return true;
}

/* Inputs, event and gate: everything that needs no network. */
static int read_request(struct app *app, int argc, const char *const *argv,
                        const char *const *environment, enum inputs_ask *ret_ask, struct error *err)
{
    if (inputs_read(argc, argv, environment, &app->inputs, ret_ask, err) < 0) {
        if (err->kind != ERROR_INPUT || !event_asks_for_nothing(app, argc, argv, environment))
            return -1;
        if (app->gate.credentials_optional)
            log_info("the inputs: %s", err->msg); /* what the plan that was asked for lacks */
        else
            log_debug("the inputs are not looked at: %s", err->msg);
        error_reset(err);
        return 0;
    }
    if (*ret_ask != INPUTS_RUN)
        return 0;
    app->has_inputs = true;
    if (app->inputs.json && report_json_begin(err) < 0)
        return -1;
    secrets_tell_inputs(&app->run, &app->inputs);
    if (read_event(app, err) < 0)
        return -1;
    CLEANUP_FREE char *commit = NULL;
    checked_out_commit(app, &commit);
    app->gate = gate_decide(&app->inputs, &app->event, commit);
    return 0;
}

static const struct pipeline *choose_pipeline(const struct app *app)
{
    enum command command =
        app->inputs.command == COMMAND_PLAN ? COMMAND_DEPLOY : app->inputs.command;
    bool plan_only = app->inputs.command == COMMAND_PLAN || app->gate.action == GATE_PLAN;
    for (size_t i = 0; i < sizeof pipelines / sizeof *pipelines; i++)
        if (pipelines[i].command == command &&
            (pipelines[i].plan_only == plan_only || command == COMMAND_STATUS))
            return &pipelines[i];
    abort(); /* the inputs refuse commands that have no pipeline */
}

static int may_start(const struct run *run, const struct stage *stage, struct error *err)
{
    int64_t left_ms;
    if (stage->closes)
        return 0;
    if (cancel_requested())
        return error_set(err, ERROR_CANCELLED, "cancelled before: %s", stage->title);
    if (run_time_left(run, INT64_MAX, &left_ms, err) < 0)
        return error_wrap(err, "before: %s", stage->title);
    return 0;
}

static int run_stage(struct run *run, const struct stage *stage, struct error *err)
{
    if (may_start(run, stage, err) < 0)
        return -1;
    log_group_begin("%s", stage->title);
    run->span = span_begin(&run->result.spans, SPAN_NONE, "%s", stage->title);
    if (stage->closes) {
        cancel_shield_begin();
        run_give_time(run, CLOSING_LIMIT_MS);
    }
    pulse_begin(stage->title, record_expected_ms(run, stage));
    int rc = stage->run(run, err);
    pulse_end();
    if (stage->closes)
        cancel_shield_end();
    span_end(&run->result.spans, run->span);
    report_stage_time(run);
    log_group_end();
    if (rc == 0 || !stage->closes)
        return rc;
    secrets_hide(run, err);
    log_warning("%s", err->msg);
    error_reset(err);
    return 0;
}

/* The outcome of a pipeline that ran to its end. */
static void conclude(const struct pipeline *pipeline, struct result *result)
{
    bool has_made_base =
        pipeline->command == COMMAND_BASE && text_equal(result->base.status, "built");
    if (pipeline->plan_only)
        result->outcome = OUTCOME_PLANNED;
    else
        result->outcome =
            result->deployed || has_made_base ? OUTCOME_DEPLOYED : OUTCOME_NOTHING_TO_DO;
    if (pipeline->command == COMMAND_ROLLBACK && result->deployed) {
        result->rolled_back = true;
        result->deployed = false; /* what serves now is not this commit */
    }
}

static void run_pipeline(struct app *app)
{
    const struct pipeline *pipeline = choose_pipeline(app);
    struct run *run = &app->run;
    for (size_t i = 0; pipeline->stages[i]; i++) {
        const struct stage *stage = pipeline->stages[i];
        if (stage->wanted && !stage->wanted(run))
            continue;
        struct error err = ERROR_INIT;
        if (run_stage(run, stage, &err) < 0 && !failure_yield(run, pipeline->stages, i, &err)) {
            failure_handle(run, pipeline->stages, i, &err);
            return;
        }
        if (run->result.outcome == OUTCOME_SUPERSEDED)
            failure_stand_back(run, pipeline->stages, i);
        if (run->result.outcome != OUTCOME_UNDECIDED)
            return; /* a stage has found that there is nothing (more) to do */
    }
    conclude(pipeline, &run->result);
}

/* The gate's word: do the command's stages run? */
static bool is_let_in(struct app *app)
{
    struct result *result = &app->run.result;
    const struct gate *gate = &app->gate;
    snprintf(result->gate_reason, sizeof result->gate_reason, "%s", gate->reason);
    snprintf(result->storage_reason, sizeof result->storage_reason, "%s", gate->storage_reason);
    if (gate->action == GATE_REFUSE) {
        struct error err = ERROR_INIT;
        error_set(&err, ERROR_INPUT, "%s", gate->reason);
        fail_before_start(app, "gate", &err);
        return false;
    }
    report_gate(gate);
    if (gate->action == GATE_NOTHING)
        result->outcome = OUTCOME_NOT_ASKED;
    return gate->action != GATE_NOTHING;
}

/* All before the stages. It is timed, but has no group in the log: whether there is a run to speak
 * of is known only after it. */
static bool begin(struct app *app, int argc, const char *const *argv,
                  const char *const *environment, enum inputs_ask *ret_ask)
{
    struct error err = ERROR_INIT;
    struct spans *spans = &app->run.result.spans;
    int span = span_begin(spans, SPAN_NONE, "Read inputs and event");
    int rc = read_request(app, argc, argv, environment, ret_ask, &err);
    if (rc < 0)
        fail_before_start(app, "inputs", &err);
    bool goes_on = rc == 0 && *ret_ask == INPUTS_RUN && is_let_in(app);
    span_end(spans, span);
    return goes_on;
}

static void act(struct app *app)
{
    struct run *run = &app->run;
    run->inputs = &app->inputs;
    run->event = &app->event;
    run->gate = &app->gate;
    run_set_deadline(run, clock_now_ms() + app->inputs.deadline_ms);
    run_pipeline(app);
    side_builds_finish(run);
}

/* ---- /cleanup ---- */

static bool is_cleanup(const char *program)
{
    const char *slash = program ? strrchr(program, '/') : NULL;
    return text_equal(slash ? slash + 1 : program, "cleanup");
}

/*
 * What the killed run has changed, as it was before. `ret_stage` is where it stands, for an error.
 */
static int clean_up_function(struct run *run, const char **ret_stage, struct error *err)
{
    static const struct stage *const looking[] = {&stage_identify, &stage_cleanup};
    static const struct stage *const changing[] = {&stage_release, &stage_shift};
    for (size_t i = 0; i < sizeof looking / sizeof *looking; i++) {
        *ret_stage = looking[i]->name;
        if (run_stage(run, looking[i], err) == 0)
            continue;
        cleanup_say_way_back(run);
        return -1;
    }
    if (run->result.outcome == OUTCOME_SUPERSEDED)
        return 0; /* a newer run has it: what is there is its own */
    *ret_stage = TROUBLESHOOTING_PUT_BACK;
    if (failure_put_back(run, changing, sizeof changing / sizeof *changing - 1, err) < 0)
        return -1;
    *ret_stage = stage_cleanup.name;
    return cleanup_conclude(run, err);
}

/* The post step, after every run: usually there is nothing to do. The inputs say where the function
 * is, never what to do. */
static int clean_up(struct app *app, const char *program, const char *const *environment)
{
    const char *const argv[] = {program, NULL};
    const char *failed_stage = "inputs";
    struct run *run = &app->run;
    struct error err = ERROR_INIT;
    enum inputs_ask ask = INPUTS_RUN;
    cleanup_machine(run);
    if (!cleanup_is_due(run))
        return 0;
    int rc = inputs_read(1, argv, environment, &app->inputs, &ask, &err);
    app->has_inputs = rc == 0;
    if (rc == 0) {
        secrets_tell_inputs(run, &app->inputs);
        run->inputs = &app->inputs;
        run_set_deadline(run, clock_now_ms() + app->inputs.deadline_ms);
        rc = clean_up_function(run, &failed_stage, &err);
    }
    if (rc == 0)
        return 0;
    failure_leave_to_person(run, failed_stage, &err);
    return result_exit_code(&run->result);
}

static int report_all(struct app *app)
{
    struct error problem = ERROR_INIT;
    int code = report(&app->run, app->has_inputs ? &app->inputs : NULL, &problem);
    if (problem.kind != ERROR_NONE)
        failure_say(&app->run, "report", &problem);
    return code;
}

int app_main(int argc, const char *const *argv, const char *const *environment)
{
    struct app app = {.has_inputs = false};
    struct run *run = &app.run;
    streams_occupy();
    private_process();
    cancel_install();
    run->environ = environment;
    github_read(&run->services.github, environment);
    secrets_init(run);
    if (run->services.github.is_actions)
        log_use(&github_log);
    else
        log_use_terminal(environment);
    log_show_debug(run->services.github.debug);
    result_init(&run->result);
    run->result.started_wall_s = clock_wall_seconds();

    enum inputs_ask ask = INPUTS_RUN;
    int code = 0;
    bool cleans = argc > 0 && is_cleanup(argv[0]);
    if (cleans)
        code = clean_up(&app, argv[0], environment);
    else if (begin(&app, argc, argv, environment, &ask))
        act(&app);
    if (ask != INPUTS_RUN)
        report_help(ask);
    else if (!cleans)
        code = report_all(&app);
    if (report_json_end(&run->result) < 0 && code == 0)
        code = 1;

    pulse_release();
    run_release(run); /* first: a thread of it may still read the inputs */
    secrets_release(run);
    if (app.has_event)
        event_release(&app.event);
    if (app.has_inputs)
        inputs_release(&app.inputs);
    cancel_release();
    return code;
}
