#include "core/log_parts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "core/text.h"

#define MESSAGE_MAX   ((size_t)256 * 1024) /* one call, which may be several lines */
#define LINE_TEXT_MAX ((size_t)16 * 1024)
#define PLACE_MAX     ((size_t)1024)
#define STALLED_MS    10000 /* a reader that takes nothing for so long loses the line */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* sink, and every call of it */
static const struct log_sink *sink = &log_plain;         /* borrowed */
static log_hider *hide;                                  /* under lock; NULL: nothing to hide */
static void *hide_context;                               /* borrowed; under lock */
static atomic_bool is_debug_shown;

void log_write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);
        if (count >= 0) {
            bytes += count;
            len -= (size_t)count;
            continue;
        }
        if (errno == EINTR)
            continue;
        struct pollfd out = {.fd = fd, .events = POLLOUT};
        if (errno != EAGAIN || poll(&out, 1, STALLED_MS) <= 0)
            return;
    }
}

void log_add_plain_line(struct strbuf *out, enum log_level level, const struct log_place *place,
                        const char *text)
{
    static const char *const prefixes[] = {
        [LOG_DEBUG] = "debug: ",
        [LOG_INFO] = "",
        [LOG_WARNING] = "warning: ",
        [LOG_ERROR] = "error: ",
    };
    strbuf_addstr(out, prefixes[level]);
    if (place && place->file && place->line > 0)
        strbuf_addf(out, "%s:%d: ", place->file, place->line);
    else if (place && place->file)
        strbuf_addf(out, "%s: ", place->file);
    if (place && place->title)
        strbuf_addf(out, "%s: ", place->title);
    strbuf_addstr(out, text);
}

static void plain_line(void *context, enum log_level level, const struct log_place *place,
                       const char *text)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    log_add_plain_line(&line, level, place, text);
    strbuf_addch(&line, '\n');
    log_write_all(level >= LOG_WARNING ? STDERR_FILENO : STDOUT_FILENO, line.buf, line.len);
}

static void plain_group_begin(void *context, const char *title)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&line, "== %s\n", title);
    log_write_all(STDOUT_FILENO, line.buf, line.len);
}

static void plain_group_end(void *context)
{
    (void)context;
}

const struct log_sink log_plain = {
    .line = plain_line,
    .group_begin = plain_group_begin,
    .group_end = plain_group_end,
    .context = NULL,
};

void log_use(const struct log_sink *new_sink)
{
    pthread_mutex_lock(&lock);
    sink = new_sink ? new_sink : &log_plain;
    pthread_mutex_unlock(&lock);
}

void log_hide(log_hider *hider, void *context)
{
    pthread_mutex_lock(&lock);
    hide = hider;
    hide_context = context;
    pthread_mutex_unlock(&lock);
}

/* The text as it may be seen; `place` is where it stands if something has to be taken out. Under
 * lock. */
static const char *hidden(const char *text, struct strbuf *place)
{
    if (!hide || !text)
        return text;
    strbuf_reset(place);
    hide(hide_context, text, strlen(text), place);
    return place->buf;
}

void log_show_debug(bool on)
{
    atomic_store(&is_debug_shown, on);
}

static size_t without_line_end(const char *bytes, size_t len)
{
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    return len;
}

/* The place made harmless, its texts in `file` and `title`. */
static struct log_place visible_place(const struct log_place *place, struct strbuf *file,
                                      struct strbuf *title)
{
    struct log_place visible = {.file = NULL, .line = place->line, .title = NULL};
    if (place->file) {
        text_add_visible(file, place->file, strlen(place->file), PLACE_MAX, false);
        visible.file = file->buf;
    }
    if (place->title) {
        text_add_visible(title, place->title, strlen(place->title), PLACE_MAX, false);
        visible.title = title->buf;
    }
    return visible;
}

/*
 * One sink line for each line of the text, all under one lock. A warning or an error stays whole
 * (on GitHub it is one annotation): its line breaks become " | ".
 */
static void emit(enum log_level level, const struct log_place *place, const char *bytes, size_t len)
{
    CLEANUP(strbuf) struct strbuf file = STRBUF_INIT(PLACE_MAX);
    CLEANUP(strbuf) struct strbuf title = STRBUF_INIT(PLACE_MAX);
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf shown_file = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf shown_title = STRBUF_INIT(STRBUF_NO_CAP);
    struct log_place visible;
    if (place)
        visible = visible_place(place, &file, &title);
    len = without_line_end(bytes, len);
    pthread_mutex_lock(&lock);
    if (place) {
        visible.file = hidden(visible.file, &shown_file);
        visible.title = hidden(visible.title, &shown_title);
    }
    for (size_t start = 0, end; start <= len; start = end + 1) {
        const char *newline = start < len ? memchr(bytes + start, '\n', len - start) : NULL;
        end = newline ? (size_t)(newline - bytes) : len;
        size_t line_len = without_line_end(bytes + start, end - start);
        if (level < LOG_WARNING)
            strbuf_reset(&line);
        else if (line.len > 0 && line_len > 0)
            strbuf_addstr(&line, " | ");
        if (line.len < LINE_TEXT_MAX)
            text_add_visible(&line, bytes + start, line_len, LINE_TEXT_MAX - line.len, false);
        if (level < LOG_WARNING || end == len)
            sink->line(sink->context, level, place ? &visible : NULL, hidden(line.buf, &shown));
    }
    pthread_mutex_unlock(&lock);
}

static void log_va(enum log_level level, const struct log_place *place, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void log_va(enum log_level level, const struct log_place *place, const char *fmt, va_list ap)
{
    if (level == LOG_DEBUG && !atomic_load(&is_debug_shown))
        return;
    CLEANUP(strbuf) struct strbuf message = STRBUF_INIT(MESSAGE_MAX);
    strbuf_vaddf(&message, fmt, ap);
    if (message.overflowed) {
        message.cap = STRBUF_NO_CAP;
        strbuf_addstr(&message, "…");
    }
    emit(level, place, message.buf, message.len);
}

void log_debug(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(LOG_DEBUG, NULL, fmt, ap);
    va_end(ap);
}

void log_info(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(LOG_INFO, NULL, fmt, ap);
    va_end(ap);
}

void log_warning(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(LOG_WARNING, NULL, fmt, ap);
    va_end(ap);
}

void log_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(LOG_ERROR, NULL, fmt, ap);
    va_end(ap);
}

void log_at(enum log_level level, const struct log_place *place, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(level, place, fmt, ap);
    va_end(ap);
}

void log_foreign(const char *bytes, size_t len)
{
    emit(LOG_INFO, NULL, bytes, len);
}

void log_group_begin(const char *fmt, ...)
{
    CLEANUP(strbuf) struct strbuf title = STRBUF_INIT(MESSAGE_MAX);
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(PLACE_MAX);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&title, fmt, ap);
    va_end(ap);
    text_add_visible(&visible, title.buf, title.len, PLACE_MAX, false);
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    pthread_mutex_lock(&lock);
    sink->group_begin(sink->context, hidden(visible.buf, &shown));
    pthread_mutex_unlock(&lock);
}

void log_group_end(void)
{
    pthread_mutex_lock(&lock);
    sink->group_end(sink->context);
    pthread_mutex_unlock(&lock);
}

bool log_has_live(void)
{
    pthread_mutex_lock(&lock);
    bool has = sink->live != NULL;
    pthread_mutex_unlock(&lock);
    return has;
}

void log_live(const char *fmt, ...)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(MESSAGE_MAX);
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(PLACE_MAX);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    text_add_visible(&visible, text.buf, text.len, PLACE_MAX, false);
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    pthread_mutex_lock(&lock);
    if (sink->live)
        sink->live(sink->context, hidden(visible.buf, &shown));
    pthread_mutex_unlock(&lock);
}

void log_live_end(void)
{
    log_live("%s", "");
}
