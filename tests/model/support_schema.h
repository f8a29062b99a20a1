/*
 * support_schema.h: is a JSON value as its schema says? The part of JSON Schema 2020-12 that our
 * schemas use; another keyword in a schema is an error, so that none goes unchecked.
 */
#ifndef TESTS_MODEL_SUPPORT_SCHEMA_H
#define TESTS_MODEL_SUPPORT_SCHEMA_H

#include <stddef.h>

#include "core/json.h"

/* `schema_path` from the repository's root. Returns 0, or -1 with where and what in `problem`. */
int schema_check(const char *schema_path, const struct json *value, char *problem, size_t size);

#endif
