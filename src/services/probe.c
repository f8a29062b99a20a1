#include "services/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"

#define BODY_KEPT_BYTES 65536 /* as PROBE_RESULT_INIT */
#define BODY_MAX_BYTES  ((size_t)32 << 20)
#define SHOWN_BYTES     200
#define MAX_HEADERS     64

void probe_result_release(struct probe_result *result)
{
    strbuf_release(&result->body);
}

char *probe_join_url(const char *base, const char *path)
{
    struct strbuf url = STRBUF_INIT(STRBUF_NO_CAP);
    size_t base_len = strcspn(base, "?#");
    size_t path_len = strcspn(path, "?#");
    int queries = 0;
    const char *const tails[] = {base + base_len, path + path_len};
    while (base_len > 0 && base[base_len - 1] == '/')
        base_len--;
    strbuf_add(&url, base, base_len);
    if (path[0] != '/')
        strbuf_addch(&url, '/');
    strbuf_add(&url, path, path_len);
    for (int i = 0; i < 2; i++) {
        size_t len = strcspn(tails[i], "#"); /* a fragment is never sent */
        if (len < 2)
            continue;
        strbuf_addch(&url, queries++ == 0 ? '?' : '&');
        strbuf_add(&url, tails[i] + 1, len - 1);
    }
    return strbuf_detach(&url);
}

struct split_headers {
    struct http_header items[MAX_HEADERS];
    char *names[MAX_HEADERS]; /* owned */
    size_t len;
};

static void split_headers_release(struct split_headers *headers)
{
    for (size_t i = 0; i < headers->len; i++)
        free(headers->names[i]);
}

static void add_header(struct split_headers *headers, const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon || headers->len == MAX_HEADERS)
        return; /* model/inputs has refused both */
    char *name = memory_copy_bytes(line, (size_t)(colon - line));
    headers->names[headers->len] = name;
    headers->items[headers->len++] =
        (struct http_header){.name = name, .value = colon + 1 + strspn(colon + 1, " \t")};
}

/* A piece of the answer for people: one line, harmless, short. */
static void describe(const char *before, const char *bytes, size_t len, char *why, size_t size)
{
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(SHOWN_BYTES * 8);
    text_add_visible(&shown, bytes, len, SHOWN_BYTES, false);
    size_t used = strlen(why);
    if (shown.len > 0 && used < size)
        snprintf(why + used, size - used, "%s%s", before, shown.buf);
}

static void judge(const struct probe *probe, const struct http_response *response,
                  struct probe_result *result)
{
    bool status_good = probe->expect_status ? response->status == probe->expect_status
                                            : response->status >= 200 && response->status <= 299;
    const struct strbuf *body = &response->body;
    char *why = result->why;
    const char *location = http_response_header(response, "location");
    const char *wanted = status_good ? probe->expect_text : NULL;
    result->good = status_good && (!wanted || memmem(body->buf, body->len, wanted, strlen(wanted)));
    if (result->good)
        return;
    snprintf(why, sizeof result->why, "answered %d", response->status);
    if (wanted) {
        describe(", but without \"", wanted, strlen(wanted), why, sizeof result->why);
        snprintf(why + strlen(why), sizeof result->why - strlen(why), "\"");
    } else if (location) {
        describe(", which leads to ", location, strlen(location), why, sizeof result->why);
    }
    describe(": ", body->buf, body->len, why, sizeof result->why);
}

static bool has_header(const struct strvec *lines, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; lines && i < lines->len; i++)
        if (strncasecmp(lines->items[i], name, len) == 0 && lines->items[i][len] == ':')
            return true;
    return false;
}

int probe_send(struct http *http, const struct probe *probe, struct probe_result *ret_result,
               struct error *err)
{
    CLEANUP(split_headers) struct split_headers headers = {.len = 0};
    if (probe->body && !has_header(probe->headers, "content-type"))
        add_header(&headers, "Content-Type: application/json");
    for (size_t i = 0; probe->headers && i < probe->headers->len; i++)
        add_header(&headers, probe->headers->items[i]);
    const struct http_request request = {
        .method = probe->method ? probe->method : "GET",
        .url = probe->url,
        .headers = headers.items,
        .header_count = headers.len,
        .body = probe->body,
        .body_len = probe->body ? strlen(probe->body) : 0,
        .timeout_ms = probe->timeout_ms,
        .idle_timeout_ms = probe->timeout_ms,
        .max_body_bytes = BODY_MAX_BYTES,
    };
    struct probe_result result = PROBE_RESULT_INIT;
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    struct error local = ERROR_INIT;
    if (http_send(http, &request, &response, &local) < 0) {
        if (local.kind == ERROR_INPUT || local.kind == ERROR_CANCELLED) {
            if (err)
                *err = local;
            return -1;
        }
        snprintf(result.why, sizeof result.why, "no answer: %s", local.msg);
    } else {
        result.status = response.status;
        result.elapsed_ms = response.elapsed_ms;
        judge(probe, &response, &result);
        size_t len = response.body.len;
        strbuf_add(&result.body, response.body.buf, len < BODY_KEPT_BYTES ? len : BODY_KEPT_BYTES);
    }
    probe_result_release(ret_result);
    *ret_result = result;
    return 0;
}
