/*
 * support_aws.h: an AWS that answers from a script, and a clock that stands still. For tests of
 * what is built on services/aws.c.
 *
 * One script at a time, in this process. A request behind the script's end fails the test.
 */
#ifndef TESTS_SERVICES_SUPPORT_AWS_H
#define TESTS_SERVICES_SUPPORT_AWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/json.h"
#include "services/aws.h"

#define FAKE_MAX_REQUESTS 32
#define FAKE_WALL         1795440000 /* 2026-11-23T13:20:00Z, the clock's time at the start */

struct fake_answer {
    int status;       /* 0: no answer, `error` instead */
    const char *body; /* NULL: empty */
    size_t body_len;  /* 0: strlen(body) */
    struct http_header headers[4];
    enum error_kind error;
    const char *error_name; /* "connect", "reset"… */
};

struct fake_request {
    char *method, *url, *body; /* owned */
    size_t body_len;
    int64_t timeout_ms, idle_timeout_ms;
    bool allow_plain_http;
    char **names, **values; /* owned; headers as they were sent */
    size_t header_count;
};

struct fake {
    const struct fake_answer *answers; /* borrowed */
    size_t count;
    struct fake_request requests[FAKE_MAX_REQUESTS];
    size_t sent;
    int64_t sleeps[FAKE_MAX_REQUESTS];
    size_t slept;
    int64_t wall_s;         /* what our clock says */
    size_t cancel_at_sleep; /* this one, counted from 1, is cut short by a cancel; 0: none */
    struct credentials_chain chain; /* static keys AKIDEXAMPLE */
    struct aws aws;
};

/* Install; `environment` is NULL-terminated, or NULL: empty. */
void fake_start(struct fake *fake, const struct fake_answer *answers, size_t count,
                const char *const *environment);
/* Only the seams and the clock: for tests that have a chain of their own. */
void fake_listen(struct fake *fake, const struct fake_answer *answers, size_t count);
/* Take everything back; all answers must have been asked for. */
void fake_stop(struct fake *fake);

/* A header of a request, or NULL. */
const char *fake_header(const struct fake_request *request, const char *name);
/* Fails the test unless the body is JSON equal to `expected`. */
void fake_expect_json(const struct fake_request *request, const char *expected);

#endif
