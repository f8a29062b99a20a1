#include "core/crypto_trust.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"

struct trust {
    pthread_mutex_t lock;
    const struct trust_place *places; /* borrowed */
    size_t count;
    X509_STORE *store; /* owned; under lock; NULL: not there yet */
};

struct trust *trust_new(const struct trust_place *places, size_t count)
{
    struct trust *trust = memory_new(sizeof *trust);
    pthread_mutex_init(&trust->lock, NULL);
    trust->places = places;
    trust->count = count;
    return trust;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    pthread_mutex_destroy(&trust->lock);
    free(trust);
}

/* ---- a directory ---- */

/* "4bfab552.0" */
static bool is_hash(const char *name)
{
    size_t digits = strspn(name, "0123456789abcdef");
    return digits == 8 && name[8] == '.' && isdigit((unsigned char)name[9]);
}

/* Links of a directory that was copied without what they lead to do not count. */
static bool is_hashed(const char *directory)
{
    DIR *dir = opendir(directory);
    bool found = false;
    if (!dir)
        return false;
    for (const struct dirent *entry; !found && (entry = readdir(dir));)
        found = is_hash(entry->d_name) && faccessat(dirfd(dir), entry->d_name, R_OK, 0) == 0;
    closedir(dir);
    return found;
}

/* ---- a file ---- */

/* A machine that is short of something is not the fault of whoever named the file. */
static int cannot_open(const char *path, struct error *err)
{
    bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    error_set_errno(err, "reading the trusted certificates in %s", path);
    if (err && !is_short)
        err->kind = ERROR_INPUT;
    return -1;
}

static int read_file(X509_STORE *store, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    bool found = false, at_end = false;
    if (!file)
        return cannot_open(path, err);
    while (!at_end) {
        ERR_clear_error();
        X509 *certificate = PEM_read_X509_AUX(file, NULL, NULL, NULL);
        at_end = !certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        found = (certificate && X509_STORE_add_cert(store, certificate) == 1) || found;
        X509_free(certificate);
    }
    ERR_clear_error();
    fclose(file);
    return found ? 0 : error_set(err, ERROR_INPUT, "there is no certificate in %s", path);
}

/* ---- the store ---- */

static int fill(X509_STORE *store, const struct trust *trust, struct error *err)
{
    for (size_t i = 0; i < trust->count; i++) {
        const struct trust_place *place = &trust->places[i];
        if (place->directory && is_hashed(place->directory))
            return X509_STORE_load_path(store, place->directory) == 1
                       ? 0
                       : error_set(err, ERROR_SYSTEM, "no memory for the trusted certificates");
        if (place->file && access(place->file, R_OK) == 0)
            return read_file(store, place->file, err);
    }
    return read_file(store, trust->places[0].file, err); /* which says why not */
}

static int make_store(struct trust *trust, struct error *err)
{
    X509_STORE *store = X509_STORE_new();
    if (!store || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        X509_STORE_free(store);
        return error_set(err, ERROR_SYSTEM, "no memory for the trusted certificates");
    }
    if (fill(store, trust, err) < 0) {
        X509_STORE_free(store);
        return -1;
    }
    trust->store = store;
    return 0;
}

int trust_apply(struct trust *trust, void *ssl_ctx, struct error *err)
{
    pthread_mutex_lock(&trust->lock);
    int rc = trust->store ? 0 : make_store(trust, err);
    if (rc == 0)
        SSL_CTX_set1_cert_store(ssl_ctx, trust->store);
    pthread_mutex_unlock(&trust->lock);
    return rc;
}
