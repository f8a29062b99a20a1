/*
 * span.h: named regions of time, nested, for the report's timing tree.
 *
 * Thread-safe. A span belongs to a parent (SPAN_NONE: the root) and either lies on the way that the
 * run takes (the parent waited for it) or beside it (`beside`: it ran while something else was
 * waited for).
 */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPAN_NONE (-1)
#define SPAN_MAX  16384 /* more than that are not recorded; `dropped` counts them */

struct span {
    char name[200];
    int parent; /* index, or SPAN_NONE */
    bool beside;
    bool cached;      /* a build step that the cache answered */
    int64_t start_ms; /* since spans_init */
    int64_t end_ms;   /* -1 while it is open */
    int64_t bytes;    /* moved or made; -1: not known */
};

struct spans {
    pthread_mutex_t lock;
    int64_t origin_ms;  /* clock_now_ms() at init */
    struct span *items; /* owned */
    size_t len, alloc;
    size_t dropped;
};

void spans_init(struct spans *spans);
void spans_release(struct spans *spans);

/* Returns the new span's index, or SPAN_NONE when there are too many (span_end takes that). */
int span_begin(struct spans *spans, int parent, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void span_end(struct spans *spans, int index);

/*
 * A span whose times are known from elsewhere (a build step's own clock), in ms since spans_init.
 */
int span_add(struct spans *spans, int parent, const char *name, int64_t start_ms, int64_t end_ms,
             bool cached, int64_t bytes);
void span_set_beside(struct spans *spans, int index);

/*
 * Of the children of `parent`, which others have timed, those that ran at the same time as others
 * become `beside`. Left on the way is a chain without overlaps: the child that ended last, before
 * it the one that ended last before it began, and so on. What took no time is never marked.
 */
void spans_mark_beside(struct spans *spans, int parent);

/* What it took, or has taken so far. 0 for SPAN_NONE. */
int64_t span_ms(struct spans *spans, int index);

/* Between the two nothing changes, and whoever wants to change something waits: `items` may be
 * read, even where other threads have spans that are still open. */
void spans_hold(struct spans *spans);
void spans_let_go(struct spans *spans);

#endif
