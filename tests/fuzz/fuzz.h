/*
 * fuzz.h: what the fuzz targets share. A target is one file: it gives bytes that a stranger may
 * have written to one parser, and checks what must hold whatever they are.
 *
 * libFuzzer calls LLVMFuzzerTestOneInput; the sanitizers watch memory, leaks and undefined
 * behaviour, a time limit watches for hangs. Seeds are in corpus/<target>/.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

/* A terminated copy of its own size, so that one byte too far is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    return memory_copy_bytes((const char *)data, size);
}

/* Two parts: before the first NUL, and behind it. Without one the second is empty. */
static inline size_t fuzz_split(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    return end ? (size_t)(end - data) : size;
}

#endif
