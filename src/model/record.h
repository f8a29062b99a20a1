/*
 * record.h: what deployments remember in the function's tags. Pure.
 *
 *   lambda-fastdeploy:claim        "12.1 org/app deploy.yml refs/heads/main"
 *   lambda-fastdeploy:claim-image  "12 sha256:…"
 *   lambda-fastdeploy:verified     "src-0123456789abcdef/12 …"
 *   lambda-fastdeploy:verified:<alias>  "7/12 5/10"
 *   lambda-fastdeploy:rollback, lambda-fastdeploy:rollback:<alias>  "7 5", then "done 12"
 *
 * The claim has run number, attempt, and what the number counts within; claim-image is the image
 * that the claiming run wants the function to have. What was verified stands newest first, each
 * with its run: identity tags, or with an alias versions. (Before each alias had a list of its own,
 * all had the one without an alias in common.) A roll-back from 7 to 5 was begun, and run 12 has
 * ended it.
 *
 * A tag's key has at most 128 characters, its value at most 256, out of letters, digits, spaces and
 * + - = . _ : / @ (docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html). Whatever else is
 * in a name becomes '_', and a name that was changed or cut so ends in '=' and 16 hex digits of its
 * SHA-256, so that two names never become one.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_TAG_CLAIM       "lambda-fastdeploy:claim"
#define RECORD_TAG_CLAIM_IMAGE "lambda-fastdeploy:claim-image"
#define RECORD_TAG_VERIFIED    "lambda-fastdeploy:verified"
#define RECORD_TAG_ROLLBACK    "lambda-fastdeploy:rollback"
#define RECORD_VALUE_SIZE      257
#define RECORD_TAG_NAME_SIZE   129
#define RECORD_MAX_ENTRIES     32

/*
 * The tag under which `tag` is remembered for an alias: "<tag>:<alias>"; alias NULL: `tag` itself.
 */
void record_tag_name(const char *tag, const char *alias, char ret_name[RECORD_TAG_NAME_SIZE]);

struct record_claim {
    int64_t number;  /* of the run; 0: none (another CI, a laptop), which claims nothing */
    int64_t attempt; /* from 1 */
    char key[RECORD_VALUE_SIZE]; /* repository, workflow, ref */
};

/* NULLs are fine: without a run number or a repository there is no claim. */
struct record_claim record_claim_make(const char *run_number, const char *run_attempt,
                                      const char *repository, const char *workflow,
                                      const char *ref);
void record_claim_format(const struct record_claim *claim, char ret_value[RECORD_VALUE_SIZE]);
/* False if it is not a claim. */
bool record_claim_parse(const char *value, struct record_claim *ret_claim);

enum record_order {
    RECORD_UNRELATED, /* one of them is no claim, or they count within different things */
    RECORD_OLDER,     /* `mine` has the lower number: it is superseded */
    RECORD_SAME,
    RECORD_NEWER
};
enum record_order record_compare(const struct record_claim *mine,
                                 const struct record_claim *theirs);

struct record_entry {
    char what[40]; /* a version's number, or an identity tag */
    int64_t run;   /* 0: none */
};
struct record_list {
    struct record_entry items[RECORD_MAX_ENTRIES];
    size_t len;
    bool shared; /* an alias's, read from the tag that all had in common: it may hold what other
                    aliases have served */
};

/* NULL and what is not such a list give an empty one; entries that make no sense are left out. */
void record_list_parse(const char *value, struct record_list *ret_list);
/* Leave out what is no version (`versions`), or what is one. */
void record_list_keep(struct record_list *list, bool versions);
/*
 * A list that all aliases had in common becomes the one of the alias that served `version` last:
 * what is newer is another's, and without that version all of it is.
 */
void record_list_take_over(struct record_list *list, const char *version);
/* As many entries as fit, the newest first. */
void record_list_format(const struct record_list *list, char ret_value[RECORD_VALUE_SIZE]);
/* `what` becomes the newest entry; if it is that already, only its run is renewed. */
void record_list_add(struct record_list *list, const char *what, int64_t run);

/*
 * The entry to roll back to from `current`: the first one behind it, or, when `current` never
 * passed verification, the newest one. NULL: none is left. Borrowed from the list.
 */
const struct record_entry *record_list_before(const struct record_list *list, const char *current);
/* The tag's value when a roll-back has ended. */
void record_rollback_done(int64_t run, char ret_value[RECORD_VALUE_SIZE]);
/*
 * A roll-back that was begun (`tag`, may be NULL) and has not ended: `current` is where it went,
 * and the newest entry is still what it came from. Or one that this very run (not 0) has ended in
 * an earlier attempt. The entry that it went to, or NULL. Borrowed from the list.
 */
const struct record_entry *record_list_unfinished(const struct record_list *list, const char *tag,
                                                  int64_t run, const char *current);
/* After a roll-back to `what`: the entries that were rolled back from are dropped, so that a second
 * roll-back goes further back. */
void record_list_drop_until(struct record_list *list, const char *what);

#endif
