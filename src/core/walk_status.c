/* Size and mode of the files that a walk has listed. */
#include "core/walk_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/cancel.h"
#include "core/memory.h"
#include "core/task.h"

#define BATCH        128 /* entries that a thread takes at once: mostly of one folder */
#define MOST_THREADS 64

struct pool {
    struct walk *walk; /* borrowed; each entry is written to by one thread only */
    atomic_size_t next;
    atomic_bool stop;
};

struct looker {
    struct pool *pool; /* borrowed */
    struct walk_folder folder;
    struct error error;    /* the first one of this thread */
    uint32_t failed_index; /* of the entry that it is about */
};

static int cannot(struct looker *looker, uint32_t index, int code)
{
    struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    const char *root = looker->pool->walk->path;
    walk_path(looker->pool->walk, index, &path);
    if (code == ENOTDIR || code == ELOOP || code == ESTALE) {
        error_set_code(&looker->error, ERROR_FAILED, code,
                       "%s/%s changed or vanished while it was read", root, path.buf);
    } else {
        errno = code;
        error_set_errno(&looker->error, "reading %s/%s", root, path.buf);
    }
    strbuf_release(&path);
    looker->failed_index = index;
    return -1;
}

static int look(struct looker *looker, uint32_t index)
{
    struct walk *walk = looker->pool->walk;
    struct walk_entry *entry = &walk->entries[index];
    struct stat status;
    bool is_there =
        walk_enter(walk, entry->folder, &looker->folder) == 0 &&
        fstatat(looker->folder.fd, walk_name(walk, entry), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_there && errno != ENOENT)
        return cannot(looker, index, errno);
    entry->flags &= (uint16_t)~WALK_FLAG_UNSEEN;
    if (!is_there) {
        entry->flags |= WALK_FLAG_GONE;
        return 0;
    }
    if (!S_ISREG(status.st_mode))
        return cannot(looker, index, ESTALE);
    entry->mode = status.st_mode;
    entry->u.size = status.st_size;
    return 0;
}

static int look_at_batch(struct looker *looker, uint32_t first)
{
    const struct walk *walk = looker->pool->walk;
    uint32_t end = walk->len - first < BATCH ? walk->len : first + BATCH;
    looker->failed_index = first;
    if (cancel_requested())
        return error_set(&looker->error, ERROR_CANCELLED, "reading %s was cancelled", walk->path);
    for (uint32_t i = first; i < end; i++)
        if ((walk->entries[i].flags & WALK_FLAG_UNSEEN) && look(looker, i) < 0)
            return -1;
    return 0;
}

static void work(void *context)
{
    struct looker *looker = context;
    struct pool *pool = looker->pool;
    while (!atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        size_t first = atomic_fetch_add(&pool->next, BATCH);
        if (first >= pool->walk->len)
            return;
        if (look_at_batch(looker, (uint32_t)first) < 0)
            atomic_store(&pool->stop, true);
    }
}

static size_t thread_count(const struct walk *walk)
{
    size_t useful = walk->len / (4 * BATCH) + 1, count = task_processors();
    count = count < useful ? count : useful;
    return count < MOST_THREADS ? count : MOST_THREADS;
}

int walk_fill_status(struct walk *walk, struct error *err)
{
    struct pool pool = {.walk = walk};
    size_t count = thread_count(walk);
    struct looker *lookers = memory_new(count * sizeof *lookers);
    struct task *tasks = memory_new(count * sizeof *tasks);
    const struct looker *failed = NULL;
    for (size_t i = 0; i < count; i++) {
        lookers[i] =
            (struct looker){.pool = &pool, .folder = WALK_FOLDER_INIT, .error = ERROR_INIT};
        tasks[i] = (struct task)TASK(work, &lookers[i]);
    }
    task_run_all(tasks, count);
    for (size_t i = 0; i < count; i++) {
        walk_folder_release(&lookers[i].folder);
        if (lookers[i].error.kind != ERROR_NONE &&
            (!failed || lookers[i].failed_index < failed->failed_index))
            failed = &lookers[i];
    }
    if (failed && err)
        *err = failed->error;
    int rc = failed ? -1 : 0;
    free(lookers);
    free(tasks);
    return rc;
}
