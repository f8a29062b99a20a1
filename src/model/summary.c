#include "model/summary.h"

#include "core/cleanup.h"
#include "model/summary_parts.h"

static summary_part *const parts[] = {
    summary_headline, summary_cause, summary_evidence, summary_state, summary_remedy, summary_table,
    summary_checks,   summary_steps, summary_money,    summary_chart, summary_footer,
};

/* From all that is worth seeing down to nothing but the words. */
static const struct detail details[] = {
    {.children = 40, .evidence_bytes = 16384, .checks = 100, .chart = true},
    {.children = 12, .evidence_bytes = 8192, .checks = 50, .chart = false},
    {.children = 4, .evidence_bytes = 2048, .checks = 10, .chart = false},
    {.children = 0, .evidence_bytes = 512, .checks = 3, .chart = false},
};
#define DETAILS (sizeof details / sizeof *details)

static const char cut_note[] = "_Shortened to fit: steps, output and checks are in the log and in "
                               "the output `result`._\n";

/* All parts, or with `max_bytes` those that fit, each whole. Returns whether one was left out. */
static bool add_parts(const struct summary *summary, size_t max_bytes, struct strbuf *out)
{
    bool left_out = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        CLEANUP(strbuf) struct strbuf part = STRBUF_INIT(STRBUF_NO_CAP);
        parts[i](summary, &part);
        if (part.len <= max_bytes - out->len)
            strbuf_addsb(out, &part);
        else
            left_out = true;
    }
    return left_out;
}

void summary_render(const struct result *result, const struct inputs *inputs, size_t max_bytes,
                    struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct summary summary = {.result = result, .inputs = inputs, .detail = details[0]};
    bool left_out = add_parts(&summary, max_bytes, &text);
    size_t note_bytes = sizeof cut_note - 1;
    size_t room = max_bytes > note_bytes ? max_bytes - note_bytes : 0;
    bool is_cut = left_out;
    for (size_t i = 1; i < DETAILS && left_out; i++) {
        strbuf_reset(&text);
        summary.detail = details[i];
        left_out = add_parts(&summary, room, &text);
    }
    if (is_cut && max_bytes >= note_bytes)
        strbuf_addstr(&text, cut_note);
    strbuf_addsb(out, &text);
}
