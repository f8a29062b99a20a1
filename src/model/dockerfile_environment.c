/* Variables that are set, not set, or not known. */
#include "model/dockerfile_environment.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

void environment_release(struct environment *environment)
{
    strvec_release(&environment->variables);
}

void environment_copy(const struct environment *from, struct environment *ret_environment)
{
    for (size_t i = 0; i < from->variables.len; i++)
        strvec_push(&ret_environment->variables, from->variables.items[i]);
    ret_environment->open = from->open;
}

static char **find(const struct strvec *variables, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = variables->len; i-- > 0;) {
        char *item = variables->items[i];
        if (strncmp(item, name, len) == 0 && (item[len] == '=' || item[len] == '\0'))
            return &variables->items[i];
    }
    return NULL;
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&text, "%s%s%s", name, value ? "=" : "", value ? value : "");
    char **place = find(&environment->variables, name);
    if (place) {
        free(*place);
        *place = strbuf_detach(&text);
    } else {
        strvec_push_owned(&environment->variables, strbuf_detach(&text));
    }
}

void environment_forget(struct environment *environment)
{
    strvec_release(&environment->variables);
    environment->variables = (struct strvec)STRVEC_INIT;
    environment->open = true;
}

static enum dockerfile_variable value_of(char **place, const char *name, const char **ret_value)
{
    const char *value = *place + strlen(name);
    if (*value != '=')
        return DOCKERFILE_UNKNOWN;
    *ret_value = value + 1;
    return DOCKERFILE_SET;
}

enum dockerfile_variable environment_get(const struct environment *environment, const char *name,
                                         const char **ret_value)
{
    char **place = find(&environment->variables, name);
    if (!place)
        return environment->open ? DOCKERFILE_UNKNOWN : DOCKERFILE_UNSET;
    return value_of(place, name, ret_value);
}

enum dockerfile_variable environment_lookup(void *context, const char *name, const char **ret_value)
{
    return environment_get(context, name, ret_value);
}

enum dockerfile_variable environment_given(const struct strvec *build_args, const char *name,
                                           const char **ret_value)
{
    char **place = build_args ? find(build_args, name) : NULL;
    return place ? value_of(place, name, ret_value) : DOCKERFILE_UNSET;
}

static void set_default(struct environment *environment, const struct strvec *build_args,
                        const char *name, const char *value)
{
    const char *given;
    switch (environment_given(build_args, name, &given)) {
    case DOCKERFILE_SET:
        value = given;
        break;
    case DOCKERFILE_UNKNOWN:
        value = NULL;
        break;
    case DOCKERFILE_UNSET:
        break;
    }
    environment_set(environment, name, value);
}

void environment_add_platform(struct environment *environment, const char *platform,
                              const struct strvec *build_args)
{
    static const char *const unknown[] = {
        "BUILDPLATFORM", "BUILDOS",     "BUILDOSVERSION",  "BUILDARCH",
        "BUILDVARIANT",  "TARGETSTAGE", "TARGETOSVERSION", NULL};
    static const char *const names[] = {"TARGETOS", "TARGETARCH", "TARGETVARIANT"};
    for (size_t i = 0; unknown[i]; i++)
        set_default(environment, build_args, unknown[i], NULL);
    set_default(environment, build_args, "TARGETPLATFORM", platform);
    const char *at = platform;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = at ? strcspn(at, "/") : 0;
        char *part = at ? memory_copy_bytes(at, len) : NULL;
        set_default(environment, build_args, names[i], part);
        free(part);
        if (at)
            at += len + (at[len] == '/' ? 1 : 0);
    }
}
