/* Real repositories, made by the git program where there is one; the files alone are read where
 * there is none. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/process.h"
#include "core/strbuf.h"
#include "services/git.h"

Suite *git_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ID           "0123456789abcdef0123456789abcdef01234567"
#define ID_64        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *folder; /* owned */

static void setup(void)
{
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
}

static void teardown(void)
{
    process_replace(NULL, NULL);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
    free(folder);
    folder = NULL;
}

static int no_git(void *context, const struct process_spec *spec, struct process_result *ret_result,
                  struct error *err)
{
    (void)context;
    (void)err;
    ck_assert_str_eq(spec->argv[0], "git");
    *ret_result = (struct process_result){.outcome = PROCESS_NOT_FOUND};
    return 0;
}

static void put(const char *name, const char *text)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192);
    strbuf_addf(&path, "%s/%s", folder, name);
    for (char *slash = path.buf + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path.buf, 0700);
        *slash = '/';
    }
    ck_assert_int_eq(file_write(path.buf, text, strlen(text), 0600, NULL), 0);
}

/* ---- by files ---- */

static const struct {
    const char *name;
    const char *files[10]; /* name, text… */
    const char *commit;    /* NULL: none */
} layouts[] = {
    {"detached", {".git/HEAD", ID "\n"}, ID},
    {"sha256", {".git/HEAD", ID_64 "\n"}, ID_64},
    {"loose", {".git/HEAD", "ref: refs/heads/main\n", ".git/refs/heads/main", ID "\n"}, ID},
    {"packed",
     {".git/HEAD", "ref: refs/heads/main\n", ".git/packed-refs",
      "# pack-refs with: peeled\n" ID_64 " refs/heads/mai\n" ID " refs/heads/main\n^" ID_64 "\n"},
     ID},
    {"loose before packed",
     {".git/HEAD", "ref: refs/heads/main", ".git/refs/heads/main", ID, ".git/packed-refs",
      ID_64 " refs/heads/main\n"},
     ID},
    {"symbolic",
     {".git/HEAD", "ref: refs/a\n", ".git/refs/a", "ref: refs/b\n", ".git/refs/b", ID},
     ID},
    {"for ever", {".git/HEAD", "ref: refs/a\n", ".git/refs/a", "ref: refs/a\n"}, NULL},
    {"submodule",
     {".git", "gitdir: modules/x\n", "modules/x/HEAD", "ref: refs/heads/m\n",
      "modules/x/refs/heads/m", ID},
     ID},
    {"worktree",
     {".git", "gitdir: main/.git/worktrees/w\n", "main/.git/worktrees/w/HEAD",
      "ref: refs/heads/m\n", "main/.git/worktrees/w/commondir", "../..\n", "main/.git/refs/heads/m",
      ID},
     ID},
    {"worktree, packed",
     {".git", "gitdir: main/.git/worktrees/w\n", "main/.git/worktrees/w/HEAD",
      "ref: refs/heads/m\n", "main/.git/worktrees/w/commondir", "../..\n", "main/.git/packed-refs",
      ID " refs/heads/m\n"},
     ID},
    {"no commit yet", {".git/HEAD", "ref: refs/heads/main\n"}, NULL},
    {"not in packed refs",
     {".git/HEAD", "ref: refs/heads/main\n", ".git/packed-refs", ID " refs/heads/other\n"},
     NULL},
    {"no repository", {"README", "x"}, NULL},
    {"garbage", {".git/HEAD", "hello\n"}, NULL},
    {"too short", {".git/HEAD", "0123456789abcdef\n"}, NULL},
    {"reftable", {".git/HEAD", "ref: refs/heads/.invalid\n"}, NULL},
    {"out of the repository",
     {".git/HEAD", "ref: refs/../../secret\n", "secret", ID, ".git/refs/x", "x"},
     NULL},
    {"not a ref", {".git/HEAD", "ref: config\n", ".git/config", ID}, NULL},
};

START_TEST(head_without_git)
{
    CLEANUP_FREE char *commit = NULL, *message = (char *)1;
    struct error err = ERROR_INIT;
    for (size_t i = 0; layouts[_i].files[i]; i += 2)
        put(layouts[_i].files[i], layouts[_i].files[i + 1]);
    process_replace(no_git, NULL);
    int rc = git_head(folder, &commit, &message, &err);
    ck_assert_msg(rc == (layouts[_i].commit ? 0 : -1), "%s: %s", layouts[_i].name, err.msg);
    ck_assert_pstr_eq(commit, layouts[_i].commit);
    ck_assert_int_eq(err.kind, rc < 0 ? ERROR_NOT_FOUND : ERROR_NONE);
    if (rc == 0)
        ck_assert_ptr_null(message);
    message = rc < 0 ? NULL : message;
}
END_TEST

/* ---- by git ---- */

/* Run git in a sub-folder; the environment is fixed, so that nothing of the user's counts. */
static void run_git(const char *where, const char *const *words, const char *input)
{
    CLEANUP(strbuf) struct strbuf cwd = STRBUF_INIT(8192);
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                      "HOME=/nonexistent",
                                      "GIT_AUTHOR_NAME=a",
                                      "GIT_AUTHOR_EMAIL=a@example.com",
                                      "GIT_COMMITTER_NAME=a",
                                      "GIT_COMMITTER_EMAIL=a@example.com",
                                      NULL};
    const char *argv[16] = {"git"};
    struct process_result result;
    struct error err = ERROR_INIT;
    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    strbuf_addf(&cwd, "%s/%s", folder, where);
    const struct process_spec spec = {.argv = argv,
                                      .env = env,
                                      .cwd = cwd.buf,
                                      .input = input,
                                      .input_len = input ? strlen(input) : 0};
    ck_assert_int_eq(process_run(&spec, &result, NULL), 0);
    ck_assert_msg(process_check(&result, words[0], &err) == 0, "%s", err.msg);
}
#define GIT(where, ...) run_git(where, (const char *const[]){__VA_ARGS__, NULL}, NULL)
#define COMMIT(where, message)                                                                     \
    run_git(where,                                                                                 \
            (const char *const[]){"commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F",     \
                                  "-", NULL},                                                      \
            message)

static void expect_head(const char *where, const char *wanted_message)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192);
    CLEANUP_FREE char *commit = NULL, *message = NULL, *again = NULL;
    struct error err = ERROR_INIT;
    strbuf_addf(&path, "%s/%s", folder, where);
    ck_assert_msg(git_head(path.buf, &commit, &message, &err) == 0, "%s", err.msg);
    ck_assert_uint_eq(strlen(commit), 40);
    ck_assert_pstr_eq(message, wanted_message);
    process_replace(no_git, NULL); /* the files say the same */
    ck_assert_msg(git_head(path.buf, &again, NULL, &err) == 0, "%s", err.msg);
    process_replace(NULL, NULL);
    ck_assert_str_eq(again, commit);
}

static const struct {
    const char *text, *read;
} messages[] = {
    {"plain\n", "plain"},
    {"subject\n\nbody\n\nTrailer: x\n\n\n", "subject\n\nbody\n\nTrailer: x"},
    {"::error::x\n##[command]y\n", "::error::x\n##[command]y"},
    {"--format=%H %B %n\n$(id) `id` %00\n", "--format=%H %B %n\n$(id) `id` %00"},
    {ID "\nforged\n", ID "\nforged"},
    {"caf\xc3\xa9 \x1b[31mred\n", "caf\xc3\xa9 \x1b[31mred"},
};

START_TEST(heads_of_real_repositories)
{
    GIT(".", "init", "-q", "-b", "main", "r");
    COMMIT("r", messages[_i].text);
    expect_head("r", messages[_i].read);
}
END_TEST

/* A configuration that names a program to fetch what is missing: that program is never started. */
START_TEST(a_checkout_starts_nothing)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(8192), marker = STRBUF_INIT(8192);
    CLEANUP(strbuf) struct strbuf objects = STRBUF_INIT(8192);
    strbuf_addf(&marker, "%s/started", folder);
    strbuf_addf(&url, "ext::touch %s", marker.buf);
    strbuf_addf(&objects, "%s/r/.git/objects", folder);
    GIT(".", "init", "-q", "-b", "main", "r");
    COMMIT("r", "one\n");
    GIT("r", "config", "core.repositoryformatversion", "1");
    GIT("r", "config", "extensions.partialClone", "origin");
    GIT("r", "config", "remote.origin.promisor", "true");
    GIT("r", "config", "protocol.ext.allow", "always");
    GIT("r", "config", "remote.origin.url", url.buf);
    ck_assert_int_eq(file_remove_tree(objects.buf, NULL), 0);
    ck_assert_int_eq(mkdir(objects.buf, 0700), 0);
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192);
    CLEANUP_FREE char *commit = NULL;
    strbuf_addf(&path, "%s/r", folder);
    ck_assert_int_eq(git_head(path.buf, &commit, NULL, NULL), 0); /* by the files */
    ck_assert_uint_eq(strlen(commit), 40);
    ck_assert(!file_exists(marker.buf));
}
END_TEST

/* Nothing of our environment, where the keys are. */
static int look_at_environment(void *context, const struct process_spec *spec,
                               struct process_result *ret_result, struct error *err)
{
    (void)context;
    (void)err;
    ck_assert_ptr_nonnull(spec->env);
    for (size_t i = 0; spec->env[i]; i++)
        ck_assert_ptr_null(strstr(spec->env[i], "canary"));
    *ret_result = (struct process_result){.outcome = PROCESS_NOT_FOUND};
    return 0;
}

START_TEST(git_gets_no_keys)
{
    CLEANUP_FREE char *commit = NULL;
    put(".git/HEAD", ID "\n");
    ck_assert_int_eq(setenv("INPUT_AWS-SECRET-ACCESS-KEY", "canary", 1), 0);
    process_replace(look_at_environment, NULL);
    ck_assert_int_eq(git_head(folder, &commit, NULL, NULL), 0);
    ck_assert_int_eq(unsetenv("INPUT_AWS-SECRET-ACCESS-KEY"), 0);
}
END_TEST

START_TEST(other_kinds_of_checkouts)
{
    GIT(".", "init", "-q", "-b", "main", "r");
    COMMIT("r", "one\n");
    GIT("r", "worktree", "add", "-q", "-b", "side", "../w");
    COMMIT("w", "two\n");
    expect_head("w", "two");
    GIT("r", "pack-refs", "--all");
    expect_head("w", "two");
    expect_head("r", "one");
    GIT("r", "checkout", "-q", "--detach");
    expect_head("r", "one");
    GIT("r", "config", "color.ui", "always");
    expect_head("r", "one");
}
END_TEST

/* Shown signatures would run a program of the repository's choice. */
START_TEST(no_program_of_the_repository_is_run)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192), text = STRBUF_INIT(8192);
    GIT(".", "init", "-q", "-b", "main", "r");
    strbuf_addf(&path, "%s/gpg", folder);
    strbuf_addf(&text,
                "#!/bin/sh\ncase \"$*\" in *verify*) : >%s/verified ;; *) cat >/dev/null\n"
                "echo '[GNUPG:] SIG_CREATED x' >&2; echo '-----BEGIN PGP SIGNATURE-----'\n"
                "echo x; echo '-----END PGP SIGNATURE-----' ;; esac\n",
                folder);
    ck_assert_int_eq(file_write(path.buf, text.buf, text.len, 0700, NULL), 0);
    GIT("r", "config", "gpg.program", path.buf);
    GIT("r", "config", "log.showSignature", "true");
    GIT("r", "commit", "-q", "-S", "--allow-empty", "-m", "signed");
    expect_head("r", "signed");
    strbuf_reset(&path);
    strbuf_addf(&path, "%s/verified", folder);
    ck_assert(!file_exists(path.buf));
    GIT("r", "log", "-1"); /* which does run it: the trap works */
    ck_assert(file_exists(path.buf));
}
END_TEST

START_TEST(somebody_elses_repository)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192);
    if (geteuid() != 0)
        return;
    GIT(".", "init", "-q", "-b", "main", "r");
    COMMIT("r", "one\n");
    strbuf_addf(&path, "%s/r", folder);
    ck_assert_int_eq(chown(path.buf, 65534, 65534), 0);
    strbuf_addstr(&path, "/.git");
    ck_assert_int_eq(chown(path.buf, 65534, 65534), 0);
    expect_head("r", "one");
}
END_TEST

START_TEST(a_long_message_is_cut)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP), path = STRBUF_INIT(8192);
    CLEANUP_FREE char *message = NULL;
    while (text.len < 200000)
        strbuf_addstr(&text, "a line of a message\n");
    GIT(".", "init", "-q", "-b", "main", "r");
    COMMIT("r", text.buf);
    strbuf_addf(&path, "%s/r", folder);
    ck_assert_int_eq(git_head(path.buf, NULL, &message, NULL), 0);
    ck_assert_uint_le(strlen(message), 65536);
    ck_assert_uint_ge(strlen(message), 65000);
}
END_TEST

Suite *git_suite(void)
{
    Suite *suite = suite_create("git");
    TCase *tcase = tcase_create("git");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, head_without_git, 0, COUNT(layouts));
    tcase_add_loop_test(tcase, heads_of_real_repositories, 0, COUNT(messages));
    tcase_add_test(tcase, a_checkout_starts_nothing);
    tcase_add_test(tcase, git_gets_no_keys);
    tcase_add_test(tcase, other_kinds_of_checkouts);
    tcase_add_test(tcase, no_program_of_the_repository_is_run);
    tcase_add_test(tcase, somebody_elses_repository);
    tcase_add_test(tcase, a_long_message_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}
