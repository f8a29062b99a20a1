#include "core/strbuf.h"

#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define FIRST_ALLOC ((size_t)64)
#define STACK_TEXT  512

char strbuf_empty[1] = "";

void strbuf_init(struct strbuf *sb, size_t cap)
{
    *sb = (struct strbuf)STRBUF_INIT(cap);
}

void strbuf_release(struct strbuf *sb)
{
    if (!sb)
        return;
    if (sb->alloc > 0)
        free(sb->buf);
    strbuf_init(sb, sb->cap);
}

void strbuf_release_secret(struct strbuf *sb)
{
    if (!sb)
        return;
    if (sb->alloc > 0)
        memory_wipe(sb->buf, sb->alloc);
    strbuf_release(sb);
}

void strbuf_reset(struct strbuf *sb)
{
    strbuf_truncate(sb, 0);
    sb->overflowed = false;
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
    if (len >= sb->len)
        return;
    sb->len = len;
    sb->buf[len] = '\0';
}

/*
 * Make room for `len` bytes and the terminator. Not by realloc, which could leave a copy of the
 * text behind that strbuf_release_secret never sees. Returns the old block, which the caller gives
 * to drop_block() when nothing points into it any more, or NULL.
 */
static char *grow(struct strbuf *sb, size_t len)
{
    if (len < sb->alloc)
        return NULL;
    size_t most = sb->cap < PTRDIFF_MAX - 1 ? sb->cap + 1 : PTRDIFF_MAX;
    size_t alloc = sb->alloc > most / 2 ? most : sb->alloc * 2;
    if (alloc < FIRST_ALLOC)
        alloc = FIRST_ALLOC < most ? FIRST_ALLOC : most;
    if (alloc < len + 1)
        alloc = len + 1;
    char *old = sb->alloc > 0 ? sb->buf : NULL;
    char *made = memory_new(alloc);
    memcpy(made, sb->buf, sb->len + 1);
    sb->buf = made;
    sb->alloc = alloc;
    return old;
}

static void drop_block(char *block, size_t len)
{
    memory_wipe(block, len);
    free(block);
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len)
{
    size_t room = sb->cap > sb->len ? sb->cap - sb->len : 0;
    if (len > room) {
        len = room;
        sb->overflowed = true;
    }
    if (len == 0)
        return;
    size_t old_len = sb->len;
    char *old = grow(sb, old_len + len);
    memmove(sb->buf + old_len, bytes, len); /* `bytes` may lie in the old block */
    sb->len = old_len + len;
    sb->buf[sb->len] = '\0';
    if (old)
        drop_block(old, old_len);
}

void strbuf_addstr(struct strbuf *sb, const char *text)
{
    if (text)
        strbuf_add(sb, text, strlen(text));
}

void strbuf_addch(struct strbuf *sb, char c)
{
    strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(sb, fmt, ap);
    va_end(ap);
}

/* By way of a second block, so that the arguments may point into sb. */
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
    char small[STACK_TEXT];
    va_list again;
    va_copy(again, ap);
    int wanted = vsnprintf(small, sizeof small, fmt, ap);
    if (wanted < 0) {
        sb->overflowed = true; /* longer than an int can say: over any cap */
    } else if ((size_t)wanted < sizeof small) {
        strbuf_add(sb, small, (size_t)wanted);
        memory_wipe(small, (size_t)wanted);
    } else {
        char *large = memory_new((size_t)wanted + 1);
        vsnprintf(large, (size_t)wanted + 1, fmt, again);
        strbuf_add(sb, large, (size_t)wanted);
        drop_block(large, (size_t)wanted);
        memory_wipe(small, sizeof small);
    }
    va_end(again);
}

void strbuf_addsb(struct strbuf *sb, const struct strbuf *other)
{
    strbuf_add(sb, other->buf, other->len);
}

char *strbuf_detach(struct strbuf *sb)
{
    if (sb->alloc == 0)
        return memory_copy_bytes("", 0);
    char *text = sb->buf;
    sb->buf = strbuf_empty;
    sb->len = 0;
    sb->alloc = 0;
    return text;
}

void strbuf_trim(struct strbuf *sb)
{
    size_t end = sb->len;
    while (end > 0 && text_is_space(sb->buf[end - 1]))
        end--;
    size_t start = 0;
    while (start < end && text_is_space(sb->buf[start]))
        start++;
    if (start > 0)
        memmove(sb->buf, sb->buf + start, end - start);
    strbuf_truncate(sb, end - start);
}
