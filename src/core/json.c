#include "core/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_syntax.h"
#include "core/memory.h"
#include "core/text.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: above it a double skips whole numbers */

static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t parse_lock = PTHREAD_MUTEX_INITIALIZER; /* cJSON keeps a global error */

/* Any text may be a secret: keys, passwords, an environment. */
static void wipe_and_free(void *block)
{
    memory_wipe(block, block ? malloc_usable_size(block) : 0);
    free(block);
}

static void set_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = memory_new, .free_fn = wipe_and_free};
    cJSON_InitHooks(&hooks);
}

/* Call before anything that makes nodes: afterwards cJSON's allocations cannot fail. */
static void prepare(void)
{
    pthread_once(&hooks_once, set_hooks);
}

static cJSON *node(const struct json *json)
{
    return (cJSON *)json;
}

static struct json *wrap(const cJSON *item)
{
    return (struct json *)item;
}

/* ---- parsing ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two members of one name: parsers disagree on which of them counts, so neither does. */
static int check_names(const cJSON *object, struct error *err)
{
    size_t count = 0;
    for (const cJSON *child = object->child; child; child = child->next)
        count++;
    if (count < 2)
        return 0;
    const char **names = memory_resize(NULL, count, sizeof *names);
    size_t i = 0;
    for (const cJSON *child = object->child; child; child = child->next)
        names[i++] = child->string;
    qsort(names, count, sizeof *names, compare_names);
    int rc = 0;
    for (i = 1; i < count && rc == 0; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            rc = error_set(err, ERROR_PROTOCOL, "JSON with two members named \"%s\"", names[i]);
    free(names);
    return rc;
}

/* What the syntax cannot tell. Recursion is as deep as JSON_MAX_DEPTH at most. */
static int check_tree(const cJSON *item, struct error *err)
{
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
        return error_set(err, ERROR_PROTOCOL, "JSON with a number that is out of range");
    if (cJSON_IsObject(item) && check_names(item, err) < 0)
        return -1;
    for (const cJSON *child = item->child; child; child = child->next)
        if (check_tree(child, err) < 0)
            return -1;
    return 0;
}

int json_parse(const char *text, size_t len, struct json **ret_json, struct error *err)
{
    prepare();
    if (json_syntax_check(text, len, err) < 0)
        return -1;
    pthread_mutex_lock(&parse_lock);
    cJSON *root = cJSON_ParseWithLength(text, len);
    pthread_mutex_unlock(&parse_lock);
    if (!root)
        return error_set(err, ERROR_PROTOCOL, "JSON that cannot be read");
    if (check_tree(root, err) < 0) {
        cJSON_Delete(root);
        return -1;
    }
    *ret_json = wrap(root);
    return 0;
}

void json_free(struct json *json)
{
    cJSON_Delete(node(json));
}

void json_release(struct json **json)
{
    json_free(*json);
    *json = NULL;
}

/* ---- reading ---- */

enum json_type json_type(const struct json *json)
{
    switch (json ? node(json)->type & 0xff : cJSON_Invalid) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_MISSING;
    }
}

static const struct json *find_member(const struct json *object, const char *name, size_t len)
{
    if (json_type(object) != JSON_OBJECT)
        return NULL;
    for (const cJSON *child = node(object)->child; child; child = child->next)
        if (strncmp(child->string, name, len) == 0 && child->string[len] == '\0')
            return wrap(child);
    return NULL;
}

const struct json *json_member(const struct json *object, const char *name)
{
    return find_member(object, name, strlen(name));
}

const struct json *json_get(const struct json *object, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");
        object = find_member(object, path, len);
        if (path[len] == '\0')
            return object;
        path += len + 1;
    }
}

const char *json_string(const struct json *json)
{
    return json_type(json) == JSON_STRING ? node(json)->valuestring : NULL;
}

const char *json_get_string(const struct json *object, const char *path)
{
    return json_string(json_get(object, path));
}

double json_get_number(const struct json *object, const char *path, double fallback)
{
    const struct json *member = json_get(object, path);
    return json_type(member) == JSON_NUMBER ? node(member)->valuedouble : fallback;
}

static bool is_whole(double number)
{
    return number >= -WHOLE_MAX && number <= WHOLE_MAX && number == (double)(int64_t)number;
}

int64_t json_get_int(const struct json *object, const char *path, int64_t fallback)
{
    double number = json_get_number(object, path, NAN);
    return is_whole(number) ? (int64_t)number : fallback;
}

bool json_get_bool(const struct json *object, const char *path, bool fallback)
{
    const struct json *member = json_get(object, path);
    return json_type(member) == JSON_BOOL ? cJSON_IsTrue(node(member)) : fallback;
}

int json_need_string(const struct json *object, const char *path, const char **ret_text,
                     struct error *err)
{
    const struct json *member = json_get(object, path);
    if (!member)
        return error_set(err, ERROR_PROTOCOL, "JSON without the member \"%s\"", path);
    if (json_type(member) != JSON_STRING)
        return error_set(err, ERROR_PROTOCOL, "JSON whose member \"%s\" is not a string", path);
    *ret_text = json_string(member);
    return 0;
}

const char *json_name(const struct json *json)
{
    return json ? node(json)->string : NULL;
}

size_t json_length(const struct json *json)
{
    size_t count = 0;
    for (const struct json *child = json_first(json); child; child = json_next(child))
        count++;
    return count;
}

const struct json *json_first(const struct json *json)
{
    return json ? wrap(node(json)->child) : NULL;
}

const struct json *json_next(const struct json *json)
{
    return json ? wrap(node(json)->next) : NULL;
}

static bool equal_members(const struct json *a, const struct json *b)
{
    JSON_EACH (child, a) {
        const struct json *other = json_member(b, json_name(child));
        if (!other || !json_equal(child, other))
            return false;
    }
    return true;
}

static bool equal_elements(const struct json *a, const struct json *b)
{
    const struct json *other = json_first(b);
    JSON_EACH (child, a) {
        if (!json_equal(child, other))
            return false;
        other = json_next(other);
    }
    return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
    enum json_type type = json_type(a);
    if (type != json_type(b))
        return false;
    switch (type) {
    case JSON_BOOL:
        return cJSON_IsTrue(node(a)) == cJSON_IsTrue(node(b));
    case JSON_NUMBER:
        return node(a)->valuedouble == node(b)->valuedouble;
    case JSON_STRING:
        return strcmp(node(a)->valuestring, node(b)->valuestring) == 0;
    case JSON_ARRAY:
        return json_length(a) == json_length(b) && equal_elements(a, b);
    case JSON_OBJECT:
        return json_length(a) == json_length(b) && equal_members(a, b);
    default:
        return true;
    }
}

/* ---- building ---- */

struct json *json_new_object(void)
{
    prepare();
    return wrap(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
    prepare();
    return wrap(cJSON_CreateArray());
}

struct json *json_new_string(const char *text)
{
    prepare();
    return wrap(text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

struct json *json_copy(const struct json *json)
{
    prepare();
    cJSON *copy = json ? cJSON_Duplicate(node(json), true) : NULL;
    if (copy && copy->string) {
        free(copy->string);
        copy->string = NULL;
    }
    return wrap(copy);
}

void json_put(struct json *object, const char *name, struct json *value)
{
    assert(json_type(object) == JSON_OBJECT);
    if (!value)
        return;
    if (json_member(object, name))
        cJSON_ReplaceItemInObjectCaseSensitive(node(object), name, node(value));
    else
        cJSON_AddItemToObject(node(object), name, node(value));
}

void json_put_string(struct json *object, const char *name, const char *text)
{
    if (text)
        json_put(object, name, json_new_string(text));
}

void json_put_int(struct json *object, const char *name, int64_t number)
{
    json_put_number(object, name, (double)number);
}

void json_put_number(struct json *object, const char *name, double number)
{
    prepare();
    json_put(object, name,
             wrap(isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull()));
}

void json_put_bool(struct json *object, const char *name, bool value)
{
    prepare();
    json_put(object, name, wrap(cJSON_CreateBool(value)));
}

void json_append(struct json *array, struct json *value)
{
    assert(json_type(array) == JSON_ARRAY);
    if (value)
        cJSON_AddItemToArray(node(array), node(value));
}

void json_append_string(struct json *array, const char *text)
{
    json_append(array, json_new_string(text));
}

/* ---- printing: cJSON's own prints 10^15 as 1e+15 and passes invalid UTF-8 through ---- */

#define COMPACT (-1) /* as the indentation: no white space at all */

static void print_number(double number, struct strbuf *out)
{
    if (is_whole(number)) {
        strbuf_addf(out, "%lld", (long long)number);
        return;
    }
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    strbuf_addstr(out, digits);
}

/* Length of the valid UTF-8 sequence at `text` (which is terminated and not empty), 0 if none. */
static size_t sequence_length(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return strnlen(text, len) == len && text_is_utf8(text, len) ? len : 0;
}

static void print_control(unsigned char c, struct strbuf *out)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (letters[c])
        strbuf_addf(out, "\\%c", letters[c]);
    else
        strbuf_addf(out, "\\u%04x", c);
}

static void print_string(const char *text, struct strbuf *out)
{
    strbuf_addch(out, '"');
    while (*text) {
        size_t len = sequence_length(text);
        if (len == 0) {
            strbuf_addstr(out, "\xef\xbf\xbd"); /* U+FFFD */
            len = 1;
        } else if ((unsigned char)*text < 0x20) {
            print_control((unsigned char)*text, out);
        } else {
            if (*text == '"' || *text == '\\')
                strbuf_addch(out, '\\');
            strbuf_add(out, text, len);
        }
        text += len;
    }
    strbuf_addch(out, '"');
}

static void new_line(int indent, struct strbuf *out)
{
    if (indent != COMPACT)
        strbuf_addf(out, "\n%*s", 2 * indent, "");
}

static void print_value(const cJSON *item, int indent, struct strbuf *out);

static void print_container(const cJSON *item, int indent, struct strbuf *out)
{
    bool is_object = cJSON_IsObject(item);
    int inner = indent == COMPACT ? COMPACT : indent + 1;
    strbuf_addch(out, is_object ? '{' : '[');
    for (const cJSON *child = item->child; child; child = child->next) {
        if (child != item->child)
            strbuf_addch(out, ',');
        new_line(inner, out);
        if (is_object) {
            print_string(child->string, out);
            strbuf_addstr(out, indent == COMPACT ? ":" : ": ");
        }
        print_value(child, inner, out);
    }
    if (item->child)
        new_line(indent, out);
    strbuf_addch(out, is_object ? '}' : ']');
}

static void print_value(const cJSON *item, int indent, struct strbuf *out)
{
    switch (json_type(wrap(item))) {
    case JSON_BOOL:
        strbuf_addstr(out, cJSON_IsTrue(item) ? "true" : "false");
        break;
    case JSON_NUMBER:
        print_number(item->valuedouble, out);
        break;
    case JSON_STRING:
        print_string(item->valuestring, out);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        print_container(item, indent, out);
        break;
    default:
        strbuf_addstr(out, "null");
    }
}

void json_print(const struct json *json, struct strbuf *out)
{
    print_value(node(json), COMPACT, out);
}

void json_print_pretty(const struct json *json, struct strbuf *out)
{
    print_value(node(json), 0, out);
}
