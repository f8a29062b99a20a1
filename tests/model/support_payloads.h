/*
 * support_payloads.h: webhook payloads as GitHub sends them, cut to the members that matter and
 * some that must not, for the tests of event and gate. Written by hand after octokit/webhooks'
 * schemas and docs.github.com "Webhook events and payloads".
 */
#ifndef TESTS_MODEL_SUPPORT_PAYLOADS_H
#define TESTS_MODEL_SUPPORT_PAYLOADS_H

#include "model/event.h"

#define SHA_HEAD                                                                                   \
    "6113728f27ae82c7b1a177c8d03f9e96e0adf246"               /* what was pushed, or the PR's head  \
                                                              */
#define SHA_BASE  "a10867b14bb761a232cd80139fbd4c0d33264240" /* the base branch's */
#define SHA_MERGE "f95f852bd8fca8fcc58a9a2d6c842781e32a215e" /* GITHUB_SHA of a pull request */
#define SHA_OTHER "0123456789abcdef0123456789abcdef01234567"

struct delivery {
    const char *name; /* of the case, for the tests' messages */
    const char *event_name, *ref, *sha;
    const char *payload; /* NULL: none */
};

/* All deliveries, each by its name. */
extern const struct delivery deliveries[];
extern const int delivery_count;
const struct delivery *find_delivery(const char *name);

/* The event of a delivery; the test fails if it does not parse. The caller releases. */
struct event deliver(const char *name);

#endif
