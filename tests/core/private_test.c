#include <check.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/private.h"

Suite *private_suite(void);

/* Each test is a process of its own. */
START_TEST(leaves_nothing_behind)
{
    struct rlimit limit;
    const struct rlimit some = {.rlim_cur = 0, .rlim_max = 4096};
    setrlimit(RLIMIT_CORE, &some); /* where more is allowed, less can still be asked for */
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    private_process();
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, 0);
    ck_assert_uint_eq(limit.rlim_max, 0);
}
END_TEST

Suite *private_suite(void)
{
    Suite *suite = suite_create("private");
    TCase *tcase = tcase_create("private");
    tcase_add_test(tcase, leaves_nothing_behind);
    suite_add_tcase(suite, tcase);
    return suite;
}
