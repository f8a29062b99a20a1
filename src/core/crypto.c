#include "core/crypto.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/memory.h"

/* SHA-256 and randomness cannot fail on a working system; without them nothing may go on. */
static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "lambda-fastdeploy: %s is not available\n", what);
    abort();
}

/* ---- hashes ---- */

void crypto_sha256(const void *bytes, size_t len, unsigned char ret_hash[SHA256_BYTES])
{
    if (!EVP_Digest(bytes ? bytes : "", len, ret_hash, NULL, EVP_sha256(), NULL))
        give_up("SHA-256");
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        unsigned char ret_hash[SHA256_BYTES])
{
    size_t out_len = 0;
    const unsigned char *data = bytes ? bytes : (const unsigned char *)"";
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key ? key : "", key_len, data, len, ret_hash,
                   SHA256_BYTES, &out_len) ||
        out_len != SHA256_BYTES)
        give_up("HMAC-SHA-256");
}

void crypto_hex(const unsigned char *bytes, size_t len, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_hex[2 * len] = '\0';
}

void crypto_sha256_hex(const void *bytes, size_t len, char ret_hex[SHA256_HEX])
{
    unsigned char hash[SHA256_BYTES];
    crypto_sha256(bytes, len, hash);
    crypto_hex(hash, sizeof hash, ret_hex);
}

struct sha256 {
    EVP_MD_CTX *context; /* owned */
};

struct sha256 *sha256_new(void)
{
    struct sha256 *hash = memory_new(sizeof *hash);
    hash->context = EVP_MD_CTX_new();
    if (!hash->context || !EVP_DigestInit_ex2(hash->context, EVP_sha256(), NULL))
        give_up("SHA-256");
    return hash;
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t len)
{
    if (!EVP_DigestUpdate(hash->context, bytes, len))
        give_up("SHA-256");
}

void sha256_finish(struct sha256 *hash, unsigned char ret_hash[SHA256_BYTES])
{
    /* The same algorithm again: naming it would make OpenSSL look it up each time. */
    if (!EVP_DigestFinal_ex(hash->context, ret_hash, NULL) ||
        !EVP_DigestInit_ex2(hash->context, NULL, NULL))
        give_up("SHA-256");
}

void sha256_free(struct sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

/* ---- random bytes ---- */

void crypto_random(void *bytes, size_t len)
{
    unsigned char *place = bytes;
    while (len > 0) {
        ssize_t got = getrandom(place, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            give_up("the system's random generator");
        place += got;
        len -= (size_t)got;
    }
}

void crypto_random_hex(char *ret_hex, size_t len)
{
    unsigned char bytes[32];
    char hex[2 * sizeof bytes + 1];
    size_t done = 0;
    while (done < len) {
        size_t part = len - done < 2 * sizeof bytes ? len - done : 2 * sizeof bytes;
        crypto_random(bytes, sizeof bytes);
        crypto_hex(bytes, sizeof bytes, hex);
        memcpy(ret_hex + done, hex, part);
        done += part;
    }
    ret_hex[len] = '\0';
}

double crypto_random_unit(void)
{
    uint64_t bits = 0;
    crypto_random(&bits, sizeof bits);
    return (double)(bits >> 11) / 9007199254740992.0; /* 53 bits over 2^53 */
}

/* ---- base64 ---- */

void crypto_base64(struct strbuf *out, const void *bytes, size_t len)
{
    enum { PIECE = 48 }; /* a multiple of three: only the last piece is padded */
    const unsigned char *place = bytes;
    unsigned char text[PIECE / 3 * 4 + 1];
    while (len > 0) {
        size_t part = len < PIECE ? len : PIECE;
        int text_len = EVP_EncodeBlock(text, place, (int)part);
        strbuf_add(out, text, (size_t)text_len);
        place += part;
        len -= part;
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

/* `text` without its padding, or false if that is wrong: none at all, or exactly what is due. */
static bool strip_padding(const char *text, size_t *len)
{
    size_t digits = *len;
    while (digits > 0 && *len - digits < 2 && text[digits - 1] == '=')
        digits--;
    if (digits % 4 == 1 || (digits != *len && *len % 4 != 0))
        return false;
    *len = digits;
    return true;
}

/* False at a character that is none, or when bits are left over that are not zero. */
static bool decode_digits(struct strbuf *out, const char *text, size_t len)
{
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            strbuf_addch(out, (char)(bits >> count & 0xff));
        }
    }
    return (bits & ((1U << count) - 1)) == 0;
}

int crypto_base64_decode(struct strbuf *out, const char *text, size_t len, struct error *err)
{
    size_t before = out->len;
    if (!strip_padding(text, &len) || !decode_digits(out, text, len)) {
        strbuf_truncate(out, before);
        return error_set(err, ERROR_PROTOCOL, "not base64");
    }
    if (out->overflowed)
        return error_set(err, ERROR_TOO_LARGE, "base64 of more than %zu bytes", out->cap);
    return 0;
}
