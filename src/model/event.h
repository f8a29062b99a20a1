/*
 * event.h: what happened in the repository that started this run, read from GitHub's event name,
 * ref and payload.
 *
 * Pure: the payload's text comes from services/github.c. Shapes: facts of octokit/webhooks and
 * docs.github.com "Events that trigger workflows". Everything in it is text that strangers wrote.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

enum event_kind {
    EVENT_NONE, /* no payload: another CI, or a laptop */
    EVENT_PUSH_BRANCH,
    EVENT_PUSH_TAG,
    EVENT_PUSH_DELETE, /* the push deleted a branch or tag */
    EVENT_RELEASE,
    EVENT_PULL_REQUEST, /* and pull_request_review, pull_request_review_comment: the same code */
    EVENT_PULL_REQUEST_TARGET,
    EVENT_MERGE_GROUP,
    EVENT_OTHER /* workflow_dispatch, schedule, workflow_run, repository_dispatch and any other */
};

struct event {
    enum event_kind kind;
    char *name;        /* owned; GITHUB_EVENT_NAME, or NULL */
    char *action;      /* owned; "published", "edited"…, or NULL */
    char *ref;         /* owned; GITHUB_REF, or NULL */
    char *commit;      /* owned; the event's: GITHUB_SHA (a pull request's head; for
                     pull_request_target the base's), or NULL */
    char *message;     /* owned; the head commit's message, or NULL; a stranger's text */
    char *base_commit; /* owned; pull requests: the base's commit, or NULL */
    bool from_fork;    /* pull requests: head and base repositories differ, or it cannot be known;
                          workflow_run: so was the event that caused it */
};

/*
 * `name`, `ref`, `sha` are GITHUB_EVENT_NAME, GITHUB_REF, GITHUB_SHA (NULL: not set); `payload` the
 * text of the file at GITHUB_EVENT_PATH (NULL: none). ERROR_INPUT if the payload is not a JSON
 * object or contradicts the event's name (a push without a ref…), or is missing where the event's
 * meaning is in it (push, release, pull requests, merge_group). White space only counts as none.
 */
int event_parse(const char *name, const char *ref, const char *sha, const char *payload,
                size_t payload_len, struct event *ret_event, struct error *err);
void event_release(struct event *event);

#endif
