/*
 * crypto.h: hashes, random bytes and encodings, by OpenSSL (crypto*.c alone include it).
 */
#ifndef CORE_CRYPTO_H
#define CORE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strbuf.h"

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* with the terminator */

void crypto_sha256(const void *bytes, size_t len, unsigned char ret_hash[SHA256_BYTES]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        unsigned char ret_hash[SHA256_BYTES]);
void crypto_hex(const unsigned char *bytes, size_t len, char *ret_hex); /* 2 * len + 1 bytes */
void crypto_sha256_hex(const void *bytes, size_t len, char ret_hex[SHA256_HEX]);

struct sha256; /* streaming; opaque */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *hash, const void *bytes, size_t len);
void sha256_finish(struct sha256 *hash,
                   unsigned char ret_hash[SHA256_BYTES]); /* and ready for the next one */
void sha256_free(struct sha256 *hash);

/* From the system's generator. Ends the process if there is none: nothing sensible can be done
 * without. */
void crypto_random(void *bytes, size_t len);
/* "3f9a…": `len` hex digits of randomness and a terminator. */
void crypto_random_hex(char *ret_hex, size_t len);
/* Uniform in [0, 1). */
double crypto_random_unit(void);

void crypto_base64(struct strbuf *out, const void *bytes, size_t len);
/* Standard or URL alphabet, padding optional, white space not allowed, no bits left over. Added to
 * `out`; ERROR_PROTOCOL if it is not base64 (then nothing is added), ERROR_TOO_LARGE over the cap.
 */
int crypto_base64_decode(struct strbuf *out, const char *text, size_t len, struct error *err);

#endif
