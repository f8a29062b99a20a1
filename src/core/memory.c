#include "core/memory.h"

#include <stdint.h>
#include <unistd.h>

/*
 * 3 is the exit status for "a person must look": where the run stopped is not known here. Nothing
 * that allocates or flushes is called any more.
 */
#define EXIT_OUT_OF_MEMORY 3

static _Noreturn void die(void)
{
    static const char message[] = "error: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored; /* there is nobody else to tell */
    _exit(EXIT_OUT_OF_MEMORY);
}

void *memory_new(size_t size)
{
    void *made = calloc(1, size > 0 ? size : 1);
    if (!made)
        die();
    return made;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || total > PTRDIFF_MAX)
        die();
    void *made = realloc(old, total > 0 ? total : 1);
    if (!made)
        die();
    return made;
}

char *memory_copy_string(const char *text)
{
    return text ? memory_copy_bytes(text, strlen(text)) : NULL;
}

char *memory_copy_bytes(const char *bytes, size_t len)
{
    if (len >= PTRDIFF_MAX)
        die();
    char *copy = memory_new(len + 1);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

void memory_wipe(void *bytes, size_t len)
{
    if (bytes && len > 0)
        explicit_bzero(bytes, len);
}

void memory_free_secret(char *text)
{
    if (!text)
        return;
    memory_wipe(text, strlen(text));
    free(text);
}
