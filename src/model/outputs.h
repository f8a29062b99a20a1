/*
 * outputs.h: the action's outputs, one table: name, help, and how each is read from the result.
 * action.yml and the README are checked against it.
 */
#ifndef MODEL_OUTPUTS_H
#define MODEL_OUTPUTS_H

#include <stddef.h>

#include "core/json.h"
#include "core/strbuf.h"
#include "model/result.h"

struct output_spec {
    const char *name;
    const char *help;
    void (*render)(const struct result *result,
                   struct strbuf *out); /* adds nothing where it does not apply */
};
extern const struct output_spec output_specs[];
extern const size_t output_spec_count;

/* The `timings` output:
 * {"total_ms","other_ms","spans":[{"name","parent","start_ms","ms","beside","cached","bytes"}],
 * "left_out"}, as docs/timings.schema.json says. `parent` is an index into spans, absent for the
 * outermost. Owned by the caller. */
struct json *outputs_timings(const struct result *result);
/* The `result` output: everything, as documented in docs/result.md. Owned by the caller. */
struct json *outputs_result(const struct result *result);

/* "run", "skipped", or "" when the run ended before that was decided. */
const char *outputs_storage_tests(const struct result *result);
/* Of the images that this run has added to ECR; 0: none, or not known. */
int64_t outputs_added_bytes(const struct result *result);

#endif
