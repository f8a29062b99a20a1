#include "model/past.h"

#include <stdlib.h>

#include "core/text.h"

#define DAY_S   86400
#define MONTH_S (30 * DAY_S)

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Sorts them. */
static int64_t median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int64_t past_expected_ms(const struct times *times, enum times_part part)
{
    int64_t values[TIMES_MAX_ENTRIES];
    size_t count = 0;
    for (size_t i = 0; i < times->len; i++)
        if (times->items[i].ms[part] > 0)
            values[count++] = times->items[i].ms[part];
    return count > 0 ? median(values, count) : 0;
}

static bool would_build(const struct image_result *image)
{
    return image->action == IMAGE_BUILD || image->action == IMAGE_LATER;
}

int64_t past_planned_ms(const struct result *result)
{
    bool changes = result->function.action != FUNCTION_UNCHANGED ||
                   result->function.configuration_changes.len > 0;
    const struct {
        bool is_planned;
        enum times_part part;
    } parts[] = {
        {would_build(&result->base), TIMES_BASE},
        {would_build(&result->image), TIMES_IMAGE},
        {changes, TIMES_RELEASE},
        {changes, TIMES_VERIFY},
    };
    int64_t total_ms = 0;
    if (result->outcome != OUTCOME_PLANNED)
        return 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int64_t ms = parts[i].is_planned ? past_expected_ms(&result->times, parts[i].part) : 0;
        if (parts[i].is_planned && ms == 0)
            return 0;
        total_ms += ms;
    }
    return total_ms > 0 ? total_ms + result->duration_ms : 0;
}

static bool is_alike(const struct times_entry *entry, const struct result *result)
{
    return (entry->ms[TIMES_BASE] > 0) == text_equal(result->base.status, "built") &&
           (entry->ms[TIMES_IMAGE] > 0) == text_equal(result->image.status, "built");
}

struct past_comparison past_compare(const struct result *result)
{
    int64_t values[TIMES_MAX_ENTRIES];
    size_t count = 0;
    for (size_t i = 0; i < result->times.len; i++)
        if (is_alike(&result->times.items[i], result))
            values[count++] = result->times.items[i].ms[TIMES_TOTAL];
    if (count == 0)
        return (struct past_comparison){.count = 0};
    int64_t median_ms = median(values, count);
    return (struct past_comparison){.count = count,
                                    .median_ms = median_ms,
                                    .fastest_ms = values[0],
                                    .slowest_ms = values[count - 1],
                                    .less_ms = median_ms - result->duration_ms};
}

int64_t past_deployments_a_month(const struct result *result)
{
    const struct deployed *deployed = &result->deployments;
    if (deployed->len == 0)
        return 0;
    int64_t seconds = result->started_wall_s - deployed->items[deployed->len - 1].wall_s;
    if (seconds < DAY_S)
        return 0;
    return ((int64_t)deployed->len * MONTH_S + seconds / 2) / seconds;
}
