#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/http.h"
#include "core/json.h"
#include "core/memory.h"
#include "services/docker.h"
#include "services/docker_stream.h"
#include "tests/core/support_server.h"

Suite *docker_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define OUT(len)     "\x01\0\0\0\0\0\0" len
#define ERR(len)     "\x02\0\0\0\0\0\0" len

static struct strbuf said = STRBUF_INIT(STRBUF_NO_CAP);

static void take_line(void *context, bool is_stderr, const char *line, size_t len)
{
    ck_assert_ptr_eq(context, &said);
    strbuf_addstr(&said, is_stderr ? "E:" : "O:");
    strbuf_add(&said, line, len);
    strbuf_addch(&said, '\n');
}

/* ---- the stream ---- */

static const char stream_bytes[] = OUT("\x06") "one\ntw" ERR("\x04") "bad\n" OUT("\0")
    OUT("\x03") "o\r\n" ERR("\x05") "\nlast" OUT("\x01") "x";
static const char stream_lines[] = "O:one\nE:bad\nO:two\nE:\nO:x\nE:last\n";

START_TEST(a_stream_cut_anywhere)
{
    size_t len = sizeof stream_bytes - 1, cut = (size_t)_i;
    CLEANUP(docker_stream) struct docker_stream stream;
    docker_stream_init(&stream, take_line, &said);
    ck_assert_int_eq(docker_stream_add(&stream, stream_bytes, cut), 0);
    ck_assert_int_eq(docker_stream_add(&stream, stream_bytes + cut, len - cut), 0);
    docker_stream_finish(&stream);
    ck_assert_str_eq(said.buf, stream_lines);
    ck_assert(!stream.broken);
    strbuf_release(&said);
}
END_TEST

START_TEST(a_stream_byte_by_byte)
{
    CLEANUP(docker_stream) struct docker_stream stream;
    docker_stream_init(&stream, take_line, &said);
    for (size_t i = 0; i < sizeof stream_bytes - 1; i++)
        docker_stream_add(&stream, stream_bytes + i, 1);
    docker_stream_finish(&stream);
    ck_assert_str_eq(said.buf, stream_lines);
    strbuf_release(&said);
}
END_TEST

START_TEST(a_line_without_end_is_cut)
{
    CLEANUP(docker_stream) struct docker_stream stream;
    static char xs[100000];
    memset(xs, 'x', sizeof xs);
    docker_stream_init(&stream, take_line, &said);
    docker_stream_add(&stream, "\x01\0\0\0\x00\x01\x86\xa0", 8);
    docker_stream_add(&stream, xs, sizeof xs);
    docker_stream_add(&stream, OUT("\x03") "\na\n", 11);
    ck_assert_uint_eq(said.len, 2 + 65536 + 1 + 4);
    strbuf_release(&said);
}
END_TEST

START_TEST(what_is_not_multiplexed)
{
    static const char *const texts[] = {"{\"message\":\"no such container\"}", "\x01\x01xxxxxxxx",
                                        "hello, world"};
    CLEANUP(docker_stream) struct docker_stream stream;
    docker_stream_init(&stream, take_line, &said);
    docker_stream_add(&stream, texts[_i], strlen(texts[_i]));
    docker_stream_finish(&stream);
    ck_assert(stream.broken);
    ck_assert_uint_eq(said.len, 0);
}
END_TEST

START_TEST(a_stream_of_a_kind_that_there_is_not)
{
    CLEANUP(docker_stream) struct docker_stream stream;
    docker_stream_init(&stream, take_line, &said);
    docker_stream_add(&stream,
                      "\x03\0\0\0\0\0\0\x02"
                      "a\n",
                      10);
    ck_assert(stream.broken);
    ck_assert_uint_eq(said.len, 0);
}
END_TEST

/* ---- an engine by script ---- */

struct engine_answer {
    const char *call; /* beginning of "METHOD path" without the container's name */
    int status;       /* 0: `error` */
    const char *body;
    size_t len; /* 0: strlen(body) */
    enum error_kind error;
};
struct engine {
    const struct engine_answer *answers; /* borrowed */
    char names[12][64];                  /* of the container in each call, or "" */
    struct strbuf bodies;
    struct strbuf auth;
    size_t sent;
    bool cancels; /* an answer without status is a cancel of the whole run */
};
static struct engine engine;

/* "/containers/lambda-fastdeploy-check-0123…/start" → "/containers/X/start" and the name. */
static void hide_name(const char *path, struct strbuf *out, char name[64])
{
    const char *found = strstr(path, "lambda-fastdeploy-check-");
    size_t len = found ? strcspn(found, "/?&") : 0;
    name[0] = '\0';
    if (!found) {
        strbuf_addstr(out, path);
        return;
    }
    snprintf(name, 64, "%.*s", (int)len, found);
    strbuf_add(out, path, (size_t)(found - path));
    strbuf_addf(out, "X%s", found + len);
}

static int answer_call(void *context, const struct http_request *request,
                       struct http_response *ret_response, struct error *err)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf call = STRBUF_INIT(8192);
    const struct engine_answer *answer = &engine.answers[engine.sent];
    strbuf_addf(&call, "%s ", request->method);
    ck_assert_str_eq(request->unix_socket, "/run/x.sock");
    ck_assert_int_eq(strncmp(request->url, "http://localhost/", 17), 0);
    hide_name(request->url + 16, &call, engine.names[engine.sent++]);
    ck_assert_msg(answer->call && strncmp(call.buf, answer->call, strlen(answer->call)) == 0,
                  "%s instead of %s", call.buf, answer->call ? answer->call : "nothing");
    if (strncmp(answer->call, "DELETE", 6) == 0)
        ck_assert(!cancel_requested());
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, "X-Registry-Auth") == 0)
            strbuf_addstr(&engine.auth, request->headers[i].value);
    if (request->body)
        strbuf_addf(&engine.bodies, "%s\n", request->body);
    if (answer->status == 0) {
        if (answer->error == ERROR_CANCELLED)
            cancel_pretend(2);
        return error_set(err, answer->error, "it broke");
    }
    size_t len = answer->len || !answer->body ? answer->len : strlen(answer->body);
    http_response_fill(ret_response, answer->status, request->on_body ? "" : answer->body,
                       request->on_body ? 0 : len);
    for (size_t i = 0; request->on_body && i < len; i++) /* cut as small as it gets */
        ck_assert_int_eq(request->on_body(request->context, answer->body + i, 1), 0);
    return 0;
}

#define PULL(text)                                                                                 \
    {                                                                                              \
        "POST /images/create?fromImage=r%2Fa%40sha256%3A1&platform=linux%2Farm64", 200, text, 0, 0 \
    }
#define THRICE(answer) answer, answer, answer
#define BROKEN_PULL(status, text, error)                                                           \
    {                                                                                              \
        "POST /images/create", status, text, 0, error                                              \
    }
#define PULLED PULL("{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n")
#define CREATE "POST /containers/create?name=X&platform=linux%2Farm64"
#define CREATED                                                                                    \
    {                                                                                              \
        CREATE, 201, "{\"Id\":\"abc\",\"Warnings\":[]}", 0, 0                                      \
    }
#define START "POST /containers/X/start"
#define STARTED                                                                                    \
    {                                                                                              \
        START, 204, NULL, 0, 0                                                                     \
    }
#define LOGS "GET /containers/X/logs?follow=1&stdout=1&stderr=1"
#define LOGGED                                                                                     \
    {                                                                                              \
        LOGS, 200, OUT("\x03") "hi\n", 11, 0                                                       \
    }
#define WAIT "POST /containers/X/wait"
#define WAITED(json)                                                                               \
    {                                                                                              \
        WAIT, 200, json, 0, 0                                                                      \
    }
#define REMOVED                                                                                    \
    {                                                                                              \
        "DELETE /containers/X?force=1&v=1", 204, NULL, 0, 0                                        \
    }
#define NO_SHELL                                                                                   \
    {                                                                                              \
        START, 400,                                                                                \
            "{\"message\":\"failed to create task for container: failed to create shim task: OCI " \
            "runtime create failed: runc create failed: unable to start container process: exec: " \
            "\\\"/bin/sh\\\": stat /bin/sh: no such file or directory: unknown\"}",                \
            0, 0                                                                                   \
    }

static const struct {
    struct engine_answer answers[12];
    enum error_kind kind;
    int code;
    const char *message;
    const char *said;
} runs[] = {
    {{PULLED, CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":0}"), REMOVED},
     ERROR_NONE,
     0,
     "",
     "O:hi\n"},
    {{PULLED, CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":7}"), REMOVED},
     ERROR_FAILED,
     7,
     "`app --check  x` ended with status 7",
     "O:hi\n"},
    {{PULLED, CREATED, STARTED, LOGGED, WAITED("{}"), REMOVED},
     ERROR_PROTOCOL,
     0,
     "does not say how",
     "O:hi\n"},
    {{PULLED, CREATED, STARTED, LOGGED, WAITED("{\"Stat"), REMOVED},
     ERROR_PROTOCOL,
     0,
     "waiting for the container",
     "O:hi\n"},
    {{PULLED, CREATED, STARTED, LOGGED, {WAIT, 500, "{\"message\":\"m\"}", 0, 0}, REMOVED},
     ERROR_SERVER,
     500,
     "answered 500: m",
     "O:hi\n"},
    {{PULLED, CREATED, STARTED, {LOGS, 409, "{\"message\":\"is dead\"}", 0, 0}, REMOVED},
     ERROR_REFUSED,
     409,
     "answered 409: is dead",
     ""},
    {{PULLED, CREATED, STARTED, {LOGS, 200, "not a stream", 0, 0}, REMOVED},
     ERROR_PROTOCOL,
     0,
     "not multiplexed",
     ""},
    {{PULLED, CREATED, STARTED, {LOGS, 0, NULL, 0, ERROR_TIMEOUT}, REMOVED},
     ERROR_TIMEOUT,
     0,
     "`app --check  x` has not ended after 5 s",
     ""},
    {{PULLED, CREATED, STARTED, {LOGS, 0, NULL, 0, ERROR_CANCELLED}, REMOVED},
     ERROR_CANCELLED,
     0,
     "it broke",
     ""},
    {{PULLED, CREATED, STARTED, LOGGED, {WAIT, 0, NULL, 0, ERROR_CANCELLED}, REMOVED},
     ERROR_CANCELLED,
     0,
     "it broke",
     "O:hi\n"},
    {{PULLED, CREATED, {START, 0, NULL, 0, ERROR_CANCELLED}, REMOVED},
     ERROR_CANCELLED,
     0,
     "it broke",
     ""},
    {{PULLED, {CREATE, 0, NULL, 0, ERROR_CANCELLED}, REMOVED}, ERROR_CANCELLED, 0, "it broke", ""},
    {{PULLED, {CREATE, 0, NULL, 0, ERROR_NETWORK}, REMOVED}, ERROR_NETWORK, 0, "it broke", ""},
    {{PULLED, {CREATE, 404, "{\"message\":\"No such image: x\"}", 0, 0}},
     ERROR_NOT_FOUND,
     404,
     "making a container: the Docker engine answered 404: No such image: x",
     ""},
    {{PULLED, CREATED, {START, 403, "x", 0, 0}, REMOVED},
     ERROR_DENIED,
     403,
     "starting the container: the Docker engine answered 403",
     ""},
    {{PULLED, CREATED, NO_SHELL, REMOVED, CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":0}"),
      REMOVED},
     ERROR_NONE,
     0,
     "",
     "O:hi\n"},
    {{PULLED, CREATED, NO_SHELL, REMOVED, CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":3}"),
      REMOVED},
     ERROR_FAILED,
     3,
     "status 3",
     "O:hi\n"},
    {{PULLED,
      CREATED,
      NO_SHELL,
      REMOVED,
      CREATED,
      {START, 400, "{\"message\":\"exec: \\\"app\\\": not found\"}", 0, 0},
      REMOVED},
     ERROR_REFUSED,
     400,
     "\"app\": not found",
     ""},
    {{PULLED,
      CREATED,
      {START, 400, "{\"message\":\"exec: \\\"/entry\\\": no such file\"}", 0, 0},
      REMOVED},
     ERROR_REFUSED,
     400,
     "/entry",
     ""},
    {{THRICE(PULL(
         "{\"status\":\"x\"}\r\n{\"errorDetail\":{\"code\":1,\"message\":\"read tcp: connection "
         "reset by peer\"},\"error\":\"e\"}\r\n"))},
     ERROR_NETWORK,
     0,
     "pulling r/a@sha256:1: read tcp: connection reset by peer",
     ""},
    {{PULL("{\"errorDetail\":{\"message\":\"manifest for r not found: manifest unknown\"}}")},
     ERROR_NOT_FOUND,
     0,
     "pulling r/a@sha256:1: manifest for r not found",
     ""},
    {{PULL("{\"error\":\"pull access denied for r\"}\n{\"error\":\"second\"}\n")},
     ERROR_DENIED,
     0,
     "pulling r/a@sha256:1: pull access denied for r",
     ""},
    {{THRICE(PULL("{\"error\":\"toomanyrequests: denied\"}\n"))},
     ERROR_THROTTLED,
     0,
     "toomanyrequests",
     ""},
    {{PULL("{\"error\":\"failed to register layer: write /a: no space left on device\"}")},
     ERROR_FAILED,
     0,
     "no space left",
     ""},
    {{THRICE(BROKEN_PULL(500, "{\"message\":\"Head https://r/v2/access-denied: EOF\"}", 0))},
     ERROR_SERVER,
     500,
     "EOF",
     ""},
    {{PULL("{\"error\":"), CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":0}"), REMOVED},
     ERROR_NONE,
     0,
     "",
     "O:hi\n"},
    {{BROKEN_PULL(404, "{\"message\":\"repository r not found\"}", 0)},
     ERROR_NOT_FOUND,
     404,
     "pulling the image: the Docker engine answered 404: repository r not found",
     ""},
    {{THRICE(BROKEN_PULL(500, "<html>", 0))}, ERROR_SERVER, 500, "answered 500", ""},
    {{THRICE(BROKEN_PULL(500, "{\"message\":\"toomanyrequests: slow\"}", 0))},
     ERROR_THROTTLED,
     500,
     "answered 500: toomanyrequests",
     ""},
    {{THRICE(BROKEN_PULL(429, "<html>", 0))}, ERROR_THROTTLED, 429, "answered 429", ""},
    {{BROKEN_PULL(0, NULL, ERROR_NETWORK), BROKEN_PULL(500, "<html>", 0), PULLED, CREATED, STARTED,
      LOGGED, WAITED("{\"StatusCode\":0}"), REMOVED},
     ERROR_NONE,
     0,
     "",
     "O:hi\n"},
    {{BROKEN_PULL(0, NULL, ERROR_TIMEOUT)}, ERROR_TIMEOUT, 0, "it broke", ""},
    {{BROKEN_PULL(0, NULL, ERROR_CANCELLED)},
     ERROR_CANCELLED,
     0,
     "pulling r/a@sha256:1: it broke",
     ""},
};

static bool no_pause(void *context, int64_t ms)
{
    (void)context;
    (void)ms;
    return true;
}

static void start_engine(const struct engine_answer *answers)
{
    static const struct clock_source without_pauses = {.sleep_ms = no_pause};
    clock_replace(&without_pauses);
    engine = (struct engine){.answers = answers,
                             .bodies = STRBUF_INIT(STRBUF_NO_CAP),
                             .auth = STRBUF_INIT(STRBUF_NO_CAP)};
    http_replace(answer_call, NULL);
}

static void stop_engine(void)
{
    clock_replace(NULL);
    http_replace(NULL, NULL);
    cancel_pretend(0);
    strbuf_release(&engine.bodies);
    strbuf_release(&engine.auth);
    strbuf_release(&said);
}

static char left_behind[64];

static void take_left_behind(void *context, const char *container)
{
    ck_assert_ptr_eq(context, &said);
    snprintf(left_behind, sizeof left_behind, "%s", container);
}

static int run_check(const char *command, struct error *err)
{
    const struct docker docker = {.socket = "/run/x.sock"};
    const struct docker_run run = {.image = "r/a@sha256:1",
                                   .platform = "linux/arm64",
                                   .registry_auth = "eyJ+/w==",
                                   .command = command,
                                   .timeout_ms = 5000,
                                   .on_line = take_line,
                                   .on_left_behind = take_left_behind,
                                   .context = &said};
    left_behind[0] = '\0';
    return docker_run_check(&docker, &run, err);
}

START_TEST(checks_are_run)
{
    struct error err = ERROR_INIT;
    start_engine(runs[_i].answers);
    int rc = run_check("app --check  x", &err);
    ck_assert_msg(err.kind == runs[_i].kind && err.code == runs[_i].code, "%s", err.msg);
    ck_assert_int_eq(rc, err.kind == ERROR_NONE ? 0 : -1);
    ck_assert_msg(strstr(err.msg, runs[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(runs[_i].answers[engine.sent].call);
    ck_assert_str_eq(said.buf, runs[_i].said);
    char name[64] = "";
    size_t pulls = 0;
    for (size_t i = 0; i < engine.sent; i++) { /* one container after another, each removed */
        pulls += strncmp(runs[_i].answers[i].call, "POST /images/create", 19) == 0;
        if (strncmp(runs[_i].answers[i].call, "POST /containers/create", 23) == 0)
            memcpy(name, engine.names[i], sizeof name);
        ck_assert_str_eq(engine.names[i], name);
    }
    ck_assert_uint_eq(engine.auth.len, pulls * strlen("eyJ-_w=="));
    ck_assert(strncmp(engine.auth.buf, "eyJ-_w==", strlen("eyJ-_w==")) == 0);
    stop_engine();
}
END_TEST

static bool is_cancelled(void *context, int64_t ms)
{
    (void)context;
    (void)ms;
    return false;
}

START_TEST(a_cancel_between_pulls)
{
    static const struct clock_source cancelled = {.sleep_ms = is_cancelled};
    static const struct engine_answer answers[] = {BROKEN_PULL(0, NULL, ERROR_NETWORK),
                                                   {NULL, 0, NULL, 0, 0}};
    struct error err = ERROR_INIT;
    start_engine(answers);
    clock_replace(&cancelled);
    ck_assert_int_eq(run_check("app", &err), -1);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    stop_engine();
}
END_TEST

static const struct {
    const char *command, *first, *second;
} shapes[] = {
    {"a && b",
     "{\"Image\":\"r/a@sha256:1\",\"Entrypoint\":[\"/bin/sh\",\"-c\"],\"Cmd\":[\"a && b\"],",
     "\"Entrypoint\":[\"a\"],\"Cmd\":[\"&&\",\"b\"],"},
    {" \ta\t-b\n c ", "\"Cmd\":[\" \\ta\\t-b\\n c \"]",
     "\"Entrypoint\":[\"a\"],\"Cmd\":[\"-b\",\"c\"],"},
    {"a", "\"Cmd\":[\"a\"]", "\"Entrypoint\":[\"a\"],\"Cmd\":[],"},
};

START_TEST(commands_with_and_without_a_shell)
{
    static const struct engine_answer answers[] = {PULLED,   CREATED,
                                                   NO_SHELL, REMOVED,
                                                   CREATED,  STARTED,
                                                   LOGGED,   WAITED("{\"StatusCode\":0}"),
                                                   REMOVED,  {NULL, 0, NULL, 0, 0}};
    start_engine(answers);
    ck_assert_int_eq(run_check(shapes[_i].command, NULL), 0);
    const char *second = strchr(engine.bodies.buf, '\n');
    const char *first = strstr(engine.bodies.buf, shapes[_i].first);
    ck_assert_msg(first && first < second, "%s", engine.bodies.buf);
    ck_assert_msg(strstr(second, shapes[_i].second) != NULL, "%s", second);
    ck_assert_ptr_nonnull(strstr(second, "\"Labels\":{\"io.github.lambda-fastdeploy\":\"check\"}"));
    stop_engine();
}
END_TEST

#define DELETED(status, error)                                                                     \
    {                                                                                              \
        "DELETE /containers/X?force=1&v=1", status, "{}", 0, error                                 \
    }
#define RUN_WELL PULLED, CREATED, STARTED, LOGGED, WAITED("{\"StatusCode\":0}")

/* Removing is tried again, but not where each try may take a minute; what stays is told. */
static const struct {
    struct engine_answer answers[12];
    bool stays;
} removals[] = {
    {{RUN_WELL, DELETED(204, 0)}, false},
    {{RUN_WELL, DELETED(404, 0)}, false},
    {{RUN_WELL, DELETED(409, 0)}, false},
    {{RUN_WELL, DELETED(500, 0), DELETED(204, 0)}, false},
    {{RUN_WELL, DELETED(0, ERROR_NETWORK), DELETED(500, 0), DELETED(404, 0)}, false},
    {{RUN_WELL, DELETED(503, 0), DELETED(503, 0), DELETED(503, 0)}, true},
    {{RUN_WELL, DELETED(0, ERROR_NETWORK), DELETED(0, ERROR_NETWORK), DELETED(0, ERROR_NETWORK)},
     true},
    {{RUN_WELL, DELETED(0, ERROR_TIMEOUT)}, true},
};

START_TEST(removal_is_tried_again)
{
    struct error err = ERROR_INIT;
    start_engine(removals[_i].answers);
    ck_assert_msg(run_check("app --check", &err) == 0, "%s", err.msg);
    ck_assert_ptr_null(removals[_i].answers[engine.sent].call);
    ck_assert_str_eq(left_behind, removals[_i].stays ? engine.names[engine.sent - 1] : "");
    stop_engine();
}
END_TEST

START_TEST(no_command_is_no_check)
{
    struct error err = ERROR_INIT;
    start_engine(NULL);
    ck_assert_int_eq(run_check(" \n", &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    stop_engine();
}
END_TEST

/* ---- what it is ---- */

static const struct {
    const char *body;
    const char *version, *architecture;
    bool containerd;
} infos[] = {
    {"{\"ServerVersion\":\"28.0.1\",\"Architecture\":\"x86_64\",\"DriverStatus\":[[\"driver-type\","
     "\"io.containerd.snapshotter.v1\"]]}",
     "28.0.1", "amd64", true},
    {"{\"ServerVersion\":\"20.10\",\"Architecture\":\"aarch64\",\"DriverStatus\":[[\"Backing "
     "Filesystem\","
     "\"extfs\"],[\"driver-type\"],[]]}",
     "20.10", "arm64", false},
    {"{\"Architecture\":\"riscv64\",\"DriverStatus\":null}", "", "riscv64", false},
};

START_TEST(what_the_engine_is)
{
    const struct engine_answer answers[] = {{"GET /info", 200, infos[_i].body, 0, 0}};
    const struct docker docker = {.socket = "/run/x.sock"};
    struct docker_info info;
    start_engine(answers);
    ck_assert_int_eq(docker_get_info(&docker, &info, NULL), 0);
    ck_assert_str_eq(info.server_version, infos[_i].version);
    ck_assert_str_eq(info.architecture, infos[_i].architecture);
    ck_assert(info.containerd_store == infos[_i].containerd);
    stop_engine();
}
END_TEST

/* ---- a real socket ---- */

static int ask(const char *socket, struct error *err)
{
    struct http *http = http_new(&(struct http_options){.user_agent = "test"});
    const struct docker docker = {.http = http, .socket = socket};
    struct docker_info info;
    int rc = docker_get_info(&docker, &info, err);
    http_free(http);
    return rc;
}

START_TEST(where_there_is_no_engine)
{
    CLEANUP_FREE char *folder = NULL;
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200);
    struct error err = ERROR_INIT;
    static const struct server_answer answers[] = {{.target = NULL}};
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
    strbuf_addf(&path, "%s/docker.sock", folder);
    ck_assert_int_eq(ask(path.buf, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_msg(strstr(err.msg, path.buf) && strstr(err.msg, "mount its socket"), "%s", err.msg);
    struct server *server = server_start(answers, path.buf);
    ck_assert_int_eq(chmod(path.buf, 0600), 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    if (geteuid() == 0) {
        /* Of this thread alone: seteuid would interrupt the server's. */
        ck_assert_int_eq(syscall(SYS_setresuid, -1, 65534, -1), 0);
        int rc = ask(path.buf, &err);
        ck_assert_int_eq(syscall(SYS_setresuid, -1, 0, -1), 0);
        ck_assert_int_eq(rc, -1);
        ck_assert_msg(err.kind == ERROR_DENIED && strstr(err.msg, path.buf) &&
                          strstr(err.msg, "group"),
                      "%s", err.msg);
    }
    ck_assert_int_eq(ask(path.buf, &err), -1); /* 404: somebody, but no engine */
    ck_assert_int_eq(err.code, 404);
    server_stop(server);
    ck_assert_int_eq(ask(path.buf, &err), -1); /* the socket is left, nobody listens */
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
}
END_TEST

START_TEST(an_answer_that_breaks_off_is_no_missing_engine)
{
    CLEANUP_FREE char *folder = NULL;
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200);
    struct error err = ERROR_INIT;
    static const struct server_answer answers[] = {
        {.target = "/info",
         .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
         .fault = SERVER_CLOSES},
        {.target = NULL}};
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
    strbuf_addf(&path, "%s/docker.sock", folder);
    struct server *server = server_start(answers, path.buf);
    ck_assert_int_eq(ask(path.buf, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NETWORK);
    server_stop(server);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
}
END_TEST

Suite *docker_suite(void)
{
    Suite *suite = suite_create("docker");
    TCase *tcase = tcase_create("docker");
    tcase_add_loop_test(tcase, a_stream_cut_anywhere, 0, (int)sizeof stream_bytes);
    tcase_add_test(tcase, a_stream_byte_by_byte);
    tcase_add_test(tcase, a_line_without_end_is_cut);
    tcase_add_loop_test(tcase, what_is_not_multiplexed, 0, 3);
    tcase_add_test(tcase, a_stream_of_a_kind_that_there_is_not);
    tcase_add_loop_test(tcase, checks_are_run, 0, COUNT(runs));
    tcase_add_test(tcase, a_cancel_between_pulls);
    tcase_add_loop_test(tcase, commands_with_and_without_a_shell, 0, COUNT(shapes));
    tcase_add_loop_test(tcase, removal_is_tried_again, 0, sizeof removals / sizeof *removals);
    tcase_add_test(tcase, no_command_is_no_check);
    tcase_add_loop_test(tcase, what_the_engine_is, 0, COUNT(infos));
    tcase_add_test(tcase, where_there_is_no_engine);
    tcase_add_test(tcase, an_answer_that_breaks_off_is_no_missing_engine);
    suite_add_tcase(suite, tcase);
    return suite;
}
