/*
 * Quotes, escapes and variables of one word, and the words of a line that may hold heredoc marks.
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "model/dockerfile_lexer.h"
#include "model/dockerfile_pattern.h"
#include "model/glob.h"

static bool at_end(const struct lexer *lexer)
{
    return lexer->at == lexer->end;
}

static char peek(const struct lexer *lexer)
{
    return at_end(lexer) ? '\0' : *lexer->at;
}

static int fail(struct lexer *lexer, const char *what)
{
    return error_set(lexer->err, ERROR_INPUT, "%s in '%s'", what, lexer->source);
}

/* Words: what was quoted or escaped never ends one. */
static void add_raw(struct lexer *lexer, const char *bytes, size_t len)
{
    strbuf_add(&lexer->word, bytes, len);
    lexer->in_word = true;
}

static void end_word(struct lexer *lexer)
{
    if (lexer->word.len == 0)
        return;
    if (lexer->words)
        strvec_push(lexer->words, lexer->word.buf);
    strbuf_reset(&lexer->word);
    lexer->in_word = false;
}

static void add_splitting(struct lexer *lexer, const char *bytes, size_t len)
{
    for (size_t i = 0, step; i < len; i += step) {
        bool space = glob_is_space(glob_decode(bytes + i, &step));
        if (space && lexer->in_word)
            end_word(lexer);
        else if (!space)
            add_raw(lexer, bytes + i, step);
    }
}

static int single_quotes(struct lexer *lexer, struct strbuf *out)
{
    const char *start = lexer->at;
    const char *close = memchr(start + 1, '\'', (size_t)(lexer->end - start - 1));
    if (!close)
        return fail(lexer, "a single quote is not closed");
    if (lexer->raw_quotes)
        strbuf_add(out, start, (size_t)(close + 1 - start));
    else
        strbuf_add(out, start + 1, (size_t)(close - start - 1));
    lexer->at = close + 1;
    return 0;
}

/* Behind a backslash between double quotes only these lose it. */
static bool is_escapable(const struct lexer *lexer, char c)
{
    return c == '"' || c == '$' || c == lexer->escape;
}

static int double_quotes(struct lexer *lexer, struct strbuf *out)
{
    lexer->at++;
    if (lexer->raw_quotes)
        strbuf_addch(out, '"');
    while (!at_end(lexer) && *lexer->at != '"') {
        if (*lexer->at == '$') {
            if (lexer_dollar(lexer, out) < 0)
                return -1;
            continue;
        }
        char c = *lexer->at++;
        if (c == lexer->escape) {
            if (lexer->raw_escapes)
                strbuf_addch(out, c);
            if (at_end(lexer))
                continue;
            if (is_escapable(lexer, *lexer->at))
                c = *lexer->at++;
        }
        strbuf_addch(out, c);
    }
    if (at_end(lexer))
        return fail(lexer, "a double quote is not closed");
    lexer->at++;
    if (lexer->raw_quotes)
        strbuf_addch(out, '"');
    return 0;
}

/* `<<` keeps the white space behind it, so that `<< EOF` stays one word. */
static int less_than(struct lexer *lexer, struct strbuf *out)
{
    const char *start = lexer->at++;
    if (peek(lexer) == '<') {
        lexer->at++;
        while (peek(lexer) == ' ' || peek(lexer) == '\t' || peek(lexer) == '\r')
            lexer->at++;
    }
    strbuf_add(out, start, (size_t)(lexer->at - start));
    return 0;
}

static int special(struct lexer *lexer, struct strbuf *out)
{
    size_t before = out->len;
    char c = *lexer->at;
    int rc = c == '$'    ? lexer_dollar(lexer, out)
             : c == '\'' ? single_quotes(lexer, out)
             : c == '"'  ? double_quotes(lexer, out)
                         : less_than(lexer, out);
    if (rc < 0)
        return -1;
    if (c == '$')
        add_splitting(lexer, out->buf + before, out->len - before);
    else
        add_raw(lexer, out->buf + before, out->len - before);
    return 0;
}

static void ordinary(struct lexer *lexer, struct strbuf *out)
{
    size_t bytes;
    if (*lexer->at == lexer->escape) {
        if (lexer->raw_escapes) {
            add_raw(lexer, lexer->at, 1);
            strbuf_addch(out, *lexer->at);
        }
        if (++lexer->at == lexer->end)
            return;
        (void)glob_decode(lexer->at, &bytes);
        add_raw(lexer, lexer->at, bytes);
    } else {
        (void)glob_decode(lexer->at, &bytes);
        add_splitting(lexer, lexer->at, bytes);
    }
    strbuf_add(out, lexer->at, bytes);
    lexer->at += bytes;
}

int lexer_run(struct lexer *lexer, char stop, struct strbuf *out)
{
    while (!at_end(lexer)) {
        if (stop && *lexer->at == stop) {
            lexer->at++;
            end_word(lexer);
            return 0;
        }
        if (strchr("$<'\"", *lexer->at)) {
            if (special(lexer, out) < 0)
                return -1;
        } else {
            ordinary(lexer, out);
        }
    }
    if (stop)
        return fail(lexer, stop == '}' ? "a '}' is missing" : "a '/' is missing");
    end_word(lexer);
    return 0;
}

int dockerfile_expand(const char *word, char escape, dockerfile_lookup *lookup, void *context,
                      struct strbuf *ret_text, char **ret_unknown, struct error *err)
{
    struct lexer lexer = {.source = word,
                          .at = word,
                          .end = word + strlen(word),
                          .escape = escape,
                          .lookup = lookup,
                          .context = context,
                          .word = STRBUF_INIT(STRBUF_NO_CAP),
                          .err = err};
    strbuf_reset(ret_text);
    int rc = lexer_run(&lexer, '\0', ret_text);
    strbuf_release(&lexer.word);
    if (ret_unknown)
        *ret_unknown = rc == 0 ? lexer.unknown : NULL;
    if (rc < 0 || !ret_unknown)
        free(lexer.unknown);
    return rc;
}

/* The words of a text in which no variable is replaced. False: it is not well-formed. */
static bool split(const char *text, bool raw_quotes, bool raw_escapes, struct strvec *ret_words)
{
    struct error ignored = ERROR_INIT;
    struct strbuf out = STRBUF_INIT(STRBUF_NO_CAP);
    struct lexer lexer = {.source = text,
                          .at = text,
                          .end = text + strlen(text),
                          .escape = '\\',
                          .raw_quotes = raw_quotes,
                          .raw_escapes = raw_escapes,
                          .keep_unset = true,
                          .words = ret_words,
                          .word = STRBUF_INIT(STRBUF_NO_CAP),
                          .err = &ignored};
    int rc = lexer_run(&lexer, '\0', &out);
    strbuf_release(&out);
    strbuf_release(&lexer.word);
    free(lexer.unknown);
    return rc == 0;
}

/* "3<<-EOF": digits, `<<`, perhaps `-`, white space, the rest without `<`. */
static const char *heredoc_rest(const char *word, bool *ret_chomp)
{
    word += strspn(word, "0123456789");
    if (strncmp(word, "<<", 2) != 0)
        return NULL;
    word += 2;
    *ret_chomp = *word == '-';
    word += *ret_chomp ? 1 : 0;
    word += strspn(word, " \t\n\f\r");
    return *word && !strchr(word, '<') ? word : NULL;
}

bool dockerfile_is_heredoc(const char *word, struct dockerfile_heredoc *ret_heredoc)
{
    bool chomp;
    const char *rest = heredoc_rest(word, &chomp);
    if (!rest)
        return false;
    struct strvec words = STRVEC_INIT;
    bool single = split(rest, false, false, &words) && words.len == 1;
    if (single && ret_heredoc)
        *ret_heredoc =
            (struct dockerfile_heredoc){.name = memory_copy_string(words.items[0]), .chomp = chomp};
    strvec_release(&words);
    return single;
}

size_t dockerfile_find_heredocs(const char *line, struct dockerfile_heredoc *ret_heredocs,
                                size_t max)
{
    struct strvec words = STRVEC_INIT;
    size_t found = 0;
    if (split(line, true, true, &words))
        for (size_t i = 0; i < words.len && found < max; i++)
            found += dockerfile_is_heredoc(words.items[i], &ret_heredocs[found]) ? 1 : 0;
    strvec_release(&words);
    return found;
}
