/*
 * crypto_trust.h: the certificates that a run trusts, in one store for all of its connections.
 *
 * A system's 150 certificates stand in one file and, on most systems, also in a directory under the hashes of their subjects (openssl-rehash(1)). A run
 * meets two or three issuers: of a directory OpenSSL reads those alone, when a chain asks for them; to decode the whole file takes two thirds of the processor time
 * of all else that a run does when nothing has changed. Thread-safe.
 */
#ifndef CORE_CRYPTO_TRUST_H
#define CORE_CRYPTO_TRUST_H

#include <stddef.h>

#include "core/error.h"

struct trust; /* opaque */

/* One of the two, or both, which then hold the same certificates; NULL: not there. Borrowed for as long as the trust lives. */
struct trust_place {
    const char *directory; /* counts only if it holds a hash whose certificate can be read */
    const char *file;      /* PEM */
};

/*
 * The first of the places that is there is trusted; in it the directory before the file. They are looked at when the first connection asks. `places` is borrowed
 * for as long as the trust lives; there is one at least, and the first has a file, which is named where none is there.
 */
struct trust *trust_new(const struct trust_place *places, size_t count);
void trust_free(
    struct trust *trust); /* NULL is allowed; after the last SSL_CTX that it was applied to */

/*
 * Make an OpenSSL SSL_CTX trust these certificates and no others. One that is no root is trusted, too, as libcurl does; one that cannot be decoded is passed
 * over. -1: ERROR_INPUT when there is no such file, it may not be read or holds no certificate; ERROR_SYSTEM when this machine cannot open one
 * more; said with the file's name.
 */
int trust_apply(struct trust *trust, void *ssl_ctx, struct error *err);

#endif
