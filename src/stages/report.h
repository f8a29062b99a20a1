/*
 * report.h: the end of every run: outputs, summary, last lines of the log. Always runs, whatever
 * happened before.
 */
#ifndef STAGES_REPORT_H
#define STAGES_REPORT_H

#include "model/inputs.h"
#include "stages/stage.h"

/*
 * Returns the run's exit code. Outputs or a summary that cannot be written change nothing of what
 * was deployed, and turn an exit code of 0 into 1; the caller tells *ret_problem, which is
 * ERROR_NONE where all was written. `inputs` NULL: they could not be read.
 */
int report(struct run *run, const struct inputs *inputs, struct error *ret_problem);

/*
 * Outputs and summary as they would be if the run ended now: for a run that is cancelled and may be
 * killed while it puts something back. What `report` writes later takes their place (of an output
 * that is written twice the runner takes the last).
 */
void report_early(struct run *run, const struct inputs *inputs);

/* --help and --version: what was asked for, on standard output. */
void report_help(enum inputs_ask ask);
/* What the event asks for, and why. */
void report_gate(const struct gate *gate);
/* What the stage that has just ended took, where that is worth a line. */
void report_stage_time(struct run *run);

/* --json: from now on the log goes to standard error, so that standard output holds nothing but the
 * result. */
int report_json_begin(struct error *err);
/* After the report: the result on standard output, if it was asked for. -1 if it could not be
 * written, which was said. */
int report_json_end(struct result *result);

#endif
