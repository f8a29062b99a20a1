#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "model/dockerfile_words.h"

Suite *dockerfile_words_suite(void);

static enum dockerfile_variable look_up(void *context, const char *name, const char **ret_value)
{
    static const char *const values[] = {"A", "abab", "E", "", "P", "usr/lib/\xC3\xA9.so", NULL};
    (void)context;
    if (strcmp(name, "X") == 0)
        return DOCKERFILE_UNKNOWN;
    for (size_t i = 0; values[i]; i += 2)
        if (strcmp(name, values[i]) == 0) {
            *ret_value = values[i + 1];
            return DOCKERFILE_SET;
        }
    return DOCKERFILE_UNSET;
}

/* NULL: it fails. The expected values were compared with BuildKit's shell/lex.go. */
static const struct {
    const char *word, *text;
} words[] = {
    {"a", "a"},
    {"", ""},
    {"\"a b\"c'd e'", "a bcd e"},
    {"a\\ b", "a b"},
    {"a\\", "a"},
    {"\"a\\\"b\"", "a\"b"},
    {"\"a\\b\"", "a\\b"},
    {"\"\\$A\"", "$A"},
    {"'\\'", "\\"},
    {"'a", NULL},
    {"\"a", NULL},
    {"$A", "abab"},
    {"$A-$A", "abab-abab"},
    {"$A_", ""},
    {"${A}_", "abab_"},
    {"'$A'\"$A\"", "$Aabab"},
    {"$", "$"},
    {"$/", "$/"},
    {"$1", ""},
    {"$?x", "x"},
    {"${A:-x}", "abab"},
    {"${U:-x}", "x"},
    {"${U-x}", "x"},
    {"${E:-x}", "x"},
    {"${E-x}", ""},
    {"${U:-$A}", "abab"},
    {"${U:-\"a b\"}", "a b"},
    {"${U:-a\\}b}", "a}b"},
    {"${A:+x}", "x"},
    {"${E:+x}", ""},
    {"${E+x}", "x"},
    {"${U+x}", ""},
    {"${A:?x}", "abab"},
    {"${E?x}", ""},
    {"${E:?x}", NULL},
    {"${U?}", NULL},
    {"${P#*/}", "lib/\xC3\xA9.so"},
    {"${P##*/}", "\xC3\xA9.so"},
    {"${P%/*}", "usr/lib"},
    {"${P%%/*}", "usr"},
    {"${P%?.so}", "usr/lib/"},
    {"${P%\xC3\xA9.so}", "usr/lib/"},
    {"${P%*}", "usr/lib/\xC3\xA9.so"},
    {"${P%%*}", ""},
    {"${A%abab}", ""},
    {"${A%%b*}", "a"},
    {"${U#a}", ""},
    {"${P#x}", "usr/lib/\xC3\xA9.so"},
    {"${P%.\\*}", "usr/lib/\xC3\xA9.so"},
    {"${P#\\x}", NULL},
    {"${A/b/c}", "acab"},
    {"${A//b/c}", "acac"},
    {"${A//a*/c}", "c"},
    {"${P/\\//_}", "usr_lib/\xC3\xA9.so"},
    {"${A/b/}", "aab"},
    {"${A/b}", NULL},
    {"${}", NULL},
    {"${:x}", NULL},
    {"${A", NULL},
    {"${A:", NULL},
    {"${A:=x}", NULL},
    {"${A:#x}", NULL},
    {"${A:-x", NULL},
    {"a<<b", "a<<b"},
};

START_TEST(words_are_expanded)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    char *unknown;
    int rc = dockerfile_expand(words[_i].word, '\\', look_up, NULL, &text, &unknown, &err);
    ck_assert_ptr_null(unknown);
    ck_assert_msg((rc == 0) == (words[_i].text != NULL), "%s: %s", words[_i].word, err.msg);
    if (rc == 0)
        ck_assert_str_eq(text.buf, words[_i].text);
    else
        ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

static const struct {
    const char *word, *unknown;
} unknowns[] = {
    {"$X", "X"},
    {"a${X}b$A", "X"},
    {"${X:-a}", "X"},
    {"${X:?a}", "X"},
    {"${U:-$X}", "X"},
    {"${A:-$X}", "X"}, /* more careful than needed */
    {"$\xC3\xA9", "\xC3\xA9"},
    {"${A//b/'$1'}", "A"},
    {"${A///x}", "A"},
};

START_TEST(what_is_not_known_is_named)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    char *unknown;
    ck_assert_int_eq(
        dockerfile_expand(unknowns[_i].word, '\\', look_up, NULL, &text, &unknown, NULL), 0);
    ck_assert_ptr_nonnull(unknown);
    ck_assert_str_eq(unknown, unknowns[_i].unknown);
    free(unknown);
}
END_TEST

START_TEST(the_escape_character_is_the_files)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    ck_assert_int_eq(dockerfile_expand("a\\b`$A", '`', look_up, NULL, &text, NULL, NULL), 0);
    ck_assert_str_eq(text.buf, "a\\b$A");
}
END_TEST

static const struct {
    const char *word, *name;
    bool chomp;
} marks[] = {
    {"<<EOF", "EOF", false},   {"<<-EOF", "EOF", true},  {"<<\"E F\"", "E F", false},
    {"<<-'E'", "E", true},     {"3<<EOF", "EOF", false}, {"<< EOF", "EOF", false},
    {"<<E\\ F", "E F", false}, {"<<$A", "$A", false},    {"<<", NULL, false},
    {"<<-", NULL, false},      {"<EOF", NULL, false},    {"<<<EOF", NULL, false},
    {"a<<EOF", NULL, false},   {"<<E F", NULL, false},   {"<<'E", NULL, false},
    {"<<E<", NULL, false},
};

START_TEST(heredoc_marks_are_seen)
{
    struct dockerfile_heredoc heredoc = {.name = NULL};
    ck_assert(dockerfile_is_heredoc(marks[_i].word, &heredoc) == (marks[_i].name != NULL));
    if (marks[_i].name) {
        ck_assert_str_eq(heredoc.name, marks[_i].name);
        ck_assert(heredoc.chomp == marks[_i].chomp);
    }
    free(heredoc.name);
}
END_TEST

START_TEST(several_marks_in_a_line)
{
    struct dockerfile_heredoc found[4];
    ck_assert_uint_eq(dockerfile_find_heredocs("COPY <<A \"<<B\" '<<C' x<<D <<-'E F' /x", found, 4),
                      2);
    ck_assert_str_eq(found[0].name, "A");
    ck_assert_str_eq(found[1].name, "E F");
    ck_assert(found[1].chomp);
    free(found[0].name);
    free(found[1].name);
    ck_assert_uint_eq(dockerfile_find_heredocs("RUN x << E < y", found, 4), 1);
    ck_assert_str_eq(found[0].name, "E");
    free(found[0].name);
    ck_assert_uint_eq(dockerfile_find_heredocs("RUN <<E${A:-b}", found, 4), 0); /* see read_inner */
    ck_assert_uint_eq(dockerfile_find_heredocs("RUN <<A '", found, 4), 0);
    ck_assert_uint_eq(dockerfile_find_heredocs("RUN <<A <<B <<C", found, 1), 1);
    free(found[0].name);
}
END_TEST

/* Items joined by '|'. */
static const struct {
    const char *text, *words, *plain;
} splits[] = {
    {"", "", ""},
    {"a b", "a|b", "a|b"},
    {"a=\"b c\" d='e f'", "a=\"b c\"|d='e f'", "a=\"b|c\"|d='e|f'"},
    {"a\\ b c", "a\\ b|c", "a\\|b|c"},
    {"a\t\tb", "a|b", "a|b"},
    {"\"\" a", "\"\"|a", "\"\"|a"},
    {"a b\\", "a|b", "a|b\\"},
    {"\"a\\\"b c\" d", "\"a\\\"b c\"|d", "\"a\\\"b|c\"|d"},
    {"'a\\' b", "'a\\'|b", "'a\\'|b"},
    {"\"a b", "\"a b", "\"a|b"},
};

static void check_joined(const struct strvec *items, const char *expected)
{
    CLEANUP(strbuf) struct strbuf joined = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < items->len; i++)
        strbuf_addf(&joined, "%s%s", i > 0 ? "|" : "", items->items[i]);
    ck_assert_str_eq(joined.buf, expected);
}

START_TEST(lines_are_split)
{
    struct strvec words_found = STRVEC_INIT, plain = STRVEC_INIT;
    dockerfile_split_words(splits[_i].text, '\\', &words_found);
    dockerfile_split_plain(splits[_i].text, &plain);
    check_joined(&words_found, splits[_i].words);
    check_joined(&plain, splits[_i].plain);
    strvec_release(&words_found);
    strvec_release(&plain);
}
END_TEST

static const struct {
    const char *text, *values; /* NULL: no array of strings */
    bool mixed;
} arrays[] = {
    {"[]", "", false},
    {"[\"a\"]", "a", false},
    {" [ \"a\" ,\n\"b c\" ] ", "a|b c", false},
    {"[\"\\\"\\\\\\/\\n\\t\"]", "\"\\/\n\t", false},
    {"[\"\\u00e9\\ud83d\\ude00\\ud800\"]", "\xC3\xA9\xF0\x9F\x98\x80\xEF\xBF\xBD", false},
    {"[\"\\ud83d\\ue000\"]", "\xEF\xBF\xBD\xEE\x80\x80", false},
    {"['a']", NULL, false},
    {"[\"a\",]", NULL, false},
    {"[\"a\"", NULL, false},
    {"[\"a\"] b", NULL, false},
    {"[a]", NULL, false},
    {"[ -f x ]", NULL, false},
    {"[\"a\tb\"]", NULL, false},
    {"[\"\\x\"]", NULL, false},
    {"[\"\\u12\"]", NULL, false},
    {"\"a\"", NULL, false},
    {"[1]", NULL, true},
    {"[\"a\", -1.5e3, true, null]", NULL, true},
    {"[12, 0, 0.5, 1E9]", NULL, true},
    {"[01]", NULL, false},
    {"[1.]", NULL, false},
};

START_TEST(json_arrays_are_seen)
{
    struct strvec values = STRVEC_INIT;
    bool mixed;
    bool is_array = dockerfile_json_strings(arrays[_i].text, &values, &mixed);
    ck_assert_msg(is_array == (arrays[_i].values != NULL), "%s", arrays[_i].text);
    ck_assert_msg(mixed == arrays[_i].mixed, "%s", arrays[_i].text);
    if (is_array)
        check_joined(&values, arrays[_i].values);
    strvec_release(&values);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *dockerfile_words_suite(void)
{
    Suite *suite = suite_create("dockerfile_words");
    TCase *tests = tcase_create("dockerfile_words");
    tcase_add_loop_test(tests, words_are_expanded, 0, COUNT(words));
    tcase_add_loop_test(tests, what_is_not_known_is_named, 0, COUNT(unknowns));
    tcase_add_test(tests, the_escape_character_is_the_files);
    tcase_add_loop_test(tests, heredoc_marks_are_seen, 0, COUNT(marks));
    tcase_add_test(tests, several_marks_in_a_line);
    tcase_add_loop_test(tests, lines_are_split, 0, COUNT(splits));
    tcase_add_loop_test(tests, json_arrays_are_seen, 0, COUNT(arrays));
    suite_add_tcase(suite, tests);
    return suite;
}
