/* What changed, or would: one row a thing; and the checks. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/outputs.h"
#include "model/past.h"
#include "model/summary_parts.h"

#define CELL_BYTES 400

static const char *const planned_images[] = {
    [IMAGE_NONE] = "none",   [IMAGE_FOUND] = "use",   [IMAGE_RETAG] = "use, and tag again",
    [IMAGE_ADOPT] = "adopt", [IMAGE_BUILD] = "build", [IMAGE_REFUSE] = "cannot be had",
    [IMAGE_LATER] = "build",
};
static const char *const planned_functions[] = {
    [FUNCTION_UNCHANGED] = "leave as it is",
    [FUNCTION_UPDATE] = "update",
    [FUNCTION_CREATE] = "create",
    [FUNCTION_REFUSE] = "cannot be changed",
    [FUNCTION_LATER] = "update",
};

static void add_row(struct strbuf *out, const char *name, const struct strbuf *cell)
{
    if (cell->len > 0)
        strbuf_addf(out, "| %s | %s |\n", name, cell->buf);
}

static void add_text_row(struct strbuf *out, const char *name, const char *text)
{
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    summary_escape(&cell, text, CELL_BYTES);
    add_row(out, name, &cell);
}

/* What `status` has seen of the function. */
static void add_look(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf serves = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf verified = STRBUF_INIT(STRBUF_NO_CAP);
    add_text_row(out, "State", result->look.state);
    if (result->look.serves[0]) {
        strbuf_addstr(&serves, "version ");
        summary_escape(&serves, result->look.serves, CELL_BYTES);
    }
    add_row(out, "Alias", &serves);
    if (result->look.verified[0]) {
        summary_add_code(&verified, result->look.verified, CELL_BYTES);
        if (result->look.verified_run > 0)
            strbuf_addf(&verified, ", by run %lld", (long long)result->look.verified_run);
        if (result->look.drifted)
            strbuf_addstr(&verified, "; **drift**: what serves now is another one");
    }
    add_row(out, "Last verified", &verified);
    add_text_row(out, "Build caches", result->look.caches);
}

/* What a part that a plan would do usually takes. */
static void add_usual(const struct summary *summary, enum times_part part, struct strbuf *cell)
{
    int64_t ms = past_expected_ms(&summary->result->times, part);
    if (summary->result->outcome != OUTCOME_PLANNED || ms == 0)
        return;
    strbuf_addstr(cell, "; usually takes ");
    summary_add_duration(cell, ms);
}

static void add_build(struct strbuf *cell, const struct image_result *image)
{
    if (image->step_count > 0) {
        strbuf_addstr(cell, "; ");
        summary_add_count(cell, image->step_count, "step", "steps");
        if (image->cached_count > 0)
            strbuf_addf(cell, ", %zu of them cached", image->cached_count);
        else
            strbuf_addstr(cell, ", none cached");
    }
    if (image->size_bytes > 0) {
        strbuf_addstr(cell, "; ");
        summary_add_bytes(cell, image->size_bytes);
    }
    if (image->pushed_bytes > 0) {
        strbuf_addstr(cell, image->size_bytes > 0 ? ", " : "; ");
        summary_add_bytes(cell, image->pushed_bytes);
        strbuf_addstr(cell, " pushed");
    }
    if (image->lost_cache[0]) {
        strbuf_addstr(cell, "; no longer cached from ");
        summary_add_code(cell, image->lost_cache, CELL_BYTES);
    }
}

/* What became of it in a word; a look only has the reason, which says what is there. */
static void add_image_word(const struct summary *summary, const struct image_result *image,
                           struct strbuf *cell)
{
    bool is_look = summary->inputs && summary->inputs->command == COMMAND_STATUS;
    if (image->status[0])
        strbuf_addf(cell, "**%s**", image->status);
    else if (!is_look && image->action == IMAGE_BUILD &&
             summary->result->outcome != OUTCOME_PLANNED)
        strbuf_addstr(cell, "**not finished**");
    else if (!is_look)
        strbuf_addf(cell, "**%s**", planned_images[image->action]);
}

static void add_image(const struct summary *summary, const char *name,
                      const struct image_result *image, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    if (!image->status[0] && !image->reason[0])
        return;
    add_image_word(summary, image, &cell);
    if (image->reason[0]) {
        strbuf_addstr(&cell, cell.len > 0 ? ": " : "");
        summary_escape(&cell, image->reason, CELL_BYTES);
    }
    add_build(&cell, image);
    if (image->action == IMAGE_BUILD || image->action == IMAGE_LATER)
        add_usual(summary, image == &summary->result->base ? TIMES_BASE : TIMES_IMAGE, &cell);
    bool shown_by_function =
        image == &summary->result->image && summary->result->function.reason[0];
    if (image->digest[0] && !shown_by_function) {
        strbuf_addstr(&cell, " (");
        summary_add_digest(&cell, image->digest);
        strbuf_addch(&cell, ')');
    }
    add_row(out, name, &cell);
}

/* What became of the function's image: it is known what it ran before and what it was given. */
static void add_image_change(const struct result *result, struct strbuf *cell)
{
    const char *before = result->function.previous_digest;
    bool is_same = text_equal(before, result->image.digest) || !result->image.digest[0];
    if (result->function.created) {
        summary_add_digest(cell, result->image.digest);
        strbuf_addstr(cell, ", in a new function");
    } else if ((result->function.code_changed || result->changed) && !is_same) {
        summary_add_digest(cell, before);
        strbuf_addstr(cell, " → ");
        summary_add_digest(cell, result->image.digest);
        if (result_exit_code(result) != 0 && result->rolled_back)
            strbuf_addstr(cell, ", and back");
        else if (!result->function.code_changed)
            strbuf_addstr(cell, ", not finished");
    } else {
        summary_add_digest(cell, before);
        strbuf_addstr(cell, ", as before");
    }
}

static void add_function(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    bool is_look = summary->inputs && summary->inputs->command == COMMAND_STATUS;
    if (result->outcome == OUTCOME_PLANNED && result->function.reason[0]) {
        strbuf_addf(&cell, "**%s**: ", planned_functions[result->function.action]);
        summary_escape(&cell, result->function.reason, CELL_BYTES);
        if (result->function.action != FUNCTION_UNCHANGED)
            add_usual(summary, TIMES_RELEASE, &cell);
        add_row(out, "Function", &cell);
    } else if (is_look && result->function.previous_digest[0]) {
        summary_add_digest(&cell, result->function.previous_digest);
        add_row(out, "Image of the function", &cell);
    } else if (result->function.reason[0] || result->function.previous_digest[0]) {
        add_image_change(result, &cell);
        add_row(out, "Image of the function", &cell);
    }
}

static void add_alias_plan(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    if (!result->function.alias_plan[0])
        return;
    summary_add_code(&cell, result->function.alias, CELL_BYTES);
    strbuf_addstr(&cell, ": ");
    summary_escape(&cell, result->function.alias_plan, CELL_BYTES);
    add_row(out, "Alias", &cell);
}

static void add_versions(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    const char *version = result->function.version;
    if (!version[0] || text_equal(version, "$LATEST"))
        return;
    if (result->function.previous_version[0]) {
        summary_escape(&cell, result->function.previous_version, CELL_BYTES);
        strbuf_addstr(&cell, " → ");
    }
    summary_escape(&cell, version, CELL_BYTES);
    if (result->function.alias[0]) {
        strbuf_addstr(&cell, ", by the alias ");
        summary_add_code(&cell, result->function.alias, CELL_BYTES);
    }
    add_row(out, "Version", &cell);
}

static void add_configuration(const struct summary *summary, struct strbuf *out)
{
    const struct strvec *changes = &summary->result->function.configuration_changes;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < changes->len; i++) {
        strbuf_addstr(&cell, i > 0 ? "<br>" : "");
        summary_escape(&cell, changes->items[i], CELL_BYTES);
    }
    add_row(out, "Configuration", &cell);
}

/* refs/heads/main is what people call the branch main. */
static const struct {
    const char *prefix, *words;
} refs[] = {
    {"refs/heads/", " of the branch "},
    {"refs/tags/", " of the tag "},
    {"refs/pull/", " of the pull request "}, /* its number, then what of it: 42/merge */
    {"", " of "},
};

static void add_ref(const char *ref, struct strbuf *cell)
{
    for (size_t i = 0; i < sizeof refs / sizeof *refs && ref[0]; i++) {
        size_t len = strlen(refs[i].prefix);
        if (!text_starts_with(ref, refs[i].prefix) || !ref[len])
            continue;
        char name[CELL_BYTES];
        bool is_pull = text_starts_with(ref, "refs/pull/");
        snprintf(name, sizeof name, "%.*s", is_pull ? (int)strcspn(ref + len, "/") : CELL_BYTES,
                 ref + len);
        strbuf_addstr(cell, refs[i].words);
        summary_add_code(cell, name, CELL_BYTES);
        return;
    }
}

/* For certain the image that was there before the run. */
static bool serves_the_old(const struct result *result)
{
    return !result->changed ||
           (result->rolled_back && result->restored[0] && result->outcome != OUTCOME_NEEDS_PERSON);
}

static void add_commit(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    if (!result->commit[0])
        return;
    char brief[13];
    const char *previous = deployed_commit(&result->deployments, result->function.previous_digest);
    snprintf(brief, sizeof brief, "%s", result->commit);
    bool is_other = previous[0] && !text_equal(previous, brief);
    summary_add_code(&cell, brief, sizeof brief);
    add_ref(result->ref, &cell);
    if (is_other && (result->deployed || serves_the_old(result))) {
        strbuf_addstr(&cell, result->deployed ? "; it replaces " : "; the function serves ");
        summary_add_code(&cell, previous, CELL_BYTES);
    }
    add_row(out, "Commit", &cell);
}

static void add_health(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf cell = STRBUF_INIT(STRBUF_NO_CAP);
    if (text_equal(result->health.status, "not-checked")) {
        strbuf_addstr(&cell, "**not checked**: neither health-url nor health-payload is given");
    } else if (result->health.status[0]) {
        bool is_good = text_equal(result->health.status, "ok");
        strbuf_addf(&cell, "**%s**%s after ", is_good ? "good" : "bad",
                    result->rolled_back && !is_good ? " with the new image," : "");
        summary_add_count(&cell, (size_t)result->health.attempts, "try", "tries");
        strbuf_addstr(&cell, " in ");
        summary_add_duration(&cell, result->health.ms);
        strbuf_addf(&cell, ", by %s",
                    text_equal(result->health.target, "invoke") ? "invoking it" : "its URL");
    }
    if (result->refreshed > 0) {
        strbuf_addstr(&cell, "; ");
        summary_add_count(&cell, (size_t)result->refreshed, "warm-up call", "warm-up calls");
        strbuf_addstr(&cell, " answered well");
    }
    add_row(out, "Health", &cell);
}

static size_t count_good(const struct check_results *checks)
{
    size_t good = 0;
    for (size_t i = 0; i < checks->len; i++)
        good += checks->items[i].good;
    return good;
}

static bool concerns_storage_tests(const struct summary *summary)
{
    bool is_plan = summary->inputs && summary->inputs->command == COMMAND_PLAN;
    return (summary_is_about_function(summary) || is_plan) &&
           summary->result->outcome != OUTCOME_NOT_ASKED;
}

static void add_check_counts(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf checks = STRBUF_INIT(STRBUF_NO_CAP);
    if (result->checks.len > 0)
        strbuf_addf(&checks, "%zu of %zu good", count_good(&result->checks), result->checks.len);
    add_row(out, "Checks", &checks);
    CLEANUP(strbuf) struct strbuf storage = STRBUF_INIT(STRBUF_NO_CAP);
    if (result->storage_run) {
        strbuf_addf(&storage, "**run**: %zu of %zu good; ", count_good(&result->storage_checks),
                    result->storage_checks.len);
        summary_escape(&storage, result->storage_reason, CELL_BYTES);
    } else if (concerns_storage_tests(summary) && result->storage_reason[0]) {
        strbuf_addstr(&storage, "**skipped**: ");
        summary_escape(&storage, result->storage_reason, CELL_BYTES);
    }
    add_row(out, "Storage tests", &storage);
}

/* Where and as whom: asked for seldom, so it stands last. */
void summary_footer(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    if (!result->account[0])
        return;
    strbuf_addstr(out, "<sub>Account ");
    summary_add_code(out, result->account, CELL_BYTES);
    if (result->region[0]) {
        strbuf_addstr(out, ", ");
        summary_add_code(out, result->region, CELL_BYTES);
    }
    if (result->credentials_source[0]) {
        strbuf_addstr(out, ", credentials: ");
        summary_escape(out, result->credentials_source, CELL_BYTES);
    }
    if (result->run_number[0]) {
        strbuf_addstr(out, ", run ");
        summary_escape(out, result->run_number, CELL_BYTES);
    }
    strbuf_addstr(out, "</sub>\n\n");
}

/* What the gate's reason is the reason of. */
static const char *why_title(const struct result *result)
{
    if (result->outcome == OUTCOME_PLANNED)
        return "Why a plan";
    return result->outcome == OUTCOME_NOT_ASKED ? "Why nothing" : "Why it ran";
}

void summary_table(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    CLEANUP(strbuf) struct strbuf rows = STRBUF_INIT(STRBUF_NO_CAP);
    add_commit(summary, &rows);
    add_image(summary, "Base image", &result->base, &rows);
    add_image(summary, "Application image", &result->image, &rows);
    add_function(summary, &rows);
    add_alias_plan(summary, &rows);
    add_look(summary, &rows);
    add_versions(summary, &rows);
    add_configuration(summary, &rows);
    add_health(summary, &rows);
    add_check_counts(summary, &rows);
    bool is_look = summary->inputs && summary->inputs->command == COMMAND_STATUS;
    if (result->outcome != OUTCOME_BAD_INPUT && !is_look)
        add_text_row(&rows, why_title(result), result->gate_reason);
    if (rows.len == 0)
        return;
    strbuf_addf(out, "| | %s |\n|---|---|\n",
                result->outcome == OUTCOME_PLANNED ? "what would be done"
                : is_look                          ? "what is there"
                                                   : "what was done");
    strbuf_addsb(out, &rows);
    strbuf_addch(out, '\n');
}

static void add_check(struct strbuf *out, const struct check_result *check)
{
    strbuf_addstr(out, check->good ? "| ✅ | " : "| ❌ | ");
    summary_add_code(out, check->line, CELL_BYTES);
    strbuf_addstr(out, " | ");
    if (!check->good)
        summary_escape(out, check->why, CELL_BYTES);
    strbuf_addstr(out, " | ");
    summary_add_duration(out, check->ms);
    strbuf_addstr(out, " |\n");
}

/* Those that failed stand open, the good ones in a fold. */
static void add_checks(struct strbuf *out, const char *title, const struct check_results *checks,
                       bool good, size_t limit)
{
    size_t all = good ? count_good(checks) : checks->len - count_good(checks);
    size_t shown = 0;
    if (all == 0)
        return;
    if (good)
        strbuf_addf(out, "<details><summary>%s: the good ones</summary>\n\n", title);
    else
        strbuf_addf(out, "**%s: %zu failed**\n\n", title, all);
    strbuf_addstr(out, "| | check | why | time |\n|---|---|---|--:|\n");
    for (size_t i = 0; i < checks->len && shown < limit; i++) {
        if (checks->items[i].good != good)
            continue;
        add_check(out, &checks->items[i]);
        shown++;
    }
    if (shown < all)
        strbuf_addf(out, "| … | %zu more | | |\n", all - shown);
    strbuf_addstr(out, good ? "\n</details>\n\n" : "\n");
}

void summary_checks(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    size_t limit = summary->detail.checks;
    add_checks(out, "Checks", &result->checks, false, limit);
    add_checks(out, "Storage tests", &result->storage_checks, false, limit);
    add_checks(out, "Checks", &result->checks, true, limit);
    add_checks(out, "Storage tests", &result->storage_checks, true, limit);
}
