/*
 * dockerfile_environment.h: the variables that an instruction sees, as far as they can be known
 * before the build. Pure. Not for others: model/dockerfile.h is.
 *
 * A list of NAME=VALUE, or NAME alone where the value is not known; each name once. `open`: other
 * names may be set, too (by an upstream image's ENV), so they are not known either.
 */
#ifndef MODEL_DOCKERFILE_ENVIRONMENT_H
#define MODEL_DOCKERFILE_ENVIRONMENT_H

#include "model/dockerfile_words.h"

struct environment {
    struct strvec variables;
    bool open;
};

#define ENVIRONMENT_INIT                                                                           \
    {                                                                                              \
        .variables = STRVEC_INIT, .open = false                                                    \
    }

void environment_release(struct environment *environment);
void environment_copy(const struct environment *from, struct environment *ret_environment);
/* NULL value: not known. */
void environment_set(struct environment *environment, const char *name, const char *value);
/* Nothing is known any more. */
void environment_forget(struct environment *environment);
enum dockerfile_variable environment_get(const struct environment *environment, const char *name,
                                         const char **ret_value);
/* environment_get as a dockerfile_lookup; the context is a const struct environment *. */
enum dockerfile_variable environment_lookup(void *context, const char *name,
                                            const char **ret_value);

/* A build argument among KEY=VALUE lines; the last one wins. A KEY alone is not known. */
enum dockerfile_variable environment_given(const struct strvec *build_args, const char *name,
                                           const char **ret_value);

/* What BuildKit sets for FROM: TARGETPLATFORM, TARGETARCH, …; the build platform is not known. */
void environment_add_platform(struct environment *environment, const char *platform,
                              const struct strvec *build_args);

#endif
