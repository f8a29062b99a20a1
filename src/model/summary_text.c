/* Words of the summary: strangers' text made harmless, durations and sizes as people write them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/summary_parts.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)

#define ACCOUNT_DIGITS 12

static bool is_word(char c)
{
    return text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* What a character becomes wherever it stands. */
static const struct {
    char character;
    const char *escaped;
} escapes[] = {
    {'&', "&amp;"},
    {'<', "&lt;"},
    {'>', "&gt;"},
    {'\\', "\\\\"},
    {'`', "\\`"},
    {'*', "\\*"},
    {'~', "\\~"},
    {'[', "\\["},
    {']', "\\]"},
    {'|', "&#124;"},         /* a backslash would be shown outside of a table's code */
    {'$', "<span>$</span>"}, /* GitHub takes $…$ for mathematics, whatever escapes it */
};

static const char *escaped_anywhere(char c)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (escapes[i].character == c)
            return escapes[i].escaped;
    return NULL;
}

/* Headings, lists, rules: what means something only where a line begins. */
static const char *escaped_at_start(const char *text, size_t at)
{
    char c = text[at];
    if (at == 0)
        return c == '#' ? "\\#" : c == '-' ? "\\-" : c == '+' ? "\\+" : c == '=' ? "\\=" : NULL;
    if ((c == '.' || c == ')') && strspn(text, "0123456789") == at)
        return c == '.' ? "\\." : "\\)";
    return NULL;
}

/*
 * Mentions, references to issues, addresses. GitHub finds them after escapes are undone, in runs of
 * text: only an element in between breaks them.
 */
static const char *escaped_in_word(const char *text, size_t at)
{
    char before = at > 0 ? text[at - 1] : ' ';
    char after = text[at + 1];
    if (text[at] == '@' && is_word(after))
        return "<span>@</span>";
    if (text[at] == '#' && text_is_digit(after))
        return "<span>#</span>";
    if (text[at] == ':' && after == '/')
        return "<span>:</span>";
    if (text[at] == '.' && at >= 3 && strncasecmp(text + at - 3, "www", 3) == 0)
        return "<span>.</span>";
    if (text[at] == '_' && !(is_word(before) && is_word(after)))
        return "\\_";
    return NULL;
}

void summary_escape(struct strbuf *out, const char *text, size_t max_bytes)
{
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    for (const char *c = text; c && *c; c++) /* one line: breaks become spaces */
        if (*c != '\r' || c[1] != '\n')
            strbuf_addch(&line, *c == '\n' ? ' ' : *c);
    strbuf_trim(&line);
    CLEANUP(strbuf) struct strbuf visible = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&visible, line.buf, line.len, max_bytes, false);
    for (size_t i = 0; i < visible.len; i++) {
        const char *escaped = escaped_anywhere(visible.buf[i]);
        if (!escaped)
            escaped = escaped_in_word(visible.buf, i);
        if (!escaped)
            escaped = escaped_at_start(visible.buf, i);
        if (escaped)
            strbuf_addstr(out, escaped);
        else
            strbuf_addch(out, visible.buf[i]);
    }
}

#define DIGEST_MARK   "sha256:"
#define DIGEST_DIGITS 64
#define SHOWN_DIGITS  12

/* How long a digest is that begins here, be it the text's cut end: 0, it is none. */
static size_t digest_len(const char *text)
{
    static const char cut[] = "…";
    size_t mark = strlen(DIGEST_MARK);
    if (strncmp(text, DIGEST_MARK, mark) != 0)
        return 0;
    size_t digits = strspn(text + mark, "0123456789abcdef");
    bool is_cut = digits >= SHOWN_DIGITS && strcmp(text + mark + digits, cut) == 0;
    if (digits != DIGEST_DIGITS && !is_cut)
        return 0;
    return mark + digits + (is_cut ? strlen(cut) : 0);
}

/* How long a registry's name and its slash are that begin here:
 * "123456789012.dkr.ecr.<region>.amazonaws.com/". */
static size_t registry_len(const char *text)
{
    static const char host[] = ".dkr.ecr.";
    if (strspn(text, "0123456789") != ACCOUNT_DIGITS ||
        strncmp(text + ACCOUNT_DIGITS, host, sizeof host - 1) != 0)
        return 0;
    size_t len = strcspn(text, "/ \t\n");
    return text[len] == '/' ? len + 1 : 0;
}

void summary_add_brief(struct strbuf *out, const char *text)
{
    bool in_word = false;
    while (*text) {
        size_t registry = in_word ? 0 : registry_len(text);
        size_t digest = in_word && *text == '@' ? digest_len(text + 1) : 0;
        if (registry || digest) {
            text += registry ? registry : digest + 1;
            continue;
        }
        digest = digest_len(text);
        if (digest) {
            strbuf_add(out, text, strlen(DIGEST_MARK) + SHOWN_DIGITS);
            text += digest;
            continue;
        }
        in_word = is_word(*text);
        strbuf_addch(out, *text++);
    }
}

/* In backticks only a backtick, a table's bar, its backslash and GitHub's dollar mean something. */
static bool is_plain(const char *text, size_t max_bytes)
{
    size_t len = strlen(text);
    if (len == 0 || len > max_bytes || text[0] == ' ' || text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~' || strchr("`|\\$", text[i]))
            return false;
    return true;
}

void summary_add_code(struct strbuf *out, const char *text, size_t max_bytes)
{
    if (is_plain(text, max_bytes)) {
        strbuf_addf(out, "`%s`", text);
        return;
    }
    strbuf_addstr(out, "<code>");
    summary_escape(out, text, max_bytes);
    strbuf_addstr(out, "</code>");
}

void summary_add_fence(struct strbuf *out, const char *info, const struct strbuf *text)
{
    size_t longest = 2, run = 0;
    for (size_t i = 0; i < text->len; i++) {
        run = text->buf[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    CLEANUP(strbuf) struct strbuf fence = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i <= longest; i++)
        strbuf_addch(&fence, '`');
    strbuf_addf(out, "%s%s\n", fence.buf, info);
    strbuf_addsb(out, text);
    if (text->len > 0 && text->buf[text->len - 1] != '\n')
        strbuf_addch(out, '\n');
    strbuf_addf(out, "%s\n\n", fence.buf);
}

void summary_add_duration(struct strbuf *out, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    int64_t tenths = (ms + 50) / 100;
    int64_t seconds = (ms + SECOND_MS / 2) / SECOND_MS;
    int64_t minutes = (ms + MINUTE_MS / 2) / MINUTE_MS;
    if (ms < SECOND_MS)
        strbuf_addf(out, "%lld ms", (long long)ms);
    else if (tenths < 600)
        strbuf_addf(out, "%lld.%lld s", (long long)(tenths / 10), (long long)(tenths % 10));
    else if (seconds < 3600 && seconds % 60 == 0)
        strbuf_addf(out, "%lld min", (long long)(seconds / 60));
    else if (seconds < 3600)
        strbuf_addf(out, "%lld min %lld s", (long long)(seconds / 60), (long long)(seconds % 60));
    else if (minutes % 60 == 0)
        strbuf_addf(out, "%lld h", (long long)(minutes / 60));
    else
        strbuf_addf(out, "%lld h %lld min", (long long)(minutes / 60), (long long)(minutes % 60));
}

void summary_add_bytes(struct strbuf *out, int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        strbuf_addf(out, "%lld B", (long long)(bytes > 0 ? bytes : 0));
        return;
    }
    double amount = (double)bytes / 1000;
    size_t unit = 0;
    while (amount >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        amount /= 1000;
        unit++;
    }
    strbuf_addf(out, "%.*f %s", amount < 9.95 ? 1 : 0, amount, units[unit]);
}

void summary_add_count(struct strbuf *out, size_t count, const char *one, const char *many)
{
    strbuf_addf(out, "%zu %s", count, count == 1 ? one : many);
}

void summary_add_digest(struct strbuf *out, const char *digest)
{
    const char *hex = strchr(digest, ':');
    char brief[13];
    snprintf(brief, sizeof brief, "%s", hex ? hex + 1 : digest);
    if (brief[0])
        summary_add_code(out, brief, sizeof brief);
    else
        strbuf_addstr(out, "none");
}
