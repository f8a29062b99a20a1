/* Who we are: credentials, region, account. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/log.h"
#include "core/text.h"
#include "services/sts.h"
#include "stages/secrets.h"

#define DEFAULT_SOCKET      "/var/run/docker.sock"
#define HTTP_LIMIT_VARIABLE "LAMBDA_FASTDEPLOY_HTTP_TIMEOUT"

static void observe_call(void *context, const struct aws_operation *operation, int attempt,
                         int status, int64_t elapsed_ms, const char *error_name)
{
    (void)context;
    log_debug("%s %s: try %d, %d%s%s, %lld ms", operation->service->name, operation->name, attempt,
              status, error_name[0] ? " " : "", error_name, (long long)elapsed_ms);
}

static void observe_exchange(void *context, const char *what, int status, int64_t ms,
                             bool new_connection)
{
    (void)context;
    log_debug("%s: %d, %lld ms%s", what, status, (long long)ms,
              new_connection ? ", new connection" : "");
}

static void open_docker(struct run *run)
{
    const char *host = environ_get(run->environ, "DOCKER_HOST");
    const char *scheme = "unix://";
    run->services.docker = (struct docker){
        .http = run->services.http,
        .socket = text_starts_with(host, scheme) ? host + strlen(scheme) : DEFAULT_SOCKET};
}

static void tell_secret(void *listener, const char *secret)
{
    secrets_tell(listener, secret);
}

/* For networks that are known to be quick: how long any HTTP exchange may take. */
static int open_http(struct run *run, struct error *err)
{
    const char *limit = environ_get(run->environ, HTTP_LIMIT_VARIABLE);
    struct http_options options = {.ca_file = environ_get(run->environ, "AWS_CA_BUNDLE"),
                                   .user_agent = "lambda-fastdeploy/" VERSION,
                                   .observe = observe_exchange};
    if (limit && duration_parse(limit, &options.max_timeout_ms, err) < 0)
        return error_wrap(err, HTTP_LIMIT_VARIABLE);
    run->services.exchange_limit_ms = options.max_timeout_ms;
    run->services.http = http_new(&options);
    run_set_deadline(run, run->deadline_ms);
    return 0;
}

static int open_aws(struct run *run, struct error *err)
{
    const struct inputs *inputs = run->inputs;
    struct services *services = &run->services;
    if (open_http(run, err) < 0)
        return -1;
    open_docker(run);
    const struct credentials_context context = {
        .http = services->http,
        .environ = run->environ,
        .region = run->result.region,
        .role_to_assume = inputs->role_to_assume,
        .role_session_name = inputs->role_session_name,
        .role_external_id = inputs->role_external_id,
        .audience = inputs->audience,
        .role_duration_s = inputs->role_duration_ms / 1000,
        .access_key_id = inputs->aws_access_key_id,
        .secret_access_key = inputs->aws_secret_access_key,
        .session_token = inputs->aws_session_token,
        .oidc_request_url = services->github.oidc_request_url,
        .oidc_request_token = services->github.oidc_request_token,
        .on_secret = tell_secret,
        .secret_listener = run,
    };
    credentials_chain_init(&services->credentials, &context);
    services->credentials_ready = true;
    if (aws_init(&services->aws, services->http, &services->credentials, run->environ,
                 run->result.region, err) < 0)
        return error_wrap(err, "aws-region");
    services->aws.observe = observe_call;
    services->aws_ready = true;
    return 0;
}

/* The account of a role is in its name. Of other keys AWS is asked where it matters; else the
 * survey finds it on its way. */
static int find_account(struct run *run, const struct credentials *credentials, struct error *err)
{
    struct sts_identity identity;
    if (run->inputs->allowed_account_ids.len == 0) {
        snprintf(run->result.account, sizeof run->result.account, "%s", credentials->account);
        return 0;
    }
    if (sts_get_caller_identity(&run->services.aws, &identity, err) < 0)
        return error_wrap(err, "asking whose account this is");
    snprintf(run->result.account, sizeof run->result.account, "%s", identity.account);
    return 0;
}

static int check_account(const struct run *run, struct error *err)
{
    const struct strvec *allowed = &run->inputs->allowed_account_ids;
    if (allowed->len == 0 || strvec_contains(allowed, run->result.account))
        return 0;
    return error_set(err, ERROR_REFUSED,
                     "the account is %s, which allowed-account-ids does not list",
                     run->result.account);
}

static void say_credentials(const struct run *run)
{
    const struct result *result = &run->result;
    log_info("credentials: %s, %s%s%sregion %s", result->credentials_source,
             result->account[0] ? "account " : "", result->account, result->account[0] ? ", " : "",
             result->region);
}

static int identify(struct run *run, struct error *err)
{
    snprintf(run->result.region, sizeof run->result.region, "%s", run->inputs->aws_region);
    if (open_aws(run, err) < 0)
        return -1;
    CLEANUP(credentials) struct credentials credentials = CREDENTIALS_INIT;
    if (credentials_chain_get(&run->services.credentials, &credentials, err) < 0) {
        if (!run->gate || !run->gate->credentials_optional) /* /cleanup asks no gate */
            return error_wrap(err, "getting AWS credentials");
        log_info("nothing to do: there are no AWS credentials for this event");
        error_reset(err);
        run->result.outcome = OUTCOME_NOT_ASKED;
        return 0;
    }
    snprintf(run->result.credentials_source, sizeof run->result.credentials_source, "%s",
             credentials.source);
    int rc = find_account(run, &credentials, err);
    say_credentials(run);
    return rc < 0 ? -1 : check_account(run, err);
}

const struct stage stage_identify = {.name = "identify",
                                     .title = "Get credentials",
                                     .wanted = NULL,
                                     .only_looks = true,
                                     .run = identify,
                                     .undo = NULL};
