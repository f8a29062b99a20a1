#include "services/aws.h"

#include "core/cancel.h"
#include "core/cleanup.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/aws_errors.h"
#include "services/sigv4.h"

#define MAX_HEADERS     16
#define OWN_HEADERS     4   /* of these, added by prepare() */
#define CLOCK_OFF_S     240 /* clocks that agree better than this are not why a signature fails */
#define RETRY_AFTER_MAX 600000 /* ms */
/* A change that is on its way takes effect whether we wait or not: a cancel leaves it this long to
 * say so, or nobody would know what to put back. */
#define CHANGE_GRACE_MS 3000

/*
 * For Lambda. The standard, but for throttling: all control calls share 15 a second of an account
 * and region, which a matrix of functions uses up. Eight attempts are half a minute.
 * (aws-actions/aws-lambda-deploy#64: three are too few.) An invocation meets the function's own
 * concurrency, and whoever invokes knows how long to wait.
 */
static const struct retry_policy patient_when_throttled = {.max_attempts = 3,
                                                           .max_throttled = 8,
                                                           .max_delay_ms = 20000,
                                                           .transient_base_ms = 50,
                                                           .throttled_base_ms = 1000};

/* A call, made ready once; each attempt signs it anew. */
struct request {
    struct aws *aws;                         /* borrowed */
    const struct aws_call *call;             /* borrowed */
    const char *method;                      /* borrowed */
    struct strbuf url;                       /* with the query */
    struct strbuf host, path;                /* parts of the URL: host with port, path as sent */
    struct strbuf body;                      /* may hold secrets */
    struct http_header headers[MAX_HEADERS]; /* host first; what is always sent */
    size_t header_count;
    char target[128]; /* X-Amz-Target */
};

/* What became of an attempt that is not a success. */
struct failure {
    struct error error;
    enum retry_class retry;
    enum aws_remedy remedy;
    int64_t retry_after_ms; /* -1: the server did not say */
    int64_t server_time;    /* wall seconds; 0: the server did not say */
    int64_t skew_s;         /* that the refused request was signed with: a call beside it may
                               have set another one since */
    bool in_doubt;          /* it may have taken effect */
};

/* What happened so far in a call of several attempts. */
struct history {
    bool clock_was_set, keys_were_renewed; /* each remedy is tried once */
    bool in_doubt;                         /* of any attempt before the last */
};

/* Words and a number, joined by dashes: at least three parts. */
static bool is_region(const char *region, size_t size)
{
    size_t dashes = 0;
    size_t len = strlen(region);
    if (len >= size || !text_is_lower(region[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = region[i] == '-';
        if (!dash && !text_is_lower(region[i]) && !text_is_digit(region[i]))
            return false;
        if (dash && region[i - 1] == '-')
            return false;
        dashes += dash;
    }
    return dashes >= 2 && text_is_digit(region[len - 1]);
}

int aws_init(struct aws *aws, struct http *http, struct credentials_chain *credentials,
             const char *const *environment, const char *region, struct error *err)
{
    if (text_is_empty(region))
        return error_set(err, ERROR_INPUT,
                         "no AWS region is known: give aws-region, or set AWS_REGION");
    if (!is_region(region, sizeof aws->region))
        return error_set(err, ERROR_INPUT,
                         "\"%.64s\" is not an AWS region (one looks like us-east-1)", region);
    *aws = (struct aws){.http = http, .credentials = credentials, .environ = environment};
    snprintf(aws->region, sizeof aws->region, "%s", region);
    retry_bucket_init(&aws->bucket);
    pthread_mutex_init(&aws->lock, NULL);
    return 0;
}

void aws_release(struct aws *aws)
{
    if (!aws || !aws->region[0])
        return;
    retry_bucket_release(&aws->bucket);
    pthread_mutex_destroy(&aws->lock);
    aws->region[0] = '\0';
}

void aws_answer_release(struct aws_answer *answer)
{
    if (!answer)
        return;
    strbuf_release_secret(&answer->http.body); /* a registry password, temporary keys */
    http_response_release(&answer->http);
    json_release(&answer->json);
}

static int64_t skew_of(struct aws *aws)
{
    pthread_mutex_lock(&aws->lock);
    int64_t skew_s = aws->skew_s;
    pthread_mutex_unlock(&aws->lock);
    return skew_s;
}

static void request_release(struct request *request)
{
    strbuf_release(&request->url);
    strbuf_release(&request->host);
    strbuf_release(&request->path);
    strbuf_release_secret(&request->body);
}

static void add_header(struct request *request, const char *name, const char *value)
{
    if (request->header_count < MAX_HEADERS)
        request->headers[request->header_count++] =
            (struct http_header){.name = name, .value = value};
}

/* Each {} of the pattern filled by the next argument. An empty one would make another operation of
 * it (GetFunction becomes ListFunctions). */
static int add_path(struct strbuf *out, const char *pattern, const char *const *args,
                    struct error *err)
{
    for (; *pattern; pattern++) {
        if (pattern[0] == '{' && pattern[1] == '}') {
            if (text_is_empty(*args))
                return error_set(err, ERROR_INPUT, "what it is about has no name");
            http_add_encoded(out, *args, false);
            args++;
            pattern++;
        } else {
            strbuf_addch(out, *pattern);
        }
    }
    return 0;
}

/* The endpoint's URL → host (as the Host header has it: without a scheme's own port) and path. */
static void split_endpoint(const char *url, struct strbuf *host, struct strbuf *path)
{
    bool tls = text_starts_with(url, "https://");
    const char *start = strstr(url, "://") + strlen("://");
    size_t len = strcspn(start, "/");
    strbuf_add(host, start, len);
    strbuf_addstr(path, start + len);
    const char *own_port = tls ? ":443" : ":80";
    if (text_ends_with(host->buf, own_port))
        strbuf_truncate(host, host->len - strlen(own_port));
}

static void prepare_body(struct request *request)
{
    const struct aws_call *call = request->call;
    const struct aws_service *service = call->operation->service;
    const char *type = NULL;
    switch (service->protocol) {
    case AWS_REST_JSON:
        if (call->raw_body)
            strbuf_add(&request->body, call->raw_body, call->raw_body_len);
        else if (call->body)
            json_print(call->body, &request->body);
        type = call->raw_body || call->body ? "application/json" : NULL;
        break;
    case AWS_JSON_1_1:
        if (call->body)
            json_print(call->body, &request->body);
        else
            strbuf_addstr(&request->body, "{}");
        type = "application/x-amz-json-1.1";
        snprintf(request->target, sizeof request->target, "%s.%s", service->target_prefix,
                 call->operation->name);
        add_header(request, "X-Amz-Target", request->target);
        break;
    case AWS_QUERY:
        strbuf_addf(&request->body, "Action=%s&Version=%s%s%s", call->operation->name,
                    service->api_version, call->form ? "&" : "", call->form ? call->form : "");
        type = "application/x-www-form-urlencoded; charset=utf-8";
        break;
    }
    if (type)
        add_header(request, "Content-Type", type);
}

static int prepare(struct request *request, struct error *err)
{
    const struct aws_call *call = request->call;
    const struct aws_operation *operation = call->operation;
    if (call->header_count > MAX_HEADERS - OWN_HEADERS)
        return error_set(err, ERROR_INPUT, "more than %d headers of a call",
                         MAX_HEADERS - OWN_HEADERS);
    if (aws_endpoint(request->aws, operation->service, &request->url, err) < 0)
        return -1;
    split_endpoint(request->url.buf, &request->host, &request->path);
    size_t base = request->path.len;
    if (add_path(&request->path, operation->path ? operation->path : "/", call->path_args, err) < 0)
        return -1;
    strbuf_addstr(&request->url, request->path.buf + base);
    if (call->query)
        strbuf_addf(&request->url, "?%s", call->query);
    request->method = operation->method ? operation->method : "POST";
    add_header(request, "Host", request->host.buf);
    prepare_body(request);
    for (size_t i = 0; i < call->header_count; i++)
        add_header(request, call->headers[i].name, call->headers[i].value);
    return 0;
}

/* The headers that make the request ours: a date, the session's token, the signature. */
static size_t sign(const struct request *request, const struct credentials *keys,
                   struct sigv4 *sigv4, struct http_header *headers)
{
    const struct sigv4_request to_sign = {.method = request->method,
                                          .path = request->path.buf,
                                          .query = request->call->query,
                                          .headers = request->headers,
                                          .header_count = request->header_count,
                                          .body = request->body.buf,
                                          .body_len = request->body.len};
    const struct sigv4_signer signer = {.access_key_id = keys->access_key_id,
                                        .secret_access_key = keys->secret_access_key,
                                        .session_token = keys->session_token,
                                        .region = request->aws->region,
                                        .service = request->call->operation->service->name,
                                        .wall_seconds =
                                            clock_wall_seconds() + skew_of(request->aws)};
    sigv4_sign(&to_sign, &signer, sigv4);
    size_t count = 0;
    headers[count++] = (struct http_header){"X-Amz-Date", sigv4->date};
    if (keys->session_token)
        headers[count++] = (struct http_header){"X-Amz-Security-Token", keys->session_token};
    headers[count++] = (struct http_header){"Authorization", sigv4->authorization.buf};
    return count;
}

/* One exchange. 0: an answer with some status came. `keys` NULL: unsigned. */
static int exchange(const struct request *request, const struct credentials *keys,
                    struct http_response *ret_response, struct error *err)
{
    CLEANUP(sigv4) struct sigv4 sigv4 = SIGV4_INIT;
    struct http_header headers[MAX_HEADERS + 3];
    size_t count = request->header_count;
    memcpy(headers, request->headers, count * sizeof *headers);
    if (keys)
        count += sign(request, keys, &sigv4, headers + count);
    bool has_body = request->body.len > 0 || request->call->raw_body;
    const struct aws_operation *operation = request->call->operation;
    bool finishes = operation->changes && !operation->raw_answer;
    const struct http_request http = {.method = request->method,
                                      .url = request->url.buf,
                                      .headers = headers,
                                      .header_count = count,
                                      .body = has_body ? request->body.buf : NULL,
                                      .body_len = request->body.len,
                                      .quiet = request->aws->observe != NULL,
                                      .timeout_ms = request->call->timeout_ms,
                                      .cancel_grace_ms = finishes ? CHANGE_GRACE_MS : 0,
                                      .idle_timeout_ms = request->call->timeout_ms};
    return http_send(request->aws->http, &http, ret_response, err);
}

/* A success's body is what the protocol promises, and whole. */
static int read_answer(const struct aws_operation *operation, struct aws_answer *answer,
                       struct error *err)
{
    const struct strbuf *body = &answer->http.body;
    if (operation->raw_answer)
        return 0;
    if (operation->service->protocol == AWS_QUERY) {
        char end[96];
        snprintf(end, sizeof end, "</%sResponse>", operation->name);
        if (!body->buf || !strstr(body->buf, end))
            return error_set(err, ERROR_PROTOCOL,
                             "the answer is cut, or not XML of this operation");
        return 0;
    }
    if (answer->http.status == 204)
        return 0;
    if (json_parse(body->buf ? body->buf : "", body->len, &answer->json, err) < 0)
        return error_wrap(err, "the answer is cut, or not JSON");
    if (json_type(answer->json) != JSON_OBJECT) {
        json_release(&answer->json);
        return error_set(err, ERROR_PROTOCOL, "the answer is JSON, but not an object");
    }
    return 0;
}

static void describe_fault(const struct aws_operation *operation,
                           const struct http_response *response, const struct aws_fault *fault,
                           struct error *ret_error)
{
    const char *id = http_response_header(response, "x-amzn-requestid");
    char needs[AWS_FAULT_NEEDS_SIZE];
    aws_fault_needs(fault, operation->iam_action, needs);
    error_set_code(ret_error, fault->kind, response->status, "%s%s%s%s (HTTP %d%s%.64s)",
                   fault->name, fault->name[0] ? ": " : "", fault->message, needs, response->status,
                   id ? ", request " : "", id ? id : "");
    snprintf(ret_error->name, sizeof ret_error->name, "%s", fault->name);
}

static void judge_answer(const struct aws_operation *operation,
                         const struct http_response *response, struct failure *ret_failure)
{
    struct aws_fault fault;
    aws_fault_decode(response, &fault);
    describe_fault(operation, response, &fault, &ret_failure->error);
    ret_failure->retry = fault.retry;
    ret_failure->remedy = fault.remedy;
    ret_failure->in_doubt = fault.kind == ERROR_SERVER;
    const char *wait = http_response_header(response, "x-amz-retry-after");
    if (!text_to_int64(wait, 0, RETRY_AFTER_MAX, &ret_failure->retry_after_ms))
        ret_failure->retry_after_ms = -1;
    const char *date = http_response_header(response, "date");
    if (!date || !clock_parse_http_date(date, &ret_failure->server_time))
        ret_failure->server_time = 0;
}

static void judge_silence(const struct error *why, struct failure *ret_failure)
{
    bool too_late = text_equal(why->name, "deadline");
    bool transient = !too_late && (why->kind == ERROR_NETWORK || why->kind == ERROR_TIMEOUT);
    bool never_sent = text_equal(why->name, "dns") || text_equal(why->name, "connect") ||
                      text_equal(why->name, "tls");
    ret_failure->error = *why;
    ret_failure->retry = transient ? RETRY_TRANSIENT : RETRY_NEVER;
    ret_failure->in_doubt = transient && !never_sent;
}

/* 0 and the answer, or -1 and what to think of it. */
static int attempt(const struct request *request, int number, struct aws_answer *ret_answer,
                   struct failure *ret_failure)
{
    struct aws *aws = request->aws;
    const struct aws_operation *operation = request->call->operation;
    CLEANUP(credentials) struct credentials keys = CREDENTIALS_INIT;
    struct error err = ERROR_INIT;
    *ret_failure =
        (struct failure){.error = ERROR_INIT, .retry_after_ms = -1, .skew_s = skew_of(aws)};
    if (!operation->unsigned_call &&
        credentials_chain_get(aws->credentials, &keys, &ret_failure->error) < 0)
        return -1;

    int64_t start_ms = clock_now_ms();
    int result =
        exchange(request, operation->unsigned_call ? NULL : &keys, &ret_answer->http, &err);
    int status = result == 0 ? ret_answer->http.status : 0;
    int64_t elapsed_ms = clock_now_ms() - start_ms;
    if (result < 0) {
        judge_silence(&err, ret_failure);
    } else if (status < 200 || status > 299) {
        judge_answer(operation, &ret_answer->http, ret_failure);
        result = -1;
    } else if (read_answer(operation, ret_answer, &ret_failure->error) < 0) {
        ret_failure->error.kind = ERROR_PROTOCOL;
        ret_failure->error.code = status;
        ret_failure->retry = RETRY_TRANSIENT;
        ret_failure->in_doubt = true;
        result = -1;
    }
    if (aws->observe)
        aws->observe(aws->context, operation, number, status, elapsed_ms, ret_failure->error.name);
    return result;
}

static bool set_clock(struct aws *aws, const struct failure *failure)
{
    if (failure->server_time == 0)
        return false;
    int64_t skew_s = failure->server_time - clock_wall_seconds();
    int64_t off_s = skew_s - failure->skew_s;
    if (failure->remedy == AWS_REMEDY_CLOCK_IF_OFF && off_s <= CLOCK_OFF_S && off_s >= -CLOCK_OFF_S)
        return false;
    pthread_mutex_lock(&aws->lock);
    aws->skew_s = skew_s;
    pthread_mutex_unlock(&aws->lock);
    return true;
}

/* True when something was put right and the request can go out again at once. */
static bool remedied(const struct request *request, const struct failure *failure,
                     struct history *history)
{
    switch (failure->remedy) {
    case AWS_REMEDY_CLOCK:
    case AWS_REMEDY_CLOCK_IF_OFF:
        if (history->clock_was_set || !set_clock(request->aws, failure))
            return false;
        history->clock_was_set = true;
        return true;
    case AWS_REMEDY_NEW_CREDENTIALS:
        if (history->keys_were_renewed || request->call->operation->unsigned_call)
            return false;
        history->keys_were_renewed = true;
        credentials_chain_forget(request->aws->credentials);
        return true;
    case AWS_REMEDY_NONE:
        break;
    }
    return false;
}

static int give_up(const struct request *request, const struct failure *failure,
                   const struct history *history, int attempts, struct error *err)
{
    struct error last = failure->error;
    bool open = history->in_doubt && request->call->operation->changes;
    if (open && last.kind != ERROR_CANCELLED) {
        last.kind = ERROR_NETWORK;
        error_wrap(&last, "an earlier attempt got no answer and may have taken effect");
    }
    if (attempts > 1)
        error_wrap(&last, "after %d attempts", attempts);
    if (err)
        *err = last;
    return -1;
}

static int send_until_settled(const struct request *request, struct aws_answer *ret_answer,
                              struct error *err)
{
    const struct aws_operation *operation = request->call->operation;
    bool is_control = text_equal(operation->service->name, "lambda") && !operation->raw_answer;
    struct retry retry =
        RETRY_INIT(is_control ? &patient_when_throttled : &retry_standard, &request->aws->bucket);
    struct history history = {.in_doubt = false};
    for (int number = 1;; number++) {
        struct aws_answer answer = AWS_ANSWER_INIT;
        struct failure failure;
        if (cancel_requested())
            return error_set(err, ERROR_CANCELLED, "cancelled before it was sent");
        if (attempt(request, number, &answer, &failure) == 0) {
            retry_succeeded(&retry);
            aws_answer_release(ret_answer);
            *ret_answer = answer;
            return 0;
        }
        aws_answer_release(&answer);
        if (remedied(request, &failure, &history))
            continue;
        enum retry_class class =
            request->call->single && failure.in_doubt ? RETRY_NEVER : failure.retry;
        int64_t delay_ms;
        if (!retry_again(&retry, class, failure.retry_after_ms, crypto_random_unit(), &delay_ms))
            return give_up(request, &failure, &history, number, err);
        history.in_doubt = history.in_doubt || failure.in_doubt;
        if (!clock_sleep_ms(delay_ms))
            return error_set(err, ERROR_CANCELLED,
                             "cancelled before it was sent again; it failed with: %s",
                             failure.error.msg);
    }
}

int aws_call(struct aws *aws, const struct aws_call *call, struct aws_answer *ret_answer,
             struct error *err)
{
    struct request request = {.aws = aws,
                              .call = call,
                              .url = STRBUF_INIT(STRBUF_NO_CAP),
                              .host = STRBUF_INIT(STRBUF_NO_CAP),
                              .path = STRBUF_INIT(STRBUF_NO_CAP),
                              .body = STRBUF_INIT(STRBUF_NO_CAP)};
    int result = prepare(&request, err);
    if (result == 0)
        result = send_until_settled(&request, ret_answer, err);
    request_release(&request);
    if (result < 0)
        error_wrap(err, "%s %s", call->operation->service->name, call->operation->name);
    return result;
}
