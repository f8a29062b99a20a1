#include "services/buildx_silence.h"

#include <check.h>
#include <stdio.h>

Suite *buildx_silence_suite(void);

#define BEGUN(name)                                                                                \
    "{\"digest\":\"" name "\",\"name\":\"" name "\",\"started\":\"2026-11-23T13:20:00Z\"}"
#define ENDED(name)                                                                                \
    "{\"digest\":\"" name "\",\"name\":\"" name "\",\"started\":\"2026-11-23T13:20:00Z\","         \
    "\"completed\":\"2026-11-23T13:20:01Z\"}"
#define WAITS(name) "{\"digest\":\"" name "\",\"name\":\"" name "\"}"
#define FOR_EVER    0

#define PUSH "pushing r/a:1 with docker"

/* Names of steps as BuildKit and buildx give them. */
static const struct {
    const char *steps;
    int64_t silence_ms;
} cases[] = {
    {NULL, BUILDX_SILENCE_REGISTRY_MS},
    {WAITS("[2/2] RUN make"), FOR_EVER}, /* behind the builder's limit of steps at a time */
    {BEGUN("[2/2] RUN make"), FOR_EVER},
    {BEGUN("[1/2] FROM docker.io/library/python:3.12"), FOR_EVER}, /* extracting is silent */
    {BEGUN("[internal] load build context"), FOR_EVER},
    {BEGUN("[internal] booting buildkit"), FOR_EVER},
    {BEGUN("exporting to image"), FOR_EVER}, /* it compresses, and pushes without telling bytes */
    {ENDED("exporting to image"), FOR_EVER}, /* some versions push then */
    {ENDED("[2/2] RUN make"), FOR_EVER},
    {ENDED("exporting to image") "," ENDED(PUSH), BUILDX_SILENCE_PUSHED_MS},
    {BEGUN("exporting to image") "," ENDED(PUSH), FOR_EVER},
    {BEGUN("[internal] load metadata for docker.io/library/python:3.12"),
     BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("resolve image config for docker-image://docker.io/docker/dockerfile:1"),
     BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("importing cache manifest from r/a:buildcache"), BUILDX_SILENCE_REGISTRY_MS},
    {ENDED("importing cache manifest from r/a:buildcache"), FOR_EVER},
    {ENDED("exporting to image") "," BEGUN(PUSH), BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("exporting cache to registry"), BUILDX_SILENCE_CACHE_MS},
    {BEGUN("exporting to GitHub Actions Cache"), BUILDX_SILENCE_CACHE_MS},
    {BEGUN(PUSH) "," BEGUN("exporting cache to registry"), BUILDX_SILENCE_CACHE_MS},
    {BEGUN("importing cache manifest from r/a:buildcache") "," BEGUN("[2/2] RUN make"), FOR_EVER},
    {BEGUN("exporting cache to registry") "," BEGUN("[2/2] RUN make"), FOR_EVER},
    {BEGUN("pushing"), FOR_EVER},
};

static void add_case(struct progress *progress, const char *steps)
{
    char line[2000];
    int len = snprintf(line, sizeof line, "{\"vertexes\":[%s]}", steps ? steps : "");
    progress_init(progress);
    if (steps)
        progress_add_line(progress, line, (size_t)len);
}

START_TEST(silence_case)
{
    struct progress progress;
    add_case(&progress, cases[_i].steps);
    ck_assert_int_eq(buildx_silence_ms(&progress, 0), cases[_i].silence_ms);
    progress_release(&progress);
}
END_TEST

/* What the user lets an exchange take: a question is four of them, and compressing is none. */
static const struct {
    const char *steps;
    int64_t exchange_limit_ms, silence_ms;
} limits[] = {
    {NULL, 2000, 8000},
    {NULL, 100000, BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN(PUSH), 2000, 8000},
    {ENDED(PUSH), 2000, 8000},
    {ENDED(PUSH), 20000, BUILDX_SILENCE_PUSHED_MS},
    {BEGUN("exporting cache to registry"), 2000, BUILDX_SILENCE_CACHE_MS},
    {BEGUN("[2/2] RUN make"), 2000, FOR_EVER},
};

START_TEST(limit_case)
{
    struct progress progress;
    add_case(&progress, limits[_i].steps);
    ck_assert_int_eq(buildx_silence_ms(&progress, limits[_i].exchange_limit_ms),
                     limits[_i].silence_ms);
    progress_release(&progress);
}
END_TEST

START_TEST(steps_that_are_not_known_may_run)
{
    struct progress progress;
    add_case(&progress, BEGUN(PUSH));
    progress.dropped_steps = 1;
    ck_assert_int_eq(buildx_silence_ms(&progress, 0), FOR_EVER);
    progress_release(&progress);
}
END_TEST

Suite *buildx_silence_suite(void)
{
    Suite *suite = suite_create("buildx_silence");
    TCase *tc = tcase_create("buildx_silence");
    tcase_add_loop_test(tc, silence_case, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tc, limit_case, 0, sizeof limits / sizeof *limits);
    tcase_add_test(tc, steps_that_are_not_known_may_run);
    suite_add_tcase(suite, tc);
    return suite;
}
