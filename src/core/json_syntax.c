#include "core/json_syntax.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define NUMBER_MAX 63 /* cJSON reads numbers through a buffer of 64 bytes */

struct scan {
    const char *text; /* borrowed */
    size_t len;
    size_t at;
    size_t depth;
    const char *complaint; /* borrowed, static; NULL: all is well so far */
};

static bool value(struct scan *scan);

static bool complain(struct scan *scan, const char *complaint)
{
    if (!scan->complaint)
        scan->complaint = complaint;
    return false;
}

/* The next byte, or -1 at the end. A zero byte in the text is a byte like any other. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->len ? (unsigned char)scan->text[scan->at] : -1;
}

static bool accept(struct scan *scan, char c)
{
    if (peek(scan) != (unsigned char)c)
        return false;
    scan->at++;
    return true;
}

static void skip_space(struct scan *scan)
{
    while (accept(scan, ' ') || accept(scan, '\t') || accept(scan, '\n') || accept(scan, '\r'))
        ;
}

static bool word(struct scan *scan, const char *text)
{
    for (; *text; text++)
        if (!accept(scan, *text))
            return complain(scan, "a value is expected");
    return true;
}

static bool digits(struct scan *scan)
{
    size_t start = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at > start || complain(scan, "a digit is expected");
}

static bool number(struct scan *scan)
{
    size_t start = scan->at;
    (void)accept(scan, '-');
    if (!accept(scan, '0') && !digits(scan))
        return false;
    if (accept(scan, '.') && !digits(scan))
        return false;
    if (accept(scan, 'e') || accept(scan, 'E')) {
        if (!accept(scan, '+'))
            (void)accept(scan, '-');
        if (!digits(scan))
            return false;
    }
    return scan->at - start <= NUMBER_MAX || complain(scan, "the number is too long");
}

static bool hex4(struct scan *scan, uint32_t *ret_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        int c = peek(scan);
        if (c >= '0' && c <= '9')
            unit = unit * 16 + (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f' && c > 0)
            unit = unit * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return complain(scan, "four hexadecimal digits are expected");
    }
    *ret_unit = unit;
    return true;
}

static bool unicode_escape(struct scan *scan)
{
    uint32_t unit = 0;
    uint32_t low = 0;
    if (!hex4(scan, &unit))
        return false;
    if (unit == 0)
        return complain(scan, "\\u0000 in a string is not supported");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return complain(scan, "half a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (!accept(scan, '\\') || !accept(scan, 'u') || !hex4(scan, &low))
        return complain(scan, "half a surrogate pair");
    return (low >= 0xdc00 && low <= 0xdfff) || complain(scan, "half a surrogate pair");
}

static bool escape(struct scan *scan)
{
    static const char simple[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};
    if (accept(scan, 'u'))
        return unicode_escape(scan);
    for (size_t i = 0; i < sizeof simple; i++)
        if (accept(scan, simple[i]))
            return true;
    return complain(scan, "an unknown escape");
}

static bool string(struct scan *scan)
{
    size_t start = scan->at;
    if (!accept(scan, '"'))
        return complain(scan, "a string is expected");
    while (!accept(scan, '"')) {
        int c = peek(scan);
        if (c < 0)
            return complain(scan, "the string does not end");
        if (c < 0x20)
            return complain(scan, "a control character in a string");
        scan->at++;
        if (c == '\\' && !escape(scan))
            return false;
    }
    if (text_is_utf8(scan->text + start, scan->at - start))
        return true;
    scan->at = start;
    return complain(scan, "a string that is not UTF-8");
}

static bool array(struct scan *scan)
{
    skip_space(scan);
    if (accept(scan, ']'))
        return true;
    do {
        if (!value(scan))
            return false;
    } while (accept(scan, ','));
    return accept(scan, ']') || complain(scan, "',' or ']' is expected");
}

static bool object(struct scan *scan)
{
    skip_space(scan);
    if (accept(scan, '}'))
        return true;
    do {
        skip_space(scan);
        if (!string(scan))
            return false;
        skip_space(scan);
        if (!accept(scan, ':'))
            return complain(scan, "':' is expected");
        if (!value(scan))
            return false;
    } while (accept(scan, ','));
    return accept(scan, '}') || complain(scan, "',' or '}' is expected");
}

static bool container(struct scan *scan, bool (*inner)(struct scan *scan))
{
    scan->at++;
    if (++scan->depth > JSON_MAX_DEPTH)
        return false;
    if (!inner(scan))
        return false;
    scan->depth--;
    return true;
}

static bool bare_value(struct scan *scan)
{
    switch (peek(scan)) {
    case '{':
        return container(scan, object);
    case '[':
        return container(scan, array);
    case '"':
        return string(scan);
    case 't':
        return word(scan, "true");
    case 'f':
        return word(scan, "false");
    case 'n':
        return word(scan, "null");
    case '-':
        return number(scan);
    default:
        if (peek(scan) >= '0' && peek(scan) <= '9')
            return number(scan);
        return complain(scan, "a value is expected");
    }
}

static bool value(struct scan *scan)
{
    skip_space(scan);
    if (!bare_value(scan))
        return false;
    skip_space(scan);
    return true;
}

int json_syntax_check(const char *text, size_t len, struct error *err)
{
    struct scan scan = {.text = text, .len = len};
    if (value(&scan) && (scan.at == len || complain(&scan, "something stands behind the value")))
        return 0;
    if (!scan.complaint)
        return error_set(err, ERROR_TOO_LARGE, "JSON nested deeper than %d", JSON_MAX_DEPTH);
    return error_set(err, ERROR_PROTOCOL, "not JSON: byte %zu: %s", scan.at, scan.complaint);
}
