/* One call of buildx, played by a function: when the run goes on, and what it takes along. */
#include <check.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/process.h"
#include "stages/build_call.h"
#include "stages/pulse.h"
#include "stages/side_build.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *build_call_suite(void);

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STEP                                                                                       \
    "{\"vertexes\":[{\"digest\":\"sha256:a\",\"name\":\"[2/2] RUN make\",\"started\":"             \
    "\"2026-11-23T13:20:00Z\",\"completed\":\"2026-11-23T13:20:01Z\"}]}"
#define PUSH                                                                                       \
    "{\"vertexes\":[{\"digest\":\"sha256:b\",\"name\":\"exporting to image\",\"started\":"         \
    "\"2026-11-23T13:20:01Z\",\"completed\":\"2026-11-23T13:20:02Z\"}],\"statuses\":[{\"id\":"     \
    "\"pushing manifest for r/a:pushed@" DIGEST "\",\"vertex\":\"sha256:b\",\"completed\":"        \
    "\"2026-11-23T13:20:02Z\"}]}"
#define CACHE(rest)                                                                                \
    "{\"vertexes\":[{\"digest\":\"sha256:c\",\"name\":\"exporting cache to registry\","            \
    "\"started\":\"2026-11-23T13:20:02Z\"" rest "}]}"
#define ENDED ",\"completed\":\"2026-11-23T13:20:03Z\""

static struct {
    const char *const *says; /* borrowed; NULL-terminated */
    const char *const *adds; /* when it may go on */
    enum process_outcome outcome;
    sem_t go;
    bool waits;
} buildx;

static char *folder; /* owned */
static struct run run;
static struct inputs inputs;
static struct image_result result;
static struct strvec tags, caches;
static struct buildx_build build;
static char log_text[4096];

static void say_all(const struct process_spec *spec, const char *const *lines)
{
    for (size_t i = 0; lines && lines[i]; i++)
        spec->on_line(spec->context, PROCESS_STDERR, lines[i], strlen(lines[i]));
}

static int run_buildx(void *context, const struct process_spec *spec,
                      struct process_result *ret_result, struct error *err)
{
    (void)context;
    (void)err;
    say_all(spec, buildx.says);
    if (buildx.waits)
        sem_wait(&buildx.go);
    say_all(spec, buildx.adds);
    *ret_result = (struct process_result){.outcome = buildx.outcome};
    return 0;
}

static void keep_line(void *context, enum log_level level, const struct log_place *place,
                      const char *text)
{
    (void)context;
    (void)level;
    (void)place;
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, "%s\n", text);
}

static void no_group(void *context, const char *title)
{
    (void)context;
    (void)title;
}

static void no_end(void *context)
{
    (void)context;
}

static const struct image_order order = {.what = "application image",
                                         .file = "/w/Dockerfile",
                                         .file_name = "Dockerfile",
                                         .result = &result};

static void set_up(void)
{
    static const struct log_sink sink = {
        .line = keep_line, .group_begin = no_group, .group_end = no_end};
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
    memset(&buildx, 0, sizeof buildx);
    ck_assert_int_eq(sem_init(&buildx.go, 0, 0), 0);
    inputs = (struct inputs){.function_name = NULL};
    run = (struct run){.inputs = &inputs, .span = SPAN_NONE};
    spans_init(&run.result.spans);
    strbuf_init(&run.result.evidence, 8192);
    run.deadline_ms = clock_now_ms() + 60000;
    run.services.buildx.config_folder = folder;
    strvec_push(&run.services.buildx.command, "buildx");
    result = (struct image_result){.digest = ""};
    strvec_push(&tags, "r/a:pushed");
    strvec_push(&caches, "type=registry,ref=r/a:buildcache");
    build = (struct buildx_build){.file = order.file,
                                  .context = "/w",
                                  .tags = &tags,
                                  .cache_to = &caches,
                                  .timeout_ms = 60000};
    log_text[0] = '\0';
    process_replace(run_buildx, NULL);
    log_use(&sink);
}

static void tear_down(void)
{
    pulse_release();
    side_builds_release(&run);
    process_replace(NULL, NULL);
    log_use(NULL);
    spans_release(&run.result.spans);
    strbuf_release(&run.result.evidence);
    strvec_release(&run.services.buildx.command);
    strvec_release(&tags);
    strvec_release(&caches);
    sem_destroy(&buildx.go);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
    free(folder);
}

static int call(char digest[DIGEST_SIZE], struct error *err)
{
    struct build_steps steps = {.items = NULL};
    int rc = build_call(&run, &order, &build, &steps, digest, err);
    ck_assert_uint_eq(steps.len, 1);
    build_steps_release(&steps);
    return rc;
}

static const struct span *find(const char *name)
{
    for (size_t i = 0; i < run.result.spans.len; i++)
        if (strcmp(run.result.spans.items[i].name, name) == 0)
            return &run.result.spans.items[i];
    return NULL;
}

/* How the call ends behind the push, and what is said of its caches. */
static const struct {
    const char *adds[3];
    enum process_outcome outcome;
    const char *said;
} ends[] = {
    {{CACHE(""), CACHE(ENDED)}, PROCESS_EXITED, "Cache of the application image: written"},
    {{CACHE(""), CACHE(ENDED)}, PROCESS_SIGNALLED, "Cache of the application image: written"},
    {{CACHE(""), CACHE(ENDED ",\"error\":\"no space\"")},
     PROCESS_EXITED,
     "not written, so the next build has less to start from: no space"},
    {{CACHE("")}, PROCESS_GIVEN_UP, "less to start from: buildx was stopped after"},
    {{CACHE("")}, PROCESS_CANCELLED, "Cache of the application image: cancelled"},
};

START_TEST(the_run_goes_on_when_the_image_is_pushed)
{
    static const char *const says[] = {STEP, PUSH, NULL};
    char digest[DIGEST_SIZE] = "";
    struct error err = ERROR_INIT;
    buildx.says = says;
    buildx.adds = ends[_i].adds;
    buildx.outcome = ends[_i].outcome;
    buildx.waits = true;
    ck_assert_msg(call(digest, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(digest, DIGEST);
    ck_assert_ptr_null(find("exporting cache to registry"));
    ck_assert_ptr_nonnull(find("exporting to image"));
    ck_assert_ptr_nonnull(strstr(log_text, "[2/2] RUN make"));
    sem_post(&buildx.go);
    side_builds_finish(&run);
    ck_assert_ptr_null(strstr(log_text, "#3 exporting cache")); /* the log is another's by then */
    ck_assert_msg(strstr(log_text, ends[_i].said) != NULL, "%s", log_text);
    const struct span *cache = find("exporting cache to registry"),
                      *beside = find("Cache of the application image");
    ck_assert_ptr_nonnull(cache);
    ck_assert_ptr_nonnull(beside);
    ck_assert(beside->beside);
    ck_assert_int_ge(cache->start_ms, beside->start_ms);
}
END_TEST

/* How the call ends before the image is known to be pushed. */
static const struct {
    const char *says[4];
    enum process_outcome outcome;
    enum error_kind kind;
    bool leaves_out_caches; /* of another try */
} failures[] = {
    {{STEP, CACHE("")}, PROCESS_GIVEN_UP, ERROR_NETWORK, true},
    {{STEP, CACHE(""), CACHE(ENDED ",\"error\":\"context canceled\"")},
     PROCESS_GIVEN_UP,
     ERROR_NETWORK,
     true},
    {{STEP, CACHE(""), CACHE(ENDED)}, PROCESS_GIVEN_UP, ERROR_NETWORK, false},
    {{STEP}, PROCESS_GIVEN_UP, ERROR_NETWORK, false},
    {{STEP, CACHE("")}, PROCESS_CANCELLED, ERROR_CANCELLED, false},
    {{STEP, CACHE("")}, PROCESS_SIGNALLED, ERROR_PROCESS, false},
};

START_TEST(the_call_fails)
{
    char digest[DIGEST_SIZE] = "";
    struct error err = ERROR_INIT;
    buildx.says = failures[_i].says;
    buildx.outcome = failures[_i].outcome;
    ck_assert_int_eq(call(digest, &err), -1);
    ck_assert_msg(err.kind == failures[_i].kind, "%s", err.msg);
    ck_assert_str_eq(digest, "");
    ck_assert_ptr_null(run.side_builds);
    ck_assert_uint_eq(build.cache_to->len, failures[_i].leaves_out_caches ? 0 : 1);
    ck_assert_int_eq(strstr(log_text, "left unwritten") != NULL, failures[_i].leaves_out_caches);
}
END_TEST

Suite *build_call_suite(void)
{
    Suite *suite = suite_create("build_call");
    TCase *tests = tcase_create("build_call");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, the_run_goes_on_when_the_image_is_pushed, 0, COUNT(ends));
    tcase_add_loop_test(tests, the_call_fails, 0, COUNT(failures));
    suite_add_tcase(suite, tests);
    return suite;
}
