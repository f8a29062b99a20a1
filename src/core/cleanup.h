/*
 * cleanup.h: what a scope owns is given back when the scope ends.
 *
 *     CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(1 << 20);  // strbuf_release(&body)
 *     CLEANUP_FREE char *path = …;                                // free(path)
 *     CLEANUP_FD int fd = open(…);                                // close(fd) unless it is -1
 *     return STEAL(path);                                         // the caller owns it now
 *
 * CLEANUP(x) needs a function x_release that takes a pointer to the variable and accepts half-built
 * and empty objects.
 */
#ifndef CORE_CLEANUP_H
#define CORE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(type) __attribute__((cleanup(type##_release)))

static inline void cleanup_free(void *place)
{
    free(*(void **)place);
}

static inline void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
#define CLEANUP_FD   __attribute__((cleanup(cleanup_fd)))

#define STEAL(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

#endif
