/*
 * support_server.h: a small HTTP/1.1 server on loopback (or a unix socket) for tests, with faults.
 *
 * It runs in threads of the test program, keeps connections, and remembers what it was asked. What
 * it answers is decided by a table: the first entry whose `target` is the beginning of the
 * request's target. A target without an entry gets 404.
 */
#ifndef TESTS_CORE_SUPPORT_SERVER_H
#define TESTS_CORE_SUPPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum server_fault {
    SERVER_NO_FAULT,
    SERVER_CLOSES,       /* after the answer, in an orderly way */
    SERVER_RESETS,       /* after the answer: RST */
    SERVER_DRIPS,        /* the answer byte by byte, `pause_ms` between them */
    SERVER_PAUSES,       /* `pause_ms` before the answer */
    SERVER_HANGS,        /* after the answer nothing more comes, the connection stays */
    SERVER_FLOODS_LINES, /* after the answer, lines of headers without end */
    SERVER_FLOODS,       /* after the answer, the letter x without end */
    SERVER_CLOSES_REUSED /* as SERVER_CLOSES without any answer, if the connection was used before
                          */
};

struct server_answer {
    const char *target; /* borrowed */
    const char *bytes;  /* borrowed; the whole answer, status line and all; NULL: nothing */
    enum server_fault fault;
    int pause_ms;
};

struct server; /* opaque */

/* `answers` ends with an entry whose target is NULL; borrowed until server_stop. `socket_path`
 * NULL: 127.0.0.1, a port of the system's choice. Fails the test if it cannot start. */
struct server *server_start(const struct server_answer *answers, const char *socket_path);
void server_stop(struct server *server);
int server_port(const struct server *server);

/* How many requests came whole, and on how many connections. */
size_t server_requests(struct server *server);
size_t server_connections(struct server *server);

/* Head and body of the last whole request, terminated; lives until server_stop. */
const char *server_last(struct server *server);

#endif
