#include "services/github.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/text.h"
#include "core/environ.h"

#define MASK_MIN_BYTES       4
#define ANNOTATIONS_PER_TYPE 10 /* the runner drops further ones; ours then become plain lines */
#define DELIMITER_DIGITS     32

static bool is_true(const char *text)
{
    return text_equal(text, "true") || text_equal(text, "1");
}

void github_read(struct github *ret_github, const char *const *environ)
{
    *ret_github = (struct github){
        .is_actions = is_true(environ_get(environ, "GITHUB_ACTIONS")),
        .debug = is_true(environ_get(environ, "RUNNER_DEBUG")),
        .event_name = environ_get(environ, "GITHUB_EVENT_NAME"),
        .event_path = environ_get(environ, "GITHUB_EVENT_PATH"),
        .ref = environ_get(environ, "GITHUB_REF"),
        .sha = environ_get(environ, "GITHUB_SHA"),
        .repository = environ_get(environ, "GITHUB_REPOSITORY"),
        .workflow = environ_get(environ, "GITHUB_WORKFLOW"),
        .workflow_ref = environ_get(environ, "GITHUB_WORKFLOW_REF"),
        .run_id = environ_get(environ, "GITHUB_RUN_ID"),
        .run_number = environ_get(environ, "GITHUB_RUN_NUMBER"),
        .run_attempt = environ_get(environ, "GITHUB_RUN_ATTEMPT"),
        .server_url = environ_get(environ, "GITHUB_SERVER_URL"),
        .workspace = environ_get(environ, "GITHUB_WORKSPACE"),
        .actor = environ_get(environ, "GITHUB_ACTOR"),
        .output_file = environ_get(environ, "GITHUB_OUTPUT"),
        .summary_file = environ_get(environ, "GITHUB_STEP_SUMMARY"),
        .state_file = environ_get(environ, "GITHUB_STATE"),
        .runner_temp = environ_get(environ, "RUNNER_TEMP"),
        .cache_url = environ_get(environ, "ACTIONS_CACHE_URL"),
        .results_url = environ_get(environ, "ACTIONS_RESULTS_URL"),
        .runtime_token = environ_get(environ, "ACTIONS_RUNTIME_TOKEN"),
        .oidc_request_url = environ_get(environ, "ACTIONS_ID_TOKEN_REQUEST_URL"),
        .oidc_request_token = environ_get(environ, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    };
}

int github_read_payload(const struct github *github, struct strbuf *ret_text, struct error *err)
{
    if (!github->event_path)
        return 0;
    if (file_read(github->event_path, ret_text, err) == 0)
        return 0;
    error_wrap(err, "reading the event's payload (GITHUB_EVENT_PATH)");
    err->kind = ERROR_INPUT;
    return -1;
}

/* A well-formed copy: the runner reads these files as UTF-8. */
static void add_utf8(struct strbuf *out, const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t len = strlen(text);
    if (text_is_utf8(text, len)) {
        strbuf_add(out, text, len);
        return;
    }
    for (size_t i = 0; i < len;) {
        size_t take = 1;
        while (take < 4 && i + take < len && !text_is_utf8(text + i, take))
            take++;
        if (text_is_utf8(text + i, take)) {
            strbuf_add(out, text + i, take);
            i += take;
        } else {
            strbuf_addstr(out, replacement);
            i++;
        }
    }
}

static int append_pair(const char *path, const char *name, const char *value, struct error *err)
{
    char random[DELIMITER_DIGITS + 1];
    crypto_random_hex(random, DELIMITER_DIGITS);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    if (strstr(value, random))
        return error_set(err, ERROR_FAILED, "the value of %s holds its own delimiter", name);
    strbuf_addf(&text, "%s<<ghadelimiter_%s\n", name, random);
    add_utf8(&text, value);
    strbuf_addf(&text, "\nghadelimiter_%s\n", random);
    return file_append(path, text.buf, text.len, 0644, err);
}

int github_output(const struct github *github, const char *name, const char *value,
                  struct error *err)
{
    return github->output_file ? append_pair(github->output_file, name, value, err) : 0;
}

int github_state(const struct github *github, const char *name, const char *value,
                 struct error *err)
{
    return github->state_file ? append_pair(github->state_file, name, value, err) : 0;
}

int github_summary(const struct github *github, const struct strbuf *markdown, struct error *err)
{
    if (!github->summary_file)
        return 0;
    struct stat there;
    size_t used = stat(github->summary_file, &there) == 0 ? (size_t)there.st_size : 0;
    if (used + markdown->len > GITHUB_SUMMARY_MAX_BYTES)
        return error_set(err, ERROR_TOO_LARGE,
                         "the summary of %zu bytes does not fit behind the %zu that are there",
                         markdown->len, used);
    return file_append(github->summary_file, markdown->buf, markdown->len, 0644, err);
}

void github_escape_data(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n')
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
        else
            strbuf_addch(out, *text);
    }
}

void github_escape_property(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '\r' || *text == '\n' || *text == ':' || *text == ',')
            strbuf_addf(out, "%%%02X", (unsigned char)*text);
        else
            strbuf_addch(out, *text);
    }
}

/* One write for one line, so that lines of threads and children never mix. A closed stdout is nobody listening: not an error. */
static void write_line(struct strbuf *line)
{
    strbuf_addch(line, '\n');
    for (size_t done = 0; done < line->len;) {
        ssize_t written = write(STDOUT_FILENO, line->buf + done, line->len - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        done += (size_t)written;
    }
}

static void mask_one(const char *bytes, size_t len)
{
    while (len > 0 && strchr(" \t\r", bytes[0])) {
        bytes++;
        len--;
    }
    while (len > 0 && strchr(" \t\r", bytes[len - 1]))
        len--;
    if (len < MASK_MIN_BYTES)
        return;
    struct strbuf piece = STRBUF_INIT(STRBUF_NO_CAP), line = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_add(&piece, bytes, len);
    strbuf_addstr(&line, "::add-mask::");
    github_escape_data(&line, piece.buf);
    write_line(&line);
    strbuf_release_secret(&piece);
    strbuf_release_secret(&line);
}

void github_mask(const struct github *github, const char *secret)
{
    if (!github->is_actions || !secret)
        return;
    if (strchr(secret, '\n'))
        mask_one(secret, strlen(secret));
    while (*secret) {
        size_t len = strcspn(secret, "\n");
        mask_one(secret, len);
        secret += len + (secret[len] == '\n');
    }
}

/* How many annotations of each level went out; more than the runner shows become plain lines. */
static pthread_mutex_t annotation_lock = PTHREAD_MUTEX_INITIALIZER;
static int annotations[LOG_ERROR + 1];

static bool may_annotate(enum log_level level)
{
    pthread_mutex_lock(&annotation_lock);
    bool may = annotations[level]++ < ANNOTATIONS_PER_TYPE;
    pthread_mutex_unlock(&annotation_lock);
    return may;
}

static void add_properties(struct strbuf *line, const struct log_place *place)
{
    const char *separator = " ";
    if (!place)
        return;
    if (place->file) {
        strbuf_addf(line, "%sfile=", separator);
        github_escape_property(line, place->file);
        separator = ",";
    }
    if (place->line > 0) {
        strbuf_addf(line, "%sline=%d", separator, place->line);
        separator = ",";
    }
    if (place->title) {
        strbuf_addf(line, "%stitle=", separator);
        github_escape_property(line, place->title);
    }
}

/*
 * Text that could be read as a command. The runner takes `::` at the start of a line (white space before it or not), and the old
 * form `##[` anywhere in it (ActionCommand.cs). A backslash between the two characters ends both and can still be read.
 */
static void add_plain(struct strbuf *line, const char *text)
{
    const char *start = text + strspn(text, " \t\v\f");
    if (text_starts_with(start, "::")) {
        strbuf_add(line, text, (size_t)(start - text));
        strbuf_addstr(line, ":\\:");
        text = start + 2;
    }
    for (; *text; text++) {
        if (text_starts_with(text, "##[")) {
            strbuf_addstr(line, "#\\#");
            text++;
        } else {
            strbuf_addch(line, *text);
        }
    }
}

static const struct {
    const char *command, *word;
} levels[] = {[LOG_DEBUG] = {"debug", NULL},
              [LOG_INFO] = {NULL, NULL},
              [LOG_WARNING] = {"warning", "warning: "},
              [LOG_ERROR] = {"error", "error: "}};

static void github_line(void *context, enum log_level level, const struct log_place *place,
                        const char *text)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    bool as_command = levels[level].command && (level == LOG_DEBUG || may_annotate(level));
    if (as_command) {
        strbuf_addf(&line, "::%s", levels[level].command);
        add_properties(&line, place);
        strbuf_addstr(&line, "::");
        github_escape_data(&line, text);
    } else {
        if (levels[level].word)
            strbuf_addstr(&line, levels[level].word);
        add_plain(&line, text);
    }
    write_line(&line);
}

static void github_group_begin(void *context, const char *title)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&line, "::group::");
    github_escape_data(&line, title);
    write_line(&line);
}

static void github_group_end(void *context)
{
    (void)context;
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&line, "::endgroup::");
    write_line(&line);
}

const struct log_sink github_log = {.line = github_line,
                                    .group_begin = github_group_begin,
                                    .group_end = github_group_end,
                                    .context = NULL};
