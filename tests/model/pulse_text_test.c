#include <check.h>

#include "core/cleanup.h"
#include "model/pulse_text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

Suite *pulse_text_suite(void);

static const struct {
    struct pulse_state state;
    const char *text;
} pulses[] = {
    {{.title = "Update the function", .so_far_ms = 10012}, "Update the function: 10.0 s so far"},
    {{.title = "Verify", .so_far_ms = 20000, .expected_ms = 6500},
     "Verify: 20.0 s so far, usually 6.5 s"},
    {{.title = "Base image", .so_far_ms = 70000, .steps_done = 4, .steps_all = 10},
     "Base image: 1 min 10 s so far; 4 of 10 steps done"},
    {{"Base image", 40000, 1477400, 9, 10, 12000000, 1941000000},
     "Base image: 40.0 s so far, usually 24 min 37 s; 9 of 10 steps done; 12 MB of 1.9 GB pushed"},
};

START_TEST(pulse_says_how_far)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(1000);
    pulse_add_text(&pulses[_i].state, &text);
    ck_assert_str_eq(text.buf, pulses[_i].text);
}
END_TEST

Suite *pulse_text_suite(void)
{
    Suite *suite = suite_create("pulse_text");
    TCase *cases = tcase_create("all");
    tcase_add_loop_test(cases, pulse_says_how_far, 0, COUNT(pulses));
    suite_add_tcase(suite, cases);
    return suite;
}
