/*
 * ignore_pattern.h: one pattern of moby/patternmatcher, compiled and matched. Pure.
 *
 * A pattern without wildcards is compared whole; `x/ **` (without the space) is a prefix, `** /x` a
 * suffix; everything else is matched token by token over the whole path, as the regular expression
 * that the original makes of it would.
 */
#ifndef MODEL_IGNORE_PATTERN_H
#define MODEL_IGNORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct ignore_token; /* ignore_pattern.c's own */

struct ignore_pattern {
    char *text;        /* owned; cleaned, without the `!` */
    bool takes_back;   /* `!` */
    bool uncertain;    /* cannot be matched faithfully */
    bool has_operator; /* ignore_pattern.c's own: '|', '{' or '}' stands in it */
    enum { IGNORE_EXACT, IGNORE_PREFIX, IGNORE_SUFFIX, IGNORE_TOKENS } kind;
    struct ignore_token *tokens; /* owned; of IGNORE_TOKENS */
    size_t token_count;
    size_t literal_len; /* bytes of text in front of the first special character */
};

/* `text`: what stands on the line, trimmed, with `!`. ERROR_INPUT without a place: the caller adds
 * it. */
int ignore_pattern_compile(const char *text, struct ignore_pattern *ret_pattern, struct error *err);
void ignore_pattern_release(struct ignore_pattern *pattern);

bool ignore_pattern_matches(const struct ignore_pattern *pattern, const char *path);

#endif
