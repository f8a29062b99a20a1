#include "stages/record.h"

#include <stdio.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "model/past.h"
#include "model/plan.h"
#include "model/record.h"
#include "model/timeline.h"
#include "model/times.h"
#include "stages/app_image.h"
#include "stages/health.h"
#include "stages/newer.h"
#include "stages/survey.h"

#define CLAIM_TRIES 5
#define FRESH_MS                                                                                   \
    3000 /* a look is good for so long when nothing is to be changed: the claim is followed by     \
            another */

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

/* Does a newer run's claim count, and is there one in run->snapshot's tags? */
static bool has_newer_claim(const struct run *run, struct record_claim *ret_theirs)
{
    struct record_claim mine = my_claim(run);
    return !run->inputs->allow_older &&
           record_claim_parse(tag_value(run, RECORD_TAG_CLAIM), ret_theirs) &&
           record_compare(&mine, ret_theirs) == RECORD_OLDER;
}

bool record_yield(struct run *run)
{
    struct record_claim mine = my_claim(run), theirs;
    if (!has_newer_claim(run, &theirs))
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

static void format_claim_image(int64_t number, const char *digest,
                               char ret_value[RECORD_VALUE_SIZE])
{
    snprintf(ret_value, RECORD_VALUE_SIZE, "%lld %s", (long long)number, digest);
}

bool record_newer_wants_ours(const struct run *run)
{
    struct record_claim theirs;
    char ours[RECORD_VALUE_SIZE];
    if (!has_newer_claim(run, &theirs))
        return false;
    format_claim_image(theirs.number, run->result.image.digest, ours);
    return text_equal(tag_value(run, RECORD_TAG_CLAIM_IMAGE), ours);
}

static void say_cannot_tag(struct run *run)
{
    if (!run->cannot_tag)
        log_warning("this run cannot be remembered in the function's tags, so older runs are not "
                    "kept from overwriting it, and rollback has no list: allow lambda:TagResource "
                    "and lambda:ListTags, or give record: false");
    run->cannot_tag = true;
}

/* Put tags, if there are any; without the permission say so once and go on. */
static int put_tags(struct run *run, const struct json *tags, struct error *err)
{
    if (run->cannot_tag || json_length(tags) == 0)
        return 0;
    if (lambda_tag(&run->services.aws, run->snapshot.arn, tags, err) == 0)
        return 0;
    if (err->kind != ERROR_DENIED)
        return error_wrap(err, "remembering this run in the function's tags");
    say_cannot_tag(run);
    error_reset(err);
    return 0;
}

static int put_tag(struct run *run, const char *name, const char *value, struct error *err)
{
    CLEANUP(json) struct json *tags = json_new_object();
    json_put_string(tags, name, value);
    return put_tags(run, tags, err);
}

/* The claim, and the image that this run wants: so an older one knows whether what it has left is
 * what the newer one has found as it should be. */
static int put_claim(struct run *run, const char *claim, struct error *err)
{
    CLEANUP(json) struct json *tags = json_new_object();
    char image[RECORD_VALUE_SIZE];
    format_claim_image(my_claim(run).number, run->result.image.digest, image);
    json_put_string(tags, RECORD_TAG_CLAIM, claim);
    json_put_string(tags, RECORD_TAG_CLAIM_IMAGE, image);
    return put_tags(run, tags, err);
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
    say_cannot_tag(run);
    error_reset(err);
    return 0;
}

/* The function itself is looked at again, too: an older run may have changed it just before it
 * could see our claim. */
static int look_after_claim(struct run *run, struct error *err)
{
    if (survey_function(run, err) < 0)
        return -1;
    return run->snapshot.tags ? 0 : read_tags(run, err);
}

int record_claim_function(struct run *run, bool *ret_superseded, struct error *err)
{
    struct record_claim mine = my_claim(run);
    char value[RECORD_VALUE_SIZE];
    *ret_superseded = record_yield(run);
    if (*ret_superseded || !run->inputs->record || mine.number == 0)
        return 0;
    record_claim_format(&mine, value);
    for (int try = 0; try < CLAIM_TRIES; try++) {
        if (text_equal(tag_value(run, RECORD_TAG_CLAIM), value) || run->cannot_tag)
            return 0;
        if (put_claim(run, value, err) < 0)
            return -1;
        if (run->cannot_tag)
            return 0;
        if (look_after_claim(run, err) < 0)
            return -1;
        *ret_superseded = record_yield(run);
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
    const char *alias = run->inputs->alias;
    char name[RECORD_TAG_NAME_SIZE];
    record_tag_name(RECORD_TAG_VERIFIED, alias, name);
    const char *own = tag_value(run, name);
    bool shared = alias && !own;
    record_list_parse(shared ? tag_value(run, RECORD_TAG_VERIFIED) : own, ret_list);
    record_list_keep(ret_list, alias != NULL);
    ret_list->shared = shared;
}

/* A version can be of a deployment that ended only if it was there then: the same image may have
 * been deployed with another configuration before. */
static bool is_older(const struct run *run, int64_t wall_s)
{
    const char *text = json_get_string(run->alias_configuration, "LastModified");
    char seconds[24];
    int64_t published_s;
    snprintf(seconds, sizeof seconds, "%.19sZ", text ? text : "");
    return clock_parse_iso(seconds, &published_s) && published_s < wall_s + 60; /* whole minutes */
}

/* Has a deployment ended with it, though nothing was checked? */
static bool was_deployed(const struct run *run)
{
    struct deployed deployed;
    deployed_parse(tag_value(run, DEPLOYED_TAG), &deployed);
    const struct deployed_entry *entry = deployed_find(&deployed, run->result.image.digest);
    return entry && (!run->inputs->alias || is_older(run, entry->wall_s));
}

bool record_is_unproved(const struct run *run, const struct record_list *list, const char *what)
{
    for (size_t i = 0; i < list->len; i++)
        if (text_equal(list->items[i].what, what))
            return false;
    return list->len > 0 && what[0] && !was_deployed(run);
}

static void add_list(const struct run *run, const struct record_list *list, struct json *tags)
{
    char name[RECORD_TAG_NAME_SIZE], value[RECORD_VALUE_SIZE];
    record_tag_name(RECORD_TAG_VERIFIED, run->inputs->alias, name);
    record_list_format(list, value);
    if (!text_equal(tag_value(run, name), value))
        json_put_string(tags, name, value);
}

int record_begin_rollback(struct run *run, const char *from, const char *to, struct error *err)
{
    char name[RECORD_TAG_NAME_SIZE], value[RECORD_VALUE_SIZE];
    record_tag_name(RECORD_TAG_ROLLBACK, run->inputs->alias, name);
    snprintf(value, sizeof value, "%s %s", from, to);
    if (text_equal(tag_value(run, name), value))
        return 0;
    return put_tag(run, name, value, err);
}

int record_end_rollback(struct run *run, const struct record_list *list, struct error *err)
{
    CLEANUP(json) struct json *tags = json_new_object();
    char name[RECORD_TAG_NAME_SIZE], done[RECORD_VALUE_SIZE];
    add_list(run, list, tags);
    record_tag_name(RECORD_TAG_ROLLBACK, run->inputs->alias, name);
    record_rollback_done(my_claim(run).number, done);
    json_put_string(tags, name, done);
    return put_tags(run, tags, err);
}

const struct record_entry *record_unfinished_rollback(const struct run *run,
                                                      const struct record_list *list,
                                                      const char *current)
{
    char name[RECORD_TAG_NAME_SIZE];
    record_tag_name(RECORD_TAG_ROLLBACK, run->inputs->alias, name);
    const char *tag = tag_value(run, name);
    if (!tag && list->shared)
        tag = tag_value(run, RECORD_TAG_ROLLBACK);
    return record_list_unfinished(list, tag, my_claim(run).number, current);
}

/* Will the function get another image? Then the present one is what the way back needs. */
static bool is_other_image(const struct run *run)
{
    return run->result.image.digest[0] && run->facts.function.digest[0] &&
           !text_equal(run->result.image.digest, run->facts.function.digest);
}

/*
 * The way back needs the present image in ECR: that it is gone is said before anything is changed.
 */
static void look_for_way_back(struct run *run)
{
    struct ecr_reference reference;
    struct ecr_image image = {.manifest = NULL};
    struct error err = ERROR_INIT;
    if (!is_other_image(run) || !ecr_parse_reference(run->snapshot.resolved_image_uri, &reference))
        return;
    int rc = ecr_get_image(&run->services.aws, reference.account, reference.repository,
                           reference.digest, &image, &err);
    ecr_image_release(&image);
    if (rc == 0)
        return;
    if (err.kind != ERROR_NOT_FOUND) {
        log_debug("whether the present image is in ECR is not known: %s", err.msg);
        return;
    }
    run->facts.function.image_missing = run->way_back_missing = true;
    log_warning("there is no way back: the image that the function runs now (%s) is gone from ECR; "
                "if the new one fails, %s",
                run->snapshot.resolved_image_uri,
                run->inputs->alias ? "only the alias can be put back"
                                   : "it stays, and a person must look");
}

static bool must_look_again(const struct run *run)
{
    bool time_has_passed = text_equal(run->result.image.status, "built") ||
                           text_equal(run->result.base.status, "built") ||
                           clock_now_ms() - run->looked_ms > FRESH_MS;
    return time_has_passed || is_other_image(run);
}

/* Will no stage behind the claim change anything, as far as is known before it? */
static bool is_nothing_planned(const struct run *run)
{
    CLEANUP(configuration_change) struct configuration_change change = CONFIGURATION_CHANGE_INIT;
    const struct function_facts *function = &run->facts.function;
    struct error ignored = ERROR_INIT; /* the stage that configures says it */
    if (run->inputs->command != COMMAND_DEPLOY || !run->result.image.digest[0] ||
        plan_function(run->inputs, function, run->result.image.digest).action != FUNCTION_UNCHANGED)
        return false;
    if (configuration_compare(run->inputs, run->snapshot.configuration, &change, &ignored) < 0)
        return false;
    return !change.request && !stage_publish.wanted(run);
}

/* The last look before the first change: a base build takes half an hour, and others work
 * meanwhile. */
static int claim(struct run *run, struct error *err)
{
    bool superseded = false;
    if (run->result.image.digest[0] && must_look_again(run) && survey_function(run, err) < 0)
        return -1;
    if (!run->facts.function.exists) {
        log_info("the function is not there yet, so no other run can have it");
        return 0;
    }
    look_for_way_back(run);
    if (is_nothing_planned(run))
        health_ask_ahead(run);
    int rc = record_claim_function(run, &superseded, err);
    health_ahead_join(run);
    if (rc < 0 || superseded)
        return rc;
    if (run->services.github.run_number && run->inputs->record && !run->cannot_tag)
        log_info("the function is claimed for run %s", run->services.github.run_number);
    return 0;
}

const struct stage stage_claim = {
    .name = "claim", .title = "Claim the function", .wanted = NULL, .run = claim, .undo = NULL};

static const char *alias_served_before(const struct run *run)
{
    const char *previous = run->result.function.previous_version;
    return previous[0] ? previous : run->facts.function.alias_version;
}

/* What serves now has passed verification. */
static void add_verified(struct run *run, struct json *tags)
{
    char what[40];
    struct record_list list;
    record_current(run, what);
    if (!what[0] || !text_equal(run->result.health.status, "ok"))
        return;
    record_read_list(run, &list);
    if (list.shared)
        record_list_take_over(&list, alias_served_before(run));
    if (list.len == 0 || !text_equal(list.items[0].what, what)) {
        record_list_add(&list, what, my_claim(run).number);
        log_info("%s has passed verification, so a rollback may go back to it", what);
    }
    add_list(run, &list, tags);
}

/* Which part of a deployment a stage belongs to. configure and configure_late have one title,
 * name_image and name_proved_image as well. */
static const struct {
    const struct stage *stage;
    enum times_part part;
} parts[] = {
    {&stage_base_image, TIMES_BASE},    {&stage_app_image, TIMES_IMAGE},
    {&stage_configure, TIMES_RELEASE},  {&stage_release, TIMES_RELEASE},
    {&stage_name_image, TIMES_RELEASE}, {&stage_publish, TIMES_RELEASE},
    {&stage_shift, TIMES_RELEASE},      {&stage_verify, TIMES_VERIFY},
};

int64_t record_expected_ms(const struct run *run, const struct stage *stage)
{
    for (size_t row = 0; row < sizeof parts / sizeof *parts; row++)
        if (parts[row].stage == stage)
            return past_expected_ms(&run->facts.function.times, parts[row].part);
    return 0;
}

static void measure(struct run *run, struct times_entry *ret_entry)
{
    const struct result *result = &run->result;
    struct spans *spans = &run->result.spans;
    spans_hold(spans);
    *ret_entry = (struct times_entry){.ms = {[TIMES_TOTAL] = clock_now_ms() - spans->origin_ms}};
    for (size_t i = 0; i < spans->len; i++)
        for (size_t row = 0; row < sizeof parts / sizeof *parts; row++)
            if (spans->items[i].parent == SPAN_NONE &&
                text_equal(spans->items[i].name, parts[row].stage->title))
                ret_entry->ms[parts[row].part] += timeline_span_ms(result, &spans->items[i]);
    spans_let_go(spans);
    if (!text_equal(result->base.status, "built"))
        ret_entry->ms[TIMES_BASE] = 0;
    if (!text_equal(result->image.status, "built"))
        ret_entry->ms[TIMES_IMAGE] = 0;
}

/* How long this deployment took; one that changed nothing says nothing about the next. */
static void add_times(struct run *run, struct json *tags)
{
    struct times times;
    struct times_entry entry;
    char value[TIMES_VALUE_SIZE];
    if (!run->result.deployed)
        return;
    times_parse(tag_value(run, TIMES_TAG), &times);
    measure(run, &entry);
    times_add(&times, &entry);
    times_format(&times, value);
    json_put_string(tags, TIMES_TAG, value);
}

static void add_deployed(const struct run *run, struct json *tags)
{
    struct deployed deployed;
    char value[DEPLOYED_VALUE_SIZE];
    if (!run->result.deployed)
        return;
    deployed_parse(tag_value(run, DEPLOYED_TAG), &deployed);
    deployed_add(&deployed, run->result.commit, run->result.image.digest, clock_wall_seconds());
    deployed_format(&deployed, value);
    if (deployed.len > 0)
        json_put_string(tags, DEPLOYED_TAG, value);
}

static void add_cached_steps(const struct run *run, const char *name, const char *steps,
                             struct json *tags)
{
    if (steps[0] && !text_equal(tag_value(run, name), steps))
        json_put_string(tags, name, steps);
}

/*
 * A function that this run has made is claimed only now: before, there was nothing to put a tag on.
 * What serves now is good; that it cannot be remembered undoes nothing.
 */
static int remember(struct run *run, struct error *err)
{
    bool superseded = false;
    struct record_claim theirs;
    CLEANUP(json) struct json *tags = json_new_object();
    if (run->result.function.created &&
        (survey_function(run, err) < 0 || record_claim_function(run, &superseded, err) < 0))
        return -1;
    bool may_be_old = run->result.deployed || !run->snapshot.tags;
    if (!superseded && may_be_old && !run->cannot_tag && read_tags(run, err) < 0)
        return -1;
    bool has_newer = run->result.deployed && has_newer_claim(run, &theirs);
    if (superseded || (has_newer && newer_yield_to_change(run))) {
        run->result.deployed = false; /* a newer run has it */
        return 0;
    }
    add_verified(run, tags);
    add_times(run, tags);
    add_deployed(run, tags);
    add_cached_steps(run, CACHED_STEPS_TAG, run->cached_steps, tags);
    add_cached_steps(run, CACHED_STEPS_BASE_TAG, run->cached_base_steps, tags);
    return put_tags(run, tags, err);
}

static int record(struct run *run, struct error *err)
{
    if (remember(run, err) == 0)
        return 0;
    log_warning("deployed, but not remembered, so that rollback does not know of it: %s", err->msg);
    error_reset(err);
    return 0;
}

static bool is_record_wanted(const struct run *run)
{
    return run->inputs->record;
}

const struct stage stage_record = {.name = "record",
                                   .title = "Remember this deployment",
                                   .wanted = is_record_wanted,
                                   .closes = true,
                                   .run = record,
                                   .undo = NULL};
