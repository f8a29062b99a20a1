/*
 * The role of the EC2 instance that we run on, by its metadata service, version 2 only: a token
 * first, which no redirected GET can get. Most machines have no such service, and 169.254.169.254
 * is somebody else's on other clouds: who gives no token within a second is not asked further.
 * The answer to the request for a token travels as many hops as the instance allows (one by
 * default): in a container it may never come. Source:
 * docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html.
 */
#include "core/cleanup.h"
#include "core/environ.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"
#include "services/http_retry.h"

#define DISABLED_VARIABLE "AWS_EC2_METADATA_DISABLED"
#define ENDPOINT_VARIABLE "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define MODE_VARIABLE     "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
#define IPV4_ENDPOINT     "http://169.254.169.254"
#define IPV6_ENDPOINT     "http://[fd00:ec2::254]"
#define TOKEN_PATH        "/latest/api/token"
#define ROLES_PATH        "/latest/meta-data/iam/security-credentials/"
#define ATTEMPT_MS        1000
#define MAX_ANSWER        65536
#define MAX_TOKEN         4096
#define CLEANUP_RESPONSE  __attribute__((cleanup(http_retry_release)))

static const char *endpoint_of(const struct credentials_context *context)
{
    const char *endpoint = environ_get(context->environ, ENDPOINT_VARIABLE);
    if (endpoint)
        return endpoint;
    const char *mode = environ_get(context->environ, MODE_VARIABLE);
    return mode && text_equal_ignore_case(mode, "IPv6") ? IPV6_ENDPOINT : IPV4_ENDPOINT;
}

/* These two in plain http; of an endpoint that somebody named only loopback, which http_send lets
 * pass. */
static bool is_platform_address(const char *endpoint)
{
    size_t len = strlen(endpoint);
    while (len > 0 && endpoint[len - 1] == '/')
        len--;
    return (len == strlen(IPV4_ENDPOINT) && strncmp(endpoint, IPV4_ENDPOINT, len) == 0) ||
           (len == strlen(IPV6_ENDPOINT) && strncmp(endpoint, IPV6_ENDPOINT, len) == 0);
}

static void add_url(struct strbuf *url, const char *endpoint, const char *path)
{
    size_t len = strlen(endpoint);
    while (len > 0 && endpoint[len - 1] == '/')
        len--;
    strbuf_add(url, endpoint, len);
    strbuf_addstr(url, path);
}

/* One word, without anything that a header cannot hold. */
static bool is_token(const char *text)
{
    if (text[0] == '\0' || strlen(text) > MAX_TOKEN)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* *ret_there false: no service that gives tokens is here. */
static int get_token(const struct credentials_context *context, const char *endpoint,
                     struct strbuf *token, bool *ret_there, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_RESPONSE struct http_response response = HTTP_RESPONSE_INIT;
    const struct http_header headers[] = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    add_url(&url, endpoint, TOKEN_PATH);
    const struct http_request request = {.method = "PUT",
                                         .url = url.buf,
                                         .headers = headers,
                                         .header_count = 1,
                                         .connect_timeout_ms = ATTEMPT_MS,
                                         .timeout_ms = ATTEMPT_MS,
                                         .max_body_bytes = MAX_ANSWER,
                                         .allow_plain_http = is_platform_address(endpoint)};
    struct error local = ERROR_INIT;
    *ret_there = false;
    if (http_send(context->http, &request, &response, &local) < 0) {
        if (local.kind == ERROR_NETWORK || local.kind == ERROR_TIMEOUT)
            return 0;
        if (err)
            *err = local;
        return -1;
    }
    bool busy = response.status == 429 || response.status >= 500;
    if (busy && http_retry_send(context->http, &request, &response, err) < 0)
        return -1;
    if (response.status != 200)
        return 0;
    strbuf_addsb(token, &response.body);
    strbuf_trim(token);
    if (!is_token(token->buf))
        return error_set(err, ERROR_PROTOCOL, "its token is none");
    *ret_there = true;
    return 0;
}

static int get(const struct credentials_context *context, const char *endpoint, const char *path,
               const char *token, struct http_response *ret_response, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(STRBUF_NO_CAP);
    const struct http_header headers[] = {{"X-aws-ec2-metadata-token", token}};
    add_url(&url, endpoint, path);
    const struct http_request request = {.method = "GET",
                                         .url = url.buf,
                                         .headers = headers,
                                         .header_count = 1,
                                         .connect_timeout_ms = ATTEMPT_MS,
                                         .timeout_ms = ATTEMPT_MS,
                                         .max_body_bytes = MAX_ANSWER,
                                         .allow_plain_http = is_platform_address(endpoint)};
    return http_retry_send(context->http, &request, ret_response, err);
}

/* The role's name: the first line. *ret_there false: the instance has none. */
static int find_role(const struct credentials_context *context, const char *endpoint,
                     const char *token, struct strbuf *path, bool *ret_there, struct error *err)
{
    CLEANUP_RESPONSE struct http_response response = HTTP_RESPONSE_INIT;
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(MAX_ANSWER);
    struct error local = ERROR_INIT;
    *ret_there = false;
    if (get(context, endpoint, ROLES_PATH, token, &response, &local) < 0) {
        if (local.code == 404)
            return 0;
        if (err)
            *err = local;
        return error_wrap(err, "asking for the instance's role");
    }
    strbuf_add(&name, response.body.buf, strcspn(response.body.buf, "\r\n"));
    if (name.len == 0)
        return 0;
    strbuf_addstr(path, ROLES_PATH);
    http_add_encoded(path, name.buf, false);
    *ret_there = true;
    return 0;
}

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    const char *disabled = environ_get(context->environ, DISABLED_VARIABLE);
    const char *endpoint = endpoint_of(context);
    CLEANUP_SECRET struct strbuf token = STRBUF_INIT(MAX_ANSWER);
    CLEANUP(strbuf) struct strbuf path = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_RESPONSE struct http_response response = HTTP_RESPONSE_INIT;
    *ret_applies = false;
    if (disabled && text_equal_ignore_case(disabled, "true"))
        return 0;
    if (get_token(context, endpoint, &token, ret_applies, err) < 0)
        return error_wrap(err, "asking the instance's metadata service");
    if (!*ret_applies)
        return 0;
    credentials_tell_secret(context, token.buf);
    if (find_role(context, endpoint, token.buf, &path, ret_applies, err) < 0)
        return -1;
    if (!*ret_applies)
        return 0;
    if (get(context, endpoint, path.buf, token.buf, &response, err) < 0)
        return error_wrap(err, "asking for the keys of the instance's role");
    if (credentials_read_json(&response.body, ret_credentials, err) < 0)
        return error_wrap(err, "reading the keys of the instance's role");
    snprintf(ret_credentials->source, sizeof ret_credentials->source, "instance");
    return 0;
}

const struct credentials_provider credentials_instance = {.name = "instance", .fetch = fetch};
