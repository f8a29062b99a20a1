/*
 * support_tree.h: little trees of files for tests, in a folder of their own.
 */
#ifndef TESTS_CORE_SUPPORT_TREE_H
#define TESTS_CORE_SUPPORT_TREE_H

/* A new empty folder; the path is the caller's to free, the folder tree_remove's. */
char *tree_new(void);
void tree_remove(char *root); /* the folder and the path */

/*
 * What the lines of `spec` say, below root; folders in front of a name are made (0755):
 *     dir/            a folder            path -> target   a link (an older one is replaced)
 *     path = content  a file, 0644        0755 path        the permission bits of what is there
 *     path |          a fifo              - path           remove what is there
 * In a content TREE_LF stands for a line feed.
 */
#define TREE_LF "\x01"
void tree_make(const char *root, const char *spec);

#endif
