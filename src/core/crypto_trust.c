#include "core/crypto_trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct certificate {
    X509_NAME *subject; /* owned */
    unsigned char *der; /* owned, OpenSSL's */
    long der_len;
    bool has_trust; /* "TRUSTED CERTIFICATE": OpenSSL's own remarks follow it */
};

struct trust {
    pthread_mutex_t lock;
    char *ca_file;                    /* owned */
    struct certificate *certificates; /* owned; fixed once the store is there */
    size_t len;
    X509_STORE *store;          /* owned; under lock; NULL: not read yet */
    X509_LOOKUP_METHOD *lookup; /* owned; the store's */
};

struct trust *trust_new(const char *ca_file)
{
    struct trust *trust = memory_new(sizeof *trust);
    pthread_mutex_init(&trust->lock, NULL);
    trust->ca_file = memory_copy_string(ca_file);
    return trust;
}

static void forget_certificates(struct trust *trust)
{
    for (size_t i = 0; i < trust->len; i++) {
        X509_NAME_free(trust->certificates[i].subject);
        OPENSSL_free(trust->certificates[i].der);
    }
    free(trust->certificates);
    trust->certificates = NULL;
    trust->len = 0;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    X509_LOOKUP_meth_free(trust->lookup);
    forget_certificates(trust);
    pthread_mutex_destroy(&trust->lock);
    free(trust->ca_file);
    free(trust);
}

/* ---- the file ---- */

/* Step over one element of DER, or into it. False: there is none of that kind within the bytes. */
static bool step(const unsigned char **at, const unsigned char *end, int wanted, bool into)
{
    long len;
    int tag, class;
    const unsigned char *start = *at;
    if (start >= end || (ASN1_get_object(at, &len, &tag, &class, end - start) & 0x80))
        return false;
    if (wanted >= 0 && (tag != wanted || class != V_ASN1_UNIVERSAL)) {
        *at = start;
        return false;
    }
    if (!into)
        *at += len;
    return true;
}

/*
 * RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { version [0] optional, serialNumber INTEGER, signature, issuer, validity, subject Name, … */
static X509_NAME *read_subject(const unsigned char *der, long der_len)
{
    const unsigned char *at = der, *end = der + der_len;
    if (!step(&at, end, V_ASN1_SEQUENCE, true) || !step(&at, end, V_ASN1_SEQUENCE, true))
        return NULL;
    if (!step(&at, end, V_ASN1_INTEGER, false) && /* the version stands before the number */
        !(step(&at, end, -1, false) && step(&at, end, V_ASN1_INTEGER, false)))
        return NULL;
    for (int i = 0; i < 3; i++) /* signature, issuer, validity */
        if (!step(&at, end, V_ASN1_SEQUENCE, false))
            return NULL;
    return d2i_X509_NAME(NULL, &at, end - at);
}

static bool is_certificate(const char *label, bool *ret_has_trust)
{
    *ret_has_trust = strcmp(label, PEM_STRING_X509_TRUSTED) == 0;
    return *ret_has_trust || strcmp(label, PEM_STRING_X509) == 0 ||
           strcmp(label, PEM_STRING_X509_OLD) == 0;
}

static void keep_certificate(struct trust *trust, const char *label, unsigned char *der,
                             long der_len)
{
    struct certificate certificate = {.der = der, .der_len = der_len};
    if (is_certificate(label, &certificate.has_trust))
        certificate.subject = read_subject(der, der_len);
    if (!certificate.subject) {
        OPENSSL_free(der);
        return;
    }
    trust->certificates =
        memory_resize(trust->certificates, trust->len + 1, sizeof *trust->certificates);
    trust->certificates[trust->len++] = certificate;
}

/* A machine that is short of something is not the fault of whoever named the file. */
static int cannot_open(const struct trust *trust, struct error *err)
{
    bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    error_set_errno(err, "reading the trusted certificates in %s", trust->ca_file);
    if (err && !is_short)
        err->kind = ERROR_INPUT;
    return -1;
}

static int read_file(struct trust *trust, struct error *err)
{
    FILE *file = fopen(trust->ca_file, "re");
    char *label, *header;
    unsigned char *der;
    long der_len;
    if (!file)
        return cannot_open(trust, err);
    while (PEM_read(file, &label, &header, &der, &der_len)) {
        keep_certificate(trust, label, der, der_len);
        OPENSSL_free(label);
        OPENSSL_free(header);
    }
    ERR_clear_error(); /* that there is no further one */
    fclose(file);
    if (trust->len > 0)
        return 0;
    return error_set(err, ERROR_INPUT, "there is no certificate in %s", trust->ca_file);
}

/* ---- the lookup ---- */

static void add_to_store(X509_STORE *store, const struct certificate *certificate)
{
    const unsigned char *at = certificate->der;
    X509 *decoded = certificate->has_trust ? d2i_X509_AUX(NULL, &at, certificate->der_len)
                                           : d2i_X509(NULL, &at, certificate->der_len);
    if (decoded)
        X509_STORE_add_cert(store, decoded); /* it takes a reference; one that is there stays */
    X509_free(decoded);
}

/* OpenSSL's own lookups keep in the store what they find, and so must this one: the verification looks for further ones of that name there. */
static int find_by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                           X509_OBJECT *ret_object)
{
    const struct trust *trust = X509_LOOKUP_get_method_data(lookup);
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    bool is_any = false;
    if (type != X509_LU_X509)
        return 0;
    for (size_t i = 0; i < trust->len; i++)
        if (X509_NAME_cmp(trust->certificates[i].subject, name) == 0) {
            add_to_store(store, &trust->certificates[i]);
            is_any = true;
        }
    if (!is_any)
        return 0;
    X509_STORE_lock(store);
    const X509_OBJECT *found =
        X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), type, name);
    X509 *certificate = found ? X509_OBJECT_get0_X509(found) : NULL;
    int is_set = certificate && X509_OBJECT_set1_X509(ret_object, certificate);
    if (is_set)
        X509_free(
            certificate); /* the caller borrows the store's, as from OpenSSL's own lookups: it takes a reference itself, and drops only that one */
    X509_STORE_unlock(store);
    return is_set;
}

static bool add_lookup(struct trust *trust, X509_STORE *store)
{
    trust->lookup = X509_LOOKUP_meth_new("certificates of a file, decoded when asked for");
    if (!trust->lookup || !X509_LOOKUP_meth_set_get_by_subject(trust->lookup, find_by_subject))
        return false;
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, trust->lookup);
    return lookup && X509_LOOKUP_set_method_data(lookup, trust) == 1 &&
           X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static int fail_without_memory(struct error *err)
{
    return error_set(err, ERROR_SYSTEM, "no memory for the trusted certificates");
}

static int make_store(struct trust *trust, struct error *err)
{
    int rc = read_file(trust, err);
    X509_STORE *store = rc == 0 ? X509_STORE_new() : NULL;
    if (rc == 0 && (!store || !add_lookup(trust, store)))
        rc = fail_without_memory(err);
    if (rc == 0) {
        trust->store = store;
        return 0;
    }
    X509_STORE_free(store);
    X509_LOOKUP_meth_free(trust->lookup);
    trust->lookup = NULL;
    forget_certificates(trust);
    return -1;
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
