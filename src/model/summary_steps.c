/* What took the time: a tree with bars drawn in text, and a chart. */
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/summary_parts.h"
#include "model/timeline.h"

#define NAME_COLUMNS ((size_t)64)
#define TIME_COLUMNS 12
#define BAR_CELLS    20
#define DEPTH_MAX    8
#define CHART_BYTES  60
#define CHART_STEPS  ((size_t)12)
#define BRIEF_MS     10000

struct tree {
    const struct summary *summary; /* borrowed */
    const bool *chosen;            /* borrowed */
    struct strbuf *out;            /* borrowed */
    int failed;                    /* index, or SPAN_NONE */
    size_t name_columns;           /* of the widest name, with what leads to it */
    bool measuring;                /* only name_columns is wanted */
};

/* Characters, not bytes: one column each. */
static size_t columns(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += (*text & 0xC0) != 0x80;
    return count;
}

static void add_cut(struct strbuf *out, const char *text, size_t max_columns)
{
    bool is_cut = columns(text) > max_columns;
    size_t left = is_cut ? max_columns - 1 : max_columns;
    for (; *text; text++) {
        if ((*text & 0xC0) != 0x80 && left-- == 0)
            break;
        strbuf_addch(out, *text);
    }
    strbuf_addstr(out, is_cut ? "…" : "");
}

static void add_padding(struct strbuf *out, size_t used, size_t wanted)
{
    for (; used < wanted; used++)
        strbuf_addch(out, ' ');
}

/* Whole and half blocks only: not every font has the finer ones in the same width. */
static void add_bar(struct strbuf *out, int64_t ms, int64_t total_ms)
{
    if (total_ms <= 0)
        return;
    double share = (double)ms / (double)total_ms;
    int halves = (int)((share > 1 ? 1 : share) * BAR_CELLS * 2 + 0.5);
    for (int i = 0; i < halves / 2; i++)
        strbuf_addstr(out, "█");
    bool is_seen = share * BAR_CELLS * 8 >= 1;
    strbuf_addstr(out, halves % 2 ? "▌" : halves == 0 && is_seen ? "▏" : "");
}

/* One line: name, time or a word, bar, remarks. */
static void add_line(struct tree *tree, const char *lead, const char *name, const char *time,
                     int64_t ms, const char *remarks)
{
    struct strbuf *out = tree->out;
    size_t lead_columns = columns(lead);
    CLEANUP(strbuf) struct strbuf cut = STRBUF_INIT(STRBUF_NO_CAP);
    add_cut(&cut, name, NAME_COLUMNS - lead_columns);
    size_t used = lead_columns + columns(cut.buf);
    if (tree->measuring) {
        tree->name_columns = used > tree->name_columns ? used : tree->name_columns;
        return;
    }
    strbuf_addf(out, "%s%s", lead, cut.buf);
    add_padding(out, used, tree->name_columns);
    add_padding(out, columns(time), TIME_COLUMNS);
    strbuf_addstr(out, time);
    CLEANUP(strbuf) struct strbuf tail = STRBUF_INIT(STRBUF_NO_CAP);
    add_bar(&tail, ms, tree->summary->result->duration_ms);
    if (remarks[0])
        strbuf_addf(&tail, "%s%s", tail.len > 0 ? "  " : "", remarks);
    if (tail.len > 0)
        strbuf_addf(out, "  %s", tail.buf);
    strbuf_addch(out, '\n');
}

static void add_timed_line(struct tree *tree, const char *lead, const char *name, int64_t ms,
                           const char *remarks)
{
    CLEANUP(strbuf) struct strbuf time = STRBUF_INIT(STRBUF_NO_CAP);
    summary_add_duration(&time, ms);
    add_line(tree, lead, name, time.buf, ms, remarks);
}

static void add_remark(struct strbuf *remarks, bool holds, const char *text)
{
    if (holds)
        strbuf_addf(remarks, "%s%s", remarks->len > 0 ? ", " : "", text);
}

/*
 * A push is named after the tag that it goes under, which nobody needs to know (ARCHITECTURE.md).
 */
static void add_name(struct strbuf *out, const struct span *span)
{
    bool is_push = text_starts_with(span->name, "pushing ") &&
                   (text_ends_with(span->name, " with docker") || strchr(span->name, '/'));
    if (is_push)
        strbuf_addstr(out, "pushing layers");
    else
        summary_add_brief(out, span->name);
}

static void add_span(struct tree *tree, const char *lead, int index)
{
    const struct span *span = &tree->summary->result->spans.items[index];
    int64_t ms = timeline_span_ms(tree->summary->result, span);
    CLEANUP(strbuf) struct strbuf remarks = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    add_name(&name, span);
    if (span->bytes > 0)
        summary_add_bytes(&remarks, span->bytes);
    add_remark(&remarks, span->beside && !span->cached, "in parallel");
    add_remark(&remarks, span->end_ms < 0, "not finished");
    add_remark(&remarks, index == tree->failed,
               tree->summary->result->outcome == OUTCOME_CANCELLED ? "CANCELLED" : "FAILED");
    if (span->cached)
        add_line(tree, lead, name.buf, "CACHED", 0, remarks.buf);
    else
        add_timed_line(tree, lead, name.buf, ms, remarks.buf);
}

static bool is_hidden(const struct tree *tree, int index)
{
    const struct result *result = tree->summary->result;
    return index != tree->failed && timeline_is_brief(result, &result->spans.items[index]);
}

/* Stands for steps that are not shown. */
static void add_gap(struct tree *tree, const char *indent, size_t count, int64_t ms, bool is_last)
{
    if (count == 0)
        return;
    CLEANUP(strbuf) struct strbuf lead = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&lead, "%s%s", indent, is_last ? "└─ " : "├─ ");
    summary_add_count(&name, count, "more step", "more steps");
    add_timed_line(tree, lead.buf, name.buf, ms, "");
}

/* The last one that has a line of its own or stands in a gap. */
static int last_child(const struct tree *tree, int parent)
{
    const struct spans *spans = &tree->summary->result->spans;
    for (size_t i = spans->len; i-- > 0;)
        if (spans->items[i].parent == parent && !is_hidden(tree, (int)i))
            return (int)i;
    return SPAN_NONE;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as spans are nested, at most DEPTH_MAX */
static void add_children(struct tree *tree, int parent, const char *indent, int depth)
{
    const struct spans *spans = &tree->summary->result->spans;
    int last = last_child(tree, parent);
    size_t gap = 0;
    int64_t gap_ms = 0;
    for (int i = parent + 1; depth < DEPTH_MAX && i <= last; i++) {
        if (spans->items[i].parent != parent || is_hidden(tree, i))
            continue;
        if (!tree->chosen[i]) {
            gap++;
            gap_ms += timeline_span_ms(tree->summary->result, &spans->items[i]);
            continue;
        }
        add_gap(tree, indent, gap, gap_ms, false);
        gap = 0;
        gap_ms = 0;
        CLEANUP(strbuf) struct strbuf lead = STRBUF_INIT(STRBUF_NO_CAP);
        CLEANUP(strbuf) struct strbuf below = STRBUF_INIT(STRBUF_NO_CAP);
        if (parent != SPAN_NONE) {
            strbuf_addf(&lead, "%s%s", indent, i == last ? "└─ " : "├─ ");
            strbuf_addf(&below, "%s%s", indent, i == last ? "   " : "│  ");
        }
        add_span(tree, lead.buf, i);
        add_children(tree, i, below.buf, depth + 1);
    }
    add_gap(tree, indent, gap, gap_ms, true);
}

static bool was_skipped(const struct summary *summary)
{
    return summary_is_about_function(summary) && !summary->result->storage_run &&
           summary->result->storage_reason[0] && summary->result->outcome != OUTCOME_PLANNED;
}

static void add_lines(struct tree *tree)
{
    const struct summary *summary = tree->summary;
    add_children(tree, SPAN_NONE, "", 0);
    if (was_skipped(summary))
        add_line(tree, "", "Storage tests", "SKIP", 0, "");
    int64_t rest_ms = timeline_rest_ms(summary->result);
    if (rest_ms > 0)
        add_timed_line(tree, "", "Everything else", rest_ms, "");
    add_timed_line(tree, "", "Total", summary->result->duration_ms, "");
}

void summary_steps(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    if (result->spans.len == 0)
        return;
    CLEANUP_FREE bool *chosen = timeline_choose(result, summary->detail.children);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct tree tree = {.summary = summary,
                        .chosen = chosen,
                        .out = &text,
                        .failed = timeline_failed_span(result),
                        .measuring = true};
    add_lines(&tree);
    tree.measuring = false;
    add_lines(&tree);
    strbuf_addstr(out, "### What took the time\n\n");
    summary_add_fence(out, "text", &text);
}

/* Mermaid has no escapes that hold everywhere: what could mean something to it becomes a space. */
static void add_chart_name(struct strbuf *out, const struct span *span)
{
    CLEANUP(strbuf) struct strbuf brief = STRBUF_INIT(STRBUF_NO_CAP);
    add_name(&brief, span);
    const char *name = brief.buf;
    size_t len = strlen(name);
    for (size_t i = 0; i < len && i < CHART_BYTES; i++) {
        char c = name[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || strchr("-_./()[]=", c);
        strbuf_addch(out, is_plain ? c : ' ');
    }
}

static int depth_of(const struct spans *spans, const struct span *span)
{
    int depth = 0;
    for (; span->parent != SPAN_NONE; span = &spans->items[span->parent])
        depth++;
    return depth;
}

/* It, or what it is a part of. */
static bool is_beside(const struct spans *spans, const struct span *span)
{
    while (!span->beside && span->parent != SPAN_NONE)
        span = &spans->items[span->parent];
    return span->beside;
}

static void add_chart_bar(struct strbuf *out, const struct result *result, const struct span *span)
{
    int64_t ms = timeline_span_ms(result, span);
    int64_t end_ms = span->start_ms + (ms > 0 ? ms : 1);
    strbuf_addstr(out, "    · "); /* no word of Mermaid's own can stand at the beginning */
    if (span->parent == SPAN_NONE)
        strbuf_addstr(out, "in all");
    else
        add_chart_name(out, span);
    strbuf_addf(out, " :%s%lld, %lld\n",
                span->cached                      ? "done, "
                : is_beside(&result->spans, span) ? "active, "
                                                  : "",
                (long long)span->start_ms, (long long)end_ms);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as spans are nested, at most DEPTH_MAX */
static void add_chart_bars(struct tree *tree, int parent)
{
    const struct result *result = tree->summary->result;
    const struct spans *spans = &result->spans;
    for (int i = parent + 1; i < (int)spans->len; i++) {
        const struct span *span = &spans->items[i];
        if (span->parent != parent || !tree->chosen[i] || is_hidden(tree, i) ||
            depth_of(spans, span) >= DEPTH_MAX)
            continue;
        if (parent == SPAN_NONE) {
            strbuf_addstr(tree->out, "    section ");
            add_chart_name(tree->out, span);
            strbuf_addch(tree->out, '\n');
        }
        add_chart_bar(tree->out, result, span);
        add_chart_bars(tree, i);
    }
}

void summary_chart(const struct summary *summary, struct strbuf *out)
{
    if (!summary->detail.chart || summary->result->spans.len == 0)
        return;
    CLEANUP_FREE bool *chosen = timeline_choose(summary->result, CHART_STEPS);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct tree tree = {.summary = summary,
                        .chosen = chosen,
                        .out = &text,
                        .failed = timeline_failed_span(summary->result)};
    /* Else the stages' names would lie across the bars. */
    strbuf_addstr(&text, "%%{init: {\"gantt\": {\"leftPadding\": 230}}}%%\n");
    strbuf_addf(&text, "gantt\n    dateFormat x\n    axisFormat %s\n",
                summary->result->duration_ms < BRIEF_MS ? "%S.%L" : "%M:%S");
    add_chart_bars(&tree, SPAN_NONE);
    strbuf_addstr(out, "<details><summary>The same as a chart</summary>\n\n");
    summary_add_fence(out, "mermaid", &text);
    strbuf_addstr(out, "</details>\n\n");
}
