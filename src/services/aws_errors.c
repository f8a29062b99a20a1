#include "services/aws_errors.h"

#include "core/cleanup.h"
#include "core/json.h"
#include "core/text.h"
#include "services/xml.h"

#define EXCERPT_BYTES 200 /* of a body that is not AWS's */

struct meaning {
    enum error_kind kind;
    enum retry_class retry;
    enum aws_remedy remedy;
};

#define MEANS(k, r, m)                                                                             \
    {                                                                                              \
        .kind = ERROR_##k, .retry = RETRY_##r, .remedy = AWS_REMEDY_##m                            \
    }

static const struct {
    const char *name;
    struct meaning meaning;
} names[] = {
    {"BandwidthLimitExceeded", MEANS(THROTTLED, THROTTLED, NONE)},
    {"EC2ThrottledException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"LimitExceededException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"ProvisionedThroughputExceededException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"RequestLimitExceeded", MEANS(THROTTLED, THROTTLED, NONE)},
    {"RequestThrottled", MEANS(THROTTLED, THROTTLED, NONE)},
    {"RequestThrottledException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"SlowDown", MEANS(THROTTLED, THROTTLED, NONE)},
    {"ThrottledException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"Throttling", MEANS(THROTTLED, THROTTLED, NONE)},
    {"ThrottlingException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"TooManyRequestsException", MEANS(THROTTLED, THROTTLED, NONE)},
    {"TransactionInProgressException", MEANS(THROTTLED, THROTTLED, NONE)},

    {"IDPCommunicationError", MEANS(SERVER, TRANSIENT, NONE)},
    {"InternalError", MEANS(SERVER, TRANSIENT, NONE)},
    {"InternalFailure", MEANS(SERVER, TRANSIENT, NONE)},
    {"PriorRequestNotComplete", MEANS(SERVER, TRANSIENT, NONE)},
    {"RequestTimeout", MEANS(SERVER, TRANSIENT, NONE)},
    {"RequestTimeoutException", MEANS(SERVER, TRANSIENT, NONE)},
    {"ServerException", MEANS(SERVER, TRANSIENT, NONE)}, /* ECR's own 500, now and then as 400 */
    {"ServiceUnavailable", MEANS(SERVER, TRANSIENT, NONE)},

    {"RequestExpired", MEANS(UNAUTHORIZED, NEVER, CLOCK)},
    {"RequestInTheFuture", MEANS(UNAUTHORIZED, NEVER, CLOCK)},
    {"RequestTimeTooSkewed", MEANS(UNAUTHORIZED, NEVER, CLOCK)},
    {"InvalidSignatureException", MEANS(UNAUTHORIZED, NEVER, CLOCK_IF_OFF)},
    {"SignatureDoesNotMatch", MEANS(UNAUTHORIZED, NEVER, CLOCK_IF_OFF)},
    {"ExpiredToken", MEANS(UNAUTHORIZED, NEVER, NEW_CREDENTIALS)},
    {"ExpiredTokenException", MEANS(UNAUTHORIZED, NEVER, NEW_CREDENTIALS)},
    {"AuthFailure", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"ExpiredIdentityToken", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"IncompleteSignature", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"IncompleteSignatureException", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"InvalidAccessKeyId", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"InvalidClientTokenId", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"InvalidIdentityToken", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"MissingAuthenticationToken", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"MissingAuthenticationTokenException", MEANS(UNAUTHORIZED, NEVER, NONE)},
    {"UnrecognizedClientException", MEANS(UNAUTHORIZED, NEVER, NONE)},

    {"AccessDenied", MEANS(DENIED, NEVER, NONE)},
    {"AccessDeniedException", MEANS(DENIED, NEVER, NONE)},
    {"KMSAccessDeniedException", MEANS(REFUSED, NEVER, NONE)}, /* the function's, not ours */
    {"UnauthorizedOperation", MEANS(DENIED, NEVER, NONE)},

    {"ImageNotFoundException", MEANS(NOT_FOUND, NEVER, NONE)},
    {"LifecyclePolicyNotFoundException", MEANS(NOT_FOUND, NEVER, NONE)},
    {"RepositoryNotFoundException", MEANS(NOT_FOUND, NEVER, NONE)},
    {"RepositoryPolicyNotFoundException", MEANS(NOT_FOUND, NEVER, NONE)},
    {"ResourceNotFoundException", MEANS(NOT_FOUND, NEVER, NONE)},

    {"ImageAlreadyExistsException", MEANS(CONFLICT, NEVER, NONE)},
    {"ImageTagAlreadyExistsException", MEANS(CONFLICT, NEVER, NONE)},
    {"RepositoryAlreadyExistsException", MEANS(CONFLICT, NEVER, NONE)},
    {"ResourceConflictException", MEANS(CONFLICT, NEVER, NONE)},
    {"PreconditionFailedException", MEANS(PRECONDITION, NEVER, NONE)},
};

/* Lambda and STS say some things only in a sentence. */
static const struct {
    int status;
    const char *part;
    struct meaning meaning;
} sentences[] = {
    {400, "throttled by EC2", MEANS(THROTTLED, THROTTLED, NONE)}, /* at CreateFunction */
    {400, "Couldn't retrieve verification key", MEANS(SERVER, TRANSIENT, NONE)},
};

/*
 * When the name says nothing; the first range that holds the status. A nameless 404 is none of
 * AWS's: it says that the endpoint is wrong, not that a function is missing, and must not make
 * anybody create one.
 */
static const struct {
    int from, to;
    struct meaning meaning;
} statuses[] = {
    {401, 401, MEANS(UNAUTHORIZED, NEVER, NONE)}, {403, 403, MEANS(DENIED, NEVER, NONE)},
    {408, 408, MEANS(SERVER, TRANSIENT, NONE)},   {409, 409, MEANS(CONFLICT, NEVER, NONE)},
    {412, 412, MEANS(PRECONDITION, NEVER, NONE)}, {429, 429, MEANS(THROTTLED, THROTTLED, NONE)},
    {400, 499, MEANS(REFUSED, NEVER, NONE)},      {500, 500, MEANS(SERVER, TRANSIENT, NONE)},
    {502, 504, MEANS(SERVER, TRANSIENT, NONE)},   {500, 599, MEANS(SERVER, NEVER, NONE)},
    {0, 999, MEANS(PROTOCOL, NEVER, NONE)},
};

static struct meaning meaning_of(int status, const char *name, const char *message)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (status == sentences[i].status && text_contains_ignore_case(message, sentences[i].part))
            return sentences[i].meaning;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].meaning;
    if (status == 404 && text_ends_with(name, "NotFoundException"))
        return (struct meaning)MEANS(NOT_FOUND, NEVER, NONE);
    size_t i = 0;
    while (i + 1 < sizeof statuses / sizeof *statuses &&
           (status < statuses[i].from || status > statuses[i].to))
        i++;
    return statuses[i].meaning;
}

/* "com.amazonaws.ecr#Name:http://internal.amazon.com/…" → "Name"; "" if that is no name. */
static void set_name(struct aws_fault *fault, const char *text)
{
    if (!text)
        return;
    size_t len = strcspn(text, ":");
    const char *hash = memchr(text, '#', len);
    if (hash) {
        len -= (size_t)(hash + 1 - text);
        text = hash + 1;
    }
    if (len == 0 || len >= sizeof fault->name)
        return;
    for (size_t i = 0; i < len; i++) {
        char lower = (char)(text[i] | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(text[i] >= '0' && text[i] <= '9') &&
            text[i] != '.' && text[i] != '_')
            return;
    }
    snprintf(fault->name, sizeof fault->name, "%.*s", (int)len, text);
}

static void set_message(struct aws_fault *fault, const char *text)
{
    if (!text_is_empty(text))
        snprintf(fault->message, sizeof fault->message, "%s", text);
}

static const char *first_string(const struct json *object, const char *const *members)
{
    const char *text = NULL;
    for (; *members && text_is_empty(text); members++)
        text = json_string(json_member(object, *members));
    return text;
}

static bool decode_json(struct aws_fault *fault, const struct strbuf *body)
{
    static const char *const codes[] = {"__type", "code", "Code", NULL};
    static const char *const messages[] = {"message", "Message", "errorMessage", NULL};
    CLEANUP(json) struct json *json = NULL;
    if (json_parse(body->buf, body->len, &json, NULL) < 0 || json_type(json) != JSON_OBJECT)
        return false;
    if (!fault->name[0])
        set_name(fault, first_string(json, codes));
    set_message(fault, first_string(json, messages));
    return true;
}

static bool decode_xml(struct aws_fault *fault, const struct strbuf *body)
{
    CLEANUP(strbuf) struct strbuf code = STRBUF_INIT(sizeof fault->name);
    CLEANUP(strbuf) struct strbuf message = STRBUF_INIT(sizeof fault->message);
    CLEANUP(strbuf) struct strbuf root = STRBUF_INIT(sizeof fault->name);
    bool has_code = xml_add_text(body->buf, body->len, "Code", &code);
    if (!has_code &&
        !(xml_add_root(body->buf, body->len, &root) &&
          (text_ends_with(root.buf, "Exception") || text_ends_with(root.buf, "Error"))))
        return false;
    if (!fault->name[0])
        set_name(fault, has_code ? code.buf : root.buf);
    if (xml_add_text(body->buf, body->len, "Message", &message))
        set_message(fault, message.buf);
    return true;
}

/* Neither JSON nor XML of AWS's: a proxy, a load balancer, a captive portal. */
static void describe_stranger(struct aws_fault *fault, const struct strbuf *body)
{
    CLEANUP(strbuf) struct strbuf title = STRBUF_INIT(EXCERPT_BYTES);
    if (xml_add_text(body->buf, body->len, "title", &title) && title.len > 0)
        snprintf(fault->message, sizeof fault->message,
                 "a web page instead of an answer from AWS (a proxy's?): \"%s\"", title.buf);
    else
        snprintf(fault->message, sizeof fault->message,
                 "not an answer from AWS (a proxy's?): \"%.*s\"", EXCERPT_BYTES, body->buf);
}

void aws_fault_decode(const struct http_response *response, struct aws_fault *ret_fault)
{
    struct aws_fault fault = {.name = "", .message = ""};
    const struct strbuf *body = &response->body;
    set_name(&fault, http_response_header(response, "x-amzn-errortype"));
    if (body->buf && !text_is_empty(body->buf)) {
        if (!decode_json(&fault, body) && !decode_xml(&fault, body))
            describe_stranger(&fault, body);
    }
    struct meaning meaning = meaning_of(response->status, fault.name, fault.message);
    fault.kind = meaning.kind;
    fault.retry = meaning.retry;
    fault.remedy = meaning.remedy;
    if (!fault.message[0])
        snprintf(fault.message, sizeof fault.message, "no explanation was given");
    *ret_fault = fault;
}

void aws_fault_needs(const struct aws_fault *fault, const char *iam_action,
                     char ret_needs[AWS_FAULT_NEEDS_SIZE])
{
    bool names_action = strstr(fault->message, "not authorized to perform:") || /* or another's */
                        strstr(fault->message, iam_action);
    ret_needs[0] = '\0';
    if (fault->kind != ERROR_DENIED || names_action)
        return;
    if (strstr(fault->message, "permission to access the ECR image"))
        snprintf(ret_needs, AWS_FAULT_NEEDS_SIZE,
                 "; the repository's policy must let lambda.amazonaws.com pull, or this needs "
                 "ecr:GetRepositoryPolicy and ecr:SetRepositoryPolicy, so that Lambda can put it "
                 "there");
    else
        snprintf(ret_needs, AWS_FAULT_NEEDS_SIZE, "; this needs the IAM permission %s", iam_action);
}
