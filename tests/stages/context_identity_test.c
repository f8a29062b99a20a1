#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/support_tree.h"
#include "core/text.h"
#include "stages/context_identity.h"

Suite *context_identity_suite(void);

static char *root;

static void set_up(void)
{
    root = tree_new();
}

static void tear_down(void)
{
    tree_remove(root);
}

static int identify(const char *dockerfile, struct identity *ret_identity, struct error *err)
{
    const struct identity_request request = {.workspace = root,
                                             .file = dockerfile,
                                             .context = ".",
                                             .platform = "linux/amd64",
                                             .compression = "gzip",
                                             .period = -1};
    return context_identity(&request, ret_identity, err);
}

static struct identity must_identify(const char *dockerfile)
{
    struct identity identity;
    struct error err = ERROR_INIT;
    ck_assert_msg(identify(dockerfile, &identity, &err) == 0, "%s", err.msg);
    return identity;
}

static void write_dockerfile(const char *text)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&path, "%s/Dockerfile", root);
    FILE *file = fopen(path.buf, "we");
    ck_assert(file && fputs(text, file) >= 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* A tree, a Dockerfile, an edit: does it change the identity? */
static const struct {
    const char *rule, *tree, *dockerfile, *edit;
    bool changes;
} edits[] = {
    {"content", "a = 1", "COPY a /", "a = 2", true},
    {"the same content again", "a = 1", "COPY a /", "a = 1", false},
    {"permission to execute", "a = 1", "COPY a /", "0755 a", true},
    {"permission for others", "a = 1", "COPY a /", "0640 a", true},
    {"the sticky bit of a folder", "d/a = 1", "COPY d /", "01755 d", true},
    {"a file that is not copied", "a = 1\nb = 1", "COPY a /", "b = 2", false},
    {"a new file that is not copied", "a = 1", "COPY a /", "b = 2", false},
    {"a file beside a folder", "d/a = 1\ne = 1", "COPY d /", "e = 2", false},
    {"a file in a folder", "d/e/a = 1", "COPY d /", "d/e/a = 2", true},
    {"a new file in a folder", "d/a = 1", "COPY d /", "d/b = ", true},
    {"a new empty folder", "d/a = 1", "COPY d /", "d/b/", true},
    {"a file that goes", "d/a = 1\nd/b = 1", "COPY d /", "- d/b", true},
    {"a file that is called otherwise", "d/a = 1", "COPY d /", "- d/a\nd/b = 1", true},
    {"a file that becomes a link to the same", "d/a = 1\nb = 1", "COPY d /", "d/a -> ../b", true},
    {"a file that becomes a folder", "d/a = ", "COPY d /", "- d/a\nd/a/", true},
    {"a file that becomes a fifo", "d/a = ", "COPY d /", "- d/a\nd/a |", true},
    {"an empty file in front of another", "d/a = 1\nd/b = ", "COPY d /", "d/a = \nd/b = 1", true},
    {"the mode of the context's root", "a = 1", "COPY . /", "0700 .", false},
    {"the mode of a folder above", "d/a = 1", "COPY d/a /", "0700 d", false},
    {"the mode of a folder above, kept", "d/a = 1", "COPY --parents d/a /", "0700 d", true},
    {"everything", "a = 1", "COPY . /", "new = 1", true},
    {"a pattern's new match", "a.py = 1", "COPY *.py /", "b.py = 1", true},
    {"no match", "a.py = 1", "COPY *.py /", "b.md = 1", false},
    {"a pattern at the top only", "a.py = 1\nd/b.py = 1", "COPY *.py /", "d/b.py = 2", false},
    {"a matched folder", "d1/a = 1", "COPY d? /", "d1/a = 2", true},
    {"a pattern in a folder", "s/a.py = 1\ns/b.md = 1", "COPY s/*.py /", "s/b.md = 2", false},
    {"below what matched", "s/x/y/z = 1", "COPY s/* /", "s/x/y/z = 2", true},
    /* the ignore file */
    {"ignored", "a.md = 1\n.dockerignore = *.md", "COPY . /", "a.md = 2", false},
    {"an ignored folder", "n/a = 1\n.dockerignore = n", "COPY . /", "n/b/c = 2", false},
    {"taken back", "n/a = 1\nn/b = 1\n.dockerignore = n" TREE_LF "!n/b", "COPY . /", "n/b = 2",
     true},
    {"not taken back", "n/a = 1\nn/b = 1\n.dockerignore = n" TREE_LF "!n/b", "COPY . /", "n/a = 2",
     false},
    {"taken back deep down", "n/c/d/e = 1\n.dockerignore = n" TREE_LF "!n/c/d", "COPY . /",
     "n/c/d/e = 2", true},
    {"beside what is taken back", "n/c/d/e = 1\nn/c/f = 1\n.dockerignore = n" TREE_LF "!n/c/d",
     "COPY . /", "n/c/f = 2", false},
    {"a folder taken back, with all below", "s/x/y = 1\nt/x = 1\n.dockerignore = **" TREE_LF "!s",
     "COPY . /", "s/x/y = 2", true},
    {"everything but that", "s/x/y = 1\nt/x = 1\n.dockerignore = **" TREE_LF "!s", "COPY . /",
     "t/x = 2", false},
    {"folder after folder has its own state",
     "a/x = 1\nb/x = 1\nc/x = 1\n.dockerignore = **/x" TREE_LF "!b", "COPY . /", "b/x = 2", false},
    {"an ignored folder counts for what is kept in it", "n/b = 1\n.dockerignore = n" TREE_LF "!n/b",
     "COPY . /", "0700 n", true},
    {"and only for that", "n/a = 1\n.dockerignore = n" TREE_LF "!n/b", "COPY . /", "0700 n", false},
    {"the ignore file itself is a file", ".dockerignore = x", "COPY . /", ".dockerignore = y",
     true},
    {"unless ignored: only what it does counts", "a = 1\n.dockerignore = .dockerignore", "COPY . /",
     ".dockerignore = .d*", false},
    {"unless it is not copied", "a = 1\n.dockerignore = x", "COPY a /", ".dockerignore = y", false},
    {"a file that is ignored now", "d/a = 1\n.dockerignore = x", "COPY d /", ".dockerignore = d/a",
     true},
    {"the Dockerfile's own ignore file wins",
     "a = 1\n.dockerignore = b\nDockerfile.dockerignore = a", "COPY . /", "a = 2", false},
    {"and the common one does nothing then",
     "b = 1\n.dockerignore = b\nDockerfile.dockerignore = a", "COPY . /", "b = 2", true},
    {"an empty one of its own ignores nothing",
     "a = 1\n.dockerignore = a\n"
     "Dockerfile.dockerignore = ",
     "COPY . /", "a = 2", true},
    {"the Dockerfile counts though ignored", ".dockerignore = Dockerfile", "COPY . /",
     "Dockerfile = FROM b", true},
    {"an odd pattern ignores nothing", "a = 1\n.dockerignore = a|*", "COPY . /", "a = 2", true},
    /* links */
    {"a link's target in a folder", "d/l -> x", "COPY d /", "d/l -> y", true},
    {"what it leads to stays out", "d/l -> ../x\nx = 1", "COPY d /", "x = 2", false},
    {"a source that is a link", "l -> x\nx = 1", "COPY l /", "x = 2", true},
    {"a source that is a link to a folder", "l -> d\nd/x = 1", "COPY l /", "d/x = 2", true},
    {"through a link", "l -> d\nd/x = 1\nd/y = 1", "COPY l/x /", "d/x = 2", true},
    {"through a link, beside", "l -> d\nd/x = 1\nd/y = 1", "COPY l/x /", "d/y = 2", false},
    {"a link that leads elsewhere now", "l -> d\nd/x = 1\ne/x = 1", "COPY l/x /", "l -> e", true},
    {"elsewhere, and both are read anyhow", "l -> d\nd/x = 1\ne/x = 2", "COPY d e l /", "l -> e",
     true},
    {"a chain of links", "a -> b\nb -> c/d\nc/d -> /e\ne = 1", "COPY a /", "e = 2", true},
    {"an absolute link starts at the root", "s/l -> /x\nx = 1\ns/x = 1", "COPY s/l /", "x = 2",
     true},
    {"a link cannot leave the context", "l -> ../../../x\nx = 1", "COPY l /", "x = 2", true},
    {"a matched link", "l.py -> x\nx = 1", "COPY *.py /", "x = 2", true},
    {"a link on the way of a pattern", "l -> d\nd/x = 1", "COPY */x /", "d/x = 2", true},
    {"a link that no pattern passes", "l -> d\nd/x = 1\na.py = 1", "COPY *.py /", "d/x = 2", false},
    {"a link that another pattern would pass", "l -> d\nd/x = 1\nk/x = 1", "COPY k*/x /", "d/x = 2",
     false},
    {"a pattern below a link", "l -> d\nd/a.py = 1\nd/b.md = 1", "COPY l/*.py /", "d/a.py = 2",
     true},
    {"a pattern below a link, no match", "l -> d\nd/a.py = 1\nd/b.md = 1", "COPY l/*.py /",
     "d/b.md = 2", false},
    {"a link in a circle", "l -> l\na = 1", "COPY l a /", "a = 2", true},
    {"a link to nothing", "l -> x\na = 1", "COPY l a /", "x = 2", true},
    /* flags */
    {"excluded", "d/a.md = 1\nd/b = 1", "COPY --exclude=*.md d /", "d/a.md = 2", false},
    {"not excluded", "d/a.md = 1\nd/b = 1", "COPY --exclude=*.md d /", "d/b = 2", true},
    {"excluded deep down", "d/e/a.md = 1", "COPY --exclude=**/*.md d /", "d/e/a.md = 2", false},
    {"excluded only at the top", "d/e/a.md = 1", "COPY --exclude=*.md d /", "d/e/a.md = 2", true},
    {"an excluded folder", "d/t/a = 1\nd/b = 1", "COPY --exclude=t d /", "d/t/b = 2", false},
    {"excluded, and copied by another", "d/a = 1", "COPY --exclude=a d /\nCOPY d/a /", "d/a = 2",
     true},
    {"the source itself is never excluded", "a.md = 1", "COPY --exclude=*.md a.md /", "a.md = 2",
     true},
    {"parents", "a/b/c = 1\na/d = 1", "COPY --parents a/b/c /", "a/d = 2", false},
    {"parents, the file", "a/b/c = 1\na/d = 1", "COPY --parents a/b/c /", "a/b/c = 2", true},
    {"parents at any depth", "a/b/c.py = 1\na/d.md = 1", "COPY --parents **/*.py /", "a/x.py = 2",
     true},
    {"parents at any depth, no match", "a/b/c.py = 1\na/d.md = 1", "COPY --parents **/*.py /",
     "a/d.md = 2", false},
    {"parents behind a pivot", "a/b/c = 1\nb/c = 1", "COPY --parents a/./b/c /", "b/c = 2", false},
    {"parents through a link", "l -> d\nd/x = 1", "COPY --parents l/x /", "d/x = 2", true},
    {"parents of a folder", "a/b/c = 1", "COPY --parents a/b /", "a/b/c = 2", true},
    {"a mount", "m/a = 1\nb = 1", "RUN --mount=source=m,target=/m x", "m/a = 2", true},
    {"beside a mount", "m/a = 1\nb = 1", "RUN --mount=source=m,target=/m x", "b = 2", false},
    {"a variable", "v1/a = 1\nv2/a = 1", "ARG V=v1\nCOPY $V /", "v2/a = 2", false},
    {"a variable of the image", "a = 1\nb = 1", "COPY $HOME /", "b = 2", true},
    /* types and names */
    {"a name that is not UTF-8", "d/\xFF = 1", "COPY d /", "d/\xFF = 2", true},
    {"a name with a wildcard's letter", "a[1] = 1\na1 = 1", "COPY a[[]1] /", "a[1] = 2", true},
    {"a source that is not there", "b = 1", "COPY a b /", "a = 1", true},
};

START_TEST(edits_change_what_they_must)
{
    CLEANUP(strbuf) struct strbuf dockerfile = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&dockerfile, "FROM a\n%s\n", edits[_i].dockerfile);
    tree_make(root, edits[_i].tree);
    write_dockerfile(dockerfile.buf);
    struct identity before = must_identify("Dockerfile");
    tree_make(root, edits[_i].edit);
    struct identity after = must_identify("Dockerfile");
    bool changed = strcmp(before.hex, after.hex) != 0;
    ck_assert_msg(changed == edits[_i].changes, "%s: %s", edits[_i].rule,
                  changed ? "must not change it" : "must change it");
}
END_TEST

START_TEST(times_owners_and_hard_links_do_not_count)
{
    CLEANUP(strbuf) struct strbuf a = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf b = STRBUF_INIT(STRBUF_NO_CAP);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    strbuf_addf(&a, "%s/d/a", root);
    strbuf_addf(&b, "%s/d/b", root);
    tree_make(root, "d/a = 1\nd/b = 1");
    write_dockerfile("FROM x\nCOPY d /\n");
    struct identity before = must_identify("Dockerfile");
    ck_assert_int_eq(utimensat(AT_FDCWD, a.buf, times, 0), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(a.buf, 12, 34), 0);
    ck_assert_int_eq(unlink(b.buf), 0);
    ck_assert_int_eq(link(a.buf, b.buf), 0);
    ck_assert_str_eq(must_identify("Dockerfile").hex, before.hex);
}
END_TEST

/* Each input of a request, once changed. */
START_TEST(every_input_counts)
{
    struct strvec given = STRVEC_INIT, other = STRVEC_INIT, undeclared = STRVEC_INIT;
    const struct strvec no_names = STRVEC_INIT, no_triggers = STRVEC_INIT;
    strvec_push(&given, "V=1");
    strvec_push(&other, "V=2");
    strvec_push_many(&undeclared, "V=1", "W=1", "HTTP_PROXY=x", NULL);
    tree_make(root, "a = 1");
    write_dockerfile("FROM $BASE_IMAGE AS s\nARG V\nCOPY a /\nFROM s\n");
    const struct identity_request plain = {.workspace = root,
                                           .file = "Dockerfile",
                                           .context = ".",
                                           .platform = "linux/amd64",
                                           .build_args = &given,
                                           .compression = "gzip",
                                           .check = "true",
                                           .base_digest = "sha256:00",
                                           .base_names = &no_names,
                                           .base_onbuild = &no_triggers,
                                           .period = 1};
    struct identity_request changed[7] = {plain, plain, plain, plain, plain, plain, plain};
    changed[0].target = "s";
    changed[1].platform = "linux/arm64";
    changed[2].build_args = &other;
    changed[3].compression = "zstd";
    changed[4].check = NULL;
    changed[5].base_digest = "sha256:01";
    changed[6].period = 2;
    struct identity before, after;
    ck_assert_int_eq(context_identity(&plain, &before, NULL), 0);
    ck_assert(before.uses_base);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(context_identity(&changed[i], &after, NULL), 0);
        ck_assert_msg(strcmp(before.hex, after.hex) != 0, "%zu", i);
    }
    struct identity_request same = plain;
    same.build_args = &undeclared;
    same.target = "";
    ck_assert_int_eq(context_identity(&same, &after, NULL), 0);
    ck_assert_str_eq(before.hex, after.hex);
    strvec_release(&given);
    strvec_release(&other);
    strvec_release(&undeclared);
}
END_TEST

/* A trigger that comes with an image copies from the context, and may declare a build argument. */
static const struct {
    const char *rule, *dockerfile, *trigger; /* NULL: the base's are not known */
    bool edit_changes, argument_changes;
} foreign_triggers[] = {
    {"our base copies", "FROM base", "COPY app /app", true, false},
    {"our base copies something else", "FROM base", "COPY other /app", false, false},
    {"our base declares", "FROM base", "ARG V", false, true},
    {"our base has none", "FROM base", "", false, false},
    {"our base's are not known", "FROM base", NULL, true, true},
    {"somebody's image", "FROM mine/image", "", true, true},
    {"an official image", "FROM python:3", "", false, false},
};

START_TEST(triggers_of_images_count)
{
    struct strvec names = STRVEC_INIT, triggers = STRVEC_INIT, argument = STRVEC_INIT;
    const char *trigger = foreign_triggers[_i].trigger;
    CLEANUP(strbuf) struct strbuf dockerfile = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&dockerfile, "%s\n", foreign_triggers[_i].dockerfile);
    strvec_push(&names, "base");
    strvec_push(&argument, "V=1");
    if (!text_is_empty(trigger))
        strvec_push(&triggers, trigger);
    struct identity_request request = {.workspace = root,
                                       .file = "Dockerfile",
                                       .context = ".",
                                       .base_names = &names,
                                       .base_onbuild = trigger ? &triggers : NULL,
                                       .period = -1};
    struct identity before, after, with_argument;
    tree_make(root, "app/a = 1");
    write_dockerfile(dockerfile.buf);
    ck_assert_int_eq(context_identity(&request, &before, NULL), 0);
    tree_make(root, "app/a = 2");
    ck_assert_int_eq(context_identity(&request, &after, NULL), 0);
    request.build_args = &argument;
    ck_assert_int_eq(context_identity(&request, &with_argument, NULL), 0);
    ck_assert_msg((strcmp(before.hex, after.hex) != 0) == foreign_triggers[_i].edit_changes,
                  "an edit, %s", foreign_triggers[_i].rule);
    ck_assert_msg((strcmp(after.hex, with_argument.hex) != 0) ==
                      foreign_triggers[_i].argument_changes,
                  "an argument, %s", foreign_triggers[_i].rule);
    strvec_release(&names);
    strvec_release(&triggers);
    strvec_release(&argument);
}
END_TEST

START_TEST(a_base_that_is_not_used_does_not_count)
{
    struct strvec names = STRVEC_INIT;
    strvec_push(&names, "base");
    struct identity_request request = {.workspace = root,
                                       .file = "Dockerfile",
                                       .context = ".",
                                       .base_names = &names,
                                       .base_digest = "sha256:00",
                                       .period = -1};
    struct identity before, after;
    write_dockerfile("FROM python:3\n");
    ck_assert_int_eq(context_identity(&request, &before, NULL), 0);
    request.base_digest = "sha256:01";
    ck_assert_int_eq(context_identity(&request, &after, NULL), 0);
    ck_assert(!after.uses_base);
    ck_assert_str_eq(before.hex, after.hex);
    strvec_release(&names);
}
END_TEST

START_TEST(what_counts_is_counted_and_explained)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    tree_make(root, "app/main.py = 123\napp/l -> x\nREADME.md = 1\n.git/HEAD = 1\nv/.git/x = 1");
    write_dockerfile("FROM a\nCOPY app /app\n");
    struct identity before = must_identify("Dockerfile");
    ck_assert_uint_eq(before.file_count, 3); /* the folder, the file, the link */
    ck_assert_int_eq(before.byte_count, 3);
    ck_assert_uint_eq(before.seen_count, 10);
    ck_assert(!before.whole_context);
    ck_assert(!before.git_folder);
    ck_assert_str_eq(before.reason, "");
    tree_make(root, "app/main.py = 124");
    struct identity after = must_identify("Dockerfile");
    identity_explain(before.parts, after.parts, "Dockerfile", &text);
    ck_assert_str_eq(text.buf, "app/ changed");
    write_dockerfile("FROM a\nCOPY v /v\n");
    after = must_identify("Dockerfile");
    ck_assert(after.git_folder);
    ck_assert_str_eq(after.git_path, "v/.git");
    write_dockerfile("FROM a\n\nCOPY . /\n");
    after = must_identify("Dockerfile");
    ck_assert(after.whole_context);
    ck_assert_str_eq(after.reason, "Dockerfile:3 reads all of the context");
    ck_assert_str_eq(after.git_path, ".git");
    write_dockerfile("FROM a\nCOPY $X /\n");
    after = must_identify("Dockerfile");
    ck_assert(after.whole_context);
    ck_assert_str_eq(after.reason, "Dockerfile:2: X is not known before the build");
    tree_make(root, ".dockerignore = a|*");
    write_dockerfile("FROM a\nCOPY app /\n");
    after = must_identify("Dockerfile");
    ck_assert_str_eq(after.reason,
                     ".dockerignore: nothing is taken as ignored, because of the pattern a|*");
}
END_TEST

/* A context that is not the workspace; the Dockerfile outside of it. */
START_TEST(dockerfile_and_context_may_be_apart)
{
    tree_make(root, "ctx/a = 1\nctx/.dockerignore = a\nb = 1\nfiles/D = FROM x\nlink -> ctx");
    const struct identity_request request = {
        .workspace = root, .file = "files/D", .context = "ctx", .period = -1};
    struct identity identity;
    ck_assert_int_eq(context_identity(&request, &identity, NULL), 0);
    ck_assert_uint_eq(identity.seen_count, 1);
    struct identity_request linked = request;
    linked.context = "link";
    struct identity again;
    ck_assert_int_eq(context_identity(&linked, &again, NULL), 0);
    ck_assert_str_eq(identity.hex, again.hex);
    CLEANUP(strbuf) struct strbuf absolute = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&absolute, "%s/files/D", root);
    linked.file = absolute.buf;
    ck_assert_int_eq(context_identity(&linked, &again, NULL), 0);
    ck_assert_str_eq(identity.hex, again.hex);
}
END_TEST

static const struct {
    const char *tree, *file, *context;
    enum error_kind kind;
    const char *said;
} faults[] = {
    {"a = 1", "Dockerfile", ".", ERROR_NOT_FOUND, "reading Dockerfile"},
    {"Dockerfile/", "Dockerfile", ".", ERROR_NONE, "reading Dockerfile"},
    {"Dockerfile = FROM a", "Dockerfile", "none", ERROR_NOT_FOUND, "the build context none"},
    {"Dockerfile = FROM a\nf = 1", "Dockerfile", "f", ERROR_NOT_FOUND, "there is no folder"},
    {"Dockerfile = FROM a", "/etc/passwd", ".", ERROR_INPUT, "outside"},
    {"Dockerfile = FROM a", "Dockerfile", "/etc", ERROR_INPUT, "outside"},
    {"Dockerfile = FROM a", "Dockerfile", "..", ERROR_INPUT, "outside"},
    {"Dockerfile -> /etc/passwd", "Dockerfile", ".", ERROR_INPUT, "outside"},
    {"Dockerfile = FRM a", "Dockerfile", ".", ERROR_INPUT, "Dockerfile:1: unknown instruction"},
    {"Dockerfile = FROM a\n.dockerignore = [", "Dockerfile", ".", ERROR_INPUT,
     ".dockerignore:1: the pattern '[' is not well-formed"},
    {"Dockerfile = FROM a\n.dockerignore -> /etc/passwd", "Dockerfile", ".", ERROR_INPUT,
     "outside"},
};

START_TEST(faults_are_named)
{
    const struct identity_request request = {
        .workspace = root, .file = faults[_i].file, .context = faults[_i].context, .period = -1};
    struct identity identity;
    struct error err = ERROR_INIT;
    tree_make(root, faults[_i].tree);
    ck_assert_int_eq(context_identity(&request, &identity, &err), -1);
    ck_assert_msg(faults[_i].kind == ERROR_NONE || err.kind == faults[_i].kind, "%s: %s",
                  error_kind_name(err.kind), err.msg);
    ck_assert_msg(strstr(err.msg, faults[_i].said) != NULL, "%s", err.msg);
}
END_TEST

/* Unreadable is an error only where it matters. */
START_TEST(unreadable_matters_where_it_is_copied)
{
    struct identity identity;
    struct error err = ERROR_INIT;
    uid_t me = geteuid();
    tree_make(root, "a = 1\nsecret = 1\n0000 secret\nlocked/x = 1\n0000 locked");
    ck_assert_int_eq(chmod(root, 0755), 0);
    write_dockerfile("FROM a\nCOPY a /\n");
    ck_assert(me != 0 || seteuid(65534) == 0);
    int fine = identify("Dockerfile", &identity, &err);
    ck_assert_int_eq(seteuid(me), 0);
    ck_assert_msg(fine == 0, "%s", err.msg);

    static const char *const copies[] = {"FROM a\nCOPY secret /\n", "FROM a\nCOPY locked /\n"};
    static const char *const said[] = {"/secret: Permission denied",
                                       "/locked cannot be listed: Permission denied"};
    for (size_t i = 0; i < 2; i++) {
        write_dockerfile(copies[i]);
        ck_assert(me != 0 || seteuid(65534) == 0);
        int rc = identify("Dockerfile", &identity, &err);
        ck_assert_int_eq(seteuid(me), 0);
        ck_assert_int_eq(rc, -1);
        ck_assert_int_eq(err.kind, ERROR_SYSTEM);
        ck_assert_int_eq(err.code, EACCES);
        ck_assert_msg(strstr(err.msg, said[i]) != NULL, "%s", err.msg);
    }
}
END_TEST

START_TEST(the_dockerfile_alone_can_be_had)
{
    struct dockerfile dockerfile;
    const struct identity_request request = {
        .workspace = root, .file = "Dockerfile", .context = ".", .period = -1};
    write_dockerfile("FROM a AS b\n");
    ck_assert_int_eq(context_dockerfile(&request, &dockerfile, NULL), 0);
    ck_assert_uint_eq(dockerfile.stage_count, 1);
    ck_assert_str_eq(dockerfile.name, "Dockerfile");
    dockerfile_release(&dockerfile);
    write_dockerfile("FROM a AS b c\n");
    ck_assert_int_eq(context_dockerfile(&request, &dockerfile, NULL), -1);
    dockerfile_release(&dockerfile);
}
END_TEST

Suite *context_identity_suite(void)
{
    Suite *suite = suite_create("context_identity");
    TCase *tests = tcase_create("context_identity");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, edits_change_what_they_must, 0, (int)(sizeof edits / sizeof *edits));
    tcase_add_test(tests, times_owners_and_hard_links_do_not_count);
    tcase_add_test(tests, every_input_counts);
    tcase_add_loop_test(tests, triggers_of_images_count, 0,
                        (int)(sizeof foreign_triggers / sizeof *foreign_triggers));
    tcase_add_test(tests, a_base_that_is_not_used_does_not_count);
    tcase_add_test(tests, what_counts_is_counted_and_explained);
    tcase_add_test(tests, dockerfile_and_context_may_be_apart);
    tcase_add_loop_test(tests, faults_are_named, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_test(tests, unreadable_matters_where_it_is_copied);
    tcase_add_test(tests, the_dockerfile_alone_can_be_had);
    suite_add_tcase(suite, tests);
    return suite;
}
