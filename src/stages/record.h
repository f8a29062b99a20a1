/*
 * record.h: remembering in the function's tags who has it, and what has passed verification
 * (model/record.h).
 *
 * Without the permission to tag there is one warning, and the run goes on: remembering is worth
 * less than deploying.
 */
#ifndef STAGES_RECORD_H
#define STAGES_RECORD_H

#include "stages/stage.h"

/*
 * Yield to a newer run of the same repository, workflow and ref that has claimed the function, as
 * far as run->snapshot's tags tell. True: the result's outcome is superseded now, with the reason.
 * Sends nothing. Never with allow-older.
 */
bool record_yield(struct run *run);

/*
 * A newer run has claimed the function, and wants the image that this one has given it: that run
 * may have found nothing to do, so putting the image back would undo its deployment.
 */
bool record_newer_wants_ours(const struct run *run);

/*
 * Claim the function for this run, and look at the function again (run->snapshot and facts):
 * whether the claim has stood, and what is there now. Of two runs that claim at once the higher
 * number has it. Nothing may come between this and the first change. Ends like
 * record_yield. With `record: false` nothing is written, but a newer run's claim counts all
 * the same.
 */
int record_claim_function(struct run *run, bool *ret_superseded, struct error *err);

/*
 * The list of what has passed verification, and writing it: of the alias that the inputs name, or
 * of the function without one. An alias for which none is remembered yet has the one that all had
 * in common (`shared`): it is read, and never written.
 */
struct record_list;
void record_read_list(const struct run *run, struct record_list *ret_list);
/*
 * A roll-back is remembered from before its first change (`from` is the list's newest entry) until
 * its end, when the list is written as it is then: one that was killed in the middle is finished by
 * the next, and not taken for one that is to be rolled back further.
 */
int record_begin_rollback(struct run *run, const char *from, const char *to, struct error *err);
int record_end_rollback(struct run *run, const struct record_list *list, struct error *err);
/* The entry that a roll-back went to which has not ended, or which an earlier attempt of this run
 * has ended; or NULL. Borrowed from the list. */
const struct record_entry *record_unfinished_rollback(const struct run *run,
                                                      const struct record_list *list,
                                                      const char *current);

/*
 * Has no deployment ended yet with what serves now, which the list names `what`? An earlier run put
 * it there and was ended before the proof: it stands nowhere in the list of what has passed
 * verification, nor among what was deployed without one. False where nothing has passed
 * verification: there is nothing to go back to.
 */
bool record_is_unproved(const struct run *run, const struct record_list *list, const char *what);

/* How the list names what serves now: the alias's version, or the image's identity tag. "" if it
 * has no such name. */
void record_current(const struct run *run, char ret_what[40]);

extern const struct stage stage_claim, stage_record;

/* What a stage usually takes, by the last deployments; 0: not known. */
int64_t record_expected_ms(const struct run *run, const struct stage *stage);

#endif
