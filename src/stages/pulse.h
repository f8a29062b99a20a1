/*
 * pulse.h: while a stage works, a line that says how far it is: every ten seconds in a log, every
 * second on a terminal, where it is one live line.
 *
 * One stage at a time; pulse_count may be called from any thread and is cheap. A thread of its own
 * speaks, from the first stage until pulse_release.
 */
#ifndef STAGES_PULSE_H
#define STAGES_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `title` is borrowed until pulse_end. `expected_ms` 0: not known. */
void pulse_begin(const char *title, int64_t expected_ms);
/* How far it is; what is not known is 0. */
void pulse_count(size_t steps_done, size_t steps_all, int64_t bytes_done, int64_t bytes_all);
/* Is a new count due? Counting itself costs something. */
bool pulse_wants_count(void);
/* After it no line comes any more. */
void pulse_end(void);
/* Behind the last stage. */
void pulse_release(void);

#endif
