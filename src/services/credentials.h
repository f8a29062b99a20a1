/*
 * credentials.h: AWS keys from the first provider that applies. A table of providers, tried in
 * order, a file each.
 *
 * Thread-safe. Keys are secrets: wiped when they are replaced or released. They are renewed when
 * less than CREDENTIALS_MARGIN_S are left, or less than half of their life if that is shorter; if
 * that fails while they are still good, they are used on, and renewed again after
 * CREDENTIALS_PAUSE_S: each failure may take its time, and every call would wait for it. Keys that
 * were found are exchanged for role_to_assume's, unless the provider did that itself: a role that
 * was asked for is never left out. Sources:
 * docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html; the order is that of the
 * project's own contract (inputs beat the job's identity, which beats the environment).
 */
#ifndef SERVICES_CREDENTIALS_H
#define SERVICES_CREDENTIALS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

#define CREDENTIALS_MARGIN_S 300
#define CREDENTIALS_PAUSE_S  30

struct credentials {
    char *access_key_id;     /* owned */
    char *secret_access_key; /* owned, secret */
    char *session_token;     /* owned, secret; NULL: long-lived keys */
    int64_t expires_at;      /* wall seconds; 0: never */
    char account[16];        /* of the role that they are of; "": not known without asking */
    char source[96];   /* for the log: "static inputs", "environment", "GitHub OIDC, role …" */
    bool role_assumed; /* they are role_to_assume's already: nothing is left to chain */
};

#define CREDENTIALS_INIT                                                                           \
    {                                                                                              \
        .access_key_id = NULL                                                                      \
    }
void credentials_release(struct credentials *credentials);
/* `to` must be initialised; it is released first. */
void credentials_copy(struct credentials *to, const struct credentials *from);

/* What providers may look at. All borrowed, and alive as long as the chain. */
struct credentials_context {
    struct http *http;
    const char *const *environ;
    const char *region;         /* NULL: none known */
    const char *role_to_assume; /* inputs; NULL: none */
    const char *role_session_name, *role_external_id, *audience;
    int64_t role_duration_s;
    const char *access_key_id, *secret_access_key, *session_token; /* inputs */
    const char *oidc_request_url, *oidc_request_token;
    /* Told of every secret as soon as it is there, renewed ones too, before it is used: keys,
     * session tokens, identity tokens. From whatever thread asked for keys. NULL: nobody. */
    void (*on_secret)(void *listener, const char *secret);
    void *secret_listener;
};

struct credentials_provider {
    const char *name;
    /* 0 and *ret_applies false: not this one. -1: it applies and failed; no other is tried. */
    int (*fetch)(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err);
};
extern const struct credentials_provider
    *const credentials_providers[]; /* NULL-terminated, in order */

struct credentials_chain {
    struct credentials_context context;
    const struct credentials_provider *const *providers; /* borrowed; NULL-terminated */
    pthread_mutex_t lock;
    struct credentials current; /* under lock */
    bool fetched;               /* under lock */
    int64_t renew_at;           /* under lock; wall seconds; 0: never */
};

void credentials_chain_init(struct credentials_chain *chain,
                            const struct credentials_context *context);
void credentials_chain_release(struct credentials_chain *chain);

/* A copy that is good now (fetched or renewed if need be), over whatever `ret_credentials` held.
 * ERROR_UNAUTHORIZED with the remedy when no provider applies. */
int credentials_chain_get(struct credentials_chain *chain, struct credentials *ret_credentials,
                          struct error *err);
/* The keys were refused as expired: forget them, so that the next get fetches. */
void credentials_chain_forget(struct credentials_chain *chain);

#endif
