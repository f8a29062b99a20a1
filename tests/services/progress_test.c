#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "services/progress.h"

Suite *progress_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define A            "sha256:aaaa"
#define B            "sha256:bbbb"
#define T(s)         "\"2026-11-23T13:20:" s "Z\""

static struct progress progress;
static struct strbuf said = STRBUF_INIT(STRBUF_NO_CAP);
static bool keeps = true;

static void take_line(void *context, const char *line, size_t len)
{
    ck_assert_ptr_eq(context, &said);
    if (!keeps)
        return;
    strbuf_add(&said, line, len);
    strbuf_addch(&said, '\n');
}

static void setup(void)
{
    progress_init(&progress);
    progress.on_line = take_line;
    progress.context = &said;
    strbuf_reset(&said);
    keeps = true;
}

static void teardown(void)
{
    progress_release(&progress);
    strbuf_release(&said);
}

static void add(const char *line)
{
    progress_add_line(&progress, line, strlen(line));
}

static void add_lines(const char *lines)
{
    for (; *lines; lines += strcspn(lines, "\n") + 1)
        progress_add_line(&progress, lines, strcspn(lines, "\n"));
}

static const struct {
    const char *name, *lines, *said;
} builds[] = {
    {"a step from begin to end",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"[1/2] RUN make\",\"started\":" T(
         "00.123456789") "}]}\n"
                         "{\"logs\":[{\"vertex\":\"" A
                         "\",\"stream\":1,\"data\":\"aGVsbG8KdHdv\",\"timestamp\":" T(
                             "00.623456789") "}]}\n"
                                             "{\"vertexes\":[{\"digest\":\"" A
                                             "\",\"name\":\"[1/2] RUN make\",\"started\":" T(
                                                 "00.123456789") ",\"completed\":" T("01.5") "}]}"
                                                                                             "\n",
     "#1 [1/2] RUN make\n#1 0.500 hello\n#1 1.377 two\n#1 DONE 1.4s\n"},
    {"an object that older versions indent",
     "{\n \"vertexes\": [\n  {\n   \"digest\": \"" A "\",\n   \"name\": \"x\",\n   \"started\": " T(
         "00") ",\n   \"completed\": " T("00") ",\n   \"cached\": true\n  }\n ]\n}\n",
     "#1 x\n#1 CACHED\n"},
    {"output and end in one object",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"x\",\"started\":" T("00") ",\"completed\":" T(
         "01") ",\"error\":\"bad\"}],\"logs\":[{\"vertex\":\"" A "\",\"data\":\"aGVsbG8K\"}]}\n",
     "#1 x\n#1 hello\n#1 ERROR: bad\n"},
    {"two steps in turns",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"a\"},{\"digest\":\"" B
     "\",\"name\":\"b\",\"started\":" T("00") "}]}\n"
                                              "{\"vertexes\":[{\"digest\":\"" A
                                              "\",\"started\":" T("01") "}]}\n",
     "#2 b\n#1 a\n"},
    {"a log before its step is known",
     "{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"aGkK\"}]}\n"
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"late\",\"started\":" T("02") "}]}\n",
     "#1 hi\n#1 late\n"},
    {"an end without a beginning",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"x\",\"completed\":" T("02") "}]}\n",
     "#1 DONE\n"},
    {"a log behind the end",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"x\",\"started\":" T("02") ",\"completed\":" T(
         "02") "}]}\n{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"aGk=\"}]}\n",
     "#1 x\n#1 DONE 0.0s\n#1 hi\n"},
    {"no cache on a first run",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"importing cache manifest from r/c:t\","
     "\"started\":" T("02") ",\"completed\":" T("03") ",\"error\":\"failed to configure registry "
                                                      "cache importer: r/c:t: not found\"}]}\n",
     "#1 importing cache manifest from r/c:t\n#1 no cache yet\n"},
    {"a cache that cannot be read",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"importing cache manifest from r/c:t\","
     "\"started\":" T("02") ",\"completed\":" T("03") ",\"error\":\"403 Forbidden\"}]}\n",
     "#1 importing cache manifest from r/c:t\n#1 no cache from there: 403 Forbidden\n"},
    {"a cache that cannot be written",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"exporting cache to registry\","
     "\"started\":" T("02") ",\"completed\":" T("03") ",\"error\":\"403 Forbidden\"}]}\n",
     "#1 exporting cache to registry\n#1 the cache was not written: 403 Forbidden\n"},
    {"a warning", "{\"warnings\":[{\"vertex\":\"" A "\",\"short\":\"Zm9v\"}]}\n", "#1 WARN: foo\n"},
    {"an error that comes behind the end",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"x\",\"started\":" T("02") ",\"completed\":" T(
         "02") "}]}\n{\"vertexes\":[{\"digest\":\"" A "\",\"error\":\"e\"}]}\n",
     "#1 x\n#1 DONE 0.0s\n#1 ERROR: e\n"},
    {"a time that does not parse",
     "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"x\",\"started\":\"0001-01-01T00:00:00Z\"},"
     "{\"digest\":\"" B "\",\"name\":\"y\",\"started\":\"soon\"}]}\n",
     ""},
};

START_TEST(lines_for_the_log)
{
    add_lines(builds[_i].lines);
    ck_assert_msg(strcmp(said.buf, builds[_i].said) == 0, "%s:\n%s", builds[_i].name, said.buf);
    ck_assert_uint_eq(progress.bad_lines, 0);
}
END_TEST

START_TEST(times_have_nine_digits)
{
    static const struct {
        const char *time;
        int64_t ms;
    } times[] = {{"2026-11-23T13:20:00.123456789Z", 123},
                 {"2026-11-23T13:20:00.5Z", 500},
                 {"2026-11-23T13:20:00.05Z", 50},
                 {"2026-11-23T13:20:00Z", 0},
                 {"2026-11-23T14:20:00.999999999+01:00", 999}};
    for (size_t i = 0; i < COUNT(times); i++) {
        char line[300];
        snprintf(line, sizeof line,
                 "{\"vertexes\":[{\"digest\":\"%zu\",\"name\":\"x\",\"started\":\"%s\"}]}", i,
                 times[i].time);
        add(line);
        ck_assert_int_eq(progress.steps[i].start_ms, 1795440000000 + times[i].ms);
    }
}
END_TEST

/* ---- what was torn ---- */

static const struct {
    const char *lines;
    size_t bad, steps;
    const char *other;
} torn[] = {
    {"{\"vertexes\":[{\"digest\":\"" A "\"\n{\"vertexes\":[{\"digest\":\"" B "\"}]}\n", 1, 1,
     "{\"vertexes\":[{\"digest\":\"" A "\"\n"},
    {"{\n \"vertexes\": [\n{\"vertexes\":[{\"digest\":\"" B "\"}]}\n", 1, 1, ""},
    {"{\n \"vertexes\": [\n{\n \"vertexes\": [{\"digest\":\"" B "\"}]\n}\n", 1, 1, ""},
    {"{\n \"vertexes\": [\nERROR: it broke\n", 1, 0, "ERROR: it broke\n"},
    {"WARNING: no output\n\nERROR: failed to solve: x\n", 0, 0,
     "WARNING: no output\nERROR: failed to solve: x\n"},
    {"{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"!!!\"}]}\n", 1, 1, ""},
    {"{}\n{\"vertexes\":{}}\n{\"vertexes\":[1,null,{\"digest\":5}]}\n{\"logs\":[{}]}\n"
     "{\"statuses\":[{\"vertex\":\"" A "\"}]}\n",
     0, 0, ""},
    {"}\n", 0, 0, "}\n"},
};

START_TEST(torn_lines_are_counted)
{
    add_lines(torn[_i].lines);
    ck_assert_uint_eq(progress.bad_lines, torn[_i].bad);
    ck_assert_uint_eq(progress.len, torn[_i].steps);
    ck_assert_str_eq(progress.other.buf, torn[_i].other);
}
END_TEST

START_TEST(other_words_keep_their_end)
{
    char line[101];
    memset(line, 'x', 100);
    line[100] = '\0';
    for (int i = 0; i < 1000; i++)
        add(line);
    add("ERROR: the last");
    ck_assert_uint_le(progress.other.len, 2 * 8192 + 1);
    ck_assert_uint_ge(progress.other.len, 8192);
    ck_assert(!progress.other.overflowed);
    ck_assert_ptr_nonnull(strstr(progress.other.buf, "x\nERROR: the last\n"));
}
END_TEST

/* ---- which step failed ---- */

static const struct {
    const char *names[3], *errors[3];
    const char *ends[3]; /* seconds; NULL: never */
    int failed;          /* from 0; -1: none */
} failures[] = {
    {{"a", "b", "c"}, {NULL, NULL, NULL}, {"01", "02", "03"}, -1},
    {{"a", "b", "c"}, {NULL, "x", "y"}, {"01", "03", "02"}, 2},
    {{"a", "b", "c"}, {"context canceled", "x", "context canceled: y"}, {"01", "02", "01"}, 1},
    {{"a", "b", NULL}, {"x", "y", NULL}, {NULL, "02", NULL}, 1},
    {{"a", "b", NULL}, {"x", "y", NULL}, {"02", "02", NULL}, 0},
    {{"importing cache manifest from r", "b", NULL},
     {": not found", "y", NULL},
     {"01", "02", NULL},
     1},
    {{"importing cache manifest from r", NULL, NULL},
     {": not found", NULL, NULL},
     {"01", NULL, NULL},
     -1},
    {{"exporting cache to registry", "b", NULL}, {"403", "y", NULL}, {"01", "02", NULL}, 1},
    {{"b", "exporting cache to registry", NULL}, {"y", "403", NULL}, {"02", "01", NULL}, 0},
    {{"exporting cache to registry", "b", NULL}, {"403", NULL, NULL}, {"01", "02", NULL}, 0},
};

START_TEST(the_step_that_failed)
{
    for (int i = 0; i < 3 && failures[_i].names[i]; i++) {
        char line[600], end[80] = "", error[200] = "";
        if (failures[_i].ends[i])
            snprintf(end, sizeof end, ",\"completed\":\"2026-11-23T13:20:%sZ\"",
                     failures[_i].ends[i]);
        if (failures[_i].errors[i])
            snprintf(error, sizeof error, ",\"error\":\"%s\"", failures[_i].errors[i]);
        snprintf(line, sizeof line,
                 "{\"vertexes\":[{\"digest\":\"%d\",\"name\":\"%s\",\"started\":" T("00") "%s%s}]}",
                 i, failures[_i].names[i], end, error);
        add(line);
    }
    const struct progress_step *failed = progress_failed_step(&progress);
    ck_assert_int_eq(failed ? failed->number - 1 : -1, failures[_i].failed);
}
END_TEST

/* ---- bytes ---- */

START_TEST(bytes_are_counted_once)
{
    add("{\"vertexes\":[{\"digest\":\"" A
        "\",\"name\":\"exporting to image\",\"started\":" T("00") "}]}");
    add("{\"statuses\":[{\"id\":\"pushing layer 1\",\"vertex\":\"" A
        "\",\"current\":10,\"total\":30},"
        "{\"id\":\"pushing layer 2\",\"vertex\":\"" A "\",\"current\":0,\"total\":5}]}");
    add("{\"statuses\":[{\"id\":\"pushing layer 1\",\"vertex\":\"" A
        "\",\"current\":10,\"total\":30},"
        "{\"id\":\"extracting 1\",\"vertex\":\"" A "\",\"current\":7}]}");
    add("{\"vertexes\":[{\"digest\":\"" A
        "\",\"completed\":" T("01") "}],\"statuses\":[{\"id\":"
                                    "\"pushing layer 1\",\"vertex\":\"" A
                                    "\",\"current\":30,\"total\":30}]}");
    ck_assert_int_eq(progress.pushed_bytes, 30);
    ck_assert_int_eq(progress.total_push_bytes, 35);
    ck_assert_int_eq(progress.steps[0].bytes, 37);
}
END_TEST

START_TEST(a_push_with_docker_of_many_layers)
{
    add("{\"vertexes\":[{\"digest\":\"" A
        "\",\"name\":\"pushing r/x:t with docker\",\"started\":" T("00") "}]}");
    for (int i = 0; i < 127; i++) {
        char line[200];
        snprintf(line, sizeof line,
                 "{\"statuses\":[{\"id\":\"pushing layer %d\",\"vertex\":\"" A
                 "\",\"current\":100}]}",
                 i);
        add(line);
        add(line);
    }
    ck_assert_int_eq(progress.pushed_bytes, 12700);
}
END_TEST

/* ---- sizes ---- */

static void add_steps(int count)
{
    for (int i = 0; i < count; i++) {
        char line[300];
        snprintf(line, sizeof line,
                 "{\"vertexes\":[{\"digest\":\"sha256:%d\",\"name\":\"%s%d\",\"started\":" T(
                     "00") ",\"completed\":" T("01") ",\"cached\":%s}]}",
                 i, i % 5 ? "step " : "[internal] ", i, i % 2 ? "true" : "false");
        add(line);
    }
}

static const struct {
    int made;
    size_t kept, dropped, shown;
} many[] = {{5000, 5000, 0, 4000}, {8192, 8192, 0, 6553}, {8200, 8192, 8, 6553}};

START_TEST(many_steps)
{
    size_t steps, cached, done;
    keeps = false;
    add_steps(many[_i].made);
    add_steps(many[_i].made < 6000 ? many[_i].made : 0); /* known already */
    ck_assert_uint_eq(progress.len, many[_i].kept);
    ck_assert_uint_eq(progress.dropped_steps, many[_i].dropped);
    progress_count(&progress, &steps, &cached, &done);
    ck_assert_uint_eq(steps, many[_i].shown);
    ck_assert_uint_eq(done, steps);
    size_t odd = 0;
    for (size_t i = 0; i < many[_i].kept; i++)
        odd += i % 5 != 0 && i % 2 == 1;
    ck_assert_uint_eq(cached, odd);
}
END_TEST

START_TEST(digests_of_any_length_are_one_step)
{
    char digest[300], line[400];
    memset(digest, 'd', sizeof digest - 1);
    digest[sizeof digest - 1] = '\0';
    snprintf(line, sizeof line, "{\"vertexes\":[{\"digest\":\"%s\"}]}", digest);
    add(line);
    add(line);
    ck_assert_uint_eq(progress.len, 1);
}
END_TEST

START_TEST(a_hundred_megabytes_of_output)
{
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP), text = STRBUF_INIT(1 << 20);
    while (text.len < 500000)
        strbuf_addf(&text, "line %zu of a long output\n", text.len);
    strbuf_addstr(&text, "no end here ");
    strbuf_addstr(&line, "{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"");
    crypto_base64(&line, text.buf, text.len);
    strbuf_addstr(&line, "\"}]}");
    keeps = false;
    add(line.buf);
    size_t first = mallinfo2().uordblks;
    for (int i = 0; i < 200; i++)
        progress_add_line(&progress, line.buf, line.len);
    ck_assert_uint_le(mallinfo2().uordblks, first + 65536);
    ck_assert_uint_eq(progress.bad_lines, 0);
    ck_assert_uint_le(progress.steps[0].tail.len, (size_t)2 * PROGRESS_TAIL_BYTES);
    ck_assert_uint_ge(progress.steps[0].tail.len, PROGRESS_TAIL_BYTES);
    ck_assert_int_eq(
        memcmp(progress.steps[0].tail.buf + progress.steps[0].tail.len - 12, "no end here ", 12),
        0);
}
END_TEST

START_TEST(zero_bytes_do_not_hide_the_rest)
{
    add("{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"YQBiCg==\"}]}");
    ck_assert_uint_eq(said.len, 7);
    ck_assert_int_eq(memcmp(said.buf, "#1 a\0b\n", 7), 0);
}
END_TEST

#define AT(second) "2026-11-23T13:20:0" second "Z"
#define RUN(started, completed)                                                                    \
    "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"n\"" started completed "}]}"
#define STARTED(second)   ",\"started\":\"" AT(second) "\""
#define COMPLETED(second) ",\"completed\":\"" AT(second) "\""
#define STATUS(id, more)  "{\"statuses\":[{\"vertex\":\"" A "\",\"id\":\"" id "\"" more "}]}"

#define HEX_64   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANIFEST "pushing manifest for r/x:pushed@sha256:" HEX_64
#define EXPORT_OF_IMAGE(began, rest)                                                               \
    "{\"vertexes\":[{\"digest\":\"" A "\",\"name\":\"exporting to image\",\"started\":" T(began)   \
        rest "}]}"
#define ENDED_AT(s) ",\"completed\":" T(s)
#define STATUS_OF(id, rest)                                                                        \
    "{\"statuses\":[{\"id\":\"" id "\",\"vertex\":\"" A "\",\"current\":0" rest "}]}"
#define IS_PUSHED(id)                                                                              \
    EXPORT_OF_IMAGE("01", ""), STATUS_OF(id, ENDED_AT("09")), EXPORT_OF_IMAGE("01", ENDED_AT("09"))

/* BuildKit ends the status of a push that failed, too: the step tells how it went. Newer versions
 * run the step once to export, and again to push. */
static const struct {
    const char *lines[5];
    bool is_pushed;
} pushes[] = {
    {{IS_PUSHED(MANIFEST)}, true},
    {{EXPORT_OF_IMAGE("01", ""), STATUS_OF(MANIFEST, ENDED_AT("09"))}, false},
    {{EXPORT_OF_IMAGE("01", ""), STATUS_OF(MANIFEST, ""), EXPORT_OF_IMAGE("01", ENDED_AT("09"))},
     false},
    {{EXPORT_OF_IMAGE("01", ""), STATUS_OF(MANIFEST, ENDED_AT("09")),
      EXPORT_OF_IMAGE("01", ENDED_AT("09") ",\"error\":\"denied\"")},
     false},
    {{EXPORT_OF_IMAGE("01", ENDED_AT("02")), EXPORT_OF_IMAGE("03", ""),
      STATUS_OF(MANIFEST, ENDED_AT("09"))},
     false},
    {{EXPORT_OF_IMAGE("01", ENDED_AT("02")), EXPORT_OF_IMAGE("03", ""),
      STATUS_OF(MANIFEST, ENDED_AT("09")), EXPORT_OF_IMAGE("03", ENDED_AT("09"))},
     true},
    {{IS_PUSHED("pushing layers")}, false},
    {{IS_PUSHED("exporting manifest sha256:" HEX_64)}, false},
    {{IS_PUSHED("pushing manifest for r/x:pushed@sha256:0123")}, false},
    {{IS_PUSHED("pushing manifest for r/x:pushed")}, false},
    {{IS_PUSHED("pushing manifest for r/x:pushed@sha512:" HEX_64)}, false},
};

START_TEST(the_manifest_is_pushed)
{
    for (size_t i = 0; i < 5 && pushes[_i].lines[i]; i++)
        add(pushes[_i].lines[i]);
    ck_assert_str_eq(progress.pushed_digest, pushes[_i].is_pushed ? "sha256:" HEX_64 : "");
}
END_TEST

#define EXPORT(digest, rest)                                                                       \
    "{\"vertexes\":[{\"digest\":\"" digest "\",\"name\":\"exporting cache to registry\","          \
    "\"started\":" T("05") rest "}]}"
#define ENDED ",\"completed\":" T("06")

static const struct {
    const char *first, *second;
    bool are_written, are_open;
} caches[] = {
    {EXPORT(A, ENDED), NULL, true, false},
    {EXPORT(A, ENDED), EXPORT(B, ENDED), true, false},
    {EXPORT(A, ENDED), EXPORT(B, ""), false, true},
    {EXPORT(A, ""), EXPORT(B, ENDED), false, true},
    {EXPORT(A, ENDED ",\"error\":\"no space\""), EXPORT(B, ENDED), false, true},
    {STATUS_OF(MANIFEST, ENDED), NULL, false, false},
};

START_TEST(caches_are_written)
{
    add(caches[_i].first);
    if (caches[_i].second)
        add(caches[_i].second);
    ck_assert_int_eq(progress_caches_are_written(&progress), caches[_i].are_written);
    ck_assert_int_eq(progress_is_at_its_caches(&progress), caches[_i].are_open);
}
END_TEST

/* A step that ends may begin again: BuildKit looks at a source first, and fetches it later; it
 * pushes in the export's name. */
static const struct {
    const char *lines[5];
    bool running;
} runs[] = {
    {{RUN("", "")}, false},
    {{RUN(STARTED("1"), "")}, true},
    {{RUN(STARTED("1"), ""), RUN(STARTED("1"), COMPLETED("2"))}, false},
    {{RUN(STARTED("1"), COMPLETED("2"))}, false},
    {{RUN(STARTED("1"), COMPLETED("2")), RUN(STARTED("1"), "")}, false}, /* in another order */
    {{RUN(STARTED("1"), COMPLETED("2")), RUN(STARTED("3"), "")}, true},
    {{RUN(STARTED("3"), ""), RUN(STARTED("1"), COMPLETED("2"))}, true},
    {{RUN(STARTED("1.000000001"), COMPLETED("1.000000002")), RUN(STARTED("1.000000003"), "")},
     true},
    {{RUN(STARTED("1"), COMPLETED("2")), RUN(STARTED("3"), ""), RUN(STARTED("3"), COMPLETED("4"))},
     false},
};

START_TEST(steps_run_more_than_once)
{
    for (const char *const *line = runs[_i].lines; *line; line++)
        add(*line);
    ck_assert_int_eq(progress.steps[0].running, runs[_i].running);
}
END_TEST

/* What is said again is no change. */
static const struct {
    const char *before, *line;
    bool is_change;
} news[] = {
    {NULL, RUN("", ""), true},
    {RUN("", ""), RUN("", ""), false},
    {RUN("", ""), RUN(STARTED("1"), ""), true},
    {RUN(STARTED("1"), ""), RUN(STARTED("1"), ""), false},
    {RUN(STARTED("1"), ""), RUN(STARTED("1"), COMPLETED("2")), true},
    {RUN(STARTED("1"), COMPLETED("2")), RUN(STARTED("1"), COMPLETED("2")), false},
    {RUN(STARTED("1"), COMPLETED("2")), RUN(STARTED("3"), ""), true},
    {RUN(STARTED("1"), ""), STATUS("pushing a", ""), true},
    {STATUS("pushing a", ""), STATUS("pushing a", ""), false},
    {STATUS("pushing a", ""), STATUS("pushing b", ""), true},
    {STATUS("pushing a", ",\"current\":5"), STATUS("pushing a", ",\"current\":5"), false},
    {STATUS("pushing a", ",\"current\":5"), STATUS("pushing a", ",\"current\":6"), true},
    {STATUS("pushing a", ",\"current\":5"), STATUS("pushing a", ",\"current\":2"), false},
    {STATUS("pushing a", ""), STATUS("pushing a", COMPLETED("2")), true},
    {STATUS("pushing a", COMPLETED("2")), STATUS("pushing a", COMPLETED("2")), false},
    {RUN(STARTED("1"), ""), "{\"logs\":[{\"vertex\":\"" A "\",\"data\":\"YQ==\"}]}", true},
    {RUN(STARTED("1"), ""), "no object", false},
};

START_TEST(only_what_is_new_is_a_change)
{
    if (news[_i].before)
        add(news[_i].before);
    uint64_t before = progress.changes;
    add(news[_i].line);
    ck_assert_int_eq(progress.changes != before, news[_i].is_change);
}
END_TEST

Suite *progress_suite(void)
{
    Suite *suite = suite_create("progress");
    TCase *tcase = tcase_create("progress");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, lines_for_the_log, 0, COUNT(builds));
    tcase_add_test(tcase, times_have_nine_digits);
    tcase_add_loop_test(tcase, torn_lines_are_counted, 0, COUNT(torn));
    tcase_add_test(tcase, other_words_keep_their_end);
    tcase_add_loop_test(tcase, the_step_that_failed, 0, COUNT(failures));
    tcase_add_test(tcase, bytes_are_counted_once);
    tcase_add_test(tcase, a_push_with_docker_of_many_layers);
    tcase_add_loop_test(tcase, the_manifest_is_pushed, 0, COUNT(pushes));
    tcase_add_loop_test(tcase, caches_are_written, 0, COUNT(caches));
    tcase_add_loop_test(tcase, many_steps, 0, COUNT(many));
    tcase_add_test(tcase, digests_of_any_length_are_one_step);
    tcase_add_test(tcase, a_hundred_megabytes_of_output);
    tcase_add_test(tcase, zero_bytes_do_not_hide_the_rest);
    tcase_add_loop_test(tcase, steps_run_more_than_once, 0, COUNT(runs));
    tcase_add_loop_test(tcase, only_what_is_new_is_a_change, 0, COUNT(news));
    suite_add_tcase(suite, tcase);
    return suite;
}
