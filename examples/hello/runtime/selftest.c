/*
 * selftest.c: what the base image proves once, when it is built: the JSON reader is right on a
 * table of texts, and stays within the text on a great many damaged ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

static const struct {
    const char *text, *path, *value; /* value NULL: not found */
} cases[] = {
    {"{\"a\":1}", "a", "1"},
    {" { \"a\" : { \"b\" : [1,{\"c\":2}] } } ", "a.b", "[1,{\"c\":2}]"},
    {"{\"x\":\"}\\\"{\",\"a\":\"y\"}", "a", "\"y\""},
    {"{\"a\":{\"b\":null},\"b\":true}", "b", "true"},
    {"{\"a\":{\"b\":null}}", "b", NULL},
    {"{\"a\":1", "b", NULL},
    {"{\"a\":", "a", NULL},
    {"[1]", "a", NULL},
    {"{}", "a", NULL},
    {"", "a", NULL},
};

static int check_table(void)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *value;
        size_t len;
        bool found = json_find(cases[i].text, strlen(cases[i].text), cases[i].path, &value, &len);
        bool right = cases[i].value == NULL ? !found
                                            : found && len == strlen(cases[i].value) &&
                                                  memcmp(value, cases[i].value, len) == 0;
        if (!right) {
            fprintf(stderr, "selftest: wrong answer for %s in %s\n", cases[i].path, cases[i].text);
            bad = 1;
        }
    }
    return bad;
}

/* Damage a real event byte by byte and read it: no answer may lie outside of the text. */
static int check_damaged(unsigned long rounds)
{
    static const char event[] =
        "{\"version\":\"2.0\",\"rawPath\":\"/health\",\"headers\":{\"x\":\"\\u0041\\n\"},"
        "\"requestContext\":{\"accountId\":\"1\",\"http\":{\"method\":\"GET\",\"path\":\"/\"}},"
        "\"list\":[1,2,[3,{\"deep\":false}]],\"body\":null}";
    char damaged[sizeof event], out[64];
    unsigned seed = 1;
    unsigned long found = 0;
    for (unsigned long round = 0; round < rounds; round++) {
        memcpy(damaged, event, sizeof event);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            damaged[(seed >> 8) % (sizeof event - 1)] = (char)(seed >> 24);
        }
        size_t size = sizeof event - 1 - (seed >> 16) % 32, len;
        const char *value;
        if (!json_find(damaged, size, "requestContext.http.method", &value, &len)) {
            continue;
        }
        found++;
        if (value < damaged || len > size || value + len > damaged + size) {
            fprintf(stderr, "selftest: round %lu left the text\n", round);
            return 1;
        }
        if (json_text(value, len, out, sizeof out) && strlen(out) >= sizeof out) {
            return 1;
        }
    }
    printf("selftest: %lu damaged events read, %lu with an answer\n", rounds, found);
    return found == 0;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    return check_table() + check_damaged(rounds);
}
