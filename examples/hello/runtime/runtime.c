/* runtime.c: the Runtime API over plain sockets: take an event, hand it over, post the answer. */
#include "runtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define API            "/2018-06-01/runtime"
#define MAX_ANSWER     ((size_t)7 << 20) /* an event is at most 6 MB, headers come on top */
#define MAX_REQUEST_ID 128

struct answer {
    int status;
    char request_id[MAX_REQUEST_ID];
    char *bytes;      /* owned; all of it, zero-terminated */
    const char *body; /* borrowed: within bytes */
    size_t body_len;
};

static int fail(const char *what)
{
    fprintf(stderr, "runtime: %s: %s\n", what, errno != 0 ? strerror(errno) : "not as expected");
    return -1;
}

/* AWS_LAMBDA_RUNTIME_API is "address:port"; the address is a number on Lambda. */
static int connect_api(const char *api)
{
    char host[64];
    const char *colon = strrchr(api, ':');
    size_t len = colon != NULL ? (size_t)(colon - api) : 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    errno = 0;
    if (len == 0 || len >= sizeof host) {
        return fail("AWS_LAMBDA_RUNTIME_API is not ADDRESS:PORT");
    }
    memcpy(host, api, len);
    host[len] = '\0';
    long port = strtol(colon + 1, NULL, 10);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || port < 1 || port > 65535) {
        errno = 0;
        return fail("AWS_LAMBDA_RUNTIME_API is not ADDRESS:PORT");
    }
    address.sin_port = htons((unsigned short)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail("socket");
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("cannot reach the Runtime API");
        close(fd);
        return -1;
    }
    return fd;
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return fail("sending to the Runtime API");
        }
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        }
    }
    return 0;
}

/* Everything up to the end of the connection, zero-terminated. */
static char *receive_all(int fd, size_t *ret_len)
{
    size_t len = 0, size = 16384;
    char *bytes = malloc(size);
    while (bytes != NULL) {
        ssize_t got = recv(fd, bytes + len, size - len - 1, 0);
        if (got == 0) {
            bytes[len] = '\0';
            *ret_len = len;
            return bytes;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        len += got > 0 ? (size_t)got : 0;
        if (got < 0 || len > MAX_ANSWER) {
            break;
        }
        if (size - len < 2) {
            char *larger = realloc(bytes, size *= 2);
            if (larger == NULL) {
                break;
            }
            bytes = larger;
        }
    }
    fail("receiving from the Runtime API");
    free(bytes);
    return NULL;
}

/* The value of a header of an HTTP answer. */
static bool find_header(const char *answer, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    const char *line = strstr(answer, "\r\n");
    while (line != NULL && strncmp(line, "\r\n\r\n", 4) != 0) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *value = line + name_len + 1;
            value += strspn(value, " \t");
            size_t len = strcspn(value, "\r\n");
            if (len >= size) {
                return false;
            }
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        line = strstr(line, "\r\n");
    }
    return false;
}

static int parse_answer(char *bytes, size_t len, struct answer *ret_answer)
{
    char text[32];
    errno = 0;
    const char *body = strstr(bytes, "\r\n\r\n");
    if (body == NULL || sscanf(bytes, "HTTP/1.%*1[01] %3d", &ret_answer->status) != 1) {
        return fail("answer of the Runtime API");
    }
    ret_answer->bytes = bytes;
    ret_answer->body = body + 4;
    ret_answer->body_len = len - (size_t)(body + 4 - bytes);
    if (find_header(bytes, "Content-Length", text, sizeof text)) {
        char *end;
        unsigned long expected = strtoul(text, &end, 10);
        if (*end != '\0' || end == text || expected != ret_answer->body_len) {
            return fail("the Runtime API's answer is cut short");
        }
    }
    if (!find_header(bytes, "Lambda-Runtime-Aws-Request-Id", ret_answer->request_id,
                     sizeof ret_answer->request_id)) {
        ret_answer->request_id[0] = '\0';
    }
    return 0;
}

/* One request on a connection of its own, in HTTP/1.0: so the answer is never chunked. */
static int call_api(const char *api, const char *method, const char *path, const char *body,
                    struct answer *ret_answer)
{
    char head[512];
    size_t len = 0, body_len = strlen(body);
    int head_len = snprintf(head, sizeof head,
                            "%s " API "%s HTTP/1.0\r\nHost: %s\r\nContent-Length: %zu\r\n"
                            "Content-Type: application/json\r\n\r\n",
                            method, path, api, body_len);
    if (head_len < 0 || (size_t)head_len >= sizeof head) {
        errno = 0;
        return fail("request to the Runtime API is too long");
    }
    int fd = connect_api(api);
    if (fd < 0) {
        return -1;
    }
    char *bytes = NULL;
    if (send_all(fd, head, (size_t)head_len) == 0 && send_all(fd, body, body_len) == 0) {
        bytes = receive_all(fd, &len);
    }
    close(fd);
    if (bytes == NULL) {
        return -1;
    }
    if (parse_answer(bytes, len, ret_answer) != 0) {
        free(bytes);
        return -1;
    }
    return 0;
}

static void read_http(struct event *event)
{
    const char *value;
    size_t len;
    event->is_http =
        json_find(event->payload, event->payload_len, "version", &value, &len) && len == 5 &&
        memcmp(value, "\"2.0\"", 5) == 0 &&
        json_find(event->payload, event->payload_len, "requestContext.http.method", &value, &len) &&
        json_text(value, len, event->method, sizeof event->method) &&
        json_find(event->payload, event->payload_len, "rawPath", &value, &len) &&
        json_text(value, len, event->path, sizeof event->path);
    if (!event->is_http) {
        event->method[0] = event->path[0] = '\0';
    }
}

/* What is posted back: for HTTP the body is a string within an object with the status. */
static const char *render(const struct event *event, const struct reply *reply)
{
    static char quoted[sizeof reply->body * 6 + 3], text[sizeof quoted + 128];
    if (!event->is_http) {
        return reply->body;
    }
    if (json_quote(reply->body, quoted, sizeof quoted) != 0) {
        return "{\"statusCode\":500,\"body\":\"the answer is too long\"}";
    }
    snprintf(text, sizeof text,
             "{\"statusCode\":%d,\"headers\":{\"content-type\":\"application/json\"},\"body\":%s}",
             reply->status, quoted);
    return text;
}

static int serve_one(const char *api, handler *handle)
{
    static struct reply reply;
    static char reason[sizeof reply.body * 6 + 3], failure[sizeof reason + 128];
    struct answer answer, receipt;
    if (call_api(api, "GET", "/invocation/next", "", &answer) != 0) {
        return -1;
    }
    if (answer.status != 200 || answer.request_id[0] == '\0') {
        free(answer.bytes);
        errno = 0;
        return fail("the Runtime API gave no event");
    }
    struct event event = {
        .payload = answer.body, .payload_len = answer.body_len, .request_id = answer.request_id};
    char path[MAX_REQUEST_ID + 64];
    const char *body;
    read_http(&event);
    reply.status = 200;
    snprintf(reply.body, sizeof reply.body, "null");
    if (handle(&event, &reply) == 0) {
        snprintf(path, sizeof path, "/invocation/%s/response", answer.request_id);
        body = render(&event, &reply);
    } else {
        snprintf(path, sizeof path, "/invocation/%s/error", answer.request_id);
        if (json_quote(reply.body, reason, sizeof reason) != 0) {
            snprintf(reason, sizeof reason, "\"the reason is too long\"");
        }
        snprintf(failure, sizeof failure, "{\"errorMessage\":%s,\"errorType\":\"HandlerFailed\"}",
                 reason);
        body = failure;
    }
    int status = call_api(api, "POST", path, body, &receipt);
    free(answer.bytes);
    if (status == 0) {
        if (receipt.status != 202) {
            errno = 0;
            status = fail("the Runtime API refused the answer");
        }
        free(receipt.bytes);
    }
    return status;
}

int runtime_run(handler *handle)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (api == NULL) {
        fputs("runtime: AWS_LAMBDA_RUNTIME_API is not set: this program runs on Lambda\n", stderr);
        return 2;
    }
    while (serve_one(api, handle) == 0) {
    }
    return 1;
}

int reply_json(struct reply *reply, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(reply->body, sizeof reply->body, format, arguments);
    va_end(arguments);
    reply->status = status;
    return len >= 0 && (size_t)len < sizeof reply->body ? 0 : -1;
}
