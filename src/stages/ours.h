/*
 * ours.h: what the function was before this run, what this run has left it as, and whether it still
 * is that.
 *
 * Only what still bears our RevisionId is put back. Lambda gives a function a new RevisionId when
 * an update settles or when it goes idle, too, without anybody's work in it. So a RevisionId that
 * has moved is ours all the same while everything that a person can set is as we left it: the image
 * and the configuration. Every restoring request carries the RevisionId that was just looked at, so
 * nothing can come in between.
 */
#ifndef STAGES_OURS_H
#define STAGES_OURS_H

#include "stages/stage.h"

/* No update of one image takes Lambda longer than this. */
#define OURS_SETTLE_LIMIT_MS 600000
/* So often a change that was refused because the function had changed, or whose answer was lost, is
 * decided anew. */
#define OURS_TRIES 3

/* Whether a failed request may have taken effect all the same: it got no answer, or none that says
 * so. */
bool ours_may_have_arrived(const struct error *err);
/* Whether to look at the function again and decide anew: it has changed (409, 412), or the answer
 * was lost. */
bool ours_decide_again(const struct error *err);

/*
 * run->snapshot, just read, is what the way back goes to. Does nothing once this run has changed
 * the function. Says so in the log if somebody else has changed it since the look before.
 */
void ours_keep_before(struct run *run);

/* An update of ours was accepted: `answer` (released or taken over, may be NULL: the answer was
 * lost) and `digest`, the image that it runs. */
void ours_took(struct run *run, struct lambda_function *answer, const char *digest);

/* Nobody knows whether the function has got this image from us, and nobody looks before the way
 * back begins: there it counts as ours. */
void ours_may_have_given(struct run *run, const char *digest);

/*
 * Wait until our update has settled, well (else ERROR_FAILED), and keep the function as it is then
 * (its tags in run->snapshot). ERROR_CONFLICT: somebody else has changed it already.
 */
int ours_settle(struct run *run, struct error *err);

/* Is the function, as it is now, what we left, or what was there before us? */
bool ours_is_still(const struct run *run, const struct lambda_function *now);

/* ERROR_CONFLICT that says it is left alone. */
int ours_refuse(const struct run *run, const struct lambda_function *now, struct error *err);

/*
 * Put one thing back by `once`, which sets *ret_done if there was something to be put back; anew
 * when it changed under its hands, the answer was lost or too many asked, with growing pauses, for
 * two minutes (after a cancel: OURS_TRIES times at once); but not what ours_refuse or its like has
 * said (a conflict without an HTTP status).
 */
int ours_put_back(struct run *run, int (*once)(struct run *run, bool *ret_done, struct error *err),
                  bool *ret_done, struct error *err);

#endif
