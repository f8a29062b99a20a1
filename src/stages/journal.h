/*
 * journal.h: what a run writes down before it changes something, so that /cleanup finds it after
 * the run was killed.
 *
 * It goes into GITHUB_STATE, which the runner hands to the post step as STATE_<name>, also after a
 * cancel or a kill; a later line of a name beats an earlier one. Outside of GitHub there is no such
 * file, and nothing is written. Never a secret: of a configuration only that it is changed. What
 * cannot be written is a warning: the deployment goes on.
 */
#ifndef STAGES_JOURNAL_H
#define STAGES_JOURNAL_H

#include "stages/stage.h"

/* Names of the state's values. */
#define JOURNAL_TEMP_FOLDER    "temp-folder"
#define JOURNAL_BUILDER        "builder"
#define JOURNAL_IMAGE_BEFORE   "image-before" /* its URI by digest */
#define JOURNAL_DIGEST_BEFORE  "digest-before"
#define JOURNAL_ARCHITECTURE   "architecture-before"
#define JOURNAL_DIGEST_OURS    "digest-ours"
#define JOURNAL_CONFIGURATION  "configuration"  /* "changed" */
#define JOURNAL_ALIAS_BEFORE   "alias-before"   /* the version; "-": there was no alias */
#define JOURNAL_ROUTING_BEFORE "routing-before" /* its weights as JSON; "": none */
#define JOURNAL_ALIAS_OURS     "alias-ours"
#define JOURNAL_ENDED          "ended" /* "yes": the run has come to its own end */

void journal_temp_folder(const struct run *run);
void journal_builder(const struct run *run);
/* Before the function gets the image `digest`; run->before is what was there. */
void journal_code(struct run *run, const char *digest);
void journal_configuration(struct run *run);
/* Of the configuration nothing is left to be put back. */
void journal_configuration_is_back(const struct run *run);
/* Before the alias moves to result.function.version; run->alias_before is what was there. */
void journal_alias(struct run *run);
/*
 * Nothing is left to be put back: it is proved, or put back, or a person must look. Not where the
 * way back broke off at what passes (no network): /cleanup tries it again. Does nothing where
 * nothing was written down.
 */
void journal_ended(const struct run *run);

#endif
