#include <check.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/strvec.h"

Suite *strvec_suite(void);

START_TEST(lists_end_with_null)
{
    CLEANUP(strvec) struct strvec sv = STRVEC_INIT;
    ck_assert(!strvec_contains(&sv, "a"));
    for (int i = 0; i < 100; i++) {
        strvec_pushf(&sv, "item %d", i);
        ck_assert_uint_eq(sv.len, (size_t)i + 1);
        ck_assert_ptr_null(sv.items[sv.len]);
    }
    ck_assert_str_eq(sv.items[0], "item 0");
    ck_assert_str_eq(sv.items[99], "item 99");
    ck_assert(strvec_contains(&sv, "item 42"));
    ck_assert(!strvec_contains(&sv, "item 4x"));
    ck_assert(!strvec_contains(&sv, NULL));
    strvec_release(&sv);
    ck_assert_uint_eq(sv.len, 0);
    ck_assert_ptr_null(sv.items);
    strvec_release(NULL);
}
END_TEST

START_TEST(strings_are_copied_or_taken_over)
{
    CLEANUP(strvec) struct strvec sv = STRVEC_INIT;
    char text[] = "abc";
    strvec_push(&sv, text);
    text[0] = 'x';
    char *heap = memory_copy_string("heap");
    strvec_push_owned(&sv, heap);
    strvec_push_many(&sv, "d", "", "e", NULL);
    ck_assert_uint_eq(sv.len, 5);
    ck_assert_str_eq(sv.items[0], "abc");
    ck_assert_ptr_eq(sv.items[1], heap);
    ck_assert_str_eq(sv.items[3], "");
    ck_assert_str_eq(sv.items[4], "e");
}
END_TEST

START_TEST(lists_are_added_to_lists)
{
    struct strvec one = STRVEC_INIT, two = STRVEC_INIT;
    strvec_push_many(&one, "a", "", NULL);
    strvec_push(&two, "b");
    strvec_push_all(&two, &one);
    strvec_push_all(&two, NULL);
    ck_assert_uint_eq(two.len, 3);
    ck_assert_str_eq(two.items[1], "a");
    ck_assert_ptr_ne(two.items[1], one.items[0]);
    ck_assert_ptr_null(two.items[3]);
    strvec_release(&one);
    strvec_release(&two);
}
END_TEST

START_TEST(null_is_no_string)
{
    CLEANUP(strvec) struct strvec sv = STRVEC_INIT;
    strvec_push(&sv, NULL);
    strvec_push_owned(&sv, NULL);
    strvec_split(&sv, NULL, ',');
    ck_assert_uint_eq(sv.len, 0);
}
END_TEST

static const struct {
    const char *text;
    char separator;
    const char *parts; /* each followed by "|" */
} splits[] = {
    {"", ',', ""},
    {" ", ',', ""},
    {",", ',', ""},
    {"a", ',', "a|"},
    {"a,b", ',', "a|b|"},
    {" a , ,b c,\t", ',', "a|b c|"},
    {",a,,b,", ',', "a|b|"},
    {"a\r\nb\n\nc", '\n', "a|b|c|"},
    {"  one  two ", ' ', "one|two|"},
    {"a,b", ';', "a,b|"},
    {" a b ", '\0', "a b|"},
};

START_TEST(split_gives_the_parts)
{
    CLEANUP(strvec) struct strvec sv = STRVEC_INIT;
    CLEANUP(strbuf) struct strbuf parts = STRBUF_INIT(STRBUF_NO_CAP);
    strvec_push(&sv, "first");
    strvec_split(&sv, splits[_i].text, splits[_i].separator);
    for (size_t i = 1; i < sv.len; i++)
        strbuf_addf(&parts, "%s|", sv.items[i]);
    ck_assert_str_eq(parts.buf, splits[_i].parts);
    ck_assert_ptr_null(sv.items[sv.len]);
}
END_TEST

Suite *strvec_suite(void)
{
    Suite *suite = suite_create("strvec");
    TCase *tests = tcase_create("strvec");
    tcase_add_test(tests, lists_end_with_null);
    tcase_add_test(tests, strings_are_copied_or_taken_over);
    tcase_add_test(tests, lists_are_added_to_lists);
    tcase_add_test(tests, null_is_no_string);
    tcase_add_loop_test(tests, split_gives_the_parts, 0, sizeof splits / sizeof *splits);
    suite_add_tcase(suite, tests);
    return suite;
}
