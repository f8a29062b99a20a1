/*
 * What is trusted must be what OpenSSL trusts when it reads the whole file itself, wherever the
 * certificates stand.
 */
#include <check.h>
#include <dirent.h>
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

#define SYSTEM_DIRECTORY "/etc/ssl/certs"
#define SYSTEM_FILE      SYSTEM_DIRECTORY "/ca-certificates.crt"

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

/*
 * `by` NULL: self-signed. `version` 0 is X.509 v1, without extensions: its version stands nowhere.
 */
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

static const char *const no_directories[] = {NULL};

static struct trust *apply(const char *const *files, const char *const *directories,
                           SSL_CTX **ret_ssl)
{
    struct trust *trust = trust_new(files, directories);
    *ret_ssl = SSL_CTX_new(TLS_client_method());
    ck_assert_int_eq(trust_apply(trust, *ret_ssl, NULL), 0);
    return trust;
}

/* What is trusted here, and beside it OpenSSL's own reading of the whole file. */
struct pair {
    struct trust *trust;
    SSL_CTX *ssl;
    X509_STORE *whole;
};

static struct pair open_pair(const char *const *files, const char *const *directories,
                             const char *whole)
{
    struct pair pair = {.whole = X509_STORE_new()};
    pair.trust = apply(files, directories, &pair.ssl);
    ck_assert_int_eq(X509_STORE_load_file(pair.whole, whole), 1);
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

/* Each time anew: what one question has read must not answer the next. */
static bool is_trusted(X509 *leaf, X509 *intermediate)
{
    const char *const files[] = {path, NULL};
    struct pair pair = open_pair(files, no_directories, path);
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

/* Every certificate that this system trusts, judged as OpenSSL judges it by the file. */
static const char *const system_file[] = {SYSTEM_FILE, NULL},
                         *const no_such_file[] = {"/no/such/file", NULL},
                         *const system_directory[] = {SYSTEM_DIRECTORY, NULL};

START_TEST(the_systems)
{
    FILE *file = fopen(SYSTEM_FILE, "r");
    int trusted = 0; /* all but what has expired */
    ck_assert_msg(file != NULL, "%s is not there", SYSTEM_FILE);
    struct pair pair =
        open_pair(_i == 0 ? system_file : no_such_file, system_directory, SYSTEM_FILE);
    for (X509 *certificate; (certificate = PEM_read_X509(file, NULL, NULL, NULL));) {
        trusted += both_trust(&pair, certificate, NULL);
        X509_free(certificate);
    }
    close_pair(&pair);
    fclose(file);
    ck_assert_int_ge(trusted, 50);
}
END_TEST

/* ---- directories ---- */

static char directory[64];

static void make_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/crypto_trust_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

/* As openssl-rehash(1) names it. */
static void add_hash(const X509 *certificate, int number, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/%08lx.%d", directory,
             X509_NAME_hash_ex(X509_get_subject_name(certificate), NULL, NULL, NULL), number);
}

static void write_into_directory(X509 *certificate, int number)
{
    char name[128];
    add_hash(certificate, number, name, sizeof name);
    FILE *file = fopen(name, "w");
    PEM_write_X509(file, certificate);
    fclose(file);
}

static bool trusts(const char *const *files, const char *const *directories, X509 *leaf,
                   X509 *intermediate)
{
    SSL_CTX *ssl;
    struct trust *trust = apply(files, directories, &ssl);
    bool trusted = verifies(SSL_CTX_get_cert_store(ssl), leaf, intermediate);
    SSL_CTX_free(ssl);
    trust_free(trust);
    return trusted;
}

static void remove_directory(void)
{
    DIR *dir = opendir(directory);
    for (const struct dirent *entry; (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(directory);
}

static const char *const directories[] = {"/no/such/directory", directory, NULL};

/* Only what a chain asks for is read of it, and all of one name. */
START_TEST(a_directory)
{
    struct issuer root = make("root", NULL, true, 2), twin = make("root", NULL, true, 2),
                  other = make("other", NULL, true, 2), stranger = make("stranger", NULL, true, 2);
    struct issuer middle = make("middle", &root, true, 2), leaf = make("leaf", &middle, false, 2),
                  of_twin = make("of twin", &twin, false, 2),
                  of_stranger = make("of stranger", &stranger, false, 2);
    make_directory();
    write_into_directory(root.certificate, 0);
    write_into_directory(twin.certificate, 1);
    write_into_directory(other.certificate, 0);
    SSL_CTX *ssl;
    struct trust *trust = apply(no_such_file, directories, &ssl);
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    ck_assert(verifies(store, leaf.certificate, middle.certificate));
    ck_assert(!verifies(store, leaf.certificate, NULL));
    ck_assert(verifies(store, of_twin.certificate, NULL));
    ck_assert(!verifies(store, of_stranger.certificate, NULL));
    ck_assert_int_eq(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 2);
    SSL_CTX_free(ssl);
    trust_free(trust);
    remove_directory();

    make_directory(); /* one that is no root is trusted, too */
    write_into_directory(middle.certificate, 0);
    ck_assert(trusts(no_such_file, directories, leaf.certificate, NULL));
    remove_directory();
    struct issuer *all[] = {&root,   &twin, &other,   &stranger,
                            &middle, &leaf, &of_twin, &of_stranger};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        issuer_release(all[i]);
}
END_TEST

/* What people add to the file by hand has no hash. */
START_TEST(a_file_counts_before_a_directory)
{
    struct issuer root = make("root", NULL, true, 2), leaf = make("leaf", &root, false, 2),
                  other = make("other", NULL, true, 2),
                  of_other = make("of other", &other, false, 2);
    FILE *file = open_file();
    PEM_write_X509(file, root.certificate);
    fclose(file);
    make_directory();
    write_into_directory(other.certificate, 0);
    const char *const files[] = {"/no/such/file", path, SYSTEM_FILE, NULL};
    ck_assert(trusts(files, directories, leaf.certificate, NULL));
    ck_assert(!trusts(files, directories, of_other.certificate, NULL));
    ck_assert(!trusts(system_file, directories, leaf.certificate, NULL));
    remove_directory();
    unlink(path);
    struct issuer *all[] = {&root, &leaf, &other, &of_other};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        issuer_release(all[i]);
}
END_TEST

/* A directory that holds no hash of a certificate that can be read. */
static void nothing(const X509 *certificate)
{
    (void)certificate;
}

static void a_link_that_leads_nowhere(const X509 *certificate)
{
    char name[128];
    add_hash(certificate, 0, name, sizeof name);
    ck_assert_int_eq(symlink("/usr/share/no/such/certificate.crt", name), 0);
}

static void other_files(const X509 *certificate)
{
    static const char *const names[] = {"4bfab552.pem", "4BFAB552.0",  "4bfab552",
                                        "4bfab5520.0",  "4bfab552.r0", "4bfab552.0~",
                                        "4bfab552.",    "4bfab552-0",  "ca.crt"};
    (void)certificate;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", directory, names[i]);
        fclose(fopen(name, "w"));
    }
}

static void (*const not_hashed[])(const X509 *certificate) = {nothing, a_link_that_leads_nowhere,
                                                              other_files};

START_TEST(a_machine_without_certificates)
{
    struct issuer root = make("root", NULL, true, 2);
    make_directory();
    not_hashed[_i](root.certificate);
    struct trust *trust = trust_new(no_such_file, directories);
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    struct error err = ERROR_INIT;
    ck_assert_int_eq(trust_apply(trust, ssl, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "ca-certificates"));
    SSL_CTX_free(ssl);
    trust_free(trust);
    remove_directory();
    issuer_release(&root);
}
END_TEST

/* ---- bad files ---- */

/* One that cannot be decoded costs nobody the others. */
START_TEST(a_broken_one_among_others)
{
    struct issuer root = make("root", NULL, true, 2);
    FILE *file = open_file();
    fputs("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", file);
    PEM_write_X509(file, root.certificate);
    fclose(file);
    const char *const files[] = {path, NULL};
    ck_assert(trusts(files, no_directories, root.certificate, NULL));
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
    const char *const files[] = {path, NULL};
    struct trust *trust = trust_new(files, no_directories);
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
    const char *const files[] = {path, NULL};
    struct trust *trust = trust_new(files, no_directories);
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
    tcase_add_loop_test(tests, layouts, 0, 4);
    tcase_add_loop_test(tests, the_systems, 0, 2);
    tcase_add_test(tests, a_directory);
    tcase_add_test(tests, a_file_counts_before_a_directory);
    tcase_add_loop_test(tests, a_machine_without_certificates, 0,
                        (int)(sizeof not_hashed / sizeof *not_hashed));
    tcase_add_test(tests, a_broken_one_among_others);
    tcase_add_test(tests, no_descriptor_is_left);
    tcase_add_loop_test(tests, files_that_hold_none, 0,
                        (int)(sizeof bad_files / sizeof *bad_files));
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return suite;
}
