/*
 * cancel.h: somebody asked us to stop.
 *
 * As PID 1 of a container action the program gets SIGINT when a run is cancelled, SIGTERM 7.5 s
 * later, and is killed 2.5 s after that (actions/runner ProcessInvoker.cs). The handlers only note
 * the signal and wake whoever waits; everything that waits (sleep, HTTP, child processes) ends
 * early with ERROR_CANCELLED, and no new step starts.
 */
#ifndef CORE_CANCEL_H
#define CORE_CANCEL_H

#include <stdbool.h>

/* Install the handlers for SIGINT and SIGTERM, and ignore SIGPIPE and SIGXFSZ, which are errors of
 * a write. Once, before the first thread.
 */
void cancel_install(void);

/* Close what wakes those who wait: after the last thread. A signal is still noted. */
void cancel_release(void);

/* The signal that asked us to stop, or 0. */
int cancel_signal(void);

/* Readable once a cancel was asked for; -1 before cancel_install and after cancel_release.
 * Borrowed: never close or read it.
 */
int cancel_fd(void);

/*
 * Work that puts things back must not be cut short by the signal that caused it: between begin and
 * end this thread sees cancel_requested() as false and its waits run on. Nests.
 */
void cancel_shield_begin(void);
void cancel_shield_end(void);
bool cancel_is_shielded(void); /* this thread; core/task hands it on to the threads that it makes */

/* True if this thread should stop what it is doing. */
bool cancel_requested(void);

/* For tests: as if `signal` had come; 0 takes it back. */
void cancel_pretend(int signal);

#endif
