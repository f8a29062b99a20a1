/*
 * sts.h: who we are. Source: docs.aws.amazon.com/STS/latest/APIReference (query protocol, XML
 * answers).
 */
#ifndef SERVICES_STS_H
#define SERVICES_STS_H

#include "services/aws.h"

struct sts_identity {
    char account[16];
    char arn[512];
};
int sts_get_caller_identity(struct aws *aws, struct sts_identity *ret_identity, struct error *err);

#endif
