/* log_parts.h: what the log's own sinks share. */
#ifndef CORE_LOG_PARTS_H
#define CORE_LOG_PARTS_H

#include "core/log.h"
#include "core/strbuf.h"

/* "error: Dockerfile:3: text", without a line's end. */
void log_add_plain_line(struct strbuf *out, enum log_level level, const struct log_place *place,
                        const char *text);
/* Best effort: what cannot be written (closed pipe, full disk) is not worth a failure. */
void log_write_all(int fd, const char *bytes, size_t len);

#endif
