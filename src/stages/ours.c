#include "stages/ours.h"

#include <stdio.h>

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "model/configuration.h"
#include "stages/secrets.h"
#include "stages/wait.h"

#define PUT_BACK_LIMIT_MS   120000
#define PUT_BACK_PAUSE_MS   500 /* the first; each one is twice the one before */
#define PUT_BACK_LONGEST_MS 10000

bool ours_may_have_arrived(const struct error *err)
{
    return err->kind == ERROR_NETWORK || err->kind == ERROR_TIMEOUT || err->kind == ERROR_SERVER ||
           err->kind == ERROR_PROTOCOL || err->kind == ERROR_CANCELLED;
}

bool ours_decide_again(const struct error *err)
{
    return err->kind == ERROR_CONFLICT || err->kind == ERROR_PRECONDITION ||
           (ours_may_have_arrived(err) && err->kind != ERROR_CANCELLED);
}

static void move_function(struct lambda_function *to, struct lambda_function *from)
{
    lambda_function_release(to);
    *to = *from;
    *from = (struct lambda_function){.configuration = NULL};
}

static void say_others_work(const struct run *run)
{
    const struct lambda_function *before = &run->before, *now = &run->snapshot;
    if (!before->configuration || text_equal(before->revision_id, now->revision_id))
        return;
    if (!text_equal(before->digest, now->digest))
        log_warning(
            "somebody else has deployed %s meanwhile: that is what would be put back, not %s",
            now->digest[0] ? now->digest : now->package_type, before->digest);
    else if (!configuration_same_settings(before->configuration, now->configuration))
        log_warning("somebody else has configured the function meanwhile: that is what would be "
                    "put back");
}

void ours_keep_before(struct run *run)
{
    if (run->configuration_touched || run->code_touched || run->result.function.created)
        return;
    say_others_work(run);
    struct lambda_function copy = run->snapshot;
    copy.configuration = json_copy(run->snapshot.configuration);
    copy.tags = NULL;
    move_function(&run->before, &copy);
    snprintf(run->result.function.previous_digest, sizeof run->result.function.previous_digest,
             "%s", run->before.digest);
}

void ours_took(struct run *run, struct lambda_function *answer, const char *digest)
{
    if (answer)
        move_function(&run->left, answer);
    else
        lambda_function_release(&run->left);
    snprintf(run->left.digest, sizeof run->left.digest, "%s", digest);
}

void ours_may_have_given(struct run *run, const char *digest)
{
    snprintf(run->left.digest, sizeof run->left.digest, "%s", digest);
}

bool ours_is_still(const struct run *run, const struct lambda_function *now)
{
    const struct lambda_function *left = &run->left, *before = &run->before;
    if (left->revision_id[0] && text_equal(now->revision_id, left->revision_id))
        return true;
    bool known_image =
        text_equal(now->digest, left->digest) || text_equal(now->digest, before->digest);
    return known_image && (!left->configuration ||
                           configuration_same_settings(left->configuration, now->configuration));
}

int ours_refuse(const struct run *run, const struct lambda_function *now, struct error *err)
{
    bool same_image = text_equal(now->digest, run->left.digest);
    return error_set(
        err, ERROR_CONFLICT,
        "somebody else has changed the function %s since this run did (%s): it is left alone",
        run->inputs->function_name, same_image ? "its configuration" : now->digest);
}

int ours_settle(struct run *run, struct error *err)
{
    CLEANUP(lambda_function) struct lambda_function settled = {.configuration = NULL};
    if (wait_settled(run, NULL, OURS_SETTLE_LIMIT_MS, &settled, err) < 0 ||
        wait_outcome(&settled, err) < 0)
        return -1;
    if (!text_equal(settled.digest, run->left.digest) || !ours_is_still(run, &settled))
        return ours_refuse(run, &settled, err);
    if (settled.tags) { /* a newer run may have claimed the function meanwhile */
        json_free(run->snapshot.tags);
        run->snapshot.tags = STEAL(settled.tags);
    }
    move_function(&run->left, &settled);
    snprintf(run->result.function.arn, sizeof run->result.function.arn, "%s", run->left.arn);
    snprintf(run->result.function.name, sizeof run->result.function.name, "%s", run->left.name);
    return 0;
}

/* Is another try at putting back worth it, and is there time for one? Pauses before it. */
static bool try_again(int tries, int64_t end_ms, const struct error *err)
{
    bool is_others = err->kind == ERROR_CONFLICT && err->code == 0;
    if (is_others || !(ours_decide_again(err) || err->kind == ERROR_THROTTLED))
        return false;
    if (cancel_signal() || !wait_may_pass(err))
        return tries < OURS_TRIES;
    int64_t pause_ms = PUT_BACK_PAUSE_MS;
    for (int i = 1; i < tries && pause_ms < PUT_BACK_LONGEST_MS; i++)
        pause_ms *= 2;
    return clock_now_ms() + pause_ms < end_ms && clock_sleep_ms(pause_ms);
}

int ours_put_back(struct run *run, int (*once)(struct run *run, bool *ret_done, struct error *err),
                  bool *ret_done, struct error *err)
{
    bool asked = false;
    int64_t end_ms = clock_now_ms() + PUT_BACK_LIMIT_MS;
    for (int tries = 1; once(run, ret_done, err) < 0; tries++) {
        secrets_hide(run, err);
        if (!try_again(tries, end_ms, err))
            return -1;
        asked = true;
        log_info("not put back yet (%s): looking again", err->msg);
        error_reset(err);
    }
    *ret_done = *ret_done || asked;
    return 0;
}
