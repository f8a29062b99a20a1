#include "stages/wait.h"

#include <string.h>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"

#define SHORTEST_PAUSE_MS 50 /* near the expected end */
#define USUAL_PAUSE_MS    100
#define LONGEST_PAUSE_MS  2000

bool wait_may_pass(const struct error *err)
{
    /* Of a far side that is silent. A deadline of ours has another name, or none. */
    bool is_silent = err->kind == ERROR_TIMEOUT &&
                     (text_equal(err->name, "timeout") || text_equal(err->name, "connect"));
    return is_silent || err->kind == ERROR_NETWORK || err->kind == ERROR_SERVER ||
           err->kind == ERROR_PROTOCOL || err->kind == ERROR_THROTTLED;
}

bool wait_is_settled(const struct lambda_function *function)
{
    return !text_equal(function->state, "Pending") &&
           !text_equal(function->last_update_status, "InProgress");
}

static int64_t within(int64_t ms, int64_t least, int64_t most)
{
    return ms < least ? least : ms > most ? most : ms;
}

int64_t wait_pause_ms(int64_t elapsed_ms, int64_t expected_ms)
{
    int64_t usual_ms = within(elapsed_ms / 10, USUAL_PAUSE_MS, LONGEST_PAUSE_MS);
    int64_t near_ms = expected_ms * 8 / 10;
    if (expected_ms <= 0 || elapsed_ms > expected_ms * 5 / 4)
        return usual_ms;
    if (elapsed_ms >= near_ms)
        return within(expected_ms / 40, SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
    return within(near_ms - elapsed_ms, SHORTEST_PAUSE_MS, usual_ms);
}

/* What the change took the last time. */
static int64_t expected_ms(const struct run *run)
{
    const struct times *times = &run->facts.function.times;
    return times->len > 0 ? times->items[0].ms[TIMES_RELEASE] : 0;
}

/* A look failed: is it worth another one? `blind_ms`: since when looks have failed. */
static bool bears(const struct run *run, const char *qualifier, const struct error *err,
                  int64_t blind_ms)
{
    bool just_made = qualifier || run->result.function.created;
    bool passes = wait_may_pass(err) || (err->kind == ERROR_NOT_FOUND && just_made);
    return passes && blind_ms < WAIT_BLIND_LIMIT_MS && !cancel_signal();
}

/* How it stands after a look that did not find it settled; "": the look failed. */
static const char *state_of(const struct lambda_function *function)
{
    if (!function->configuration)
        return "";
    return text_equal(function->state, "Pending") ? "Pending" : "being updated";
}

static int tell_late(const char *name, const char *state, int64_t limit_ms,
                     const struct error *look, struct error *err)
{
    if (!state[0]) {
        *err = *look;
        return error_wrap(err, "waiting for the function %s", name);
    }
    return error_set(err, ERROR_TIMEOUT, "the function %s is still %s after %lld s", name, state,
                     (long long)(limit_ms / 1000));
}

int wait_settled(struct run *run, const char *qualifier, int64_t limit_ms,
                 struct lambda_function *ret_function, struct error *err)
{
    const char *name = run->inputs->function_name;
    if (run_time_left(run, limit_ms, &limit_ms, err) < 0)
        return -1;
    int64_t start_ms = clock_now_ms(), end_ms = start_ms + limit_ms, seen_ms = start_ms;
    for (;;) {
        struct lambda_function function = {.configuration = NULL};
        struct error look = ERROR_INIT;
        int rc = lambda_get_function(&run->services.aws, name, qualifier, &function, &look);
        if (rc == 0 && wait_is_settled(&function)) {
            *ret_function = function;
            return 0;
        }
        const char *state = state_of(&function);
        lambda_function_release(&function);
        if (rc == 0)
            seen_ms = clock_now_ms();
        else if (!bears(run, qualifier, &look, clock_now_ms() - seen_ms))
            return tell_late(name, "", limit_ms, &look, err);
        else
            log_debug("the look failed, and is tried again: %s", look.msg);
        int64_t pause_ms = wait_pause_ms(clock_now_ms() - start_ms, expected_ms(run));
        if (clock_now_ms() + pause_ms > end_ms)
            return tell_late(name, state, limit_ms, &look, err);
        if (!clock_sleep_ms(pause_ms))
            return error_set(err, ERROR_CANCELLED,
                             "cancelled while the function %s was being updated", name);
    }
}

/* Lambda's reason codes (API reference, FunctionConfiguration), and what a person can do. */
static const struct {
    const char *code, *remedy;
} remedies[] = {
    {"ImageAccessDenied",
     "Lambda may not read the image: the repository's policy must allow lambda.amazonaws.com "
     "ecr:BatchGetImage and ecr:GetDownloadUrlForLayer"},
    {"ImageDeleted",
     "the image is gone from its repository: build it again (skip-unchanged: false)"},
    {"InvalidImage",
     "Lambda cannot use the image: look at its entry point, architecture, size and layers"},
    {"InsufficientRolePermissions",
     "the function's role lacks permissions (VPC functions need ec2:CreateNetworkInterface)"},
    {"InvalidRuntime", "the runtime is not one that Lambda knows"},
    {"InvalidConfiguration", "the function's configuration is not valid together"},
    {"InvalidSubnet", "a subnet of the function's VPC settings is gone or not usable"},
    {"InvalidSecurityGroup",
     "a security group of the function's VPC settings is gone or not usable"},
    {"SubnetOutOfIPAddresses", "the function's subnets have no free addresses"},
    {"EniLimitExceeded", "the account has no network interfaces left: ask AWS for a higher quota"},
    {"InternalError", "AWS reports an error of its own: run this again"},
    {"InvalidStateKMSKey",
     "the function's KMS key is not in a state in which it can be used: look at it in KMS"},
    {"DisabledKMSKey", "the function's KMS key is disabled"},
    {"KMSKeyAccessDenied", "the function's role may not use its KMS key"},
    {"KMSKeyNotFound", "the function's KMS key is gone"},
    {"EFSIOError", "the function's file system reports an input or output error"},
    {"EFSMountConnectivityError",
     "the function's file system cannot be reached: look at subnets, security groups and mount "
     "targets"},
    {"EFSMountFailure", "the function's file system cannot be mounted"},
    {"EFSMountTimeout", "the function's file system did not answer in time"},
    {"InvalidZipFileException", "the function's zip package is broken"},
    {"FunctionError", "the function's own code fails when it starts: see its log"},
    {"Idle", "the function was idle for weeks: its first invocation wakes it; run this again"},
    {"Restoring", "the function is being woken after it was idle: run this again"},
    {"Creating", "Lambda is still creating the function: run this again"},
};

/* "FunctionError.InitTimeout" is a kind of "FunctionError". */
static bool is_code(const char *code, const char *known)
{
    size_t len = strlen(known);
    return strncmp(code, known, len) == 0 && (code[len] == '\0' || code[len] == '.');
}

static const char *remedy_for(const char *code)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (is_code(code, remedies[i].code))
            return remedies[i].remedy;
    return "see the reason that Lambda gives";
}

int wait_outcome(const struct lambda_function *function, struct error *err)
{
    if (text_equal(function->last_update_status, "Failed"))
        return error_set(err, ERROR_FAILED, "Lambda could not update the function: %s (%s): %s",
                         function->last_update_reason, function->last_update_reason_code,
                         remedy_for(function->last_update_reason_code));
    if (text_equal(function->state, "Failed"))
        return error_set(err, ERROR_FAILED, "the function is in the state Failed: %s (%s): %s",
                         function->state_reason, function->state_reason_code,
                         remedy_for(function->state_reason_code));
    return 0;
}
