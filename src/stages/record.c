#include "stages/record.h"

#include <stdio.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "model/record.h"
#include "stages/survey.h"

#define CLAIM_TRIES 5

static struct record_claim my_claim(const struct run *run)
{
    const struct github *github = &run->services.github;
    return record_claim_make(github->run_number, github->run_attempt, github->repository,
                             github->workflow, github->ref);
}

static const char *tag_value(const struct run *run, const char *name)
{
    return json_string(json_member(run->snapshot.tags, name));
}

bool record_is_superseded(struct run *run)
{
    struct record_claim mine = my_claim(run), theirs;
    if (run->inputs->allow_older ||
        !record_claim_parse(tag_value(run, RECORD_TAG_CLAIM), &theirs) ||
        record_compare(&mine, &theirs) != RECORD_OLDER)
        return false;
    struct result *result = &run->result;
    result->outcome = OUTCOME_SUPERSEDED;
    snprintf(result->function.reason, sizeof result->function.reason,
             "run %lld of the same workflow has this function already; allow-older: true deploys "
             "run %lld all the same",
             (long long)theirs.number, (long long)mine.number);
    log_info("superseded: %s", result->function.reason);
    return true;
}

/* Put one tag; without the permission say so once and go on. */
static int put_tag(struct run *run, const char *name, const char *value, struct error *err)
{
    CLEANUP(json) struct json *tags = json_new_object();
    if (run->cannot_tag)
        return 0;
    json_put_string(tags, name, value);
    if (lambda_tag(&run->services.aws, run->snapshot.arn, tags, err) == 0)
        return 0;
    if (err->kind != ERROR_DENIED)
        return error_wrap(err, "remembering this run in the function's tags");
    run->cannot_tag = true;
    log_warning("this run cannot be remembered in the function's tags, so older runs are not kept "
                "from overwriting it, and "
                "rollback has no list: allow lambda:TagResource and lambda:ListTags, or give "
                "record: false");
    error_reset(err);
    return 0;
}

static int read_tags(struct run *run, struct error *err)
{
    struct json *tags = NULL;
    if (lambda_list_tags(&run->services.aws, run->snapshot.arn, &tags, err) == 0) {
        json_free(run->snapshot.tags);
        run->snapshot.tags = tags;
        return 0;
    }
    if (err->kind != ERROR_DENIED)
        return error_wrap(err, "reading the function's tags");
    run->cannot_tag = true;
    error_reset(err);
    return 0;
}

int record_claim_function(struct run *run, bool *ret_superseded, struct error *err)
{
    struct record_claim mine = my_claim(run);
    char value[RECORD_VALUE_SIZE];
    *ret_superseded = record_is_superseded(run);
    if (*ret_superseded || !run->inputs->record || mine.number == 0)
        return 0;
    record_claim_format(&mine, value);
    for (int try = 0; try < CLAIM_TRIES; try++) {
        if (text_equal(tag_value(run, RECORD_TAG_CLAIM), value) || run->cannot_tag)
            return 0;
        if (put_tag(run, RECORD_TAG_CLAIM, value, err) < 0)
            return -1;
        if (run->cannot_tag)
            return 0;
        if (read_tags(run, err) < 0)
            return -1;
        *ret_superseded = record_is_superseded(run);
        if (*ret_superseded)
            return 0;
    }
    return error_set(err, ERROR_CONFLICT,
                     "other runs keep claiming the function: use `concurrency` in the workflow");
}

void record_current(const struct run *run, char ret_what[40])
{
    const struct result *result = &run->result;
    if (run->inputs->alias)
        snprintf(ret_what, 40, "%s",
                 result->function.version[0] ? result->function.version
                                             : run->facts.function.alias_version);
    else
        snprintf(ret_what, 40, "%s", run->facts.image.identity_tag);
}

void record_read_list(const struct run *run, struct record_list *ret_list)
{
    record_list_parse(tag_value(run, RECORD_TAG_VERIFIED), ret_list);
}

int record_write_list(struct run *run, const struct record_list *list, struct error *err)
{
    char value[RECORD_VALUE_SIZE];
    record_list_format(list, value);
    if (text_equal(tag_value(run, RECORD_TAG_VERIFIED), value))
        return 0;
    return put_tag(run, RECORD_TAG_VERIFIED, value, err);
}

int record_verified(struct run *run, struct error *err)
{
    char what[40];
    struct record_list list;
    record_current(run, what);
    if (!run->inputs->record || !what[0] || !text_equal(run->result.health.status, "ok"))
        return 0;
    record_read_list(run, &list);
    if (list.len > 0 && text_equal(list.items[0].what, what))
        return 0;
    record_list_add(&list, what, my_claim(run).number);
    log_info("%s has passed verification", what);
    return record_write_list(run, &list, err);
}

/* The last look before the first change: a base build takes half an hour, and others work meanwhile. */
static int claim(struct run *run, struct error *err)
{
    bool time_has_passed = text_equal(run->result.image.status, "built") ||
                           text_equal(run->result.base.status, "built");
    bool superseded = false;
    if (!run->facts.function.exists)
        return 0;
    if (time_has_passed && survey_function(run, err) < 0)
        return -1;
    if (record_claim_function(run, &superseded, err) < 0)
        return -1;
    if (!superseded && run->services.github.run_number && run->inputs->record && !run->cannot_tag)
        log_info("the function is claimed for run %s", run->services.github.run_number);
    return 0;
}

const struct stage stage_claim = {
    .name = "claim", .title = "Claim the function", .wanted = NULL, .run = claim, .undo = NULL};

/* A function that this run has made is claimed only now: before, there was nothing to put a tag on. */
static int record(struct run *run, struct error *err)
{
    bool superseded = false;
    if (run->result.function.created &&
        (survey_function(run, err) < 0 || record_claim_function(run, &superseded, err) < 0))
        return -1;
    return superseded ? 0 : record_verified(run, err);
}

static bool is_record_wanted(const struct run *run)
{
    return run->inputs->record;
}

const struct stage stage_record = {.name = "record",
                                   .title = "Remember this deployment",
                                   .wanted = is_record_wanted,
                                   .run = record,
                                   .undo = NULL};
