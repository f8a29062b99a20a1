/*
 * task.h: a handful of independent jobs at once, then all of them joined.
 *
 * Each job has its own error; nothing is cancelled because another failed. Where no thread can be
 * made the job runs in the caller's thread: slower, never skipped. A job that is started under a
 * cancel shield (core/cancel.h) runs under one: what puts things back is not cut short in its
 * threads either.
 */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct task {
    void (*run)(void *context);
    void *context;    /* borrowed */
    pthread_t thread; /* task.c's own */
    bool threaded;    /* task.c's own */
    bool shielded;    /* task.c's own */
};

#define TASK(function, ctx)                                                                        \
    {                                                                                              \
        .run = (function), .context = (ctx), .threaded = false                                     \
    }

/* Run all and wait for all. The last one runs in the caller's thread. */
void task_run_all(struct task *tasks, size_t count);

/* The two halves, for a job that goes on while the caller does something else. */
void task_start(struct task *task);
void task_join(struct task *task); /* a second join does nothing */

/* Processors that this process may use, at least 1. */
size_t task_processors(void);

#endif
