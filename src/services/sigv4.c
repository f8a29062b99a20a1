#include "services/sigv4.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "core/text.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

struct parameter { /* of the query, in its canonical form */
    struct strbuf name, value;
};

struct signed_header {
    struct strbuf name, value; /* lower case; white space folded */
    size_t index;              /* order of arrival: values of one name keep it */
};

void sigv4_release(struct sigv4 *sigv4)
{
    if (!sigv4)
        return;
    strbuf_release(&sigv4->authorization);
    strbuf_release_secret(&sigv4->canonical_request);
    strbuf_release(&sigv4->string_to_sign);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* `kept`: characters that stay as they are, besides the unreserved ones. */
static void add_encoded(struct strbuf *sb, char c, const char *kept)
{
    if (is_unreserved(c) || (c && strchr(kept, c)))
        strbuf_addch(sb, c);
    else
        strbuf_addf(sb, "%%%02X", (unsigned)(unsigned char)c);
}

/* A segment of the path, a slash in front of it; dots and emptiness resolved as in RFC 3986. */
static void add_segment(struct strbuf *path, const char *segment, size_t len)
{
    if (len == 0 || (len == 1 && segment[0] == '.'))
        return;
    if (len == 2 && segment[0] == '.' && segment[1] == '.') {
        size_t end = path->len;
        while (end > 0 && path->buf[end - 1] != '/')
            end--;
        strbuf_truncate(path, end > 0 ? end - 1 : 0);
        return;
    }
    strbuf_addch(path, '/');
    strbuf_add(path, segment, len);
}

static void normalise(const char *path, struct strbuf *out)
{
    bool ends_open = true; /* the last segment names a folder */
    while (*path) {
        size_t len = strcspn(path, "/");
        ends_open = len == 0 || (len <= 2 && strspn(path, ".") == len);
        add_segment(out, path, len);
        path += len;
        if (*path == '/') {
            path++;
            ends_open = ends_open || *path == '\0';
        }
    }
    if (ends_open)
        strbuf_addch(out, '/');
}

static void add_canonical_path(struct strbuf *out, const char *path, bool keep)
{
    struct strbuf clean = STRBUF_INIT(STRBUF_NO_CAP);
    if (keep)
        strbuf_addstr(&clean, path);
    else
        normalise(path, &clean);
    for (size_t i = 0; i < clean.len; i++)
        add_encoded(out, clean.buf[i], keep ? "/%" : "/");
    strbuf_release(&clean);
}

/* What was sent with any escapes → the one escaped form that is signed. */
static void add_recoded(struct strbuf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < len && text_hex_value(text[i + 1]) >= 0 &&
            text_hex_value(text[i + 2]) >= 0) {
            c = (char)(text_hex_value(text[i + 1]) * 16 + text_hex_value(text[i + 2]));
            i += 2;
        }
        add_encoded(out, c, "");
    }
}

static int compare_parameters(const void *a, const void *b)
{
    const struct parameter *left = a;
    const struct parameter *right = b;
    int by_name = strcmp(left->name.buf, right->name.buf);
    return by_name ? by_name : strcmp(left->value.buf, right->value.buf);
}

static size_t count_parts(const char *query)
{
    size_t count = 1;
    for (; *query; query++)
        count += *query == '&';
    return count;
}

static void add_canonical_query(struct strbuf *out, const char *query)
{
    if (!query || !*query)
        return;
    struct parameter *parameters = memory_new(count_parts(query) * sizeof *parameters);
    size_t count = 0;
    for (const char *part = query; part; part = strchr(part, '&') ? strchr(part, '&') + 1 : NULL) {
        size_t len = strcspn(part, "&");
        if (len == 0)
            continue;
        size_t name_len = strcspn(part, "=&");
        size_t value_start = name_len < len ? name_len + 1 : len;
        struct parameter *parameter = &parameters[count++];
        strbuf_init(&parameter->name, STRBUF_NO_CAP);
        strbuf_init(&parameter->value, STRBUF_NO_CAP);
        add_recoded(&parameter->name, part, name_len);
        add_recoded(&parameter->value, part + value_start, len - value_start);
    }
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            strbuf_addch(out, '&');
        strbuf_addsb(out, &parameters[i].name);
        strbuf_addch(out, '=');
        strbuf_addsb(out, &parameters[i].value);
        strbuf_release(&parameters[i].name);
        strbuf_release(&parameters[i].value);
    }
    free(parameters);
}

/* White space at the ends goes; each run inside, line folds included, becomes one space. */
static void add_folded(struct strbuf *out, const char *value)
{
    bool gap = false;
    for (; *value; value++) {
        if (text_is_space(*value)) {
            gap = out->len > 0;
            continue;
        }
        if (gap)
            strbuf_addch(out, ' ');
        gap = false;
        strbuf_addch(out, *value);
    }
}

static void set_header(struct signed_header *header, size_t index, const char *name,
                       const char *value)
{
    header->index = index;
    strbuf_init(&header->name, STRBUF_NO_CAP);
    strbuf_init(&header->value, STRBUF_NO_CAP);
    for (; *name; name++)
        strbuf_addch(&header->name, *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name);
    add_folded(&header->value, value);
}

static int compare_headers(const void *a, const void *b)
{
    const struct signed_header *left = a;
    const struct signed_header *right = b;
    int by_name = strcmp(left->name.buf, right->name.buf);
    if (by_name)
        return by_name;
    return left->index < right->index ? -1 : 1;
}

/* The canonical headers into `out`, their names into `names`. */
static void add_canonical_headers(struct strbuf *out, struct strbuf *names,
                                  const struct sigv4_request *request,
                                  const struct sigv4_signer *signer, const char *date)
{
    struct signed_header *headers = memory_new((request->header_count + 2) * sizeof *headers);
    size_t count = 0;
    for (; count < request->header_count; count++)
        set_header(&headers[count], count, request->headers[count].name,
                   request->headers[count].value);
    set_header(&headers[count], count, "x-amz-date", date);
    count++;
    if (signer->session_token && !signer->token_after_signing) {
        set_header(&headers[count], count, "x-amz-security-token", signer->session_token);
        count++;
    }
    qsort(headers, count, sizeof *headers, compare_headers);
    for (size_t i = 0; i < count; i++) {
        bool repeated = i > 0 && strcmp(headers[i].name.buf, headers[i - 1].name.buf) == 0;
        if (repeated) {
            strbuf_truncate(out, out->len - 1); /* its newline */
            strbuf_addch(out, ',');
        } else {
            strbuf_addf(names, "%s%s", i > 0 ? ";" : "", headers[i].name.buf);
            strbuf_addf(out, "%s:", headers[i].name.buf);
        }
        strbuf_addsb(out, &headers[i].value);
        strbuf_addch(out, '\n');
    }
    for (size_t i = 0; i < count; i++) {
        strbuf_release(&headers[i].name);
        strbuf_release_secret(&headers[i].value);
    }
    free(headers);
}

/* Each key is the hash of the next part of the scope under the one before; the last one signs. */
static void add_signature(const struct sigv4_signer *signer, const char *day,
                          const struct strbuf *string_to_sign, char ret_hex[SHA256_HEX])
{
    struct strbuf first = STRBUF_INIT(STRBUF_NO_CAP);
    unsigned char key[SHA256_BYTES];
    strbuf_addf(&first, "AWS4%s", signer->secret_access_key);
    crypto_hmac_sha256(first.buf, first.len, day, strlen(day), key);
    strbuf_release_secret(&first);

    const char *const parts[] = {signer->region, signer->service, "aws4_request"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        unsigned char next[SHA256_BYTES];
        crypto_hmac_sha256(key, sizeof key, parts[i], strlen(parts[i]), next);
        memcpy(key, next, sizeof key);
        memory_wipe(next, sizeof next);
    }
    unsigned char hash[SHA256_BYTES];
    crypto_hmac_sha256(key, sizeof key, string_to_sign->buf, string_to_sign->len, hash);
    memory_wipe(key, sizeof key);
    crypto_hex(hash, sizeof hash, ret_hex);
}

void sigv4_sign(const struct sigv4_request *request, const struct sigv4_signer *signer,
                struct sigv4 *ret_sigv4)
{
    struct strbuf names = STRBUF_INIT(STRBUF_NO_CAP);
    struct strbuf scope = STRBUF_INIT(STRBUF_NO_CAP);
    struct strbuf *canonical = &ret_sigv4->canonical_request;
    struct strbuf *to_sign = &ret_sigv4->string_to_sign;
    strbuf_reset(canonical);
    strbuf_reset(to_sign);
    strbuf_reset(&ret_sigv4->authorization);
    clock_format_basic(signer->wall_seconds, ret_sigv4->date, sizeof ret_sigv4->date);
    char day[9];
    snprintf(day, sizeof day, "%.8s", ret_sigv4->date);
    strbuf_addf(&scope, "%s/%s/%s/aws4_request", day, signer->region, signer->service);

    char hash[SHA256_HEX];
    crypto_sha256_hex(request->body ? request->body : "", request->body ? request->body_len : 0,
                      hash);
    strbuf_addf(canonical, "%s\n", request->method);
    add_canonical_path(canonical, request->path, signer->keep_path);
    strbuf_addch(canonical, '\n');
    add_canonical_query(canonical, request->query);
    strbuf_addch(canonical, '\n');
    add_canonical_headers(canonical, &names, request, signer, ret_sigv4->date);
    strbuf_addf(canonical, "\n%s\n%s", names.buf, hash);

    crypto_sha256_hex(canonical->buf, canonical->len, hash);
    strbuf_addf(to_sign, ALGORITHM "\n%s\n%s\n%s", ret_sigv4->date, scope.buf, hash);
    add_signature(signer, day, to_sign, ret_sigv4->signature);
    strbuf_addf(&ret_sigv4->authorization,
                ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                signer->access_key_id, scope.buf, names.buf, ret_sigv4->signature);
    strbuf_release(&names);
    strbuf_release(&scope);
}
