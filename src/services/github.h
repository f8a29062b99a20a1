/*
 * github.h: the GitHub runner's side of the house: what it tells us by environment and files, what
 * we tell it.
 *
 * Sources: actions/runner FileCommandManager.cs, ActionCommand.cs, CreateSummaryCommand;
 * docs.github.com "Workflow commands". Outside of GitHub (no GITHUB_ACTIONS=true) nothing is a
 * workflow command, and outputs and summary go only where their files are named.
 */
#ifndef SERVICES_GITHUB_H
#define SERVICES_GITHUB_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/log.h"
#include "core/strbuf.h"

#define GITHUB_SUMMARY_MAX_BYTES 1048576 /* one byte more and the runner drops all of it */
#define GITHUB_PAYLOAD_MAX_BYTES ((size_t)32 << 20)

struct github { /* every pointer borrowed from the environment; NULL: not set */
    bool is_actions;
    bool debug; /* RUNNER_DEBUG=1 */
    const char *event_name, *event_path, *ref, *sha, *repository, *workflow, *workflow_ref;
    const char *run_id, *run_number, *run_attempt, *server_url, *workspace;
    const char *runner_name;
    const char *output_file, *summary_file, *state_file, *runner_temp;
    const char *runtime_token;                         /* GitHub's build cache */
    const char *action_repository, *action_ref;        /* where this action was taken from */
    const char *oidc_request_url, *oidc_request_token; /* the second is a secret */
};

void github_read(struct github *ret_github, const char *const *environ);

/* The text of the event's payload. ERROR_INPUT: unreadable or larger than GITHUB_PAYLOAD_MAX_BYTES.
 * No file named: 0 and empty text. */
int github_read_payload(const struct github *github, struct strbuf *ret_text, struct error *err);

/* Append one output, always as `name<<random delimiter`; a value that holds the delimiter cannot
 * happen by chance and is refused. Invalid UTF-8 becomes U+FFFD. Without an output file: nothing.
 * ERROR_FAILED: a name that is empty or holds "=", "<<" or a line break. */
int github_output(const struct github *github, const char *name, const char *value,
                  struct error *err);
/* The same for GITHUB_STATE, which a post step reads back as STATE_<name>. */
int github_state(const struct github *github, const char *name, const char *value,
                 struct error *err);

/* Append to the step's summary; what is there already counts towards the limit; ERROR_TOO_LARGE if
 * it does not fit (nothing is written). */
int github_summary(const struct github *github, const struct strbuf *markdown, struct error *err);
/*
 * How long the summary is now, and back to that length: for one that is written early, and again.
 */
size_t github_summary_length(const struct github *github);
int github_summary_cut(const struct github *github, size_t length, struct error *err);

/*
 * Ask the runner to hide a secret: each of its lines, trimmed, and the whole value; nothing shorter
 * than 4 bytes, since a mask of "1" or "{" hides half of every log. The runner itself masks every
 * line of a whole value: one with a short line is therefore given line by line only. Writes to
 * stdout at once. Outside of GitHub: nothing.
 */
void github_mask(const struct github *github, const char *secret);

/*
 * Log lines as workflow commands (::error file=…::, ::group::), which the caller gives to log_use.
 */
extern const struct log_sink github_log;

/* Escape for a command's data (% \r \n) or for a property's value (: and , too). */
void github_escape_data(struct strbuf *out, const char *text);
void github_escape_property(struct strbuf *out, const char *text);

#endif
