/*
 * lambda_parse.h: Lambda's answers → structs. Pure; for lambda.c and its tests.
 */
#ifndef SERVICES_LAMBDA_PARSE_H
#define SERVICES_LAMBDA_PARSE_H

#include "core/error.h"
#include "core/json.h"
#include "services/lambda.h"

/* A FunctionConfiguration, as most calls answer. ERROR_PROTOCOL if it is none: FunctionName and
 * FunctionArn must be there. What does not fit is an error where it identifies something, and is
 * cut where it is prose. */
int lambda_parse_configuration(const struct json *json, struct lambda_function *ret_function,
                               struct error *err);
/* GetFunction's answer: Configuration, Code, Tags. */
int lambda_parse_function(const struct json *json, struct lambda_function *ret_function,
                          struct error *err);
int lambda_parse_alias(const struct json *json, struct lambda_alias *ret_alias, struct error *err);

#endif
