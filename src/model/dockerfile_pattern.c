/* Shell patterns of variable substitution, with `*` and `?` only. */
#include "model/dockerfile_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "model/glob.h"

#define NO_MATCH SIZE_MAX

bool dockerfile_pattern_is_valid(const char *pattern)
{
    for (; *pattern; pattern++) {
        if (*pattern != '\\')
            continue;
        if (!pattern[1] || !strchr("*?\\}/", pattern[1]))
            return false;
        pattern++;
    }
    return true;
}

/* The literal that stands at the pattern's front; *ret_bytes of the pattern make it. */
static const char *literal(const char *pattern, size_t *ret_bytes, size_t *ret_literal_bytes)
{
    bool escaped = *pattern == '\\' && pattern[1];
    (void)glob_decode(pattern + (escaped ? 1 : 0), ret_literal_bytes);
    *ret_bytes = *ret_literal_bytes + (escaped ? 1 : 0);
    return pattern + (escaped ? 1 : 0);
}

/*
 * How many bytes of the front of `value` match: the fewest or the most. `reachable[i]` says that
 * the part of the pattern that was read so far matches the first i bytes.
 */
static void step_star(bool *reachable, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (reachable[i] && value[i] != '\n')
            reachable[i + 1] = true;
}

static void step_literal(bool *reachable, const char *value, size_t len, const char *text,
                         size_t bytes)
{
    for (size_t i = len + 1; i-- > 0;) {
        bool here =
            i >= bytes && reachable[i - bytes] && memcmp(value + i - bytes, text, bytes) == 0;
        reachable[i] = here;
    }
}

static void step_any(bool *reachable, const char *value, size_t len)
{
    bool *next = memory_new(len + 1);
    for (size_t i = 0; i < len; i++) {
        size_t bytes;
        if (!reachable[i] || value[i] == '\n')
            continue;
        (void)glob_decode(value + i, &bytes);
        next[i + bytes] = true;
    }
    memcpy(reachable, next, len + 1);
    free(next);
}

static size_t match_front(const char *pattern, const char *value, bool longest)
{
    size_t len = strlen(value), found = NO_MATCH;
    bool *reachable = memory_new(len + 1);
    reachable[0] = true;
    while (*pattern) {
        size_t bytes = 1, literal_bytes;
        if (*pattern == '*') {
            step_star(reachable, value, len);
        } else if (*pattern == '?') {
            step_any(reachable, value, len);
        } else {
            const char *text = literal(pattern, &bytes, &literal_bytes);
            step_literal(reachable, value, len, text, literal_bytes);
        }
        pattern += bytes;
    }
    for (size_t i = 0; i <= len; i++)
        if (reachable[i] && (longest || found == NO_MATCH))
            found = i;
    free(reachable);
    return found;
}

void dockerfile_pattern_cut(const char *pattern, const char *value, bool at_end, bool longest,
                            struct strbuf *out)
{
    size_t len = strlen(value), keep = len;
    if (!at_end) {
        size_t matched = match_front(pattern, value, longest);
        strbuf_addstr(out, value + (matched == NO_MATCH ? 0 : matched));
        return;
    }
    for (size_t i = 0; i <= len; i++) {
        size_t start = longest ? i : len - i;
        if (start < len && ((unsigned char)value[start] & 0xC0u) == 0x80u)
            continue; /* in the middle of a character */
        if (match_front(pattern, value + start, true) == len - start) {
            keep = start;
            break;
        }
    }
    strbuf_add(out, value, keep);
}

void dockerfile_pattern_replace(const char *pattern, const char *value, const char *replacement,
                                bool all, struct strbuf *out)
{
    bool done = false;
    while (*value) {
        size_t matched = done ? NO_MATCH : match_front(pattern, value, true);
        if (matched == NO_MATCH || matched == 0) {
            strbuf_addch(out, *value++);
            continue;
        }
        strbuf_addstr(out, replacement);
        value += matched;
        done = !all;
    }
}
