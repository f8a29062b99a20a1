/*
 * context_select.h: which entries of a walked context the reads of a Dockerfile take.
 *
 * Symlinks are resolved inside of the table, as a build that sees only the context would: an
 * absolute target starts at the context's root, ".." stops there, what was ignored is not there.
 * A link that a source goes through counts itself, and so does what it leads to. Links inside of a
 * folder that is taken stay links.
 */
#ifndef STAGES_CONTEXT_SELECT_H
#define STAGES_CONTEXT_SELECT_H

#include "core/walk.h"
#include "model/dockerfile_reads.h"

#define CONTEXT_SELECTED 1u /* in walk_entry.flags */

/* Sets the flag on every entry that counts. */
void context_select(struct walk *walk, const struct dockerfile_reads *reads);

#endif
