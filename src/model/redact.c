#include "model/redact.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"

#define MIN_LINE_BYTES    8
#define ENCODED_MIN_BYTES 8
#define LONG_BYTES        64 /* of a secret that nothing else begins like */
#define PREFIX_BYTES      32

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

static void add_percent_encoded(struct redact *redact, const char *value)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    CLEANUP(strbuf) struct strbuf upper = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf lower = STRBUF_INIT(STRBUF_NO_CAP);
    for (; *value; value++) {
        bool is_plain = strchr(plain, *value) != NULL;
        strbuf_addf(&upper, is_plain ? "%c" : "%%%02X", (unsigned char)*value);
        strbuf_addf(&lower, is_plain ? "%c" : "%%%02x", (unsigned char)*value);
    }
    add_form(redact, upper.buf, upper.len, ENCODED_MIN_BYTES);
    add_form(redact, lower.buf, lower.len, ENCODED_MIN_BYTES);
    memory_wipe(upper.buf, upper.len);
    memory_wipe(lower.buf, lower.len);
}

/* Three bytes become four digits, so there are three places for its beginning. Digits that hold
 * bits of what stands before or behind it are left out. */
static void add_base64(struct redact *redact, const char *value, size_t len)
{
    for (size_t shift = 0; shift < 3; shift++) {
        CLEANUP(strbuf) struct strbuf bytes = STRBUF_INIT(STRBUF_NO_CAP);
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_add(&bytes, "\0\0", shift);
        strbuf_add(&bytes, value, len);
        crypto_base64(&text, bytes.buf, bytes.len);
        size_t first = (shift * 8 + 5) / 6, end = (shift + len) * 8 / 6;
        add_form(redact, text.buf + first, end - first, ENCODED_MIN_BYTES);
        for (char *c = text.buf; *c; c++)
            *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
        add_form(redact, text.buf + first, end - first, ENCODED_MIN_BYTES);
        memory_wipe(bytes.buf, bytes.len);
        memory_wipe(text.buf, text.len);
    }
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
    if (len >= ENCODED_MIN_BYTES) {
        add_percent_encoded(redact, value);
        add_base64(redact, value, len);
    }
    for (const char *line = value; line[strcspn(line, "\n")]; line += strcspn(line, "\n") + 1)
        add_form(redact, line, strcspn(line, "\n"), MIN_LINE_BYTES);
    const char *last = strrchr(value, '\n');
    if (last)
        add_form(redact, last + 1, strlen(last + 1), MIN_LINE_BYTES);
}

void redact_add_all(struct redact *redact, const struct redact *from)
{
    for (size_t i = 0; i < from->forms.len; i++)
        add_form(redact, from->forms.items[i], strlen(from->forms.items[i]), 0);
}

/* Mark every byte that belongs to the secret, or to a long one's beginning. */
static void mark_inside(const char *text, size_t len, const char *form, bool *hidden)
{
    size_t form_len = strlen(form), needle_len = form_len >= LONG_BYTES ? PREFIX_BYTES : form_len;
    const char *end = text + len, *at = text;
    while ((at = memmem(at, (size_t)(end - at), form, needle_len)) != NULL) {
        size_t matched = needle_len;
        while (matched < form_len && at + matched < end && at[matched] == form[matched])
            matched++;
        memset(hidden + (at - text), 1, matched);
        at++;
    }
}

/* The text begins within the secret. */
static void mark_start(const char *text, size_t len, const char *form, bool *hidden)
{
    size_t form_len = strlen(form), most = form_len - 1 < len ? form_len - 1 : len;
    for (size_t part = most; part >= REDACT_MIN_BYTES; part--)
        if (memcmp(text, form + form_len - part, part) == 0) {
            memset(hidden, 1, part);
            break;
        }
}

/* The text ends within the secret. */
static void mark_end(const char *text, size_t len, const char *form, bool *hidden)
{
    size_t form_len = strlen(form), most = form_len - 1 < len ? form_len - 1 : len;
    for (size_t part = most; part >= REDACT_MIN_BYTES; part--)
        if (memcmp(text + len - part, form, part) == 0) {
            memset(hidden + len - part, 1, part);
            break;
        }
}

/* Bytes in front of the mark that a text was cut; all of them: it bears none. */
static size_t body_length(const char *text, size_t len)
{
    static const char cut[] = "…";
    bool was_cut = len >= strlen(cut) && memcmp(text + len - strlen(cut), cut, strlen(cut)) == 0;
    return was_cut ? len - strlen(cut) : len;
}

static void add_visible(const char *text, size_t len, const bool *hidden, struct strbuf *out)
{
    for (size_t at = 0; at < len; at++) {
        if (!hidden[at])
            strbuf_addch(out, text[at]);
        else if (at == 0 || !hidden[at - 1])
            strbuf_addstr(out, REDACT_MARK);
    }
}

void redact_text(const struct redact *redact, const char *text, size_t len, struct strbuf *out)
{
    size_t body = body_length(text, len);
    CLEANUP_FREE bool *hidden = memory_new(len + 1);
    for (size_t i = 0; i < redact->forms.len; i++) {
        mark_inside(text, len, redact->forms.items[i], hidden);
        mark_start(text, body, redact->forms.items[i], hidden);
        mark_end(text, body, redact->forms.items[i], hidden);
    }
    add_visible(text, len, hidden, out);
}

void redact_line(const struct redact *redact, const char *text, size_t len, struct strbuf *out)
{
    size_t body = body_length(text, len);
    CLEANUP_FREE bool *hidden = memory_new(len + 1);
    for (size_t i = 0; i < redact->forms.len; i++) {
        mark_inside(text, len, redact->forms.items[i], hidden);
        if (body < len)
            mark_end(text, body, redact->forms.items[i], hidden);
    }
    add_visible(text, len, hidden, out);
}

void redact_in_place(const struct redact *redact, char *text, size_t size)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    redact_text(redact, text, strlen(text), &out);
    snprintf(text, size, "%s", out.buf);
}
