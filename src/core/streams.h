/*
 * streams.h: standard input, output and error, when whoever started us has closed them.
 *
 * A closed one's number would be given to the next file or connection that is opened, and every
 * line of the log would be written into that: into the outputs, or between the bytes of a request.
 */
#ifndef CORE_STREAMS_H
#define CORE_STREAMS_H

/* Occupy those that are closed: reading finds the end, writing fails with EBADF. Once, before
 * anything is opened. */
void streams_occupy(void);

#endif
