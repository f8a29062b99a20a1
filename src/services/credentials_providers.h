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
extern const struct credentials_provider credentials_instance;

/* To context->on_secret, if somebody listens. NULL and "" are no secrets. */
void credentials_tell_secret(const struct credentials_context *context, const char *secret);

/* Keys as ECS, EKS and EC2 answer them: AccessKeyId, SecretAccessKey, Token, Expiration; `source`
 * is left "". ERROR_UNAUTHORIZED: a Code other than Success. */
int credentials_read_json(const struct strbuf *body, struct credentials *ret_credentials,
                          struct error *err);

/* "arn:aws:iam::123456789012:role/deploy" → the account; nothing if it is no role's ARN. */
void credentials_note_account(struct credentials *credentials, const char *role_arn);

/* `keys` exchanged for those of context->role_to_assume, by AssumeRole. */
int credentials_assume_role(const struct credentials_context *context,
                            const struct credentials *keys, struct credentials *ret_credentials,
                            struct error *err);

/*
 * `role` with the web identity token that `get_token` fetches (heap, secret, freed here), by
 * AssumeRoleWithWebIdentity. AWS has to fetch the issuer's keys for that; when it could not, or the
 * issuer gave no token for now, that is tried again, with a new token, up to
 * CREDENTIALS_TOKEN_ROUNDS times. A refusal by the role's trust policy names the token's claims,
 * never the token.
 */
#define CREDENTIALS_TOKEN_ROUNDS 4
typedef int credentials_token_getter(const struct credentials_context *context, char **ret_token,
                                     struct error *err);
int credentials_assume_with_token(const struct credentials_context *context,
                                  const struct sts_role *role, credentials_token_getter *get_token,
                                  struct credentials *ret_credentials, struct error *err);

#endif
