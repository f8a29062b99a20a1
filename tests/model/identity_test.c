#include <check.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "core/text.h"
#include "model/identity.h"

Suite *identity_suite(void);

/* An image of one of everything; each case of `changes` changes one thing of it. */
struct image {
    const char *file, *argument, *target, *platform, *compression, *check, *base, *period;
    enum identity_type type;
    const char *path, *detail;
    unsigned mode;
};

static const struct image plain = {
    .file = "FROM a",
    .argument = "V=1",
    .target = "t",
    .platform = "linux/amd64",
    .compression = "gzip",
    .check = "true",
    .base = "sha256:00",
    .period = "7",
    .type = IDENTITY_FILE,
    .path = "app/main.py",
    .detail = "digest",
    .mode = 0644,
};

static void build(const struct image *image, char ret_hex[IDENTITY_HEX], struct strbuf *ret_parts)
{
    struct identity_builder *builder = identity_new();
    const struct identity_entry entry = {.type = image->type,
                                         .path = image->path,
                                         .mode = image->mode,
                                         .detail = image->detail,
                                         .detail_len = strlen(image->detail)};
    identity_add_entry(builder, &entry);
    identity_add_text(builder, IDENTITY_DOCKERFILE, image->file);
    identity_add_text(builder, IDENTITY_ARGUMENT, image->argument);
    identity_add_text(builder, IDENTITY_TARGET, image->target);
    identity_add_text(builder, IDENTITY_PLATFORM, image->platform);
    identity_add_text(builder, IDENTITY_COMPRESSION, image->compression);
    identity_add_text(builder, IDENTITY_CHECK, image->check);
    identity_add_text(builder, IDENTITY_BASE, image->base);
    identity_add_text(builder, IDENTITY_PERIOD, image->period);
    identity_finish(builder, ret_hex, ret_parts);
    identity_free(builder);
}

static const struct {
    const char *what;
    size_t offset;
    const char *text;
    const char *explained;
} changes[] = {
#define CHANGE(member, value, words)                                                               \
    {                                                                                              \
#member, offsetof(struct image, member), value, words                                      \
    }
    CHANGE(file, "FROM b", "Dockerfile changed"),
    CHANGE(argument, "V=2", "the build argument V changed"),
    CHANGE(argument, "W=1", "the build argument W and the build argument V changed"),
    CHANGE(argument, NULL, "the build argument V changed"),
    CHANGE(target, "u", "the target changed"),
    CHANGE(target, NULL, "the target changed"),
    CHANGE(platform, "linux/arm64", "the platform changed"),
    CHANGE(compression, "zstd", "the compression changed"),
    CHANGE(check, "false", "the check changed"),
    CHANGE(check, "", "the check changed"),
    CHANGE(check, NULL, "the check changed"),
    CHANGE(base, "sha256:01", "the base image changed"),
    CHANGE(period, "8", "the period of the maximum age changed"),
    CHANGE(path, "app/Main.py", "app/ changed"),
    CHANGE(path, "main.py", "main.py and app/ changed"),
    CHANGE(path, "a b%/x", "a b%/ and app/ changed"),
    CHANGE(detail, "digesu", "app/ changed"),
    CHANGE(detail, "", "app/ changed"),
#undef CHANGE
};

START_TEST(each_part_counts_and_is_named)
{
    char before[IDENTITY_HEX], after[IDENTITY_HEX];
    CLEANUP(strbuf) struct strbuf old = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf new = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf explained = STRBUF_INIT(STRBUF_NO_CAP);
    struct image changed = plain;
    memcpy((char *)&changed + changes[_i].offset, &changes[_i].text, sizeof changes[_i].text);
    build(&plain, before, &old);
    build(&changed, after, &new);
    ck_assert_uint_eq(strlen(before), 64);
    ck_assert_msg(strcmp(before, after) != 0, "%s", changes[_i].what);
    identity_explain(old.buf, new.buf, "Dockerfile", &explained);
    ck_assert_str_eq(explained.buf, changes[_i].explained);
}
END_TEST

START_TEST(type_and_mode_count)
{
    char before[IDENTITY_HEX], after[IDENTITY_HEX];
    CLEANUP(strbuf) struct strbuf parts = STRBUF_INIT(STRBUF_NO_CAP);
    build(&plain, before, &parts);
    for (unsigned bit = 1; bit <= 04000; bit <<= 1) {
        struct image changed = plain;
        changed.mode ^= bit;
        build(&changed, after, &parts);
        ck_assert_msg(strcmp(before, after) != 0, "mode %o", changed.mode);
    }
    static const enum identity_type types[] = {IDENTITY_FOLDER, IDENTITY_LINK,  IDENTITY_FIFO,
                                               IDENTITY_SOCKET, IDENTITY_BLOCK, IDENTITY_CHARACTER};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct image changed = plain;
        changed.type = types[i];
        build(&changed, after, &parts);
        ck_assert_str_ne(before, after);
    }
}
END_TEST

/* A link's own permission bits differ from system to system and mean nothing. */
START_TEST(the_mode_of_a_link_does_not_count)
{
    char before[IDENTITY_HEX], after[IDENTITY_HEX];
    CLEANUP(strbuf) struct strbuf parts = STRBUF_INIT(STRBUF_NO_CAP);
    struct image link = plain;
    link.type = IDENTITY_LINK;
    build(&link, before, &parts);
    link.mode = 0777;
    build(&link, after, &parts);
    ck_assert_str_eq(before, after);
}
END_TEST

/* The format is a promise: a new one rebuilds every image once, so it must not change unseen. */
START_TEST(the_key_is_what_it_was)
{
    char hex[IDENTITY_HEX];
    CLEANUP(strbuf) struct strbuf parts = STRBUF_INIT(STRBUF_NO_CAP);
    build(&plain, hex, &parts);
    ck_assert_str_eq(hex, "61af2f0642cac2c8319f056d2067903a909a0db60e26c85abd306b8eaf85b9cb");
    ck_assert_str_eq(
        parts.buf,
        "1 file=cbb55b8f arg.V=4539c368 target=e3b98a4d platform=baf0239e compression=c8d77bf4 "
        "check=b5bea41b base=f39161b5 period=7902699b context=26c8fabb path.app/=201dde05");
}
END_TEST

START_TEST(parts_cannot_run_into_each_other)
{
    char one[IDENTITY_HEX], two[IDENTITY_HEX];
    CLEANUP(strbuf) struct strbuf parts = STRBUF_INIT(STRBUF_NO_CAP);
    struct image a = plain, b = plain;
    a.target = "ab";
    a.platform = "c";
    b.target = "a";
    b.platform = "bc";
    build(&a, one, &parts);
    build(&b, two, &parts);
    ck_assert_str_ne(one, two);
    a = b = plain;
    a.path = "ab";
    a.detail = "c";
    b.path = "a";
    b.detail = "bc";
    build(&a, one, &parts);
    build(&b, two, &parts);
    ck_assert_str_ne(one, two);
}
END_TEST

static void add_files(struct identity_builder *builder, int count, const char *last_detail)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    for (int i = 0; i < count; i++) {
        strbuf_reset(&path);
        strbuf_addf(&path, "a quite long name with spaces in it %d", i);
        const char *detail = i + 1 == count ? last_detail : "x";
        const struct identity_entry entry = {.type = IDENTITY_FILE,
                                             .path = path.buf,
                                             .mode = 0644,
                                             .detail = detail,
                                             .detail_len = strlen(detail)};
        identity_add_entry(builder, &entry);
    }
}

START_TEST(the_label_stays_small)
{
    CLEANUP(strbuf) struct strbuf old = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf new = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    char hex[IDENTITY_HEX];
    for (int round = 0; round < 2; round++) {
        struct identity_builder *builder = identity_new();
        for (int i = 0; i < 300; i++) {
            strbuf_reset(&text);
            strbuf_addf(&text, "ARGUMENT_%03d=%d", i, i == 299 ? round : 0);
            identity_add_text(builder, IDENTITY_ARGUMENT, text.buf);
        }
        add_files(builder, 5000, round ? "y" : "x");
        identity_finish(builder, hex, round ? &new : &old);
        identity_free(builder);
    }
    ck_assert_uint_lt(old.len, IDENTITY_PARTS_SIZE);
    ck_assert_uint_gt(old.len, IDENTITY_PARTS_SIZE - 100);
    identity_explain(old.buf, new.buf, "Dockerfile", &text);
    ck_assert_str_eq(text.buf, "other files changed");
}
END_TEST

static const struct {
    const char *old, *new, *text;
} explanations[] = {
    {"1 file=1 path.a/=1", "1 file=1 path.a/=1", ""},
    {"1 file=1 path.a/=1 context=1", "1 file=1 path.a/=2 context=2", "a/ changed"},
    {"1 file=1", "1 file=2 path.a/=2 path.b=1 base=1", "F, a/, b and the base image changed"},
    {"1 a=1", "1 path.1=1 path.2=1 path.3=1 path.4=1 path.5=1 path.6=1 path.7=1",
     "1, 2, 3, 4, 5 and 2 more changed"},
    {"1 path.gone=1", "1 file=1", "F and gone changed"},
    {"2 file=1", "1 file=2", ""},
    {"", "1 file=2", ""},
    {NULL, "1 file=2", ""},
    {"1 %zz=1 = == path.%4=1", "1 path.%41%ZZ=1", "A%ZZ and %4 changed"},
};

START_TEST(differences_are_put_in_words)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    identity_explain(explanations[_i].old, explanations[_i].new, "F", &text);
    ck_assert_str_eq(text.buf, explanations[_i].text);
}
END_TEST

/* Arguments that are given, the words of ARG, and what counts. */
static const struct {
    const char *given, *declared;
    bool all;
    const char *counts;
} arguments[] = {
    {"A=1 B=2", "", false, ""},
    {"A=1 B=2", "B", false, "B=2"},
    {"B=2 A=1", "A B", false, "A=1|B=2"},
    {"A=1 A=2", "A", false, "A=2"},
    {"A=1 AB=3 A=2", "A AB", false, "A=2|AB=3"},
    {"A=1=2", "A", false, "A=1=2"},
    {"A", "A", false, "A"},
    {"a=1", "A", false, ""},
    {"BUILDKIT_SYNTAX=x SOURCE_DATE_EPOCH=0 TARGETARCH=y", "", false,
     "BUILDKIT_SYNTAX=x|SOURCE_DATE_EPOCH=0|TARGETARCH=y"},
    {"HTTP_PROXY=x https_proxy=y", "", false, ""},
    {"HTTP_PROXY=x", "HTTP_PROXY", false, "HTTP_PROXY=x"},
    {"B=2 A=1", "", true, "A=1|B=2"},
};

START_TEST(declared_arguments_count)
{
    struct strvec given = STRVEC_INIT, declared = STRVEC_INIT, found = STRVEC_INIT;
    CLEANUP(strbuf) struct strbuf joined = STRBUF_INIT(STRBUF_NO_CAP);
    strvec_split(&given, arguments[_i].given, ' ');
    strvec_split(&declared, arguments[_i].declared, ' ');
    identity_arguments(&given, &declared, arguments[_i].all, &found);
    for (size_t i = 0; i < found.len; i++)
        strbuf_addf(&joined, "%s%s", i > 0 ? "|" : "", found.items[i]);
    ck_assert_str_eq(joined.buf, arguments[_i].counts);
    strvec_release(&given);
    strvec_release(&declared);
    strvec_release(&found);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *identity_suite(void)
{
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("identity");
    tcase_add_loop_test(tests, each_part_counts_and_is_named, 0, COUNT(changes));
    tcase_add_test(tests, type_and_mode_count);
    tcase_add_test(tests, the_mode_of_a_link_does_not_count);
    tcase_add_test(tests, the_key_is_what_it_was);
    tcase_add_test(tests, parts_cannot_run_into_each_other);
    tcase_add_test(tests, the_label_stays_small);
    tcase_add_loop_test(tests, differences_are_put_in_words, 0, COUNT(explanations));
    tcase_add_loop_test(tests, declared_arguments_count, 0, COUNT(arguments));
    suite_add_tcase(suite, tests);
    return suite;
}
