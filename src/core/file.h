/*
 * file.h: whole files, and paths that must stay where they belong.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/strbuf.h"

/* The whole file into `ret_text` (its cap counts: ERROR_TOO_LARGE). ERROR_NOT_FOUND, ERROR_SYSTEM.
 * Not a directory, fifo or device. */
int file_read(const char *path, struct strbuf *ret_text, struct error *err);
bool file_exists(const char *path); /* a regular file, symlinks followed */
bool folder_exists(const char *path);

/* Append all of it or fail; a short write (disk full) is undone by truncating back. Creates with
 * `mode`. */
int file_append(const char *path, const char *bytes, size_t len, int mode, struct error *err);
/* To a temporary name beside it, fsync, rename. */
int file_write(const char *path, const char *bytes, size_t len, int mode, struct error *err);

/* A new folder of our own, 0700, below `parent` (NULL: RUNNER_TEMP, TMPDIR or /tmp). Heap path in
 * *ret_path. */
int file_make_temp_folder(const char *parent, char **ret_path, struct error *err);
/* Remove a tree without leaving it by symlinks or mounts. Missing is fine. */
int file_remove_tree(const char *path, struct error *err);

/*
 * `path` (relative to `root`, or absolute) with every symlink resolved; it must exist and lie in
 * `root` (itself resolved), or it is ERROR_INPUT. What does not exist is ERROR_NOT_FOUND. Heap path
 * in *ret_path.
 */
int file_resolve_within(const char *root, const char *path, char **ret_path, struct error *err);

#endif
