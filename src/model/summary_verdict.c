/* How it went, why it failed, how things stand, what to do. */
#include <signal.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/summary_parts.h"

#define NAME_BYTES    160
#define MESSAGE_BYTES 1024

const char *summary_function_name(const struct summary *summary)
{
    if (summary->result->function.name[0])
        return summary->result->function.name;
    if (summary->inputs && summary->inputs->function_name)
        return summary->inputs->function_name;
    return "";
}

bool summary_is_about_function(const struct summary *summary)
{
    return summary->inputs && summary->inputs->command == COMMAND_DEPLOY &&
           summary_function_name(summary)[0];
}

/* What the headline speaks of. */
enum subject { DEPLOYMENT, ROLLBACK, LOOK, BASE, SUBJECTS };

/* "%n" stands for the function's name, "%t" for the time that it took, "%s" for the stage that
 * failed. */
static const struct {
    enum outcome outcome;
    const char *forms[SUBJECTS]; /* NULL: as for a deployment */
} headlines[] = {
    {OUTCOME_UNDECIDED, {[DEPLOYMENT] = "❌ The run did not finish (%t)"}},
    {OUTCOME_DEPLOYED,
     {[DEPLOYMENT] = "✅ Deployed %n in %t",
      [ROLLBACK] = "✅ Rolled %n back in %t",
      [BASE] = "✅ Built the base image in %t"}},
    {OUTCOME_NOTHING_TO_DO,
     {[DEPLOYMENT] = "✅ Nothing to do: %n is up to date, seen in %t",
      [ROLLBACK] = "✅ Nothing to do: %n is where it was to go back to, seen in %t",
      [LOOK] = "🔎 %n as it is, seen in %t",
      [BASE] = "✅ Nothing to do: the base image is there, seen in %t"}},
    {OUTCOME_NOT_ASKED, {[DEPLOYMENT] = "⏭️ Nothing to do: this event asks for nothing"}},
    {OUTCOME_PLANNED,
     {[DEPLOYMENT] = "📋 Plan for %n, made in %t: nothing was changed",
      [ROLLBACK] = "📋 Plan to roll %n back, made in %t: nothing was changed",
      [BASE] = "📋 Plan for the base image, made in %t: nothing was changed"}},
    {OUTCOME_SUPERSEDED, {[DEPLOYMENT] = "⏭️ Superseded: a newer run has %n"}},
    {OUTCOME_BAD_INPUT, {[DEPLOYMENT] = "❌ Bad input: nothing was tried"}},
    {OUTCOME_FAILED,
     {[DEPLOYMENT] = "❌ Deployment of %n failed%s after %t",
      [ROLLBACK] = "❌ Rollback of %n failed%s after %t",
      [LOOK] = "❌ Looking at %n failed%s after %t",
      [BASE] = "❌ Failed%s after %t"}},
    {OUTCOME_NEEDS_PERSON,
     {[DEPLOYMENT] = "🚨 Deployment of %n failed%s after %t: a person must look",
      [ROLLBACK] = "🚨 Rollback of %n failed%s after %t: a person must look"}},
    {OUTCOME_CANCELLED,
     {[DEPLOYMENT] = "⚠️ Deployment of %n cancelled%s after %t",
      [ROLLBACK] = "⚠️ Rollback of %n cancelled%s after %t",
      [LOOK] = "⚠️ Cancelled%s after %t",
      [BASE] = "⚠️ Cancelled%s after %t"}},
};

static enum subject subject_of(const struct summary *summary)
{
    if (!summary->inputs || !summary_function_name(summary)[0])
        return BASE;
    switch (summary->inputs->command) {
    case COMMAND_BASE:
        return BASE;
    case COMMAND_ROLLBACK:
        return ROLLBACK;
    case COMMAND_STATUS:
        return LOOK;
    default:
        return DEPLOYMENT;
    }
}

static const char *headline_form(const struct summary *summary)
{
    enum outcome outcome = summary->result->outcome;
    /* The gate let it pass, and then there was nobody to ask AWS as. */
    if (outcome == OUTCOME_NOT_ASKED && summary->result->spans.len > 0)
        return "⏭️ Nothing to do: there are no AWS credentials for this event";
    for (size_t i = 0; i < sizeof headlines / sizeof *headlines; i++) {
        const char *form = headlines[i].forms[subject_of(summary)];
        if (headlines[i].outcome == outcome)
            return form ? form : headlines[i].forms[DEPLOYMENT];
    }
    return "%n";
}

static void add_failed_stage(const struct summary *summary, struct strbuf *out)
{
    if (!summary->result->failed_title[0])
        return;
    strbuf_addstr(out, " at “");
    summary_escape(out, summary->result->failed_title, NAME_BYTES);
    strbuf_addstr(out, "”");
}

void summary_headline(const struct summary *summary, struct strbuf *out)
{
    strbuf_addstr(out, "## ");
    for (const char *c = headline_form(summary); *c; c++) {
        if (*c != '%') {
            strbuf_addch(out, *c);
            continue;
        }
        c++;
        if (*c == 't')
            summary_add_duration(out, summary->result->duration_ms);
        else if (*c == 's')
            add_failed_stage(summary, out);
        else
            summary_add_code(out, summary_function_name(summary), NAME_BYTES);
    }
    bool is_put_back = summary->result->outcome == OUTCOME_FAILED && summary->result->rolled_back;
    if (is_put_back && subject_of(summary) == DEPLOYMENT)
        strbuf_addstr(out, ", and was rolled back");
    strbuf_addstr(out, "\n\n");
}

static void add_message(const char *message, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf brief = STRBUF_INIT(STRBUF_NO_CAP);
    summary_add_brief(&brief, message);
    summary_escape(out, brief.buf, MESSAGE_BYTES);
}

static bool has_failed(const struct summary *summary)
{
    return result_exit_code(summary->result) != 0;
}

/* Where it was is in the headline. */
static void add_who_cancels(int signal, struct strbuf *out)
{
    strbuf_addf(out,
                "it was sent %s: somebody cancelled the job, or a newer run of its concurrency "
                "group took its place.",
                signal == SIGINT ? "SIGINT" : "SIGTERM");
}

void summary_cause(const struct summary *summary, struct strbuf *out)
{
    bool is_superseded = summary->result->outcome == OUTCOME_SUPERSEDED;
    const char *message =
        is_superseded ? summary->result->function.reason : summary->result->failure.msg;
    if ((!has_failed(summary) && !is_superseded) || !message[0])
        return;
    strbuf_addstr(out, "**Why:** ");
    if (summary->result->outcome == OUTCOME_CANCELLED && summary->result->signal)
        add_who_cancels(summary->result->signal, out);
    else
        add_message(message, out);
    strbuf_addstr(out, "\n\n");
}

/* Where the last whole lines of `text` that fit begin; at least at a whole character. */
static size_t last_lines(const struct strbuf *text, size_t max_bytes)
{
    if (text->len <= max_bytes)
        return 0;
    size_t start = text->len - max_bytes;
    const char *line = memchr(text->buf + start, '\n', max_bytes);
    if (line && line + 1 < text->buf + text->len)
        return (size_t)(line + 1 - text->buf);
    while (start < text->len && (text->buf[start] & 0xC0) == 0x80)
        start++;
    return start;
}

/* Whose words they are. */
static const struct {
    const char *stage, *title;
} evidences[] = {
    {"base-image", "Output of the failed step"},
    {"app-image", "Output of the failed step"},
    {"publish", "The function's log"},
    {"shift", "The function's log"},
    {"verify", "The function's log"},
};

static const char *evidence_title(const char *stage)
{
    for (size_t i = 0; i < sizeof evidences / sizeof *evidences; i++)
        if (text_equal(evidences[i].stage, stage))
            return evidences[i].title;
    return "What it said";
}

void summary_evidence(const struct summary *summary, struct strbuf *out)
{
    const struct strbuf *evidence = &summary->result->evidence;
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&visible, evidence->buf, evidence->len, STRBUF_NO_CAP, true);
    strbuf_trim(&visible);
    if (!has_failed(summary) || visible.len == 0)
        return;
    size_t start = last_lines(&visible, summary->detail.evidence_bytes);
    strbuf_add(&shown, visible.buf + start, visible.len - start);
    strbuf_addf(out, "**%s%s:**\n\n", evidence_title(summary->result->failed_stage),
                start > 0 ? ", its end" : "");
    summary_add_fence(out, "text", &shown);
}

static const char *state_in_words(const struct summary *summary)
{
    const struct result *result = summary->result;
    if (result->outcome == OUTCOME_BAD_INPUT)
        return ""; /* the headline says it */
    if (!result->changed)
        return "Nothing that serves users was changed.";
    if (result->outcome == OUTCOME_NEEDS_PERSON)
        return "Not everything that was changed could be put back.";
    if (result->restored[0])
        return "";
    if (summary->inputs && summary->inputs->on_failure == ON_FAILURE_KEEP)
        return "The function serves the new version, because on-failure is keep.";
    return "The function was changed.";
}

/* "the function runs … again; the alias …" as a sentence. */
static void add_restored(const char *restored, struct strbuf *out)
{
    char first[2] = {restored[0], '\0'};
    if (first[0] >= 'a' && first[0] <= 'z') {
        first[0] = (char)(first[0] - 'a' + 'A');
        strbuf_addstr(out, first);
        restored++;
    }
    add_message(restored, out);
    size_t len = strlen(restored);
    if (len > 0 && restored[len - 1] != '.')
        strbuf_addch(out, '.');
}

/* What was put back has been asked, and answered well: else a person must look. */
static bool is_proved_again(const struct summary *summary)
{
    const struct result *result = summary->result;
    const struct inputs *inputs = summary->inputs;
    return result->rolled_back && result->restored[0] && inputs &&
           (inputs->health_url || inputs->health_payload) &&
           (result->outcome == OUTCOME_FAILED || result->outcome == OUTCOME_CANCELLED);
}

void summary_state(const struct summary *summary, struct strbuf *out)
{
    const char *restored = summary->result->restored;
    const char *state = state_in_words(summary);
    if (!has_failed(summary) || (!restored[0] && !state[0]))
        return;
    strbuf_addstr(out, "**How it stands:** ");
    if (restored[0])
        add_restored(restored, out);
    if (is_proved_again(summary))
        strbuf_addstr(out, " It answers as it should.");
    strbuf_addf(out, "%s%s\n\n", restored[0] && state[0] ? " " : "", state);
}

/* What usually helps, where the stage that failed knew nothing better. */
static const struct {
    enum error_kind kind;
    const char *advice;
} remedies[] = {
    {ERROR_SYSTEM, "Look at the runner: disk, memory and the Docker engine."},
    {ERROR_NETWORK, "Run the job again: nothing needs to be cleaned up first."},
    {ERROR_TIMEOUT, "Run the job again, with a higher deadline if the work itself is that long."},
    {ERROR_CANCELLED, "Run the job again when it is wanted: nothing needs to be cleaned up first."},
    {ERROR_UNAUTHORIZED, "Check the credentials that the job is given, and what role-to-assume "
                         "trusts."},
    {ERROR_DENIED, "Give the role the permission that is named above."},
    {ERROR_CONFLICT, "See who else changes this function, then run the job again."},
    {ERROR_PRECONDITION, "See who else changes this function, then run the job again."},
    {ERROR_THROTTLED, "Run the job again in a few minutes: nothing needs to be cleaned up first."},
    {ERROR_SERVER, "Run the job again in a few minutes: nothing needs to be cleaned up first."},
    {ERROR_PROCESS, "Fix what is named above, then push."},
    {ERROR_FAILED, "Fix what is named above, then push."},
};

static const char *usual_remedy(enum error_kind kind)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (remedies[i].kind == kind)
            return remedies[i].advice;
    return "";
}

void summary_remedy(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    if (!has_failed(summary))
        return;
    if (!result->remedy[0]) {
        const char *advice = usual_remedy(result->failure.kind);
        if (advice[0])
            strbuf_addf(out, "**What to do:** %s\n\n", advice);
        return;
    }
    if (result->outcome != OUTCOME_NEEDS_PERSON) {
        strbuf_addstr(out, "**What to do:** ");
        summary_escape(out, result->remedy, MESSAGE_BYTES);
        strbuf_addstr(out, "\n\n");
        return;
    }
    CLEANUP(strbuf) struct strbuf commands = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&commands, result->remedy, strlen(result->remedy), sizeof result->remedy * 4,
                     true);
    strbuf_addstr(out, "**What to do,** to put the function back by hand:\n\n");
    summary_add_fence(out, "sh", &commands);
}
