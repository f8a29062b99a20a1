#include <check.h>
#include <string.h>

#include "stages/build_steps.h"

Suite *build_steps_suite(void);

/* Two instructions of which one is cached, the export of a cache, and what BuildKit does for
 * itself. BuildKit tells of them in no order. */
static const char *const lines[] = {
    "{\"vertexes\":[{\"digest\":\"sha256:c\",\"name\":\"exporting cache to registry\","
    "\"started\":\"2026-11-23T13:20:05Z\",\"completed\":\"2026-11-23T13:20:06Z\"}]}",
    "{\"vertexes\":[{\"digest\":\"sha256:b\",\"name\":\"[app 3/3] RUN make\","
    "\"started\":\"2026-11-23T13:20:02Z\",\"completed\":\"2026-11-23T13:20:05Z\"}]}",
    "{\"vertexes\":[{\"digest\":\"sha256:a\",\"name\":\"[app 2/3] COPY . .\",\"cached\":true,"
    "\"started\":\"2026-11-23T13:20:02Z\",\"completed\":\"2026-11-23T13:20:02Z\"}]}",
    "{\"vertexes\":[{\"digest\":\"sha256:d\",\"name\":\"[internal] load .dockerignore\","
    "\"started\":\"2026-11-23T13:20:00Z\",\"completed\":\"2026-11-23T13:20:01Z\"}]}",
};

static struct progress progress;
static struct spans spans;

static void set_up(void)
{
    progress_init(&progress);
    spans_init(&spans);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        progress_add_line(&progress, lines[i], strlen(lines[i]));
}

static void tear_down(void)
{
    progress_release(&progress);
    spans_release(&spans);
}

static const struct span *find(const char *name)
{
    for (size_t i = 0; i < spans.len; i++)
        if (strcmp(spans.items[i].name, name) == 0)
            return &spans.items[i];
    return NULL;
}

START_TEST(steps_are_read)
{
    struct build_steps steps = {.items = NULL};
    int parent = span_begin(&spans, SPAN_NONE, "build");
    build_steps_read(&progress, BUILD_STEPS_ALL, &spans, parent,
                     &(struct build_times){1000, 9000, 1000}, &steps);
    ck_assert_uint_eq(steps.len, 2);
    ck_assert_str_eq(steps.items[0].name, "[app 2/3] COPY . .");
    ck_assert(steps.items[0].cached);
    ck_assert_str_eq(steps.items[1].name, "[app 3/3] RUN make");
    ck_assert(!steps.items[1].cached);
    ck_assert_int_eq(steps.items[1].ms, 3000);
    const struct span *run = find("[app 3/3] RUN make");
    ck_assert_ptr_nonnull(run);
    ck_assert_int_eq(run->parent, parent);
    ck_assert_int_eq(run->end_ms - run->start_ms, 3000);
    const struct span *export = find("exporting cache to registry");
    ck_assert_ptr_nonnull(export);
    ck_assert_int_eq(export->start_ms - run->start_ms, 3000);
    build_steps_release(&steps);
}
END_TEST

/* Buildx ran for two seconds only: what took longer was run by an earlier call. */
START_TEST(times_of_an_earlier_call)
{
    struct build_steps steps = {.items = NULL};
    build_steps_read(&progress, BUILD_STEPS_ALL, &spans, SPAN_NONE,
                     &(struct build_times){1000, 3000, 1000}, &steps);
    const struct span *export = find("exporting cache to registry");
    ck_assert_int_eq(export->start_ms, 2000);
    ck_assert_int_eq(export->end_ms, 3000);
    const struct span *run = find("[app 3/3] RUN make");
    ck_assert_int_eq(run->start_ms, 1000);
    ck_assert_int_eq(run->end_ms, 2000);
    build_steps_release(&steps);
}
END_TEST

static const struct {
    enum build_steps_part part;
    bool has_caches, has_rest;
} parts[] = {
    {BUILD_STEPS_ALL, true, true},
    {BUILD_STEPS_BUT_CACHES, false, true},
    {BUILD_STEPS_CACHES, true, false},
};

START_TEST(caches_are_read_by_themselves)
{
    struct build_steps steps = {.items = NULL};
    build_steps_read(&progress, parts[_i].part, &spans, SPAN_NONE,
                     &(struct build_times){0, 9000, 0}, &steps);
    ck_assert_int_eq(find("exporting cache to registry") != NULL, parts[_i].has_caches);
    ck_assert_int_eq(find("[app 3/3] RUN make") != NULL, parts[_i].has_rest);
    ck_assert_uint_eq(steps.len, parts[_i].has_rest ? 2 : 0);
    build_steps_release(&steps);
}
END_TEST

/* A cache that was written while the image was still pushed. */
START_TEST(nothing_begins_before_its_parent)
{
    struct build_steps steps = {.items = NULL};
    build_steps_read(&progress, BUILD_STEPS_CACHES, &spans, SPAN_NONE,
                     &(struct build_times){.heard_ms = 1000, .ended_ms = 9000, .shown_ms = 6500},
                     &steps);
    const struct span *export = find("exporting cache to registry");
    ck_assert_int_eq(export->start_ms, 6500);
    ck_assert_int_eq(export->end_ms, 7000);
}
END_TEST

static const struct {
    const char *name;
    bool cached; /* in the earlier call */
    bool counts; /* as built by this run */
} earlier_steps[] = {
    {"[app 2/3] COPY . .", false, true},
    {"[app 2/3] COPY . .", true, false},
    {"[app 2/3] COPY app .", false, false},
};

START_TEST(what_an_earlier_call_has_built)
{
    struct build_steps steps = {.items = NULL};
    struct build_step_result item = {
        .name = (char *)earlier_steps[_i].name, .cached = earlier_steps[_i].cached, .ms = 700};
    const struct build_steps earlier = {.items = &item, .len = 1};
    build_steps_read(&progress, BUILD_STEPS_ALL, &spans, SPAN_NONE,
                     &(struct build_times){0, 9000, 0}, &steps);
    build_steps_add_earlier(&steps, &earlier);
    ck_assert(steps.items[0].cached == !earlier_steps[_i].counts);
    ck_assert_int_eq(steps.items[0].ms, earlier_steps[_i].counts ? 700 : 0);
    ck_assert(!steps.items[1].cached);
    ck_assert_int_eq(steps.items[1].ms, 3000);
    build_steps_release(&steps);
}
END_TEST

Suite *build_steps_suite(void)
{
    Suite *suite = suite_create("build_steps");
    TCase *tests = tcase_create("build_steps");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, steps_are_read);
    tcase_add_test(tests, times_of_an_earlier_call);
    tcase_add_test(tests, nothing_begins_before_its_parent);
    tcase_add_loop_test(tests, caches_are_read_by_themselves, 0,
                        (int)(sizeof parts / sizeof *parts));
    tcase_add_loop_test(tests, what_an_earlier_call_has_built, 0,
                        (int)(sizeof earlier_steps / sizeof *earlier_steps));
    suite_add_tcase(suite, tests);
    return suite;
}
