/* Lambda's answers, a function's own, a token's claims, and what our tags on a function say. */
#include "core/json.h"
#include "model/cached_steps.h"
#include "model/http_event.h"
#include "model/record.h"
#include "services/ecr.h"
#include "services/lambda_parse.h"
#include "services/oidc.h"
#include "tests/fuzz/fuzz.h"

static void as_lambda(const char *text, size_t size)
{
    CLEANUP(json) struct json *json = NULL;
    struct lambda_function function = {.configuration = NULL};
    struct lambda_alias alias = {.routing = NULL};
    struct error err = ERROR_INIT;
    if (json_parse(text, size, &json, &err) < 0)
        return;
    if (lambda_parse_function(json, &function, &err) == 0)
        lambda_function_release(&function);
    if (lambda_parse_configuration(json, &function, &err) == 0)
        lambda_function_release(&function);
    if (lambda_parse_alias(json, &alias, &err) == 0)
        lambda_alias_release(&alias);
}

static void as_http_event(const char *text, size_t size)
{
    CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(4096);
    struct error err = ERROR_INIT;
    int status;
    if (http_event_read(text, size, &status, &body, &err) == 0)
        EXPECT(status >= 100 && status <= 999);
}

static void as_tags(const char *text)
{
    struct record_claim claim;
    struct record_list list;
    char again[RECORD_VALUE_SIZE];
    struct build_step_result step = {.name = "[build 2/3] RUN make"};
    if (record_claim_parse(text, &claim)) {
        struct record_claim same;
        record_claim_format(&claim, again);
        EXPECT(record_claim_parse(again, &same) && same.number == claim.number);
    }
    record_list_parse(text, &list);
    EXPECT(list.len <= RECORD_MAX_ENTRIES);
    record_list_add(&list, "7", 1);
    (void)record_list_before(&list, "7");
    record_list_drop_until(&list, text);
    record_list_format(&list, again);
    (void)cached_steps_lost(text, &step, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = fuzz_text(data, size);
    CLEANUP(strbuf) struct strbuf claims = STRBUF_INIT(STRBUF_NO_CAP);
    struct ecr_reference reference;
    as_lambda(text, size);
    as_http_event(text, size);
    as_tags(text);
    oidc_add_claims(&claims, text);
    EXPECT(text_is_utf8(claims.buf, claims.len) && !strpbrk(claims.buf, "\r\n"));
    if (ecr_parse_reference(text, &reference))
        EXPECT(reference.registry[0] && reference.repository[0]);
    return 0;
}
