#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/checks.h"

Suite *checks_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static struct checks parse(const char *text)
{
    struct checks checks;
    struct error err = ERROR_INIT;
    ck_assert_msg(checks_parse("checks", text, &checks, &err) == 0, "%s", err.msg);
    return checks;
}

static const struct {
    const char *line, *method, *path, *body;
    int status;
    const char *expect;
} good[] = {
    {"GET /health -> 200", "GET", "/health", NULL, 200, NULL},
    {"GET /health -> 200 \"ok\"", "GET", "/health", NULL, 200, "ok"},
    {"POST /query {\"q\":\"ping\"} -> 200 \"rows\"", "POST", "/query", "{\"q\":\"ping\"}", 200,
     "rows"},
    {"  DELETE\t/a?b=c&d \t  ->   404  ", "DELETE", "/a?b=c&d", NULL, 404, NULL},
    {"HEAD / -> 599", "HEAD", "/", NULL, 599, NULL},
    {"OPTIONS / -> 100", "OPTIONS", "/", NULL, 100, NULL},
    {"PUT /a plain text -> 201", "PUT", "/a", "plain text", 201, NULL},
    {"PATCH /a  [ 1 , 2 ]  -> 204", "PATCH", "/a", "[ 1 , 2 ]", 204, NULL},
    {"POST /a {\"x\":\" -> 500 \"} -> 200", "POST", "/a", "{\"x\":\" -> 500 \"}", 200, NULL},
    {"POST /a a -> b -> 200", "POST", "/a", "a -> b", 200, NULL},
    {"POST /a -> b -> 200", "POST", "/a", "-> b", 200, NULL},
    {"POST /a {\"x\":\"\\\" -> \\\\\"} -> 200 \" -> 300\"", "POST", "/a",
     "{\"x\":\"\\\" -> \\\\\"}", 200, " -> 300"},
    {"GET /a -> 200 \"\\\"x\\\" \\u00e9\\n\\/\"", "GET", "/a", NULL, 200, "\"x\" é\n/"},
    {"GET /a -> 200 \"grün ☃\"", "GET", "/a", NULL, 200, "grün ☃"},
    {"POST /a {\"x\":\"☃\"} -> 200", "POST", "/a", "{\"x\":\"☃\"}", 200, NULL},
    {"GET /a$$b -> 200 \"$9.x\"", "GET", "/a$$b", NULL, 200, "$9.x"},
    {"GET /-> -> 200", "GET", "/->", NULL, 200, NULL},
};

START_TEST(parts_of_a_line)
{
    CLEANUP(checks) struct checks checks = parse(good[_i].line);
    ck_assert_uint_eq(checks.len, 1);
    const struct check *check = &checks.items[0];
    ck_assert_str_eq(check->method, good[_i].method);
    ck_assert_str_eq(check->path, good[_i].path);
    ck_assert_pstr_eq(check->body, good[_i].body);
    ck_assert_int_eq(check->status, good[_i].status);
    ck_assert_pstr_eq(check->expect, good[_i].expect);
    ck_assert_int_eq(check->line_number, 1);
}
END_TEST

static const struct {
    const char *text, *message;
} bad[] = {
    {"FETCH /", "checks:1:1: expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; a check is"},
    {"get / -> 200", "checks:1:1: expected GET"},
    {"GETS / -> 200", "checks:1:1: expected GET"},
    {"-> 200", "checks:1:1: expected GET"},
    {"GET", "checks:1:4: expected a path that begins with '/'"},
    {"GET health -> 200", "checks:1:5: expected a path"},
    {"GET https://x/ -> 200", "checks:1:5: expected a path"},
    {"GET -> 200", "checks:1:5: expected a path"},
    {"GET /a#b -> 200", "checks:1:7: expected a path without '#'"},
    {"GET /ä -> 200", "checks:1:6: expected a path without '#', ASCII only"},
    {"GET /a\x01 -> 200", "checks:1:7: expected a path"},
    {"GET /health", "checks:1:12: expected ' -> STATUS'"},
    {"GET /health 200", "checks:1:16: expected ' -> STATUS'"},
    {"GET /health-> 200", "checks:1:18: expected ' -> STATUS'"},
    {"GET /health ->200", "checks:1:18: expected ' -> STATUS'"},
    {"GET /health ->", "checks:1:15: expected ' -> STATUS'"},
    {"GET /health -> OK", "checks:1:16: expected a status from 100 to 599"},
    {"GET /health -> 99", "checks:1:16: expected a status"},
    {"GET /health -> 099", "checks:1:16: expected a status"},
    {"GET /health -> 600", "checks:1:16: expected a status"},
    {"GET /health -> 0200", "checks:1:16: expected a status"},
    {"GET /health -> 2xx", "checks:1:16: expected a status"},
    {"GET /health -> 200\"ok\"", "checks:1:16: expected a status"},
    {"GET /health -> 200 ok", "checks:1:20: expected the text in double quotes"},
    {"GET /health -> 200 \"a\" b", "checks:1:20: expected the text in double quotes"},
    {"GET /health -> 200 \"a\" \"b\"", "checks:1:20: expected the text"},
    {"GET /health -> 200 \"\\x\"", "checks:1:20: expected the text"},
    {"GET /health -> 200 \"\"", "checks:1:20: the text is empty"},
    {"GET /health -> 200 \"a", "checks:1:20: this '\"' has no end"},
    {"HEAD / -> 200 \"a\"", "checks:1:15: an answer to HEAD holds no text"},
    {"POST / {\"a -> 200", "checks:1:9: this '\"' has no end"},
    {"POST / {\"a\": 5\"} -> 200", "checks:1:15: this '\"' has no end"},
    {"POST / {\"é\":\"☃\"} 200", "checks:1:21: expected ' -> STATUS'"},
    {"GET / -> 200\n\n# no check\n  GET / 200", "checks:4:12: expected ' -> STATUS'"},
    {"GET / -> 200\r\n\tGET x -> 200\r\n", "checks:2:6: expected a path"},
    {"GET /$1.id -> 200", "checks:1:6: the reference does not name an earlier check"},
    {"GET / -> 200\nGET /$2.id -> 200", "checks:2:6: the reference does not name an earlier"},
    {"GET / -> 200\nGET /$0.id -> 200", "checks:2:6: the reference does not name"},
    {"GET / -> 200\nGET /$99999999999999999999.id -> 200", "checks:2:6: the reference does not"},
    {"GET / -> 200\nGET /$4294967297.id -> 200", "checks:2:6: the reference does not name"},
    {"GET / -> 200\nPOST / {\"é\":\"$1\"} -> 200", "checks:2:14: '$' begins a reference such as"},
    {"GET / -> 200\nGET /$1. -> 200", "checks:2:6: '$' begins a reference"},
    {"GET / -> 200\nGET /$1..a -> 200", "checks:2:6: '$' begins a reference"},
    {"POST / {\"price\":\"$\"} -> 200", "checks:1:18: '$' begins a reference"},
    {"POST / $$$ -> 200", "checks:1:10: '$' begins a reference"},
};

START_TEST(line_and_column_of_what_is_wrong)
{
    struct checks checks;
    struct error err = ERROR_INIT;
    int rc = checks_parse("checks", bad[_i].text, &checks, &err);
    if (rc == 0)
        checks_release(&checks);
    ck_assert_msg(rc == -1, "%s", bad[_i].text);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(text_starts_with(err.msg, bad[_i].message), "%s\n  expected: %s", err.msg,
                  bad[_i].message);
}
END_TEST

START_TEST(several_lines)
{
    CLEANUP(checks)
    struct checks checks = parse("\n# first\r\nGET /a -> 200 \"a\"\r\n\r\n   # second\n"
                                 "  POST /b/$1.id {\"x\":\"$1.a.b\"} -> 201\n\t\nGET /c -> 200");
    ck_assert_uint_eq(checks.len, 3);
    ck_assert_int_eq(checks.items[0].line_number, 3);
    ck_assert_int_eq(checks.items[1].line_number, 6);
    ck_assert_int_eq(checks.items[2].line_number, 8);
    ck_assert_str_eq(checks.items[0].line, "GET /a -> 200 \"a\"");
    ck_assert_str_eq(checks.items[1].line, "POST /b/$1.id {\"x\":\"$1.a.b\"} -> 201");
    ck_assert_str_eq(checks.items[2].path, "/c");
}
END_TEST

static const char *const empty[] = {NULL, "", "\n", " \r\n\t\n# x\n#", "#GET"};

START_TEST(nothing_gives_no_checks)
{
    struct checks checks = {.len = 7};
    ck_assert_int_eq(checks_parse("checks", empty[_i], &checks, NULL), 0);
    ck_assert_uint_eq(checks.len, 0);
    checks_release(&checks);
    checks_release(&checks);
    checks_release(NULL);
}
END_TEST

START_TEST(many_lines)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < 20000; i++)
        strbuf_addf(&text, "POST /item/%d {\"n\":%d} -> 200 \"%d\"\n", i, i, i);
    CLEANUP(checks) struct checks checks = parse(text.buf);
    ck_assert_uint_eq(checks.len, 20000);
    ck_assert_str_eq(checks.items[19999].expect, "19999");
}
END_TEST

/* ---- substitution ---- */

#define FIRST                                                                                      \
    "{\"id\":\"a/b "                                                                               \
    "c\",\"n\":12,\"half\":0.5,\"yes\":true,\"none\":null,\"quote\":\"\\\"\\n\\\\\","              \
    "\"deep\":{\"er\":{\"x-y_z\":\"é\"}},\"list\":[10,{\"k\":\"v\"}],\"0\":\"zero\",\"empty\":"   \
    "\"\"}"
#define SECOND "[\"x\",\"y\"]"

static const struct {
    const char *text;
    bool as_json;
    const char *result; /* NULL: refused */
    const char *message;
} substituted[] = {
    {"", true, "", NULL},
    {"no reference", true, "no reference", NULL},
    {"$$", true, "$", NULL},
    {"a$$1.id$$", true, "a$1.id$", NULL},
    {"{\"x\":\"$1.id\"}", true, "{\"x\":\"a/b c\"}", NULL},
    {"/items/$1.id/x", false, "/items/a%2Fb%20c/x", NULL},
    {"$1.n", true, "12", NULL},
    {"/$1.n", false, "/12", NULL},
    {"$1.half $1.yes", true, "0.5 true", NULL},
    {"/$1.yes", false, "/true", NULL},
    {"\"$1.quote\"", true, "\"\\\"\\n\\\\\"", NULL},
    {"/$1.quote", false, "/%22%0A%5C", NULL},
    {"$1.deep.er.x-y_z", true, "é", NULL},
    {"/$1.deep.er.x-y_z", false, "/%C3%A9", NULL},
    {"$1.deep.er", true, "{\"x-y_z\":\"é\"}", NULL},
    {"$1.list", true, "[10,{\"k\":\"v\"}]", NULL},
    {"$1.list.0", true, "10", NULL},
    {"$1.list.1.k", true, "v", NULL},
    {"$1.0", true, "zero", NULL},
    {"$2.1", true, "y", NULL},
    {"[$1.empty]", true, "[]", NULL},
    {"$1.n.", true, "12.", NULL},
    {"/$1.n?a=$2.0", false, "/12?a=x", NULL},
    {"$1.missing", true, NULL, "$1.missing has no value to put in: that answer has no such member"},
    {"$1.none", true, NULL, "$1.none has no value to put in: it is null"},
    {"/$1.list", false, NULL, "$1.list has no value to put in: it is no string, number or"},
    {"$1.n.x", true, NULL, "$1.n.x has no value to put in: that answer has no such member"},
    {"$1.list.2", true, NULL, "$1.list.2 has no value to put in: that answer has no such"},
    {"$1.list.k", true, NULL, "$1.list.k has no value to put in: that answer has no such"},
    {"$1.list.-1", true, NULL, "$1.list.-1 has no value to put in: that answer has no such"},
    {"$3.x", true, NULL, "$3.x has no value to put in: that answer is not JSON, or not there"},
    {"$4.x", true, NULL, "$4.x has no value to put in: that answer is not JSON, or not there"},
    {"$0.x", true, NULL, "$0.x has no value to put in: that answer is not JSON, or not there"},
};

START_TEST(values_of_earlier_answers)
{
    CLEANUP(json) struct json *first = NULL;
    CLEANUP(json) struct json *second = NULL;
    ck_assert_int_eq(json_parse(FIRST, strlen(FIRST), &first, NULL), 0);
    ck_assert_int_eq(json_parse(SECOND, strlen(SECOND), &second, NULL), 0);
    const struct json *const answers[] = {first, second, NULL};
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    struct error err = ERROR_INIT;
    int rc =
        checks_substitute(substituted[_i].text, answers, 3, substituted[_i].as_json, &out, &err);
    if (substituted[_i].result) {
        ck_assert_msg(rc == 0, "%s", err.msg);
        ck_assert_str_eq(out.buf, substituted[_i].result);
    } else {
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.kind, ERROR_FAILED);
        ck_assert_msg(text_starts_with(err.msg, substituted[_i].message), "%s", err.msg);
    }
}
END_TEST

START_TEST(too_large_a_result_is_told)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(4);
    struct error err = ERROR_INIT;
    ck_assert_int_eq(checks_substitute("12345", NULL, 0, true, &out, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
}
END_TEST

Suite *checks_suite(void)
{
    Suite *suite = suite_create("checks");
    TCase *tcase = tcase_create("checks");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, parts_of_a_line, 0, COUNT(good));
    tcase_add_loop_test(tcase, line_and_column_of_what_is_wrong, 0, COUNT(bad));
    tcase_add_test(tcase, several_lines);
    tcase_add_loop_test(tcase, nothing_gives_no_checks, 0, COUNT(empty));
    tcase_add_test(tcase, many_lines);
    tcase_add_loop_test(tcase, values_of_earlier_answers, 0, COUNT(substituted));
    tcase_add_test(tcase, too_large_a_result_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
