/*
 * crypto_trust.h: the certificates that a run trusts, read once for all of its connections.
 *
 * A system's file holds 150 certificates, and to decode them all takes a third of the processor time of a run that changes nothing; libcurl would even do it
 * for each of its multi handles. A run meets two or three issuers: the certificates' bytes are kept, with a digest of each one's subject, and those that may be
 * meant are decoded when a chain asks for a subject (an X509_LOOKUP, docs.openssl.org/3.0/man3/X509_LOOKUP_meth_new). Thread-safe.
 */
#ifndef CORE_CRYPTO_TRUST_H
#define CORE_CRYPTO_TRUST_H

#include "core/error.h"

struct trust; /* opaque */

/* `ca_file` holds PEM certificates; it is read when the first connection asks. */
struct trust *trust_new(const char *ca_file);
void trust_free(
    struct trust *trust); /* NULL is allowed; after the last SSL_CTX that it was applied to */

/*
 * Make an OpenSSL SSL_CTX trust these certificates and no others. As libcurl does: one in the file is trusted even if it is not a root, and one that cannot be
 * decoded is passed over. -1: ERROR_INPUT when there is no such file, it may not be read or holds no certificate; ERROR_SYSTEM when this machine cannot open one
 * more; said with the file's name.
 */
int trust_apply(struct trust *trust, void *ssl_ctx, struct error *err);

#endif
