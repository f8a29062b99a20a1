#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strvec.h"
#include "core/text.h"

#define READ_CHUNK ((size_t)64 * 1024)
#define TREE_DEPTH 400 /* each level holds a file descriptor open, and 1024 is a usual limit */

/* errno as an error; what is not there is ERROR_NOT_FOUND. */
static int fail(struct error *err, const char *doing, const char *path)
{
    int code = errno;
    error_set_errno(err, "%s %s", doing, path);
    if (err && (code == ENOENT || code == ENOTDIR))
        err->kind = ERROR_NOT_FOUND;
    return -1;
}

int file_read(const char *path, struct strbuf *ret_text, struct error *err)
{
    /* O_NONBLOCK: a fifo without a writer must not hold us up before it is refused. */
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return fail(err, "opening", path);
    if (fstat(fd, &st) < 0)
        return fail(err, "looking at", path);
    if (!S_ISREG(st.st_mode))
        return error_set_code(err, ERROR_SYSTEM, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
                              "reading %s: not a regular file", path);

    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(ret_text->cap);
    CLEANUP_FREE char *chunk = memory_resize(NULL, 1, READ_CHUNK);
    ssize_t count = 0, most = 0;
    while (!text.overflowed) {
        count = read(fd, chunk, READ_CHUNK);
        most = count > most ? count : most;
        if (count > 0)
            strbuf_add(&text, chunk, (size_t)count);
        else if (count == 0 || errno != EINTR)
            break;
    }
    int read_errno = errno;
    memory_wipe(chunk, (size_t)most);
    if (text.overflowed)
        return error_set(err, ERROR_TOO_LARGE, "reading %s: more than %zu bytes", path, text.cap);
    if (count < 0) {
        errno = read_errno;
        return fail(err, "reading", path);
    }
    strbuf_release(ret_text);
    *ret_text = text;
    strbuf_init(&text, 0);
    return 0;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool folder_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Returns how much was written; less than len: errno says why. */
static size_t write_all(int fd, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t count = write(fd, bytes + done, len - done);
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || errno != EINTR) {
            if (count == 0)
                errno = EIO;
            break;
        }
    }
    return done;
}

/* Take back the `written` bytes that follow the first `size`, unless somebody else wrote too. */
static bool undo_append(int fd, off_t size, size_t written)
{
    struct stat now;
    if (written == 0)
        return true;
    return fstat(fd, &now) == 0 && S_ISREG(now.st_mode) && now.st_size == size + (off_t)written &&
           ftruncate(fd, size) == 0;
}

int file_append(const char *path, const char *bytes, size_t len, int mode, struct error *err)
{
    CLEANUP_FD int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, (mode_t)mode);
    struct stat before;
    if (fd < 0)
        return fail(err, "opening", path);
    if (fstat(fd, &before) < 0)
        return fail(err, "looking at", path);
    size_t written = write_all(fd, bytes, len);
    if (written < len) {
        fail(err, "writing", path);
        if (!undo_append(fd, before.st_size, written))
            error_wrap(err, "half a text is left in the file");
        return -1;
    }
    int closing = fd;
    fd = -1;
    if (close(closing) < 0 && errno != EINTR)
        return fail(err, "writing", path);
    return 0;
}

/* "folder/" of "folder/name", or "" */
static char *folder_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return memory_copy_bytes(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* A new file with a name that nobody uses, in the folder of `path`. */
static int create_beside(const char *path, int mode, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = folder_part(path);
    for (int tries = 0;; tries++) {
        uint64_t random;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return error_set_errno(err, "naming a file beside %s", path);
        struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_addf(&name, "%s.tmp-%016" PRIx64, folder, random);
        CLEANUP_FREE char *made = strbuf_detach(&name);
        int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
        if (fd >= 0) {
            *ret_path = STEAL(made);
            return fd;
        }
        if (errno != EEXIST || tries == 16)
            return fail(err, "creating a file beside", path);
    }
}

int file_write(const char *path, const char *bytes, size_t len, int mode, struct error *err)
{
    CLEANUP_FREE char *beside = NULL;
    int fd = create_beside(path, mode, &beside, err);
    if (fd < 0 || !beside)
        return -1;
    int result = 0;
    if (write_all(fd, bytes, len) < len || fsync(fd) < 0)
        result = fail(err, "writing", path);
    if (close(fd) < 0 && errno != EINTR && result == 0)
        result = fail(err, "writing", path);
    if (result == 0 && rename(beside, path) < 0)
        result = fail(err, "replacing", path);
    if (result < 0)
        unlink(beside); /* the first error is the one that matters */
    return result;
}

static int make_temp_folder_in(const char *parent, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = realpath(parent, NULL);
    if (!folder)
        return fail(err, "looking for", parent);
    struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&name, "%s/tmp-XXXXXX", strcmp(folder, "/") == 0 ? "" : folder);
    CLEANUP_FREE char *made = strbuf_detach(&name);
    if (!mkdtemp(made))
        return fail(err, "making a folder in", parent);
    *ret_path = STEAL(made);
    return 0;
}

int file_make_temp_folder(const char *parent, char **ret_path, struct error *err)
{
    if (parent)
        return make_temp_folder_in(parent, ret_path, err);
    const char *const candidates[] = {getenv("RUNNER_TEMP"), getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (!text_is_empty(candidates[i]) && make_temp_folder_in(candidates[i], ret_path, err) == 0)
            return 0;
    return -1;
}

/*
 * Open the folder `name` in `parent_fd`, unless it is a symlink (ELOOP or ENOTDIR) or something is
 * mounted on it (EXDEV). A bind mount has the same device, but the kernel says what is the root of
 * a mount (since 5.8).
 */
static int open_folder_at(int parent_fd, const char *name, dev_t device)
{
    CLEANUP_FD int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct statx st;
    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MODE, &st) < 0)
        return -1;
    if (makedev(st.stx_dev_major, st.stx_dev_minor) != device ||
        (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
        errno = EXDEV;
        return -1;
    }
    if ((st.stx_mode & 0700) != 0700)
        fchmod(fd, 0700); /* if that fails, so will what follows, and say so */
    int opened = fd;
    fd = -1;
    return opened;
}

/* All names in a folder, "." and ".." left out. Takes no ownership of fd. */
static int list_names(int fd, struct strvec *names)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        int open_errno = errno;
        cleanup_fd(&copy);
        errno = open_errno;
        return -1;
    }
    struct dirent *entry;
    for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strvec_push(names, entry->d_name);
    int read_errno = errno;
    closedir(folder);
    errno = read_errno;
    return read_errno == 0 ? 0 : -1;
}

/* Keeps the first error and lets the caller go on with the rest. */
static int keep_first(struct error *first, const char *path)
{
    if (!first || first->kind != ERROR_NONE)
        return -1;
    if (errno == EXDEV)
        return error_set_code(first, ERROR_SYSTEM, EXDEV,
                              "removing %s: something is mounted there, left alone", path);
    return error_set_errno(first, "removing %s", path);
}

static int remove_at(int parent_fd, const char *name, const char *path, dev_t device, int depth,
                     struct error *first);

static int remove_folder_at(int parent_fd, const char *name, const char *path, dev_t device,
                            int depth, struct error *first)
{
    if (depth >= TREE_DEPTH) {
        errno = ENAMETOOLONG;
        return keep_first(first, path);
    }
    CLEANUP_FD int fd = open_folder_at(parent_fd, name, device);
    CLEANUP(strvec) struct strvec names = STRVEC_INIT;
    if (fd < 0 || list_names(fd, &names) < 0)
        return keep_first(first, path);
    int result = 0;
    for (size_t i = 0; i < names.len; i++) {
        CLEANUP(strbuf) struct strbuf inner = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_addf(&inner, "%s/%s", path, names.items[i]);
        if (remove_at(fd, names.items[i], inner.buf, device, depth + 1, first) < 0)
            result = -1;
    }
    if (result == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        result = keep_first(first, path);
    return result;
}

static int remove_at(int parent_fd, const char *name, const char *path, dev_t device, int depth,
                     struct error *first)
{
    struct stat st;
    if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : keep_first(first, path);
    if (S_ISDIR(st.st_mode))
        return remove_folder_at(parent_fd, name, path, device, depth, first);
    if (unlinkat(parent_fd, name, 0) < 0 && errno != ENOENT)
        return keep_first(first, path);
    return 0;
}

int file_remove_tree(const char *path, struct error *err)
{
    CLEANUP_FREE char *trimmed = memory_copy_string(path);
    size_t len = strlen(trimmed);
    while (len > 1 && trimmed[len - 1] == '/')
        trimmed[--len] = '\0';
    CLEANUP_FREE char *folder = folder_part(trimmed);
    const char *name = trimmed + strlen(folder);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, ERROR_INPUT, "removing \"%s\": not the name of a folder", path);

    CLEANUP_FD int parent_fd =
        open(*folder != '\0' ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (parent_fd < 0)
        return errno == ENOENT ? 0 : error_set_errno(err, "opening %s", folder);
    if (fstat(parent_fd, &st) < 0)
        return error_set_errno(err, "looking at %s", folder);
    struct error first = ERROR_INIT;
    if (remove_at(parent_fd, name, trimmed, st.st_dev, 0, &first) == 0)
        return 0;
    if (err)
        *err = first;
    return -1;
}

static bool is_within(const char *root, const char *path)
{
    size_t len = strlen(root);
    if (strcmp(root, "/") == 0)
        return true;
    return strncmp(root, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

int file_resolve_within(const char *root, const char *path, char **ret_path, struct error *err)
{
    if (*path == '\0')
        return error_set(err, ERROR_INPUT, "an empty path");
    CLEANUP_FREE char *real_root = realpath(root, NULL);
    if (!real_root)
        return fail(err, "looking for", root);
    struct strbuf joined = STRBUF_INIT(STRBUF_NO_CAP);
    if (*path != '/')
        strbuf_addf(&joined, "%s/", real_root);
    strbuf_addstr(&joined, path);
    CLEANUP_FREE char *whole = strbuf_detach(&joined);
    CLEANUP_FREE char *resolved = realpath(whole, NULL);
    if (!resolved)
        return fail(err, "looking for", path);
    if (!is_within(real_root, resolved))
        return error_set(err, ERROR_INPUT, "%s leads to %s, which is outside %s", path, resolved,
                         real_root);
    *ret_path = STEAL(resolved);
    return 0;
}
