/*
 * logs.h: what a function wrote, from CloudWatch Logs. Source:
 * docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference, FilterLogEvents.
 */
#ifndef SERVICES_LOGS_H
#define SERVICES_LOGS_H

#include <stdint.h>

#include "core/strbuf.h"
#include "services/aws.h"

/*
 * The lines of all streams of `group` from `since_ms` (wall clock, milliseconds) on, oldest first,
 * each ended by a newline, added to `out`; the last ones where they are more than fit into
 * `max_bytes`. Nothing there is no error. ERROR_NOT_FOUND: no such group (the function has never
 * run); ERROR_DENIED.
 */
int logs_read(struct aws *aws, const char *group, int64_t since_ms, size_t max_bytes,
              struct strbuf *out, struct error *err);

#endif
