#include "model/pulse_text.h"

#include "model/summary.h"

void pulse_add_text(const struct pulse_state *state, struct strbuf *out)
{
    strbuf_addf(out, "%s: ", state->title);
    summary_add_duration(out, state->so_far_ms);
    strbuf_addstr(out, " so far");
    if (state->expected_ms > 0) {
        strbuf_addstr(out, ", usually ");
        summary_add_duration(out, state->expected_ms);
    }
    if (state->steps_all > 0)
        strbuf_addf(out, "; %zu of %zu steps done", state->steps_done, state->steps_all);
    if (state->bytes_all > 0) {
        strbuf_addstr(out, "; ");
        summary_add_bytes(out, state->bytes_done);
        strbuf_addstr(out, " of ");
        summary_add_bytes(out, state->bytes_all);
        strbuf_addstr(out, " pushed");
    }
}
