#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/log.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "core/text.h"

Suite *log_suite(void);

/* A sink that writes down what it gets, as "level file:line title|text;". */
static struct strbuf seen;

static void see_line(void *context, enum log_level level, const struct log_place *place,
                     const char *text)
{
    struct strbuf *out = context;
    strbuf_addf(out, "%d ", (int)level);
    if (place)
        strbuf_addf(out, "%s:%d %s", place->file ? place->file : "-", place->line,
                    place->title ? place->title : "-");
    strbuf_addf(out, "|%s;", text);
}

static void see_begin(void *context, const char *title)
{
    strbuf_addf(context, "begin %s;", title);
}

static void see_end(void *context)
{
    strbuf_addstr(context, "end;");
}

static const struct log_sink see = {
    .line = see_line, .group_begin = see_begin, .group_end = see_end, .context = &seen};

static void begin_to_see(void)
{
    strbuf_init(&seen, STRBUF_NO_CAP);
    log_use(&see);
    log_show_debug(false);
}

static void end_to_see(void)
{
    log_use(NULL);
    log_show_debug(false);
    strbuf_release(&seen);
}

START_TEST(levels_and_places_reach_the_sink)
{
    log_debug("not %s", "shown");
    log_info("a %d", 1);
    log_warning("b");
    log_error("c");
    log_at(LOG_ERROR, &(struct log_place){.file = "Dockerfile", .line = 3, .title = "Bad"}, "d");
    log_at(LOG_WARNING, &(struct log_place){.line = 0}, "e");
    log_at(LOG_DEBUG, NULL, "not shown");
    log_show_debug(true);
    log_debug("f");
    log_group_begin("group %s", "g");
    log_group_end();
    ck_assert_str_eq(seen.buf, "1 |a 1;2 |b;3 |c;3 Dockerfile:3 Bad|d;2 -:0 -|e;0 |f;"
                               "begin group g;end;");
}
END_TEST

START_TEST(every_text_is_made_harmless)
{
    log_info("x\r::error::\x1b[2J%s", "\xE2\x80\xAE\xff");
    log_group_begin("a\nb\x07");
    log_at(LOG_ERROR, &(struct log_place){.file = "a\nb", .title = "\x1b]0;t"}, "\t|");
    ck_assert_str_eq(seen.buf, "1 |x\\x0d::error::\\x1b[2J\\u202e\xEF\xBF\xBD;"
                               "begin a\\x0ab\\x07;3 a\\x0ab:0 \\x1b]0;t| |;");
}
END_TEST

static const struct {
    enum log_level level;
    const char *text, *seen;
} breaks[] = {
    {LOG_INFO, "", "1 |;"},
    {LOG_INFO, "a\n", "1 |a;"},
    {LOG_INFO, "a\r\nb\n\nc\n", "1 |a;1 |b;1 |;1 |c;"},
    {LOG_INFO, "\na", "1 |;1 |a;"},
    {LOG_WARNING, "", "2 |;"},
    {LOG_WARNING, "a\r\nb\n\nc\n", "2 |a | b | c;"},
    {LOG_ERROR, "\na\n\n", "3 |a;"},
};

START_TEST(line_breaks_make_lines_or_one_annotation)
{
    log_at(breaks[_i].level, NULL, "%s", breaks[_i].text);
    ck_assert_str_eq(seen.buf, breaks[_i].seen);
}
END_TEST

/* Stands for whoever knows the secrets: "secret" is one. */
static void hide_secret(void *context, const char *text, size_t len, struct strbuf *out)
{
    (void)context;
    const char *found = memmem(text, len, "secret", 6);
    size_t before = found ? (size_t)(found - text) : len;
    strbuf_add(out, text, before);
    if (found)
        strbuf_addf(out, "*%s", found + 6);
}

START_TEST(nothing_hidden_reaches_the_sink)
{
    const struct log_place place = {.file = "secret.c", .line = 3, .title = "a secret title"};
    const char colour[] = "sec\x1b[0mret behind a colour";
    log_hide(hide_secret, NULL);
    log_info("a secret\nand a secret again");
    log_at(LOG_ERROR, &place, "secret");
    log_foreign(colour, strlen(colour));
    log_group_begin("secret");
    log_hide(NULL, NULL);
    log_info("secret");
    ck_assert_str_eq(seen.buf, "1 |a *;1 |and a * again;3 *.c:3 a * title|*;1 |* behind a colour;"
                               "begin *;1 |secret;");
}
END_TEST

START_TEST(foreign_lines_are_info)
{
    log_foreign("a\0%s\r\n", 6);
    log_foreign("", 0);
    log_foreign("::set-output::\nx", 16);
    ck_assert_str_eq(seen.buf, "1 |a\\x00%s;1 |;1 |::set-output::;1 |x;");
}
END_TEST

START_TEST(endless_messages_are_cut)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < 40000; i++)
        strbuf_addstr(&text, "é");
    log_at(_i == 0 ? LOG_INFO : LOG_ERROR, NULL, "%s\nx", text.buf);
    ck_assert(text_is_utf8(seen.buf, seen.len));
    ck_assert(strstr(seen.buf, "…") != NULL);
    ck_assert_uint_lt(seen.len, 17000);

    strbuf_reset(&seen);
    while (text.len < 2000000)
        strbuf_addstr(&text, "line\n");
    log_info("%s", text.buf);
    ck_assert_uint_lt(seen.len, 1000000);
    ck_assert(text_ends_with(seen.buf, "…;"));
}
END_TEST

struct redirected {
    int out, err; /* the real ones */
    FILE *to[2];
};

static void redirect(struct redirected *saved)
{
    fflush(NULL);
    saved->out = dup(STDOUT_FILENO);
    saved->err = dup(STDERR_FILENO);
    for (int i = 0; i < 2; i++) {
        saved->to[i] = tmpfile();
        ck_assert_ptr_nonnull(saved->to[i]);
        dup2(fileno(saved->to[i]), i == 0 ? STDOUT_FILENO : STDERR_FILENO);
    }
}

static void put_back(struct redirected *saved, char out[1000], char err[1000])
{
    dup2(saved->out, STDOUT_FILENO);
    dup2(saved->err, STDERR_FILENO);
    close(saved->out);
    close(saved->err);
    for (int i = 0; i < 2; i++) {
        ssize_t len = pread(fileno(saved->to[i]), i == 0 ? out : err, 999, 0);
        (i == 0 ? out : err)[len > 0 ? len : 0] = '\0';
        fclose(saved->to[i]);
    }
}

START_TEST(plain_lines)
{
    struct redirected saved;
    char out[1000];
    char err[1000];
    log_use(NULL);
    log_show_debug(true);
    redirect(&saved);
    log_group_begin("build %d", 1);
    log_info("a");
    log_debug("b");
    log_warning("c");
    log_at(LOG_ERROR, &(struct log_place){.file = "Dockerfile", .line = 3, .title = "Bad"}, "d");
    log_at(LOG_ERROR, &(struct log_place){.file = "Dockerfile"}, "e");
    log_group_end();
    put_back(&saved, out, err);
    ck_assert_str_eq(out, "== build 1\na\ndebug: b\n");
    ck_assert_str_eq(err, "warning: c\nerror: Dockerfile:3: Bad: d\nerror: Dockerfile: e\n");
}
END_TEST

#define WRITERS      4
#define LINES        40
#define LINE_LEN     9000 /* more than a pipe takes at once without being interrupted */
#define PARTS_A_LINE 3

static void *write_lines(void *letter)
{
    char text[LINE_LEN + 1];
    memset(text, *(const char *)letter, LINE_LEN);
    text[LINE_LEN] = '\0';
    for (int i = 0; i < LINES; i++)
        log_info("%s\n%s\n%s", text, text, text);
    return NULL;
}

static int check_lines(FILE *lines)
{
    static char line[LINE_LEN + 2];
    char previous = '\0';
    int count = 0;
    while (fgets(line, sizeof line, lines)) {
        if (strlen(line) != LINE_LEN + 1 || line[LINE_LEN] != '\n' ||
            strspn(line, (char[]){line[0], '\0'}) != LINE_LEN)
            return -1; /* mixed */
        if (count % PARTS_A_LINE != 0 && line[0] != previous)
            return -2; /* somebody else's line inside a message */
        previous = line[0];
        count++;
    }
    return count;
}

/* In a process of its own whose stdout is a pipe: what several threads write comes whole. */
START_TEST(lines_of_threads_do_not_mix)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        log_use(NULL);
        dup2(ends[1], STDOUT_FILENO);
        pthread_t threads[WRITERS];
        static char letters[WRITERS] = {'a', 'b', 'c', 'd'};
        for (int i = 0; i < WRITERS; i++)
            if (pthread_create(&threads[i], NULL, write_lines, &letters[i]) != 0)
                _exit(1);
        for (int i = 0; i < WRITERS; i++)
            pthread_join(threads[i], NULL);
        _exit(0);
    }
    close(ends[1]);
    FILE *lines = fdopen(ends[0], "r");
    int count = check_lines(lines);
    fclose(lines);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(count, WRITERS * LINES * PARTS_A_LINE);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* Nobody reads any more, the disk is full, stdout is closed: the run goes on. */
START_TEST(an_unwritable_stdout_does_not_kill)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int ends[2];
        log_use(NULL);
        cancel_install();
        if (_i == 0) {
            if (pipe(ends) != 0)
                _exit(1);
            close(ends[0]);
            dup2(ends[1], STDOUT_FILENO);
        } else if (_i == 1) {
            dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
        } else {
            close(STDOUT_FILENO);
        }
        log_info("lost");
        log_group_begin("lost");
        _exit(42);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
}
END_TEST

/* A pipe that is full for a while loses nothing, also when it is non-blocking. */
START_TEST(a_slow_reader_gets_it_all)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        log_use(NULL);
        dup2(ends[1], STDOUT_FILENO);
        static char letter = 'z';
        write_lines(&letter);
        _exit(0);
    }
    close(ends[1]);
    usleep(200000);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, 0), 0);
    FILE *lines = fdopen(ends[0], "r");
    ck_assert_int_eq(check_lines(lines), LINES * PARTS_A_LINE);
    fclose(lines);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, begin_to_see, end_to_see);
    tcase_add_test(tests, levels_and_places_reach_the_sink);
    tcase_add_test(tests, every_text_is_made_harmless);
    tcase_add_loop_test(tests, line_breaks_make_lines_or_one_annotation, 0,
                        sizeof breaks / sizeof *breaks);
    tcase_add_test(tests, nothing_hidden_reaches_the_sink);
    tcase_add_test(tests, foreign_lines_are_info);
    tcase_add_loop_test(tests, endless_messages_are_cut, 0, 2);
    tcase_add_test(tests, plain_lines);
    tcase_add_test(tests, lines_of_threads_do_not_mix);
    tcase_add_loop_test(tests, an_unwritable_stdout_does_not_kill, 0, 3);
    tcase_add_test(tests, a_slow_reader_gets_it_all);
    suite_add_tcase(suite, tests);
    return suite;
}
