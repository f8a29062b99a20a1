#include "model/inputs.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/environ.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define GIVEN_BITS     64
#define NAME_MAX_BYTES 64 /* of an environment variable's name */
#define MAX_INPUTS     (sizeof((struct inputs){0}.given) * 8)

#define INPUTS_UNSET                                                                               \
    {                                                                                              \
        .memory_size_mb = INPUT_INT_UNSET, .timeout_s = INPUT_INT_UNSET,                           \
        .ephemeral_storage_mb = INPUT_INT_UNSET                                                    \
    }

/* What was found for each row of the table, before it is understood. */
struct texts {
    char *items[MAX_INPUTS]; /* owned; trimmed; NULL: nothing found. May be secrets */
    bool by_flag[MAX_INPUTS];
};

static void texts_release(struct texts *texts)
{
    for (size_t i = 0; i < input_spec_count; i++)
        memory_free_secret(texts->items[i]);
}

const struct input_spec *input_find(const char *name)
{
    for (size_t i = 0; i < input_spec_count; i++)
        if (strcmp(input_specs[i].name, name) == 0)
            return &input_specs[i];
    return NULL;
}

static size_t row_of(const struct input_spec *spec)
{
    return (size_t)(spec - input_specs);
}

/* A copy without the white space around it; NULL when nothing is left. */
static char *copy_trimmed(const char *text)
{
    while (text_is_space(*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && text_is_space(text[len - 1]))
        len--;
    return len > 0 ? memory_copy_bytes(text, len) : NULL;
}

/* `first`, a line break, `second`; takes `first` over. */
static char *join_lines(char *first, const char *second)
{
    size_t len = strlen(first) + strlen(second) + 2;
    char *joined = memory_new(len);
    snprintf(joined, len, "%s\n%s", first, second);
    memory_free_secret(first);
    return joined;
}

static int take_flag(struct texts *texts, const struct input_spec *spec, const char *value,
                     struct error *err)
{
    size_t row = row_of(spec);
    if (texts->by_flag[row] && !spec->multiline)
        return error_set(err, ERROR_INPUT, "%s: given more than once; give it once", spec->name);
    texts->by_flag[row] = true;
    char *text = copy_trimmed(value);
    if (text && texts->items[row]) {
        texts->items[row] = join_lines(texts->items[row], text);
        memory_free_secret(text);
    } else if (text) {
        texts->items[row] = text;
    }
    return 0;
}

/* "--name=VALUE" or "--name" "VALUE"; *place is moved on to the last argument that was used. */
static int read_flag(int argc, const char *const *argv, int *place, struct texts *texts, bool *json,
                     struct error *err)
{
    const char *flag = argv[*place] + 2;
    size_t len = strcspn(flag, "=");
    CLEANUP_FREE char *name = memory_copy_bytes(flag, len);
    if (strcmp(flag, "json") == 0) {
        *json = true;
        return 0;
    }
    const struct input_spec *spec = input_find(name);
    if (!spec) {
        char quoted[INPUT_QUOTE_BYTES];
        CLEANUP_FREE char *dashed = memory_copy_bytes(argv[*place], len + 2);
        return error_set(err, ERROR_INPUT, "unknown flag %s; --help shows all of them",
                         input_quote(quoted, dashed));
    }
    if (flag[len] == '=')
        return take_flag(texts, spec, flag + len + 1, err);
    if (*place + 1 >= argc || text_starts_with(argv[*place + 1], "--"))
        return error_set(err, ERROR_INPUT,
                         "--%s has no value; write --%s VALUE, or --%s=VALUE if the value begins "
                         "with dashes",
                         name, name, name);
    return take_flag(texts, spec, argv[++*place], err);
}

static int read_arguments(int argc, const char *const *argv, struct texts *texts, bool *json,
                          struct error *err)
{
    for (int i = 1; i < argc; i++) {
        if (text_starts_with(argv[i], "--")) {
            if (read_flag(argc, argv, &i, texts, json, err) < 0)
                return -1;
        } else if (i == 1) {
            if (take_flag(texts, input_find("command"), argv[i], err) < 0)
                return -1;
        } else {
            char quoted[INPUT_QUOTE_BYTES];
            return error_set(err, ERROR_INPUT,
                             "unexpected argument %s; the command comes first, and every input is "
                             "a flag such as --function-name",
                             input_quote(quoted, argv[i]));
        }
    }
    return 0;
}

/* INPUT_<NAME>: upper case, dashes kept. */
static void read_environ(const char *const *env, struct texts *texts)
{
    for (size_t i = 0; i < input_spec_count; i++) {
        char name[NAME_MAX_BYTES];
        snprintf(name, sizeof name, "INPUT_%s", input_specs[i].name);
        for (char *p = name; *p; p++)
            if (*p >= 'a' && *p <= 'z')
                *p = (char)(*p - 'a' + 'A');
        const char *value = texts->by_flag[i] ? NULL : environ_get(env, name);
        if (value)
            texts->items[i] = copy_trimmed(value);
    }
}

static int parse_row(const struct input_spec *spec, const char *text, struct inputs *inputs,
                     struct error *err)
{
    size_t len = strlen(text);
    if (len > INPUT_MAX_BYTES)
        return input_refuse(err, spec->name, NULL, "has %zu bytes; at most %zu are taken", len,
                            INPUT_MAX_BYTES);
    if (!text_is_utf8(text, len))
        return input_refuse(err, spec->name, NULL, "is not valid UTF-8");
    return spec->type->parse(spec, text, inputs, err);
}

static int parse_rows(const struct texts *texts, struct inputs *inputs, struct error *err)
{
    for (size_t i = 0; i < input_spec_count; i++) {
        const struct input_spec *spec = &input_specs[i];
        const char *text = texts->items[i] ? texts->items[i] : spec->default_text;
        if (texts->items[i])
            inputs->given[i / GIVEN_BITS] |= UINT64_C(1) << (i % GIVEN_BITS);
        if (text && parse_row(spec, text, inputs, err) < 0)
            return -1;
    }
    return 0;
}

/* `base` alone can do without the required input. */
static int check_required(const struct inputs *inputs, struct error *err)
{
    for (size_t i = 0; i < input_spec_count; i++) {
        const struct input_spec *spec = &input_specs[i];
        if (spec->required && inputs->command != COMMAND_BASE && !inputs_given(inputs, spec->name))
            return error_set(err, ERROR_INPUT,
                             "%s: required, and not given; give it as an input of the step or as "
                             "--%s",
                             spec->name, spec->name);
    }
    return 0;
}

static enum inputs_ask find_ask(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || (i == 1 && strcmp(argv[i], "-h") == 0))
            return INPUTS_HELP;
        if (strcmp(argv[i], "--version") == 0)
            return INPUTS_VERSION;
    }
    return INPUTS_RUN;
}

static int parse_intent(const struct texts *texts, struct inputs *inputs, struct error *err)
{
    for (size_t i = 0; i < input_spec_count; i++) {
        const struct input_spec *spec = &input_specs[i];
        bool is_intent = strcmp(spec->name, "command") == 0 || strcmp(spec->name, "dry-run") == 0;
        const char *text = is_intent && texts->items[i] ? texts->items[i] : spec->default_text;
        if (text && parse_row(spec, text, inputs, err) < 0)
            return -1;
    }
    return 0;
}

int inputs_read_intent(int argc, const char *const *argv, const char *const *env,
                       struct inputs *ret_inputs, struct error *err)
{
    CLEANUP(texts) struct texts texts = {.items = {NULL}};
    CLEANUP(inputs) struct inputs inputs = INPUTS_UNSET;
    if (read_arguments(argc, argv, &texts, &inputs.json, err) < 0)
        return -1;
    read_environ(env, &texts);
    if (parse_intent(&texts, &inputs, err) < 0)
        return -1;
    *ret_inputs = inputs;
    inputs = (struct inputs){.json = false};
    return 0;
}

static int read_all(int argc, const char *const *argv, const char *const *env,
                    struct inputs *inputs, struct error *err)
{
    CLEANUP(texts) struct texts texts = {.items = {NULL}};
    if (read_arguments(argc, argv, &texts, &inputs->json, err) < 0)
        return -1;
    read_environ(env, &texts);
    if (parse_rows(&texts, inputs, err) < 0 || check_required(inputs, err) < 0 ||
        inputs_resolve(inputs, env, err) < 0)
        return -1;
    return inputs_check_together(inputs, err);
}

int inputs_read(int argc, const char *const *argv, const char *const *env,
                struct inputs *ret_inputs, enum inputs_ask *ret_ask, struct error *err)
{
    enum inputs_ask ask = find_ask(argc, argv);
    if (ask != INPUTS_RUN) {
        *ret_ask = ask;
        return 0;
    }
    CLEANUP(inputs) struct inputs inputs = INPUTS_UNSET;
    if (read_all(argc, argv, env, &inputs, err) < 0)
        return -1;
    *ret_inputs = inputs;
    inputs = (struct inputs){.json = false};
    *ret_ask = ask;
    return 0;
}

void inputs_release(struct inputs *inputs)
{
    if (!inputs)
        return;
    for (size_t i = 0; i < input_spec_count; i++)
        if (input_specs[i].type->release)
            input_specs[i].type->release(&input_specs[i], inputs);
}

bool inputs_given(const struct inputs *inputs, const char *name)
{
    size_t row = row_of(input_find(name));
    return inputs->given[row / GIVEN_BITS] >> (row % GIVEN_BITS) & 1;
}
