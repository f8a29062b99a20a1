#include "model/support_inputs.h"

#include <check.h>
#include <string.h>

#include "core/text.h"

static bool names_function(const char *const *arguments)
{
    for (; *arguments; arguments++)
        if (text_starts_with(*arguments, "--function-name"))
            return true;
    return false;
}

int read_arguments(const char *const *arguments, struct inputs *ret_inputs, struct error *err)
{
    static const char *const env[] = {"AWS_REGION=us-east-1", NULL};
    const char *argv[MAX_ARGUMENTS + 3] = {"lambda-fastdeploy"};
    int argc = 1;
    const char *const *rest = arguments;
    if (*rest && **rest != '-')
        argv[argc++] = *rest++; /* the command comes first */
    if (!names_function(arguments))
        argv[argc++] = "--function-name=hello";
    for (; *rest; rest++) {
        ck_assert_int_lt(argc, MAX_ARGUMENTS + 2);
        argv[argc++] = *rest;
    }
    enum inputs_ask ask = INPUTS_HELP;
    int rc = inputs_read(argc, argv, env, ret_inputs, &ask, err);
    if (rc == 0)
        ck_assert_int_eq(ask, INPUTS_RUN);
    return rc;
}

struct inputs must_read(const char *const *arguments)
{
    struct inputs inputs;
    struct error err = ERROR_INIT;
    ck_assert_msg(read_arguments(arguments, &inputs, &err) == 0, "%s: %s", arguments[0], err.msg);
    return inputs;
}

void must_refuse(const char *const *arguments, const char *beginning)
{
    struct inputs inputs;
    struct error err = ERROR_INIT;
    int rc = read_arguments(arguments, &inputs, &err);
    if (rc == 0)
        inputs_release(&inputs);
    ck_assert_msg(rc == -1, "%s was taken; expected: %s", arguments[0], beginning);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(text_starts_with(err.msg, beginning), "%s\n  expected: %s", err.msg, beginning);
}
