#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "services/xml.h"

Suite *xml_suite(void);

static const struct {
    const char *xml, *element;
    const char *text; /* NULL: not there */
} texts[] = {
    {"<A><Code>X</Code></A>", "Code", "X"},
    {"<?xml version=\"1.0\"?>\n<A xmlns=\"u\">\n <Code>\n X y\n </Code></A>", "Code", "X y"},
    {"<n:A><n:Code a='1'>X</n:Code></n:A>", "Code", "X"},
    {"<A><Codes>no</Codes><Cod>no</Cod><Code>yes</Code><Code>later</Code></A>", "Code", "yes"},
    {"<A><Code/></A>", "Code", ""},
    {"<A><Code></Code></A>", "Code", ""},
    {"<A><Code>a&lt;b&gt;c&amp;d&quot;e&apos;f</Code></A>", "Code", "a<b>c&d\"e'f"},
    {"<A><Code>&#65;&#x42;&#x20ac;&#128512;&#xe9;</Code></A>", "Code",
     "AB\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9"},
    {"<A><Code>&amp;lt;</Code></A>", "Code", "&lt;"},
    {"<A><Code>&nbsp; &; &#; &#x; &#xZZ; &#12a; & &#0; &#xD800; &#x110000;</Code></A>", "Code",
     "&nbsp; &; &#; &#x; &#xZZ; &#12a; & &#0; &#xD800; &#x110000;"},
    {"<A><Code>a<b>c</b></Code></A>", "Code", "a"},
    {"<A></Code><Code>X</Code></A>", "Code", "X"},
    {"<A><Code>cut", "Code", NULL},
    {"<A><Code>", "Code", NULL},
    {"<A><Code", "Code", NULL},
    {"<", "Code", NULL},
    {"<>", "Code", NULL},
    {"</>", "Code", NULL},
    {"", "Code", NULL},
    {"Code", "Code", NULL},
    {"<A><code>X</code></A>", "Code", NULL},
};

START_TEST(finds_the_text_of_an_element)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    /* in memory of exactly its size, so that a byte read behind it is noticed */
    CLEANUP_FREE char *exact = memory_new(strlen(texts[_i].xml));
    memcpy(exact, texts[_i].xml, strlen(texts[_i].xml));
    bool found = xml_add_text(exact, strlen(texts[_i].xml), texts[_i].element, &out);
    ck_assert_msg(found == (texts[_i].text != NULL), "%s", texts[_i].xml);
    ck_assert_str_eq(out.buf, found ? texts[_i].text : "");
}
END_TEST

START_TEST(never_reads_behind_the_end)
{
    static const char xml[] = "<n:A b='c'><!-- x --><Code>&#x20ac;&lt;</Code><d/></n:A>";
    for (size_t len = 0; len < sizeof xml - 1; len++) {
        CLEANUP_FREE char *exact = memory_new(len);
        CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
        memcpy(exact, xml, len);
        bool whole = len >= strlen("<n:A b='c'><!-- x --><Code>&#x20ac;&lt;<");
        ck_assert_int_eq(xml_add_text(exact, len, "Code", &out), whole);
        xml_add_root(exact, len, &out);
    }
}
END_TEST

START_TEST(finds_the_outermost_element)
{
    static const struct {
        const char *xml, *root;
    } cases[] = {
        {"<AccessDeniedException>\n  <Message>x</Message></AccessDeniedException>",
         "AccessDeniedException"},
        {"<?xml version='1.0'?><!DOCTYPE html><html lang=en>", "html"},
        {"<x:y/>", "y"},
        {"text", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
        bool found = xml_add_root(cases[i].xml, strlen(cases[i].xml), &out);
        ck_assert_int_eq(found, cases[i].root[0] != '\0');
        ck_assert_str_eq(out.buf, cases[i].root);
    }
}
END_TEST

Suite *xml_suite(void)
{
    Suite *suite = suite_create("xml");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, finds_the_text_of_an_element, 0, sizeof texts / sizeof *texts);
    tcase_add_test(tcase, never_reads_behind_the_end);
    tcase_add_test(tcase, finds_the_outermost_element);
    suite_add_tcase(suite, tcase);
    return suite;
}
