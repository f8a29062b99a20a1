/* Many files hashed at once. */
#include "core/filehash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/memory.h"
#include "core/task.h"

#define BUFFER_BYTES (128 * 1024)
#define LARGE_BYTES  (4 * 1024 * 1024)
#define BATCH        32 /* small files that a thread takes at once: mostly of one folder */
#define MOST_THREADS 64
#define CAPABILITY   64 /* security.capability has 24 bytes today */

struct large {
    int64_t size;
    uint32_t index;
};

struct pool {
    struct walk *walk;      /* borrowed; each entry is written to by one thread only */
    struct filehash *files; /* borrowed */
    size_t count;
    pthread_mutex_t lock;
    struct large *large; /* owned; under lock, until all small ones are done */
    size_t large_count;
    atomic_size_t next_large, next_small;
    atomic_bool stop;
};

struct worker {
    struct pool *pool;     /* borrowed; NULL: there was nothing for it to do yet */
    struct sha256 *hash;   /* owned */
    unsigned char *buffer; /* owned */
    struct walk_folder folder;
    struct strbuf path;
    struct error error;  /* the first one of this worker */
    size_t failed_index; /* of the file that it is about */
};

static struct walk_entry *entry_of(const struct pool *pool, size_t index)
{
    return &pool->walk->entries[pool->files[index].entry];
}

static const char *path_of(struct worker *worker, size_t index)
{
    walk_path(worker->pool->walk, worker->pool->files[index].entry, &worker->path);
    return worker->path.buf;
}

static int changed(struct worker *worker, size_t index)
{
    return error_set(&worker->error, ERROR_FAILED, "%s/%s changed while it was read",
                     worker->pool->walk->path, path_of(worker, index));
}

static int cannot(struct worker *worker, size_t index, const char *what)
{
    int code = errno;
    const char *path = path_of(worker, index), *root = worker->pool->walk->path;
    if (code == ENOENT || code == ENOTDIR || code == ELOOP || code == ESTALE)
        return error_set_code(&worker->error, ERROR_FAILED, code,
                              "%s/%s vanished while the build context was read", root, path);
    errno = code;
    return error_set_errno(&worker->error, "%s %s/%s", what, root, path);
}

static bool should_stop(const struct pool *pool)
{
    return cancel_requested() || atomic_load_explicit(&pool->stop, memory_order_relaxed);
}

static bool same_state(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
           before->st_ctim.tv_sec == after->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

/* Piece by piece: exactly as many bytes as were there before, and nobody wrote meanwhile. */
static int hash_in_pieces(struct worker *worker, size_t index, int fd, const struct stat *before)
{
    struct stat after;
    int64_t left = before->st_size;
    while (left > 0) {
        size_t wanted = left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;
        ssize_t got = pread(fd, worker->buffer, wanted, before->st_size - left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cannot(worker, index, "reading");
        if (got == 0)
            return changed(worker, index);
        sha256_add(worker->hash, worker->buffer, (size_t)got);
        left -= got;
        if (before->st_size >= LARGE_BYTES && should_stop(worker->pool))
            return error_set(&worker->error, ERROR_CANCELLED, "hashing was cancelled");
    }
    if (fstat(fd, &after) < 0)
        return cannot(worker, index, "looking at");
    return same_state(before, &after) ? 0 : changed(worker, index);
}

/* In one read, where that takes all of it; one byte more would show that it has grown. */
static int hash_content(struct worker *worker, size_t index, int fd, const struct stat *before)
{
    size_t size = (size_t)before->st_size;
    ssize_t got = size < BUFFER_BYTES ? read(fd, worker->buffer, size + 1) : -1;
    if (got == (ssize_t)size)
        sha256_add(worker->hash, worker->buffer, size);
    else if (got > (ssize_t)size)
        return changed(worker, index);
    else if (hash_in_pieces(worker, index, fd, before) < 0)
        return -1;
    sha256_finish(worker->hash, worker->pool->files[index].sha256);
    return 0;
}

static void add_capability(struct worker *worker, size_t index, int fd)
{
    unsigned char *sum = worker->pool->files[index].sha256;
    char value[CAPABILITY];
    ssize_t len = fgetxattr(fd, "security.capability", value, sizeof value);
    if (len <= 0)
        return; /* none, or a file system without them */
    sha256_add(worker->hash, sum, SHA256_BYTES);
    sha256_add(worker->hash, value, (size_t)len);
    sha256_finish(worker->hash, sum);
}

/* Opening has failed. What nobody had looked at yet was not there. */
static int is_missing(struct worker *worker, size_t index, const char *what)
{
    struct walk_entry *entry = entry_of(worker->pool, index);
    if (errno != ENOENT || entry->u.size != WALK_UNSEEN)
        return cannot(worker, index, what);
    entry->u.size = WALK_GONE;
    return 0;
}

/* What the walk saw, or, where it did not look, what it would have seen. */
static int compare(struct worker *worker, size_t index, const struct stat *now)
{
    struct walk_entry *entry = entry_of(worker->pool, index);
    if (!S_ISREG(now->st_mode))
        return changed(worker, index);
    if (entry->u.size == WALK_UNSEEN) {
        entry->u.size = now->st_size;
        entry->mode = now->st_mode;
    }
    return now->st_size == entry->u.size ? 0 : changed(worker, index);
}

static void put_off(struct pool *pool, size_t index)
{
    pthread_mutex_lock(&pool->lock);
    pool->large = memory_resize(pool->large, pool->large_count + 1, sizeof *pool->large);
    pool->large[pool->large_count++] =
        (struct large){.size = entry_of(pool, index)->u.size, .index = (uint32_t)index};
    pthread_mutex_unlock(&pool->lock);
}

static int hash_file(struct worker *worker, size_t index, bool puts_off)
{
    const struct walk_entry *entry = entry_of(worker->pool, index);
    struct stat now;
    if (walk_enter(worker->pool->walk, entry->folder, &worker->folder) < 0)
        return is_missing(worker, index, "opening the folder of");
    CLEANUP_FD int fd = openat(worker->folder.fd, walk_name(worker->pool->walk, entry),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return is_missing(worker, index, "opening");
    if (fstat(fd, &now) < 0)
        return cannot(worker, index, "looking at");
    if (compare(worker, index, &now) < 0)
        return -1;
    if (now.st_size >= LARGE_BYTES && puts_off) {
        put_off(worker->pool, index);
        return 0;
    }
    if (now.st_size >= LARGE_BYTES)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only a hint */
    if (hash_content(worker, index, fd, &now) < 0)
        return -1;
    add_capability(worker, index, fd);
    return 0;
}

/* false: stop, here and in the other threads. */
static bool take(struct worker *worker, size_t index, bool puts_off)
{
    if (atomic_load_explicit(&worker->pool->stop, memory_order_relaxed))
        return false;
    int rc = cancel_requested()
                 ? error_set(&worker->error, ERROR_CANCELLED, "hashing was cancelled")
                 : hash_file(worker, index, puts_off);
    if (rc == 0)
        return true;
    worker->failed_index = index;
    atomic_store(&worker->pool->stop, true);
    return false;
}

static void work_on_small(void *context)
{
    struct worker *worker = context;
    struct pool *pool = worker->pool;
    bool more = true;
    while (more) {
        size_t next = atomic_fetch_add(&pool->next_small, BATCH);
        if (next >= pool->count)
            break;
        for (size_t i = next; more && i < next + BATCH && i < pool->count; i++)
            more = take(worker, i, true);
    }
}

static void work_on_large(void *context)
{
    struct worker *worker = context;
    struct pool *pool = worker->pool;
    bool more = true;
    while (more) {
        size_t next = atomic_fetch_add(&pool->next_large, 1);
        if (next >= pool->large_count)
            break;
        more = take(worker, pool->large[next].index, false);
    }
}

static int by_size(const void *a, const void *b)
{
    const struct large *left = a, *right = b;
    if (left->size != right->size)
        return left->size < right->size ? 1 : -1;
    return left->index < right->index ? -1 : 1;
}

static size_t thread_count(const struct pool *pool, size_t wanted)
{
    size_t useful = pool->count < MOST_THREADS ? pool->count : MOST_THREADS; /* all may be large */
    size_t count = wanted > 0 ? wanted : task_processors();
    return count < useful ? count : useful;
}

static void start_worker(struct worker *worker, struct pool *pool)
{
    *worker = (struct worker){.pool = pool,
                              .hash = sha256_new(),
                              .buffer = memory_resize(NULL, 1, BUFFER_BYTES),
                              .folder = WALK_FOLDER_INIT,
                              .path = STRBUF_INIT(STRBUF_NO_CAP),
                              .error = ERROR_INIT};
}

static void end_worker(struct worker *worker)
{
    sha256_free(worker->hash);
    free(worker->buffer);
    strbuf_release(&worker->path);
    walk_folder_release(&worker->folder);
}

/* The error of the first file, should several threads have met one. Cancelling comes last: it may
 * be the echo of another thread's error. */
static const struct worker *first_failure(const struct worker *workers, size_t count)
{
    const struct worker *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct worker *worker = &workers[i];
        if (worker->error.kind == ERROR_NONE)
            continue;
        bool echo = worker->error.kind == ERROR_CANCELLED;
        bool first_echo = first && first->error.kind == ERROR_CANCELLED;
        if (!first || (first_echo && !echo) ||
            (first_echo == echo && worker->failed_index < first->failed_index))
            first = worker;
    }
    return first;
}

static void run_all(struct pool *pool, struct worker *workers, size_t count,
                    void (*work)(void *context))
{
    struct task *tasks = memory_new(count * sizeof *tasks);
    for (size_t i = 0; i < count; i++) {
        if (!workers[i].pool)
            start_worker(&workers[i], pool);
        tasks[i] = (struct task)TASK(work, &workers[i]);
    }
    task_run_all(tasks, count);
    free(tasks);
}

static void run_workers(struct pool *pool, struct worker *workers, size_t count)
{
    size_t batches = pool->count / BATCH + 1;
    run_all(pool, workers, count < batches ? count : batches, work_on_small);
    if (pool->large_count == 0 || atomic_load(&pool->stop))
        return;
    qsort(pool->large, pool->large_count, sizeof *pool->large, by_size);
    run_all(pool, workers, count < pool->large_count ? count : pool->large_count, work_on_large);
}

int filehash_run(struct walk *walk, struct filehash *files, size_t count, size_t threads,
                 struct error *err)
{
    struct pool pool = {.walk = walk, .files = files, .count = count};
    size_t used = thread_count(&pool, threads);
    struct worker *workers = memory_new(used * sizeof *workers);
    pthread_mutex_init(&pool.lock, NULL);
    run_workers(&pool, workers, used);
    const struct worker *failed = first_failure(workers, used);
    if (failed && err)
        *err = failed->error;
    for (size_t i = 0; i < used && workers[i].pool; i++)
        end_worker(&workers[i]);
    pthread_mutex_destroy(&pool.lock);
    free(workers);
    free(pool.large);
    return failed ? -1 : 0;
}
