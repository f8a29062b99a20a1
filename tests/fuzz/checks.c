/* Lines of checks; behind a NUL an answer whose members they may name. */
#include "model/checks.h"
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checks checks = {.items = NULL};
    struct error err = ERROR_INIT;
    CLEANUP(json) struct json *answer = NULL;
    size_t len = fuzz_split(data, size);
    CLEANUP_FREE char *text = fuzz_text(data, len);
    if (len < size)
        (void)json_parse((const char *)data + len + 1, size - len - 1, &answer, NULL);
    if (checks_parse("checks", text, &checks, &err) < 0) {
        EXPECT(err.kind == ERROR_INPUT && text_starts_with(err.msg, "checks"));
        return 0;
    }
    const struct json *const answers[] = {answer};
    for (size_t i = 0; i < checks.len; i++) {
        const struct check *check = &checks.items[i];
        CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(65536);
        CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(65536);
        EXPECT(check->path[0] == '/' && check->status >= 100 && check->status <= 599);
        EXPECT(!strpbrk(check->method, " \r\n"));
        if (checks_substitute(check->path, answers, 1, false, &path, &err) == 0)
            EXPECT(!strpbrk(path.buf, " \r\n\t"));
        if (check->body)
            (void)checks_substitute(check->body, answers, 1, true, &body, &err);
    }
    checks_release(&checks);
    return 0;
}
