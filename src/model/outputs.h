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
 * {"total_ms":…,"spans":[{"name","parent","start_ms","ms","beside","cached","bytes"}]}. Owned by
 * the caller. */
struct json *outputs_timings(const struct result *result);
/* The `result` output: everything, as documented in docs/result.md. Owned by the caller. */
struct json *outputs_result(const struct result *result);

#endif
