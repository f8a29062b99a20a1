/* Any JSON: what is printed again reads as the same. */
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

static void look(const struct json *json)
{
    if (json_type(json) == JSON_STRING)
        EXPECT(json_string(json) != NULL);
    (void)json_get_string(json, "a.b");
    (void)json_get_int(json, "a", -1);
    (void)json_get_number(json, "a", -1);
    (void)json_get_bool(json, "a.a", false);
    JSON_EACH (child, json) {
        if (json_type(json) == JSON_OBJECT)
            EXPECT(json_member(json, json_name(child)) == child);
        look(child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json) struct json *json = NULL;
    CLEANUP(json) struct json *again = NULL;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    struct error err = ERROR_INIT;
    CLEANUP_FREE char *copy = fuzz_text(data, size);
    if (json_parse(copy, size, &json, &err) < 0) {
        EXPECT(err.kind == ERROR_PROTOCOL || err.kind == ERROR_TOO_LARGE);
        return 0;
    }
    look(json);
    if (data[0] & 1)
        json_print(json, &text);
    else
        json_print_pretty(json, &text);
    EXPECT(text_is_utf8(text.buf, text.len));
    EXPECT(json_parse(text.buf, text.len, &again, &err) == 0);
    EXPECT(json_equal(json, again));
    return 0;
}
