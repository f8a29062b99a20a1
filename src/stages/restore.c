#include "stages/restore.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/log.h"
#include "stages/health.h"

static void append(char *place, size_t size, const char *separator, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void append(char *place, size_t size, const char *separator, const char *fmt, va_list ap)
{
    size_t used = strlen(place);
    if (used > 0)
        used += (size_t)snprintf(place + used, size - used, "%s", separator);
    if (used < size)
        vsnprintf(place + used, size - used, fmt, ap);
}

void restore_note(struct run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(run->result.restored, sizeof run->result.restored, "; ", fmt, ap);
    va_end(ap);
}

void restore_remedy(struct run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(run->result.remedy, sizeof run->result.remedy, "\n", fmt, ap);
    va_end(ap);
}

int restore_verify(struct run *run, struct error *err)
{
    struct result *result = &run->result;
    if (!result->restored[0])
        return 0; /* nothing was there to be put back */
    CLEANUP(health) struct health health = {.checked = false};
    if (health_check(run, run->facts.function.alias_exists ? run->inputs->alias : NULL, &health,
                     err) < 0)
        return -1;
    result->rolled_back = true;
    if (health.checked && !health.good)
        return error_set(err, ERROR_FAILED,
                         "put back, but the function does not answer as it should even so: %s",
                         health.why);
    log_info("put back: %s%s", result->restored, health.checked ? "; the function answers" : "");
    return 0;
}
