#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/filehash.h"
#include "core/memory.h"
#include "core/support_tree.h"

Suite *filehash_suite(void);

static char *root;
static struct walk walk;
static struct filehash *files;
static size_t count;

static void set_up(void)
{
    root = tree_new();
    walk = (struct walk)WALK_INIT;
    files = NULL;
    count = 0;
}

static void tear_down(void)
{
    walk_release(&walk);
    free(files);
    tree_remove(root);
}

/* Walk what is there and list its files. */
static void look_by(int (*walk_by)(const char *, walk_judge *, void *, struct walk *,
                                   struct error *))
{
    struct error err = ERROR_INIT;
    ck_assert_msg(walk_by(root, NULL, NULL, &walk, &err) == 0, "%s", err.msg);
    files = memory_new((walk.len + 1) * sizeof *files);
    for (uint32_t i = 0; i < walk.len; i++)
        if (S_ISREG(walk.entries[i].mode))
            files[count++].entry = i;
}

static void look(void)
{
    look_by(walk_tree);
}

static void path_in_root(const char *name, struct strbuf *ret_path)
{
    strbuf_reset(ret_path);
    strbuf_addf(ret_path, "%s/%s", root, name);
}

/* "name=first 8 digits" of each file. */
static void describe(struct strbuf *out)
{
    char hex[SHA256_HEX];
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_reset(out);
    for (size_t i = 0; i < count; i++) {
        walk_path(&walk, files[i].entry, &path);
        crypto_hex(files[i].sha256, SHA256_BYTES, hex);
        strbuf_addf(out, "%s%s=%.8s", i > 0 ? " " : "", path.buf, hex);
    }
}

START_TEST(contents_are_hashed)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    tree_make(root,
              "empty = \na = abc\nd/b = abc\nd/e/c = abcdbcdecdefdefgefghfghighijhijkijkljklmkl"
              "mnlmnomnopnopq");
    look();
    ck_assert_msg(filehash_run(&walk, files, count, 0, &err) == 0, "%s", err.msg);
    describe(&found); /* the test vectors of FIPS 180-2 */
    ck_assert_str_eq(found.buf, "a=ba7816bf empty=e3b0c442 d/b=ba7816bf d/e/c=248d6a61");
}
END_TEST

START_TEST(nothing_to_hash)
{
    look();
    ck_assert_int_eq(filehash_run(&walk, files, 0, 0, NULL), 0);
}
END_TEST

/* Sizes around the buffer's and around where a file counts as large. */
START_TEST(sizes_at_the_seams)
{
    static const size_t sizes[] = {1,       131071,      131072,  131073,  262144,
                                   4194303, 4194304 - 1, 4194304, 4194305, 9000001};
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    char *bytes = memory_new(9000001);
    char name[8];
    for (size_t i = 0; i < 9000001; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    for (size_t i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "f%zu", i);
        path_in_root(name, &path);
        FILE *file = fopen(path.buf, "we");
        ck_assert_uint_eq(fwrite(bytes, 1, sizes[i], file), sizes[i]);
        fclose(file);
    }
    look();
    ck_assert_int_eq(filehash_run(&walk, files, count, 3, NULL), 0);
    for (size_t i = 0; i < 10; i++) {
        unsigned char expected[SHA256_BYTES];
        crypto_sha256(bytes, sizes[i], expected);
        ck_assert_mem_eq(files[i].sha256, expected, SHA256_BYTES);
    }
    free(bytes);
}
END_TEST

START_TEST(a_file_with_holes)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    static unsigned char zeros[1 << 20];
    unsigned char expected[SHA256_BYTES];
    struct sha256 *hash = sha256_new();
    tree_make(root, "f = ");
    path_in_root("f", &path);
    ck_assert_int_eq(truncate(path.buf, (64 << 20) + 7), 0);
    for (int i = 0; i < 64; i++)
        sha256_add(hash, zeros, sizeof zeros);
    sha256_add(hash, zeros, 7);
    sha256_finish(hash, expected);
    sha256_free(hash);
    look();
    ck_assert_int_eq(filehash_run(&walk, files, count, 0, NULL), 0);
    ck_assert_mem_eq(files[0].sha256, expected, SHA256_BYTES);
}
END_TEST

START_TEST(threads_make_no_difference)
{
    CLEANUP(strbuf) struct strbuf one = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf many = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf spec = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&spec, "d%d/e%d/f%d = %d\n", i % 7, i % 3, i, i * i);
    tree_make(root, spec.buf);
    look();
    ck_assert_uint_eq(count, 1000);
    ck_assert_int_eq(filehash_run(&walk, files, count, 1, NULL), 0);
    describe(&one);
    for (size_t threads = 2; threads < 20; threads += 5) {
        for (size_t i = 0; i < count; i++)
            memset(files[i].sha256, 0, SHA256_BYTES);
        ck_assert_int_eq(filehash_run(&walk, files, count, threads, NULL), 0);
        describe(&many);
        ck_assert_str_eq(one.buf, many.buf);
    }
}
END_TEST

/* What happens to the file between the walk and the reading, and what is said. */
static const struct {
    const char *spec, *said;
    enum error_kind kind;
} changes[] = {
    {"- d/f", "/d/f vanished while the build context was read", ERROR_FAILED},
    {"- d", "/d/f vanished while the build context was read", ERROR_FAILED},
    {"d/f = longer than before", "/d/f changed while it was read", ERROR_FAILED},
    {"d/f = x", "/d/f changed while it was read", ERROR_FAILED},
    {"- d/f\nd/f -> /etc/passwd", "/d/f vanished while the build context was read", ERROR_FAILED},
    {"- d\nd -> e", "/d/f vanished while the build context was read", ERROR_FAILED},
    {"- d/f\nd/f/", "/d/f changed while it was read", ERROR_FAILED},
    {"- d/f\nd/f |", "/d/f changed while it was read", ERROR_FAILED},
};

START_TEST(files_that_change_are_named)
{
    struct error err = ERROR_INIT;
    tree_make(root, "a = 1\nd/f = before\nd/g = 1\ne/f = before\nz = 1");
    look();
    tree_make(root, changes[_i].spec);
    if (strstr(changes[_i].spec, "d/f/"))
        tree_make(root, "d/f/x = 1");
    ck_assert_int_eq(filehash_run(&walk, files, count, 2, &err), -1);
    ck_assert_int_eq(err.kind, changes[_i].kind);
    ck_assert_msg(strstr(err.msg, changes[_i].said) != NULL, "%s", err.msg);
}
END_TEST

/*
 * Files that were only listed: what is opened is looked at, and what is gone by then was not there.
 */
START_TEST(listed_files_are_looked_at)
{
    tree_make(root, "a = 12\n0640 a\nd/f = 1\nd/g = 1\ne/f = 1\nz = 1");
    look_by(walk_names);
    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(walk.entries[files[i].entry].u.size, WALK_UNSEEN);
    tree_make(root, "- d/f\n- e");
    ck_assert_int_eq(filehash_run(&walk, files, count, 2, NULL), 0);
    const struct walk_entry *first = &walk.entries[files[0].entry];
    ck_assert_int_eq(first->u.size, 2);
    ck_assert_uint_eq(first->mode, S_IFREG | 0640);
    CLEANUP(strbuf) struct strbuf gone = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    for (size_t i = 0; i < count; i++) {
        walk_path(&walk, files[i].entry, &path);
        if (walk.entries[files[i].entry].u.size == WALK_GONE)
            strbuf_addf(&gone, "%s ", path.buf);
    }
    ck_assert_str_eq(gone.buf, "d/f e/f ");
}
END_TEST

START_TEST(listed_files_that_are_something_else_are_named)
{
    static const char *const others[] = {"- f\nf -> a", "- f\nf/", "- f\nf |"};
    struct error err = ERROR_INIT;
    tree_make(root, "a = 1\nf = 1");
    look_by(walk_names);
    tree_make(root, others[_i]);
    ck_assert_int_eq(filehash_run(&walk, files, count, 1, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_FAILED);
    ck_assert_msg(strstr(err.msg, "/f ") != NULL, "%s", err.msg);
}
END_TEST

/* A writer that goes on while the file is read. The file is large enough that it is seen. */
static void *write_on(void *argument)
{
    int fd = *(int *)argument;
    for (int i = 0; i < 400; i++) {
        if (pwrite(fd, "x", 1, 5) != 1)
            break;
        usleep(500);
    }
    return NULL;
}

START_TEST(a_file_that_is_written_to_meanwhile_is_named)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    pthread_t writer;
    tree_make(root, "f = ");
    path_in_root("f", &path);
    ck_assert_int_eq(truncate(path.buf, 128 << 20), 0);
    look();
    CLEANUP_FD int fd = open(path.buf, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_on, &fd), 0);
    int rc = filehash_run(&walk, files, count, 1, &err);
    pthread_join(writer, NULL);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.kind, ERROR_FAILED);
    ck_assert_msg(strstr(err.msg, "/f changed while it was read") != NULL, "%s", err.msg);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
    struct error err = ERROR_INIT;
    uid_t me = geteuid();
    tree_make(root, "a = 1\nb = 1\n0000 b");
    ck_assert_int_eq(chmod(root, 0755), 0);
    look();
    ck_assert(me != 0 || seteuid(65534) == 0);
    int rc = filehash_run(&walk, files, count, 1, &err);
    ck_assert_int_eq(seteuid(me), 0);
    ck_assert_int_eq(rc, -1);
    ck_assert_int_eq(err.kind, ERROR_SYSTEM);
    ck_assert_int_eq(err.code, EACCES);
    ck_assert_msg(strstr(err.msg, "/b: Permission denied") != NULL, "%s", err.msg);
}
END_TEST

/* Of two faults the first file's is told, with one thread at least. */
START_TEST(the_first_of_several_faults_is_told)
{
    struct error err = ERROR_INIT;
    tree_make(root, "a = 1\nb = 1\nc = 1\nd = 1");
    look();
    tree_make(root, "- d\n- b");
    ck_assert_int_eq(filehash_run(&walk, files, count, 1, &err), -1);
    ck_assert_msg(strstr(err.msg, "/b vanished") != NULL, "%s", err.msg);
}
END_TEST

START_TEST(a_cancel_ends_it)
{
    struct error err = ERROR_INIT;
    tree_make(root, "a = 1");
    look();
    cancel_pretend(15);
    ck_assert_int_eq(filehash_run(&walk, files, count, 0, &err), -1);
    cancel_pretend(0);
    ck_assert_int_eq(err.kind, ERROR_CANCELLED);
}
END_TEST

START_TEST(file_capabilities_count)
{
    /* cap_net_bind_service=ep, version 2 */
    static const unsigned char capability[20] = {1, 0, 0, 2, 0, 4};
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    unsigned char before[SHA256_BYTES], expected[SHA256_BYTES], both[SHA256_BYTES + 20];
    tree_make(root, "a = 1\nb = 1");
    look();
    ck_assert_int_eq(filehash_run(&walk, files, count, 0, NULL), 0);
    memcpy(before, files[0].sha256, sizeof before);
    path_in_root("a", &path);
    if (setxattr(path.buf, "security.capability", capability, sizeof capability, 0) != 0)
        return; /* not root, or a file system without them */
    ck_assert_int_eq(filehash_run(&walk, files, count, 0, NULL), 0);
    ck_assert_mem_eq(files[1].sha256, before, sizeof before);
    memcpy(both, before, sizeof before);
    memcpy(both + sizeof before, capability, sizeof capability);
    crypto_sha256(both, sizeof both, expected);
    ck_assert_mem_eq(files[0].sha256, expected, sizeof expected);
}
END_TEST

Suite *filehash_suite(void)
{
    Suite *suite = suite_create("filehash");
    TCase *tests = tcase_create("filehash");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, contents_are_hashed);
    tcase_add_test(tests, nothing_to_hash);
    tcase_add_test(tests, sizes_at_the_seams);
    tcase_add_test(tests, a_file_with_holes);
    tcase_add_test(tests, threads_make_no_difference);
    tcase_add_loop_test(tests, files_that_change_are_named, 0,
                        (int)(sizeof changes / sizeof *changes));
    tcase_add_test(tests, listed_files_are_looked_at);
    tcase_add_loop_test(tests, listed_files_that_are_something_else_are_named, 0, 3);
    tcase_add_test(tests, a_file_that_is_written_to_meanwhile_is_named);
    tcase_add_test(tests, a_file_that_cannot_be_read_is_named);
    tcase_add_test(tests, the_first_of_several_faults_is_told);
    tcase_add_test(tests, a_cancel_ends_it);
    tcase_add_test(tests, file_capabilities_count);
    suite_add_tcase(suite, tests);
    return suite;
}
