/*
 * support_results.h: results of runs as they end in real life, for the tests of outputs and
 * summary.
 */
#ifndef TESTS_MODEL_SUPPORT_RESULTS_H
#define TESTS_MODEL_SUPPORT_RESULTS_H

#include <stddef.h>

#include "model/inputs.h"
#include "model/result.h"

struct result_case {
    const char *name; /* of the golden file, too: golden/<name>.md */
    void (*make)(struct result *result, struct inputs *inputs);
};
extern const struct result_case result_cases[];
extern const size_t result_case_count;

/* Both are ready to be given to a summary; result_release frees all that there is to free. */
void make_result(const struct result_case *result_case, struct result *ret_result,
                 struct inputs *ret_inputs);
const struct result_case *result_case_named(const char *name);

/* A build of so many steps, 10 ms each but every hundredth 5 s, below a new outermost span; the
 * last of them failed. */
void add_long_build(struct result *result, size_t steps);

#endif
