/*
 * summary.h: the step summary: what a reader sees in ten seconds. Result → GitHub-flavoured
 * Markdown. Pure.
 *
 * Every text that others wrote is made harmless: Markdown and HTML escaped, control characters
 * visible, cut to a length.
 */
#ifndef MODEL_SUMMARY_H
#define MODEL_SUMMARY_H

#include "core/strbuf.h"
#include "model/inputs.h"
#include "model/result.h"

/* Adds at most `max_bytes` to `out`; what matters least (steps, evidence) is cut first. */
void summary_render(const struct result *result, const struct inputs *inputs, size_t max_bytes,
                    struct strbuf *out);

/* Text for a Markdown paragraph or table cell, escaped, on one line, at most `max_bytes` of it. */
void summary_escape(struct strbuf *out, const char *text, size_t max_bytes);

/* "850 ms", "4.2 s", "3 min 10 s", "1 h 5 min". */
void summary_add_duration(struct strbuf *out, int64_t ms);
/* "312 B", "4.1 kB", "12 MB", "1.3 GB" (powers of 1000). */
void summary_add_bytes(struct strbuf *out, int64_t bytes);

#endif
