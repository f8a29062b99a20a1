/*
 * docker.h: the Docker engine's API over its socket: what it is, and a command run in an image.
 * Nothing else is asked of it. Source: docs.docker.com/reference/api/engine (v1.41 and up,
 * negotiated by /_ping's Api-Version).
 */
#ifndef SERVICES_DOCKER_H
#define SERVICES_DOCKER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

struct docker {
    struct http *http;  /* borrowed */
    const char *socket; /* borrowed; from DOCKER_HOST=unix://…, else /var/run/docker.sock */
};

struct docker_info {
    char server_version[64];
    char architecture[32]; /* as images say it: "amd64", "arm64" */
    bool containerd_store; /* its own builder can export caches */
};
/* ERROR_NOT_FOUND: no socket, or nobody listens; ERROR_DENIED: not permitted; the messages name the
 * socket and the remedy. */
int docker_get_info(const struct docker *docker, struct docker_info *ret_info, struct error *err);

struct docker_run {            /* all borrowed */
    const char *image;         /* repository@sha256:… ; pulled if the engine has not got it */
    const char *platform;      /* "linux/amd64" */
    const char *registry_auth; /* base64 (either alphabet) of {"username","password",
                                  "serveraddress"}: X-Registry-Auth; NULL: none; secret */
    const char *command; /* run as `/bin/sh -c command`, or, when the image has no shell, split at
                            white space */
    int64_t timeout_ms;
    void (*on_line)(void *context, bool is_stderr, const char *line, size_t len);
    void (*on_left_behind)(void *context,
                           const char *container); /* it could not be removed; NULL: nobody asks */
    void *context;                                 /* of both */
};
/*
 * Pull, create, start, follow the output, wait, remove (also after failure or cancel). ERROR_FAILED
 * with code = exit status when it is not 0; ERROR_TIMEOUT; ERROR_INPUT: no command. A pull that
 * broke is tried again, three times in all, with pauses of some seconds. One that fails:
 * ERROR_NOT_FOUND, ERROR_DENIED, ERROR_THROTTLED, ERROR_SERVER (the engine's), ERROR_FAILED (its
 * disk is full), or ERROR_NETWORK.
 */
int docker_run_check(const struct docker *docker, const struct docker_run *run, struct error *err);

#endif
