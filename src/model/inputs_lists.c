/* The inputs' types that hold several things: lists, lines KEY=VALUE, headers, caches. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define PLACE_BYTES 64 /* "function-configuration:123456" */

static struct strvec *list_of(const struct input_spec *spec, struct inputs *inputs)
{
    return (struct strvec *)(void *)((char *)inputs + spec->offset);
}

static void release_list(const struct input_spec *spec, struct inputs *inputs)
{
    struct strvec *list = list_of(spec, inputs);
    if (spec->secret)
        for (size_t i = 0; i < list->len; i++)
            memory_wipe(list->items[i], strlen(list->items[i]));
    strvec_release(list);
}

/* Lists by commas, white space or lines. */

static int parse_list(const struct input_spec *spec, const char *text, struct inputs *inputs,
                      struct error *err)
{
    struct strvec *list = list_of(spec, inputs);
    for (const char *p = text + strspn(text, ", \t\r\n"); *p; p += strspn(p, ", \t\r\n")) {
        size_t len = strcspn(p, ", \t\r\n");
        strvec_push_owned(list, memory_copy_bytes(p, len));
        if (spec->check && spec->check(spec->name, list->items[list->len - 1], err) < 0)
            return -1;
        p += len;
    }
    if (list->len == 0)
        return input_refuse(err, spec->name, text, "holds nothing");
    return 0;
}
const struct input_type input_list = {parse_list, release_list};

static int parse_caches(const struct input_spec *spec, const char *text, struct inputs *inputs,
                        struct error *err)
{
    CLEANUP(strvec) struct strvec caches = STRVEC_INIT;
    strvec_split(&caches, text, ',');
    for (size_t i = 0; i < caches.len; i++)
        if (strcmp(caches.items[i], "registry") == 0)
            inputs->cache_registry = true;
        else if (strcmp(caches.items[i], "gha") == 0)
            inputs->cache_gha = true;
        else
            return input_refuse(err, spec->name, caches.items[i],
                                "is no cache; give registry, gha or registry,gha");
    if (caches.len == 0)
        return input_refuse(err, spec->name, text,
                            "names no cache; give registry, gha or registry,gha");
    return 0;
}
const struct input_type input_caches = {parse_caches, NULL};

/* Lines. */

struct lines {
    const char *next; /* borrowed; where the next line begins */
    int number;       /* of the line that `line` is, 1-based */
    char *line;       /* owned; without the white space around it */
};

static void lines_release(struct lines *lines)
{
    memory_free_secret(lines->line);
}

/* The next line that is not blank. */
static bool lines_next(struct lines *lines)
{
    memory_free_secret(lines->line);
    lines->line = NULL;
    while (*lines->next) {
        const char *start = lines->next;
        const char *end = start + strcspn(start, "\n");
        lines->next = *end ? end + 1 : end;
        lines->number++;
        while (start < end && text_is_space(*start))
            start++;
        while (start < end && text_is_space(end[-1]))
            end--;
        if (start < end) {
            lines->line = memory_copy_bytes(start, (size_t)(end - start));
            return true;
        }
    }
    return false;
}

struct keyed {        /* for finding keys that are given twice */
    const char *line; /* borrowed; KEY=VALUE */
    size_t key_len;
    int number;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->line, b->line, len);
    if (order == 0)
        order = (a->key_len > b->key_len) - (a->key_len < b->key_len);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static int refuse_twins(const struct input_spec *spec, struct keyed *pairs, size_t count,
                        struct error *err)
{
    if (count == 0)
        return 0;
    qsort(pairs, count, sizeof *pairs, compare_keyed);
    for (size_t i = 1; i < count; i++)
        if (pairs[i].key_len == pairs[i - 1].key_len &&
            memcmp(pairs[i].line, pairs[i - 1].line, pairs[i].key_len) == 0)
            return error_set(err, ERROR_INPUT,
                             "%s:%d: the same key as in line %d; give each key once", spec->name,
                             pairs[i].number, pairs[i - 1].number);
    return 0;
}

/*
 * The line's key, judged. A line is never quoted: it may be a piece of a secret of several lines.
 */
static int check_pair(const struct input_spec *spec, const struct lines *lines, size_t *ret_key_len,
                      struct error *err)
{
    char place[PLACE_BYTES];
    snprintf(place, sizeof place, "%s:%d", spec->name, lines->number);
    const char *equals = strchr(lines->line, '=');
    if (!equals)
        return error_set(err, ERROR_INPUT,
                         "%s: there is no '=' in the line; write one KEY=VALUE a line", place);
    for (const char *p = equals; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == '\x7f')
            return input_refuse(err, place, NULL, "holds a control character");
    CLEANUP_FREE char *key = memory_copy_bytes(lines->line, (size_t)(equals - lines->line));
    if (spec->check && spec->check(place, key, err) < 0)
        return -1;
    *ret_key_len = (size_t)(equals - lines->line);
    return 0;
}

static int parse_pairs(const struct input_spec *spec, const char *text, struct inputs *inputs,
                       struct error *err)
{
    struct strvec *list = list_of(spec, inputs);
    CLEANUP_FREE struct keyed *pairs = NULL;
    CLEANUP(lines) struct lines lines = {.next = text};
    size_t count = 0, alloc = 0;
    while (lines_next(&lines)) {
        if (count == alloc) {
            alloc = alloc ? alloc * 2 : 16;
            pairs = memory_resize(pairs, alloc, sizeof *pairs);
        }
        if (check_pair(spec, &lines, &pairs[count].key_len, err) < 0)
            return -1;
        pairs[count].line = lines.line;
        pairs[count++].number = lines.number;
        strvec_push_owned(list, STEAL(lines.line));
    }
    return refuse_twins(spec, pairs, count, err);
}
const struct input_type input_pairs = {parse_pairs, release_list};

/* Headers: RFC 9110, 5.1 (a name is a token) and 5.5 (no control characters in a value). */

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'z') ||
              (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] && strchr("!#$%&'*+-.^_`|~", text[i]))))
            return false;
    return len > 0;
}

/* Those that the HTTP client writes itself: a second one would make two requests of one. */
static const char *const client_headers[] = {"Content-Length", "Transfer-Encoding", "Connection"};

static int parse_header(const char *place, const char *line, char **ret_header, struct error *err)
{
    const char *colon = strchr(line, ':');
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return error_set(err, ERROR_INPUT,
                         "%s: the line is no header; write one 'Name: value' a line", place);
    CLEANUP_FREE char *name = memory_copy_bytes(line, (size_t)(colon - line));
    for (size_t i = 0; i < sizeof client_headers / sizeof *client_headers; i++)
        if (text_equal_ignore_case(name, client_headers[i]))
            return error_set(err, ERROR_INPUT,
                             "%s: the header %s is set by the program; leave it out", place,
                             client_headers[i]);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == '\x7f')
            return input_refuse(err, place, NULL, "holds a control character");
    size_t len = strlen(name) + strlen(value) + sizeof ": ";
    char *header = memory_new(len);
    snprintf(header, len, "%s: %s", name, value);
    *ret_header = header;
    return 0;
}

static int parse_headers(const struct input_spec *spec, const char *text, struct inputs *inputs,
                         struct error *err)
{
    CLEANUP(lines) struct lines lines = {.next = text};
    while (lines_next(&lines)) {
        char place[PLACE_BYTES], *header = NULL;
        snprintf(place, sizeof place, "%s:%d", spec->name, lines.number);
        if (parse_header(place, lines.line, &header, err) < 0)
            return -1;
        strvec_push_owned(list_of(spec, inputs), header);
    }
    return 0;
}
const struct input_type input_headers = {parse_headers, release_list};
