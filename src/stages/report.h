/*
 * report.h: the end of every run: outputs, summary, last lines of the log. Always runs, whatever
 * happened before.
 */
#ifndef STAGES_REPORT_H
#define STAGES_REPORT_H

#include "model/inputs.h"
#include "stages/stage.h"

/*
 * Returns the run's exit code. Outputs or a summary that cannot be written are warnings that change
 * nothing of what was deployed, and turn an exit code of 0 into 1. `inputs` NULL: they could not be
 * read.
 */
int report(struct run *run, const struct inputs *inputs);

#endif
