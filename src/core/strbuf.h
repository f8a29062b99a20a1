/*
 * strbuf.h: text that grows up to a cap.
 *
 * `buf` is always a terminated string, also before the first byte was added, and may hold zero
 * bytes inside when `len` says so. What would go over the cap is cut there and `overflowed` is set
 * and stays set: append as much as is wanted and look once at the end. The cap counts bytes without
 * the terminator; STRBUF_NO_CAP is for text of our own making.
 */
#ifndef CORE_STRBUF_H
#define CORE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *buf;       /* owned once alloc > 0; before that it is a shared empty string */
    size_t len;      /* bytes, without the terminator */
    size_t alloc;    /* bytes allocated; 0: nothing yet */
    size_t cap;      /* the most that len may become */
    bool overflowed; /* something was cut */
};

extern char strbuf_empty[1];

#define STRBUF_NO_CAP ((size_t)1 << 40)
#define STRBUF_INIT(max)                                                                           \
    {                                                                                              \
        .buf = strbuf_empty, .len = 0, .alloc = 0, .cap = (max), .overflowed = false               \
    }

void strbuf_init(struct strbuf *sb, size_t cap);
void strbuf_release(
    struct strbuf *sb); /* frees; sb is empty and usable with the same cap afterwards */
void strbuf_release_secret(struct strbuf *sb); /* wipes first */
/* In place of CLEANUP(strbuf) of core/cleanup.h: what it holds is a secret. */
#define CLEANUP_SECRET __attribute__((cleanup(strbuf_release_secret)))
void strbuf_reset(struct strbuf *sb); /* len 0, memory kept, overflowed cleared */
void strbuf_truncate(struct strbuf *sb, size_t len);

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *text); /* NULL adds nothing */
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
void strbuf_addsb(struct strbuf *sb, const struct strbuf *other);

/* Hand the string to the caller (heap, terminated, never NULL); sb is empty afterwards, and
 * `overflowed` still says whether something was cut. */
char *strbuf_detach(struct strbuf *sb);

/* Cut white space (space, \t, \r, \n, \v, \f) from both ends. */
void strbuf_trim(struct strbuf *sb);

#endif
