#include "services/buildx_errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define SHOWN_BYTES   500
#define OUT_OF_MEMORY 137 /* 128 + SIGKILL */
#define KILLED        " (killed: most often for want of memory)"

/* What BuildKit and containerd say → what it means; the first row that fits. Sources: the errors of
 * moby/buildkit's and containerd's resolvers, and Go's net package. */
static const struct {
    const char *words;
    enum error_kind kind;
    const char *remedy; /* NULL: none */
} causes[] = {
    {"dockerfile parse error", ERROR_INPUT, NULL},
    {"failed to parse stage name", ERROR_INPUT, NULL},
    {"unknown instruction", ERROR_INPUT, NULL},
    {"failed to read dockerfile", ERROR_INPUT, NULL},
    {"could not be found in", ERROR_INPUT, NULL}, /* target stage "x" … */
    {"failed to calculate checksum of ref", ERROR_INPUT,
     "the Dockerfile copies what is not in the context; does .dockerignore leave it out?"},
    {"no match for platform in manifest", ERROR_INPUT,
     "the image that FROM names is not made for this platform"},
    {"toomanyrequests", ERROR_THROTTLED,
     "the registry limits how often images are pulled without a login; log in there, or use a "
     "mirror such as public.ecr.aws"},
    {"429 Too Many Requests", ERROR_THROTTLED, "a registry limits how often it is asked"},
    {"connection reset", ERROR_NETWORK, NULL},
    {"connection refused", ERROR_NETWORK, NULL},
    {"i/o timeout", ERROR_NETWORK, NULL},
    {"TLS handshake timeout", ERROR_NETWORK, NULL},
    {"unexpected EOF", ERROR_NETWORK, NULL},
    {": EOF", ERROR_NETWORK, NULL},
    {"broken pipe", ERROR_NETWORK, NULL},
    {"no such host", ERROR_NETWORK, NULL},
    {"server misbehaving", ERROR_NETWORK, NULL},
    {"500 Internal Server Error", ERROR_NETWORK, NULL},
    {"502 Bad Gateway", ERROR_NETWORK, NULL},
    {"503 Service Unavailable", ERROR_NETWORK, NULL},
    {"504 Gateway Timeout", ERROR_NETWORK, NULL},
    {"pull access denied", ERROR_DENIED, "is the image's name right, and may this role read it?"},
    {"403 Forbidden", ERROR_DENIED, NULL},
    {"401 Unauthorized", ERROR_DENIED, NULL},
    {"authorization token has expired", ERROR_DENIED, NULL},
    {"authorization failed", ERROR_DENIED, NULL}, /* insufficient_scope */
    {"no basic auth credentials", ERROR_DENIED, NULL},
    /* Two builds of one engine push the same layer at once: the second leaves it to the first and
     * is done sooner, so that its manifest names a layer that is not there yet. */
    {"failed commit on ref \"manifest-", ERROR_SERVER, NULL},
    {"\": already exists", ERROR_SERVER,
     NULL}, /* both gave their image the same tag in the engine */
    /* Builds beside each other in an engine with the containerd store: it collects layers that one
     * of them is about to unpack. Source: moby/buildkit issue 6521, seen with Docker 29 on GitHub's
     * runners. */
    {"failed to prepare extraction snapshot", ERROR_SERVER, NULL},
    {"no space left on device", ERROR_FAILED,
     "free some of the builder's disk (docker buildx prune), or use a larger runner"},
    {": not found", ERROR_NOT_FOUND, NULL},
};

/* What a request to ECR's registry needs. Source:
 * docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html. */
static const struct {
    const char *request, *path, *action;
} denials[] = {
    {"HEAD request to ", "/blobs/", "ecr:BatchCheckLayerAvailability"},
    {"GET request to ", "/blobs/", "ecr:GetDownloadUrlForLayer"},
    {"POST request to ", "/blobs/uploads/", "ecr:InitiateLayerUpload"},
    {"PATCH request to ", "/blobs/uploads/", "ecr:UploadLayerPart"},
    {"PUT request to ", "/blobs/uploads/", "ecr:CompleteLayerUpload, and ecr:UploadLayerPart"},
    {"PUT request to ", "/manifests/", "ecr:PutImage"},
    {"HEAD request to ", "/manifests/", "ecr:BatchGetImage"},
    {"GET request to ", "/manifests/", "ecr:BatchGetImage"},
};

/* The IAM permission that a registry's 403 is about, or NULL. */
static const char *missing_permission(const char *text)
{
    if (!strstr(text, "403 Forbidden") || !strstr(text, ".dkr.ecr."))
        return NULL;
    for (size_t i = 0; i < sizeof denials / sizeof *denials; i++) {
        const char *request = strstr(text, denials[i].request);
        if (request && strstr(request, denials[i].path))
            return denials[i].action;
    }
    return NULL;
}

/* The line that says it: BuildKit's own begins with "ERROR: "; else the last one. */
static const char *last_error_line(const struct progress *progress)
{
    const char *found = NULL, *last = progress->other.buf;
    for (const char *line = progress->other.buf; *line;) {
        size_t len = strcspn(line, "\n");
        if (text_starts_with(line, "ERROR: "))
            found = line + strlen("ERROR: ");
        if (len > 0)
            last = line;
        line += len + (line[len] == '\n');
    }
    return found ? found : last;
}

static int explain_text(const char *text, const char *step_name, int exit_code, struct error *err)
{
    int len = (int)strcspn(text, "\n");
    len = len < SHOWN_BYTES ? len : SHOWN_BYTES;
    const char *separator = step_name ? ": " : "";
    step_name = step_name ? step_name : "";
    const char *permission = missing_permission(text);
    if (permission)
        return error_set(err, ERROR_DENIED, "%s%s%.*s; this needs the IAM permission %s", step_name,
                         separator, len, text, permission);
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (strstr(text, causes[i].words))
            return error_set(err, causes[i].kind, "%s%s%.*s%s%s", step_name, separator, len, text,
                             causes[i].remedy ? "; " : "",
                             causes[i].remedy ? causes[i].remedy : "");
    if (len == 0)
        return error_set_code(err, ERROR_PROCESS, exit_code,
                              "buildx ended with status %d and said nothing", exit_code);
    return error_set_code(err, ERROR_PROCESS, exit_code, "%s%s%.*s", step_name, separator, len,
                          text);
}

/* "process "/bin/sh -c make" did not complete successfully: exit code: 2" */
static bool is_command_failure(const char *error, int *ret_status)
{
    static const char words[] = "did not complete successfully: exit code: ";
    const char *code = NULL; /* the last one: the command itself may hold such words */
    for (const char *at = error; (at = strstr(at, words)); at++)
        code = at + sizeof words - 1;
    if (!code)
        return false;
    *ret_status = (int)strtol(code, NULL, 10);
    return true;
}

int buildx_failed_line(const struct progress *progress)
{
    static const char rule[] = "\n--------------------";
    const char *end = strstr(progress->other.buf, rule);
    if (!end)
        return 0;
    const char *digit = end;
    while (digit > progress->other.buf && digit[-1] >= '0' && digit[-1] <= '9')
        digit--;
    int64_t line;
    char number[12];
    snprintf(number, sizeof number, "%.*s", (int)(end - digit), digit);
    if (digit == progress->other.buf || digit[-1] != ':' ||
        !text_to_int64(number, 1, INT32_MAX, &line))
        return 0;
    return (int)line;
}

int buildx_explain_failure(const struct progress *progress, int exit_code, struct error *err)
{
    const struct progress_step *step = progress_failed_step(progress);
    int status = 0;
    if (step && is_command_failure(step->error, &status))
        return error_set_code(err, ERROR_FAILED, status, "the step %s ended with status %d%s",
                              step->name, status, status == OUT_OF_MEMORY ? KILLED : "");
    if (step)
        return explain_text(step->error, step->name, exit_code, err);
    return explain_text(last_error_line(progress), NULL, exit_code, err);
}
