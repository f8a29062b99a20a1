#include "stages/create.h"

#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "model/plan.h"
#include "stages/ours.h"
#include "stages/secrets.h"
#include "stages/wait.h"

#define DEFAULT_MEMORY_MB 1024
#define DEFAULT_TIMEOUT_S 30
/* IAM tells all of its regions about what is new within seconds, now and then a minute */
#define NEWS_WAIT_MS       60000
#define NEWS_PAUSE_MS      2000
#define CANCELLED_LIMIT_MS 3000 /* the runner gives a cancelled job seconds */

static int make_request(const struct run *run, struct json **ret_request, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    CLEANUP(json) struct json *request = json_new_object();
    struct json *code = json_new_object(), *architectures = json_new_array();
    json_put_string(request, "FunctionName", inputs->function_name);
    json_put_string(request, "PackageType", "Image");
    json_put_string(code, "ImageUri", run->result.image.uri);
    json_put(request, "Code", code);
    json_put_string(request, "Role", inputs->create_with_role);
    json_append_string(architectures, plan_architecture(run_platform(run)));
    json_put(request, "Architectures", architectures);
    json_put_int(request, "MemorySize", DEFAULT_MEMORY_MB);
    json_put_int(request, "Timeout", DEFAULT_TIMEOUT_S);
    if (configuration_put_wanted(inputs, request, err) < 0)
        return -1;
    *ret_request = STEAL(request);
    return 0;
}

/*
 * What a role, its policy or a repository that was made a second ago meets: it is not known
 * everywhere. Lambda says so in a sentence only. Sources: terraform-provider-aws retries the first
 * three (internal/service/lambda/function.go, retryFunctionOp); a function that is made right
 * behind its repository meets the last one now and then (CHANGELOG 0.4.1 of AWS's intelligent
 * document processing accelerator).
 */
static const struct {
    enum error_kind kind;
    const char *part, *what;
    bool of_new_repository; /* else it is no matter of time */
} news[] = {
    {ERROR_REFUSED, "cannot be assumed by Lambda", "the role is", false},
    {ERROR_REFUSED, "execution role does not have permissions", "what the role may do is", false},
    {ERROR_REFUSED, "KMS key is invalid for CreateGrant", "what the role may do is", false},
    {ERROR_DENIED, "permission to access the ECR image", "the repository's policy is", true},
};

/* The subject of "… not known everywhere yet", or NULL. */
static const char *what_is_new(const struct run *run, const struct error *err)
{
    for (size_t i = 0; i < sizeof news / sizeof *news; i++)
        if (err->kind == news[i].kind && strstr(err->msg, news[i].part) &&
            !(news[i].of_new_repository && run->facts.image.repository_exists))
            return news[i].what;
    return NULL;
}

/*
 * The answer was lost, or not waited for: is the function there, with our image? One that is still
 * Pending after `limit_ms` is told as it is.
 */
static int look_for_it(struct run *run, int64_t limit_ms, bool *ret_there, bool *ret_ours,
                       struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function now = {.configuration = NULL};
    const char *name = run->inputs->function_name;
    *ret_there = *ret_ours = false;
    int rc = wait_settled(run, NULL, limit_ms, &now, err);
    if (rc < 0 && err->kind == ERROR_TIMEOUT) {
        error_reset(err);
        rc = lambda_get_function(&run->services.aws, name, NULL, &now, err);
    }
    if (rc == 0) {
        *ret_there = true;
        *ret_ours = text_equal(now.digest, run->result.image.digest) ||
                    text_equal(now.image_uri, run->result.image.uri);
        return 0;
    }
    if (err->kind != ERROR_NOT_FOUND)
        return -1;
    error_reset(err);
    return 0;
}

/*
 * Cancelled while it was being made: whether it is there must be known, since it then stays there.
 */
static void look_after_cancel(struct run *run, bool *ret_created)
{
    struct error ignored = ERROR_INIT; /* the cancel is what is told */
    bool there;
    cancel_shield_begin();
    if (look_for_it(run, CANCELLED_LIMIT_MS, &there, ret_created, &ignored) < 0)
        log_warning("whether the function was created is not known: %s", ignored.msg);
    cancel_shield_end();
}

/* After a refusal or a lost answer: 1 to try again, 0 when it is decided (*ret_created), -1 for an
 * error. */
static int decide(struct run *run, int64_t end_ms, bool *ret_created, struct error *err)
{
    *ret_created = false;
    if (err->kind == ERROR_CONFLICT) {
        error_reset(err);
        return 0;
    }
    if (err->kind == ERROR_CANCELLED)
        look_after_cancel(run, ret_created);
    bool there = false;
    if (ours_decide_again(err)) {
        struct error look_error = ERROR_INIT; /* the first error is the one that counts */
        if (look_for_it(run, OURS_SETTLE_LIMIT_MS, &there, ret_created, &look_error) == 0 &&
            there) {
            error_reset(err);
            return 0;
        }
        return -1;
    }
    const char *what = what_is_new(run, err);
    if (!what || clock_now_ms() > end_ms)
        return -1;
    log_info("%s perhaps not known everywhere yet: trying again", what);
    error_reset(err);
    if (!clock_sleep_ms(NEWS_PAUSE_MS))
        return error_set(err, ERROR_CANCELLED, "cancelled before the function was there");
    return 1;
}

int create_function(struct run *run, bool *ret_created, struct lambda_function *ret_function,
                    struct error *err)
{
    CLEANUP(json) struct json *request = NULL;
    int64_t wait_ms;
    if (make_request(run, &request, err) < 0 || run_time_left(run, NEWS_WAIT_MS, &wait_ms, err) < 0)
        return -1;
    int64_t end_ms = clock_now_ms() + wait_ms;
    for (;;) {
        if (lambda_create_function(&run->services.aws, request, ret_function, err) == 0) {
            *ret_created = true;
            return 0;
        }
        secrets_hide(run, err);
        int again = decide(run, end_ms, ret_created, err);
        if (again < 0)
            return error_wrap(err, "creating the function %s", run->inputs->function_name);
        if (again == 0)
            return 0;
    }
}
