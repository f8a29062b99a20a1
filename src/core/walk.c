/* A tree of files as a table. */
#include "core/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/memory.h"
#include "core/walk_status.h"

#define MOST_ENTRIES (1u << 24)

/* In one call, where the kernel has it (5.6) and a sandbox lets it through. -1 with another errno
 * than those: what the folder itself says. */
static int open_at_once(int root, const char *path)
{
    const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                 .resolve = RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

int walk_open_folder(int root, const char *path)
{
    int at_once = open_at_once(root, path);
    if (at_once >= 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return at_once;
    char part[NAME_MAX + 1];
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && *path) {
        size_t len = strcspn(path, "/");
        int parent = fd;
        if (len > NAME_MAX) {
            close(parent);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, len);
        part[len] = '\0';
        fd = openat(parent, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int saved = errno;
        close(parent);
        errno = saved;
        path += len;
        path += *path == '/' ? 1 : 0;
    }
    return fd;
}

int walk_enter(const struct walk *walk, uint32_t index, struct walk_folder *folder)
{
    if (folder->fd >= 0 && folder->index == index)
        return 0;
    if (folder->fd >= 0)
        close(folder->fd);
    walk_path(walk, index, &folder->path);
    folder->fd = walk_open_folder(walk->root, folder->path.buf);
    folder->index = index;
    return folder->fd >= 0 ? 0 : -1;
}

void walk_folder_release(struct walk_folder *folder)
{
    strbuf_release(&folder->path);
    if (folder->fd >= 0)
        close(folder->fd);
}

const char *walk_name(const struct walk *walk, const struct walk_entry *entry)
{
    return walk->names + entry->name;
}

const char *walk_target(const struct walk *walk, const struct walk_entry *entry)
{
    const char *name = walk_name(walk, entry);
    return name + strlen(name) + 1;
}

static void add_path(const struct walk *walk, uint32_t index, struct strbuf *path)
{
    const struct walk_entry *entry = &walk->entries[index];
    size_t len = 0;
    /* From the end to the front: first how long it is, then the names from the back. */
    for (uint32_t i = index; i != WALK_ROOT; i = walk->entries[i].folder)
        len += strlen(walk_name(walk, &walk->entries[i])) + 1;
    for (size_t i = 0; i + 1 < len; i++)
        strbuf_addch(path, '/');
    char *end = path->buf + path->len;
    for (;; entry = &walk->entries[entry->folder]) {
        size_t name_len = strlen(walk_name(walk, entry));
        end -= name_len;
        memcpy(end, walk_name(walk, entry), name_len);
        if (entry->folder == WALK_ROOT)
            return;
        end--; /* the slash that is there already */
    }
}

void walk_path(const struct walk *walk, uint32_t index, struct strbuf *ret_path)
{
    strbuf_reset(ret_path);
    if (index != WALK_ROOT)
        add_path(walk, index, ret_path);
}

int64_t walk_find(const struct walk *walk, uint32_t folder, const char *name, size_t len)
{
    uint32_t low = 0, high = walk->root_count;
    if (folder != WALK_ROOT) {
        low = walk->entries[folder].u.entries.first;
        high = low + walk->entries[folder].u.entries.count;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *candidate = walk_name(walk, &walk->entries[middle]);
        int order = strncmp(candidate, name, len);
        if (order == 0 && candidate[len] == '\0')
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Room for `more` in an array of `used`, growing by half. */
static size_t grown(size_t used, size_t more, size_t alloc)
{
    while (used + more > alloc)
        alloc += alloc / 2 + 4096;
    return alloc;
}

static int add_name(struct walk *walk, const char *text, uint32_t *ret_place, struct error *err)
{
    size_t bytes = strlen(text) + 1;
    if (walk->names_len + bytes >= UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "%s: the names take more than 4 GiB", walk->path);
    size_t alloc = grown(walk->names_len, bytes, walk->names_alloc);
    if (alloc != walk->names_alloc)
        walk->names = memory_resize(walk->names, alloc, 1);
    walk->names_alloc = alloc;
    memcpy(walk->names + walk->names_len, text, bytes);
    if (ret_place)
        *ret_place = (uint32_t)walk->names_len;
    walk->names_len += bytes;
    return 0;
}

static int add_entry(struct walk *walk, const struct walk_entry *entry, struct error *err)
{
    if (walk->len >= MOST_ENTRIES)
        return error_set(err, ERROR_TOO_LARGE, "%s: more than %u entries", walk->path,
                         MOST_ENTRIES);
    size_t alloc = grown(walk->len, 1, walk->alloc);
    if (alloc != walk->alloc)
        walk->entries = memory_resize(walk->entries, alloc, sizeof *walk->entries);
    walk->alloc = (uint32_t)alloc;
    walk->entries[walk->len++] = *entry;
    return 0;
}

/* What one walk needs besides its table. */
struct walker {
    struct walk *walk;
    walk_judge *judge;
    void *context;
    struct strbuf path;    /* of the folder, then of the entry */
    struct strbuf listing; /* names of the folder, each with its type behind its terminator */
    char **names;          /* owned; into listing */
    size_t name_count, name_alloc;
    char target[PATH_MAX];
};

static int vanished(const struct walker *walker, struct error *err)
{
    if (errno == ENOENT || errno == ENOTDIR || errno == ESTALE || errno == ELOOP)
        return error_set_code(err, ERROR_FAILED, errno,
                              "%s/%s changed or vanished while it was read", walker->walk->path,
                              walker->path.buf);
    return error_set_errno(err, "reading %s/%s", walker->walk->path, walker->path.buf);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* All names of a folder, sorted. 0, or errno. */
static int list_names(struct walker *walker, DIR *folder)
{
    strbuf_reset(&walker->listing);
    walker->name_count = 0;
    struct dirent *item;
    for (errno = 0; (item = readdir(folder)) != NULL; errno = 0) {
        if (is_dots(item->d_name))
            continue;
        strbuf_add(&walker->listing, item->d_name, strlen(item->d_name) + 1);
        strbuf_addch(&walker->listing, (char)item->d_type);
        walker->name_count++;
    }
    if (errno != 0)
        return errno;
    size_t alloc = grown(0, walker->name_count, walker->name_alloc);
    if (alloc != walker->name_alloc)
        walker->names = memory_resize(walker->names, alloc, sizeof *walker->names);
    walker->name_alloc = alloc;
    char *at = walker->listing.buf;
    for (size_t i = 0; i < walker->name_count; i++, at += strlen(at) + 2)
        walker->names[i] = at;
    if (walker->name_count > 0)
        qsort(walker->names, walker->name_count, sizeof *walker->names, by_bytes);
    return 0;
}

static int add_link(struct walker *walker, int folder, const char *name, struct error *err)
{
    ssize_t len = readlinkat(folder, name, walker->target, sizeof walker->target - 1);
    if (len < 0)
        return vanished(walker, err);
    walker->target[len] = '\0';
    return add_name(walker->walk, walker->target, NULL, err);
}

static bool is_listed_as_file(const char *name)
{
    return name[strlen(name) + 1] == DT_REG;
}

/* Size and mode; what is listed as a file is only looked at when all folders are listed. */
static int first_look(int folder, const char *name, struct stat *ret_status)
{
    if (!is_listed_as_file(name))
        return fstatat(folder, name, ret_status, AT_SYMLINK_NOFOLLOW);
    *ret_status = (struct stat){.st_mode = S_IFREG};
    return 0;
}

static uint16_t first_flags(enum walk_verdict verdict, const char *name)
{
    if (verdict == WALK_IF_NEEDED)
        return WALK_FLAG_IF_NEEDED;
    return is_listed_as_file(name) ? WALK_FLAG_UNSEEN : 0;
}

/* One name of a folder: look, ask, take. walker->path is the entry's. */
static int take_name(struct walker *walker, int folder, uint32_t folder_index, size_t folder_len,
                     const char *name, struct error *err)
{
    struct stat status;
    if (first_look(folder, name, &status) < 0)
        return errno == ENOENT ? 0 : vanished(walker, err); /* gone since the listing: not there */
    bool is_folder = S_ISDIR(status.st_mode);
    enum walk_verdict verdict = WALK_KEEP;
    if (walker->judge)
        verdict = walker->judge(walker->context, walker->path.buf, folder_len, is_folder);
    if (verdict == WALK_LEAVE || (verdict == WALK_IF_NEEDED && !is_folder))
        return 0;
    struct walk_entry entry = {.folder = folder_index, .mode = status.st_mode};
    entry.flags = first_flags(verdict, name);
    if (S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode))
        entry.u.device = status.st_rdev;
    else if (!is_folder)
        entry.u.size = status.st_size;
    if (add_name(walker->walk, name, &entry.name, err) < 0)
        return -1;
    if (S_ISLNK(status.st_mode) && add_link(walker, folder, name, err) < 0)
        return -1;
    return add_entry(walker->walk, &entry, err);
}

static int take_names(struct walker *walker, int folder, uint32_t index, struct error *err)
{
    size_t folder_len = walker->path.len;
    for (size_t i = 0; i < walker->name_count; i++) {
        strbuf_truncate(&walker->path, folder_len);
        if (folder_len > 0)
            strbuf_addch(&walker->path, '/');
        strbuf_addstr(&walker->path, walker->names[i]);
        if (take_name(walker, folder, index, folder_len, walker->names[i], err) < 0)
            return -1;
    }
    strbuf_truncate(&walker->path, folder_len);
    return 0;
}

/* Errors that say something of the folder, not of the machine. */
static bool is_of_this_folder(int code)
{
    return code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR || code == ELOOP ||
           code == ESTALE;
}

/* All entries of one folder, behind those that are there already. */
static int walk_folder(struct walker *walker, uint32_t index, struct error *err)
{
    struct walk *walk = walker->walk;
    if (cancel_requested())
        return error_set(err, ERROR_CANCELLED, "reading %s was cancelled", walk->path);
    walk_path(walk, index, &walker->path);
    uint32_t first = walk->len;
    int fd = walk_open_folder(walk->root, walker->path.buf);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder && fd >= 0)
        close(fd);
    int failure = folder ? list_names(walker, folder) : errno;
    if (index != WALK_ROOT && is_of_this_folder(failure)) {
        walk->entries[index].error = (uint16_t)failure;
        failure = 0;
        walker->name_count = 0;
    }
    errno = failure;
    int rc = failure ? vanished(walker, err) : 0;
    if (rc == 0 && folder)
        rc = take_names(walker, dirfd(folder), index, err);
    if (folder)
        closedir(folder);
    if (index == WALK_ROOT) {
        walk->root_count = walk->len;
    } else {
        walk->entries[index].u.entries.first = first;
        walk->entries[index].u.entries.count = walk->len - first;
    }
    return rc;
}

/* What does not stay, once the walk is through */
#define GAP (WALK_FLAG_IF_NEEDED | WALK_FLAG_GONE)

/* A folder that was only wanted for what may be in it stays if there is something. */
static void settle(struct walk *walk)
{
    for (uint32_t i = walk->len; i-- > 0;) {
        struct walk_entry *entry = &walk->entries[i];
        if (!(entry->flags & GAP) && entry->folder != WALK_ROOT)
            walk->entries[entry->folder].flags &= (uint16_t)~WALK_FLAG_IF_NEEDED;
    }
}

/* Take out the folders that were not needed after all, and the files that are gone; the others move
 * up. */
static void close_gaps(struct walk *walk)
{
    uint32_t *moved = memory_new(((size_t)walk->len + 1) * sizeof *moved);
    uint32_t len = 0;
    for (uint32_t i = 0; i < walk->len; i++) {
        moved[i] = len;
        len += walk->entries[i].flags & GAP ? 0 : 1;
    }
    moved[walk->len] = len;
    for (uint32_t i = 0; i < walk->len; i++) {
        struct walk_entry entry = walk->entries[i];
        if (entry.flags & GAP)
            continue;
        if (entry.folder != WALK_ROOT)
            entry.folder = moved[entry.folder];
        if (S_ISDIR(entry.mode)) {
            uint32_t first = entry.u.entries.first, end = first + entry.u.entries.count;
            entry.u.entries.first = moved[first];
            entry.u.entries.count = moved[end] - moved[first];
        }
        walk->entries[moved[i]] = entry;
    }
    walk->root_count = moved[walk->root_count];
    walk->len = len;
    free(moved);
}

static bool has_gaps(const struct walk *walk)
{
    for (uint32_t i = 0; i < walk->len; i++)
        if (walk->entries[i].flags & GAP)
            return true;
    return false;
}

int walk_check_root(const struct walk *walk, struct error *err)
{
    struct stat root;
    if (fstat(walk->root, &root) < 0 || root.st_nlink == 0)
        return error_set(err, ERROR_FAILED, "%s was deleted while it was read", walk->path);
    return 0;
}

static void leave_unseen(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->len; i++) {
        struct walk_entry *entry = &walk->entries[i];
        if (entry->flags & WALK_FLAG_UNSEEN)
            entry->u.size = WALK_UNSEEN;
        entry->flags &= (uint16_t)~WALK_FLAG_UNSEEN;
    }
}

static int walk_all(struct walker *walker, bool looks, struct error *err)
{
    struct walk *walk = walker->walk;
    if (walk_folder(walker, WALK_ROOT, err) < 0)
        return -1;
    for (uint32_t i = 0; i < walk->len; i++)
        if (S_ISDIR(walk->entries[i].mode) && walk_folder(walker, i, err) < 0)
            return -1;
    if (!looks)
        leave_unseen(walk);
    else if (walk_fill_status(walk, err) < 0)
        return -1;
    settle(walk);
    if (has_gaps(walk))
        close_gaps(walk);
    return walk_check_root(walk, err);
}

static int make_walk(const char *path, walk_judge *judge, void *context, bool looks,
                     struct walk *ret_walk, struct error *err)
{
    ret_walk->path = memory_copy_string(path);
    ret_walk->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret_walk->root < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? error_set_code(err, ERROR_NOT_FOUND, errno, "there is no folder %s", path)
                   : error_set_errno(err, "opening the folder %s", path);
    int fd = walk_open_folder(ret_walk->root, "");
    if (fd < 0)
        return error_set_errno(err, "listing the folder %s", path);
    close(fd);
    struct walker walker = {.walk = ret_walk,
                            .judge = judge,
                            .context = context,
                            .path = STRBUF_INIT(STRBUF_NO_CAP),
                            .listing = STRBUF_INIT(STRBUF_NO_CAP)};
    int rc = walk_all(&walker, looks, err);
    strbuf_release(&walker.path);
    strbuf_release(&walker.listing);
    free(walker.names);
    return rc;
}

int walk_tree(const char *path, walk_judge *judge, void *context, struct walk *ret_walk,
              struct error *err)
{
    return make_walk(path, judge, context, true, ret_walk, err);
}

int walk_names(const char *path, walk_judge *judge, void *context, struct walk *ret_walk,
               struct error *err)
{
    return make_walk(path, judge, context, false, ret_walk, err);
}

void walk_release(struct walk *walk)
{
    free(walk->entries);
    free(walk->names);
    free(walk->path);
    if (walk->root >= 0)
        close(walk->root);
    *walk = (struct walk)WALK_INIT;
}
