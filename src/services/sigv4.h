/*
 * sigv4.h: AWS Signature Version 4, header signing. Pure.
 *
 * Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html;
 * proven by AWS's published test suite. For every service but S3 the canonical path is the path as
 * sent, normalised (dots, double slashes) and percent-encoded once more.
 */
#ifndef SERVICES_SIGV4_H
#define SERVICES_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/http.h"
#include "core/strbuf.h"

struct sigv4_request { /* all borrowed */
    const char *method;
    const char *path;                  /* as sent on the wire, begins with '/' */
    const char *query;                 /* as sent, without '?'; NULL or "": none */
    const struct http_header *headers; /* all are signed; "host" must be among them; values may be
                                          folded or have white space around */
    size_t header_count;
    const char *body;
    size_t body_len;
};

struct sigv4_signer { /* all borrowed */
    const char *access_key_id, *secret_access_key;
    const char *session_token; /* NULL: none */
    const char *region, *service;
    int64_t wall_seconds;
    bool keep_path;           /* do not normalise (S3, and a part of the test suite) */
    bool token_after_signing; /* the token's header is sent but not signed (a part of the test
                                 suite) */
};

struct sigv4 {                   /* what must be sent besides the request's own headers */
    char date[17];               /* X-Amz-Date */
    struct strbuf authorization; /* Authorization */
    struct strbuf canonical_request,
        string_to_sign; /* for tests and debugging; no secrets but a signed session token */
    char signature[65];
};

#define SIGV4_INIT                                                                                 \
    {                                                                                              \
        .authorization = STRBUF_INIT(8192), .canonical_request = STRBUF_INIT(STRBUF_NO_CAP),       \
        .string_to_sign = STRBUF_INIT(4096)                                                        \
    }
void sigv4_release(struct sigv4 *sigv4);

/* X-Amz-Date and, if there is one, X-Amz-Security-Token are added to the signed headers by this
 * function; the caller sends them. */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_signer *signer,
                struct sigv4 *ret_sigv4);

#endif
