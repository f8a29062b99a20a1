#include "services/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/memory.h"
#include "core/text.h"

#define TABLE_SIZE       (PROGRESS_MAX_STEPS * 2) /* a power of two */
#define NAME_MAX_BYTES   512
#define ERROR_MAX_BYTES  4096
#define OTHER_MAX_BYTES  8192
#define LINE_MAX_BYTES   8192
#define LOG_MAX_BYTES    ((size_t)1 << 20)
#define OBJECT_MAX_BYTES ((size_t)8 << 20)
#define TRANSFERS        1024 /* of one step whose bytes are counted */
#define NS_PER_MS        INT64_C(1000000)

struct transfer {
    uint32_t id; /* a hash of its name */
    bool known, completed;
    int64_t bytes, total;
};

struct step_private {
    struct strbuf line;         /* of its output, until the newline comes */
    struct transfer *transfers; /* owned; NULL: none yet */
    size_t transfer_count, transfer_alloc;
    int64_t open_ns,
        closed_ns; /* the latest beginning that was told without an end, and with one */
    bool announced, ended;
};

struct progress_private {
    uint16_t table[TABLE_SIZE];        /* index + 1 of the step with that digest; 0: free */
    struct step_private *steps;        /* owned; as many as progress->steps */
    struct strbuf object;              /* an indented object that has not ended yet */
    char manifest_digest[DIGEST_SIZE]; /* whose push has ended, well or badly; "": none */
    size_t manifest_step;              /* the index of the step that pushes it */
};

void progress_init(struct progress *progress)
{
    *progress = (struct progress){.other = STRBUF_INIT(2 * OTHER_MAX_BYTES + 1)};
    progress->private = memory_new(sizeof *progress->private);
    strbuf_init(&progress->private->object, OBJECT_MAX_BYTES);
}

void progress_release(struct progress *progress)
{
    for (size_t i = 0; i < progress->len; i++) {
        free(progress->steps[i].name);
        free(progress->steps[i].error);
        strbuf_release(&progress->steps[i].tail);
        strbuf_release(&progress->private->steps[i].line);
        free(progress->private->steps[i].transfers);
    }
    free(progress->steps);
    if (progress->private) {
        free(progress->private->steps);
        strbuf_release(&progress->private->object);
    }
    free(progress->private);
    strbuf_release(&progress->other);
    progress->steps = NULL;
    progress->private = NULL;
    progress->len = 0;
}

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static void make_room(struct progress *progress)
{
    if (progress->len < progress->alloc)
        return;
    progress->alloc = progress->alloc ? progress->alloc * 2 : 64;
    progress->steps = memory_resize(progress->steps, progress->alloc, sizeof *progress->steps);
    progress->private->steps =
        memory_resize(progress->private->steps, progress->alloc, sizeof *progress->private->steps);
}

/* The step of that digest, made if it is new and wanted; NULL when there are too many. */
static struct progress_step *look_up(struct progress *progress, const char *name, bool make)
{
    char digest[sizeof progress->steps->digest];
    snprintf(digest, sizeof digest, "%s", name);
    uint16_t *table = progress->private->table;
    uint32_t slot = hash_text(digest) & (TABLE_SIZE - 1);
    for (; table[slot]; slot = (slot + 1) & (TABLE_SIZE - 1))
        if (strcmp(progress->steps[table[slot] - 1].digest, digest) == 0)
            return &progress->steps[table[slot] - 1];
    if (!make)
        return NULL;
    if (progress->len == PROGRESS_MAX_STEPS) {
        progress->dropped_steps++;
        return NULL;
    }
    make_room(progress);
    size_t index = progress->len++;
    progress->changes++;
    table[slot] = (uint16_t)(index + 1);
    progress->private->steps[index] = (struct step_private){.line = STRBUF_INIT(LINE_MAX_BYTES)};
    struct progress_step *step = &progress->steps[index];
    *step = (struct progress_step){.number = (int)index + 1,
                                   .tail = STRBUF_INIT(2 * PROGRESS_TAIL_BYTES)};
    snprintf(step->digest, sizeof step->digest, "%s", digest);
    step->name = memory_copy_string("");
    return step;
}

static struct progress_step *find_step(struct progress *progress, const char *digest)
{
    return look_up(progress, digest, true);
}

static struct step_private *private_of(struct progress *progress, const struct progress_step *step)
{
    return &progress->private->steps[step - progress->steps];
}

static int64_t parse_time(const char *text)
{
    return clock_parse_iso_ns(text) / NS_PER_MS;
}

static void say(struct progress *progress, const struct progress_step *step, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct progress *progress, const struct progress_step *step, const char *fmt, ...)
{
    if (!progress->on_line)
        return;
    struct strbuf line = STRBUF_INIT(LINE_MAX_BYTES + 64);
    strbuf_addf(&line, "#%d ", step->number);
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(&line, fmt, ap);
    va_end(ap);
    progress->on_line(progress->context, line.buf, line.len);
    strbuf_release(&line);
}

/* A line of its output, with the seconds since it began: "#5 0.123 output"; zero bytes and all. */
static void flush_line(struct progress *progress, struct progress_step *step, int64_t now_ms)
{
    struct strbuf *line = &private_of(progress, step)->line;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(LINE_MAX_BYTES + 64);
    if (line->len > 0 && line->buf[line->len - 1] == '\r')
        strbuf_truncate(line, line->len - 1);
    strbuf_addf(&text, "#%d ", step->number);
    if (step->start_ms > 0 && now_ms >= step->start_ms)
        strbuf_addf(&text, "%.3f ", (double)(now_ms - step->start_ms) / 1000.0);
    strbuf_addsb(&text, line);
    if (progress->on_line)
        progress->on_line(progress->context, text.buf, text.len);
    strbuf_reset(line);
}

static void say_error(struct progress *progress, const struct progress_step *step)
{
    if (progress_is_cache_import(step) && text_ends_with(step->error, ": not found"))
        say(progress, step, "no cache yet");
    else if (progress_is_cache_import(step))
        say(progress, step, "no cache from there: %s", step->error);
    else if (progress_is_cache_export(step))
        say(progress, step, "the cache was not written: %s", step->error);
    else
        say(progress, step, "ERROR: %s", step->error);
}

static void end_step(struct progress *progress, struct progress_step *step)
{
    struct step_private *private = private_of(progress, step);
    if (private->ended)
        return;
    private->ended = true;
    if (private->line.len > 0)
        flush_line(progress, step, step->end_ms);
    if (step->error)
        say_error(progress, step);
    else if (step->cached)
        say(progress, step, "CACHED");
    else if (step->start_ms > 0)
        say(progress, step, "DONE %.1fs", (double)(step->end_ms - step->start_ms) / 1000.0);
    else
        say(progress, step, "DONE");
    strbuf_release(&private->line);
    free(private->transfers);
    private->transfers = NULL;
    if (!step->error)
        strbuf_release(&step->tail); /* only a failed step's output is asked for later */
}

static char *cut_copy(const char *text, size_t max_bytes)
{
    size_t len = strlen(text);
    return memory_copy_bytes(text, len < max_bytes ? len : max_bytes);
}

static void name_step(struct progress_step *step, const char *name)
{
    if (!name || !name[0])
        return;
    free(step->name);
    step->name = cut_copy(name, NAME_MAX_BYTES);
    step->internal = text_starts_with(name, "[internal]");
}

static void start_step(struct progress *progress, struct progress_step *step, int64_t started_ms)
{
    struct step_private *private = private_of(progress, step);
    step->started = true;
    if (step->start_ms == 0 || started_ms < step->start_ms)
        step->start_ms = started_ms;
    if (private->announced)
        return;
    private->announced = true;
    say(progress, step, "%s", step->name);
}

/* BuildKit tells each run of a step by its beginning, and again with its end; in any order, the
 * latest counts. */
static void follow_runs(struct progress *progress, struct progress_step *step,
                        const struct json *vertex)
{
    struct step_private *private = private_of(progress, step);
    int64_t began_ns = clock_parse_iso_ns(json_get_string(vertex, "started"));
    int64_t ended_ns = clock_parse_iso_ns(json_get_string(vertex, "completed"));
    int64_t *latest = ended_ns > 0 ? &private->closed_ns : &private->open_ns;
    if (began_ns > *latest) {
        *latest = began_ns;
        progress->changes++;
    }
    step->running = private->open_ns > private->closed_ns;
}

static void begin_vertex(struct progress *progress, const struct json *vertex)
{
    const char *digest = json_get_string(vertex, "digest");
    struct progress_step *step = digest ? find_step(progress, digest) : NULL;
    if (!step)
        return;
    int64_t started_ms = parse_time(json_get_string(vertex, "started"));
    name_step(step, json_get_string(vertex, "name"));
    step->cached = step->cached || json_get_bool(vertex, "cached", false);
    if (started_ms > 0)
        start_step(progress, step, started_ms);
    follow_runs(progress, step, vertex);
}

static void end_vertex(struct progress *progress, const struct json *vertex)
{
    const char *digest = json_get_string(vertex, "digest");
    struct progress_step *step = digest ? look_up(progress, digest, false) : NULL;
    if (!step)
        return;
    const char *error = json_get_string(vertex, "error");
    int64_t completed_ms = parse_time(json_get_string(vertex, "completed"));
    if (error && error[0] && !step->error) {
        step->error = cut_copy(error, ERROR_MAX_BYTES);
        if (private_of(progress, step)->ended)
            say_error(progress, step);
    }
    if (completed_ms > 0) {
        step->completed = true;
        step->end_ms = completed_ms > step->end_ms ? completed_ms : step->end_ms;
        end_step(progress, step);
    }
}

/* NULL: too many. */
static struct transfer *find_transfer(struct step_private *private, const char *id)
{
    uint32_t key = hash_text(id);
    for (size_t i = 0; i < private->transfer_count; i++)
        if (private->transfers[i].id == key)
            return &private->transfers[i];
    if (private->transfer_count == TRANSFERS)
        return NULL;
    if (private->transfer_count == private->transfer_alloc) {
        private->transfer_alloc = private->transfer_alloc ? private->transfer_alloc * 2 : 8;
        private->transfers =
            memory_resize(private->transfers, private->transfer_alloc, sizeof *private->transfers);
    }
    struct transfer *transfer = &private->transfers[private->transfer_count++];
    *transfer = (struct transfer){.id = key};
    return transfer;
}

/* "pushing manifest for repository:tag@sha256:…". That it has ended does not say how: its step
 * does. */
static void note_manifest(struct progress *progress, const struct json *status)
{
    const char *id = json_get_string(status, "id"), *vertex = json_get_string(status, "vertex");
    const char *digest = id && json_get_string(status, "completed") ? strrchr(id, '@') : NULL;
    const struct progress_step *step = vertex ? look_up(progress, vertex, false) : NULL;
    struct progress_private *private = progress->private;
    if (!step || !digest || !text_starts_with(id, "pushing manifest for ") ||
        !text_is_digest(digest + 1))
        return;
    snprintf(private->manifest_digest, sizeof private->manifest_digest, "%s", digest + 1);
    private->manifest_step = (size_t)(step - progress->steps);
}

static void note_pushed(struct progress *progress)
{
    const struct progress_private *private = progress->private;
    if (!private->manifest_digest[0])
        return;
    const struct progress_step *step = &progress->steps[private->manifest_step];
    if (step->completed && !step->running && !step->error)
        snprintf(progress->pushed_digest, sizeof progress->pushed_digest, "%s",
                 private->manifest_digest);
}

/* The bytes of one transfer, counted once however often it is reported. */
static void add_status(struct progress *progress, const struct json *status)
{
    const char *digest = json_get_string(status, "vertex"), *id = json_get_string(status, "id");
    int64_t current = json_get_int(status, "current", 0), total = json_get_int(status, "total", 0);
    bool completed = json_get_string(status, "completed") != NULL;
    struct progress_step *step = digest && id ? find_step(progress, digest) : NULL;
    if (!step)
        return;
    struct step_private *private = private_of(progress, step);
    struct transfer *transfer = private->ended ? NULL : find_transfer(private, id);
    if (!transfer) {
        progress->changes++; /* as far as can be told */
        return;
    }
    int64_t more = current > transfer->bytes ? current - transfer->bytes : 0;
    int64_t more_total = total > transfer->total ? total - transfer->total : 0;
    bool is_new = !transfer->known, ends = completed && !transfer->completed;
    transfer->known = true;
    transfer->completed = transfer->completed || completed;
    if (is_new || ends || more > 0)
        progress->changes++;
    transfer->bytes += more;
    transfer->total += more_total;
    step->bytes += more;
    if (!text_starts_with(id, "pushing"))
        return;
    progress->pushed_bytes += more;
    progress->total_push_bytes += more_total;
}

/* Keep the end of a text that grows without limit. */
static void keep_tail(struct strbuf *tail, const char *bytes, size_t len, size_t keep)
{
    if (len > keep) {
        bytes += len - keep;
        len = keep;
        strbuf_reset(tail);
    }
    if (tail->len + len > 2 * keep) {
        size_t drop = tail->len + len - keep;
        memmove(tail->buf, tail->buf + drop, tail->len - drop);
        strbuf_truncate(tail, tail->len - drop);
    }
    strbuf_add(tail, bytes, len);
}

static void add_log(struct progress *progress, const struct json *log)
{
    const char *digest = json_get_string(log, "vertex"), *data = json_get_string(log, "data");
    struct progress_step *step = digest && data ? find_step(progress, digest) : NULL;
    if (!step)
        return;
    struct error ignored = ERROR_INIT; /* a piece that is not base64 is counted, not fatal */
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(LOG_MAX_BYTES);
    if (crypto_base64_decode(&text, data, strlen(data), &ignored) < 0) {
        progress->bad_lines++;
        return;
    }
    progress->changes++;
    struct step_private *private = private_of(progress, step);
    struct strbuf *line = &private->line;
    int64_t now_ms = parse_time(json_get_string(log, "timestamp"));
    if (!private->ended || step->error)
        keep_tail(&step->tail, text.buf, text.len, PROGRESS_TAIL_BYTES);
    for (const char *rest = text.buf; rest < text.buf + text.len;) {
        size_t left = text.len - (size_t)(rest - text.buf);
        const char *newline = memchr(rest, '\n', left);
        size_t take = newline ? (size_t)(newline - rest) : left;
        strbuf_add(line, rest, take);
        if (newline)
            flush_line(progress, step, now_ms);
        rest += take + (newline != NULL);
    }
    if (private->ended && line->len > 0)
        flush_line(progress, step, now_ms); /* nothing will end it any more */
    if (private->ended)
        strbuf_release(line);
}

static void add_warning(struct progress *progress, const struct json *warning)
{
    const char *digest = json_get_string(warning, "vertex"),
               *text = json_get_string(warning, "short");
    struct progress_step *step = digest && text ? find_step(progress, digest) : NULL;
    CLEANUP(strbuf) struct strbuf decoded = STRBUF_INIT(LINE_MAX_BYTES);
    struct error ignored = ERROR_INIT;
    if (step && crypto_base64_decode(&decoded, text, strlen(text), &ignored) == 0)
        say(progress, step, "WARN: %s", decoded.buf);
}

static void add_other(struct progress *progress, const char *line, size_t len)
{
    keep_tail(&progress->other, line, len, OTHER_MAX_BYTES);
    strbuf_addch(&progress->other, '\n');
}

static void add_object(struct progress *progress, const char *text, size_t len)
{
    struct error ignored = ERROR_INIT; /* counted: a torn line must not end a build */
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(text, len, &json, &ignored) < 0) {
        progress->bad_lines++;
        add_other(progress, text, len);
        return;
    }
    /* What a step moved and said stands beside its end in one object. */
    JSON_EACH (vertex, json_get(json, "vertexes"))
        begin_vertex(progress, vertex);
    JSON_EACH (status, json_get(json, "statuses")) {
        add_status(progress, status);
        note_manifest(progress, status);
    }
    JSON_EACH (log, json_get(json, "logs"))
        add_log(progress, log);
    JSON_EACH (warning, json_get(json, "warnings"))
        add_warning(progress, warning);
    JSON_EACH (vertex, json_get(json, "vertexes"))
        end_vertex(progress, vertex);
    note_pushed(progress);
}

/*
 * Older versions of buildx indent their objects: "{" and "}" then stand alone on the first and the
 * last line, and every line between begins with white space. Another line means that the object
 * was torn. True if the line is part of the object.
 */
static bool add_to_object(struct progress *progress, const char *line, size_t len)
{
    struct strbuf *object = &progress->private->object;
    bool ends = len == 1 && line[0] == '}';
    bool within = len == 0 || line[0] == ' ' || line[0] == '\t';
    if (ends || within) {
        strbuf_add(object, line, len);
        strbuf_addch(object, '\n');
    } else {
        progress->bad_lines++;
    }
    if (ends)
        add_object(progress, object->buf, object->len);
    if (!within)
        strbuf_reset(object);
    return ends || within;
}

void progress_add_line(struct progress *progress, const char *line, size_t len)
{
    struct strbuf *object = &progress->private->object;
    if (object->len > 0 && add_to_object(progress, line, len))
        return;
    if (len == 1 && line[0] == '{')
        strbuf_addstr(object, "{\n");
    else if (len > 0 && line[0] == '{')
        add_object(progress, line, len);
    else if (len > 0)
        add_other(progress, line, len); /* buildx's own words stand between the objects */
    if (progress->on_change)
        progress->on_change(progress->context, progress);
}
