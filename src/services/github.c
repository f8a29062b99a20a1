#include "services/github.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/text.h"

#define MASK_MIN_BYTES       4
#define ANNOTATIONS_PER_TYPE 10 /* the runner drops further ones; ours then become plain lines */
#define DELIMITER_DIGITS     32
#define STDOUT_WAIT_MS       10000 /* for a reader that is slower than we are */

static bool is_true(const char *text)
{
    return text_equal(text, "true") || text_equal(text, "1");
}

void github_read(struct github *ret_github, const char *const *environment)
{
    *ret_github = (struct github){
        .is_actions = is_true(environ_get(environment, "GITHUB_ACTIONS")),
        .debug = is_true(environ_get(environment, "RUNNER_DEBUG")),
        .event_name = environ_get(environment, "GITHUB_EVENT_NAME"),
        .event_path = environ_get(environment, "GITHUB_EVENT_PATH"),
        .ref = environ_get(environment, "GITHUB_REF"),
        .sha = environ_get(environment, "GITHUB_SHA"),
        .repository = environ_get(environment, "GITHUB_REPOSITORY"),
        .workflow = environ_get(environment, "GITHUB_WORKFLOW"),
        .workflow_ref = environ_get(environment, "GITHUB_WORKFLOW_REF"),
        .run_id = environ_get(environment, "GITHUB_RUN_ID"),
        .run_number = environ_get(environment, "GITHUB_RUN_NUMBER"),
        .run_attempt = environ_get(environment, "GITHUB_RUN_ATTEMPT"),
        .server_url = environ_get(environment, "GITHUB_SERVER_URL"),
        .runner_name = environ_get(environment, "RUNNER_NAME"),
        .workspace = environ_get(environment, "GITHUB_WORKSPACE"),
        .output_file = environ_get(environment, "GITHUB_OUTPUT"),
        .summary_file = environ_get(environment, "GITHUB_STEP_SUMMARY"),
        .state_file = environ_get(environment, "GITHUB_STATE"),
        .runner_temp = environ_get(environment, "RUNNER_TEMP"),
        .action_repository = environ_get(environment, "GITHUB_ACTION_REPOSITORY"),
        .action_ref = environ_get(environment, "GITHUB_ACTION_REF"),
        .runtime_token = environ_get(environment, "ACTIONS_RUNTIME_TOKEN"),
        .oidc_request_url = environ_get(environment, "ACTIONS_ID_TOKEN_REQUEST_URL"),
        .oidc_request_token = environ_get(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    };
}

/* The machine has no more of something: nobody has given a wrong path. */
static bool is_exhausted(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOMEM || code == EIO;
}

int github_read_payload(const struct github *github, struct strbuf *ret_text, struct error *err)
{
    strbuf_reset(ret_text);
    if (!github->event_path)
        return 0;
    if (file_read(github->event_path, ret_text, err) == 0)
        return 0;
    if (err && !is_exhausted(err->code))
        err->kind = ERROR_INPUT;
    return error_wrap(err, "reading the event's payload (GITHUB_EVENT_PATH)");
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

/* What the runner's parser would take for something else: "a=b<<c" is the output `a`. */
static bool is_key(const char *name)
{
    return name[0] && !strpbrk(name, "=\r\n") && !strstr(name, "<<");
}

static int append_pair(const char *path, const char *name, const char *value, struct error *err)
{
    if (!is_key(name))
        return error_set(err, ERROR_FAILED, "\"%s\" cannot be the name of an output", name);
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

size_t github_summary_length(const struct github *github)
{
    struct stat there;
    if (!github->summary_file || stat(github->summary_file, &there) < 0)
        return 0;
    return (size_t)there.st_size;
}

int github_summary_cut(const struct github *github, size_t length, struct error *err)
{
    if (github_summary_length(github) <= length)
        return 0;
    if (truncate(github->summary_file, (off_t)length) < 0)
        return error_set_errno(err, "cutting %s", github->summary_file);
    return 0;
}

int github_summary(const struct github *github, const struct strbuf *markdown, struct error *err)
{
    if (!github->summary_file)
        return 0;
    size_t used = github_summary_length(github);
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

/* One write for one line, so that lines of threads and children never mix. A closed stdout is
 * nobody listening: not an error. */
static void write_line(struct strbuf *line)
{
    strbuf_addch(line, '\n');
    for (size_t done = 0; done < line->len;) {
        ssize_t written = write(STDOUT_FILENO, line->buf + done, line->len - done);
        if (written < 0 && errno == EINTR)
            continue;
        struct pollfd full = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (written < 0 && errno == EAGAIN && poll(&full, 1, STDOUT_WAIT_MS) > 0)
            continue;
        if (written <= 0)
            return;
        done += (size_t)written;
    }
}

static size_t trim(const char **bytes, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", (*bytes)[0])) {
        (*bytes)++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", (*bytes)[len - 1]))
        len--;
    return len;
}

static void mask_one(const char *bytes, size_t len)
{
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
    bool has_short_line = false;
    size_t lines = 0;
    for (const char *rest = secret; *rest;) {
        size_t len = strcspn(rest, "\r\n");
        const char *line = rest;
        size_t trimmed = trim(&line, len);
        if (trimmed >= MASK_MIN_BYTES)
            mask_one(line, trimmed);
        has_short_line = has_short_line || (trimmed > 0 && trimmed < MASK_MIN_BYTES);
        lines += trimmed > 0;
        rest += len + (rest[len] != '\0');
    }
    /* Of a whole value the runner masks each line itself, however short it is. */
    if (lines > 1 && !has_short_line) {
        size_t len = trim(&secret, strlen(secret));
        mask_one(secret, len);
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

/* One character and its length; what is not UTF-8 becomes U+FFFD, as in the runner. */
static uint32_t character_at(const char *text, size_t *ret_len)
{
    const unsigned char *b = (const unsigned char *)text;
    size_t len = b[0] < 0x80 ? 1 : b[0] < 0xC0 ? 0 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    uint32_t character = len == 1 ? b[0] : b[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((b[i] & 0xC0) != 0x80)
            len = 0;
        else
            character = character << 6 | (b[i] & 0x3F);
    }
    *ret_len = len > 0 ? len : 1;
    return len > 0 ? character : 0xFFFD;
}

struct range {
    uint32_t first, last;
};
/* What C#'s TrimStart takes away (char.IsWhiteSpace). */
static const struct range white[] = {
    {0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
/*
 * What a comparison by the rules of a language passes over: C#'s StartsWith and IndexOf are such.
 */
static const struct range ignored[] = {
    {0x01, 0x08},     {0x0E, 0x1F},     {0x7F, 0x84},     {0x86, 0x9F},      {0xAD, 0xAD},
    {0x034F, 0x034F}, {0x061C, 0x061C}, {0x115F, 0x1160}, {0x17B4, 0x17B5},  {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},  {0xFE00, 0xFE0F},
    {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

static const char *skip_unseen(const char *text, bool and_white)
{
    size_t len;
    for (; *text; text += len) {
        uint32_t character = character_at(text, &len);
        if (!is_in(ignored, sizeof ignored / sizeof *ignored, character) &&
            !(and_white && is_in(white, sizeof white / sizeof *white, character)))
            break;
    }
    return text;
}

/* Do these characters stand here, with nothing to be seen between them? */
static bool stands_here(const char *text, const char *characters)
{
    for (; *characters; characters++) {
        if (*text != *characters)
            return false;
        text = skip_unseen(text + 1, false);
    }
    return true;
}

/*
 * Text that could be read as a command. The runner takes `::` at the start of a line (white space
 * before it or not), and the old form `##[` anywhere in it (ActionCommand.cs). A backslash behind
 * the first character ends both and can still be read.
 */
static void add_plain(struct strbuf *line, const char *text)
{
    const char *start = skip_unseen(text, true);
    const char *colon = stands_here(start, "::") ? start : NULL;
    for (; *text; text++) {
        strbuf_addch(line, *text);
        if (text == colon || stands_here(text, "##["))
            strbuf_addch(line, '\\');
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
