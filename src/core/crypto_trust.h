/*
 * crypto_trust.h: the certificates that a run trusts, in one store for all of its connections.
 *
 * A system's 150 certificates stand in one file, which OpenSSL decodes whole: 24 ms of processor
 * time. Where there is none, as in the action's image, they lie in a directory under the hashes of
 * their subjects (openssl-rehash(1)): of it OpenSSL reads those alone that a chain asks for, two or
 * three. A file comes first, since where both are there the directory may hold fewer: a file of
 * several certificates has no hash, and people add their own to the file by hand. Thread-safe.
 */
#ifndef CORE_CRYPTO_TRUST_H
#define CORE_CRYPTO_TRUST_H

#include "core/error.h"

struct trust; /* opaque */

/*
 * The first of the PEM `files` that can be read is trusted; where none can, what lies in
 * `directories`. They are looked at when the first connection asks. Both end with NULL and are
 * borrowed for as long as the trust lives; there is one file at least. No directories: somebody has
 * named the file.
 */
struct trust *trust_new(const char *const *files, const char *const *directories);
void trust_free(
    struct trust *trust); /* NULL is allowed; after the last SSL_CTX that it was applied to */

/*
 * Make an OpenSSL SSL_CTX trust these certificates and no others. One that is no root is trusted,
 * too, as libcurl does; one that cannot be decoded is passed over. -1: ERROR_INPUT when the file
 * that was named is not there, may not be read or holds no certificate; ERROR_SYSTEM when this
 * machine has none, or cannot open one more file. A certificate of a directory that cannot be
 * opened is one that is not there.
 */
int trust_apply(struct trust *trust, void *ssl_ctx, struct error *err);

#endif
