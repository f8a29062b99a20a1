/*
 * buildx.h: one build by the `buildx` program: its arguments, its private Docker configuration, its
 * progress, its result.
 *
 * buildx does the building. It runs standalone (no docker CLI is needed) or as the CLI's plug-in,
 * whichever is found: `buildx` on PATH, the plug-in's usual folders, `docker buildx`. Only the last
 * is run to know whether it is there: each start of such a program takes a tenth of a second.
 * Source: docs.docker.com/reference/cli/docker/buildx/build.
 */
#ifndef SERVICES_BUILDX_H
#define SERVICES_BUILDX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strvec.h"
#include "core/text.h"
#include "services/progress.h"

struct buildx {
    struct strvec command;     /* "buildx", or "docker" "buildx" */
    int64_t exchange_limit_ms; /* set by the caller: how long one exchange with a registry may take;
                                  0: not limited */
    char *
        config_folder; /* owned; DOCKER_CONFIG: 0700, config.json 0600; removed by buildx_release */
    struct strvec env; /* what its processes get: ours without secrets that are not a build's
                          (INPUT_*, AWS_*, the OIDC token) and without a builder or context of
                          the user's; with DOCKER_CONFIG, BUILDX_* and the cache's variables */
};

/*
 * Find the program and make the private configuration. With `own_builders` the builders that the
 * user has set up can be named (BUILDX_CONFIG points to theirs, which buildx may then write to);
 * without, they are not seen and nothing of the user's is written. ERROR_NOT_FOUND with the remedy.
 */
int buildx_init(struct buildx *buildx, const char *const *environ, const char *temp_folder,
                bool own_builders, struct error *err);
void buildx_release(struct buildx *buildx);
/* A login for `registry` in the private config.json. */
int buildx_login(struct buildx *buildx, const char *registry, const char *user,
                 const char *password, struct error *err);

/*
 * Make sure that a builder of that name runs (create it or take the one that is there, and boot
 * it). `driver` is "docker-container" without an `endpoint` (NULL), or "remote" with one.
 */
int buildx_ensure_builder(struct buildx *buildx, const char *name, const char *driver,
                          const char *endpoint, int64_t timeout_ms, struct error *err);
/* Remove a builder that buildx_ensure_builder has begun to make. */
int buildx_give_up_builder(struct buildx *buildx, const char *name, struct error *err);
/* Remove a docker-container builder of that name, its container and its volume; 0, too, where there
 * is none. */
int buildx_remove_builder(struct buildx *buildx, const char *name, struct error *err);
/* Can this builder (NULL: the default) build for `platform`, natively or by emulation? From `buildx
 * inspect`. */
int buildx_builds_platform(struct buildx *buildx, const char *builder, const char *platform,
                           bool *ret_can, struct error *err);

#define BUILDX_STOOD_STILL (-2) /* no exit status and no errno */

struct buildx_result;

struct buildx_build {    /* all borrowed */
    const char *builder; /* NULL: the default one (the engine's own) */
    const char *file, *context, *target,
        *platform;                       /* absolute paths; target NULL: the last stage */
    const struct strvec *build_args;     /* KEY=VALUE */
    const struct strvec *build_contexts; /* name=docker-image://… */
    const struct strvec
        *secrets; /* id=value; written to 0600 files in a folder of this call and given as src= */
    const struct strvec *labels;                /* key=value */
    const struct strvec *cache_from, *cache_to; /* as --cache-from and --cache-to take them */
    const struct strvec
        *tags; /* repository:tag, all pushed; NULL: nothing but BuildKit's cache is wanted */
    const char *compression; /* "gzip", "zstd"; NULL: gzip */
    int compression_level;   /* -1: the default */
    bool force_compression;  /* layers that are there already are compressed anew where they are
                                compressed otherwise */
    bool no_cache, pull;
    int64_t timeout_ms;
    const atomic_bool *stop; /* another thread sets it: ends as by a cancel; NULL: none */
    void (*on_line)(void *context, const char *line,
                    size_t len); /* a line for the log; NULL: dropped */
    void (*on_change)(void *context, const struct progress *progress); /* NULL: nobody asks */
    /*
     * The image is in the registry: result->digest says which, the rest is what is known so far.
     * The export of caches may go on. Called once at most, by the thread that called buildx_build;
     * never where the engine pushes, or BuildKit tells of it in words that are not known here: then
     * the image is there when buildx_build returns. NULL: nobody asks.
     */
    void (*on_pushed)(void *context, const struct buildx_result *result);
    void *line_context; /* of all three; borrowed */
};

struct buildx_result {
    char digest[DIGEST_SIZE]; /* of the pushed manifest; "": none was, or none was to be */
    struct progress progress; /* steps, times, bytes */
    int64_t heard_ms; /* clock_now_ms() when BuildKit told of its first step: before that, buildx
                         needs a while for itself. 0: never */
};
void buildx_result_release(struct buildx_result *result);

/* Pure: argv for a build, without the command itself. `secret_files` as many as secrets
 * (id=…,src=…). For tests and debug lines. */
void buildx_arguments(const struct buildx_build *build, const struct strvec *secret_arguments,
                      const char *metadata_file, struct strvec *out);

/*
 * Build and push. Several threads may do so at once. ERROR_FAILED: the build itself failed (a
 * step's command): err->msg names the step, ret_result->progress is filled in then, too, and must
 * be released. ERROR_NETWORK: pushing or pulling broke, or, with the code BUILDX_STOOD_STILL, a
 * registry went silent (services/buildx_silence.h). ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_PROCESS.
 */
int buildx_build(struct buildx *buildx, const struct buildx_build *build,
                 struct buildx_result *ret_result, struct error *err);

#endif
