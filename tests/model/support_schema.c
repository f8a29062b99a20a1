#include "support_schema.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/text.h"

#define SCHEMA_BYTES ((size_t)1 << 20)

struct place {
    const char *path; /* within the value */
    char *problem;
    size_t size;
};

static int fail(const struct place *place, const char *what, const char *which)
{
    snprintf(place->problem, place->size, "%s: %s%s%s", place->path, what, which ? " " : "",
             which ? which : "");
    return -1;
}

static int check(const struct json *schema, const struct json *value, const struct place *place);

static int check_type(const struct json *wanted, const struct json *value,
                      const struct place *place)
{
    static const struct {
        const char *name;
        enum json_type type;
    } types[] = {{"object", JSON_OBJECT}, {"array", JSON_ARRAY},  {"string", JSON_STRING},
                 {"number", JSON_NUMBER}, {"boolean", JSON_BOOL}, {"integer", JSON_NUMBER}};
    const char *name = json_string(wanted);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!text_equal(types[i].name, name))
            continue;
        if (json_type(value) != types[i].type)
            return fail(place, "it is not of type", name);
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(100);
        json_print(value, &text);
        if (text_equal(name, "integer") && strpbrk(text.buf, ".eE"))
            return fail(place, "it is no whole number:", text.buf);
        return 0;
    }
    return fail(place, "the schema has an unknown type", name);
}

static int check_enum(const struct json *wanted, const struct json *value,
                      const struct place *place)
{
    JSON_EACH (choice, wanted) {
        if (json_equal(choice, value))
            return 0;
    }
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(200);
    json_print(value, &text);
    return fail(place, "it is none of the schema's values:", text.buf);
}

static int check_minimum(const struct json *wanted, const struct json *value,
                         const struct place *place)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(100);
    json_print(wanted, &text);
    if (!text_equal(text.buf, "0"))
        return fail(place, "the schema's minimum is not 0", NULL);
    strbuf_reset(&text);
    json_print(value, &text);
    return text.buf[0] == '-' ? fail(place, "it is less than 0:", text.buf) : 0;
}

static int check_properties(const struct json *schema, const struct json *value,
                            const struct place *place)
{
    const struct json *properties = json_member(schema, "properties");
    JSON_EACH (member, value) {
        const char *name = json_name(member);
        const struct json *wanted = json_member(properties, name);
        char path[300];
        snprintf(path, sizeof path, "%s.%s", place->path, name);
        struct place inner = {.path = path, .problem = place->problem, .size = place->size};
        if (!wanted)
            return fail(&inner, "the schema does not know it", NULL);
        if (check(wanted, member, &inner) < 0)
            return -1;
    }
    return 0;
}

static int check_required(const struct json *wanted, const struct json *value,
                          const struct place *place)
{
    JSON_EACH (name, wanted) {
        if (!json_member(value, json_string(name)))
            return fail(place, "it lacks", json_string(name));
    }
    return 0;
}

static int check_items(const struct json *wanted, const struct json *value,
                       const struct place *place)
{
    size_t index = 0;
    JSON_EACH (item, value) {
        char path[300];
        snprintf(path, sizeof path, "%s[%zu]", place->path, index++);
        struct place inner = {.path = path, .problem = place->problem, .size = place->size};
        if (check(wanted, item, &inner) < 0)
            return -1;
    }
    return 0;
}

static int check_file(const char *path, const struct json *value, const struct place *place)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(SCHEMA_BYTES);
    CLEANUP(json) struct json *schema = NULL;
    struct error err = ERROR_INIT;
    if (file_read(path, &text, &err) < 0 || json_parse(text.buf, text.len, &schema, &err) < 0)
        return fail(place, "the schema cannot be read:", err.msg);
    return check(schema, value, place);
}

static int check_keyword(const struct json *schema, const struct json *keyword,
                         const struct json *value, const struct place *place)
{
    const char *name = json_name(keyword);
    if (text_equal(name, "$schema") || text_equal(name, "title") ||
        text_equal(name, "description") || text_equal(name, "additionalProperties"))
        return 0;
    if (text_equal(name, "type"))
        return check_type(keyword, value, place);
    if (text_equal(name, "enum"))
        return check_enum(keyword, value, place);
    if (text_equal(name, "minimum"))
        return check_minimum(keyword, value, place);
    if (text_equal(name, "properties"))
        return json_get_bool(schema, "additionalProperties", true)
                   ? fail(place, "the schema allows more members", NULL)
                   : check_properties(schema, value, place);
    if (text_equal(name, "required"))
        return check_required(keyword, value, place);
    if (text_equal(name, "items"))
        return check_items(keyword, value, place);
    if (text_equal(name, "$ref")) {
        char path[300];
        snprintf(path, sizeof path, "docs/%s", json_string(keyword));
        return check_file(path, value, place);
    }
    return fail(place, "the schema has an unknown keyword", name);
}

static int check(const struct json *schema, const struct json *value, const struct place *place)
{
    JSON_EACH (keyword, schema) {
        if (check_keyword(schema, keyword, value, place) < 0)
            return -1;
    }
    return 0;
}

int schema_check(const char *schema_path, const struct json *value, char *problem, size_t size)
{
    struct place place = {.path = "$", .problem = problem, .size = size};
    return check_file(schema_path, value, &place);
}
