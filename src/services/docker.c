#include "services/docker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/strvec.h"
#include "core/text.h"
#include "services/docker_stream.h"

#define CALL_TIMEOUT_MS   30000
#define REMOVE_TIMEOUT_MS 60000
#define CONTAINER_LABEL   "io.github.lambda-fastdeploy"

struct call {                  /* one request to the engine; all borrowed */
    const char *method, *path; /* path begins with '/', without the version */
    const struct json *body;   /* NULL: none */
    const char *registry_auth; /* NULL: none; secret */
    int64_t timeout_ms;
    int (*on_body)(void *context, const char *bytes, size_t len);
    void *context;
};

static int explain_no_engine(const struct docker *docker, struct error *err)
{
    if (err->kind != ERROR_NETWORK && err->kind != ERROR_SYSTEM)
        return -1;
    return error_set(err, ERROR_NOT_FOUND,
                     "there is no Docker engine at %s; run on a Linux runner with Docker, mount "
                     "its socket, or name a builder",
                     docker->socket);
}

static int send_call(const struct docker *docker, const struct call *call,
                     struct http_response *response, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(8192), body = STRBUF_INIT(STRBUF_NO_CAP);
    struct http_header headers[2];
    size_t header_count = 0;
    strbuf_addf(&url, "http://localhost%s", call->path);
    if (call->body) {
        json_print(call->body, &body);
        headers[header_count++] = (struct http_header){"Content-Type", "application/json"};
    }
    if (call->registry_auth)
        headers[header_count++] = (struct http_header){"X-Registry-Auth", call->registry_auth};
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
                                         .on_body = call->on_body,
                                         .context = call->context};
    if (http_send(docker->http, &request, response, err) < 0)
        return explain_no_engine(docker, err);
    return 0;
}

static int answer_error(const struct http_response *response, const char *what, struct error *err)
{
    struct error ignored = ERROR_INIT; /* not JSON: the status must do */
    CLEANUP(json) struct json *json = NULL;
    if (response->body.len > 0)
        json_parse(response->body.buf, response->body.len, &json, &ignored);
    const char *message = json_get_string(json, "message");
    enum error_kind kind = response->status == 404   ? ERROR_NOT_FOUND
                           : response->status == 403 ? ERROR_DENIED
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
    JSON_EACH(pair, json_get(info, "DriverStatus"))
    {
        const struct json *name = json_first(pair);
        if (text_equal(json_string(name), "driver-type") &&
            text_starts_with(json_string(json_next(name)), "io.containerd.snapshotter"))
            return true;
    }
    return false;
}

int docker_get_info(const struct docker *docker, struct docker_info *ret_info, struct error *err)
{
    const struct call call = {.method = "GET", .path = "/info"};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, "asking what it is", err);
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

/* The engine's pull: it says its errors inside of the stream, after a 200. */
static int pull_image(const struct docker *docker, const struct docker_run *run, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096);
    strbuf_addstr(&path, "/images/create?fromImage=");
    http_add_encoded(&path, run->image, false);
    strbuf_addstr(&path, "&platform=");
    http_add_encoded(&path, run->platform, false);
    const struct call call = {.method = "POST",
                              .path = path.buf,
                              .registry_auth = run->registry_auth,
                              .timeout_ms = run->timeout_ms};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return error_wrap(err, "pulling %s", run->image);
    if (response.status != 200)
        return answer_error(&response, "pulling the image", err);
    const char *failed = strstr(response.body.buf, "\"errorDetail\"");
    if (failed)
        return error_set(err, ERROR_NETWORK, "pulling %s: %.300s", run->image, failed);
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
        CLEANUP(strvec) struct strvec words = STRVEC_INIT;
        strvec_split(&words, run->command, ' ');
        for (size_t i = 0; i < words.len; i++)
            json_append_string(i == 0 ? entrypoint : command, words.items[i]);
    }
    json_put_string(request, "Image", run->image);
    json_put(request, "Entrypoint", entrypoint);
    json_put(request, "Cmd", command);
    json_put_string(labels, CONTAINER_LABEL, "check");
    json_put(request, "Labels", labels);
    return request;
}

static int create_container(const struct docker *docker, const struct docker_run *run,
                            enum shape shape, char **ret_id, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    strbuf_addstr(&path, "/containers/create?platform=");
    http_add_encoded(&path, run->platform, false);
    CLEANUP(json) struct json *request = container_request(run, shape);
    const struct call call = {.method = "POST", .path = path.buf, .body = request};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return -1;
    if (response.status != 201)
        return answer_error(&response, "making a container", err);
    CLEANUP(json) struct json *json = NULL;
    const char *id;
    if (json_parse(response.body.buf, response.body.len, &json, err) < 0 ||
        json_need_string(json, "Id", &id, err) < 0)
        return error_wrap(err, "making a container");
    *ret_id = memory_copy_string(id);
    return 0;
}

static int call_container(const struct docker *docker, const char *method, const char *id,
                          const char *what, int64_t timeout_ms, struct http_response *response,
                          struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    strbuf_addf(&path, "/containers/%s%s", id, what);
    const struct call call = {.method = method, .path = path.buf, .timeout_ms = timeout_ms};
    return send_call(docker, &call, response, err);
}

static int start_container(const struct docker *docker, const char *id, struct error *err)
{
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (call_container(docker, "POST", id, "/start", 0, &response, err) < 0)
        return -1;
    return response.status == 204 ? 0 : answer_error(&response, "starting the container", err);
}

static int follow_output(const struct docker *docker, const struct docker_run *run, const char *id,
                         struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(512);
    CLEANUP(docker_stream) struct docker_stream stream;
    docker_stream_init(&stream, run->on_line, run->context);
    strbuf_addf(&path, "/containers/%s/logs?follow=1&stdout=1&stderr=1", id);
    const struct call call = {.method = "GET",
                              .path = path.buf,
                              .timeout_ms = run->timeout_ms,
                              .on_body = docker_stream_add,
                              .context = &stream};
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (send_call(docker, &call, &response, err) < 0)
        return -1;
    docker_stream_finish(&stream);
    return response.status == 200 ? 0
                                  : answer_error(&response, "reading the container's output", err);
}

static int wait_container(const struct docker *docker, const struct docker_run *run, const char *id,
                          struct error *err)
{
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    if (call_container(docker, "POST", id, "/wait", run->timeout_ms, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return answer_error(&response, "waiting for the container", err);
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(response.body.buf, response.body.len, &json, err) < 0)
        return error_wrap(err, "waiting for the container");
    int64_t status = json_get_int(json, "StatusCode", -1);
    if (status == 0)
        return 0;
    return error_set_code(err, ERROR_FAILED, (int)status, "`%s` ended with status %lld",
                          run->command, (long long)status);
}

/* In every case, after a cancel too; what goes wrong here must not hide what went wrong before. */
static void remove_container(const struct docker *docker, const char *id)
{
    struct error ignored = ERROR_INIT;
    CLEANUP(http_response) struct http_response response = HTTP_RESPONSE_INIT;
    cancel_shield_begin();
    call_container(docker, "DELETE", id, "?force=1&v=1", REMOVE_TIMEOUT_MS, &response, &ignored);
    cancel_shield_end();
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
    CLEANUP_FREE char *id = NULL;
    if (create_container(docker, run, shape, &id, err) < 0)
        return -1;
    int rc = start_container(docker, id, err);
    if (rc < 0)
        *ret_no_shell = has_no_shell(err);
    if (rc == 0)
        rc = follow_output(docker, run, id, err);
    if (rc == 0)
        rc = wait_container(docker, run, id, err);
    remove_container(docker, id);
    return rc;
}

int docker_run_check(const struct docker *docker, const struct docker_run *run, struct error *err)
{
    bool no_shell = false;
    if (pull_image(docker, run, err) < 0)
        return -1;
    if (run_once(docker, run, WITH_SHELL, &no_shell, err) == 0)
        return 0;
    if (!no_shell)
        return -1;
    error_reset(err);
    return run_once(docker, run, WITHOUT_SHELL, &no_shell, err);
}
