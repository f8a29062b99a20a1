#include "services/buildx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/json.h"
#include "core/process.h"
#include "core/text.h"

#define SHORT_TIMEOUT_MS 20000
#define CONFIG_MAX_BYTES 65536
#define OUTPUT_MAX_BYTES 65536
#define SAID_BYTES       400

/* Where packages put the plug-in; it runs standalone too. */
static const char *const plugin_folders[] = {
    "/usr/local/libexec/docker/cli-plugins", "/usr/local/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins"};

static void collect_line(void *context, enum process_stream stream, const char *line, size_t len)
{
    (void)stream;
    struct strbuf *out = context;
    strbuf_add(out, line, len);
    strbuf_addch(out, '\n');
}

/* Run buildx with these arguments and keep what it says. */
static int run_short(const struct buildx *buildx, const struct strvec *arguments,
                     int64_t timeout_ms, struct strbuf *out, struct process_result *ret_result,
                     struct error *err)
{
    CLEANUP(strvec) struct strvec argv = STRVEC_INIT;
    strvec_push_all(&argv, &buildx->command);
    strvec_push_all(&argv, arguments);
    const struct process_spec spec = {.argv = (const char *const *)argv.items,
                                      .env = (const char *const *)buildx->env.items,
                                      .timeout_ms = timeout_ms,
                                      .on_line = collect_line,
                                      .context = out};
    return process_run(&spec, ret_result, err);
}

static bool is_program(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISREG(there.st_mode) && access(path, X_OK) == 0;
}

static bool is_on_path(const char *const *environment, const char *name)
{
    const char *at = environ_get(environment, "PATH");
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096);
    while (at && *at) {
        size_t len = strcspn(at, ":");
        strbuf_reset(&path);
        strbuf_addf(&path, "%.*s/%s", len > 0 ? (int)len : 1, len > 0 ? at : ".", name);
        if (is_program(path.buf))
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

/* The CLI knows further places of its plug-ins: only it can tell whether there is one. */
static bool has_plugin(struct buildx *buildx)
{
    CLEANUP(strbuf) struct strbuf said = STRBUF_INIT(OUTPUT_MAX_BYTES);
    CLEANUP(strvec) struct strvec arguments = STRVEC_INIT;
    struct process_result result;
    struct error ignored = ERROR_INIT; /* then there is none */
    strvec_push(&arguments, "version");
    return run_short(buildx, &arguments, SHORT_TIMEOUT_MS, &said, &result, &ignored) == 0 &&
           result.outcome == PROCESS_EXITED && result.code == 0;
}

static bool find_plugin(struct buildx *buildx, const char *const *environment)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096);
    const char *home = environ_get(environment, "HOME");
    for (size_t i = 0; i <= sizeof plugin_folders / sizeof *plugin_folders; i++) {
        strbuf_reset(&path);
        if (i > 0)
            strbuf_addf(&path, "%s/docker-buildx", plugin_folders[i - 1]);
        else if (home)
            strbuf_addf(&path, "%s/.docker/cli-plugins/docker-buildx", home);
        if (path.len > 0 && is_program(path.buf)) {
            strvec_push(&buildx->command, path.buf);
            return true;
        }
    }
    return false;
}

static int find_program(struct buildx *buildx, const char *const *environment, struct error *err)
{
    if (is_on_path(environment, "buildx")) {
        strvec_push(&buildx->command, "buildx");
        return 0;
    }
    if (find_plugin(buildx, environment))
        return 0;
    strvec_push(&buildx->command, "docker");
    strvec_push(&buildx->command, "buildx");
    if (is_on_path(environment, "docker") && has_plugin(buildx))
        return 0;
    return error_set(err, ERROR_NOT_FOUND,
                     "there is no buildx program here; install it (Debian: docker-buildx, or "
                     "docker/setup-buildx-action)");
}

/* Names that are ours to set in a child's environment. */
static const char *const own_names[] = {"DOCKER_CONFIG",
                                        "BUILDX_CONFIG",
                                        "BUILDX_BUILDER",
                                        "BUILDX_NO_DEFAULT_ATTESTATIONS",
                                        "BUILDX_METADATA_PROVENANCE",
                                        "ACTIONS_CACHE_SERVICE_V2",
                                        "BUILDX_GIT_INFO",
                                        "DOCKER_CONTEXT"};
/* Secrets that a build has no business with. */
static const char *const hidden_prefixes[] = {"INPUT_", "AWS_", "ACTIONS_ID_TOKEN_"};

static bool is_left_out(const char *pair)
{
    size_t len = strcspn(pair, "=");
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++)
        if (strlen(own_names[i]) == len && strncmp(own_names[i], pair, len) == 0)
            return true;
    for (size_t i = 0; i < sizeof hidden_prefixes / sizeof *hidden_prefixes; i++)
        if (text_starts_with(pair, hidden_prefixes[i]))
            return true;
    return false;
}

static void push_own_builders(struct strvec *env, const char *const *environment)
{
    const char *buildx = environ_get(environment, "BUILDX_CONFIG"),
               *docker = environ_get(environment, "DOCKER_CONFIG");
    const char *home = environ_get(environment, "HOME");
    if (buildx)
        strvec_pushf(env, "BUILDX_CONFIG=%s", buildx);
    else if (docker)
        strvec_pushf(env, "BUILDX_CONFIG=%s/buildx", docker);
    else if (home)
        strvec_pushf(env, "BUILDX_CONFIG=%s/.docker/buildx", home);
}

/*
 * The runner does not tell container actions that GitHub's cache speaks its second protocol (facts:
 * only node actions get ACTIONS_CACHE_SERVICE_V2); GitHub Enterprise Server has the first one only.
 */
static bool has_cache_v2(const char *const *environment)
{
    const char *server = environ_get(environment, "GITHUB_SERVER_URL");
    return environ_get(environment, "ACTIONS_RESULTS_URL") &&
           (!server || text_equal(server, "https://github.com") ||
            text_ends_with(server, ".ghe.com"));
}

static void make_environment(struct buildx *buildx, const char *const *environment,
                             bool own_builders)
{
    for (size_t i = 0; environment && environment[i]; i++)
        if (!is_left_out(environment[i]))
            strvec_push(&buildx->env, environment[i]);
    strvec_pushf(&buildx->env, "DOCKER_CONFIG=%s", buildx->config_folder);
    strvec_push(&buildx->env, "BUILDX_NO_DEFAULT_ATTESTATIONS=1");
    strvec_push(&buildx->env, "BUILDX_METADATA_PROVENANCE=disabled");
    strvec_push(&buildx->env, "BUILDX_GIT_INFO=false");
    if (own_builders)
        push_own_builders(&buildx->env, environment);
    if (has_cache_v2(environment))
        strvec_push(&buildx->env, "ACTIONS_CACHE_SERVICE_V2=true");
}

int buildx_init(struct buildx *buildx, const char *const *environment, const char *temp_folder,
                bool own_builders, struct error *err)
{
    *buildx = (struct buildx){.command = STRVEC_INIT, .env = STRVEC_INIT};
    CLEANUP(strbuf) struct strbuf folder = STRBUF_INIT(4096);
    strbuf_addf(&folder, "%s/docker", temp_folder);
    if (mkdir(folder.buf, 0700) < 0)
        return error_set_errno(err, "making the folder %s", folder.buf);
    buildx->config_folder = strbuf_detach(&folder);
    make_environment(buildx, environment, own_builders);
    if (find_program(buildx, environment, err) == 0)
        return 0;
    buildx_release(buildx);
    return -1;
}

void buildx_release(struct buildx *buildx)
{
    struct error ignored =
        ERROR_INIT; /* the run's temporary folder is removed as a whole behind this */
    if (buildx->config_folder)
        file_remove_tree(buildx->config_folder, &ignored);
    free(buildx->config_folder);
    buildx->config_folder = NULL;
    strvec_release(&buildx->command);
    strvec_release(&buildx->env);
}

/* {"auths":{"registry":{"auth":"base64(user:password)"}}} */
int buildx_login(struct buildx *buildx, const char *registry, const char *user,
                 const char *password, struct error *err)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096), old = STRBUF_INIT(CONFIG_MAX_BYTES);
    struct strbuf pair = STRBUF_INIT(STRBUF_NO_CAP), auth = STRBUF_INIT(STRBUF_NO_CAP),
                  text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(json) struct json *config = NULL;
    strbuf_addf(&path, "%s/config.json", buildx->config_folder);
    if (file_exists(path.buf) &&
        (file_read(path.buf, &old, err) < 0 || json_parse(old.buf, old.len, &config, err) < 0))
        return error_wrap(err, "reading the private Docker configuration");
    if (!config)
        config = json_new_object();
    struct json *auths =
        json_get(config, "auths") ? json_copy(json_get(config, "auths")) : json_new_object();
    struct json *entry = json_new_object();
    strbuf_addf(&pair, "%s:%s", user, password);
    crypto_base64(&auth, pair.buf, pair.len);
    json_put_string(entry, "auth", auth.buf);
    json_put(auths, registry, entry);
    json_put(config, "auths", auths);
    json_print(config, &text);
    int rc = file_write(path.buf, text.buf, text.len, 0600, err);
    strbuf_release_secret(&pair);
    strbuf_release_secret(&auth);
    strbuf_release_secret(&text);
    strbuf_release_secret(&old);
    return rc < 0 ? error_wrap(err, "writing the private Docker configuration") : 0;
}

/* With the end of what it said, where the reason stands. */
static int check_short(const struct process_result *result, const char *what, struct strbuf *out,
                       struct error *err)
{
    struct error local = ERROR_INIT;
    if (process_check(result, what, &local) == 0)
        return 0;
    strbuf_trim(out);
    size_t skipped = out->len > SAID_BYTES ? out->len - SAID_BYTES : 0;
    return error_set_code(err, local.kind, local.code, "%s%s%s", local.msg, out->len ? ": " : "",
                          out->buf + skipped);
}

int buildx_ensure_builder(struct buildx *buildx, const char *name, const char *driver,
                          const char *endpoint, int64_t timeout_ms, struct error *err)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(OUTPUT_MAX_BYTES);
    CLEANUP(strvec) struct strvec inspect = STRVEC_INIT, create = STRVEC_INIT;
    struct process_result result;
    strvec_push_many(&inspect, "inspect", "--bootstrap", name, NULL);
    if (run_short(buildx, &inspect, timeout_ms, &out, &result, err) < 0)
        return -1;
    if (result.outcome != PROCESS_EXITED || result.code == 0)
        return check_short(&result, "starting a builder", &out, err);
    strbuf_reset(&out);
    strvec_push_many(&create, "create", "--name", name, "--driver", driver, "--bootstrap", NULL);
    strvec_push(&create, endpoint);
    if (run_short(buildx, &create, timeout_ms, &out, &result, err) < 0)
        return -1;
    return check_short(&result, "starting a builder", &out, err);
}

int buildx_give_up_builder(struct buildx *buildx, const char *name, struct error *err)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(OUTPUT_MAX_BYTES);
    CLEANUP(strvec) struct strvec remove = STRVEC_INIT;
    struct process_result result;
    strvec_push_many(&remove, "rm", "--force", name, NULL);
    if (run_short(buildx, &remove, SHORT_TIMEOUT_MS, &out, &result, err) < 0)
        return -1;
    return check_short(&result, "removing the builder", &out, err);
}

/* A fresh configuration knows no builder: told of it (not started), buildx finds the container by
 * its name. */
int buildx_remove_builder(struct buildx *buildx, const char *name, struct error *err)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(OUTPUT_MAX_BYTES);
    CLEANUP(strvec) struct strvec create = STRVEC_INIT;
    struct process_result result;
    strvec_push_many(&create, "create", "--name", name, "--driver", "docker-container", NULL);
    if (run_short(buildx, &create, SHORT_TIMEOUT_MS, &out, &result, err) < 0 ||
        check_short(&result, "naming the builder", &out, err) < 0)
        return -1;
    return buildx_give_up_builder(buildx, name, err);
}

static bool names_platform(const char *line, size_t line_len, const char *platform)
{
    size_t len = strlen(platform);
    for (const char *at = line; (at = strstr(at, platform)) && at < line + line_len; at += len)
        if (strchr(" \t,", at[-1]) && strchr(" \t\r*,\n", at[len]))
            return true;
    return false;
}

/* `buildx inspect` says "Platforms: linux/amd64*, linux/amd64/v2, linux/386" (a line for each
 * node). */
int buildx_builds_platform(struct buildx *buildx, const char *builder, const char *platform,
                           bool *ret_can, struct error *err)
{
    CLEANUP(strbuf) struct strbuf out = STRBUF_INIT(OUTPUT_MAX_BYTES);
    CLEANUP(strvec) struct strvec arguments = STRVEC_INIT;
    struct process_result result;
    strvec_push(&arguments, "inspect");
    strvec_push(&arguments, builder);
    if (run_short(buildx, &arguments, SHORT_TIMEOUT_MS, &out, &result, err) < 0 ||
        check_short(&result, "asking the builder for its platforms", &out, err) < 0)
        return -1;
    bool says = false, can = false;
    for (const char *line = out.buf; *line;) {
        size_t len = strcspn(line, "\n");
        if (text_starts_with(line, "Platforms:")) {
            says = true;
            can = can || names_platform(line, len, platform);
        }
        line += len + (line[len] == '\n');
    }
    *ret_can = can || !says; /* a builder that does not run yet does not say: let the build try */
    return 0;
}
