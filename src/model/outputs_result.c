/* The `result` output, as docs/result.md describes it. */
#include "core/text.h"
#include "model/cost.h"
#include "model/outputs.h"
#include "model/past.h"

#define LISTED_CHECKS ((size_t)200)

static void put_text(struct json *json, const char *name, const char *text)
{
    if (text[0]) /* what does not apply is left out */
        json_put_string(json, name, text);
}

static void put_positive(struct json *json, const char *name, int64_t number)
{
    if (number > 0)
        json_put_int(json, name, number);
}

static struct json *image_json(const struct image_result *image)
{
    struct json *json = json_new_object();
    put_text(json, "status", image->status);
    put_text(json, "reason", image->reason);
    put_text(json, "uri", image->uri);
    put_text(json, "repository", image->repository);
    put_text(json, "digest", image->digest);
    put_text(json, "tag", image->tag);
    put_text(json, "identity", image->identity);
    put_positive(json, "size_bytes", image->size_bytes);
    put_positive(json, "pushed_bytes", image->pushed_bytes);
    put_positive(json, "files", (int64_t)image->files);
    if (image->step_count > 0) {
        json_put_int(json, "steps", (int64_t)image->step_count);
        json_put_int(json, "cached_steps", (int64_t)image->cached_count);
    }
    put_text(json, "lost_cache", image->lost_cache);
    return json;
}

static struct json *function_json(const struct result *result)
{
    struct json *json = json_new_object();
    put_text(json, "name", result->function.name);
    put_text(json, "arn", result->function.arn);
    put_text(json, "reason", result->function.reason);
    put_text(json, "version", result->function.version);
    put_text(json, "previous_version", result->function.previous_version);
    put_text(json, "previous_image_digest", result->function.previous_digest);
    put_text(json, "alias", result->function.alias);
    put_text(json, "alias_arn", result->function.alias_arn);
    put_text(json, "alias_plan", result->function.alias_plan);
    put_text(json, "state", result->look.state);
    put_text(json, "alias_version", result->look.serves);
    put_text(json, "verified", result->look.verified);
    if (result->look.verified[0]) {
        json_put_int(json, "verified_run", result->look.verified_run);
        json_put_bool(json, "drifted", result->look.drifted);
    }
    put_text(json, "caches", result->look.caches);
    json_put_bool(json, "created", result->function.created);
    json_put_bool(json, "code_changed", result->function.code_changed);
    struct json *changes = json_new_array();
    for (size_t i = 0; i < result->function.configuration_changes.len; i++)
        json_append_string(changes, result->function.configuration_changes.items[i]);
    json_put(json, "configuration_changes", changes);
    return json;
}

static struct json *checks_json(const struct check_results *checks)
{
    struct json *json = json_new_object();
    struct json *list = json_new_array();
    int64_t good = 0;
    for (size_t i = 0; i < checks->len; i++) {
        const struct check_result *check = &checks->items[i];
        good += check->good;
        if (i >= LISTED_CHECKS)
            continue;
        struct json *item = json_new_object();
        json_put_string(item, "line", check->line);
        json_put_bool(item, "good", check->good);
        put_positive(item, "status", check->status);
        put_text(item, "why", check->why);
        json_put_int(item, "ms", check->ms);
        json_append(list, item);
    }
    json_put_int(json, "good", good);
    json_put_int(json, "all", (int64_t)checks->len);
    json_put(json, "list", list);
    return json;
}

static struct json *health_json(const struct result *result)
{
    struct json *json = json_new_object();
    put_text(json, "status", result->health.status);
    put_text(json, "target", result->health.target);
    put_text(json, "why", result->health.why);
    json_put_int(json, "tries", result->health.attempts);
    json_put_int(json, "ms", result->health.ms);
    json_put_int(json, "refreshed", result->refreshed);
    return json;
}

static struct json *failure_json(const struct result *result)
{
    struct json *json = json_new_object();
    json_put_string(json, "kind", error_kind_name(result->failure.kind));
    if (result->failure.code)
        json_put_int(json, "code", result->failure.code);
    put_text(json, "name", result->failure.name);
    put_text(json, "file", result->failed_file);
    put_positive(json, "line", result->failed_line);
    put_text(json, "message", result->failure.msg);
    put_text(json, "stage", result->failed_stage);
    put_text(json, "remedy", result->remedy);
    return json;
}

static struct json *run_json(const struct result *result)
{
    struct json *json = json_new_object();
    json_put_int(json, "started_s", result->started_wall_s);
    put_text(json, "repository", result->repository);
    put_text(json, "ref", result->ref);
    put_text(json, "commit", result->commit);
    put_text(json, "previous_commit",
             deployed_commit(&result->deployments, result->function.previous_digest));
    put_text(json, "number", result->run_number);
    put_text(json, "url", result->run_url);
    put_text(json, "account", result->account);
    put_text(json, "region", result->region);
    put_text(json, "credentials", result->credentials_source);
    return json;
}

int64_t outputs_added_bytes(const struct result *result)
{
    const struct image_result *const images[] = {&result->base, &result->image};
    int64_t bytes = 0;
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        if (text_equal(images[i]->status, "built"))
            bytes += images[i]->pushed_bytes;
    return bytes;
}

static struct json *past_json(const struct result *result)
{
    static const char *const names[TIMES_PARTS] = {
        [TIMES_TOTAL] = "total_ms",     [TIMES_BASE] = "base_ms",     [TIMES_IMAGE] = "image_ms",
        [TIMES_RELEASE] = "release_ms", [TIMES_VERIFY] = "verify_ms",
    };
    struct json *json = json_new_object();
    struct json *list = json_new_array();
    for (size_t i = 0; i < result->times.len; i++) {
        struct json *item = json_new_object();
        for (int part = 0; part < TIMES_PARTS; part++)
            json_put_int(item, names[part], result->times.items[i].ms[part]);
        json_append(list, item);
    }
    json_put(json, "deployments", list);
    struct json *usual = json_new_object();
    for (int part = 0; part < TIMES_PARTS; part++)
        put_positive(usual, names[part], past_expected_ms(&result->times, (enum times_part)part));
    json_put(json, "usual", usual);
    struct past_comparison past = past_compare(result);
    if (past.count == 0)
        return json;
    json_put_int(json, "alike", (int64_t)past.count);
    json_put_int(json, "median_ms", past.median_ms);
    json_put_int(json, "fastest_ms", past.fastest_ms);
    json_put_int(json, "slowest_ms", past.slowest_ms);
    json_put_int(json, "less_ms", past.less_ms);
    return json;
}

static struct json *cost_json(const struct result *result)
{
    struct cost cost =
        cost_estimate(result->duration_ms, result->baseline_ms, outputs_added_bytes(result),
                      result->minute_price_usd, result->storage_price_usd);
    struct json *json = json_new_object();
    json_put_int(json, "minutes", cost.minutes);
    json_put_number(json, "minute_price_usd", result->minute_price_usd);
    json_put_number(json, "run_usd", cost.run_usd);
    json_put_int(json, "added_bytes", outputs_added_bytes(result));
    json_put_number(json, "storage_price_usd", result->storage_price_usd);
    json_put_number(json, "storage_usd_month", cost.storage_usd_month);
    int64_t monthly = past_deployments_a_month(result);
    if (monthly > 0) {
        json_put_int(json, "deployments_month", monthly);
        json_put_number(json, "month_usd", (double)monthly * cost.run_usd);
    }
    int64_t planned_ms = past_planned_ms(result);
    if (planned_ms > 0) {
        struct cost planned = cost_estimate(planned_ms, 0, 0, result->minute_price_usd, 0);
        json_put_int(json, "planned_ms", planned_ms);
        json_put_int(json, "planned_minutes", planned.minutes);
        json_put_number(json, "planned_usd", planned.run_usd);
    }
    if (result->baseline_ms > 0) {
        json_put_int(json, "baseline_ms", result->baseline_ms);
        json_put_int(json, "baseline_minutes", cost.baseline_minutes);
        json_put_int(json, "saved_ms", cost.saved_ms);
        json_put_int(json, "saved_percent", cost.saved_percent);
        json_put_number(json, "saved_usd", cost.saved_usd);
    }
    return json;
}

struct json *outputs_result(const struct result *result)
{
    struct json *json = json_new_object();
    json_put_string(json, "outcome", outcome_name(result->outcome));
    json_put_int(json, "exit_code", result_exit_code(result));
    put_text(json, "command", result->command);
    put_text(json, "gate_reason", result->gate_reason);
    json_put_bool(json, "changed", result->changed);
    json_put_bool(json, "deployed", result->deployed);
    json_put_bool(json, "rolled_back", result->rolled_back);
    put_text(json, "restored", result->restored);
    if (result->failure.kind != ERROR_NONE)
        json_put(json, "failure", failure_json(result));
    struct json *functions = json_new_array();
    if (result->function.name[0])
        json_append(functions, function_json(result));
    json_put(json, "functions", functions);
    json_put(json, "base_image", image_json(&result->base));
    json_put(json, "image", image_json(&result->image));
    json_put(json, "health", health_json(result));
    json_put(json, "checks", checks_json(&result->checks));
    struct json *storage = checks_json(&result->storage_checks);
    put_text(storage, "status", outputs_storage_tests(result));
    put_text(storage, "reason", result->storage_reason);
    json_put(json, "storage_tests", storage);
    json_put(json, "run", run_json(result));
    json_put_int(json, "duration_ms", result->duration_ms);
    json_put(json, "past", past_json(result));
    json_put(json, "cost", cost_json(result));
    json_put(json, "timings", outputs_timings(result));
    return json;
}
