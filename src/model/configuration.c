#include "model/configuration.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"

#define ENVIRONMENT_MAX_BYTES 4096 /* all names and values together */
#define SHOWN_BYTES           120

void configuration_change_release(struct configuration_change *change)
{
    json_free(change->request);
    json_free(change->restore);
    strvec_release(&change->lost);
    strvec_release(&change->differences);
    change->request = change->restore = NULL;
}

/* A member of Lambda's answer in the shape of its request; owned by the caller. */
typedef struct json *read_member(const struct json *current);

static struct json *text_or_empty(const struct json *current, const char *path)
{
    const char *text = json_get_string(current, path);
    return json_new_string(text ? text : "");
}

static struct json *read_description(const struct json *current)
{
    return text_or_empty(current, "Description");
}

static struct json *read_kms_key(const struct json *current)
{
    return text_or_empty(current, "KMSKeyArn");
}

static struct json *copy_or_object(const struct json *node)
{
    return json_type(node) == JSON_OBJECT ? json_copy(node) : json_new_object();
}

static struct json *read_environment(const struct json *current)
{
    struct json *environment = json_new_object();
    json_put(environment, "Variables", copy_or_object(json_get(current, "Environment.Variables")));
    return environment;
}

static struct json *read_layers(const struct json *current)
{
    struct json *layers = json_new_array();
    JSON_EACH (layer, json_get(current, "Layers"))
        json_append_string(layers, json_get_string(layer, "Arn"));
    return layers;
}

static struct json *read_list(const struct json *node)
{
    return json_type(node) == JSON_ARRAY ? json_copy(node) : json_new_array();
}

static struct json *read_vpc(const struct json *current)
{
    struct json *vpc = json_new_object();
    json_put(vpc, "SubnetIds", read_list(json_get(current, "VpcConfig.SubnetIds")));
    json_put(vpc, "SecurityGroupIds", read_list(json_get(current, "VpcConfig.SecurityGroupIds")));
    json_put_bool(vpc, "Ipv6AllowedForDualStack",
                  json_get_bool(current, "VpcConfig.Ipv6AllowedForDualStack", false));
    return vpc;
}

static struct json *read_image_config(const struct json *current)
{
    return copy_or_object(json_get(current, "ImageConfigResponse.ImageConfig"));
}

static struct json *read_tracing(const struct json *current)
{
    struct json *tracing = json_new_object();
    const char *mode = json_get_string(current, "TracingConfig.Mode");
    json_put_string(tracing, "Mode", mode ? mode : "PassThrough");
    return tracing;
}

static struct json *read_dead_letter(const struct json *current)
{
    struct json *config = json_new_object();
    json_put(config, "TargetArn", text_or_empty(current, "DeadLetterConfig.TargetArn"));
    return config;
}

static struct json *read_storage(const struct json *current)
{
    struct json *storage = json_new_object();
    json_put_int(storage, "Size", json_get_int(current, "EphemeralStorage.Size", 512));
    return storage;
}

static struct json *read_file_systems(const struct json *current)
{
    return read_list(json_get(current, "FileSystemConfigs"));
}

/* Levels are there with JSON only, and are INFO where nothing else is said
 * (dg/monitoring-cloudwatchlogs-advanced.html). */
static struct json *read_logging(const struct json *current)
{
    static const char *const levels[] = {"ApplicationLogLevel", "SystemLogLevel"};
    struct json *logging = copy_or_object(json_get(current, "LoggingConfig"));
    const char *name = json_get_string(current, "FunctionName");
    if (!json_member(logging, "LogFormat"))
        json_put_string(logging, "LogFormat", "Text");
    if (!json_member(logging, "LogGroup") && name) {
        CLEANUP(strbuf) struct strbuf group = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_addf(&group, "/aws/lambda/%s", name);
        json_put_string(logging, "LogGroup", group.buf);
    }
    bool has_levels = text_equal(json_get_string(logging, "LogFormat"), "JSON");
    for (size_t i = 0; has_levels && i < sizeof levels / sizeof *levels; i++)
        if (!json_member(logging, levels[i]))
            json_put_string(logging, levels[i], "INFO");
    return logging;
}

static struct json *read_snap_start(const struct json *current)
{
    struct json *snap = json_new_object();
    const char *apply = json_get_string(current, "SnapStart.ApplyOn");
    json_put_string(snap, "ApplyOn", apply ? apply : "None");
    return snap;
}

static const struct row {
    const char *name;  /* in the request */
    const char *input; /* how people know it; NULL: by `name` */
    read_member *read; /* NULL: the answer has the request's shape */
    bool partial;      /* members that are not given keep their values */
    bool unordered;    /* lists in it are sets */
    bool exact;        /* an empty value is a value */
} rows[] = {
    {"Description", "description", read_description, false, false, false},
    {"MemorySize", "memory-size", NULL, false, false, false},
    {"Timeout", "timeout", NULL, false, false, false},
    {"EphemeralStorage", "ephemeral-storage", read_storage, false, false, false},
    {"Environment", "environment", read_environment, false, false, true},
    {"Layers", NULL, read_layers, false, false, false},
    {"VpcConfig", NULL, read_vpc, true, true, false},
    {"ImageConfig", NULL, read_image_config, false, false, false},
    {"TracingConfig", NULL, read_tracing, false, false, false},
    {"DeadLetterConfig", NULL, read_dead_letter, false, false, false},
    {"FileSystemConfigs", NULL, read_file_systems, false, false, false},
    {"LoggingConfig", NULL, read_logging, true, false, false},
    {"SnapStart", NULL, read_snap_start, false, false, false},
    {"KMSKeyArn", NULL, read_kms_key, false, false, false},
};

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_equal(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static struct json *read_current(const struct row *row, const char *name,
                                 const struct json *current)
{
    if (row && row->read)
        return row->read(current);
    const struct json *member = json_member(current, name);
    return member ? json_copy(member) : NULL;
}

static bool holds_all(const struct json *list, const struct json *others)
{
    JSON_EACH (other, others) {
        bool found = false;
        JSON_EACH (element, list)
            found = found || json_equal(element, other);
        if (!found)
            return false;
    }
    return true;
}

static bool same_set(const struct json *a, const struct json *b)
{
    return json_length(a) == json_length(b) && holds_all(a, b) && holds_all(b, a);
}

static bool same_member(const struct row *row, const struct json *wanted, const struct json *there)
{
    if (row->unordered && json_type(wanted) == JSON_ARRAY && json_type(there) == JSON_ARRAY)
        return same_set(wanted, there);
    return json_equal(wanted, there);
}

/* What Lambda leaves out of its answer when it is asked for. */
static bool is_empty(const struct json *node)
{
    const char *text = json_string(node);
    bool is_list = json_type(node) == JSON_ARRAY || json_type(node) == JSON_OBJECT;
    return json_type(node) == JSON_MISSING || json_type(node) == JSON_NULL || (text && !text[0]) ||
           (is_list && json_length(node) == 0);
}

/* Every member of `wanted` is as it is in `there`; what is empty or false need not be there. */
static bool has_members(const struct row *row, const struct json *wanted, const struct json *there)
{
    JSON_EACH (member, wanted) {
        const struct json *other = json_member(there, json_name(member));
        bool is_unset =
            !other && (is_empty(member) || !json_get_bool(wanted, json_name(member), true));
        if (!is_unset && !same_member(row, member, other))
            return false;
    }
    return true;
}

static bool is_same(const struct row *row, const struct json *wanted, const struct json *there)
{
    if (!row || row->exact || json_type(wanted) != JSON_OBJECT)
        return json_equal(wanted, there) || (is_empty(wanted) && is_empty(there));
    return has_members(row, wanted, there) && (row->partial || has_members(row, there, wanted));
}

/* The environment that is wanted: what is there with the input's lines on top, or the input's lines
 * alone. */
static struct json *wanted_environment(const struct inputs *inputs, const struct json *current)
{
    struct json *environment = inputs->environment_mode == ENVIRONMENT_MERGE
                                   ? read_environment(current)
                                   : read_environment(NULL);
    struct json *variables = json_copy(json_get(environment, "Variables"));
    for (size_t i = 0; i < inputs->environment.len; i++) {
        const char *pair = inputs->environment.items[i];
        size_t len = strcspn(pair, "=");
        CLEANUP(strbuf) struct strbuf key = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_add(&key, pair, len);
        json_put_string(variables, key.buf, pair[len] ? pair + len + 1 : "");
    }
    json_put(environment, "Variables", variables);
    return environment;
}

static int check_environment_size(const struct json *environment, struct error *err)
{
    size_t size = 0;
    JSON_EACH (variable, json_get(environment, "Variables"))
        size += strlen(json_name(variable)) +
                strlen(json_string(variable) ? json_string(variable) : "");
    if (size <= ENVIRONMENT_MAX_BYTES)
        return 0;
    return error_set(err, ERROR_INPUT,
                     "environment: names and values together have %zu bytes; Lambda takes %d", size,
                     ENVIRONMENT_MAX_BYTES);
}

static bool is_hidden(const struct json *current)
{
    return json_type(json_get(current, "Environment.Error")) != JSON_MISSING;
}

static int put_environment(const struct inputs *inputs, const struct json *current,
                           struct json *wanted, struct error *err)
{
    if (!inputs_given(inputs, "environment"))
        return 0;
    if (is_hidden(current) && inputs->environment_mode == ENVIRONMENT_MERGE)
        return error_set(err, ERROR_REFUSED,
                         "Lambda cannot show the function's environment (%.200s), so nothing can "
                         "be merged into it; mend "
                         "that, or give environment-mode: replace with all of it",
                         json_get_string(current, "Environment.Error.ErrorCode")
                             ? json_get_string(current, "Environment.Error.ErrorCode")
                             : "no reason given");
    struct json *environment = wanted_environment(inputs, current);
    json_put(wanted, "Environment", environment);
    return check_environment_size(environment, err);
}

/* Everything that the inputs ask for, in the shape of a request. */
static int collect_wanted(const struct inputs *inputs, const struct json *current,
                          struct json *wanted, struct error *err)
{
    CLEANUP(json) struct json *further = NULL;
    const char *text = inputs->function_configuration;
    if (text && json_parse(text, strlen(text), &further, err) < 0)
        return error_wrap(err, "function-configuration");
    if (further && json_type(further) != JSON_OBJECT)
        return error_set(err, ERROR_INPUT, "function-configuration is not a JSON object");
    JSON_EACH (member, further)
        json_put(wanted, json_name(member), json_copy(member));
    json_put_string(wanted, "Description", inputs->description);
    if (inputs->memory_size_mb != INPUT_INT_UNSET)
        json_put_int(wanted, "MemorySize", inputs->memory_size_mb);
    if (inputs->timeout_s != INPUT_INT_UNSET)
        json_put_int(wanted, "Timeout", inputs->timeout_s);
    if (inputs->ephemeral_storage_mb != INPUT_INT_UNSET) {
        struct json *storage = json_new_object();
        json_put_int(storage, "Size", inputs->ephemeral_storage_mb);
        json_put(wanted, "EphemeralStorage", storage);
    }
    return put_environment(inputs, current, wanted, err);
}

/* "environment: + NEW, ~ CHANGED, - GONE": names only. */
static void describe_environment(const struct json *before, const struct json *after,
                                 struct strbuf *out)
{
    const struct json *old = json_get(before, "Variables"), *new = json_get(after, "Variables");
    const char *separator = " ";
    JSON_EACH (variable, new) {
        const struct json *was = json_member(old, json_name(variable));
        if (was && json_equal(was, variable))
            continue;
        strbuf_addf(out, "%s%c %s", separator, was ? '~' : '+', json_name(variable));
        separator = ", ";
    }
    JSON_EACH (variable, old) {
        if (json_member(new, json_name(variable)))
            continue;
        strbuf_addf(out, "%s- %s", separator, json_name(variable));
        separator = ", ";
    }
}

static void add_value(struct strbuf *out, const struct json *value)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    if (!value)
        strbuf_addstr(&text, "nothing");
    else
        json_print(value, &text);
    text_add_visible(out, text.buf, text.len, SHOWN_BYTES, false);
}

static void describe(const struct row *row, const char *name, const struct json *before,
                     const struct json *after, struct strvec *differences)
{
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(4096);
    strbuf_addf(&line, "%s:", row && row->input ? row->input : name);
    if (text_equal(name, "Environment")) {
        describe_environment(before, after, &line);
    } else {
        strbuf_addch(&line, ' ');
        add_value(&line, before);
        strbuf_addstr(&line, " → ");
        add_value(&line, after);
    }
    strvec_push(differences, line.buf);
}

int configuration_compare(const struct inputs *inputs, const struct json *current,
                          struct configuration_change *ret_change, struct error *err)
{
    CLEANUP(json) struct json *wanted = json_new_object();
    struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    if (collect_wanted(inputs, current, wanted, err) < 0)
        return -1;
    JSON_EACH (member, wanted) {
        const char *name = json_name(member);
        const struct row *row = find_row(name);
        CLEANUP(json) struct json *there = read_current(row, name, current);
        if (is_same(row, member, there))
            continue;
        if (!change.request) {
            change.request = json_new_object();
            change.restore = json_new_object();
        }
        describe(row, name, there, member, &change.differences);
        json_put(change.request, name, json_copy(member));
        if (!there || (text_equal(name, "Environment") && is_hidden(current)))
            strvec_push(&change.lost, name);
        else
            json_put(change.restore, name, STEAL(there));
    }
    *ret_change = change;
    return 0;
}

bool configuration_has(const struct json *current, const struct json *members)
{
    JSON_EACH (member, members) {
        const struct row *row = find_row(json_name(member));
        CLEANUP(json) struct json *there = read_current(row, json_name(member), current);
        if (!is_same(row, member, there))
            return false;
    }
    return true;
}

bool configuration_same_settings(const struct json *a, const struct json *b)
{
    static const char *const others[] = {"Role", "PackageType", "Architectures"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!json_equal(json_member(a, others[i]), json_member(b, others[i])))
            return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(json) struct json *one = read_current(&rows[i], rows[i].name, a);
        CLEANUP(json) struct json *other = read_current(&rows[i], rows[i].name, b);
        if (!is_same(&rows[i], one, other))
            return false;
    }
    return is_hidden(a) == is_hidden(b);
}

int configuration_put_wanted(const struct inputs *inputs, struct json *request, struct error *err)
{
    return collect_wanted(inputs, NULL, request, err);
}

bool configuration_must_wait(const struct function_facts *function)
{
    return function->image_missing || text_equal(function->last_update_status, "Failed") ||
           text_equal(function->state, "Failed");
}
