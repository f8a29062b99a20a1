#include "services/support_aws.h"

#include <check.h>
#include <stdlib.h>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

static int64_t fake_now(void *context)
{
    (void)context;
    return 1000;
}

static int64_t fake_wall(void *context)
{
    return ((struct fake *)context)->wall_s;
}

static bool fake_sleep(void *context, int64_t ms)
{
    struct fake *fake = context;
    ck_assert_uint_lt(fake->slept, FAKE_MAX_REQUESTS);
    fake->sleeps[fake->slept++] = ms;
    return fake->slept != fake->cancel_at_sleep;
}

static void record(struct fake_request *to, const struct http_request *request)
{
    to->method = memory_copy_string(request->method);
    to->url = memory_copy_string(request->url);
    to->body = request->body ? memory_copy_bytes(request->body, request->body_len) : NULL;
    to->body_len = request->body ? request->body_len : 0;
    to->timeout_ms = request->timeout_ms;
    to->idle_timeout_ms = request->idle_timeout_ms;
    to->allow_plain_http = request->allow_plain_http;
    to->header_count = request->header_count;
    to->names = memory_new((request->header_count + 1) * sizeof *to->names);
    to->values = memory_new((request->header_count + 1) * sizeof *to->values);
    for (size_t i = 0; i < request->header_count; i++) {
        to->names[i] = memory_copy_string(request->headers[i].name);
        to->values[i] = memory_copy_string(request->headers[i].value);
    }
}

static int fake_send(void *context, const struct http_request *request,
                     struct http_response *ret_response, struct error *err)
{
    struct fake *fake = context;
    ck_assert_msg(fake->sent < fake->count, "request %zu is one too many: %s %s", fake->sent + 1,
                  request->method, request->url);
    const struct fake_answer *answer = &fake->answers[fake->sent];
    record(&fake->requests[fake->sent++], request);
    if (answer->status == 0) {
        error_set(err, answer->error, "%s api.example: it broke", request->method);
        snprintf(err->name, sizeof err->name, "%s", answer->error_name ? answer->error_name : "");
        return -1;
    }
    const char *body = answer->body ? answer->body : "";
    http_response_release(ret_response);
    http_response_fill(ret_response, answer->status, body,
                       answer->body_len ? answer->body_len : strlen(body));
    for (size_t i = 0; i < 4 && answer->headers[i].name; i++)
        http_response_add_header(ret_response, answer->headers[i].name, answer->headers[i].value);
    return 0;
}

void fake_listen(struct fake *fake, const struct fake_answer *answers, size_t count)
{
    static struct clock_source source = {
        .now_ms = fake_now, .wall_seconds = fake_wall, .sleep_ms = fake_sleep};
    *fake = (struct fake){.answers = answers, .count = count, .wall_s = FAKE_WALL};
    source.context = fake;
    clock_replace(&source);
    http_replace(fake_send, fake);
}

void fake_start(struct fake *fake, const struct fake_answer *answers, size_t count,
                const char *const *environment)
{
    static const char *const nothing[] = {NULL};
    struct error err = ERROR_INIT;
    fake_listen(fake, answers, count);
    const struct credentials_context context = {
        .environ = nothing, .access_key_id = "AKIDEXAMPLE", .secret_access_key = "example-secret"};
    credentials_chain_init(&fake->chain, &context);
    ck_assert_msg(aws_init(&fake->aws, NULL, &fake->chain, environment ? environment : nothing,
                           "us-east-1", &err) == 0,
                  "%s", err.msg);
}

void fake_stop(struct fake *fake)
{
    ck_assert_uint_eq(fake->sent, fake->count);
    for (size_t i = 0; i < fake->sent; i++) {
        struct fake_request *request = &fake->requests[i];
        for (size_t j = 0; j < request->header_count; j++) {
            free(request->names[j]);
            free(request->values[j]);
        }
        free(request->names);
        free(request->values);
        free(request->method);
        free(request->url);
        free(request->body);
    }
    aws_release(&fake->aws);
    credentials_chain_release(&fake->chain);
    clock_replace(NULL);
    http_replace(NULL, NULL);
    cancel_pretend(0);
}

const char *fake_header(const struct fake_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (text_equal_ignore_case(request->names[i], name))
            return request->values[i];
    return NULL;
}

void fake_expect_json(const struct fake_request *request, const char *expected)
{
    struct json *sent = NULL;
    struct json *wanted = NULL;
    ck_assert_ptr_nonnull(request->body);
    ck_assert_int_eq(json_parse(request->body, request->body_len, &sent, NULL), 0);
    ck_assert_int_eq(json_parse(expected, strlen(expected), &wanted, NULL), 0);
    ck_assert_msg(json_equal(sent, wanted), "sent %s", request->body);
    json_free(sent);
    json_free(wanted);
}
