/*
 * The child is started by posix_spawn: nothing of ours runs between fork and exec, which keeps it
 * safe with threads, and a failed exec comes back as an errno. What it reads is a memfd and not a
 * pipe: there is no deadlock and no SIGPIPE, however little of it the child takes.
 */
#include "core/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/memory.h"

#define DEFAULT_GRACE_MS 2000
#define DEFAULT_LINE     ((size_t)64 * 1024)
#define READ_BYTES       ((size_t)64 * 1024)
#define DRAIN_MS         1000 /* how long others may hold the child's output open after its end */
#define SLICE_MS         200  /* the longest poll: a cancel without an fd is seen that late */
#define BLIND_SLICE_MS   20   /* the same where there is no pidfd to tell us of the child's end */

struct stream {
    enum process_stream which;
    int fd;     /* ours; -1: at its end */
    char *line; /* owned; what came since the last newline, at most max_line_bytes */
    size_t len;
    bool continued; /* a piece of this line was given out already */
};

struct child {
    const struct process_spec *spec; /* borrowed */
    pid_t pid;
    int pidfd; /* -1: the kernel has none */
    struct stream streams[2];
    char *chunk; /* owned; READ_BYTES */
    size_t max_line;
    int64_t started_ms;
    bool ended;
    int64_t ended_ms;
    bool stopping;
    enum process_outcome stopped_as; /* when stopping */
    size_t signals_sent;
    int64_t next_signal_ms;
};

static const int stop_signals[] = {SIGINT, SIGTERM, SIGKILL};
#define STOP_SIGNALS (sizeof stop_signals / sizeof *stop_signals)

/* ---- lines ---- */

static void give_line(const struct child *child, struct stream *stream)
{
    if (child->spec->on_line)
        child->spec->on_line(child->spec->context, stream->which, stream->line, stream->len);
    stream->len = 0;
}

static void end_line(const struct child *child, struct stream *stream)
{
    if (stream->len > 0 && stream->line[stream->len - 1] == '\r')
        stream->len--;
    if (stream->len > 0 || !stream->continued)
        give_line(child, stream);
    stream->continued = false;
}

static void take_part(const struct child *child, struct stream *stream, const char *bytes,
                      size_t len)
{
    while (len > 0) {
        if (stream->len == child->max_line) {
            give_line(child, stream);
            stream->continued = true;
        }
        size_t room = child->max_line - stream->len;
        size_t part = len < room ? len : room;
        memcpy(stream->line + stream->len, bytes, part);
        stream->len += part;
        bytes += part;
        len -= part;
    }
}

static void take_bytes(const struct child *child, struct stream *stream, const char *bytes,
                       size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t part = newline ? (size_t)(newline - bytes) : len;
        take_part(child, stream, bytes, part);
        if (!newline)
            return;
        end_line(child, stream);
        bytes += part + 1;
        len -= part + 1;
    }
}

static void close_stream(struct child *child, struct stream *stream)
{
    if (stream->fd < 0)
        return;
    if (stream->len > 0)
        end_line(child, stream);
    close(stream->fd);
    stream->fd = -1;
}

/* One read: a child that never pauses must not keep us from looking at the clock. */
static void read_stream(struct child *child, struct stream *stream)
{
    ssize_t got = read(stream->fd, child->chunk, READ_BYTES);
    if (got > 0)
        take_bytes(child, stream, child->chunk, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_stream(child, stream);
}

/* ---- starting ---- */

/* An ignored SIGCHLD is inherited across exec, and would let exit statuses vanish. */
static void make_children_reapable(void)
{
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

/* 0-2 are the child's; a descriptor of ours down there would be overwritten while it is set up. */
static int above_stdio(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return moved;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

static int open_input(const struct process_spec *spec, int *ret_fd, struct error *err)
{
    CLEANUP_FD int fd = above_stdio(spec->input ? memfd_create("stdin", MFD_CLOEXEC)
                                                : open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return error_set_errno(err, "opening the input of %s", spec->argv[0]);
    if (spec->input && (write_all(fd, spec->input, spec->input_len) < 0 || lseek(fd, 0, SEEK_SET)))
        return error_set_errno(err, "writing the input of %s", spec->argv[0]);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Our end, which does not block, and the child's. */
static int open_pipe(int *ret_ours, int *ret_theirs, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(err, "making a pipe");
    CLEANUP_FD int ours = above_stdio(ends[0]);
    CLEANUP_FD int theirs = above_stdio(ends[1]);
    if (ours < 0 || theirs < 0 || fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
        return error_set_errno(err, "making a pipe");
    *ret_ours = ours;
    *ret_theirs = theirs;
    ours = theirs = -1;
    return 0;
}

static int spawn_with(const struct process_spec *spec, const int fds[3], int cwd_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char *const *argv = (char *const *)spec->argv;
    char *const *env = spec->env ? (char *const *)spec->env : environ;
    sigemptyset(&none);
    sigfillset(&all);

    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    int rc = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(&attributes, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(&attributes, &all);
    for (int i = 0; rc == 0 && i < 3; i++)
        rc = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    if (rc == 0 && cwd_fd >= 0)
        rc = posix_spawn_file_actions_addfchdir_np(&actions, cwd_fd);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (rc == 0)
        rc = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* -1 where there is none (Linux before 5.3, some sandboxes); then it is not asked for again. */
static int open_pidfd(pid_t pid)
{
    static atomic_bool missing;
    if (atomic_load(&missing))
        return -1;
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0 && (errno == ENOSYS || errno == EPERM))
        atomic_store(&missing, true);
    return pidfd;
}

/* `ret_found` is false, and the answer 0, when there is no such program. */
static int start(struct child *child, bool *ret_found, struct error *err)
{
    const struct process_spec *spec = child->spec;
    CLEANUP_FD int cwd_fd = -1;
    CLEANUP_FD int in = -1;
    CLEANUP_FD int out = -1;
    CLEANUP_FD int messages = -1;
    if (spec->cwd) {
        cwd_fd = above_stdio(open(spec->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (cwd_fd < 0)
            return error_set_errno(err, "starting %s in %s", spec->argv[0], spec->cwd);
    }
    if (open_input(spec, &in, err) < 0 || open_pipe(&child->streams[0].fd, &out, err) < 0 ||
        open_pipe(&child->streams[1].fd, &messages, err) < 0)
        return -1;
    int rc = spawn_with(spec, (const int[]){in, out, messages}, cwd_fd, &child->pid);
    *ret_found = rc != ENOENT && rc != ENOTDIR;
    if (rc != 0 && *ret_found) {
        errno = rc;
        return error_set_errno(err, "starting %s", spec->argv[0]);
    }
    if (*ret_found)
        child->pidfd = open_pidfd(child->pid);
    return 0;
}

/* ---- stopping ---- */

/* To the whole group; to the child alone if it has left the group and nobody else is in it. */
static void signal_child(const struct child *child, int signal_number)
{
    if (kill(-child->pid, signal_number) < 0 && errno == ESRCH)
        kill(child->pid, signal_number);
    if (signal_number != SIGKILL) /* one that was stopped must go on to notice */
        kill(-child->pid, SIGCONT);
}

static bool is_stopped(const struct process_spec *spec)
{
    return cancel_requested() || (spec->stop && atomic_load(spec->stop));
}

static void consider_stopping(struct child *child)
{
    const struct process_spec *spec = child->spec;
    int64_t now_ms = clock_now_ms();
    if (!child->stopping) {
        if (is_stopped(spec))
            child->stopped_as = PROCESS_CANCELLED;
        else if (spec->timeout_ms > 0 && now_ms - child->started_ms >= spec->timeout_ms)
            child->stopped_as = PROCESS_TIMED_OUT;
        else if (spec->gives_up && spec->gives_up(spec->context))
            child->stopped_as = PROCESS_GIVEN_UP;
        else
            return;
        child->stopping = true;
        child->next_signal_ms = now_ms;
    }
    if (child->signals_sent < STOP_SIGNALS && now_ms >= child->next_signal_ms) {
        signal_child(child, stop_signals[child->signals_sent++]);
        child->next_signal_ms = now_ms + (spec->grace_ms ? spec->grace_ms : DEFAULT_GRACE_MS);
    }
}

/* ---- waiting ---- */

/* Leaves the child unreaped: until it is reaped its group's number cannot be another's. */
static int look_for_end(struct child *child, struct error *err)
{
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        if (errno != EINTR)
            return error_set_errno(err, "waiting for %s", child->spec->argv[0]);
    if (info.si_pid != 0) {
        child->ended = true;
        child->ended_ms = clock_now_ms();
    }
    return 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int next_wait_ms(const struct child *child)
{
    int64_t now_ms = clock_now_ms();
    int64_t wait_ms = child->pidfd >= 0 ? SLICE_MS : BLIND_SLICE_MS;
    if (child->ended)
        wait_ms = smaller(wait_ms, child->ended_ms + DRAIN_MS - now_ms);
    else if (child->stopping && child->signals_sent < STOP_SIGNALS)
        wait_ms = smaller(wait_ms, child->next_signal_ms - now_ms);
    else if (!child->stopping && child->spec->timeout_ms > 0)
        wait_ms = smaller(wait_ms, child->started_ms + child->spec->timeout_ms - now_ms);
    return wait_ms > 0 ? (int)wait_ms : 0;
}

static void wait_and_read(struct child *child)
{
    /* Once somebody asked us to stop the fd stays readable: then it has nothing more to tell. */
    struct pollfd fds[] = {
        {.fd = child->streams[0].fd, .events = POLLIN},
        {.fd = child->streams[1].fd, .events = POLLIN},
        {.fd = child->ended ? -1 : child->pidfd, .events = POLLIN},
        {.fd = cancel_signal() ? -1 : cancel_fd(), .events = POLLIN},
    };
    if (poll(fds, sizeof fds / sizeof *fds, next_wait_ms(child)) <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (fds[i].fd >= 0 && fds[i].revents)
            read_stream(child, &child->streams[i]);
}

static bool is_done(const struct child *child)
{
    if (!child->ended)
        return false;
    if (child->streams[0].fd < 0 && child->streams[1].fd < 0)
        return true;
    return clock_now_ms() - child->ended_ms >= DRAIN_MS;
}

static int follow(struct child *child, struct error *err)
{
    while (!is_done(child)) {
        wait_and_read(child);
        if (!child->ended && look_for_end(child, err) < 0)
            return -1;
        if (!child->ended)
            consider_stopping(child);
    }
    return 0;
}

static int reap(struct child *child, struct process_result *ret_result, struct error *err)
{
    if (child->stopping) /* who is left of the group outlived its leader's end and the grace */
        kill(-child->pid, SIGKILL);
    siginfo_t info = {0};
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED) < 0)
        if (errno != EINTR)
            return error_set_errno(err, "waiting for %s", child->spec->argv[0]);
    ret_result->elapsed_ms = clock_now_ms() - child->started_ms;
    ret_result->code = child->stopping ? 0 : info.si_status;
    if (child->stopping)
        ret_result->outcome = child->stopped_as;
    else
        ret_result->outcome = info.si_code == CLD_EXITED ? PROCESS_EXITED : PROCESS_SIGNALLED;
    return 0;
}

static void child_release(struct child *child)
{
    for (int i = 0; i < 2; i++) {
        if (child->streams[i].fd >= 0)
            close(child->streams[i].fd);
        free(child->streams[i].line);
    }
    free(child->chunk);
    if (child->pidfd >= 0)
        close(child->pidfd);
}

static int run_child(const struct process_spec *spec, struct process_result *ret_result,
                     struct error *err)
{
    CLEANUP(child)
    struct child child = {
        .spec = spec,
        .pidfd = -1,
        .streams = {{.which = PROCESS_STDOUT, .fd = -1}, {.which = PROCESS_STDERR, .fd = -1}},
        .max_line = spec->max_line_bytes ? spec->max_line_bytes : DEFAULT_LINE,
        .started_ms = clock_now_ms(),
    };
    bool found = false;
    if (start(&child, &found, err) < 0)
        return -1;
    if (!found) {
        *ret_result = (struct process_result){.outcome = PROCESS_NOT_FOUND};
        return 0;
    }
    child.chunk = memory_resize(NULL, READ_BYTES, 1);
    for (int i = 0; i < 2; i++)
        child.streams[i].line = memory_resize(NULL, child.max_line, 1);
    if (follow(&child, err) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        close_stream(&child, &child.streams[i]);
    return reap(&child, ret_result, err);
}

/* ---- the seam ---- */

static process_runner *replaced;
static void *replaced_context; /* borrowed */

void process_replace(process_runner *runner, void *context)
{
    replaced = runner;
    replaced_context = context;
}

int process_run(const struct process_spec *spec, struct process_result *ret_result,
                struct error *err)
{
    assert(spec->argv && spec->argv[0]);
    if (replaced)
        return replaced(replaced_context, spec, ret_result, err);
    make_children_reapable();
    if (is_stopped(spec)) {
        *ret_result = (struct process_result){.outcome = PROCESS_CANCELLED};
        return 0;
    }
    return run_child(spec, ret_result, err);
}
