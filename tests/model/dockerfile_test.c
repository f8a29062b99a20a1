#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile.h"

Suite *dockerfile_suite(void);

static int parse(const char *text, const char *args, struct dockerfile *ret_dockerfile,
                 struct error *err)
{
    struct strvec build_args = STRVEC_INIT;
    strvec_split(&build_args, args, ' ');
    const struct dockerfile_options options = {
        .name = "D", .build_args = &build_args, .platform = "linux/amd64"};
    int rc = dockerfile_parse(text, strlen(text), &options, ret_dockerfile, err);
    strvec_release(&build_args);
    return rc;
}

/* Each stage as "line:image" or, where it is another stage, "line:<index>"; "?" if not known; " as
 * name"; "$ARG" in front if it consists of one. */
static const struct {
    const char *text, *args, *stages;
} stages[] = {
    {"FROM a", "", "1:a"},
    {"FROM a:1@sha256:00", "", "1:a:1@sha256:00"},
    {"\n\n# c\nFROM a\nRUN b\nFROM c", "", "4:a 6:c"},
    {"FROM a AS b", "", "1:a as b"},
    {"FROM a as B-1.x_y", "", "1:a as b-1.x_y"},
    {"FROM --platform=$BUILDPLATFORM a AS b", "", "1:a as b"},
    {"FROM a AS b\nFROM b AS c\nFROM B", "", "1:a as b 2:<0> as c 3:<0>"},
    {"FROM b\nFROM a AS b\nFROM b", "", "1:b 2:a as b 3:<1>"},
    {"FROM a AS b\nFROM c AS b\nFROM b", "", "1:a as b 2:c as b 3:<1>"},
    {"ARG V=a\nFROM $V", "", "2:$V a"},
    {"ARG V=a\nFROM ${V}", "V=b", "2:$V b"},
    {"ARG V=a\nFROM ${V:-c}", "", "2:$V a"},
    {"FROM ${V:-c}", "", "1:$V c"},
    {"ARG V=3.12\nFROM python:${V}-slim", "", "2:python:3.12-slim"},
    {"ARG V=a\nARG W=${V}b\nFROM $W", "V=x", "3:$W xb"},
    {"ARG V\nFROM x$V", "", "2:x"},
    {"ARG V=a W=\"b\"\nFROM $V$W", "", "2:ab"},
    {"FROM base-${TARGETARCH}", "", "1:base-amd64"},
    {"FROM base-${TARGETARCH}", "TARGETARCH=x", "1:base-x"},
    {"FROM base-${BUILDARCH}", "", "1:?"},
    {"FROM \"a\"", "", "1:a"},
    {"FROM $BASE_IMAGE", "", "1:$BASE_IMAGE ?"},
    {"ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS x", "", "2:$BASE_IMAGE ? as x"},
    {"ARG BASE_IMAGE=r/b:3\nFROM ${BASE_IMAGE}", "", "2:$BASE_IMAGE r/b:3"},
    {"ARG BASE_IMAGE=r/b:3\nFROM ${BASE_IMAGE}", "BASE_IMAGE=x", "2:$BASE_IMAGE x"},
    {"FROM scratch", "", "1:scratch"},
    {"FROM a\nONBUILD RUN x\nLABEL a=b\nEXPOSE 1\nVOLUME [\"/x\"]\nHEALTHCHECK NONE\nSTOPSIGNAL 9\n"
     "USER u\nMAINTAINER m\nSHELL [\"sh\"]\nENTRYPOINT [\"x\"]\nCMD x\nWORKDIR /x",
     "", "1:a"},
};

START_TEST(stages_are_found)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_msg(parse(stages[_i].text, stages[_i].args, &dockerfile, &err) == 0, "%s", err.msg);
    for (size_t i = 0; i < dockerfile.stage_count; i++) {
        const struct dockerfile_stage *stage = &dockerfile.stages[i];
        strbuf_addf(&found, "%s%d:", i > 0 ? " " : "", stage->line);
        if (stage->argument)
            strbuf_addf(&found, "$%s ", stage->argument);
        if (stage->base >= 0)
            strbuf_addf(&found, "<%d>", stage->base);
        else
            strbuf_addstr(&found, stage->image ? stage->image : "?");
        if (stage->name)
            strbuf_addf(&found, " as %s", stage->name);
    }
    ck_assert_str_eq(found.buf, stages[_i].stages);
    dockerfile_release(&dockerfile);
}
END_TEST

static const struct {
    const char *text, *message;
} faults[] = {
    {"", "D: there is no instruction in it"},
    {"# only a comment\n\n", "D: there is no instruction in it"},
    {"ARG a", "D: there is no FROM in it"},
    {"RUN x\nFROM a", "D:1: 'run' stands before the first FROM"},
    {"FROM a\nRNU x", "D:2: unknown instruction 'rnu'"},
    {"FROM", "D:1: FROM needs an image"},
    {"FROM a b", "D:1: FROM takes an image, or an image, AS and a name"},
    {"FROM a IS b", "D:1: FROM takes an image, or an image, AS and a name"},
    {"FROM a AS 1b", "D:1: '1b' cannot be the name of a stage"},
    {"FROM a AS b/c", "D:1: 'b/c' cannot be the name of a stage"},
    {"\nFROM $V", "D:2: FROM $V: the image's name is empty; give the ARG a default, or a build "
                  "argument"},
    {"FROM ${V", "D:1: an unsupported modifier of a variable in '${V'"},
    {"FROM a\nCOPY b", "D:2: COPY needs a source and a destination"},
    {"FROM a\nADD [\"b\"]", "D:2: ADD needs a source and a destination"},
    {"FROM a\nCOPY [\"b\", 1]", "D:2: the JSON array must hold nothing but strings"},
    {"FROM a\nARG", "D:2: ARG needs a name"},
    {"FROM a\nARG =b", "D:2: ARG needs a name in front of '='"},
    {"FROM a\nRUN <<E\nx", "D:2: no line 'E' ends the heredoc"},
    {"FROM a\n\nONBUILD ONBUILD RUN x", "D:3: ONBUILD cannot be followed by 'onbuild'"},
    {"FROM a\nONBUILD", "D:2: ONBUILD cannot be followed by ''"},
    {"# escape=x\nFROM a", "D:1: the escape character must be \\ or `, not 'x'"},
    {"# escape=`\n# escape=`\nFROM a", "D:2: the directive 'escape' stands here a second time"},
};

START_TEST(faults_are_named_with_their_line)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_msg(parse(faults[_i].text, "", &dockerfile, &err) == -1, "%s", faults[_i].text);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_str_eq(err.msg, faults[_i].message);
    dockerfile_release(&dockerfile);
}
END_TEST

START_TEST(zero_bytes_and_endless_lines_are_refused)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct error err = ERROR_INIT;
    const struct dockerfile_options options = {.name = "D"};
    ck_assert_int_eq(dockerfile_parse("FROM a\0b", 8, &options, &dockerfile, &err), -1);
    ck_assert_str_eq(err.msg, "D:1: there is a zero byte in the line");
    dockerfile_release(&dockerfile);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&text, "FROM a\n# ");
    for (int i = 0; i < 70000; i++)
        strbuf_addch(&text, 'x');
    ck_assert_int_eq(dockerfile_parse(text.buf, text.len, &options, &dockerfile, &err), -1);
    ck_assert_str_eq(err.msg, "D:2: the line is longer than 64 KiB");
    dockerfile_release(&dockerfile);
}
END_TEST

static const struct {
    const char *text, *syntax;
    bool foreign;
} syntaxes[] = {
    {"FROM a", NULL, false},
    {"# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1", false},
    {"#syntax = docker.io/docker/dockerfile:1.7-labs\nFROM a",
     "docker.io/docker/dockerfile:1.7-labs", false},
    {"# SYNTAX=docker/dockerfile-upstream:master\r\nFROM a", "docker/dockerfile-upstream:master",
     false},
    {"# check=skip=all\n# syntax=docker/dockerfile\nFROM a", "docker/dockerfile", false},
    {"#!/usr/bin/env x\n# syntax=me/mine more words\nFROM a", "me/mine", true},
    {"\xEF\xBB\xBF# syntax=me/mine\nFROM a", "me/mine", true},
    {"// syntax=me/mine\n{\"json\": 1}", "me/mine", true},
    {"# syntax=evil.io/docker/dockerfile\nFROM a", "evil.io/docker/dockerfile", true},
    {"# syntax=docker/dockerfiles\nFROM a", "docker/dockerfiles", true},
    {"# a comment first\n# syntax=me/mine\nFROM a", NULL, false},
    {"\n# syntax=me/mine\nFROM a", NULL, false},
    {" # syntax=me/mine\nFROM a", NULL, false},
};

START_TEST(the_frontend_is_found)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct error err = ERROR_INIT;
    ck_assert_msg(parse(syntaxes[_i].text, "", &dockerfile, &err) == 0, "%s", err.msg);
    ck_assert_msg(text_equal(dockerfile.syntax, syntaxes[_i].syntax), "%s: %s", syntaxes[_i].text,
                  dockerfile.syntax ? dockerfile.syntax : "none");
    ck_assert(dockerfile.foreign == syntaxes[_i].foreign);
    dockerfile_release(&dockerfile);
}
END_TEST

START_TEST(arguments_are_listed)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    const char *text = "ARG A=1 B\nFROM a\nARG C=\"x y\"\n\nONBUILD ARG D\nARG A";
    ck_assert_int_eq(parse(text, "", &dockerfile, NULL), 0);
    ck_assert_uint_eq(dockerfile.argument_count, 5);
    ck_assert_str_eq(dockerfile.arguments[0].name, "A");
    ck_assert_str_eq(dockerfile.arguments[0].value, "1");
    ck_assert_ptr_null(dockerfile.arguments[1].value);
    ck_assert_str_eq(dockerfile.arguments[2].value, "\"x y\"");
    ck_assert(dockerfile_declares(&dockerfile, "D"));
    ck_assert(!dockerfile_declares(&dockerfile, "a"));
    dockerfile_release(&dockerfile);
}
END_TEST

/* Images as "line name", "?" if the name is not certain. */
static const struct {
    const char *text, *images;
} images[] = {
    {"FROM a\nCOPY --from=b x y\nRUN --mount=from=c,dst=/c x", "1 a, 2 b, 3 c"},
    {"FROM a AS s\nFROM b\nCOPY --from=s x y\nCOPY --from=0 x y", "1 a, 2 b"},
    {"FROM a\nFROM b", "2 b"},
    {"FROM scratch\nCOPY --from=scratch x y", ""},
    {"FROM $BASE_IMAGE", "1 $BASE_IMAGE?"},
    {"FROM a\nONBUILD COPY --from=b x y", "1 a, 2 b"},
};

START_TEST(images_are_listed)
{
    CLEANUP(strbuf) struct strbuf found = STRBUF_INIT(STRBUF_NO_CAP);
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct dockerfile_images list = DOCKERFILE_IMAGES_INIT;
    ck_assert_int_eq(parse(images[_i].text, "", &dockerfile, NULL), 0);
    dockerfile_images(&dockerfile, dockerfile.stage_count - 1, &list);
    for (size_t i = 0; i < list.len; i++)
        strbuf_addf(&found, "%s%d %s%s", i > 0 ? ", " : "", list.items[i].line, list.items[i].name,
                    list.items[i].known ? "" : "?");
    ck_assert_str_eq(found.buf, images[_i].images);
    dockerfile_images_release(&list);
    dockerfile_release(&dockerfile);
}
END_TEST

static const struct {
    const char *text, *args;
    bool uses, by_argument;
    const char *name;
} bases[] = {
    {"FROM base", "", true, false, "base"},
    {"FROM docker.io/library/base", "", true, false, "docker.io/library/base"},
    {"FROM r.aws/deps:3.12", "", true, false, "r.aws/deps:3.12"},
    {"FROM r.aws/deps:3.11", "", false, false, NULL},
    {"FROM r.aws/deps:3.12@sha256:00", "", false, false, NULL},
    {"ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}", "", true, true, NULL},
    {"ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}", "BASE_IMAGE=y", false, false, NULL},
    {"ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}", "BASE_IMAGE=base", true, false, "base"},
    {"ARG OTHER=base\nFROM $OTHER", "", true, false, "base"},
    {"FROM python:3 AS base\nFROM base", "", false, false, NULL},
    {"FROM x\nCOPY --from=base a b", "", true, false, "base"},
    {"FROM base\nFROM x", "", false, false, NULL},
    {"FROM base AS b\nFROM x\nCOPY --from=b a c", "", true, false, "base"},
};

START_TEST(our_base_is_recognized)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct strvec base_names = STRVEC_INIT, names = STRVEC_INIT;
    bool by_argument;
    strvec_push_many(&base_names, "base", "r.aws/deps:3.12", NULL);
    ck_assert_int_eq(parse(bases[_i].text, bases[_i].args, &dockerfile, NULL), 0);
    bool uses = dockerfile_uses_base(&dockerfile, dockerfile.stage_count - 1, &base_names,
                                     &by_argument, &names);
    ck_assert(uses == bases[_i].uses);
    ck_assert(by_argument == bases[_i].by_argument);
    ck_assert_uint_eq(names.len, bases[_i].name ? 1 : 0);
    ck_assert(!bases[_i].name || text_equal(names.items[0], bases[_i].name));
    strvec_release(&names);
    strvec_release(&base_names);
    dockerfile_release(&dockerfile);
}
END_TEST

static const struct {
    const char *text, *target, *names;
} without_base[] = {
    {"FROM base", NULL, ""},
    {"FROM gcc AS build\nRUN make\nFROM base\nCOPY --from=build a b", NULL, "build"},
    {"ARG BASE_IMAGE\nFROM gcc AS build\nFROM ${BASE_IMAGE}\nCOPY --from=build a b", NULL, "build"},
    /* part of another one that is built; not needed; of the base; without a name */
    {"FROM gcc AS one\nFROM one AS two\nFROM base\nCOPY --from=two a b", NULL, "two"},
    {"FROM gcc AS one\nFROM node AS two\nFROM base\nCOPY --from=one a b\nCOPY --from=two c d", NULL,
     "one two"},
    {"FROM gcc AS one\nFROM base", NULL, ""},
    {"FROM base AS one\nFROM base\nCOPY --from=one a b", NULL, ""},
    {"FROM gcc AS one\nFROM base AS two\nCOPY --from=one a b\nFROM two", NULL, "one"},
    {"FROM gcc\nFROM base\nCOPY --from=0 a b", NULL, ""},
    {"FROM gcc AS one\nFROM base\nRUN --mount=type=bind,from=one make", NULL, "one"},
    /* a stage that mounts the base needs it */
    {"FROM gcc AS one\nRUN --mount=from=base make\nFROM base\nCOPY --from=one a b", NULL, ""},
    /* the target does not need the base */
    {"FROM gcc AS one\nFROM base AS two\nFROM node\nCOPY --from=one a b", NULL, ""},
    {"FROM gcc AS one\nFROM base AS two\nCOPY --from=one a b\nFROM node", "two", "one"},
    /* what cannot be known */
    {"FROM gcc AS one\nCOPY --from=$X a b\nFROM base\nCOPY --from=one a b", NULL, ""},
    {"# syntax=me/mine\nFROM gcc AS one\nFROM base\nCOPY --from=one a b", NULL, ""},
    /* a stage that is called like the base hides it */
    {"FROM gcc AS base\nFROM base\nCOPY --from=base a b", NULL, ""},
};

START_TEST(stages_that_need_no_base)
{
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct strvec base_names = STRVEC_INIT, names = STRVEC_INIT;
    struct strbuf found = STRBUF_INIT(200);
    size_t target = 0;
    strvec_push_many(&base_names, "base", "r.aws/deps:3.12", NULL);
    ck_assert_int_eq(parse(without_base[_i].text, "", &dockerfile, NULL), 0);
    ck_assert_int_eq(dockerfile_find_target(&dockerfile, without_base[_i].target, &target, NULL),
                     0);
    dockerfile_stages_without_base(&dockerfile, target, &base_names, &names);
    for (size_t i = 0; i < names.len; i++)
        strbuf_addf(&found, "%s%s", i > 0 ? " " : "", names.items[i]);
    ck_assert_str_eq(found.buf, without_base[_i].names);
    strbuf_release(&found);
    strvec_release(&names);
    strvec_release(&base_names);
    dockerfile_release(&dockerfile);
}
END_TEST

START_TEST(images_have_several_names)
{
    ck_assert(dockerfile_same_image("python", "docker.io/library/python:latest"));
    ck_assert(dockerfile_same_image("me/x:1", "docker.io/me/x:1"));
    ck_assert(dockerfile_same_image("python:3@sha256:0", "library/python:3@sha256:0"));
    ck_assert(!dockerfile_same_image("python:3", "python"));
    ck_assert(!dockerfile_same_image("r.aws/python", "python"));
    ck_assert(!dockerfile_same_image("python", "python2"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *dockerfile_suite(void)
{
    Suite *suite = suite_create("dockerfile");
    TCase *tests = tcase_create("dockerfile");
    tcase_add_loop_test(tests, stages_are_found, 0, COUNT(stages));
    tcase_add_loop_test(tests, faults_are_named_with_their_line, 0, COUNT(faults));
    tcase_add_test(tests, zero_bytes_and_endless_lines_are_refused);
    tcase_add_loop_test(tests, the_frontend_is_found, 0, COUNT(syntaxes));
    tcase_add_test(tests, arguments_are_listed);
    tcase_add_loop_test(tests, images_are_listed, 0, COUNT(images));
    tcase_add_loop_test(tests, our_base_is_recognized, 0, COUNT(bases));
    tcase_add_loop_test(tests, stages_that_need_no_base, 0, COUNT(without_base));
    tcase_add_test(tests, images_have_several_names);
    suite_add_tcase(suite, tests);
    return suite;
}
