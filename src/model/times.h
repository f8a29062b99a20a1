/*
 * times.h: how long the last deployments took, as a text for one of the function's tags, so that a
 * run can say what to expect and compare itself. Pure.
 *
 *   lambda-fastdeploy:times      "325/0/281/21/12 1904/1530/290/22/13"
 *
 * One entry a deployment that changed the function and was verified, the newest first: the whole
 * run, building the base image, building the application image, changing the function
 * (configuration, code, version, alias), verifying it; each in tenths of a second. A part that was
 * not built, or not run, is 0; one that was is at least 1. At most ten entries; the oldest are left
 * out when they do not fit in 256 characters (model/record.h has the source).
 */
#ifndef MODEL_TIMES_H
#define MODEL_TIMES_H

#include <stddef.h>
#include <stdint.h>

#define TIMES_TAG         "lambda-fastdeploy:times"
#define TIMES_VALUE_SIZE  257
#define TIMES_MAX_ENTRIES 10

enum times_part { TIMES_TOTAL, TIMES_BASE, TIMES_IMAGE, TIMES_RELEASE, TIMES_VERIFY, TIMES_PARTS };

struct times_entry {
    int64_t
        ms[TIMES_PARTS]; /* by enum times_part; whole tenths of a second once they were read back */
};

struct times {
    struct times_entry items[TIMES_MAX_ENTRIES]; /* the newest first */
    size_t len;
};

/* NULL and what is not such a list give an empty one; entries that make no sense are left out. */
void times_parse(const char *value, struct times *ret_times);
/* As many entries as fit. */
void times_format(const struct times *times, char ret_value[TIMES_VALUE_SIZE]);
/* `entry` becomes the newest one; the oldest makes room for it. */
void times_add(struct times *times, const struct times_entry *entry);

#endif
