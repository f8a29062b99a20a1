/*
 * environ.h: the environment as a value that is handed down, so that nothing below main reads the
 * process's own.
 */
#ifndef CORE_ENVIRON_H
#define CORE_ENVIRON_H

/* The value of `name` in a NULL-terminated list of NAME=VALUE, or NULL; also NULL when the value is
 * empty (GitHub sets undeclared inputs to ""). Borrowed. The last one of several wins. */
const char *environ_get(const char *const *environ, const char *name);

#endif
