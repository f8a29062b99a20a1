#include "core/crypto_trust.h"

#include <dirent.h>
#include <errno.h>
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
    const char *const *files;       /* borrowed */
    const char *const *directories; /* borrowed */
    X509_STORE *store;              /* owned; under lock; NULL: not there yet */
};

struct trust *trust_new(const char *const *files, const char *const *directories)
{
    struct trust *trust = memory_new(sizeof *trust);
    pthread_mutex_init(&trust->lock, NULL);
    trust->files = files;
    trust->directories = directories;
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

static int fail_without_memory(struct error *err)
{
    return error_set(err, ERROR_SYSTEM, "no memory for the trusted certificates");
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

/* No further one, or no memory to look for it; what else is wrong is wrong with one certificate. */
static bool is_at_end(void)
{
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    return reason == PEM_R_NO_START_LINE || reason == ERR_R_MALLOC_FAILURE;
}

static int read_file(X509_STORE *store, const char *path, struct error *err)
{
    static char no_password[] = ""; /* else OpenSSL would ask the terminal for it */
    FILE *file = fopen(path, "re");
    bool found = false, at_end = false;
    if (!file)
        return cannot_open(path, err);
    while (!at_end) {
        ERR_clear_error();
        X509 *certificate = PEM_read_X509_AUX(file, NULL, NULL, no_password);
        at_end = !certificate && is_at_end();
        found = (certificate && X509_STORE_add_cert(store, certificate) == 1) || found;
        X509_free(certificate);
    }
    ERR_clear_error();
    fclose(file);
    return found ? 0 : error_set(err, ERROR_INPUT, "there is no certificate in %s", path);
}

/* ---- directories ---- */

/* "4bfab552.0" */
static bool is_hash(const char *name)
{
    size_t hash = strspn(name, "0123456789abcdef");
    if (hash != 8 || name[8] != '.')
        return false;
    size_t number = strspn(name + 9, "0123456789");
    return number > 0 && name[9 + number] == '\0';
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

static int use_directories(X509_STORE *store, const struct trust *trust, struct error *err)
{
    bool found = false;
    for (size_t i = 0; trust->directories[i]; i++) {
        if (!is_hashed(trust->directories[i]))
            continue;
        if (X509_STORE_load_path(store, trust->directories[i]) != 1)
            return fail_without_memory(err);
        found = true;
    }
    return found ? 0
                 : error_set(err, ERROR_SYSTEM,
                             "this machine has no certificates of authorities to trust (%s, for "
                             "one): install ca-certificates, or name a file by AWS_CA_BUNDLE",
                             trust->files[0]);
}

/* ---- the store ---- */

static int fill(X509_STORE *store, const struct trust *trust, struct error *err)
{
    for (size_t i = 0; trust->files[i]; i++)
        if (access(trust->files[i], R_OK) == 0)
            return read_file(store, trust->files[i], err);
    if (trust->directories[0])
        return use_directories(store, trust, err);
    return read_file(store, trust->files[0], err); /* which says why not */
}

static int make_store(struct trust *trust, struct error *err)
{
    X509_STORE *store = X509_STORE_new();
    if (!store || X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        X509_STORE_free(store);
        return fail_without_memory(err);
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
