/*
 * configuration.h: the function's configuration as the inputs want it, against what Lambda says it
 * is. Pure.
 *
 * Lambda answers in other shapes than it takes (layers with sizes, a VPC's id, the image's
 * configuration one level deeper, defaults that nobody asked for): one table knows that, so that a
 * second deployment sees no difference. What an input does not name is never touched. Source:
 * Lambda API reference, FunctionConfiguration and UpdateFunctionConfiguration.
 */
#ifndef MODEL_CONFIGURATION_H
#define MODEL_CONFIGURATION_H

#include <stdbool.h>

#include "core/error.h"
#include "core/json.h"
#include "core/strvec.h"
#include "model/facts.h"
#include "model/inputs.h"

struct configuration_change {
    struct json
        *request; /* owned; UpdateFunctionConfiguration's members that differ; NULL: nothing does */
    struct json *restore; /* owned; the same members as they were before */
    struct strvec lost;   /* members that differ and have no way back: Lambda did not show what they
                           were (a hidden environment, a member without a documented default) */
    struct strvec differences; /* for people; of the environment the names only, never values */
};
#define CONFIGURATION_CHANGE_INIT                                                                  \
    {                                                                                              \
        .request = NULL, .restore = NULL, .lost = STRVEC_INIT, .differences = STRVEC_INIT          \
    }
void configuration_change_release(struct configuration_change *change);

/*
 * `current` is the configuration as Lambda answered it. ERROR_INPUT: function-configuration is not
 * an object, or the environment is over Lambda's 4 KB. ERROR_REFUSED: the environment cannot be
 * read (Environment.Error), so it cannot be merged into.
 */
int configuration_compare(const struct inputs *inputs, const struct json *current,
                          struct configuration_change *ret_change, struct error *err);

/* The same for a function that is still to be made: the wanted members are put into
 * CreateFunction's `request`. */
int configuration_put_wanted(const struct inputs *inputs, struct json *request, struct error *err);

/* Is every member of `members` (in the shape of a request) as it is in `current`? */
bool configuration_has(const struct json *current, const struct json *members);

/* Is everything the same that a person can set, the code apart? States, RevisionId and dates do not
 * count. Both as Lambda answered them. */
bool configuration_same_settings(const struct json *a, const struct json *b);

/* A function whose present image is gone, or whose last update failed, refuses a new configuration
 * until it has new code. */
bool configuration_must_wait(const struct function_facts *function);

#endif
