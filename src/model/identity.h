/*
 * identity.h: what an image is made of, condensed to one key. Pure: the parts are given, never
 * read.
 *
 * The key is the SHA-256 of the line "lambda-fastdeploy identity 1\n" and of the parts in the order
 * of enum identity_part, each as tag byte, length (8 bytes, big endian) and bytes; what is not
 * given is left out, so that "no check" and "an empty check" differ. The entries of the context
 * enter as one part: the SHA-256 over their records in the order in which they were added, which
 * must be the same for the same tree whatever the file system's order. A record is the type's
 * letter, the permission bits, the path and the detail; numbers and the lengths in front of path
 * and detail take 8 bytes, big endian.
 *
 * The format's version is part of the key: a new version rebuilds every image once.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/strbuf.h"
#include "core/strvec.h"

#define IDENTITY_HEX SHA256_HEX
#define IDENTITY_PARTS_SIZE                                                                        \
    4096 /* ECR and the engine take far larger labels; people read this one */

enum identity_part {
    IDENTITY_DOCKERFILE, /* its bytes */
    IDENTITY_ARGUMENT,   /* KEY=VALUE, once for each, in the order of their keys */
    IDENTITY_TARGET,
    IDENTITY_PLATFORM,
    IDENTITY_COMPRESSION,
    IDENTITY_CHECK,
    IDENTITY_BASE,
    IDENTITY_PERIOD,
    IDENTITY_CONTEXT, /* made by identity_finish from the entries */
};

enum identity_type {
    IDENTITY_FILE = 'f',
    IDENTITY_FOLDER = 'd',
    IDENTITY_LINK = 'l',
    IDENTITY_FIFO = 'p',
    IDENTITY_SOCKET = 's',
    IDENTITY_BLOCK = 'b',
    IDENTITY_CHARACTER = 'c',
};

struct identity_entry {
    enum identity_type type;
    const char *path; /* borrowed; relative to the context, no "./"; any bytes but 0 and '/'-runs */
    unsigned mode;    /* permission bits 07777; links: ignored */
    const void *detail; /* borrowed; file: SHA-256 of the content; link: its target; device:
                           "major:minor" */
    size_t detail_len;
};

struct identity_builder; /* opaque */

struct identity_builder *identity_new(void);
void identity_free(struct identity_builder *builder); /* NULL is fine */

/* NULL text: left out. Parts must be added in the order of the enum, entries at any time. */
void identity_add(struct identity_builder *builder, enum identity_part part, const void *bytes,
                  size_t len);
void identity_add_text(struct identity_builder *builder, enum identity_part part, const char *text);
void identity_add_entry(struct identity_builder *builder, const struct identity_entry *entry);

/* The key, and the digests of the parts as text for a label (cut to what fits in
 * IDENTITY_PARTS_SIZE). The builder is spent: only identity_free may follow. */
void identity_finish(struct identity_builder *builder, char ret_hex[IDENTITY_HEX],
                     struct strbuf *ret_parts);

/*
 * The text of the parts: "1 file=9b1c22f0 arg.PY=… target=… platform=… compression=… check=… base=…
 * period=… context=… path.app/=… path.requirements.txt=…", each digest the first 8 hex digits, no
 * value in clear. `path` lists the first names below the context's root; those that do not fit are
 * put together as "more".
 *
 * identity_explain says in words what differs between the parts of an image that is there and the
 * ones wanted: "app/ and requirements.txt changed", "the build argument PY changed", at most five
 * things. "" if nothing does, or if `old` is not such a text. `file` is the Dockerfile's name.
 */
void identity_explain(const char *old_parts, const char *new_parts, const char *file,
                      struct strbuf *ret_text);

/*
 * The build arguments that count, as sorted KEY=VALUE: of `given` (the last one of a KEY wins)
 * those in `declared` and those BuildKit itself listens to. `all`: every one (a frontend of its
 * own).
 */
void identity_arguments(const struct strvec *given, const struct strvec *declared, bool all,
                        struct strvec *ret_arguments);

#endif
