/*
 * lambda.h: Lambda's control API and Invoke. Source: docs.aws.amazon.com/lambda/latest/api; states:
 * dg/functions-states.
 *
 * No waiting here: stages decide how long and how often to look (stages/wait.h).
 */
#ifndef SERVICES_LAMBDA_H
#define SERVICES_LAMBDA_H

#include "core/text.h"
#include <stdbool.h>
#include <stdint.h>

#include "services/aws.h"

struct lambda_function { /* strings of fixed size are "" where Lambda said nothing */
    char name[160], arn[320], version[24], revision_id[64];
    char package_type[16], architecture[16];
    char image_uri[600], resolved_image_uri[600]; /* GetFunction only */
    char digest[DIGEST_SIZE];                     /* of resolved_image_uri, "sha256:…" */
    char code_sha256[96];
    char state[32], state_reason[512], state_reason_code[64];
    char last_update_status[32], last_update_reason[512], last_update_reason_code[64];
    struct json *configuration; /* owned; the whole configuration as Lambda said it */
    struct json *tags;          /* owned; GetFunction only; NULL: none or not permitted */
};
void lambda_function_release(struct lambda_function *function);

/* `qualifier` NULL: $LATEST. ERROR_NOT_FOUND. */
int lambda_get_function(struct aws *aws, const char *name, const char *qualifier,
                        struct lambda_function *ret_function, struct error *err);

struct lambda_code {          /* borrowed */
    const char *image_uri;    /* repository@sha256:… */
    const char *architecture; /* "x86_64", "arm64" */
    const char *revision_id;  /* NULL: whatever is there */
    bool dry_run;             /* only parameters and permissions are checked */
};
int lambda_update_code(struct aws *aws, const char *name, const struct lambda_code *code,
                       struct lambda_function *ret_function, struct error *err);
/* `changes` is the request's body without RevisionId (which is added when not NULL). */
int lambda_update_configuration(struct aws *aws, const char *name, const struct json *changes,
                                const char *revision_id, struct lambda_function *ret_function,
                                struct error *err);
/* `request` is CreateFunction's body. */
int lambda_create_function(struct aws *aws, const struct json *request,
                           struct lambda_function *ret_function, struct error *err);
/* Either may be NULL. */
int lambda_publish_version(struct aws *aws, const char *name, const char *code_sha256,
                           const char *revision_id, const char *description,
                           struct lambda_function *ret_version, struct error *err);

struct lambda_alias {
    char name[132], arn[400], version[24], revision_id[64];
    bool routed;          /* it has routing weights */
    struct json *routing; /* owned; AdditionalVersionWeights, or NULL */
};
void lambda_alias_release(struct lambda_alias *alias);
/*
 * The one version that all calls go to, though the alias names another one; or NULL. Lambda puts
 * such weights ({"7": 1.0}) there itself, and takes them away, while provisioned concurrency is
 * allocated for the version that the alias has been moved to: minutes, in which the RevisionId
 * moves as well (hashicorp/terraform-provider-aws#48116). Pure. Borrowed from `alias`.
 */
const char *lambda_alias_kept_on(const struct lambda_alias *alias);
int lambda_get_alias(struct aws *aws, const char *name, const char *alias,
                     struct lambda_alias *ret_alias, struct error *err);
int lambda_create_alias(struct aws *aws, const char *name, const char *alias, const char *version,
                        struct lambda_alias *ret_alias, struct error *err);
/* All traffic to `version`: weights are cleared, unless `routing` gives some. */
int lambda_update_alias(struct aws *aws, const char *name, const char *alias, const char *version,
                        const struct json *routing, const char *revision_id,
                        struct lambda_alias *ret_alias, struct error *err);

/* ERROR_NOT_FOUND if it is not there. */
int lambda_delete_alias(struct aws *aws, const char *name, const char *alias, struct error *err);

struct lambda_invocation {
    int status;
    char *payload; /* owned */
    size_t payload_len;
    char function_error[32]; /* "" = none; "Unhandled", "Handled": the function failed even though
                                status is 200 */
    char version[24];
    char *log_tail; /* owned; decoded; NULL: none */
    int64_t elapsed_ms;
};
void lambda_invocation_release(struct lambda_invocation *invocation);
/* Synchronous, with the log's tail. `qualifier` NULL: $LATEST. */
int lambda_invoke(struct aws *aws, const char *name, const char *qualifier, const char *payload,
                  size_t payload_len, int64_t timeout_ms, struct lambda_invocation *ret_invocation,
                  struct error *err);

/* `tags` is an object of strings. */
int lambda_tag(struct aws *aws, const char *function_arn, const struct json *tags,
               struct error *err);
int lambda_list_tags(struct aws *aws, const char *function_arn, struct json **ret_tags,
                     struct error *err);

#endif
