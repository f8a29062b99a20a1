#include <check.h>
#include <string.h>

#include "model/deployed.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define COMMIT       "4e1243bd22c66e76c2ba9eddc1f91394e57f9f83"
#define DIGEST       "sha256:9b1f3e5d7c2a4860bdf1e3a5c7d9fb0214365870a9bccddeeff0011223344556"

Suite *deployed_suite(void);

START_TEST(list_comes_back)
{
    struct deployed list = {.len = 0}, back;
    char value[DEPLOYED_VALUE_SIZE];
    deployed_add(&list, "81d3a763dbbac0ffee", "sha256:0c5e0d8f54a1b3f2", 60 * 29583701 + 59);
    deployed_add(&list, COMMIT, DIGEST, 60 * 29583920);
    deployed_format(&list, value);
    ck_assert_str_eq(value, "4e1243bd22c6@9b1f3e5d7c2a/29583920 "
                            "81d3a763dbba@0c5e0d8f54a1/29583701");
    deployed_parse(value, &back);
    ck_assert_uint_eq(back.len, 2);
    ck_assert_str_eq(back.items[0].commit, "4e1243bd22c6");
    ck_assert_str_eq(back.items[1].digest, "0c5e0d8f54a1");
    ck_assert_int_eq(back.items[1].wall_s, INT64_C(60) * 29583701);
    ck_assert_str_eq(deployed_commit(&back, DIGEST), "4e1243bd22c6");
    ck_assert_str_eq(deployed_commit(&back, "sha256:0c5e0d8f54a1b3f2"), "81d3a763dbba");
    ck_assert_str_eq(deployed_commit(&back, "sha256:ffffffffffff"), "");
    ck_assert_str_eq(deployed_commit(&back, ""), "");
}
END_TEST

/* However many there were: what is written is a tag's value, and holds the newest. */
START_TEST(oldest_makes_room)
{
    struct deployed list = {.len = 0}, back;
    char value[DEPLOYED_VALUE_SIZE], commit[] = COMMIT;
    for (int i = 0; i < 12; i++) {
        commit[0] = "0123456789ab"[i];
        deployed_add(&list, commit, DIGEST, 60 * (INT64_C(29583920) + i));
    }
    deployed_format(&list, value);
    ck_assert_uint_lt(strlen(value), 257);
    deployed_parse(value, &back);
    ck_assert_uint_eq(back.len, DEPLOYED_MAX_ENTRIES);
    ck_assert_str_eq(back.items[0].commit, "be1243bd22c6");
    ck_assert_str_eq(back.items[6].commit, "5e1243bd22c6");
}
END_TEST

START_TEST(what_is_none_adds_nothing)
{
    struct deployed list = {.len = 0};
    deployed_add(&list, "", DIGEST, 1);
    deployed_add(&list, "main", DIGEST, 1);
    deployed_add(&list, COMMIT, "", 1);
    deployed_add(&list, COMMIT, "sha256:", 1);
    ck_assert_uint_eq(list.len, 0);
}
END_TEST

static const struct {
    const char *value;
    size_t len;
} values[] = {
    {NULL, 0},
    {"", 0},
    {"  ", 0},
    {"4e1243bd22c6@9b1f3e5d7c2a/1", 1},
    {" 4e1243bd22c6@9b1f3e5d7c2a/1  4e1243bd22c6@9b1f3e5d7c2a/2 ", 2},
    {"4e1243bd22c6@9b1f3e5d7c2a", 0},
    {"4e1243bd22c6@9b1f3e5d7c2a/", 0},
    {"4e1243bd22c6@9b1f3e5d7c2a/-1", 0},
    {"4e1243bd22c6@9b1f3e5d7c2a/1x", 0},
    {"4e1243bd22c6@9b1f3e5d7c2a/99999999999999999999", 0},
    {"4e1243bd22c@9b1f3e5d7c2a/1", 0},
    {"4e1243bd22c6a@9b1f3e5d7c2a/1", 0},
    {"4e1243bd22c6-9b1f3e5d7c2a/1", 0},
    {"4e1243bd22c6@9B1f3e5d7c2a/1", 0},
    {"x 4e1243bd22c6@9b1f3e5d7c2a/1 <b>", 1},
};

START_TEST(strange_values_are_left_out)
{
    struct deployed list;
    deployed_parse(values[_i].value, &list);
    ck_assert_uint_eq(list.len, values[_i].len);
}
END_TEST

Suite *deployed_suite(void)
{
    Suite *suite = suite_create("deployed");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, list_comes_back);
    tcase_add_test(cases, oldest_makes_room);
    tcase_add_test(cases, what_is_none_adds_nothing);
    tcase_add_loop_test(cases, strange_values_are_left_out, 0, COUNT(values));
    suite_add_tcase(suite, cases);
    return suite;
}
