/*
 * log.h: what a person reads while the program runs.
 *
 * Only app, failure and stages log; everything below returns errors. Lines go to a sink: plain text
 * on a terminal or in another CI, workflow commands on GitHub (services/github.c provides that
 * one). Every text is made harmless (core/text.h) before it reaches the sink. Thread-safe: lines
 * never mix.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_place {     /* where in the user's files a message belongs; all optional */
    const char *file;  /* borrowed; relative to the workspace; NULL: none */
    int line;          /* 0: none */
    const char *title; /* borrowed; NULL: none */
};

/*
 * `text` is harmless and has no newline; it is not terminated by one. `place` may be NULL, and its
 * texts are harmless too. A message of several lines comes as several calls in a row, except that a
 * warning or an error stays one: its line breaks become " | ". A sink does not log itself.
 */
struct log_sink {
    void (*line)(void *context, enum log_level level, const struct log_place *place,
                 const char *text);
    void (*group_begin)(void *context, const char *title);
    void (*group_end)(void *context);
    /* The one line that is written over again and again; "" takes it away. NULL: there is none. */
    void (*live)(void *context, const char *text);
    void *context; /* borrowed */
};

/* Plain text: info to stdout, warnings and errors to stderr with "warning: " and "error: ", groups
 * as "== title". */
extern const struct log_sink log_plain;

/*
 * What must never be seen is taken out of every text, harmless already, before a sink gets it:
 * `text` goes into `out` without it. Called under the log's lock, so it does not log itself. NULL:
 * nothing is taken out.
 */
typedef void log_hider(void *context, const char *text, size_t len, struct strbuf *out);
void log_hide(log_hider *hider, void *context);

/* Borrowed until replaced; NULL means log_plain. */
void log_use(const struct log_sink *sink);
/* Debug lines are dropped unless this is on (RUNNER_DEBUG=1). */
void log_show_debug(bool on);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_at(enum log_level level, const struct log_place *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A line that somebody else wrote (a child's output): info, never read as a command. */
void log_foreign(const char *bytes, size_t len);

void log_group_begin(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_group_end(void);

/* A line that the next one replaces, where the sink has such a thing; else nothing happens. */
bool log_has_live(void);
void log_live(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_live_end(void);

#endif
