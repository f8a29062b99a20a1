/*
 * dockerfile_words.h: words of a Dockerfile: quotes, escapes, variables, heredoc marks. Pure.
 *
 * Source: moby/buildkit frontend/dockerfile/shell/lex.go and parser/parser.go (heredocs).
 */
#ifndef MODEL_DOCKERFILE_WORDS_H
#define MODEL_DOCKERFILE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/strbuf.h"
#include "core/strvec.h"

/* What is known about a variable. */
enum dockerfile_variable {
    DOCKERFILE_UNSET,  /* certainly not set */
    DOCKERFILE_SET,    /* *ret_value */
    DOCKERFILE_UNKNOWN /* only the build will show */
};
typedef enum dockerfile_variable dockerfile_lookup(void *context, const char *name,
                                                   const char **ret_value);

/*
 * `word` with quotes and escapes taken away and $NAME, ${NAME}, ${NAME:-word}, :+ + :? ? # ## % %%
 * /
 * // replaced. `lookup` NULL: nothing is set. *ret_unknown (may be NULL) gets the name of the first
 * unknown variable (heap, the caller's) or NULL; then the text is worth nothing. ERROR_INPUT
 * without a place: "bad substitution", an open quote, a `:?` that strikes.
 */
int dockerfile_expand(const char *word, char escape, dockerfile_lookup *lookup, void *context,
                      struct strbuf *ret_text, char **ret_unknown, struct error *err);

/* A heredoc that a line opens: `<<EOF`, `<<-"EOF"`, `3<<EOF`. */
struct dockerfile_heredoc {
    char *name; /* owned; the line that ends it */
    bool chomp; /* `<<-`: tabs in front of that line do not matter */
};
/* If the whole of `word` is such a mark. */
bool dockerfile_is_heredoc(const char *word, struct dockerfile_heredoc *ret_heredoc);
/* The marks in a line, at most `max`; the names are the caller's. Gives their number. */
size_t dockerfile_find_heredocs(const char *line, struct dockerfile_heredoc *ret_heredocs,
                                size_t max);

/* Words between white space (any Unicode white space); quotes and escapes keep words together and
 * stay in. For ARG and ENV. */
void dockerfile_split_words(const char *text, char escape, struct strvec *ret_words);

/* Parts between runs of space, \t, \v, \f, \r, whatever quotes say. For FROM, COPY and ADD. */
void dockerfile_split_plain(const char *text, struct strvec *ret_words);

/* A JSON array of strings and nothing else: true and its strings. *ret_mixed: it is a JSON array,
 * but not only of strings (that is an error in a Dockerfile). */
bool dockerfile_json_strings(const char *text, struct strvec *ret_values, bool *ret_mixed);

#endif
