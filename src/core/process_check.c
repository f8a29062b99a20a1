/* How a program ended, as an error. */
#include "core/process.h"

#include <string.h>

int process_check(const struct process_result *result, const char *what, struct error *err)
{
    int code = result->code;
    const char *name = NULL;
    switch (result->outcome) {
    case PROCESS_EXITED:
        if (code == 0)
            return 0;
        return error_set_code(err, ERROR_PROCESS, code, "%s ended with status %d", what, code);
    case PROCESS_SIGNALLED:
        name = sigabbrev_np(code);
        return error_set_code(err, ERROR_PROCESS, 128 + code, "%s was ended by SIG%s", what,
                              name ? name : "?");
    case PROCESS_TIMED_OUT:
        return error_set(err, ERROR_TIMEOUT, "%s was stopped after %.1f s: too slow", what,
                         (double)result->elapsed_ms / 1000);
    case PROCESS_GIVEN_UP:
        return error_set(err, ERROR_TIMEOUT, "%s was stopped after %.1f s: it did not go on", what,
                         (double)result->elapsed_ms / 1000);
    case PROCESS_CANCELLED:
        return error_set(err, ERROR_CANCELLED, "%s was cancelled", what);
    case PROCESS_NOT_FOUND:
        return error_set(err, ERROR_NOT_FOUND, "%s: no such program", what);
    }
    return error_set(err, ERROR_PROCESS, "%s ended in an unknown way", what);
}
