/*
 * git.h: the few things that we ask of a checkout: the last commit's id and message. By the `git`
 * program where there is one.
 */
#ifndef SERVICES_GIT_H
#define SERVICES_GIT_H

#include "core/error.h"

/*
 * HEAD of the repository at `folder`, owned by whoever ("dubious ownership" is no reason to fail:
 * safe.directory is set for this call only). ERROR_NOT_FOUND: no repository, no commit, or no git
 * program (HEAD's id is then read from .git itself, a worktree's and a submodule's too; the message
 * is NULL). Heap strings; the message is UTF-8 as git gives it, at most 64 KiB, without line breaks
 * at its end; ret_message may be NULL if nobody wants it: then no program runs where .git's files
 * tell the id.
 */
int git_head(const char *folder, char **ret_commit, char **ret_message, struct error *err);

#endif
