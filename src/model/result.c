#include "model/result.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"

#define EVIDENCE_MAX_BYTES 65536

void result_init(struct result *result)
{
    *result = (struct result){.evidence = STRBUF_INIT(EVIDENCE_MAX_BYTES),
                              .function.configuration_changes = STRVEC_INIT};
    spans_init(&result->spans);
}

void result_note_inputs(struct result *result, const struct inputs *inputs)
{
    for (size_t i = 0; i < command_spec_count; i++)
        if (command_specs[i].command == inputs->command)
            snprintf(result->command, sizeof result->command, "%s", command_specs[i].name);
    if (!result->function.name[0] && inputs->function_name && inputs->command != COMMAND_BASE)
        snprintf(result->function.name, sizeof result->function.name, "%s", inputs->function_name);
    result->baseline_ms = inputs->baseline_ms;
    result->minute_price_usd = inputs->minute_price_usd;
    result->storage_price_usd = inputs->storage_price_usd;
}

static void image_result_release(struct image_result *image)
{
    for (size_t i = 0; i < image->step_count; i++)
        free(image->steps[i].name);
    free(image->steps);
    image->steps = NULL;
    image->step_count = 0;
}

static void check_results_release(struct check_results *results)
{
    for (size_t i = 0; i < results->len; i++)
        free(results->items[i].line);
    free(results->items);
    *results = (struct check_results){.items = NULL, .len = 0};
}

void result_release(struct result *result)
{
    strbuf_release(&result->evidence);
    image_result_release(&result->base);
    image_result_release(&result->image);
    strvec_release(&result->function.configuration_changes);
    check_results_release(&result->checks);
    check_results_release(&result->storage_checks);
    spans_release(&result->spans);
}

static const struct {
    const char *name;
    int exit_code;
} outcomes[] = {
    [OUTCOME_UNDECIDED] = {"not finished", 1},
    [OUTCOME_DEPLOYED] = {"deployed", 0},
    [OUTCOME_NOTHING_TO_DO] = {"nothing to do", 0},
    [OUTCOME_NOT_ASKED] = {"not asked for", 0},
    [OUTCOME_PLANNED] = {"planned", 0},
    [OUTCOME_SUPERSEDED] = {"superseded", 0},
    [OUTCOME_BAD_INPUT] = {"bad input", 2},
    [OUTCOME_FAILED] = {"failed", 1},
    [OUTCOME_NEEDS_PERSON] = {"failed, needs a person", 3},
    [OUTCOME_CANCELLED] = {"cancelled", 130},
};

int result_exit_code(const struct result *result)
{
    if (result->outcome == OUTCOME_CANCELLED && result->signal == SIGTERM)
        return 143;
    return outcomes[result->outcome].exit_code;
}

const char *outcome_name(enum outcome outcome)
{
    return outcomes[outcome].name;
}

void check_results_add(struct check_results *results, const char *line, bool good, int status,
                       const char *why, int64_t ms)
{
    results->items = memory_resize(results->items, results->len + 1, sizeof *results->items);
    struct check_result *item = &results->items[results->len++];
    *item = (struct check_result){
        .line = memory_copy_string(line), .good = good, .status = status, .ms = ms};
    snprintf(item->why, sizeof item->why, "%s", why ? why : "");
}
