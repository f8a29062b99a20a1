/* An ignore file: its patterns, and their verdict on a path. */
#include "model/ignore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/strbuf.h"
#include "model/glob.h"

#define LONGEST_LINE 65535 /* of Go's bufio.Scanner */

static void note_uncertain(struct ignore *ignore, const char *pattern)
{
    if (!ignore->uncertain)
        snprintf(ignore->uncertain_pattern, sizeof ignore->uncertain_pattern, "%s", pattern);
    ignore->uncertain = true;
}

static void add_pattern(struct ignore *ignore, struct ignore_pattern *pattern)
{
    ignore->patterns = memory_resize(ignore->patterns, ignore->len + 1, sizeof *ignore->patterns);
    ignore->patterns[ignore->len++] = *pattern;
    ignore->takes_back = ignore->takes_back || pattern->takes_back;
    if (pattern->uncertain)
        note_uncertain(ignore, pattern->text);
}

/* What a line says, as moby's packages make it: trimmed, cleaned, no slash in front, trimmed again
 * (what stood behind that slash). */
static void normalize_line(const char *line, size_t len, struct strbuf *ret_pattern)
{
    glob_trim(&line, &len);
    strbuf_reset(ret_pattern);
    bool takes_back = len > 0 && line[0] == '!';
    if (takes_back) {
        line++;
        len--;
        glob_trim(&line, &len);
        strbuf_addch(ret_pattern, '!');
    }
    if (len == 0)
        return;
    struct strbuf raw = STRBUF_INIT(STRBUF_NO_CAP), clean = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_add(&raw, line, len);
    glob_clean(raw.buf, &clean);
    strbuf_addstr(ret_pattern, clean.buf + (clean.len > 1 && clean.buf[0] == '/' ? 1 : 0));
    strbuf_release(&raw);
    strbuf_release(&clean);
}

static int parse_line(const char *line, size_t len, struct ignore *ignore, struct error *err)
{
    if (len > LONGEST_LINE)
        return error_set(err, ERROR_INPUT, "the line is longer than 64 KiB");
    if (len > 0 && line[0] == '#')
        return 0;
    if (len > 0 && memchr(line, '\0', len)) {
        note_uncertain(ignore, "a line with a zero byte");
        return 0;
    }
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct ignore_pattern pattern;
    int rc = 0;
    normalize_line(line, len, &text);
    const char *rest = text.buf;
    size_t rest_len = text.len;
    glob_trim(&rest, &rest_len);
    strbuf_truncate(&text, (size_t)(rest - text.buf) + rest_len);
    if (rest_len > 0) {
        rc = ignore_pattern_compile(rest, &pattern, err);
        if (rc == 0)
            add_pattern(ignore, &pattern);
    }
    strbuf_release(&text);
    return rc;
}

int ignore_parse(const char *name, const char *text, size_t len, struct ignore *ret_ignore,
                 struct error *err)
{
    const char *end = text + len;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    for (int line = 1; text < end; line++) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = (size_t)((feed ? feed : end) - text);
        const char *next = feed ? feed + 1 : end;
        if (line_len > 0 && text[line_len - 1] == '\r')
            line_len--;
        if (parse_line(text, line_len, ret_ignore, err) < 0) {
            ignore_release(ret_ignore);
            return error_wrap(err, "%s:%d", name, line);
        }
        text = next;
    }
    return 0;
}

int ignore_from_patterns(const struct strvec *patterns, struct ignore *ret_ignore,
                         struct error *err)
{
    for (size_t i = 0; i < patterns->len; i++) {
        const char *text = patterns->items[i];
        size_t len = strlen(text);
        struct ignore_pattern pattern;
        glob_trim(&text, &len);
        if (len == 0)
            continue;
        struct strbuf trimmed = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_add(&trimmed, text, len);
        int rc = ignore_pattern_compile(trimmed.buf, &pattern, err);
        strbuf_release(&trimmed);
        if (rc < 0) {
            ignore_release(ret_ignore);
            return -1;
        }
        add_pattern(ret_ignore, &pattern);
    }
    return 0;
}

void ignore_release(struct ignore *ignore)
{
    for (size_t i = 0; i < ignore->len; i++)
        ignore_pattern_release(&ignore->patterns[i]);
    free(ignore->patterns);
    *ignore = (struct ignore)IGNORE_INIT;
}

void ignore_state_release(struct ignore_state *state)
{
    free(state->matched);
    state->matched = NULL;
}

/*
 * A pattern that could not change the verdict is not looked at, and then counts as "did not match"
 * for everything below, too. That is how the original does it, and it matters for a pattern that
 * takes back a folder which nothing had ignored.
 */
bool ignore_matches(const struct ignore *ignore, const char *path,
                    const struct ignore_state *parent, struct ignore_state *ret_state)
{
    bool ignored = false;
    if (ret_state && !ret_state->matched)
        ret_state->matched = memory_new(ignore->len + 1);
    for (size_t i = 0; i < ignore->len && !ignore->uncertain; i++) {
        const struct ignore_pattern *pattern = &ignore->patterns[i];
        bool matched = parent && parent->matched && parent->matched[i];
        if (!matched && pattern->takes_back == ignored)
            matched = ignore_pattern_matches(pattern, path);
        if (ret_state)
            ret_state->matched[i] = matched;
        if (matched)
            ignored = !pattern->takes_back;
    }
    return ignored;
}

bool ignore_matches_alone(const struct ignore *ignore, const char *path)
{
    struct ignore_state state = IGNORE_STATE_INIT;
    struct strbuf folder = STRBUF_INIT(STRBUF_NO_CAP);
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        struct ignore_state below = IGNORE_STATE_INIT;
        strbuf_reset(&folder);
        strbuf_add(&folder, path, (size_t)(slash - path));
        (void)ignore_matches(ignore, folder.buf, &state, &below);
        ignore_state_release(&state);
        state = below;
    }
    bool ignored = ignore_matches(ignore, path, &state, NULL);
    ignore_state_release(&state);
    strbuf_release(&folder);
    return ignored;
}

bool ignore_may_keep_below(const struct ignore *ignore, const char *folder)
{
    size_t folder_len = strlen(folder);
    for (size_t i = 0; i < ignore->len; i++) {
        const struct ignore_pattern *pattern = &ignore->patterns[i];
        if (!pattern->takes_back)
            continue;
        if (pattern->literal_len <= folder_len) {
            bool whole = pattern->text[pattern->literal_len] == '\0';
            if (!whole && strncmp(folder, pattern->text, pattern->literal_len) == 0)
                return true;
        } else if (strncmp(folder, pattern->text, folder_len) == 0 &&
                   pattern->text[folder_len] == '/') {
            return true;
        }
    }
    return ignore->uncertain;
}
