/* Splitting a line into words, and JSON arrays of strings. */
#include "model/dockerfile_words.h"

#include <string.h>

#include "core/cleanup.h"
#include "model/glob.h"

/* The scanner of dockerfile_split_words: one word after the other, quotes and escapes left in. */
struct splitter {
    const char *at;
    char escape;
    struct strbuf word;
    bool quoted; /* there were quotes: the word counts even if it is empty */
};

static void take(struct splitter *splitter, size_t bytes)
{
    strbuf_add(&splitter->word, splitter->at, bytes);
    splitter->at += bytes;
}

/* From the opening quote to behind the closing one, or to the end. */
static void take_quotes(struct splitter *splitter)
{
    char quote = *splitter->at;
    splitter->quoted = true;
    take(splitter, 1);
    while (*splitter->at) {
        char c = *splitter->at;
        if (c == splitter->escape && quote != '\'') {
            if (!splitter->at[1]) {
                splitter->at++;
                return;
            }
            take(splitter, 1);
            c = '\0';
        }
        size_t bytes;
        (void)glob_decode(splitter->at, &bytes);
        take(splitter, bytes);
        if (c == quote)
            return;
    }
}

static bool take_word(struct splitter *splitter)
{
    size_t bytes;
    strbuf_reset(&splitter->word);
    splitter->quoted = false;
    while (*splitter->at && !glob_is_space(glob_decode(splitter->at, &bytes))) {
        if (*splitter->at == '\'' || *splitter->at == '"') {
            take_quotes(splitter);
        } else if (*splitter->at != splitter->escape) {
            take(splitter, bytes);
        } else if (splitter->at[1]) {
            take(splitter, 1);
            (void)glob_decode(splitter->at, &bytes);
            take(splitter, bytes);
        } else {
            splitter->at++;
        }
    }
    return splitter->word.len > 0 || splitter->quoted;
}

void dockerfile_split_words(const char *text, char escape, struct strvec *ret_words)
{
    struct splitter splitter = {.at = text, .escape = escape, .word = STRBUF_INIT(STRBUF_NO_CAP)};
    size_t bytes;
    while (*splitter.at) {
        if (glob_is_space(glob_decode(splitter.at, &bytes)))
            splitter.at += bytes;
        else if (take_word(&splitter))
            strvec_push(ret_words, splitter.word.buf);
    }
    strbuf_release(&splitter.word);
}

void dockerfile_split_plain(const char *text, struct strvec *ret_words)
{
    static const char spaces[] = " \t\v\f\r";
    CLEANUP(strbuf) struct strbuf word = STRBUF_INIT(STRBUF_NO_CAP);
    while (*text) {
        size_t len = strcspn(text, spaces);
        strbuf_reset(&word);
        strbuf_add(&word, text, len);
        strvec_push(ret_words, word.buf);
        text += len;
        text += strspn(text, spaces);
    }
}

static const char *skip_json_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)((found - digits) % 16) : -1;
}

static void add_utf8(struct strbuf *out, unsigned c)
{
    if (c < 0x80) {
        strbuf_addch(out, (char)c);
    } else if (c < 0x800) {
        strbuf_addch(out, (char)(0xC0 | c >> 6));
        strbuf_addch(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        strbuf_addch(out, (char)(0xE0 | c >> 12));
        strbuf_addch(out, (char)(0x80 | (c >> 6 & 0x3F)));
        strbuf_addch(out, (char)(0x80 | (c & 0x3F)));
    } else {
        strbuf_addch(out, (char)(0xF0 | c >> 18));
        strbuf_addch(out, (char)(0x80 | (c >> 12 & 0x3F)));
        strbuf_addch(out, (char)(0x80 | (c >> 6 & 0x3F)));
        strbuf_addch(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* Four hex digits; -1: they are not. */
static int unit(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* *at stands behind "\u". Half of a surrogate pair alone becomes U+FFFD, as in Go. */
static bool take_unicode(const char **at, struct strbuf *out)
{
    int high = unit(*at);
    if (high < 0)
        return false;
    *at += 4;
    unsigned c = (unsigned)high;
    if (c >= 0xD800 && c < 0xE000) {
        int low = c < 0xDC00 && (*at)[0] == '\\' && (*at)[1] == 'u' ? unit(*at + 2) : -1;
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + ((unsigned)low - 0xDC00);
            *at += 6;
        } else {
            c = 0xFFFD;
        }
    }
    if (c == 0)
        return false; /* no path holds one, and no C string either */
    add_utf8(out, c);
    return true;
}

/* *at stands on the opening quote; afterwards behind the closing one. */
static bool take_string(const char **at, struct strbuf *out)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    strbuf_reset(out);
    for (++*at; **at != '"';) {
        char c = *(*at)++;
        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\') {
            strbuf_addch(out, c);
            continue;
        }
        c = *(*at)++;
        const char *found = c ? strchr(escapes, c) : NULL;
        if (found)
            strbuf_addch(out, meant[found - escapes]);
        else if (c != 'u' || !take_unicode(at, out))
            return false;
    }
    ++*at;
    return true;
}

static size_t digits(const char *at)
{
    return strspn(at, "0123456789");
}

/* -12.5e+3 as JSON writes numbers; 0: it is none. */
static size_t number_len(const char *text)
{
    const char *at = text + (*text == '-' ? 1 : 0);
    size_t whole = digits(at);
    if (whole == 0 || (whole > 1 && *at == '0'))
        return 0;
    at += whole;
    if (*at == '.' && digits(at + 1) > 0)
        at += 1 + digits(at + 1);
    if (*at == 'e' || *at == 'E') {
        size_t sign = at[1] == '+' || at[1] == '-' ? 1 : 0, power = digits(at + 1 + sign);
        at += power > 0 ? 1 + sign + power : 0;
    }
    return (size_t)(at - text);
}

/* A value that is JSON but no string. Arrays and objects count as "not JSON": BuildKit refuses them
 * one way or the other. */
static bool skip_other(const char **at)
{
    static const char *const words[] = {"null", "true", "false"};
    size_t len = number_len(*at);
    for (size_t i = 0; len == 0 && i < sizeof words / sizeof *words; i++)
        if (strncmp(*at, words[i], strlen(words[i])) == 0)
            len = strlen(words[i]);
    *at += len;
    return len > 0;
}

/* One value of the array; false: it is not JSON. */
static bool take_value(const char **at, struct strvec *values, bool *mixed)
{
    CLEANUP(strbuf) struct strbuf value = STRBUF_INIT(STRBUF_NO_CAP);
    if (**at != '"') {
        *mixed = true;
        return skip_other(at);
    }
    if (!take_string(at, &value))
        return false;
    strvec_push(values, value.buf);
    return true;
}

/* *at stands behind '['; afterwards behind ']'. */
static bool take_array(const char **at, struct strvec *values, bool *mixed)
{
    *at = skip_json_space(*at);
    bool more = **at != ']';
    while (more) {
        if (!take_value(at, values, mixed))
            return false;
        *at = skip_json_space(*at);
        more = **at == ',';
        *at = more ? skip_json_space(*at + 1) : *at;
    }
    return *(*at)++ == ']';
}

bool dockerfile_json_strings(const char *text, struct strvec *ret_values, bool *ret_mixed)
{
    struct strvec values = STRVEC_INIT;
    const char *at = skip_json_space(text);
    bool mixed = false;
    bool good = *at++ == '[' && take_array(&at, &values, &mixed) && !*skip_json_space(at);
    *ret_mixed = good && mixed;
    good = good && !mixed;
    for (size_t i = 0; good && i < values.len; i++)
        strvec_push(ret_values, values.items[i]);
    strvec_release(&values);
    return good;
}
