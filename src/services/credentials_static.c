/* Keys that were given as inputs. */
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    bool has_id = !text_is_empty(context->access_key_id);
    bool has_secret = !text_is_empty(context->secret_access_key);
    *ret_applies = has_id || has_secret;
    if (!*ret_applies)
        return 0;
    if (!has_id || !has_secret)
        return error_set(err, ERROR_INPUT, "%s is given without %s",
                         has_id ? "aws-access-key-id" : "aws-secret-access-key",
                         has_id ? "aws-secret-access-key" : "aws-access-key-id");
    *ret_credentials = (struct credentials){
        .access_key_id = memory_copy_string(context->access_key_id),
        .secret_access_key = memory_copy_string(context->secret_access_key),
        .session_token = text_is_empty(context->session_token)
                             ? NULL
                             : memory_copy_string(context->session_token),
        .source = "static inputs",
    };
    return 0;
}

const struct credentials_provider credentials_static = {.name = "static inputs", .fetch = fetch};
