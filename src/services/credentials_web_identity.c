/*
 * A token in a file (AWS_WEB_IDENTITY_TOKEN_FILE), as Kubernetes service accounts and other CI
 * systems give it, for the role of AWS_ROLE_ARN or, without one, for the role that was asked for.
 * The file is read anew each time: it rotates.
 */
#include "core/cleanup.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"

#define FILE_VARIABLE   "AWS_WEB_IDENTITY_TOKEN_FILE"
#define MAX_TOKEN_BYTES 20000 /* STS takes no longer ones */

static int get_token(const struct credentials_context *context, char **ret_token, struct error *err)
{
    const char *path = environ_get(context->environ, FILE_VARIABLE);
    CLEANUP_SECRET struct strbuf token = STRBUF_INIT(MAX_TOKEN_BYTES);
    if (file_read(path, &token, err) < 0)
        return error_wrap(err, FILE_VARIABLE);
    strbuf_trim(&token);
    if (token.len == 0)
        return error_set(err, ERROR_UNAUTHORIZED, FILE_VARIABLE ": %s is empty", path);
    *ret_token = memory_copy_string(token.buf);
    return 0;
}

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    *ret_applies = environ_get(context->environ, FILE_VARIABLE) != NULL;
    if (!*ret_applies)
        return 0;
    const char *own = environ_get(context->environ, "AWS_ROLE_ARN");
    const char *arn = own ? own : context->role_to_assume;
    if (!arn)
        return error_set(err, ERROR_INPUT,
                         FILE_VARIABLE " is set, but neither AWS_ROLE_ARN nor role-to-assume");
    bool asked_for = text_equal(arn, context->role_to_assume);
    const char *session = environ_get(context->environ, "AWS_ROLE_SESSION_NAME");
    const struct sts_role role = {.arn = arn,
                                  .session_name = session ? session : context->role_session_name,
                                  .duration_s = asked_for ? context->role_duration_s : 0};
    if (credentials_assume_with_token(context, &role, get_token, ret_credentials, err) < 0)
        return -1;
    snprintf(ret_credentials->source, sizeof ret_credentials->source,
             "web identity token file, role %s", arn);
    ret_credentials->role_assumed = asked_for;
    return 0;
}

const struct credentials_provider credentials_web_identity = {.name = "web identity token file",
                                                              .fetch = fetch};
