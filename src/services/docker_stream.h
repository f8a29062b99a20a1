/*
 * docker_stream.h: the engine's multiplexed output (8 bytes of header before each piece) → lines.
 * Pure. Source: docs.docker.com/reference/api/engine, "Attach to a container", stream format.
 */
#ifndef SERVICES_DOCKER_STREAM_H
#define SERVICES_DOCKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strbuf.h"

struct docker_stream {
    unsigned char header[8];
    size_t header_len;
    bool broken;            /* what came is not multiplexed output: nothing more is read */
    uint32_t piece_left;    /* bytes of the present piece that are still to come */
    struct strbuf lines[2]; /* what has no newline yet: stdout, stderr; at most 64 KiB each */
    void (*on_line)(void *context, bool is_stderr, const char *line, size_t len);
    void *context; /* borrowed */
};

void docker_stream_init(struct docker_stream *stream,
                        void (*on_line)(void *context, bool is_stderr, const char *line,
                                        size_t len),
                        void *context);
void docker_stream_release(struct docker_stream *stream);
/* Takes pieces as they come, cut anywhere: an http_request's on_body. Always 0. */
int docker_stream_add(void *stream, const char *bytes, size_t len);
/* The last line may lack its newline. */
void docker_stream_finish(struct docker_stream *stream);

#endif
