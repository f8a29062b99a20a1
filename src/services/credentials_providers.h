/*
 * credentials_providers.h: the rows of the table of credential providers, and what they share. For
 * the credentials_*.c files only; everybody else asks a chain (credentials.h).
 */
#ifndef SERVICES_CREDENTIALS_PROVIDERS_H
#define SERVICES_CREDENTIALS_PROVIDERS_H

#include "services/credentials.h"
#include "services/sts.h"

extern const struct credentials_provider credentials_static;
extern const struct credentials_provider credentials_oidc;
extern const struct credentials_provider credentials_environment;
extern const struct credentials_provider credentials_web_identity;
extern const struct credentials_provider credentials_container;

/* `keys` exchanged for those of context->role_to_assume, by AssumeRole. */
int credentials_assume_role(const struct credentials_context *context,
                            const struct credentials *keys, struct credentials *ret_credentials,
                            struct error *err);

/*
 * `role` with the web identity token that `get_token` fetches (heap, secret, freed here), by
 * AssumeRoleWithWebIdentity. AWS has to fetch the issuer's keys for that; when it could not, it is
 * asked again, with a new token, up to CREDENTIALS_TOKEN_ROUNDS times. A refusal by the role's
 * trust policy names the token's claims, never the token.
 */
#define CREDENTIALS_TOKEN_ROUNDS 4
typedef int credentials_token_getter(const struct credentials_context *context, char **ret_token,
                                     struct error *err);
int credentials_assume_with_token(const struct credentials_context *context,
                                  const struct sts_role *role, credentials_token_getter *get_token,
                                  struct credentials *ret_credentials, struct error *err);

#endif
