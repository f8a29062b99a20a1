/*
 * aws.h: one signed call to AWS: endpoint, signature, retries, decoded errors.
 *
 * Every request that this program can send to AWS is a row of a table (struct aws_operation), so
 * that tests can list them all. Thread-safe: one `struct aws` for a run (and a second one for a
 * repository in another region).
 */
#ifndef SERVICES_AWS_H
#define SERVICES_AWS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/json.h"
#include "core/retry.h"
#include "services/credentials.h"

enum aws_protocol {
    AWS_REST_JSON, /* lambda: method and path by operation, JSON bodies */
    AWS_JSON_1_1,  /* ecr, logs: POST /, X-Amz-Target */
    AWS_QUERY      /* sts: POST /, form in, XML out */
};

struct aws_service {
    const char *name;          /* "lambda": also the signing name */
    const char *endpoint_name; /* host prefix: "lambda", "api.ecr", "sts", "logs" */
    const char
        *endpoint_variable; /* AWS_ENDPOINT_URL_<this>: "LAMBDA", "ECR", "STS", "CLOUDWATCH_LOGS" */
    enum aws_protocol protocol;
    const char *target_prefix; /* JSON 1.1: "AmazonEC2ContainerRegistry_V20150921" */
    const char *api_version;   /* query: "2011-06-15" */
};

struct aws_operation {
    const struct aws_service *service;
    const char *name;   /* "UpdateFunctionCode" */
    const char *method; /* REST: "PUT"; else NULL (POST) */
    const char *path;   /* REST: "/2015-03-31/functions/{}/code", each {} filled by the next path
                           argument, percent-encoded; else NULL */
    const char *iam_action; /* "lambda:UpdateFunctionCode": what an access-denied message names */
    bool unsigned_call;     /* AssumeRoleWithWebIdentity */
    bool changes;    /* it changes something: never sent by `plan`; a lost answer leaves it open
                        whether it took effect */
    bool raw_answer; /* a success's body is somebody else's (Invoke's payload), not AWS's JSON */
};
/* Every operation of every service file, NULL-terminated; the rows are in aws_operations.c. */
extern const struct aws_operation *const aws_operations[];

struct aws {
    struct http *http;                     /* borrowed */
    struct credentials_chain *credentials; /* borrowed */
    const char *const *environ;            /* borrowed */
    char region[32];
    struct retry_bucket bucket;
    pthread_mutex_t lock; /* skew */
    int64_t skew_s;       /* server's clock minus ours, once a server has complained */
    /* Told about every attempt; NULL: nobody. status 0: no answer. For debug lines and counts. */
    void (*observe)(void *context, const struct aws_operation *operation, int attempt, int status,
                    int64_t elapsed_ms, const char *error_name);
    void *context; /* borrowed */
};

/* ERROR_INPUT if the region is not one ("us-east-1" and its like). */
int aws_init(struct aws *aws, struct http *http, struct credentials_chain *credentials,
             const char *const *environment, const char *region, struct error *err);
void aws_release(struct aws *aws);

struct aws_call { /* all borrowed */
    const struct aws_operation *operation;
    const char *path_args[3]; /* for the {} of the path, in order */
    const char *query;        /* already encoded, without '?'; NULL: none */
    const struct json *body;  /* JSON protocols; NULL: {} for JSON 1.1, no body for REST */
    const char *raw_body;     /* Invoke's payload instead of `body`; NULL: none */
    size_t raw_body_len;
    const char *form; /* query protocol: encoded parameters behind Action and Version */
    const struct http_header *headers; /* further ones, signed too */
    size_t header_count;
    int64_t timeout_ms; /* of one attempt; 0: 60,000 */
    bool single;        /* not sent again once it may have taken effect (no answer, 5xx); still
                           again after what surely had none (no connection, throttled, bad clock) */
};

struct aws_answer {
    struct http_response http;
    struct json
        *json; /* owned; NULL when the body was empty or is not JSON by protocol (XML, Invoke) */
};
#define AWS_ANSWER_INIT                                                                            \
    {                                                                                              \
        .http = HTTP_RESPONSE_INIT, .json = NULL                                                   \
    }
void aws_answer_release(struct aws_answer *answer);

/*
 * Send, with retries of transient errors and of throttling (Lambda's control calls: for half a
 * minute), a renewed signature when the clock is off, and renewed credentials when they have
 * expired. Errors: kind by name and status (ResourceNotFoundException → ERROR_NOT_FOUND, but a 404
 * without such a name → ERROR_REFUSED; 409 → ERROR_CONFLICT; 412 → ERROR_PRECONDITION;
 * AccessDenied*, 403 → ERROR_DENIED, the message names the missing IAM action; …), code = HTTP
 * status, name = AWS's error name. 409 and 412 are never retried here: they are decisions.
 * `ret_answer` must be initialised; it is released first, and filled in only on success.
 *
 * In doubt: when an operation that `changes` got no answer (reset, timeout, cut, 5xx) and was sent
 * again, it may have taken effect whatever a later attempt is answered (a 409 or 412 may be about
 * our own change). Then the kind is ERROR_NETWORK (whether the far side acted is not known), name
 * and code are those of the last answer: look at what is there now.
 */
int aws_call(struct aws *aws, const struct aws_call *call, struct aws_answer *ret_answer,
             struct error *err);

/* "https://lambda.us-east-1.amazonaws.com", or what AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL
 * say. Without a slash at the end. ERROR_INPUT where AWS_USE_FIPS_ENDPOINT asks for another one
 * than these variables tell. */
int aws_endpoint(const struct aws *aws, const struct aws_service *service, struct strbuf *out,
                 struct error *err);
/* "amazonaws.com", "amazonaws.com.cn"…; by the region's partition. */
const char *aws_dns_suffix(const char *region);
const char *aws_partition(const char *region); /* "aws", "aws-cn", "aws-us-gov"… */

#endif
