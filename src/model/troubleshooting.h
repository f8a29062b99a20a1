/*
 * troubleshooting.h: where docs/troubleshooting.md speaks of an error.
 *
 * Every error has a place there: its kind and the stage that met it choose a heading, and the line
 * that tells the error names that heading's anchor. tests/check_guides.py compares both: each
 * anchor of the table is a heading, each heading is in the table, and each message that is quoted
 * there is one of the program's. Pure.
 */
#ifndef MODEL_TROUBLESHOOTING_H
#define MODEL_TROUBLESHOOTING_H

#include "core/error.h"
#include "core/strbuf.h"

/* The "stage" of what goes wrong while the old state is put back. */
#define TROUBLESHOOTING_PUT_BACK "put-back"

/* The anchor without its "#", never NULL. `stage` is the name of the stage that failed, "inputs",
 * "gate" or TROUBLESHOOTING_PUT_BACK; NULL: not known. */
const char *troubleshooting_anchor(const char *stage, enum error_kind kind);

/*
 * Write where to read on: "docs/troubleshooting.md#network", and with the action's repository and
 * ref (GITHUB_ACTION_REPOSITORY, GITHUB_ACTION_REF; NULL or empty: not known) and the server's URL
 * the whole address. The file lies where the action was taken from, which is github.com: on another
 * server its address is not known, and the short form is written.
 */
void troubleshooting_address(const char *anchor, const char *server_url, const char *repository,
                             const char *ref, struct strbuf *out);

#endif
