/*
 * strvec.h: a growing list of strings that is always ended by NULL, so that `items` can be an argv
 * or an environ.
 */
#ifndef CORE_STRVEC_H
#define CORE_STRVEC_H

#include <stdbool.h>
#include <stddef.h>

struct strvec {
    char **items; /* owned, and each string in it; NULL-terminated; never NULL once something was
                     pushed */
    size_t len;
    size_t alloc;
};

#define STRVEC_INIT                                                                                \
    {                                                                                              \
        .items = NULL, .len = 0, .alloc = 0                                                        \
    }

void strvec_release(struct strvec *sv);
void strvec_push(struct strvec *sv, const char *text); /* copies; NULL pushes nothing */
void strvec_pushf(struct strvec *sv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strvec_push_many(struct strvec *sv, ...) __attribute__((sentinel)); /* strings, then NULL */
void strvec_push_all(struct strvec *sv,
                     const struct strvec *more);       /* copies; NULL pushes nothing */
void strvec_push_owned(struct strvec *sv, char *text); /* takes the heap string over */
bool strvec_contains(const struct strvec *sv, const char *text);

/* The parts of `text` between `separator`s, without white space around them; empty parts are left
 * out. */
void strvec_split(struct strvec *sv, const char *text, char separator);

#endif
