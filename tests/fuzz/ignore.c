/* A .dockerignore; behind a NUL the path that is asked about. */
#include "model/ignore.h"
#include "model/glob.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ignore ignore = IGNORE_INIT;
    struct error err = ERROR_INIT;
    CLEANUP(strbuf) struct strbuf clean = STRBUF_INIT(STRBUF_NO_CAP);
    size_t len = fuzz_split(data, size);
    CLEANUP_FREE char *text = fuzz_text(data, len);
    const char *rest = len < size ? (const char *)data + len + 1 : "";
    CLEANUP_FREE char *path = memory_copy_bytes(rest, len < size ? size - len - 1 : 0);
    glob_clean(path, &clean);
    const char *asked = clean.buf;
    while (*asked == '/')
        asked++;
    if (glob_is_valid(text))
        (void)glob_matches(text, path);
    if (ignore_parse(".dockerignore", text, len, &ignore, &err) == 0) {
        EXPECT(!ignore.uncertain || ignore.uncertain_pattern[0]);
        if (*asked && !text_equal(asked, ".")) {
            bool alone = ignore_matches_alone(&ignore, asked);
            EXPECT(alone == ignore_matches_alone(&ignore, asked));
            (void)ignore_may_keep_below(&ignore, asked);
        }
    } else {
        EXPECT(err.kind == ERROR_INPUT);
    }
    ignore_release(&ignore);
    return 0;
}
