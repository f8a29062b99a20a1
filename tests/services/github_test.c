/* What the runner reads of us, by parsers that follow its own rules (ActionCommand.cs,
 * FileCommandManager.cs). */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/github.h"

Suite *github_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char *folder; /* owned */
static int saved_stdout = -1;
static char stdout_path[4200];

static void setup(void)
{
    ck_assert_int_eq(file_make_temp_folder(NULL, &folder, NULL), 0);
    snprintf(stdout_path, sizeof stdout_path, "%s/stdout", folder);
}

static void teardown(void)
{
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
    free(folder);
    folder = NULL;
}

static void listen_to_stdout(void)
{
    fflush(stdout);
    saved_stdout = dup(STDOUT_FILENO);
    CLEANUP_FD int file = open(stdout_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(dup2(file, STDOUT_FILENO), 0);
}

/* What was written since, into `ret_text`. */
static void hear_stdout(struct strbuf *ret_text)
{
    ck_assert_int_ge(dup2(saved_stdout, STDOUT_FILENO), 0);
    close(saved_stdout);
    strbuf_reset(ret_text);
    ck_assert_int_eq(file_read(stdout_path, ret_text, NULL), 0);
}

/* ---- the runner's parser of lines ---- */

/* UTF-8 → UTF-32, as C# reads a line: what is not UTF-8 becomes U+FFFD. */
static size_t decode(const char *text, uint32_t *out)
{
    size_t len = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t take = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
        if (strnlen((const char *)at, take) < take || !text_is_utf8((const char *)at, take)) {
            out[len++] = 0xFFFD;
            at++;
            continue;
        }
        uint32_t c = take == 1 ? at[0] : at[0] & (0x7Fu >> take);
        for (size_t i = 1; i < take; i++)
            c = c << 6 | (at[i] & 0x3F);
        out[len++] = c;
        at += take;
    }
    return len;
}

static bool is_white(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* C#'s StartsWith(string) and IndexOf(string) compare by culture: ICU ignores these. */
static bool is_ignored(uint32_t c)
{
    return (c < 0x20 && !is_white(c)) || (c >= 0x7F && c <= 0x9F && c != 0x85) || c == 0xAD ||
           c == 0x34F || c == 0x61C || (c >= 0x180B && c <= 0x180F) ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

/* Would the runner take this line for a command? Also if its trimming or its comparing were
 * ordinal. */
static bool is_command(const char *line)
{
    uint32_t *text = memory_new((strlen(line) + 1) * sizeof *text);
    size_t len = 0, all = decode(line, text);
    bool begun = false, old_form = false;
    for (size_t i = 0; i < all; i++) {
        if (is_ignored(text[i]) || (!begun && is_white(text[i])))
            continue;
        begun = true;
        text[len++] = text[i];
    }
    for (size_t i = 0; i + 2 < len; i++)
        old_form = old_form || (text[i] == '#' && text[i + 1] == '#' && text[i + 2] == '[');
    bool new_form = len >= 2 && text[0] == ':' && text[1] == ':';
    free(text);
    return new_form || old_form;
}

static const char *const before[] = {
    "",
    " ",
    "\t",
    "\v",
    "\f",
    "\x01",
    "  \t ",
    "\xc2\x85",
    "\xc2\xa0",
    "\xe1\x9a\x80",
    "\xe2\x80\x80",
    "\xe2\x80\x83",
    "\xe2\x80\x8a",
    "\xe2\x80\xa8",
    "\xe2\x80\xa9",
    "\xe2\x80\xaf",
    "\xe2\x81\x9f",
    "\xe3\x80\x80",
    "\xef\xbb\xbf",
    "\xe2\x80\x8b",
    "\xc2\xad",
    "\xcd\x8f",
    "\xef\xb8\x8f",
    "\xe2\x81\xa0",
    "\xf3\xa0\x81\x81",
    " \xe2\x80\x83\xef\xbb\xbf\xc2\xa0",
    "\xff",
    "x",
    "#",
    "\xe2\x80",
};
static const char *const behind[] = {
    "::error::x",
    "::add-mask::y",
    "::stop-commands::abcdefgh",
    "::",
    ":\xe2\x80\x8b:error::x",
    ":\xc2\xad:set-output name=a::b",
    "##[error]x",
    "a ##[add-mask]b",
    "#\xef\xbb\xbf#[group]x",
    "##\xe2\x80\x8d[command]rm",
    "###[x]",
    "#\xc2\xad#\xc2\xad[x]",
};

START_TEST(hostile_lines_are_not_commands)
{
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(4096), said = STRBUF_INIT(65536);
    strbuf_addf(&line, "%s%s", before[_i / (int)COUNT(behind)], behind[_i % (int)COUNT(behind)]);
    listen_to_stdout();
    github_log.line(NULL, LOG_INFO, NULL, line.buf);
    hear_stdout(&said);
    ck_assert_uint_gt(said.len, line.len - 1);
    ck_assert_int_eq(said.buf[said.len - 1], '\n');
    strbuf_truncate(&said, said.len - 1);
    ck_assert_msg(!is_command(said.buf), "\"%s\" became \"%s\"", line.buf, said.buf);
    ck_assert(is_command(line.buf) == (strcmp(line.buf, said.buf) != 0));
}
END_TEST

START_TEST(harmless_lines_stay_as_they_are)
{
    static const char *const texts[] = {
        "", "a::b", "std::vector<int>", "# a", "#[b]", "a: :error", ": :", "C:\\x", "## [x]"};
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(4096), wanted = STRBUF_INIT(4096);
    strbuf_addf(&wanted, "%s\n", texts[_i]);
    listen_to_stdout();
    github_log.line(NULL, LOG_INFO, NULL, texts[_i]);
    hear_stdout(&said);
    ck_assert_str_eq(said.buf, wanted.buf);
}
END_TEST

/* ---- commands of ours ---- */

static const struct {
    enum log_level level;
    struct log_place place;
    const char *text, *line;
} commands[] = {
    {LOG_ERROR, {0}, "50% of\r\nit", "::error::50%25 of%0D%0Ait\n"},
    {LOG_WARNING,
     {.file = "a,b:c%.c", .line = 7, .title = "x\ny"},
     "w",
     "::warning file=a%2Cb%3Ac%25.c,line=7,title=x%0Ay::w\n"},
    {LOG_ERROR, {.title = "t"}, "::error::", "::error title=t::::error::\n"},
    {LOG_ERROR, {.line = 3}, "##[x]", "::error line=3::##[x]\n"},
    {LOG_DEBUG, {.file = "f"}, "d", "::debug file=f::d\n"},
};

START_TEST(commands_are_escaped)
{
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(4096);
    listen_to_stdout();
    github_log.line(NULL, commands[_i].level, &commands[_i].place, commands[_i].text);
    hear_stdout(&said);
    ck_assert_str_eq(said.buf, commands[_i].line);
}
END_TEST

START_TEST(groups)
{
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(4096);
    listen_to_stdout();
    github_log.group_begin(NULL, "a\n::error::b");
    github_log.group_end(NULL);
    hear_stdout(&said);
    ck_assert_str_eq(said.buf, "::group::a%0A::error::b\n::endgroup::\n");
}
END_TEST

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

START_TEST(no_more_annotations_than_are_shown)
{
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(65536);
    listen_to_stdout();
    for (int i = 0; i < 15; i++) {
        github_log.line(NULL, LOG_WARNING, NULL, "::w");
        github_log.line(NULL, LOG_DEBUG, NULL, "d");
    }
    github_log.line(NULL, LOG_ERROR, NULL, "e");
    hear_stdout(&said);
    /* Without a process for each test, those of commands_are_escaped count. */
    size_t shown = count_of(said.buf, "::warning::::w\n");
    ck_assert_uint_le(shown, 10);
    ck_assert_uint_ge(shown, 9);
    ck_assert_uint_eq(count_of(said.buf, "warning: :\\:w\n") + count_of(said.buf, "warning: ::w\n"),
                      15 - shown);
    ck_assert_uint_eq(count_of(said.buf, "::debug::d\n"), 15);
    ck_assert_uint_eq(count_of(said.buf, "::error::e\n"), 1);
}
END_TEST

static const struct {
    const char *secret, *lines;
} masks[] = {
    {"", ""},
    {"abc", ""},
    {"  abc \n", ""},
    {"abcd", "::add-mask::abcd\n"},
    {" \tabcd\r\n", "::add-mask::abcd\n"},
    {"a%b::c", "::add-mask::a%25b::c\n"},
    {"line1\nline2\n", "::add-mask::line1\n::add-mask::line2\n::add-mask::line1%0Aline2\n"},
    {"line1\r\n  line2", "::add-mask::line1\n::add-mask::line2\n::add-mask::line1%0D%0A  line2\n"},
    {"one-long\rtwo-long", "::add-mask::one-long\n::add-mask::two-long\n"
                           "::add-mask::one-long%0Dtwo-long\n"},
    {"{\n\"key\": \"value\"\n}\n", "::add-mask::\"key\": \"value\"\n"},
    {"\n\n\n", ""},
};

START_TEST(secrets_are_masked)
{
    const struct github github = {.is_actions = true}, elsewhere = {.is_actions = false};
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(4096);
    listen_to_stdout();
    github_mask(&github, masks[_i].secret);
    github_mask(&github, NULL);
    github_mask(&elsewhere, masks[_i].secret);
    hear_stdout(&said);
    ck_assert_str_eq(said.buf, masks[_i].lines);
}
END_TEST

START_TEST(a_closed_stdout_is_nobody_listening)
{
    const struct github github = {.is_actions = true};
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    close(STDOUT_FILENO);
    github_log.line(NULL, LOG_ERROR, NULL, "e");
    github_log.group_begin(NULL, "g");
    github_mask(&github, "secret");
    ck_assert_int_eq(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
}
END_TEST

/* ---- files ---- */

/* FileCommandManager.cs: the value of `name` in `text`, heap; NULL: not there; fails where the
 * runner would. */
static char *parse_file(const char *text, const char *name)
{
    char *found = NULL;
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = memory_copy_bytes(text, len);
        text += len + (text[len] == '\n');
        char *equals = strchr(line, '='), *arrows = strstr(line, "<<");
        ck_assert_msg(arrows && (!equals || arrows < equals), "the runner reads \"%s\"", line);
        *arrows = '\0';
        const char *delimiter = arrows + 2, *start = text, *end = NULL;
        while (!end) {
            ck_assert_msg(*text, "unterminated");
            size_t piece = strcspn(text, "\n");
            if (piece == strlen(delimiter) && strncmp(text, delimiter, piece) == 0)
                end = text;
            text += piece + (text[piece] == '\n');
        }
        if (strcmp(line, name) == 0) {
            free(found);
            found = memory_copy_bytes(start, end > start ? (size_t)(end - start) - 1 : 0);
        }
        free(line);
    }
    return found;
}

static const struct {
    const char *value, *read;
} values[] = {
    {"", ""},
    {"plain", "plain"},
    {"a=b<<c", "a=b<<c"},
    {"two\nlines\n", "two\nlines\n"},
    {"\n", "\n"},
    {"ghadelimiter_0\nevil=1\nevil<<ghadelimiter_0\n",
     "ghadelimiter_0\nevil=1\nevil<<ghadelimiter_0\n"},
    {"cr\r\n", "cr\r\n"},
    {"\xff"
     "a\xe2\x80"
     "b\xc3\xa9",
     "\xef\xbf\xbd"
     "a\xef\xbf\xbd\xef\xbf\xbd"
     "b\xc3\xa9"},
};

START_TEST(outputs_and_state_come_back)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(65536);
    strbuf_addf(&path, "%s/output", folder);
    const struct github github = {.output_file = path.buf, .state_file = path.buf};
    ck_assert_int_eq(github_output(&github, "first", "1", NULL), 0);
    ck_assert_int_eq(github_output(&github, "image-uri", values[_i].value, NULL), 0);
    ck_assert_int_eq(github_state(&github, "last", "2", NULL), 0);
    ck_assert_int_eq(file_read(path.buf, &text, NULL), 0);
    static const char *const names[] = {"first", "image-uri", "last", "evil"};
    const char *wanted[] = {"1", values[_i].read, "2", NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        CLEANUP_FREE char *value = parse_file(text.buf, names[i]);
        ck_assert_pstr_eq(value, wanted[i]);
    }
}
END_TEST

START_TEST(names_that_the_runner_would_misread_are_refused)
{
    static const char *const names[] = {"", "a=b", "a<<b", "a\nb", "a\rb"};
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200);
    struct error err = ERROR_INIT;
    strbuf_addf(&path, "%s/output", folder);
    const struct github github = {.output_file = path.buf};
    ck_assert_int_eq(github_output(&github, names[_i], "x", &err), -1);
    ck_assert_int_eq(err.kind, ERROR_FAILED);
    ck_assert(!file_exists(path.buf));
}
END_TEST

START_TEST(delimiters_differ)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(65536);
    strbuf_addf(&path, "%s/output", folder);
    const struct github github = {.output_file = path.buf};
    ck_assert_int_eq(github_output(&github, "a", "", NULL), 0);
    ck_assert_int_eq(github_output(&github, "a", "", NULL), 0);
    ck_assert_int_eq(file_read(path.buf, &text, NULL), 0);
    const char *first = strstr(text.buf, "ghadelimiter_"), *last = first;
    for (const char *at = first; at; at = strstr(at + 1, "ghadelimiter_"))
        last = at;
    ck_assert_int_ne(strncmp(first, last, 32 + 13), 0);
    ck_assert_uint_eq(strspn(first + 13, "0123456789abcdef"), 32);
}
END_TEST

START_TEST(nothing_is_written_elsewhere)
{
    const struct github nowhere = {.is_actions = false};
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(100);
    ck_assert_int_eq(github_output(&nowhere, "a", "b", NULL), 0);
    ck_assert_int_eq(github_state(&nowhere, "a", "b", NULL), 0);
    ck_assert_int_eq(github_summary(&nowhere, &text, NULL), 0);
    strbuf_addstr(&text, "old");
    ck_assert_int_eq(github_read_payload(&nowhere, &text, NULL), 0);
    ck_assert_str_eq(text.buf, "");
}
END_TEST

START_TEST(a_summary_fits_or_is_not_written)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    struct stat there;
    strbuf_addf(&path, "%s/summary", folder);
    const struct github github = {.summary_file = path.buf};
    ck_assert_int_eq(file_append(path.buf, "12345678", 8, 0600, NULL), 0);
    while (text.len < GITHUB_SUMMARY_MAX_BYTES - 7)
        strbuf_addch(&text, 'x');
    ck_assert_int_eq(github_summary(&github, &text, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
    ck_assert_int_eq(stat(path.buf, &there), 0);
    ck_assert_int_eq(there.st_size, 8);
    strbuf_truncate(&text, text.len - 1);
    ck_assert_int_eq(github_summary(&github, &text, NULL), 0);
    ck_assert_int_eq(stat(path.buf, &there), 0);
    ck_assert_int_eq(there.st_size, GITHUB_SUMMARY_MAX_BYTES);
}
END_TEST

START_TEST(payloads)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(16);
    struct error err = ERROR_INIT;
    strbuf_addf(&path, "%s/event.json", folder);
    const struct github github = {.event_path = path.buf};
    ck_assert_int_eq(github_read_payload(&github, &text, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_nonnull(strstr(err.msg, "GITHUB_EVENT_PATH"));
    ck_assert_int_eq(file_append(path.buf, "{\"a\":1}", 7, 0600, NULL), 0);
    ck_assert_int_eq(github_read_payload(&github, &text, NULL), 0);
    ck_assert_str_eq(text.buf, "{\"a\":1}");
    ck_assert_int_eq(file_append(path.buf, "0123456789", 10, 0600, NULL), 0);
    ck_assert_int_eq(github_read_payload(&github, &text, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
}
END_TEST

START_TEST(a_machine_without_descriptors_is_no_bad_input)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(16);
    struct error err = ERROR_INIT;
    struct rlimit usual;
    strbuf_addf(&path, "%s/event.json", folder);
    const struct github github = {.event_path = path.buf};
    ck_assert_int_eq(file_append(path.buf, "{}", 2, 0600, NULL), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = usual.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int rc = github_read_payload(&github, &text, &err);
    setrlimit(RLIMIT_NOFILE, &usual);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "Too many open files"));
}
END_TEST

START_TEST(the_environment_is_read)
{
    static const char *const environ_on[] = {"GITHUB_ACTIONS=true", "RUNNER_DEBUG=1",
                                             "GITHUB_SHA=abc", "GITHUB_REF=", NULL};
    static const char *const environ_off[] = {"GITHUB_ACTIONS=false", NULL};
    struct github github;
    github_read(&github, environ_on);
    ck_assert(github.is_actions && github.debug);
    ck_assert_str_eq(github.sha, "abc");
    ck_assert_ptr_null(github.ref);
    github_read(&github, environ_off);
    ck_assert(!github.is_actions && !github.debug);
}
END_TEST

Suite *github_suite(void)
{
    Suite *suite = suite_create("github");
    TCase *lines = tcase_create("lines"), *files = tcase_create("files");
    tcase_add_checked_fixture(lines, setup, teardown);
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_add_loop_test(lines, hostile_lines_are_not_commands, 0,
                        (int)(COUNT(before) * COUNT(behind)));
    tcase_add_loop_test(lines, harmless_lines_stay_as_they_are, 0, 9);
    tcase_add_loop_test(lines, commands_are_escaped, 0, COUNT(commands));
    tcase_add_test(lines, groups);
    tcase_add_test(lines, no_more_annotations_than_are_shown);
    tcase_add_loop_test(lines, secrets_are_masked, 0, COUNT(masks));
    tcase_add_test(lines, a_closed_stdout_is_nobody_listening);
    tcase_add_loop_test(files, outputs_and_state_come_back, 0, COUNT(values));
    tcase_add_loop_test(files, names_that_the_runner_would_misread_are_refused, 0, 5);
    tcase_add_test(files, delimiters_differ);
    tcase_add_test(files, nothing_is_written_elsewhere);
    tcase_add_test(files, a_summary_fits_or_is_not_written);
    tcase_add_test(files, payloads);
    tcase_add_test(files, a_machine_without_descriptors_is_no_bad_input);
    tcase_add_test(files, the_environment_is_read);
    suite_add_tcase(suite, lines);
    suite_add_tcase(suite, files);
    return suite;
}
