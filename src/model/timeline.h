/*
 * timeline.h: questions about the spans of a run that has ended: the same answers for the timings
 * output and for the summary's tree. Pure.
 *
 * A span that is still open ended when the run did.
 */
#ifndef MODEL_TIMELINE_H
#define MODEL_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/result.h"

int64_t timeline_span_ms(const struct result *result, const struct span *span);

/* What the run took outside of its stages: total − the outermost spans that lie on the way; at
 * least 0. */
int64_t timeline_other_ms(const struct result *result);

/* The name of the build step that failed, as it stands in the result, or NULL. */
const char *timeline_failed_step(const struct result *result);
bool timeline_has_failed(const struct result *result, const struct span *span);

/*
 * Which spans to show when each may show at most `max_children` of its children: all if they are
 * few, else the slowest half, the first quarter and the last quarter. The outermost spans and a step
 * that failed are always chosen; a child of what is not chosen never is. One bool a span, owned by the caller.
 */
bool *timeline_choose(const struct result *result, size_t max_children);

#endif
