/*
 * One pattern of an ignore file.
 *
 * The original turns a pattern into a regular expression of Go's; here it becomes a row of tokens
 * with the same meaning. In brackets, what the expression would be:
 *     c       LITERAL        ?    NOT_SLASH [^/]      *        RUN [^/]*
 *     [a-z]   CLASS          ^    START ^             **, **!/ FOLDERS (.*!/)?
 * or ANY .*, where ** stands at the end (read "!/" as "/"). A '.' of a regular expression does not
 * match a line feed; [^/] does.
 */
#include "model/ignore_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/glob.h"

enum token_kind { LITERAL, NOT_SLASH, RUN, CLASS, START, FOLDERS, ANY };

struct ignore_token {
    enum token_kind kind;
    uint32_t character;   /* LITERAL */
    bool negated;         /* CLASS */
    uint32_t *ranges;     /* owned; CLASS: pairs low, high */
    uint32_t range_count; /* pairs */
};

static struct ignore_token *add_token(struct ignore_pattern *pattern, enum token_kind kind)
{
    size_t count = pattern->token_count;
    if ((count & (count - 1)) == 0) /* at every power of two there is no room left */
        pattern->tokens =
            memory_resize(pattern->tokens, count ? 2 * count : 1, sizeof *pattern->tokens);
    struct ignore_token *token = &pattern->tokens[pattern->token_count++];
    *token = (struct ignore_token){.kind = kind};
    return token;
}

/* A backslash and a letter or digit is a character class or more in a regular expression. */
static bool is_plain_escape(uint32_t character)
{
    bool word = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
                (character >= 'A' && character <= 'Z');
    return !word && character < 0x80;
}

/* One character of a class; false where the regular expression would mean something else. */
static bool class_character(const char **text, uint32_t *ret_character)
{
    size_t bytes;
    bool escaped = **text == '\\';
    if (escaped)
        (*text)++;
    else if (strchr("*?[", **text)) /* they turn into something else, or may start it */
        return false;
    *ret_character = glob_decode(*text, &bytes);
    if (escaped && !is_plain_escape(*ret_character))
        return false;
    *text += bytes;
    return true;
}

/* *text stands behind '['; well-formed as glob_is_valid has seen. */
static bool add_class(struct ignore_pattern *pattern, const char **text)
{
    struct ignore_token *token = add_token(pattern, CLASS);
    if (**text == '^') {
        token->negated = true;
        (*text)++;
    }
    while (**text != ']') {
        uint32_t low, high;
        if (!class_character(text, &low))
            return false;
        high = low;
        if (**text == '-') {
            (*text)++;
            if (!class_character(text, &high))
                return false;
        }
        if (high < low)
            return false;
        token->ranges =
            memory_resize(token->ranges, token->range_count + 1, 2 * sizeof *token->ranges);
        token->ranges[2 * token->range_count] = low;
        token->ranges[2 * token->range_count + 1] = high;
        token->range_count++;
    }
    (*text)++;
    return true;
}

/* *text stands behind "**"; the slash that may follow belongs to it. */
static void add_double_star(struct ignore_pattern *pattern, const char **text, bool first)
{
    if (**text == '/')
        (*text)++;
    if (**text) {
        add_token(pattern, FOLDERS);
        pattern->kind = IGNORE_TOKENS;
    } else if (pattern->kind == IGNORE_EXACT) {
        pattern->kind = IGNORE_PREFIX;
    } else {
        add_token(pattern, ANY);
        pattern->kind = IGNORE_TOKENS;
    }
    if (first)
        pattern->kind = IGNORE_SUFFIX;
}

/* One element of the pattern other than "**"; false: uncertain. */
static bool add_element(struct ignore_pattern *pattern, const char **text)
{
    size_t bytes;
    uint32_t character = glob_decode(*text, &bytes);
    *text += bytes;
    switch (character) {
    case '*':
        add_token(pattern, RUN);
        break;
    case '?':
        add_token(pattern, NOT_SLASH);
        break;
    case '[':
        pattern->kind = IGNORE_TOKENS;
        return add_class(pattern, text);
    case '\\':
        character = glob_decode(*text, &bytes);
        if (!is_plain_escape(character))
            return false;
        *text += bytes;
        add_token(pattern, LITERAL)->character = character;
        break;
    case '|':
    case '{':
    case '}':
        pattern->has_operator = true;
        __attribute__((fallthrough));
    default: /* these leave the kind as it is */
        add_token(pattern, character == '^' ? START : LITERAL)->character = character;
        return true;
    case ']':
        add_token(pattern, LITERAL)->character = character;
        break;
    }
    pattern->kind = IGNORE_TOKENS;
    return true;
}

static void drop_tokens(struct ignore_pattern *pattern)
{
    for (size_t i = 0; i < pattern->token_count; i++)
        free(pattern->tokens[i].ranges);
    free(pattern->tokens);
    pattern->tokens = NULL;
    pattern->token_count = 0;
}

static void compile_tokens(struct ignore_pattern *pattern)
{
    const char *text = pattern->text;
    bool first = true;
    pattern->kind = IGNORE_EXACT;
    for (; *text && !pattern->uncertain; first = false) {
        if (text[0] == '*' && text[1] == '*') {
            text += 2;
            add_double_star(pattern, &text, first);
        } else if (!add_element(pattern, &text)) {
            pattern->uncertain = true;
        }
    }
    /* The original escapes '.', '(' and others for its regular expression, but not these. */
    if (pattern->kind == IGNORE_TOKENS && pattern->has_operator)
        pattern->uncertain = true;
    if (pattern->kind == IGNORE_TOKENS && (!text_is_utf8(pattern->text, strlen(pattern->text)) ||
                                           text_starts_with(pattern->text, "\xEF\xBB\xBF")))
        pattern->uncertain = true; /* the original's scanner changes both */
    if (pattern->kind != IGNORE_TOKENS)
        drop_tokens(pattern);
}

/* Whether a fault behind the first row of stars is noticed depends on the version of Go. */
static bool is_refused(const char *text)
{
    size_t len = strspn(text, "*");
    bool in_class = false;
    for (; text[len] && (in_class || text[len] != '*'); len++) {
        if (text[len] == '\\' && text[len + 1])
            len++;
        else if (text[len] == '[')
            in_class = true;
        else if (text[len] == ']')
            in_class = false;
    }
    char *chunk = memory_copy_bytes(text, len);
    bool refused = !glob_is_valid(chunk);
    free(chunk);
    return refused;
}

int ignore_pattern_compile(const char *text, struct ignore_pattern *ret_pattern, struct error *err)
{
    struct ignore_pattern pattern = {.kind = IGNORE_EXACT};
    struct strbuf clean = STRBUF_INIT(STRBUF_NO_CAP);
    glob_clean(text, &clean);
    pattern.takes_back = clean.buf[0] == '!';
    const char *rest = clean.buf + (pattern.takes_back ? 1 : 0);
    int rc = 0;
    if (!*rest)
        rc = error_set(err, ERROR_INPUT, "'!' without a pattern behind it");
    else if (is_refused(rest))
        rc = error_set(err, ERROR_INPUT, "the pattern '%s' is not well-formed", rest);
    if (rc == 0) {
        pattern.text = memory_copy_string(rest);
        pattern.literal_len = strcspn(rest, "*?[]\\^");
        pattern.uncertain = !glob_is_valid(rest);
        compile_tokens(&pattern);
        *ret_pattern = pattern;
    }
    strbuf_release(&clean);
    return rc;
}

void ignore_pattern_release(struct ignore_pattern *pattern)
{
    drop_tokens(pattern);
    free(pattern->text);
    *pattern = (struct ignore_pattern){.text = NULL};
}

static bool in_class(const struct ignore_token *token, uint32_t character)
{
    for (uint32_t i = 0; i < token->range_count; i++)
        if (token->ranges[2 * i] <= character && character <= token->ranges[2 * i + 1])
            return !token->negated;
    return token->negated;
}

/* Does one character fit a token that takes exactly one? */
static bool takes(const struct ignore_token *token, uint32_t character)
{
    switch (token->kind) {
    case LITERAL:
        return character == token->character;
    case NOT_SLASH:
    case RUN:
        return character != '/';
    case CLASS:
        return in_class(token, character);
    case START:
    case FOLDERS:
    case ANY:
        break;
    }
    return character != '\n';
}

/*
 * All places in the pattern at once, character by character, so that no pattern takes long:
 * active[i] says that the tokens before i match what was read. A FOLDERS token has two places: i
 * (nothing taken yet; may also be passed over) and inside[i] (in the middle of what it takes, up to
 * a slash).
 */
struct places {
    bool *active, *inside;
    size_t count; /* tokens */
};

static void pass_over(const struct ignore_pattern *pattern, struct places *places, bool at_start)
{
    for (size_t i = 0; i < places->count; i++) {
        enum token_kind kind = pattern->tokens[i].kind;
        bool empty = kind == RUN || kind == ANY || kind == FOLDERS || (kind == START && at_start);
        if (places->active[i] && empty)
            places->active[i + 1] = true;
    }
}

static void step(const struct ignore_pattern *pattern, const struct places *from, struct places *to,
                 uint32_t character)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct ignore_token *token = &pattern->tokens[i];
        if (token->kind == FOLDERS && (from->active[i] || from->inside[i])) {
            to->inside[i] = to->inside[i] || character != '\n';
            to->active[i + 1] = to->active[i + 1] || character == '/';
        } else if (from->active[i] && token->kind != START && takes(token, character)) {
            bool stays = token->kind == RUN || token->kind == ANY;
            to->active[stays ? i : i + 1] = true;
        }
    }
}

#define SMALL 48 /* tokens of most patterns */

static bool matches_tokens(const struct ignore_pattern *pattern, const char *path)
{
    size_t count = pattern->token_count, row = count + 1;
    bool small[4 * (SMALL + 1)];
    bool *cells = count <= SMALL ? small : memory_new(4 * row);
    memset(cells, 0, 4 * row);
    struct places now = {cells, cells + row, count},
                  next = {cells + 2 * row, cells + 3 * row, count};
    now.active[0] = true;
    pass_over(pattern, &now, true);
    while (*path) {
        size_t bytes;
        uint32_t character = glob_decode(path, &bytes);
        memset(next.active, 0, 2 * row);
        step(pattern, &now, &next, character);
        pass_over(pattern, &next, false);
        struct places swap = now;
        now = next;
        next = swap;
        path += bytes;
    }
    bool matched = now.active[count];
    if (cells != small)
        free(cells);
    return matched;
}

/* "**!/x": whatever ends in "/x", and "x" itself. */
static bool matches_suffix(const char *suffix, const char *path)
{
    return text_ends_with(path, suffix) || (suffix[0] == '/' && strcmp(path, suffix + 1) == 0);
}

bool ignore_pattern_matches(const struct ignore_pattern *pattern, const char *path)
{
    switch (pattern->kind) {
    case IGNORE_EXACT:
        return strcmp(path, pattern->text) == 0;
    case IGNORE_PREFIX:
        return strncmp(path, pattern->text, strlen(pattern->text) - 2) == 0;
    case IGNORE_SUFFIX:
        return matches_suffix(pattern->text + 2, path);
    case IGNORE_TOKENS:
        break;
    }
    if (strncmp(path, pattern->text, pattern->literal_len) != 0)
        return false; /* what stands before the first special character is compared first: fast */
    return matches_tokens(pattern, path);
}
