/*
 * filehash.h: SHA-256 of many files of a walk, by as many threads as there are processors.
 *
 * Each file is read once, front to back, through one buffer of 128 KiB a thread; nothing is mapped.
 * Large files come last, the largest first, so that no thread is left alone with one at the end. A
 * file is opened relative to its folder (which stays open while the next file is in it, too), never
 * through a link, and must still be the regular file of the size that the walk saw; if it vanished,
 * changed size or was written to while it was read, that is ERROR_FAILED, naming it. (A file that
 * one read takes whole is not looked at again behind it: five calls of the system a file, and no
 * more.) Unreadable: ERROR_SYSTEM. Whatever the number of threads, the result is the same.
 *
 * A file that the walk has only listed (WALK_UNSEEN) is looked at here: its entry gets mode and
 * size, or the size WALK_GONE if it is not there any more, and then sha256 says nothing.
 */
#ifndef CORE_FILEHASH_H
#define CORE_FILEHASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/error.h"
#include "core/walk.h"

struct filehash {
    uint32_t entry; /* index in the walk; filled in by the caller */
    /* Of the content; of a file with capabilities (security.capability), of that hash and them. */
    unsigned char sha256[SHA256_BYTES];
};

/* `threads` 0: one for each processor. ERROR_CANCELLED when somebody asked us to stop. */
int filehash_run(struct walk *walk, struct filehash *files, size_t count, size_t threads,
                 struct error *err);

#endif
