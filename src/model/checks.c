#include "model/checks.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"

#define ARROW         " -> "
#define STATUS_DIGITS 3
#define MAX_NUMBER    100000 /* of checks that a reference can name */
#define MAX_NAME      256    /* bytes of a member's name in a reference */

/* One `$…` in PATH or BODY. */
enum reference_kind { REFERENCE_BAD, REFERENCE_DOLLAR, REFERENCE_ANSWER };
struct reference {
    enum reference_kind kind;
    const char *start, *end; /* borrowed; from the '$' to behind the last character */
    int number;              /* of $1.id: 1; 0 when it is too large to be one */
    const char *names;       /* borrowed; "id"; names joined by dots, ends at `end` */
};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static bool is_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

/* Behind one or more names joined by dots; `text` itself when there is none. */
static const char *skip_names(const char *text, const char *end)
{
    const char *good = text;
    while (text < end && is_name(*text)) {
        while (text < end && is_name(*text))
            text++;
        good = text;
        if (text < end && *text == '.')
            text++;
    }
    return good;
}

/* The first reference in [text, end). */
static bool find_reference(const char *text, const char *end, struct reference *ret_reference)
{
    const char *start = memchr(text, '$', (size_t)(end - text));
    if (!start)
        return false;
    struct reference reference = {.kind = REFERENCE_BAD, .start = start, .end = start + 1};
    const char *p = start + 1;
    if (p < end && *p == '$') {
        reference.kind = REFERENCE_DOLLAR;
        reference.end = p + 1;
    }
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        reference.number = reference.number > MAX_NUMBER ? 0 : reference.number * 10 + (*p - '0');
    if (p > start + 1 && p < end && *p == '.' && skip_names(p + 1, end) > p + 1) {
        reference.kind = REFERENCE_ANSWER;
        reference.names = p + 1;
        reference.end = skip_names(p + 1, end);
    }
    *ret_reference = reference;
    return true;
}

/* A line while it is read. */
struct cursor {
    const char *input_name; /* borrowed */
    int line_number;
    const char *line; /* borrowed; terminated, without white space around it */
    int indent;       /* characters that were cut from the line's start */
    const char *at;   /* within `line` */
};

/* "checks:3:14: expected …": line and column, both from 1, the column in characters. */
static int refuse(const struct cursor *cursor, const char *message, struct error *err)
{
    int column = cursor->indent + 1;
    for (const char *p = cursor->line; p < cursor->at; p++)
        column += ((unsigned char)*p & 0xC0) != 0x80;
    return error_set(err, ERROR_INPUT,
                     "%s:%d:%d: %s; a check is METHOD PATH [BODY] -> STATUS [\"text\"]",
                     cursor->input_name, cursor->line_number, column, message);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *cursor)
{
    while (is_blank(*cursor->at))
        cursor->at++;
}

static int parse_method(struct cursor *cursor, struct check *check, struct error *err)
{
    size_t len = strcspn(cursor->at, " \t");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strlen(methods[i]) == len && strncmp(cursor->at, methods[i], len) == 0) {
            snprintf(check->method, sizeof check->method, "%s", methods[i]);
            cursor->at += len;
            return 0;
        }
    return refuse(cursor, "expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", err);
}

static int parse_path(struct cursor *cursor, struct check *check, struct error *err)
{
    skip_blanks(cursor);
    if (*cursor->at != '/')
        return refuse(cursor, "expected a path that begins with '/'", err);
    const char *start = cursor->at;
    for (; *cursor->at && !is_blank(*cursor->at); cursor->at++)
        if ((unsigned char)*cursor->at < ' ' || (unsigned char)*cursor->at >= 0x7f ||
            *cursor->at == '#')
            return refuse(cursor, "expected a path without '#', ASCII only (%20 for others)", err);
    check->path = memory_copy_bytes(start, (size_t)(cursor->at - start));
    return 0;
}

/* The last " -> " from `text` on that is not inside a JSON string; NULL: none. A string that does
 * not end is told by *ret_open, where it begins. */
static const char *find_arrow(const char *text, const char **ret_open)
{
    const char *arrow = NULL, *open = NULL;
    for (const char *p = text; *p; p++) {
        if (open && *p == '\\' && p[1])
            p++;
        else if (*p == '"')
            open = open ? NULL : p;
        else if (!open && strncmp(p, ARROW, strlen(ARROW)) == 0)
            arrow = p;
    }
    *ret_open = open;
    return arrow;
}

/* Each reference from `text` on names an answer that is there by then. */
static int check_references(const struct cursor *cursor, const char *text, const char *end,
                            size_t earlier, struct error *err)
{
    struct reference reference;
    for (; find_reference(text, end, &reference); text = reference.end) {
        struct cursor place = *cursor;
        place.at = reference.start;
        if (reference.kind == REFERENCE_BAD)
            return refuse(&place, "'$' begins a reference such as $1.id; $$ is a dollar sign", err);
        if (reference.kind == REFERENCE_ANSWER &&
            (reference.number < 1 || (size_t)reference.number > earlier))
            return refuse(&place, "the reference does not name an earlier check of the list", err);
    }
    return 0;
}

static int parse_body(struct cursor *cursor, struct check *check, struct error *err)
{
    const char *open;
    const char *arrow = find_arrow(cursor->at, &open);
    if (open) {
        cursor->at = open;
        return refuse(cursor, "this '\"' has no end", err);
    }
    if (!arrow) {
        cursor->at += strlen(cursor->at);
        return refuse(cursor, "expected ' -> STATUS'", err);
    }
    skip_blanks(cursor);
    const char *end = arrow;
    while (end > cursor->at && is_blank(end[-1]))
        end--;
    if (end > cursor->at)
        check->body = memory_copy_bytes(cursor->at, (size_t)(end - cursor->at));
    cursor->at = arrow + strlen(ARROW);
    return 0;
}

static int parse_status(struct cursor *cursor, struct check *check, struct error *err)
{
    skip_blanks(cursor);
    int64_t status;
    size_t len = strcspn(cursor->at, " \t");
    CLEANUP_FREE char *text = memory_copy_bytes(cursor->at, len);
    if (len != STATUS_DIGITS || !text_to_int64(text, 100, 599, &status))
        return refuse(cursor, "expected a status from 100 to 599", err);
    check->status = (int)status;
    cursor->at += len;
    return 0;
}

static int parse_expect(struct cursor *cursor, struct check *check, struct error *err)
{
    skip_blanks(cursor);
    if (*cursor->at == '\0')
        return 0;
    CLEANUP(json) struct json *json = NULL;
    if (*cursor->at != '"' || json_parse(cursor->at, strlen(cursor->at), &json, NULL) < 0)
        return refuse(cursor, "expected the text in double quotes with JSON's escapes, or nothing",
                      err);
    const char *text = json_string(json);
    if (*text == '\0')
        return refuse(cursor, "the text is empty, which every answer holds", err);
    if (strcmp(check->method, "HEAD") == 0)
        return refuse(cursor, "an answer to HEAD holds no text", err);
    check->expect = memory_copy_string(text);
    return 0;
}

static int parse_line(struct cursor *cursor, size_t earlier, struct check *check, struct error *err)
{
    if (parse_method(cursor, check, err) < 0)
        return -1;
    const char *path = cursor->at;
    if (parse_path(cursor, check, err) < 0 || parse_body(cursor, check, err) < 0 ||
        check_references(cursor, path, cursor->at, earlier, err) < 0)
        return -1;
    if (parse_status(cursor, check, err) < 0)
        return -1;
    return parse_expect(cursor, check, err);
}

static void release_check(struct check *check)
{
    free(check->path);
    free(check->body);
    free(check->expect);
    free(check->line);
}

void checks_release(struct checks *checks)
{
    if (!checks)
        return;
    for (size_t i = 0; i < checks->len; i++)
        release_check(&checks->items[i]);
    free(checks->items);
    *checks = (struct checks){.items = NULL};
}

/* The line from `start` to `end`, unless it is blank or a comment. */
static int add_line(struct cursor *cursor, const char *start, const char *end,
                    struct checks *checks, size_t *alloc, struct error *err)
{
    cursor->indent = 0;
    for (; start < end && text_is_space(*start); start++)
        cursor->indent++;
    while (end > start && text_is_space(end[-1]))
        end--;
    if (start == end || *start == '#')
        return 0;
    if (checks->len == *alloc) {
        *alloc = *alloc ? *alloc * 2 : 8;
        checks->items = memory_resize(checks->items, *alloc, sizeof *checks->items);
    }
    struct check *check = &checks->items[checks->len];
    *check = (struct check){.line = memory_copy_bytes(start, (size_t)(end - start)),
                            .line_number = cursor->line_number};
    cursor->line = cursor->at = check->line;
    size_t earlier = checks->len++;
    return parse_line(cursor, earlier, check, err);
}

int checks_parse(const char *input_name, const char *text, struct checks *ret_checks,
                 struct error *err)
{
    CLEANUP(checks) struct checks checks = {.items = NULL};
    struct cursor cursor = {.input_name = input_name};
    size_t alloc = 0;
    while (text && *text) {
        const char *end = text + strcspn(text, "\n");
        cursor.line_number++;
        if (add_line(&cursor, text, end, &checks, &alloc, err) < 0)
            return -1;
        text = *end ? end + 1 : end;
    }
    *ret_checks = checks;
    checks = (struct checks){.items = NULL};
    return 0;
}

/* ---- substitution ---- */

/* The node that the names lead to: members of objects, elements of arrays by number. */
static const struct json *follow(const struct json *json, const char *names, const char *end)
{
    while (json && names < end) {
        const char *stop = names;
        while (stop < end && *stop != '.')
            stop++;
        char name[MAX_NAME];
        if ((size_t)(stop - names) >= sizeof name)
            return NULL;
        snprintf(name, sizeof name, "%.*s", (int)(stop - names), names);
        int64_t index;
        if (json_type(json) != JSON_ARRAY) {
            json = json_member(json, name);
        } else if (text_to_int64(name, 0, MAX_NUMBER, &index)) {
            for (json = json_first(json); json && index > 0; index--)
                json = json_next(json);
        } else {
            json = NULL;
        }
        names = stop < end ? stop + 1 : end;
    }
    return json;
}

static void add_encoded(struct strbuf *out, const char *text)
{
    for (; *text; text++)
        if (is_name(*text) || *text == '.' || *text == '~')
            strbuf_addch(out, *text);
        else
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
}

static bool add_value(struct strbuf *out, const struct json *value, bool as_json)
{
    enum json_type type = json_type(value);
    bool plain = type == JSON_STRING || type == JSON_NUMBER || type == JSON_BOOL;
    if (!plain && (!as_json || (type != JSON_ARRAY && type != JSON_OBJECT)))
        return false;
    CLEANUP(strbuf) struct strbuf printed = STRBUF_INIT(STRBUF_NO_CAP);
    json_print(value, &printed);
    if (type == JSON_STRING && as_json) /* without its quotes: they are in the text */
        strbuf_add(out, printed.buf + 1, printed.len - 2);
    else if (as_json)
        strbuf_addsb(out, &printed);
    else
        add_encoded(out, type == JSON_STRING ? json_string(value) : printed.buf);
    return true;
}

static int add_answer(const struct reference *reference, const struct json *const *answers,
                      size_t answer_count, struct strbuf *out, bool as_json, struct error *err)
{
    size_t index = (size_t)reference->number - 1; /* 0 becomes larger than any count */
    const struct json *answer = index < answer_count ? answers[index] : NULL;
    const struct json *value = follow(answer, reference->names, reference->end);
    if (add_value(out, value, as_json))
        return 0;
    const char *why = !answer                         ? "that answer is not JSON, or not there"
                      : !value                        ? "that answer has no such member"
                      : json_type(value) == JSON_NULL ? "it is null"
                                                      : "it is no string, number or boolean";
    return error_set(err, ERROR_FAILED, "%.*s has no value to put in: %s",
                     (int)(reference->end - reference->start), reference->start, why);
}

int checks_substitute(const char *text, const struct json *const *answers, size_t answer_count,
                      bool as_json, struct strbuf *out, struct error *err)
{
    const char *end = text + strlen(text);
    struct reference reference;
    for (; find_reference(text, end, &reference); text = reference.end) {
        strbuf_add(out, text, (size_t)(reference.start - text));
        if (reference.kind != REFERENCE_ANSWER)
            strbuf_addch(out, '$'); /* a bad one was refused when the check was read */
        else if (add_answer(&reference, answers, answer_count, out, as_json, err) < 0)
            return -1;
    }
    strbuf_addstr(out, text);
    if (out->overflowed)
        return error_set(err, ERROR_TOO_LARGE, "a check with its values put in has over %zu bytes",
                         out->cap);
    return 0;
}
