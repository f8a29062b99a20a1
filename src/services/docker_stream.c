#include "services/docker_stream.h"

#include <string.h>

#define LINE_MAX_BYTES 65536

void docker_stream_init(struct docker_stream *stream,
                        void (*on_line)(void *context, bool is_stderr, const char *line,
                                        size_t len),
                        void *context)
{
    *stream =
        (struct docker_stream){.lines = {STRBUF_INIT(LINE_MAX_BYTES), STRBUF_INIT(LINE_MAX_BYTES)},
                               .on_line = on_line,
                               .context = context};
}

void docker_stream_release(struct docker_stream *stream)
{
    strbuf_release(&stream->lines[0]);
    strbuf_release(&stream->lines[1]);
}

static void flush_line(struct docker_stream *stream, int which)
{
    struct strbuf *line = &stream->lines[which];
    size_t len = line->len;
    if (len > 0 && line->buf[len - 1] == '\r')
        len--;
    if (stream->on_line)
        stream->on_line(stream->context, which == 1, line->buf, len);
    strbuf_reset(line);
}

static void add_output(struct docker_stream *stream, int which, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t take = newline ? (size_t)(newline - bytes) : len;
        strbuf_add(&stream->lines[which], bytes, take);
        if (!newline)
            return;
        flush_line(stream, which);
        bytes += take + 1;
        len -= take + 1;
    }
}

static void read_header(struct docker_stream *stream)
{
    const unsigned char *h = stream->header;
    stream->broken = h[0] > 2 || h[1] != 0 || h[2] != 0 || h[3] != 0;
    stream->piece_left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
}

int docker_stream_add(void *context, const char *bytes, size_t len)
{
    struct docker_stream *stream = context;
    while (len > 0 && !stream->broken) {
        if (stream->piece_left == 0) {
            stream->header[stream->header_len++] = (unsigned char)*bytes++;
            len--;
            if (stream->header_len == sizeof stream->header) {
                read_header(stream);
                stream->header_len = 0;
            }
            continue;
        }
        size_t take = len < stream->piece_left ? len : stream->piece_left;
        add_output(stream, stream->header[0] == 2, bytes, take);
        stream->piece_left -= (uint32_t)take;
        bytes += take;
        len -= take;
    }
    return 0;
}

void docker_stream_finish(struct docker_stream *stream)
{
    for (int which = 0; which < 2; which++)
        if (stream->lines[which].len > 0)
            flush_line(stream, which);
}
