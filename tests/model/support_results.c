#include "support_results.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "model/cached_steps.h"

#define OLD_IMAGE  "sha256:0c5e0d8f54a1b3f2c9d7e6a5b4c3d2e1f00112233445566778899aabbccddeef"
#define NEW_IMAGE  "sha256:9b1f3e5d7c2a4860bdf1e3a5c7d9fb0214365870a9bccddeeff0011223344556"
#define BASE_IMAGE "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
#define COMMIT     "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"
#define REGISTRY   "123456789012.dkr.ecr.us-east-1.amazonaws.com"

#define SET(place, text) snprintf(place, sizeof(place), "%s", text)

static char function_name[] = "rag-text-to-sql-server";
static char health_url[] = "https://api.example.com/prod";
static char base_file[] = "Dockerfile.lambda.base";

static void note_run(struct result *result, struct inputs *inputs)
{
    inputs->command = COMMAND_DEPLOY;
    inputs->function_name = function_name;
    inputs->health_url = health_url;
    inputs->base_file = base_file;
    inputs->refresh_invocations = 5;
    inputs->minute_price_usd = 0.006;
    inputs->storage_price_usd = 0.10;
    inputs->baseline_ms = 32 * 60000;
    SET(result->gate_reason, "a push to a branch asks for it");
    SET(result->storage_reason, "the message of the head commit does not hold [test-s3]");
    SET(result->credentials_source, "GitHub's OIDC token, role deploy");
    SET(result->account, "123456789012");
    SET(result->region, "us-east-1");
    SET(result->commit, COMMIT);
    SET(result->ref, "refs/heads/main");
    SET(result->repository, "octo-org/text2sql");
    SET(result->run_number, "128");
    SET(result->run_url, "https://github.com/octo-org/text2sql/actions/runs/9182736450");
    result->started_wall_s = 1785000000;
}

static int stage(struct result *result, const char *title, int64_t start_ms, int64_t end_ms)
{
    return span_add(&result->spans, SPAN_NONE, title, start_ms, end_ms, false, -1);
}

static int beside(struct result *result, const char *title, int64_t start_ms, int64_t end_ms)
{
    int span = stage(result, title, start_ms, end_ms);
    span_set_beside(&result->spans, span);
    return span;
}

static void name_function(struct result *result)
{
    SET(result->function.name, function_name);
    SET(result->function.arn,
        "arn:aws:lambda:us-east-1:123456789012:function:rag-text-to-sql-server");
    SET(result->function.previous_digest, OLD_IMAGE);
}

static void found_base(struct result *result)
{
    struct image_result *base = &result->base;
    base->action = IMAGE_FOUND;
    base->files = 3;
    SET(base->status, "found");
    SET(base->reason, "the image 3.12-0f5a7b9c1d3e4f60 is there");
    SET(base->repository, REGISTRY "/lambda-python-deps");
    SET(base->uri, REGISTRY "/lambda-python-deps@" BASE_IMAGE);
    SET(base->digest, BASE_IMAGE);
    SET(base->tag, "3.12");
    SET(base->identity, "0f5a7b9c1d3e4f60718293a4b5c6d7e8f9000102030405060708090a0b0c0d0e");
}

static void use_image(struct result *result, const char *status, const char *reason,
                      const char *digest)
{
    struct image_result *image = &result->image;
    SET(image->status, status);
    SET(image->reason, reason);
    SET(image->repository, REGISTRY "/rag-text-to-sql-server");
    snprintf(image->uri, sizeof image->uri, REGISTRY "/rag-text-to-sql-server@%s", digest);
    SET(image->digest, digest);
    SET(image->tag, COMMIT);
    SET(image->identity, "7d1c5a4e90b2f3861a6de0c94f7b52d8e3916c0fa5b84d27e6f1039c8ba4d572");
    image->files = 214;
}

static void look_around(struct result *result)
{
    stage(result, "Read the checkout", 4, 61);
    beside(result, "Read the files of the base image", 58, 340);
    stage(result, "Get credentials", 61, 480);
    stage(result, "Look at what is there", 480, 1310);
}

/* A stage whose builder is booted while the rest is looked at, and then waited for a moment. */
static int building_stage(struct result *result, const char *title, int64_t start_ms,
                          int64_t end_ms)
{
    beside(result, "Make the builder ready", 1100, start_ms + 640);
    int span = stage(result, title, start_ms, end_ms);
    span_add(&result->spans, span, "wait for the builder", start_ms + 10, start_ms + 640, false,
             -1);
    return span;
}

struct step {
    const char *name;
    int64_t ms;
    bool cached, failed;
    int64_t bytes;
};

/* Steps one after the other, from `start_ms`. Gives the end. */
static int64_t add_steps(struct result *result, struct image_result *image, int parent,
                         int64_t start_ms, const struct step *steps, size_t count)
{
    image->steps = memory_resize(image->steps, image->step_count + count, sizeof *image->steps);
    for (size_t i = 0; i < count; i++) {
        span_add(&result->spans, parent, steps[i].name, start_ms, start_ms + steps[i].ms,
                 steps[i].cached, steps[i].bytes > 0 ? steps[i].bytes : -1);
        start_ms += steps[i].ms;
        if (cached_steps_number(steps[i].name) == 0)
            continue;
        image->steps[image->step_count++] =
            (struct build_step_result){.name = memory_copy_string(steps[i].name),
                                       .cached = steps[i].cached,
                                       .failed = steps[i].failed,
                                       .ms = steps[i].ms};
        image->cached_count += steps[i].cached;
    }
    return start_ms;
}

#define ADD_STEPS(result, image, parent, start_ms, steps)                                          \
    add_steps(result, image, parent, start_ms, steps, sizeof(steps) / sizeof *(steps))

/* The stages that need no base, as they are built while the base is. */
static void build_ahead(struct result *result, bool is_first)
{
    static const struct step new[] = {
        {"[uv 1/1] FROM ghcr.io/astral-sh/uv:0.8", 2100, false, false, 21400000},
        {"[builder 1/4] FROM docker.io/library/python:3.12-slim", 6400, false, false, 46200000},
        {"[builder 2/4] COPY requirements.txt ./", 60, false, false, 0},
        {"[builder 3/4] RUN uv pip install --target /deps -r requirements.txt", 41300, false, false,
         0},
    };
    static const struct step old[] = {
        {"[builder 1/4] FROM docker.io/library/python:3.12-slim", 0, true, false, 0},
        {"[builder 2/4] COPY requirements.txt ./", 0, true, false, 0},
        {"[builder 3/4] RUN uv pip install --target /deps -r requirements.txt", 0, true, false, 0},
    };
    struct image_result unused = {.step_count = 0};
    int span = beside(result, "Application stage builder", 2300, is_first ? 52600 : 3400);
    if (is_first)
        ADD_STEPS(result, &unused, span, 2600, new);
    else
        ADD_STEPS(result, &unused, span, 2600, old);
    for (size_t i = 0; i < unused.step_count; i++)
        free(unused.steps[i].name);
    free(unused.steps);
}

/* What was built ahead was built by this run. */
static void count_ahead_as_built(struct image_result *image)
{
    for (size_t i = 0; i < image->step_count && i < 4; i++) {
        image->cached_count -= image->steps[i].cached;
        image->steps[i].cached = false;
    }
}

static int64_t build_application(struct result *result, int64_t start_ms)
{
    bool is_base_new = result->base.action == IMAGE_BUILD;
    int64_t pushed = is_base_new ? 2262480000 : 4210000;
    const struct step steps[] = {
        {"[uv 1/1] FROM ghcr.io/astral-sh/uv:0.8", 0, true, false, 0},
        {"[builder 1/4] FROM docker.io/library/python:3.12-slim", 0, true, false, 0},
        {"[builder 2/4] COPY requirements.txt ./", 0, true, false, 0},
        {"[builder 3/4] RUN uv pip install --target /deps -r requirements.txt", 0, true, false, 0},
        {"[stage-2 2/3] COPY --from=builder /deps /var/task", is_base_new ? 1400 : 0, !is_base_new,
         false, 0},
        {"[stage-2 3/3] COPY app/ /var/task/app/", 310, false, false, 0},
        {"exporting to image", is_base_new ? 7720 : 9120, false, false, 0},
        {"pushing 123456789012.dkr.ecr.us-east-1.amazonaws.com/rag-text-to-sql-server:pushed with "
         "docker",
         8200, false, false, pushed},
    };
    int parent = is_base_new
                     ? stage(result, "Application image", start_ms, start_ms + 19100)
                     : building_stage(result, "Application image", start_ms, start_ms + 19100);
    int build = span_add(&result->spans, parent, "build and push", start_ms + 650, start_ms + 18790,
                         false, -1);
    ADD_STEPS(result, &result->image, build, start_ms + 700, steps);
    int cache =
        beside(result, "Cache of the application image", start_ms + 18800, start_ms + 23100);
    span_add(&result->spans, cache, "exporting cache to registry", start_ms + 18900,
             start_ms + 23000, false, -1);
    span_add(&result->spans, parent, "check", start_ms + 18800, start_ms + 19060, false, -1);
    result->image.action = IMAGE_BUILD;
    result->image.size_bytes = 2262480000;
    result->image.pushed_bytes = pushed;
    return start_ms + 19100;
}

static int64_t update_and_verify(struct result *result, int64_t start_ms)
{
    stage(result, "Update the function", start_ms, start_ms + 11250);
    int verify = stage(result, "Verify", start_ms + 11250, start_ms + 17700);
    span_add(&result->spans, verify, "health", start_ms + 11250, start_ms + 15380, false, -1);
    span_add(&result->spans, verify, "warm-up", start_ms + 15380, start_ms + 16690, false, -1);
    if (result->checks.len > 0)
        span_add(&result->spans, verify, "checks", start_ms + 16700, start_ms + 17690, false, -1);
    SET(result->health.status, "ok");
    SET(result->health.target, "url");
    result->health.attempts = 3;
    result->health.ms = 4130;
    result->refreshed = 5;
    return start_ms + 17700;
}

/* Seven deployments of the application in eleven days, and a base image among them. */
static void remember_past(struct result *result)
{
    static const char times[] = "412/0/205/118/66 395/0/190/113/70 433/0/221/117/68 "
                                "15214/14780/201/119/65 388/0/186/110/71 467/0/260/114/69 "
                                "379/0/182/112/64 402/0/203/109/67";
    times_parse(times, &result->times);
    for (int i = 6; i >= 0; i--) {
        char commit[41];
        snprintf(commit, sizeof commit, "%02xa1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3", i + 16);
        deployed_add(&result->deployments, commit, i == 0 ? OLD_IMAGE : BASE_IMAGE,
                     result->started_wall_s - (i + 1) * 136000);
    }
}

static void changed_function(struct result *result)
{
    name_function(result);
    result->function.action = FUNCTION_UPDATE;
    SET(result->function.reason, "it runs another image");
    result->function.code_changed = true;
    result->changed = true;
    result->deployed = true;
    result->outcome = OUTCOME_DEPLOYED;
}

static int64_t build_base(struct result *result, int64_t start_ms)
{
    static const struct step steps[] = {
        {"[1/3] FROM public.ecr.aws/lambda/python:3.12", 21400, false, false, 212000000},
        {"[2/3] RUN dnf install -y poppler-utils mesa-libGL cairo pango", 1297000, false, false, 0},
        {"[3/3] COPY packages.txt /opt/", 140, false, false, 0},
        {"exporting to image", 96200, false, false, 0},
        {"pushing layers", 61300, false, false, 1941000000},
    };
    found_base(result);
    struct image_result *base = &result->base;
    SET(base->status, "built");
    base->action = IMAGE_BUILD;
    base->size_bytes = 1950000000;
    base->pushed_bytes = 1941000000;
    int parent = building_stage(result, "Base image", start_ms, start_ms + 1477400);
    int build = span_add(&result->spans, parent, "build and push", start_ms + 650,
                         start_ms + 1477100, false, -1);
    ADD_STEPS(result, base, build, start_ms + 700, steps);
    return start_ms + 1477400;
}

static void first_deploy(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    int64_t now = build_base(result, 1310);
    SET(result->base.reason, "its ECR repository did not exist");
    build_ahead(result, true);
    now = build_application(result, now);
    count_ahead_as_built(&result->image);
    use_image(result, "built", "no image has these contents yet", NEW_IMAGE);
    changed_function(result);
    result->function.created = true;
    result->function.action = FUNCTION_CREATE;
    result->function.previous_digest[0] = '\0';
    SET(result->function.reason, "there is no function rag-text-to-sql-server yet");
    now = update_and_verify(result, now);
    result->duration_ms = now + 12;
}

static void nothing_changed(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    found_base(result);
    stage(result, "Base image", 1310, 1312);
    use_image(result, "reused", "nothing changed since the image src-7d1c5a4e90b2f386", OLD_IMAGE);
    stage(result, "Application image", 1312, 1390);
    name_function(result);
    SET(result->function.reason, "it runs this image already");
    stage(result, "Claim the function", 1390, 1619);
    beside(result, "Ask for the health early", 1391, 1619);
    stage(result, "Update the function", 1619, 1619);
    stage(result, "Verify", 1619, 1620);
    SET(result->health.status, "ok");
    SET(result->health.target, "url");
    result->health.attempts = 1;
    result->health.ms = 228;
    result->outcome = OUTCOME_NOTHING_TO_DO;
    result->duration_ms = 1629;
}

static void code_change(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    found_base(result);
    stage(result, "Base image", 1310, 1312);
    int64_t now = build_application(result, 1312);
    use_image(result, "built", "app/main.py changed", NEW_IMAGE);
    changed_function(result);
    SET(result->function.previous_version, "41");
    SET(result->function.version, "42");
    SET(result->function.alias, "live");
    SET(result->function.alias_arn,
        "arn:aws:lambda:us-east-1:123456789012:function:rag-text-to-sql-server:live");
    strvec_push(&result->function.configuration_changes, "memory-size: 1024 → 2048");
    strvec_push(&result->function.configuration_changes, "environment: +LOG_LEVEL, ~MODEL_NAME");
    remember_past(result);
    check_results_add(&result->checks, "GET /health -> 200 \"ok\"", true, 200, NULL, 120);
    check_results_add(&result->checks, "POST /query {\"q\":\"a|b\"} -> 200 \"rows\"", true, 200,
                      NULL, 870);
    now = update_and_verify(result, now);
    result->duration_ms = now + 9;
}

static void base_change(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    int64_t now = build_base(result, 1310);
    SET(result->base.reason, "Dockerfile.lambda.base changed");
    build_ahead(result, false);
    now = build_application(result, now);
    use_image(result, "built", "the base image changed", NEW_IMAGE);
    remember_past(result);
    SET(result->image.lost_cache, "[stage-2 2/3] COPY --from=builder /deps /var/task");
    changed_function(result);
    now = update_and_verify(result, now);
    result->duration_ms = now + 11;
}

static void build_failure(struct result *result, struct inputs *inputs)
{
    static const struct step steps[] = {
        {"[builder 1/4] FROM docker.io/library/python:3.12-slim", 0, true, false, 0},
        {"[builder 2/4] COPY requirements.txt ./", 55, false, false, 0},
        {"[builder 3/4] RUN uv pip install --target /deps -r requirements.txt", 8100, false, true,
         0},
    };
    note_run(result, inputs);
    look_around(result);
    found_base(result);
    stage(result, "Base image", 1310, 1312);
    name_function(result);
    remember_past(result);
    int parent = building_stage(result, "Application image", 1312, 10350);
    int build = span_add(&result->spans, parent, "build and push", 1962, 10340, false, -1);
    ADD_STEPS(result, &result->image, build, 2000, steps);
    SET(result->image.reason, "requirements.txt changed");
    SET(result->image.tag, COMMIT);
    result->image.action = IMAGE_BUILD;
    result->outcome = OUTCOME_FAILED;
    SET(result->failed_stage, "app-image");
    SET(result->failed_title, "Application image");
    error_set_code(&result->failure, ERROR_FAILED, 1,
                   "building the application image: Dockerfile.lambda:14: the step [builder 3/4] "
                   "RUN uv pip install --target /deps -r requirements.txt ended with status 1");
    strbuf_addstr(&result->evidence,
                  "  × No solution found when resolving dependencies:\n"
                  "  ╰─▶ Because langchain==9.9.9 was not found in the package registry and you\n"
                  "      require langchain==9.9.9, we can conclude that your requirements are\n"
                  "      unsatisfiable.\n");
    result->duration_ms = 10365;
}

static void health_rollback(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    found_base(result);
    stage(result, "Base image", 1310, 1312);
    int64_t now = build_application(result, 1312);
    use_image(result, "built", "app/main.py changed", NEW_IMAGE);
    changed_function(result);
    remember_past(result);
    stage(result, "Update the function", now, now + 11000);
    int verify = stage(result, "Verify", now + 11000, now + 36300);
    span_add(&result->spans, verify, "health", now + 11000, now + 36300, false, -1);
    stage(result, "Put back what was there before", now + 36300, now + 49900);
    SET(result->health.status, "failed");
    SET(result->health.target, "url");
    SET(result->health.why, "answered 500: {\"error\":\"no module named tiktoken\"}");
    result->health.attempts = 13;
    result->health.ms = 25300;
    result->deployed = false;
    result->rolled_back = true;
    result->outcome = OUTCOME_FAILED;
    SET(result->failed_stage, "verify");
    SET(result->failed_title, "Verify");
    error_set(&result->failure, ERROR_FAILED,
              "the function does not answer as it should: answered 500: "
              "{\"error\":\"no module named tiktoken\"}");
    SET(result->restored, "the function runs " OLD_IMAGE " again");
    strbuf_addstr(&result->evidence,
                  "[ERROR] Runtime.ImportModuleError: Unable to import module 'app.main': No "
                  "module named 'tiktoken'\nTraceback (most recent call last):\nEND RequestId: "
                  "8f5bff09\n");
    result->duration_ms = now + 49915;
}

static void storage_tests(struct result *result, struct inputs *inputs)
{
    code_change(result, inputs);
    SET(result->gate_reason, "a push of a tag asks for it");
    SET(result->ref, "refs/tags/v1.4.0");
    SET(result->storage_reason, "a tag was pushed");
    result->storage_run = true;
    check_results_add(&result->storage_checks, "PUT /files/probe {\"size\":1} -> 201", true, 201,
                      NULL, 640);
    check_results_add(&result->storage_checks, "GET /files/$1.id -> 200 \"probe\"", true, 200, NULL,
                      210);
    for (size_t i = 0; i < result->spans.len; i++) {
        struct span *span = &result->spans.items[i];
        if (span->parent != SPAN_NONE || strcmp(span->name, "Verify") != 0)
            continue;
        span_add(&result->spans, (int)i, "storage tests", span->end_ms, span->end_ms + 870, false,
                 -1);
        result->spans.items[i].end_ms += 880;
        break;
    }
    result->duration_ms += 880;
}

static void cancelled(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    found_base(result);
    stage(result, "Base image", 1310, 1312);
    name_function(result);
    remember_past(result);
    int parent = building_stage(result, "Application image", 1312, 7300);
    span_add(&result->spans, parent, "build and push", 1962, 7300, false, -1);
    SET(result->image.reason, "app/main.py changed");
    result->image.action = IMAGE_BUILD;
    result->outcome = OUTCOME_CANCELLED;
    result->signal = SIGINT;
    SET(result->failed_stage, "app-image");
    SET(result->failed_title, "Application image");
    error_set(&result->failure, ERROR_CANCELLED, "cancelled by SIGINT at: Application image");
    result->duration_ms = 7340;
}

static void plan(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    SET(result->gate_reason, "a pull request gets a plan only, unless allow-pull-request is true");
    SET(result->storage_reason, "a plan runs no tests");
    SET(result->ref, "refs/pull/42/merge");
    look_around(result);
    stage(result, "Plan", 1310, 1311);
    found_base(result);
    result->base.status[0] = '\0';
    result->base.action = IMAGE_BUILD;
    result->base.digest[0] = '\0';
    SET(result->base.reason, "Dockerfile.lambda.base changed");
    result->image.action = IMAGE_LATER;
    SET(result->image.reason, "the base image will be built first");
    name_function(result);
    result->function.action = FUNCTION_LATER;
    SET(result->function.reason, "an image is built first");
    remember_past(result);
    result->outcome = OUTCOME_PLANNED;
    result->duration_ms = 1320;
}

static void bad_input(struct result *result, struct inputs *inputs)
{
    (void)inputs;
    result->outcome = OUTCOME_BAD_INPUT;
    SET(result->failed_stage, "inputs");
    error_set(&result->failure, ERROR_INPUT,
              "memory-size: \"lots\" is not a whole number from 128 to 10240");
    result->duration_ms = 2;
}

static void not_asked(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    result->account[0] = result->region[0] = result->credentials_source[0] = '\0';
    result->commit[0] = result->ref[0] = '\0';
    SET(result->gate_reason, "a pull request from a fork asks for nothing, whatever is allowed "
                             "(only an explicit plan runs)");
    SET(result->storage_reason, "nothing is done, so nothing is tested");
    result->outcome = OUTCOME_NOT_ASKED;
    result->duration_ms = 3;
}

static void needs_person(struct result *result, struct inputs *inputs)
{
    health_rollback(result, inputs);
    result->rolled_back = false;
    result->restored[0] = '\0';
    strbuf_reset(&result->evidence);
    result->outcome = OUTCOME_NEEDS_PERSON;
    SET(result->remedy,
        "aws lambda update-function-code --region us-east-1 --function-name "
        "rag-text-to-sql-server --image-uri " REGISTRY "/rag-text-to-sql-server@" OLD_IMAGE);
}

static void kept(struct result *result, struct inputs *inputs)
{
    health_rollback(result, inputs);
    inputs->on_failure = ON_FAILURE_KEEP;
    result->deployed = true;
    result->rolled_back = false;
    result->restored[0] = '\0';
    result->spans.len--; /* no way back */
    result->duration_ms -= 13600;
    check_results_add(&result->checks, "GET /health -> 200", true, 200, NULL, 80);
    check_results_add(&result->checks, "GET /items/42 -> 200 \"found\"", false, 404,
                      "status 404, not 200", 95);
}

static void base_only(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    inputs->command = COMMAND_BASE;
    inputs->function_name = NULL;
    look_around(result);
    int64_t now = build_base(result, 1310);
    SET(result->base.reason, "Dockerfile.lambda.base changed");
    result->outcome = OUTCOME_DEPLOYED;
    result->duration_ms = now + 3;
}

static void rollback(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    inputs->command = COMMAND_ROLLBACK;
    inputs->baseline_ms = 0;
    SET(result->gate_reason, "a workflow_dispatch event asks for it");
    SET(result->storage_reason, "storage tests are a part of deploy, not of rollback");
    look_around(result);
    name_function(result);
    SET(result->function.reason, "it runs another image");
    SET(result->function.alias, "live");
    SET(result->function.previous_version, "42");
    SET(result->function.version, "41");
    stage(result, "Choose what to go back to", 1310, 1420);
    stage(result, "Move the alias", 1420, 14100);
    SET(result->health.status, "ok");
    SET(result->health.target, "invoke");
    result->health.attempts = 1;
    result->health.ms = 310;
    result->changed = true;
    result->rolled_back = true;
    result->deployed = true;
    result->outcome = OUTCOME_DEPLOYED;
    result->duration_ms = 14180;
}

static void status(struct result *result, struct inputs *inputs)
{
    nothing_changed(result, inputs);
    inputs->command = COMMAND_STATUS;
    SET(result->gate_reason, "status changes nothing, so any event may ask for it");
    result->base.status[0] = result->image.status[0] = '\0';
    SET(result->image.reason, "the image src-7d1c5a4e90b2f386 is there");
    SET(result->look.state, "Active, last update Successful");
    SET(result->look.verified, "src-7d1c5a4e90b2f386");
    SET(result->look.caches, "base image: there, application image: there");
    result->look.verified_run = 127;
    inputs->baseline_ms = 0;
    result->function.reason[0] = '\0';
}

static void superseded(struct result *result, struct inputs *inputs)
{
    note_run(result, inputs);
    look_around(result);
    name_function(result);
    SET(result->function.reason, "run 129 of the same workflow has this function already; "
                                 "allow-older: true deploys run 128 all the same");
    result->outcome = OUTCOME_SUPERSEDED;
    result->duration_ms = 1330;
}

/* Only the configuration differs: the image is the same. */
static void configuration_change(struct result *result, struct inputs *inputs)
{
    nothing_changed(result, inputs);
    strvec_push(&result->function.configuration_changes, "timeout: 30 → 60");
    result->changed = true;
    result->deployed = true;
    result->outcome = OUTCOME_DEPLOYED;
}

/* Everything that somebody else can write tries to get out of its place. */
static void hostile(struct result *result, struct inputs *inputs)
{
    static const char text[] =
        "</details><script>alert(1)</script> <img src=x onerror=alert(1)> "
        "| cell | ![i](https://evil.example/i.png) [l](javascript:alert(1)) "
        "@octocat octo-org/private#1 https://evil.example www.evil.example "
        "me@evil.example **b** _i_ ~~s~~ `c` $`x`$ $x$ &lt;b&gt; &#60;b&#62; "
        "<!-- \x1b[31mred\x1b[0m \xe2\x80\xaegnp.exe";
    note_run(result, inputs);
    look_around(result);
    SET(result->commit, "` | <b>");
    SET(result->ref, "refs/heads/`<b>|@octocat`");
    SET(result->gate_reason, text);
    SET(result->storage_reason, "``` ```` </details>\n```\n# storage");
    SET(result->credentials_source, "- one\n- two\n\n# three");
    SET(result->base.status, "found");
    SET(result->base.reason, text);
    SET(result->image.reason, "1. one\n2. two");
    SET(result->image.lost_cache, "RUN echo `id` | tee $HOME/x");
    result->image.action = IMAGE_BUILD;
    int parent = stage(result, "Application image", 1310, 9000);
    static const struct step steps[] = {
        {"```\n</details># x", 100, false, false, 0},
        {"section x :crit, 0, 1\n%%{init: {}}%%;\nclick a href", 200, false, false, 0},
        {text, 5000, false, true, 0},
    };
    ADD_STEPS(result, &result->image, parent, 1400, steps);
    check_results_add(&result->checks, "GET /`|<b>$1.id @octocat -> 200", false, 500, text, 10);
    strvec_push(&result->function.configuration_changes, text);
    result->outcome = OUTCOME_FAILED;
    error_set(&result->failure, ERROR_PROCESS, "\n# heading\n%s", text);
    strbuf_addstr(&result->evidence, "```\n````\n`````text\n</details>\n<script>alert(1)</script>\n"
                                     "~~~\n::error::no\n\x1b[2J\xff\xfe end");
    strbuf_add(&result->evidence, "\0nul\r\nlast", 10);
    SET(result->remedy, "run `rm` & look at <a href=x>this</a>");
    SET(result->restored, text);
    result->changed = true;
    result->duration_ms = 9100;
}

const struct result_case result_cases[] = {
    {"first-deploy", first_deploy},
    {"nothing-changed", nothing_changed},
    {"code-change", code_change},
    {"base-change", base_change},
    {"build-failure", build_failure},
    {"health-rollback", health_rollback},
    {"storage-tests", storage_tests},
    {"cancelled", cancelled},
    {"plan", plan},
    {"bad-input", bad_input},
    {"not-asked", not_asked},
    {"needs-person", needs_person},
    {"kept", kept},
    {"base-only", base_only},
    {"rollback", rollback},
    {"status", status},
    {"superseded", superseded},
    {"configuration-change", configuration_change},
    {"hostile", hostile},
};
const size_t result_case_count = sizeof result_cases / sizeof *result_cases;

void make_result(const struct result_case *result_case, struct result *ret_result,
                 struct inputs *ret_inputs)
{
    *ret_inputs = (struct inputs){.command = COMMAND_DEPLOY};
    result_init(ret_result);
    result_case->make(ret_result, ret_inputs);
    result_note_inputs(ret_result, ret_inputs);
}

const struct result_case *result_case_named(const char *name)
{
    for (size_t i = 0; i < result_case_count; i++)
        if (strcmp(result_cases[i].name, name) == 0)
            return &result_cases[i];
    return NULL;
}

void add_long_build(struct result *result, size_t steps)
{
    int parent = stage(result, "Long build", 0, 0);
    struct image_result *image = &result->base;
    image->steps = memory_resize(image->steps, image->step_count + steps, sizeof *image->steps);
    int64_t now = 0;
    for (size_t i = 0; i < steps; i++) {
        char name[110];
        snprintf(name, sizeof name, "[%zu/%zu] RUN step %zu of a build that never seems to end",
                 i + 1, steps, i + 1);
        int64_t ms = i % 100 == 50 ? 5000 : 10;
        span_add(&result->spans, parent, name, now, now + ms, false, 1000);
        now += ms;
        image->steps[image->step_count++] = (struct build_step_result){
            .name = memory_copy_string(name), .failed = i + 1 == steps, .ms = ms};
    }
    result->spans.items[parent].end_ms = now;
    result->duration_ms = now > result->duration_ms ? now : result->duration_ms;
}
