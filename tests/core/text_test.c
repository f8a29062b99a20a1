#include <check.h>

#include "core/cleanup.h"
#include "core/text.h"

Suite *text_suite(void);

#define COUNT(table)  ((int)(sizeof(table) / sizeof *(table)))
#define BYTES(string) string, sizeof string - 1

START_TEST(questions_about_text)
{
    ck_assert(text_is_empty(NULL));
    ck_assert(text_is_empty(""));
    ck_assert(text_is_empty(" \t\r\n\v\f"));
    ck_assert(!text_is_empty(" a "));
    ck_assert(!text_is_empty("\x1f"));

    ck_assert(text_equal(NULL, NULL));
    ck_assert(!text_equal(NULL, ""));
    ck_assert(!text_equal("", NULL));
    ck_assert(text_equal("a", "a"));
    ck_assert(!text_equal("a", "A"));

    ck_assert(text_starts_with("abc", "ab"));
    ck_assert(text_starts_with("abc", ""));
    ck_assert(!text_starts_with("ab", "abc"));
    ck_assert(!text_starts_with(NULL, ""));
    ck_assert(!text_starts_with("", NULL));
    ck_assert(text_ends_with("abc", "bc"));
    ck_assert(text_ends_with("abc", ""));
    ck_assert(!text_ends_with("bc", "abc"));
    ck_assert(!text_ends_with("abc", "ab"));
    ck_assert(!text_ends_with(NULL, ""));
}
END_TEST

START_TEST(case_of_ascii_letters_is_ignored)
{
    ck_assert(text_equal_ignore_case("AbZ", "aBz"));
    ck_assert(!text_equal_ignore_case("ab", "abc"));
    ck_assert(!text_equal_ignore_case("abc", "ab"));
    ck_assert(!text_equal_ignore_case("[", "{")); /* 32 apart, but no letters */
    ck_assert(!text_equal_ignore_case("@", "`"));
    ck_assert(!text_equal_ignore_case("É", "é"));
    ck_assert(text_equal_ignore_case(NULL, NULL));
    ck_assert(!text_equal_ignore_case(NULL, ""));

    ck_assert(text_contains_ignore_case("fix [Test-S3] now", "[test-s3]"));
    ck_assert(text_contains_ignore_case("aab", "AB"));
    ck_assert(text_contains_ignore_case("a", ""));
    ck_assert(text_contains_ignore_case("", ""));
    ck_assert(!text_contains_ignore_case("test-s", "test-s3"));
    ck_assert(!text_contains_ignore_case("", "a"));
    ck_assert(!text_contains_ignore_case(NULL, "a"));
    ck_assert(!text_contains_ignore_case("a", NULL));
}
END_TEST

static const struct {
    const char *text;
    int64_t min, max;
    bool is_number;
    int64_t number;
} integers[] = {
    {"0", 0, 9, true, 0},
    {"9", 0, 9, true, 9},
    {"10", 0, 9, false, 0},
    {"-1", 0, 9, false, 0},
    {"-1", -1, 9, true, -1},
    {"007", 0, 9, true, 7},
    {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
    {"92233720368547758070", INT64_MIN, INT64_MAX, false, 0},
    {"", INT64_MIN, INT64_MAX, false, 0},
    {"-", INT64_MIN, INT64_MAX, false, 0},
    {"--1", INT64_MIN, INT64_MAX, false, 0},
    {"+1", INT64_MIN, INT64_MAX, false, 0},
    {" 1", INT64_MIN, INT64_MAX, false, 0},
    {"1 ", INT64_MIN, INT64_MAX, false, 0},
    {"1.0", INT64_MIN, INT64_MAX, false, 0},
    {"0x1", INT64_MIN, INT64_MAX, false, 0},
    {"1e3", INT64_MIN, INT64_MAX, false, 0},
    {NULL, INT64_MIN, INT64_MAX, false, 0},
};

START_TEST(whole_numbers)
{
    int64_t number = 77;
    bool is_number = text_to_int64(integers[_i].text, integers[_i].min, integers[_i].max, &number);
    ck_assert_int_eq(is_number, integers[_i].is_number);
    ck_assert_int_eq(number, is_number ? integers[_i].number : 77);
}
END_TEST

static const struct {
    const char *text;
    bool is_number;
    double number;
} decimals[] = {
    {"0.3", true, 0.3},
    {"10", true, 10},
    {".5", true, 0.5},
    {"0", true, 0},
    {"0.006", true, 0.006},
    {"123456789012345", true, 123456789012345},
    {"0.00000000000001", true, 0.00000000000001},
    {"12345678.9012345", true, 12345678.9012345},
    {"1234567890123456", false, 0},
    {"1.", false, 0},
    {".", false, 0},
    {"", false, 0},
    {"1.2.3", false, 0},
    {"1..2", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {"1e3", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1,5", false, 0},
    {"inf", false, 0},
    {"nan", false, 0},
    {NULL, false, 0},
};

START_TEST(decimal_numbers)
{
    double number = 77;
    bool is_number = text_to_decimal(decimals[_i].text, &number);
    ck_assert_int_eq(is_number, decimals[_i].is_number);
    /* exactly what the compiler makes of the same digits */
    ck_assert_mem_eq(&number, is_number ? &decimals[_i].number : &(double){77}, sizeof number);
}
END_TEST

/* How many U+FFFD the bytes give; 0: they are UTF-8. */
static const struct {
    const char *bytes;
    size_t len;
    int replaced;
} encodings[] = {
    {BYTES(""), 0},
    {BYTES("abc\0def"), 0},
    {BYTES("\xC2\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), 0},
    {BYTES("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"), 0},
    {BYTES("\x80"), 1},             /* continuation alone */
    {BYTES("\xC0\xAF"), 2},         /* overlong '/' */
    {BYTES("\xC1\xBF"), 2},         /* overlong DEL */
    {BYTES("\xE0\x80\xAF"), 3},     /* overlong '/' in three */
    {BYTES("\xE0\x9F\xBF"), 3},     /* overlong U+07FF */
    {BYTES("\xF0\x80\x80\xAF"), 4}, /* overlong '/' in four */
    {BYTES("\xF0\x8F\xBF\xBF"), 4}, /* overlong U+FFFF */
    {BYTES("\xED\xA0\x80"), 3},     /* surrogate U+D800 */
    {BYTES("\xED\xBF\xBF"), 3},     /* surrogate U+DFFF */
    {BYTES("\xF4\x90\x80\x80"), 4}, /* U+110000 */
    {BYTES("\xF5\x80\x80\x80"), 4}, /* no lead byte */
    {BYTES("\xFE"), 1},
    {BYTES("\xFF"), 1},
    {BYTES("\xC2"), 1},         /* cut */
    {BYTES("\xE2\x82"), 1},     /* cut: one character was begun */
    {BYTES("\xF0\x9F\x98"), 1}, /* the same */
    {BYTES("\xE2\x82x"), 1},
    {BYTES("\xC2\xC2\xA9"), 1},
};

START_TEST(only_utf8_is_utf8)
{
    const char *bytes = encodings[_i].bytes;
    size_t len = encodings[_i].len;
    ck_assert_int_eq(text_is_utf8(bytes, len), encodings[_i].replaced == 0);

    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&out, bytes, len, 1000, false);
    int replaced = 0;
    for (const char *at = out.buf; (at = strstr(at, "\xEF\xBF\xBD")) != NULL; at += 3)
        replaced++;
    ck_assert_int_eq(replaced, encodings[_i].replaced);
    ck_assert(text_is_utf8(out.buf, out.len));
}
END_TEST

static const struct {
    const char *bytes;
    size_t len;
    const char *visible;
} visibles[] = {
    {BYTES("plain äö € \xF0\x9F\x98\x80"), "plain äö € \xF0\x9F\x98\x80"},
    {BYTES("a\tb"), "a b"},
    {BYTES("a\nb"), "a\\x0ab"},
    {BYTES("a\rb\r\n"), "a\\x0db\\x0d\\x0a"},
    {BYTES("a\0b\x7f"), "a\\x00b\\x7f"},
    {BYTES("\xC2\x80\xC2\x85\xC2\x9F\xC2\xA0"), "\\u0080\\u0085\\u009f\xC2\xA0"},
    {BYTES("\xE2\x80\xA8\xE2\x80\xA9"), "\\u2028\\u2029"},
    {BYTES("\xE2\x80\xAE"
           "evil\xE2\x80\xAC"),
     "\\u202eevil\\u202c"},
    {BYTES("\xE2\x81\xA6x\xE2\x81\xA9"), "\\u2066x\\u2069"},
    {BYTES("\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C"), "\\u200e\\u200f\\u061c"},
    {BYTES("\xE2\x80\x8B\xE2\x81\xA0\xEF\xBB\xBF"), "\\u200b\\u2060\\ufeff"},
    {BYTES("\xE2\x80\x8D"), "\xE2\x80\x8D"}, /* joiner: emoji and scripts need it */
    {BYTES("\xF3\xA0\x81\x81"), "\\ue0041"},
    {BYTES("\x1b[31mred\x1b[0m \x1b[1;38:5:9mx\x1b[m"), "red x"},
    {BYTES("\x1b[2Jx\x1b[1A"), "\\x1b[2Jx\\x1b[1A"},
    {BYTES("\x1b]0;title\x07"), "\\x1b]0;title\\x07"},
    {BYTES("\x1b\x1b[m[31m"), "\\x1b[31m"},
    {BYTES("\x1b"), "\\x1b"},
    {BYTES("\x1b["), "\\x1b["},
    {BYTES("\x1b[31"), "\\x1b[31"},
    {BYTES("\xC2\x9B"
           "31m"),
     "\\u009b31m"},
};

START_TEST(strangers_text_is_made_visible)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&out, "> ");
    text_add_visible(&out, visibles[_i].bytes, visibles[_i].len, 1000, false);
    ck_assert_str_eq(out.buf + 2, visibles[_i].visible);
    ck_assert(!out.overflowed);
}
END_TEST

START_TEST(newlines_are_kept_when_asked_for)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&out, BYTES("a\n\tb\r\n\xE2\x80\xA8"), 1000, true);
    ck_assert_str_eq(out.buf, "a\n b\\x0d\n\\u2028");
}
END_TEST

/* max 0 to 20 over characters of 1, 2, 3, 4 and 6 bytes: never over, never half a character. */
START_TEST(cut_at_characters)
{
    static const char text[] = "aé€\xF0\x9F\x98\x80\x01z";
    static const char whole[] = "aé€\xF0\x9F\x98\x80\\x01z";
    size_t max = (size_t)_i;
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&out, text, sizeof text - 1, max, false);
    ck_assert_uint_le(out.len, max);
    ck_assert(text_is_utf8(out.buf, out.len));
    ck_assert(!out.overflowed);
    if (max >= sizeof whole - 1) {
        ck_assert_str_eq(out.buf, whole);
    } else if (max < 3) {
        ck_assert_uint_eq(out.len, 0);
    } else {
        ck_assert(text_ends_with(out.buf, "…"));
        strbuf_truncate(&out, out.len - 3);
        ck_assert(text_starts_with(whole, out.buf));
        ck_assert(!text_ends_with(out.buf, "\\") && !text_ends_with(out.buf, "\\x0"));
    }

    /* the same where the buffer's own cap is the limit, and that is remembered */
    CLEANUP(strbuf) struct strbuf capped = STRBUF_INIT(max + 1);
    strbuf_addch(&capped, '>');
    text_add_visible(&capped, text, sizeof text - 1, 1000, false);
    ck_assert_uint_le(capped.len, max + 1);
    ck_assert(text_is_utf8(capped.buf, capped.len));
    ck_assert_int_eq(capped.overflowed, max < sizeof whole - 1);
}
END_TEST

/* Plain text is taken a run at a time: its cut is where a cut character by character would be. */
START_TEST(cut_in_runs)
{
    static const char text[] = "ab€cdefg"; /* characters begin at 0, 1, 2, 5, 6, … */
    static const char kept[][8] = {"", "", "", "", "a", "ab", "ab", "ab", "ab€", "ab€c"};
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP), wanted = STRBUF_INIT(100);
    text_add_visible(&out, text, sizeof text - 1, (size_t)_i, false);
    if ((size_t)_i < COUNT(kept))
        strbuf_addf(&wanted, "%s%s", kept[_i], _i < 3 ? "" : "…");
    else
        strbuf_addstr(&wanted, text);
    ck_assert_str_eq(out.buf, wanted.buf);
}
END_TEST

START_TEST(cut_keeps_as_much_as_fits)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&out, BYTES("abcdefghij"), 9, false);
    ck_assert_str_eq(out.buf, "abcdef…");
    strbuf_reset(&out);
    text_add_visible(&out, BYTES("abcdefghij"), 10, false);
    ck_assert_str_eq(out.buf, "abcdefghij");
    strbuf_reset(&out);
    text_add_visible(&out, BYTES("abc\x1b[0m\x1b[31m"), 3, false); /* what is left out is no cut */
    ck_assert_str_eq(out.buf, "abc");
}
END_TEST

#define HEX_63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static const struct {
    const char *text;
    bool is_digest;
} digests[] = {
    {"sha256:" HEX_63 "f", true},
    {"sha256:" HEX_63, false},
    {"sha256:" HEX_63 "ff", false},
    {"sha256:" HEX_63 "F", false},
    {"sha256:" HEX_63 "g", false},
    {"sha512:" HEX_63 "f", false},
    {"sha256:" HEX_63 "f\n", false},
    {HEX_63 "f", false},
    {"", false},
    {NULL, false},
};

START_TEST(only_digests_are_digests)
{
    ck_assert_int_eq(text_is_digest(digests[_i].text), digests[_i].is_digest);
}
END_TEST

START_TEST(line_of_a_part)
{
    ck_assert_int_eq(text_line_of("a\nb c\nd", "c"), 2);
    ck_assert_int_eq(text_line_of("a\nb c\nd c", "c"), 2);
    ck_assert_int_eq(text_line_of("a", "a"), 1);
    ck_assert_int_eq(text_line_of("a\nb", "x"), 0);
    ck_assert_int_eq(text_line_of("a\nb", ""), 0);
    ck_assert_int_eq(text_line_of("", "x"), 0);
}
END_TEST

Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_test(tests, questions_about_text);
    tcase_add_test(tests, case_of_ascii_letters_is_ignored);
    tcase_add_loop_test(tests, whole_numbers, 0, COUNT(integers));
    tcase_add_loop_test(tests, decimal_numbers, 0, COUNT(decimals));
    tcase_add_loop_test(tests, only_digests_are_digests, 0, COUNT(digests));
    tcase_add_loop_test(tests, only_utf8_is_utf8, 0, COUNT(encodings));
    tcase_add_loop_test(tests, strangers_text_is_made_visible, 0, COUNT(visibles));
    tcase_add_test(tests, newlines_are_kept_when_asked_for);
    tcase_add_loop_test(tests, cut_at_characters, 0, 21);
    tcase_add_loop_test(tests, cut_in_runs, 0, 12);
    tcase_add_test(tests, cut_keeps_as_much_as_fits);
    tcase_add_test(tests, line_of_a_part);
    suite_add_tcase(suite, tests);
    return suite;
}
