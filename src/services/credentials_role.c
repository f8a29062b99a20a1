/* The last link: keys that were found, exchanged for those of the role that was asked for. */
#include "core/cleanup.h"
#include "services/credentials_providers.h"
#include "services/sts.h"

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
    *ret_credentials = assumed;
    assumed = (struct credentials)CREDENTIALS_INIT;
    return 0;
}
