#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/json_syntax.h"

Suite *json_suite(void);

static struct json *parse(const char *text)
{
    struct json *json = NULL;
    struct error err = ERROR_INIT;
    ck_assert_msg(json_parse(text, strlen(text), &json, &err) == 0, "%s: %s", text, err.msg);
    return json;
}

/* ---- what is JSON and what is not ---- */

static const struct {
    const char *text;
    const char *complaint; /* NULL: it is JSON */
} syntax[] = {
    {"{}", NULL},
    {" [ ] ", NULL},
    {"\t{ \"a\" : [ 1 , 2.5 , -0 , 1e3 , 1E-3 , 0.10 ] ,\r\n\"b\":null}\n", NULL},
    {"\"\"", NULL},
    {"true", NULL},
    {"false", NULL},
    {"null", NULL},
    {"-0.0", NULL},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"", NULL},
    {"\"\xc3\xa9\xf0\x9f\x98\x80\"", NULL},
    {"{\"\":{\"\":1}}", NULL},
    {"", "byte 0: a value is expected"},
    {"   ", "byte 3: a value is expected"},
    {"nul", "byte 3: a value is expected"},
    {"nulL", "byte 3: a value is expected"},
    {"True", "byte 0: a value is expected"},
    {"{} {}", "byte 3: something stands behind the value"},
    {"1 2", "byte 2: something stands behind the value"},
    {"[1,]", "byte 3: a value is expected"},
    {"[1 2]", "byte 3: ',' or ']' is expected"},
    {"[", "byte 1: a value is expected"},
    {"[1", "byte 2: ',' or ']' is expected"},
    {"{", "byte 1: a string is expected"},
    {"{\"a\"", "byte 4: ':' is expected"},
    {"{\"a\":", "byte 5: a value is expected"},
    {"{\"a\":1", "byte 6: ',' or '}' is expected"},
    {"{\"a\":1,}", "byte 7: a string is expected"},
    {"{a:1}", "byte 1: a string is expected"},
    {"{'a':1}", "byte 1: a string is expected"},
    {"]", "byte 0: a value is expected"},
    {"01", "byte 1: something stands behind the value"},
    {"+1", "byte 0: a value is expected"},
    {"-", "byte 1: a digit is expected"},
    {"1.", "byte 2: a digit is expected"},
    {".5", "byte 0: a value is expected"},
    {"1e", "byte 2: a digit is expected"},
    {"1e+", "byte 3: a digit is expected"},
    {"0x10", "byte 1: something stands behind the value"},
    {"NaN", "byte 0: a value is expected"},
    {"Infinity", "byte 0: a value is expected"},
    {"1e999", "a number that is out of range"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "something stands"},
    {"1111111111111111111111111111111111111111111111111111111111111111", "number is too long"},
    {"\"a", "byte 2: the string does not end"},
    {"\"a\\", "byte 3: an unknown escape"},
    {"\"\\x41\"", "byte 2: an unknown escape"},
    {"\"\\u12g4\"", "byte 5: four hexadecimal digits"},
    {"\"\\u12", "byte 5: four hexadecimal digits"},
    {"\"\\u0000\"", "\\u0000 in a string is not supported"},
    {"{\"a\\u0000b\":1}", "\\u0000 in a string is not supported"},
    {"\"\\ud83d\"", "half a surrogate pair"},
    {"\"\\ud83dx\"", "half a surrogate pair"},
    {"\"\\ud83d\\u0041\"", "half a surrogate pair"},
    {"\"\\ude00\"", "half a surrogate pair"},
    {"\"a\nb\"", "byte 2: a control character"},
    {"\"a\x01\"", "byte 2: a control character"},
    {"[1,\"a\xff\"]", "byte 3: a string that is not UTF-8"},
    {"\"\xc0\xaf\"", "not UTF-8"},
    {"\"\xed\xa0\x80\"", "not UTF-8"},
    {"\xef\xbb\xbf{}", "byte 0: a value is expected"},
    {"// x\n1", "byte 0: a value is expected"},
    {"<html>", "byte 0: a value is expected"},
    {"{\"a\":1,\"b\":2,\"a\":3}", "two members named \"a\""},
    {"[{\"x\":{\"k\":1,\"\\u006b\":1}}]", "two members named \"k\""},
};

START_TEST(syntax_case)
{
    const char *text = syntax[_i].text;
    struct json *const untouched = (struct json *)&untouched;
    struct json *json = untouched;
    struct error err = ERROR_INIT;
    int rc = json_parse(text, strlen(text), &json, &err);
    if (!syntax[_i].complaint) {
        ck_assert_msg(rc == 0, "%s: %s", text, err.msg);
        json_free(json);
        return;
    }
    ck_assert_msg(rc == -1, "%s was taken", text);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_msg(strstr(err.msg, syntax[_i].complaint), "%s: %s", text, err.msg);
    ck_assert_ptr_eq(json, untouched);
}
END_TEST

/* The text is what `len` says: nothing behind it is read, and a zero byte is no end. */
START_TEST(length_counts)
{
    struct error err = ERROR_INIT;
    struct json *json = NULL;
    ck_assert_int_eq(json_parse("12345", 2, &json, &err), 0);
    CLEANUP(json) struct json *number = json;
    struct strbuf out = STRBUF_INIT(100);
    json_print(number, &out);
    ck_assert_str_eq(out.buf, "12");
    strbuf_release(&out);
    ck_assert_int_eq(json_parse("1\0", 2, &json, &err), -1);
    ck_assert_int_eq(json_parse("\"a\0b\"", 5, &json, &err), -1);
    ck_assert_int_eq(json_parse("{}", 1, &json, &err), -1);
    char *exact = malloc(4); /* valgrind and the sanitizers see a read behind it */
    memcpy(exact, "[12]", 4);
    ck_assert_int_eq(json_parse(exact, 4, &json, &err), 0);
    json_free(json);
    memcpy(exact, "1234", 4);
    ck_assert_int_eq(json_parse(exact, 4, &json, &err), 0);
    json_free(json);
    free(exact);
}
END_TEST

static int parse_nested(size_t depth, char open, struct error *err)
{
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < depth; i++)
        strbuf_addstr(&text, open == '[' ? "[" : "{\"a\":");
    strbuf_addch(&text, '1');
    for (size_t i = 0; i < depth; i++)
        strbuf_addch(&text, open == '[' ? ']' : '}');
    struct json *json = NULL;
    int rc = json_parse(text.buf, text.len, &json, err);
    json_free(json);
    strbuf_release(&text);
    return rc;
}

START_TEST(depth_has_a_limit)
{
    char open = _i ? '{' : '[';
    struct error err = ERROR_INIT;
    ck_assert_int_eq(parse_nested(JSON_MAX_DEPTH, open, &err), 0);
    ck_assert_int_eq(parse_nested(JSON_MAX_DEPTH + 1, open, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
    ck_assert_int_eq(parse_nested(1000000, open, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
}
END_TEST

/* Side by side is not deep: the depth goes down again. */
START_TEST(wide_is_not_deep)
{
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, "[[]");
    for (int i = 0; i < 1000; i++)
        strbuf_addstr(&text, ",[{}]");
    strbuf_addch(&text, ']');
    CLEANUP(json) struct json *json = parse(text.buf);
    ck_assert_uint_eq(json_length(json), 1001);
    strbuf_release(&text);
}
END_TEST

/* ---- getters ---- */

static const char sample[] =
    "{\"s\":\"text\",\"i\":42,\"neg\":-7,\"half\":1.5,\"big\":9007199254740992,"
    "\"toobig\":9007199254740994,\"exp\":1e3,\"t\":true,\"f\":false,\"n\":null,"
    "\"o\":{\"s\":\"inner\",\"o\":{\"i\":3}},\"a\":[1,\"two\",{}],\"a.b\":\"dotted\",\"\":\"none\","
    "\"S\":\"upper\"}";

START_TEST(getters)
{
    CLEANUP(json) struct json *json = parse(sample);
    ck_assert_str_eq(json_get_string(json, "s"), "text");
    ck_assert_str_eq(json_get_string(json, "S"), "upper");
    ck_assert_str_eq(json_get_string(json, "o.s"), "inner");
    ck_assert_int_eq(json_get_int(json, "o.o.i", -1), 3);
    ck_assert_str_eq(json_get_string(json, ""), "none");
    ck_assert_ptr_null(json_get(json, "a.b"));
    ck_assert_str_eq(json_string(json_member(json, "a.b")), "dotted");
    ck_assert_ptr_null(json_get(json, "o."));
    ck_assert_ptr_null(json_get(json, "s.x"));
    ck_assert_ptr_null(json_get(json, "sx"));
    ck_assert_ptr_null(json_get_string(json, "i"));
    ck_assert_ptr_null(json_get_string(json, "n"));
    ck_assert_int_eq(json_get_int(json, "i", -1), 42);
    ck_assert_int_eq(json_get_int(json, "neg", -1), -7);
    ck_assert_int_eq(json_get_int(json, "exp", -1), 1000);
    ck_assert_int_eq(json_get_int(json, "half", -1), -1);
    ck_assert_int_eq(json_get_int(json, "s", -1), -1);
    ck_assert_int_eq(json_get_int(json, "t", -1), -1);
    ck_assert_int_eq(json_get_int(json, "big", -1), 9007199254740992);
    ck_assert_int_eq(json_get_int(json, "toobig", -1), -1);
    ck_assert(json_get_number(json, "half", 0) == 1.5);
    ck_assert(json_get_number(json, "nope", 0.25) == 0.25);
    ck_assert(json_get_bool(json, "t", false));
    ck_assert(!json_get_bool(json, "f", true));
    ck_assert(json_get_bool(json, "i", true));
    ck_assert(json_get_bool(json, "n", true));
}
END_TEST

START_TEST(nothing_is_not_there)
{
    ck_assert_int_eq(json_type(NULL), JSON_MISSING);
    ck_assert_ptr_null(json_get(NULL, "a.b"));
    ck_assert_ptr_null(json_get_string(NULL, "a"));
    ck_assert_int_eq(json_get_int(NULL, "a", 5), 5);
    ck_assert(json_get_bool(NULL, "a", true));
    ck_assert_ptr_null(json_string(NULL));
    ck_assert_ptr_null(json_name(NULL));
    ck_assert_uint_eq(json_length(NULL), 0);
    ck_assert_ptr_null(json_first(NULL));
    ck_assert_ptr_null(json_next(NULL));
    ck_assert_ptr_null(json_copy(NULL));
    json_free(NULL);
}
END_TEST

START_TEST(types_and_walking)
{
    static const enum json_type types[] = {JSON_STRING, JSON_NUMBER, JSON_NULL,
                                           JSON_BOOL,   JSON_ARRAY,  JSON_OBJECT};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    CLEANUP(json)
    struct json *json = parse("{\"a\":\"\",\"b\":0,\"c\":null,\"d\":true,\"e\":[],\"f\":{}}");
    size_t i = 0;
    JSON_EACH (child, json) {
        ck_assert_int_eq(json_type(child), types[i]);
        ck_assert_str_eq(json_name(child), names[i]);
        ck_assert_uint_eq(json_length(child), 0);
        i++;
    }
    ck_assert_uint_eq(i, 6);
    ck_assert_uint_eq(json_length(json), 6);
    CLEANUP(json) struct json *array = parse("[5,6]");
    ck_assert_ptr_null(json_name(json_first(array)));
    ck_assert_ptr_null(json_member(array, "x"));
}
END_TEST

START_TEST(needed_members)
{
    CLEANUP(json) struct json *json = parse("{\"a\":{\"b\":\"x\",\"c\":1}}");
    struct error err = ERROR_INIT;
    const char *text = "before";
    ck_assert_int_eq(json_need_string(json, "a.d", &text, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_str_eq(err.msg, "JSON without the member \"a.d\"");
    ck_assert_int_eq(json_need_string(json, "a.c", &text, &err), -1);
    ck_assert_str_eq(err.msg, "JSON whose member \"a.c\" is not a string");
    ck_assert_str_eq(text, "before");
    ck_assert_int_eq(json_need_string(json, "a.b", &text, &err), 0);
    ck_assert_str_eq(text, "x");
}
END_TEST

/* ---- comparing ---- */

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"{\"a\":1,\"b\":[1,2]}", "{ \"b\":[1, 2.0], \"a\":1 }", true},
    {"[1,2]", "[2,1]", false},
    {"[1]", "[1,1]", false},
    {"[]", "{}", false},
    {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
    {"{\"a\":1,\"b\":1}", "{\"a\":1}", false},
    {"{\"a\":1}", "{\"A\":1}", false},
    {"{\"a\":null}", "{\"b\":null}", false},
    {"true", "false", false},
    {"true", "true", true},
    {"null", "null", true},
    {"null", "0", false},
    {"\"1\"", "1", false},
    {"\"a\"", "\"\\u0061\"", true},
    {"\"a\"", "\"b\"", false},
    {"9007199254740991", "9007199254740992", false},
    {"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":2}]}", false},
};

START_TEST(equal_case)
{
    CLEANUP(json) struct json *a = parse(pairs[_i].a);
    CLEANUP(json) struct json *b = parse(pairs[_i].b);
    ck_assert(json_equal(a, b) == pairs[_i].equal);
    ck_assert(json_equal(b, a) == pairs[_i].equal);
    ck_assert(!json_equal(a, NULL));
    ck_assert(json_equal(NULL, NULL));
}
END_TEST

/* ---- printing ---- */

static const struct {
    const char *text;
    const char *printed; /* NULL: the same */
} prints[] = {
    {"{\"a\":[1,\"x\",true,false,null,{}],\"b\":[]}", NULL},
    {"1000000000000000", NULL},
    {"9007199254740992", NULL},
    {"-9007199254740992", NULL},
    {"1763903984000", NULL},
    {"0.1", NULL},
    {"0.3", NULL},
    {"3.141592653589793", NULL},
    {"1.0", "1"},
    {"-0", "0"},
    {"1e300", "1e+300"},
    {"1E-7", "1e-07"},
    {"\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"", NULL},
    {"\"\\/\\u0041\\u00e9\"", "\"/A\xc3\xa9\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\x7f\"", NULL},
    {"{\"k\\n\":1}", NULL},
};

START_TEST(print_case)
{
    CLEANUP(json) struct json *json = parse(prints[_i].text);
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    json_print(json, &out);
    ck_assert_str_eq(out.buf, prints[_i].printed ? prints[_i].printed : prints[_i].text);
    CLEANUP(json) struct json *again = parse(out.buf);
    ck_assert(json_equal(json, again));
}
END_TEST

START_TEST(print_pretty)
{
    CLEANUP(json) struct json *json = parse("{\"a\":[1,{\"b\":\"c\"}],\"d\":{},\"e\":[]}");
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    json_print_pretty(json, &out);
    ck_assert_str_eq(out.buf, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n"
                              "  \"d\": {},\n  \"e\": []\n}");
}
END_TEST

static const struct {
    const char *bytes;
    const char *printed;
} invalid[] = {
    {"a\xff"
     "b",
     "\"a\xef\xbf\xbd"
     "b\""},
    {"\xc3", "\"\xef\xbf\xbd\""},
    {"\xf0\x9f\x98", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xe2\x28\xa1", "\"\xef\xbf\xbd(\xef\xbf\xbd\""},
    {"\x80\xc3\xa9", "\"\xef\xbf\xbd\xc3\xa9\""},
};

START_TEST(print_invalid_utf8)
{
    CLEANUP(json) struct json *json = json_new_string(invalid[_i].bytes);
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    json_print(json, &out);
    ck_assert_str_eq(out.buf, invalid[_i].printed);
}
END_TEST

/* ---- building ---- */

START_TEST(building)
{
    CLEANUP(json) struct json *json = json_new_object();
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    json_put_string(json, "s", "a");
    json_put_string(json, "none", NULL);
    json_put_int(json, "i", 9007199254740991);
    json_put_number(json, "n", 0.5);
    json_put_number(json, "nan", 0.0 / 0.0);
    json_put_bool(json, "b", true);
    struct json *array = json_new_array();
    json_append_string(array, "x");
    json_append(array, json_new_object());
    json_append(array, NULL);
    json_put(json, "a", array);
    json_put(json, "gone", NULL);
    json_print(json, &out);
    ck_assert_str_eq(out.buf, "{\"s\":\"a\",\"i\":9007199254740991,\"n\":0.5,\"nan\":null,"
                              "\"b\":true,\"a\":[\"x\",{}]}");
}
END_TEST

START_TEST(put_replaces_in_place)
{
    CLEANUP(json) struct json *json = parse("{\"a\":1,\"A\":2,\"b\":3}");
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    json_put_string(json, "A", "two");
    json_put_int(json, json_name(json_first(json)), 9);
    json_put_bool(json, "b", false);
    json_print(json, &out);
    ck_assert_str_eq(out.buf, "{\"a\":9,\"A\":\"two\",\"b\":false}");
    ck_assert_uint_eq(json_length(json), 3);
}
END_TEST

START_TEST(copies_are_independent)
{
    CLEANUP(json) struct json *json = parse("{\"in\":{\"a\":[1]}}");
    CLEANUP(json) struct json *copy = json_copy(json_get(json, "in"));
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    ck_assert_ptr_null(json_name(copy));
    json_put_int(copy, "a", 2);
    json_put(copy, "again", json_copy(json));
    json_print(json, &out);
    json_print(copy, &out);
    ck_assert_str_eq(out.buf, "{\"in\":{\"a\":[1]}}{\"a\":2,\"again\":{\"in\":{\"a\":[1]}}}");
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tc = tcase_create("json");
    tcase_add_loop_test(tc, syntax_case, 0, sizeof syntax / sizeof *syntax);
    tcase_add_test(tc, length_counts);
    tcase_add_loop_test(tc, depth_has_a_limit, 0, 2);
    tcase_add_test(tc, wide_is_not_deep);
    tcase_add_test(tc, getters);
    tcase_add_test(tc, nothing_is_not_there);
    tcase_add_test(tc, types_and_walking);
    tcase_add_test(tc, needed_members);
    tcase_add_loop_test(tc, equal_case, 0, sizeof pairs / sizeof *pairs);
    tcase_add_loop_test(tc, print_case, 0, sizeof prints / sizeof *prints);
    tcase_add_test(tc, print_pretty);
    tcase_add_loop_test(tc, print_invalid_utf8, 0, sizeof invalid / sizeof *invalid);
    tcase_add_test(tc, building);
    tcase_add_test(tc, put_replaces_in_place);
    tcase_add_test(tc, copies_are_independent);
    suite_add_tcase(suite, tc);
    return suite;
}
