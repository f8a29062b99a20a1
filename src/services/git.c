#include "services/git.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/process.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "core/text.h"

#define GIT_TIMEOUT_MS    10000
#define MESSAGE_MAX_BYTES 65536
#define MAX_LINKS         5 /* of symbolic refs and worktree files */

static void collect_line(void *context, enum process_stream stream, const char *line, size_t len)
{
    struct strbuf *out = context;
    if (stream != PROCESS_STDOUT)
        return;
    strbuf_add(out, line, len);
    strbuf_addch(out, '\n');
}

static bool is_commit_id(const char *text)
{
    size_t len = strspn(text, "0123456789abcdef");
    return (len == 40 || len == 64) && (text[len] == '\0' || isspace((unsigned char)text[len]));
}

/*
 * The repository's configuration is whoever's who made the checkout, and git runs what it names to
 * fetch an object that is missing. It gets no way to fetch, and none of our environment but the
 * path: there are keys in it.
 */
static void make_environment(struct strvec *env)
{
    const char *path = getenv("PATH");
    strvec_pushf(env, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
    strvec_push_many(env, "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0",
                     "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", NULL);
}

/* First line the id, behind it the message. */
static int ask_git(const char *folder, struct strbuf *out, struct error *err)
{
    CLEANUP(strvec) struct strvec env = STRVEC_INIT;
    make_environment(&env);
    const char *const argv[] = {"git",
                                "-c",
                                "safe.directory=*",
                                "-C",
                                folder,
                                "log",
                                "-1",
                                "--format=%H%n%B",
                                "--no-show-signature",
                                "--encoding=UTF-8",
                                "--no-color",
                                NULL};
    const struct process_spec spec = {.argv = argv,
                                      .env = (const char *const *)env.items,
                                      .timeout_ms = GIT_TIMEOUT_MS,
                                      .on_line = collect_line,
                                      .context = out};
    struct process_result result;
    if (process_run(&spec, &result, err) < 0)
        return -1;
    return process_check(&result, "git log", err);
}

static int read_trimmed(const char *folder, const char *name, struct strbuf *ret_text,
                        struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(8192);
    strbuf_addf(&path, "%s/%s", folder, name);
    strbuf_reset(ret_text);
    if (file_read(path.buf, ret_text, err) < 0)
        return -1;
    strbuf_trim(ret_text);
    return 0;
}

/* "<id> <ref>" lines; comments and peeled tags are passed over. */
static bool find_packed(const char *packed, const char *ref, struct strbuf *ret_id)
{
    size_t ref_len = strlen(ref);
    for (const char *line = packed; *line;
         line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
        size_t len = strcspn(line, "\n"), id_len = strcspn(line, " \n");
        if (len == id_len + 1 + ref_len && strncmp(line + id_len + 1, ref, ref_len) == 0) {
            strbuf_reset(ret_id);
            strbuf_add(ret_id, line, id_len);
            return true;
        }
    }
    return false;
}

/* `path` as a file in `folder` means it: relative to that folder, or absolute. */
static void resolve(struct strbuf *out, const char *folder, const char *path)
{
    strbuf_reset(out);
    if (path[0] != '/')
        strbuf_addf(out, "%s/", folder);
    strbuf_addstr(out, path);
}

struct git_folders {
    struct strbuf own;    /* HEAD: .git, or what a worktree's or a submodule's .git file names */
    struct strbuf common; /* refs: the same, but for a worktree */
};

static void git_folders_release(struct git_folders *folders)
{
    strbuf_release(&folders->own);
    strbuf_release(&folders->common);
}

static void find_folders(const char *folder, struct git_folders *ret_folders)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(4096);
    struct error ignored = ERROR_INIT; /* a plain repository has neither of the two files */
    bool linked = read_trimmed(folder, ".git", &text, &ignored) == 0 &&
                  text_starts_with(text.buf, "gitdir: ");
    resolve(&ret_folders->own, folder, linked ? text.buf + strlen("gitdir: ") : ".git");
    bool shared = read_trimmed(ret_folders->own.buf, "commondir", &text, &ignored) == 0;
    resolve(&ret_folders->common, ret_folders->own.buf, shared ? text.buf : ".");
}

static bool read_ref(const struct git_folders *folders, const char *ref, struct strbuf *ret_text)
{
    CLEANUP(strbuf) struct strbuf packed = STRBUF_INIT((size_t)16 << 20);
    struct error ignored = ERROR_INIT; /* the next place is tried */
    if (!text_starts_with(ref, "refs/") || strstr(ref, ".."))
        return false;
    return read_trimmed(folders->own.buf, ref, ret_text, &ignored) == 0 ||
           read_trimmed(folders->common.buf, ref, ret_text, &ignored) == 0 ||
           (read_trimmed(folders->common.buf, "packed-refs", &packed, &ignored) == 0 &&
            find_packed(packed.buf, ref, ret_text));
}

/* HEAD's id from the files of a plain repository, for an image without a git program. */
static int read_head(const char *folder, struct strbuf *ret_id, struct error *err)
{
    CLEANUP(git_folders)
    struct git_folders folders = {.own = STRBUF_INIT(4096), .common = STRBUF_INIT(8192)};
    struct error ignored = ERROR_INIT; /* no file, no commit: the message says both */
    find_folders(folder, &folders);
    bool there = read_trimmed(folders.own.buf, "HEAD", ret_id, &ignored) == 0;
    for (int link = 0; there && link < MAX_LINKS; link++) {
        if (is_commit_id(ret_id->buf))
            return 0;
        if (!text_starts_with(ret_id->buf, "ref: "))
            break;
        CLEANUP_FREE char *ref = memory_copy_string(ret_id->buf + strlen("ref: "));
        there = read_ref(&folders, ref, ret_id);
    }
    return error_set(err, ERROR_NOT_FOUND, "no commit in %s", folder);
}

int git_head(const char *folder, char **ret_commit, char **ret_message, struct error *err)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(MESSAGE_MAX_BYTES);
    struct error ignored = ERROR_INIT; /* of the way that is not the last one */
    bool is_known = !ret_message && read_head(folder, &out, &ignored) == 0;
    if (!is_known)
        strbuf_reset(&out);
    bool has_message = !is_known && ask_git(folder, &out, &ignored) == 0 && is_commit_id(out.buf);
    if (!is_known && !has_message) {
        strbuf_reset(&out);
        if (read_head(folder, &out, err) < 0)
            return -1;
    }
    size_t id_len = strcspn(out.buf, "\n");
    strbuf_trim(&out);
    if (ret_commit)
        *ret_commit = memory_copy_bytes(out.buf, id_len);
    if (ret_message && has_message)
        *ret_message = memory_copy_string(out.buf + id_len + (out.buf[id_len] == '\n'));
    else if (ret_message)
        *ret_message = NULL;
    return 0;
}
