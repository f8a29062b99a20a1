#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/json.h"
#include "core/process.h"
#include "core/text.h"
#include "services/buildx.h"
#include "services/buildx_errors.h"

Suite *buildx_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEX          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *folder; /* owned */
static struct buildx buildx;

/* ---- a buildx by script ---- */

struct script {
    const char *command; /* argv joined by blanks begins so */
    enum process_outcome outcome;
    int code;
    const char *says;     /* lines */
    const char *metadata; /* written where --metadata-file says; NULL: nothing */
};
static const struct script *script; /* borrowed */
static size_t calls;
static char secret_seen[100];
static mode_t secret_mode;
static int64_t now_ms;
#define MS_BETWEEN_LINES 100
static int64_t gave_up_after_ms; /* its last line; -1: not within the hour */

static const char *value_of(const struct process_spec *spec, const char *flag)
{
    for (size_t i = 0; spec->argv[i]; i++)
        if (strcmp(spec->argv[i], flag) == 0)
            return spec->argv[i + 1];
    return NULL;
}

static void look_at_secret(const char *argument)
{
    const char *src = argument ? strstr(argument, "src=") : NULL;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(100);
    struct stat there;
    if (!src)
        return;
    ck_assert_int_eq(stat(src + 4, &there), 0);
    secret_mode = there.st_mode & 07777;
    ck_assert_int_eq(file_read(src + 4, &text, NULL), 0);
    snprintf(secret_seen, sizeof secret_seen, "%s", text.buf);
}

static int run_script(void *context, const struct process_spec *spec,
                      struct process_result *ret_result, struct error *err)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf command = STRBUF_INIT(65536);
    (void)err;
    for (size_t i = 0; spec->argv[i]; i++)
        strbuf_addf(&command, "%s%s", i ? " " : "", spec->argv[i]);
    const struct script *step = &script[calls++];
    ck_assert_msg(step->command && strncmp(command.buf, step->command, strlen(step->command)) == 0,
                  "\"%s\" instead of \"%s\"", command.buf,
                  step->command ? step->command : "nothing");
    look_at_secret(value_of(spec, "--secret"));
    const char *metadata = value_of(spec, "--metadata-file");
    if (metadata)
        ck_assert(!file_exists(metadata));
    if (metadata && step->metadata)
        ck_assert_int_eq(file_write(metadata, step->metadata, strlen(step->metadata), 0600, NULL),
                         0);
    for (const char *line = step->says; line && *line; line += strcspn(line, "\n") + 1) {
        now_ms += MS_BETWEEN_LINES;
        spec->on_line(spec->context, PROCESS_STDERR, line, strcspn(line, "\n"));
    }
    gave_up_after_ms = -1;
    for (int64_t ms = 0; spec->gives_up && ms <= 3600000 && gave_up_after_ms < 0; ms += 1000) {
        if (spec->gives_up(spec->context))
            gave_up_after_ms = ms;
        now_ms += 1000;
    }
    *ret_result = (struct process_result){.outcome = step->outcome, .code = step->code};
    return 0;
}

#define VERSION_SAID "github.com/docker/buildx v0.21.1-desktop.2 abcdef\n"

static void setup(void)
{
    ck_assert_int_eq(file_make_temp_folder("/tmp", &folder, NULL), 0);
    calls = 0;
    secret_seen[0] = '\0';
    process_replace(run_script, NULL);
}

static void teardown(void)
{
    process_replace(NULL, NULL);
    buildx_release(&buildx);
    ck_assert_int_eq(file_remove_tree(folder, NULL), 0);
    free(folder);
    folder = NULL;
}

/* A file below the test's folder, with its own folders. */
static void make_file(const char *name, mode_t mode)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200);
    strbuf_addf(&path, "%s/%s", folder, name);
    for (size_t i = strlen(folder) + 1; i < path.len; i++)
        if (path.buf[i] == '/') {
            path.buf[i] = '\0';
            (void)mkdir(path.buf, 0700); /* it may be there */
            path.buf[i] = '/';
        }
    ck_assert_int_eq(file_write(path.buf, "", 0, mode, NULL), 0);
}

/* That environment, and below the test's folder a PATH with buildx on it. */
static void start(const char *const *environment, bool own_builders)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200);
    CLEANUP(strvec) struct strvec whole = STRVEC_INIT;
    struct error err = ERROR_INIT;
    make_file("bin/buildx", 0700);
    strbuf_addf(&path, "PATH=/bin:%s/bin", folder);
    strvec_push(&whole, path.buf);
    for (size_t i = 0; environment && environment[i]; i++)
        strvec_push(&whole, environment[i]);
    script = NULL; /* nothing is run */
    ck_assert_msg(
        buildx_init(&buildx, (const char *const *)whole.items, folder, own_builders, &err) == 0,
        "%s", err.msg);
    calls = 0;
}

/* ---- finding it ---- */

static const struct {
    const char *what;
    const char *files[2]; /* below the test's folder; "!": may not be started; "home/" is HOME */
    const char *path;     /* PATH; % is the test's folder; NULL: there is none */
    struct script script[2];
    const char *command[2]; /* the first word's end; NULL: not found */
} places[] = {
    {"on PATH", {"bin/buildx"}, "/nowhere:%/bin", {{NULL}}, {"buildx"}},
    {"on PATH, before the plug-in",
     {"bin/buildx", "home/.docker/cli-plugins/docker-buildx"},
     "%/bin",
     {{NULL}},
     {"buildx"}},
    {"no program", {"!bin/buildx"}, "%/bin", {{NULL}}, {NULL}},
    {"the user's plug-in",
     {"home/.docker/cli-plugins/docker-buildx"},
     "%/bin",
     {{NULL}},
     {"/home/.docker/cli-plugins/docker-buildx"}},
    {"no PATH", {"bin/buildx"}, NULL, {{NULL}}, {NULL}},
    {"the CLI with a plug-in somewhere else",
     {"bin/docker"},
     "::%/bin",
     {{"docker buildx version", PROCESS_EXITED, 0, VERSION_SAID, NULL}},
     {"docker", "buildx"}},
    {"the CLI without one",
     {"bin/docker"},
     "%/bin",
     {{"docker buildx version", PROCESS_EXITED, 1, "docker: 'buildx' is not a docker command.\n",
       NULL}},
     {NULL}},
    {"nothing", {NULL}, "%/bin:", {{NULL}}, {NULL}},
};

static bool has_plugin_of_the_machine(void)
{
    static const char *const folders[] = {"/usr/libexec", "/usr/lib", "/usr/local/lib",
                                          "/usr/local/libexec"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/docker/cli-plugins/docker-buildx", folders[i]);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

START_TEST(where_buildx_is)
{
    CLEANUP(strbuf) struct strbuf home = STRBUF_INIT(4200), path = STRBUF_INIT(4200);
    struct error err = ERROR_INIT;
    const char *rest = places[_i].path;
    if (has_plugin_of_the_machine() && !text_equal(places[_i].command[0], "buildx"))
        return; /* it stands before these */
    for (size_t i = 0; i < COUNT(places->files) && places[_i].files[i]; i++) {
        const char *file = places[_i].files[i];
        make_file(file + (*file == '!'), *file == '!' ? 0600 : 0700);
    }
    strbuf_addf(&home, "HOME=%s/home", folder);
    for (strbuf_addstr(&path, "PATH="); rest && *rest; rest++)
        strbuf_addf(&path, *rest == '%' ? "%s" : "%.1s", *rest == '%' ? folder : rest);
    const char *const environment[] = {home.buf, rest ? path.buf : NULL, NULL};
    script = places[_i].script;
    int rc = buildx_init(&buildx, environment, folder, false, &err);
    ck_assert_msg(rc == (places[_i].command[0] ? 0 : -1), "%s: %s", places[_i].what, err.msg);
    ck_assert_uint_eq(calls, places[_i].script[0].command ? 1 : 0);
    if (rc < 0) {
        ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(err.msg, "install it"));
        ck_assert_ptr_null(buildx.config_folder);
        return;
    }
    ck_assert_uint_eq(buildx.command.len, places[_i].command[1] ? 2 : 1);
    ck_assert(text_ends_with(buildx.command.items[0], places[_i].command[0]));
    if (places[_i].command[1])
        ck_assert_str_eq(buildx.command.items[1], places[_i].command[1]);
}
END_TEST

/* ---- environment ---- */

static const char *const full[] = {"HOME=/home/u",
                                   "DOCKER_HOST=unix:///x",
                                   "DOCKER_CONFIG=/user",
                                   "DOCKER_CONTEXT=mine",
                                   "BUILDX_BUILDER=mine",
                                   "BUILDX_GIT_INFO=true",
                                   "INPUT_SECRETS=s",
                                   "AWS_SECRET_ACCESS_KEY=s",
                                   "AWS_SESSION_TOKEN=s",
                                   "ACTIONS_ID_TOKEN_REQUEST_TOKEN=s",
                                   "ACTIONS_RUNTIME_TOKEN=cache",
                                   "ACTIONS_RESULTS_URL=https://results",
                                   "HTTPS_PROXY=http://p",
                                   "AWSOME=1",
                                   "INPUTS=1",
                                   NULL};
static const struct {
    const char *name, *value; /* NULL: not there */
    int own;                  /* 0: a private one, 1: the user's builders, 2: both */
} variables[] = {
    {"HOME", "/home/u", 2},
    {"DOCKER_HOST", "unix:///x", 2},
    {"DOCKER_CONTEXT", NULL, 2},
    {"BUILDX_BUILDER", NULL, 2},
    {"INPUT_SECRETS", NULL, 2},
    {"AWS_SECRET_ACCESS_KEY", NULL, 2},
    {"AWS_SESSION_TOKEN", NULL, 2},
    {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", NULL, 2},
    {"ACTIONS_RUNTIME_TOKEN", "cache", 2},
    {"ACTIONS_CACHE_SERVICE_V2", "true", 2},
    {"HTTPS_PROXY", "http://p", 2},
    {"AWSOME", "1", 2},
    {"INPUTS", "1", 2},
    {"BUILDX_GIT_INFO", "false", 2},
    {"BUILDX_NO_DEFAULT_ATTESTATIONS", "1", 2},
    {"BUILDX_CONFIG", NULL, 0},
    {"BUILDX_CONFIG", "/user/buildx", 1},
};

START_TEST(the_environment_is_filtered)
{
    for (int own = 0; own < 2; own++) {
        if (variables[_i].own != 2 && variables[_i].own != own)
            continue;
        start(full, own == 1);
        ck_assert_pstr_eq(environ_get((const char *const *)buildx.env.items, variables[_i].name),
                          variables[_i].value);
        ck_assert_str_eq(environ_get((const char *const *)buildx.env.items, "DOCKER_CONFIG"),
                         buildx.config_folder);
        buildx_release(&buildx);
    }
}
END_TEST

static const struct {
    const char *environ[4];
    bool v2;
} caches[] = {
    {{"ACTIONS_RESULTS_URL=u", NULL}, true},
    {{"ACTIONS_RESULTS_URL=u", "GITHUB_SERVER_URL=https://github.com", NULL}, true},
    {{"ACTIONS_RESULTS_URL=u", "GITHUB_SERVER_URL=https://x.ghe.com", NULL}, true},
    {{"ACTIONS_RESULTS_URL=u", "GITHUB_SERVER_URL=https://github.example.com", NULL}, false},
    {{"ACTIONS_CACHE_URL=u", "ACTIONS_CACHE_SERVICE_V2=true", NULL}, false},
};

START_TEST(the_caches_protocol)
{
    start(caches[_i].environ, false);
    ck_assert_pstr_eq(
        environ_get((const char *const *)buildx.env.items, "ACTIONS_CACHE_SERVICE_V2"),
        caches[_i].v2 ? "true" : NULL);
}
END_TEST

/* ---- logins ---- */

START_TEST(logins_are_private_and_kept)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4200), text = STRBUF_INIT(4096);
    struct stat there;
    start(NULL, false);
    strbuf_addf(&path, "%s/config.json", buildx.config_folder);
    ck_assert_int_eq(buildx_login(&buildx, "a.example", "AWS", "one", NULL), 0);
    ck_assert_int_eq(buildx_login(&buildx, "b.example", "AWS", "two", NULL), 0);
    ck_assert_int_eq(buildx_login(&buildx, "a.example", "AWS", "new", NULL), 0);
    ck_assert_int_eq(file_read(path.buf, &text, NULL), 0);
    ck_assert_str_eq(text.buf, "{\"auths\":{\"a.example\":{\"auth\":\"QVdTOm5ldw==\"},"
                               "\"b.example\":{\"auth\":\"QVdTOnR3bw==\"}}}");
    ck_assert_int_eq(stat(path.buf, &there), 0);
    ck_assert_uint_eq(there.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(buildx.config_folder, &there), 0);
    ck_assert_uint_eq(there.st_mode & 07777, 0700);
    buildx_release(&buildx);
    ck_assert(!file_exists(path.buf));
}
END_TEST

/* ---- builders ---- */

#define INSPECT "buildx inspect --bootstrap b"
#define MAKE    "buildx create --name b --driver remote --bootstrap tcp://x"

static const struct {
    struct script script[3];
    enum error_kind kind;
    const char *message;
} builders[] = {
    {{{INSPECT, PROCESS_EXITED, 0, NULL, NULL}}, ERROR_NONE, ""},
    {{{INSPECT, PROCESS_EXITED, 1, "ERROR: no builder\n", NULL},
      {MAKE, PROCESS_EXITED, 0, "b\n", NULL}},
     ERROR_NONE,
     ""},
    {{{INSPECT, PROCESS_EXITED, 1, "ERROR: no builder\n", NULL},
      {MAKE, PROCESS_EXITED, 1, "ERROR: dial tcp: refused\n", NULL}},
     ERROR_PROCESS,
     "starting a builder"},
    {{{INSPECT, PROCESS_TIMED_OUT, 0, "waiting\n", NULL}}, ERROR_TIMEOUT, "starting a builder"},
    {{{INSPECT, PROCESS_CANCELLED, 0, NULL, NULL}}, ERROR_CANCELLED, ""},
};

START_TEST(builders_are_started)
{
    struct error err = ERROR_INIT;
    start(NULL, false);
    script = builders[_i].script;
    int rc = buildx_ensure_builder(&buildx, "b", "remote", "tcp://x", 1000, &err);
    ck_assert_int_eq(err.kind, builders[_i].kind);
    ck_assert_int_eq(rc, err.kind == ERROR_NONE ? 0 : -1);
    ck_assert_msg(strstr(err.msg, builders[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(script[calls].command);
    if (err.kind == ERROR_PROCESS)
        ck_assert_ptr_nonnull(strstr(err.msg, "dial tcp: refused"));
}
END_TEST

#define NAMED  "buildx create --name b --driver docker-container"
#define REMOVE "buildx rm --force b"

static const struct {
    struct script script[3];
    const char *message;
} removals[] = {
    {{{NAMED, PROCESS_EXITED, 0, "b\n", NULL}, {REMOVE, PROCESS_EXITED, 0, "b removed\n", NULL}},
     ""},
    {{{NAMED, PROCESS_EXITED, 1, "ERROR: no engine\n", NULL}}, "naming the builder"},
    {{{NAMED, PROCESS_EXITED, 0, "b\n", NULL}, {REMOVE, PROCESS_EXITED, 1, "ERROR: busy\n", NULL}},
     "busy"},
};

START_TEST(builders_are_removed)
{
    struct error err = ERROR_INIT;
    start(NULL, false);
    script = removals[_i].script;
    int rc = buildx_remove_builder(&buildx, "b", &err);
    ck_assert_int_eq(rc, removals[_i].message[0] ? -1 : 0);
    ck_assert_msg(strstr(err.msg, removals[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(script[calls].command);
}
END_TEST

static const struct {
    const char *says, *platform;
    bool can;
} platforms[] = {
    {"Name: x\nPlatforms: linux/amd64, linux/amd64/v2, linux/386\n", "linux/amd64", true},
    {"Platforms:        linux/amd64*, linux/arm64\n", "linux/arm64", true},
    {"Platforms: linux/amd64*, linux/386\n", "linux/amd64", true},
    {"Platforms: linux/amd64, linux/arm64/v9\n", "linux/arm64", false},
    {"Platforms: linux/amd64\nLabels: linux/arm64\n", "linux/arm64", false},
    {"Platforms: linux/amd64\n\nName: y\nPlatforms: linux/arm64\n", "linux/arm64", true},
    {"Status: inactive\n", "linux/arm64", true},
    {"Platforms: linux/arm/v7\n", "linux/arm", false},
};

START_TEST(platforms_of_a_builder)
{
    const struct script steps[] = {{"buildx inspect", PROCESS_EXITED, 0, platforms[_i].says, NULL}};
    bool can = !platforms[_i].can;
    start(NULL, false);
    script = steps;
    ck_assert_int_eq(buildx_builds_platform(&buildx, NULL, platforms[_i].platform, &can, NULL), 0);
    ck_assert(can == platforms[_i].can);
}
END_TEST

/* ---- arguments ---- */

START_TEST(arguments_of_the_smallest_build)
{
    CLEANUP(strvec) struct strvec argv = STRVEC_INIT, none = STRVEC_INIT;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(8192);
    const struct buildx_build build = {.file = "/w/Dockerfile",
                                       .context = "/w",
                                       .platform = "linux/amd64",
                                       .compression_level = -1};
    buildx_arguments(&build, &none, NULL, &argv);
    for (size_t i = 0; i < argv.len; i++)
        strbuf_addf(&line, "%s\n", argv.items[i]);
    ck_assert_str_eq(
        line.buf,
        "build\n--progress=rawjson\n--provenance=false\n--sbom=false\n--file\n/w/Dockerfile\n"
        "--platform\nlinux/amd64\n--output=type=cacheonly\n/w\n");
}
END_TEST

START_TEST(arguments_of_the_largest_build)
{
    CLEANUP(strvec)
    struct strvec argv = STRVEC_INIT, secrets = STRVEC_INIT, args = STRVEC_INIT, tags = STRVEC_INIT;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(8192);
    strvec_push_many(&args, "A=1 2", "--B=$(x)", NULL);
    strvec_push_many(&tags, "r/a:1", "r/a:2", NULL);
    strvec_push(&secrets, "id=s,src=/f");
    const struct buildx_build build = {.builder = "b",
                                       .file = "/w/D",
                                       .context = "/w",
                                       .target = "t",
                                       .platform = "linux/arm64",
                                       .build_args = &args,
                                       .build_contexts = &args,
                                       .labels = &args,
                                       .cache_from = &tags,
                                       .cache_to = &tags,
                                       .tags = &tags,
                                       .compression = "zstd",
                                       .compression_level = 3,
                                       .no_cache = true,
                                       .pull = true};
    buildx_arguments(&build, &secrets, "/m", &argv);
    for (size_t i = 0; i < argv.len; i++)
        strbuf_addf(&line, "%s\n", argv.items[i]);
    ck_assert_str_eq(
        line.buf,
        "build\n--progress=rawjson\n--provenance=false\n--sbom=false\n--builder\nb\n--file\n/w/"
        "D\n--target\nt\n"
        "--platform\nlinux/arm64\n--metadata-file\n/m\n--tag\nr/a:1\n--tag\nr/"
        "a:2\n--build-arg\nA=1 2\n"
        "--build-arg\n--B=$(x)\n--build-context\nA=1 2\n--build-context\n--B=$(x)\n--label\nA=1 "
        "2\n--label\n"
        "--B=$(x)\n--secret\nid=s,src=/f\n--cache-from\nr/a:1\n--cache-from\nr/a:2\n--cache-to\nr/"
        "a:1\n"
        "--cache-to\nr/a:2\n--no-cache\n--pull\n--output\n"
        "type=image,push=true,oci-mediatypes=true,compression=zstd,compression-level=3\n/w\n");
}
END_TEST

/* ---- builds ---- */

#define BUILD "buildx build --progress=rawjson"
#define GOOD  "{\"containerimage.digest\":\"sha256:" HEX "\"}"
#define FAILED_STEP                                                                                \
    "{\"vertexes\":[{\"digest\":\"sha256:a\",\"name\":\"[2/3] RUN "                                \
    "make\",\"started\":\"2026-11-23T13:20:00Z\","                                                 \
    "\"completed\":\"2026-11-23T13:20:01Z\",\"error\":\"process \\\"/bin/sh -c make\\\" did not "  \
    "complete successfully: exit code: 2\"}]}\n"

static const struct {
    struct script step;
    const char *digest;
    enum error_kind kind;
    int code;
    const char *message;
} builds[] = {
    {{BUILD, PROCESS_EXITED, 0, NULL, GOOD}, "sha256:" HEX, ERROR_NONE, 0, ""},
    {{BUILD, PROCESS_EXITED, 0, NULL, NULL}, "", ERROR_NOT_FOUND, 0, "reading what buildx built"},
    {{BUILD, PROCESS_EXITED, 0, NULL, "{\"contai"},
     "",
     ERROR_PROTOCOL,
     0,
     "reading what buildx built"},
    {{BUILD, PROCESS_EXITED, 0, NULL, "{}"}, "", ERROR_PROTOCOL, 0, "does not say which image"},
    {{BUILD, PROCESS_EXITED, 0, NULL, "{\"containerimage.digest\":\"sha256:" HEX "0\"}"},
     "",
     ERROR_PROTOCOL,
     0,
     "does not say"},
    {{BUILD, PROCESS_EXITED, 0, NULL, "{\"containerimage.digest\":7}"},
     "",
     ERROR_PROTOCOL,
     0,
     "does not say"},
    {{BUILD, PROCESS_EXITED, 1, FAILED_STEP, NULL},
     "",
     ERROR_FAILED,
     2,
     "the step [2/3] RUN make ended with status 2"},
    {{BUILD, PROCESS_EXITED, 1, "ERROR: failed to solve: boom\n", GOOD},
     "",
     ERROR_PROCESS,
     1,
     "failed to solve: boom"},
    {{BUILD, PROCESS_CANCELLED, 0, FAILED_STEP, NULL}, "", ERROR_CANCELLED, 0, "buildx build"},
    {{BUILD, PROCESS_TIMED_OUT, 0, NULL, NULL}, "", ERROR_TIMEOUT, 0, "buildx build"},
    {{BUILD, PROCESS_SIGNALLED, 9, NULL, NULL}, "", ERROR_PROCESS, 137, "buildx build"},
    {{BUILD, PROCESS_GIVEN_UP, 0, NULL, NULL},
     "",
     ERROR_NETWORK,
     BUILDX_STOOD_STILL,
     "it stood still"},
};

/* What a build has left in the private folder, besides config.json. */
static void assert_nothing_left(void)
{
    DIR *open_folder = opendir(buildx.config_folder);
    ck_assert_ptr_nonnull(open_folder);
    for (const struct dirent *entry; (entry = readdir(open_folder));)
        ck_assert_msg(entry->d_name[0] == '.' || strcmp(entry->d_name, "config.json") == 0,
                      "left behind: %s", entry->d_name);
    closedir(open_folder);
}

START_TEST(builds_end)
{
    CLEANUP(strvec) struct strvec secrets = STRVEC_INIT, tags = STRVEC_INIT;
    struct buildx_result result;
    struct error err = ERROR_INIT;
    start(NULL, false);
    strvec_push(&secrets, "token=s3=cr\net");
    strvec_push(&tags, "r/a:1");
    const struct buildx_build build = {.file = "/w/D",
                                       .context = "/w",
                                       .platform = "linux/amd64",
                                       .secrets = &secrets,
                                       .tags = &tags,
                                       .compression_level = -1};
    script = &builds[_i].step;
    int rc = buildx_build(&buildx, &build, &result, &err);
    ck_assert_msg(err.kind == builds[_i].kind, "%s", err.msg);
    ck_assert_int_eq(rc, err.kind == ERROR_NONE ? 0 : -1);
    if (builds[_i].code)
        ck_assert_int_eq(err.code, builds[_i].code);
    ck_assert_msg(strstr(err.msg, builds[_i].message) != NULL, "%s", err.msg);
    ck_assert_str_eq(result.digest, builds[_i].digest);
    ck_assert_str_eq(secret_seen, "s3=cr\net");
    ck_assert_uint_eq(secret_mode, 0600);
    assert_nothing_left();
    ck_assert_uint_eq(result.progress.len,
                      builds[_i].step.says && builds[_i].step.says[0] == '{' ? 1 : 0);
    buildx_result_release(&result);
}
END_TEST

static int64_t fake_now(void *context)
{
    return *(int64_t *)context;
}

static const struct {
    const char *says;
    int64_t exchange_limit_ms, gives_up_after_ms;
} patience[] = {
    {NULL, 0, 300000},
    {NULL, 2000, 8000},
    {"some words that are no progress\n", 2000, 8000},
    {FAILED_STEP, 2000, -1},
    {"{\"vertexes\":[{\"digest\":\"a\",\"name\":\"exporting cache to "
     "registry\",\"started\":\"2026-11-23T13:20:00Z\"}]}\n",
     2000, 600000},
};

START_TEST(what_stands_still_is_given_up)
{
    const struct clock_source clock = {.now_ms = fake_now, .context = &now_ms};
    struct buildx_result result;
    struct error err = ERROR_INIT;
    start(NULL, false);
    const struct script says = {BUILD, PROCESS_EXITED, 0, patience[_i].says, NULL};
    const struct buildx_build build = {
        .file = "/w/D", .context = "/w", .platform = "linux/amd64", .compression_level = -1};
    buildx.exchange_limit_ms = patience[_i].exchange_limit_ms;
    script = &says;
    clock_replace(&clock);
    int rc = buildx_build(&buildx, &build, &result, &err);
    clock_replace(NULL);
    ck_assert_msg(rc == 0, "%s", err.msg);
    ck_assert_int_eq(gave_up_after_ms, patience[_i].gives_up_after_ms);
    buildx_result_release(&result);
}
END_TEST

/* After which of its lines BuildKit is heard of; 0: after none. */
static const struct {
    const char *says;
    int lines;
} words[] = {
    {NULL, 0},
    {"some words that are no progress\n{\"statuses\":[]}\n", 0},
    {FAILED_STEP, 1},
    {"some words that are no progress\n" FAILED_STEP FAILED_STEP, 2},
};

START_TEST(buildkit_is_heard_of)
{
    const struct clock_source clock = {.now_ms = fake_now, .context = &now_ms};
    const struct script says = {BUILD, PROCESS_EXITED, 0, words[_i].says, NULL};
    const struct buildx_build build = {.file = "/w/D", .context = "/w"};
    struct buildx_result result;
    start(NULL, false);
    script = &says;
    now_ms = 5000;
    clock_replace(&clock);
    ck_assert_int_eq(buildx_build(&buildx, &build, &result, NULL), 0);
    clock_replace(NULL);
    ck_assert_int_eq(result.heard_ms,
                     words[_i].lines ? 5000 + words[_i].lines * MS_BETWEEN_LINES : 0);
    buildx_result_release(&result);
}
END_TEST

#define OTHER_HEX "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define PUSHED                                                                                     \
    "{\"vertexes\":[{\"digest\":\"sha256:a\",\"name\":\"exporting to image\","                     \
    "\"started\":\"2026-11-23T13:20:00Z\",\"completed\":\"2026-11-23T13:20:01Z\"}],"               \
    "\"statuses\":[{\"id\":\"pushing manifest for r/a:1@sha256:" OTHER_HEX                         \
    "\",\"vertex\":\"sha256:a\",\"completed\":\"2026-11-23T13:20:01Z\"}]}\n"

static int times_told;

static void count_pushed(void *context, const struct buildx_result *result)
{
    ck_assert_str_eq(context, "mine");
    ck_assert_str_eq(result->digest, "sha256:" OTHER_HEX);
    ck_assert_uint_eq(result->progress.len, 1);
    times_told++;
}

/* What BuildKit says itself, where it is asked for, counts more than what stands in the end, and
 * stays however the call ends. */
static const struct {
    struct script step;
    bool asks;
    int times_told;
    const char *digest;
    enum error_kind kind;
} pushes[] = {
    {{BUILD, PROCESS_EXITED, 0, PUSHED, GOOD}, true, 1, "sha256:" OTHER_HEX, ERROR_NONE},
    {{BUILD, PROCESS_EXITED, 0, PUSHED, GOOD}, false, 0, "sha256:" HEX, ERROR_NONE},
    {{BUILD, PROCESS_EXITED, 0, PUSHED PUSHED FAILED_STEP, GOOD},
     true,
     1,
     "sha256:" OTHER_HEX,
     ERROR_NONE},
    {{BUILD, PROCESS_EXITED, 1, PUSHED, NULL}, true, 1, "sha256:" OTHER_HEX, ERROR_PROCESS},
    {{BUILD, PROCESS_CANCELLED, 0, PUSHED, NULL}, true, 1, "sha256:" OTHER_HEX, ERROR_CANCELLED},
    {{BUILD, PROCESS_EXITED, 0, "some words\n", GOOD}, true, 0, "sha256:" HEX, ERROR_NONE},
};

START_TEST(a_push_is_told_of)
{
    CLEANUP(strvec) struct strvec tags = STRVEC_INIT;
    struct buildx_result result;
    struct error err = ERROR_INIT;
    start(NULL, false);
    strvec_push(&tags, "r/a:1");
    char mine[] = "mine";
    const struct buildx_build build = {.file = "/w/D",
                                       .context = "/w",
                                       .tags = &tags,
                                       .on_pushed = pushes[_i].asks ? count_pushed : NULL,
                                       .line_context = mine};
    script = &pushes[_i].step;
    times_told = 0;
    (void)buildx_build(&buildx, &build, &result, &err);
    ck_assert_int_eq(err.kind, pushes[_i].kind);
    ck_assert_int_eq(times_told, pushes[_i].times_told);
    ck_assert_str_eq(result.digest, pushes[_i].digest);
    buildx_result_release(&result);
}
END_TEST

/* Nothing is pushed, so there is no image to name. */
START_TEST(a_build_for_the_cache_alone)
{
    static const struct script step = {BUILD, PROCESS_EXITED, 0, NULL, NULL};
    struct buildx_result result;
    struct error err = ERROR_INIT;
    start(NULL, false);
    const struct buildx_build build = {.file = "/w/D", .context = "/w"};
    script = &step;
    ck_assert_msg(buildx_build(&buildx, &build, &result, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(result.digest, "");
    assert_nothing_left();
    buildx_result_release(&result);
}
END_TEST

START_TEST(a_secret_without_a_name)
{
    CLEANUP(strvec) struct strvec secrets = STRVEC_INIT;
    struct buildx_result result;
    struct error err = ERROR_INIT;
    start(NULL, false);
    strvec_push_many(&secrets, "a=b", "s3cret", NULL);
    const struct buildx_build build = {.file = "/w/D", .context = "/w", .secrets = &secrets};
    ck_assert_int_eq(buildx_build(&buildx, &build, &result, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_INPUT);
    ck_assert_ptr_null(strstr(err.msg, "s3cret"));
    assert_nothing_left();
    buildx_result_release(&result);
}
END_TEST

/* ---- why it failed ---- */

static const struct {
    const char *step, *other; /* the failed step's error, or buildx's last words */
    enum error_kind kind;
    int code;
    const char *message;
} causes[] = {
    {"process \"/bin/sh -c make\" did not complete successfully: exit code: 2", "", ERROR_FAILED, 2,
     "the step S ended with status 2"},
    {"process \"/bin/sh -c echo did not complete successfully: exit code: 9; exit 3\" did not "
     "complete successfully: exit code: 3",
     "", ERROR_FAILED, 3, "status 3"},
    {"process \"/bin/sh -c echo exit code: 9; exit 3\" did not complete successfully: exit code: 3",
     "", ERROR_FAILED, 3, "status 3"},
    {"process \"/bin/sh -c curl # connection refused\" did not complete successfully: exit code: 7",
     "", ERROR_FAILED, 7, "status 7"},
    {"process \"/bin/sh -c cc\" did not complete successfully: exit code: 137", "", ERROR_FAILED,
     137, "want of memory"},
    {"failed to push r/a:1: unexpected status from PUT request to https://r/v2/a/manifests/1: 503 "
     "Service Unavailable",
     "", ERROR_NETWORK, 0, "S: failed to push"},
    {"failed to push r/a:1: failed to copy: failed to send write: write tcp "
     "1.2.3.4:5->6.7.8.9:443: write: broken pipe: unknown",
     "", ERROR_NETWORK, 0, ""},
    {"failed to do request: Head \"https://r/v2/a/manifests/1\": dial tcp: lookup r on "
     "127.0.0.53:53: no such host",
     "", ERROR_NETWORK, 0, ""},
    {"failed to push r/a:1: unexpected status from POST request to https://r/v2/a/blobs/uploads/: "
     "401 Unauthorized",
     "", ERROR_DENIED, 0, ""},
    {"failed to push r/a:1: failed commit on ref \"manifest-sha256:00\": unexpected status from "
     "PUT "
     "request to https://r/v2/a/manifests/1: 400 Bad Request",
     "", ERROR_SERVER, 0, ""},
    {"failed to push r/a:1: failed commit on ref \"manifest-sha256:00\": unexpected status from "
     "PUT "
     "request to https://r/v2/a/manifests/1: 403 Forbidden",
     "", ERROR_DENIED, 0, ""},
    {"image \"r/a:pushed\": already exists", "", ERROR_SERVER, 0, "already exists"},
    {"failed to prepare extraction snapshot \"extract-1-a sha256:00\": parent snapshot sha256:11 "
     "does "
     "not exist: not found",
     "", ERROR_SERVER, 0, "parent snapshot"},
    {"failed to push r/a:1: unexpected status from HEAD request to https://r/v2/a/blobs/x: 403 "
     "Forbidden",
     "", ERROR_DENIED, 0, ""},
    {"unexpected status from HEAD request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/blobs/sha256:x: 403 Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:BatchCheckLayerAvailability"},
    {"unexpected status from GET request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/blobs/sha256:x: 403 Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:GetDownloadUrlForLayer"},
    {"unexpected status from POST request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/blobs/uploads/?mount=sha256:x&from=b: 403 "
     "Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:InitiateLayerUpload"},
    {"unexpected status from PATCH request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/blobs/uploads/7: 403 Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:UploadLayerPart"},
    {"unexpected status from PUT request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/blobs/uploads/7?digest=sha256:x: 403 "
     "Forbidden",
     "", ERROR_DENIED, 0,
     "; this needs the IAM permission ecr:CompleteLayerUpload, and ecr:UploadLayerPart"},
    {"unexpected status from PUT request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/pushed: 403 Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:PutImage"},
    {"unexpected status from HEAD request to "
     "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/3.12: 403 Forbidden",
     "", ERROR_DENIED, 0, "; this needs the IAM permission ecr:BatchGetImage"},
    {"pull access denied, repository does not exist or may require authorization: server message: "
     "insufficient_scope: authorization failed",
     "", ERROR_DENIED, 0, "is the image's name right"},
    {"docker.io/library/x:nope: not found", "", ERROR_NOT_FOUND, 0,
     "S: docker.io/library/x:nope: not found"},
    {"unexpected status code https://registry-1.docker.io/v2/library/a/manifests/1: 429 Too Many "
     "Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
     "", ERROR_THROTTLED, 0, "mirror"},
    {"failed to calculate checksum of ref moby::x: \"/nope\": not found", "", ERROR_INPUT, 0,
     ".dockerignore"},
    {"no match for platform in manifest: not found", "", ERROR_INPUT, 0, "this platform"},
    {"write /x: no space left on device", "", ERROR_FAILED, 0, "prune"},
    {NULL,
     "ERROR: failed to build: failed to solve: dockerfile parse error on line 2: unknown "
     "instruction: RUM (did you mean RUN?)\n",
     ERROR_INPUT, 0, "line 2"},
    {NULL, "ERROR: failed to solve: failed to read dockerfile: open D: no such file or directory\n",
     ERROR_INPUT, 0, "failed to read dockerfile"},
    {NULL, "ERROR: failed to solve: target stage \"x\" could not be found in dockerfile\n",
     ERROR_INPUT, 0, "target stage"},
    {NULL, "WARNING: a ERROR: b\nERROR: first\nERROR: c\nView build details: x\n", ERROR_PROCESS, 5,
     "c"},
    {NULL, "first\nunknown flag: --x\n\n", ERROR_PROCESS, 5, "unknown flag: --x"},
    {NULL, "", ERROR_PROCESS, 5, "buildx ended with status 5 and said nothing"},
};

static const struct {
    const char *said;
    int line;
} shown_lines[] = {
    {"Dockerfile.lambda:14\n--------------------\n  13 |\n  14 | >>> RUN x\n--------------------\n",
     14},
    {"WARNING: a\nD:3\n--------------------\n", 3},
    {"", 0},
    {"--------------------\n", 0},
    {"\n--------------------\n", 0},
    {"14\n--------------------\n", 0},
    {"D:\n--------------------\n", 0},
    {"D:0\n--------------------\n", 0},
    {"D:99999999999999999\n--------------------\n", 0},
    {"D:14\n---\n", 0},
};

START_TEST(failed_line_is_found)
{
    struct progress progress;
    progress_init(&progress);
    strbuf_addstr(&progress.other, shown_lines[_i].said);
    ck_assert_int_eq(buildx_failed_line(&progress), shown_lines[_i].line);
    progress_release(&progress);
}
END_TEST

START_TEST(failures_are_explained)
{
    struct progress progress;
    struct error err = ERROR_INIT;
    progress_init(&progress);
    if (causes[_i].step) {
        CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(8192);
        struct json *root = json_new_object(), *list = json_new_array(),
                    *vertex = json_new_object();
        json_put_string(vertex, "digest", "sha256:a");
        json_put_string(vertex, "name", "S");
        json_put_string(vertex, "completed", "2026-11-23T13:20:01Z");
        json_put_string(vertex, "error", causes[_i].step);
        json_append(list, vertex);
        json_put(root, "vertexes", list);
        json_print(root, &line);
        json_free(root);
        progress_add_line(&progress, line.buf, line.len);
    }
    for (const char *line = causes[_i].other; *line; line += strcspn(line, "\n") + 1)
        progress_add_line(&progress, line, strcspn(line, "\n"));
    ck_assert_int_eq(buildx_explain_failure(&progress, 5, &err), -1);
    ck_assert_msg(err.kind == causes[_i].kind && err.code == causes[_i].code, "%d %d: %s", err.kind,
                  err.code, err.msg);
    ck_assert_msg(strstr(err.msg, causes[_i].message) != NULL, "%s", err.msg);
    if (!causes[_i].step)
        ck_assert(strncmp(err.msg, causes[_i].message, 1) == 0 || err.kind == ERROR_INPUT);
    progress_release(&progress);
}
END_TEST

Suite *buildx_suite(void)
{
    Suite *suite = suite_create("buildx");
    TCase *tcase = tcase_create("buildx"), *pure = tcase_create("pure");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, where_buildx_is, 0, COUNT(places));
    tcase_add_loop_test(tcase, the_environment_is_filtered, 0, COUNT(variables));
    tcase_add_loop_test(tcase, the_caches_protocol, 0, COUNT(caches));
    tcase_add_test(tcase, logins_are_private_and_kept);
    tcase_add_loop_test(tcase, builders_are_started, 0, COUNT(builders));
    tcase_add_loop_test(tcase, builders_are_removed, 0, COUNT(removals));
    tcase_add_loop_test(tcase, platforms_of_a_builder, 0, COUNT(platforms));
    tcase_add_loop_test(tcase, builds_end, 0, COUNT(builds));
    tcase_add_loop_test(tcase, what_stands_still_is_given_up, 0, COUNT(patience));
    tcase_add_loop_test(tcase, buildkit_is_heard_of, 0, COUNT(words));
    tcase_add_loop_test(tcase, a_push_is_told_of, 0, COUNT(pushes));
    tcase_add_test(tcase, a_secret_without_a_name);
    tcase_add_test(tcase, a_build_for_the_cache_alone);
    tcase_add_test(pure, arguments_of_the_smallest_build);
    tcase_add_test(pure, arguments_of_the_largest_build);
    tcase_add_loop_test(pure, failures_are_explained, 0, COUNT(causes));
    tcase_add_loop_test(pure, failed_line_is_found, 0, sizeof shown_lines / sizeof *shown_lines);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, pure);
    return suite;
}
