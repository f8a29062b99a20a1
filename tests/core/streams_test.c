#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/streams.h"

Suite *streams_suite(void);

enum { IS_FREE = 1, IS_REFUSED = 2, IS_EMPTY = 4 };

/* Which of them hold. */
static int occupy(int which)
{
    char byte;
    for (int fd = 0; fd <= 2; fd++)
        if (which & 1 << fd)
            close(fd);
    streams_occupy();
    int next = open("/dev/zero", O_RDWR);
    bool is_refused = true;
    for (int fd = 1; fd <= 2; fd++)
        is_refused =
            is_refused && (!(which & 1 << fd) || (write(fd, "x", 1) < 0 && errno == EBADF));
    bool is_empty = !(which & 1) || read(0, &byte, 1) == 0;
    return (next > 2 ? IS_FREE : 0) | (is_refused ? IS_REFUSED : 0) | (is_empty ? IS_EMPTY : 0);
}

/* In a process of its own, since Check says by these streams what came out, and need not fork. */
START_TEST(closed_streams_are_occupied)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(occupy(_i));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), IS_FREE | IS_REFUSED | IS_EMPTY);
}
END_TEST

START_TEST(nothing_stays_open)
{
    int before = dup(0);
    close(before);
    streams_occupy();
    ck_assert_int_eq(dup(0), before);
}
END_TEST

Suite *streams_suite(void)
{
    Suite *suite = suite_create("streams");
    TCase *tcase = tcase_create("streams");
    tcase_add_loop_test(tcase, closed_streams_are_occupied, 0, 8);
    tcase_add_test(tcase, nothing_stays_open);
    suite_add_tcase(suite, tcase);
    return suite;
}
