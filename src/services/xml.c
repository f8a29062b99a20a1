#include "services/xml.h"

#include <stdint.h>
#include <string.h>

#define ENTITY_MAX 10 /* "#x10FFFF;" and its kin */

struct tag {
    const char *name; /* local */
    size_t name_len;
    const char *end;    /* behind its '>' */
    bool opens;         /* not </x>, <?x?>, <!x> */
    bool closes_itself; /* <x/> */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The tag at or behind `at`; false at the end of the text. */
static bool next_tag(const char *at, const char *end, struct tag *ret_tag)
{
    const char *open = at < end ? memchr(at, '<', (size_t)(end - at)) : NULL;
    const char *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
    if (!close)
        return false;
    const char *name = open + 1;
    ret_tag->opens = name < close && *name != '/' && *name != '?' && *name != '!';
    ret_tag->closes_itself = close[-1] == '/' && close - 1 > open;
    ret_tag->end = close + 1;
    size_t len = 0;
    while (name + len < close && !is_space(name[len]) && name[len] != '/')
        len++;
    const char *colon = memchr(name, ':', len);
    ret_tag->name = colon ? colon + 1 : name;
    ret_tag->name_len = colon ? len - (size_t)(colon + 1 - name) : len;
    return true;
}

static void add_code_point(struct strbuf *out, uint32_t c)
{
    if (c < 0x80) {
        strbuf_addch(out, (char)c);
        return;
    }
    if (c < 0x800) {
        strbuf_addch(out, (char)(0xC0 | (c >> 6)));
    } else {
        if (c < 0x10000) {
            strbuf_addch(out, (char)(0xE0 | (c >> 12)));
        } else {
            strbuf_addch(out, (char)(0xF0 | (c >> 18)));
            strbuf_addch(out, (char)(0x80 | ((c >> 12) & 0x3F)));
        }
        strbuf_addch(out, (char)(0x80 | ((c >> 6) & 0x3F)));
    }
    strbuf_addch(out, (char)(0x80 | (c & 0x3F)));
}

/* "#38" or "#x26" → a character; 0 if it is none that may stand in XML. */
static uint32_t numeric_entity(const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    bool hex = len > 2 && text[1] == 'x';
    uint32_t base = hex ? 16 : 10;
    uint32_t value = 0;
    size_t start = hex ? 2 : 1;
    if (start == len)
        return 0;
    for (size_t i = start; i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] | 0x20) : text[i];
        const char *digit = memchr(digits, c, base);
        if (!digit)
            return 0;
        value = value * base + (uint32_t)(digit - digits);
        if (value > 0x10FFFF)
            return 0;
    }
    return value >= 0xD800 && value <= 0xDFFF ? 0 : value;
}

/* The entity at `text` (which is a '&'): add what it means, return its length; 0: it is none. */
static size_t add_entity(struct strbuf *out, const char *text, const char *end)
{
    static const struct {
        const char *name;
        char means;
    } named[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};

    size_t room = (size_t)(end - text) - 1;
    const char *name = text + 1;
    const char *semicolon = memchr(name, ';', room < ENTITY_MAX ? room : ENTITY_MAX);
    if (!semicolon)
        return 0;
    size_t len = (size_t)(semicolon - name);
    if (len > 1 && name[0] == '#') {
        uint32_t c = numeric_entity(name, len);
        if (c == 0)
            return 0;
        add_code_point(out, c);
        return len + 2;
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strlen(named[i].name) == len && memcmp(named[i].name, name, len) == 0) {
            strbuf_addch(out, named[i].means);
            return len + 2;
        }
    return 0;
}

static void add_decoded(struct strbuf *out, const char *text, const char *end)
{
    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    while (text < end) {
        size_t taken = *text == '&' ? add_entity(out, text, end) : 0;
        if (taken == 0) {
            strbuf_addch(out, *text);
            taken = 1;
        }
        text += taken;
    }
}

bool xml_add_text(const char *xml, size_t len, const char *element, struct strbuf *out)
{
    const char *end = xml + len;
    struct tag tag;
    for (const char *at = xml; next_tag(at, end, &tag); at = tag.end) {
        if (!tag.opens || tag.name_len != strlen(element) ||
            memcmp(tag.name, element, tag.name_len) != 0)
            continue;
        if (tag.closes_itself)
            return true;
        const char *stop = tag.end < end ? memchr(tag.end, '<', (size_t)(end - tag.end)) : NULL;
        if (!stop)
            return false;
        add_decoded(out, tag.end, stop);
        return true;
    }
    return false;
}

bool xml_add_root(const char *xml, size_t len, struct strbuf *out)
{
    struct tag tag;
    for (const char *at = xml; next_tag(at, xml + len, &tag); at = tag.end)
        if (tag.opens) {
            strbuf_add(out, tag.name, tag.name_len);
            return true;
        }
    return false;
}
