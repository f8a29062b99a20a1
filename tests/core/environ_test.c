#include <check.h>

#include "core/environ.h"

Suite *environ_suite(void);

START_TEST(finds_whole_names_with_a_value)
{
    const char *const env[] = {"AB=1", "A=2", "EMPTY=", "NOTHING", "A=3", "B=x=y", NULL};
    ck_assert_str_eq(environ_get(env, "A"), "3"); /* the last one */
    ck_assert_str_eq(environ_get(env, "AB"), "1");
    ck_assert_str_eq(environ_get(env, "B"), "x=y");
    ck_assert_ptr_null(environ_get(env, "EMPTY"));
    ck_assert_ptr_null(environ_get(env, "NOTHING"));
    ck_assert_ptr_null(environ_get(env, "MISSING"));
    ck_assert_ptr_null(environ_get(NULL, "A"));
}
END_TEST

START_TEST(last_one_wins_even_when_empty)
{
    const char *const env[] = {"A=1", "A=", NULL};
    ck_assert_ptr_null(environ_get(env, "A"));
}
END_TEST

Suite *environ_suite(void)
{
    Suite *suite = suite_create("environ");
    TCase *tcase = tcase_create("environ");
    tcase_add_test(tcase, finds_whole_names_with_a_value);
    tcase_add_test(tcase, last_one_wins_even_when_empty);
    suite_add_tcase(suite, tcase);
    return suite;
}
