/* How long deployments took, to a tag and back. */
#include <check.h>
#include <string.h>

#include "model/times.h"

Suite *times_suite(void);

static const struct {
    const char *what, *value;
    size_t len;
    int64_t first[TIMES_PARTS];
} texts[] = {
    {"nothing", NULL, 0, {0}},
    {"empty", "", 0, {0}},
    {"spaces", "   ", 0, {0}},
    {"one", "325/0/281/21/12", 1, {32500, 0, 28100, 2100, 1200}},
    {"two", "1/0/0/0/1 2/0/0/0/2", 2, {100, 0, 0, 0, 100}},
    {"spaces around", "  5/1/1/1/1   6/1/1/1/1 ", 2, {500, 100, 100, 100, 100}},
    {"too few parts", "1/2/3/4 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"too many parts", "1/2/3/4/5/6 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"an empty part", "1//3/4/5 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"a slash at the end", "1/2/3/4/ 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"a sign", "-1/2/3/4/5 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"words", "a/b/c/d/e 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"over a year", "315360001/0/0/0/0 9/0/0/0/0", 1, {900, 0, 0, 0, 0}},
    {"no number has so many digits", "99999999999999999999999999/0/0/0/0", 0, {0}},
    {"eleven",
     "1/0/0/0/0 2/0/0/0/0 3/0/0/0/0 4/0/0/0/0 5/0/0/0/0 6/0/0/0/0 7/0/0/0/0 8/0/0/0/0 "
     "9/0/0/0/0 10/0/0/0/0 11/0/0/0/0",
     TIMES_MAX_ENTRIES,
     {100, 0, 0, 0, 0}},
};

START_TEST(reads)
{
    struct times times = {.len = 99};
    times_parse(texts[_i].value, &times);
    ck_assert_msg(times.len == texts[_i].len, "%s: %zu entries", texts[_i].what, times.len);
    for (int part = 0; times.len > 0 && part < TIMES_PARTS; part++)
        ck_assert_msg(times.items[0].ms[part] == texts[_i].first[part], "%s: part %d",
                      texts[_i].what, part);
}
END_TEST

static const struct {
    struct times_entry entry;
    const char *value;
} entries[] = {
    {{{32541, 0, 28149, 2151, 1200}}, "325/0/281/22/12"},
    {{{0, 0, 0, 0, 0}}, "0/0/0/0/0"},
    {{{49, 1, 50, 149, 150}}, "1/1/1/1/2"}, /* what was done is not 0 */
    {{{-5, 0, 0, 0, 0}}, "0/0/0/0/0"},
    {{{INT64_MAX, 0, 0, 0, 0}}, "315360000/0/0/0/0"},
};

START_TEST(writes)
{
    struct times times = {.len = 0};
    char value[TIMES_VALUE_SIZE];
    times_add(&times, &entries[_i].entry);
    times_format(&times, value);
    ck_assert_str_eq(value, entries[_i].value);
}
END_TEST

START_TEST(the_newest_is_first_and_ten_stay)
{
    struct times times = {.len = 0};
    char value[TIMES_VALUE_SIZE];
    for (int i = 1; i <= 12; i++)
        times_add(&times, &(struct times_entry){{i * 100, 0, 0, 0, 0}});
    times_format(&times, value);
    ck_assert_str_eq(value, "12/0/0/0/0 11/0/0/0/0 10/0/0/0/0 9/0/0/0/0 8/0/0/0/0 7/0/0/0/0 "
                            "6/0/0/0/0 5/0/0/0/0 4/0/0/0/0 3/0/0/0/0");
}
END_TEST

/* Each of an hour and more: 29 characters and a space, so that eight fit. */
START_TEST(the_oldest_are_left_out_when_they_do_not_fit)
{
    struct times times = {.len = 0}, read;
    char value[TIMES_VALUE_SIZE];
    for (int i = 0; i < TIMES_MAX_ENTRIES; i++)
        times_add(&times,
                  &(struct times_entry){{3600000 + i * 100, 3600000, 3600000, 3600000, 3600000}});
    times_format(&times, value);
    ck_assert_uint_eq(strlen(value), 8 * 30 - 1);
    times_parse(value, &read);
    ck_assert_uint_eq(read.len, 8);
    ck_assert_int_eq(read.items[0].ms[TIMES_TOTAL], 3600900);
}
END_TEST

START_TEST(a_tag_takes_every_character)
{
    struct times times = {.len = 0};
    char value[TIMES_VALUE_SIZE];
    for (int i = 0; i < TIMES_MAX_ENTRIES; i++)
        times_add(&times, &entries[0].entry);
    times_format(&times, value);
    ck_assert_uint_eq(strspn(value, "0123456789/ "), strlen(value));
}
END_TEST

Suite *times_suite(void)
{
    Suite *suite = suite_create("times");
    TCase *tcase = tcase_create("times");
    tcase_add_loop_test(tcase, reads, 0, sizeof texts / sizeof *texts);
    tcase_add_loop_test(tcase, writes, 0, sizeof entries / sizeof *entries);
    tcase_add_test(tcase, the_newest_is_first_and_ten_stay);
    tcase_add_test(tcase, the_oldest_are_left_out_when_they_do_not_fit);
    tcase_add_test(tcase, a_tag_takes_every_character);
    suite_add_tcase(suite, tcase);
    return suite;
}
