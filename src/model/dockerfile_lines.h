/*
 * dockerfile_lines.h: from a Dockerfile's text to its instructions: parser directives, comments,
 * continuation lines, heredocs, flags. Not for others: model/dockerfile.h is. Pure.
 *
 * Source: moby/buildkit frontend/dockerfile/parser/{parser,directives,split_command}.go.
 */
#ifndef MODEL_DOCKERFILE_LINES_H
#define MODEL_DOCKERFILE_LINES_H

#include "model/dockerfile.h"

/* Fills in `instructions`, `escape`, `syntax` and `foreign`. `name` must be set. */
int dockerfile_lines(struct dockerfile *dockerfile, const char *text, size_t len,
                     struct error *err);

/* One line that is whole already, such as an ONBUILD trigger. ret_instruction is written to (and is
 * the caller's to release) on success only. ERROR_INPUT without a place. */
int dockerfile_split_line(const char *text, char escape, int line,
                          struct dockerfile_instruction *ret_instruction, struct error *err);
void dockerfile_instruction_release(struct dockerfile_instruction *instruction);

/* Does a frontend of this name ("docker/dockerfile:1") read a Dockerfile as ours does? */
bool dockerfile_is_our_syntax(const char *syntax);

#endif
