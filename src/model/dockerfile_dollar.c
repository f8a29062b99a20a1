/* $NAME, ${NAME} and its modifiers. */
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"
#include "model/dockerfile_lexer.h"
#include "model/dockerfile_pattern.h"

static int fail(struct lexer *lexer, const char *what)
{
    return error_set(lexer->err, ERROR_INPUT, "%s in '%s'", what, lexer->source);
}

static char peek(const struct lexer *lexer)
{
    return lexer->at < lexer->end ? *lexer->at : '\0';
}

static void note_unknown(struct lexer *lexer, const char *name)
{
    if (!lexer->unknown)
        lexer->unknown = memory_copy_string(name);
}

static bool is_name(char c)
{
    return text_is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Heap. Digits stand alone, and so do the shell's special parameters. */
static char *read_name(struct lexer *lexer)
{
    const char *start = lexer->at;
    if (text_is_digit(peek(lexer))) {
        while (text_is_digit(peek(lexer)))
            lexer->at++;
    } else if (peek(lexer) && strchr("@*#?-$!", peek(lexer))) {
        lexer->at++;
    } else {
        while (is_name(peek(lexer)))
            lexer->at++;
    }
    return memory_copy_bytes(start, (size_t)(lexer->at - start));
}

static bool is_plain(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name >= 0x80)
            return false;
    return true;
}

/* The value, or NULL if it is not set. An unknown one is noted. */
static const char *look_up(struct lexer *lexer, const char *name)
{
    const char *value = NULL;
    if (!is_plain(name)) {
        note_unknown(lexer, name);
        return NULL;
    }
    if (!lexer->lookup || strchr("@*#?-$!", name[0]))
        return NULL;
    switch (lexer->lookup(lexer->context, name, &value)) {
    case DOCKERFILE_SET:
        return value;
    case DOCKERFILE_UNKNOWN:
        note_unknown(lexer, name);
        return NULL;
    case DOCKERFILE_UNSET:
        break;
    }
    return NULL;
}

/* A word inside of a substitution; the words of the line around it must not see it. What was read
 * of the present one is lost, as in BuildKit, whose inner and outer words share a buffer: that
 * decides whether `<<EOF${A:-b}` opens a heredoc. */
static int read_inner(struct lexer *lexer, char stop, bool raw_escapes, struct strbuf *out)
{
    struct strvec *words = lexer->words;
    struct strbuf word = lexer->word;
    bool in_word = lexer->in_word, raw = lexer->raw_escapes;
    lexer->words = NULL;
    lexer->word = (struct strbuf)STRBUF_INIT(STRBUF_NO_CAP);
    lexer->raw_escapes = raw_escapes;
    int rc = lexer_run(lexer, stop, out);
    strbuf_release(&lexer->word);
    strbuf_reset(&word);
    lexer->words = words;
    lexer->word = word;
    lexer->in_word = in_word;
    lexer->raw_escapes = raw;
    return rc;
}

/* `:?` and `?`: the user's own message. What is not known cannot be blamed. */
static int demand(struct lexer *lexer, const char *name, const char *value, bool empty_counts,
                  const char *message)
{
    bool unset = !value, empty = value && !*value && empty_counts;
    if ((!unset && !empty) || lexer->unknown)
        return 0;
    if (!*message)
        message = unset ? "is not allowed to be unset" : "is not allowed to be empty";
    return error_set(lexer->err, ERROR_INPUT, "%s: %s", name, message);
}

static int cut(struct lexer *lexer, char modifier, const char *value, const char *pattern,
               struct strbuf *out)
{
    bool longest = pattern[0] == modifier;
    pattern += longest ? 1 : 0;
    if (!dockerfile_pattern_is_valid(pattern))
        return fail(lexer, "an invalid pattern");
    dockerfile_pattern_cut(pattern, value ? value : "", modifier == '%', longest, out);
    return 0;
}

static int modify(struct lexer *lexer, const char *name, char modifier, bool empty_counts,
                  const char *word, struct strbuf *out)
{
    const char *value = look_up(lexer, name);
    bool missing = !value || (empty_counts && !*value);
    switch (modifier) {
    case '-':
        strbuf_addstr(out, missing ? word : value);
        return 0;
    case '+':
        strbuf_addstr(out, missing ? "" : word);
        return 0;
    case '?':
        strbuf_addstr(out, value);
        return demand(lexer, name, value, empty_counts, word);
    default:
        return cut(lexer, modifier, value, word, out);
    }
}

/* Behind the name: `:-word}` and its kin. */
static int read_modifier(struct lexer *lexer, const char *name, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf word = STRBUF_INIT(STRBUF_NO_CAP);
    const char *start = lexer->at;
    bool empty_counts = peek(lexer) == ':';
    if (empty_counts)
        lexer->at++;
    char modifier = peek(lexer);
    bool raw = modifier == '#' || modifier == '%';
    if (!modifier || !strchr("+-?#%", modifier) || (empty_counts && raw))
        return fail(lexer, "an unsupported modifier of a variable");
    lexer->at++;
    if (read_inner(lexer, '}', raw, &word) < 0)
        return -1;
    if (lexer->keep_unset && !look_up(lexer, name)) {
        strbuf_addf(out, "${%s", name);
        strbuf_add(out, start, (size_t)(empty_counts ? 2 : 1));
        strbuf_addf(out, "%s}", word.buf);
        return 0;
    }
    return modify(lexer, name, modifier, empty_counts, word.buf, out);
}

/* Behind the name and the first slash: `pattern/word}` or `/pattern/word}`. */
static int read_replacement(struct lexer *lexer, const char *name, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf pattern = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf word = STRBUF_INIT(STRBUF_NO_CAP);
    bool all = peek(lexer) == '/';
    if (all)
        lexer->at++;
    if (read_inner(lexer, '/', true, &pattern) < 0 || read_inner(lexer, '}', true, &word) < 0)
        return -1;
    const char *value = look_up(lexer, name);
    if (lexer->keep_unset && !value) {
        strbuf_addf(out, "${%s/%s/%s}", name, pattern.buf, word.buf);
        return 0;
    }
    if (!dockerfile_pattern_is_valid(pattern.buf))
        return fail(lexer, "an invalid pattern");
    if (pattern.len == 0 || strchr(word.buf, '$'))
        note_unknown(lexer, name); /* Go's regular expressions make something odd of these */
    dockerfile_pattern_replace(pattern.buf, value ? value : "", word.buf, all, out);
    return 0;
}

static int braces(struct lexer *lexer, struct strbuf *out)
{
    char next = peek(lexer);
    if (!next)
        return fail(lexer, "a '}' is missing");
    if (next == '{' || next == '}' || next == ':')
        return fail(lexer, "a bad substitution");
    CLEANUP_FREE char *name = read_name(lexer);
    if (peek(lexer) == '/') {
        lexer->at++;
        return read_replacement(lexer, name, out);
    }
    if (peek(lexer) != '}')
        return read_modifier(lexer, name, out);
    lexer->at++;
    const char *value = look_up(lexer, name);
    if (!value && lexer->keep_unset)
        strbuf_addf(out, "${%s}", name);
    else
        strbuf_addstr(out, value);
    return 0;
}

int lexer_dollar(struct lexer *lexer, struct strbuf *out)
{
    lexer->at++;
    if (peek(lexer) == '{') {
        lexer->at++;
        return braces(lexer, out);
    }
    CLEANUP_FREE char *name = read_name(lexer);
    if (!*name) {
        strbuf_addch(out, '$');
        return 0;
    }
    const char *value = look_up(lexer, name);
    if (!value && lexer->keep_unset)
        strbuf_addf(out, "$%s", name);
    else
        strbuf_addstr(out, value);
    return 0;
}
