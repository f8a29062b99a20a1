#include "stages/place.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/file.h"
#include "core/log.h"
#include "core/text.h"

#define WORKFLOW_MAX_BYTES ((size_t)1 << 20)

void place_failure(struct run *run, const char *path, int line)
{
    const char *workspace = run->paths.workspace;
    size_t len = workspace ? strlen(workspace) : 0;
    if (line <= 0 || !path || len == 0 || !text_starts_with(path, workspace) || path[len] != '/')
        return;
    snprintf(run->result.failed_file, sizeof run->result.failed_file, "%s", path + len + 1);
    run->result.failed_line = line;
}

/* "org/app/.github/workflows/deploy.yml@refs/heads/main" → the path between repository and ref. */
static bool workflow_path(const struct github *github, struct strbuf *out)
{
    const char *ref = github->workflow_ref;
    const char *slash = ref ? strchr(ref, '/') : NULL;
    slash = slash ? strchr(slash + 1, '/') : NULL;
    if (!slash || !slash[1] || strstr(slash, ".."))
        return false;
    strbuf_add(out, slash + 1, strcspn(slash + 1, "@"));
    return true;
}

void place_failure_in_workflow(struct run *run, const char *text)
{
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(4096);
    CLEANUP(strbuf) struct strbuf yaml = STRBUF_INIT(WORKFLOW_MAX_BYTES);
    struct error err = ERROR_INIT;
    if (!run->paths.workspace)
        return;
    strbuf_addf(&path, "%s/", run->paths.workspace);
    if (!workflow_path(&run->services.github, &path) || !file_exists(path.buf))
        return;
    if (file_read(path.buf, &yaml, &err) < 0) {
        log_debug("no place for the failure: %s", err.msg);
        return;
    }
    place_failure(run, path.buf, text_line_of(yaml.buf, text));
}
