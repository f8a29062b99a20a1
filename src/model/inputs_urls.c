/* Judges of health-url and health-path. */
#include <string.h>

#include "core/text.h"
#include "model/inputs_parts.h"

/* The parts of HOST[:PORT] or [ADDRESS][:PORT]. */
struct authority {
    const char *host; /* borrowed */
    size_t host_len;
    size_t len; /* of it all, up to the path or query */
};

static bool is_loopback(const struct authority *authority)
{
    static const char *const names[] = {"localhost", "[::1]"};
    const char *host = authority->host;
    size_t len = authority->host_len;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && strncmp(host, names[i], len) == 0)
            return true;
    return len > strlen("127.") && text_starts_with(host, "127.") &&
           strspn(host, "0123456789.") >= len;
}

/* Letters, digits, '-', '_' and single dots; or what is in brackets, as it is. */
static bool is_host(const char *host, size_t len)
{
    if (len > 2 && *host == '[')
        return strspn(host + 1, "0123456789abcdefABCDEF:.") == len - 2 && host[len - 1] == ']';
    for (size_t i = 0; i < len; i++)
        if (strchr(":[]@", host[i]) || (host[i] == '.' && (i == 0 || host[i - 1] == '.')))
            return false;
    return len > 0 && *host != '-';
}

static bool is_port(const char *text, size_t len)
{
    return len == 0 ||
           (*text == ':' && len > 1 && len <= 6 && strspn(text + 1, "0123456789") >= len - 1);
}

static bool find_authority(const char *url, struct authority *ret_authority)
{
    const char *host = strstr(url, "//") + 2;
    size_t len = strcspn(host, "/?");
    size_t host_len = *host == '[' ? strcspn(host, "]/?") + 1 : strcspn(host, ":/?");
    if (host_len > len || !is_host(host, host_len) || !is_port(host + host_len, len - host_len))
        return false;
    *ret_authority = (struct authority){host, host_len, len};
    return true;
}

static bool has_bad_character(const char *url)
{
    for (; *url; url++)
        if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f ||
            strchr("\"<>\\^`{|}#", *url))
            return true;
    return false;
}

/* A URL is not shown: what people put into one may be a secret. */
int input_check_url(const char *name, const char *text, struct error *err)
{
    bool plain = text_starts_with(text, "http://");
    if (!plain && !text_starts_with(text, "https://"))
        return input_refuse(err, name, NULL, "is no URL; give one that begins with https://");
    if (has_bad_character(text))
        return input_refuse(err, name, NULL,
                            "holds a character that a URL must not hold here (a space, '#', a "
                            "quote…); give https://host/path");
    const char *host = strstr(text, "//") + 2;
    if (memchr(host, '@', strcspn(host, "/?")))
        return input_refuse(err, name, NULL,
                            "holds user info (user:password@); give it by health-headers");
    struct authority authority;
    if (!find_authority(text, &authority))
        return input_refuse(err, name, NULL, "has no valid host; give https://host/path");
    if (plain && !is_loopback(&authority))
        return input_refuse(err, name, NULL,
                            "is plain http, which is for this machine only (localhost); give "
                            "https://");
    return 0;
}

int input_check_path(const char *name, const char *text, struct error *err)
{
    bool good = *text == '/';
    for (const char *p = text; *p; p++)
        good = good && (unsigned char)*p > ' ' && (unsigned char)*p < 0x7f && *p != '#';
    if (good)
        return 0;
    return input_refuse(err, name, text,
                        "is no path: it begins with '/' and holds no spaces, no '#' and only ASCII "
                        "(%%20 for others)");
}
