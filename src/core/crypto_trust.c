#include "core/crypto_trust.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/memory.h"

struct trust {
    pthread_mutex_t lock;
    char *ca_file;     /* owned */
    X509_STORE *store; /* owned; under lock; NULL: not read yet */
};

struct trust *trust_new(const char *ca_file)
{
    struct trust *trust = memory_new(sizeof *trust);
    pthread_mutex_init(&trust->lock, NULL);
    trust->ca_file = memory_copy_string(ca_file);
    trust->store = NULL;
    return trust;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    pthread_mutex_destroy(&trust->lock);
    free(trust->ca_file);
    free(trust);
}

/* As libcurl does: a certificate in the file is trusted even if it is not a root. */
static X509_STORE *read_file(const char *ca_file)
{
    X509_STORE *store = X509_STORE_new();
    if (store && X509_STORE_load_file(store, ca_file) == 1 &&
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

bool trust_apply(struct trust *trust, void *ssl_ctx)
{
    pthread_mutex_lock(&trust->lock);
    if (!trust->store)
        trust->store = read_file(trust->ca_file);
    bool known = trust->store != NULL;
    if (known)
        SSL_CTX_set1_cert_store(ssl_ctx, trust->store);
    pthread_mutex_unlock(&trust->lock);
    return known;
}
