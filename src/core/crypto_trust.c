#include "core/crypto_trust.h"

#include <errno.h>
#include <limits.h>
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
#include "core/text.h"

#define HEAD_CHARS  720 /* of base64: a certificate up to the end of its subject */
#define MOST_HEADER 16  /* bytes of DER before the content of an element */
#define NOT_DER                                                                                    \
    0x81 /* what ASN1_get_object answers: 0x80: cut or broken, 1: its length is told by its end */
#define PEM_BEGIN "-----BEGIN "
#define PEM_END   "-----END "

struct certificate {
    long at;                 /* where it begins in the file, in bytes */
    uint32_t subject_digest; /* by digest_name */
    bool has_digest;         /* else it may be anybody's */
};

struct trust {
    pthread_mutex_t lock;
    char *ca_file; /* owned */
    FILE *file;    /* owned; under lock; open as long as there is a store; NULL: not read yet */
    struct certificate *certificates; /* owned; fixed once the store is there */
    size_t len;
    X509_STORE *store;          /* owned; under lock; NULL: not made yet */
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
    if (trust->file)
        fclose(trust->file);
    free(trust->certificates);
    trust->file = NULL;
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

/* The kinds of string whose bytes below 0x80 are ASCII. */
#define ASCII_STRINGS                                                                              \
    (B_ASN1_UTF8STRING | B_ASN1_PRINTABLESTRING | B_ASN1_IA5STRING | B_ASN1_T61STRING |            \
     B_ASN1_VISIBLESTRING)

/* FNV-1a: draft-eastlake-fnv, "FNV Constants". */
static uint32_t add_letters(uint32_t digest, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned lower = bytes[i] | 0x20;
        bool counts = (lower >= 'a' && lower <= 'z') || (bytes[i] >= '0' && bytes[i] <= '9');
        if (counts)
            digest = (digest ^ lower) * 16777619U;
    }
    return digest;
}

/*
 * A number that is the same for all names that X509_NAME_cmp takes for equal. It makes no difference between upper and lower case, kinds of string, and how much
 * white space there is, so only ASCII's letters and digits count here. False: the name holds a text that is written in another way.
 */
static bool digest_name(const unsigned char *der, const unsigned char *end, uint32_t *ret_digest)
{
    uint32_t digest = 2166136261U;
    while (der < end) {
        long len;
        int tag, class;
        int form = ASN1_get_object(&der, &len, &tag, &class, end - der);
        if ((form & NOT_DER) || class != V_ASN1_UNIVERSAL)
            return false;
        if (form & V_ASN1_CONSTRUCTED)
            continue; /* into it */
        if (tag != V_ASN1_OBJECT && !(ASN1_tag2bit(tag) & ASCII_STRINGS))
            return false;
        if (tag != V_ASN1_OBJECT)
            digest = add_letters(digest, der, (size_t)len);
        der += len;
    }
    *ret_digest = digest;
    return true;
}

/* Over one element of DER, or into one, whose end need not be here. False: there is none of that kind. */
static bool step(const unsigned char **at, const unsigned char *end, int wanted, bool into)
{
    long len;
    int tag, class;
    const unsigned char *start = *at;
    if (end - start < MOST_HEADER ||
        (ASN1_get_object(at, &len, &tag, &class, into ? LONG_MAX : end - start) & NOT_DER))
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
 * RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { version [0] optional, serialNumber INTEGER, signature, issuer, validity, subject Name, …
 * False: the subject does not end within the bytes.
 */
static bool digest_subject(const unsigned char *der, size_t der_len, uint32_t *ret_digest)
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
    return step(&at, end, V_ASN1_SEQUENCE, false) && digest_name(subject, at, ret_digest);
}

static bool digest_of(const X509_NAME *name, uint32_t *ret_digest)
{
    const unsigned char *der;
    size_t len;
    return X509_NAME_get0_der(name, &der, &len) == 1 && digest_name(der, der + len, ret_digest);
}

/* ---- the file ---- */

/* The beginning of a certificate's text, without its ends of lines. */
struct head {
    size_t len;
    char base64[HEAD_CHARS];
};

static void add_to_head(struct head *head, const char *line)
{
    size_t len = strcspn(line, " \t\r\n");
    size_t room = sizeof head->base64 - head->len;
    len = len < room ? len : room;
    memcpy(head->base64 + head->len, line, len);
    head->len += len;
}

static void keep_certificate(struct trust *trust, long at, const struct head *head)
{
    unsigned char der[HEAD_CHARS / 4 * 3];
    struct certificate certificate = {.at = at};
    int len = EVP_DecodeBlock(der, (const unsigned char *)head->base64, (int)(head->len / 4 * 4));
    certificate.has_digest =
        len > 0 && digest_subject(der, (size_t)len, &certificate.subject_digest);
    trust->certificates =
        memory_resize(trust->certificates, trust->len + 1, sizeof *trust->certificates);
    trust->certificates[trust->len++] = certificate;
}

static bool begins_certificate(const char *line)
{
    static const char *const labels[] = {PEM_STRING_X509, PEM_STRING_X509_OLD,
                                         PEM_STRING_X509_TRUSTED};
    if (!text_starts_with(line, PEM_BEGIN))
        return false;
    const char *label = line + strlen(PEM_BEGIN);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (text_starts_with(label, labels[i]) && label[strlen(labels[i])] == '-')
            return true;
    return false;
}

static void find_certificates(struct trust *trust)
{
    char line[256];
    struct head head;
    long begin = -1; /* of the certificate that goes on */
    while (fgets(line, sizeof line, trust->file)) {
        if (begins_certificate(line)) {
            begin = ftell(trust->file) - (long)strlen(line);
            head.len = 0;
        } else if (begin >= 0 && text_starts_with(line, PEM_END)) {
            keep_certificate(trust, begin, &head);
            begin = -1;
        } else if (begin >= 0) {
            add_to_head(&head, line);
        }
    }
}

/* NULL: it cannot be decoded. */
static X509 *read_certificate(struct trust *trust, const struct certificate *certificate)
{
    X509 *decoded = NULL;
    if (fseek(trust->file, certificate->at, SEEK_SET) == 0)
        decoded = PEM_read_X509_AUX(trust->file, NULL, NULL, NULL);
    ERR_clear_error();
    return decoded;
}

static bool holds_a_good_one(struct trust *trust)
{
    X509 *decoded = NULL;
    for (size_t i = 0; i < trust->len && !decoded; i++)
        decoded = read_certificate(trust, &trust->certificates[i]);
    X509_free(decoded);
    return decoded;
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
    trust->file = fopen(trust->ca_file, "re");
    if (!trust->file)
        return cannot_open(trust, err);
    find_certificates(trust);
    if (holds_a_good_one(trust))
        return 0;
    return error_set(err, ERROR_INPUT, "there is no certificate in %s", trust->ca_file);
}

/* ---- the lookup ---- */

/* OpenSSL's own lookups keep in the store what they find, and so must this one: the verification looks for further ones of that name there. */
static bool add_to_store(struct trust *trust, X509_STORE *store, const X509_NAME *name)
{
    uint32_t digest;
    bool is_any = false, has_digest = digest_of(name, &digest);
    for (size_t i = 0; i < trust->len; i++) {
        const struct certificate *certificate = &trust->certificates[i];
        if (has_digest && certificate->has_digest && certificate->subject_digest != digest)
            continue;
        X509 *decoded = read_certificate(trust, certificate);
        if (decoded) {
            X509_STORE_add_cert(store, decoded); /* it takes a reference; one that is there stays */
            is_any = true;
        }
        X509_free(decoded);
    }
    return is_any;
}

static int find_by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                           X509_OBJECT *ret_object)
{
    struct trust *trust = X509_LOOKUP_get_method_data(lookup);
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    if (type != X509_LU_X509)
        return 0;
    pthread_mutex_lock(&trust->lock);
    bool is_any = add_to_store(trust, store, name);
    pthread_mutex_unlock(&trust->lock);
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
