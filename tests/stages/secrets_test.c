#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "stages/secrets.h"

Suite *secrets_suite(void);

/* A line of health-headers, and what a log with its value shows of it. */
static const struct {
    const char *header, *text, *shown;
} headers[] = {
    {"X-Warm: true", "deployed=true", "deployed=true"},
    {"X-Warm: fifteen-bytes-1", "fifteen-bytes-1", "fifteen-bytes-1"},
    {"X-Warm: sixteen-bytes-16", "a sixteen-bytes-16 b", "a *** b"},
    {"X-Api-Key: s3cr", "s3cr", "***"},
    {"AUTHORIZATION: Bearer abcd", "Bearer abcd, abcd", "***, ***"},
    {"Proxy-Authorization:\tabcd", "abcd", "***"},
    {"cookie: id=1", "id=1", "***"},
    {"X-Token: abcd", "abcd", "***"},
    {"my-SECRET: abcd", "abcd", "***"},
    {"X-Password: abcd", "abcd", "***"},
    {"X-Session: abcd", "abcd", "***"},
    {"X-Hub-Signature-256: abcd", "abcd", "***"},
    {"Accept: application/json", "application/json", "application/json"},
    {"content-type: application/json; charset=utf-8", "application/json; charset=utf-8",
     "application/json; charset=utf-8"},
    {"Accept-Signature: abcd", "abcd", "***"},
};

static struct run run;
static struct inputs inputs;

static void set_up(void)
{
    run = (struct run){.inputs = &inputs};
    inputs = (struct inputs){.json = false};
    secrets_init(&run);
}

static void tear_down(void)
{
    secrets_release(&run);
    strvec_release(&inputs.health_headers);
}

START_TEST(of_headers_only_secrets_are_hidden)
{
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf evidence = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(redact) struct redact collected = REDACT_INIT;
    const char *text = headers[_i].text;
    strvec_push(&inputs.health_headers, headers[_i].header);
    secrets_collect(&run, &collected);
    redact_text(&collected, text, strlen(text), &evidence);
    ck_assert_str_eq(evidence.buf, headers[_i].shown);
    secrets_tell_inputs(&run, &inputs);
    redact_line(&run.known_secrets.redact, text, strlen(text), &shown);
    ck_assert_str_eq(shown.buf, headers[_i].shown);
}
END_TEST

Suite *secrets_suite(void)
{
    Suite *suite = suite_create("secrets");
    TCase *tests = tcase_create("secrets");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, of_headers_only_secrets_are_hidden, 0,
                        (int)(sizeof headers / sizeof *headers));
    suite_add_tcase(suite, tests);
    return suite;
}
