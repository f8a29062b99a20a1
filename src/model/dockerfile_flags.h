/*
 * dockerfile_flags.h: the `--name=value` flags between an instruction and its arguments. Pure.
 *
 * Source: moby/buildkit frontend/dockerfile/parser/split_command.go, instructions/bflag.go,
 * instructions/commands_runmount.go.
 */
#ifndef MODEL_DOCKERFILE_FLAGS_H
#define MODEL_DOCKERFILE_FLAGS_H

#include "core/strvec.h"
#include "model/dockerfile.h"

/* The flags in front of `text`, without their quotes and escapes; gives the rest of the text. */
const char *dockerfile_take_flags(const char *text, char escape, struct strvec *ret_flags);

/* The value of the flag "--from", NULL: not given. The last one, should there be several. "" is
 * also what a flag without a value has. */
const char *dockerfile_flag(const struct dockerfile_instruction *instruction, const char *name);

/* If `flag` is "--name" or "--name=value", its value ("" without one), else NULL. */
const char *dockerfile_flag_value(const char *flag, const char *name);

/* A `--mount` value: "type=bind,from=build,source=/out,target=/in". */
struct dockerfile_mount {
    char *type, *from, *source; /* owned; "bind", "", "" where they are not given */
    bool unsure;                /* quotes, variables or bytes that are not ASCII: who knows */
};
void dockerfile_read_mount(const char *value, struct dockerfile_mount *ret_mount);
void dockerfile_mount_release(struct dockerfile_mount *mount);

#endif
