#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/file.h"
#include "core/support_tree.h"
#include "core/text.h"
#include "core/walk.h"

Suite *walk_suite(void);

static char *root;

static void set_up(void)
{
    root = tree_new();
}

static void tear_down(void)
{
    tree_remove(root);
}

/* All entries as "path type mode", separated by ';'. */
static void describe(const struct walk *walk, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    for (uint32_t i = 0; i < walk->len; i++) {
        const struct walk_entry *entry = &walk->entries[i];
        walk_path(walk, i, &path);
        strbuf_addf(out, "%s%s", i > 0 ? ";" : "", path.buf);
        if (S_ISDIR(entry->mode))
            strbuf_addstr(out, "/");
        else if (S_ISLNK(entry->mode))
            strbuf_addf(out, "->%s", walk_target(walk, entry));
        else if (S_ISREG(entry->mode))
            strbuf_addf(out, "=%d", (int)entry->u.size);
        else
            strbuf_addf(out, "?%o", entry->mode & S_IFMT);
        ck_assert_int_eq(
            walk_find(walk, entry->folder, walk_name(walk, entry), strlen(walk_name(walk, entry))),
            (int64_t)i);
    }
}

static void check_walk(walk_judge *judge, void *context, const char *expected)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct walk walk = WALK_INIT;
    struct error err = ERROR_INIT;
    ck_assert_msg(walk_tree(root, judge, context, &walk, &err) == 0, "%s", err.msg);
    describe(&walk, &found);
    ck_assert_str_eq(found.buf, expected);
    walk_release(&walk);
}

START_TEST(folders_come_one_by_one_sorted)
{
    tree_make(root, "b/y = 12\nb/x/z = 1\na/c/d/e = \na/b = 123\nz = 1\nA = 12\nempty/\n.h = 1");
    check_walk(NULL, NULL,
               ".h=1;A=2;a/;b/;empty/;z=1;a/b=3;a/c/;b/x/;b/y=2;a/c/d/;b/x/z=1;a/c/d/e=0");
}
END_TEST

START_TEST(an_empty_root)
{
    struct walk walk = WALK_INIT;
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.len, 0);
    ck_assert_int_eq(walk_find(&walk, WALK_ROOT, "a", 1), -1);
    walk_release(&walk);
}
END_TEST

START_TEST(links_are_never_followed)
{
    tree_make(root, "a/b = 1\nl -> a\nup -> ../..\nself -> self\nnowhere -> /no/such/thing");
    check_walk(NULL, NULL, "a/;l->a;nowhere->/no/such/thing;self->self;up->../..;a/b=1");
}
END_TEST

START_TEST(everything_has_its_type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    tree_make(root, "fifo |");
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", root);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    check_walk(NULL, NULL, "fifo?10000;socket?140000");
}
END_TEST

START_TEST(names_are_bytes)
{
    tree_make(root, "\xFF\xFE = 1\n\xC3\xA9 = 1\n a b = 1\n*? = 1");
    check_walk(NULL, NULL, " a b=1;*?=1;\xC3\xA9=1;\xFF\xFE=1");
}
END_TEST

START_TEST(modes_and_sizes_are_as_they_are)
{
    struct walk walk = WALK_INIT;
    tree_make(root, "f = 12345\n04755 f\nd/\n01777 d");
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.entries[0].mode, (unsigned)S_IFDIR | 01777u);
    ck_assert_uint_eq(walk.entries[1].mode, (unsigned)S_IFREG | 04755u);
    ck_assert_int_eq(walk.entries[1].u.size, 5);
    walk_release(&walk);
}
END_TEST

START_TEST(a_file_may_be_larger_than_memory)
{
    struct walk walk = WALK_INIT;
    tree_make(root, "f = x");
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&path, "%s/f", root);
    ck_assert_int_eq(truncate(path.buf, 5LL << 30), 0);
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_int_eq(walk.entries[0].u.size, 5LL << 30);
    walk_release(&walk);
}
END_TEST

/* Each path is judged once, in the table's order, with the length of its folder's. */
struct judging {
    const char *leave, *if_needed; /* words that a path must hold */
    int asked;
};

static enum walk_verdict judge(void *context, const char *path, size_t folder_len, bool is_folder)
{
    struct judging *judging = context;
    const char *slash = strrchr(path, '/');
    judging->asked++;
    ck_assert_uint_eq(folder_len, slash ? (size_t)(slash - path) : 0);
    if (judging->leave && strstr(path, judging->leave))
        return WALK_LEAVE;
    if (judging->if_needed && strstr(path, judging->if_needed) && !strstr(path, "keep"))
        return is_folder ? WALK_IF_NEEDED : WALK_LEAVE;
    return WALK_KEEP;
}

START_TEST(what_is_left_out_is_not_looked_into)
{
    struct judging judging = {.leave = "x"};
    tree_make(root, "a/x/deep/er = 1\na/b = 1\nx = 1\nc/ax/d = 1");
    check_walk(judge, &judging, "a/;c/;a/b=1");
    ck_assert_int_eq(judging.asked, 6);
}
END_TEST

START_TEST(folders_that_are_not_needed_go)
{
    struct judging judging = {.if_needed = "i"};
    tree_make(root, "i/j/k/keep = 1\ni/j/o = 1\ni/p/q = 1\ni/r/\nb/i/keep = 1\nb/z = 1\ni2/a = 1\n"
                    "z/y/x = 1");
    check_walk(judge, &judging,
               "b/;i/;z/;b/i/;b/z=1;i/j/;z/y/;b/i/keep=1;i/j/k/;z/y/x=1;"
               "i/j/k/keep=1");
}
END_TEST

START_TEST(a_folder_that_is_needed_stays_though_the_last_one_goes)
{
    struct judging judging = {.if_needed = "i"};
    tree_make(root, "a/keep = 1\ni/x = 1\nz/\nz/i/");
    check_walk(judge, &judging, "a/;z/;a/keep=1");
}
END_TEST

START_TEST(a_folder_that_cannot_be_listed_is_noted)
{
    struct walk walk = WALK_INIT;
    uid_t me = geteuid();
    tree_make(root, "a/b = 1\nc = 1\n0000 a");
    ck_assert_int_eq(chmod(root, 0755), 0);
    ck_assert(me != 0 || seteuid(65534) == 0);
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_int_eq(seteuid(me), 0);
    ck_assert_uint_eq(walk.len, 2);
    ck_assert_int_eq(walk.entries[0].error, EACCES);
    ck_assert_int_eq(walk.entries[1].error, 0);
    walk_release(&walk);
    tree_make(root, "0755 a");
}
END_TEST

static enum walk_verdict swap(void *context, const char *path, size_t folder_len, bool is_folder)
{
    (void)context;
    (void)folder_len;
    (void)is_folder;
    if (text_equal(path, "b"))
        tree_make(root, "- a\na -> /etc");
    return WALK_KEEP;
}

/* The folder was a folder when it was seen, and leads to /etc when it is opened. */
START_TEST(a_folder_that_becomes_a_link_is_not_entered)
{
    struct walk walk = WALK_INIT;
    tree_make(root, "a/x = 1\nb = 1");
    ck_assert_int_eq(walk_tree(root, swap, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.len, 2);
    ck_assert(walk.entries[0].error == ENOTDIR || walk.entries[0].error == ELOOP);
    walk_release(&walk);
}
END_TEST

static enum walk_verdict remove_next(void *context, const char *path, size_t folder_len,
                                     bool is_folder)
{
    (void)context;
    (void)folder_len;
    (void)is_folder;
    if (text_equal(path, "a"))
        tree_make(root, "- b\n- d");
    return WALK_KEEP;
}

START_TEST(a_name_that_is_gone_was_not_there)
{
    tree_make(root, "a = 1\nb = 1\nc = 1\nd/x = 1");
    check_walk(remove_next, NULL, "a=1;c=1");
}
END_TEST

/* "i" is only wanted for "i/keep", which is gone by the time that it is looked at. */
static enum walk_verdict remove_kept(void *context, const char *path, size_t folder_len,
                                     bool is_folder)
{
    (void)context;
    (void)folder_len;
    if (text_equal(path, "i/keep"))
        tree_make(root, "- i/keep");
    return text_equal(path, "i") && is_folder ? WALK_IF_NEEDED : WALK_KEEP;
}

START_TEST(a_folder_is_not_needed_for_what_is_gone)
{
    tree_make(root, "a = 1\ni/keep = 1\nz/x = 12");
    check_walk(remove_kept, NULL, "a=1;z/;z/x=2");
}
END_TEST

static const struct {
    const char *spec, *said;
} other_things[] = {
    {"- d/f\nd/f/", "/d/f changed or vanished while it was read"},
    {"- d/f\nd/f -> /etc/passwd", "/d/f changed or vanished while it was read"},
    {"- d\nd -> /etc", "/d/f changed or vanished while it was read"},
};

static enum walk_verdict replace(void *context, const char *path, size_t folder_len, bool is_folder)
{
    (void)folder_len;
    (void)is_folder;
    if (text_equal(path, "d/g"))
        tree_make(root, context);
    return WALK_KEEP;
}

/* It was a file in the listing. */
START_TEST(a_file_that_becomes_something_else_is_named)
{
    struct walk walk = WALK_INIT;
    struct error err = ERROR_INIT;
    char spec[64];
    snprintf(spec, sizeof spec, "%s", other_things[_i].spec);
    tree_make(root, "a = 1\nd/f = 1\nd/g = 1");
    ck_assert_int_eq(walk_tree(root, replace, spec, &walk, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_FAILED);
    ck_assert_msg(strstr(err.msg, other_things[_i].said) != NULL, "%s", err.msg);
    walk_release(&walk);
}
END_TEST

/* Enough for several threads, each file of a size and mode of its own. */
START_TEST(all_files_are_looked_at)
{
    enum { FILES = 6000 };
    struct walk walk = WALK_INIT;
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < FILES; i++) {
        strbuf_reset(&path);
        strbuf_addf(&path, "%s/%02d", root, i % 60);
        ck_assert(i >= 60 || mkdir(path.buf, 0755) == 0);
        strbuf_addf(&path, "/%04d", i);
        int fd = open(path.buf, O_CREAT | O_WRONLY | O_CLOEXEC, 0600 | i % 64);
        ck_assert_int_eq(ftruncate(fd, i), 0);
        ck_assert_int_eq(fchmod(fd, 0600 | (mode_t)i % 64), 0);
        close(fd);
    }
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.len, FILES + 60);
    for (uint32_t i = 60; i < walk.len; i++) {
        int number = (int)strtol(walk_name(&walk, &walk.entries[i]), NULL, 10);
        ck_assert_int_eq(walk.entries[i].u.size, number);
        ck_assert_uint_eq(walk.entries[i].mode, (unsigned)(S_IFREG | 0600 | number % 64));
        ck_assert_uint_eq(walk.entries[i].flags, 0);
    }
    walk_release(&walk);
}
END_TEST

static enum walk_verdict remove_all(void *context, const char *path, size_t folder_len,
                                    bool is_folder)
{
    (void)context;
    (void)path;
    (void)folder_len;
    (void)is_folder;
    ck_assert_int_eq(file_remove_tree(root, NULL), 0);
    return WALK_KEEP;
}

START_TEST(a_root_that_vanishes_is_an_error)
{
    struct walk walk = WALK_INIT;
    struct error err = ERROR_INIT;
    tree_make(root, "a = 1\nb/c = 1");
    ck_assert_int_eq(walk_tree(root, remove_all, NULL, &walk, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_FAILED);
    ck_assert_msg(strstr(err.msg, "was deleted while it was read"), "%s", err.msg);
    walk_release(&walk);
    ck_assert_int_eq(mkdir(root, 0700), 0);
}
END_TEST

START_TEST(no_such_root)
{
    struct walk walk = WALK_INIT;
    struct error err = ERROR_INIT;
    ck_assert_int_eq(walk_tree("/no/such", NULL, NULL, &walk, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_str_eq(err.msg, "there is no folder /no/such");
    walk_release(&walk);
    ck_assert_int_eq(walk_tree("/etc/passwd", NULL, NULL, &walk, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    walk_release(&walk);
}
END_TEST

START_TEST(a_cancel_ends_it)
{
    struct walk walk = WALK_INIT;
    struct error err = ERROR_INIT;
    cancel_pretend(2);
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, &err), -1);
    cancel_pretend(0);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
    walk_release(&walk);
}
END_TEST

/* More levels than a process may have files open, and a path longer than PATH_MAX at its end. */
START_TEST(depth_costs_no_descriptors)
{
    enum { LEVELS = 300 };
    struct walk walk = WALK_INIT;
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < LEVELS; i++) {
        ck_assert_int_eq(mkdirat(fd, "a folder with a long name", 0755), 0);
        int next = openat(fd, "a folder with a long name", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.len, LEVELS);
    walk_path(&walk, LEVELS - 1, &path);
    ck_assert_uint_eq(path.len, LEVELS * 26 - 1);
    fd = walk_open_folder(walk.root, path.buf);
    ck_assert_int_ge(fd, 0);
    close(fd);
    walk_release(&walk);
}
END_TEST

START_TEST(many_entries_take_little_memory)
{
    enum { FILES = 20000 };
    struct walk walk = WALK_INIT;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "file_%05d.py", i);
        int file = openat(fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        ck_assert_int_ge(file, 0);
        close(file);
    }
    close(fd);
    ck_assert_int_eq(walk_tree(root, NULL, NULL, &walk, NULL), 0);
    ck_assert_uint_eq(walk.len, FILES);
    ck_assert_uint_eq(sizeof *walk.entries, 24);
    ck_assert_uint_lt(walk.alloc * sizeof *walk.entries + walk.names_alloc, FILES * 64u);
    ck_assert_str_eq(walk_name(&walk, &walk.entries[12345]), "file_12345.py");
    ck_assert_int_eq(walk_find(&walk, WALK_ROOT, "file_19999.py", 13), 19999);
    ck_assert_int_eq(walk_find(&walk, WALK_ROOT, "file_19999.p", 12), -1);
    walk_release(&walk);
}
END_TEST

Suite *walk_suite(void)
{
    Suite *suite = suite_create("walk");
    TCase *tests = tcase_create("walk");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, folders_come_one_by_one_sorted);
    tcase_add_test(tests, an_empty_root);
    tcase_add_test(tests, links_are_never_followed);
    tcase_add_test(tests, everything_has_its_type);
    tcase_add_test(tests, names_are_bytes);
    tcase_add_test(tests, modes_and_sizes_are_as_they_are);
    tcase_add_test(tests, a_file_may_be_larger_than_memory);
    tcase_add_test(tests, what_is_left_out_is_not_looked_into);
    tcase_add_test(tests, folders_that_are_not_needed_go);
    tcase_add_test(tests, a_folder_that_is_needed_stays_though_the_last_one_goes);
    tcase_add_test(tests, a_folder_that_cannot_be_listed_is_noted);
    tcase_add_test(tests, a_folder_that_becomes_a_link_is_not_entered);
    tcase_add_test(tests, a_name_that_is_gone_was_not_there);
    tcase_add_test(tests, a_folder_is_not_needed_for_what_is_gone);
    tcase_add_loop_test(tests, a_file_that_becomes_something_else_is_named, 0,
                        (int)(sizeof other_things / sizeof *other_things));
    tcase_add_test(tests, all_files_are_looked_at);
    tcase_add_test(tests, a_root_that_vanishes_is_an_error);
    tcase_add_test(tests, no_such_root);
    tcase_add_test(tests, a_cancel_ends_it);
    tcase_add_test(tests, depth_costs_no_descriptors);
    tcase_add_test(tests, many_entries_take_little_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
