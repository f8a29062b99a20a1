#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/event.h"
#include "model/support_payloads.h"

Suite *event_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static const struct {
    const char *delivery;
    enum event_kind kind;
    const char *action, *commit, *message, *base_commit;
    bool from_fork;
} events[] = {
    {"push", EVENT_PUSH_BRANCH, NULL, SHA_HEAD, "Update the feature", NULL, false},
    {"push marked in the body", EVENT_PUSH_BRANCH, NULL, SHA_HEAD,
     "Update\n\nLonger text,\nwith [test-s3] in it.", NULL, false},
    {"push marked in a trailer", EVENT_PUSH_BRANCH, NULL, SHA_HEAD,
     "Grün ☃\r\n\r\nTests: x[test-S3]y\n", NULL, false},
    {"push without head commit", EVENT_PUSH_BRANCH, NULL, SHA_HEAD, NULL, NULL, false},
    {"push with an empty message", EVENT_PUSH_BRANCH, NULL, SHA_HEAD, NULL, NULL, false},
    {"push of a tag", EVENT_PUSH_TAG, NULL, SHA_HEAD, "Update the feature", NULL, false},
    {"push that deletes a branch", EVENT_PUSH_DELETE, NULL, SHA_BASE, NULL, NULL, false},
    {"push that deletes a tag", EVENT_PUSH_DELETE, NULL, SHA_BASE, NULL, NULL, false},
    {"push to zeros", EVENT_PUSH_DELETE, NULL, SHA_BASE, NULL, NULL, false},
    {"release published", EVENT_RELEASE, "published", SHA_HEAD, NULL, NULL, false},
    {"release edited", EVENT_RELEASE, "edited", SHA_HEAD, NULL, NULL, false},
    {"workflow_dispatch", EVENT_OTHER, NULL, SHA_HEAD, NULL, NULL, false},
    {"schedule", EVENT_OTHER, NULL, SHA_HEAD, NULL, NULL, false},
    {"schedule without payload", EVENT_OTHER, NULL, SHA_HEAD, NULL, NULL, false},
    {"repository_dispatch", EVENT_OTHER, "deploy", SHA_HEAD, NULL, NULL, false},
    {"issue_comment", EVENT_OTHER, "created", SHA_HEAD, NULL, NULL, false},
    {"workflow_run", EVENT_OTHER, "completed", SHA_BASE, NULL, NULL, false},
    {"workflow_run of a fork", EVENT_OTHER, "completed", SHA_BASE, NULL, NULL, true},
    {"merge_group", EVENT_MERGE_GROUP, "checks_requested", SHA_HEAD, "Merge #2 [test-s3]", NULL,
     false},
    {"pull_request", EVENT_PULL_REQUEST, "synchronize", SHA_HEAD, NULL, SHA_BASE, false},
    {"pull_request_review", EVENT_PULL_REQUEST, "submitted", SHA_HEAD, NULL, SHA_BASE, false},
    {"pull_request of a fork", EVENT_PULL_REQUEST, "synchronize", SHA_HEAD, NULL, SHA_BASE, true},
    {"pull_request of a deleted fork", EVENT_PULL_REQUEST, "synchronize", SHA_HEAD, NULL, SHA_BASE,
     true},
    {"pull_request_target", EVENT_PULL_REQUEST_TARGET, "synchronize", SHA_BASE, NULL, SHA_BASE,
     false},
    {"pull_request_target of a fork", EVENT_PULL_REQUEST_TARGET, "synchronize", SHA_BASE, NULL,
     SHA_BASE, true},
    {"pull_request_target at the head", EVENT_PULL_REQUEST_TARGET, "synchronize", SHA_BASE, NULL,
     SHA_BASE, true},
    {"nothing", EVENT_NONE, NULL, NULL, NULL, NULL, false},
};

START_TEST(reads_what_happened)
{
    CLEANUP(event) struct event event = deliver(events[_i].delivery);
    const struct delivery *delivery = find_delivery(events[_i].delivery);
    ck_assert_int_eq(event.kind, events[_i].kind);
    ck_assert_pstr_eq(event.name, delivery->event_name);
    ck_assert_pstr_eq(event.ref, delivery->ref);
    ck_assert_pstr_eq(event.action, events[_i].action);
    ck_assert_pstr_eq(event.commit, events[_i].commit);
    ck_assert_pstr_eq(event.message, events[_i].message);
    ck_assert_pstr_eq(event.base_commit, events[_i].base_commit);
    ck_assert_int_eq(event.from_fork, events[_i].from_fork);
}
END_TEST

#define PR(head, base) "{\"pull_request\":{\"head\":" head ",\"base\":" base "}}"

static const struct {
    const char *name, *payload, *message;
} bad[] = {
    {"push", "{", "event payload (the file that GITHUB_EVENT_PATH names): "},
    {"push", "{\"ref\":\"refs/heads/main\"", "event payload (the file that"},
    {"schedule", "not json", "event payload (the file that"},
    {"push", "[]", "event payload: not a JSON object"},
    {"push", "null", "event payload: not a JSON object"},
    {"push", "\"push\"", "event payload: not a JSON object"},
    {"push", NULL, "event payload: a push event has none (GITHUB_EVENT_PATH names it)"},
    {"push", " \n", "event payload: a push event has none"},
    {"push", "{}", "event payload: a push event without a ref"},
    {"push", "{\"ref\":\"\"}", "event payload: a push event without a ref"},
    {"push", "{\"ref\":7}", "event payload: a push event without a ref"},
    {"push", "{\"ref\":\"main\"}", "event payload: a push event whose ref is neither a branch"},
    {"release", NULL, "event payload: a release event has none"},
    {"release", "{\"release\":{}}", "event payload: a release event without an action or a"},
    {"release", "{\"action\":\"published\"}", "event payload: a release event without an action"},
    {"release", "{\"action\":1,\"release\":{}}",
     "event payload: a release event without an action"},
    {"pull_request", NULL, "event payload: a pull_request event has none"},
    {"pull_request", "{}", "event payload: a pull_request event without the commits"},
    {"pull_request", "{\"pull_request\":[]}", "event payload: a pull_request event without the"},
    {"pull_request", PR("{}", "{\"sha\":\"x\"}"), "event payload: a pull_request event without"},
    {"pull_request", PR("{\"sha\":\"x\"}", "null"), "event payload: a pull_request event without"},
    {"pull_request_review", NULL, "event payload: a pull_request_review event has none"},
    {"pull_request_review_comment", NULL, "event payload: a pull_request_review_comment event has"},
    {"pull_request_target", NULL, "event payload: a pull_request_target event has none"},
    {"pull_request_target", "{}", "event payload: a pull_request_target event without the commits"},
    {"merge_group", NULL, "event payload: a merge_group event has none"},
    {"merge_group", "{\"merge_group\":7}", "event payload: a merge_group event without a"},
    {"workflow_run", NULL, "event payload: a workflow_run event has none"},
    {"workflow_run", "{}", "event payload: a workflow_run event without a workflow_run"},
    {NULL, "{}", "event payload: given (GITHUB_EVENT_PATH), but GITHUB_EVENT_NAME is not set"},
    {"", "{}", "event payload: given (GITHUB_EVENT_PATH), but GITHUB_EVENT_NAME is not set"},
};

START_TEST(refuses_what_contradicts_itself)
{
    struct event event;
    struct error err = ERROR_INIT;
    const char *payload = bad[_i].payload;
    int rc = event_parse(bad[_i].name, "refs/heads/main", SHA_HEAD, payload,
                         payload ? strlen(payload) : 0, &event, &err);
    if (rc == 0)
        event_release(&event);
    ck_assert_msg(rc == -1, "%s %s", bad[_i].name, payload);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_msg(text_starts_with(err.msg, bad[_i].message), "%s", err.msg);
}
END_TEST

/* Whose code it is: only the same full name is the same repository. */
static const struct {
    const char *head_repo, *base_repo;
    bool from_fork;
} repositories[] = {
    {"{\"full_name\":\"acme/app\"}", "{\"full_name\":\"acme/app\"}", false},
    {"{\"full_name\":\"Acme/App\"}", "{\"full_name\":\"acme/app\"}", false},
    {"{\"full_name\":\"acme/app2\"}", "{\"full_name\":\"acme/app\"}", true},
    {"{\"full_name\":\"mallory/app\"}", "{\"full_name\":\"acme/app\"}", true},
    {"{\"full_name\":\"\"}", "{\"full_name\":\"\"}", true},
    {"{}", "{}", true},
    {"null", "null", true},
    {"null", "{\"full_name\":\"acme/app\"}", true},
    {"{\"full_name\":\"acme/app\"}", "null", true},
    {"{\"full_name\":7}", "{\"full_name\":7}", true},
};

START_TEST(tells_forks)
{
    CLEANUP(strbuf) struct strbuf payload = STRBUF_INIT(1000);
    strbuf_addf(&payload,
                "{\"pull_request\":{\"head\":{\"sha\":\"a\",\"repo\":%s},\"base\":{\"sha\":\"b\","
                "\"repo\":%s}}}",
                repositories[_i].head_repo, repositories[_i].base_repo);
    CLEANUP(event) struct event event;
    ck_assert_int_eq(event_parse("pull_request", "r", "s", payload.buf, payload.len, &event, NULL),
                     0);
    ck_assert_int_eq(event.from_fork, repositories[_i].from_fork);
}
END_TEST

START_TEST(large_and_hostile_payloads)
{
    CLEANUP(strbuf) struct strbuf payload = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&payload, "{\"ref\":\"refs/heads/main\",\"head_commit\":{\"message\":\"");
    for (int i = 0; i < 1 << 20; i++)
        strbuf_addstr(&payload, "☃");
    strbuf_addstr(&payload, "::error::x\\u202e\\u001b[31m\"}}");
    CLEANUP(event) struct event event;
    ck_assert_int_eq(event_parse("push", "r", "s", payload.buf, payload.len, &event, NULL), 0);
    ck_assert(text_ends_with(event.message, "☃::error::x\u202e\x1b[31m"));
    ck_assert_uint_gt(strlen(event.message), 3 << 20);

    strbuf_reset(&payload);
    for (int i = 0; i < 100000; i++)
        strbuf_addstr(&payload, "{\"a\":");
    struct event none;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(event_parse("push", "r", "s", payload.buf, payload.len, &none, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(empty_variables_are_none)
{
    CLEANUP(event) struct event event;
    ck_assert_int_eq(event_parse("", "", "", "", 0, &event, NULL), 0);
    ck_assert_int_eq(event.kind, EVENT_NONE);
    ck_assert(!event.name && !event.ref && !event.commit);
    event_release(NULL);
}
END_TEST

Suite *event_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, reads_what_happened, 0, COUNT(events));
    tcase_add_loop_test(tcase, refuses_what_contradicts_itself, 0, COUNT(bad));
    tcase_add_loop_test(tcase, tells_forks, 0, COUNT(repositories));
    tcase_add_test(tcase, large_and_hostile_payloads);
    tcase_add_test(tcase, empty_variables_are_none);
    suite_add_tcase(suite, tcase);
    return suite;
}
