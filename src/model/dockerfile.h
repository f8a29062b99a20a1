/*
 * dockerfile.h: a Dockerfile as BuildKit's frontend reads it. Pure.
 *
 * dockerfile_parse takes the text apart into instructions and stages; dockerfile_reads (in
 * model/dockerfile_reads.h) says which files of the build context a target can read;
 * dockerfile_images which outside images it starts from or copies from, and as what they are
 * written, so that they can be replaced by buildx's named contexts.
 *
 * Source of the rules: moby/buildkit
 * frontend/dockerfile/{parser,instructions,shell,dockerfile2llb};
 * https://docs.docker.com/reference/dockerfile/.
 *
 * A file whose `# syntax=` names another frontend than docker/dockerfile is `foreign`: nobody but
 * that frontend knows what it means. It is taken apart as far as that goes, without errors, and
 * everything is assumed to be read.
 */
#ifndef MODEL_DOCKERFILE_H
#define MODEL_DOCKERFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/strvec.h"

struct dockerfile_instruction {
    int line;             /* of its first line, from 1 */
    char *name;           /* owned; lower case: "copy" */
    struct strvec flags;  /* "--from=build": without quotes and escapes */
    char *text;           /* owned; all behind the flags, continuation lines joined, trimmed */
    bool json;            /* `text` is a JSON array of strings */
    struct strvec values; /* that array's strings */
};

struct dockerfile_stage {
    int line;
    char *name;          /* owned; lower case; NULL: none given */
    char *written;       /* owned; the image as written: "${BASE_IMAGE}" */
    char *image;         /* owned; after expansion; NULL: cannot be known before the build */
    char *argument;      /* owned; the ARG that `written` consists of ("BASE_IMAGE"), or NULL */
    int base;            /* index of the earlier stage that `image` names, -1: an outside image */
    size_t first, count; /* its instructions, without FROM */
};

struct dockerfile_argument {
    char *name;  /* owned */
    char *value; /* owned; the default, as written; NULL: none */
};

struct dockerfile {
    char *name;   /* owned; for messages */
    char *syntax; /* owned; of `# syntax=`, or NULL */
    bool foreign;
    char escape;                                 /* '\\' or '`' */
    struct dockerfile_instruction *instructions; /* owned */
    size_t instruction_count;
    struct dockerfile_stage *stages; /* owned */
    size_t stage_count;
    struct dockerfile_argument *arguments; /* owned; every ARG of the file, ONBUILD's too */
    size_t argument_count;
    struct strvec globals; /* what FROM sees: NAME=VALUE, or NAME where the value is not known */
    struct strvec given;   /* the build arguments that it was parsed with */
};

struct dockerfile_options {
    const char *name;                /* borrowed; as the user knows it: "Dockerfile.lambda" */
    const struct strvec *build_args; /* borrowed; KEY=VALUE; NULL: none */
    const char *platform;            /* borrowed; "linux/arm64"; NULL: not known */
};

#define DOCKERFILE_INIT                                                                            \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* ERROR_INPUT, "Dockerfile.lambda:12: …", if BuildKit would not take it either. ret_dockerfile must
 * be DOCKERFILE_INIT or released, and is released by the caller after an error, too. */
int dockerfile_parse(const char *text, size_t len, const struct dockerfile_options *options,
                     struct dockerfile *ret_dockerfile, struct error *err);
void dockerfile_release(struct dockerfile *dockerfile);

/* An ARG of this name stands somewhere in it. */
bool dockerfile_declares(const struct dockerfile *dockerfile, const char *argument);

/*
 * The stage that `target` names (NULL or "": the last one). ERROR_INPUT names those that are there.
 */
int dockerfile_find_target(const struct dockerfile *dockerfile, const char *target,
                           size_t *ret_stage, struct error *err);

/* For each stage whether `target`'s stage needs it (array of stage_count); all of them where that
 * cannot be known. */
void dockerfile_needed(const struct dockerfile *dockerfile, size_t target, bool *ret_needed);

/* How a Dockerfile comes to an image from outside. */
struct dockerfile_image {
    int line;
    char *name;     /* owned; after expansion, or as written if that cannot be known */
    char *argument; /* owned; the ARG that its FROM consists of, or NULL */
    size_t stage;   /* that starts or copies from it */
    bool known;     /* the name is certain */
};
struct dockerfile_images {
    struct dockerfile_image *items; /* owned */
    size_t len;
};
#define DOCKERFILE_IMAGES_INIT                                                                     \
    {                                                                                              \
        .items = NULL, .len = 0                                                                    \
    }

/* Of the stages that `target` (a stage's index) needs; "scratch" and stages are left out. */
void dockerfile_images(const struct dockerfile *dockerfile, size_t target,
                       struct dockerfile_images *ret_images);
void dockerfile_images_release(struct dockerfile_images *images);

/* The ONBUILD triggers of a stage, as they are written behind that word: what the stage's image
 * brings to those that start from it (not what it was itself started from). */
void dockerfile_triggers(const struct dockerfile *dockerfile, size_t stage,
                         struct strvec *ret_triggers);
/* One of these may take something from a stage or another image (`--from=`, `--mount=from=`). */
bool dockerfile_triggers_take(const struct strvec *triggers);
/*
 * An image whose publisher is known to give none any triggers: Docker's official images (a name
 * without a slash among them: whoever has such an image in the engine itself, with triggers, is not
 * noticed), AWS's, distroless, Microsoft's. "onbuild" in the name: not such a one.
 */
bool dockerfile_is_without_triggers(const char *image);

/* Two ways to write one image: "python" is "docker.io/library/python:latest". */
bool dockerfile_same_image(const char *a, const char *b);

/*
 * How our base image is used: a FROM that consists of the argument BASE_IMAGE for which no build
 * argument was given, or an image that is called like one of `base_names`. *ret_by_argument: by
 * the argument alone (pass --build-arg BASE_IMAGE). ret_names: the names to give to
 * --build-context. A stage called like one of these names hides it: then nothing is found, as
 * BuildKit finds nothing. NULL outputs are not wanted.
 */
#define DOCKERFILE_BASE_ARGUMENT "BASE_IMAGE"
bool dockerfile_uses_base(const struct dockerfile *dockerfile, size_t target,
                          const struct strvec *base_names, bool *ret_by_argument,
                          struct strvec *ret_names);
bool dockerfile_starts_from_base(const struct dockerfile *dockerfile,
                                 const struct dockerfile_stage *stage,
                                 const struct strvec *base_names);

/*
 * What can be built before our base is there: of the stages that `target` needs those that do not
 * need the base, without those that another of them needs. Their names; a stage without a name is
 * left out, and nothing is found where the target itself does not need the base, or where it cannot
 * be known what a stage needs.
 */
void dockerfile_stages_without_base(const struct dockerfile *dockerfile, size_t target,
                                    const struct strvec *base_names, struct strvec *ret_names);

#endif
