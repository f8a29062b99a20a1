/*
 * buildx_errors.h: why a build failed, from its progress and buildx's last words. Pure.
 */
#ifndef SERVICES_BUILDX_ERRORS_H
#define SERVICES_BUILDX_ERRORS_H

#include "core/error.h"
#include "services/progress.h"

/* The line of the Dockerfile that BuildKit shows as the failed one ("Dockerfile:14" above a rule of
 * dashes); 0: it shows none. */
int buildx_failed_line(const struct progress *progress);

/*
 * Always -1. ERROR_FAILED: a step's command failed (code = its exit status where BuildKit says it).
 * ERROR_INPUT: the Dockerfile does not parse. ERROR_NETWORK, ERROR_DENIED, ERROR_THROTTLED,
 * ERROR_NOT_FOUND: a registry. ERROR_PROCESS: buildx itself (code = exit_code).
 */
int buildx_explain_failure(const struct progress *progress, int exit_code, struct error *err);

#endif
