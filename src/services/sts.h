/*
 * sts.h: who we are, and whom we may become. Source: docs.aws.amazon.com/STS/latest/APIReference
 * (query protocol, XML answers).
 */
#ifndef SERVICES_STS_H
#define SERVICES_STS_H

#include <stdint.h>

#include "services/aws.h"
#include "services/credentials.h"

struct sts_identity {
    char account[16];
};
int sts_get_caller_identity(struct aws *aws, struct sts_identity *ret_identity, struct error *err);

struct sts_role { /* borrowed */
    const char *arn;
    const char *session_name;       /* NULL: "lambda-fastdeploy" */
    const char *external_id;        /* NULL: none; AssumeRole only */
    const char *web_identity_token; /* AssumeRoleWithWebIdentity only; secret */
    int64_t duration_s;             /* 0: the service's default of an hour */
};
/* Signed with the caller's own keys. Fills in keys and expiry; `source` is left "". */
int sts_assume_role(struct aws *aws, const struct sts_role *role,
                    struct credentials *ret_credentials, struct error *err);
/* Unsigned: the token is the proof. */
int sts_assume_role_with_web_identity(struct aws *aws, const struct sts_role *role,
                                      struct credentials *ret_credentials, struct error *err);

#endif
