/*
 * app.h: the whole program: arguments and environment in, exit code out.
 *
 * Reads the inputs, asks the gate, runs the command's stages in order, puts back what was changed
 * when one fails, and always reports.
 */
#ifndef APP_H
#define APP_H

/* The exit code: 0 done, 1 failed, 2 bad input, 3 a person must look, 130 or 143 cancelled. */
int app_main(int argc, const char *const *argv, const char *const *environment);

#endif
