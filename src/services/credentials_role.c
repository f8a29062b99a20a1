/* Roles: keys that were found, or a web identity's token, exchanged for a role's keys. */
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "core/retry.h"
#include "services/credentials_providers.h"
#include "services/oidc.h"

#define CLAIMS_MAX 480 /* bytes in a message, which has AWS's own words to hold as well */

void credentials_note_account(struct credentials *credentials, const char *role_arn)
{
    for (int colons = 0; colons < 4; colons++) {
        role_arn = strchr(role_arn, ':');
        if (!role_arn)
            return;
        role_arn++;
    }
    size_t len = strcspn(role_arn, ":");
    if (len < sizeof credentials->account && role_arn[len] == ':')
        snprintf(credentials->account, sizeof credentials->account, "%.*s", (int)len, role_arn);
}

int credentials_assume_role(const struct credentials_context *context,
                            const struct credentials *keys, struct credentials *ret_credentials,
                            struct error *err)
{
    static const struct credentials_provider *const given[] = {&credentials_static, NULL};
    const struct credentials_context inner = {.http = context->http,
                                              .environ = context->environ,
                                              .access_key_id = keys->access_key_id,
                                              .secret_access_key = keys->secret_access_key,
                                              .session_token = keys->session_token};
    const struct sts_role role = {.arn = context->role_to_assume,
                                  .session_name = context->role_session_name,
                                  .external_id = context->role_external_id,
                                  .duration_s = context->role_duration_s};
    CLEANUP(credentials_chain) struct credentials_chain chain = {.providers = NULL};
    CLEANUP(aws) struct aws aws = {.region = ""};
    CLEANUP(credentials) struct credentials assumed = CREDENTIALS_INIT;
    credentials_chain_init(&chain, &inner);
    chain.providers = given;
    if (aws_init(&aws, context->http, &chain, context->environ, context->region, err) < 0 ||
        sts_assume_role(&aws, &role, &assumed, err) < 0)
        return error_wrap(err, "assuming %s with the keys by %s", role.arn, keys->source);
    snprintf(assumed.source, sizeof assumed.source, "%s, role %s", keys->source, role.arn);
    assumed.role_assumed = true;
    credentials_note_account(&assumed, role.arn);
    *ret_credentials = assumed;
    assumed = (struct credentials)CREDENTIALS_INIT;
    return 0;
}

/* AWS could not reach the issuer of the token, or its keys. */
static bool issuer_is_slow_for_aws(const struct error *err)
{
    return err->kind == ERROR_SERVER && (strcmp(err->name, "IDPCommunicationError") == 0 ||
                                         strcmp(err->name, "InvalidIdentityToken") == 0);
}

/* The issuer did not give us a token, for now. */
static bool issuer_is_slow_for_us(const struct error *err)
{
    return err->kind == ERROR_SERVER || err->kind == ERROR_THROTTLED || err->kind == ERROR_NETWORK;
}

/* What the trust policy saw, so that whoever wrote it can compare. */
static void explain_refusal(const char *token, struct error *err)
{
    CLEANUP(strbuf) struct strbuf claims = STRBUF_INIT(CLAIMS_MAX);
    oidc_add_claims(&claims, token);
    if (claims.len > 0 && err->kind == ERROR_DENIED)
        error_wrap(err, "the role's trust policy does not accept a token with %s", claims.buf);
    if (claims.len > 0 && err->kind == ERROR_UNAUTHORIZED)
        error_wrap(err, "a token with %s was refused", claims.buf);
}

/* `ret_again`: after a failure, whether a new token, a moment later, may do. */
static int assume_once(struct aws *aws, const struct credentials_context *context,
                       const struct sts_role *role, credentials_token_getter *get_token,
                       struct credentials *ret_credentials, bool *ret_again, struct error *err)
{
    char *token = NULL;
    if (get_token(context, &token, err) < 0) {
        *ret_again = issuer_is_slow_for_us(err);
        return -1;
    }
    credentials_tell_secret(context, token);
    struct sts_role with_token = *role;
    with_token.web_identity_token = token;
    int result = sts_assume_role_with_web_identity(aws, &with_token, ret_credentials, err);
    *ret_again = result < 0 && issuer_is_slow_for_aws(err);
    if (result < 0)
        explain_refusal(token, err);
    memory_free_secret(token);
    return result;
}

int credentials_assume_with_token(const struct credentials_context *context,
                                  const struct sts_role *role, credentials_token_getter *get_token,
                                  struct credentials *ret_credentials, struct error *err)
{
    static const struct retry_policy patient = {.max_attempts = CREDENTIALS_TOKEN_ROUNDS,
                                                .max_throttled = CREDENTIALS_TOKEN_ROUNDS,
                                                .max_delay_ms = 20000,
                                                .transient_base_ms = 400,
                                                .throttled_base_ms = 1000};
    CLEANUP(aws) struct aws aws = {.region = ""};
    struct retry retry = RETRY_INIT(&patient, NULL);
    if (aws_init(&aws, context->http, NULL, context->environ, context->region, err) < 0)
        return error_wrap(err, "assuming %s", role->arn);
    for (;;) {
        struct error local = ERROR_INIT;
        int64_t delay_ms;
        bool again = false;
        if (assume_once(&aws, context, role, get_token, ret_credentials, &again, &local) == 0) {
            credentials_note_account(ret_credentials, role->arn);
            return 0;
        }
        enum retry_class class = again ? RETRY_TRANSIENT : RETRY_NEVER;
        if (!retry_again(&retry, class, -1, crypto_random_unit(), &delay_ms)) {
            if (err)
                *err = local;
            return error_wrap(err, "assuming %s", role->arn);
        }
        if (!clock_sleep_ms(delay_ms))
            return error_set(err, ERROR_CANCELLED, "cancelled while assuming %s", role->arn);
    }
}
