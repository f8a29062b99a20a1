#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/crypto.h"

Suite *crypto_suite(void);

/* ---- SHA-256: FIPS 180-4's examples (NIST "SHA256" example values) ---- */

static const struct {
    const char *text;
    const char *hex;
} hashes[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(sha256_case)
{
    char hex[SHA256_HEX];
    const char *text = hashes[_i].text;
    crypto_sha256_hex(text, strlen(text), hex);
    ck_assert_str_eq(hex, hashes[_i].hex);

    /* Byte by byte, and twice with the same object. */
    struct sha256 *hash = sha256_new();
    for (int round = 0; round < 2; round++) {
        unsigned char bytes[SHA256_BYTES];
        for (size_t i = 0; i < strlen(text); i++)
            sha256_add(hash, text + i, 1);
        sha256_finish(hash, bytes);
        crypto_hex(bytes, sizeof bytes, hex);
        ck_assert_str_eq(hex, hashes[_i].hex);
    }
    sha256_free(hash);
}
END_TEST

START_TEST(sha256_edges)
{
    unsigned char empty[SHA256_BYTES], none[SHA256_BYTES];
    crypto_sha256("", 0, empty);
    crypto_sha256(NULL, 0, none);
    ck_assert_mem_eq(empty, none, sizeof none);
    char hex[SHA256_HEX];
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    crypto_sha256_hex(million, 1000000, hex);
    free(million);
    ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_free(NULL);
}
END_TEST

/* ---- HMAC-SHA-256: RFC 4231, cases 1, 2, 3 and 6 ---- */

static const struct {
    int key_byte; /* -1: `key` is text */
    size_t key_len;
    const char *key;
    int data_byte;
    size_t data_len;
    const char *data;
    const char *hex;
} macs[] = {
    {0x0b, 20, NULL, -1, 8, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {-1, 4, "Jefe", -1, 28, "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {0xaa, 20, NULL, 0xdd, 50, NULL,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {0xaa, 131, NULL, -1, 54, "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

START_TEST(hmac_case)
{
    char key[200], data[200], hex[SHA256_HEX];
    unsigned char mac[SHA256_BYTES];
    memset(key, macs[_i].key_byte, sizeof key);
    memset(data, macs[_i].data_byte, sizeof data);
    crypto_hmac_sha256(macs[_i].key ? macs[_i].key : key, macs[_i].key_len,
                       macs[_i].data ? macs[_i].data : data, macs[_i].data_len, mac);
    crypto_hex(mac, sizeof mac, hex);
    ck_assert_str_eq(hex, macs[_i].hex);
}
END_TEST

/* An empty key and an empty text are a MAC too (RFC 2104 pads the key with zeros). */
START_TEST(hmac_empty)
{
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX];
    crypto_hmac_sha256(NULL, 0, NULL, 0, mac);
    crypto_hex(mac, sizeof mac, hex);
    ck_assert_str_eq(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
END_TEST

START_TEST(hex)
{
    char hex_text[9];
    crypto_hex((const unsigned char *)"\x00\x0f\xf0\xff", 4, hex_text);
    ck_assert_str_eq(hex_text, "000ff0ff");
    crypto_hex((const unsigned char *)"", 0, hex_text);
    ck_assert_str_eq(hex_text, "");
}
END_TEST

/* ---- randomness: no two alike, in range, within its place ---- */

START_TEST(random_values)
{
    unsigned char a[32] = {0}, b[32] = {0};
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    ck_assert_mem_ne(a, b, sizeof a);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double unit = crypto_random_unit();
        ck_assert(unit >= 0 && unit < 1);
        sum += unit;
    }
    ck_assert(sum > 4800 && sum < 5200); /* seven standard deviations */
}
END_TEST

START_TEST(random_hex)
{
    static const size_t lengths[] = {0, 1, 7, 16, 63, 64, 65, 200};
    size_t len = lengths[_i];
    char text[203];
    memset(text, '!', sizeof text);
    crypto_random_hex(text, len);
    ck_assert_uint_eq(strlen(text), len);
    ck_assert_uint_eq(strspn(text, "0123456789abcdef"), len);
    ck_assert_int_eq(text[len + 1], '!');
}
END_TEST

/* ---- base64: RFC 4648 §10, and what is not base64 ---- */

static const struct {
    const char *plain;
    const char *text;
} encodings[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

START_TEST(base64_case)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(100);
    struct error err = ERROR_INIT;
    crypto_base64(&out, encodings[_i].plain, strlen(encodings[_i].plain));
    ck_assert_str_eq(out.buf, encodings[_i].text);
    strbuf_reset(&out);
    ck_assert_int_eq(
        crypto_base64_decode(&out, encodings[_i].text, strlen(encodings[_i].text), &err), 0);
    ck_assert_str_eq(out.buf, encodings[_i].plain);
    strbuf_reset(&out);
    size_t bare = strcspn(encodings[_i].text, "=");
    ck_assert_int_eq(crypto_base64_decode(&out, encodings[_i].text, bare, &err), 0);
    ck_assert_str_eq(out.buf, encodings[_i].plain);
}
END_TEST

START_TEST(base64_round_trip)
{
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(1000);
        CLEANUP(strbuf) struct strbuf back = STRBUF_INIT(1000);
        struct error err = ERROR_INIT;
        crypto_base64(&text, bytes, len);
        ck_assert_uint_eq(text.len, (len + 2) / 3 * 4);
        ck_assert_int_eq(crypto_base64_decode(&back, text.buf, text.len, &err), 0);
        ck_assert_uint_eq(back.len, len);
        ck_assert_mem_eq(back.buf, bytes, len);
    }
}
END_TEST

START_TEST(base64_url_alphabet)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(100);
    struct error err = ERROR_INIT;
    ck_assert_int_eq(crypto_base64_decode(&out, "-_-_", 4, &err), 0);
    ck_assert_str_eq(out.buf, "\xfb\xff\xbf");
}
END_TEST

static const char *const not_base64[] = {
    "A",    "=",      "==",    "====",     "Zg=",  "Zg===", "Zm8==", "Zm9v=", "Zm9v====",
    "Z g=", "Zg==\n", " Zg==", "Zg==Zg==", "Zg.=", "Zh==",  "Zm9=",  "Zm9vY", "\xc3\xa9==",
};

START_TEST(base64_refused)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(100);
    struct error err = ERROR_INIT;
    strbuf_addstr(&out, "kept");
    ck_assert_int_eq(crypto_base64_decode(&out, not_base64[_i], strlen(not_base64[_i]), &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_str_eq(out.buf, "kept");
}
END_TEST

START_TEST(base64_cap)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(2);
    struct error err = ERROR_INIT;
    ck_assert_int_eq(crypto_base64_decode(&out, "Zm9v", 4, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
}
END_TEST

Suite *crypto_suite(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tc = tcase_create("crypto");
    tcase_add_loop_test(tc, sha256_case, 0, sizeof hashes / sizeof *hashes);
    tcase_add_test(tc, sha256_edges);
    tcase_add_loop_test(tc, hmac_case, 0, sizeof macs / sizeof *macs);
    tcase_add_test(tc, hmac_empty);
    tcase_add_test(tc, hex);
    tcase_add_test(tc, random_values);
    tcase_add_loop_test(tc, random_hex, 0, 8);
    tcase_add_loop_test(tc, base64_case, 0, sizeof encodings / sizeof *encodings);
    tcase_add_test(tc, base64_round_trip);
    tcase_add_test(tc, base64_url_alphabet);
    tcase_add_loop_test(tc, base64_refused, 0, sizeof not_base64 / sizeof *not_base64);
    tcase_add_test(tc, base64_cap);
    suite_add_tcase(suite, tc);
    return suite;
}
