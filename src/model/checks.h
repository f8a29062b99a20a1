/*
 * checks.h: lines of checks: `METHOD PATH [BODY] -> STATUS ["text in the answer"]`.
 *
 *     GET /health -> 200 "ok"
 *     POST /query {"q":"ping"} -> 200 "rows"
 *
 * Blank lines and lines that begin with '#' are skipped. BODY is everything between PATH and the
 * last ` -> ` outside of a JSON string. The text stands in double quotes with JSON's escapes.
 * `$1.id` in PATH or BODY is the member `id` of the JSON answer of the first check of the list ($2
 * the second's, and so on; members of members by dots); `$$` is a dollar sign. Pure.
 */
#ifndef MODEL_CHECKS_H
#define MODEL_CHECKS_H

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
 * or NULL if it was not JSON. `as_json` escapes a string's value for use inside a JSON body.
 * ERROR_FAILED if a reference has no value.
 */
int checks_substitute(const char *text, const struct json *const *answers, size_t answer_count,
                      struct strbuf *out, struct error *err);

#endif
