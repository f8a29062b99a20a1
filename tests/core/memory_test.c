#include <check.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"

Suite *memory_suite(void);

START_TEST(new_memory_is_zeroed)
{
    unsigned char *bytes = memory_new(4096);
    for (size_t i = 0; i < 4096; i++)
        ck_assert_uint_eq(bytes[i], 0);
    free(bytes);
    void *nothing = memory_new(0);
    ck_assert_ptr_nonnull(nothing);
    nothing = memory_resize(nothing, 0, 8);
    ck_assert_ptr_nonnull(nothing);
    free(nothing);
}
END_TEST

START_TEST(resize_keeps_what_was_there)
{
    int *numbers = memory_resize(NULL, 2, sizeof *numbers);
    numbers[0] = 1;
    numbers[1] = 2;
    numbers = memory_resize(numbers, 1000, sizeof *numbers);
    ck_assert_int_eq(numbers[0], 1);
    ck_assert_int_eq(numbers[1], 2);
    numbers[999] = 3;
    free(numbers);
}
END_TEST

START_TEST(copies_are_terminated)
{
    ck_assert_ptr_null(memory_copy_string(NULL));
    char *copy = memory_copy_string("abc");
    ck_assert_str_eq(copy, "abc");
    free(copy);
    copy = memory_copy_bytes("a\0bcd", 4);
    ck_assert_mem_eq(copy, "a\0bc\0", 5);
    free(copy);
    copy = memory_copy_bytes(NULL, 0);
    ck_assert_str_eq(copy, "");
    free(copy);
}
END_TEST

START_TEST(wiped_bytes_are_zero)
{
    char secret[] = "hunter2 and more";
    memory_wipe(secret, 7);
    ck_assert_mem_eq(secret, "\0\0\0\0\0\0\0 and", 11);
    memory_wipe(NULL, 0);
    memory_free_secret(NULL);
    memory_free_secret(memory_copy_string("x"));
}
END_TEST

static void too_many(void)
{
    free(memory_resize(NULL, SIZE_MAX / 2, 3));
}

static void too_large(void)
{
    free(memory_resize(NULL, SIZE_MAX - 1, 1));
}

static void too_long(void)
{
    free(memory_copy_bytes("x", SIZE_MAX));
}

START_TEST(impossible_sizes_end_the_process)
{
    static void (*const cases[])(void) = {too_many, too_large, too_long};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        cases[_i]();
        _exit(0);
    }
    close(ends[1]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 3);
    char message[64] = "";
    ck_assert_int_gt(read(ends[0], message, sizeof message - 1), 0);
    ck_assert_str_eq(message, "error: out of memory\n");
    close(ends[0]);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");
    tcase_add_test(tests, new_memory_is_zeroed);
    tcase_add_test(tests, resize_keeps_what_was_there);
    tcase_add_test(tests, copies_are_terminated);
    tcase_add_test(tests, wiped_bytes_are_zero);
    tcase_add_loop_test(tests, impossible_sizes_end_the_process, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
