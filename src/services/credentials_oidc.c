/* GitHub's identity token for the role that was asked for. */
#include "core/text.h"
#include "services/credentials_providers.h"
#include "services/oidc.h"

static int get_token(const struct credentials_context *context, char **ret_token, struct error *err)
{
    const struct oidc_request request = {.url = context->oidc_request_url,
                                         .token = context->oidc_request_token,
                                         .audience = context->audience};
    return oidc_get_token(context->http, &request, ret_token, err);
}

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    *ret_applies = context->role_to_assume && !text_is_empty(context->oidc_request_url) &&
                   !text_is_empty(context->oidc_request_token);
    if (!*ret_applies)
        return 0;
    const struct sts_role role = {.arn = context->role_to_assume,
                                  .session_name = context->role_session_name,
                                  .duration_s = context->role_duration_s};
    if (credentials_assume_with_token(context, &role, get_token, ret_credentials, err) < 0)
        return -1;
    snprintf(ret_credentials->source, sizeof ret_credentials->source, "GitHub OIDC, role %s",
             role.arn);
    ret_credentials->role_assumed = true;
    return 0;
}

const struct credentials_provider credentials_oidc = {.name = "GitHub OIDC", .fetch = fetch};
