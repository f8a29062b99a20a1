/*
 * support_inputs.h: inputs for tests, read through the real table.
 */
#ifndef TESTS_MODEL_SUPPORT_INPUTS_H
#define TESTS_MODEL_SUPPORT_INPUTS_H

#include "model/inputs.h"

#define MAX_ARGUMENTS 12

/*
 * Read `arguments` (a NULL-terminated list of flags or a command) as main would, with AWS_REGION
 * set to us-east-1 and --function-name=hello put in front unless it is among them.
 */
int read_arguments(const char *const *arguments, struct inputs *ret_inputs, struct error *err);

/* The same; the test fails if it does not read. The caller releases. */
struct inputs must_read(const char *const *arguments);
#define INPUTS(...) must_read((const char *const[]){__VA_ARGS__, NULL})

/* The test fails unless reading fails with ERROR_INPUT and a message that begins so. */
void must_refuse(const char *const *arguments, const char *beginning);

#endif
