#include "stages/secrets.h"

#include <string.h>
#include <strings.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "core/text.h"

#define SECRET_BY_LENGTH_BYTES                                                                     \
    16 /* a header's value; "true" or "gzip" as a mask would hide half of what a job says */

/* A header whose name holds one of these is a secret; another one only if it is long, and its name
 * begins with none of those. */
static const char *const secret_words[] = {"auth",   "cookie",   "token",   "key",
                                           "secret", "password", "session", "signature"};
static const char *const public_names[] = {"Accept", "Content-Type", "User-Agent"};

static void hide_known(void *context, const char *text, size_t len, struct strbuf *out)
{
    struct known_secrets *known = context;
    pthread_mutex_lock(&known->lock);
    redact_line(&known->redact, text, len, out);
    pthread_mutex_unlock(&known->lock);
}

void secrets_init(struct run *run)
{
    run->known_secrets = (struct known_secrets){.redact = REDACT_INIT};
    pthread_mutex_init(&run->known_secrets.lock, NULL);
    log_hide(hide_known, &run->known_secrets);
}

void secrets_release(struct run *run)
{
    log_hide(NULL, NULL);
    redact_release(&run->known_secrets.redact);
    pthread_mutex_destroy(&run->known_secrets.lock);
}

void secrets_tell(struct run *run, const char *secret)
{
    struct known_secrets *known = &run->known_secrets;
    pthread_mutex_lock(&known->lock);
    redact_add(&known->redact, secret);
    pthread_mutex_unlock(&known->lock);
    github_mask(&run->services.github, secret);
}

static void add_known(struct run *run, struct redact *redact)
{
    struct known_secrets *known = &run->known_secrets;
    pthread_mutex_lock(&known->lock);
    redact_add_all(redact, &known->redact);
    pthread_mutex_unlock(&known->lock);
}

static void add_environment(struct redact *redact, const struct json *configuration)
{
    JSON_EACH (variable, json_get(configuration, "Environment.Variables"))
        redact_add(redact, json_string(variable));
}

/* What stands behind the first '=' of each line. */
static void add_pairs(struct redact *redact, const struct strvec *pairs)
{
    for (size_t i = 0; i < pairs->len; i++) {
        const char *value = strchr(pairs->items[i], '=');
        redact_add(redact, value ? value + 1 : NULL);
    }
}

static bool has_secret_name(const char *header, size_t name_len)
{
    for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++) {
        size_t len = strlen(secret_words[i]);
        for (size_t at = 0; at + len <= name_len; at++)
            if (strncasecmp(header + at, secret_words[i], len) == 0)
                return true;
    }
    return false;
}

static bool has_public_name(const char *header)
{
    for (size_t i = 0; i < sizeof public_names / sizeof *public_names; i++)
        if (strncasecmp(header, public_names[i], strlen(public_names[i])) == 0)
            return true;
    return false;
}

/* The value of a header line, if that is a secret; else NULL. */
static const char *header_secret(const char *header)
{
    const char *colon = strchr(header, ':');
    if (!colon)
        return NULL;
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (has_secret_name(header, (size_t)(colon - header)))
        return value;
    return !has_public_name(header) && strlen(value) >= SECRET_BY_LENGTH_BYTES ? value : NULL;
}

/* "Authorization: Bearer abc": the whole value, and what stands behind the scheme. */
static void add_header_values(struct redact *redact, const struct strvec *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        const char *value = header_secret(headers->items[i]);
        const char *space = value ? strchr(value, ' ') : NULL;
        redact_add(redact, value);
        redact_add(redact, space ? space + 1 : NULL);
    }
}

static void add_configuration_input(struct redact *redact, const char *text)
{
    struct error ignored = ERROR_INIT; /* the inputs' check has read it already */
    struct json *json = NULL;
    if (text && json_parse(text, strlen(text), &json, &ignored) == 0)
        add_environment(redact, json);
    json_free(json);
}

void secrets_collect(struct run *run, struct redact *redact)
{
    const struct inputs *inputs = run->inputs;
    add_environment(redact, run->snapshot.configuration);
    add_environment(redact, run->before.configuration);
    add_environment(redact, run->left.configuration);
    add_environment(redact, run->alias_configuration);
    add_pairs(redact, &inputs->environment);
    add_header_values(redact, &inputs->health_headers);
    add_configuration_input(redact, inputs->function_configuration);
    add_known(run, redact);
}

void secrets_hide(struct run *run, struct error *err)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    if (!run->inputs)
        return;
    secrets_collect(run, &redact);
    redact_in_place(&redact, err->msg, sizeof err->msg);
}

void secrets_hide_evidence(struct run *run)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    struct strbuf *evidence = &run->result.evidence;
    if (!run->inputs || evidence->len == 0)
        return;
    secrets_collect(run, &redact);
    redact_text(&redact, evidence->buf, evidence->len, &shown);
    strbuf_reset(evidence);
    strbuf_addsb(evidence, &shown);
}

/* Behind the scheme of "Authorization: Bearer abc" stands what alone is a secret, too. */
static void tell_header(struct run *run, const char *header)
{
    const char *value = header_secret(header);
    if (!value)
        return;
    const char *space = strchr(value, ' ');
    bool has_scheme = strncasecmp(header, "Authorization:", strlen("Authorization:")) == 0 && space;
    secrets_tell(run, value);
    if (has_scheme)
        secrets_tell(run, space + 1 + strspn(space + 1, " "));
}

void secrets_tell_inputs(struct run *run, const struct inputs *inputs)
{
    secrets_tell(run, inputs->aws_secret_access_key);
    secrets_tell(run, inputs->aws_session_token);
    for (size_t i = 0; i < inputs->secrets.len; i++) {
        const char *value = strchr(inputs->secrets.items[i], '=');
        secrets_tell(run, value ? value + 1 : NULL);
    }
    for (size_t i = 0; i < inputs->health_headers.len; i++)
        tell_header(run, inputs->health_headers.items[i]);
}
