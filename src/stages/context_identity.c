/* Dockerfile, ignore file and context → the identity of an image. */
#include "stages/context_identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/filehash.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "core/walk.h"
#include "model/dockerfile_reads.h"
#include "model/ignore.h"
#include "stages/context_select.h"

#define LARGEST_TEXT (4u << 20)

/* Everything that one identity needs; released as a whole. */
struct work {
    const struct identity_request *request; /* borrowed */
    struct strbuf text;                     /* of the Dockerfile */
    struct dockerfile dockerfile;
    size_t target;
    struct dockerfile_reads reads;
    char *context;     /* owned; resolved */
    char *ignore_name; /* owned; for messages; NULL: no ignore file */
    struct ignore ignore;
    struct strbuf folder; /* whose state is next */
    struct ignore_state state;
    struct walk walk;
    struct filehash *files; /* owned */
    size_t file_count;
};

static void work_release(struct work *work)
{
    strbuf_release(&work->text);
    dockerfile_release(&work->dockerfile);
    dockerfile_reads_release(&work->reads);
    free(work->context);
    free(work->ignore_name);
    ignore_release(&work->ignore);
    strbuf_release(&work->folder);
    ignore_state_release(&work->state);
    walk_release(&work->walk);
    free(work->files);
}

/* A path as a user would write it: without the workspace in front. */
static const char *short_name(const struct identity_request *request, const char *path)
{
    size_t len = strlen(request->workspace);
    if (strncmp(path, request->workspace, len) == 0 && path[len] == '/')
        path += len + 1;
    return path;
}

static int read_dockerfile(const struct identity_request *request, struct strbuf *ret_text,
                           struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    if (file_resolve_within(request->workspace, request->file, &path, err) < 0 ||
        file_read(path, ret_text, err) < 0)
        return error_wrap(err, "reading %s", short_name(request, request->file));
    return 0;
}

static int parse(const struct identity_request *request, const struct strbuf *text,
                 struct dockerfile *ret_dockerfile, struct error *err)
{
    const struct dockerfile_options options = {.name = short_name(request, request->file),
                                               .build_args = request->build_args,
                                               .platform = request->platform};
    return dockerfile_parse(text->buf, text->len, &options, ret_dockerfile, err);
}

int context_dockerfile(const struct identity_request *request, struct dockerfile *ret_dockerfile,
                       struct error *err)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(LARGEST_TEXT);
    *ret_dockerfile = (struct dockerfile)DOCKERFILE_INIT;
    if (read_dockerfile(request, &text, err) < 0)
        return -1;
    return parse(request, &text, ret_dockerfile, err);
}

/* What the Dockerfile reads, and from which stages on. */
static int understand(struct work *work, struct error *err)
{
    const struct identity_request *request = work->request;
    if (read_dockerfile(request, &work->text, err) < 0 ||
        parse(request, &work->text, &work->dockerfile, err) < 0 ||
        dockerfile_find_target(&work->dockerfile, request->target, &work->target, err) < 0)
        return -1;
    return dockerfile_reads(&work->dockerfile, work->target, request->base_names,
                            request->base_onbuild, &work->reads, err);
}

/* Parse the ignore file at `path`, if there is one. *ret_there tells. */
static int try_ignore(struct work *work, const char *root, const char *path, bool *ret_there,
                      struct error *err)
{
    CLEANUP_FREE char *resolved = NULL;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(LARGEST_TEXT);
    struct error local = ERROR_INIT;
    *ret_there = false;
    if (file_resolve_within(root, path, &resolved, &local) < 0) {
        if (local.kind == ERROR_NOT_FOUND)
            return 0;
        *err = local;
        return -1;
    }
    if (!file_exists(resolved))
        return 0;
    *ret_there = true;
    work->ignore_name = memory_copy_string(short_name(work->request, path));
    if (file_read(resolved, &text, err) < 0)
        return -1;
    return ignore_parse(work->ignore_name, text.buf, text.len, &work->ignore, err);
}

/* "<Dockerfile>.dockerignore" beside the Dockerfile, else ".dockerignore" in the context. */
static int read_ignore(struct work *work, struct error *err)
{
    CLEANUP(strbuf) struct strbuf own = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf common = STRBUF_INIT(STRBUF_NO_CAP);
    bool there;
    strbuf_addf(&own, "%s.dockerignore", work->request->file);
    strbuf_addf(&common, "%s/.dockerignore", work->context);
    if (try_ignore(work, work->request->workspace, own.buf, &there, err) < 0 ||
        (!there && try_ignore(work, work->context, common.buf, &there, err) < 0))
        return error_wrap(err, "reading the ignore file");
    return 0;
}

/* The state of the folder that holds the entry; the walk goes folder by folder. */
static const struct ignore_state *state_of(struct work *work, const char *path, size_t folder_len)
{
    if (work->folder.len == folder_len && memcmp(work->folder.buf, path, folder_len) == 0)
        return &work->state;
    CLEANUP(strbuf) struct strbuf part = STRBUF_INIT(STRBUF_NO_CAP);
    ignore_state_release(&work->state);
    for (size_t len = 0; len < folder_len;) {
        struct ignore_state next = IGNORE_STATE_INIT;
        len += len > 0 ? 1 : 0;
        len += strcspn(path + len, "/");
        strbuf_reset(&part);
        strbuf_add(&part, path, len);
        (void)ignore_matches(&work->ignore, part.buf, &work->state, &next);
        ignore_state_release(&work->state);
        work->state = next;
    }
    strbuf_reset(&work->folder);
    strbuf_add(&work->folder, path, folder_len);
    return &work->state;
}

static enum walk_verdict judge(void *context, const char *path, size_t folder_len, bool is_folder)
{
    struct work *work = context;
    if (!ignore_matches(&work->ignore, path, state_of(work, path, folder_len), NULL))
        return WALK_KEEP;
    return is_folder && ignore_may_keep_below(&work->ignore, path) ? WALK_IF_NEEDED : WALK_LEAVE;
}

/* A folder that could not be listed matters if the Dockerfile can copy it. */
static int check_folders(const struct work *work, struct error *err)
{
    const struct walk *walk = &work->walk;
    for (uint32_t i = 0; i < walk->len; i++) {
        const struct walk_entry *entry = &walk->entries[i];
        if (entry->error == 0 || !(entry->flags & CONTEXT_SELECTED))
            continue;
        CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
        walk_path(walk, i, &path);
        if (entry->error == EACCES || entry->error == EPERM)
            return error_set_code(err, ERROR_SYSTEM, entry->error,
                                  "the folder %s/%s cannot be listed: %s; add it to .dockerignore "
                                  "if the image does not need it",
                                  walk->path, path.buf, strerrordesc_np(entry->error));
        return error_set_code(err, ERROR_FAILED, entry->error,
                              "the folder %s/%s vanished while the build context was read",
                              walk->path, path.buf);
    }
    return 0;
}

static bool is_counted_file(const struct walk_entry *entry)
{
    return S_ISREG(entry->mode) && (entry->flags & CONTEXT_SELECTED);
}

static int hash_files(struct work *work, struct error *err)
{
    struct walk *walk = &work->walk;
    size_t count = 0;
    for (uint32_t i = 0; i < walk->len; i++)
        count += is_counted_file(&walk->entries[i]) ? 1 : 0;
    work->files = memory_resize(NULL, count + 1, sizeof *work->files);
    for (uint32_t i = 0; i < walk->len; i++)
        if (is_counted_file(&walk->entries[i]))
            work->files[work->file_count++].entry = i;
    if (filehash_run(walk, work->files, work->file_count, 0, err) < 0)
        return -1;
    return walk_check_root(walk, err);
}

static int read_context(struct work *work, struct error *err)
{
    const struct identity_request *request = work->request;
    if (file_resolve_within(request->workspace, request->context, &work->context, err) < 0)
        return error_wrap(err, "reading the build context %s", request->context);
    if (read_ignore(work, err) < 0 || walk_names(work->context, judge, work, &work->walk, err) < 0)
        return -1;
    context_select(&work->walk, &work->reads);
    if (check_folders(work, err) < 0)
        return -1;
    return hash_files(work, err);
}

static const struct {
    mode_t mode;
    enum identity_type type;
} types[] = {
    {S_IFREG, IDENTITY_FILE},      {S_IFDIR, IDENTITY_FOLDER},  {S_IFLNK, IDENTITY_LINK},
    {S_IFIFO, IDENTITY_FIFO},      {S_IFSOCK, IDENTITY_SOCKET}, {S_IFBLK, IDENTITY_BLOCK},
    {S_IFCHR, IDENTITY_CHARACTER},
};

static enum identity_type type_of(mode_t mode)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((mode & S_IFMT) == types[i].mode)
            return types[i].type;
    return IDENTITY_FILE;
}

/* What an entry is besides path and mode. */
static void describe(const struct walk *walk, const struct walk_entry *entry,
                     struct identity_entry *ret_entry, char *buffer, size_t size)
{
    if (S_ISLNK(entry->mode)) {
        ret_entry->detail = walk_target(walk, entry);
        ret_entry->detail_len = strlen(ret_entry->detail);
    } else if (S_ISBLK(entry->mode) || S_ISCHR(entry->mode)) {
        int len = snprintf(buffer, size, "%u:%u", major(entry->u.device), minor(entry->u.device));
        ret_entry->detail = buffer;
        ret_entry->detail_len = (size_t)len;
    }
}

static void note_git(struct identity *identity, const struct walk *walk, uint32_t index,
                     const char *path)
{
    const struct walk_entry *entry = &walk->entries[index];
    if (identity->git_folder || !S_ISDIR(entry->mode) ||
        !text_equal(walk_name(walk, entry), ".git"))
        return;
    identity->git_folder = true;
    snprintf(identity->git_path, sizeof identity->git_path, "%s", path);
}

static void add_entries(const struct work *work, struct identity_builder *builder,
                        struct identity *identity)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    const struct walk *walk = &work->walk;
    const struct filehash *file = work->files;
    char device[32];
    for (uint32_t i = 0; i < walk->len; i++) {
        const struct walk_entry *entry = &walk->entries[i];
        if (!(entry->flags & CONTEXT_SELECTED))
            continue;
        if (S_ISREG(entry->mode) && entry->u.size == WALK_GONE) {
            file++;
            continue;
        }
        walk_path(walk, i, &path);
        struct identity_entry part = {
            .type = type_of(entry->mode), .path = path.buf, .mode = entry->mode & 07777u};
        describe(walk, entry, &part, device, sizeof device);
        if (S_ISREG(entry->mode)) {
            part.detail = file->sha256;
            part.detail_len = sizeof file->sha256;
            identity->byte_count += entry->u.size;
            file++;
        }
        identity_add_entry(builder, &part);
        note_git(identity, walk, i, path.buf);
        identity->file_count++;
    }
}

static void add_arguments(const struct work *work, struct identity_builder *builder)
{
    struct strvec declared = STRVEC_INIT, arguments = STRVEC_INIT;
    for (size_t i = 0; i < work->dockerfile.argument_count; i++)
        strvec_push(&declared, work->dockerfile.arguments[i].name);
    bool all = work->dockerfile.foreign || work->reads.hidden_arguments;
    identity_arguments(work->request->build_args, &declared, all, &arguments);
    for (size_t i = 0; i < arguments.len; i++)
        identity_add_text(builder, IDENTITY_ARGUMENT, arguments.items[i]);
    strvec_release(&declared);
    strvec_release(&arguments);
}

static void add_parts(const struct work *work, struct identity_builder *builder,
                      const struct identity *identity)
{
    const struct identity_request *request = work->request;
    char period[24];
    identity_add(builder, IDENTITY_DOCKERFILE, work->text.buf, work->text.len);
    add_arguments(work, builder);
    identity_add_text(builder, IDENTITY_TARGET,
                      text_is_empty(request->target) ? NULL : request->target);
    identity_add_text(builder, IDENTITY_PLATFORM, request->platform);
    identity_add_text(builder, IDENTITY_COMPRESSION, request->compression);
    identity_add_text(builder, IDENTITY_CHECK, request->check);
    identity_add_text(builder, IDENTITY_BASE, identity->uses_base ? request->base_digest : NULL);
    snprintf(period, sizeof period, "%lld", (long long)request->period);
    identity_add_text(builder, IDENTITY_PERIOD, request->period >= 0 ? period : NULL);
}

/* Why everything counts, if it does. */
static void explain_whole(const struct work *work, struct identity *identity)
{
    const struct dockerfile_reads *reads = &work->reads;
    identity->seen_count = work->walk.len;
    identity->whole_context =
        reads->whole || (identity->file_count == identity->seen_count && identity->seen_count > 0);
    if (reads->whole) {
        snprintf(identity->reason, sizeof identity->reason, "%s", reads->reason);
        return;
    }
    for (size_t i = 0; identity->whole_context && i < reads->len; i++)
        if (reads->items[i].path[0] == '\0') {
            snprintf(identity->reason, sizeof identity->reason, "%s:%d reads all of the context",
                     work->dockerfile.name, reads->items[i].line);
            return;
        }
    if (work->ignore.uncertain)
        snprintf(identity->reason, sizeof identity->reason,
                 "%s: nothing is taken as ignored, because of the pattern %s", work->ignore_name,
                 work->ignore.uncertain_pattern);
}

static void condense(const struct work *work, struct identity *ret_identity)
{
    struct identity_builder *builder = identity_new();
    struct strbuf parts = STRBUF_INIT(IDENTITY_PARTS_SIZE - 1);
    struct identity identity = {.uses_base =
                                    dockerfile_uses_base(&work->dockerfile, work->target,
                                                         work->request->base_names, NULL, NULL)};
    add_parts(work, builder, &identity);
    add_entries(work, builder, &identity);
    identity_finish(builder, identity.hex, &parts);
    snprintf(identity.parts, sizeof identity.parts, "%s", parts.buf);
    explain_whole(work, &identity);
    strbuf_release(&parts);
    identity_free(builder);
    *ret_identity = identity;
}

int context_identity(const struct identity_request *request, struct identity *ret_identity,
                     struct error *err)
{
    struct error local = ERROR_INIT;
    struct work work = {.request = request,
                        .text = STRBUF_INIT(LARGEST_TEXT),
                        .dockerfile = DOCKERFILE_INIT,
                        .reads = DOCKERFILE_READS_INIT,
                        .ignore = IGNORE_INIT,
                        .folder = STRBUF_INIT(STRBUF_NO_CAP),
                        .state = IGNORE_STATE_INIT,
                        .walk = WALK_INIT};
    int rc = understand(&work, &local);
    if (rc == 0)
        rc = read_context(&work, &local);
    if (rc == 0)
        condense(&work, ret_identity);
    else if (err)
        *err = local;
    work_release(&work);
    return rc;
}
