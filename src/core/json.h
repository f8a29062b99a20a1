/*
 * json.h: JSON by cJSON (its only includer), behind getters that check types.
 *
 * `struct json` is a node. A tree from json_parse or json_new_* is owned by whoever made it and
 * freed once, at its root; everything that a getter gives is borrowed from the tree. All getters
 * accept NULL as the object, and give "not there", so that chains need no checks.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"

struct json; /* opaque */

/* Any JSON value; white space around it is fine, anything else behind it is not. ERROR_PROTOCOL
 * with the offset if it does not parse (core/json_syntax.h says what is refused), if two members of
 * an object have one name, or if a number is beyond a double; ERROR_TOO_LARGE when nested deeper
 * than 200. */
int json_parse(const char *text, size_t len, struct json **ret_json, struct error *err);
void json_free(struct json *json);
void json_release(struct json **json); /* for CLEANUP(json) struct json *x */

enum json_type {
    JSON_MISSING,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
enum json_type json_type(const struct json *json);

/* `path` is a member's name, or names joined by '.': "Configuration.State". Missing or of another
 * type: NULL, fallback… */
const struct json *json_get(const struct json *object, const char *path);
const char *json_get_string(const struct json *object, const char *path);
int64_t json_get_int(const struct json *object, const char *path,
                     int64_t fallback); /* whole numbers up to 2^53 only */
double json_get_number(const struct json *object, const char *path, double fallback);
bool json_get_bool(const struct json *object, const char *path, bool fallback);

/* A member that must be there: ERROR_PROTOCOL that names it. */
int json_need_string(const struct json *object, const char *path, const char **ret_text,
                     struct error *err);

const char *json_string(const struct json *json); /* the value of a string node, else NULL */
const char *json_name(
    const struct json *json); /* the name under which a node stands in its object, else NULL */
size_t json_length(const struct json *json); /* members or elements */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *json);
#define JSON_EACH(node, parent)                                                                    \
    for (const struct json *node = json_first(parent); node; node = json_next(node))
/* A member by its exact name, dots included. */
const struct json *json_member(const struct json *object, const char *name);
bool json_equal(const struct json *a, const struct json *b); /* order of members does not matter */

/* Building. A value given to a setter is copied; a node given to json_put or json_append is taken
 * over (NULL: nothing happens). Numbers are doubles: whole ones are exact up to 2^53, and what is
 * not finite becomes null. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *text); /* NULL text: a JSON null */
struct json *json_copy(const struct json *json);
void json_put(struct json *object, const char *name, struct json *value); /* replaces */
void json_put_string(struct json *object, const char *name,
                     const char *text); /* NULL text: nothing is put */
void json_put_int(struct json *object, const char *name, int64_t number);
void json_put_number(struct json *object, const char *name, double number);
void json_put_bool(struct json *object, const char *name, bool value);
void json_append(struct json *array, struct json *value);
void json_append_string(struct json *array, const char *text);

/* Without white space, or indented by two spaces. Invalid UTF-8 in strings is written as U+FFFD. */
void json_print(const struct json *json, struct strbuf *out);
void json_print_pretty(const struct json *json, struct strbuf *out);

#endif
