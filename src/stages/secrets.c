#include "stages/secrets.h"

#include <string.h>

#include "core/cleanup.h"

static void add_environment(struct redact *redact, const struct json *configuration)
{
    JSON_EACH (variable, json_get(configuration, "Environment.Variables"))
        redact_add(redact, json_string(variable));
}

/* What stands behind the first `separator` of each line. */
static void add_pairs(struct redact *redact, const struct strvec *pairs, char separator)
{
    for (size_t i = 0; i < pairs->len; i++) {
        const char *value = strchr(pairs->items[i], separator);
        redact_add(redact, value ? value + 1 : NULL);
    }
}

/* "Authorization: Bearer abc": the whole value, and what stands behind the scheme. */
static void add_header_values(struct redact *redact, const struct strvec *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        const char *value = strchr(headers->items[i], ':');
        if (!value)
            continue;
        value += 1 + strspn(value + 1, " \t");
        redact_add(redact, value);
        const char *space = strchr(value, ' ');
        redact_add(redact, space ? space + 1 : NULL);
    }
}

static void add_configuration_input(struct redact *redact, const char *text)
{
    struct error ignored = ERROR_INIT; /* the inputs' check has read it already */
    struct json *json = NULL;
    if (text && json_parse(text, strlen(text), &json, &ignored) == 0)
        add_environment(redact, json);
    json_free(json);
}

void secrets_collect(const struct run *run, struct redact *redact)
{
    const struct inputs *inputs = run->inputs;
    add_environment(redact, run->snapshot.configuration);
    add_environment(redact, run->before.configuration);
    add_environment(redact, run->left.configuration);
    add_environment(redact, run->alias_configuration);
    add_pairs(redact, &inputs->environment, '=');
    add_pairs(redact, &inputs->secrets, '=');
    add_header_values(redact, &inputs->health_headers);
    add_configuration_input(redact, inputs->function_configuration);
    redact_add(redact, inputs->aws_secret_access_key);
    redact_add(redact, inputs->aws_session_token);
}

void secrets_hide(const struct run *run, struct error *err)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    if (!run->inputs)
        return;
    secrets_collect(run, &redact);
    redact_in_place(&redact, err->msg, sizeof err->msg);
}

void secrets_mask(const struct github *github, const struct inputs *inputs)
{
    github_mask(github, inputs->aws_secret_access_key);
    github_mask(github, inputs->aws_session_token);
    for (size_t i = 0; i < inputs->secrets.len; i++) {
        const char *value = strchr(inputs->secrets.items[i], '=');
        github_mask(github, value ? value + 1 : NULL);
    }
    for (size_t i = 0; i < inputs->health_headers.len; i++) {
        const char *value = strchr(inputs->health_headers.items[i], ':');
        github_mask(github, value ? value + 1 + strspn(value + 1, " \t") : NULL);
    }
}
