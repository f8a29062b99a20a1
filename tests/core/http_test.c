#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/http.h"
#include "core/support_server.h"

Suite *http_suite(void);

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK(len) OK_HEAD "Content-Length: " #len "\r\n\r\n"

static const struct server_answer answers[] = {
    {"/ok", OK(5) "hello", SERVER_NO_FAULT, 0},
    {"/empty", "HTTP/1.1 204 No Content\r\n\r\n", SERVER_NO_FAULT, 0},
    {"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", SERVER_NO_FAULT, 0},
    {"/500", "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nsick", SERVER_NO_FAULT, 0},
    {"/302", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", SERVER_NO_FAULT,
     0},
    {"/401", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
     SERVER_NO_FAULT, 0},
    {"/continue",
     "HTTP/1.1 100 Continue\r\nA: no\r\n\r\n" OK_HEAD "A: yes\r\nContent-Length: 1\r\n\r\nc",
     SERVER_NO_FAULT, 0},
    {"/headers",
     OK_HEAD "X-One:  spaced \t\r\nx-two: a\r\nX-TWO: b\r\nX-Folded: a\r\n  b\r\nEmpty:\r\n"
             "Content-Length: 0\r\n\r\n",
     SERVER_NO_FAULT, 0},
    {"/chunked",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n",
     SERVER_NO_FAULT, 0},
    {"/gzip", OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw", SERVER_NO_FAULT, 0},
    {"/until-close", OK_HEAD "\r\nto the end", SERVER_CLOSES, 0},
    {"/drip-fine", OK(5) "hello", SERVER_DRIPS, 30},
    {"/drip-long", OK(5) "hello", SERVER_DRIPS,
     90}, /* longer than the idle limit, and each byte far quicker: on a busy machine, too */
    {"/pause-fine", OK(5) "hello", SERVER_PAUSES, 500},
    /* Faults: */
    {"/truncated", OK(100) "short", SERVER_CLOSES, 0},
    {"/reset-in-body", OK(100) "short", SERVER_RESETS, 0},
    {"/chunk-cut", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nab", SERVER_CLOSES, 0},
    {"/chunk-unended", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", SERVER_CLOSES, 0},
    {"/chunk-garbage", OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", SERVER_CLOSES, 0},
    {"/head-cut", OK_HEAD "Content-Le", SERVER_CLOSES, 0},
    {"/only-100", "HTTP/1.1 100 Continue\r\n\r\n", SERVER_CLOSES, 0},
    {"/switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nxxx", SERVER_CLOSES, 0},
    {"/close", NULL, SERVER_CLOSES, 0},
    {"/reset", NULL, SERVER_RESETS, 0},
    {"/garbage", "\x16\x03 not HTTP at all\r\n\r\n", SERVER_CLOSES, 0},
    {"/status-garbage", "HTTP/1.1 abc OK\r\n\r\n", SERVER_CLOSES, 0},
    {"/hang-in-body", OK(100) "short", SERVER_HANGS, 0},
    {"/hang-in-head", "HTTP/1.1 200", SERVER_HANGS, 0},
    {"/hang", NULL, SERVER_HANGS, 0},
    {"/drip", OK(500) "and so on, and so on, and so on", SERVER_DRIPS, 100},
    {"/flood-body", OK_HEAD "\r\n", SERVER_FLOODS, 0},
    {"/flood-head", OK_HEAD "X-Long: ", SERVER_FLOODS, 0},
    {"/flood-lines", OK_HEAD, SERVER_FLOODS_LINES, 0},
    {"/flood-status", "HTTP/1.1 200 ", SERVER_FLOODS, 0},
    {"/big", OK_HEAD "Content-Length: 99999999\r\n\r\n", SERVER_FLOODS, 0},
    {"/once", OK(5) "hello", SERVER_CLOSES, 0},
    {"/fickle", OK(5) "hello", SERVER_CLOSES_REUSED, 0},
    {NULL, NULL, SERVER_NO_FAULT, 0},
};

static struct server *server;
static struct http *http;

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    server = server_start(answers, NULL);
    http = http_new(&(struct http_options){.user_agent = "test/1"});
}

static void tear_down(void)
{
    http_free(http);
    server_stop(server);
    cancel_pretend(0);
}

/* "http://127.0.0.1:<port><target>" in a buffer that lives until the next call. */
static const char *url_of(const char *target)
{
    static _Thread_local char url[400];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server_port(server), target);
    return url;
}

#define REQUEST(verb, ...)                                                                         \
    (struct http_request)                                                                          \
    {                                                                                              \
        .method = (verb), __VA_ARGS__                                                              \
    }

static void send_fine(struct http_request request, struct http_response *response)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(http_send(http, &request, response, &err) == 0, "%s", err.msg);
}

static void send_failing(struct http_request request, enum error_kind kind, const char *name,
                         struct error *err)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    http_response_fill(&response, 1, "old", 3);
    error_reset(err);
    ck_assert_msg(http_send(http, &request, &response, err) == -1, "%s: %d", request.url,
                  response.status);
    ck_assert_msg(err->kind == kind, "%s: %s (%s)", request.url, error_kind_name(err->kind),
                  err->msg);
    ck_assert_msg(strcmp(err->name, name) == 0, "%s: \"%s\" (%s)", request.url, err->name,
                  err->msg);
    ck_assert_int_eq(response.status, 0); /* released, and nothing in its place */
    ck_assert_uint_eq(response.body.len, 0);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- answers ---- */

static const struct {
    const char *method, *target;
    int status;
    const char *body;
} fine[] = {
    {"GET", "/ok", 200, "hello"},
    {"GET", "/empty", 204, ""},
    {"GET", "/404", 404, "none"},
    {"GET", "/500", 500, "sick"},
    {"GET", "/302", 302, ""},
    {"GET", "/401", 401, ""},
    {"GET", "/nowhere", 404, ""},
    {"GET", "/continue", 200, "c"},
    {"GET", "/chunked", 200, "abcde"},
    {"GET", "/gzip", 200, "raw"},
    {"GET", "/until-close", 200, "to the end"},
    {"GET", "/drip-fine", 200, "hello"},
    {"GET", "/pause-fine", 200, "hello"},
    {"POST", "/ok", 200, "hello"},
    {"DELETE", "/404", 404, "none"},
    {"HEAD", "/big", 200, ""},
    {"HEAD", "/404", 404, ""},
};

START_TEST(fine_case)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    send_fine(REQUEST(fine[_i].method, .url = url_of(fine[_i].target)), &response);
    ck_assert_int_eq(response.status, fine[_i].status);
    ck_assert_str_eq(response.body.buf, fine[_i].body);
    ck_assert_int_ge(response.elapsed_ms, 0);
    ck_assert(response.new_connection);
    ck_assert_uint_eq(server_requests(server), 1);
    http_response_release(&response);
}
END_TEST

START_TEST(response_headers)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    send_fine(REQUEST("GET", .url = url_of("/headers")), &response);
    ck_assert_str_eq(http_response_header(&response, "X-One"), "spaced");
    ck_assert_str_eq(http_response_header(&response, "x-two"), "a");
    ck_assert_str_eq(http_response_header(&response, "x-folded"), "a b");
    ck_assert_str_eq(http_response_header(&response, "empty"), "");
    ck_assert_uint_eq(response.header_count, 6);
    ck_assert_str_eq(response.header_names[2], "x-two");
    ck_assert_str_eq(response.header_values[2], "b");
    send_fine(REQUEST("GET", .url = url_of("/continue")), &response);
    ck_assert_str_eq(http_response_header(&response, "a"), "yes");
    http_response_release(&response);
}
END_TEST

/* ---- faults ---- */

static const struct {
    const char *target;
    enum error_kind kind;
    const char *name;
} faults[] = {
    {"/truncated", ERROR_NETWORK, "truncated"},
    {"/reset-in-body", ERROR_NETWORK, "reset"},
    {"/chunk-cut", ERROR_NETWORK, "truncated"},
    {"/chunk-unended", ERROR_NETWORK, "truncated"},
    {"/chunk-garbage", ERROR_NETWORK, "reset"},
    {"/head-cut", ERROR_NETWORK, "truncated"},
    {"/close", ERROR_NETWORK, "reset"},
    {"/reset", ERROR_NETWORK, "reset"},
    {"/garbage", ERROR_NETWORK, "garbage"},
    {"/status-garbage", ERROR_NETWORK, "garbage"},
    {"/hang", ERROR_TIMEOUT, "timeout"},
    {"/hang-in-body", ERROR_TIMEOUT, "timeout"},
    {"/hang-in-head", ERROR_TIMEOUT, "timeout"},
    {"/drip", ERROR_TIMEOUT, "timeout"},
    {"/flood-body", ERROR_TOO_LARGE, ""},
    {"/flood-head", ERROR_TOO_LARGE, ""},
    {"/flood-lines", ERROR_TOO_LARGE, ""},
    {"/flood-status", ERROR_TOO_LARGE, ""},
    {"/big", ERROR_TOO_LARGE, ""},
};

START_TEST(fault_case)
{
    struct error err;
    char expected[100];
    int64_t start_ms = now_ms();
    send_failing(REQUEST("GET", .url = url_of(faults[_i].target), .timeout_ms = 1000),
                 faults[_i].kind, faults[_i].name, &err);
    ck_assert_int_lt(now_ms() - start_ms, 15000);
    snprintf(expected, sizeof expected, "GET 127.0.0.1%s: ", faults[_i].target);
    ck_assert_msg(strncmp(err.msg, expected, strlen(expected)) == 0, "%s", err.msg);
    /* And afterwards the same worker is as good as new. */
    struct http_response response = HTTP_RESPONSE_INIT;
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    ck_assert_str_eq(response.body.buf, "hello");
    http_response_release(&response);
}
END_TEST

START_TEST(messages_hide_the_query)
{
    struct error err;
    struct http_header headers[] = {{"Authorization", "Bearer hidden-header"}};
    send_failing(REQUEST("GET", .url = url_of("/close?token=hidden-query#hidden-fragment"),
                         .headers = headers, .header_count = 1),
                 ERROR_NETWORK, "reset", &err);
    ck_assert_ptr_null(strstr(err.msg, "hidden"));
}
END_TEST

START_TEST(long_path_leaves_room)
{
    struct error err;
    char target[350] = "/close/";
    memset(target + 7, 'a', sizeof target - 8);
    send_failing(REQUEST("GET", .url = url_of(target)), ERROR_NETWORK, "reset", &err);
    ck_assert_msg(strlen(err.msg) > 310 && strlen(err.msg) < 500, "%s", err.msg);
}
END_TEST

/* ---- limits ---- */

START_TEST(body_cap)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    send_fine(REQUEST("GET", .url = url_of("/ok"), .max_body_bytes = 5), &response);
    ck_assert_str_eq(response.body.buf, "hello");
    http_response_release(&response);
    send_failing(REQUEST("GET", .url = url_of("/ok"), .max_body_bytes = 4), ERROR_TOO_LARGE, "",
                 &err);
}
END_TEST

/* Slow is fine as long as something comes; silence is not. */
START_TEST(idle_limit)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    send_fine(REQUEST("GET", .url = url_of("/drip-long"), .idle_timeout_ms = 3000), &response);
    ck_assert_int_ge(response.elapsed_ms, 3000);
    send_fine(REQUEST("GET", .url = url_of("/pause-fine"), .idle_timeout_ms = 5000), &response);
    http_response_release(&response);
    time_t before = time(NULL);
    send_failing(REQUEST("GET", .url = url_of("/hang-in-body"), .idle_timeout_ms = 400),
                 ERROR_TIMEOUT, "timeout", &err);
    ck_assert_msg(strstr(err.msg, "nothing came for 400 ms"), "%s", err.msg);
    ck_assert_int_le(time(NULL) - before, 8);
    send_failing(REQUEST("GET", .url = url_of("/pause-fine"), .idle_timeout_ms = 200),
                 ERROR_TIMEOUT, "timeout", &err);
}
END_TEST

/* ---- what goes out ---- */

static const struct {
    const char *method;
    const char *body;
    const char *length; /* the line that must be there; NULL: no Content-Length */
} bodies[] = {
    {"GET", NULL, NULL},
    {"DELETE", NULL, NULL},
    {"POST", NULL, "\r\nContent-Length: 0\r\n"},
    {"PUT", NULL, "\r\nContent-Length: 0\r\n"},
    {"PATCH", NULL, "\r\nContent-Length: 0\r\n"},
    {"POST", "", "\r\nContent-Length: 0\r\n"},
    {"POST", "{\"a\":1}", "\r\nContent-Length: 7\r\n"},
    {"PUT", "{\"a\":1}", "\r\nContent-Length: 7\r\n"},
    {"PATCH", "{\"a\":1}", "\r\nContent-Length: 7\r\n"},
    {"DELETE", "{\"a\":1}", "\r\nContent-Length: 7\r\n"},
    {"GET", "{\"a\":1}", "\r\nContent-Length: 7\r\n"},
};

START_TEST(body_case)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    const char *body = bodies[_i].body;
    send_fine(REQUEST(bodies[_i].method, .url = url_of("/ok"), .body = body,
                      .body_len = body ? strlen(body) : 0),
              &response);
    http_response_release(&response);
    const char *seen = server_last(server);
    char line[40];
    snprintf(line, sizeof line, "%s /ok HTTP/1.1\r\n", bodies[_i].method);
    ck_assert_msg(strncmp(seen, line, strlen(line)) == 0, "%s", seen);
    if (bodies[_i].length)
        ck_assert_msg(strstr(seen, bodies[_i].length), "%s", seen);
    else
        ck_assert_msg(!strcasestr(seen, "content-length"), "%s", seen);
    ck_assert_msg(!strcasestr(seen, "content-type"), "%s", seen);
    ck_assert_str_eq(strstr(seen, "\r\n\r\n") + 4, body ? body : "");
}
END_TEST

START_TEST(headers_as_given)
{
    struct http_header headers[] = {{"X-Amz-Date", "20150830T123600Z"},
                                    {"Empty", ""},
                                    {"Content-Type", "application/json"},
                                    {"Twice", "a"},
                                    {"Twice", "b"}};
    struct http_response response = HTTP_RESPONSE_INIT;
    char expected[300];
    send_fine(REQUEST("POST", .url = url_of("/ok"), .headers = headers, .header_count = 5,
                      .body = "x", .body_len = 1),
              &response);
    snprintf(expected, sizeof expected,
             "POST /ok HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: test/1\r\n"
             "X-Amz-Date: 20150830T123600Z\r\nEmpty:\r\nContent-Type: application/json\r\n"
             "Twice: a\r\nTwice: b\r\nContent-Length: 1\r\n\r\nx",
             server_port(server));
    ck_assert_str_eq(server_last(server), expected);
    http_response_release(&response);
}
END_TEST

/* A worker forgets: nothing of one request goes into the next. */
START_TEST(nothing_is_left_over)
{
    struct http_header headers[] = {{"X-Old", "old"}};
    struct http_response response = HTTP_RESPONSE_INIT;
    char expected[200];
    send_fine(REQUEST("HEAD", .url = url_of("/ok")), &response);
    send_fine(REQUEST("PUT", .url = url_of("/ok"), .headers = headers, .header_count = 1,
                      .body = "old", .body_len = 3),
              &response);
    ck_assert_str_eq(response.body.buf, "hello");
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    snprintf(expected, sizeof expected,
             "GET /ok HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: test/1\r\n\r\n",
             server_port(server));
    ck_assert_str_eq(server_last(server), expected);
    ck_assert_uint_eq(server_connections(server), 1);
    http_response_release(&response);
}
END_TEST

/* A body that holds zero bytes, and one that is larger than any buffer on the way. */
START_TEST(large_body)
{
    size_t len = 3000000;
    char *body = malloc(len);
    memset(body, 0, len);
    body[len - 1] = '!';
    struct http_response response = HTTP_RESPONSE_INIT;
    send_fine(REQUEST("PUT", .url = url_of("/ok"), .body = body, .body_len = len), &response);
    const char *seen = strstr(server_last(server), "\r\n\r\n") + 4;
    ck_assert_mem_eq(seen, body, len);
    ck_assert_int_eq(strncmp(strcasestr(server_last(server), "content-length"),
                             "Content-Length: 3000000\r\n", 25),
                     0);
    ck_assert_ptr_null(strcasestr(server_last(server), "expect"));
    http_response_release(&response);
    free(body);
}
END_TEST

static const char *const targets[] = {
    "/",
    "/ok/../x/./y",
    "/ok//double",
    "/ok/%2f%2F%3a:",
    "/ok?b=2&a=1&a",
    "/ok/?",
    "/ok;p=1",
    "/ok/%41%e4",
    "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/code",
};

START_TEST(target_as_it_stands)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    char line[200];
    send_fine(REQUEST("GET", .url = url_of(targets[_i])), &response);
    snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", targets[_i]);
    ck_assert_msg(strncmp(server_last(server), line, strlen(line)) == 0, "%s", server_last(server));
    http_response_release(&response);
}
END_TEST

/* ---- URLs ---- */

static const struct {
    const char *url;
    bool allow_plain_http;
    const char *complaint;
} refused[] = {
    {"", false, "not a URL"},
    {"127.0.0.1/x", false, "not a URL"},
    {"http://", false, "not a URL"},
    {"https://a b/", false, "not a URL"},
    {"http://127.0.0.1:99999/", false, "not a URL"},
    {"http://127.0.0.1/\r\nX: y", false, "not a URL"},
    {"ftp://127.0.0.1/x", true, "not http or https"},
    {"file:///etc/passwd", true, "not http or https"},
    {"gopher://127.0.0.1/", true, "not http or https"},
    {"http://example.com/x", false, "plain http is refused"},
    {"HTTP://example.com/x", false, "plain http is refused"},
    {"http://128.0.0.1/", false, "plain http is refused"},
    {"http://127.0.0.1.example.com/", false, "plain http is refused"},
    {"http://localhost.example.com/", false, "plain http is refused"},
    {"http://[::2]/", false, "plain http is refused"},
    {"http://user@127.0.0.1/", false, "holds credentials"},
    {"http://127.0.0.1:80@example.com/", true, "holds credentials"},
    {"https://user:hidden@example.com/", false, "holds credentials"},
};

START_TEST(refused_case)
{
    struct error err;
    send_failing(
        REQUEST("GET", .url = refused[_i].url, .allow_plain_http = refused[_i].allow_plain_http),
        ERROR_INPUT, "", &err);
    ck_assert_msg(strstr(err.msg, refused[_i].complaint), "%s", err.msg);
    ck_assert_ptr_null(strstr(err.msg, "hidden"));
}
END_TEST

START_TEST(bad_header_is_refused)
{
    struct error err;
    struct http_header headers[] = {{"A", "b\r\nEvil: yes"}};
    send_failing(REQUEST("GET", .url = url_of("/ok"), .headers = headers, .header_count = 1),
                 ERROR_INPUT, "", &err);
    ck_assert_uint_eq(server_requests(server), 0);
}
END_TEST

/* ---- connecting ---- */

/* A port of loopback that nobody listens on: bound, and given back at the end. */
static int closed_port(int *ret_fd, bool listens)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(*ret_fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(*ret_fd, (struct sockaddr *)&address, &len), 0);
    if (listens)
        ck_assert_int_eq(listen(*ret_fd, 0), 0);
    return ntohs(address.sin_port);
}

START_TEST(connection_refused)
{
    struct error err;
    char url[60];
    CLEANUP_FD int fd = -1;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", closed_port(&fd, false));
    send_failing(REQUEST("GET", .url = url), ERROR_NETWORK, "connect", &err);
}
END_TEST

/* A listener whose queue is full answers nothing: what comes then is dropped. */
START_TEST(connecting_takes_too_long)
{
    struct error err;
    char url[60];
    CLEANUP_FD int listener = -1;
    int waiting[4];
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = closed_port(&listener, true);
    address.sin_port = htons((in_port_t)port);
    for (int i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(waiting[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    int64_t start_ms = now_ms();
    send_failing(REQUEST("GET", .url = url, .connect_timeout_ms = 300), ERROR_TIMEOUT, "connect",
                 &err);
    send_failing(REQUEST("GET", .url = url, .timeout_ms = 300), ERROR_TIMEOUT, "connect", &err);
    ck_assert_int_lt(now_ms() - start_ms, 8000);
    for (int i = 0; i < 4; i++)
        close(waiting[i]);
}
END_TEST

/* A label of more than 63 letters: no resolver asks anybody about it. */
START_TEST(name_does_not_resolve)
{
    struct error err;
    char url[120] = "https://";
    memset(url + 8, 'a', 70);
    memcpy(url + 78, ".test/", 7);
    send_failing(REQUEST("GET", .url = url), ERROR_NETWORK, "dns", &err);
}
END_TEST

START_TEST(unix_socket)
{
    char folder[] = "/tmp/http_test.XXXXXX";
    char path[64];
    struct error err;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/engine.sock", folder);
    struct server *engine = server_start(answers, path);
    struct http_response response = HTTP_RESPONSE_INIT;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    for (int i = 0; i < 2; i++) {
        send_fine(REQUEST("GET", .url = "http://docker/ok", .unix_socket = path), &response);
        ck_assert_str_eq(response.body.buf, "hello");
        ck_assert(response.new_connection == (i == 0));
    }
    unsetenv("http_proxy");
    ck_assert_msg(strstr(server_last(engine), "\r\nHost: docker\r\n"), "%s", server_last(engine));
    http_response_release(&response);
    server_stop(engine);
    unlink(path);
    rmdir(folder);
    send_failing(REQUEST("GET", .url = "http://docker/ok", .unix_socket = path), ERROR_NETWORK,
                 "connect", &err);
}
END_TEST

/* ---- proxies ---- */

START_TEST(plain_http_needs_no_proxy)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    http_response_release(&response);
}
END_TEST

START_TEST(https_goes_by_proxy)
{
    static const struct server_answer refusing[] = {
        {"example.com:443", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", SERVER_CLOSES,
         0},
        {NULL, NULL, SERVER_NO_FAULT, 0}};
    struct error err;
    char url[60];
    struct http_header headers[] = {{"Authorization", "Bearer secret"}};
    struct server *proxy = server_start(refusing, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server_port(proxy));
    setenv("HTTPS_PROXY", url, 1);
    send_failing(
        REQUEST("GET", .url = "https://example.com/", .headers = headers, .header_count = 1),
        ERROR_NETWORK, "connect", &err);
    unsetenv("HTTPS_PROXY");
    ck_assert_int_eq(strncmp(server_last(proxy), "CONNECT example.com:443 ", 24), 0);
    ck_assert_ptr_null(strstr(server_last(proxy), "secret"));
    server_stop(proxy);
}
END_TEST

/* ---- kept connections ---- */

START_TEST(connections_are_kept)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    for (int i = 0; i < 5; i++) {
        send_fine(REQUEST("GET", .url = url_of(i % 2 ? "/chunked" : "/ok")), &response);
        ck_assert(response.new_connection == (i == 0));
    }
    ck_assert_uint_eq(server_connections(server), 1);
    ck_assert_uint_eq(server_requests(server), 5);
    http_response_release(&response);
}
END_TEST

static void *send_slow(void *context)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct http_request request = REQUEST("GET", .url = context);
    http_send(http, &request, &response, NULL);
    http_response_release(&response);
    return NULL;
}

/* Two workers, each with a connection to another server: each server is spoken to by its own. */
START_TEST(workers_know_their_servers)
{
    struct server *other = server_start(answers, NULL);
    struct http_response response = HTTP_RESPONSE_INIT;
    char first[100], second[100];
    pthread_t thread;
    snprintf(first, sizeof first, "%s", url_of("/pause-fine"));
    snprintf(second, sizeof second, "http://127.0.0.1:%d/pause-fine", server_port(other));
    ck_assert_int_eq(pthread_create(&thread, NULL, send_slow, first), 0);
    send_slow(second);
    pthread_join(thread, NULL);
    for (int i = 0; i < 6; i++) {
        send_fine(REQUEST("GET", .url = i % 2 ? first : second), &response);
        ck_assert(!response.new_connection);
    }
    http_response_release(&response);
    server_stop(other);
}
END_TEST

/* The server drops a kept connection without a word just as it is used again. */
static const struct {
    const char *method;
    bool is_sent_again;
} resends[] = {{"GET", true},  {"HEAD", true},   {"OPTIONS", true}, {"POST", false},
               {"PUT", false}, {"PATCH", false}, {"DELETE", false}};

START_TEST(resend_case)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    struct http_request again = REQUEST(resends[_i].method, .url = url_of("/fickle"));
    if (resends[_i].is_sent_again)
        send_fine(again, &response);
    else
        send_failing(again, ERROR_NETWORK, "reset", &err);
    ck_assert_uint_eq(server_requests(server), resends[_i].is_sent_again ? 3 : 2);
    http_response_release(&response);
}
END_TEST

/* Closed before it is used again is seen in time: a new connection, and nothing is sent twice. */
START_TEST(closed_while_idle)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    send_fine(REQUEST("GET", .url = url_of("/once")), &response);
    usleep(50000);
    send_fine(REQUEST("POST", .url = url_of("/ok")), &response);
    ck_assert(response.new_connection);
    ck_assert_uint_eq(server_requests(server), 2);
    http_response_release(&response);
}
END_TEST

/* ---- reading piece by piece ---- */

struct pieces {
    size_t bytes, calls, stop_after;
};

static int take_piece(void *context, const char *bytes, size_t len)
{
    struct pieces *pieces = context;
    for (size_t i = 0; i < len; i++)
        ck_assert_int_eq(bytes[i], 'x');
    pieces->bytes += len;
    pieces->calls++;
    return pieces->stop_after && pieces->bytes >= pieces->stop_after;
}

START_TEST(reader_stops)
{
    struct error err;
    struct pieces pieces = {.stop_after = 10000};
    send_failing(
        REQUEST("GET", .url = url_of("/flood-body"), .on_body = take_piece, .context = &pieces),
        ERROR_CANCELLED, "", &err);
    ck_assert_uint_ge(pieces.bytes, 10000);
    size_t calls = pieces.calls;
    pieces = (struct pieces){0};
    send_failing(REQUEST("GET", .url = url_of("/flood-body"), .on_body = take_piece,
                         .context = &pieces, .max_body_bytes = 100000),
                 ERROR_TOO_LARGE, "", &err);
    ck_assert_uint_le(pieces.bytes, 100000);
    ck_assert_uint_gt(pieces.calls, calls / 100);
}
END_TEST

START_TEST(reader_gets_it_all)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct pieces pieces = {0};
    static const struct server_answer xs[] = {{"/", OK(6) "xxxxxx", SERVER_DRIPS, 5},
                                              {NULL, NULL, SERVER_NO_FAULT, 0}};
    struct server *dripping = server_start(xs, NULL);
    char url[60];
    snprintf(url, sizeof url, "http://localhost:%d/", server_port(dripping));
    send_fine(REQUEST("GET", .url = url, .on_body = take_piece, .context = &pieces), &response);
    ck_assert_uint_eq(pieces.bytes, 6);
    ck_assert_uint_eq(response.body.len, 0);
    http_response_release(&response);
    server_stop(dripping);
}
END_TEST

/* ---- cancelling ---- */

static void *cancel_soon(void *context)
{
    (void)context;
    usleep(300000);
    cancel_pretend(SIGINT);
    return NULL;
}

START_TEST(cancelled)
{
    struct error err;
    pthread_t thread;
    if (_i == 1)
        cancel_install(); /* with the fd it is noticed at once */
    int64_t start = now_ms();
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    send_failing(REQUEST("GET", .url = url_of("/hang")), ERROR_CANCELLED, "", &err);
    int64_t late = now_ms() - start - 300;
    pthread_join(thread, NULL);
    ck_assert_msg(late < 1500, "%d ms late",
                  (int)late); /* 200 on a machine that does nothing else */
    ck_assert_uint_eq(server_requests(server), 1);
}
END_TEST

/* Not even on a connection that stands ready. */
START_TEST(cancelled_before)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    cancel_pretend(SIGINT);
    send_failing(REQUEST("GET", .url = url_of("/ok")), ERROR_CANCELLED, "", &err);
    usleep(50000);
    ck_assert_uint_eq(server_requests(server), 1);
    http_response_release(&response);
}
END_TEST

/* What is on its way may be answered; what hangs may not hang for long. */
START_TEST(cancelled_with_grace)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    pthread_t thread;
    cancel_install();
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    send_fine(REQUEST("GET", .url = url_of("/pause-fine"), .cancel_grace_ms = 20000), &response);
    pthread_join(thread, NULL);
    ck_assert_str_eq(response.body.buf, "hello");
    http_response_release(&response);
    cancel_pretend(0);

    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    int64_t before_ms = clock_now_ms();
    send_failing(REQUEST("GET", .url = url_of("/hang"), .cancel_grace_ms = 500), ERROR_CANCELLED,
                 "", &err);
    pthread_join(thread, NULL);
    ck_assert_int_ge(clock_now_ms() - before_ms, 500);
    cancel_pretend(0);
}
END_TEST

START_TEST(shielded)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    cancel_install();
    cancel_pretend(SIGINT);
    cancel_shield_begin();
    clock_t before = clock();
    send_fine(REQUEST("GET", .url = url_of("/pause-fine")), &response);
    double cpu_seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    cancel_shield_end();
    ck_assert_str_eq(response.body.buf, "hello");
    ck_assert_msg(cpu_seconds < 0.3, "%f s of CPU", cpu_seconds); /* it does not spin */
    http_response_release(&response);
}
END_TEST

/* ---- limits for all exchanges ---- */

START_TEST(no_exchange_takes_longer)
{
    struct error err;
    http_free(http);
    http = http_new(&(struct http_options){.max_timeout_ms = 300});
    int64_t before_ms = clock_now_ms();
    send_failing(REQUEST("GET", .url = url_of("/hang"), .timeout_ms = 30000), ERROR_TIMEOUT,
                 "timeout", &err);
    ck_assert_int_lt(clock_now_ms() - before_ms, 10000);
}
END_TEST

START_TEST(deadline)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err;
    int64_t now_ms = clock_now_ms();
    http_set_deadline(http, now_ms + 400);
    send_failing(REQUEST("GET", .url = url_of("/hang"), .timeout_ms = 30000), ERROR_TIMEOUT,
                 "timeout", &err);
    ck_assert_int_lt(clock_now_ms() - now_ms, 10000);
    size_t sent = server_requests(server);
    http_set_deadline(http, clock_now_ms());
    send_failing(REQUEST("GET", .url = url_of("/ok")), ERROR_TIMEOUT, "deadline", &err);
    ck_assert_uint_eq(server_requests(server), sent);
    send_fine(REQUEST("GET", .url = url_of("/ok"), .cleans_up = true), &response);
    http_response_release(&response);
    http_set_deadline(http, 0);
    send_fine(REQUEST("GET", .url = url_of("/ok")), &response);
    http_response_release(&response);
}
END_TEST

/* ---- threads ---- */

#define THREADS  8
#define REQUESTS 25

static void *send_many(void *context)
{
    int *failures = context;
    for (int i = 0; i < REQUESTS; i++) {
        struct http_response response = HTTP_RESPONSE_INIT;
        struct http_request request = REQUEST("GET", .url = url_of(i % 5 ? "/ok" : "/truncated"));
        int rc = http_send(http, &request, &response, NULL);
        if (rc != (i % 5 ? 0 : -1) || (rc == 0 && strcmp(response.body.buf, "hello") != 0))
            (*failures)++;
        http_response_release(&response);
    }
    return NULL;
}

START_TEST(many_threads)
{
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(failures[i], 0);
    }
    ck_assert_uint_eq(server_requests(server), THREADS * REQUESTS);
    ck_assert_uint_le(server_connections(server), THREADS * (REQUESTS / 5 + 1));
}
END_TEST

/* ---- the seam ---- */

static int pretend(void *context, const struct http_request *request,
                   struct http_response *ret_response, struct error *err)
{
    (void)err;
    *(const char **)context = request->url;
    http_response_fill(ret_response, 418, "tea", 3);
    return 0;
}

START_TEST(seam)
{
    struct http_response response = HTTP_RESPONSE_INIT;
    struct http_request request = REQUEST("GET", .url = "anything");
    struct error err = ERROR_INIT;
    const char *seen = NULL;
    http_replace(pretend, &seen);
    ck_assert_int_eq(http_send(NULL, &request, &response, &err), 0);
    http_replace(NULL, NULL);
    ck_assert_int_eq(response.status, 418);
    ck_assert_str_eq(response.body.buf, "tea");
    ck_assert_str_eq(seen, "anything");
    http_response_release(&response);
    http_free(NULL);
}
END_TEST

static void add_exchange_tests(Suite *suite)
{
    TCase *tc = tcase_create("exchange");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, fine_case, 0, sizeof fine / sizeof *fine);
    tcase_add_test(tc, response_headers);
    tcase_add_loop_test(tc, fault_case, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tc, messages_hide_the_query);
    tcase_add_test(tc, long_path_leaves_room);
    tcase_add_test(tc, body_cap);
    tcase_add_test(tc, idle_limit);
    tcase_add_loop_test(tc, body_case, 0, sizeof bodies / sizeof *bodies);
    tcase_add_test(tc, headers_as_given);
    tcase_add_test(tc, nothing_is_left_over);
    tcase_add_test(tc, large_body);
    tcase_add_loop_test(tc, target_as_it_stands, 0, sizeof targets / sizeof *targets);
    tcase_add_loop_test(tc, refused_case, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tc, bad_header_is_refused);
    suite_add_tcase(suite, tc);
}

static void add_connection_tests(Suite *suite)
{
    TCase *tc = tcase_create("connection");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, connection_refused);
    tcase_add_test(tc, connecting_takes_too_long);
    tcase_add_test(tc, name_does_not_resolve);
    tcase_add_test(tc, unix_socket);
    tcase_add_test(tc, plain_http_needs_no_proxy);
    tcase_add_test(tc, https_goes_by_proxy);
    tcase_add_test(tc, connections_are_kept);
    tcase_add_test(tc, workers_know_their_servers);
    tcase_add_test(tc, closed_while_idle);
    tcase_add_loop_test(tc, resend_case, 0, sizeof resends / sizeof *resends);
    tcase_add_test(tc, reader_stops);
    tcase_add_test(tc, reader_gets_it_all);
    tcase_add_loop_test(tc, cancelled, 0, 2);
    tcase_add_test(tc, cancelled_before);
    tcase_add_test(tc, cancelled_with_grace);
    tcase_add_test(tc, shielded);
    tcase_add_test(tc, no_exchange_takes_longer);
    tcase_add_test(tc, deadline);
    tcase_add_test(tc, many_threads);
    tcase_add_test(tc, seam);
    suite_add_tcase(suite, tc);
}

Suite *http_suite(void)
{
    Suite *suite = suite_create("http");
    add_exchange_tests(suite);
    add_connection_tests(suite);
    return suite;
}
