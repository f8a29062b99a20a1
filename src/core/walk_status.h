/*
 * walk_status.h: the second half of a walk: size and mode of the files that were only listed.
 *
 * A listing tells names and types; looking at each file costs more than all of the listing, so that
 * is done afterwards, by as many threads as there are processors (a few files: by the caller's).
 * Whatever the number of threads, the table is the same. Part of walk.c; of no use to others.
 */
#ifndef CORE_WALK_STATUS_H
#define CORE_WALK_STATUS_H

#include "core/error.h"
#include "core/walk.h"

/* walk_entry.flags while the walk goes on; all are 0 when walk_tree() returns. */
#define WALK_FLAG_IF_NEEDED 1u /* a folder that is kept only for what is below it */
#define WALK_FLAG_UNSEEN    2u /* a file that was listed and is yet to be looked at */
#define WALK_FLAG_GONE      4u /* a file that was listed and is not there any more */

/*
 * Look at every entry with WALK_FLAG_UNSEEN: it gets its mode and size, or WALK_FLAG_GONE, and
 * loses that flag. ERROR_FAILED: it is no file any more, or its folder is no folder; ERROR_SYSTEM;
 * ERROR_CANCELLED. Of several errors that of the first entry that met one.
 */
int walk_fill_status(struct walk *walk, struct error *err);

#endif
