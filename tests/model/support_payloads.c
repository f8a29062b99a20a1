#include "model/support_payloads.h"

#include <check.h>
#include <string.h>

/* The formatter does not come to rest on these macros. */
/* clang-format off */

#define ZEROS "0000000000000000000000000000000000000000"
#define USER(login)                                                                                \
    "{\"login\":\"" login "\",\"id\":21031067,\"node_id\":\"MDQ6VXNlcjIxMDMxMDY3\",\"type\":"      \
    "\"User\",\"site_admin\":false}"
#define REPOSITORY(owner, id, fork)                                                                \
    "{\"id\":" id ",\"name\":\"app\",\"full_name\":\"" owner                                       \
    "/app\",\"private\":true,\"fork\":" fork                                                       \
    ",\"owner\":" USER(owner) ",\"html_url\":\"https://github.com/" owner                          \
                              "/app\",\"default_branch\":\"main\"}"
#define OURS   REPOSITORY("acme", "186853002", "false")
#define THEIRS REPOSITORY("mallory", "777777777", "true")

/* What nearly every payload ends with. */
#define TAIL                                                                                       \
    ",\"repository\":" OURS                                                                        \
    ",\"organization\":{\"login\":\"acme\",\"id\":38302899},\"sender\":" USER("octo") "}"

#define COMMIT(message)                                                                            \
    "{\"id\":\"" SHA_HEAD "\",\"tree_id\":\"" SHA_OTHER                                            \
    "\",\"distinct\":true,\"message\":\"" message                                                  \
    "\",\"timestamp\":\"2026-11-20T09:12:33+01:00\",\"url\":\"https://github.com/acme/app/"        \
    "commit/" SHA_HEAD                                                                             \
    "\",\"author\":{\"name\":\"Octo\",\"email\":\"octo@acme.example\"},\"committer\":"             \
    "{\"name\":\"GitHub\",\"email\":\"noreply@github.com\"}}"

#define PUSH(ref, after, deleted, commits, head)                                                   \
    "{\"ref\":\"" ref "\",\"before\":\"" SHA_BASE "\",\"after\":\"" after                          \
    "\",\"pusher\":{\"name\":\"octo\",\"email\":\"octo@acme.example\"},\"created\":false,"         \
    "\"deleted\":" deleted                                                                         \
    ",\"forced\":false,\"base_ref\":null,\"compare\":\"https://github.com/acme/app/compare/x\","   \
    "\"commits\":[" commits "],\"head_commit\":" head TAIL
#define PUSH_BRANCH(message)                                                                       \
    PUSH("refs/heads/main", SHA_HEAD, "false", COMMIT(message), COMMIT(message))
#define PUSH_TAG(message) PUSH("refs/tags/v1.0.0", SHA_HEAD, "false", "", COMMIT(message))

#define RELEASE(action)                                                                            \
    "{\"action\":\"" action                                                                        \
    "\",\"release\":{\"id\":17372790,\"tag_name\":\"v1.0.0\",\"target_commitish\":\"main\","       \
    "\"name\":\"First [test-s3]\",\"draft\":false,\"prerelease\":false,\"author\":" USER(          \
        "octo") ",\"body\":\"notes\",\"assets\":[]}" TAIL

#define SIDE(ref, sha, repo)                                                                       \
    "{\"label\":\"x:" ref "\",\"ref\":\"" ref "\",\"sha\":\"" sha                                  \
    "\",\"user\":" USER("octo") ",\"repo\":" repo "}"
#define PULL_OF(action, head_repo)                                                                 \
    "{\"action\":\"" action "\",\"number\":2,\"pull_request\":{\"id\":279147437,\"number\":2,"     \
                            "\"state\":\"open\",\"title\":"                                        \
    "\"Update [test-s3]\",\"body\":\"please [test-s3]\",\"merge_commit_sha\":\"" SHA_MERGE         \
    "\",\"head\":" SIDE("changes", SHA_HEAD, head_repo) ",\"base\":" SIDE(                         \
        "main", SHA_BASE, OURS) ",\"draft\":false,\"merged\":false}" TAIL
#define PULL(head_repo) PULL_OF("synchronize", head_repo)

#define MERGE_GROUP                                                                                \
    "{\"action\":\"checks_requested\",\"merge_group\":{\"head_sha\":\"" SHA_HEAD                   \
    "\",\"head_ref\":\"refs/heads/gh-readonly-queue/main/pr-2\",\"base_ref\":\"refs/heads/main\"," \
    "\"base_sha\":\"" SHA_BASE "\",\"head_commit\":" COMMIT("Merge #2 [test-s3]") "}" TAIL

#define WORKFLOW_RUN(event, head_repository)                                                       \
    "{\"action\":\"completed\",\"workflow_run\":{\"id\":289782451,\"name\":\"CI\",\"event\":"      \
    "\"" event "\",\"head_branch\":\"main\",\"head_sha\":\"" SHA_HEAD                              \
    "\",\"conclusion\":\"success\",\"head_commit\":" COMMIT(                                       \
        "Change [test-s3]") ",\"head_repository\":" head_repository                                \
                            "},\"workflow\":{\"id\":1,\"name\":\"CI\"}" TAIL

#define MAIN   "refs/heads/main"
#define MERGED "refs/pull/2/merge"

/* clang-format on */

const struct delivery deliveries[] = {
    {"push", "push", MAIN, SHA_HEAD, PUSH_BRANCH("Update the feature")},
    {"push marked", "push", MAIN, SHA_HEAD, PUSH_BRANCH("Update [test-s3]")},
    {"push marked in capitals", "push", MAIN, SHA_HEAD, PUSH_BRANCH("Update [TEST-S3]")},
    {"push marked in mixed case", "push", MAIN, SHA_HEAD, PUSH_BRANCH("[Test-s3]Update")},
    {"push marked in the body", "push", MAIN, SHA_HEAD,
     PUSH_BRANCH("Update\\n\\nLonger text,\\nwith [test-s3] in it.")},
    {"push marked in a trailer", "push", MAIN, SHA_HEAD,
     PUSH_BRANCH("Gr\\u00fcn \\u2603\\r\\n\\r\\nTests: x[test-S3]y\\n")},
    {"push nearly marked", "push", MAIN, SHA_HEAD,
     PUSH_BRANCH("Update [test-s3 ] test-s3 [test s3]")},
    {"push marked in an older commit", "push", MAIN, SHA_HEAD,
     PUSH(MAIN, SHA_HEAD, "false", COMMIT("Old [test-s3]") "," COMMIT("New"), COMMIT("New"))},
    {"push without head commit", "push", MAIN, SHA_HEAD, PUSH(MAIN, SHA_HEAD, "false", "", "null")},
    {"push with an empty message", "push", MAIN, SHA_HEAD, PUSH_BRANCH("")},
    {"push of a tag", "push", "refs/tags/v1.0.0", SHA_HEAD, PUSH_TAG("Update the feature")},
    {"push of a marked tag", "push", "refs/tags/v1.0.0", SHA_HEAD, PUSH_TAG("x [test-s3]")},
    {"push that deletes a branch", "push", MAIN, SHA_BASE,
     PUSH("refs/heads/old", ZEROS, "true", "", "null")},
    {"push that deletes a tag", "push", MAIN, SHA_BASE,
     PUSH("refs/tags/v1.0.0", ZEROS, "true", "", "null")},
    {"push marked as deleted only", "push", MAIN, SHA_BASE,
     PUSH("refs/heads/old", SHA_OTHER, "true", "", "null")},
    {"push to zeros", "push", MAIN, SHA_BASE, PUSH("refs/heads/old", ZEROS, "false", "", "null")},
    {"release published", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("published")},
    {"release released", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("released")},
    {"release prereleased", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("prereleased")},
    {"release created", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("created")},
    {"release edited", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("edited")},
    {"release deleted", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("deleted")},
    {"release unpublished", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("unpublished")},
    {"release of a new kind", "release", "refs/tags/v1.0.0", SHA_HEAD, RELEASE("PUBLISHED")},
    {"workflow_dispatch", "workflow_dispatch", MAIN, SHA_HEAD,
     "{\"inputs\":{\"note\":\"[test-s3]\"},\"ref\":\"" MAIN
     "\",\"workflow\":\".github/workflows/deploy.yml\"" TAIL},
    {"schedule", "schedule", MAIN, SHA_HEAD, "{\"schedule\":\"30 5 * * 1\"}"},
    {"schedule without payload", "schedule", MAIN, SHA_HEAD, NULL},
    {"workflow_run", "workflow_run", MAIN, SHA_BASE, WORKFLOW_RUN("push", OURS)},
    {"workflow_run of a fork", "workflow_run", MAIN, SHA_BASE,
     WORKFLOW_RUN("pull_request", THEIRS)},
    {"repository_dispatch", "repository_dispatch", MAIN, SHA_HEAD,
     "{\"action\":\"deploy\",\"branch\":\"main\",\"client_payload\":{\"message\":\"[test-s3]"
     "\"}" TAIL},
    {"issue_comment", "issue_comment", MAIN, SHA_HEAD,
     "{\"action\":\"created\",\"comment\":{\"body\":\"[test-s3]\"},\"issue\":{\"number\":2,"
     "\"pull_request\":{\"url\":\"https://api.github.com/x\"}}" TAIL},
    {"merge_group", "merge_group", "refs/heads/gh-readonly-queue/main/pr-2", SHA_HEAD, MERGE_GROUP},
    {"pull_request", "pull_request", MERGED, SHA_MERGE, PULL(OURS)},
    {"pull_request closed", "pull_request", MERGED, SHA_MERGE, PULL_OF("closed", OURS)},
    {"pull_request_review", "pull_request_review", MERGED, SHA_MERGE, PULL_OF("submitted", OURS)},
    {"pull_request of a fork", "pull_request", MERGED, SHA_MERGE, PULL(THEIRS)},
    {"pull_request of a deleted fork", "pull_request", MERGED, SHA_MERGE, PULL("null")},
    {"pull_request_review of a fork", "pull_request_review", MERGED, SHA_MERGE,
     PULL_OF("submitted", THEIRS)},
    {"pull_request_target", "pull_request_target", MAIN, SHA_BASE, PULL(OURS)},
    {"pull_request_target of a fork", "pull_request_target", MAIN, SHA_BASE, PULL(THEIRS)},
    {"pull_request_target at the head", "pull_request_target", MAIN, SHA_HEAD, PULL(THEIRS)},
    {"nothing", NULL, NULL, NULL, NULL},
};
const int delivery_count = (int)(sizeof deliveries / sizeof *deliveries);

const struct delivery *find_delivery(const char *name)
{
    for (int i = 0; i < delivery_count; i++)
        if (strcmp(deliveries[i].name, name) == 0)
            return &deliveries[i];
    ck_abort_msg("no delivery is called %s", name);
    return NULL;
}

struct event deliver(const char *name)
{
    const struct delivery *delivery = find_delivery(name);
    struct event event;
    struct error err = ERROR_INIT;
    int rc = event_parse(delivery->event_name, delivery->ref, delivery->sha, delivery->payload,
                         delivery->payload ? strlen(delivery->payload) : 0, &event, &err);
    ck_assert_msg(rc == 0, "%s: %s", name, err.msg);
    return event;
}
