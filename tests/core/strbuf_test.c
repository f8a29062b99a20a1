#include <check.h>
#include <stdint.h>

#include "core/cleanup.h"
#include "core/strbuf.h"

Suite *strbuf_suite(void);

START_TEST(empty_is_a_string)
{
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(10);
    ck_assert_str_eq(sb.buf, "");
    strbuf_addstr(&sb, NULL);
    strbuf_add(&sb, "", 0);
    strbuf_truncate(&sb, 0);
    strbuf_trim(&sb);
    strbuf_reset(&sb);
    ck_assert_uint_eq(sb.alloc, 0);
    ck_assert_ptr_eq(sb.buf, strbuf_empty);
    strbuf_release(&sb);
    strbuf_release(NULL);
    strbuf_release_secret(NULL);
}
END_TEST

START_TEST(text_grows)
{
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf other = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&sb, "ab");
    strbuf_addch(&sb, 'c');
    strbuf_add(&sb, "d\0e", 3);
    strbuf_addf(&sb, "%d-%s", 7, "x");
    strbuf_addstr(&other, "!");
    strbuf_addsb(&sb, &other);
    ck_assert_uint_eq(sb.len, 10);
    ck_assert_mem_eq(sb.buf, "abcd\0e7-x!\0", 11);
    for (int i = 0; i < 10000; i++)
        strbuf_addch(&sb, 'z');
    ck_assert_uint_eq(sb.len, 10010);
    ck_assert_int_eq(sb.buf[10009], 'z');
    ck_assert_int_eq(sb.buf[10010], '\0');
    ck_assert(!sb.overflowed);
}
END_TEST

/* However it is filled, no more than the cap gets in, no more than that is allocated, and what was
 * cut is remembered. */
START_TEST(the_cap_holds)
{
    const size_t cap = (size_t)_i;
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(cap);
    for (size_t i = 0; i < cap; i++)
        strbuf_addch(&sb, 'a');
    ck_assert_uint_eq(sb.len, cap);
    ck_assert(!sb.overflowed);
    strbuf_addch(&sb, 'b');
    ck_assert_uint_eq(sb.len, cap);
    ck_assert(sb.overflowed);
    ck_assert_uint_eq(strlen(sb.buf), cap);
    ck_assert_uint_le(sb.alloc, cap + 1);

    strbuf_truncate(&sb, cap / 2);
    ck_assert(sb.overflowed);
    strbuf_reset(&sb);
    ck_assert(!sb.overflowed);

    strbuf_addf(&sb, "%0*d", (int)cap + 1, 1);
    ck_assert_uint_eq(sb.len, cap);
    ck_assert(sb.overflowed);
    ck_assert_ptr_null(strchr(sb.buf, '1'));
}
END_TEST

START_TEST(lengths_near_the_limit_do_not_wrap)
{
    struct strbuf sb;
    strbuf_init(&sb, SIZE_MAX);
    strbuf_addstr(&sb, "abc");
    ck_assert_str_eq(sb.buf, "abc");
    sb.cap = 5;
    strbuf_add(&sb, "defghi", SIZE_MAX); /* only the two that fit are read */
    ck_assert_str_eq(sb.buf, "abcde");
    ck_assert(sb.overflowed);
    sb.cap = 2; /* less than is in */
    strbuf_addch(&sb, 'x');
    ck_assert_str_eq(sb.buf, "abcde");
    strbuf_release(&sb);
}
END_TEST

START_TEST(text_may_be_added_to_itself)
{
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&sb, "0123456789abcdefghijklmnopqrstuvwxyz");
    strbuf_addsb(&sb, &sb); /* grows: the bytes lie in the old block */
    ck_assert_uint_eq(sb.len, 72);
    ck_assert_mem_eq(sb.buf + 36, "0123456789abcdefghijklmnopqrstuvwxyz", 37);
    strbuf_addf(&sb, "<%s>", sb.buf);
    ck_assert_uint_eq(sb.len, 146);
    ck_assert_mem_eq(sb.buf + 72, "<0123", 5);
    ck_assert_str_eq(sb.buf + 143, "yz>");
    strbuf_add(&sb, sb.buf + 10, 3);
    ck_assert_str_eq(sb.buf + 146, "abc");
}
END_TEST

START_TEST(long_formats_are_whole)
{
    for (int width = 500; width < 530; width++) {
        CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_addf(&sb, "%*d%s", width, 42, "end");
        ck_assert_uint_eq(sb.len, (size_t)width + 3);
        ck_assert_str_eq(sb.buf + width - 2, "42end");
    }
}
END_TEST

START_TEST(detach_gives_the_string_away)
{
    struct strbuf sb = STRBUF_INIT(3);
    char *text = strbuf_detach(&sb);
    ck_assert_str_eq(text, "");
    free(text);
    strbuf_addstr(&sb, "abcd");
    text = strbuf_detach(&sb);
    ck_assert_str_eq(text, "abc");
    free(text);
    ck_assert_uint_eq(sb.len, 0);
    ck_assert_uint_eq(sb.alloc, 0);
    ck_assert_str_eq(sb.buf, "");
    ck_assert(sb.overflowed);
    strbuf_release(&sb);
    ck_assert(!sb.overflowed);
    strbuf_addstr(&sb, "wxyz");
    ck_assert_str_eq(sb.buf, "wxy");
    strbuf_release_secret(&sb);
    ck_assert_str_eq(sb.buf, "");
    ck_assert_uint_eq(sb.cap, 3);
    ck_assert(!sb.overflowed);
}
END_TEST

START_TEST(truncate_only_shortens)
{
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&sb, "abcdef");
    strbuf_truncate(&sb, 9);
    ck_assert_str_eq(sb.buf, "abcdef");
    ck_assert_uint_eq(sb.len, 6);
    strbuf_truncate(&sb, 2);
    ck_assert_str_eq(sb.buf, "ab");
    ck_assert_uint_eq(sb.len, 2);
}
END_TEST

static const struct {
    const char *text, *trimmed;
} trims[] = {
    {"", ""},           {" ", ""},          {"a", "a"},           {" \t\r\n\v\fa b\n \f", "a b"},
    {"\n\n", ""},       {"a ", "a"},        {" a", "a"},          {"\xC2\xA0", "\xC2\xA0"},
    {"a\x1f", "a\x1f"}, {"\ba\b", "\ba\b"}, {"  a  b  ", "a  b"},
};

START_TEST(trim_cuts_white_space)
{
    CLEANUP(strbuf) struct strbuf sb = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&sb, trims[_i].text);
    strbuf_trim(&sb);
    ck_assert_str_eq(sb.buf, trims[_i].trimmed);
    ck_assert_uint_eq(sb.len, strlen(trims[_i].trimmed));
}
END_TEST

Suite *strbuf_suite(void)
{
    Suite *suite = suite_create("strbuf");
    TCase *tests = tcase_create("strbuf");
    tcase_add_test(tests, empty_is_a_string);
    tcase_add_test(tests, text_grows);
    tcase_add_loop_test(tests, the_cap_holds, 0, 200);
    tcase_add_test(tests, lengths_near_the_limit_do_not_wrap);
    tcase_add_test(tests, text_may_be_added_to_itself);
    tcase_add_test(tests, long_formats_are_whole);
    tcase_add_test(tests, detach_gives_the_string_away);
    tcase_add_test(tests, truncate_only_shortens);
    tcase_add_loop_test(tests, trim_cuts_white_space, 0, sizeof trims / sizeof *trims);
    suite_add_tcase(suite, tests);
    return suite;
}
