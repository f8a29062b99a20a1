/* One build: its secrets, its progress, its end. */
#include "services/buildx.h"

#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/process.h"
#include "core/text.h"
#include "services/buildx_errors.h"
#include "services/buildx_silence.h"

#define METADATA_MAX_BYTES ((size_t)4 << 20)

/* A field of a line of comma-separated values. */
static void add_field(struct strbuf *out, const char *field)
{
    bool quoted = strpbrk(field, ",\"\r\n") != NULL;
    if (quoted)
        strbuf_addch(out, '"');
    for (; *field; field++) {
        if (*field == '"')
            strbuf_addch(out, '"');
        strbuf_addch(out, *field);
    }
    if (quoted)
        strbuf_addch(out, '"');
}

/* Each secret into a 0600 file of `folder`; "id=…,src=…" for buildx. */
static int write_secrets(const char *folder, const struct strvec *secrets,
                         struct strvec *ret_arguments, struct error *err)
{
    for (size_t i = 0; secrets && i < secrets->len; i++) {
        const char *value = strchr(secrets->items[i], '=');
        if (!value) /* never its text: it may be the secret */
            return error_set(err, ERROR_INPUT, "build secret %zu is not id=value", i + 1);
        CLEANUP(strbuf) struct strbuf id = STRBUF_INIT(4096), src = STRBUF_INIT(8192);
        CLEANUP(strbuf) struct strbuf argument = STRBUF_INIT(16384);
        strbuf_addf(&id, "id=%.*s", (int)(value - secrets->items[i]), secrets->items[i]);
        strbuf_addf(&src, "src=%s/secret-%zu", folder, i);
        const char *path = src.buf + strlen("src=");
        if (file_write(path, value + 1, strlen(value + 1), 0600, err) < 0)
            return error_wrap(err, "writing a build secret's file");
        add_field(&argument, id.buf);
        strbuf_addch(&argument, ',');
        add_field(&argument, src.buf);
        strvec_push(ret_arguments, argument.buf);
    }
    return 0;
}

static int read_digest(const char *metadata_file, char ret_digest[DIGEST_SIZE], struct error *err)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(METADATA_MAX_BYTES);
    CLEANUP(json) struct json *json = NULL;
    if (file_read(metadata_file, &text, err) < 0 || json_parse(text.buf, text.len, &json, err) < 0)
        return error_wrap(err, "reading what buildx built");
    const char *digest = json_string(json_member(json, "containerimage.digest"));
    if (!text_is_digest(digest))
        return error_set(err, ERROR_PROTOCOL, "buildx does not say which image it has pushed");
    snprintf(ret_digest, DIGEST_SIZE, "%s", digest);
    return 0;
}

void buildx_result_release(struct buildx_result *result)
{
    progress_release(&result->progress);
}

struct listener {
    const struct buildx_build *build; /* borrowed */
    struct buildx_result *result;     /* borrowed */
    int64_t exchange_limit_ms;
    uint64_t changes; /* seen last */
    int64_t changed_ms;
};

static void add_progress(void *context, enum process_stream stream, const char *line, size_t len)
{
    (void)stream;
    struct listener *listener = context;
    struct buildx_result *result = listener->result;
    progress_add_line(&result->progress, line, len);
    if (result->heard_ms == 0 && result->progress.len > 0)
        result->heard_ms = clock_now_ms();
    if (!listener->build->on_pushed || result->digest[0] || !result->progress.pushed_digest[0])
        return;
    snprintf(result->digest, sizeof result->digest, "%s", result->progress.pushed_digest);
    listener->build->on_pushed(listener->build->line_context, result);
}

static bool stands_still_too_long(void *context)
{
    struct listener *listener = context;
    int64_t now_ms = clock_now_ms();
    const struct progress *progress = &listener->result->progress;
    if (listener->changes != progress->changes) {
        listener->changes = progress->changes;
        listener->changed_ms = now_ms;
    }
    int64_t limit_ms = buildx_silence_ms(progress, listener->exchange_limit_ms);
    return limit_ms > 0 && now_ms - listener->changed_ms >= limit_ms;
}

static int run_build(const struct buildx *buildx, const struct buildx_build *build,
                     const struct strvec *arguments, struct buildx_result *result,
                     struct error *err)
{
    CLEANUP(strvec) struct strvec argv = STRVEC_INIT;
    strvec_push_all(&argv, &buildx->command);
    strvec_push_all(&argv, arguments);
    result->progress.on_line = build->on_line;
    result->progress.on_change = build->on_change;
    result->progress.context = build->line_context;
    struct listener listener = {.build = build,
                                .result = result,
                                .exchange_limit_ms = buildx->exchange_limit_ms,
                                .changed_ms = clock_now_ms()};
    const struct process_spec spec = {.argv = (const char *const *)argv.items,
                                      .env = (const char *const *)buildx->env.items,
                                      .timeout_ms = build->timeout_ms,
                                      .gives_up = stands_still_too_long,
                                      .stop = build->stop,
                                      .max_line_bytes = (size_t)4 << 20,
                                      .on_line = add_progress,
                                      .context = &listener};
    struct process_result ended;
    if (process_run(&spec, &ended, err) < 0)
        return -1;
    if (ended.outcome == PROCESS_GIVEN_UP)
        return error_set_code(
            err, ERROR_NETWORK, BUILDX_STOOD_STILL,
            "buildx was stopped after %.1f s: it stood still, waiting for a registry or the engine",
            (double)ended.elapsed_ms / 1000);
    if (ended.outcome == PROCESS_EXITED && ended.code != 0)
        return buildx_explain_failure(&result->progress, ended.code, err);
    return process_check(&ended, "buildx build", err);
}

static int build_in(const char *folder, const struct buildx *buildx,
                    const struct buildx_build *build, struct buildx_result *result,
                    struct error *err)
{
    CLEANUP(strvec) struct strvec arguments = STRVEC_INIT, secrets = STRVEC_INIT;
    CLEANUP(strbuf) struct strbuf metadata = STRBUF_INIT(4096);
    strbuf_addf(&metadata, "%s/metadata.json", folder);
    if (write_secrets(folder, build->secrets, &secrets, err) < 0)
        return -1;
    buildx_arguments(build, &secrets, build->tags ? metadata.buf : NULL, &arguments);
    if (run_build(buildx, build, &arguments, result, err) < 0)
        return -1;
    bool is_known = result->digest[0]; /* and taken up already */
    return build->tags && !is_known ? read_digest(metadata.buf, result->digest, err) : 0;
}

int buildx_build(struct buildx *buildx, const struct buildx_build *build,
                 struct buildx_result *ret_result, struct error *err)
{
    CLEANUP_FREE char *folder = NULL;
    struct error ignored = ERROR_INIT; /* what is left goes with the private configuration */
    progress_init(&ret_result->progress);
    ret_result->digest[0] = '\0';
    ret_result->heard_ms = 0;
    if (file_make_temp_folder(buildx->config_folder, &folder, err) < 0)
        return error_wrap(err, "making a folder for the build");
    int rc = build_in(folder, buildx, build, ret_result, err);
    file_remove_tree(folder, &ignored);
    return rc;
}
