/*
 * oidc.h: the identity token that GitHub gives a job with `permissions: id-token: write`.
 *
 * The token is a secret for as long as it lives (minutes): it is sent to STS and nowhere else.
 * Sources: docs.github.com/en/actions/reference/security/oidc (the request URL and token in
 * ACTIONS_ID_TOKEN_REQUEST_*, the claims); github.com/actions/toolkit packages/core oidc-utils.
 */
#ifndef SERVICES_OIDC_H
#define SERVICES_OIDC_H

#include "core/error.h"
#include "core/http.h"
#include "core/strbuf.h"

struct oidc_request {     /* all borrowed */
    const char *url;      /* ACTIONS_ID_TOKEN_REQUEST_URL, with a query of its own */
    const char *token;    /* ACTIONS_ID_TOKEN_REQUEST_TOKEN; secret */
    const char *audience; /* NULL: "sts.amazonaws.com" */
};

/* A token in *ret_token (heap, secret: memory_free_secret). Transient errors are tried again as
 * services/http_retry.h says, whose errors these are; ERROR_PROTOCOL if the answer is no token. */
int oidc_get_token(struct http *http, const struct oidc_request *request, char **ret_token,
                   struct error *err);

/*
 * What a token says of its job, for a message: `sub "repo:o/r:ref:refs/heads/main", aud "…"` and,
 * where they are there, repository, ref and environment. Adds nothing if it is no token. Nothing
 * is verified: that is for whom the token is meant. Pure.
 */
void oidc_add_claims(struct strbuf *out, const char *token);

#endif
