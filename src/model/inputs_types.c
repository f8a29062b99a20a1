#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define SECOND_MS       INT64_C(1000)
#define DURATION_MAX_MS (INT64_C(36500) * 86400 * SECOND_MS)
#define QUOTE_MAX       60

const char *input_quote(char buffer[INPUT_QUOTE_BYTES], const char *text)
{
    size_t len = strnlen(text, QUOTE_MAX + 1);
    bool cut = len > QUOTE_MAX;
    if (cut) {
        len = QUOTE_MAX;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    snprintf(buffer, INPUT_QUOTE_BYTES, "'%.*s%s'", (int)len, text, cut ? "…" : "");
    return buffer;
}

int input_refuse(struct error *err, const char *name, const char *shown, const char *fmt, ...)
{
    char why[512], quoted[INPUT_QUOTE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return error_set(err, ERROR_INPUT, "%s: %s %s", name,
                     shown ? input_quote(quoted, shown) : "the value", why);
}

static void *field(const struct input_spec *spec, struct inputs *inputs)
{
    return (char *)inputs + spec->offset;
}

static int run_check(const struct input_spec *spec, const char *text, struct error *err)
{
    return spec->check ? spec->check(spec->name, text, err) : 0;
}

/* One-line and longer texts. */

static int refuse_controls(const struct input_spec *spec, const char *text, const char *allowed,
                           struct error *err)
{
    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < ' ' || *p == '\x7f') && !strchr(allowed, *p))
            return input_refuse(err, spec->name, NULL, "holds %s, which has no place there",
                                *p == '\n' ? "a line break" : "a control character");
    return 0;
}

static int keep_text(const struct input_spec *spec, const char *text, struct inputs *inputs,
                     const char *allowed_controls, struct error *err)
{
    if (refuse_controls(spec, text, allowed_controls, err) < 0 || run_check(spec, text, err) < 0)
        return -1;
    char **place = field(spec, inputs);
    *place = memory_copy_string(text);
    return 0;
}

static int parse_text(const struct input_spec *spec, const char *text, struct inputs *inputs,
                      struct error *err)
{
    return keep_text(spec, text, inputs, "", err);
}

static int parse_long(const struct input_spec *spec, const char *text, struct inputs *inputs,
                      struct error *err)
{
    return keep_text(spec, text, inputs, "\t\r\n", err);
}

static void release_text(const struct input_spec *spec, struct inputs *inputs)
{
    char **place = field(spec, inputs);
    if (spec->secret)
        memory_free_secret(*place);
    else
        free(*place);
    *place = NULL;
}

const struct input_type input_text = {parse_text, release_text};
const struct input_type input_long = {parse_long, release_text};

/* Choices. */

static int refuse_choice(const char *name, const char *text, const char *const *choices,
                         struct error *err)
{
    CLEANUP(strbuf) struct strbuf list = STRBUF_INIT(400);
    for (size_t i = 0; choices[i]; i++)
        strbuf_addf(&list, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    return input_refuse(err, name, text, "is none of its choices; give %s", list.buf);
}

static void keep_enum(const struct input_spec *spec, struct inputs *inputs, int value)
{
    memcpy(field(spec, inputs), &value, sizeof value);
}
_Static_assert(sizeof(enum when) == sizeof(int), "enums are kept as ints");

static int parse_choice(const struct input_spec *spec, const char *text, struct inputs *inputs,
                        struct error *err)
{
    for (int i = 0; spec->choices[i]; i++)
        if (strcmp(spec->choices[i], text) == 0) {
            keep_enum(spec, inputs, i);
            return 0;
        }
    return refuse_choice(spec->name, text, spec->choices, err);
}
const struct input_type input_choice = {parse_choice, NULL};

static int parse_word(const struct input_spec *spec, const char *text, struct inputs *inputs,
                      struct error *err)
{
    for (size_t i = 0; spec->choices[i]; i++)
        if (strcmp(spec->choices[i], text) == 0)
            return keep_text(spec, text, inputs, "", err);
    return refuse_choice(spec->name, text, spec->choices, err);
}
const struct input_type input_word = {parse_word, release_text};

static int parse_command(const struct input_spec *spec, const char *text, struct inputs *inputs,
                         struct error *err)
{
    const char *choices[16] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < command_spec_count; i++) {
        const struct command_spec *command = &command_specs[i];
        if (strcmp(command->name, text) == 0) {
            if (command->later)
                return input_refuse(err, spec->name, text, "is not supported yet");
            inputs->command = command->command;
            return 0;
        }
        if (!command->later && count + 1 < sizeof choices / sizeof *choices)
            choices[count++] = command->name;
    }
    return refuse_choice(spec->name, text, choices, err);
}
const struct input_type input_command = {parse_command, NULL};

static int parse_bool(const struct input_spec *spec, const char *text, struct inputs *inputs,
                      struct error *err)
{
    bool is_true = text_equal_ignore_case(text, "true");
    if (!is_true && !text_equal_ignore_case(text, "false"))
        return input_refuse(err, spec->name, text, "is neither true nor false");
    *(bool *)field(spec, inputs) = is_true;
    return 0;
}
const struct input_type input_bool = {parse_bool, NULL};

/* Numbers and durations. */

static int parse_int(const struct input_spec *spec, const char *text, struct inputs *inputs,
                     struct error *err)
{
    int64_t number;
    if (!text_to_int64(text, (int64_t)spec->min, (int64_t)spec->max, &number))
        return input_refuse(err, spec->name, text, "is not a whole number from %.0f to %.0f",
                            spec->min, spec->max);
    *(int *)field(spec, inputs) = (int)number;
    return 0;
}
const struct input_type input_int = {parse_int, NULL};

static int parse_decimal(const struct input_spec *spec, const char *text, struct inputs *inputs,
                         struct error *err)
{
    double number;
    if (!text_to_decimal(text, &number) || number < spec->min || number > spec->max)
        return input_refuse(err, spec->name, text,
                            "is not a number from %.0f to %.0f (as 5 or 0.3)", spec->min,
                            spec->max);
    *(double *)field(spec, inputs) = number;
    return 0;
}
const struct input_type input_decimal = {parse_decimal, NULL};

static const struct {
    char letter;
    int64_t ms;
} duration_units[] = {
    {'d', 86400 * SECOND_MS}, {'h', 3600 * SECOND_MS}, {'m', 60 * SECOND_MS}, {'s', SECOND_MS}};
#define DURATION_UNITS (sizeof duration_units / sizeof *duration_units)

/* Digits at *place, moved on behind them. False: none, or too many to mean anything. */
static bool take_digits(const char **place, int64_t *ret_number)
{
    int64_t number = 0;
    const char *start = *place;
    for (; **place >= '0' && **place <= '9'; (*place)++) {
        number = number * 10 + (**place - '0');
        if (number > DURATION_MAX_MS)
            return false;
    }
    *ret_number = number;
    return *place > start;
}

/* Number and unit after number and unit, each unit smaller than the one before. */
static bool sum_duration(const char *text, int64_t *ret_ms)
{
    int64_t sum_ms = 0, number;
    size_t unit = 0;
    while (*text) {
        if (!take_digits(&text, &number))
            return false;
        while (unit < DURATION_UNITS && duration_units[unit].letter != *text)
            unit++;
        if (unit == DURATION_UNITS || number > DURATION_MAX_MS / duration_units[unit].ms)
            return false;
        sum_ms += number * duration_units[unit++].ms;
        text++;
    }
    *ret_ms = sum_ms;
    return sum_ms <= DURATION_MAX_MS;
}

int duration_parse(const char *text, int64_t *ret_ms, struct error *err)
{
    int64_t seconds, ms;
    if (text_to_int64(text, 0, DURATION_MAX_MS / SECOND_MS, &seconds)) {
        *ret_ms = seconds * SECOND_MS;
        return 0;
    }
    if (*text == '\0' || !sum_duration(text, &ms)) {
        char quoted[INPUT_QUOTE_BYTES];
        return error_set(err, ERROR_INPUT,
                         "%s is not a duration; write it as 90s, 60m, 1h30m, 30d or plain seconds",
                         input_quote(quoted, text));
    }
    *ret_ms = ms;
    return 0;
}

static int parse_duration(const struct input_spec *spec, const char *text, struct inputs *inputs,
                          struct error *err)
{
    int64_t ms = 0;
    if (duration_parse(text, &ms, err) < 0)
        return error_wrap(err, "%s", spec->name);
    if ((double)ms < spec->min * SECOND_MS || (double)ms > spec->max * SECOND_MS)
        return input_refuse(err, spec->name, text, "is not from %.0f to %.0f seconds", spec->min,
                            spec->max);
    *(int64_t *)field(spec, inputs) = ms;
    return 0;
}
const struct input_type input_duration = {parse_duration, NULL};

/* What a later version brings: only its default may be given. */
static int parse_later(const struct input_spec *spec, const char *text, struct inputs *inputs,
                       struct error *err)
{
    (void)inputs;
    if (text_equal(text, spec->default_text))
        return 0;
    return error_set(err, ERROR_INPUT, "%s: not supported yet; leave it out%s%s", spec->name,
                     spec->default_text ? " or give " : "",
                     spec->default_text ? spec->default_text : "");
}
const struct input_type input_later = {parse_later, NULL};
