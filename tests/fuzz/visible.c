/* Text that others wrote, made harmless, and secrets taken out of it (the first line is one). */
#include "model/redact.h"
#include "tests/fuzz/fuzz.h"

/* No control character but a newline that was asked for; UTF-8; within its limit. */
static void look(const struct strbuf *shown, size_t limit, bool keep_newlines)
{
    EXPECT(text_is_utf8(shown->buf, shown->len));
    EXPECT(shown->len <= limit);
    for (size_t i = 0; i < shown->len; i++) {
        unsigned char c = (unsigned char)shown->buf[i];
        EXPECT((c >= 0x20 && c != 0x7f) || (c == '\n' && keep_newlines));
        /* C1 controls, marks of direction, separators: U+0080-U+009F, U+200E, U+202A-E, U+2028 */
        unsigned char next = (unsigned char)shown->buf[i + 1];
        EXPECT(!(c == 0xC2 && next < 0xA0));
        if (c == 0xE2 && next == 0x80) {
            unsigned char last = (unsigned char)shown->buf[i + 2];
            EXPECT(!(last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool keep_newlines = data[0] & 1;
    size_t limit = 4 + data[0];
    CLEANUP_FREE char *text = fuzz_text(data + 1, size - 1);
    CLEANUP(strbuf) struct strbuf shown = STRBUF_INIT(STRBUF_NO_CAP);
    text_add_visible(&shown, text, size - 1, limit, keep_newlines);
    look(&shown, limit, keep_newlines);

    struct redact redact = REDACT_INIT;
    CLEANUP(strbuf) struct strbuf hidden = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *secret = memory_copy_bytes(text, strcspn(text, "\n"));
    redact_add(&redact, secret);
    redact_text(&redact, text, size - 1, &hidden);
    if (strlen(secret) >= REDACT_MIN_BYTES && !strpbrk(secret, "* \t\r\v\f"))
        EXPECT(!strstr(hidden.buf, secret));
    redact_release(&redact);
    return 0;
}
