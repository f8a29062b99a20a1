/* main.c: the function itself. GET /health says that it is well; anything else gets a greeting. */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define VERSION "1"

static int health(struct reply *reply)
{
    return reply_json(reply, 200, "{\"status\":\"ok\",\"version\":\"%s\"}", VERSION);
}

static int greet(const struct event *event, struct reply *reply)
{
    char name[64], greeting[128], quoted[512];
    const char *value;
    size_t len;
    if (!json_find(event->payload, event->payload_len, "name", &value, &len) ||
        !json_text(value, len, name, sizeof name)) {
        snprintf(name, sizeof name, "world");
    }
    snprintf(greeting, sizeof greeting, "Hello, %s!", name);
    if (json_quote(greeting, quoted, sizeof quoted) != 0) {
        return reply_json(reply, 500, "the name is too long"), -1;
    }
    return reply_json(reply, 200, "{\"greeting\":%s,\"version\":\"%s\"}", quoted, VERSION);
}

static int handle(const struct event *event, struct reply *reply)
{
    if (event->is_http && strcmp(event->path, "/health") == 0) {
        return health(reply);
    }
    return greet(event, reply);
}

int main(void)
{
    return runtime_run(handle);
}
