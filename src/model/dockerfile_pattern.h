/*
 * dockerfile_pattern.h: the patterns of ${NAME#pattern}, %, / and their doubles. Pure.
 *
 * `*` is any run of characters, `?` one (neither takes a line feed), `\*`, `\?`, `\\` themselves,
 * everything else too. Source: moby/buildkit frontend/dockerfile/shell/lex.go.
 */
#ifndef MODEL_DOCKERFILE_PATTERN_H
#define MODEL_DOCKERFILE_PATTERN_H

#include <stdbool.h>

#include "core/strbuf.h"

/* False: not well-formed. */
bool dockerfile_pattern_is_valid(const char *pattern);

/* `value` without what matches in front (or at its end), the shortest or the longest. */
void dockerfile_pattern_cut(const char *pattern, const char *value, bool at_end, bool longest,
                            struct strbuf *out);
/* `value` with the first match (or all) replaced; longest matches from the left. */
void dockerfile_pattern_replace(const char *pattern, const char *value, const char *replacement,
                                bool all, struct strbuf *out);

#endif
