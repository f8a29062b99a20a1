/*
 * walk.h: a tree of files as a compact table, without reading a file's content.
 *
 * Entries stand folder by folder: the root's entries first, then those of its first folder, and so
 * on; within a folder by the bytes of their names. So an entry's folder always stands before it, a
 * folder's entries stand together, and the same tree gives the same table on every file system.
 * One entry costs 24 bytes and its name: about 5 MB for 100,000 files.
 *
 * No symlink is ever followed, and each folder is opened from the root component by component
 * (O_NOFOLLOW), so that nothing outside of the root is read even if somebody swaps folders
 * meanwhile. Names are bytes; they need not be UTF-8. Only one folder a thread is open at any time.
 * First all folders are listed, by the caller's thread; then all files are looked at, by as many
 * threads as there are processors.
 *
 * A folder that cannot be listed (not allowed, or vanished meanwhile) is an entry with `error`;
 * whether that matters is the caller's to say. A name that is gone at the first look at it was not
 * there. A file that is something else at the first look, and a root that is deleted meanwhile, are
 * ERROR_FAILED.
 */
#ifndef CORE_WALK_H
#define CORE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/strbuf.h"

#define WALK_ROOT   UINT32_MAX /* the folder of the root's own entries */
#define WALK_UNSEEN (-1)       /* the size of a file that was listed, but not looked at */
#define WALK_GONE   (-2)       /* and of one that was gone at the first look */

struct walk_entry {
    uint32_t folder; /* index of its folder's entry, or WALK_ROOT */
    uint32_t name;   /* where its name stands in walk.names; a link's target stands behind it */
    uint32_t mode;   /* st_mode: type and permission bits */
    uint16_t error;  /* errno of listing a folder, or 0 */
    uint16_t flags;  /* the caller's own; 0 after the walk */
    union {
        int64_t size;    /* file: bytes */
        uint64_t device; /* block or character device: st_rdev */
        struct {
            uint32_t first, count; /* folder: its entries */
        } entries;
    } u;
};

struct walk {
    struct walk_entry *entries; /* owned */
    uint32_t len, alloc;
    char *names; /* owned; all names, each with its terminator */
    size_t names_len, names_alloc;
    uint32_t root_count; /* entries of the root: 0 … root_count - 1 */
    int root;            /* the root's file descriptor, owned; -1: none */
    char *path;          /* owned; the root as it was given, for messages */
};

#define WALK_INIT                                                                                  \
    {                                                                                              \
        .entries = NULL, .root = -1                                                                \
    }

enum walk_verdict {
    WALK_KEEP,      /* take it; if it is a folder, look into it */
    WALK_IF_NEEDED, /* a folder: look into it, keep it only if something below it is kept */
    WALK_LEAVE,     /* leave it out, do not look into it */
};

/* Is asked for each entry, in the table's order, by the caller's thread; `path` is relative to the
 * root, `folder_len` bytes of it are its folder's. */
typedef enum walk_verdict walk_judge(void *context, const char *path, size_t folder_len,
                                     bool is_folder);

/* `judge` NULL: everything. ERROR_NOT_FOUND: no such folder; ERROR_SYSTEM; ERROR_FAILED;
 * ERROR_TOO_LARGE: over 16 million entries, or 4 GiB of names; ERROR_CANCELLED. ret_walk must be
 * WALK_INIT, and is the caller's to release after an error, too. */
int walk_tree(const char *path, walk_judge *judge, void *context, struct walk *ret_walk,
              struct error *err);
/* The same without a look at what the file system lists as a file: its mode has no permission bits,
 * its size is WALK_UNSEEN. For those who open the files anyhow and can look at them then. */
int walk_names(const char *path, walk_judge *judge, void *context, struct walk *ret_walk,
               struct error *err);
/* ERROR_FAILED if the root is deleted by now: then nothing that was not found means anything. */
int walk_check_root(const struct walk *walk, struct error *err);
void walk_release(struct walk *walk);

const char *walk_name(const struct walk *walk, const struct walk_entry *entry);
const char *walk_target(const struct walk *walk, const struct walk_entry *entry); /* of a link */
/* The whole path relative to the root, replacing what ret_path held. */
void walk_path(const struct walk *walk, uint32_t index, struct strbuf *ret_path);
/* The entry of that name (len bytes) in a folder; -1: none. */
int64_t walk_find(const struct walk *walk, uint32_t folder, const char *name, size_t len);

/* Open the folder `path` (relative, "" is the root itself) component by component, following no
 * link. -1 and errno. */
int walk_open_folder(int root, const char *path);

/* One folder of a walk that stays open while one after the other of its entries is visited. */
struct walk_folder {
    int fd;         /* owned; -1: none */
    uint32_t index; /* of the folder's entry, or WALK_ROOT */
    struct strbuf path;
};

#define WALK_FOLDER_INIT                                                                           \
    {                                                                                              \
        .fd = -1, .index = WALK_ROOT, .path = STRBUF_INIT(STRBUF_NO_CAP)                           \
    }

/* Make that folder the open one; nothing to do if it is already. -1 and errno. */
int walk_enter(const struct walk *walk, uint32_t index, struct walk_folder *folder);
void walk_folder_release(struct walk_folder *folder);

#endif
