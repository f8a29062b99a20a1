/* What the time means: compared with before, and as money. */
#include <stdio.h>

#include "core/text.h"
#include "model/cost.h"
#include "model/outputs.h"
#include "model/past.h"
#include "model/summary_parts.h"

#define LEAST_USD 0.0001

/* "US$ 0.006", "US$ 0.10", "US$ 12.35": at least two decimals, four where they say something. */
static void add_usd(struct strbuf *out, double usd)
{
    if (usd > 0 && usd < LEAST_USD) {
        strbuf_addstr(out, "less than US$ 0.0001");
        return;
    }
    char amount[64];
    int len = snprintf(amount, sizeof amount, "%.*f", usd >= 10 || usd <= -10 ? 2 : 4, usd);
    while (len > 3 && amount[len - 1] == '0' && amount[len - 3] != '.')
        amount[--len] = '\0';
    strbuf_addf(out, "US$ %s", amount); /* the space keeps it from being taken for mathematics */
}

static void add_comparison(const struct result *result, const struct cost *cost, struct strbuf *out)
{
    bool is_less = cost->saved_ms >= 0;
    strbuf_addstr(out, "- **Against the baseline** of ");
    summary_add_duration(out, result->baseline_ms);
    strbuf_addstr(out, ": ");
    summary_add_duration(out, is_less ? cost->saved_ms : -cost->saved_ms);
    strbuf_addf(out, " %s (%lld %%); (%lld − %lld) started minutes × ", is_less ? "less" : "more",
                (long long)(is_less ? cost->saved_percent : -cost->saved_percent),
                (long long)(is_less ? cost->baseline_minutes : cost->minutes),
                (long long)(is_less ? cost->minutes : cost->baseline_minutes));
    add_usd(out, result->minute_price_usd);
    strbuf_addstr(out, " = ");
    add_usd(out, is_less ? cost->saved_usd : -cost->saved_usd);
    strbuf_addstr(out, is_less ? " saved.\n" : " more.\n");
}

/* What was built with it, so that a reader knows what is compared. */
static const char *alike_in_words(const struct result *result)
{
    if (text_equal(result->base.status, "built"))
        return " that built a base image";
    return text_equal(result->image.status, "built") ? " that built only the application image"
                                                     : " that built no image";
}

static void add_past(const struct result *result, struct strbuf *out)
{
    struct past_comparison past = past_compare(result);
    if (past.count == 0)
        return;
    bool is_less = past.less_ms >= 0;
    strbuf_addstr(out, "- **Against the last ");
    if (past.count > 1)
        strbuf_addf(out, "%zu ", past.count);
    strbuf_addf(out, "%s**%s: ", past.count > 1 ? "deployments" : "deployment",
                alike_in_words(result));
    summary_add_duration(out, is_less ? past.less_ms : -past.less_ms);
    strbuf_addf(out, " %s than ", is_less ? "less" : "more");
    strbuf_addstr(out, past.count > 1 ? "their median of " : "its ");
    summary_add_duration(out, past.median_ms);
    if (past.count > 2) {
        strbuf_addstr(out, " (from ");
        summary_add_duration(out, past.fastest_ms);
        strbuf_addstr(out, " to ");
        summary_add_duration(out, past.slowest_ms);
        strbuf_addch(out, ')');
    }
    strbuf_addstr(out, ".\n");
}

static void add_month(const struct result *result, const struct cost *cost, struct strbuf *out)
{
    int64_t monthly = past_deployments_a_month(result);
    if (monthly == 0 || result->outcome != OUTCOME_DEPLOYED)
        return;
    strbuf_addf(out, "; as often as of late, %lld runs a month = ", (long long)monthly);
    add_usd(out, (double)monthly * cost->run_usd);
}

static void add_cost(const struct result *result, const struct cost *cost, struct strbuf *out)
{
    int64_t bytes = outputs_added_bytes(result);
    strbuf_addstr(out, "- **Cost**, an estimate: ");
    summary_add_count(out, (size_t)cost->minutes, "started minute", "started minutes");
    strbuf_addstr(out, " × ");
    add_usd(out, result->minute_price_usd);
    strbuf_addstr(out, " = ");
    add_usd(out, cost->run_usd);
    if (bytes > 0)
        strbuf_addstr(out, " for the run");
    add_month(result, cost, out);
    if (bytes > 0) {
        strbuf_addstr(out, "; ");
        summary_add_bytes(out, bytes);
        strbuf_addstr(out, " of new layers × ");
        add_usd(out, result->storage_price_usd);
        strbuf_addstr(out, " per GB = ");
        add_usd(out, cost->storage_usd_month);
        strbuf_addstr(out, " a month, while they are kept");
    }
    strbuf_addstr(out, ".\n");
}

static void add_planned(const struct result *result, struct strbuf *out)
{
    int64_t ms = past_planned_ms(result);
    if (ms == 0)
        return;
    struct cost cost = cost_estimate(ms, 0, 0, result->minute_price_usd, 0);
    strbuf_addstr(out, "- **Expected**, from the last deployments: ");
    summary_add_duration(out, ms);
    strbuf_addstr(out, " in all");
    if (result->minute_price_usd > 0) {
        strbuf_addstr(out, "; ");
        summary_add_count(out, (size_t)cost.minutes, "started minute", "started minutes");
        strbuf_addstr(out, " × ");
        add_usd(out, result->minute_price_usd);
        strbuf_addstr(out, " = ");
        add_usd(out, cost.run_usd);
    }
    strbuf_addstr(out, ".\n\n");
}

void summary_money(const struct summary *summary, struct strbuf *out)
{
    const struct result *result = summary->result;
    if (result->outcome == OUTCOME_PLANNED) {
        add_planned(result, out);
        return;
    }
    bool is_good = result->outcome == OUTCOME_DEPLOYED || result->outcome == OUTCOME_NOTHING_TO_DO;
    if (result->spans.len == 0)
        return;
    struct cost cost =
        cost_estimate(result->duration_ms, result->baseline_ms, outputs_added_bytes(result),
                      result->minute_price_usd, result->storage_price_usd);
    if (is_good && result->baseline_ms > 0)
        add_comparison(result, &cost, out);
    if (result->outcome == OUTCOME_DEPLOYED && summary_is_about_function(summary))
        add_past(result, out);
    if (result->minute_price_usd > 0)
        add_cost(result, &cost, out);
    if (out->len > 0)
        strbuf_addch(out, '\n');
}
