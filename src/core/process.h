/*
 * process.h: run a program and read what it says, line by line. One of the three seams.
 *
 * argv only, never a shell. The child is in a process group of its own; when the deadline passes,
 * who listens gives up, or the run is cancelled, the group gets SIGINT, after `grace_ms` SIGTERM,
 * after as long again SIGKILL; it is always reaped. stdin is /dev/null unless `input` is given.
 * Descriptors other than 0–2 are closed in the child, its signal mask is empty and no signal is
 * ignored.
 *
 * Whoever inherited the child's output and outlives it is heard for one more second and then left
 * alone; after a deadline or a cancel what is left of the group is killed. A run that is cancelled
 * (or whose `stop` is set) already starts nothing; a `stop` is noticed within 200 ms. Several
 * threads may run programs at the same time.
 */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum process_stream { PROCESS_STDOUT, PROCESS_STDERR };

struct process_spec {
    const char *const
        *argv; /* borrowed; NULL-terminated; argv[0] is looked for on PATH unless it has a slash */
    const char *const *env; /* borrowed; NULL: ours */
    const char *cwd;        /* borrowed; NULL: ours */
    const char *input;      /* borrowed; NULL: /dev/null */
    size_t input_len;
    int64_t timeout_ms;      /* 0: none */
    int64_t grace_ms;        /* 0: 2,000 */
    const atomic_bool *stop; /* borrowed; another thread sets it: ends as by a cancel; NULL: none */
    /* Has whoever listens heard enough? Asked from this thread, at least every 200 ms; true: it is
     * stopped. NULL: never. */
    bool (*gives_up)(void *context);
    size_t max_line_bytes; /* a longer line arrives in pieces of this size; 0: 64 KiB */
    /* Called from this thread for each line without its newline (a '\r' at the end is left out
     * too); NULL: dropped. */
    void (*on_line)(void *context, enum process_stream stream, const char *line, size_t len);
    void *context; /* borrowed; for both */
};

enum process_outcome {
    PROCESS_EXITED,
    PROCESS_SIGNALLED,
    PROCESS_TIMED_OUT,
    PROCESS_GIVEN_UP,
    PROCESS_CANCELLED,
    PROCESS_NOT_FOUND
};

struct process_result {
    enum process_outcome outcome;
    int code; /* exit status for EXITED, signal for SIGNALLED, else 0 */
    int64_t elapsed_ms;
};

/* 0: it was run, or there is no such program (nor, for a script, its interpreter): see ret_result.
 * -1 (ERROR_SYSTEM): not executable, no pipe, no fork, cwd is not there. */
int process_run(const struct process_spec *spec, struct process_result *ret_result,
                struct error *err);

/*
 * The usual reading of a result: EXITED 0 is 0; anything else an error that says `what` and how it
 * ended (ERROR_PROCESS, ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_NOT_FOUND).
 */
int process_check(const struct process_result *result, const char *what, struct error *err);

/* The seam: NULL puts the real one back. */
typedef int process_runner(void *context, const struct process_spec *spec,
                           struct process_result *ret_result, struct error *err);
void process_replace(process_runner *runner, void *context);

#endif
