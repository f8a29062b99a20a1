/*
 * memory.h: allocation that cannot fail.
 *
 * This program holds little in memory, and every buffer that outside text can grow has a cap. If
 * the system has no memory left even so, the process ends with a message (as git and curl's tool
 * do): no caller could do better, and what must survive a sudden end is kept in AWS, not in the
 * process. Its exit status is then 3: how far the run had come is not known. Only core/memory.c
 * calls malloc and its kin.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>

void *memory_new(size_t size); /* zeroed */
/* realloc with an overflow check. `old` NULL: new, and not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);
char *memory_copy_string(const char *text);             /* NULL gives NULL */
char *memory_copy_bytes(const char *bytes, size_t len); /* terminated */

/* Overwrite with zeros in a way that the compiler keeps. For secrets, before their memory is given
 * back. */
void memory_wipe(void *bytes, size_t len);

/* memory_wipe and free of a terminated string. NULL is allowed. */
void memory_free_secret(char *text);

#endif
