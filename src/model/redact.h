/*
 * redact.h: secrets taken out of texts that a function wrote (answers, logs) before they are kept
 * or shown. Pure.
 *
 * A value is found as it is, as JSON writes it inside of a string, and as core/text.h makes it
 * visible; of a value of several lines, each line too. One of 8 bytes and more also as a URL and as
 * base64 write it, in either alphabet and wherever in an encoded text it stands. Values of fewer
 * than 4 bytes are left alone: they would make every text unreadable, and hide nothing. A text that
 * was cut may begin with the end of a secret, or end with the beginning of one: those are hidden as
 * well. Of a long one (a token) the beginning is also found in the middle of a text: there, an
 * answer of AWS's was cut.
 */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include <stddef.h>

#include "core/strbuf.h"
#include "core/strvec.h"

#define REDACT_MIN_BYTES 4
#define REDACT_MARK      "***"

struct redact {
    struct strvec forms; /* secret */
};
#define REDACT_INIT                                                                                \
    {                                                                                              \
        .forms = STRVEC_INIT                                                                       \
    }
void redact_release(struct redact *redact);

/* All that `from` hides, too. */
void redact_add_all(struct redact *redact, const struct redact *from);

/* NULL and short values are no secrets. */
void redact_add(struct redact *redact, const char *value);

/* `text` into `out`, each secret replaced by "***"; secrets that overlap by one. */
void redact_text(const struct redact *redact, const char *text, size_t len, struct strbuf *out);

/* One line of a log, likewise; it was cut only if it ends with "…", and begins where its writer
 * began. */
void redact_line(const struct redact *redact, const char *text, size_t len, struct strbuf *out);

/* The same within a terminated text of fixed size. */
void redact_in_place(const struct redact *redact, char *text, size_t size);

#endif
