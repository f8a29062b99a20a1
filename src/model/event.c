#include "model/event.h"

#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"

#define BRANCH_PREFIX "refs/heads/"
#define TAG_PREFIX    "refs/tags/"

/* Text of an object's member, or NULL when it is missing, of another type, or empty. */
static char *copy_member(const struct json *payload, const char *path)
{
    const char *text = json_get_string(payload, path);
    return text && *text ? memory_copy_string(text) : NULL;
}

static int refuse(const struct event *event, const char *why, struct error *err)
{
    return error_set(err, ERROR_INPUT, "event payload: a %s event %s (GITHUB_EVENT_PATH names it)",
                     event->name, why);
}

static void replace(char **place, char *text)
{
    free(*place);
    *place = text;
}

/* octokit/webhooks, push: ref, deleted, after (zeros when deleted), head_commit (null then). The
 * ref is the payload's: on deletion GITHUB_REF is the default branch's. */
static int read_push(const struct json *payload, struct event *event, struct error *err)
{
    const char *ref = json_get_string(payload, "ref");
    if (text_is_empty(ref))
        return refuse(event, "without a ref", err);
    const char *after = json_get_string(payload, "after");
    bool is_zero = after && *after && strspn(after, "0") == strlen(after);
    if (json_get_bool(payload, "deleted", false) || is_zero)
        event->kind = EVENT_PUSH_DELETE;
    else if (text_starts_with(ref, TAG_PREFIX))
        event->kind = EVENT_PUSH_TAG;
    else if (text_starts_with(ref, BRANCH_PREFIX))
        event->kind = EVENT_PUSH_BRANCH;
    else
        return refuse(event, "whose ref is neither a branch nor a tag", err);
    event->message = copy_member(payload, "head_commit.message");
    return 0;
}

static int read_release(const struct json *payload, struct event *event, struct error *err)
{
    event->kind = EVENT_RELEASE;
    if (!event->action || json_type(json_get(payload, "release")) != JSON_OBJECT)
        return refuse(event, "without an action or a release", err);
    return 0;
}

/* A head repository that was deleted is null: nobody knows whose code it is. */
static bool is_fork(const struct json *head_repository, const struct json *base_repository)
{
    const char *head = json_get_string(head_repository, "full_name");
    const char *base = json_get_string(base_repository, "full_name");
    return !head || !base || !*head || !text_equal_ignore_case(head, base);
}

static int read_any_pull_request(const struct json *payload, struct event *event, struct error *err)
{
    const struct json *pull = json_get(payload, "pull_request");
    if (json_type(pull) != JSON_OBJECT || text_is_empty(json_get_string(pull, "head.sha")) ||
        text_is_empty(json_get_string(pull, "base.sha")))
        return refuse(event, "without the commits of its pull request", err);
    event->base_commit = copy_member(pull, "base.sha");
    event->from_fork = is_fork(json_get(pull, "head.repo"), json_get(pull, "base.repo"));
    return 0;
}

/* GITHUB_SHA is a merge commit that nobody made: the head is what people know. */
static int read_pull_request(const struct json *payload, struct event *event, struct error *err)
{
    event->kind = EVENT_PULL_REQUEST;
    if (read_any_pull_request(payload, event, err) < 0)
        return -1;
    replace(&event->commit, copy_member(payload, "pull_request.head.sha"));
    return 0;
}

/* GITHUB_SHA is a commit of the base repository; should it be the head's, it is not believed. */
static int read_pull_request_target(const struct json *payload, struct event *event,
                                    struct error *err)
{
    event->kind = EVENT_PULL_REQUEST_TARGET;
    if (read_any_pull_request(payload, event, err) < 0)
        return -1;
    const char *head = json_get_string(payload, "pull_request.head.sha");
    if (!event->commit || text_equal_ignore_case(event->commit, head))
        replace(&event->commit, memory_copy_string(event->base_commit));
    return 0;
}

static int read_merge_group(const struct json *payload, struct event *event, struct error *err)
{
    event->kind = EVENT_MERGE_GROUP;
    if (json_type(json_get(payload, "merge_group")) != JSON_OBJECT)
        return refuse(event, "without a merge_group", err);
    event->message = copy_member(payload, "merge_group.head_commit.message");
    return 0;
}

static int read_workflow_run(const struct json *payload, struct event *event, struct error *err)
{
    const struct json *run = json_get(payload, "workflow_run");
    if (json_type(run) != JSON_OBJECT)
        return refuse(event, "without a workflow_run", err);
    event->from_fork = is_fork(json_get(run, "head_repository"), json_get(payload, "repository"));
    return 0;
}

/* The events whose meaning is in their payload; every other one is EVENT_OTHER with or without. */
static const struct {
    const char *name;
    int (*read)(const struct json *payload, struct event *event, struct error *err);
} readers[] = {
    {"push", read_push},
    {"release", read_release},
    {"pull_request", read_pull_request},
    {"pull_request_review", read_pull_request},
    {"pull_request_review_comment", read_pull_request},
    {"pull_request_target", read_pull_request_target},
    {"merge_group", read_merge_group},
    {"workflow_run", read_workflow_run},
};

static int read_named(const struct json *payload, struct event *event, struct error *err)
{
    event->kind = EVENT_OTHER;
    event->action = copy_member(payload, "action");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strcmp(readers[i].name, event->name) != 0)
            continue;
        if (!payload)
            return refuse(event, "has none", err);
        return readers[i].read(payload, event, err);
    }
    return 0;
}

static int parse_payload(const char *text, size_t len, struct json **ret_payload, struct error *err)
{
    if (json_parse(text, len, ret_payload, err) < 0) {
        err->kind = ERROR_INPUT;
        return error_wrap(err, "event payload (the file that GITHUB_EVENT_PATH names)");
    }
    if (json_type(*ret_payload) != JSON_OBJECT)
        return error_set(err, ERROR_INPUT,
                         "event payload: not a JSON object (GITHUB_EVENT_PATH names it)");
    return 0;
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

static char *copy_unless_empty(const char *text)
{
    return text && *text ? memory_copy_string(text) : NULL;
}

int event_parse(const char *name, const char *ref, const char *sha, const char *payload,
                size_t payload_len, struct event *ret_event, struct error *err)
{
    CLEANUP(event)
    struct event event = {.kind = EVENT_NONE,
                          .name = copy_unless_empty(name),
                          .ref = copy_unless_empty(ref),
                          .commit = copy_unless_empty(sha)};
    CLEANUP(json) struct json *json = NULL;
    if (payload && !is_blank(payload, payload_len) &&
        parse_payload(payload, payload_len, &json, err) < 0)
        return -1;
    if (json && !event.name)
        return error_set(err, ERROR_INPUT,
                         "event payload: given (GITHUB_EVENT_PATH), but GITHUB_EVENT_NAME is not "
                         "set; set both or neither");
    if (event.name && read_named(json, &event, err) < 0)
        return -1;
    *ret_event = event;
    event = (struct event){.kind = EVENT_NONE};
    return 0;
}

void event_release(struct event *event)
{
    if (!event)
        return;
    free(event->name);
    free(event->action);
    free(event->ref);
    free(event->commit);
    free(event->message);
    free(event->base_commit);
    *event = (struct event){.kind = EVENT_NONE};
}
