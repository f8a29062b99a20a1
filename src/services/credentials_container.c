/*
 * The endpoint that a container's platform offers: ECS and CodeBuild by a relative URI, EKS Pod
 * Identity and others by a full one. Plain http only to the addresses that AWS names for this and
 * to loopback. Source: docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html.
 */
#include "core/cleanup.h"
#include "core/environ.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/credentials_providers.h"
#include "services/http_retry.h"

#define RELATIVE_VARIABLE   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL_VARIABLE       "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN_FILE_VARIABLE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define TOKEN_VARIABLE      "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define ECS_ADDRESS         "http://169.254.170.2"
#define ATTEMPT_MS          2000
#define MAX_ANSWER          65536
#define MAX_TOKEN           16384

/* Of ECS, and of EKS by IPv4 and IPv6. */
static const char *const plain_hosts[] = {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};

/* A plain URL to one of these addresses; http_send itself lets loopback pass. */
static bool is_platform_address(const char *url)
{
    const char *scheme = "http://";
    if (!text_starts_with(url, scheme))
        return false;
    const char *host = url + strlen(scheme);
    for (size_t i = 0; i < sizeof plain_hosts / sizeof *plain_hosts; i++) {
        size_t len = strlen(plain_hosts[i]);
        if (text_starts_with(host, plain_hosts[i]) &&
            (host[len] == '\0' || host[len] == ':' || host[len] == '/'))
            return !strchr(host, '@');
    }
    return false;
}

static int make_url(const struct credentials_context *context, struct strbuf *url,
                    struct error *err)
{
    const char *relative = environ_get(context->environ, RELATIVE_VARIABLE);
    const char *full = environ_get(context->environ, FULL_VARIABLE);
    if (relative && relative[0] != '/')
        return error_set(err, ERROR_INPUT, RELATIVE_VARIABLE " does not begin with a slash");
    if (relative)
        strbuf_addstr(url, ECS_ADDRESS);
    strbuf_addstr(url, relative ? relative : full);
    return 0;
}

static int add_authorization(const struct credentials_context *context, struct strbuf *out,
                             struct error *err)
{
    const char *path = environ_get(context->environ, TOKEN_FILE_VARIABLE);
    if (path) {
        if (file_read(path, out, err) < 0)
            return error_wrap(err, TOKEN_FILE_VARIABLE);
        strbuf_trim(out);
    } else {
        strbuf_addstr(out, environ_get(context->environ, TOKEN_VARIABLE));
    }
    if (strpbrk(out->buf, "\r\n"))
        return error_set(err, ERROR_INPUT, "%s: the token has a line break in it",
                         path ? TOKEN_FILE_VARIABLE : TOKEN_VARIABLE);
    return 0;
}

static int ask(const struct credentials_context *context, const char *url,
               const char *authorization, struct credentials *ret_credentials, struct error *err)
{
    const struct http_header headers[] = {{"Accept", "application/json"},
                                          {"Authorization", authorization}};
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = authorization[0] ? 2 : 1,
                                         .connect_timeout_ms = ATTEMPT_MS,
                                         .timeout_ms = ATTEMPT_MS,
                                         .max_body_bytes = MAX_ANSWER,
                                         .allow_plain_http = is_platform_address(url)};
    __attribute__((cleanup(http_retry_release))) struct http_response response = HTTP_RESPONSE_INIT;
    if (http_retry_send(context->http, &request, &response, err) < 0)
        return error_wrap(err, "asking the container's credentials endpoint");
    if (credentials_read_json(&response.body, ret_credentials, err) < 0)
        return error_wrap(err, "reading the container's credentials");
    snprintf(ret_credentials->source, sizeof ret_credentials->source, "container");
    return 0;
}

static int fetch(const struct credentials_context *context, struct credentials *ret_credentials,
                 bool *ret_applies, struct error *err)
{
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_SECRET struct strbuf authorization = STRBUF_INIT(MAX_TOKEN);
    *ret_applies = environ_get(context->environ, RELATIVE_VARIABLE) ||
                   environ_get(context->environ, FULL_VARIABLE);
    if (!*ret_applies)
        return 0;
    if (make_url(context, &url, err) < 0 || add_authorization(context, &authorization, err) < 0)
        return -1;
    credentials_tell_secret(context, authorization.buf);
    return ask(context, url.buf, authorization.buf, ret_credentials, err);
}

const struct credentials_provider credentials_container = {.name = "container", .fetch = fetch};
