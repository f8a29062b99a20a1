#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "model/dockerfile_reads.h"

Suite *dockerfile_reads_suite(void);

/*
 * What a Dockerfile reads, as text: a word for each read, "glob:" in front of a pattern, "+pattern"
 * behind it for --parents, "-pattern" for each --exclude, "." for the root; "WHOLE(reason)" if it
 * cannot be known, "ERROR(message)".
 */
static const struct {
    const char *rule, *text, *args, *target, *reads;
} cases[] = {
    /* COPY and ADD */
    {"no COPY reads nothing", "FROM a\nRUN x", "", "", ""},
    {"a file", "FROM a\nCOPY b /c", "", "", "b"},
    {"several", "FROM a\nCOPY b c d/ /e/", "", "", "b c d"},
    {"ADD, too", "FROM a\nADD b.tar /c", "", "", "b.tar"},
    {"the root", "FROM a\nCOPY . .", "", "", "."},
    {"the root by a slash", "FROM a\nCOPY / /x", "", "", "."},
    {"below the root .. stops", "FROM a\nCOPY ../../b /x", "", "", "b"},
    {"paths are cleaned", "FROM a\nCOPY ./b//c/../d/ /x", "", "", "b/d"},
    {"a slash in front", "FROM a\nCOPY /b /x", "", "", "b"},
    {"instructions in any case", "from a\ncopy b /c\nAdD d /e", "", "", "b d"},
    {"a pattern", "FROM a\nCOPY *.py /x", "", "", "glob:*.py"},
    {"a pattern deep down", "FROM a\nCOPY src/[a-c]?/*.py /x", "", "", "glob:src/[a-c]?/*.py"},
    {"an escaped wildcard is a name", "FROM a\nCOPY a\\\\*b /x", "", "", "a\\*b"},
    {"a pattern that is not well-formed", "FROM a\nCOPY a[b /x", "", "",
     "glob:a[b WHOLE(D:2: the pattern is not well-formed: a[b)"},
    {"the JSON form", "FROM a\nCOPY [\"b c\", \"d\", \"/e/\"]", "", "", "'b c' d"},
    {"JSON with escapes", "FROM a\nCOPY [\"b\\u00e9\\n\", \"/\"]", "", "", "'b\xC3\xA9\n'"},
    {"no JSON after all", "FROM a\nCOPY [\"b', \"/\"]", "", "",
     "ERROR(D:2: a double quote is not "
     "closed in '[\"b',')"},
    {"quotes within a word", "FROM a\nCOPY \"b\"'c' /x", "", "", "bc"},
    {"an escaped character", "FROM a\nCOPY b\\c /x", "", "", "bc"},
    {"white space of any kind", "FROM a\nCOPY\tb \t c\t /x", "", "", "b c"},
    {"from a stage", "FROM a AS s\nFROM b\nCOPY --from=s c /x", "", "", ""},
    {"from an image", "FROM a\nCOPY --from=nginx c /x", "", "", ""},
    {"from nothing is the context", "FROM a\nCOPY --from= c /x", "", "", "c"},
    {"flags do not hide sources", "FROM a\nCOPY --chown=1:1 --chmod=755 --link b /x", "", "", "b"},
    {"quoted flags", "FROM a\nCOPY --chown=\"a b\" b /x", "", "", "b"},
    {"two dashes end the flags", "FROM a\nCOPY -- --b /x", "", "", "--b"},
    {"an unknown flag", "FROM a\nCOPY --new=1 b /x", "", "",
     "WHOLE(D:2: a flag of a newer BuildKit: --new=1)"},
    {"--exclude", "FROM a\nCOPY --exclude=*.md --exclude=t . /x", "", "", ".-*.md-t"},
    {"an --exclude with a variable is left out", "FROM a\nCOPY --exclude=$x --exclude=t . /x", "",
     "", "."},
    {"an --exclude that is not ASCII is left out", "FROM a\nCOPY --exclude=\xC3\xA9 . /x", "", "",
     "."},
    {"--parents", "FROM a\nCOPY --parents b/c d/*/e /x", "", "", ".+b/c .+d/*/e"},
    {"--parents with a pivot", "FROM a\nCOPY --parents b/./c/d /x", "", "", "b+c/d"},
    {"--parents with a pivot in a pattern", "FROM a\nCOPY --parents b*/./**/d /x", "", "",
     "glob:b*+**/d"},
    {"--parents=false", "FROM a\nCOPY --parents=false b/c /x", "", "", "b/c"},
    {"--parents of the root", "FROM a\nCOPY --parents . /x", "", "", ".+"},
    {"ADD of a URL", "FROM a\nADD https://x/y http://x/z /b", "", "", ""},
    {"ADD of a git repository", "FROM a\nADD https://x/y.git#v1 /b", "", "", ""},
    {"COPY knows no URLs", "FROM a\nCOPY https://x/y /b", "", "", "https:/x/y"},
    {"ADD of what may be git or a file", "FROM a\nADD git@h:o/r.git /b", "", "", "git@h:o/r.git"},
    {"ADD flags", "FROM a\nADD --checksum=x --keep-git-dir=true --unpack=false b /x", "", "", "b"},
    {"a heredoc is in the Dockerfile", "FROM a\nCOPY <<EOF /x\nCOPY b /y\nEOF\nCOPY c /z", "", "",
     "c"},
    {"a heredoc and a file", "FROM a\nCOPY <<E b /x/\ncontent\nE", "", "", "b"},
    {"two heredocs", "FROM a\nCOPY <<A <<\"B\" /x/\nCOPY 1 2\nA\nCOPY 3 4\nB\nCOPY c /d", "", "",
     "c"},
    {"a heredoc whose tabs go", "FROM a\nCOPY <<-E /x\n\tCOPY 1 2\n\tE\nCOPY c /d", "", "", "c"},
    {"RUN with a heredoc", "FROM a\nRUN <<E\nCOPY b /c\nE\nCOPY d /e", "", "", "d"},
    {"RUN with a heredoc behind a command", "FROM a\nRUN cat <<E > /x\nCOPY b /c\nE\n", "", "", ""},
    {"<< in JSON opens none", "FROM a\nRUN [\"cat\", \"<<E\"]\nCOPY b /c", "", "", "b"},
    {"<< in ENV opens none", "FROM a\nENV x=<<E\nCOPY b /c", "", "", "b"},
    /* lines */
    {"a line goes on", "FROM a\nCOPY b \\\n  c \\\n  /d", "", "", "b c"},
    {"comments in between", "FROM a\nCOPY b \\\n# c\n  # d \\\n\n  e /f", "", "", "b e"},
    {"white space behind the backslash", "FROM a\nCOPY b \\ \t\n /c", "", "", "b"},
    {"a comment goes not on", "FROM a\n# COPY b \\\nCOPY c /d", "", "", "c"},
    {"another escape character", "# escape=`\nFROM a\nCOPY b `\n c\\d /e", "", "", "b c\\d"},
    {"carriage returns", "FROM a\r\nCOPY b \\\r\n c /d\r\n", "", "", "b c"},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "FROM a\nCOPY b /c",
     "", "", "b"},
    {"the last line goes on", "FROM a\nCOPY b /c \\", "", "", "b"},
    /* variables */
    {"ARG with a default", "FROM a\nARG V=b\nCOPY $V /x", "", "", "b"},
    {"a build argument", "FROM a\nARG V=b\nCOPY ${V} /x", "V=c", "", "c"},
    {"the last one of a name", "FROM a\nARG V\nCOPY ${V} /x", "V=c V=d", "", "d"},
    {"an argument that was not declared", "FROM a\nCOPY b$V /x", "V=c", "",
     "WHOLE(D:2: V is not known before the build)"},
    {"declared only before FROM", "ARG V=b\nFROM a\nCOPY $V /x", "", "",
     "WHOLE(D:3: V is not known before the build)"},
    {"declared before FROM and again", "ARG V=b\nFROM a\nARG V\nCOPY $V /x", "", "", "b"},
    {"ENV", "FROM a\nENV V=b W=c\nCOPY $V$W /x", "", "", "bc"},
    {"the old form of ENV", "FROM a\nENV V b  c \nCOPY \"$V\" /x", "", "", "'b  c'"},
    {"ENV behind ARG wins", "FROM a\nARG V=b\nENV V=c\nCOPY $V /x", "V=d", "", "c"},
    {"ENV sees what was before it", "FROM a\nENV V=1\nENV V=2 W=$V\nCOPY $W /x", "", "", "1"},
    {"ARG sees the one before it", "FROM a\nARG V=1 W=${V}2\nCOPY $W /x", "", "", "12"},
    {"a quoted value", "FROM a\nARG V=\"b c\" W='$V'\nCOPY $V /x\nCOPY $W /y", "", "", "'b c' $V"},
    {"from the image's environment", "FROM a\nCOPY $HOME/b /x", "", "",
     "WHOLE(D:2: HOME is not known before the build)"},
    {"no image, no environment", "FROM scratch\nCOPY b$HOME /x", "", "", "b"},
    {"unknown through ENV", "FROM a\nENV V=$W\nCOPY $V /x", "", "",
     "WHOLE(D:3: V is not known before the build)"},
    {"unknown where it does not matter", "FROM a\nCOPY b $HOME/\nWORKDIR $W", "", "", "b"},
    {"a default for what is unknown", "FROM a\nCOPY ${V:-b} /x", "", "",
     "WHOLE(D:2: V is not known before the build)"},
    {"a default", "FROM scratch\nCOPY ${V:-b} ${V-c} /x", "", "", "b c"},
    {"instead", "FROM a\nARG V=1\nCOPY ${V:+b} x${W:+c} /x", "", "",
     "b WHOLE(D:3: W is not known before the build)"},
    {"cut in front and behind", "FROM a\nARG V=x/y.z\nCOPY ${V##*/} ${V%.*} /x", "", "", "y.z x/y"},
    {"replace", "FROM a\nARG V=x-y-z\nCOPY ${V/-/_} ${V//-/_} /x", "", "", "x_y-z x_y_z"},
    {"single quotes keep it", "FROM a\nCOPY '$V' /x", "", "", "$V"},
    {"an escape keeps it", "FROM a\nCOPY \\$V /x", "", "", "$V"},
    {"a variable that must be set", "FROM scratch\nCOPY ${V:?none} /x", "", "",
     "ERROR(D:2: V: none)"},
    {"an open brace", "FROM a\nCOPY ${V /x", "", "",
     "ERROR(D:2: an unsupported modifier of a variable in '${V')"},
    {"no name", "FROM a\nCOPY ${} /x", "", "", "ERROR(D:2: a bad substitution in '${}')"},
    {"the platform", "FROM a\nARG TARGETARCH TARGETOS\nCOPY $TARGETOS-$TARGETARCH /x", "", "",
     "linux-arm64"},
    {"the builder's platform", "FROM a\nARG BUILDARCH\nCOPY $BUILDARCH /x", "", "",
     "WHOLE(D:3: BUILDARCH is not known before the build)"},
    {"ENV without =", "FROM a\nENV V=1 W", "", "", "ERROR(D:2: ENV: there is no '=' in 'W')"},
    {"ENV without a value", "FROM a\nENV V", "", "", "ERROR(D:2: ENV needs a name and a value)"},
    /* RUN --mount */
    {"a bind mount", "FROM a\nRUN --mount=type=bind,source=b,target=/c make", "", "", "b"},
    {"bind is the default", "FROM a\nRUN --mount=target=/c make", "", "", "."},
    {"src", "FROM a\nRUN --mount=src=b,dst=/c make", "", "", "b"},
    {"keys and type in any case", "FROM a\nRUN --mount=TYPE=Bind,Source=b,target=/c x", "", "",
     "b"},
    {"a wildcard is a name there", "FROM a\nRUN --mount=src=b*,dst=/c x", "", "", "b*"},
    {"from another stage", "FROM b AS s\nFROM a\nRUN --mount=from=s,dst=/c x", "", "", ""},
    {"other mounts",
     "FROM a\nRUN --mount=type=cache,target=/c --mount=type=secret,id=s "
     "--mount=type=tmpfs,target=/t --mount=type=ssh x",
     "", "", ""},
    {"a mount with a variable", "FROM a\nRUN --mount=src=$V,dst=/c x", "", "",
     "WHOLE(D:2: --mount=src=$V,dst=/c)"},
    {"RUN with other flags", "FROM a\nRUN --network=none --security=insecure x", "", "", ""},
    {"RUN with an unknown flag", "FROM a\nRUN --new=1 x", "", "",
     "WHOLE(D:2: a flag of a newer BuildKit: --new=1)"},
    /* stages */
    {"the last stage alone", "FROM a\nCOPY b /x\nFROM c\nCOPY d /x", "", "", "d"},
    {"and what it copies from", "FROM a AS s\nCOPY b /x\nFROM c\nCOPY --from=s x y\nCOPY d /x", "",
     "", "b d"},
    {"by number", "FROM a\nCOPY b /x\nFROM c\nCOPY e /x\nFROM d\nCOPY --from=0 x y", "", "", "b"},
    {"by a number as Go reads it", "FROM a\nCOPY b /x\nFROM d\nCOPY --from=+00 x y", "", "", "b"},
    {"by mount", "FROM a AS s\nCOPY b /x\nFROM c\nRUN --mount=from=s,dst=/s x", "", "", "b"},
    {"by FROM", "FROM a AS s\nCOPY b /x\nFROM s\nCOPY d /x", "", "", "b d"},
    {"names in any case", "FROM a AS Build\nCOPY b /x\nFROM c\nCOPY --from=BUILD x y", "", "", "b"},
    {"a target", "FROM a AS s\nCOPY b /x\nFROM c AS t\nCOPY d /x", "", "S", "b"},
    {"a target by number", "FROM a AS s\nCOPY b /x\nFROM c AS t\nCOPY d /x", "", "0", "b"},
    {"no such target", "FROM a AS s\nFROM c AS t", "", "u",
     "ERROR(D: there is no stage 'u' in it; its stages: s, t)"},
    {"a stage's variables go on", "FROM scratch AS s\nARG V=b\nENV W=c\nFROM s\nCOPY $V $W /x", "",
     "", "b c"},
    {"an ENV hides a later ARG from the next stage",
     "FROM scratch AS s\nENV V=b\nARG V=c\nFROM s\nCOPY $V /x", "", "", "b"},
    {"and from the one behind that",
     "FROM scratch AS s\nENV V=b\nFROM s AS t\nARG V=c\nFROM t\nCOPY $V /x", "", "", "b"},
    {"but not within its stage", "FROM scratch\nENV V=b\nARG V=c\nCOPY $V /x", "", "", "c"},
    {"an outside image's ENV may do so, too",
     "FROM a AS s\nARG V=b\nENV W=c\nFROM s\nCOPY $V $W /x", "", "",
     "c WHOLE(D:5: V is not known before the build)"},
    {"unless it is said again", "FROM a AS s\nARG V=b\nFROM s\nARG V=b\nCOPY $V /x", "", "", "b"},
    {"an ENV with a name that is not known hides all",
     "FROM scratch AS s\nARG V=b BUILDOS\nENV A$BUILDOS=c\nFROM s\nCOPY $V /x", "", "",
     "WHOLE(D:5: V is not known before the build)"},
    {"but not into another", "FROM a AS s\nARG V=b\nFROM a\nCOPY $V /x\nCOPY --from=s y z", "", "",
     "WHOLE(D:4: V is not known before the build)"},
    {"FROM a stage by a variable", "ARG V=s\nFROM a AS s\nCOPY b /x\nFROM $V\nCOPY d /x", "", "",
     "b d"},
    {"FROM by what only the builder knows",
     "FROM a AS s\nCOPY b /x\nFROM a AS t\nCOPY c /x\nFROM s-$BUILDARCH\nCOPY d /x", "", "",
     "b c d WHOLE(D:5: the ONBUILD triggers are not known of s-$BUILDARCH)"},
    {"a stage by what only the builder knows", "FROM a AS s\nCOPY b /x\nFROM c\nCOPY --from=$V x y",
     "", "", "b"},
    /* ONBUILD */
    {"ONBUILD of a stage", "FROM a AS s\nONBUILD COPY b /x\nFROM s\nCOPY d /x", "", "", "b d"},
    {"ONBUILD for others reads nothing here", "FROM a\nONBUILD COPY b /x", "", "", ""},
    {"ONBUILD sees the variables of its user",
     "FROM scratch AS s\nARG V=b\nONBUILD COPY $V /x\nFROM s", "", "", "b"},
    {"ONBUILD needs its stages",
     "FROM a AS s\nCOPY b /x\nFROM a AS t\nONBUILD COPY --from=s x y\n"
     "FROM t",
     "", "", "b"},
    {"an image that may have triggers", "FROM node:4-onbuild", "", "",
     "WHOLE(D:1: the ONBUILD triggers are not known of node:4-onbuild)"},
    {"an official image has none", "FROM docker.io/library/python:3.12\nCOPY b /x", "", "", "b"},
    {"however it is written", "FROM index.docker.io/python@sha256:00\nCOPY b /x", "", "", "b"},
    {"nor has AWS's", "FROM public.ecr.aws/lambda/python:3.12\nCOPY b /x", "", "", "b"},
    {"somebody's image may have some", "FROM mine/python:3.12\nCOPY b /x", "", "",
     "b WHOLE(D:1: the ONBUILD triggers are not known of mine/python:3.12)"},
    {"one elsewhere, too", "FROM my.host/library/python\nCOPY b /x", "", "",
     "b WHOLE(D:1: the ONBUILD triggers are not known of my.host/library/python)"},
    {"but not where it is only copied from", "FROM a\nCOPY --from=mine/python b /x\nCOPY c /x", "",
     "", "c"},
    {"nor in a stage that is not needed", "FROM mine/python\nFROM a\nCOPY b /x", "", "", "b"},
    /* frontends */
    {"our frontend", "# syntax=docker/dockerfile:1\nFROM a\nCOPY b /x", "", "", "b"},
    {"our frontend by digest", "#syntax = docker.io/docker/dockerfile@sha256:00\nFROM a\nCOPY b /x",
     "", "", "b"},
    {"another frontend", "# syntax=me/mine\nEVERYTHING is different", "", "",
     "WHOLE(D:1: the frontend is not docker/dockerfile but me/mine)"},
    {"another frontend by argument", "FROM a\nCOPY b /x", "BUILDKIT_SYNTAX=me/mine", "",
     "WHOLE(D:1: the frontend is not docker/dockerfile but me/mine)"},
    {"an instruction of a newer frontend", "# syntax=docker/dockerfile:9\nFROM a\nNEW b\nCOPY c /x",
     "", "", "c WHOLE(D:3: an instruction of a newer BuildKit: new)"},
};

static void describe(const struct dockerfile_reads *reads, struct strbuf *out)
{
    for (size_t i = 0; i < reads->len; i++) {
        const struct dockerfile_read *read = &reads->items[i];
        const char *quote = strpbrk(read->path, " \n") ? "'" : "";
        strbuf_addf(out, "%s%s%s%s%s", i > 0 ? " " : "", read->glob ? "glob:" : "", quote,
                    *read->path ? read->path : ".", quote);
        if (read->parents)
            strbuf_addf(out, "+%s", read->parents);
        for (size_t j = 0; j < read->exclude.len; j++)
            strbuf_addf(out, "-%s", read->exclude.items[j]);
    }
    if (reads->whole)
        strbuf_addf(out, "%sWHOLE(%s)", reads->len > 0 ? " " : "", reads->reason);
}

static void read_case(const char *text, const char *args, const char *target,
                      const struct strvec *base_names, const struct strvec *onbuild,
                      struct strbuf *out)
{
    struct strvec build_args = STRVEC_INIT;
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct dockerfile_reads reads = DOCKERFILE_READS_INIT;
    struct error err = ERROR_INIT;
    size_t stage;
    strvec_split(&build_args, args, ' ');
    const struct dockerfile_options options = {
        .name = "D", .build_args = &build_args, .platform = "linux/arm64"};
    if (dockerfile_parse(text, strlen(text), &options, &dockerfile, &err) < 0 ||
        dockerfile_find_target(&dockerfile, target, &stage, &err) < 0 ||
        dockerfile_reads(&dockerfile, stage, base_names, onbuild, &reads, &err) < 0)
        strbuf_addf(out, "ERROR(%s)", err.msg);
    else
        describe(&reads, out);
    dockerfile_reads_release(&reads);
    dockerfile_release(&dockerfile);
    strvec_release(&build_args);
}

START_TEST(reads_are_found)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    read_case(cases[_i].text, cases[_i].args, cases[_i].target, NULL, NULL, &found);
    ck_assert_msg(strcmp(found.buf, cases[_i].reads) == 0, "%s: expected '%s', got '%s'",
                  cases[_i].rule, cases[_i].reads, found.buf);
}
END_TEST

static const struct {
    const char *text, *args, *reads;
} triggers[] = {
    {"FROM base\nCOPY c /d", "", "b c"},
    {"FROM docker.io/library/base:latest\nCOPY c /d", "", "b c"},
    {"FROM $BASE_IMAGE\nCOPY c /d", "", "b c"},
    {"ARG BASE_IMAGE=other\nFROM ${BASE_IMAGE}\nCOPY c /d", "", "b c"},
    {"ARG BASE_IMAGE\nFROM $BASE_IMAGE\nCOPY c /d", "BASE_IMAGE=other", "c"},
    {"FROM other\nCOPY c /d", "", "c"},
    {"FROM base AS base\nCOPY c /d", "", "c"}, /* a stage of that name hides it */
    {"FROM base AS x\nFROM x\nCOPY c /d", "", "b c"},
};

/* Not known: those of any other image. */
START_TEST(triggers_of_our_base_may_be_unknown)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct strvec names = STRVEC_INIT;
    strvec_push_many(&names, "base", "1.dkr.ecr/base", NULL);
    read_case("FROM 1.dkr.ecr/base\nCOPY c /d", "", "", &names, NULL, &found);
    ck_assert_str_eq(found.buf,
                     "c WHOLE(D:1: the ONBUILD triggers are not known of 1.dkr.ecr/base)");
    strvec_release(&names);
}
END_TEST

/* What our base brings, and a Dockerfile that starts from it. */
static const struct {
    const char *trigger, *text, *reads;
    bool hidden_arguments;
} brought[] = {
    {"COPY --from=s x y", "FROM a AS s\nCOPY b /x\nFROM base", "b", false},
    {"RUN --mount=From=s make", "FROM a AS s\nCOPY b /x\nFROM base", "b", false},
    {"RUN make", "FROM a AS s\nCOPY b /x\nFROM base", "", false},
    {"ARG V", "FROM base\nCOPY b /x", "b", true},
    {"arg V=1", "FROM base\nCOPY b /x", "b", true},
    {"ENV V=c", "FROM base\nCOPY $V /x", "c", false},
    {"COPY . /app", "FROM base", ".", false},
};

START_TEST(a_trigger_acts_where_it_fires)
{
    struct strvec names = STRVEC_INIT, onbuild = STRVEC_INIT;
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct dockerfile_reads reads = DOCKERFILE_READS_INIT;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    const struct dockerfile_options options = {.name = "D", .platform = "linux/arm64"};
    const char *text = brought[_i].text;
    strvec_push(&names, "base");
    strvec_push(&onbuild, brought[_i].trigger);
    ck_assert_int_eq(dockerfile_parse(text, strlen(text), &options, &dockerfile, &err), 0);
    ck_assert_int_eq(
        dockerfile_reads(&dockerfile, dockerfile.stage_count - 1, &names, &onbuild, &reads, &err),
        0);
    describe(&reads, &found);
    ck_assert_str_eq(found.buf, brought[_i].reads);
    ck_assert_int_eq(reads.hidden_arguments, brought[_i].hidden_arguments);
    dockerfile_reads_release(&reads);
    dockerfile_release(&dockerfile);
    strvec_release(&names);
    strvec_release(&onbuild);
}
END_TEST

START_TEST(triggers_of_our_base_count)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct strvec names = STRVEC_INIT, onbuild = STRVEC_INIT;
    strvec_push_many(&names, "base", "1.dkr.ecr/base:3.12", NULL);
    strvec_push_many(&onbuild, "COPY b /x", "RUN make", NULL);
    read_case(triggers[_i].text, triggers[_i].args, "", &names, &onbuild, &found);
    ck_assert_str_eq(found.buf, triggers[_i].reads);
    strvec_release(&names);
    strvec_release(&onbuild);
}
END_TEST

Suite *dockerfile_reads_suite(void)
{
    Suite *suite = suite_create("dockerfile_reads");
    TCase *tests = tcase_create("dockerfile_reads");
    tcase_add_loop_test(tests, reads_are_found, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, triggers_of_our_base_may_be_unknown);
    tcase_add_loop_test(tests, a_trigger_acts_where_it_fires, 0,
                        (int)(sizeof brought / sizeof *brought));
    tcase_add_loop_test(tests, triggers_of_our_base_count, 0,
                        (int)(sizeof triggers / sizeof *triggers));
    suite_add_tcase(suite, tests);
    return suite;
}
