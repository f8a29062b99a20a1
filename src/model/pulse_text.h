/*
 * pulse_text.h: how far long work is, in a line. Pure.
 */
#ifndef MODEL_PULSE_TEXT_H
#define MODEL_PULSE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/strbuf.h"

struct pulse_state {
    const char *title; /* borrowed; of the stage */
    int64_t so_far_ms;
    int64_t expected_ms;           /* what it usually takes; 0: not known */
    size_t steps_done, steps_all;  /* 0 of 0: there are none */
    int64_t bytes_done, bytes_all; /* pushed; 0 of 0: nothing is known of it */
};

/*
 * "Application image: 40.0 s so far, usually 1 min 10 s; 4 of 10 steps done; 12 MB of 30 MB pushed"
 */
void pulse_add_text(const struct pulse_state *state, struct strbuf *out);

#endif
