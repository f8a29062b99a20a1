/*
 * checks.h: lines of checks: `METHOD PATH [BODY] -> STATUS ["text in the answer"]`.
 *
 *     GET /health -> 200 "ok"
 *     POST /query {"q":"ping"} -> 200 "rows"
 *
 * Blank lines and lines that begin with '#' are skipped. BODY is everything between PATH and the
 * last ` -> ` outside of a JSON string. The text stands in double quotes with JSON's escapes.
 * `$1.id` in PATH or BODY is the member `id` of the JSON answer of the first check of the list ($2
 * the second's, and so on; members of members by dots, elements of arrays by number from 0); only
 * earlier checks can be named. `$$` is a dollar sign, a lone one is an error. Names in references
 * are letters, digits, '_' and '-'. METHOD is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Pure.
 */
#ifndef MODEL_CHECKS_H
#define MODEL_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/json.h"
#include "core/strbuf.h"

struct check {
    char method[16];
    char *path;      /* owned; begins with '/' */
    char *body;      /* owned; NULL: none */
    int status;      /* 100–599 */
    char *expect;    /* owned; unescaped; NULL: any answer */
    char *line;      /* owned; as written, for the report */
    int line_number; /* 1-based within the input */
};

struct checks {
    struct check *items; /* owned */
    size_t len;
};

/* `input_name` is for the messages: "checks:3:14: expected ' -> STATUS'". ERROR_INPUT. NULL text
 * gives no checks. */
int checks_parse(const char *input_name, const char *text, struct checks *ret_checks,
                 struct error *err);
void checks_release(struct checks *checks);

/*
 * Put the values of earlier answers into `text`. `answers[i]` is the parsed answer of check i + 1,
 * or NULL if it was not JSON. `as_json` is for a body: a string's value is escaped for use between
 * quotes, arrays and objects are written as JSON. Without it, for a path, a value is
 * percent-encoded and must be a string, number or boolean. ERROR_FAILED if a reference has no value
 * (null counts as none), ERROR_TOO_LARGE if `out` overflows.
 */
int checks_substitute(const char *text, const struct json *const *answers, size_t answer_count,
                      bool as_json, struct strbuf *out, struct error *err);

#endif
