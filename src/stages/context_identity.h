/*
 * context_identity.h: what an image is made of, read from the disk and condensed to one key.
 *
 * Reads the Dockerfile and its ignore file, finds out which files of the build context the wanted
 * stage can read, hashes them (by as many threads as there are processors) and adds everything else
 * that decides what comes out. Two runs with the same key would build the same image from the same
 * upstream images; a change that BuildKit's own cache would see changes the key. The other
 * direction is a best effort: where it cannot be sure it takes more, at most the whole context, and
 * says why.
 *
 * What counts (model/identity.h has the format): the Dockerfile's bytes; of each file its path,
 * type, permission bits (07777), content, link target, device number and file capabilities; the
 * build arguments that the Dockerfile declares, and those that BuildKit itself listens to
 * (BUILDKIT_*, SOURCE_DATE_EPOCH, TARGET* and BUILD*); target, platform, compression, check, the
 * base's digest if the Dockerfile uses the base, the period. Never times, owners or hard links.
 *
 * What it cannot see: an upstream tag, a branch or a URL in an ADD whose content moves: that is
 * what a maximum age is for. ONBUILD triggers of images other than our base are not known: the
 * whole context and all build arguments count then, but for a few publishers
 * (model/dockerfile_reads.h).
 *
 * Nothing outside of `workspace` is read, and no link is followed out of it. The Dockerfile and the
 * context may be given through links as long as they end inside.
 *
 * Errors: ERROR_INPUT (a path leaves the workspace; a Dockerfile or ignore file that does not
 * parse, with file:line), ERROR_NOT_FOUND (no Dockerfile, no context), ERROR_TOO_LARGE (a
 * Dockerfile or ignore file of over 4 MiB), ERROR_FAILED (a file vanished or changed while it was
 * read), ERROR_SYSTEM (a file that the Dockerfile can copy is unreadable), ERROR_CANCELLED.
 */
#ifndef STAGES_CONTEXT_IDENTITY_H
#define STAGES_CONTEXT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strvec.h"
#include "model/dockerfile.h"
#include "model/identity.h"

struct identity_request {            /* everything borrowed; what may be NULL says so */
    const char *workspace;           /* absolute */
    const char *file;                /* the Dockerfile, relative to the workspace or absolute */
    const char *context;             /* the context's folder, relative or absolute */
    const char *target;              /* NULL or "": the last stage */
    const char *platform;            /* "linux/amd64" */
    const struct strvec *build_args; /* KEY=VALUE; the last one of a KEY counts; NULL: none */
    const char *compression;         /* "gzip", "zstd", "gzip 9" */
    const char *check;               /* NULL: none */
    const char *base_digest;         /* NULL: there is no base of ours, or it is not known yet */
    const struct strvec
        *base_names; /* how a FROM may name the base, besides BASE_IMAGE; NULL: no base */
    const struct strvec *base_onbuild; /* the ONBUILD triggers of the base; NULL: not known */
    int64_t period;                    /* number of the present period, -1: no maximum age */
};

struct identity {
    char hex[IDENTITY_HEX];
    size_t file_count;  /* entries of the context that count, folders and links included */
    int64_t byte_count; /* contents of the files among them */
    size_t seen_count;  /* entries that were not ignored, whether they count or not */
    bool whole_context; /* every entry that is not ignored counts */
    char reason[200];   /* why: "Dockerfile.lambda:12: COPY . …", or "" */
    bool git_folder;    /* a folder .git is among what counts: every commit is a change */
    char git_path[128]; /* where ("app/.git"; cut if longer), or "" */
    bool uses_base;     /* a stage that counts starts from the base, or copies from it */
    char parts[IDENTITY_PARTS_SIZE]; /* for an image label; identity_explain() compares two */
};

/* ret_identity holds no pointers: nothing to release. */
int context_identity(const struct identity_request *request, struct identity *ret_identity,
                     struct error *err);

/*
 * Only the Dockerfile of a request, parsed (for pinning the base). ret_dockerfile is the caller's
 * to release. Of the request only workspace, file, platform and build_args are looked at.
 */
int context_dockerfile(const struct identity_request *request, struct dockerfile *ret_dockerfile,
                       struct error *err);

#endif
