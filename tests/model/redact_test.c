#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/redact.h"

Suite *redact_suite(void);

#define SECRETS 3
#define TOKEN   "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJyZXBvOm8vciJ9.c2lnbmF0dXJlLW9mLWl0"

static const struct {
    const char *secrets[SECRETS], *text, *shown;
} cases[] = {
    {{"hunter22"}, "the password is hunter22.", "the password is ***."},
    {{"hunter22"}, "hunter22", "***"},
    {{"hunter22"}, "hunter22hunter22", "***"},
    {{"hunter22"}, "hunter22 hunter22", "*** ***"},
    {{"hunter22"}, "nothing", "nothing"},
    {{"hunter22"}, "", ""},
    {{NULL}, "hunter22", "hunter22"},
    {{""}, "hunter22", "hunter22"},
    {{"abc"}, "abcabc: too short to be hidden", "abcabc: too short to be hidden"},
    {{"abcd"}, "[abcd]", "[***]"},
    {{" padded value "}, "<padded value>", "<***>"},
    /* one within the other, and two that overlap */
    {{"pass", "password1"}, "is password1 or pass?", "is *** or ***?"},
    {{"password1", "pass"}, "is password1 or pass?", "is *** or ***?"},
    {{"abcdef", "defghi"}, "<abcdefghi>", "<***>"},
    /* as JSON and as the log write it */
    {{"a\"b\\c d"}, "{\"token\":\"a\\\"b\\\\c d\"}", "{\"token\":\"***\"}"},
    {{"tab\there"}, "{\"v\":\"tab\\there\"} tab here tab\there", "{\"v\":\"***\"} *** ***"},
    {{"bell\a here"}, "bell\\x07 here", "***"},
    /* of several lines */
    {{"first line!\nsecond line"}, "first line!\nsecond line", "***"},
    {{"first line!\nsecond line"}, "INFO second line", "INFO ***"},
    {{"first line!\nsecond line"}, "INFO first line! END", "INFO *** END"},
    {{"first line!\nsecond line"}, "{\"k\":\"first line!\\nsecond line\"}", "{\"k\":\"***\"}"},
    {{"first line!\nend\n"}, "the end of it", "the end of it"},
    /* cut within a secret */
    {{"hunter22-and-more"}, "answered 500: hunter22-a", "answered 500: ***"},
    {{"hunter22-and-more"}, "answered 500: hunter22-a…", "answered 500: ***…"},
    {{"hunter22-and-more"}, "and-more, says the log", "***, says the log"},
    {{"hunter22-and-more"}, "hunt", "***"},
    {{"hunter22-and-more"}, "a hun", "a hun"},
    {{"hunter22-and-more"}, "ore, says the log", "ore, says the log"},
    {{"and so on…"}, "and so on…", "***"},
    {{"grün-grün"}, "<grün-grün>", "<***>"},
    /* a long one that was cut, and something behind it */
    {{TOKEN}, "Value 'eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.ey' is bad", "Value '***' is bad"},
    {{TOKEN},
     "Value 'eyJhbGciOiJSUzI1NiIsInR5cCI6' is bad",
     "Value 'eyJhbGciOiJSUzI1NiIsInR5cCI6' is bad"},
    {{TOKEN}, "x" TOKEN "y", "x***y"},
    /* in a URL and in base64, in front of, between and behind other bytes */
    {{"a/b+c=d e"}, "?q=a%2Fb%2Bc%3Dd%20e&r=a%2fb%2bc%3dd%20e", "?q=***&r=***"},
    {{"hunter22-and-more"}, "aHVudGVyMjItYW5kLW1vcmU=", "***U="},
    {{"hunter22-and-more"}, "QVdTOmh1bnRlcjIyLWFuZC1tb3Jl", "QVdTOm***"},
    {{"hunter22-and-more"}, "eDpodW50ZXIyMi1hbmQtbW9yZTp5", "eDp***Tp5"},
    {{"hunter22-and-more"}, "eHk6aHVudGVyMjItYW5kLW1vcmU6eQ==", "eHk6***U6eQ=="},
    {{"~~~>>>ooo"}, "fn5+Pj4+b29v fn5-Pj4-b29v", "*** ***"},
    {{"1234567"}, "MTIzNDU2Nw== %31", "MTIzNDU2Nw== %31"},
};

START_TEST(hides_secrets)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < SECRETS; i++)
        redact_add(&redact, cases[_i].secrets[i]);
    redact_text(&redact, cases[_i].text, strlen(cases[_i].text), &out);
    ck_assert_str_eq(out.buf, cases[_i].shown);
}
END_TEST

/* A line of the log begins where its writer began: only "…" says that it was cut. */
START_TEST(hides_in_lines)
{
    static const char *const lines[][2] = {{"is hunter22-and-more", "is ***"},
                                           {"and-more, says it", "and-more, says it"},
                                           {"it is hunter22", "it is hunter22"},
                                           {"it is hunter22…", "it is ***…"},
                                           {"", ""}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CLEANUP(redact) struct redact redact = REDACT_INIT;
        CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
        redact_add(&redact, "hunter22-and-more");
        redact_line(&redact, lines[i][0], strlen(lines[i][0]), &out);
        ck_assert_str_eq(out.buf, lines[i][1]);
    }
}
END_TEST

START_TEST(takes_over_from_another)
{
    CLEANUP(redact) struct redact one = REDACT_INIT, two = REDACT_INIT;
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    redact_add(&one, "hunter22-and-more");
    redact_add_all(&two, &one);
    redact_text(&two, "is hunter22-and-more aHVudGVyMjItYW5kLW1vcmU=", 45, &out);
    ck_assert_str_eq(out.buf, "is *** ***U=");
}
END_TEST

START_TEST(hides_within_a_place)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    char text[24] = "x=1234 y=1234 z=1234";
    redact_add(&redact, "1234");
    redact_in_place(&redact, text, sizeof text);
    ck_assert_str_eq(text, "x=*** y=*** z=***");
    char small[6] = "12345";
    redact_in_place(&redact, small, sizeof small);
    ck_assert_str_eq(small, "***5");
}
END_TEST

START_TEST(keeps_bytes_behind_a_zero)
{
    CLEANUP(redact) struct redact redact = REDACT_INIT;
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    redact_add(&redact, "hunter22");
    redact_text(&redact, "a\0hunter22\0b", 12, &out);
    ck_assert_uint_eq(out.len, 7);
    ck_assert_mem_eq(out.buf, "a\0***\0b", 7);
}
END_TEST

Suite *redact_suite(void)
{
    Suite *suite = suite_create("redact");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, hides_secrets, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tcase, hides_in_lines);
    tcase_add_test(tcase, takes_over_from_another);
    tcase_add_test(tcase, hides_within_a_place);
    tcase_add_test(tcase, keeps_bytes_behind_a_zero);
    suite_add_tcase(suite, tcase);
    return suite;
}
