/*
 * function-configuration: a JSON object that is merged into UpdateFunctionConfiguration. Its
 * members are those of Lambda's API
 * (docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration). A member that this table
 * does not know passes: Lambda may have learned it since.
 */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define INPUT_NAME "function-configuration"

#define OF_CODE "belongs to the code, not to the configuration"
#define OF_ZIP  "is for functions that are no container images"

static const struct member {
    const char *name;
    const char *why_not; /* NULL: allowed */
    const char *input;   /* the input that says the same: only one of the two may be given */
    bool in_mb_or_s;     /* a whole number within the input's range */
} members[] = {
    {"FunctionName", "is the input function-name's", NULL, false},
    {"RevisionId", "is set by the program", NULL, false},
    {"Runtime", OF_ZIP, NULL, false},
    {"Handler", OF_ZIP ", give ImageConfig", NULL, false},
    {"Layers", OF_ZIP, NULL, false},
    {"Architectures", OF_CODE ", give the input platform", NULL, false},
    {"Code", OF_CODE, NULL, false},
    {"DryRun", OF_CODE, NULL, false},
    {"ImageUri", OF_CODE, NULL, false},
    {"PackageType", OF_CODE, NULL, false},
    {"Publish", OF_CODE ", give the input alias", NULL, false},
    {"S3Bucket", OF_CODE, NULL, false},
    {"S3Key", OF_CODE, NULL, false},
    {"S3ObjectVersion", OF_CODE, NULL, false},
    {"ZipFile", OF_CODE, NULL, false},
    {"Tags", "is not a part of the configuration", NULL, false},
    {"Description", NULL, "description", false},
    {"Environment", NULL, "environment", false},
    {"EphemeralStorage", NULL, "ephemeral-storage", false},
    {"MemorySize", NULL, "memory-size", true},
    {"Timeout", NULL, "timeout", true},
    {"DeadLetterConfig", NULL, NULL, false},
    {"FileSystemConfigs", NULL, NULL, false},
    {"ImageConfig", NULL, NULL, false},
    {"KMSKeyArn", NULL, NULL, false},
    {"LoggingConfig", NULL, NULL, false},
    {"Role", NULL, NULL, false},
    {"SnapStart", NULL, NULL, false},
    {"TracingConfig", NULL, NULL, false},
    {"VpcConfig", NULL, NULL, false},
};

static int refuse_range(const char *path, const struct input_spec *spec, struct error *err)
{
    return error_set(err, ERROR_INPUT, INPUT_NAME ": %s is not a whole number from %.0f to %.0f",
                     path, spec->min, spec->max);
}

static int check_member(const struct inputs *inputs, const struct json *configuration,
                        const char *name, struct error *err)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct member *member = &members[i];
        if (!text_equal_ignore_case(member->name, name))
            continue;
        if (strcmp(member->name, name) != 0)
            return input_refuse(err, INPUT_NAME, name, "is written %s", member->name);
        if (member->why_not)
            return input_refuse(err, INPUT_NAME, name, "%s; leave it out", member->why_not);
        if (member->input && inputs_given(inputs, member->input))
            return input_refuse(err, INPUT_NAME, name,
                                "says what the input %s says; give only one of them",
                                member->input);
        const struct input_spec *spec = member->in_mb_or_s ? input_find(member->input) : NULL;
        int64_t number = json_get_int(configuration, name, -1);
        if (spec && (number < spec->min || number > spec->max))
            return refuse_range(name, spec, err);
        return 0;
    }
    return 0;
}

static int check_storage(const struct json *configuration, struct error *err)
{
    if (!json_member(configuration, "EphemeralStorage"))
        return 0;
    const struct input_spec *spec = input_find("ephemeral-storage");
    int64_t size = json_get_int(configuration, "EphemeralStorage.Size", -1);
    if (size < spec->min || size > spec->max)
        return refuse_range("EphemeralStorage.Size", spec, err);
    return 0;
}

static int check_variables(const struct json *configuration, struct error *err)
{
    const struct json *environment = json_member(configuration, "Environment");
    if (!environment)
        return 0;
    const struct json *variables = json_member(environment, "Variables");
    if (json_type(variables) != JSON_OBJECT)
        return error_set(err, ERROR_INPUT,
                         INPUT_NAME ": Environment is not {\"Variables\": {\"KEY\": \"value\"…}}");
    JSON_EACH (variable, variables) {
        struct error why = ERROR_INIT;
        if (json_type(variable) != JSON_STRING)
            return error_set(err, ERROR_INPUT,
                             INPUT_NAME ": a value of Environment.Variables is not a string");
        if (input_check_variable("Environment.Variables", json_name(variable), &why) < 0)
            return error_set(err, ERROR_INPUT, INPUT_NAME ": %s", why.msg);
    }
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(2 * INPUT_MAX_BYTES);
    json_print(variables, &text);
    size_t len = text.len;
    memory_wipe(text.buf, text.len);
    if (len > LAMBDA_ENVIRONMENT_MAX_BYTES)
        return error_set(err, ERROR_INPUT,
                         INPUT_NAME ": Environment.Variables has %zu bytes; Lambda takes %d in all",
                         len, LAMBDA_ENVIRONMENT_MAX_BYTES);
    return 0;
}

int inputs_check_configuration(const struct inputs *inputs, struct error *err)
{
    const char *text = inputs->function_configuration;
    if (!text)
        return 0;
    CLEANUP(json) struct json *configuration = NULL;
    struct error why = ERROR_INIT;
    if (json_parse(text, strlen(text), &configuration, &why) < 0)
        return input_refuse(err, INPUT_NAME, NULL, "is not JSON: %s", why.msg);
    if (json_type(configuration) != JSON_OBJECT)
        return input_refuse(err, INPUT_NAME, NULL,
                            "is not a JSON object; give one such as {\"TracingConfig\": "
                            "{\"Mode\": \"Active\"}}");
    JSON_EACH (member, configuration) {
        if (check_member(inputs, configuration, json_name(member), err) < 0)
            return -1;
    }
    const char *description = json_string(json_member(configuration, "Description"));
    if (description && input_check_description(INPUT_NAME ": Description", description, err) < 0)
        return -1;
    if (check_storage(configuration, err) < 0)
        return -1;
    return check_variables(configuration, err);
}
