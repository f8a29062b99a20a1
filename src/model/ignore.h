/*
 * ignore.h: .dockerignore, as moby/patternmatcher and BuildKit's file transfer read it. Pure.
 *
 * A line is a pattern relative to the context's root; `#` in the first column is a comment; white
 * space around, a slash in front and one behind do not matter; `!` takes back; the last pattern
 * that says something wins; a folder's verdict holds for what is below it, pattern by pattern. `*`
 * and `?` do not match '/', `**` matches any number of folders, `\` escapes. `[…]` is a class.
 * Sources: moby/patternmatcher patternmatcher.go and ignorefile/ignorefile.go; tonistiigi/fsutil
 * filter.go (Walk).
 *
 * The patterns become regular expressions of Go's in the original, and a few odd ones mean
 * something there that nobody intends (a `*` inside of a class, `\d`, `|`). Such patterns set
 * `uncertain`; then nothing is taken as ignored, which errs on the safe side. In one case BuildKit
 * ignores more: a
 * `!x/ * / **` (without the spaces) does not bring it into an ignored folder below x.
 */
#ifndef MODEL_IGNORE_H
#define MODEL_IGNORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/strvec.h"
#include "model/ignore_pattern.h"

struct ignore {
    struct ignore_pattern *patterns; /* owned */
    size_t len;
    bool takes_back; /* there is a `!` pattern */
    bool uncertain;
    char uncertain_pattern[80]; /* the first such one (cut), or "" */
};

#define IGNORE_INIT                                                                                \
    {                                                                                              \
        .patterns = NULL, .len = 0                                                                 \
    }

/* The text of an ignore file. ERROR_INPUT with name:line if BuildKit refuses it, too: a pattern
 * that is not well-formed, a lone "!", a line of 64 KiB. ret_ignore must be IGNORE_INIT. */
int ignore_parse(const char *name, const char *text, size_t len, struct ignore *ret_ignore,
                 struct error *err);
/* The values of --exclude flags, or the one pattern of --parents. */
int ignore_from_patterns(const struct strvec *patterns, struct ignore *ret_ignore,
                         struct error *err);
void ignore_release(struct ignore *ignore);

/*
 * What each pattern said about a folder: the verdict on its entries builds on it. The root's state
 * is IGNORE_STATE_INIT.
 */
struct ignore_state {
    bool *matched; /* owned; one for each pattern; NULL: the root */
};
#define IGNORE_STATE_INIT                                                                          \
    {                                                                                              \
        .matched = NULL                                                                            \
    }
void ignore_state_release(struct ignore_state *state);

/* Is `path` (relative, no slash at either end, not empty) ignored? `parent` is its folder's state.
 * With ret_state (not the same object) its own state is given for its entries; NULL: not wanted. */
bool ignore_matches(const struct ignore *ignore, const char *path,
                    const struct ignore_state *parent, struct ignore_state *ret_state);

/* The same with the states of all folders above found out on the way. */
bool ignore_matches_alone(const struct ignore *ignore, const char *path);

/* Can something below an ignored folder be taken back? False: it need not be looked into. */
bool ignore_may_keep_below(const struct ignore *ignore, const char *folder);

#endif
