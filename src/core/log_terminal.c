/* The log on a terminal: colours, and one live line below it. */
#include "core/log_terminal.h"

#include <unistd.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/log_parts.h"
#include "core/strbuf.h"
#include "core/text.h"

#define CLEAR_LINE "\r\x1b[K"
#define BOLD       "\x1b[1m"
#define PLAIN      "\x1b[0m"
#define NO_WRAP                                                                                    \
    "\x1b[?7l" /* what is too long for the terminal is cut: of two lines only one could be taken   \
                  away */
#define WRAP "\x1b[?7h"

static bool has_colours;
static bool is_live; /* a live line is shown; under log.c's lock */

static void add_colour(struct strbuf *out, const char *code)
{
    if (has_colours)
        strbuf_addstr(out, code);
}

static void clear_live(struct strbuf *out)
{
    if (is_live)
        strbuf_addstr(out, CLEAR_LINE);
    is_live = false;
}

static void terminal_line(void *context, enum log_level level, const struct log_place *place,
                          const char *text)
{
    static const char *const colours[] = {[LOG_DEBUG] = "\x1b[2m",
                                          [LOG_INFO] = "",
                                          [LOG_WARNING] = "\x1b[33m",
                                          [LOG_ERROR] = "\x1b[31m"};
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    clear_live(&line);
    if (level != LOG_INFO)
        add_colour(&line, colours[level]);
    log_add_plain_line(&line, level, place, text);
    if (level != LOG_INFO)
        add_colour(&line, PLAIN);
    strbuf_addch(&line, '\n');
    log_write_all(level >= LOG_WARNING ? STDERR_FILENO : STDOUT_FILENO, line.buf, line.len);
}

static void terminal_group_begin(void *context, const char *title)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    clear_live(&line);
    add_colour(&line, BOLD);
    strbuf_addf(&line, "== %s", title);
    add_colour(&line, PLAIN);
    strbuf_addch(&line, '\n');
    log_write_all(STDOUT_FILENO, line.buf, line.len);
}

static void terminal_group_end(void *context)
{
    (void)context;
}

static void terminal_live(void *context, const char *text)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    clear_live(&line);
    is_live = text[0] != '\0';
    if (is_live)
        strbuf_addf(&line, NO_WRAP "%s" WRAP, text);
    log_write_all(STDOUT_FILENO, line.buf, line.len);
}

const struct log_sink log_terminal = {.line = terminal_line,
                                      .group_begin = terminal_group_begin,
                                      .group_end = terminal_group_end,
                                      .live = terminal_live,
                                      .context = NULL};

bool log_use_terminal(const char *const *environment)
{
    const char *no_color = environ_get(environment, "NO_COLOR");
    const char *term = environ_get(environment, "TERM");
    if (!isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO) || text_equal(term, "dumb"))
        return false;
    has_colours = !no_color || !no_color[0];
    log_use(&log_terminal);
    return true;
}
