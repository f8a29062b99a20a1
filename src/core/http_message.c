#include "core/http_message.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

void http_response_release(struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        free(response->header_names[i]);
        free(response->header_values[i]);
    }
    free(response->header_names);
    free(response->header_values);
    strbuf_release(&response->body);
    *response = (struct http_response)HTTP_RESPONSE_INIT;
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (text_equal_ignore_case(response->header_names[i], name))
            return response->header_values[i];
    return NULL;
}

void http_response_fill(struct http_response *response, int status, const char *body, size_t len)
{
    http_response_release(response);
    response->status = status;
    strbuf_init(&response->body, len);
    strbuf_add(&response->body, body, len);
}

/* A copy without the white space around it. */
static char *trimmed(const char *text)
{
    struct strbuf copy = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addstr(&copy, text);
    strbuf_trim(&copy);
    return strbuf_detach(&copy);
}

void http_response_add_header(struct http_response *response, const char *name, const char *value)
{
    size_t count = response->header_count;
    response->header_names =
        memory_resize(response->header_names, count + 1, sizeof *response->header_names);
    response->header_values =
        memory_resize(response->header_values, count + 1, sizeof *response->header_values);
    char *lower = trimmed(name);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    response->header_names[count] = lower;
    response->header_values[count] = trimmed(value);
    response->header_count = count + 1;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text; text++)
        if (!is_alphanumeric(*text) && !strchr("!#$%&'*+-.^_`|~", *text))
            return false;
    return true;
}

static bool is_field_value(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

int http_request_check(const struct http_request *request, struct error *err)
{
    if (!is_token(request->method))
        return error_set(err, ERROR_INPUT, "\"%s\" is no HTTP method", request->method);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!is_token(header->name))
            return error_set(err, ERROR_INPUT, "\"%s\" is no name of a header", header->name);
        if (!is_field_value(header->value))
            return error_set(err, ERROR_INPUT, "header %s: control characters in its value",
                             header->name);
    }
    return 0;
}

bool http_is_loopback(const char *host)
{
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return text_equal_ignore_case(host, "localhost") || text_equal(host, "[::1]");
}

void http_add_encoded(struct strbuf *sb, const char *text, bool keep_slash)
{
    for (; *text; text++) {
        if (is_alphanumeric(*text) || strchr("-._~", *text) || (*text == '/' && keep_slash))
            strbuf_addch(sb, *text);
        else
            strbuf_addf(sb, "%%%02X", (unsigned char)*text);
    }
}
