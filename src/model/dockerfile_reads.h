/*
 * dockerfile_reads.h: which files of the build context a target of a Dockerfile can read. Pure.
 *
 * Only the instructions of the stages that the target needs count. Each COPY and ADD source and
 * each bind mount of the context becomes one read. Where a source cannot be known before the build
 * (a variable that only the upstream image sets, a flag of a newer frontend, …) `whole` is set and
 * `reason` says where: then everything that is not ignored counts.
 *
 * An image brings ONBUILD triggers, which copy from the context of whoever starts from it. Those of
 * our base are given; Docker's official images, AWS's and a few others have none (their publishers
 * gave triggers up long ago; a name that says "onbuild" does not count as theirs); of any other
 * image they are not known, and the whole context counts.
 */
#ifndef MODEL_DOCKERFILE_READS_H
#define MODEL_DOCKERFILE_READS_H

#include "model/dockerfile.h"

struct dockerfile_read {
    int line;
    char *path;    /* owned; cleaned, no slash in front; "": the root. With parents: the part before
                      "/./" */
    bool glob;     /* `path` holds wildcards of Go's path.Match, over all of it */
    char *parents; /* owned; COPY --parents: the pattern below `path` (patternmatcher's rules), or
                      NULL */
    struct strvec exclude; /* --exclude patterns, relative to what the source matched */
};

struct dockerfile_reads {
    struct dockerfile_read *items; /* owned */
    size_t len;
    bool whole;
    /* A trigger from outside declares build arguments, or may do so: all that are given count. */
    bool hidden_arguments;
    char reason[200]; /* of the first `whole`: "Dockerfile.lambda:12: $NAME is not known before the
                         build" */
};

#define DOCKERFILE_READS_INIT                                                                      \
    {                                                                                              \
        .items = NULL, .len = 0                                                                    \
    }

/* `target`: a stage's index. `onbuild`: the triggers that our base image brings, for stages that
 * start from one of base_names or $BASE_IMAGE; empty: it has none; NULL: not known. base_names
 * NULL: there is no base of ours. ERROR_INPUT for what only shows on expansion ("bad
 * substitution"). */
int dockerfile_reads(const struct dockerfile *dockerfile, size_t target,
                     const struct strvec *base_names, const struct strvec *onbuild,
                     struct dockerfile_reads *ret_reads, struct error *err);
void dockerfile_reads_release(struct dockerfile_reads *reads);

#endif
