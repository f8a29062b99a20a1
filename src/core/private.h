/*
 * private.h: a process whose memory nobody else gets to see. Its keys and tokens must not be found
 * in a core file, nor by another process of the same user.
 *
 * Limits are handed down: the programs that we start leave no core files either.
 */
#ifndef CORE_PRIVATE_H
#define CORE_PRIVATE_H

/* No core files, no tracing (Linux: PR_SET_DUMPABLE, which also closes /proc/<pid>/environ and
 * mem). Best effort: a system that refuses is no reason not to run. */
void private_process(void);

#endif
