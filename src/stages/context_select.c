/* Reads of a Dockerfile → entries of the context. */
#include "stages/context_select.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/glob.h"
#include "model/ignore.h"

#define MOST_LINKS 255 /* as BuildKit follows at most */
#define NOTHING    (-1)

static bool is_folder(const struct walk *walk, uint32_t index)
{
    return index == WALK_ROOT || S_ISDIR(walk->entries[index].mode);
}

static bool is_link(const struct walk *walk, uint32_t index)
{
    return index != WALK_ROOT && S_ISLNK(walk->entries[index].mode);
}

static void mark(struct walk *walk, uint32_t index)
{
    if (index != WALK_ROOT)
        walk->entries[index].flags |= CONTEXT_SELECTED;
}

static void entries_of(const struct walk *walk, uint32_t folder, uint32_t *ret_first,
                       uint32_t *ret_end)
{
    *ret_first = folder == WALK_ROOT ? 0 : walk->entries[folder].u.entries.first;
    *ret_end = *ret_first +
               (folder == WALK_ROOT ? walk->root_count : walk->entries[folder].u.entries.count);
}

static void mark_tree(struct walk *walk, uint32_t index)
{
    uint32_t first, end;
    mark(walk, index);
    if (!is_folder(walk, index))
        return;
    entries_of(walk, index, &first, &end);
    for (uint32_t i = first; i < end; i++)
        mark_tree(walk, i);
}

/* Put the target of a link in front of what is left of a path. */
static void splice(struct strbuf *rest, const char *target, const char *behind)
{
    struct strbuf next = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&next, "%s/%s", target, behind);
    strbuf_release(rest);
    *rest = next;
}

/*
 * The entry at `path`, seen from `folder`, links followed (and marked) also at its end: its index,
 * WALK_ROOT, or NOTHING.
 */
static int64_t resolve(struct walk *walk, uint32_t folder, const char *path)
{
    CLEANUP(strbuf) struct strbuf rest = STRBUF_INIT(STRBUF_NO_CAP);
    uint32_t here = folder;
    int links = 0;
    strbuf_addstr(&rest, path);
    const char *at = rest.buf;
    while (*at) {
        size_t len = strcspn(at, "/");
        const char *behind = at + len + strspn(at + len, "/");
        if (!is_folder(walk, here))
            return NOTHING;
        if (len == 2 && strncmp(at, "..", 2) == 0) {
            here = here == WALK_ROOT ? WALK_ROOT : walk->entries[here].folder;
        } else if (len > 0 && !(len == 1 && *at == '.')) {
            int64_t found = walk_find(walk, here, at, len);
            if (found < 0)
                return NOTHING;
            if (is_link(walk, (uint32_t)found)) {
                const char *target = walk_target(walk, &walk->entries[found]);
                if (++links > MOST_LINKS)
                    return NOTHING;
                mark(walk, (uint32_t)found);
                here = *target == '/' ? WALK_ROOT : here;
                splice(&rest, target, behind);
                at = rest.buf;
                continue;
            }
            here = (uint32_t)found;
        }
        at = behind;
    }
    return here;
}

/* A link that a source names, and all that it leads to. */
static void mark_through(struct walk *walk, uint32_t link)
{
    uint32_t folder = walk->entries[link].folder;
    int64_t found = resolve(walk, folder, walk_name(walk, &walk->entries[link]));
    if (found != NOTHING)
        mark_tree(walk, (uint32_t)found);
}

/* One read on its way through the table. */
struct selector {
    struct walk *walk;                  /* borrowed */
    const struct dockerfile_read *read; /* borrowed */
    struct ignore include;              /* of --parents; empty: everything */
    struct ignore exclude;
    bool has_include;
    struct strbuf path; /* of the present entry, below where the matching starts */
};

/* What is above an entry that is taken, up to where the source starts. */
static void mark_upwards(struct selector *selector, uint32_t index, uint32_t top)
{
    struct walk *walk = selector->walk;
    for (uint32_t i = walk->entries[index].folder; i != top && i != WALK_ROOT;
         i = walk->entries[i].folder)
        mark(walk, i);
}

/* Could the pattern go on below something at `path`? Component by component; `**` goes anywhere. */
static bool may_pass(const char *pattern, const char *path)
{
    CLEANUP(strbuf) struct strbuf front = STRBUF_INIT(STRBUF_NO_CAP);
    const char *at = pattern, *double_star = strstr(pattern, "**");
    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        if (double_star && at >= double_star)
            return true;
        at = strchr(at, '/');
        if (!at)
            return false;
        at++;
    }
    if (double_star && at > double_star)
        return true;
    strbuf_add(&front, pattern, (size_t)(at - 1 - pattern));
    return glob_matches(front.buf, path);
}

static void filter_below(struct selector *selector, uint32_t folder, uint32_t top,
                         const struct ignore_state *include, const struct ignore_state *exclude);

static void filter_entry(struct selector *selector, uint32_t index, uint32_t top,
                         const struct ignore_state *include, const struct ignore_state *exclude)
{
    CLEANUP(ignore_state) struct ignore_state include_below = IGNORE_STATE_INIT;
    CLEANUP(ignore_state) struct ignore_state exclude_below = IGNORE_STATE_INIT;
    const char *path = selector->path.buf;
    bool in =
        !selector->has_include || ignore_matches(&selector->include, path, include, &include_below);
    bool out = ignore_matches(&selector->exclude, path, exclude, &exclude_below);
    if (in && !out) {
        mark(selector->walk, index);
        mark_upwards(selector, index, top);
    }
    if (is_link(selector->walk, index) && selector->has_include &&
        (in || may_pass(selector->read->parents, path)))
        mark_through(selector->walk, index);
    if (is_folder(selector->walk, index))
        filter_below(selector, index, top, &include_below, &exclude_below);
}

static void filter_below(struct selector *selector, uint32_t folder, uint32_t top,
                         const struct ignore_state *include, const struct ignore_state *exclude)
{
    struct walk *walk = selector->walk;
    size_t len = selector->path.len;
    uint32_t first, end;
    entries_of(walk, folder, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        strbuf_truncate(&selector->path, len);
        strbuf_addf(&selector->path, "%s%s", len > 0 ? "/" : "",
                    walk_name(walk, &walk->entries[i]));
        filter_entry(selector, i, top, include, exclude);
    }
    strbuf_truncate(&selector->path, len);
}

/* One thing that the source names, with what is below it. */
static void take(struct selector *selector, uint32_t index)
{
    static const struct ignore_state root = IGNORE_STATE_INIT;
    if (!selector->has_include)
        mark(selector->walk, index);
    if (!is_folder(selector->walk, index))
        return;
    if (!selector->has_include && selector->exclude.len == 0) {
        mark_tree(selector->walk, index);
        return;
    }
    struct strbuf path = selector->path;
    selector->path = (struct strbuf)STRBUF_INIT(STRBUF_NO_CAP);
    filter_below(selector, index, index, &root, &root);
    strbuf_release(&selector->path);
    selector->path = path;
}

/* Bytes of a pattern's front that hold no wildcard: whole components, without the slash behind. */
static size_t plain_front(const char *pattern)
{
    size_t len = 0;
    for (const char *at = pattern;; at++) {
        size_t part = strcspn(at, "/");
        CLEANUP_FREE char *copy = memory_copy_bytes(at, part);
        if (glob_has_wildcard(copy))
            return len;
        at += part;
        len = (size_t)(at - pattern);
        if (!*at)
            return len;
    }
}

/* Match a pattern against everything below a folder; selector->path is the folder's as the pattern
 * writes it. What matches is taken whole and not looked into any more. */
static void match_below(struct selector *selector, uint32_t folder)
{
    struct walk *walk = selector->walk;
    size_t len = selector->path.len;
    uint32_t first, end;
    entries_of(walk, folder, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        strbuf_truncate(&selector->path, len);
        strbuf_addf(&selector->path, "%s%s", len > 0 ? "/" : "",
                    walk_name(walk, &walk->entries[i]));
        bool matched = glob_matches(selector->read->path, selector->path.buf);
        if (is_link(walk, i)) {
            if (matched || may_pass(selector->read->path, selector->path.buf))
                mark_through(walk, i);
        } else if (matched) {
            take(selector, i);
        } else if (is_folder(walk, i)) {
            match_below(selector, i);
        }
    }
    strbuf_truncate(&selector->path, len);
}

static void select_read(struct selector *selector)
{
    const struct dockerfile_read *read = selector->read;
    size_t front_len = read->glob ? plain_front(read->path) : strlen(read->path);
    CLEANUP_FREE char *front = memory_copy_bytes(read->path, front_len);
    int64_t start = resolve(selector->walk, WALK_ROOT, front);
    if (start == NOTHING)
        return;
    if (!read->glob) {
        take(selector, (uint32_t)start);
    } else if (is_folder(selector->walk, (uint32_t)start)) {
        strbuf_addstr(&selector->path, front);
        match_below(selector, (uint32_t)start);
    }
}

/* Patterns that BuildKit would refuse, or that could mean something odd, filter nothing here. */
static void prepare_filters(struct selector *selector)
{
    const struct dockerfile_read *read = selector->read;
    if (ignore_from_patterns(&read->exclude, &selector->exclude, NULL) < 0 ||
        selector->exclude.uncertain)
        ignore_release(&selector->exclude);
    if (text_is_empty(read->parents))
        return;
    struct strvec pattern = STRVEC_INIT;
    strvec_push(&pattern, read->parents);
    selector->has_include = ignore_from_patterns(&pattern, &selector->include, NULL) == 0 &&
                            !selector->include.uncertain;
    strvec_release(&pattern);
}

void context_select(struct walk *walk, const struct dockerfile_reads *reads)
{
    if (reads->whole)
        mark_tree(walk, WALK_ROOT);
    for (size_t i = 0; !reads->whole && i < reads->len; i++) {
        struct selector selector = {.walk = walk,
                                    .read = &reads->items[i],
                                    .include = IGNORE_INIT,
                                    .exclude = IGNORE_INIT,
                                    .path = STRBUF_INIT(STRBUF_NO_CAP)};
        prepare_filters(&selector);
        select_read(&selector);
        ignore_release(&selector.include);
        ignore_release(&selector.exclude);
        strbuf_release(&selector.path);
    }
}
