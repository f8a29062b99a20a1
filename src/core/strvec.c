#include "core/strvec.h"

#include <stdarg.h>
#include <string.h>

#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"

#define FIRST_ALLOC ((size_t)8)

void strvec_release(struct strvec *sv)
{
    if (!sv)
        return;
    for (size_t i = 0; i < sv->len; i++)
        free(sv->items[i]);
    free(sv->items);
    *sv = (struct strvec)STRVEC_INIT;
}

void strvec_push(struct strvec *sv, const char *text)
{
    strvec_push_owned(sv, memory_copy_string(text));
}

void strvec_pushf(struct strvec *sv, const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    strvec_push_owned(sv, strbuf_detach(&text));
}

void strvec_push_many(struct strvec *sv, ...)
{
    va_list ap;
    va_start(ap, sv);
    for (const char *text = va_arg(ap, const char *); text; text = va_arg(ap, const char *))
        strvec_push(sv, text);
    va_end(ap);
}

void strvec_push_all(struct strvec *sv, const struct strvec *more)
{
    for (size_t i = 0; more && i < more->len; i++)
        strvec_push(sv, more->items[i]);
}

void strvec_push_owned(struct strvec *sv, char *text)
{
    if (!text)
        return;
    if (sv->len + 1 >= sv->alloc) {
        sv->alloc = sv->alloc > 0 ? sv->alloc * 2 : FIRST_ALLOC;
        sv->items = memory_resize(sv->items, sv->alloc, sizeof *sv->items);
    }
    sv->items[sv->len++] = text;
    sv->items[sv->len] = NULL;
}

bool strvec_contains(const struct strvec *sv, const char *text)
{
    if (!text)
        return false;
    for (size_t i = 0; i < sv->len; i++)
        if (strcmp(sv->items[i], text) == 0)
            return true;
    return false;
}

void strvec_split(struct strvec *sv, const char *text, char separator)
{
    if (!text)
        return;
    for (const char *start = text;;) {
        const char *next = strchr(start, separator);
        const char *end = next && separator != '\0' ? next : start + strlen(start);
        bool is_last = *end == '\0';
        const char *following = end + 1;
        while (start < end && text_is_space(*start))
            start++;
        while (end > start && text_is_space(end[-1]))
            end--;
        if (end > start)
            strvec_push_owned(sv, memory_copy_bytes(start, (size_t)(end - start)));
        if (is_last)
            return;
        start = following;
    }
}
