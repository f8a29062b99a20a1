#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "model/ignore.h"

Suite *ignore_suite(void);

/*
 * What the files of moby/patternmatcher make of a pattern, in the way in which fsutil's Walk uses
 * them: a folder's verdict, pattern by pattern, is what its entries start from. The expected values
 * were compared with that implementation.
 */
static const struct {
    const char *rule, *patterns, *path;
    bool ignored;
} cases[] = {
    {"an empty file ignores nothing", "", "a", false},
    {"empty lines and lines of white space say nothing", "\n \t\n\n", "a", false},
    {"empty lines and lines of white space say nothing", "\n \t\n\n", " ", false},
    {"a name", "a", "a", true},
    {"a name", "a", "ab", false},
    {"a name", "a", "a/b", true},
    {"a name", "a", "b/a", false},
    {"comments stand in the first column", "#a\n# b", "#a", false},
    {"comments stand in the first column", "#a\n# b", "a", false},
    {"comments stand in the first column", "#a\n# b", "b", false},
    {"a # behind white space is no comment", " #a", "#a", true},
    {"a # behind white space is no comment", " #a", "a", false},
    {"a # inside is no comment", "a#b", "a#b", true},
    {"a # inside is no comment", "a#b", "a", false},
    {"a byte order mark goes",
     "\xEF\xBB\xBF"
     "a",
     "a", true},
    {"a byte order mark on the second line stays",
     "b\n\xEF\xBB\xBF"
     "a",
     "a", false},
    {"a comment behind the byte order mark", "\xEF\xBB\xBF#a", "#a", false},
    {"a comment behind the byte order mark", "\xEF\xBB\xBF#a", "a", false},
    {"white space around goes", " a \t", "a", true},
    {"white space inside stays", "a b", "a b", true},
    {"white space inside stays", "a b", "a", false},
    {"white space inside stays", "a b", "b", false},
    {"a no-break space around goes",
     "\xC2\xA0"
     "a\xE2\x80\x83",
     "a", true},
    {"carriage returns go", "a\r\nb\r\n", "a", true},
    {"carriage returns go", "a\r\nb\r\n", "b", true},
    {"a slash in front goes", "/a", "a", true},
    {"a slash in front goes", "/a", "b/a", false},
    {"white space behind that slash goes, too", "/ a", "a", true},
    {"a slash behind goes", "a/", "a", true},
    {"a slash behind goes", "a/", "a/b", true},
    {"a slash alone says nothing", "/", "a", false},
    {"a dot alone says nothing", ".", "a", false},
    {"a dot alone says nothing", ".", ".", true},
    {"dots and double slashes are cleaned", "./a/./b//c/../d", "a/b/d", true},
    {"dots and double slashes are cleaned", "./a/./b//c/../d", "a/b/c", false},
    {"dots and double slashes are cleaned", "./a/./b//c/../d", "a/b", false},
    {"what leaves the context matches nothing", "../a", "a", false},
    {"what leaves the context matches nothing", "../a", "b/a", false},
    {"below the root .. stops", "/../a", "a", true},
    {"names are told apart by case", "A", "a", false},
    {"names are told apart by case", "A", "A", true},
    {"a path", "a/b", "a/b", true},
    {"a path", "a/b", "a", false},
    {"a path", "a/b", "a/b/c", true},
    {"a path", "a/b", "x/a/b", false},
    {"* within a component", "*.md", "a.md", true},
    {"* within a component", "*.md", ".md", true},
    {"* within a component", "*.md", "a.mdx", false},
    {"* within a component", "*.md", "d/a.md", false},
    {"* within a component", "*.md", "a.md/x", true},
    {"* is not a slash", "a*c", "abc", true},
    {"* is not a slash", "a*c", "ac", true},
    {"* is not a slash", "a*c", "a/c", false},
    {"* is not a slash", "a*c", "ab/c", false},
    {"* in each component", "*/*.md", "d/a.md", true},
    {"* in each component", "*/*.md", "a.md", false},
    {"* in each component", "*/*.md", "d/e/a.md", false},
    {"* alone is everything at the top", "*", "a", true},
    {"* alone is everything at the top", "*", "a/b", true},
    {"* alone is everything at the top", "*", ".git", true},
    {"dots in front are nothing special", ".*", ".git", true},
    {"dots in front are nothing special", ".*", "a", false},
    {"dots in front are nothing special", ".*", ".git/x", true},
    {"? is one character", "a?c", "abc", true},
    {"? is one character", "a?c", "ac", false},
    {"? is one character", "a?c", "a/c", false},
    {"? is one character", "a?c",
     "a\xC3\xA9"
     "c",
     true},
    {"? is one character", "a?c", "abbc", false},
    {"a class", "[ab]x", "ax", true},
    {"a class", "[ab]x", "cx", false},
    {"a class", "[ab]x", "x", false},
    {"a range", "[a-c]", "b", true},
    {"a range", "[a-c]", "\xC3\xA9", false},
    {"a range of characters", "[\xC3\xA0-\xC3\xB6]", "\xC3\xA9", true},
    {"a range of characters", "[\xC3\xA0-\xC3\xB6]", "e", false},
    {"a negated class", "[^a-c]", "d", true},
    {"a negated class", "[^a-c]", "b", false},
    {"a negated class takes a slash", "a[^x]b", "a/b", true},
    {"a negated class takes a slash", "a[^x]b", "axb", false},
    {"a negated class takes a slash", "a[^x]b", "ayb", true},
    {"! in a class is a character", "[!a]", "!", true},
    {"! in a class is a character", "[!a]", "a", true},
    {"! in a class is a character", "[!a]", "b", false},
    {"an escaped bracket in a class", "[\\]x]", "]", true},
    {"an escaped bracket in a class", "[\\]x]", "x", true},
    {"an escaped bracket in a class", "[\\]x]", "y", false},
    {"a closing bracket alone is a character", "a]", "a]", true},
    {"a closing bracket alone is a character", "a]", "a", false},
    {"an escaped star", "\\*", "*", true},
    {"an escaped question mark", "a\\?", "a?", true},
    {"an escaped question mark", "a\\?", "ab", false},
    {"an escaped backslash", "a\\\\b", "a\\b", true},
    {"an escaped backslash", "a\\\\b", "ab", false},
    {"an escaped bracket", "\\[a\\]", "[a]", true},
    {"an escaped bracket", "\\[a\\]", "a", false},
    {"an escaped ! is a name", "\\!a", "!a", true},
    {"an escaped ! is a name", "\\!a", "a", false},
    {"an escaped # is a name", "\\#a", "#a", true},
    {"dots, pluses, dollars and parentheses mean themselves", "a.+$(x)*", "a.+$(x)", true},
    {"dots, pluses, dollars and parentheses mean themselves", "a.+$(x)*", "ab+$(x)", false},
    {"dots, pluses, dollars and parentheses mean themselves", "a.+$(x)*", "a.+$(x)y", true},
    {"an accent is a character without wildcards", "x^", "x^", true},
    {"an accent is a character without wildcards", "x^", "x", false},
    {"with a wildcard it holds the place of the start", "x^*", "x^", false},
    {"with a wildcard it holds the place of the start", "x^*", "x^y", false},
    {"with a wildcard it holds the place of the start", "x^*", "x", false},
    {"an accent in front of a wildcard", "^a*", "ab", true},
    {"an accent in front of a wildcard", "^a*", "^ab", false},
    {"** in front", "**/a", "a", true},
    {"** in front", "**/a", "x/y/a", true},
    {"** in front", "**/a", "xa", false},
    {"** in front", "**/a", "x/ab", false},
    {"** in front", "**/a", "a/b", true},
    {"** in front of a pattern", "**/*.md", "a.md", true},
    {"** in front of a pattern", "**/*.md", "x/a.md", true},
    {"** in front of a pattern", "**/*.md", "x/y/a.md", true},
    {"** in front of a pattern", "**/*.md", "a.mdx", false},
    {"** in front without a slash", "**a", "a", true},
    {"** in front without a slash", "**a", "xa", true},
    {"** in front without a slash", "**a", "x/a", true},
    {"** in front without a slash", "**a", "x/ya", true},
    {"** in front without a slash", "**a", "b", false},
    {"** behind", "a/**", "a", false},
    {"** behind", "a/**", "a/b", true},
    {"** behind", "a/**", "a/b/c", true},
    {"** behind", "a/**", "b", false},
    {"** behind", "a/**", "ab", false},
    {"** behind without a slash", "a**", "a", true},
    {"** behind without a slash", "a**", "ab", true},
    {"** behind without a slash", "a**", "a/b", true},
    {"** behind without a slash", "a**", "ab/c", true},
    {"** behind without a slash", "a**", "b", false},
    {"** in the middle", "a/**/b", "a/b", true},
    {"** in the middle", "a/**/b", "a/x/b", true},
    {"** in the middle", "a/**/b", "a/x/y/b", true},
    {"** in the middle", "a/**/b", "ab", false},
    {"** in the middle", "a/**/b", "a/xb", false},
    {"** in the middle", "a/**/b", "x/a/b", false},
    {"** in the middle twice", "a/**/b/**/c", "a/b/c", true},
    {"** in the middle twice", "a/**/b/**/c", "a/x/b/y/c", true},
    {"** in the middle twice", "a/**/b/**/c", "a/c", false},
    {"** alone", "**", "a/b", true},
    {"**/** ", "**/**", "a", true},
    {"**/** ", "**/**", "a/b", true},
    {"** and more at the end", "**/a/**", "a/b", true},
    {"** and more at the end", "**/a/**", "x/a/b", true},
    {"** and more at the end", "**/a/**", "a", false},
    {"** and more at the end", "**/a/**", "x/a", false},
    {"** and more at the end", "**/a/**", "b", false},
    {"three stars", "a***b", "ab", true},
    {"three stars", "a***b", "axb", true},
    {"three stars", "a***b", "a/xb", true},
    {"three stars", "a***b", "axyb", true},
    {"** with names around", "x**y/z", "xy/z", true},
    {"** with names around", "x**y/z", "xay/z", false},
    {"** with names around", "x**y/z", "x/y/z", true},
    {"** with names around", "x**y/z", "x/a/y/z", true},
    {"** does not cross a line feed", "a/**/b", "a/x\ny/b", false},
    {"** does not cross a line feed", "a/**/b", "a/x/b", true},
    {"* does", "a*b", "a\nb", true},
    {"a later pattern takes back", "*.md\n!README.md", "README.md", false},
    {"a later pattern takes back", "*.md\n!README.md", "a.md", true},
    {"a later pattern takes back", "*.md\n!README.md", "x/README.md", false},
    {"and a later one takes that back", "*.md\n!README*.md\nREADME-secret.md", "README.md", false},
    {"and a later one takes that back", "*.md\n!README*.md\nREADME-secret.md", "README-secret.md",
     true},
    {"and a later one takes that back", "*.md\n!README*.md\nREADME-secret.md", "a.md", true},
    {"the order matters", "!README.md\n*.md", "README.md", true},
    {"take back in an ignored folder", "a\n!a/b", "a/b", false},
    {"take back in an ignored folder", "a\n!a/b", "a/c", true},
    {"take back in an ignored folder", "a\n!a/b", "a", true},
    {"take back in an ignored folder", "a\n!a/b", "a/b/c", false},
    {"take back in an ignored folder", "a\n!a/b", "a/bc", true},
    {"take back deep in an ignored folder", "a\n!a/b/c", "a/b/c", false},
    {"take back deep in an ignored folder", "a\n!a/b/c", "a/b/d", true},
    {"take back deep in an ignored folder", "a\n!a/b/c", "a/x", true},
    {"take back deep in an ignored folder", "a\n!a/b/c", "a/b/c/d", false},
    {"take back by a pattern", "a\n!a/*.txt", "a/x.txt", false},
    {"take back by a pattern", "a\n!a/*.txt", "a/x.md", true},
    {"take back by a pattern", "a\n!a/*.txt", "a/b/x.txt", true},
    {"take back by ** ", "*\n!**/*.txt", "x.txt", false},
    {"take back by ** ", "*\n!**/*.txt", "a/x.txt", false},
    {"take back by ** ", "*\n!**/*.txt", "a/b/x.txt", false},
    {"take back by ** ", "*\n!**/*.txt", "a/b", true},
    {"take back by ** ", "*\n!**/*.txt", "x.md", true},
    {"everything but", "*\n!src\n!go.mod", "src", false},
    {"everything but", "*\n!src\n!go.mod", "src/a", false},
    {"everything but", "*\n!src\n!go.mod", "src/a/b", false},
    {"everything but", "*\n!src\n!go.mod", "go.mod", false},
    {"everything but", "*\n!src\n!go.mod", "x/src", true},
    {"everything but, and something of that again", "*\n!src\nsrc/tmp", "src/a", false},
    {"everything but, and something of that again", "*\n!src\nsrc/tmp", "src/tmp", true},
    {"everything but, and something of that again", "*\n!src\nsrc/tmp", "src/tmp/x", true},
    {"everything but, again taken back", "*\n!src\nsrc/tmp\n!src/tmp/keep", "src/tmp/keep", false},
    {"everything but, again taken back", "*\n!src\nsrc/tmp\n!src/tmp/keep", "src/tmp/x", true},
    {"everything but, again taken back", "*\n!src\nsrc/tmp\n!src/tmp/keep", "src/tmp/keep/y",
     false},
    {"** and take back", "**\n!a/b", "a/b", false},
    {"** and take back", "**\n!a/b", "a/c", true},
    {"** and take back", "**\n!a/b", "a", true},
    {"** and take back", "**\n!a/b", "x", true},
    {"white space behind the !", "*\n! a", "a", false},
    {"white space behind the !", "*\n! a", "b", true},
    {"a slash behind the !", "*\n!/a", "a", false},
    {"a slash behind the !", "*\n!/a", "b", true},
    {"take back with a slash behind", "*\n!a/", "a", false},
    {"take back with a slash behind", "*\n!a/", "a/b", false},
    {"take back with a slash behind", "*\n!a/", "b", true},
    {"two !", "*\n!!a", "!a", false},
    {"take back what nothing ignored", "!a", "a", false},
    {"take back what nothing ignored", "!a", "b", false},
    {"a folder that was taken back before it was ignored", "!a\na\na/b", "a", true},
    {"a folder that was taken back before it was ignored", "!a\na\na/b", "a/b", true},
    {"a folder that was taken back before it was ignored", "!a\na\na/b", "a/c", true},
    {"a folder's take-back does not outlive what nothing had ignored", "!a\na/b", "a", false},
    {"a folder's take-back does not outlive what nothing had ignored", "!a\na/b", "a/b", true},
    {"a folder's take-back does not outlive what nothing had ignored", "!a\na/b", "a/c", false},
    {"a folder's take-back does not outlive what nothing had ignored", "!a\na/b", "a/b/c", true},
    {"a child is ignored where its folder is not", "a/b\n!a", "a", false},
    {"a child is ignored where its folder is not", "a/b\n!a", "a/b", true},
    {"a child is ignored where its folder is not", "a/b\n!a", "a/c", false},
    {"folder and children of one name", "node_modules", "node_modules", true},
    {"folder and children of one name", "node_modules", "node_modules/a/b", true},
    {"folder and children of one name", "node_modules", "x/node_modules", false},
    {"at any depth", "**/node_modules", "node_modules/a", true},
    {"at any depth", "**/node_modules", "x/node_modules/a", true},
    {"at any depth", "**/node_modules", "x/node_modules", true},
    {"a folder's verdict holds below", "a/*", "a", false},
    {"a folder's verdict holds below", "a/*", "a/b", true},
    {"a folder's verdict holds below", "a/*", "a/b/c", true},
    {"only folders' contents", "a/*/*", "a/b", false},
    {"only folders' contents", "a/*/*", "a/b/c", true},
    {"only folders' contents", "a/*/*", "a/b/c/d", true},
    {"hidden folder and one file of it", ".git\n!.git/HEAD", ".git/HEAD", false},
    {"hidden folder and one file of it", ".git\n!.git/HEAD", ".git/config", true},
    {"hidden folder and one file of it", ".git\n!.git/HEAD", ".gitignore", false},
    {"non-ASCII names", "\xC3\xA9/\xC3\xBC", "\xC3\xA9/\xC3\xBC", true},
    {"non-ASCII names", "\xC3\xA9/\xC3\xBC", "\xC3\xA9/\xC3\xBCx", false},
    {"commas mean themselves", "a,b", "a,b", true},
    {"quotes mean themselves", "\"a\"", "\"a\"", true},
    {"a pattern's end of a comment stays", "a # b", "a # b", true},
    {"a pattern's end of a comment stays", "a # b", "a", false},
};

START_TEST(paths_are_ignored_as_the_patterns_say)
{
    struct ignore ignore = IGNORE_INIT;
    struct error err = ERROR_INIT;
    const char *text = cases[_i].patterns;
    int rc = ignore_parse(".dockerignore", text, strlen(text), &ignore, &err);
    ck_assert_msg(rc == 0, "%s: %s", cases[_i].rule, err.msg);
    ck_assert_msg(!ignore.uncertain, "%s", cases[_i].rule);
    ck_assert_msg(ignore_matches_alone(&ignore, cases[_i].path) == cases[_i].ignored,
                  "%s: '%s' %s '%s'", cases[_i].rule, text,
                  cases[_i].ignored ? "must ignore" : "must not ignore", cases[_i].path);
    ignore_release(&ignore);
}
END_TEST

/* Whoever prunes a folder must not lose what would be taken back. */
START_TEST(nothing_that_is_kept_is_below_a_folder_that_is_left_out)
{
    struct ignore ignore = IGNORE_INIT;
    const char *text = cases[_i].patterns;
    ck_assert_int_eq(ignore_parse("x", text, strlen(text), &ignore, NULL), 0);
    char *folder = memory_copy_string(cases[_i].path);
    for (char *slash = strrchr(folder, '/'); slash; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (cases[_i].ignored || !*folder || !ignore_matches_alone(&ignore, folder))
            continue;
        ck_assert_msg(ignore_may_keep_below(&ignore, folder), "%s: %s below %s", cases[_i].rule,
                      cases[_i].path, folder);
    }
    free(folder);
    ignore_release(&ignore);
}
END_TEST

static const struct {
    const char *patterns, *folder;
    bool may_keep;
} prunings[] = {
    {"a", "a", false},          {"*\n!b", "a", false},
    {"*\n!b", "b", false}, /* b itself is taken back; nothing else below it is named */
    {"*\n!b/c", "b", true},     {"*\n!b/c", "b/c", false},
    {"*\n!b/c", "bc", false},   {"*\n!bc", "b", false},
    {"*\n!**/c", "a", true},    {"*\n!b*", "a", false},
    {"*\n!b*", "b", true},      {"*\n!b/*/c", "b/x", true},
    {"*\n!b/*/c", "c", false},  {"*\n![ab]/c", "a", true},
    {"*\n!a\\*/c", "x", false},
};

START_TEST(folders_are_left_out_where_nothing_is_taken_back)
{
    struct ignore ignore = IGNORE_INIT;
    const char *text = prunings[_i].patterns;
    ck_assert_int_eq(ignore_parse("x", text, strlen(text), &ignore, NULL), 0);
    ck_assert_msg(ignore_may_keep_below(&ignore, prunings[_i].folder) == prunings[_i].may_keep,
                  "'%s' below '%s'", text, prunings[_i].folder);
    ignore_release(&ignore);
}
END_TEST

static const struct {
    const char *text, *message;
} faults[] = {
    {"a\n[b", "x:2: the pattern '[b' is not well-formed"},
    {"a\\", "x:1: the pattern 'a\\' is not well-formed"},
    {"a\n\n!\n", "x:3: '!' without a pattern behind it"},
    {"! \n", "x:1: '!' without a pattern behind it"},
    {"!/", "x:1: '!' without a pattern behind it"},
    {"[]a]", "x:1: the pattern '[]a]' is not well-formed"},
    {"[a-]", "x:1: the pattern '[a-]' is not well-formed"},
};

START_TEST(what_is_not_well_formed_is_named)
{
    struct ignore ignore = IGNORE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(ignore_parse("x", faults[_i].text, strlen(faults[_i].text), &ignore, &err),
                     -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_str_eq(err.msg, faults[_i].message);
    ck_assert_uint_eq(ignore.len, 0);
}
END_TEST

/* Go's regular expressions give these a meaning that nobody has in mind. */
static const char *const odd[] = {"a|*",   "*{2}", "[*]",   "[[:alpha:]]", "\\d*",  "\\x41",
                                  "[\\d]", "*a{",  "[b-a]", "*\xFF",       "[a]*[", "\\a"};

START_TEST(odd_patterns_ignore_nothing_at_all)
{
    struct ignore ignore = IGNORE_INIT;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&text, "a\n%s\n", odd[_i]);
    ck_assert_int_eq(ignore_parse("x", text.buf, text.len, &ignore, NULL), 0);
    ck_assert_msg(ignore.uncertain, "%s", odd[_i]);
    ck_assert_str_eq(ignore.uncertain_pattern, odd[_i]);
    ck_assert(!ignore_matches_alone(&ignore, "a"));
    ck_assert(ignore_may_keep_below(&ignore, "a"));
    ignore_release(&ignore);
}
END_TEST

/* Without a wildcard the same characters are compared as they are. */
START_TEST(plain_names_are_never_odd)
{
    struct ignore ignore = IGNORE_INIT;
    const char text[] = "a|b\nc{2}\n\xFF\n";
    ck_assert_int_eq(ignore_parse("x", text, sizeof text - 1, &ignore, NULL), 0);
    ck_assert(!ignore.uncertain);
    ck_assert(ignore_matches_alone(&ignore, "a|b"));
    ck_assert(!ignore_matches_alone(&ignore, "a"));
    ck_assert(ignore_matches_alone(&ignore, "c{2}"));
    ck_assert(ignore_matches_alone(&ignore, "\xFF"));
    ignore_release(&ignore);
}
END_TEST

START_TEST(a_zero_byte_ignores_nothing)
{
    struct ignore ignore = IGNORE_INIT;
    ck_assert_int_eq(ignore_parse("x", "a\nb\0c\n", 6, &ignore, NULL), 0);
    ck_assert(ignore.uncertain);
    ck_assert(!ignore_matches_alone(&ignore, "a"));
    ignore_release(&ignore);
}
END_TEST

START_TEST(a_line_may_be_as_long_as_go_reads_one)
{
    struct ignore ignore = IGNORE_INIT;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < 65535; i++)
        strbuf_addch(&text, 'a');
    ck_assert_int_eq(ignore_parse("x", text.buf, text.len, &ignore, &err), 0);
    ck_assert(ignore_matches_alone(&ignore, text.buf));
    ignore_release(&ignore);
    strbuf_addch(&text, 'a');
    ck_assert_int_eq(ignore_parse("x", text.buf, text.len, &ignore, &err), -1);
    ck_assert_str_eq(err.msg, "x:1: the line is longer than 64 KiB");
}
END_TEST

START_TEST(states_go_down_from_folder_to_folder)
{
    struct ignore ignore = IGNORE_INIT;
    struct ignore_state root = IGNORE_STATE_INIT, a = IGNORE_STATE_INIT, b = IGNORE_STATE_INIT;
    const char text[] = "a/b\n!a/b/c\n";
    ck_assert_int_eq(ignore_parse("x", text, sizeof text - 1, &ignore, NULL), 0);
    ck_assert(!ignore_matches(&ignore, "a", &root, &a));
    ck_assert(ignore_matches(&ignore, "a/b", &a, &b));
    ck_assert(ignore_matches(&ignore, "a/b/x", &b, NULL));
    ck_assert(!ignore_matches(&ignore, "a/b/c", &b, NULL));
    ck_assert(!ignore_matches(&ignore, "a/b/x", &a, NULL)); /* a/b's own verdict is not in a's */
    ignore_state_release(&root);
    ignore_state_release(&a);
    ignore_state_release(&b);
    ignore_release(&ignore);
}
END_TEST

START_TEST(patterns_of_flags_are_patterns_too)
{
    struct ignore ignore = IGNORE_INIT;
    struct strvec patterns = STRVEC_INIT;
    strvec_push_many(&patterns, "*.md", " !a.md ", "", "./d/", NULL);
    ck_assert_int_eq(ignore_from_patterns(&patterns, &ignore, NULL), 0);
    ck_assert_uint_eq(ignore.len, 3);
    ck_assert(ignore_matches_alone(&ignore, "b.md"));
    ck_assert(!ignore_matches_alone(&ignore, "a.md"));
    ck_assert(ignore_matches_alone(&ignore, "d/x"));
    ignore_release(&ignore);
    strvec_push(&patterns, "[");
    ck_assert_int_eq(ignore_from_patterns(&patterns, &ignore, NULL), -1);
    ck_assert_uint_eq(ignore.len, 0);
    strvec_release(&patterns);
}
END_TEST

/* Time grows with the product of pattern and path, whatever the pattern. */
START_TEST(many_stars_take_no_time)
{
    struct ignore ignore = IGNORE_INIT;
    CLEANUP(strbuf) struct strbuf pattern = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < 60; i++)
        strbuf_addstr(&pattern, "*a**/");
    strbuf_addstr(&pattern, "b");
    for (int i = 0; i < 300; i++)
        strbuf_addstr(&path, i % 20 == 19 ? "/" : "a");
    strbuf_addstr(&path, "c");
    ck_assert_int_eq(ignore_parse("x", pattern.buf, pattern.len, &ignore, NULL), 0);
    ck_assert(!ignore_matches_alone(&ignore, path.buf));
    ignore_release(&ignore);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *ignore_suite(void)
{
    Suite *suite = suite_create("ignore");
    TCase *tests = tcase_create("ignore");
    tcase_add_loop_test(tests, paths_are_ignored_as_the_patterns_say, 0, COUNT(cases));
    tcase_add_loop_test(tests, nothing_that_is_kept_is_below_a_folder_that_is_left_out, 0,
                        COUNT(cases));
    tcase_add_loop_test(tests, folders_are_left_out_where_nothing_is_taken_back, 0,
                        COUNT(prunings));
    tcase_add_loop_test(tests, what_is_not_well_formed_is_named, 0, COUNT(faults));
    tcase_add_loop_test(tests, odd_patterns_ignore_nothing_at_all, 0, COUNT(odd));
    tcase_add_test(tests, plain_names_are_never_odd);
    tcase_add_test(tests, a_zero_byte_ignores_nothing);
    tcase_add_test(tests, a_line_may_be_as_long_as_go_reads_one);
    tcase_add_test(tests, states_go_down_from_folder_to_folder);
    tcase_add_test(tests, patterns_of_flags_are_patterns_too);
    tcase_add_test(tests, many_stars_take_no_time);
    suite_add_tcase(suite, tests);
    return suite;
}
