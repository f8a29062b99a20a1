/*
 * dockerfile_lexer.h: the state that dockerfile_expand.c and dockerfile_dollar.c share. Not for
 * others: model/dockerfile_words.h is.
 */
#ifndef MODEL_DOCKERFILE_LEXER_H
#define MODEL_DOCKERFILE_LEXER_H

#include "model/dockerfile_words.h"

struct lexer {
    const char *source, *at, *end; /* borrowed */
    char escape;
    bool raw_quotes, raw_escapes; /* quotes and escapes stay in what comes out */
    bool keep_unset;              /* $NAME of an unset variable stays as it is */
    dockerfile_lookup *lookup;
    void *context;        /* borrowed */
    char *unknown;        /* owned; the first unknown variable's name */
    struct strvec *words; /* borrowed; NULL: not wanted */
    struct strbuf word;
    bool in_word;
    struct error *err; /* borrowed */
};

/* Up to `stop` (behind it afterwards) or, with '\0', to the end. */
int lexer_run(struct lexer *lexer, char stop, struct strbuf *out);

/* The variable at `at`, which is a '$'. */
int lexer_dollar(struct lexer *lexer, struct strbuf *out);

#endif
