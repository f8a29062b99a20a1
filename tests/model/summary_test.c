#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/text.h"
#include "model/summary.h"
#include "model/summary_parts.h"
#include "support_results.h"

#define MEGABYTE     ((size_t)1 << 20)
#define COUNT(array) (sizeof(array) / sizeof *(array))

Suite *summary_suite(void);

static void render(const char *name, size_t max_bytes, struct strbuf *out)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named(name), &result, &inputs);
    summary_render(&result, &inputs, max_bytes, out);
    result_release(&result);
}

/* The files are rewritten by UPDATE_GOLDEN=1; look at the difference before it is committed. */
START_TEST(summary_is_as_looked_at)
{
    const struct result_case *result_case = &result_cases[_i];
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    CLEANUP(strbuf) struct strbuf golden = STRBUF_INIT(MEGABYTE);
    char path[200];
    struct error err = ERROR_INIT;
    render(result_case->name, MEGABYTE, &markdown);
    snprintf(path, sizeof path, "tests/model/golden/%s.md", result_case->name);
    const char *update = getenv("UPDATE_GOLDEN");
    if (update && *update)
        ck_assert_msg(file_write(path, markdown.buf, markdown.len, 0644, &err) == 0, "%s", err.msg);
    ck_assert_msg(file_read(path, &golden, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(markdown.buf, golden.buf);
}
END_TEST

static const struct {
    const char *text, *escaped;
} escapes[] = {
    {"", ""},
    {"app/main.py changed", "app/main.py changed"},
    {"memory-size: 128 → 256", "memory-size: 128 → 256"},
    {"LOG_LEVEL and _x_", "LOG_LEVEL and \\_x\\_"},
    {"<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"},
    {"a | b", "a &#124; b"},
    {"a\\|b", "a\\\\&#124;b"},
    {"![i](x) [l](y)", "!\\[i\\](x) \\[l\\](y)"},
    {"`c` *e* ~s~", "\\`c\\` \\*e\\* \\~s\\~"},
    {"$x$", "<span>$</span>x<span>$</span>"},
    {"@octocat a@b.c @ @!", "<span>@</span>octocat a<span>@</span>b.c @ @!"},
    {"org/repo#12 # #x", "org/repo<span>#</span>12 # #x"},
    {"https://x.y www.x.y WWW.x",
     "https<span>:</span>//x.y www<span>.</span>x.y WWW<span>.</span>x"},
    {"# h", "\\# h"},
    {"#1 h", "<span>#</span>1 h"},
    {"- item", "\\- item"},
    {"+ item", "\\+ item"},
    {"=== x", "\\=== x"},
    {"12. item", "12\\. item"},
    {"12) item", "12\\) item"},
    {"1.5 s", "1\\.5 s"},
    {"v1.5", "v1.5"},
    {"  one\ntwo\r\nthree\n", "one two three"},
    {"a\x1b[31mb\x07", "ab\\\\x07"},
    {"a\rb", "a\\\\x0db"},
    {"\xe2\x80\xae"
     "x",
     "\\\\u202ex"},
    {"\xff!", "\xef\xbf\xbd!"},
};

START_TEST(text_is_escaped)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    summary_escape(&out, escapes[_i].text, 500);
    ck_assert_str_eq(out.buf, escapes[_i].escaped);
}
END_TEST

START_TEST(text_is_cut)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    summary_escape(&out, "abcdefghij", 8);
    ck_assert_str_eq(out.buf, "abcde…");
    strbuf_reset(&out);
    summary_escape(&out, "<<<<<<<<", 8); /* the limit counts what is seen */
    ck_assert_str_eq(out.buf, "&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;");
    strbuf_reset(&out);
    summary_escape(&out, NULL, 8);
    ck_assert_str_eq(out.buf, "");
}
END_TEST

static const struct {
    int64_t ms;
    const char *words;
} durations[] = {
    {-5, "0 ms"},
    {0, "0 ms"},
    {850, "850 ms"},
    {999, "999 ms"},
    {1000, "1.0 s"},
    {1049, "1.0 s"},
    {1050, "1.1 s"},
    {4200, "4.2 s"},
    {59949, "59.9 s"},
    {59950, "1 min"},
    {60000, "1 min"},
    {60499, "1 min"},
    {60500, "1 min 1 s"},
    {190000, "3 min 10 s"},
    {3599499, "59 min 59 s"},
    {3599500, "1 h"},
    {3600000, "1 h"},
    {3900000, "1 h 5 min"},
    {7199999, "2 h"},
    {90000000, "25 h"},
};

START_TEST(durations_are_words)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(100);
    summary_add_duration(&out, durations[_i].ms);
    ck_assert_str_eq(out.buf, durations[_i].words);
}
END_TEST

static const struct {
    int64_t bytes;
    const char *words;
} sizes[] = {
    {-1, "0 B"},
    {0, "0 B"},
    {312, "312 B"},
    {999, "999 B"},
    {1000, "1.0 kB"},
    {4100, "4.1 kB"},
    {9949, "9.9 kB"},
    {9950, "10 kB"},
    {999499, "999 kB"},
    {999500, "1.0 MB"},
    {12000000, "12 MB"},
    {1300000000, "1.3 GB"},
    {5000000000000, "5.0 TB"},
    {INT64_MAX, "9.2 EB"},
};

START_TEST(sizes_are_words)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(100);
    summary_add_bytes(&out, sizes[_i].bytes);
    ck_assert_str_eq(out.buf, sizes[_i].words);
}
END_TEST

static bool is_whole(const struct strbuf *markdown)
{
    return markdown->len == 0 || markdown->buf[markdown->len - 1] == '\n';
}

static size_t count_lines(const char *text, const char *start)
{
    size_t count = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += strncmp(line, start, strlen(start)) == 0;
    }
    return count;
}

/* Whatever the limit is: never over it, no half of a part, every fold and fence closed. */
START_TEST(limit_is_kept)
{
    static const size_t limits[] = {0,    1,    50,   100,  150,  200,   300,   500,
                                    1000, 2000, 3000, 5000, 8000, 12000, 20000, 100000};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct result result;
        struct inputs inputs;
        make_result(&result_cases[_i], &result, &inputs);
        add_long_build(&result, 5000);
        for (int line = 0; line < 3000; line++)
            strbuf_addf(&result.evidence, "line %d of what it said\n", line);
        for (int check = 0; check < 300; check++)
            check_results_add(&result.checks, "GET /x -> 200", check % 2 == 0, 200, "no", 1);
        CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
        strbuf_addstr(&markdown, "before\n");
        summary_render(&result, &inputs, limits[i], &markdown);
        ck_assert_uint_le(markdown.len, limits[i] + strlen("before\n"));
        ck_assert(is_whole(&markdown));
        ck_assert_uint_eq(count_lines(markdown.buf, "<details>"),
                          count_lines(markdown.buf, "</details>"));
        ck_assert_uint_eq(count_lines(markdown.buf, "```") % 2, 0);
        if (limits[i] > 150 && limits[i] < 5000)
            ck_assert_ptr_nonnull(strstr(markdown.buf, "_Shortened to fit"));
        if (limits[i] >= 300)
            ck_assert_ptr_nonnull(strstr(markdown.buf, "## "));
        result_release(&result);
    }
}
END_TEST

START_TEST(long_build_keeps_what_matters)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named("code-change"), &result, &inputs);
    add_long_build(&result, 5000);
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    summary_render(&result, &inputs, MEGABYTE, &markdown);
    ck_assert_uint_lt(markdown.len, 40000);
    ck_assert_ptr_nonnull(strstr(markdown.buf, "[1/5000]"));
    ck_assert_ptr_nonnull(strstr(markdown.buf, "[51/5000]")); /* 5 s */
    ck_assert_ptr_nonnull(strstr(markdown.buf, "[5000/5000]"));
    ck_assert_ptr_nonnull(strstr(markdown.buf, "1.0 kB, FAILED"));
    ck_assert_ptr_nonnull(strstr(markdown.buf, "99 more steps"));
    ck_assert_ptr_null(strstr(markdown.buf, "[1000/5000]"));
    result_release(&result);
}
END_TEST

START_TEST(end_of_evidence_is_kept)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named("build-failure"), &result, &inputs);
    for (int line = 0; line < 2000; line++)
        strbuf_addf(&result.evidence, "zeile %d ü\n", line);
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    summary_render(&result, &inputs, MEGABYTE, &markdown);
    ck_assert_ptr_nonnull(
        strstr(markdown.buf, "**Output of the failed step, its end:**\n\n```text\nzeile "));
    ck_assert_ptr_nonnull(strstr(markdown.buf, "\nzeile 1999 ü\n```\n"));
    ck_assert_ptr_null(strstr(markdown.buf, "No solution found"));
    result_release(&result);
}
END_TEST

/* One line without an end is cut at a whole character. */
START_TEST(evidence_is_cut_between_characters)
{
    for (int lead = 0; lead < 3; lead++) {
        struct result result;
        struct inputs inputs;
        make_result(result_case_named("build-failure"), &result, &inputs);
        strbuf_reset(&result.evidence);
        strbuf_addf(&result.evidence, "%.*s", lead, "xx");
        for (int i = 0; i < 10000; i++)
            strbuf_addstr(&result.evidence, "→");
        CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
        summary_render(&result, &inputs, MEGABYTE, &markdown);
        ck_assert_ptr_nonnull(strstr(markdown.buf, "its end:**\n\n```text\n→→"));
        ck_assert(text_is_utf8(markdown.buf, markdown.len));
        result_release(&result);
    }
}
END_TEST

#define DIGEST "sha256:0c5e0d8f54a1b3f2c9d7e6a5b4c3d2e1f00112233445566778899aabbccddeef"

static const struct {
    const char *text, *brief;
} briefs[] = {
    {"[1/3] FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com/base@" DIGEST, "[1/3] FROM base"},
    {"FROM python:3.12@" DIGEST " AS x", "FROM python:3.12 AS x"},
    {"FROM python@sha256:0c5e0d8f54a1b3…", "FROM python"}, /* the name was cut */
    {"FROM python@sha256:0c5e…", "FROM python@sha256:0c5e…"},
    {"it runs " DIGEST " again", "it runs sha256:0c5e0d8f54a1 again"},
    {"sha256:0c5e0d8f54a1b3", "sha256:0c5e0d8f54a1b3"},
    {"sha256:0c5e…", "sha256:0c5e…"},
    {"FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com", /* no image behind it */
     "FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com"},
};

START_TEST(names_are_brief)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    summary_add_brief(&out, briefs[_i].text);
    ck_assert_str_eq(out.buf, briefs[_i].brief);
}
END_TEST

static const struct {
    const char *text, *code;
} codes[] = {
    {"hello-1_x", "`hello-1_x`"},
    {"refs/heads/main", "`refs/heads/main`"},
    {"GET /x {\"a\":1} -> 200", "`GET /x {\"a\":1} -> 200`"},
    {"<b>&amp;[l](x)*e*@octocat", "`<b>&amp;[l](x)*e*@octocat`"}, /* means nothing in backticks */
    {"a`b", "<code>a\\`b</code>"},
    {"``", "<code>\\`\\`</code>"},
    {"a|b", "<code>a&#124;b</code>"},
    {"a\\", "<code>a\\\\</code>"},
    {"$x$", "<code><span>$</span>x<span>$</span></code>"},
    {" a", "<code>a</code>"},
    {"a\nb", "<code>a b</code>"},
    {"größe", "<code>größe</code>"},
    {"\x7f", "<code>\\\\x7f</code>"},
    {"", "<code></code>"},
};

START_TEST(code_stays_code)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(1000);
    summary_add_code(&out, codes[_i].text, 100);
    ck_assert_str_eq(out.buf, codes[_i].code);
    strbuf_reset(&out);
    summary_add_code(&out, "0123456789abcdef_", 16);
    ck_assert_str_eq(out.buf, "<code>0123456789abc…</code>");
}
END_TEST

/* The inputs could not be read: there is only the result. */
START_TEST(no_inputs)
{
    for (size_t i = 0; i < result_case_count; i++) {
        struct result result;
        struct inputs inputs;
        make_result(&result_cases[i], &result, &inputs);
        CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
        summary_render(&result, NULL, MEGABYTE, &markdown);
        ck_assert(text_starts_with(markdown.buf, "## "));
        result_release(&result);
    }
}
END_TEST

/* No stranger's text makes an element, a table, a link or a mention of its own. */
START_TEST(strangers_stay_in_their_place)
{
    static const char *const never[] = {
        "<script",  "<img",         "<a ",      "<!--", "![i]",         " [l]",
        "@octocat", "https://evil", "www.evil", "\x1b", "\xe2\x80\xae", "\n# ",
        "\n- one",  "\n- two",      "&#60;",    "#1 ",  "me@"};
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    render("hostile", MEGABYTE, &markdown);
    /* Fences show everything as it is: look outside of them. */
    CLEANUP(strbuf) struct strbuf outside = STRBUF_INIT(MEGABYTE);
    char fence[32] = "";
    for (const char *line = markdown.buf; *line;) {
        size_t len = strcspn(line, "\n");
        size_t ticks = strspn(line, "`");
        if (!fence[0] && ticks >= 3)
            snprintf(fence, sizeof fence, "%.*s", (int)ticks, line);
        else if (fence[0] && ticks == len && ticks >= strlen(fence))
            fence[0] = '\0';
        else if (!fence[0])
            strbuf_addf(&outside, "\n%.*s", (int)len, line);
        line += len + (line[len] == '\n');
    }
    ck_assert_str_eq(fence, "");
    for (size_t i = 0; i < COUNT(never); i++)
        ck_assert_msg(!strstr(outside.buf, never[i]), "'%s' is in the summary", never[i]);
    ck_assert_uint_eq(count_lines(outside.buf, "</details>"), 1);
}
END_TEST

/* Every row of a table has as many cells as its head. */
START_TEST(tables_are_whole)
{
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    render(result_cases[_i].name, MEGABYTE, &markdown);
    size_t head = 0;
    for (const char *line = markdown.buf; *line;) {
        size_t len = strcspn(line, "\n"), bars = 0;
        for (size_t i = 0; i < len; i++)
            bars += line[i] == '|';
        if (line[0] != '|')
            head = 0;
        else if (head == 0)
            head = bars;
        else
            ck_assert_msg(bars == head, "%zu bars, not %zu: %.*s", bars, head, (int)len, line);
        line += len + (line[len] == '\n');
    }
}
END_TEST

static const struct {
    const char *name;
    enum outcome outcome;
    const char *headline;
} headlines[] = {
    {"code-change", OUTCOME_UNDECIDED, "## ❌ The run did not finish (38.1 s)\n"},
    {"code-change", OUTCOME_DEPLOYED, "## ✅ Deployed `rag-text-to-sql-server` in 38.1 s\n"},
    {"code-change", OUTCOME_NOTHING_TO_DO,
     "## ✅ Nothing to do: `rag-text-to-sql-server` is up to date, seen in 38.1 s\n"},
    {"code-change", OUTCOME_NOT_ASKED,
     "## ⏭️ Nothing to do: there are no AWS credentials for this event\n"},
    {"not-asked", OUTCOME_NOT_ASKED, "## ⏭️ Nothing to do: this event asks for nothing\n"},
    {"rollback", OUTCOME_DEPLOYED, "## ✅ Rolled `rag-text-to-sql-server` back in 14.2 s\n"},
    {"rollback", OUTCOME_NOTHING_TO_DO,
     "## ✅ Nothing to do: `rag-text-to-sql-server` is where it was to go back to, seen in 14.2 "
     "s\n"},
    {"rollback", OUTCOME_PLANNED,
     "## 📋 Plan to roll `rag-text-to-sql-server` back, made in 14.2 s: nothing was changed\n"},
    {"rollback", OUTCOME_FAILED, "## ❌ Rollback of `rag-text-to-sql-server` failed after 14.2 s\n"},
    {"rollback", OUTCOME_NEEDS_PERSON,
     "## 🚨 Rollback of `rag-text-to-sql-server` failed after 14.2 s: a person must look\n"},
    {"rollback", OUTCOME_CANCELLED,
     "## ⚠️ Rollback of `rag-text-to-sql-server` cancelled after 14.2 s\n"},
    {"status", OUTCOME_NOTHING_TO_DO, "## 🔎 `rag-text-to-sql-server` as it is, seen in 1.6 s\n"},
    {"status", OUTCOME_FAILED, "## ❌ Looking at `rag-text-to-sql-server` failed after 1.6 s\n"},
    {"status", OUTCOME_CANCELLED, "## ⚠️ Cancelled after 1.6 s\n"},
    {"code-change", OUTCOME_PLANNED,
     "## 📋 Plan for `rag-text-to-sql-server`, made in 38.1 s: nothing was changed\n"},
    {"code-change", OUTCOME_SUPERSEDED,
     "## ⏭️ Superseded: a newer run has `rag-text-to-sql-server`\n"},
    {"code-change", OUTCOME_BAD_INPUT, "## ❌ Bad input: nothing was tried\n"},
    {"code-change", OUTCOME_FAILED,
     "## ❌ Deployment of `rag-text-to-sql-server` failed after 38.1 s\n"},
    {"code-change", OUTCOME_NEEDS_PERSON,
     "## 🚨 Deployment of `rag-text-to-sql-server` failed after 38.1 s: a person must look\n"},
    {"code-change", OUTCOME_CANCELLED,
     "## ⚠️ Deployment of `rag-text-to-sql-server` cancelled after 38.1 s\n"},
    {"base-only", OUTCOME_DEPLOYED, "## ✅ Built the base image in 24 min 39 s\n"},
    {"base-only", OUTCOME_NOTHING_TO_DO,
     "## ✅ Nothing to do: the base image is there, seen in 24 min 39 s\n"},
    {"base-only", OUTCOME_FAILED, "## ❌ Failed after 24 min 39 s\n"},
    {"base-only", OUTCOME_CANCELLED, "## ⚠️ Cancelled after 24 min 39 s\n"},
    {"base-only", OUTCOME_PLANNED,
     "## 📋 Plan for the base image, made in 24 min 39 s: nothing was changed\n"},
};

START_TEST(headline_says_how_it_went)
{
    struct result result;
    struct inputs inputs;
    make_result(result_case_named(headlines[_i].name), &result, &inputs);
    result.outcome = headlines[_i].outcome;
    CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
    summary_render(&result, &inputs, MEGABYTE, &markdown);
    markdown.buf[strcspn(markdown.buf, "\n") + 1] = '\0';
    ck_assert_str_eq(markdown.buf, headlines[_i].headline);
    result_release(&result);
}
END_TEST

/* Every kind of error has an end that helps, unless its message holds the remedy already. */
START_TEST(failure_says_what_to_do)
{
    for (int kind = ERROR_INPUT; kind <= ERROR_FAILED; kind++) {
        struct result result;
        struct inputs inputs;
        make_result(result_case_named("build-failure"), &result, &inputs);
        result.failure.kind = (enum error_kind)kind;
        CLEANUP(strbuf) struct strbuf markdown = STRBUF_INIT(MEGABYTE);
        summary_render(&result, &inputs, MEGABYTE, &markdown);
        bool says_itself = kind == ERROR_INPUT || kind == ERROR_NOT_FOUND ||
                           kind == ERROR_REFUSED || kind == ERROR_PROTOCOL ||
                           kind == ERROR_TOO_LARGE;
        ck_assert_int_eq(strstr(markdown.buf, "**What to do:**") == NULL, says_itself);
        result_release(&result);
    }
}
END_TEST

Suite *summary_suite(void)
{
    Suite *suite = suite_create("model/summary");
    TCase *cases = tcase_create("summary");
    tcase_add_loop_test(cases, summary_is_as_looked_at, 0, (int)result_case_count);
    tcase_add_loop_test(cases, text_is_escaped, 0, COUNT(escapes));
    tcase_add_test(cases, text_is_cut);
    tcase_add_loop_test(cases, durations_are_words, 0, COUNT(durations));
    tcase_add_loop_test(cases, sizes_are_words, 0, COUNT(sizes));
    tcase_add_loop_test(cases, limit_is_kept, 0, (int)result_case_count);
    tcase_add_test(cases, long_build_keeps_what_matters);
    tcase_add_test(cases, end_of_evidence_is_kept);
    tcase_add_test(cases, evidence_is_cut_between_characters);
    tcase_add_loop_test(cases, names_are_brief, 0, COUNT(briefs));
    tcase_add_loop_test(cases, code_stays_code, 0, COUNT(codes));
    tcase_add_test(cases, no_inputs);
    tcase_add_test(cases, strangers_stay_in_their_place);
    tcase_add_loop_test(cases, tables_are_whole, 0, (int)result_case_count);
    tcase_add_loop_test(cases, headline_says_how_it_went, 0, COUNT(headlines));
    tcase_add_test(cases, failure_says_what_to_do);
    suite_add_tcase(suite, cases);
    return suite;
}
