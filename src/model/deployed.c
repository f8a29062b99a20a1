#include "model/deployed.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

#define DIGITS      ((size_t)(DEPLOYED_DIGITS_SIZE - 1))
#define MINUTE_S    60
#define MINUTES_MAX INT64_C(9999999999)
#define ENTRY_BYTES 64

static const char hex[] = "0123456789abcdef";

/* The first digits of a commit or, behind "sha256:", of a digest. */
static bool cut_digits(const char *text, char ret_digits[DEPLOYED_DIGITS_SIZE])
{
    const char *colon = strchr(text, ':');
    text = colon ? colon + 1 : text;
    if (strspn(text, hex) < DIGITS)
        return false;
    snprintf(ret_digits, DEPLOYED_DIGITS_SIZE, "%s", text);
    return true;
}

static bool parse_entry(const char *text, struct deployed_entry *ret_entry)
{
    int64_t minutes;
    if (strspn(text, hex) != DIGITS || text[DIGITS] != '@' ||
        strspn(text + DIGITS + 1, hex) != DIGITS || text[2 * DIGITS + 1] != '/' ||
        !text_to_int64(text + 2 * DIGITS + 2, 0, MINUTES_MAX, &minutes))
        return false;
    snprintf(ret_entry->commit, sizeof ret_entry->commit, "%s", text);
    snprintf(ret_entry->digest, sizeof ret_entry->digest, "%s", text + DIGITS + 1);
    ret_entry->wall_s = minutes * MINUTE_S;
    return true;
}

void deployed_parse(const char *value, struct deployed *ret_deployed)
{
    ret_deployed->len = 0;
    for (const char *at = value ? value : ""; *at && ret_deployed->len < DEPLOYED_MAX_ENTRIES;) {
        char entry[ENTRY_BYTES];
        at += strspn(at, " ");
        size_t len = strcspn(at, " ");
        snprintf(entry, sizeof entry, "%.*s", (int)len, at);
        if (len < sizeof entry && parse_entry(entry, &ret_deployed->items[ret_deployed->len]))
            ret_deployed->len++;
        at += len;
    }
}

void deployed_format(const struct deployed *deployed, char ret_value[DEPLOYED_VALUE_SIZE])
{
    size_t used = 0;
    ret_value[0] = '\0';
    for (size_t i = 0; i < deployed->len; i++) {
        const struct deployed_entry *item = &deployed->items[i];
        char entry[ENTRY_BYTES];
        int len = snprintf(entry, sizeof entry, "%s%s@%s/%lld", i > 0 ? " " : "", item->commit,
                           item->digest, (long long)(item->wall_s / MINUTE_S));
        if (used + (size_t)len >= DEPLOYED_VALUE_SIZE)
            return;
        memcpy(ret_value + used, entry, (size_t)len + 1);
        used += (size_t)len;
    }
}

void deployed_add(struct deployed *deployed, const char *commit, const char *digest, int64_t wall_s)
{
    struct deployed_entry entry = {.wall_s = wall_s};
    if (!cut_digits(commit, entry.commit) || !cut_digits(digest, entry.digest))
        return;
    if (deployed->len == DEPLOYED_MAX_ENTRIES)
        deployed->len--;
    memmove(deployed->items + 1, deployed->items, deployed->len * sizeof *deployed->items);
    deployed->items[0] = entry;
    deployed->len++;
}

const struct deployed_entry *deployed_find(const struct deployed *deployed, const char *digest)
{
    char digits[DEPLOYED_DIGITS_SIZE];
    if (!cut_digits(digest, digits))
        return NULL;
    for (size_t i = 0; i < deployed->len; i++)
        if (text_equal(deployed->items[i].digest, digits))
            return &deployed->items[i];
    return NULL;
}

const char *deployed_commit(const struct deployed *deployed, const char *digest)
{
    const struct deployed_entry *entry = deployed_find(deployed, digest);
    return entry ? entry->commit : "";
}
