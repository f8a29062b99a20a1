/*
 * summary_parts.h: what the summary's own files share. summary.c puts the parts together and keeps
 * the limit, summary_verdict.c says how it went, summary_table.c what changed, summary_steps.c what
 * took the time, summary_money.c what that means, summary_text.c writes words.
 */
#ifndef MODEL_SUMMARY_PARTS_H
#define MODEL_SUMMARY_PARTS_H

#include <stddef.h>

#include "core/strbuf.h"
#include "model/inputs.h"
#include "model/result.h"
#include "model/summary.h"

/* How much is shown; the summary is made with less and less until it fits. */
struct detail {
    size_t children;       /* steps below one stage or build */
    size_t evidence_bytes; /* the end of it */
    size_t checks;         /* lines of checks */
    bool chart;
};

struct summary {
    const struct result *result; /* borrowed */
    const struct inputs *inputs; /* borrowed; NULL: they could not be read */
    struct detail detail;
};

/* Parts, in the order in which they stand. Each adds nothing where it does not apply, and else ends
 * in an empty line. */
typedef void summary_part(const struct summary *summary, struct strbuf *out);
summary_part summary_headline, summary_cause, summary_evidence, summary_state, summary_remedy,
    summary_table, summary_checks, summary_steps, summary_money, summary_chart, summary_footer;

/* It is the end of a deployment, not of a base image alone, a plan or a refusal. */
bool summary_is_about_function(const struct summary *summary);
/* The function's name as far as it is known, or "". */
const char *summary_function_name(const struct summary *summary);

/* Text as code: in backticks if nothing in it can do harm, else escaped in <code>. */
void summary_add_code(struct strbuf *out, const char *text, size_t max_bytes);
/* A fenced block that nothing in `text` can end. */
void summary_add_fence(struct strbuf *out, const char *info, const struct strbuf *text);
/* "1 step", "12 steps". */
void summary_add_count(struct strbuf *out, size_t count, const char *one, const char *many);
/* Of a build step's name or an error's message what a person reads: a registry of ECR is left out,
 * a digest behind a name too; else it keeps twelve digits: "FROM python:3.12",
 * "sha256:0c5e0d8f54a1". */
void summary_add_brief(struct strbuf *out, const char *text);
/* The first twelve digits, as code; "none" for "". */
void summary_add_digest(struct strbuf *out, const char *digest);

#endif
