/* Keys in the standard variables of the environment. */
#include "core/environ.h"
#include "core/memory.h"
#include "services/credentials_providers.h"

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    const char *id = environ_get(context->environ, "AWS_ACCESS_KEY_ID");
    const char *secret = environ_get(context->environ, "AWS_SECRET_ACCESS_KEY");
    *ret_applies = id || secret;
    if (!*ret_applies)
        return 0;
    if (!id || !secret)
        return error_set(err, ERROR_INPUT, "%s is set, but not %s",
                         id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                         id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    *ret_credentials = (struct credentials){
        .access_key_id = memory_copy_string(id),
        .secret_access_key = memory_copy_string(secret),
        .session_token = memory_copy_string(environ_get(context->environ, "AWS_SESSION_TOKEN")),
        .source = "environment",
    };
    return 0;
}

const struct credentials_provider credentials_environment = {.name = "environment", .fetch = fetch};
