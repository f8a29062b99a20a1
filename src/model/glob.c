/* Go's path.Clean and path.Match. */
#include "model/glob.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

/* Sequences by their first byte: how long, and the smallest character that may be written so. */
static const struct {
    unsigned char first, last;
    size_t bytes;
    uint32_t smallest;
} sequences[] = {{0xC2, 0xDF, 2, 0x80}, {0xE0, 0xEF, 3, 0x800}, {0xF0, 0xF4, 4, 0x10000}};

uint32_t glob_decode(const char *text, size_t *ret_bytes)
{
    unsigned char lead = (unsigned char)text[0];
    *ret_bytes = 1;
    if (lead < 0x80)
        return lead;
    size_t which = 0;
    while (which < 3 && (lead < sequences[which].first || lead > sequences[which].last))
        which++;
    if (which == 3)
        return REPLACEMENT;
    size_t bytes = sequences[which].bytes;
    uint32_t character = lead & (0x7Fu >> bytes);
    for (size_t i = 1; i < bytes; i++) { /* a terminator is no continuation */
        if (!is_continuation(text[i]))
            return REPLACEMENT;
        character = character << 6 | ((unsigned char)text[i] & 0x3Fu);
    }
    bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < sequences[which].smallest || character > 0x10FFFF || surrogate)
        return REPLACEMENT;
    *ret_bytes = bytes;
    return character;
}

bool glob_is_space(uint32_t c)
{
    if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0)
        return true;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Bytes of white space at the end of the text. */
static size_t space_at_end(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        size_t bytes;
        if (is_continuation(text[len - back]))
            continue;
        uint32_t c = glob_decode(text + len - back, &bytes);
        return bytes == back && glob_is_space(c) ? back : 0;
    }
    return 0;
}

void glob_trim(const char **text, size_t *len)
{
    size_t bytes;
    while (*len > 0 && glob_is_space(glob_decode(*text, &bytes)) && bytes <= *len) {
        *text += bytes;
        *len -= bytes;
    }
    while ((bytes = space_at_end(*text, *len)) > 0)
        *len -= bytes;
}

/* Take the last component away; at the start of a relative path add "..". */
static void go_up(struct strbuf *path, bool rooted)
{
    size_t floor = rooted ? 1 : 0;
    size_t cut = path->len;
    while (cut > floor && path->buf[cut - 1] != '/')
        cut--;
    bool stuck = path->len == floor || strcmp(path->buf + cut, "..") == 0;
    if (!stuck)
        strbuf_truncate(path, cut > floor ? cut - 1 : floor);
    else if (!rooted)
        strbuf_addstr(path, path->len > 0 ? "/.." : "..");
}

void glob_clean(const char *path, struct strbuf *ret_path)
{
    bool rooted = path[0] == '/';
    strbuf_reset(ret_path);
    if (rooted)
        strbuf_addch(ret_path, '/');
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            go_up(ret_path, rooted);
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            if (ret_path->len > (rooted ? 1u : 0u))
                strbuf_addch(ret_path, '/');
            strbuf_add(ret_path, path, len);
        }
        path += len;
        path += strspn(path, "/");
    }
    if (ret_path->len == 0)
        strbuf_addch(ret_path, '.');
}

bool glob_has_wildcard(const char *path)
{
    for (; *path; path++) {
        if (*path == '*' || *path == '?' || *path == '[')
            return true;
        if (*path == '\\' && path[1])
            path++;
    }
    return false;
}

/* One end of a range inside of a class; false if it is not well-formed there. */
static bool class_character(const char **pattern, uint32_t *ret_character)
{
    size_t bytes;
    if (!**pattern || **pattern == '-' || **pattern == ']')
        return false;
    if (**pattern == '\\' && !*++*pattern)
        return false;
    *ret_character = glob_decode(*pattern, &bytes);
    if (*ret_character == REPLACEMENT && bytes == 1)
        return false;
    *pattern += bytes;
    return **pattern != '\0'; /* something must close the class */
}

/* *pattern stands behind '['; afterwards behind ']'. */
static bool class_matches(const char **pattern, uint32_t character, bool *ret_valid)
{
    bool negated = **pattern == '^', found = false, first = true;
    *ret_valid = false;
    if (negated)
        (*pattern)++;
    while (first || **pattern != ']') {
        uint32_t low, high;
        if (!class_character(pattern, &low))
            return false;
        high = low;
        if (**pattern == '-') {
            (*pattern)++;
            if (!class_character(pattern, &high))
                return false;
        }
        found = found || (low <= character && character <= high);
        first = false;
    }
    (*pattern)++;
    *ret_valid = true;
    return found != negated;
}

/* One pattern element other than '*' against the front of the name; both move behind it. */
static bool element_matches(const char **pattern, const char **name)
{
    size_t bytes, pattern_bytes;
    if (!**name)
        return false;
    uint32_t c = glob_decode(*name, &bytes);
    bool valid = true, matched;
    switch (**pattern) {
    case '[':
        (*pattern)++;
        matched = class_matches(pattern, c, &valid);
        *name += bytes;
        return matched && valid;
    case '?':
        (*pattern)++;
        *name += bytes;
        return c != '/';
    case '\\':
        (*pattern)++;
        if (!**pattern)
            return false;
        __attribute__((fallthrough));
    default:
        (void)glob_decode(*pattern, &pattern_bytes);
        matched = **pattern == **name;
        (*pattern)++;
        (*name)++;
        return matched;
    }
}

bool glob_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;
    while (*name || *pattern) {
        const char *p = pattern, *n = name;
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
            continue;
        }
        if (*pattern && element_matches(&p, &n)) {
            pattern = p;
            name = n;
            continue;
        }
        if (!star || !*retry || *retry == '/')
            return false;
        name = ++retry;
        pattern = star;
    }
    return true;
}

bool glob_is_valid(const char *pattern)
{
    bool valid = true;
    while (*pattern && valid) {
        if (*pattern == '[') {
            pattern++;
            (void)class_matches(&pattern, 0, &valid);
        } else if (*pattern == '\\') {
            valid = pattern[1] != '\0';
            pattern += valid ? 2 : 1;
        } else {
            pattern++;
        }
    }
    return valid;
}
