#include "core/text.h"

#include <string.h>

#define REPLACEMENT  "\xEF\xBF\xBD" /* U+FFFD */
#define ELLIPSIS     "\xE2\x80\xA6" /* U+2026 */
#define ELLIPSIS_LEN 3
#define UNIT_MAX     16 /* the longest thing that one character can become */
#define DECIMAL_MAX  15 /* digits: exact in a double, before and after scaling */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_is_empty(const char *text)
{
    if (!text)
        return true;
    while (text_is_space(*text))
        text++;
    return *text == '\0';
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The whole of `prefix` is at the start of `text`, in any case of ASCII letters. */
static bool starts_with_ignore_case(const char *text, const char *prefix)
{
    for (; *prefix; text++, prefix++)
        if (lower(*text) != lower(*prefix))
            return false;
    return true;
}

bool text_equal_ignore_case(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strlen(a) == strlen(b) && starts_with_ignore_case(a, b);
}

bool text_starts_with(const char *text, const char *prefix)
{
    return text && prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
    if (!text || !suffix)
        return false;
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

bool text_contains_ignore_case(const char *text, const char *part)
{
    if (!text || !part)
        return false;
    do {
        if (starts_with_ignore_case(text, part))
            return true;
    } while (*text++);
    return false;
}

bool text_to_int64(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    if (!text)
        return false;
    bool is_negative = *text == '-';
    if (is_negative)
        text++;
    if (!text_is_digit(*text))
        return false;
    int64_t number = 0;
    for (; text_is_digit(*text); text++) {
        int digit = *text - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, is_negative ? -digit : digit, &number))
            return false;
    }
    if (*text != '\0' || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

bool text_to_decimal(const char *text, double *ret_number)
{
    if (!text)
        return false;
    double number = 0;
    double scale = 1;
    int digits = 0;
    bool has_point = false;
    for (; text_is_digit(*text) || (*text == '.' && !has_point); text++) {
        if (*text == '.') {
            has_point = true;
            if (!text_is_digit(text[1]))
                return false;
            continue;
        }
        if (++digits > DECIMAL_MAX)
            return false;
        number = number * 10 + (*text - '0');
        if (has_point)
            scale *= 10;
    }
    if (*text != '\0' || digits == 0)
        return false;
    *ret_number = number / scale;
    return true;
}

/*
 * The character at `bytes`, and how many bytes it has. Those that are no UTF-8 (a stray or missing
 * continuation, an overlong form, a surrogate, above U+10FFFF) give -1 and the number of bytes that
 * one replacement stands for: the longest start of a valid form, at least one (Unicode 15, section
 * 3.9, "U+FFFD Substitution of Maximal Subparts").
 */
static int32_t decode(const unsigned char *bytes, size_t len, size_t *ret_used)
{
    static const struct {
        unsigned char first, last; /* lead byte */
        unsigned char low, high;   /* second byte; the others are 80 to BF */
        unsigned char size;
        unsigned char mask; /* the lead's own bits */
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2, 0x1F}, {0xE0, 0xE0, 0xA0, 0xBF, 3, 0x0F},
        {0xE1, 0xEC, 0x80, 0xBF, 3, 0x0F}, {0xED, 0xED, 0x80, 0x9F, 3, 0x0F},
        {0xEE, 0xEF, 0x80, 0xBF, 3, 0x0F}, {0xF0, 0xF0, 0x90, 0xBF, 4, 0x07},
        {0xF1, 0xF3, 0x80, 0xBF, 4, 0x07}, {0xF4, 0xF4, 0x80, 0x8F, 4, 0x07},
    };
    *ret_used = 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last)
            continue;
        int32_t character = bytes[0] & forms[i].mask;
        for (size_t at = 1; at < forms[i].size; at++) {
            unsigned char low = at == 1 ? forms[i].low : 0x80;
            unsigned char high = at == 1 ? forms[i].high : 0xBF;
            if (at >= len || bytes[at] < low || bytes[at] > high)
                return -1;
            character = character << 6 | (bytes[at] & 0x3F);
            *ret_used = at + 1;
        }
        return character;
    }
    return -1;
}

int text_line_of(const char *text, const char *part)
{
    const char *found = part[0] ? strstr(text, part) : NULL;
    int line = 1;
    for (const char *at = text; found && at < found; at++)
        line += *at == '\n';
    return found ? line : 0;
}

bool text_is_digest(const char *text)
{
    static const char prefix[] = "sha256:";
    const size_t digits = 64;
    return text_starts_with(text, prefix) &&
           strspn(text + sizeof prefix - 1, "0123456789abcdef") == digits &&
           strlen(text) == sizeof prefix - 1 + digits;
}

bool text_is_utf8(const char *bytes, size_t len)
{
    for (size_t at = 0, used; at < len; at += used)
        if (decode((const unsigned char *)bytes + at, len - at, &used) < 0)
            return false;
    return true;
}

/* Characters that end a line, change the direction of others, or are not seen at all. */
static bool must_escape(int32_t character)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},       /* C0, DEL, C1 */
        {0x061C, 0x061C}, {0x200B, 0x200B},   /* Arabic letter mark; zero width space */
        {0x200E, 0x200F}, {0x2028, 0x202E},   /* marks; separators, embeddings, overrides */
        {0x2060, 0x206F}, {0xFEFF, 0xFEFF},   /* word joiner to digit shapes, isolates; BOM */
        {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}, /* interlinear annotation; tags */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

/* Bytes of an ANSI colour sequence (ESC [ digits ; : m) at `bytes`, or 0. */
static size_t colour_length(const char *bytes, size_t len)
{
    if (len < 3 || bytes[0] != '\x1b' || bytes[1] != '[')
        return 0;
    size_t at = 2;
    while (at < len && (text_is_digit(bytes[at]) || bytes[at] == ';' || bytes[at] == ':'))
        at++;
    return at < len && bytes[at] == 'm' ? at + 1 : 0;
}

/* What the character becomes, into `unit`; its length. */
static size_t make_visible(int32_t character, const char *bytes, size_t used, bool keep_newlines,
                           char unit[UNIT_MAX])
{
    int len = -1;
    if (character < 0)
        len = snprintf(unit, UNIT_MAX, "%s", REPLACEMENT);
    else if (character == '\t')
        len = snprintf(unit, UNIT_MAX, " ");
    else if (character == '\n' && keep_newlines)
        len = snprintf(unit, UNIT_MAX, "\n");
    else if (must_escape(character))
        len =
            snprintf(unit, UNIT_MAX, character < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)character);
    if (len >= 0)
        return (size_t)len;
    memcpy(unit, bytes, used);
    return used;
}

/* Bytes from here on that stay as they are: most of any log, so they are taken at once. */
static size_t plain_length(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && bytes[at] >= ' ' && bytes[at] <= '~')
        at++;
    return at;
}

void text_add_visible(struct strbuf *sb, const char *bytes, size_t len, size_t max_bytes,
                      bool keep_newlines)
{
    size_t room = sb->cap > sb->len ? sb->cap - sb->len : 0;
    size_t limit = max_bytes < room ? max_bytes : room;
    size_t start = sb->len;
    size_t last_fit = start; /* up to here an ellipsis still fits behind */
    for (size_t at = 0, used; at < len; at += used) {
        size_t left = limit - (sb->len - start);
        used = plain_length(bytes + at, len - at < left ? len - at : left);
        if (used > 0) {
            size_t before = sb->len, full = start + limit;
            strbuf_add(sb, bytes + at, used);
            size_t fit = sb->len + ELLIPSIS_LEN <= full ? sb->len : full - ELLIPSIS_LEN;
            if (limit >= ELLIPSIS_LEN && fit >= before)
                last_fit = fit;
            continue;
        }
        used = colour_length(bytes + at, len - at);
        if (used > 0)
            continue;
        char unit[UNIT_MAX];
        int32_t character = decode((const unsigned char *)bytes + at, len - at, &used);
        size_t unit_len = make_visible(character, bytes + at, used, keep_newlines, unit);
        if (unit_len > limit - (sb->len - start)) {
            strbuf_truncate(sb, last_fit);
            if (limit >= ELLIPSIS_LEN)
                strbuf_addstr(sb, ELLIPSIS);
            if (room < max_bytes)
                sb->overflowed = true;
            return;
        }
        strbuf_add(sb, unit, unit_len);
        if (sb->len - start + ELLIPSIS_LEN <= limit)
            last_fit = sb->len;
    }
}
