#include "services/buildx_silence.h"

#include <check.h>
#include <stdio.h>

Suite *buildx_silence_suite(void);

#define BEGUN(name)                                                                                \
    "{\"digest\":\"" name "\",\"name\":\"" name "\",\"started\":\"2026-11-23T13:20:00Z\"}"
#define ENDED(name)                                                                                \
    "{\"digest\":\"" name "\",\"name\":\"" name "\",\"started\":\"2026-11-23T13:20:00Z\","         \
    "\"completed\":\"2026-11-23T13:20:01Z\"}"
#define FAILED(name)                                                                               \
    "{\"digest\":\"" name "\",\"name\":\"" name "\",\"started\":\"2026-11-23T13:20:00Z\","         \
    "\"error\":\"not found\"}"
#define WAITS(name) "{\"digest\":\"" name "\",\"name\":\"" name "\"}"
#define FOR_EVER    0

/* Names of steps as BuildKit and buildx give them. */
static const struct {
    const char *steps;
    int64_t silence_ms;
} cases[] = {
    {NULL, BUILDX_SILENCE_REGISTRY_MS},
    {WAITS("[2/2] RUN make"), BUILDX_SILENCE_IDLE_MS},
    {ENDED("exporting to image"), BUILDX_SILENCE_IDLE_MS},
    {ENDED("exporting to image") "," ENDED("pushing r/a:1 with docker"), BUILDX_SILENCE_IDLE_MS},
    {FAILED("importing cache manifest from r/a:buildcache"), BUILDX_SILENCE_IDLE_MS},
    {BEGUN("[2/2] RUN make"), FOR_EVER},
    {BEGUN("[1/2] FROM docker.io/library/python:3.12"), FOR_EVER}, /* extracting is silent */
    {BEGUN("[internal] load build context"), FOR_EVER},
    {BEGUN("[internal] booting buildkit"), FOR_EVER},
    {BEGUN("exporting to image"), FOR_EVER}, /* compressing is silent */
    {BEGUN("[internal] load metadata for docker.io/library/python:3.12"),
     BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("resolve image config for docker-image://docker.io/docker/dockerfile:1"),
     BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("[auth] a:pull,push token for r"), BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("importing cache manifest from r/a:buildcache"), BUILDX_SILENCE_REGISTRY_MS},
    {ENDED("exporting to image") "," BEGUN("pushing r/a:1 with docker"),
     BUILDX_SILENCE_REGISTRY_MS},
    {BEGUN("exporting cache to registry"), BUILDX_SILENCE_CACHE_MS},
    {BEGUN("[auth] a:pull token for r") "," BEGUN("exporting cache to registry"),
     BUILDX_SILENCE_CACHE_MS},
    {BEGUN("[auth] a:pull token for r") "," BEGUN("[2/2] RUN make"), FOR_EVER},
    {BEGUN("pushing"), FOR_EVER}, /* a stage's own name */
};

START_TEST(silence_case)
{
    struct progress progress;
    char line[2000];
    progress_init(&progress);
    int len =
        snprintf(line, sizeof line, "{\"vertexes\":[%s]}", cases[_i].steps ? cases[_i].steps : "");
    if (cases[_i].steps)
        progress_add_line(&progress, line, (size_t)len);
    ck_assert_int_eq(buildx_silence_ms(&progress), cases[_i].silence_ms);
    progress_release(&progress);
}
END_TEST

Suite *buildx_silence_suite(void)
{
    Suite *suite = suite_create("buildx_silence");
    TCase *tc = tcase_create("buildx_silence");
    tcase_add_loop_test(tc, silence_case, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tc);
    return suite;
}
