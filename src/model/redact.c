#include "model/redact.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"

#define MIN_LINE_BYTES 8

void redact_release(struct redact *redact)
{
    for (size_t i = 0; i < redact->forms.len; i++)
        memory_wipe(redact->forms.items[i], strlen(redact->forms.items[i]));
    strvec_release(&redact->forms);
}

static void add_form(struct redact *redact, const char *text, size_t len, size_t min)
{
    CLEANUP(strbuf) struct strbuf form = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_add(&form, text, len);
    strbuf_trim(&form);
    if (form.len < min)
        return;
    for (size_t i = 0; i < redact->forms.len; i++)
        if (text_equal(redact->forms.items[i], form.buf))
            return;
    strvec_push(&redact->forms, form.buf);
}

void redact_add(struct redact *redact, const char *value)
{
    size_t len = value ? strlen(value) : 0;
    if (len < REDACT_MIN_BYTES)
        return;
    CLEANUP(json) struct json *string = json_new_string(value);
    CLEANUP(strbuf) struct strbuf quoted = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(STRBUF_NO_CAP);
    json_print(string, &quoted);
    text_add_visible(&visible, value, len, STRBUF_NO_CAP, false);
    add_form(redact, value, len, REDACT_MIN_BYTES);
    add_form(redact, quoted.buf + 1, quoted.len - 2, REDACT_MIN_BYTES);
    add_form(redact, visible.buf, visible.len, REDACT_MIN_BYTES);
    for (const char *line = value; line[strcspn(line, "\n")]; line += strcspn(line, "\n") + 1)
        add_form(redact, line, strcspn(line, "\n"), MIN_LINE_BYTES);
    const char *last = strrchr(value, '\n');
    if (last)
        add_form(redact, last + 1, strlen(last + 1), MIN_LINE_BYTES);
}

/* Mark every byte that belongs to the secret. */
static void mark_inside(const char *text, size_t len, const char *form, bool *hidden)
{
    size_t form_len = strlen(form);
    for (size_t at = 0; at + form_len <= len; at++)
        if (memcmp(text + at, form, form_len) == 0)
            memset(hidden + at, 1, form_len);
}

/* The text was cut within the secret. */
static void mark_ends(const char *text, size_t len, const char *form, bool *hidden)
{
    size_t form_len = strlen(form), most = form_len - 1 < len ? form_len - 1 : len;
    for (size_t part = most; part >= REDACT_MIN_BYTES; part--)
        if (memcmp(text, form + form_len - part, part) == 0) {
            memset(hidden, 1, part);
            break;
        }
    for (size_t part = most; part >= REDACT_MIN_BYTES; part--)
        if (memcmp(text + len - part, form, part) == 0) {
            memset(hidden + len - part, 1, part);
            break;
        }
}

void redact_text(const struct redact *redact, const char *text, size_t len, struct strbuf *out)
{
    static const char cut[] = "…";
    size_t body = len >= strlen(cut) && memcmp(text + len - strlen(cut), cut, strlen(cut)) == 0
                      ? len - strlen(cut)
                      : len;
    CLEANUP_FREE bool *hidden = memory_new(len + 1);
    for (size_t i = 0; i < redact->forms.len; i++) {
        mark_inside(text, len, redact->forms.items[i], hidden);
        mark_ends(text, body, redact->forms.items[i], hidden);
    }
    for (size_t at = 0; at < len; at++) {
        if (!hidden[at])
            strbuf_addch(out, text[at]);
        else if (at == 0 || !hidden[at - 1])
            strbuf_addstr(out, REDACT_MARK);
    }
}

void redact_in_place(const struct redact *redact, char *text, size_t size)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    redact_text(redact, text, strlen(text), &out);
    snprintf(text, size, "%s", out.buf);
}
