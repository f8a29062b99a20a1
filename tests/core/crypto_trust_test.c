/*
 * What is trusted must be what OpenSSL trusts when it reads the whole file itself.
 */
#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/crypto_trust.h"

Suite *crypto_trust_suite(void);

#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"

static char path[64];

/* ---- certificates made on the spot ---- */

struct issuer {
    X509 *certificate; /* owned */
    EVP_PKEY *key;     /* owned */
};

static void issuer_release(struct issuer *issuer)
{
    X509_free(issuer->certificate);
    EVP_PKEY_free(issuer->key);
}

static void add_extension(X509 *certificate, X509 *by, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, by, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ck_assert_ptr_nonnull(extension);
    ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* `by` NULL: self-signed. `version` 0 is X.509 v1, without extensions: its version stands nowhere. */
static struct issuer make(const char *name, const struct issuer *by, bool is_ca, long version)
{
    static long serial;
    struct issuer made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
    X509 *certificate = made.certificate;
    X509_NAME *subject = X509_get_subject_name(certificate);
    ck_assert_ptr_nonnull(made.key);
    X509_set_version(certificate, version);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)"Tests", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_issuer_name(certificate, by ? X509_get_subject_name(by->certificate) : subject);
    X509_set_pubkey(certificate, made.key);
    if (version == 2) {
        X509 *issuer = by ? by->certificate : certificate;
        add_extension(certificate, issuer, NID_basic_constraints,
                      is_ca ? "critical,CA:TRUE" : "CA:FALSE");
        add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
        if (by && X509_get0_subject_key_id(issuer))
            add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    }
    ck_assert_int_gt(X509_sign(certificate, by ? by->key : made.key, EVP_sha256()), 0);
    return made;
}

static FILE *open_file(void)
{
    int fd;
    snprintf(path, sizeof path, "/tmp/crypto_trust_test.XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    return fdopen(fd, "w");
}

/* ---- asking ---- */

static bool verifies(X509_STORE *store, X509 *leaf, X509 *intermediate)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    if (intermediate)
        sk_X509_push(others, intermediate);
    ck_assert_int_eq(X509_STORE_CTX_init(context, store, leaf, others), 1);
    bool good = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    return good;
}

/* Our lookup, and beside it OpenSSL's own reading of the whole file. */
struct pair {
    struct trust *trust;
    SSL_CTX *ssl;
    X509_STORE *whole;
};

static struct pair open_pair(const char *file)
{
    struct pair pair = {.trust = trust_new(file),
                        .ssl = SSL_CTX_new(TLS_client_method()),
                        .whole = X509_STORE_new()};
    ck_assert_int_eq(trust_apply(pair.trust, pair.ssl, NULL), 0);
    ck_assert_int_eq(X509_STORE_load_file(pair.whole, file), 1);
    X509_STORE_set_flags(pair.whole, X509_V_FLAG_PARTIAL_CHAIN);
    return pair;
}

static void close_pair(struct pair *pair)
{
    X509_STORE_free(pair->whole);
    SSL_CTX_free(pair->ssl);
    trust_free(pair->trust);
}

static bool both_trust(const struct pair *pair, X509 *leaf, X509 *intermediate)
{
    bool trusted = verifies(SSL_CTX_get_cert_store(pair->ssl), leaf, intermediate);
    ck_assert(trusted == verifies(pair->whole, leaf, intermediate));
    return trusted;
}

/* Each time anew: what one question has decoded must not answer the next. */
static bool is_trusted(X509 *leaf, X509 *intermediate)
{
    struct pair pair = open_pair(path);
    bool trusted = both_trust(&pair, leaf, intermediate);
    ck_assert(trusted == both_trust(&pair, leaf, intermediate));
    close_pair(&pair);
    return trusted;
}

START_TEST(chains)
{
    struct issuer root = make("root", NULL, true, 2), twin = make("root", NULL, true, 2),
                  old = make("old", NULL, true, 0), other = make("other", NULL, true, 2);
    struct issuer middle = make("middle", &root, true, 2), leaf = make("leaf", &middle, false, 2),
                  of_twin = make("of twin", &twin, false, 2),
                  of_old = make("of old", &old, false, 2),
                  of_other = make("of other", &other, false, 2);
    FILE *file = open_file();
    fputs("# comments, and things that are no certificates\n", file);
    PEM_write_PUBKEY(file, other.key);
    PEM_write_X509(file, root.certificate);
    PEM_write_X509_AUX(file, old.certificate); /* "TRUSTED CERTIFICATE" */
    PEM_write_X509(file, twin.certificate);    /* the same name, another key */
    fclose(file);
    ck_assert(is_trusted(leaf.certificate, middle.certificate));
    ck_assert(!is_trusted(leaf.certificate, NULL));
    ck_assert(is_trusted(of_twin.certificate, NULL));
    ck_assert(is_trusted(of_old.certificate, NULL));
    ck_assert(is_trusted(root.certificate, NULL));
    ck_assert(!is_trusted(of_other.certificate, NULL));
    ck_assert(!is_trusted(of_other.certificate, other.certificate));

    file = fopen(path, "w"); /* one that is no root is trusted, too */
    PEM_write_X509(file, middle.certificate);
    fclose(file);
    ck_assert(is_trusted(leaf.certificate, NULL));
    ck_assert(!is_trusted(of_twin.certificate, NULL));
    unlink(path);

    struct issuer *all[] = {&root, &twin,    &old,    &other,   &middle,
                            &leaf, &of_twin, &of_old, &of_other};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        issuer_release(all[i]);
}
END_TEST

/* The name of the issuer as its own certificate writes it, and as another's does. */
static const struct {
    const char *what, *subject, *issuer;
    int subject_kind, issuer_kind;
    bool is_same;
} spellings[] = {
    {"itself", "Root CA", "Root CA", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, true},
    {"case", "Root CA", "rOOT ca", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, true},
    {"white space", "Root CA", "  Root \t CA ", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, true},
    {"kind of string", "Root CA", "Root CA", V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING, true},
    {"two bytes a letter", "Root CA", "\0R\0o\0o\0t\0 \0C\0A", V_ASN1_UTF8STRING, V_ASN1_BMPSTRING,
     true},
    {"the other way round", "\0R\0o\0o\0t\0 \0C\0A", "root ca", V_ASN1_BMPSTRING, V_ASN1_T61STRING,
     true},
    {"another script", "\x4f\x60\x4f\x60\x4f\x60\x4f\x60\x4f\x60\x4f\x60\x4f\x60",
     "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0",
     V_ASN1_BMPSTRING, V_ASN1_UTF8STRING, true},
    {"accents", "R\xf6ot", "R\xc3\xb6ot", V_ASN1_T61STRING, V_ASN1_UTF8STRING, true},
    {"digits", "12345", "12345", V_ASN1_NUMERICSTRING, V_ASN1_NUMERICSTRING, true},
    {"the same letters", "Root CA", "RootCA", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, false},
    {"other punctuation", "Root-CA", "Root.CA", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, false},
    {"another letter", "Root CA", "Root CB", V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, false},
};

static X509_NAME *spell(const char *text, int kind, const char *unit)
{
    X509_NAME *name = X509_NAME_new();
    int len = kind == V_ASN1_BMPSTRING ? 14 : (int)strlen(text);
    if (unit)
        X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)unit, -1, -1,
                                   0);
    ck_assert_int_eq(
        X509_NAME_add_entry_by_txt(name, "CN", kind, (const unsigned char *)text, len, -1, 0), 1);
    return name;
}

/* A root whose subject is `subject`, alone in the file; is one trusted that says `issuer` signed it? Takes both names. */
static bool is_issuer(X509_NAME *subject, X509_NAME *issuer)
{
    struct issuer root = make("root", NULL, true, 2), other = make("other", NULL, true, 2);
    X509_set_subject_name(root.certificate, subject);
    X509_set_issuer_name(root.certificate, subject);
    X509_sign(root.certificate, root.key, EVP_sha256());
    struct issuer leaf = make("leaf", &root, false, 2);
    X509_set_issuer_name(leaf.certificate, issuer);
    X509_sign(leaf.certificate, root.key, EVP_sha256());
    FILE *file = open_file();
    PEM_write_X509(file, other.certificate);
    PEM_write_X509(file, root.certificate);
    fclose(file);
    bool trusted = is_trusted(leaf.certificate, NULL);
    unlink(path);
    issuer_release(&root);
    issuer_release(&other);
    issuer_release(&leaf);
    X509_NAME_free(subject);
    X509_NAME_free(issuer);
    return trusted;
}

START_TEST(names)
{
    X509_NAME *subject = spell(spellings[_i].subject, spellings[_i].subject_kind, NULL);
    X509_NAME *issuer = spell(spellings[_i].issuer, spellings[_i].issuer_kind, NULL);
    ck_assert_msg(is_issuer(subject, issuer) == spellings[_i].is_same, "%s", spellings[_i].what);
}
END_TEST

START_TEST(a_long_name)
{
    char unit[65] = "";
    memset(unit, 'u', sizeof unit - 1);
    X509_NAME *subject = spell("Root CA", V_ASN1_UTF8STRING, unit);
    for (int i = 0; i < 10; i++)
        X509_NAME_add_entry_by_txt(subject, "OU", MBSTRING_UTF8, (unsigned char *)unit, -1, -1, 0);
    ck_assert(is_issuer(subject, X509_NAME_dup(subject)));
}
END_TEST

/* Two of one name, written in two ways: whoever asks for it must get both. */
START_TEST(twins_below_an_intermediate)
{
    struct issuer twins[2] = {make("root", NULL, true, 2), make("root", NULL, true, 2)};
    X509_NAME *spelt[2] = {
        spell("\0R\0o\0o\0t\0 \0C\0A", V_ASN1_BMPSTRING, NULL),
        spell("Root CA", V_ASN1_UTF8STRING, NULL),
    };
    for (int i = 0; i < 2; i++) {
        X509_set_subject_name(twins[i].certificate, spelt[i]);
        X509_set_issuer_name(twins[i].certificate, spelt[i]);
        X509_sign(twins[i].certificate, twins[i].key, EVP_sha256());
    }
    for (int order = 0; order < 2; order++) {
        FILE *file = open_file();
        PEM_write_X509(file, twins[order].certificate);
        PEM_write_X509(file, twins[!order].certificate);
        fclose(file);
        for (int i = 0; i < 2; i++) {
            struct issuer middle = make("middle", &twins[i], true, 2);
            struct issuer leaf = make("leaf", &middle, false, 2);
            ck_assert(is_trusted(leaf.certificate, middle.certificate));
            issuer_release(&middle);
            issuer_release(&leaf);
        }
        unlink(path);
    }
    for (int i = 0; i < 2; i++) {
        issuer_release(&twins[i]);
        X509_NAME_free(spelt[i]);
    }
}
END_TEST

static void add_beside(X509_NAME *name, const char *unit)
{
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)unit, -1, -1, -1);
}

/* What stands in one SET is sorted by its encoding, in which white space still counts. */
START_TEST(order_within_a_set)
{
    X509_NAME *subject = spell("Root CA", V_ASN1_UTF8STRING, NULL);
    X509_NAME *issuer = spell("Root CA", V_ASN1_UTF8STRING, NULL);
    add_beside(subject, "x y");
    add_beside(subject, "a  b"); /* the longer one is the later one */
    add_beside(issuer, "x  y");
    add_beside(issuer, "a b");
    ck_assert(is_issuer(subject, issuer));
}
END_TEST

/* As editors and other systems write such files. */
START_TEST(layouts)
{
    static const char *const line_ends[] = {"\n", "\r\n", "  \n", "\n"};
    static const char *const beginnings[] = {"", "", "", "\xef\xbb\xbf"};
    struct issuer root = make("root", NULL, true, 2);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_X509(bio, root.certificate);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &text);
    FILE *file = open_file();
    fputs(beginnings[_i], file);
    for (const char *c = text; *c; c++)
        if (*c == '\n')
            fputs(line_ends[_i], file);
        else
            fputc(*c, file);
    fclose(file);
    ck_assert(is_trusted(root.certificate, NULL));
    unlink(path);
    BIO_free(bio);
    issuer_release(&root);
}
END_TEST

/* Every certificate that this system trusts: found by its subject, and judged as OpenSSL judges it. */
START_TEST(the_systems_file)
{
    FILE *file = fopen(SYSTEM_FILE, "r");
    int count = 0;
    ck_assert_msg(file != NULL, "%s is not there", SYSTEM_FILE);
    struct pair pair = open_pair(SYSTEM_FILE);
    for (X509 *certificate; (certificate = PEM_read_X509(file, NULL, NULL, NULL)); count++) {
        both_trust(&pair, certificate, NULL);
        X509_free(certificate);
    }
    close_pair(&pair);
    fclose(file);
    ck_assert_int_ge(count, 50);
}
END_TEST

/* One that cannot be decoded costs nobody the others. */
START_TEST(a_broken_one_among_others)
{
    struct issuer root = make("root", NULL, true, 2);
    FILE *file = open_file();
    fputs("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", file);
    PEM_write_X509(file, root.certificate);
    fclose(file);
    struct trust *trust = trust_new(path);
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    ck_assert_int_eq(trust_apply(trust, ssl, NULL), 0);
    ck_assert(verifies(SSL_CTX_get_cert_store(ssl), root.certificate, NULL));
    SSL_CTX_free(ssl);
    trust_free(trust);
    issuer_release(&root);
    unlink(path);
}
END_TEST

static const struct {
    const char *name, *text; /* text NULL: no such file */
} bad_files[] = {
    {"none", NULL},
    {"empty", ""},
    {"no certificate", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"},
    {"cut", "-----BEGIN CERTIFICATE-----\nMIIB"},
    {"no DER", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"},
    {"DER that ends too soon",
     "-----BEGIN CERTIFICATE-----\nMIIBMIIB\n-----END CERTIFICATE-----\n"},
};

START_TEST(files_that_hold_none)
{
    FILE *file = open_file();
    if (bad_files[_i].text)
        fputs(bad_files[_i].text, file);
    fclose(file);
    if (!bad_files[_i].text)
        unlink(path);
    struct trust *trust = trust_new(path);
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    struct error err = ERROR_INIT;
    ck_assert_msg(trust_apply(trust, ssl, &err) < 0, "%s", bad_files[_i].name);
    ck_assert_msg(err.kind == ERROR_INPUT, "%s: %s", bad_files[_i].name, err.msg);
    ck_assert_ptr_nonnull(strstr(err.msg, path));
    SSL_CTX_free(ssl);
    trust_free(trust);
    unlink(path);
}
END_TEST

/* Not the fault of whoever named the file; and it is read after all when there is room again. */
START_TEST(no_descriptor_is_left)
{
    struct issuer root = make("root", NULL, true, 2);
    FILE *file = open_file();
    PEM_write_X509(file, root.certificate);
    fclose(file);
    struct trust *trust = trust_new(path);
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    struct error err = ERROR_INIT;
    struct rlimit limit, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(trust_apply(trust, ssl, &err), -1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, EMFILE);
    ck_assert_int_eq(trust_apply(trust, ssl, NULL), 0);
    SSL_CTX_free(ssl);
    trust_free(trust);
    issuer_release(&root);
    unlink(path);
}
END_TEST

Suite *crypto_trust_suite(void)
{
    Suite *suite = suite_create("crypto_trust");
    TCase *tests = tcase_create("crypto_trust");
    tcase_add_test(tests, chains);
    tcase_add_loop_test(tests, names, 0, (int)(sizeof spellings / sizeof *spellings));
    tcase_add_test(tests, a_long_name);
    tcase_add_test(tests, twins_below_an_intermediate);
    tcase_add_test(tests, order_within_a_set);
    tcase_add_loop_test(tests, layouts, 0, 4);
    tcase_add_test(tests, the_systems_file);
    tcase_add_test(tests, a_broken_one_among_others);
    tcase_add_test(tests, no_descriptor_is_left);
    tcase_add_loop_test(tests, files_that_hold_none, 0,
                        (int)(sizeof bad_files / sizeof *bad_files));
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
