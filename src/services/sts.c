#include "services/sts.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/memory.h"
#include "services/aws_operations.h"
#include "services/xml.h"

#define MAX_FIELD                                                                                  \
    16384 /* of one element of an answer; session tokens have no documented length                 \
           */

/* The text of an element that must be there and not be empty. */
static int need_text(const struct aws_answer *answer, const char *element, struct strbuf *out,
                     struct error *err)
{
    const struct strbuf *body = &answer->http.body;
    if (!xml_add_text(body->buf, body->len, element, out) || out->len == 0)
        return error_set(err, ERROR_PROTOCOL, "the answer has no %s", element);
    if (out->overflowed)
        return error_set(err, ERROR_TOO_LARGE, "the answer's %s is too long", element);
    return 0;
}

int sts_get_caller_identity(struct aws *aws, struct sts_identity *ret_identity, struct error *err)
{
    const struct aws_call call = {.operation = &sts_op_get_caller_identity};
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct sts_identity identity;
    CLEANUP(strbuf) struct strbuf account = STRBUF_INIT(sizeof identity.account - 1);
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    if (need_text(&answer, "Account", &account, err) < 0)
        return error_wrap(err, "sts GetCallerIdentity");
    snprintf(identity.account, sizeof identity.account, "%s", account.buf);
    *ret_identity = identity;
    return 0;
}

static void add_parameter(struct strbuf *form, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    http_add_encoded(form, value, false);
}

static int read_keys(const struct aws_answer *answer, struct credentials *ret_credentials,
                     struct error *err)
{
    CLEANUP(strbuf) struct strbuf id = STRBUF_INIT(MAX_FIELD);
    CLEANUP_SECRET struct strbuf secret = STRBUF_INIT(MAX_FIELD);
    CLEANUP_SECRET struct strbuf token = STRBUF_INIT(MAX_FIELD);
    CLEANUP(strbuf) struct strbuf expiration = STRBUF_INIT(64);
    int64_t expires_at;
    if (need_text(answer, "AccessKeyId", &id, err) < 0 ||
        need_text(answer, "SecretAccessKey", &secret, err) < 0 ||
        need_text(answer, "SessionToken", &token, err) < 0 ||
        need_text(answer, "Expiration", &expiration, err) < 0)
        return -1;
    if (!clock_parse_iso(expiration.buf, &expires_at))
        return error_set(err, ERROR_PROTOCOL, "the answer's Expiration is not a time: %s",
                         expiration.buf);
    *ret_credentials = (struct credentials){.access_key_id = strbuf_detach(&id),
                                            .secret_access_key = strbuf_detach(&secret),
                                            .session_token = strbuf_detach(&token),
                                            .expires_at = expires_at};
    return 0;
}

static int assume(struct aws *aws, const struct aws_operation *operation,
                  const struct sts_role *role, struct credentials *ret_credentials,
                  struct error *err)
{
    CLEANUP_SECRET struct strbuf form = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)role->duration_s);
    add_parameter(&form, "RoleArn", role->arn);
    add_parameter(&form, "RoleSessionName",
                  role->session_name ? role->session_name : "lambda-fastdeploy");
    add_parameter(&form, "DurationSeconds", role->duration_s > 0 ? seconds : NULL);
    add_parameter(&form, "ExternalId", role->external_id);
    add_parameter(&form, "WebIdentityToken", role->web_identity_token);
    const struct aws_call call = {.operation = operation, .form = form.buf};
    if (aws_call(aws, &call, &answer, err) < 0)
        return -1;
    if (read_keys(&answer, ret_credentials, err) < 0)
        return error_wrap(err, "sts %s", operation->name);
    return 0;
}

int sts_assume_role(struct aws *aws, const struct sts_role *role,
                    struct credentials *ret_credentials, struct error *err)
{
    struct sts_role without_token = *role;
    without_token.web_identity_token = NULL;
    return assume(aws, &sts_op_assume_role, &without_token, ret_credentials, err);
}

int sts_assume_role_with_web_identity(struct aws *aws, const struct sts_role *role,
                                      struct credentials *ret_credentials, struct error *err)
{
    struct sts_role without_id = *role;
    without_id.external_id = NULL;
    return assume(aws, &sts_op_assume_role_with_web_identity, &without_id, ret_credentials, err);
}
