/*
 * inputs.h: everything that a user can ask for, read from flags and environment through one table.
 *
 * The table (input_specs) is the only place that knows an input's name, type, default, help text
 * and check. --help prints it, and action.yml and the README are checked against it. An input is
 * given by a flag (`--name VALUE`, `--name=VALUE`), else by `INPUT_<NAME>` (upper case, dashes
 * kept). White space around a value or a line is not part of it; empty means not given, and an
 * empty flag still beats the environment. A flag may be repeated only where the value is lines.
 * Rows with `later` are refused when given (exit 2, "not supported yet"). Every error is
 * ERROR_INPUT and names the input and the remedy, never a secret's value.
 *
 * inputs.c reads, inputs_table.c is the table, inputs_types.c turns texts into fields,
 * inputs_checks.c judges single values, inputs_together.c several at once, inputs_help.c prints.
 */
#ifndef MODEL_INPUTS_H
#define MODEL_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"
#include "core/strvec.h"

enum command {
    COMMAND_DEPLOY,
    COMMAND_PLAN,
    COMMAND_BASE,
    COMMAND_STATUS,
    COMMAND_ROLLBACK,
    COMMAND_PRUNE
};
enum rebuild { REBUILD_AUTO, REBUILD_ALWAYS, REBUILD_NEVER };
enum compression { COMPRESSION_AUTO, COMPRESSION_ZSTD, COMPRESSION_GZIP };
enum environment_mode { ENVIRONMENT_MERGE, ENVIRONMENT_REPLACE };
enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };
enum on_failure { ON_FAILURE_ROLLBACK, ON_FAILURE_KEEP };

#define INPUT_INT_UNSET (-1) /* memory-size and its kin when not given */

/* All strings are owned; NULL means not given, unless the table has a default. */
struct inputs {
    enum command command;
    bool dry_run;
    bool json; /* --json, for plan and status */
    int64_t deadline_ms;

    char *aws_region; /* the function's ARN's, AWS_REGION's or AWS_DEFAULT_REGION's if not given;
                         never NULL */
    char *role_to_assume, *role_external_id, *audience;
    char *role_session_name; /* never NULL: with GITHUB_RUN_ID if not given */
    int64_t role_duration_ms;
    char *aws_access_key_id, *aws_secret_access_key,
        *aws_session_token; /* secrets: wiped at release */
    struct strvec allowed_account_ids;

    char *base_file, *base_context, *base_repository, *base_tag, *base_check;
    struct strvec base_build_args; /* KEY=VALUE */
    int64_t base_max_age_ms;       /* 0: none */
    bool adopt_base;
    enum rebuild rebuild_base;

    char *repository, *file, *context, *target, *platform, *image_tag, *image_check,
        *cache_repository, *builder;
    struct strvec build_args; /* KEY=VALUE */
    struct strvec secrets;    /* id=value; secret */
    bool skip_unchanged, no_cache;
    int64_t image_max_age_ms;
    bool cache_registry, cache_gha;
    enum compression compression;
    int compression_level;

    char *function_name; /* a name or an ARN; NULL only for the command base */
    char *alias;
    char *create_with_role;
    struct strvec environment; /* KEY=VALUE; secret */
    enum environment_mode environment_mode;
    int memory_size_mb, timeout_s, ephemeral_storage_mb; /* or INPUT_INT_UNSET */
    char *description, *function_configuration;          /* JSON text of an object */

    char *health_url, *health_path, *health_payload, *health_expect;
    struct strvec health_headers; /* "Name: value"; secret */
    double cold_start_wait_s, health_interval_s, refresh_interval_s;
    int health_retries, refresh_invocations;
    enum when storage_tests;
    char *storage_marker, *storage_checks, *checks;
    enum on_failure on_failure;
    bool record, allow_older, allow_pull_request;

    int64_t baseline_ms; /* 0: none */
    double minute_price_usd, storage_price_usd;

    uint64_t given[2]; /* bit i: row i of the table was given by the user; see inputs_given */
};

/* What main must do first; anything but INPUTS_RUN has no inputs. */
enum inputs_ask { INPUTS_RUN, INPUTS_HELP, INPUTS_VERSION };

/*
 * argv[0] is the program's name. On success *ret_inputs must be released. ERROR_INPUT: unknown
 * command or flag, a flag without a value, a malformed value, a missing required input, an input of
 * a later version. An error leaves nothing to release.
 */
int inputs_read(int argc, const char *const *argv, const char *const *env,
                struct inputs *ret_inputs, enum inputs_ask *ret_ask, struct error *err);
/*
 * Only what is asked for: command and dry-run; everything else as if it were not given, and nothing
 * is required. For a run whose inputs are not good, to know whether its event asks for anything at
 * all: a pull request from a fork has no secrets, so inputs are empty that must not be.
 */
int inputs_read_intent(int argc, const char *const *argv, const char *const *env,
                       struct inputs *ret_inputs, struct error *err);
void inputs_release(struct inputs *inputs);

/* Was this input given by the user (and not by its default)? `name` must be in the table. */
bool inputs_given(const struct inputs *inputs, const char *name);

struct input_type; /* of model/inputs_parts.h: how a text becomes a field */
struct input_spec {
    const char *name;
    const char *group; /* a heading of the contract's table: "AWS", "Base image"… */
    const struct input_type *type;
    const char *default_text;   /* as the user would write it; NULL: none */
    const char *default_words;  /* a default that is not one text: "the commit"; NULL: none */
    const char *help;           /* one sentence */
    size_t offset;              /* of the field in struct inputs */
    const char *const *choices; /* for enums: NULL-terminated, in the order of the enum */
    double min, max;            /* for numbers */
    bool required, secret, later;
    bool multiline; /* lines, one thing each: a flag may be repeated, and adds a line */
    int (*check)(const char *name, const char *text,
                 struct error *err); /* NULL: the type's own check is enough */
};
extern const struct input_spec input_specs[];
extern const size_t input_spec_count;

struct command_spec {
    const char *name;
    enum command command;
    const char *help;
    bool later;
};
extern const struct command_spec command_specs[];
extern const size_t command_spec_count;

/* The text of --help. */
void inputs_help(struct strbuf *out);

/* "60m", "1h30m", "90s", "30d", "1h", "45" (seconds) → ms. ERROR_INPUT. */
int duration_parse(const char *text, int64_t *ret_ms, struct error *err);

#endif
