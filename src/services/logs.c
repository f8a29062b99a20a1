#include "services/logs.h"

#include <string.h>

#include "core/cleanup.h"
#include "services/aws_operations.h"

#define PAGES_AT_MOST  5 /* a page may be empty and yet not be the last one */
#define EVENTS_AT_MOST 1000

static void add_events(const struct json *page, struct strbuf *out)
{
    JSON_EACH (event, json_get(page, "events")) {
        const char *message = json_get_string(event, "message");
        size_t len = message ? strlen(message) : 0;
        strbuf_addstr(out, message);
        if (len > 0 && message[len - 1] != '\n')
            strbuf_addch(out, '\n');
    }
}

/* The last whole lines that fit. */
static void add_tail(const struct strbuf *text, size_t max_bytes, struct strbuf *out)
{
    const char *from = text->buf;
    if (text->len > max_bytes) {
        from = text->buf + text->len - max_bytes;
        const char *line = strchr(from, '\n');
        from = line ? line + 1 : from;
    }
    strbuf_addstr(out, from);
}

int logs_read(struct aws *aws, const char *group, int64_t since_ms, size_t max_bytes,
              struct strbuf *out, struct error *err)
{
    CLEANUP(json) struct json *body = json_new_object();
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT((size_t)4 << 20);
    json_put_string(body, "logGroupName", group);
    json_put_int(body, "startTime", since_ms);
    json_put_int(body, "limit", EVENTS_AT_MOST);
    for (int page = 0; page < PAGES_AT_MOST; page++) {
        CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
        const struct aws_call call = {.operation = &logs_op_filter_log_events, .body = body};
        if (aws_call(aws, &call, &answer, err) < 0)
            return error_wrap(err, "reading the log %s", group);
        add_events(answer.json, &text);
        const char *next = json_get_string(answer.json, "nextToken");
        if (!next)
            break;
        json_put_string(body, "nextToken", next);
    }
    add_tail(&text, max_bytes, out);
    return 0;
}
