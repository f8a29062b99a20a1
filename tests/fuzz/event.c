/* A webhook's payload, and what the gate makes of it. */
#include "model/gate.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {"push",        "pull_request", "pull_request_target",
                                    "release",     "merge_group",  "workflow_run",
                                    "issue_event", "schedule"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct inputs inputs = {.storage_marker = "[test-s3]"};
    struct event event;
    struct error err = ERROR_INIT;
    if (size < 1)
        return 0;
    CLEANUP_FREE char *payload = fuzz_text(data + 1, size - 1);
    const char *name = names[data[0] % (sizeof names / sizeof *names)];
    if (event_parse(name, data[0] & 0x80 ? "refs/tags/v1" : "refs/heads/main",
                    "6dcb09b5b57875f334f61aebed695e2e4193db5e", payload, size - 1, &event,
                    &err) < 0) {
        EXPECT(err.kind == ERROR_INPUT && err.msg[0]);
        return 0;
    }
    struct gate gate = gate_decide(&inputs, &event, NULL);
    EXPECT(gate.reason[0] && gate.storage_reason[0]);
    if (event.from_fork && event.kind == EVENT_PULL_REQUEST)
        EXPECT(gate.action == GATE_NOTHING);
    if (event.kind == EVENT_PULL_REQUEST_TARGET)
        EXPECT(gate.action == GATE_REFUSE || gate.action == GATE_NOTHING);
    event_release(&event);
    return 0;
}
