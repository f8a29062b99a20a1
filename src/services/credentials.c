#include "services/credentials.h"

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"

const struct credentials_provider *const credentials_providers[] = {
    &credentials_static,
    &credentials_oidc,
    &credentials_environment,
    &credentials_web_identity,
    &credentials_container,
    &credentials_instance,
    NULL,
};

void credentials_release(struct credentials *credentials)
{
    if (!credentials)
        return;
    free(credentials->access_key_id);
    memory_free_secret(credentials->secret_access_key);
    memory_free_secret(credentials->session_token);
    *credentials = (struct credentials)CREDENTIALS_INIT;
}

static struct credentials copied(const struct credentials *from)
{
    struct credentials copy = *from;
    copy.access_key_id = memory_copy_string(from->access_key_id);
    copy.secret_access_key = memory_copy_string(from->secret_access_key);
    copy.session_token = memory_copy_string(from->session_token);
    return copy;
}

void credentials_copy(struct credentials *to, const struct credentials *from)
{
    credentials_release(to);
    *to = copied(from);
}

void credentials_chain_init(struct credentials_chain *chain,
                            const struct credentials_context *context)
{
    *chain = (struct credentials_chain){.context = *context, .providers = credentials_providers};
    pthread_mutex_init(&chain->lock, NULL);
}

void credentials_chain_release(struct credentials_chain *chain)
{
    if (!chain || !chain->providers)
        return;
    credentials_release(&chain->current);
    pthread_mutex_destroy(&chain->lock);
    chain->providers = NULL;
}

void credentials_tell_secret(const struct credentials_context *context, const char *secret)
{
    if (context->on_secret && !text_is_empty(secret))
        context->on_secret(context->secret_listener, secret);
}

static void tell_keys(const struct credentials_context *context, const struct credentials *keys)
{
    credentials_tell_secret(context, keys->secret_access_key);
    credentials_tell_secret(context, keys->session_token);
}

static int nobody_applies(const struct credentials_context *context, struct error *err)
{
    if (context->role_to_assume)
        return error_set(
            err, ERROR_UNAUTHORIZED,
            "there is nothing to assume %s with: this job has no OIDC token (a GitHub "
            "job gets one by `permissions: id-token: write`) and no AWS keys were found",
            context->role_to_assume);
    return error_set(err, ERROR_UNAUTHORIZED,
                     "no AWS credentials were found: give role-to-assume in a job with "
                     "`permissions: id-token: write`, or aws-access-key-id and "
                     "aws-secret-access-key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                     "(on an EC2 instance: give it a role, and its metadata service a hop limit of "
                     "2 for containers)");
}

static int fetch(const struct credentials_chain *chain, struct credentials *ret_credentials,
                 struct error *err)
{
    CLEANUP(credentials) struct credentials found = CREDENTIALS_INIT;
    bool applies = false;
    for (size_t i = 0; chain->providers[i] && !applies; i++)
        if (chain->providers[i]->fetch(&chain->context, &found, &applies, err) < 0)
            return error_wrap(err, "credentials by %s", chain->providers[i]->name);
    if (!applies)
        return nobody_applies(&chain->context, err);
    tell_keys(&chain->context, &found);
    if (!chain->context.role_to_assume || found.role_assumed) {
        *ret_credentials = found;
        found = (struct credentials)CREDENTIALS_INIT;
        return 0;
    }
    if (credentials_assume_role(&chain->context, &found, ret_credentials, err) < 0)
        return -1;
    tell_keys(&chain->context, ret_credentials);
    return 0;
}

static int64_t renewal_of(const struct credentials *credentials, int64_t now)
{
    if (credentials->expires_at == 0)
        return 0;
    int64_t life_s = credentials->expires_at - now;
    int64_t margin_s =
        life_s > 0 && life_s / 2 < CREDENTIALS_MARGIN_S ? life_s / 2 : CREDENTIALS_MARGIN_S;
    return credentials->expires_at - margin_s;
}

static int make_current(struct credentials_chain *chain, struct error *err)
{
    int64_t now = clock_wall_seconds();
    if (chain->fetched && (chain->renew_at == 0 || now < chain->renew_at))
        return 0;
    CLEANUP(credentials) struct credentials fresh = CREDENTIALS_INIT;
    if (fetch(chain, &fresh, err) < 0) {
        if (!chain->fetched || chain->current.expires_at <= now)
            return -1;
        error_reset(err); /* the old ones are still good */
        int64_t later = clock_wall_seconds() + CREDENTIALS_PAUSE_S;
        chain->renew_at = later < chain->current.expires_at ? later : chain->current.expires_at;
        return 0;
    }
    credentials_copy(&chain->current, &fresh);
    chain->renew_at = renewal_of(&fresh, now);
    chain->fetched = true;
    return 0;
}

int credentials_chain_get(struct credentials_chain *chain, struct credentials *ret_credentials,
                          struct error *err)
{
    pthread_mutex_lock(&chain->lock);
    int result = make_current(chain, err);
    if (result == 0)
        *ret_credentials = copied(&chain->current);
    pthread_mutex_unlock(&chain->lock);
    return result;
}

void credentials_chain_forget(struct credentials_chain *chain)
{
    pthread_mutex_lock(&chain->lock);
    credentials_release(&chain->current);
    chain->fetched = false;
    pthread_mutex_unlock(&chain->lock);
}
