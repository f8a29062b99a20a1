/* Which steps are remembered as cached, and which one is told to be lost. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "model/cached_steps.h"

Suite *cached_steps_suite(void);

#define STEP(text, is_cached)                                                                      \
    {                                                                                              \
        .name = (char *)(text), .cached = (is_cached)                                              \
    }
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name;
    int number;
} names[] = {
    {"[2/5] COPY a /a", 2},
    {"[build 13/20] RUN make", 13},
    {"[stage-1 1/4] FROM base", 1},
    {"[linux/amd64 build 2/3] RUN x", 2},
    {"[internal] load context", 0},
    {"[auth] sharing credentials", 0},
    {"exporting to image", 0},
    {"", 0},
    {"[", 0},
    {"[]", 0},
    {"[7] RUN x", 0},
    {"[2/5]", 0},
    {"[2/5]COPY", 0},
    {"pushing [2/5] x", 0},
};

START_TEST(numbers)
{
    ck_assert_int_eq(cached_steps_number(names[_i].name), names[_i].number);
}
END_TEST

static const struct build_step_result before[] = {
    STEP("[build 1/3] FROM gcc", true),  STEP("[build 2/3] COPY a /a", true),
    STEP("[build 3/3] RUN make", false), STEP("[stage-1 2/2] COPY a /a", false),
    STEP("exporting to image", true),
};

static const struct {
    const char *what;
    struct build_step_result steps[3];
    int lost; /* index, -1: none */
} builds[] = {
    {"all cached", {STEP("[build 2/3] COPY a /a", true), STEP("[build 3/3] RUN make", true)}, -1},
    {"lost", {STEP("[build 3/3] RUN make", false), STEP("[build 2/3] COPY a /a", false)}, 1},
    {"another number", {STEP("[build 5/7] COPY a /a", false)}, 0},
    {"another stage", {STEP("[stage-1 2/3] COPY a /a", false)}, -1},
    {"another instruction", {STEP("[build 2/3] COPY b /a", false)}, -1},
    {"was not cached before", {STEP("[build 3/3] RUN make", false)}, -1},
    {"FROM is no step", {STEP("[build 1/3] FROM gcc", false)}, -1},
    {"not of the Dockerfile", {STEP("exporting to image", false)}, -1},
};

START_TEST(lost_steps)
{
    char text[CACHED_STEPS_SIZE];
    cached_steps_format(before, COUNT(before), text);
    ck_assert_uint_eq(strlen(text), 4);
    size_t count = 0;
    while (count < COUNT(builds[_i].steps) && builds[_i].steps[count].name)
        count++;
    const struct build_step_result *expected =
        builds[_i].lost < 0 ? NULL : &builds[_i].steps[builds[_i].lost];
    ck_assert_ptr_eq(cached_steps_lost(text, builds[_i].steps, count), expected);
    ck_assert_ptr_null(cached_steps_lost(NULL, builds[_i].steps, count));
    ck_assert_ptr_null(cached_steps_lost("-", builds[_i].steps, count));
    ck_assert_ptr_null(cached_steps_lost("", builds[_i].steps, count));
}
END_TEST

START_TEST(sizes)
{
    char name[100][32], text[CACHED_STEPS_SIZE];
    struct build_step_result steps[100];
    for (int i = 0; i < 100; i++) {
        snprintf(name[i], sizeof name[i], "[%d/100] RUN %d", i + 1, i);
        steps[i] = (struct build_step_result){.name = name[i], .cached = true};
    }
    cached_steps_format(steps, 100, text);
    ck_assert_uint_eq(strlen(text), 256);
    ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 256);
    cached_steps_format(steps, 0, text);
    ck_assert_str_eq(text, "-");
    steps[63].cached = false;
    cached_steps_format(steps, 63, text);
    ck_assert_uint_eq(strlen(text), 252);
}
END_TEST

Suite *cached_steps_suite(void)
{
    Suite *suite = suite_create("cached_steps");
    TCase *tcase = tcase_create("steps");
    tcase_add_loop_test(tcase, numbers, 0, COUNT(names));
    tcase_add_loop_test(tcase, lost_steps, 0, COUNT(builds));
    tcase_add_test(tcase, sizes);
    suite_add_tcase(suite, tcase);
    return suite;
}
