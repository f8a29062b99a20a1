/* The engine's multiplexed output: however it is cut, the same lines come out of it. */
#include "services/docker_stream.h"
#include "tests/fuzz/fuzz.h"

static void keep(void *context, bool is_stderr, const char *line, size_t len)
{
    struct strbuf *seen = context;
    strbuf_addch(seen, is_stderr ? 'e' : 'o');
    strbuf_add(seen, line, len);
    strbuf_addch(seen, '\n');
}

static void feed(const char *bytes, size_t size, size_t step, struct strbuf *seen)
{
    struct docker_stream stream;
    docker_stream_init(&stream, keep, seen);
    for (size_t at = 0; at < size; at += step) {
        size_t len = size - at < step ? size - at : step;
        CLEANUP_FREE char *piece = memory_copy_bytes(bytes + at, len);
        EXPECT(docker_stream_add(&stream, piece, len) == 0);
    }
    docker_stream_finish(&stream);
    docker_stream_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf) struct strbuf whole = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(strbuf) struct strbuf cut = STRBUF_INIT(STRBUF_NO_CAP);
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    feed(bytes, size - 1, size, &whole);
    feed(bytes, size - 1, 1 + data[0] % 16, &cut);
    EXPECT(whole.len == cut.len && memcmp(whole.buf, cut.buf, cut.len) == 0);
    return 0;
}
