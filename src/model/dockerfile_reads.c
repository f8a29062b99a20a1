/* Which files of the context a target reads: stage by stage, with the variables as far as known. */
#include "model/dockerfile_reads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile_environment.h"
#include "model/dockerfile_flags.h"
#include "model/dockerfile_lines.h"
#include "model/dockerfile_words.h"
#include "model/glob.h"

struct reader {
    const struct dockerfile *dockerfile; /* borrowed */
    const struct strvec *base_names, *onbuild;
    struct dockerfile_reads *reads; /* borrowed */
    struct environment globals;     /* borrows dockerfile->globals */
    struct environment *at_end;     /* owned; of each stage */
    struct environment *images; /* owned; of each stage: what its image has at its end, by ENV */
    struct environment *now;    /* borrowed; of the stage that is being looked at */
    struct environment *image;  /* borrowed; likewise */
};

static void whole(struct reader *reader, int line, const char *what, const char *detail)
{
    struct dockerfile_reads *reads = reader->reads;
    if (!reads->whole)
        snprintf(reads->reason, sizeof reads->reason, "%s:%d: %s%s", reader->dockerfile->name, line,
                 what, detail);
    reads->whole = true;
}

static int place(struct reader *reader, int line, struct error *err)
{
    return error_wrap(err, "%s:%d", reader->dockerfile->name, line);
}

/* A word with its variables replaced, or the first one that is not known. */
static int expand(struct reader *reader, int line, const char *word, struct strbuf *ret_text,
                  char **ret_unknown, struct error *err)
{
    if (dockerfile_expand(word, reader->dockerfile->escape, environment_lookup, reader->now,
                          ret_text, ret_unknown, err) < 0)
        return place(reader, line, err);
    return 0;
}

/* "/a/b" or "../a//b" → "a/b", as seen from the context's root; "" is the root itself. */
static char *below_root(const char *path)
{
    CLEANUP(strbuf) struct strbuf rooted = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf clean = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&rooted, "/%s", path);
    glob_clean(rooted.buf, &clean);
    return memory_copy_string(clean.buf + 1);
}

static struct dockerfile_read *add_read(struct reader *reader, int line, const char *path)
{
    struct dockerfile_reads *reads = reader->reads;
    reads->items = memory_resize(reads->items, reads->len + 1, sizeof *reads->items);
    struct dockerfile_read *read = &reads->items[reads->len++];
    *read =
        (struct dockerfile_read){.line = line, .path = below_root(path), .exclude = STRVEC_INIT};
    read->glob = glob_has_wildcard(read->path);
    if (read->glob && !glob_is_valid(read->path))
        whole(reader, line, "the pattern is not well-formed: ", read->path);
    return read;
}

/* Patterns of --exclude, unless one could mean something else to another version of BuildKit. */
static void add_excludes(struct dockerfile_read *read,
                         const struct dockerfile_instruction *instruction)
{
    for (size_t i = 0; i < instruction->flags.len; i++) {
        const char *value = dockerfile_flag_value(instruction->flags.items[i], "--exclude");
        if (!value)
            continue;
        bool plain = !strchr(value, '$');
        for (const char *c = value; *c; c++)
            plain = plain && (unsigned char)*c < 0x80;
        if (!plain) {
            strvec_release(&read->exclude);
            read->exclude = (struct strvec)STRVEC_INIT;
            return;
        }
        strvec_push(&read->exclude, value);
    }
}

/* COPY --parents: "a/./b/c" keeps the folders of "b/c". */
static void add_with_parents(struct reader *reader,
                             const struct dockerfile_instruction *instruction, const char *source)
{
    const char *pivot = strstr(source, "/./");
    char *parent =
        pivot ? memory_copy_bytes(source, (size_t)(pivot - source)) : memory_copy_string("");
    struct dockerfile_read *read = add_read(reader, instruction->line, parent);
    read->parents = below_root(pivot ? pivot + 3 : source);
    if (read->parents[0] == '!')
        whole(reader, instruction->line, "--parents with ", source);
    add_excludes(read, instruction);
    free(parent);
}

static bool is_flag_on(const struct dockerfile_instruction *instruction, const char *name)
{
    const char *value = dockerfile_flag(instruction, name);
    return value && !text_equal_ignore_case(value, "false");
}

static bool is_remote(const struct dockerfile_instruction *instruction, const char *source)
{
    return text_equal(instruction->name, "add") &&
           (text_starts_with(source, "http://") || text_starts_with(source, "https://"));
}

static int read_source(struct reader *reader, const struct dockerfile_instruction *instruction,
                       const char *word, struct error *err)
{
    CLEANUP(strbuf) struct strbuf source = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *unknown = NULL;
    if (dockerfile_is_heredoc(word, NULL))
        return 0; /* its content stands in the Dockerfile */
    if (expand(reader, instruction->line, word, &source, &unknown, err) < 0)
        return -1;
    if (unknown)
        whole(reader, instruction->line, unknown, " is not known before the build");
    else if (is_flag_on(instruction, "--parents"))
        add_with_parents(reader, instruction, source.buf);
    else if (!is_remote(instruction, source.buf))
        add_excludes(add_read(reader, instruction->line, source.buf), instruction);
    return 0;
}

static bool knows_flags(const struct dockerfile_instruction *instruction,
                        const char *const *flag_names, const char **ret_stranger)
{
    for (size_t i = 0; i < instruction->flags.len; i++) {
        bool found = false;
        for (size_t j = 0; flag_names[j]; j++)
            found = found || dockerfile_flag_value(instruction->flags.items[i], flag_names[j]);
        if (!found) {
            *ret_stranger = instruction->flags.items[i];
            return false;
        }
    }
    return true;
}

static int read_copy(struct reader *reader, const struct dockerfile_instruction *instruction,
                     struct error *err)
{
    static const char *const flag_names[] = {
        "--from",    "--chown",        "--chmod",    "--link",   "--parents",
        "--exclude", "--keep-git-dir", "--checksum", "--unpack", NULL};
    const char *from = dockerfile_flag(instruction, "--from"), *stranger;
    if (!knows_flags(instruction, flag_names, &stranger)) {
        whole(reader, instruction->line, "a flag of a newer BuildKit: ", stranger);
        return 0;
    }
    if (from && *from)
        return 0;
    struct strvec words = STRVEC_INIT;
    if (!instruction->json)
        dockerfile_split_plain(instruction->text, &words);
    const struct strvec *sources = instruction->json ? &instruction->values : &words;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i + 1 < sources->len; i++)
        rc = read_source(reader, instruction, sources->items[i], err);
    strvec_release(&words);
    return rc;
}

static void read_mount(struct reader *reader, int line, const char *value)
{
    struct dockerfile_mount mount;
    dockerfile_read_mount(value, &mount);
    if (mount.unsure)
        whole(reader, line, "--mount=", value);
    else if (!*mount.from && text_equal(mount.type, "bind"))
        /* no wildcards here: a source is what it says */
        add_read(reader, line, mount.source)->glob = false;
    dockerfile_mount_release(&mount);
}

static int read_run(struct reader *reader, const struct dockerfile_instruction *instruction,
                    struct error *err)
{
    static const char *const flag_names[] = {"--mount", "--network", "--security", "--device",
                                             NULL};
    const char *stranger;
    (void)err;
    if (!knows_flags(instruction, flag_names, &stranger))
        whole(reader, instruction->line, "a flag of a newer BuildKit: ", stranger);
    for (size_t i = 0; i < instruction->flags.len; i++) {
        const char *value = dockerfile_flag_value(instruction->flags.items[i], "--mount");
        if (value)
            read_mount(reader, instruction->line, value);
    }
    return 0;
}

/* ARG in a stage: the build argument, else the default, else the value before the first FROM, else
 * what the base image's environment has. */
static int read_argument(struct reader *reader, int line, const char *word, struct error *err)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *unknown = NULL;
    size_t name_len = strcspn(word, "=");
    CLEANUP_FREE char *name = memory_copy_bytes(word, name_len);
    const char *value = NULL;
    enum dockerfile_variable given = environment_given(&reader->dockerfile->given, name, &value);
    if (given == DOCKERFILE_UNSET && word[name_len] == '=') {
        if (expand(reader, line, word + name_len + 1, &text, &unknown, err) < 0)
            return -1;
        given = unknown ? DOCKERFILE_UNKNOWN : DOCKERFILE_SET;
        value = text.buf;
    } else if (given == DOCKERFILE_UNSET) {
        given = environment_get(&reader->globals, name, &value);
    }
    if (given != DOCKERFILE_UNSET)
        environment_set(reader->now, name, given == DOCKERFILE_SET ? value : NULL);
    return 0;
}

static int read_arg(struct reader *reader, const struct dockerfile_instruction *instruction,
                    struct error *err)
{
    struct strvec words = STRVEC_INIT;
    int rc = 0;
    dockerfile_split_words(instruction->text, reader->dockerfile->escape, &words);
    for (size_t i = 0; rc == 0 && i < words.len; i++)
        rc = read_argument(reader, instruction->line, words.items[i], err);
    strvec_release(&words);
    return rc;
}

static void set_in_both(struct reader *reader, struct environment *next, const char *name,
                        const char *value)
{
    environment_set(next, name, value);
    environment_set(reader->image, name, value);
}

/*
 * One pair of an ENV. All pairs see the environment in front of the instruction: `next` gets them.
 */
static int read_pair(struct reader *reader, int line, const char *key, const char *value,
                     struct environment *next, struct error *err)
{
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *unknown_name = NULL;
    CLEANUP_FREE char *unknown = NULL;
    if (expand(reader, line, key, &name, &unknown_name, err) < 0 ||
        expand(reader, line, value, &text, &unknown, err) < 0)
        return -1;
    if (unknown_name) {
        environment_forget(next);
        environment_forget(reader->image);
    } else {
        set_in_both(reader, next, name.buf, unknown ? NULL : text.buf);
    }
    return 0;
}

static int read_new_pairs(struct reader *reader, int line, const struct strvec *words,
                          struct environment *next, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < words->len; i++) {
        const char *equals = strchr(words->items[i], '=');
        if (!equals) {
            error_set(err, ERROR_INPUT, "ENV: there is no '=' in '%s'", words->items[i]);
            return place(reader, line, err);
        }
        char *key = memory_copy_bytes(words->items[i], (size_t)(equals - words->items[i]));
        rc = read_pair(reader, line, key, equals + 1, next, err);
        free(key);
    }
    return rc;
}

/* ENV NAME=VALUE …, or the old ENV NAME VALUE with everything up to the end as the value. */
static int read_env(struct reader *reader, const struct dockerfile_instruction *instruction,
                    struct error *err)
{
    struct strvec words = STRVEC_INIT;
    struct environment next = ENVIRONMENT_INIT;
    const char *text = instruction->text;
    int rc;
    environment_copy(reader->now, &next);
    dockerfile_split_words(text, reader->dockerfile->escape, &words);
    if (words.len > 0 && !strchr(words.items[0], '=')) {
        size_t key_len = strcspn(text, " \t\v\f\r");
        CLEANUP_FREE char *key = memory_copy_bytes(text, key_len);
        text += key_len;
        text += strspn(text, " \t\v\f\r");
        rc = *text ? read_pair(reader, instruction->line, key, text, &next, err)
                   : error_set(err, ERROR_INPUT, "%s:%d: ENV needs a name and a value",
                               reader->dockerfile->name, instruction->line);
    } else {
        rc = read_new_pairs(reader, instruction->line, &words, &next, err);
    }
    strvec_release(&words);
    environment_release(reader->now);
    *reader->now = next;
    return rc;
}

static const struct {
    const char *name;
    int (*read)(struct reader *, const struct dockerfile_instruction *, struct error *);
} readers[] = {
    {"arg", read_arg},  {"env", read_env}, {"copy", read_copy},
    {"add", read_copy}, {"run", read_run},
};

static const char *const silent[] = {"cmd",        "entrypoint", "expose", "healthcheck", "label",
                                     "maintainer", "onbuild",    "shell",  "user",        "volume",
                                     "stopsignal", "workdir",    NULL};

static int read_instruction(struct reader *reader, const struct dockerfile_instruction *instruction,
                            struct error *err)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (text_equal(instruction->name, readers[i].name))
            return readers[i].read(reader, instruction, err);
    for (size_t i = 0; silent[i]; i++)
        if (text_equal(instruction->name, silent[i]))
            return 0;
    whole(reader, instruction->line, "an instruction of a newer BuildKit: ", instruction->name);
    return 0;
}

static int read_trigger(struct reader *reader, const char *text, int line, struct error *err)
{
    struct dockerfile_instruction trigger;
    if (dockerfile_split_line(text, reader->dockerfile->escape, line, &trigger, err) < 0)
        return place(reader, line, err);
    int rc = read_instruction(reader, &trigger, err);
    dockerfile_instruction_release(&trigger);
    return rc;
}

/* What another image brings, or may bring. */
static void doubt_image(struct reader *reader, const struct dockerfile_stage *stage, bool is_ours)
{
    if (!is_ours && stage->image && dockerfile_is_without_triggers(stage->image))
        return;
    whole(reader, stage->line, "the ONBUILD triggers are not known of ", stage->written);
    reader->reads->hidden_arguments = true;
}

/* Those that our base image brings. */
static int read_base_triggers(struct reader *reader, const struct dockerfile_stage *stage,
                              struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reader->onbuild->len; i++) {
        const char *trigger = reader->onbuild->items[i];
        bool declares = text_contains_ignore_case(trigger, "arg");
        reader->reads->hidden_arguments = reader->reads->hidden_arguments || declares;
        rc = read_trigger(reader, trigger, stage->line, err);
    }
    return rc;
}

/* ONBUILD of the stage that this one starts from, or of an image from outside. */
static int read_triggers(struct reader *reader, const struct dockerfile_stage *stage,
                         struct error *err)
{
    const struct dockerfile *dockerfile = reader->dockerfile;
    int rc = 0;
    if (stage->base < 0) {
        bool is_ours = reader->base_names &&
                       dockerfile_starts_from_base(dockerfile, stage, reader->base_names);
        if (is_ours && reader->onbuild)
            return read_base_triggers(reader, stage, err);
        doubt_image(reader, stage, is_ours);
        return 0;
    }
    struct strvec triggers = STRVEC_INIT;
    dockerfile_triggers(dockerfile, (size_t)stage->base, &triggers);
    for (size_t i = 0; rc == 0 && i < triggers.len; i++)
        rc = read_trigger(reader, triggers.items[i], stage->line, err);
    strvec_release(&triggers);
    return rc;
}

/*
 * A stage begins with all that the stage below it saw, its ARGs too, but what that stage's image
 * has by ENV is set once more: it hides an ARG of the same name, whichever came last there. Where
 * the image below is from outside, anything may be in it.
 */
static void inherit(struct reader *reader, const struct dockerfile_stage *stage)
{
    const struct environment *below = &reader->images[stage->base];
    environment_copy(below, reader->image);
    environment_copy(below->open ? below : &reader->at_end[stage->base], reader->now);
    for (size_t i = 0; !below->open && i < below->variables.len; i++) {
        const char *item = below->variables.items[i];
        size_t len = strcspn(item, "=");
        CLEANUP_FREE char *name = memory_copy_bytes(item, len);
        environment_set(reader->now, name, item[len] ? item + len + 1 : NULL);
    }
}

static int read_stage(struct reader *reader, size_t index, struct error *err)
{
    const struct dockerfile *dockerfile = reader->dockerfile;
    const struct dockerfile_stage *stage = &dockerfile->stages[index];
    reader->now = &reader->at_end[index];
    reader->image = &reader->images[index];
    if (stage->base >= 0)
        inherit(reader, stage);
    else
        reader->now->open = reader->image->open = !text_equal(stage->image, "scratch");
    int rc = read_triggers(reader, stage, err);
    for (size_t i = 0; rc == 0 && i < stage->count; i++)
        rc = read_instruction(reader, &dockerfile->instructions[stage->first + i], err);
    return rc;
}

/* A stage that only a trigger of our base takes something from. */
static void find_needed(const struct reader *reader, size_t target, bool *needed)
{
    dockerfile_needed(reader->dockerfile, target, needed);
    bool all = dockerfile_triggers_take(reader->onbuild);
    for (size_t i = 0; all && i < reader->dockerfile->stage_count; i++)
        needed[i] = true;
}

int dockerfile_reads(const struct dockerfile *dockerfile, size_t target,
                     const struct strvec *base_names, const struct strvec *onbuild,
                     struct dockerfile_reads *ret_reads, struct error *err)
{
    struct reader reader = {
        .dockerfile = dockerfile,
        .base_names = base_names,
        .onbuild = onbuild,
        .reads = ret_reads,
        .globals = {.variables = dockerfile->globals, .open = false},
        .at_end = memory_new((dockerfile->stage_count + 1) * sizeof(struct environment)),
        .images = memory_new((dockerfile->stage_count + 1) * sizeof(struct environment))};
    bool *needed = memory_new(dockerfile->stage_count + 1);
    int rc = 0;
    if (dockerfile->foreign)
        whole(&reader, 1, "the frontend is not docker/dockerfile but ", dockerfile->syntax);
    find_needed(&reader, target, needed);
    for (size_t i = 0; rc == 0 && !dockerfile->foreign && i < dockerfile->stage_count; i++)
        if (needed[i])
            rc = read_stage(&reader, i, err);
    for (size_t i = 0; i < dockerfile->stage_count; i++) {
        environment_release(&reader.at_end[i]);
        environment_release(&reader.images[i]);
    }
    free(reader.at_end);
    free(reader.images);
    free(needed);
    return rc;
}

void dockerfile_reads_release(struct dockerfile_reads *reads)
{
    for (size_t i = 0; i < reads->len; i++) {
        free(reads->items[i].path);
        free(reads->items[i].parents);
        strvec_release(&reads->items[i].exclude);
    }
    free(reads->items);
    *reads = (struct dockerfile_reads)DOCKERFILE_READS_INIT;
}
