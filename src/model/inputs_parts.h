/*
 * inputs_parts.h: what the files of inputs share among themselves: types, checks of single values
 * and of several, and the one way to refuse a value. Nobody else includes it.
 *
 * A refusal reads "NAME: 'VALUE' is wrong so; do this". What may be a secret, or hold one, is never
 * quoted: neither values of secret rows nor URLs, JSON texts and headers.
 */
#ifndef MODEL_INPUTS_PARTS_H
#define MODEL_INPUTS_PARTS_H

#include "model/inputs.h"

#define INPUT_MAX_BYTES ((size_t)1 << 20) /* of one input's text */

struct input_type {
    /*
     * `text` is trimmed, not empty, UTF-8 and at most INPUT_MAX_BYTES long. Writes the row's field.
     */
    int (*parse)(const struct input_spec *spec, const char *text, struct inputs *inputs,
                 struct error *err);
    void (*release)(const struct input_spec *spec, struct inputs *inputs); /* NULL: nothing owned */
};

extern const struct input_type input_text;     /* one line */
extern const struct input_type input_long;     /* text that may have several lines */
extern const struct input_type input_choice;   /* one of spec->choices, kept as an enum */
extern const struct input_type input_word;     /* one of spec->choices, kept as text */
extern const struct input_type input_command;  /* one of command_specs */
extern const struct input_type input_bool;     /* true, false; in any case of letters */
extern const struct input_type input_duration; /* spec->min and max in seconds */
extern const struct input_type input_int;
extern const struct input_type input_decimal;
extern const struct input_type input_list;    /* by commas, white space or lines */
extern const struct input_type input_pairs;   /* lines KEY=VALUE; spec->check judges the key */
extern const struct input_type input_headers; /* lines `Name: value` */
extern const struct input_type input_caches;  /* registry,gha */
extern const struct input_type input_later;   /* anything but the default: not supported yet */

/* "NAME: 'SHOWN' …" or, when `shown` is NULL, "NAME: the value …"; the rest by printf. Long values
 * are cut. Always -1. */
int input_refuse(struct error *err, const char *name, const char *shown, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* `text` in single quotes, cut at a character's end to at most 60 bytes. Returns `buffer`. */
#define INPUT_QUOTE_BYTES 72
const char *input_quote(char buffer[INPUT_QUOTE_BYTES], const char *text);

const struct input_spec *input_find(const char *name); /* NULL: no such row */

/*
 * Checks of single values, for the table's `check`. The rules' sources stand at their definitions.
 */
int input_check_region(const char *name, const char *text, struct error *err);
int input_check_role_arn(const char *name, const char *text, struct error *err);
int input_check_session_name(const char *name, const char *text, struct error *err);
int input_check_external_id(const char *name, const char *text, struct error *err);
int input_check_visible(const char *name, const char *text,
                        struct error *err); /* secret: not shown */
int input_check_account(const char *name, const char *text, struct error *err);
int input_check_repository(const char *name, const char *text, struct error *err);
int input_check_base_repository(const char *name, const char *text, struct error *err);
int input_check_base_tag(const char *name, const char *text, struct error *err);
int input_check_image_tag(const char *name, const char *text, struct error *err);
int input_check_argument(const char *name, const char *text, struct error *err);
int input_check_secret_id(const char *name, const char *text, struct error *err);
int input_check_variable(const char *name, const char *text, struct error *err);
int input_check_target(const char *name, const char *text, struct error *err);
int input_check_builder(const char *name, const char *text, struct error *err);
int input_check_function(const char *name, const char *text, struct error *err);
int input_check_alias(const char *name, const char *text, struct error *err);
int input_check_description(const char *name, const char *text, struct error *err);
int input_check_url(const char *name, const char *text, struct error *err);
int input_check_path(const char *name, const char *text, struct error *err);
int input_check_json(const char *name, const char *text, struct error *err);
int input_check_checks(const char *name, const char *text, struct error *err);

/* Is this the name of an ECR repository, without a registry? */
bool input_is_repository(const char *text);

/* What is not given and depends on the environment: region, session name. */
int inputs_resolve(struct inputs *inputs, const char *const *env, struct error *err);
/* What several inputs must agree on. */
int inputs_check_together(const struct inputs *inputs, struct error *err);
/* function-configuration against the inputs and Lambda's rules. */
int inputs_check_configuration(const struct inputs *inputs, struct error *err);

#define LAMBDA_ENVIRONMENT_MAX_BYTES 4096 /* as JSON; that is how Lambda measures it */

#endif
