/* What depends on the environment, and what several inputs must agree on. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define ARN_REGION     3 /* parts of arn:aws:lambda:REGION:ACCOUNT:function:NAME, from 0 */
#define ARN_ACCOUNT    4
#define ARN_NAME       6
#define SESSION_PREFIX "lambda-fastdeploy"
#define SESSION_MAX    64
#define GZIP_LEVEL_MAX 9

/* A part of the function's ARN; NULL when it is a name, or not given. Heap. */
static char *part_of_arn(const char *function_name, int part)
{
    if (!text_starts_with(function_name, "arn:"))
        return NULL;
    for (; part > 0; part--) /* the shape was checked */
        function_name = strchr(function_name, ':') + 1;
    return memory_copy_bytes(function_name, strcspn(function_name, ":"));
}

static int resolve_region(struct inputs *inputs, const char *const *env, struct error *err)
{
    if (inputs->aws_region)
        return 0;
    inputs->aws_region = part_of_arn(inputs->function_name, ARN_REGION);
    if (inputs->aws_region)
        return 0;
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = environ_get(env, names[i]);
        if (!value)
            continue;
        if (input_check_region(names[i], value, err) < 0)
            return -1;
        inputs->aws_region = memory_copy_string(value);
        return 0;
    }
    return error_set(err, ERROR_INPUT,
                     "aws-region: not given, and neither AWS_REGION nor AWS_DEFAULT_REGION is set; "
                     "give the function's region, such as us-east-1");
}

int inputs_resolve(struct inputs *inputs, const char *const *env, struct error *err)
{
    if (!inputs->role_session_name) {
        const char *run_id = environ_get(env, "GITHUB_RUN_ID");
        char session[SESSION_MAX + 1];
        bool usable = run_id && strspn(run_id, "0123456789") == strlen(run_id);
        snprintf(session, sizeof session, SESSION_PREFIX "%s%s", usable ? "-" : "",
                 usable ? run_id : "");
        inputs->role_session_name = memory_copy_string(session);
    }
    return resolve_region(inputs, env, err);
}

static int check_arn(const struct inputs *inputs, struct error *err)
{
    CLEANUP_FREE char *region = part_of_arn(inputs->function_name, ARN_REGION);
    CLEANUP_FREE char *account = part_of_arn(inputs->function_name, ARN_ACCOUNT);
    if (region && strcmp(region, inputs->aws_region) != 0)
        return error_set(err, ERROR_INPUT,
                         "aws-region: %s, but function-name is an ARN of %s; leave one of them out",
                         inputs->aws_region, region);
    if (account && inputs->allowed_account_ids.len > 0 &&
        !strvec_contains(&inputs->allowed_account_ids, account))
        return error_set(err, ERROR_INPUT,
                         "function-name: its account %s is not one of allowed-account-ids",
                         account);
    return 0;
}

static int check_keys(const struct inputs *inputs, struct error *err)
{
    if (!inputs->aws_access_key_id != !inputs->aws_secret_access_key)
        return error_set(err, ERROR_INPUT,
                         "%s: not given, but the other half of the key is; give both or neither",
                         inputs->aws_access_key_id ? "aws-secret-access-key" : "aws-access-key-id");
    if (inputs->aws_session_token && !inputs->aws_access_key_id)
        return error_set(err, ERROR_INPUT,
                         "aws-session-token: given without aws-access-key-id and "
                         "aws-secret-access-key; give all three or none");
    return 0;
}

/* Without `repository` the function's name is the repository's. */
static int check_repositories(const struct inputs *inputs, struct error *err)
{
    if (!inputs->function_name)
        return 0; /* only `base`: there is no application image */
    CLEANUP_FREE char *name = part_of_arn(inputs->function_name, ARN_NAME);
    const char *repository = inputs->repository ? inputs->repository
                             : name             ? name
                                                : inputs->function_name;
    if (!input_is_repository(repository))
        return error_set(err, ERROR_INPUT,
                         "repository: not given, and the function's name %s is no ECR repository's "
                         "name (small letters, digits, single . _ -); give one",
                         repository);
    if (inputs->image_tag && strcmp(repository, inputs->base_repository) == 0 &&
        strcmp(inputs->image_tag, inputs->base_tag) == 0)
        return error_set(err, ERROR_INPUT,
                         "image-tag: the same as base-tag in the same repository; give another tag "
                         "or another repository");
    return 0;
}

static int check_compression(const struct inputs *inputs, struct error *err)
{
    if (inputs->compression != COMPRESSION_ZSTD && inputs->compression_level > GZIP_LEVEL_MAX)
        return error_set(err, ERROR_INPUT, "compression-level: %d is for zstd; gzip takes 0 to %d",
                         inputs->compression_level, GZIP_LEVEL_MAX);
    return 0;
}

static size_t json_bytes(const char *text, size_t len)
{
    CLEANUP_FREE char *copy = memory_copy_bytes(text, len);
    CLEANUP(json) struct json *json = json_new_string(copy);
    struct strbuf printed = STRBUF_INIT(8 * INPUT_MAX_BYTES);
    json_print(json, &printed);
    size_t bytes = printed.len;
    strbuf_release_secret(&printed);
    memory_wipe(copy, len);
    return bytes;
}

/* Lambda measures {"KEY":"VALUE",…}. */
static int check_environment(const struct inputs *inputs, struct error *err)
{
    if (inputs->environment_mode == ENVIRONMENT_REPLACE && inputs->environment.len == 0)
        return error_set(err, ERROR_INPUT,
                         "environment-mode: replace, but environment is not given; give the "
                         "variables (an environment is never wiped by leaving it out)");
    size_t bytes = sizeof "{" - 1;
    for (size_t i = 0; i < inputs->environment.len; i++) {
        const char *line = inputs->environment.items[i];
        size_t key_len = strcspn(line, "=");
        const char *value = line + key_len + 1;
        bytes += json_bytes(line, key_len) + json_bytes(value, strlen(value)) + sizeof ":," - 1;
    }
    if (bytes > LAMBDA_ENVIRONMENT_MAX_BYTES)
        return error_set(err, ERROR_INPUT,
                         "environment: %zu bytes as JSON; Lambda takes %d in all (keep large "
                         "values in Secrets Manager or Parameter Store)",
                         bytes, LAMBDA_ENVIRONMENT_MAX_BYTES);
    return 0;
}

/* Something that is asked of an answer needs somebody who is asked. */
static int check_verification(const struct inputs *inputs, struct error *err)
{
    const struct {
        const char *name, *text;
    } needs_url[] = {{"checks", inputs->checks}, {"storage-checks", inputs->storage_checks}};
    for (size_t i = 0; i < sizeof needs_url / sizeof *needs_url; i++)
        if (needs_url[i].text && !inputs->health_url)
            return error_set(err, ERROR_INPUT,
                             "%s: given without health-url, against which the checks run (is its "
                             "secret empty?); give it too",
                             needs_url[i].name);
    if (inputs->health_expect && !inputs->health_url && !inputs->health_payload)
        return error_set(err, ERROR_INPUT,
                         "health-expect: given, but neither health-url nor health-payload asks for "
                         "an answer; give one of them");
    return 0;
}

int inputs_check_together(const struct inputs *inputs, struct error *err)
{
    static int (*const judges[])(const struct inputs *, struct error *) = {
        check_arn,         check_keys,         check_repositories,         check_compression,
        check_environment, check_verification, inputs_check_configuration,
    };
    for (size_t i = 0; i < sizeof judges / sizeof *judges; i++)
        if (judges[i](inputs, err) < 0)
            return -1;
    return 0;
}
