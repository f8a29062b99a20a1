#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "model/record.h"

Suite *record_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))
#define LONG_NAME                                                                                  \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaa"                                                                                         \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaa"                                                                                         \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaa"

static const struct {
    const char *number, *attempt, *repository, *workflow, *ref, *value; /* NULL: no claim */
} claims[] = {
    {"12", "1", "org/app", "deploy.yml", "refs/heads/main",
     "12.1 org/app deploy.yml refs/heads/main"},
    {"12", NULL, "org/app", "deploy.yml", "refs/heads/main",
     "12.1 org/app deploy.yml refs/heads/main"},
    {"12", "3", "org/app", "deploy.yml", "refs/tags/v1.0@x",
     "12.3 org/app deploy.yml refs/tags/v1.0@x"},
    {NULL, "1", "org/app", "deploy.yml", "refs/heads/main", NULL},
    {"0", "1", "org/app", "deploy.yml", "refs/heads/main", NULL},
    {"-4", "1", "org/app", "deploy.yml", "refs/heads/main", NULL},
    {"12x", "1", "org/app", "deploy.yml", "refs/heads/main", NULL},
    {"12", "1", NULL, "deploy.yml", "refs/heads/main", NULL},
};

START_TEST(formats_claims)
{
    const struct record_claim claim =
        record_claim_make(claims[_i].number, claims[_i].attempt, claims[_i].repository,
                          claims[_i].workflow, claims[_i].ref);
    char value[RECORD_VALUE_SIZE];
    if (!claims[_i].value) {
        ck_assert_int_eq(claim.number, 0);
        return;
    }
    record_claim_format(&claim, value);
    ck_assert_str_eq(value, claims[_i].value);
    struct record_claim again;
    ck_assert(record_claim_parse(value, &again));
    ck_assert_int_eq(again.number, claim.number);
    ck_assert_int_eq(again.attempt, claim.attempt);
    ck_assert_str_eq(again.key, claim.key);
}
END_TEST

static const char *const names[] = {
    "Deploy",    "Déploy",     "D_ploy",           "D__ploy",          "Deploy it", "Deploy_it",
    "Deploy*it", "Deploy\tit", LONG_NAME "tail 1", LONG_NAME "tail 2", "",          " ",
};

/* Whatever a name holds, a tag may hold its claim; no two names become one. */
START_TEST(fits_any_name_into_a_tag)
{
    for (int i = 0; i < COUNT(names); i++) {
        const struct record_claim claim =
            record_claim_make("9007199254740993", "999", "org/app", names[i], "refs/heads/x");
        char value[RECORD_VALUE_SIZE];
        record_claim_format(&claim, value);
        ck_assert_uint_le(strlen(value), 256);
        ck_assert_uint_eq(strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789+-=._:/@ "),
                          strlen(value));
        struct record_claim again;
        ck_assert(record_claim_parse(value, &again));
        ck_assert_str_eq(again.key, claim.key);
        for (int j = 0; j < i; j++) {
            const struct record_claim other =
                record_claim_make("1", "1", "org/app", names[j], "refs/heads/x");
            ck_assert_msg(strcmp(other.key, claim.key) != 0, "%s = %s", names[i], names[j]);
        }
    }
}
END_TEST

static const char *const no_claims[] = {
    NULL,       "",         "12",
    "12.1",     "x.1 key",  "12.x key",
    "0.1 key",  "12.0 key", "99999999999999999999.1 key",
    "12,1 key",
};

START_TEST(refuses_what_is_no_claim)
{
    struct record_claim claim = {.number = 7};
    ck_assert(!record_claim_parse(no_claims[_i], &claim));
    ck_assert_int_eq(claim.number, 7);
}
END_TEST

static const struct {
    const char *mine, *theirs;
    enum record_order order;
} orders[] = {
    {"11.1 a b c", "12.1 a b c", RECORD_OLDER},     {"12.1 a b c", "11.9 a b c", RECORD_NEWER},
    {"12.1 a b c", "12.1 a b c", RECORD_SAME},      {"12.2 a b c", "12.1 a b c", RECORD_SAME},
    {"9.1 a b c", "10.1 a b c", RECORD_OLDER},      {"11.1 a b c", "12.1 a b d", RECORD_UNRELATED},
    {"11.1 a b c", "12.1 a x c", RECORD_UNRELATED}, {"11.1 a b c", "12.1 a b", RECORD_UNRELATED},
};

START_TEST(compares_claims)
{
    struct record_claim mine, theirs;
    ck_assert(record_claim_parse(orders[_i].mine, &mine));
    ck_assert(record_claim_parse(orders[_i].theirs, &theirs));
    ck_assert_int_eq(record_compare(&mine, &theirs), orders[_i].order);
    mine.number = 0;
    ck_assert_int_eq(record_compare(&mine, &theirs), RECORD_UNRELATED);
}
END_TEST

static const struct {
    const char *alias, *name;
} tag_names[] = {
    {NULL, "lambda-fastdeploy:verified"},
    {"live", "lambda-fastdeploy:verified:live"},
    {"Live_2-b", "lambda-fastdeploy:verified:Live_2-b"},
};

START_TEST(names_tags)
{
    char name[RECORD_TAG_NAME_SIZE];
    record_tag_name(RECORD_TAG_VERIFIED, tag_names[_i].alias, name);
    ck_assert_str_eq(name, tag_names[_i].name);
}
END_TEST

START_TEST(names_tags_of_long_aliases)
{
    char alias[129], name[RECORD_TAG_NAME_SIZE], other[RECORD_TAG_NAME_SIZE];
    for (size_t len = 1; len < sizeof alias; len++) {
        memset(alias, 'a', len);
        alias[len] = '\0';
        record_tag_name(RECORD_TAG_VERIFIED, alias, name);
        ck_assert_uint_le(strlen(name), 128);
        ck_assert(text_starts_with(name, "lambda-fastdeploy:verified:a"));
        ck_assert_int_eq(text_ends_with(name, alias), len <= 101);
        alias[len - 1] = 'b';
        record_tag_name(RECORD_TAG_VERIFIED, alias, other);
        ck_assert_str_ne(name, other);
    }
}
END_TEST

static const struct {
    const char *value, *read; /* as it is written again */
} lists[] = {
    {NULL, ""},
    {"", ""},
    {"7/12 5/10", "7/12 5/10"},
    {"  7/12   5/10 ", "7/12 5/10"},
    {"7 5/10", "7/0 5/10"},
    {"src-0123456789abcdef/12 src-fedcba9876543210/3",
     "src-0123456789abcdef/12 src-fedcba9876543210/3"},
    {"7/12 /3 x/y 5/-1 6/10", "7/12 6/10"},
    {"a-name-that-is-longer-than-any-of-ours-can-be/1 5/2", "5/2"},
    {"7/99999999999999999999 5/2", "5/2"},
};

START_TEST(reads_lists)
{
    struct record_list list;
    char value[RECORD_VALUE_SIZE];
    record_list_parse(lists[_i].value, &list);
    record_list_format(&list, value);
    ck_assert_str_eq(value, lists[_i].read);
}
END_TEST

static const struct {
    const char *before, *what;
    int64_t run;
    const char *after;
} additions[] = {
    {"", "1", 10, "1/10"},
    {"1/10", "2", 11, "2/11 1/10"},
    {"2/11 1/10", "2", 12, "2/12 1/10"},
    {"2/11 1/10", "1", 12, "1/12 2/11 1/10"},
};

START_TEST(adds_the_newest)
{
    struct record_list list;
    char value[RECORD_VALUE_SIZE];
    record_list_parse(additions[_i].before, &list);
    record_list_add(&list, additions[_i].what, additions[_i].run);
    record_list_format(&list, value);
    ck_assert_str_eq(value, additions[_i].after);
}
END_TEST

START_TEST(keeps_what_fits)
{
    struct record_list list = {.len = 0};
    char value[RECORD_VALUE_SIZE], what[40];
    for (int i = 1; i <= 100; i++) {
        snprintf(what, sizeof what, "src-%016d", i);
        record_list_add(&list, what, 1000 + i);
        ck_assert_uint_le(list.len, RECORD_MAX_ENTRIES);
    }
    record_list_format(&list, value);
    ck_assert_uint_le(strlen(value), 256);
    ck_assert_uint_gt(strlen(value), 256 - 27);
    ck_assert_msg(text_starts_with(value, "src-0000000000000100/1100 src-0000000000000099/1099 "),
                  "%s", value);
    ck_assert_msg(!text_ends_with(value, " "), "%s", value);
}
END_TEST

static const struct {
    const char *list;
    bool versions;
    const char *left;
} mixtures[] = {
    {"7/12 src-0123456789abcdef/11 5/10", true, "7/12 5/10"},
    {"7/12 src-0123456789abcdef/11 5/10", false, "src-0123456789abcdef/11"},
    {"7/12 5/10", false, ""},
    {"", true, ""},
};

START_TEST(tells_versions_from_images)
{
    struct record_list list;
    char value[RECORD_VALUE_SIZE];
    record_list_parse(mixtures[_i].list, &list);
    record_list_keep(&list, mixtures[_i].versions);
    record_list_format(&list, value);
    ck_assert_str_eq(value, mixtures[_i].left);
}
END_TEST

static const struct {
    const char *list, *version, *left;
} inheritances[] = {
    {"9/20 8/19 7/18", "9", "9/20 8/19 7/18"},
    {"9/20 8/19 7/18", "8", "8/19 7/18"},
    {"9/20 8/19 7/18", "3", ""}, /* all of it was another alias's */
    {"9/20 8/19 7/18", "", ""},  /* the alias is new */
    {"", "8", ""},
};

START_TEST(takes_over_what_was_shared)
{
    struct record_list list;
    char value[RECORD_VALUE_SIZE];
    record_list_parse(inheritances[_i].list, &list);
    list.shared = true;
    record_list_take_over(&list, inheritances[_i].version);
    record_list_format(&list, value);
    ck_assert_str_eq(value, inheritances[_i].left);
    ck_assert(!list.shared);
}
END_TEST

static const struct {
    const char *list, *current, *before, *left;
} ways_back[] = {
    {"3/12 2/11 1/10", "3", "2", "2/11 1/10"},
    {"3/12 2/11 1/10", "2", "1", "1/10"},
    {"3/12 2/11 1/10", "1", NULL, NULL},
    {"3/12 2/11 1/10", "4", "3", "3/12 2/11 1/10"}, /* 4 never passed verification */
    {"3/12 2/11 3/10 1/9", "3", "2", "2/11 3/10 1/9"},
    {"3/12", "3", NULL, NULL},
    {"", "3", NULL, NULL},
    {"3/12 3/11 2/10", "3", "2", "2/10"},
};

static const struct {
    const char *list, *tag;
    int64_t run;
    const char *current, *target;
} unfinished[] = {
    {"7/12 5/10 3/4", "7 5", 13, "5", "5"},   /* it went there, and was ended before it could say so
                                               */
    {"7/12 5/10 3/4", "7 5", 13, "7", NULL},  /* it had not gone yet */
    {"9/13 7/12 5/10", "7 5", 14, "5", NULL}, /* something was deployed since */
    {"7/12 5/10", "7 3", 13, "3", NULL},      /* no such entry */
    {"5/10 3/4", "done 13", 13, "5", "5"},    /* an earlier attempt of this run */
    {"5/10 3/4", "done 13", 14, "5", NULL},   /* another run: further back */
    {"5/10 3/4", "done 0", 0, "5", NULL},     /* nobody's number */
    {"5/10 3/4", "done 13", 13, "3", NULL},   /* moved since */
    {"7/12 5/10", NULL, 13, "5", NULL},       {"", "7 5", 13, "5", NULL},
    {"7/12 5/10", "7 ", 13, "", NULL},
};

START_TEST(ends_what_was_begun)
{
    struct record_list list;
    record_list_parse(unfinished[_i].list, &list);
    const struct record_entry *found = record_list_unfinished(
        &list, unfinished[_i].tag, unfinished[_i].run, unfinished[_i].current);
    if (unfinished[_i].target)
        ck_assert_str_eq(found->what, unfinished[_i].target);
    else
        ck_assert_ptr_null(found);
}
END_TEST

START_TEST(goes_back)
{
    struct record_list list;
    char value[RECORD_VALUE_SIZE];
    record_list_parse(ways_back[_i].list, &list);
    const struct record_entry *entry = record_list_before(&list, ways_back[_i].current);
    if (!ways_back[_i].before) {
        ck_assert_ptr_null(entry);
        return;
    }
    ck_assert_ptr_nonnull(entry);
    ck_assert_str_eq(entry->what, ways_back[_i].before);
    record_list_drop_until(&list, ways_back[_i].before);
    record_list_format(&list, value);
    ck_assert_str_eq(value, ways_back[_i].left);
    record_list_drop_until(&list, "not there");
    record_list_format(&list, value);
    ck_assert_str_eq(value, ways_back[_i].left);
}
END_TEST

Suite *record_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, formats_claims, 0, COUNT(claims));
    tcase_add_test(tcase, fits_any_name_into_a_tag);
    tcase_add_loop_test(tcase, refuses_what_is_no_claim, 0, COUNT(no_claims));
    tcase_add_loop_test(tcase, compares_claims, 0, COUNT(orders));
    tcase_add_loop_test(tcase, names_tags, 0, COUNT(tag_names));
    tcase_add_test(tcase, names_tags_of_long_aliases);
    tcase_add_loop_test(tcase, tells_versions_from_images, 0, COUNT(mixtures));
    tcase_add_loop_test(tcase, takes_over_what_was_shared, 0, COUNT(inheritances));
    tcase_add_loop_test(tcase, reads_lists, 0, COUNT(lists));
    tcase_add_loop_test(tcase, adds_the_newest, 0, COUNT(additions));
    tcase_add_test(tcase, keeps_what_fits);
    tcase_add_loop_test(tcase, ends_what_was_begun, 0, COUNT(unfinished));
    tcase_add_loop_test(tcase, goes_back, 0, COUNT(ways_back));
    suite_add_tcase(suite, tcase);
    return suite;
}
