/*
 * probe.h: one HTTP request to the deployed function, and whether the answer is the one that was
 * hoped for.
 */
#ifndef SERVICES_PROBE_H
#define SERVICES_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "core/strvec.h"

struct probe {          /* all borrowed */
    const char *method; /* NULL: GET */
    const char *url;    /* complete */
    const char *body;   /* NULL: none; sent as application/json unless `headers` say otherwise */
    const struct strvec *headers; /* "Name: value"; secret; may be NULL */
    int expect_status;            /* 0: any 2xx */
    const char *expect_text;      /* NULL: any answer */
    int64_t timeout_ms;
};

struct probe_result {
    bool good;
    int status;         /* 0: no answer */
    char why[512];      /* when it is not good: one sentence; holds a cut piece of the answer, a
                           stranger's text, on one line */
    struct strbuf body; /* its first 64 KiB; expect_text is looked for in all of it (32 MiB) */
    int64_t elapsed_ms;
};
#define PROBE_RESULT_INIT                                                                          \
    {                                                                                              \
        .body = STRBUF_INIT(65536)                                                                 \
    }
void probe_result_release(struct probe_result *result);

/* 0 whenever a verdict was reached, a failed connection included. -1: ERROR_INPUT (the URL),
 * ERROR_CANCELLED. */
int probe_send(struct http *http, const struct probe *probe, struct probe_result *ret_result,
               struct error *err);

/* Base URL (https://host/prod/) and path (/health) joined without doubled or lost slashes; a query
 * of the base stays, before that of the path; fragments go. Heap. */
char *probe_join_url(const char *base, const char *path);

#endif
