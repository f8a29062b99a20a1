#include "services/lambda_parse.h"

#include <stddef.h>

#include "core/cleanup.h"

struct field {
    const char *path;
    size_t offset, size;
    bool needed;
    bool prose; /* may be cut */
};

#define FIELD(type, member, json_path)                                                             \
    .path = (json_path), .offset = offsetof(struct type, member),                                  \
    .size = sizeof((struct type *)NULL)->member

static const struct field configuration_fields[] = {
    {FIELD(lambda_function, name, "FunctionName"), .needed = true},
    {FIELD(lambda_function, arn, "FunctionArn"), .needed = true},
    {FIELD(lambda_function, version, "Version")},
    {FIELD(lambda_function, revision_id, "RevisionId")},
    {FIELD(lambda_function, package_type, "PackageType")},
    {FIELD(lambda_function, code_sha256, "CodeSha256")},
    {FIELD(lambda_function, state, "State")},
    {FIELD(lambda_function, state_reason, "StateReason"), .prose = true},
    {FIELD(lambda_function, state_reason_code, "StateReasonCode")},
    {FIELD(lambda_function, last_update_status, "LastUpdateStatus")},
    {FIELD(lambda_function, last_update_reason, "LastUpdateStatusReason"), .prose = true},
    {FIELD(lambda_function, last_update_reason_code, "LastUpdateStatusReasonCode")},
};

static const struct field code_fields[] = {
    {FIELD(lambda_function, image_uri, "Code.ImageUri")},
    {FIELD(lambda_function, resolved_image_uri, "Code.ResolvedImageUri")},
};

static const struct field alias_fields[] = {
    {FIELD(lambda_alias, name, "Name"), .needed = true},
    {FIELD(lambda_alias, arn, "AliasArn"), .needed = true},
    {FIELD(lambda_alias, version, "FunctionVersion"), .needed = true},
    {FIELD(lambda_alias, revision_id, "RevisionId")},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int set_text(char *to, size_t size, bool prose, const char *what, const char *text,
                    struct error *err)
{
    if (!prose && strlen(text) >= size)
        return error_set(err, ERROR_PROTOCOL, "%s is longer than Lambda's limit", what);
    snprintf(to, size, "%s", text);
    return 0;
}

static int read_fields(const struct json *json, const struct field *fields, size_t count,
                       void *object, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const char *text = json_get_string(json, field->path);
        if (!text && field->needed)
            return json_need_string(json, field->path, &text, err);
        if (text && set_text((char *)object + field->offset, field->size, field->prose, field->path,
                             text, err) < 0)
            return -1;
    }
    return 0;
}

int lambda_parse_configuration(const struct json *json, struct lambda_function *ret_function,
                               struct error *err)
{
    struct lambda_function made = {.configuration = NULL};
    const char *architecture = json_string(json_first(json_get(json, "Architectures")));
    if (read_fields(json, configuration_fields, COUNT(configuration_fields), &made, err) < 0)
        return -1;
    if (architecture && set_text(made.architecture, sizeof made.architecture, false,
                                 "Architectures", architecture, err) < 0)
        return -1;
    made.configuration = json_copy(json);
    *ret_function = made;
    return 0;
}

int lambda_parse_function(const struct json *json, struct lambda_function *ret_function,
                          struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function made = {.configuration = NULL};
    if (lambda_parse_configuration(json_get(json, "Configuration"), &made, err) < 0 ||
        read_fields(json, code_fields, COUNT(code_fields), &made, err) < 0)
        return -1;
    const char *at = strchr(made.resolved_image_uri, '@');
    if (at && set_text(made.digest, sizeof made.digest, false, "the digest in ResolvedImageUri",
                       at + 1, err) < 0)
        return -1;
    const struct json *tags = json_get(json, "Tags");
    made.tags = json_type(tags) == JSON_OBJECT ? json_copy(tags) : NULL;
    *ret_function = made;
    made = (struct lambda_function){.configuration = NULL};
    return 0;
}

const char *lambda_alias_kept_on(const struct lambda_alias *alias)
{
    const struct json *weight = json_first(alias->routing);
    bool is_all = json_length(alias->routing) == 1 &&
                  json_get_number(alias->routing, json_name(weight), 0) >= 1;
    return is_all ? json_name(weight) : NULL;
}

int lambda_parse_alias(const struct json *json, struct lambda_alias *ret_alias, struct error *err)
{
    struct lambda_alias made = {.routed = false};
    const struct json *weights = json_get(json, "RoutingConfig.AdditionalVersionWeights");
    if (read_fields(json, alias_fields, COUNT(alias_fields), &made, err) < 0)
        return -1;
    made.routed = json_type(weights) == JSON_OBJECT && json_length(weights) > 0;
    made.routing = made.routed ? json_copy(weights) : NULL;
    *ret_alias = made;
    return 0;
}
