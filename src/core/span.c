#include "core/span.h"

#include <stdarg.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"

#define FIRST_ALLOC ((size_t)32)

void spans_init(struct spans *spans)
{
    *spans = (struct spans){.origin_ms = clock_now_ms()};
    pthread_mutex_init(&spans->lock, NULL);
}

void spans_release(struct spans *spans)
{
    if (!spans)
        return;
    free(spans->items);
    spans->items = NULL;
    spans->len = 0;
    spans->alloc = 0;
    pthread_mutex_destroy(&spans->lock);
}

/* Copies *made and gives it its name. The parent must be there already: a tree has no loops. */
static int add(struct spans *spans, struct span *made, const char *name)
{
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(sizeof made->name - 1);
    text_add_visible(&visible, name, strlen(name), sizeof made->name - 1, false);
    memcpy(made->name, visible.buf, visible.len + 1);

    pthread_mutex_lock(&spans->lock);
    int index = SPAN_NONE;
    if (spans->len >= SPAN_MAX) {
        spans->dropped++;
    } else {
        if (spans->len == spans->alloc) {
            spans->alloc = spans->alloc > 0 ? spans->alloc * 2 : FIRST_ALLOC;
            spans->items = memory_resize(spans->items, spans->alloc, sizeof *spans->items);
        }
        if (made->parent < 0 || (size_t)made->parent >= spans->len)
            made->parent = SPAN_NONE;
        index = (int)spans->len++;
        spans->items[index] = *made;
    }
    pthread_mutex_unlock(&spans->lock);
    return index;
}

int span_begin(struct spans *spans, int parent, const char *fmt, ...)
{
    struct span made = {
        .parent = parent,
        .start_ms = clock_now_ms() - spans->origin_ms,
        .end_ms = -1,
        .bytes = -1,
    };
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(sizeof made.name * 4);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&name, fmt, ap);
    va_end(ap);
    return add(spans, &made, name.buf);
}

void span_end(struct spans *spans, int index)
{
    int64_t now = clock_now_ms() - spans->origin_ms;
    pthread_mutex_lock(&spans->lock);
    if (index >= 0 && (size_t)index < spans->len && spans->items[index].end_ms < 0)
        spans->items[index].end_ms = now;
    pthread_mutex_unlock(&spans->lock);
}

int span_add(struct spans *spans, int parent, const char *name, int64_t start_ms, int64_t end_ms,
             bool cached, int64_t bytes)
{
    int64_t start = start_ms > 0 ? start_ms : 0;
    struct span made = {
        .parent = parent,
        .cached = cached,
        .start_ms = start,
        .end_ms = end_ms > start ? end_ms : start,
        .bytes = bytes,
    };
    return add(spans, &made, name);
}

void span_set_beside(struct spans *spans, int index)
{
    pthread_mutex_lock(&spans->lock);
    if (index >= 0 && (size_t)index < spans->len)
        spans->items[index].beside = true;
    pthread_mutex_unlock(&spans->lock);
}

struct child {
    size_t index;
    int64_t start_ms, end_ms;
};

/* The last end first; of two that ended at once the longer one. */
static int by_end(const void *left, const void *right)
{
    const struct child *a = left;
    const struct child *b = right;
    if (a->end_ms != b->end_ms)
        return a->end_ms > b->end_ms ? -1 : 1;
    return a->start_ms < b->start_ms ? -1 : a->start_ms > b->start_ms;
}

void spans_mark_beside(struct spans *spans, int parent)
{
    pthread_mutex_lock(&spans->lock);
    CLEANUP_FREE struct child *children = memory_new((spans->len + 1) * sizeof *children);
    size_t count = 0;
    for (size_t i = 0; i < spans->len; i++) {
        const struct span *span = &spans->items[i];
        if (span->parent == parent && span->end_ms > span->start_ms)
            children[count++] =
                (struct child){.index = i, .start_ms = span->start_ms, .end_ms = span->end_ms};
    }
    qsort(children, count, sizeof *children, by_end);
    int64_t before_ms = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        bool is_on_the_way = children[i].end_ms <= before_ms;
        spans->items[children[i].index].beside = !is_on_the_way;
        if (is_on_the_way)
            before_ms = children[i].start_ms;
    }
    pthread_mutex_unlock(&spans->lock);
}

int64_t span_ms(struct spans *spans, int index)
{
    int64_t now = clock_now_ms() - spans->origin_ms, ms = 0;
    pthread_mutex_lock(&spans->lock);
    if (index >= 0 && (size_t)index < spans->len) {
        const struct span *span = &spans->items[index];
        ms = (span->end_ms >= 0 ? span->end_ms : now) - span->start_ms;
    }
    pthread_mutex_unlock(&spans->lock);
    return ms;
}

void spans_hold(struct spans *spans)
{
    pthread_mutex_lock(&spans->lock);
}

void spans_let_go(struct spans *spans)
{
    pthread_mutex_unlock(&spans->lock);
}
