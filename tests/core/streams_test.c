#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/streams.h"

Suite *streams_suite(void);

/* Each test is a process of its own. */
START_TEST(closed_streams_are_occupied)
{
    char byte;
    bool closed[3];
    for (int fd = 0; fd <= 2; fd++) {
        closed[fd] = _i & 1 << fd;
        if (closed[fd])
            close(fd);
    }
    streams_occupy();
    int next = open("/dev/zero", O_RDWR);
    bool is_free = next > 2;
    bool is_refused = true;
    for (int fd = 1; fd <= 2; fd++)
        is_refused = is_refused && (!closed[fd] || (write(fd, "x", 1) < 0 && errno == EBADF));
    bool is_empty = !closed[0] || read(0, &byte, 1) == 0;
    ck_assert(is_free);
    ck_assert(is_refused);
    ck_assert(is_empty);
    close(next);
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
