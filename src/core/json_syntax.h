/*
 * json_syntax.h: is this text JSON, to the letter of RFC 8259?
 *
 * Pure. cJSON is lenient (it takes "01", raw control characters, text behind the value in some
 * modes) and ends a string silently at an escaped zero; therefore core/json.c asks here first.
 * Refused beyond the RFC, because nothing good can be made of it: \u0000, half a surrogate pair,
 * invalid UTF-8, a byte order mark, a number of more than 63 characters.
 */
#ifndef CORE_JSON_SYNTAX_H
#define CORE_JSON_SYNTAX_H

#include <stddef.h>

#include "core/error.h"

#define JSON_MAX_DEPTH 200

/* One value with white space around it, nothing else. ERROR_PROTOCOL with the offset of the first
 * byte that cannot be, ERROR_TOO_LARGE when nested deeper than JSON_MAX_DEPTH. */
int json_syntax_check(const char *text, size_t len, struct error *err);

#endif
