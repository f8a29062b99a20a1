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

/* Too short to be read about: less than a second, and less than a hundredth of the run. Never a
 * step of a Dockerfile, nor one that did not end. */
bool timeline_is_brief(const struct result *result, const struct span *span);

/* What is left of the run beside the outermost spans that are on the way and not brief. */
int64_t timeline_rest_ms(const struct result *result);

/* The span of the build step that failed, else of the stage, or SPAN_NONE. A span's name is the
 * step's, visible and cut; of several with that name the last one is meant. */
int timeline_failed_span(const struct result *result);

/*
 * Which spans to show when each may show at most `max_children` of its children: all if they are
 * few, else the slowest half, the first quarter and the last quarter. The outermost spans and a
 * step that failed are always chosen; a child of what is not chosen never is. One bool a span,
 * owned by the caller.
 */
bool *timeline_choose(const struct result *result, size_t max_children);

#endif
