#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "model/glob.h"

Suite *glob_suite(void);

static const struct {
    const char *path, *clean;
} paths[] = {
    {"", "."},
    {".", "."},
    {"/", "/"},
    {"//", "/"},
    {"a", "a"},
    {"a/", "a"},
    {"a//b", "a/b"},
    {"a/./b", "a/b"},
    {"./a", "a"},
    {"a/.", "a"},
    {"a/b/..", "a"},
    {"a/..", "."},
    {"a/../..", ".."},
    {"..", ".."},
    {"../a", "../a"},
    {"../../a/", "../../a"},
    {"/..", "/"},
    {"/../a", "/a"},
    {"/a/../../b", "/b"},
    {"...", "..."},
    {".../..", "."},
    {"a/b/../../c", "c"},
    {"..a/b", "..a/b"},
    {"a/..b", "a/..b"},
    {"../a/../../b", "../../b"},
    {"/a/b/", "/a/b"},
};

START_TEST(paths_become_clean)
{
    CLEANUP(strbuf) struct strbuf clean = STRBUF_INIT(STRBUF_NO_CAP);
    glob_clean(paths[_i].path, &clean);
    ck_assert_str_eq(clean.buf, paths[_i].clean);
}
END_TEST

static const struct {
    const char *pattern, *name;
    bool matches;
} matches[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "a", true},
    {"a", "ab", false},
    {"*", "", true},
    {"*", "a.b", true},
    {"*", "a/b", false},
    {"*/b", "a/b", true},
    {"a*", "a", true},
    {"a*/b", "axyz/b", true},
    {"a*/b", "a/c/b", false},
    {"**", "ab", true},
    {"**", "a/b", false},
    {"*.txt", "a.txt", true},
    {"*.txt", ".txt", true},
    {"*a*b*c", "xaxbxc", true},
    {"*a*b*c", "xbxaxc", false},
    {"a?c", "abc", true},
    {"a?c",
     "a\xC3\xA9"
     "c",
     true},
    {"a?c", "a/c", false},
    {"a?", "a", false},
    {"[a-c]", "b", true},
    {"[a-c]", "d", false},
    {"[^a-c]", "d", true},
    {"[^a-c]", "/", true}, /* as in Go */
    {"a[b/]c", "a/c", true},
    {"[abc]x", "bx", true},
    {"[\\]a]", "]", true},
    {"[\\-x]", "-", true},
    {"[\xC3\xA0-\xC3\xB6]", "\xC3\xA9", true},
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"a\\b", "ab", true},
    {"\xFF*",
     "\xFF"
     "a",
     true},
    {"?", "\xFF", true},
    {"*[a-z]", "abc", true},
    {"x*y*z", "xyyz", true},
};

START_TEST(names_match_as_in_go)
{
    ck_assert(glob_is_valid(matches[_i].pattern));
    ck_assert_msg(glob_matches(matches[_i].pattern, matches[_i].name) == matches[_i].matches,
                  "'%s' '%s'", matches[_i].pattern, matches[_i].name);
}
END_TEST

static const char *const broken[] = {"[",   "[]",  "[]a]", "[a",   "[a-", "[a-]",  "[-a]",
                                     "[^]", "a\\", "[\\",  "[a\\", "x*[", "[\xFF]"};

START_TEST(broken_patterns_are_seen)
{
    ck_assert_msg(!glob_is_valid(broken[_i]), "%s", broken[_i]);
}
END_TEST

START_TEST(wildcards_are_seen_unless_escaped)
{
    ck_assert(glob_has_wildcard("a*"));
    ck_assert(glob_has_wildcard("?"));
    ck_assert(glob_has_wildcard("a[b"));
    ck_assert(glob_has_wildcard("\\\\*"));
    ck_assert(!glob_has_wildcard("a\\*b\\?c\\[d"));
    ck_assert(!glob_has_wildcard("a]b\\"));
    ck_assert(!glob_has_wildcard(""));
}
END_TEST

static const struct {
    const char *bytes;
    uint32_t character;
    size_t len;
} characters[] = {
    {"a", 'a', 1},
    {"\xC3\xA9", 0xE9, 2},
    {"\xE2\x82\xAC", 0x20AC, 3},
    {"\xF0\x9F\x98\x80", 0x1F600, 4},
    {"\xC3", 0xFFFD, 1}, /* cut off */
    {"\xC3x", 0xFFFD, 1},
    {"\xA9", 0xFFFD, 1},     /* a continuation alone */
    {"\xC0\x80", 0xFFFD, 1}, /* too long for what it says */
    {"\xE0\x80\x80", 0xFFFD, 1},
    {"\xED\xA0\x80", 0xFFFD, 1},     /* half of a surrogate pair */
    {"\xF4\x90\x80\x80", 0xFFFD, 1}, /* behind the last one */
    {"\xEF\xBF\xBD", 0xFFFD, 3},
    {"\xFF", 0xFFFD, 1},
    {"\x7F", 0x7F, 1},
    {"\x80", 0xFFFD, 1},
    {"\xC2\x80", 0x80, 2},
    {"\xEE\x80\x80", 0xE000, 3},
    {"\xF0\x8F\xBF\xBF", 0xFFFD, 1},
    {"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
};

START_TEST(characters_are_decoded)
{
    size_t len;
    ck_assert_uint_eq(glob_decode(characters[_i].bytes, &len), characters[_i].character);
    ck_assert_uint_eq(len, characters[_i].len);
}
END_TEST

static const struct {
    const char *text, *trimmed;
} trims[] = {
    {"", ""},
    {" ", ""},
    {" a ", "a"},
    {"\t\n\v\f\ra b\r\n", "a b"},
    {"\xC2\xA0"
     "a\xC2\x85",
     "a"},
    {"\xE3\x80\x80"
     "a\xE2\x80\x83",
     "a"},
    {"\xE1\x9A\x80", ""},
    {"\xA0"
     "a\xA0",
     "\xA0"
     "a\xA0"}, /* no character by itself */
    {"\xC3\xA0", "\xC3\xA0"},
};

START_TEST(white_space_goes_from_both_ends)
{
    const char *text = trims[_i].text;
    size_t len = strlen(text);
    glob_trim(&text, &len);
    ck_assert_uint_eq(len, strlen(trims[_i].trimmed));
    ck_assert_mem_eq(text, trims[_i].trimmed, len);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *glob_suite(void)
{
    Suite *suite = suite_create("glob");
    TCase *tests = tcase_create("glob");
    tcase_add_loop_test(tests, paths_become_clean, 0, COUNT(paths));
    tcase_add_loop_test(tests, names_match_as_in_go, 0, COUNT(matches));
    tcase_add_loop_test(tests, broken_patterns_are_seen, 0, COUNT(broken));
    tcase_add_test(tests, wildcards_are_seen_unless_escaped);
    tcase_add_loop_test(tests, characters_are_decoded, 0, COUNT(characters));
    tcase_add_loop_test(tests, white_space_goes_from_both_ends, 0, COUNT(trims));
    suite_add_tcase(suite, tests);
    return suite;
}
