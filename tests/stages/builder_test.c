#include <check.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/http.h"
#include "core/log.h"
#include "core/process.h"
#include "core/strbuf.h"
#include "stages/builder.h"

Suite *builder_suite(void);

#define LONGEST_WAIT_S 30

/* ---- an engine and a buildx that wait where a test tells them to ---- */

static struct {
    const char *info;  /* what the engine says of itself */
    const char *fails; /* commands that begin so end with status 1; NULL: none */
    const char
        *hangs; /* a command that begins so is stopped, since it takes too long; NULL: none */
    const char *waits;      /* a command that begins so waits until the test goes on; NULL: none */
    sem_t begun, go;        /* it waits now; it may go on */
    bool is_late;           /* nobody let it go on */
    bool exists;            /* the builder is there already */
    struct strbuf commands; /* a line each, without the folder's name */
} fake;

static int answer(void *context, const struct http_request *request,
                  struct http_response *ret_response, struct error *err)
{
    (void)context;
    (void)err;
    ck_assert(strstr(request->url, "/info"));
    http_response_fill(ret_response, 200, fake.info, strlen(fake.info));
    return 0;
}

static bool wait_at_most(sem_t *semaphore)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LONGEST_WAIT_S;
    int rc;
    while ((rc = sem_timedwait(semaphore, &end)) < 0 && errno == EINTR)
        ;
    return rc == 0;
}

static bool begins_with(const char *text, const char *start)
{
    return start && strncmp(text, start, strlen(start)) == 0;
}

static int run_buildx(void *context, const struct process_spec *spec,
                      struct process_result *ret_result, struct error *err)
{
    (void)context;
    (void)err;
    CLEANUP(strbuf) struct strbuf command = STRBUF_INIT(4096);
    for (size_t i = 1; spec->argv[i]; i++)
        strbuf_addf(&command, "%s%s", i > 1 ? " " : "", spec->argv[i]);
    ck_assert_str_eq(spec->argv[0], "buildx");
    strbuf_addf(&fake.commands, "%s\n", command.buf);
    if (begins_with(command.buf, fake.waits)) {
        sem_post(&fake.begun);
        fake.is_late = !wait_at_most(&fake.go);
    }
    const char *says =
        begins_with(command.buf, "inspect") ? "Platforms: linux/amd64*, linux/386" : "";
    spec->on_line(spec->context, PROCESS_STDOUT, says, strlen(says));
    bool is_missing = begins_with(command.buf, "inspect --bootstrap") && !fake.exists;
    bool fails = is_missing || begins_with(command.buf, fake.fails);
    bool hangs = begins_with(command.buf, fake.hangs);
    *ret_result = (struct process_result){.outcome = hangs ? PROCESS_TIMED_OUT : PROCESS_EXITED,
                                          .code = fails ? 1 : 0};
    ck_assert_msg(spec->timeout_ms > 0 && spec->timeout_ms <= 120000, "%s: no limit", command.buf);
    return 0;
}

static void say_nothing(void *context, enum log_level level, const struct log_place *place,
                        const char *text)
{
    (void)context, (void)level, (void)place, (void)text;
}

static const struct log_sink silence = {.line = say_nothing};

/* ---- a run ---- */

static char *folder; /* owned */
static struct inputs inputs;
static char builder[40], platform[40]; /* the inputs of these names */
static struct run run;
static struct ecr_login login;
static struct image_place place;

#define CONTAINERD                                                                                 \
    "{\"ServerVersion\":\"29.0\",\"DriverStatus\":[[\"driver-type\",\"io.containerd.snapshotter."  \
    "v1\"]]}"
#define CONTAINERD_ON(machine)                                                                     \
    "{\"Architecture\":\"" machine "\",\"DriverStatus\":[[\"driver-type\","                        \
    "\"io.containerd.snapshotter.v1\"]]}"
#define CLASSIC "{\"ServerVersion\":\"27.0\",\"DriverStatus\":[[\"Backing Filesystem\",\"extfs\"]]}"

static void set_up(void)
{
    static char path[4200];
    static const char *const environment[] = {path, NULL};
    CLEANUP(strbuf) struct strbuf program = STRBUF_INIT(4200);
    memset(&fake, 0, sizeof fake);
    fake.commands = (struct strbuf)STRBUF_INIT(STRBUF_NO_CAP);
    fake.info = CLASSIC;
    ck_assert_int_eq(sem_init(&fake.begun, 0, 0), 0);
    ck_assert_int_eq(sem_init(&fake.go, 0, 0), 0);
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
    snprintf(path, sizeof path, "PATH=%s", folder);
    strbuf_addf(&program, "%s/buildx", folder);
    ck_assert_int_eq(file_write(program.buf, "", 0, 0700, NULL), 0);
    snprintf(builder, sizeof builder, "auto");
    snprintf(platform, sizeof platform, "linux/amd64");
    inputs = (struct inputs){.builder = builder, .platform = platform, .cache_registry = true};
    run = (struct run){.inputs = &inputs, .environ = environment};
    spans_init(&run.result.spans);
    run.services.github.runner_temp = folder;
    run.deadline_ms = clock_now_ms() + 3600000;
    run.services.docker.socket = "/run/x.sock";
    login = (struct ecr_login){.password = "pass"};
    place = (struct image_place){.registry = "r.example", .login = &login};
    process_replace(run_buildx, NULL);
    http_replace(answer, NULL);
    log_use(&silence);
}

static void tear_down(void)
{
    builder_release(&run);
    spans_release(&run.result.spans);
    process_replace(NULL, NULL);
    http_replace(NULL, NULL);
    log_use(NULL);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
    free(folder);
    free(run.temp_folder);
    strbuf_release(&fake.commands);
    sem_destroy(&fake.begun);
    sem_destroy(&fake.go);
}

/* What is asked of buildx, in which order, and what comes out. */
static const struct {
    const char *rule, *builder, *info;
    bool cache, exists;
    const char *commands, *name;
    bool caches;
} cases[] = {
    {"an engine with the containerd store builds itself", "auto", CONTAINERD, true, false,
     "inspect\n", NULL, true},
    {"what it builds for is known where that is its own processor", "auto", CONTAINERD_ON("x86_64"),
     true, false, "", NULL, true},
    {"and asked where it is another", "auto", CONTAINERD_ON("aarch64"), true, false, "inspect\n",
     NULL, true},
    {"another one gets a builder container", "auto", CLASSIC, true, false,
     "inspect --bootstrap lambda-fastdeploy\n"
     "create --name lambda-fastdeploy --driver docker-container --bootstrap\n"
     "inspect lambda-fastdeploy\n",
     "lambda-fastdeploy", true},
    {"one that is there from an earlier step is taken", "auto", CLASSIC, true, true,
     "inspect --bootstrap lambda-fastdeploy\ninspect lambda-fastdeploy\n", "lambda-fastdeploy",
     true},
    {"without a cache to export the engine's own will do", "auto", CLASSIC, false, false,
     "inspect\n", NULL, false},
    {"a name is used as it is given", "mine", CLASSIC, true, false, "inspect mine\n", "mine", true},
    {"an endpoint gets a name", "tcp://b:1", CLASSIC, true, false,
     "inspect --bootstrap lambda-fastdeploy\n"
     "create --name lambda-fastdeploy --driver remote --bootstrap tcp://b:1\n"
     "inspect lambda-fastdeploy\n",
     "lambda-fastdeploy", true},
};

START_TEST(builders_are_made_ready)
{
    struct error err = ERROR_INIT;
    snprintf(builder, sizeof builder, "%s", cases[_i].builder);
    inputs.cache_registry = cases[_i].cache;
    fake.info = cases[_i].info;
    fake.exists = cases[_i].exists;
    builder_start(&run);
    builder_start(&run); /* a second one does nothing */
    for (int i = 0; i < 2; i++)
        ck_assert_msg(builder_ready(&run, &place, &err) == 0, "%s: %s", cases[_i].rule, err.msg);
    ck_assert_msg(strcmp(fake.commands.buf, cases[_i].commands) == 0, "%s: %s", cases[_i].rule,
                  fake.commands.buf);
    if (cases[_i].name)
        ck_assert_str_eq(builder_name(&run), cases[_i].name);
    else
        ck_assert_ptr_null(builder_name(&run));
    ck_assert(builder_can_cache(&run) == cases[_i].caches);
}
END_TEST

START_TEST(a_builder_boots_beside_other_work)
{
    struct error err = ERROR_INIT;
    fake.waits = "create";
    builder_start(&run);
    ck_assert_msg(wait_at_most(&fake.begun), "the boot did not begin by itself");
    sem_post(&fake.go); /* were the boot waited for in builder_start, nobody would say this */
    ck_assert_msg(builder_ready(&run, &place, &err) == 0, "%s", err.msg);
    ck_assert_msg(!fake.is_late, "builder_start waited for the boot");
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096), text = STRBUF_INIT(4096);
    strbuf_addf(&path, "%s/config.json", run.services.buildx.config_folder);
    ck_assert_int_eq(file_read(path.buf, &text, NULL), 0);
    ck_assert_msg(strstr(text.buf, "r.example") != NULL, "the login is missing: %s", text.buf);
}
END_TEST

START_TEST(what_goes_wrong_is_told_to_who_needs_it)
{
    struct error err = ERROR_INIT;
    fake.fails = "create";
    builder_start(&run);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(builder_ready(&run, &place, &err), -1);
        ck_assert_msg(strstr(err.msg, "starting a builder") != NULL, "%s", err.msg);
        error_reset(&err);
    }
}
END_TEST

#define BOOT(name)                                                                                 \
    "inspect --bootstrap " name "\ncreate --name " name " --driver docker-container --bootstrap\n"

START_TEST(a_boot_that_hangs_is_given_up_for_a_fresh_one)
{
    struct error err = ERROR_INIT;
    fake.hangs = "create --name lambda-fastdeploy --driver";
    ck_assert_msg(builder_ready(&run, &place, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(fake.commands.buf,
                     BOOT("lambda-fastdeploy") "rm --force lambda-fastdeploy\n" BOOT(
                         "lambda-fastdeploy-2") "inspect lambda-fastdeploy-2\n");
    ck_assert_str_eq(builder_name(&run), "lambda-fastdeploy-2");
    ck_assert(strstr(run.services.builder_start.text, "hung") != NULL);
}
END_TEST

START_TEST(a_second_boot_that_hangs_is_an_error)
{
    struct error err = ERROR_INIT;
    fake.hangs = "create";
    ck_assert_int_eq(builder_ready(&run, &place, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
    ck_assert(strstr(err.msg, "after the first one hung") && strstr(err.msg, "too slow"));
    ck_assert_str_eq(
        fake.commands.buf,
        BOOT("lambda-fastdeploy") "rm --force lambda-fastdeploy\n" BOOT("lambda-fastdeploy-2"));
}
END_TEST

START_TEST(no_fresh_one_where_the_run_has_no_time)
{
    struct error err = ERROR_INIT;
    fake.hangs = "create";
    run.deadline_ms = clock_now_ms();
    ck_assert_int_eq(builder_ready(&run, &place, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
    ck_assert_str_eq(fake.commands.buf, BOOT("lambda-fastdeploy"));
}
END_TEST

START_TEST(another_architecture_is_refused)
{
    struct error err = ERROR_INIT;
    snprintf(platform, sizeof platform, "linux/arm64");
    builder_start(&run);
    ck_assert_int_eq(builder_ready(&run, &place, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_REFUSED);
    ck_assert(strstr(err.msg, "linux/arm64") && strstr(err.msg, "qemu") &&
              strstr(err.msg, "ubuntu-24.04-arm"));
}
END_TEST

START_TEST(a_start_that_nobody_needed_is_ended)
{
    fake.waits = "create";
    builder_start(&run);
    ck_assert(wait_at_most(&fake.begun));
    sem_post(&fake.go);
    builder_release(&run);
    ck_assert(strstr(fake.commands.buf, "create") != NULL);
    ck_assert_ptr_null(run.services.buildx.config_folder);
}
END_TEST

START_TEST(without_a_start_it_is_made_ready_when_needed)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(builder_ready(&run, &place, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(builder_name(&run), "lambda-fastdeploy");
}
END_TEST

/* The runner's next job finds its builder again; another runner of the machine does not. */
START_TEST(each_runner_has_a_builder_of_its_own)
{
    const struct github jobs[] = {
        {.repository = "org/app", .runner_name = "a", .run_id = "1"},
        {.repository = "org/app", .runner_name = "a", .run_id = "2"},
        {.repository = "org/app", .runner_name = "b"},
        {.repository = "org/other", .runner_name = "a"},
        {.repository = "org/app"},
    };
    char names[sizeof jobs / sizeof *jobs][128];
    fake.hangs = "create";
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        struct error err = ERROR_INIT;
        run.services.github = jobs[i];
        run.services.github.is_actions = true;
        run.services.github.runner_temp = folder;
        run.services.builder_start = (struct builder_start){.begun = false};
        strbuf_reset(&fake.commands);
        ck_assert_int_eq(builder_ready(&run, &place, &err),
                         -1); /* both hang, so both names are seen */
        snprintf(names[i], sizeof names[i], "%s", builder_name(&run));
        size_t len = strlen("lambda-fastdeploy-");
        ck_assert_int_eq(strncmp(names[i], "lambda-fastdeploy-", len), 0);
        ck_assert_uint_eq(strspn(names[i] + len, "0123456789abcdef"), 8);
        ck_assert_str_eq(names[i] + len + 8, "-2");
        CLEANUP(strbuf) struct strbuf first = STRBUF_INIT(STRBUF_NO_CAP);
        strbuf_addf(&first, "rm --force %.*s\n", (int)(len + 8), names[i]);
        ck_assert_msg(strstr(fake.commands.buf, first.buf) != NULL, "%s", fake.commands.buf);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg((strcmp(names[i], names[j]) == 0) == (i == 1 && j == 0), "%zu, %zu", i,
                          j);
        builder_release(&run);
    }
}
END_TEST

Suite *builder_suite(void)
{
    Suite *suite = suite_create("builder");
    TCase *tests = tcase_create("builder");
    tcase_set_timeout(tests, 2 * LONGEST_WAIT_S + 10);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, builders_are_made_ready, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tests, a_builder_boots_beside_other_work);
    tcase_add_test(tests, what_goes_wrong_is_told_to_who_needs_it);
    tcase_add_test(tests, a_boot_that_hangs_is_given_up_for_a_fresh_one);
    tcase_add_test(tests, a_second_boot_that_hangs_is_an_error);
    tcase_add_test(tests, no_fresh_one_where_the_run_has_no_time);
    tcase_add_test(tests, another_architecture_is_refused);
    tcase_add_test(tests, a_start_that_nobody_needed_is_ended);
    tcase_add_test(tests, each_runner_has_a_builder_of_its_own);
    tcase_add_test(tests, without_a_start_it_is_made_ready_when_needed);
    suite_add_tcase(suite, tests);
    return suite;
}
