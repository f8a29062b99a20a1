#include "model/times.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"

#define TENTH_MS     100
#define ENTRY_BYTES  120
#define LONGEST_MS   (INT64_C(365) * 24 * 3600 * 1000)
#define NUMBER_BYTES 24

/* One number of an entry, up to a slash or the entry's end; *at is moved behind both. */
static int parse_part(const char **at, const char *end, int64_t *ret_ms)
{
    char number[NUMBER_BYTES];
    const char *slash = memchr(*at, '/', (size_t)(end - *at));
    size_t len = (size_t)((slash ? slash : end) - *at);
    if (len >= sizeof number)
        return -1;
    snprintf(number, sizeof number, "%.*s", (int)len, *at);
    if (!text_to_int64(number, 0, LONGEST_MS / TENTH_MS, ret_ms))
        return -1;
    *ret_ms *= TENTH_MS;
    *at = slash ? slash + 1 : end;
    return slash ? 1 : 0;
}

static int parse_entry(const char *text, size_t len, struct times_entry *ret_entry)
{
    const char *at = text, *end = text + len;
    struct times_entry entry;
    for (int part = 0; part < TIMES_PARTS; part++) {
        int more = parse_part(&at, end, &entry.ms[part]);
        if (more != (part + 1 < TIMES_PARTS))
            return -1;
    }
    *ret_entry = entry;
    return 0;
}

void times_parse(const char *value, struct times *ret_times)
{
    ret_times->len = 0;
    for (const char *at = value ? value : ""; *at && ret_times->len < TIMES_MAX_ENTRIES;) {
        at += strspn(at, " ");
        size_t len = strcspn(at, " ");
        if (len > 0 && parse_entry(at, len, &ret_times->items[ret_times->len]) == 0)
            ret_times->len++;
        at += len;
    }
}

static int64_t tenths(int64_t ms)
{
    if (ms <= 0)
        return 0;
    if (ms > LONGEST_MS)
        ms = LONGEST_MS;
    int64_t rounded = (ms + TENTH_MS / 2) / TENTH_MS;
    return rounded > 0 ? rounded : 1;
}

static size_t format_entry(const struct times_entry *entry, const char *separator,
                           char ret_text[ENTRY_BYTES])
{
    int len = snprintf(ret_text, ENTRY_BYTES, "%s", separator);
    for (int part = 0; part < TIMES_PARTS; part++)
        len += snprintf(ret_text + len, (size_t)(ENTRY_BYTES - len), "%s%lld", part > 0 ? "/" : "",
                        (long long)tenths(entry->ms[part]));
    return (size_t)len;
}

void times_format(const struct times *times, char ret_value[TIMES_VALUE_SIZE])
{
    size_t used = 0;
    ret_value[0] = '\0';
    for (size_t i = 0; i < times->len; i++) {
        char entry[ENTRY_BYTES];
        size_t len = format_entry(&times->items[i], used > 0 ? " " : "", entry);
        if (used + len >= TIMES_VALUE_SIZE)
            return;
        memcpy(ret_value + used, entry, len + 1);
        used += len;
    }
}

void times_add(struct times *times, const struct times_entry *entry)
{
    if (times->len == TIMES_MAX_ENTRIES)
        times->len--;
    memmove(times->items + 1, times->items, times->len * sizeof *times->items);
    times->items[0] = *entry;
    times->len++;
}
