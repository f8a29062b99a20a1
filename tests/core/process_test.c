#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/process.h"
#include "core/strbuf.h"

Suite *process_suite(void);

/* Valgrind makes a plain fork of what posix_spawn does: the errno of a failed exec stays there. */
static bool exec_errors_are_lost(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

/* ---- what a child said, as "o:line|e:line|"; zero bytes become '0' ---- */

static void record(void *context, enum process_stream stream, const char *line, size_t len)
{
    struct strbuf *heard = context;
    strbuf_addstr(heard, stream == PROCESS_STDOUT ? "o:" : "e:");
    for (size_t i = 0; i < len; i++)
        strbuf_addch(heard, line[i] ? line[i] : '0');
    strbuf_addch(heard, '|');
}

static void run(const struct process_spec *spec, struct process_result *result)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(process_run(spec, result, &err) == 0, "%s", err.msg);
}

/* `sh -c script` with the members of `spec` that are set. */
static struct process_result run_script(const char *script, struct process_spec spec,
                                        struct strbuf *heard)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct process_result result = {.outcome = PROCESS_NOT_FOUND};
    spec.argv = argv;
    spec.on_line = heard ? record : NULL;
    spec.context = heard;
    run(&spec, &result);
    return result;
}

#define SPEC(...)                                                                                  \
    (struct process_spec)                                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* ---- lines and endings ---- */

static const struct {
    const char *script;
    size_t max_line_bytes;
    const char *heard;
    enum process_outcome outcome;
    int code;
} scripts[] = {
    {"true", 0, "", PROCESS_EXITED, 0},
    {"exit 3", 0, "", PROCESS_EXITED, 3},
    {"exit 255", 0, "", PROCESS_EXITED, 255},
    {"kill -KILL $$", 0, "", PROCESS_SIGNALLED, SIGKILL},
    {"echo a; kill -SEGV $$", 0, "o:a|", PROCESS_SIGNALLED, SIGSEGV},
    {"printf 'a\\nb\\r\\n\\nlast'", 0, "o:a|o:b|o:|o:last|", PROCESS_EXITED, 0},
    {"printf 'a\\r'", 0, "o:a|", PROCESS_EXITED, 0},
    {"printf 'a\\rb\\n\\r\\n'", 0, "o:a\rb|o:|", PROCESS_EXITED, 0},
    {"printf 'a\\0b\\n\\0'", 0, "o:a0b|o:0|", PROCESS_EXITED, 0},
    {"printf 'a'; sleep 0.1; printf 'b\\nc'; sleep 0.1; printf '\\n'", 0, "o:ab|o:c|",
     PROCESS_EXITED, 0},
    {"echo e >&2; exit 1", 0, "e:e|", PROCESS_EXITED, 1},
    {"echo o; sleep 0.2; echo e >&2", 0, "o:o|e:e|", PROCESS_EXITED, 0},
    {"exec 2>&-; echo o", 0, "o:o|", PROCESS_EXITED, 0},
    {"exec >&- 2>&-; sleep 0.1; exit 4", 0, "", PROCESS_EXITED, 4},
    {"echo abcdefghij", 4, "o:abcd|o:efgh|o:ij|", PROCESS_EXITED, 0},
    {"echo abcd", 4, "o:abcd|", PROCESS_EXITED, 0},
    {"printf abcd", 4, "o:abcd|", PROCESS_EXITED, 0},
    {"printf 'abcd\\r\\nx\\n'", 4, "o:abcd|o:x|", PROCESS_EXITED, 0},
    {"printf 'abc\\r\\n\\n'", 4, "o:abc|o:|", PROCESS_EXITED, 0},
    {"printf 'abcde\\n\\nx'", 4, "o:abcd|o:e|o:|o:x|", PROCESS_EXITED, 0},
    {"printf 'ab'", 1, "o:a|o:b|", PROCESS_EXITED, 0},
};

START_TEST(script_case)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result =
        run_script(scripts[_i].script, SPEC(.max_line_bytes = scripts[_i].max_line_bytes), &heard);
    ck_assert_str_eq(heard.buf, scripts[_i].heard);
    ck_assert_int_eq(result.outcome, scripts[_i].outcome);
    ck_assert_int_eq(result.code, scripts[_i].code);
    ck_assert_int_ge(result.elapsed_ms, 0);
}
END_TEST

static void count_lines(void *context, enum process_stream stream, const char *line, size_t len)
{
    size_t *counts = context;
    (void)line;
    counts[stream]++;
    counts[2] += len;
}

/* More than the pipes hold, on both streams at once, and all of it comes. */
START_TEST(much_output)
{
    size_t counts[3] = {0};
    const char *const argv[] = {"sh", "-c", "seq 100000 199999; seq 100000 199999 >&2", NULL};
    struct process_result result;
    run(&SPEC(.argv = argv, .on_line = count_lines, .context = counts), &result);
    ck_assert_uint_eq(counts[PROCESS_STDOUT], 100000);
    ck_assert_uint_eq(counts[PROCESS_STDERR], 100000);
    ck_assert_uint_eq(counts[2], 1200000);
}
END_TEST

START_TEST(nobody_listens)
{
    struct process_result result = run_script("seq 1 100000; echo x >&2; exit 5", SPEC(0), NULL);
    ck_assert_int_eq(result.code, 5);
}
END_TEST

/* ---- programs that cannot be started ---- */

static char folder[64];

static void make_file(const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/process_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_file("plain", "text", 0600);
    make_file("shebang", "#!/no/such/interpreter\n", 0700);
    make_file("bare", "echo no interpreter named\n", 0700);
    make_file("tool", "#!/bin/sh\necho tool in \"$PWD\"\n", 0700);
}

static void remove_folder(void)
{
    static const char *const names[] = {"plain", "shebang", "bare", "tool"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

static const struct {
    const char *program; /* in `folder` if it starts with '/' */
    int code;            /* errno; 0: PROCESS_NOT_FOUND */
} unstartable[] = {
    {"no-such-program-anywhere", 0},
    {"/missing", 0},
    {"/plain/below-a-file", 0},
    {"/shebang", 0},
    {"/plain", EACCES},
    {"/", EACCES},
    {"/bare", ENOEXEC},
    {"", 0},
};

START_TEST(unstartable_case)
{
    char path[128];
    const char *program = unstartable[_i].program;
    snprintf(path, sizeof path, "%s%s", program[0] == '/' ? folder : "", program);
    const char *const argv[] = {path, NULL};
    struct process_spec spec = {.argv = argv};
    if (exec_errors_are_lost())
        return;
    struct process_result result = {.outcome = PROCESS_SIGNALLED, .code = 77};
    struct error err = ERROR_INIT;
    int rc = process_run(&spec, &result, &err);
    if (unstartable[_i].code == 0) {
        ck_assert_msg(rc == 0, "%s", err.msg);
        ck_assert_int_eq(result.outcome, PROCESS_NOT_FOUND);
        ck_assert_int_eq(result.code, 0);
        return;
    }
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, unstartable[_i].code);
    ck_assert_msg(strstr(err.msg, path), "%s", err.msg);
    ck_assert_int_eq(result.code, 77);
}
END_TEST

START_TEST(missing_folder_is_no_missing_program)
{
    const char *const argv[] = {"true", NULL};
    struct process_result result = {.code = 77};
    struct error err = ERROR_INIT;
    ck_assert_int_eq(process_run(&SPEC(.argv = argv, .cwd = "/no/such"), &result, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, ENOENT);
    ck_assert_str_eq(err.msg, "starting true in /no/such: No such file or directory");
    ck_assert_int_eq(result.code, 77);
}
END_TEST

START_TEST(relative_program_and_folder)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    const char *const argv[] = {"./tool", NULL};
    struct process_result result;
    run(&SPEC(.argv = argv, .cwd = folder, .on_line = record, .context = &heard), &result);
    ck_assert_msg(strstr(heard.buf, folder), "%s", heard.buf);
    ck_assert_int_eq(result.outcome, PROCESS_EXITED);
}
END_TEST

/* ---- what the child gets ---- */

START_TEST(environment)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    const char *const env[] = {"ONLY=this", NULL};
    setenv("PROCESS_TEST", "ours", 1);
    run_script("echo $ONLY-$PROCESS_TEST", SPEC(.env = env), &heard);
    run_script("echo $ONLY-$PROCESS_TEST", SPEC(0), &heard);
    ck_assert_str_eq(heard.buf, "o:this-|o:-ours|");
}
END_TEST

static const struct {
    const char *script;
    const char *input;
    size_t input_len;
    const char *heard;
} inputs[] = {
    {"cat", NULL, 0, ""},           {"cat", "", 0, ""},
    {"cat", "a\nb", 3, "o:a|o:b|"}, {"cat", "a\0b", 3, "o:a0b|"},
    {"true", "not read", 8, ""},    {"readlink /proc/self/fd/0", NULL, 0, "o:/dev/null|"},
};

START_TEST(input_case)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result =
        run_script(inputs[_i].script,
                   SPEC(.input = inputs[_i].input, .input_len = inputs[_i].input_len), &heard);
    ck_assert_str_eq(heard.buf, inputs[_i].heard);
    ck_assert_int_eq(result.code, 0);
}
END_TEST

/* Far more than a pipe holds, with a child that answers before it has read it, or never reads. */
START_TEST(large_input)
{
    size_t len = 3000000;
    char *input = malloc(len);
    memset(input, 'x', len);
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    run_script("seq 1 50000 >&2; wc -c", SPEC(.input = input, .input_len = len), &heard);
    ck_assert_msg(heard.overflowed, "the numbers come first");
    strbuf_reset(&heard);
    run_script("wc -c", SPEC(.input = input, .input_len = len), &heard);
    ck_assert_str_eq(heard.buf, "o:3000000|");
    struct process_result result =
        run_script("exec <&-; exit 6", SPEC(.input = input, .input_len = len), &heard);
    ck_assert_int_eq(result.code, 6);
    free(input);
}
END_TEST

START_TEST(descriptors_are_closed)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    ck_assert_int_eq(dup2(STDERR_FILENO, 77), 77);
    run_script("for n in 0 1 2 3 4 5 6 77; do [ -e /proc/$$/fd/$n ] && echo $n; done", SPEC(0),
               &heard);
    close(77);
    ck_assert_str_eq(heard.buf, "o:0|o:1|o:2|");
}
END_TEST

START_TEST(signals_are_reset)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &before);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    /* The lowest 28; the C library keeps two of the higher ones for itself. */
    run_script("sed -nE 's/^(Sig...):.*(.{7})$/\\1 \\2/p' /proc/self/status | grep -E 'Blk|Ign'",
               SPEC(0), &heard);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR2, SIG_DFL);
    ck_assert_str_eq(heard.buf, "o:SigBlk 0000000|o:SigIgn 0000000|");
}
END_TEST

START_TEST(group_of_its_own)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    run_script("read pid name state parent group rest < /proc/self/stat; [ $pid = $group ] && "
               "[ $pid = $$ ] && echo own",
               SPEC(0), &heard);
    ck_assert_str_eq(heard.buf, "o:own|");
}
END_TEST

/* Started with SIGCHLD ignored (a disposition that exec passes on): statuses must not vanish. */
START_TEST(ignored_sigchld)
{
    signal(SIGCHLD, SIG_IGN);
    struct process_result result = run_script("exit 7", SPEC(0), NULL);
    ck_assert_int_eq(result.code, 7);
}
END_TEST

/* With 0-2 closed our own pipes get these numbers first. In a process of its own. */
static int without_stdio(void)
{
    struct strbuf heard = STRBUF_INIT(1000);
    const char *const argv[] = {"sh", "-c", "cat; pwd >&2", NULL};
    struct process_result result;
    close(0);
    close(1);
    close(2);
    struct process_spec spec = {.argv = argv,
                                .cwd = "/",
                                .input = "in",
                                .input_len = 2,
                                .on_line = record,
                                .context = &heard};
    if (process_run(&spec, &result, NULL) < 0 || result.outcome != PROCESS_EXITED)
        return 1;
    if (strcmp(heard.buf, "o:in|e:/|") != 0 && strcmp(heard.buf, "e:/|o:in|") != 0)
        return 2;
    return 0;
}

START_TEST(closed_stdio)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(without_stdio());
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

static int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

START_TEST(no_descriptor_is_lost)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const char *const echo[] = {"echo", NULL};
    struct process_result result;
    int before = open_descriptors();
    run_script("echo a", SPEC(.input = "x", .input_len = 1, .cwd = "/"), NULL);
    run(&SPEC(.argv = argv, .input = "x", .input_len = 1, .cwd = "/"), &result);
    ck_assert_int_eq(process_run(&SPEC(.argv = echo, .cwd = "/no/such"), &result, NULL), -1);
    run_script("sleep 30", SPEC(.timeout_ms = 50), NULL);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* ---- deadlines ---- */

static const struct {
    const char *script;
    const char *heard;
    int64_t least_ms,
        most_ms; /* with 600 ms of time, in which the shell sets its traps, and 300 ms of grace */
} slow[] = {
    {"exec sleep 30", "", 600, 800},
    {"sleep 30", "", 600, 800},
    {"trap '' INT; sleep 30", "", 900, 1100},
    {"trap '' INT TERM; sleep 30", "", 1200, 5400},
    {"exec 2>&-; trap 'echo INT' INT; trap 'echo TERM' TERM; while :; do sleep 0.05; done",
     "o:INT|o:TERM|", 1200, 5400},
    {"trap 'echo last; exit 0' INT; while :; do sleep 0.05; done", "o:last|", 600, 850},
    {"sh -c \"trap 'echo inner; exit 0' INT; while :; do sleep 0.05; done\"; true", "o:inner|", 600,
     850},
    {"trap 'echo INT; exit 0' INT; kill -STOP $$; sleep 30", "o:INT|", 600, 850},
};

START_TEST(slow_case)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result =
        run_script(slow[_i].script, SPEC(.timeout_ms = 600, .grace_ms = 300), &heard);
    ck_assert_int_eq(result.outcome, PROCESS_TIMED_OUT);
    ck_assert_int_eq(result.code, 0);
    ck_assert_str_eq(heard.buf, slow[_i].heard);
    ck_assert_int_ge(result.elapsed_ms, slow[_i].least_ms);
    ck_assert_int_le(result.elapsed_ms, slow[_i].most_ms + 5000); /* a busy machine */
}
END_TEST

/* Gone over to our group, nobody left in its own: then the child alone is stopped. */
START_TEST(child_leaves_its_group)
{
    const char *const argv[] = {"perl", "-e",
                                "setpgrp(0, getpgrp(getppid)) or die; sleep 8; exit 3", NULL};
    struct process_result result;
    run(&SPEC(.argv = argv, .timeout_ms = 500), &result);
    ck_assert_int_eq(result.outcome, PROCESS_TIMED_OUT);
    ck_assert_int_le(result.elapsed_ms, 6000);
}
END_TEST

START_TEST(endless_output)
{
    const char *const argv[] = {"yes", NULL};
    size_t counts[3] = {0};
    struct process_result result;
    run(&SPEC(.argv = argv, .timeout_ms = 1000, .on_line = count_lines, .context = counts),
        &result);
    ck_assert_int_eq(result.outcome, PROCESS_TIMED_OUT);
    ck_assert_int_le(result.elapsed_ms, 8000);
    ck_assert_uint_gt(counts[PROCESS_STDOUT], 1000);
}
END_TEST

/* Gives up 400 ms after it has heard "quiet", unless something else came. */
struct ears {
    struct strbuf heard;
    int64_t quiet_ms; /* 0: it has patience */
};

static void listen(void *context, enum process_stream stream, const char *line, size_t len)
{
    (void)stream;
    struct ears *ears = context;
    ears->quiet_ms = strncmp(line, "quiet", len) == 0 ? clock_now_ms() : 0;
    strbuf_add(&ears->heard, line, len);
}

static bool has_heard_enough(void *context)
{
    const struct ears *ears = context;
    return ears->quiet_ms > 0 && clock_now_ms() - ears->quiet_ms >= 400;
}

static const struct {
    const char *script, *heard;
    enum process_outcome outcome;
} patience[] = {
    {"echo quiet; exec sleep 30", "quiet", PROCESS_GIVEN_UP},
    {"sleep 0.7; echo quiet; exec sleep 30", "quiet", PROCESS_GIVEN_UP},
    {"echo quiet; trap '' INT TERM; exec sleep 30", "quiet", PROCESS_GIVEN_UP},
    {"echo quiet; sleep 0.1; echo patience; sleep 0.7; echo end", "quietpatienceend",
     PROCESS_EXITED},
    {"exec >&- 2>&-; sleep 0.7", "", PROCESS_EXITED},
};

START_TEST(listener_gives_up)
{
    struct ears ears = {.heard = STRBUF_INIT(1000)};
    const char *const argv[] = {"sh", "-c", patience[_i].script, NULL};
    struct process_result result;
    run(&SPEC(.argv = argv, .timeout_ms = 20000, .grace_ms = 100, .on_line = listen,
              .gives_up = has_heard_enough, .context = &ears),
        &result);
    ck_assert_int_eq(result.outcome, patience[_i].outcome);
    ck_assert_str_eq(ears.heard.buf, patience[_i].heard);
    strbuf_release(&ears.heard);
}
END_TEST

/* True when there is no such process any more, or only its zombie. */
static bool is_gone(int pid)
{
    char path[64], stat[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t len = read(fd, stat, sizeof stat - 1);
    close(fd);
    return len <= 0 || strstr(stat, ") Z ") != NULL;
}

/* The pid in what was heard: "o:123|". */
static int heard_pid(const struct strbuf *heard)
{
    return (int)strtol(heard->buf + 2, NULL, 10);
}

START_TEST(grandchildren_are_stopped_too)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result = run_script("(trap '' INT TERM; exec sleep 30) & echo $!; wait",
                                              SPEC(.timeout_ms = 300, .grace_ms = 100), &heard);
    ck_assert_int_eq(result.outcome, PROCESS_TIMED_OUT);
    ck_assert_int_gt(heard_pid(&heard), 1);
    for (int i = 0; i < 100 && !is_gone(heard_pid(&heard)); i++)
        usleep(20000);
    ck_assert(is_gone(heard_pid(&heard)));
}
END_TEST

/* A grandchild that keeps our pipes open: its first words are heard, it is not waited for. */
START_TEST(grandchildren_do_not_hold_us)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result = run_script("sleep 30 & echo $!", SPEC(0), &heard);
    int pid = heard_pid(&heard);
    ck_assert_int_gt(pid, 1);
    ck_assert(!is_gone(pid));
    kill(pid, SIGKILL);
    ck_assert_int_eq(result.outcome, PROCESS_EXITED);
    ck_assert_int_eq(result.code, 0);
    ck_assert_int_le(result.elapsed_ms, 8000);
    strbuf_reset(&heard);
    run_script("(sleep 0.2; echo late) & echo early; exit 0", SPEC(0), &heard);
    ck_assert_str_eq(heard.buf, "o:early|o:late|");
}
END_TEST

/* ---- cancelling ---- */

static void *cancel_soon(void *context)
{
    usleep(*(int *)context * 1000);
    cancel_pretend(SIGTERM);
    return NULL;
}

static struct process_result run_cancelled(const char *script, bool shielded, struct strbuf *heard)
{
    int after_ms = 200;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, &after_ms), 0);
    if (shielded)
        cancel_shield_begin();
    struct process_result result = run_script(script, SPEC(.grace_ms = 100), heard);
    if (shielded)
        cancel_shield_end();
    pthread_join(thread, NULL);
    cancel_pretend(0);
    return result;
}

START_TEST(cancelled)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    if (_i == 1)
        cancel_install(); /* with the fd the poll wakes; without it, it looks now and then */
    struct process_result result = run_cancelled("echo a; sleep 30", false, &heard);
    ck_assert_int_eq(result.outcome, PROCESS_CANCELLED);
    ck_assert_str_eq(heard.buf, "o:a|");
    ck_assert_int_ge(result.elapsed_ms, 150);
    ck_assert_int_le(result.elapsed_ms, 5000);
}
END_TEST

static void *stop_soon(void *context)
{
    atomic_bool *stop = context;
    const struct timespec pause = {.tv_nsec = 300000000};
    nanosleep(&pause, NULL);
    atomic_store(stop, true);
    return NULL;
}

/* Only the one that is asked to stop does; set before the start, nothing is started. */
START_TEST(stopped_by_another_thread)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo a; sleep 30", NULL};
    atomic_bool stop;
    pthread_t thread;
    struct process_result result;
    struct error err = ERROR_INIT;
    const struct process_spec spec = {.argv = argv, .stop = &stop, .timeout_ms = 20000};
    atomic_init(&stop, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_soon, &stop), 0);
    ck_assert_int_eq(process_run(&spec, &result, &err), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(result.outcome, PROCESS_CANCELLED);
    ck_assert_int_ge(result.elapsed_ms, 300);
    ck_assert_int_lt(result.elapsed_ms, 10000);
    ck_assert(!cancel_requested());
    ck_assert_int_eq(process_run(&spec, &result, &err), 0);
    ck_assert_int_eq(result.outcome, PROCESS_CANCELLED);
    ck_assert_int_eq(result.elapsed_ms, 0);
}
END_TEST

START_TEST(cancelled_before)
{
    const char *const argv[] = {"sh", "-c", "echo ran", NULL};
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    struct process_result result;
    cancel_pretend(SIGINT);
    run(&SPEC(.argv = argv, .on_line = record, .context = &heard), &result);
    cancel_pretend(0);
    ck_assert_int_eq(result.outcome, PROCESS_CANCELLED);
    ck_assert_str_eq(heard.buf, "");
}
END_TEST

/* Work that puts things back goes on, and does not spin on the fd that stays readable. */
START_TEST(shielded)
{
    CLEANUP(strbuf) struct strbuf heard = STRBUF_INIT(1000);
    cancel_install();
    clock_t before = clock();
    struct process_result result = run_cancelled("sleep 1.2; echo whole", true, &heard);
    double cpu_seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    ck_assert_int_eq(result.outcome, PROCESS_EXITED);
    ck_assert_str_eq(heard.buf, "o:whole|");
    ck_assert_msg(cpu_seconds < 0.4, "%f s of CPU", cpu_seconds);
}
END_TEST

/* ---- several at once ---- */

static void *run_many(void *context)
{
    int *failures = context;
    for (int i = 0; i < 15; i++) {
        char script[64];
        struct strbuf heard = STRBUF_INIT(1000);
        snprintf(script, sizeof script, "cat; exit %d", i);
        const char *const argv[] = {"sh", "-c", script, NULL};
        struct process_spec spec = {.argv = argv,
                                    .input = script,
                                    .input_len = strlen(script),
                                    .on_line = record,
                                    .context = &heard};
        struct process_result result = {.code = -1};
        if (process_run(&spec, &result, NULL) < 0 || result.outcome != PROCESS_EXITED ||
            result.code != i || strncmp(heard.buf + 2, script, strlen(script)) != 0)
            (*failures)++;
        strbuf_release(&heard);
    }
    return NULL;
}

START_TEST(many_threads)
{
    pthread_t threads[8];
    int failures[8] = {0};
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_many, &failures[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(failures[i], 0);
    }
}
END_TEST

static void *run_long(void *context)
{
    (void)context;
    run_script("sleep 1.5", SPEC(0), NULL);
    return NULL;
}

/* A sibling that lives on must not hold the pipes of one that has ended. */
START_TEST(siblings_hold_no_pipes)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_long, NULL), 0);
    for (int i = 0; i < 5; i++) {
        struct process_result result = run_script("true", SPEC(0), NULL);
        ck_assert_int_lt(result.elapsed_ms, 900); /* not even until DRAIN_MS */
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* ---- process_check and the seam ---- */

static const struct {
    struct process_result result;
    enum error_kind kind;
    int code;
    const char *msg;
} checks[] = {
    {{PROCESS_EXITED, 0, 5}, ERROR_NONE, 0, ""},
    {{PROCESS_EXITED, 2, 5}, ERROR_PROCESS, 2, "buildx ended with status 2"},
    {{PROCESS_SIGNALLED, SIGKILL, 5}, ERROR_PROCESS, 137, "buildx was ended by SIGKILL"},
    {{PROCESS_TIMED_OUT, 0, 1500}, ERROR_TIMEOUT, 0, "buildx was stopped after 1.5 s: too slow"},
    {{PROCESS_GIVEN_UP, 0, 1500},
     ERROR_TIMEOUT,
     0,
     "buildx was stopped after 1.5 s: it did not go on"},
    {{PROCESS_CANCELLED, 0, 5}, ERROR_CANCELLED, 0, "buildx was cancelled"},
    {{PROCESS_NOT_FOUND, 0, 0}, ERROR_NOT_FOUND, 0, "buildx: no such program"},
};

START_TEST(check_case)
{
    struct error err = ERROR_INIT;
    int rc = process_check(&checks[_i].result, "buildx", &err);
    ck_assert_int_eq(rc, checks[_i].kind == ERROR_NONE ? 0 : -1);
    ck_assert_int_eq(err.kind, checks[_i].kind);
    ck_assert_int_eq(err.code, checks[_i].code);
    ck_assert_str_eq(err.msg, checks[_i].msg);
}
END_TEST

static int pretend(void *context, const struct process_spec *spec,
                   struct process_result *ret_result, struct error *err)
{
    (void)err;
    *(const char **)context = spec->argv[0];
    *ret_result = (struct process_result){.outcome = PROCESS_EXITED, .code = 9};
    return 0;
}

START_TEST(seam)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    const char *seen = NULL;
    struct process_result result;
    process_replace(pretend, &seen);
    run(&SPEC(.argv = argv), &result);
    process_replace(NULL, NULL);
    ck_assert_int_eq(result.code, 9);
    ck_assert_ptr_eq(seen, argv[0]);
    if (exec_errors_are_lost())
        return;
    run(&SPEC(.argv = argv), &result);
    ck_assert_int_eq(result.outcome, PROCESS_NOT_FOUND);
}
END_TEST

Suite *process_suite(void)
{
    Suite *suite = suite_create("process");
    TCase *tc = tcase_create("process");
    tcase_set_timeout(tc, 60);
    tcase_add_unchecked_fixture(tc, make_folder, remove_folder);
    tcase_add_loop_test(tc, script_case, 0, sizeof scripts / sizeof *scripts);
    tcase_add_test(tc, much_output);
    tcase_add_test(tc, nobody_listens);
    tcase_add_loop_test(tc, unstartable_case, 0, sizeof unstartable / sizeof *unstartable);
    tcase_add_test(tc, missing_folder_is_no_missing_program);
    tcase_add_test(tc, relative_program_and_folder);
    tcase_add_test(tc, environment);
    tcase_add_loop_test(tc, input_case, 0, sizeof inputs / sizeof *inputs);
    tcase_add_test(tc, large_input);
    tcase_add_test(tc, descriptors_are_closed);
    tcase_add_test(tc, signals_are_reset);
    tcase_add_test(tc, group_of_its_own);
    tcase_add_test(tc, ignored_sigchld);
    tcase_add_test(tc, closed_stdio);
    tcase_add_test(tc, no_descriptor_is_lost);
    tcase_add_loop_test(tc, slow_case, 0, sizeof slow / sizeof *slow);
    tcase_add_loop_test(tc, listener_gives_up, 0, sizeof patience / sizeof *patience);
    tcase_add_test(tc, child_leaves_its_group);
    tcase_add_test(tc, endless_output);
    tcase_add_test(tc, grandchildren_are_stopped_too);
    tcase_add_test(tc, grandchildren_do_not_hold_us);
    tcase_add_loop_test(tc, cancelled, 0, 2);
    tcase_add_test(tc, stopped_by_another_thread);
    tcase_add_test(tc, cancelled_before);
    tcase_add_test(tc, shielded);
    tcase_add_test(tc, many_threads);
    tcase_add_test(tc, siblings_hold_no_pipes);
    tcase_add_loop_test(tc, check_case, 0, sizeof checks / sizeof *checks);
    tcase_add_test(tc, seam);
    suite_add_tcase(suite, tc);
    return suite;
}
