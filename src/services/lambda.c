#include "services/lambda.h"

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "services/aws_operations.h"
#include "services/lambda_parse.h"

#define LOG_TAIL_MAX 16384 /* Lambda gives the last 4 KB, in base64 */

void lambda_function_release(struct lambda_function *function)
{
    if (!function)
        return;
    json_free(function->configuration);
    json_free(function->tags);
    *function = (struct lambda_function){.configuration = NULL};
}

void lambda_alias_release(struct lambda_alias *alias)
{
    if (!alias)
        return;
    json_free(alias->routing);
    *alias = (struct lambda_alias){.routed = false};
}

void lambda_invocation_release(struct lambda_invocation *invocation)
{
    if (!invocation)
        return;
    free(invocation->payload);
    free(invocation->log_tail);
    *invocation = (struct lambda_invocation){.payload = NULL};
}

/* "Qualifier=…", or nothing. */
static void add_qualifier(struct strbuf *query, const char *qualifier)
{
    if (!qualifier)
        return;
    strbuf_addstr(query, "Qualifier=");
    http_add_encoded(query, qualifier, false);
}

/* A call whose answer is a FunctionConfiguration. */
static int call_for_configuration(struct aws *aws, const struct aws_operation *operation,
                                  const char *name, const struct json *body,
                                  struct lambda_function *ret_function, struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = operation, .path_args = {name}, .body = body};
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    if (lambda_parse_configuration(answer.json, ret_function, err) < 0)
        return error_wrap(err, "lambda %s: reading the answer", operation->name);
    return 0;
}

int lambda_get_function(struct aws *aws, const char *name, const char *qualifier,
                        struct lambda_function *ret_function, struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    CLEANUP(strbuf) struct strbuf query = STRBUF_INIT(STRBUF_NO_CAP);
    add_qualifier(&query, qualifier);
    const struct aws_call call = {.operation = &lambda_op_get_function,
                                  .path_args = {name},
                                  .query = query.len > 0 ? query.buf : NULL};
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    if (lambda_parse_function(answer.json, ret_function, err) < 0)
        return error_wrap(err, "lambda GetFunction: reading the answer");
    return 0;
}

int lambda_update_code(struct aws *aws, const char *name, const struct lambda_code *code,
                       struct lambda_function *ret_function, struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    struct json *architectures = json_new_array();
    json_put_string(body, "ImageUri", code->image_uri);
    json_append_string(architectures, code->architecture);
    json_put(body, "Architectures", architectures);
    json_put_string(body, "RevisionId", code->revision_id);
    if (code->dry_run)
        json_put_bool(body, "DryRun", true);
    return call_for_configuration(aws, &lambda_op_update_function_code, name, body, ret_function,
                                  err);
}

int lambda_update_configuration(struct aws *aws, const char *name, const struct json *changes,
                                const char *revision_id, struct lambda_function *ret_function,
                                struct error *err)
{
    CLEANUP(json) struct json *body = json_copy(changes);
    json_put_string(body, "RevisionId", revision_id);
    return call_for_configuration(aws, &lambda_op_update_function_configuration, name, body,
                                  ret_function, err);
}

int lambda_create_function(struct aws *aws, const struct json *request,
                           struct lambda_function *ret_function, struct error *err)
{
    return call_for_configuration(aws, &lambda_op_create_function, NULL, request, ret_function,
                                  err);
}

int lambda_publish_version(struct aws *aws, const char *name, const char *code_sha256,
                           const char *revision_id, const char *description,
                           struct lambda_function *ret_version, struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    json_put_string(body, "CodeSha256", code_sha256);
    json_put_string(body, "RevisionId", revision_id);
    json_put_string(body, "Description", description);
    return call_for_configuration(aws, &lambda_op_publish_version, name, body, ret_version, err);
}

static int call_for_alias(struct aws *aws, const struct aws_call *call,
                          struct lambda_alias *ret_alias, struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    if (aws_call(aws, call, &answer, err) < 0)
        return -1;
    if (lambda_parse_alias(answer.json, ret_alias, err) < 0)
        return error_wrap(err, "lambda %s: reading the answer", call->operation->name);
    return 0;
}

int lambda_get_alias(struct aws *aws, const char *name, const char *alias,
                     struct lambda_alias *ret_alias, struct error *err)
{
    const struct aws_call call = {.operation = &lambda_op_get_alias, .path_args = {name, alias}};
    return call_for_alias(aws, &call, ret_alias, err);
}

int lambda_create_alias(struct aws *aws, const char *name, const char *alias, const char *version,
                        struct lambda_alias *ret_alias, struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    json_put_string(body, "Name", alias);
    json_put_string(body, "FunctionVersion", version);
    const struct aws_call call = {
        .operation = &lambda_op_create_alias, .path_args = {name}, .body = body};
    return call_for_alias(aws, &call, ret_alias, err);
}

int lambda_update_alias(struct aws *aws, const char *name, const char *alias, const char *version,
                        const struct json *routing, const char *revision_id,
                        struct lambda_alias *ret_alias, struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    struct json *config = json_new_object();
    json_put(config, "AdditionalVersionWeights", routing ? json_copy(routing) : json_new_object());
    json_put_string(body, "FunctionVersion", version);
    json_put(body, "RoutingConfig", config);
    json_put_string(body, "RevisionId", revision_id);
    const struct aws_call call = {
        .operation = &lambda_op_update_alias, .path_args = {name, alias}, .body = body};
    return call_for_alias(aws, &call, ret_alias, err);
}

int lambda_delete_alias(struct aws *aws, const char *name, const char *alias, struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = &lambda_op_delete_alias, .path_args = {name, alias}};
    return aws_call(aws, &call, &answer, err);
}

static void copy_header(const struct http_response *response, const char *name, char *to,
                        size_t size)
{
    const char *value = http_response_header(response, name);
    snprintf(to, size, "%s", value ? value : "");
}

/* The tail of the log; one that cannot be read is no reason to lose the invocation's answer. */
static char *decode_log(const char *encoded)
{
    struct strbuf text = STRBUF_INIT(LOG_TAIL_MAX);
    if (encoded && crypto_base64_decode(&text, encoded, strlen(encoded), NULL) == 0)
        return strbuf_detach(&text);
    strbuf_release(&text);
    return NULL;
}

int lambda_invoke(struct aws *aws, const char *name, const char *qualifier, const char *payload,
                  size_t payload_len, int64_t timeout_ms, struct lambda_invocation *ret_invocation,
                  struct error *err)
{
    static const struct http_header headers[] = {
        {"X-Amz-Invocation-Type", "RequestResponse"},
        {"X-Amz-Log-Type", "Tail"},
    };
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    CLEANUP(strbuf) struct strbuf query = STRBUF_INIT(STRBUF_NO_CAP);
    add_qualifier(&query, qualifier);
    const struct aws_call call = {.operation = &lambda_op_invoke,
                                  .path_args = {name},
                                  .query = query.len > 0 ? query.buf : NULL,
                                  .raw_body = payload ? payload : "",
                                  .raw_body_len = payload ? payload_len : 0,
                                  .headers = headers,
                                  .header_count = sizeof headers / sizeof *headers,
                                  .timeout_ms = timeout_ms,
                                  .single = true};
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    const struct http_response *http = &answer.http;
    struct lambda_invocation made = {
        .status = http->status,
        .payload = memory_copy_bytes(http->body.buf ? http->body.buf : "", http->body.len),
        .payload_len = http->body.len,
        .log_tail = decode_log(http_response_header(http, "x-amz-log-result")),
        .elapsed_ms = http->elapsed_ms,
    };
    copy_header(http, "x-amz-function-error", made.function_error, sizeof made.function_error);
    copy_header(http, "x-amz-executed-version", made.version, sizeof made.version);
    *ret_invocation = made;
    return 0;
}

int lambda_tag(struct aws *aws, const char *function_arn, const struct json *tags,
               struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    json_put(body, "Tags", json_copy(tags));
    const struct aws_call call = {
        .operation = &lambda_op_tag_resource, .path_args = {function_arn}, .body = body};
    return aws_call(aws, &call, &answer, err);
}

int lambda_list_tags(struct aws *aws, const char *function_arn, struct json **ret_tags,
                     struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    const struct aws_call call = {.operation = &lambda_op_list_tags, .path_args = {function_arn}};
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    const struct json *tags = json_get(answer.json, "Tags");
    *ret_tags = json_type(tags) == JSON_OBJECT ? json_copy(tags) : json_new_object();
    return 0;
}
