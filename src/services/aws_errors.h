/*
 * aws_errors.h: what an answer that is not a success says, and what may be done about it. Pure.
 *
 * AWS names its errors in many places (the X-Amzn-ErrorType header, `__type`, `code`, <Code>), in
 * many spellings ("com.amazonaws.lambda#Name", "Name:http://…"); ECR answers 400 to nearly
 * everything, so that a name weighs more than the status. Between AWS and us stand proxies and load
 * balancers that answer in HTML. Sources: botocore parsers.py and retries/standard.py;
 * smithy.io/2.0/aws/protocols; aws.amazon.com/blogs/developer on retry behaviour of November 2026.
 */
#ifndef SERVICES_AWS_ERRORS_H
#define SERVICES_AWS_ERRORS_H

#include "core/error.h"
#include "core/http.h"
#include "core/retry.h"

enum aws_remedy {
    AWS_REMEDY_NONE,
    AWS_REMEDY_CLOCK,          /* our clock is off: sign again with the server's date */
    AWS_REMEDY_CLOCK_IF_OFF,   /* a bad signature: the clock, if the Date header says so */
    AWS_REMEDY_NEW_CREDENTIALS /* they have expired: fetch others */
};

struct aws_fault {
    enum error_kind kind;
    enum retry_class retry;
    enum aws_remedy remedy;
    char name[80];     /* AWS's name, "" if it gave none */
    char message[768]; /* AWS's own words, a stranger's text; never "" */
};

/* `response` has a status that is not 2xx. */
void aws_fault_decode(const struct http_response *response, struct aws_fault *ret_fault);

/* What to allow, "; this needs the IAM permission …", where AWS denies something without naming it;
 * else "". */
#define AWS_FAULT_NEEDS_SIZE 256
void aws_fault_needs(const struct aws_fault *fault, const char *iam_action,
                     char ret_needs[AWS_FAULT_NEEDS_SIZE]);

#endif
