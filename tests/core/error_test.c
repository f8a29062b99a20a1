#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"

Suite *error_suite(void);

START_TEST(set_fills_in_everything)
{
    struct error err = {.kind = ERROR_SERVER, .code = 500, .name = "Old", .msg = "old"};
    ck_assert_int_eq(error_set(&err, ERROR_INPUT, "no such input: %s", "colour"), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_int_eq(err.code, 0);
    ck_assert_str_eq(err.name, "");
    ck_assert_str_eq(err.msg, "no such input: colour");

    ck_assert_int_eq(error_set_code(&err, ERROR_SERVER, 503, "answer %d", 7), -1);
    ck_assert_int_eq(err.kind, ERROR_SERVER);
    ck_assert_int_eq(err.code, 503);
    ck_assert_str_eq(err.msg, "answer 7");

    error_reset(&err);
    ck_assert_int_eq(err.kind, ERROR_NONE);
    ck_assert_int_eq(err.code, 0);
    ck_assert_str_eq(err.msg, "");
}
END_TEST

START_TEST(errno_is_captured)
{
    struct error err = ERROR_INIT;
    errno = ENOENT;
    ck_assert_int_eq(error_set_errno(&err, "opening %s", "x"), -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, ENOENT);
    ck_assert_str_eq(err.msg, "opening x: No such file or directory");
}
END_TEST

START_TEST(wrap_grows_outwards)
{
    struct error err = ERROR_INIT;
    error_set_code(&err, ERROR_CONFLICT, 409, "busy");
    snprintf(err.name, sizeof err.name, "ResourceConflictException");
    ck_assert_int_eq(error_wrap(&err, "updating %s", "hello"), -1);
    ck_assert_int_eq(error_wrap(&err, "deploying"), -1);
    ck_assert_str_eq(err.msg, "deploying: updating hello: busy");
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_int_eq(err.code, 409);
    ck_assert_str_eq(err.name, "ResourceConflictException");

    error_reset(&err);
    error_wrap(&err, "alone");
    ck_assert_str_eq(err.msg, "alone");
}
END_TEST

START_TEST(arguments_may_come_from_the_error_itself)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_FAILED, "inner");
    error_set(&err, ERROR_FAILED, "again %s, %s", err.msg, err.msg);
    ck_assert_str_eq(err.msg, "again inner, inner");
    error_wrap(&err, "<%s>", err.msg);
    ck_assert_str_eq(err.msg, "<again inner, inner>: again inner, inner");
}
END_TEST

/*
 * A message of two-byte characters, moved by 0 or 1 byte so that one of the cuts hits a character.
 */
START_TEST(long_messages_are_cut_at_a_character)
{
    char text[3000];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    text[sizeof text - 2] = '\0';
    const char *shift = _i == 0 ? "" : "x";
    struct error err = ERROR_INIT;

    error_set(&err, ERROR_FAILED, "%s%s", shift, text);
    ck_assert_uint_ge(strlen(err.msg), sizeof err.msg - 2);
    ck_assert(text_is_utf8(err.msg, strlen(err.msg)));

    error_wrap(&err, "y");
    ck_assert_uint_ge(strlen(err.msg), sizeof err.msg - 2);
    ck_assert_uint_eq(strncmp(err.msg, "y: ", 3), 0);
    ck_assert(text_is_utf8(err.msg, strlen(err.msg)));

    errno = EIO;
    error_set_errno(&err, "%s%s", shift, text);
    ck_assert(text_is_utf8(err.msg, strlen(err.msg)));
}
END_TEST

START_TEST(nobody_wants_to_know)
{
    ck_assert_int_eq(error_set(NULL, ERROR_INPUT, "x"), -1);
    ck_assert_int_eq(error_set_code(NULL, ERROR_INPUT, 1, "x"), -1);
    ck_assert_int_eq(error_set_errno(NULL, "x"), -1);
    ck_assert_int_eq(error_wrap(NULL, "x"), -1);
    error_reset(NULL);
}
END_TEST

START_TEST(every_kind_has_its_own_name)
{
    for (int i = ERROR_NONE; i <= ERROR_FAILED; i++) {
        const char *name = error_kind_name((enum error_kind)i);
        ck_assert_str_ne(name, "unknown");
        for (int j = ERROR_NONE; j < i; j++)
            ck_assert_str_ne(name, error_kind_name((enum error_kind)j));
    }
    ck_assert_str_eq(error_kind_name(ERROR_NETWORK), "network");
    ck_assert_str_eq(error_kind_name((enum error_kind)(ERROR_FAILED + 1)), "unknown");
}
END_TEST

Suite *error_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, set_fills_in_everything);
    tcase_add_test(tests, errno_is_captured);
    tcase_add_test(tests, wrap_grows_outwards);
    tcase_add_test(tests, arguments_may_come_from_the_error_itself);
    tcase_add_loop_test(tests, long_messages_are_cut_at_a_character, 0, 2);
    tcase_add_test(tests, nobody_wants_to_know);
    tcase_add_test(tests, every_kind_has_its_own_name);
    suite_add_tcase(suite, tests);
    return suite;
}
