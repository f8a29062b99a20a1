#include "services/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/retry.h"
#include "core/text.h"
#include "services/docker_stream.h"

#define CALL_TIMEOUT_MS   30000
#define REMOVE_TIMEOUT_MS 60000
#define REMOVE_TRIES      3
#define REMOVE_PAUSE_MS   200
#define PULL_TRIES        3
#define CONTAINER_LABEL   "io.github.lambda-fastdeploy"
#define CONTAINER_NAME    "lambda-fastdeploy-check-"
#define NAME_DIGITS       16
#define HEAD_MAX_BYTES    4096 /* of a streamed answer, for its error */
#define LINE_MAX_BYTES    65536
#define STREAM_MAX_BYTES  ((size_t)1 << 32)

struct call {                  /* one request to the engine; all borrowed */
    const char *method, *path; /* path begins with '/', without the version */
    const struct json *body;   /* NULL: none */
    const char *registry_auth; /* NULL: none; secret */
    int64_t timeout_ms;
    bool cleans_up;
    int (*on_body)(void *context, const char *bytes, size_t len);
    void *context;
};

/* Only where nothing was reached: an answer that breaks off is another story. */
static int explain_no_engine(const struct docker *docker, struct error *err)
{
    if (!text_equal(err->name, "connect"))
        return -1;
    if (faccessat(AT_FDCWD, docker->socket, R_OK | W_OK, AT_EACCESS) < 0 && errno == EACCES)
        return error_set(err, ERROR_DENIED,
                         "this user may not use the Docker engine at %s; run as root, or add the "
                         "user to the socket's group (usually docker)",
                         docker->socket);
    return error_set(err, ERROR_NOT_FOUND,
                     "there is no Docker engine at %s; run on a Linux runner with Docker, mount "
                     "its socket, or name a builder",
                     docker->socket);
}

/* The engine reads the URL alphabet only. */
static void add_registry_auth(struct strbuf *out, const char *base64)
{
    for (; base64 && *base64; base64++)
        strbuf_addch(out, *base64 == '+' ? '-' : *base64 == '/' ? '_' : *base64);
}

static int send_call(const struct docker *docker, const struct call *call,
                     struct http_response *response, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(8192), body = STRBUF_INIT(STRBUF_NO_CAP);
    struct strbuf auth = STRBUF_INIT(STRBUF_NO_CAP);
    struct http_header headers[2];
    size_t header_count = 0;
    strbuf_addf(&url, "http://localhost%s", call->path);
    if (call->body) {
        json_print(call->body, &body);
        headers[header_count++] = (struct http_header){"Content-Type", "application/json"};
    }
    add_registry_auth(&auth, call->registry_auth);
    if (call->registry_auth)
        headers[header_count++] = (struct http_header){"X-Registry-Auth", auth.buf};
    int64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : CALL_TIMEOUT_MS;
    const struct http_request request = {.method = call->method,
                                         .url = url.buf,
                                         .headers = headers,
                                         .header_count = header_count,
                                         .body = call->body ? body.buf : NULL,
                                         .body_len = body.len,
                                         .unix_socket = docker->socket,
                                         .timeout_ms = timeout_ms,
                                         .idle_timeout_ms = timeout_ms,
                                         .cleans_up = call->cleans_up,
                                         .max_body_bytes = call->on_body ? STREAM_MAX_BYTES : 0,
                                         .on_body = call->on_body,
                                         .context = call->context};
    int rc = http_send(docker->http, &request, response, err);
    strbuf_release_secret(&auth);
    return rc < 0 ? explain_no_engine(docker, err) : 0;
}

/* `head` is the beginning of a streamed answer; NULL: the answer was collected. */
static int answer_error(const struct http_response *response, const struct strbuf *head,
                        const char *what, struct error *err)
{
    struct error ignored = ERROR_INIT; /* not JSON: the status must do */
    CLEANUP(json) struct json *json = NULL;
    const struct strbuf *body = head && head->len > 0 ? head : &response->body;
    if (body->len > 0)
        json_parse(body->buf, body->len, &json, &ignored);
    const char *message = json_get_string(json, "message");
    enum error_kind kind = response->status == 404   ? ERROR_NOT_FOUND
                           : response->status == 403 ? ERROR_DENIED
                           : response->status == 429 ? ERROR_THROTTLED
                           : response->status >= 500 ? ERROR_SERVER
                                                     : ERROR_REFUSED;
    return error_set_code(err, kind, response->status, "%s: the Docker engine answered %d%s%s",
                          what, response->status, message ? ": " : "", message ? message : "");
}

/* The engine's word for a machine → an image's. */
static const struct {
    const char *machine, *image;
} machines[] = {{"x86_64", "amd64"}, {"amd64", "amd64"}, {"aarch64", "arm64"}, {"arm64", "arm64"}};

static bool uses_containerd(const struct json *info)
{
    JSON_EACH (pair, json_get(info, "DriverStatus")) {
        const struct json *name = json_first(pair);
        if (text_equal(json_string(name), "driver-type") &&
            text_starts_with(json_string(json_next(name)), "io.containerd.snapshotter"))
            return true;
    }
    return false;
}

int docker_get_info(const struct docker *docker, struct docker_info *ret_info, struct error *err)
{
    struct error unwanted = ERROR_INIT;
    err = err ? err : &unwanted;
    const struct call call = {.method = "GET", .path = "/info"};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, NULL, "asking what it is", err);
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(response.body.buf, response.body.len, &json, err) < 0)
        return error_wrap(err, "reading the Docker engine's answer");
    struct docker_info info = {.containerd_store = uses_containerd(json)};
    const char *version = json_get_string(json, "ServerVersion"),
               *machine = json_get_string(json, "Architecture");
    snprintf(info.server_version, sizeof info.server_version, "%s", version ? version : "");
    snprintf(info.architecture, sizeof info.architecture, "%s", machine ? machine : "");
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (text_equal(machines[i].machine, machine))
            snprintf(info.architecture, sizeof info.architecture, "%s", machines[i].image);
    *ret_info = info;
    return 0;
}

/* What the engine, and the registry behind it, say about a pull; the first row that fits. */
static const struct {
    const char *words;
    enum error_kind kind;
} pull_causes[] = {{"toomanyrequests", ERROR_THROTTLED},
                   {"Too Many Requests", ERROR_THROTTLED},
                   {"no space left on device", ERROR_FAILED},
                   {"denied", ERROR_DENIED},
                   {"unauthorized", ERROR_DENIED},
                   {"no basic auth", ERROR_DENIED},
                   {"authorization failed", ERROR_DENIED},
                   {"not found", ERROR_NOT_FOUND},
                   {"manifest unknown", ERROR_NOT_FOUND},
                   {"no matching manifest", ERROR_NOT_FOUND}};

struct pull {           /* the stream of a pull: an object a line, errors among them, after a 200 */
    struct strbuf line; /* that has not ended yet */
    struct strbuf head;
    char message[600]; /* of the first error */
};

static void pull_release(struct pull *pull)
{
    strbuf_release(&pull->line);
    strbuf_release(&pull->head);
}

static void end_pull_line(struct pull *pull)
{
    struct error ignored = ERROR_INIT; /* a torn line is no error of the pull */
    CLEANUP(json) struct json *json = NULL;
    if (!pull->message[0] && strstr(pull->line.buf, "\"error") &&
        json_parse(pull->line.buf, pull->line.len, &json, &ignored) == 0) {
        const char *detail = json_get_string(json, "errorDetail.message");
        const char *message = detail ? detail : json_get_string(json, "error");
        if (message)
            snprintf(pull->message, sizeof pull->message, "%s", message);
    }
    strbuf_reset(&pull->line);
}

static int add_pull(void *context, const char *bytes, size_t len)
{
    struct pull *pull = context;
    strbuf_add(&pull->head, bytes, len);
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t take = newline ? (size_t)(newline - bytes) : len;
        strbuf_add(&pull->line, bytes, take);
        if (!newline)
            break;
        end_pull_line(pull);
        bytes += take + 1;
        len -= take + 1;
    }
    return 0;
}

static enum error_kind pull_kind(const char *message, enum error_kind otherwise)
{
    for (size_t i = 0; i < sizeof pull_causes / sizeof *pull_causes; i++)
        if (text_contains_ignore_case(message, pull_causes[i].words))
            return pull_causes[i].kind;
    return otherwise;
}

static int try_to_pull(const struct docker *docker, const struct docker_run *run, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096);
    CLEANUP(pull)
    struct pull pull = {.line = STRBUF_INIT(LINE_MAX_BYTES), .head = STRBUF_INIT(HEAD_MAX_BYTES)};
    strbuf_addstr(&path, "/images/create?fromImage=");
    http_add_encoded(&path, run->image, false);
    strbuf_addstr(&path, "&platform=");
    http_add_encoded(&path, run->platform, false);
    const struct call call = {.method = "POST",
                              .path = path.buf,
                              .registry_auth = run->registry_auth,
                              .timeout_ms = run->timeout_ms,
                              .on_body = add_pull,
                              .context = &pull};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return error_wrap(err, "pulling %s", run->image);
    if (response.status != 200) {
        answer_error(&response, &pull.head, "pulling the image", err);
        if (pull_kind(err->msg, err->kind) == ERROR_THROTTLED) /* a registry's 429, as a 500 */
            err->kind = ERROR_THROTTLED;
        return -1;
    }
    end_pull_line(&pull);
    if (!pull.message[0])
        return 0;
    return error_set(err, pull_kind(pull.message, ERROR_NETWORK), "pulling %s: %s", run->image,
                     pull.message);
}

static enum retry_class class_of(const struct error *err)
{
    if (err->kind == ERROR_THROTTLED)
        return RETRY_THROTTLED;
    return err->kind == ERROR_NETWORK || err->kind == ERROR_SERVER ? RETRY_TRANSIENT : RETRY_NEVER;
}

static int pull_image(const struct docker *docker, const struct docker_run *run, struct error *err)
{
    /* Longer pauses than AWS's SDKs make: behind a pull that broke stands a registry, or its
     * network. */
    static const struct retry_policy patient = {.max_attempts = PULL_TRIES,
                                                .max_throttled = PULL_TRIES,
                                                .max_delay_ms = 20000,
                                                .transient_base_ms = 1000,
                                                .throttled_base_ms = 5000};
    struct retry retry = RETRY_INIT(&patient, NULL);
    while (try_to_pull(docker, run, err) < 0) {
        int64_t delay_ms;
        if (!retry_again(&retry, class_of(err), -1, crypto_random_unit(), &delay_ms))
            return -1;
        error_reset(err);
        if (!clock_sleep_ms(delay_ms))
            return error_set(err, ERROR_CANCELLED, "cancelled while %s was pulled", run->image);
    }
    return 0;
}

enum shape { WITH_SHELL, WITHOUT_SHELL };

static struct json *container_request(const struct docker_run *run, enum shape shape)
{
    struct json *request = json_new_object(), *entrypoint = json_new_array(),
                *command = json_new_array();
    struct json *labels = json_new_object();
    if (shape == WITH_SHELL) {
        json_append_string(entrypoint, "/bin/sh");
        json_append_string(entrypoint, "-c");
        json_append_string(command, run->command);
    } else {
        static const char white[] = " \t\r\n\v\f";
        const char *word = run->command + strspn(run->command, white);
        for (size_t i = 0, len; *word; i++, word += len + strspn(word + len, white)) {
            len = strcspn(word, white);
            CLEANUP_FREE char *text = memory_copy_bytes(word, len);
            json_append_string(i == 0 ? entrypoint : command, text);
        }
    }
    json_put_string(request, "Image", run->image);
    json_put(request, "Entrypoint", entrypoint);
    json_put(request, "Cmd", command);
    json_put_string(labels, CONTAINER_LABEL, "check");
    json_put(request, "Labels", labels);
    return request;
}

/* The name is ours: what was created can be removed even when the answer got lost. */
static int create_container(const struct docker *docker, const struct docker_run *run,
                            enum shape shape, const char *name, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    strbuf_addf(&path, "/containers/create?name=%s&platform=", name);
    http_add_encoded(&path, run->platform, false);
    CLEANUP(json) struct json *request = container_request(run, shape);
    const struct call call = {.method = "POST", .path = path.buf, .body = request};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return -1;
    return response.status == 201 ? 0 : answer_error(&response, NULL, "making a container", err);
}

static int call_container(const struct docker *docker, const char *method, const char *name,
                          const char *what, int64_t timeout_ms, struct http_response *response,
                          struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    strbuf_addf(&path, "/containers/%s%s", name, what);
    const struct call call = {.method = method,
                              .path = path.buf,
                              .timeout_ms = timeout_ms,
                              .cleans_up = text_equal(method, "DELETE")};
    return send_call(docker, &call, response, err);
}

static int start_container(const struct docker *docker, const char *name, struct error *err)
{
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (call_container(docker, "POST", name, "/start", 0, &response, err) < 0)
        return -1;
    return response.status == 204 ? 0
                                  : answer_error(&response, NULL, "starting the container", err);
}

struct output {
    struct docker_stream stream;
    struct strbuf head;
};

static void output_release(struct output *output)
{
    docker_stream_release(&output->stream);
    strbuf_release(&output->head);
}

static int add_output(void *context, const char *bytes, size_t len)
{
    struct output *output = context;
    strbuf_add(&output->head, bytes, len);
    return docker_stream_add(&output->stream, bytes, len);
}

static int follow_output(const struct docker *docker, const struct docker_run *run,
                         const char *name, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    CLEANUP(output) struct output output = {.head = STRBUF_INIT(HEAD_MAX_BYTES)};
    docker_stream_init(&output.stream, run->on_line, run->context);
    strbuf_addf(&path, "/containers/%s/logs?follow=1&stdout=1&stderr=1", name);
    const struct call call = {.method = "GET",
                              .path = path.buf,
                              .timeout_ms = run->timeout_ms,
                              .on_body = add_output,
                              .context = &output};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    int rc = send_call(docker, &call, &response, err);
    if (rc == 0 && response.status != 200)
        return answer_error(&response, &output.head, "reading the container's output", err);
    docker_stream_finish(&output.stream); /* what came before a failure is wanted the more */
    if (rc == 0 && output.stream.broken)
        return error_set(err, ERROR_PROTOCOL,
                         "the Docker engine's output of the container is not multiplexed");
    if (rc < 0 && err->kind == ERROR_TIMEOUT)
        return error_set(err, ERROR_TIMEOUT, "`%s` has not ended after %lld s", run->command,
                         (long long)(run->timeout_ms / 1000));
    return rc;
}

static int wait_container(const struct docker *docker, const struct docker_run *run,
                          const char *name, struct error *err)
{
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (call_container(docker, "POST", name, "/wait", run->timeout_ms, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, NULL, "waiting for the container", err);
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(response.body.buf, response.body.len, &json, err) < 0)
        return error_wrap(err, "waiting for the container");
    int64_t status = json_get_int(json, "StatusCode", -1);
    if (status == 0)
        return 0;
    if (status < 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the Docker engine does not say how the container ended");
    return error_set_code(err, ERROR_FAILED, (int)status, "`%s` ended with status %lld",
                          run->command, (long long)status);
}

/* 409: its removal is under way already. */
static bool is_removed(const struct http_response *response)
{
    return response->status == 204 || response->status == 404 || response->status == 409;
}

static bool try_to_remove(const struct docker *docker, const char *name, struct error *err)
{
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    return call_container(docker, "DELETE", name, "?force=1&v=1", REMOVE_TIMEOUT_MS, &response,
                          err) == 0 &&
           is_removed(&response);
}

/* In every case, after a cancel too; what goes wrong here must not hide what went wrong before. One
 * that got no answer in time is not sent again: that would take as long. */
static void remove_container(const struct docker *docker, const struct docker_run *run,
                             const char *name)
{
    struct error err = ERROR_INIT;
    bool removed = false;
    cancel_shield_begin();
    for (int try = 1; !removed; try++) {
        error_reset(&err);
        removed = try_to_remove(docker, name, &err);
        if (removed || try == REMOVE_TRIES || err.kind == ERROR_TIMEOUT)
            break;
        clock_sleep_ms(REMOVE_PAUSE_MS * try);
    }
    cancel_shield_end();
    if (!removed && run->on_left_behind)
        run->on_left_behind(run->context, name);
}

static bool has_no_shell(const struct error *err)
{
    return (err->code == 400 || err->code == 404 || err->code == 500) &&
           strstr(err->msg, "/bin/sh") &&
           (strstr(err->msg, "no such file") || strstr(err->msg, "not found"));
}

static int run_once(const struct docker *docker, const struct docker_run *run, enum shape shape,
                    bool *ret_no_shell, struct error *err)
{
    char name[sizeof CONTAINER_NAME + NAME_DIGITS] = CONTAINER_NAME;
    crypto_random_hex(name + strlen(name), NAME_DIGITS);
    if (create_container(docker, run, shape, name, err) < 0) {
        if (err->code == 0 && err->kind != ERROR_NOT_FOUND && err->kind != ERROR_DENIED)
            remove_container(docker, run, name); /* no answer: it may be there */
        return -1;
    }
    int rc = start_container(docker, name, err);
    if (rc < 0)
        *ret_no_shell = has_no_shell(err);
    if (rc == 0)
        rc = follow_output(docker, run, name, err);
    if (rc == 0)
        rc = wait_container(docker, run, name, err);
    remove_container(docker, run, name);
    return rc;
}

int docker_run_check(const struct docker *docker, const struct docker_run *run, struct error *err)
{
    struct error unwanted = ERROR_INIT;
    err = err ? err : &unwanted;
    bool no_shell = false;
    if (text_is_empty(run->command))
        return error_set(err, ERROR_INPUT, "there is no command to run in %s", run->image);
    if (pull_image(docker, run, err) < 0)
        return -1;
    if (run_once(docker, run, WITH_SHELL, &no_shell, err) == 0)
        return 0;
    if (!no_shell)
        return -1;
    error_reset(err);
    return run_once(docker, run, WITHOUT_SHELL, &no_shell, err);
}
