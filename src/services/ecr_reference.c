#include "services/ecr.h"

#include "core/text.h"

#define ACCOUNT_DIGITS 12
#define DIGEST_PREFIX  "sha256:"
#define DIGEST_DIGITS  64
#define TAG_MAX        128
#define NAME_MAX_BYTES 256

static bool is_digest(const char *text, size_t len)
{
    size_t prefix = strlen(DIGEST_PREFIX);
    if (len != prefix + DIGEST_DIGITS || strncmp(text, DIGEST_PREFIX, prefix) != 0)
        return false;
    for (size_t i = prefix; i < len; i++)
        if (!text_is_digit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
    return true;
}

static bool is_tag(const char *text, size_t len)
{
    if (len == 0 || len > TAG_MAX || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!text_is_digit(text[i]) && !text_is_lower((char)(text[i] | 0x20)) &&
            !strchr("_.-", text[i]))
            return false;
    return true;
}

static bool is_plain(char c)
{
    return text_is_digit(c) || text_is_lower(c);
}

/* Of a repository's name, between its slashes. */
static bool is_component(const char *text, size_t len)
{
    if (len == 0 || !is_plain(text[0]) || !is_plain(text[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_plain(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

static bool is_repository(const char *text, size_t len)
{
    if (len < 2 || len > NAME_MAX_BYTES)
        return false;
    for (size_t start = 0; start <= len;) {
        const char *slash = memchr(text + start, '/', len - start);
        size_t end = slash ? (size_t)(slash - text) : len;
        if (!is_component(text + start, end - start))
            return false;
        start = end + 1;
    }
    return true;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
    snprintf(to, size, "%.*s", (int)len, from);
}

/* "<account>.dkr.ecr[-fips].<region>.<suffix>", or "<account>.dkr-ecr[-fips].<region>.on.aws". */
static bool parse_registry(const char *text, size_t len, struct ecr_reference *ret_reference)
{
    static const struct {
        const char *prefix, *suffix; /* NULL: the region's own */
    } forms[] = {
        {".dkr.ecr.", NULL},
        {".dkr.ecr-fips.", NULL},
        {".dkr-ecr.", "on.aws"},
        {".dkr-ecr-fips.", "on.aws"},
    };
    if (len >= sizeof ret_reference->registry || len < ACCOUNT_DIGITS)
        return false;
    copy(ret_reference->registry, sizeof ret_reference->registry, text, len);
    copy(ret_reference->account, sizeof ret_reference->account, text, ACCOUNT_DIGITS);
    if (strspn(ret_reference->account, "0123456789") != ACCOUNT_DIGITS)
        return false;
    const char *rest = ret_reference->registry + ACCOUNT_DIGITS;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!text_starts_with(rest, forms[i].prefix))
            continue;
        const char *region = rest + strlen(forms[i].prefix);
        size_t region_len = strcspn(region, ".");
        if (region_len == 0 || region_len >= sizeof ret_reference->region ||
            region[region_len] != '.')
            return false;
        copy(ret_reference->region, sizeof ret_reference->region, region, region_len);
        const char *suffix =
            forms[i].suffix ? forms[i].suffix : aws_dns_suffix(ret_reference->region);
        return strcmp(region + region_len + 1, suffix) == 0;
    }
    return false;
}

bool ecr_parse_reference(const char *text, struct ecr_reference *ret_reference)
{
    struct ecr_reference made = {.registry = ""};
    const char *slash = text ? strchr(text, '/') : NULL;
    if (!slash || !parse_registry(text, (size_t)(slash - text), &made))
        return false;
    const char *name = slash + 1;
    size_t name_len = strcspn(name, ":@");
    if (!is_repository(name, name_len))
        return false;
    copy(made.repository, sizeof made.repository, name, name_len);
    const char *rest = name + name_len;
    if (*rest == ':') {
        size_t len = strcspn(rest + 1, "@");
        if (!is_tag(rest + 1, len))
            return false;
        copy(made.tag, sizeof made.tag, rest + 1, len);
        rest += 1 + len;
    }
    if (*rest == '@') {
        if (!is_digest(rest + 1, strlen(rest + 1)))
            return false;
        copy(made.digest, sizeof made.digest, rest + 1, strlen(rest + 1));
    }
    *ret_reference = made;
    return true;
}
