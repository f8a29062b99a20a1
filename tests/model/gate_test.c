/*
 * The gate's whole table: every delivery × command × dry-run × storage-tests × allow-pull-request ×
 * storage-checks given or not. What is expected of a delivery is written once, by hand; how the
 * other inputs change it is worked out here in other words than in gate.c.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/gate.h"
#include "model/support_inputs.h"
#include "model/support_payloads.h"

Suite *gate_suite(void);

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

enum trust { ANY, BASE_ONLY }; /* which checkout the delivery may run in */

static const struct expected {
    const char *delivery;
    enum gate_action action;  /* of deploy, with allow-pull-request false */
    enum gate_action allowed; /* of deploy, with allow-pull-request true */
    bool asks;                /* for storage tests, under auto */
    bool is_fork_pull;        /* a plan needs no credentials */
    enum trust trust;
} table[] = {
    {"push", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"push marked", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push marked in capitals", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push marked in mixed case", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push marked in the body", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push marked in a trailer", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push nearly marked", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"push marked in an older commit", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"push without head commit", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"push with an empty message", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"push of a tag", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push of a marked tag", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"push that deletes a branch", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"push that deletes a tag", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"push marked as deleted only", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"push to zeros", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"release published", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"release released", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"release prereleased", GATE_DEPLOY, GATE_DEPLOY, true, false, ANY},
    {"release created", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"release edited", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"release deleted", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"release unpublished", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"release of a new kind", GATE_NOTHING, GATE_NOTHING, false, false, ANY},
    {"workflow_dispatch", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"schedule", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"schedule without payload", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"workflow_run", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"workflow_run of a fork", GATE_DEPLOY, GATE_DEPLOY, false, false, BASE_ONLY},
    {"repository_dispatch", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"issue_comment", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
    {"merge_group", GATE_PLAN, GATE_DEPLOY, false, false, ANY},
    {"pull_request", GATE_PLAN, GATE_DEPLOY, false, false, ANY},
    {"pull_request closed", GATE_PLAN, GATE_DEPLOY, false, false, ANY},
    {"pull_request_review", GATE_PLAN, GATE_DEPLOY, false, false, ANY},
    {"pull_request of a fork", GATE_NOTHING, GATE_NOTHING, false, true, ANY},
    {"pull_request of a deleted fork", GATE_NOTHING, GATE_NOTHING, false, true, ANY},
    {"pull_request_review of a fork", GATE_NOTHING, GATE_NOTHING, false, true, ANY},
    {"pull_request_target", GATE_DEPLOY, GATE_DEPLOY, false, false, BASE_ONLY},
    {"pull_request_target of a fork", GATE_DEPLOY, GATE_DEPLOY, false, false, BASE_ONLY},
    {"pull_request_target at the head", GATE_DEPLOY, GATE_DEPLOY, false, false, BASE_ONLY},
    {"nothing", GATE_DEPLOY, GATE_DEPLOY, false, false, ANY},
};

static const enum command commands[] = {COMMAND_DEPLOY, COMMAND_PLAN, COMMAND_BASE, COMMAND_STATUS,
                                        COMMAND_ROLLBACK};
static const char *const checkouts[] = {SHA_HEAD, SHA_BASE, SHA_MERGE, SHA_OTHER, "", NULL};

static enum gate_action expect_action(const struct expected *row, const struct inputs *inputs,
                                      const char *checkout)
{
    if (row->trust == BASE_ONLY && !text_equal(checkout, SHA_BASE))
        return GATE_REFUSE;
    switch (inputs->command) {
    case COMMAND_STATUS:
        return GATE_DEPLOY;
    case COMMAND_PLAN:
        return GATE_PLAN;
    default: /* deploy, base, rollback */
        if (inputs->dry_run)
            return GATE_PLAN;
        return inputs->allow_pull_request ? row->allowed : row->action;
    }
}

static bool expect_tests(const struct expected *row, const struct inputs *inputs,
                         enum gate_action action)
{
    bool deploys = inputs->command == COMMAND_DEPLOY && action == GATE_DEPLOY;
    bool wanted =
        inputs->storage_tests == WHEN_ALWAYS || (inputs->storage_tests == WHEN_AUTO && row->asks);
    return deploys && wanted && inputs->storage_checks;
}

static void check_one(const struct expected *row, const struct inputs *inputs,
                      const struct event *event, const char *checkout)
{
    struct gate gate = gate_decide(inputs, event, checkout);
    enum gate_action action = expect_action(row, inputs, checkout);
    bool looks =
        inputs->command == COMMAND_PLAN || inputs->command == COMMAND_STATUS || inputs->dry_run;
#define SEEN "%s, command %d, dry %d, storage %d, checks %d, allow %d, at %s: %s; %s"
#define SEEN_ARGUMENTS                                                                             \
    row->delivery, inputs->command, inputs->dry_run, inputs->storage_tests,                        \
        inputs->storage_checks != NULL, inputs->allow_pull_request, checkout ? checkout : "?",     \
        gate.reason, gate.storage_reason
    ck_assert_msg(gate.action == action, SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(gate.storage_tests == expect_tests(row, inputs, action), SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(gate.credentials_optional == (row->is_fork_pull && looks), SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(gate.reason[0] && gate.storage_reason[0], SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(strlen(gate.reason) < sizeof gate.reason - 1, SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(strlen(gate.storage_reason) < sizeof gate.storage_reason - 1, SEEN,
                  SEEN_ARGUMENTS);
    bool forgives = gate.credentials_optional;
    bool tests = gate.storage_tests;
    gate_forgive_inputs(&gate);
    ck_assert_msg(gate.action == (forgives ? GATE_NOTHING : action), SEEN, SEEN_ARGUMENTS);
    ck_assert_msg(gate.storage_tests == (tests && !forgives), SEEN, SEEN_ARGUMENTS);
    ck_assert_msg((strstr(gate.reason, "gets no secrets") != NULL) == forgives, SEEN,
                  SEEN_ARGUMENTS);
}

START_TEST(every_case_of_a_delivery)
{
    const struct expected *row = &table[_i];
    CLEANUP(event) struct event event = deliver(row->delivery);
    CLEANUP(inputs)
    struct inputs given = INPUTS("--health-url=https://x", "--storage-checks=GET / -> 200");
    struct inputs inputs = given; /* strings are borrowed from `given` */
    for (int bits = 0; bits < 8; bits++)
        for (int command = 0; command < COUNT(commands); command++)
            for (int when = WHEN_AUTO; when <= WHEN_NEVER; when++)
                for (int checkout = 0; checkout < COUNT(checkouts); checkout++) {
                    inputs.dry_run = bits & 1;
                    inputs.allow_pull_request = bits & 2;
                    inputs.storage_checks = bits & 4 ? given.storage_checks : NULL;
                    inputs.command = commands[command];
                    inputs.storage_tests = (enum when)when;
                    check_one(row, &inputs, &event, checkouts[checkout]);
                }
}
END_TEST

START_TEST(no_delivery_is_left_out)
{
    ck_assert_int_eq(COUNT(table), delivery_count);
    for (int i = 0; i < delivery_count; i++)
        ck_assert_str_eq(table[i].delivery, deliveries[i].name);
}
END_TEST

/* ---- the words ---- */

static const struct {
    const char *delivery, *argument, *checkout;
    const char *reason, *storage_reason; /* NULL: not looked at */
} words[] = {
    {"push", "deploy", NULL, "a push to a branch asks for it",
     "the message of the head commit does not hold [test-s3]"},
    {"push marked", "deploy", NULL, NULL, "the message of the head commit holds [test-s3]"},
    {"push without head commit", "deploy", NULL, NULL, "no message of the head commit is known"},
    {"push of a tag", "deploy", NULL, "a push of a tag asks for it", "a tag was pushed"},
    {"push of a tag", "--storage-tests=never", NULL, NULL, "storage-tests is never"},
    {"push", "--storage-tests=always", NULL, NULL, "storage-tests is always"},
    {"push", "--storage-marker=feature", NULL, NULL,
     "the message of the head commit holds feature"},
    {"push", "base", NULL, NULL, "storage tests are a part of deploy, not of base"},
    {"push", "rollback", NULL, NULL, "storage tests are a part of deploy, not of rollback"},
    {"push", "status", NULL, "status changes nothing, so any event may ask for it",
     "storage tests are a part of deploy, not of status"},
    {"push", "plan", NULL, "the command is plan", "a plan runs no tests"},
    {"push", "--dry-run=true", NULL, "dry-run is true", "a plan runs no tests"},
    {"push that deletes a branch", "rollback", NULL,
     "the push deleted a branch or tag: there is nothing to rollback",
     "nothing is done, so nothing is tested"},
    {"release published", "deploy", NULL, "a release was published", "a release was published"},
    {"release edited", "deploy", NULL,
     "a release was edited: only published, released and prereleased ask for anything",
     "nothing is done, so nothing is tested"},
    {"release of a new kind", "deploy", NULL,
     "a release was changed: only published, released and prereleased ask for anything", NULL},
    {"workflow_dispatch", "deploy", NULL, "a workflow_dispatch event asks for it",
     "a workflow_dispatch event does not ask for them"},
    {"pull_request", "deploy", NULL,
     "a pull request gets a plan only, unless allow-pull-request is true", "a plan runs no tests"},
    {"pull_request", "--allow-pull-request=true", NULL,
     "allow-pull-request lets a pull request do it",
     "on a pull request or merge group the message is an outsider's text"},
    {"merge_group", "deploy", NULL,
     "a merge group gets a plan only, unless allow-pull-request is true", NULL},
    {"pull_request of a fork", "--allow-pull-request=true", NULL,
     "a pull request from a fork asks for nothing, whatever is allowed (only an explicit plan "
     "runs)",
     "nothing is done, so nothing is tested"},
    {"pull_request_target of a fork", "deploy", SHA_HEAD,
     "a pull_request_target runs only in a checkout of the base's commit, and another one is "
     "checked out; use actions/checkout without ref",
     "nothing is done, so nothing is tested"},
    {"pull_request_target of a fork", "deploy", NULL,
     "a pull_request_target runs only in a checkout of the base's commit, and the commit of this "
     "working tree is not known; use actions/checkout without ref",
     NULL},
    {"pull_request_target of a fork", "deploy", SHA_BASE,
     "a pull_request_target event in a checkout of the base's commit asks for it", NULL},
    {"workflow_run of a fork", "deploy", SHA_HEAD,
     "a workflow_run that a fork caused runs only in a checkout of the default branch's commit, "
     "and another one is checked out; use actions/checkout without ref",
     NULL},
    {"nothing", "deploy", NULL, "there is no event: it was asked for directly",
     "no message of the last commit is known"},
};

START_TEST(says_why)
{
    CLEANUP(event) struct event event = deliver(words[_i].delivery);
    CLEANUP(inputs)
    struct inputs inputs =
        INPUTS(words[_i].argument, "--health-url=https://x", "--storage-checks=GET / -> 200");
    struct gate gate = gate_decide(&inputs, &event, words[_i].checkout);
    if (words[_i].reason)
        ck_assert_str_eq(gate.reason, words[_i].reason);
    if (words[_i].storage_reason)
        ck_assert_str_eq(gate.storage_reason, words[_i].storage_reason);
}
END_TEST

START_TEST(says_when_there_are_no_storage_checks)
{
    CLEANUP(inputs) struct inputs inputs = INPUTS("deploy");
    CLEANUP(event) struct event tag = deliver("push of a tag");
    struct gate gate = gate_decide(&inputs, &tag, NULL);
    ck_assert(!gate.storage_tests);
    ck_assert_str_eq(gate.storage_reason,
                     "a tag was pushed, but there are none: storage-checks is not given");
    CLEANUP(event) struct event push = deliver("push");
    gate = gate_decide(&inputs, &push, NULL);
    ck_assert_str_eq(gate.storage_reason, "the message of the head commit does not hold [test-s3]");
}
END_TEST

/* Without a payload the marker is looked for in what app.c found by git. */
START_TEST(last_commit_where_there_is_no_event)
{
    CLEANUP(inputs)
    struct inputs inputs = INPUTS("--health-url=https://x", "--storage-checks=GET / -> 200");
    CLEANUP(event) struct event event = deliver("nothing");
    event.message = memory_copy_string("Fix\n\n[Test-S3]\n");
    struct gate gate = gate_decide(&inputs, &event, NULL);
    ck_assert(gate.storage_tests);
    ck_assert_str_eq(gate.storage_reason, "the message of the last commit holds [test-s3]");
}
END_TEST

/* Nothing of what strangers wrote gets into a reason, and a long marker is cut at a character. */
START_TEST(quotes_no_strangers_and_no_novels)
{
    CLEANUP(strbuf) struct strbuf marker = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&marker, "--storage-marker=x");
    for (int i = 0; i < 300000; i++)
        strbuf_addstr(&marker, "☃");
    CLEANUP(inputs) struct inputs inputs = INPUTS(marker.buf);
    CLEANUP(event) struct event push = deliver("push");
    struct gate gate = gate_decide(&inputs, &push, NULL);
    ck_assert(text_is_utf8(gate.storage_reason, strlen(gate.storage_reason)));
    ck_assert(text_ends_with(gate.storage_reason, "☃…"));
    ck_assert_uint_lt(strlen(gate.storage_reason), 140);

    static const char payload[] = "{\"action\":\"::error::pwned\",\"release\":{}}";
    CLEANUP(event) struct event release;
    ck_assert_int_eq(event_parse("release", "r", "s", payload, sizeof payload - 1, &release, NULL),
                     0);
    gate = gate_decide(&inputs, &release, NULL);
    ck_assert(!strstr(gate.reason, "pwned") && !strstr(gate.storage_reason, "pwned"));

    CLEANUP(event) struct event odd;
    ck_assert_int_eq(event_parse("x\n::error::pwned", "r", "s", "{}", 2, &odd, NULL), 0);
    gate = gate_decide(&inputs, &odd, NULL);
    ck_assert(!strstr(gate.reason, "pwned") && !strstr(gate.storage_reason, "pwned"));
}
END_TEST

Suite *gate_suite(void)
{
    Suite *suite = suite_create("gate");
    TCase *tcase = tcase_create("gate");
    tcase_add_loop_test(tcase, every_case_of_a_delivery, 0, COUNT(table));
    tcase_add_test(tcase, no_delivery_is_left_out);
    tcase_add_loop_test(tcase, says_why, 0, COUNT(words));
    tcase_add_test(tcase, says_when_there_are_no_storage_checks);
    tcase_add_test(tcase, last_commit_where_there_is_no_event);
    tcase_add_test(tcase, quotes_no_strangers_and_no_novels);
    suite_add_tcase(suite, tcase);
    return suite;
}
