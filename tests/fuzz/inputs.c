/* The value of any input: lines KEY=VALUE, headers, JSON, durations. The first byte chooses one. */
#include "model/inputs.h"
#include "tests/fuzz/fuzz.h"

static char *variable(const char *name, const char *value)
{
    struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&text, "INPUT_%s=%s", name, value);
    for (char *c = text.buf; *c && *c != '='; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return strbuf_detach(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const argv[] = {"lambda-fastdeploy", NULL};
    struct inputs inputs;
    enum inputs_ask ask;
    struct error err = ERROR_INIT;
    if (size < 1)
        return 0;
    CLEANUP_FREE char *value = fuzz_text(data + 1, size - 1);
    CLEANUP_FREE char *pair = variable(input_specs[data[0] % input_spec_count].name, value);
    const char *const environment[] = {"AWS_REGION=us-east-1", "INPUT_FUNCTION-NAME=hello", pair,
                                       NULL};
    if (inputs_read(1, argv, environment, &inputs, &ask, &err) == 0) {
        for (size_t i = 0; i < inputs.environment.len; i++)
            EXPECT(strchr(inputs.environment.items[i], '='));
        for (size_t i = 0; i < inputs.secrets.len; i++)
            EXPECT(strchr(inputs.secrets.items[i], '='));
        for (size_t i = 0; i < inputs.health_headers.len; i++) {
            EXPECT(strchr(inputs.health_headers.items[i], ':'));
            EXPECT(!strpbrk(inputs.health_headers.items[i], "\r\n"));
        }
        inputs_release(&inputs);
    } else {
        EXPECT(err.kind == ERROR_INPUT && err.msg[0]);
    }
    return 0;
}
