#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cancel.h"

Suite *cancel_suite(void);

static bool is_readable(int fd)
{
    struct pollfd in = {.fd = fd, .events = POLLIN};
    return poll(&in, 1, 0) == 1;
}

START_TEST(a_signal_is_noted)
{
    cancel_install();
    int fd = cancel_fd();
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(cancel_signal(), 0);
    ck_assert(!cancel_requested());
    ck_assert(!is_readable(fd));

    errno = ENOENT;
    ck_assert_int_eq(raise(_i == 0 ? SIGINT : SIGTERM), 0);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(cancel_signal(), _i == 0 ? SIGINT : SIGTERM);
    ck_assert(cancel_requested());
    ck_assert(is_readable(fd));

    /* the one that began it counts */
    ck_assert_int_eq(raise(_i == 0 ? SIGTERM : SIGINT), 0);
    ck_assert_int_eq(cancel_signal(), _i == 0 ? SIGINT : SIGTERM);
    ck_assert(is_readable(fd));
    cancel_pretend(0);
}
END_TEST

START_TEST(a_signal_after_the_end_is_noted)
{
    cancel_install();
    int fd = cancel_fd();
    cancel_release();
    cancel_release();
    ck_assert_int_eq(cancel_fd(), -1);
    ck_assert_int_eq(close(fd), -1);
    ck_assert_int_eq(raise(SIGTERM), 0);
    ck_assert_int_eq(cancel_signal(), SIGTERM);
    cancel_pretend(0);
}
END_TEST

START_TEST(pretending_is_like_a_signal)
{
    cancel_pretend(SIGINT); /* not installed: works all the same */
    ck_assert(cancel_requested());
    cancel_pretend(0);
    ck_assert(!cancel_requested());

    cancel_install();
    for (int i = 0; i < 3; i++) {
        cancel_pretend(SIGTERM);
        ck_assert_int_eq(cancel_signal(), SIGTERM);
        ck_assert(is_readable(cancel_fd()));
        cancel_pretend(0);
        ck_assert_int_eq(cancel_signal(), 0);
        ck_assert(!is_readable(cancel_fd()));
    }
}
END_TEST

START_TEST(installing_twice_changes_nothing)
{
    cancel_install();
    int fd = cancel_fd();
    cancel_install();
    ck_assert_int_eq(cancel_fd(), fd);
}
END_TEST

START_TEST(a_write_that_cannot_be_is_an_error)
{
    int ends[2];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    pid_t child = fork(); /* Check writes to files of its own */
    if (child == 0) {
        const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        setrlimit(RLIMIT_FSIZE, &none);
        cancel_install();
        bool file_refuses = write(fileno(file), "x", 1) < 0 && errno == EFBIG;
        bool pipe_refuses = write(ends[1], "x", 1) < 0 && errno == EPIPE;
        _exit(file_refuses && pipe_refuses ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    fclose(file);
    close(ends[1]);
}
END_TEST

static void *ask(void *answer)
{
    *(bool *)answer = cancel_requested();
    return NULL;
}

START_TEST(shields_nest_and_belong_to_a_thread)
{
    cancel_pretend(SIGINT);
    cancel_shield_begin();
    cancel_shield_begin();
    ck_assert(!cancel_requested());
    ck_assert_int_eq(cancel_signal(), SIGINT);
    bool other = false;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, ask, &other), 0);
    pthread_join(thread, NULL);
    ck_assert(other);
    cancel_shield_end();
    ck_assert(!cancel_requested());
    cancel_shield_end();
    ck_assert(cancel_requested());

    cancel_shield_end(); /* one too many is no negative shield */
    cancel_shield_begin();
    ck_assert(!cancel_requested());
    cancel_shield_end();
    cancel_pretend(0);
}
END_TEST

/* In a process of its own: SIGPIPE is ignored, signals that the parent had blocked are taken, and
 * the fd is not inherited by programs. */
START_TEST(what_installing_sets)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        sigset_t all;
        int ends[2];
        sigfillset(&all);
        sigdelset(&all, SIGPIPE); /* blocked, it would not kill anyway */
        sigprocmask(SIG_BLOCK, &all, NULL);
        cancel_install();
        raise(SIGTERM);
        if (cancel_signal() != SIGTERM)
            _exit(1);
        if (pipe(ends) != 0 || close(ends[0]) != 0)
            _exit(2);
        if (write(ends[1], "x", 1) != -1 || errno != EPIPE)
            _exit(3);
        char path[64];
        char link[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", cancel_fd());
        if (readlink(path, link, sizeof link) < 0)
            _exit(4);
        execl("/usr/bin/test", "test", "!", "-e", path, (char *)NULL);
        _exit(5);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

Suite *cancel_suite(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tests = tcase_create("cancel");
    tcase_add_loop_test(tests, a_signal_is_noted, 0, 2);
    tcase_add_test(tests, a_signal_after_the_end_is_noted);
    tcase_add_test(tests, pretending_is_like_a_signal);
    tcase_add_test(tests, installing_twice_changes_nothing);
    tcase_add_test(tests, a_write_that_cannot_be_is_an_error);
    tcase_add_test(tests, shields_nest_and_belong_to_a_thread);
    tcase_add_test(tests, what_installing_sets);
    suite_add_tcase(suite, tests);
    return suite;
}
