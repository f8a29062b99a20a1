#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* What vsnprintf cut in the middle of a UTF-8 character loses the rest of that character too. */
static void drop_partial_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (want > len - start)
        text[start - 1] = '\0';
}

static void format(char *buf, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void format(char *buf, size_t size, const char *fmt, va_list ap)
{
    int len = vsnprintf(buf, size, fmt, ap);
    if (len < 0)
        snprintf(buf, size, "(a message that cannot be formatted)");
    else if ((size_t)len >= size)
        drop_partial_character(buf);
}

/* By way of a copy: the arguments may point into err->msg. */
static void fill(struct error *err, enum error_kind kind, int code, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void fill(struct error *err, enum error_kind kind, int code, const char *fmt, va_list ap)
{
    struct error made = {.kind = kind, .code = code, .name = "", .msg = ""};
    format(made.msg, sizeof made.msg, fmt, ap);
    *err = made;
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    fill(err, kind, 0, fmt, ap);
    va_end(ap);
    return -1;
}

int error_set_code(struct error *err, enum error_kind kind, int code, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    fill(err, kind, code, fmt, ap);
    va_end(ap);
    return -1;
}

/* Put `outer`, ": " and `inner` into err->msg. The three may not overlap. */
static void join(struct error *err, const char *outer, const char *inner)
{
    int len = snprintf(err->msg, sizeof err->msg, "%s: %s", outer, inner);
    if (len < 0 || (size_t)len >= sizeof err->msg)
        drop_partial_character(err->msg);
}

int error_set_errno(struct error *err, const char *fmt, ...)
{
    int code = errno;
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    fill(err, ERROR_SYSTEM, code, fmt, ap);
    va_end(ap);
    char outer[sizeof err->msg];
    memcpy(outer, err->msg, sizeof outer);
    join(err, outer, strerror(code));
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    char outer[sizeof err->msg];
    char inner[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    format(outer, sizeof outer, fmt, ap);
    va_end(ap);
    memcpy(inner, err->msg, sizeof inner);
    if (inner[0] == '\0')
        memcpy(err->msg, outer, sizeof outer);
    else
        join(err, outer, inner);
    return -1;
}

void error_reset(struct error *err)
{
    if (err)
        *err = (struct error)ERROR_INIT;
}

const char *error_kind_name(enum error_kind kind)
{
    static const char *const names[] = {
        [ERROR_NONE] = "none",
        [ERROR_INPUT] = "input",
        [ERROR_SYSTEM] = "system",
        [ERROR_NETWORK] = "network",
        [ERROR_TIMEOUT] = "timeout",
        [ERROR_CANCELLED] = "cancelled",
        [ERROR_UNAUTHORIZED] = "unauthorized",
        [ERROR_DENIED] = "denied",
        [ERROR_NOT_FOUND] = "not-found",
        [ERROR_CONFLICT] = "conflict",
        [ERROR_PRECONDITION] = "precondition",
        [ERROR_THROTTLED] = "throttled",
        [ERROR_REFUSED] = "refused",
        [ERROR_SERVER] = "server",
        [ERROR_PROTOCOL] = "protocol",
        [ERROR_TOO_LARGE] = "too-large",
        [ERROR_PROCESS] = "process",
        [ERROR_FAILED] = "failed",
    };
    if ((size_t)kind >= sizeof names / sizeof *names || !names[kind])
        return "unknown";
    return names[kind];
}
