/*
 * restore.h: the way back, told and proven. Each stage that changed something puts it back itself
 * (its undo); here is what comes before and after.
 */
#ifndef STAGES_RESTORE_H
#define STAGES_RESTORE_H

#include "stages/stage.h"

/* Before anything is put back: the way back has time of its own, so that a deadline that has passed
 * does not leave the function broken. */
void restore_begin(struct run *run);

/* `found` is what the alias goes back to (its routing is taken over): of one that Lambda keeps on
 * another version than it names, that version, which is what users get. */
void restore_keep_alias(struct run *run, struct lambda_alias *found);

/* One thing that was put back, as a clause: "version 3 is behind the alias live". Kept for the
 * report. */
void restore_note(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* All is put back: does the function answer? Sets rolled_back and the sentence in result.restored.
 * ERROR_FAILED if it does not. */
int restore_verify(struct run *run, struct error *err);

/* A command for the person who has to finish it by hand, kept for log and summary; the first ones
 * come first. */
void restore_remedy(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
