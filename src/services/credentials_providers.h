/*
 * credentials_providers.h: the rows of the table of credential providers, and what they share. For
 * the credentials_*.c files only; everybody else asks a chain (credentials.h).
 */
#ifndef SERVICES_CREDENTIALS_PROVIDERS_H
#define SERVICES_CREDENTIALS_PROVIDERS_H

#include "services/credentials.h"

extern const struct credentials_provider credentials_static;
extern const struct credentials_provider credentials_environment;

/* `keys` exchanged for those of context->role_to_assume, by AssumeRole. */
int credentials_assume_role(const struct credentials_context *context,
                            const struct credentials *keys, struct credentials *ret_credentials,
                            struct error *err);

#endif
