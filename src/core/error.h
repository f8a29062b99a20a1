/*
 * error.h: one error, owned by the caller, without allocation.
 *
 * A function that can fail returns 0, or -1 and fills in its last argument:
 *
 *     int thing_load(const char *path, struct thing *ret_thing, struct error *err);
 *
 * The message grows from the inside out ("updating function hello: reading answer: not JSON") and
 * is for people. Callers branch on `kind`, now and then on `code` or `name`, never on the text. The
 * place that makes an error captures errno, the HTTP status or the exit status once, there. A
 * clean-up that fails must not hide the first error: it uses an error of its own.
 *
 * Text from outside enters a message as it came; whoever prints it makes it harmless (core/text.h).
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

enum error_kind {
    ERROR_NONE = 0,
    ERROR_INPUT,     /* the user's input is wrong: nothing was tried */
    ERROR_SYSTEM,    /* the operating system said no; code = errno */
    ERROR_NETWORK,   /* no connection, reset, TLS, DNS: whether the far side acted is not known */
    ERROR_TIMEOUT,   /* a deadline of ours passed */
    ERROR_CANCELLED, /* the user or the runner asked us to stop */
    ERROR_UNAUTHORIZED, /* 401, bad or expired credentials, no credentials at all */
    ERROR_DENIED,       /* 403: known, but not allowed */
    ERROR_NOT_FOUND,    /* 404, or the service's own word for it */
    ERROR_CONFLICT,     /* 409: something else is going on there */
    ERROR_PRECONDITION, /* 412: it changed since we looked */
    ERROR_THROTTLED,    /* 429 or the service's own word for it */
    ERROR_REFUSED,      /* another 4xx: the request itself is not acceptable */
    ERROR_SERVER,       /* 5xx */
    ERROR_PROTOCOL,  /* an answer that does not make sense: truncated, not JSON, a member is missing
                      */
    ERROR_TOO_LARGE, /* something from outside is over the cap that was set for it */
    ERROR_PROCESS,   /* a child process failed; code = exit status, or 128 + signal */
    ERROR_FAILED /* it worked and the result is bad: a check failed, an update ended in Failed */
};

struct error {
    enum error_kind kind;
    int code;       /* errno, HTTP status or exit status; 0 where there is none */
    char name[80];  /* the far side's own name for it ("ResourceConflictException"), or "" */
    char msg[1024]; /* always terminated; cut if longer */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        .kind = ERROR_NONE, .code = 0, .name = "", .msg = ""                                       \
    }

/* Fill in `err` (NULL is allowed: nobody wants to know). Always return -1, so that `return
 * error_set(…)` reads well. */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int error_set_code(struct error *err, enum error_kind kind, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ERROR_SYSTEM from errno, which is read first thing: "opening x: No such file or directory". */
int error_set_errno(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "outer: " before the message; kind, code and name stay. Always returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void error_reset(struct error *err);

/* The kind as a word for logs and JSON: "input", "network", "throttled"… Never NULL. */
const char *error_kind_name(enum error_kind kind);

#endif
