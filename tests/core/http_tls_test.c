/*
 * TLS, against `openssl s_server` with certificates made on the spot.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/http.h"
#include "core/process.h"
#include "core/support_server.h"

Suite *http_tls_suite(void);

static char folder[64];
static pid_t tls_server;
static int tls_port;

/* "<folder>/<name>", in one of a few buffers. */
static const char *file_in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void make_certificate(const char *names)
{
    const char *const argv[] = {"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-keyout",
                                file_in_folder("key.pem"),
                                "-out",
                                file_in_folder("cert.pem"),
                                "-subj",
                                "/CN=test",
                                "-addext",
                                names,
                                "-days",
                                "2",
                                NULL};
    struct process_spec spec = {.argv = argv};
    struct process_result result;
    struct error err = ERROR_INIT;
    int rc = process_run(&spec, &result, &err);
    if (rc == 0)
        rc = process_check(&result, "openssl", &err);
    ck_assert_msg(rc == 0, "%s", err.msg);
}

/* The port that the server says it accepts on: "ACCEPT 127.0.0.1:43211". */
static int read_port(int fd)
{
    char said[4096] = "";
    size_t len = 0;
    const char *accepts = NULL;
    while (len + 1 < sizeof said && !(accepts && strchr(accepts, '\n'))) {
        ssize_t got = read(fd, said + len, sizeof said - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        said[len] = '\0';
        accepts = strstr(said, "ACCEPT 127.0.0.1:");
    }
    ck_assert_msg(accepts, "openssl s_server said: %s", said);
    return (int)strtol(accepts + strlen("ACCEPT 127.0.0.1:"), NULL, 10);
}

static void start_tls_server(const char *protocol)
{
    char *const argv[] = {"openssl",
                          "s_server",
                          "-accept",
                          "127.0.0.1:0",
                          "-www",
                          "-cert",
                          (char *)file_in_folder("cert.pem"),
                          "-key",
                          (char *)file_in_folder("key.pem"),
                          "-cipher",
                          "ALL:@SECLEVEL=0",
                          (char *)protocol,
                          NULL};
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    tls_server = fork();
    if (tls_server == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        alarm(60);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(ends[1]);
    tls_port = read_port(ends[0]);
    close(ends[0]);
}

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    snprintf(folder, sizeof folder, "/tmp/http_tls_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    tls_server = 0;
}

static void tear_down(void)
{
    if (tls_server > 0) {
        kill(tls_server, SIGKILL);
        waitpid(tls_server, NULL, 0);
    }
    unlink(file_in_folder("cert.pem"));
    unlink(file_in_folder("key.pem"));
    rmdir(folder);
}

static int get(struct http *http, struct http_response *response, struct error *err)
{
    char url[60];
    snprintf(url, sizeof url, "https://localhost:%d/", tls_port);
    struct http_request request = {.method = "GET", .url = url, .timeout_ms = 20000};
    return http_send(http, &request, response, err);
}

static const struct {
    const char *names;    /* in the certificate */
    const char *ca;       /* in the folder; NULL: the system's */
    const char *protocol; /* the only one; NULL: all */
    enum error_kind kind;
} cases[] = {
    {"subjectAltName=DNS:localhost", "cert.pem", NULL, ERROR_NONE},
    {"subjectAltName=DNS:localhost", "cert.pem", "-tls1_3", ERROR_NONE},
    {"subjectAltName=DNS:localhost", "cert.pem", "-tls1_2", ERROR_NONE},
    {"subjectAltName=DNS:localhost", "cert.pem", "-tls1_1", ERROR_NETWORK},
    {"subjectAltName=DNS:localhost", NULL, "-tls1_3", ERROR_NETWORK},
    {"subjectAltName=DNS:other.example", "cert.pem", "-tls1_3", ERROR_NETWORK},
    {"subjectAltName=DNS:localhost", "missing.pem", "-tls1_3", ERROR_INPUT},
};

START_TEST(tls_case)
{
    make_certificate(cases[_i].names);
    start_tls_server(cases[_i].protocol);
    const char *ca = cases[_i].ca ? file_in_folder(cases[_i].ca) : NULL;
    struct http *http = http_new(&(struct http_options){.ca_file = ca});
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    int rc = get(http, &response, &err);
    if (cases[_i].kind == ERROR_NONE) {
        ck_assert_msg(rc == 0, "%s", err.msg);
        ck_assert_int_eq(response.status, 200);
        ck_assert_uint_gt(response.body.len, 100);
    } else {
        ck_assert_int_eq(rc, -1);
        ck_assert_msg(err.kind == cases[_i].kind, "%s", err.msg);
        ck_assert_msg(strcmp(err.name, "tls") == 0, "\"%s\": %s", err.name, err.msg);
    }
    http_response_release(&response);
    http_free(http);
}
END_TEST

START_TEST(no_tls_there)
{
    static const struct server_answer plain[] = {{NULL, NULL, SERVER_NO_FAULT, 0}};
    struct server *server = server_start(plain, NULL);
    struct http *http = http_new(&(struct http_options){0});
    struct http_response response = HTTP_RESPONSE_INIT;
    struct error err = ERROR_INIT;
    tls_port = server_port(server);
    char url[60];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", tls_port);
    struct http_request request = {.method = "GET", .url = url, .timeout_ms = 500};
    ck_assert_int_eq(http_send(http, &request, &response, &err), -1);
    ck_assert_msg(strcmp(err.name, "tls") == 0 || strcmp(err.name, "connect") == 0, "%s: %s",
                  err.name, err.msg); /* it waits for more of what it takes for a head */
    http_free(http);
    server_stop(server);
}
END_TEST

/* Sessions are shared between threads. */
struct client {
    struct http *http;
    int failures;
};

static void *get_many(void *context)
{
    struct client *client = context;
    for (int i = 0; i < 10; i++) {
        struct http_response response = HTTP_RESPONSE_INIT;
        if (get(client->http, &response, NULL) < 0 || response.status != 200)
            client->failures++;
        http_response_release(&response);
    }
    return NULL;
}

START_TEST(many_threads)
{
    pthread_t threads[4];
    struct client clients[4];
    make_certificate("subjectAltName=DNS:localhost");
    start_tls_server(NULL);
    struct http_options options = {.ca_file = file_in_folder("cert.pem")};
    struct http *http = http_new(&options);
    for (int i = 0; i < 4; i++) {
        clients[i] = (struct client){.http = http};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, get_many, &clients[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(clients[i].failures, 0);
    }
    http_free(http);
}
END_TEST

/* AWS_CA_BUNDLE with a slip of the pen: whose file it is, and not only that TLS failed. */
START_TEST(no_such_file_of_certificates)
{
    struct error err = ERROR_INIT;
    struct http_response response = HTTP_RESPONSE_INIT;
    make_certificate("subjectAltName=DNS:localhost");
    start_tls_server(NULL);
    struct http *http = http_new(&(struct http_options){.ca_file = "/no/such/bundle.pem"});
    ck_assert_int_eq(get(http, &response, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.msg, "/no/such/bundle.pem: No such file"));
    http_free(http);
}
END_TEST

Suite *http_tls_suite(void)
{
    Suite *suite = suite_create("http_tls");
    TCase *tc = tcase_create("http_tls");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, tls_case, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tc, no_tls_there);
    tcase_add_test(tc, no_such_file_of_certificates);
    tcase_add_test(tc, many_threads);
    suite_add_tcase(suite, tc);
    return suite;
}
