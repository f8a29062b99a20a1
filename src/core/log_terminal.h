/*
 * log_terminal.h: the log for a person at a terminal: warnings and errors in colour unless NO_COLOR
 * is set (no-color.org), stages in bold, and a live line that says how far the work is.
 */
#ifndef CORE_LOG_TERMINAL_H
#define CORE_LOG_TERMINAL_H

#include "core/log.h"

extern const struct log_sink log_terminal;

/* Use it if standard output and error are terminals that can move back on a line; false: they are
 * not, and nothing is changed. */
bool log_use_terminal(const char *const *environ);

#endif
