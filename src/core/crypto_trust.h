/*
 * crypto_trust.h: the certificates that a run trusts, read once for all of its connections.
 *
 * libcurl reads the file anew for each of its multi handles; a system's file of 150 certificates takes ten milliseconds of a processor each time. Thread-safe.
 */
#ifndef CORE_CRYPTO_TRUST_H
#define CORE_CRYPTO_TRUST_H

#include <stdbool.h>

struct trust; /* opaque */

/* `ca_file` holds PEM certificates; it is read when the first connection asks. */
struct trust *trust_new(const char *ca_file);
void trust_free(struct trust *trust); /* NULL is allowed */

/* Make an OpenSSL SSL_CTX trust these certificates and no others. False: the file cannot be read, or holds none. */
bool trust_apply(struct trust *trust, void *ssl_ctx);

#endif
