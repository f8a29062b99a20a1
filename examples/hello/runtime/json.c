/* json.c: just enough JSON for an event: find a member, read a string, write a string. */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define MAX_DEPTH 64

struct cursor {
    const char *at, *end;
};

static bool skip_value(struct cursor *cursor, int depth);

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->end && memchr(" \t\r\n", *cursor->at, 4) != NULL) {
        cursor->at++;
    }
}

static bool take(struct cursor *cursor, char expected)
{
    skip_space(cursor);
    if (cursor->at == cursor->end || *cursor->at != expected) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool skip_string(struct cursor *cursor)
{
    if (!take(cursor, '"')) {
        return false;
    }
    while (cursor->at < cursor->end && *cursor->at != '"') {
        if ((unsigned char)*cursor->at < 0x20) {
            return false;
        }
        cursor->at += *cursor->at == '\\' ? 2 : 1;
    }
    if (cursor->at >= cursor->end) {
        cursor->at = cursor->end;
        return false;
    }
    cursor->at++;
    return true;
}

/* Elements up to `close`; those of an object are a name, a colon and a value. */
static bool skip_list(struct cursor *cursor, char close, int depth)
{
    cursor->at++;
    if (take(cursor, close)) {
        return true;
    }
    do {
        if (close == '}' && !(skip_string(cursor) && take(cursor, ':'))) {
            return false;
        }
        if (!skip_value(cursor, depth)) {
            return false;
        }
    } while (take(cursor, ','));
    return take(cursor, close);
}

static bool skip_literal(struct cursor *cursor)
{
    const char *start = cursor->at;
    while (cursor->at < cursor->end && memchr(",]} \t\r\n\"", *cursor->at, 8) == NULL) {
        cursor->at++;
    }
    return cursor->at > start;
}

static bool skip_value(struct cursor *cursor, int depth)
{
    skip_space(cursor);
    if (depth >= MAX_DEPTH || cursor->at == cursor->end) {
        return false;
    }
    switch (*cursor->at) {
    case '"':
        return skip_string(cursor);
    case '{':
        return skip_list(cursor, '}', depth + 1);
    case '[':
        return skip_list(cursor, ']', depth + 1);
    default:
        return skip_literal(cursor);
    }
}

/* Leave the cursor before the value of the member `name` of the object that begins here. */
static bool enter_member(struct cursor *cursor, const char *name, size_t name_len)
{
    if (!take(cursor, '{')) {
        return false;
    }
    do {
        skip_space(cursor);
        const char *start = cursor->at;
        if (!skip_string(cursor)) {
            return false;
        }
        size_t len = (size_t)(cursor->at - start) - 2;
        if (!take(cursor, ':')) {
            return false;
        }
        if (len == name_len && memcmp(start + 1, name, len) == 0) {
            skip_space(cursor);
            return true;
        }
        if (!skip_value(cursor, 0)) {
            return false;
        }
    } while (take(cursor, ','));
    return false;
}

bool json_find(const char *text, size_t len, const char *path, const char **ret_value,
               size_t *ret_len)
{
    struct cursor cursor = {text, text + len};
    for (const char *name = path; *name != '\0';) {
        size_t name_len = strcspn(name, ".");
        if (!enter_member(&cursor, name, name_len)) {
            return false;
        }
        name += name_len + (name[name_len] == '.');
    }
    skip_space(&cursor);
    const char *start = cursor.at;
    if (!skip_value(&cursor, 0)) {
        return false;
    }
    *ret_value = start;
    *ret_len = (size_t)(cursor.at - start);
    return true;
}

static int unescape_unicode(const char *digits, size_t len)
{
    unsigned value = 0;
    if (len < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        const char *hex = "0123456789abcdef";
        const char *digit = memchr(hex, digits[i] | 0x20, 16);
        if (digit == NULL) {
            return -1;
        }
        value = value * 16 + (unsigned)(digit - hex);
    }
    return value > 0 && value < 128 ? (int)value : -1;
}

bool json_text(const char *value, size_t len, char *out, size_t size)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    size_t used = 0;
    if (len < 2 || value[0] != '"') {
        return false;
    }
    for (const char *at = value + 1, *end = value + len - 1; at < end; at++) {
        int c = (unsigned char)*at;
        if (c == '\\') {
            if (++at == end) {
                return false;
            }
            const char *escape = memchr(escapes, *at, sizeof escapes - 1);
            if (escape != NULL) {
                c = meanings[escape - escapes];
            } else if (*at == 'u' && (c = unescape_unicode(at + 1, (size_t)(end - at - 1))) > 0) {
                at += 4;
            } else {
                return false;
            }
        }
        if (used + 1 >= size) {
            return false;
        }
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return true;
}

int json_quote(const char *text, char *out, size_t size)
{
    size_t used = 0;
    if (size < 3) {
        return -1;
    }
    out[used++] = '"';
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (used + 8 > size) {
            return -1;
        }
        if (c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = (char)c;
        } else if (c < 0x20) {
            used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
        } else {
            out[used++] = (char)c;
        }
    }
    if (used + 2 > size) {
        return -1;
    }
    out[used++] = '"';
    out[used] = '\0';
    return 0;
}
