/*
 * glob.h: Go's path.Clean and path.Match, which decide what a COPY source names. Pure.
 *
 * In a pattern `*` is any run of characters without '/', `?` one character that is not '/', `[a-z]`
 * and `[^a-z]` a class (which may match '/'), `\` takes the next character literally. The whole
 * name must match. A character is a UTF-8 sequence; a byte that is not part of one is a character
 * of its own (U+FFFD). Source: pkg.go.dev/path#Match.
 */
#ifndef MODEL_GLOB_H
#define MODEL_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strbuf.h"

/* "a//b/./../c/" → "a/c"; "" → "."; what begins with '/' stays so, and ".." does not leave it. */
void glob_clean(const char *path, struct strbuf *ret_path);

/* Not well-formed (an open class, a backslash at the end): false. */
bool glob_is_valid(const char *pattern);
bool glob_has_wildcard(const char *path);
bool glob_matches(const char *pattern, const char *name);

/* One character of UTF-8 as Go decodes it; *ret_bytes ≥ 1. `text` is not empty. */
uint32_t glob_decode(const char *text, size_t *ret_bytes);
/* White space as Go's unicode.IsSpace sees it. */
bool glob_is_space(uint32_t character);
/* Cut that white space from both ends: *text and *len are moved. */
void glob_trim(const char **text, size_t *len);

#endif
