#include "core/crypto_trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct certificate {
    unsigned char *der; /* owned, OpenSSL's */
    long der_len;
    bool has_trust;          /* "TRUSTED CERTIFICATE": OpenSSL's own remarks follow it */
    bool has_digest;         /* else it may be anybody's */
    uint32_t subject_digest; /* by digest_name */
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
    for (size_t i = 0; i < trust->len; i++)
        OPENSSL_free(trust->certificates[i].der);
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

/* ---- names ---- */

#define FNV_BASIS 2166136261U /* FNV-1a: draft-eastlake-fnv, "FNV Constants" */
#define FNV_PRIME 16777619U
#define NOT_DER   0x81 /* of ASN1_get_object: 0x80: cut or broken, 1: its end is marked instead */

/* The kinds of string whose bytes below 0x80 are ASCII. */
#define ASCII_STRINGS                                                                              \
    (B_ASN1_UTF8STRING | B_ASN1_PRINTABLESTRING | B_ASN1_IA5STRING | B_ASN1_T61STRING |            \
     B_ASN1_VISIBLESTRING)

static uint32_t digest_letters(const unsigned char *bytes, size_t len)
{
    uint32_t digest = FNV_BASIS;
    for (size_t i = 0; i < len; i++) {
        unsigned lower = bytes[i] | 0x20;
        bool counts = (lower >= 'a' && lower <= 'z') || (bytes[i] >= '0' && bytes[i] <= '9');
        if (counts)
            digest = (digest ^ lower) * FNV_PRIME;
    }
    return digest;
}

/*
 * A number that is the same for all names that X509_NAME_cmp takes for equal. To that, upper and lower case, kinds of string, how much white space there is and the order of what
 * stands in one SET make no difference: only the letters and digits of ASCII count here, and the digests of the values are added up. False: the name
 * holds a value that is written in another way.
 */
static bool digest_name(const unsigned char *der, const unsigned char *end, uint32_t *ret_digest)
{
    uint32_t digest = 0;
    bool is_value = false; /* behind the OBJECT that says of what */
    while (der < end) {
        long len;
        int tag, class;
        int form = ASN1_get_object(&der, &len, &tag, &class, end - der);
        if ((form & NOT_DER) || class != V_ASN1_UNIVERSAL)
            return false;
        bool is_set_or_sequence = form & V_ASN1_CONSTRUCTED;
        if (is_value && (is_set_or_sequence || !(ASN1_tag2bit(tag) & ASCII_STRINGS)))
            return false;
        if (is_set_or_sequence)
            continue; /* into it */
        if (!is_value && tag != V_ASN1_OBJECT)
            return false;
        if (is_value)
            digest += digest_letters(der, (size_t)len);
        is_value = !is_value;
        der += len;
    }
    *ret_digest = digest;
    return true;
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
static bool digest_subject(const unsigned char *der, long der_len, bool *ret_has_digest,
                           uint32_t *ret_digest)
{
    const unsigned char *at = der, *end = der + der_len;
    if (!step(&at, end, V_ASN1_SEQUENCE, true) || !step(&at, end, V_ASN1_SEQUENCE, true))
        return false;
    if (!step(&at, end, V_ASN1_INTEGER, false) && /* the version stands before the number */
        !(step(&at, end, -1, false) && step(&at, end, V_ASN1_INTEGER, false)))
        return false;
    for (int i = 0; i < 3; i++) /* signature, issuer, validity */
        if (!step(&at, end, V_ASN1_SEQUENCE, false))
            return false;
    const unsigned char *subject = at;
    if (!step(&at, end, V_ASN1_SEQUENCE, false))
        return false;
    *ret_has_digest = digest_name(subject, at, ret_digest);
    return true;
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
    if (!is_certificate(label, &certificate.has_trust) ||
        !digest_subject(der, der_len, &certificate.has_digest, &certificate.subject_digest)) {
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

static bool digest_wanted(const X509_NAME *name, uint32_t *ret_digest)
{
    const unsigned char *der;
    size_t len;
    return X509_NAME_get0_der(name, &der, &len) == 1 && digest_name(der, der + len, ret_digest);
}

/* NULL: it is not of that name, or cannot be decoded. */
static X509 *decode(const struct certificate *certificate, const X509_NAME *name)
{
    const unsigned char *at = certificate->der;
    X509 *decoded = certificate->has_trust ? d2i_X509_AUX(NULL, &at, certificate->der_len)
                                           : d2i_X509(NULL, &at, certificate->der_len);
    if (decoded && X509_NAME_cmp(X509_get_subject_name(decoded), name) == 0)
        return decoded;
    X509_free(decoded);
    return NULL;
}

static STACK_OF(X509) * decode_all(const struct trust *trust, const X509_NAME *name)
{
    STACK_OF(X509) *found = sk_X509_new_null();
    ERR_set_mark(); /* the handshake's own errors stay, those of decoding do not */
    uint32_t digest;
    bool has_digest = digest_wanted(name, &digest);
    for (size_t i = 0; i < trust->len; i++) {
        const struct certificate *certificate = &trust->certificates[i];
        if (has_digest && certificate->has_digest && certificate->subject_digest != digest)
            continue;
        X509 *decoded = decode(certificate, name);
        if (decoded && sk_X509_push(found, decoded) <= 0)
            X509_free(decoded);
    }
    ERR_pop_to_mark();
    return found;
}

static void push(STACK_OF(X509_OBJECT) * objects, X509 *certificate)
{
    X509_OBJECT *object = X509_OBJECT_new();
    if (!object || X509_OBJECT_set1_X509(object, certificate) != 1 ||
        sk_X509_OBJECT_push(objects, object) <= 0)
        X509_OBJECT_free(object);
}

/*
 * OpenSSL's own lookups keep in the store what they find, and so must this one: the verification looks for further ones of that name there. All of a name
 * come at once, for where one is found in the store nobody asks here any more.
 */
static int find_by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                           X509_OBJECT *ret_object)
{
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    if (type != X509_LU_X509)
        return 0;
    STACK_OF(X509) *found = decode_all(X509_LOOKUP_get_method_data(lookup), name);
    X509_STORE_lock(store);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    if (!X509_OBJECT_retrieve_by_subject(objects, type,
                                         name)) /* another thread may have come first */
        for (int i = 0; i < sk_X509_num(found); i++)
            push(objects, sk_X509_value(found, i));
    const X509_OBJECT *object = X509_OBJECT_retrieve_by_subject(objects, type, name);
    X509 *certificate = object ? X509_OBJECT_get0_X509(object) : NULL;
    int is_set = certificate && X509_OBJECT_set1_X509(ret_object, certificate);
    if (is_set)
        X509_free(
            certificate); /* the caller borrows the store's, as from OpenSSL's own lookups: it takes a reference itself, and drops only that one */
    X509_STORE_unlock(store);
    sk_X509_pop_free(found, X509_free);
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
