/*
 * text.h: small questions about text, and text from strangers made harmless.
 *
 * Pure. Nothing here depends on the locale.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strbuf.h"

/* ASCII; white space is space, \t, \n, \v, \f and \r. */
static inline bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool text_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
/* Of a hex digit, small or large; -1: it is none. */
static inline int text_hex_value(char c)
{
    if (text_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_is_empty(const char *text);                      /* NULL, or white space only */
bool text_equal(const char *a, const char *b);             /* NULL equals only NULL */
bool text_equal_ignore_case(const char *a, const char *b); /* ASCII */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
bool text_contains_ignore_case(const char *text,
                               const char *part); /* ASCII, as GitHub's contains(); NULL: false */

/* A whole decimal number within [min, max], nothing before or behind it. */
bool text_to_int64(const char *text, int64_t min, int64_t max, int64_t *ret_number);
/* A decimal number such as "0.3", "10", ".5"; no sign, no exponent, at most 15 digits. */
bool text_to_decimal(const char *text, double *ret_number);

/* The line, from 1, in which `part` first stands whole; 0: in none, or `part` is empty. */
int text_line_of(const char *text, const char *part);

/* "sha256:" and 64 lower-case hex digits. */
bool text_is_digest(const char *text);
#define DIGEST_SIZE 80 /* of a buffer for one: "sha256:", 64 hex digits, and room */

bool text_is_utf8(const char *bytes, size_t len);

/*
 * Add `bytes` made safe for a log line or a Markdown cell: invalid UTF-8 becomes U+FFFD, control
 * characters (C0, DEL, C1, bidirectional marks and overrides, line and paragraph separators,
 * invisible format characters such as U+FEFF) become visible escapes such as \x1b or \u202e, except
 * that '\t' becomes a space. With `keep_newlines` '\n' stays. At most `max_bytes` are added; what
 * is cut ends in "…". ANSI colour sequences (ESC [ … m) are left out instead of shown.
 */
void text_add_visible(struct strbuf *sb, const char *bytes, size_t len, size_t max_bytes,
                      bool keep_newlines);

#endif
