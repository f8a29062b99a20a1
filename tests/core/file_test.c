#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/text.h"

Suite *file_suite(void);

static char all[] = "/tmp/file-test-XXXXXX"; /* the folder of the suite */
static char base[64];                        /* the folder of one test, which runs in it */
static char came_from[4096];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

/* In the parent of all tests, so that a failing one leaves nothing behind either. Not removed by
 * file_remove_tree: that is what is tested. */
static void make_suite_folder(void)
{
    ck_assert_ptr_nonnull(getcwd(came_from, sizeof came_from));
    ck_assert_ptr_nonnull(mkdtemp(all));
}

static void remove_suite_folder(void)
{
    nftw(all, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void enter_folder(void)
{
    snprintf(base, sizeof base, "%s/test-XXXXXX", all);
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chdir(base), 0);
    umask(022);
}

static void leave_folder(void)
{
    ck_assert_int_eq(chdir(came_from), 0);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void folder(const char *path)
{
    ck_assert_msg(mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %s", path, strerror(errno));
}

static void expect_text(const char *path, const char *text)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    ck_assert_msg(file_read(path, &found, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(found.buf, text);
    ck_assert_uint_eq(found.len, strlen(text));
}

static int mode_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(lstat(path, &st), 0);
    return (int)(st.st_mode & 07777);
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

START_TEST(whole_files_are_read)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf big = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    put("small", "a\nb");
    strbuf_addstr(&text, "what was there before");
    ck_assert_int_eq(file_read("small", &text, &err), 0);
    ck_assert_str_eq(text.buf, "a\nb");
    ck_assert_uint_eq(text.cap, STRBUF_NO_CAP);

    while (big.len < 300000)
        strbuf_addf(&big, "%zu ", big.len);
    put("big", big.buf);
    ck_assert_int_eq(symlink("big", "link"), 0);
    ck_assert_int_eq(file_read("link", &text, &err), 0);
    ck_assert_uint_eq(text.len, big.len);
    ck_assert_mem_eq(text.buf, big.buf, big.len + 1);

    put("empty", "");
    ck_assert_int_eq(file_read("empty", &text, &err), 0);
    ck_assert_str_eq(text.buf, "");
    ck_assert_int_eq(file_read("/proc/self/status", &text, &err), 0); /* says its size is 0 */
    ck_assert_uint_gt(text.len, 100);
    ck_assert_int_eq(err.kind, ERROR_NONE);
}
END_TEST

START_TEST(a_cap_is_a_limit)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(5);
    struct error err = ERROR_INIT;
    put("five", "12345");
    put("six", "123456");
    ck_assert_int_eq(file_read("five", &text, &err), 0);
    ck_assert_str_eq(text.buf, "12345");
    strbuf_reset(&text);
    strbuf_addstr(&text, "old");
    ck_assert_int_eq(file_read("six", &text, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
    ck_assert_str_eq(text.buf, "old");
    ck_assert(!text.overflowed);
}
END_TEST

static const struct {
    const char *path;
    enum error_kind kind;
    int code;
} unreadable[] = {
    {"missing", ERROR_NOT_FOUND, ENOENT},  {"file/below", ERROR_NOT_FOUND, ENOTDIR},
    {"dangling", ERROR_NOT_FOUND, ENOENT}, {"", ERROR_NOT_FOUND, ENOENT},
    {"loop", ERROR_SYSTEM, ELOOP},         {"folder", ERROR_SYSTEM, EISDIR},
    {"fifo", ERROR_SYSTEM, EINVAL},        {"/dev/zero", ERROR_SYSTEM, EINVAL},
};

START_TEST(only_regular_files_are_read)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(1000);
    struct error err = ERROR_INIT;
    strbuf_addstr(&text, "old");
    put("file", "x");
    folder("folder");
    ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0644), 0);
    const char *path = unreadable[_i].path;
    ck_assert_int_eq(file_read(path, &text, &err), -1);
    ck_assert_int_eq(err.kind, unreadable[_i].kind);
    ck_assert_int_eq(err.code, unreadable[_i].code);
    ck_assert_ptr_nonnull(strstr(err.msg, path));
    ck_assert_str_eq(text.buf, "old");
    ck_assert(!file_exists(path));
    ck_assert_int_eq(folder_exists(path), strcmp(path, "folder") == 0);
    ck_assert(file_exists("file"));
    ck_assert(!folder_exists("file"));
}
END_TEST

START_TEST(text_is_appended)
{
    struct error err = ERROR_INIT;
    ck_assert_int_eq(file_append("out", "a\n", 2, 0640, &err), 0);
    ck_assert_int_eq(file_append("out", "", 0, 0600, &err), 0);
    ck_assert_int_eq(file_append("out", "b\n", 2, 0600, &err), 0);
    expect_text("out", "a\nb\n");
    ck_assert_int_eq(mode_of("out"), 0640);

    ck_assert_int_eq(file_append("no/out", "a", 1, 0644, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_int_eq(file_append(".", "a", 1, 0644, &err), -1);
    ck_assert_int_eq(err.code, EISDIR);
    ck_assert_int_eq(file_append("/dev/full", "a", 1, 0644, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, ENOSPC);
    ck_assert_int_eq(file_append("/dev/null", "a", 1, 0644, &err), 0);
}
END_TEST

/* Runs `body` in a process of its own (it changes limits or mounts), 0: good. 77: cannot be done
 * here, and that is said. */
static void in_child(int (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(body());
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        fprintf(stderr, "file_test: no mount namespace here, a test is left out\n");
    else
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static bool holds(const char *path, const char *text)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    return file_read(path, &found, NULL) == 0 && strcmp(found.buf, text) == 0;
}

/* A file may grow to 10 bytes: of "67890x" the first five can be written, and are taken back. */
static int append_over_limit(void)
{
    struct error err = ERROR_INIT;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10}) != 0)
        return 1;
    if (file_append("limited", "67890x", 6, 0644, &err) != -1)
        return 2;
    if (err.kind != ERROR_SYSTEM || err.code != EFBIG)
        return 3;
    if (!holds("limited", "12345"))
        return 4;
    if (file_append("limited", "67890", 5, 0644, &err) != 0 || !holds("limited", "1234567890"))
        return 5;
    return 0;
}

START_TEST(half_an_append_is_taken_back)
{
    put("limited", "12345");
    in_child(append_over_limit);
}
END_TEST

/* "0 <id> 1": whoever we are is root in there */
static bool map_id(const char *path, unsigned id)
{
    char line[64];
    snprintf(line, sizeof line, "0 %u 1", id);
    return file_append(path, line, strlen(line), 0, NULL) == 0;
}

/* A mount namespace of our own; for somebody who is not root by way of a user namespace. */
static bool may_mount(void)
{
    unsigned uid = geteuid();
    unsigned gid = getegid();
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
            file_append("/proc/self/setgroups", "deny", 4, 0, NULL) != 0 ||
            !map_id("/proc/self/uid_map", uid) || !map_id("/proc/self/gid_map", gid))
            return false;
    }
    return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

static int write_to_full_disk(void)
{
    struct error err = ERROR_INIT;
    static char much[256 * 1024];
    memset(much, 'x', sizeof much);
    if (!may_mount())
        return 77;
    if (mount("none", "disk", "tmpfs", 0, "size=128k") != 0)
        return 77;
    if (file_append("disk/out", "old", 3, 0644, &err) != 0)
        return 1;
    if (file_append("disk/out", much, sizeof much, 0644, &err) != -1 || err.code != ENOSPC)
        return 2;
    if (!holds("disk/out", "old"))
        return 3;
    if (file_write("disk/out", much, sizeof much, 0644, &err) != -1 || err.code != ENOSPC)
        return 4;
    if (!holds("disk/out", "old"))
        return 5;
    if (file_remove_tree("disk/out", &err) != 0 || rmdir("disk") != -1 || errno != EBUSY)
        return 6;
    if (umount("disk") != 0)
        return 7;
    return 0;
}

START_TEST(a_full_disk_leaves_the_old_text)
{
    folder("disk");
    in_child(write_to_full_disk);
}
END_TEST

static int entries_in(const char *path)
{
    int count = 0;
    DIR *open_folder = opendir(path);
    ck_assert_ptr_nonnull(open_folder);
    while (readdir(open_folder))
        count++;
    closedir(open_folder);
    return count - 2;
}

START_TEST(files_are_replaced_as_a_whole)
{
    struct error err = ERROR_INIT;
    folder("d");
    ck_assert_int_eq(file_write("d/f", "one", 3, 0600, &err), 0);
    expect_text("d/f", "one");
    ck_assert_int_eq(mode_of("d/f"), 0600);
    ck_assert_int_eq(link("d/f", "d/other"), 0);
    ck_assert_int_eq(file_write("d/f", "", 0, 0644, &err), 0);
    expect_text("d/f", "");
    expect_text("d/other", "one"); /* another file now: nobody ever sees half of one */
    ck_assert_int_eq(mode_of("d/f"), 0644);
    ck_assert_int_eq(file_write("plain", "x", 1, 0644, &err), 0);
    expect_text("plain", "x");
    ck_assert_int_eq(entries_in("d"), 2);

    folder("d/sub");
    ck_assert_int_eq(file_write("d/sub", "x", 1, 0644, &err), -1);
    ck_assert_int_eq(err.code, EISDIR);
    ck_assert_int_eq(entries_in("d"), 3); /* and nothing is left behind */
    ck_assert_int_eq(file_write("no/f", "x", 1, 0644, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);

    put("outside", "mine");
    ck_assert_int_eq(symlink("../outside", "d/link"), 0);
    ck_assert_int_eq(file_write("d/link", "new", 3, 0644, &err), 0);
    expect_text("d/link", "new");
    expect_text("outside", "mine");
}
END_TEST

START_TEST(temp_folders_are_our_own)
{
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *first = NULL;
    CLEANUP_FREE char *second = NULL;
    folder("parent");
    ck_assert_int_eq(file_make_temp_folder("parent", &first, &err), 0);
    ck_assert_int_eq(file_make_temp_folder("parent", &second, &err), 0);
    ck_assert_str_ne(first, second);
    ck_assert_int_eq(first[0], '/');
    ck_assert(folder_exists(first));
    ck_assert_int_eq(mode_of(first), 0700);
    ck_assert_ptr_nonnull(strstr(first, "/parent/"));

    char *none = NULL;
    ck_assert_int_eq(file_make_temp_folder("missing", &none, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_ptr_null(none);
}
END_TEST

static const struct {
    const char *runner_temp, *tmpdir, *where;
} temps[] = {
    {"runner", "tmp", "/tmp/file-test-*/test-*/runner/tmp-*"},
    {NULL, "tmp", "/tmp/file-test-*/test-*/tmp/tmp-*"},
    {"", "tmp", "/tmp/file-test-*/test-*/tmp/tmp-*"},
    {"missing", "tmp",
     "/tmp/file-test-*/test-*/tmp/tmp-*"}, /* an old runner names one that is not mounted */
    {NULL, NULL, "/tmp/tmp-*"},
    {"missing", "missing", "/tmp/tmp-*"},
};

START_TEST(temp_folders_go_where_the_runner_says)
{
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *path = NULL;
    folder("runner");
    folder("tmp");
    unsetenv("RUNNER_TEMP");
    unsetenv("TMPDIR");
    if (temps[_i].runner_temp)
        setenv("RUNNER_TEMP", temps[_i].runner_temp, 1);
    if (temps[_i].tmpdir)
        setenv("TMPDIR", temps[_i].tmpdir, 1);
    int result = file_make_temp_folder(NULL, &path, &err);
    unsetenv("RUNNER_TEMP");
    unsetenv("TMPDIR");
    ck_assert_msg(result == 0, "%s", err.msg);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_msg(fnmatch(temps[_i].where, path, 0) == 0, "%s is not %s", path, temps[_i].where);
}
END_TEST

static void make_tree(void)
{
    folder("tree");
    folder("tree/a");
    folder("tree/a/b");
    put("tree/a/b/file", "x");
    put("tree/a/read-only", "x");
    put("tree/-rf", "x");
    folder("kept");
    put("kept/file", "x");
    ck_assert_int_eq(symlink("../kept", "tree/link"), 0);
    ck_assert_int_eq(symlink("../../kept/file", "tree/a/link"), 0);
    ck_assert_int_eq(symlink("nowhere", "tree/dangling"), 0);
    ck_assert_int_eq(mkfifo("tree/fifo", 0644), 0);
    ck_assert_int_eq(chmod("tree/a/b", 0), 0);
}

START_TEST(trees_are_removed_and_links_not_followed)
{
    static const char *const names[] = {"tree", "./tree", "tree///", "kept/../tree"};
    struct error err = ERROR_INIT;
    make_tree();
    int result = file_remove_tree(names[_i], &err);
    if (geteuid() != 0) { /* tree/a/b cannot even be opened: said, and the rest is gone */
        ck_assert_int_eq(result, -1);
        ck_assert_int_eq(err.code, EACCES);
        ck_assert(!is_there("tree/link"));
        ck_assert_int_eq(chmod("tree/a/b", 0500), 0); /* this can be helped */
        result = file_remove_tree(names[_i], &err);
    }
    ck_assert_msg(result == 0, "%s", err.msg);
    ck_assert(!is_there("tree"));
    expect_text("kept/file", "x");
}
END_TEST

START_TEST(what_else_can_be_removed)
{
    struct error err = ERROR_INIT;
    ck_assert_int_eq(file_remove_tree("missing", &err), 0);
    ck_assert_int_eq(file_remove_tree("missing/below", &err), 0);
    put("file", "x");
    ck_assert_int_eq(file_remove_tree("file", &err), 0);
    ck_assert(!is_there("file"));

    folder("kept");
    put("kept/file", "x");
    ck_assert_int_eq(symlink("kept", "link"), 0);
    ck_assert_int_eq(file_remove_tree("link", &err), 0); /* the link, not what it leads to */
    ck_assert(!is_there("link"));
    expect_text("kept/file", "x");
    ck_assert_int_eq(err.kind, ERROR_NONE);
}
END_TEST

static const char *const unremovable[] = {"", ".", "..", "/", "//", "kept/.", "kept/..", "kept/./"};

START_TEST(what_is_no_name_is_refused)
{
    struct error err = ERROR_INIT;
    folder("kept");
    put("kept/file", "x");
    ck_assert_int_eq(file_remove_tree(unremovable[_i], &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    expect_text("kept/file", "x");
}
END_TEST

START_TEST(trees_have_a_bottom)
{
    struct error err = ERROR_INIT;
    int top = open(".", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 600; i++) {
        folder("deep");
        ck_assert_int_eq(chdir("deep"), 0);
    }
    ck_assert_int_eq(fchdir(top), 0);
    close(top);
    ck_assert_int_eq(file_remove_tree("deep", &err), -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, ENAMETOOLONG);
}
END_TEST

/* A bind mount of the same file system, a tmpfs, and a file mounted on a file. */
static int remove_around_mounts(void)
{
    struct error err = ERROR_INIT;
    if (!may_mount())
        return 77;
    if (mount("kept", "tree/bind", "none", MS_BIND, NULL) != 0 ||
        mount("none", "tree/other", "tmpfs", 0, "size=64k") != 0)
        return 77;
    put("tree/other/file", "x");
    if (file_remove_tree("tree", &err) != -1 || err.code != EXDEV)
        return 1;
    if (!holds("kept/file", "x"))
        return 2;
    if (!holds("tree/other/file", "x"))
        return 3;
    if (is_there("tree/z"))
        return 4; /* what is not mounted is gone all the same */
    error_reset(&err);
    if (file_remove_tree("tree/bind", &err) != -1 || err.code != EXDEV)
        return 5; /* nor when it is named itself */
    if (!holds("kept/file", "x"))
        return 6;
    return umount("tree/bind") == 0 && umount("tree/other") == 0 ? 0 : 7;
}

START_TEST(mounts_are_left_alone)
{
    folder("tree");
    folder("tree/bind");
    folder("tree/other");
    put("tree/z", "x");
    folder("kept");
    put("kept/file", "x");
    in_child(remove_around_mounts);
}
END_TEST

static const struct {
    const char *root, *path;
    enum error_kind kind;
    const char *resolved; /* below the test's folder */
} paths[] = {
    {"root", "file", ERROR_NONE, "/root/file"},
    {"root", ".", ERROR_NONE, "/root"},
    {"root/", "./sub//file", ERROR_NONE, "/root/sub/file"},
    {"root", "sub/../file", ERROR_NONE, "/root/file"},
    {"root", "sub/up/file", ERROR_NONE, "/root/file"},         /* a link within */
    {"root", "sub/../../root/file", ERROR_NONE, "/root/file"}, /* out and in again */
    {"link-to-root", "file", ERROR_NONE, "/root/file"},
    {".", "root/file", ERROR_NONE, "/root/file"},
    {"/", "no-such-folder/file", ERROR_NOT_FOUND, NULL},
    {"root", "..", ERROR_INPUT, NULL},
    {"root", "../outside", ERROR_INPUT, NULL},
    {"root", "../root-too/file", ERROR_INPUT, NULL}, /* only begins like the root */
    {"root", "leaves", ERROR_INPUT, NULL},
    {"root", "leaves-too/file", ERROR_INPUT, NULL},
    {"root", "absolute", ERROR_INPUT, NULL},
    {"root", "/etc/passwd", ERROR_INPUT, NULL},
    {"root", "sub/up/../outside", ERROR_INPUT, NULL},
    {"root", "", ERROR_INPUT, NULL},
    {"root", "missing", ERROR_NOT_FOUND, NULL},
    {"root", "dangling", ERROR_NOT_FOUND, NULL},
    {"root", "file/x", ERROR_NOT_FOUND, NULL},
    {"root", "missing/../file", ERROR_NOT_FOUND, NULL},
    {"missing", "file", ERROR_NOT_FOUND, NULL},
    {"root", "loop", ERROR_SYSTEM, NULL},
};

static void make_root(void)
{
    folder("root");
    folder("root/sub");
    folder("root-too");
    put("root/file", "x");
    put("root/sub/file", "x");
    put("root-too/file", "x");
    put("outside", "x");
    ck_assert_int_eq(symlink("root", "link-to-root"), 0);
    ck_assert_int_eq(symlink("..", "root/sub/up"), 0);
    ck_assert_int_eq(symlink("../outside", "root/leaves"), 0);
    ck_assert_int_eq(symlink("../root-too", "root/leaves-too"), 0);
    ck_assert_int_eq(symlink("/etc/passwd", "root/absolute"), 0);
    ck_assert_int_eq(symlink("nowhere", "root/dangling"), 0);
    ck_assert_int_eq(symlink("loop", "root/loop"), 0);
}

START_TEST(paths_stay_within_their_root)
{
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *resolved = NULL;
    make_root();
    int result = file_resolve_within(paths[_i].root, paths[_i].path, &resolved, &err);
    ck_assert_msg(err.kind == paths[_i].kind, "%s: %s", error_kind_name(err.kind), err.msg);
    ck_assert_int_eq(result, paths[_i].kind == ERROR_NONE ? 0 : -1);
    if (result < 0) {
        ck_assert_ptr_null(resolved);
        return;
    }
    CLEANUP(strbuf) struct strbuf wanted = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *real_base = realpath(base, NULL);
    strbuf_addf(&wanted, "%s%s", real_base, paths[_i].resolved);
    ck_assert_str_eq(resolved, wanted.buf);
}
END_TEST

START_TEST(absolute_paths_within_the_root_are_fine)
{
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *resolved = NULL;
    CLEANUP_FREE char *again = NULL;
    make_root();
    ck_assert_int_eq(file_resolve_within(base, "root/file", &resolved, &err), 0);
    ck_assert_int_eq(file_resolve_within("root", resolved, &again, &err), 0);
    ck_assert_str_eq(again, resolved);
    free(STEAL(again));
    ck_assert_int_eq(file_resolve_within("/", resolved, &again, &err), 0);
    ck_assert_str_eq(again, resolved);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("file");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, make_suite_folder, remove_suite_folder);
    tcase_add_checked_fixture(tests, enter_folder, leave_folder);
    tcase_add_test(tests, whole_files_are_read);
    tcase_add_test(tests, a_cap_is_a_limit);
    tcase_add_loop_test(tests, only_regular_files_are_read, 0, COUNT(unreadable));
    tcase_add_test(tests, text_is_appended);
    tcase_add_test(tests, half_an_append_is_taken_back);
    tcase_add_test(tests, a_full_disk_leaves_the_old_text);
    tcase_add_test(tests, files_are_replaced_as_a_whole);
    tcase_add_test(tests, temp_folders_are_our_own);
    tcase_add_loop_test(tests, temp_folders_go_where_the_runner_says, 0, COUNT(temps));
    tcase_add_loop_test(tests, trees_are_removed_and_links_not_followed, 0, 4);
    tcase_add_test(tests, what_else_can_be_removed);
    tcase_add_loop_test(tests, what_is_no_name_is_refused, 0, COUNT(unremovable));
    tcase_add_test(tests, trees_have_a_bottom);
    tcase_add_test(tests, mounts_are_left_alone);
    tcase_add_loop_test(tests, paths_stay_within_their_root, 0, COUNT(paths));
    tcase_add_test(tests, absolute_paths_within_the_root_are_fine);
    suite_add_tcase(suite, tests);
    return suite;
}
