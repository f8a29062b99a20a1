#include "core/support_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/strbuf.h"

#define CONNECTIONS 128
#define REQUEST_MAX ((size_t)16 << 20)

struct connection {
    struct server *server; /* borrowed */
    int fd;
    int served; /* whole requests so far */
    pthread_t thread;
};

struct server {
    const struct server_answer *answers; /* borrowed */
    int listener;
    int port;
    int stop_pipe[2]; /* readable at its end once [1] is closed: everybody goes home */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    struct connection connections[CONNECTIONS];
    size_t connection_count;
    size_t requests;
    struct strbuf last;
};

/* True if the server is stopping, after waiting for at most `ms` (-1: until it is). */
static bool stopping_within(struct server *server, int ms)
{
    struct pollfd stop = {.fd = server->stop_pipe[0], .events = POLLIN};
    return poll(&stop, 1, ms) > 0;
}

/* ---- reading ---- */

static size_t declared_length(const char *head)
{
    const char *line = strcasestr(head, "\ncontent-length:");
    return line ? (size_t)strtoul(line + 16, NULL, 10) : 0;
}

/* One whole request into `text`, false at the end of the connection or of the server. */
static bool read_request(struct connection *connection, struct strbuf *text)
{
    strbuf_reset(text);
    for (;;) {
        const char *end = strstr(text->buf, "\r\n\r\n");
        if (end && text->len >= (size_t)(end - text->buf) + 4 + declared_length(text->buf))
            return true;
        struct pollfd fds[] = {{.fd = connection->fd, .events = POLLIN},
                               {.fd = connection->server->stop_pipe[0], .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents)
            return false;
        char bytes[65536];
        ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return false;
        strbuf_add(text, bytes, (size_t)got);
    }
}

/* ---- answering ---- */

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static const struct server_answer *find_answer(const struct server *server, const char *request)
{
    static const struct server_answer missing = {
        .bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
    const char *target = strchr(request, ' ');
    for (const struct server_answer *answer = server->answers; target && answer->target; answer++)
        if (strncmp(target + 1, answer->target, strlen(answer->target)) == 0)
            return answer;
    return &missing;
}

static void flood(struct connection *connection, const char *bytes)
{
    while (!stopping_within(connection->server, 0) &&
           send_all(connection->fd, bytes, strlen(bytes)))
        ;
}

static bool drip(struct connection *connection, const struct server_answer *answer)
{
    for (const char *c = answer->bytes; *c; c++)
        if (!send_all(connection->fd, c, 1) ||
            stopping_within(connection->server, answer->pause_ms))
            return false;
    return true;
}

/* True if the connection goes on. */
static bool give_answer(struct connection *connection, const struct server_answer *answer)
{
    const char *bytes = answer->bytes ? answer->bytes : "";
    char xs[8192] = "";
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (answer->fault == SERVER_CLOSES_REUSED && connection->served > 1)
        return false;
    if (answer->fault == SERVER_DRIPS)
        return drip(connection, answer);
    if (answer->fault == SERVER_PAUSES && stopping_within(connection->server, answer->pause_ms))
        return false;
    if (!send_all(connection->fd, bytes, strlen(bytes)))
        return false;
    switch (answer->fault) {
    case SERVER_RESETS:
        usleep(50000); /* what was sent is read first */
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return false;
    case SERVER_CLOSES:
        return false;
    case SERVER_HANGS:
        stopping_within(connection->server, -1);
        return false;
    case SERVER_FLOODS:
        memset(xs, 'x', sizeof xs - 1);
        flood(connection, xs);
        return false;
    case SERVER_FLOODS_LINES:
        flood(connection, "X-Line: one of many, each of them short, all of them too long\r\n");
        return false;
    default:
        return true;
    }
}

static void *serve(void *context)
{
    struct connection *connection = context;
    struct server *server = connection->server;
    struct strbuf text = STRBUF_INIT(REQUEST_MAX);
    bool goes_on = true;
    while (goes_on && read_request(connection, &text)) {
        connection->served++;
        pthread_mutex_lock(&server->lock);
        server->requests++;
        strbuf_reset(&server->last);
        strbuf_addsb(&server->last, &text);
        pthread_mutex_unlock(&server->lock);
        goes_on = give_answer(connection, find_answer(server, text.buf));
    }
    close(connection->fd);
    strbuf_release(&text);
    return NULL;
}

/* ---- listening ---- */

static void *listen_on(void *context)
{
    struct server *server = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
                               {.fd = server->stop_pipe[0], .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents)
            return NULL;
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&server->lock);
        ck_assert_uint_lt(server->connection_count, CONNECTIONS);
        struct connection *connection = &server->connections[server->connection_count++];
        *connection = (struct connection){.server = server, .fd = fd};
        ck_assert_int_eq(pthread_create(&connection->thread, NULL, serve, connection), 0);
        pthread_mutex_unlock(&server->lock);
    }
}

static void bind_unix(struct server *server, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
}

static void bind_tcp(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server->listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

struct server *server_start(const struct server_answer *answers, const char *socket_path)
{
    struct server *server = memory_new(sizeof *server);
    server->answers = answers;
    strbuf_init(&server->last, REQUEST_MAX);
    pthread_mutex_init(&server->lock, NULL);
    if (socket_path)
        bind_unix(server, socket_path);
    else
        bind_tcp(server);
    ck_assert_int_eq(listen(server->listener, CONNECTIONS), 0);
    ck_assert_int_eq(pipe(server->stop_pipe), 0);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, listen_on, server), 0);
    return server;
}

void server_stop(struct server *server)
{
    close(server->stop_pipe[1]);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    close(server->listener);
    close(server->stop_pipe[0]);
    pthread_mutex_destroy(&server->lock);
    strbuf_release(&server->last);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

size_t server_requests(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}

size_t server_connections(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->connection_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *server_last(struct server *server)
{
    return server->last.buf;
}
