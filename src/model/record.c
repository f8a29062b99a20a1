#include "model/record.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/strbuf.h"
#include "core/text.h"

#define KEY_MAX_CHARACTERS 200
#define HASH_DIGITS        16
#define HASH_CHARACTERS    (1 + HASH_DIGITS) /* behind '=' */

static bool is_allowed(unsigned char c)
{
    return isalnum(c) ? c < 0x80 : strchr("+-=._:/@", c) && c != '\0';
}

/* One field of the key: no spaces, only what a tag may hold. */
static void add_field(struct strbuf *key, const char *text)
{
    if (key->len > 0)
        strbuf_addch(key, ' ');
    for (; *text; text++)
        strbuf_addch(key, is_allowed((unsigned char)*text) ? *text : '_');
}

static void make_key(const char *repository, const char *workflow, const char *ref,
                     char ret_key[RECORD_VALUE_SIZE])
{
    CLEANUP(strbuf)
    struct strbuf original = STRBUF_INIT(STRBUF_NO_CAP), key = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&original, "%s %s %s", repository, workflow, ref);
    add_field(&key, repository);
    add_field(&key, workflow);
    add_field(&key, ref);
    if (key.len > KEY_MAX_CHARACTERS || strcmp(key.buf, original.buf) != 0) {
        char hex[SHA256_HEX];
        crypto_sha256_hex(original.buf, original.len, hex);
        if (key.len > KEY_MAX_CHARACTERS)
            strbuf_truncate(&key, KEY_MAX_CHARACTERS);
        strbuf_addf(&key, "=%.*s", HASH_DIGITS, hex);
    }
    snprintf(ret_key, RECORD_VALUE_SIZE, "%s", key.buf);
}

void record_tag_name(const char *tag, const char *alias, char ret_name[RECORD_TAG_NAME_SIZE])
{
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addf(&name, "%s%s%s", tag, alias ? ":" : "", alias ? alias : "");
    if (name.len >= RECORD_TAG_NAME_SIZE) {
        char hex[SHA256_HEX];
        crypto_sha256_hex(name.buf, name.len, hex);
        strbuf_truncate(&name, RECORD_TAG_NAME_SIZE - 1 - HASH_CHARACTERS);
        strbuf_addf(&name, "=%.*s", HASH_DIGITS, hex);
    }
    snprintf(ret_name, RECORD_TAG_NAME_SIZE, "%s", name.buf);
}

struct record_claim record_claim_make(const char *run_number, const char *run_attempt,
                                      const char *repository, const char *workflow, const char *ref)
{
    struct record_claim claim = {.attempt = 1};
    if (!repository || !text_to_int64(run_number, 1, INT64_MAX, &claim.number))
        return (struct record_claim){.number = 0};
    text_to_int64(run_attempt, 1, INT64_MAX, &claim.attempt);
    make_key(repository, workflow ? workflow : "", ref ? ref : "", claim.key);
    return claim;
}

void record_claim_format(const struct record_claim *claim, char ret_value[RECORD_VALUE_SIZE])
{
    snprintf(ret_value, RECORD_VALUE_SIZE, "%lld.%lld %s", (long long)claim->number,
             (long long)claim->attempt, claim->key);
}

bool record_claim_parse(const char *value, struct record_claim *ret_claim)
{
    char number[24], attempt[24];
    int used = 0;
    if (!value || sscanf(value, "%23[0-9].%23[0-9] %n", number, attempt, &used) != 2 || used == 0)
        return false;
    struct record_claim claim = {.number = 0};
    if (!text_to_int64(number, 1, INT64_MAX, &claim.number) ||
        !text_to_int64(attempt, 1, INT64_MAX, &claim.attempt) || !value[used] ||
        strlen(value + used) >= sizeof claim.key)
        return false;
    snprintf(claim.key, sizeof claim.key, "%s", value + used);
    *ret_claim = claim;
    return true;
}

enum record_order record_compare(const struct record_claim *mine, const struct record_claim *theirs)
{
    if (mine->number == 0 || theirs->number == 0 || strcmp(mine->key, theirs->key) != 0)
        return RECORD_UNRELATED;
    if (mine->number == theirs->number)
        return RECORD_SAME;
    return mine->number < theirs->number ? RECORD_OLDER : RECORD_NEWER;
}

static bool parse_entry(const char *text, size_t len, struct record_entry *ret_entry)
{
    const char *slash = memchr(text, '/', len);
    size_t what_len = slash ? (size_t)(slash - text) : len;
    struct record_entry entry = {.run = 0};
    char run[24] = "";
    if (what_len == 0 || what_len >= sizeof entry.what || len - what_len > sizeof run)
        return false;
    memcpy(entry.what, text, what_len);
    if (slash) {
        snprintf(run, sizeof run, "%.*s", (int)(len - what_len - 1), slash + 1);
        if (!text_to_int64(run, 0, INT64_MAX, &entry.run))
            return false;
    }
    *ret_entry = entry;
    return true;
}

void record_list_parse(const char *value, struct record_list *ret_list)
{
    ret_list->len = 0;
    ret_list->shared = false;
    for (const char *at = value ? value : ""; *at && ret_list->len < RECORD_MAX_ENTRIES;) {
        at += strspn(at, " ");
        size_t len = strcspn(at, " ");
        if (len > 0 && parse_entry(at, len, &ret_list->items[ret_list->len]))
            ret_list->len++;
        at += len;
    }
}

static bool is_version(const struct record_entry *entry)
{
    return entry->what[strspn(entry->what, "0123456789")] == '\0';
}

void record_list_keep(struct record_list *list, bool versions)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        if (is_version(&list->items[i]) == versions)
            list->items[kept++] = list->items[i];
    list->len = kept;
}

void record_list_take_over(struct record_list *list, const char *version)
{
    record_list_drop_until(list, version);
    if (list->len > 0 && strcmp(list->items[0].what, version) != 0)
        list->len = 0;
    list->shared = false;
}

void record_list_format(const struct record_list *list, char ret_value[RECORD_VALUE_SIZE])
{
    size_t used = 0;
    ret_value[0] = '\0';
    for (size_t i = 0; i < list->len; i++) {
        char entry[80];
        int len = snprintf(entry, sizeof entry, "%s%s/%lld", used > 0 ? " " : "",
                           list->items[i].what, (long long)list->items[i].run);
        if (used + (size_t)len >= RECORD_VALUE_SIZE)
            return;
        memcpy(ret_value + used, entry, (size_t)len + 1);
        used += (size_t)len;
    }
}

void record_list_add(struct record_list *list, const char *what, int64_t run)
{
    bool is_newest = list->len > 0 && strcmp(list->items[0].what, what) == 0;
    if (!is_newest) {
        if (list->len == RECORD_MAX_ENTRIES)
            list->len--;
        memmove(list->items + 1, list->items, list->len * sizeof *list->items);
        list->len++;
    }
    snprintf(list->items[0].what, sizeof list->items[0].what, "%s", what);
    list->items[0].run = run;
}

const struct record_entry *record_list_before(const struct record_list *list, const char *current)
{
    size_t first = 0;
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->items[i].what, current) == 0) {
            first = i + 1;
            break;
        }
    for (size_t i = first; i < list->len; i++)
        if (strcmp(list->items[i].what, current) != 0)
            return &list->items[i];
    return NULL;
}

void record_rollback_done(int64_t run, char ret_value[RECORD_VALUE_SIZE])
{
    snprintf(ret_value, RECORD_VALUE_SIZE, "done %lld", (long long)run);
}

const struct record_entry *record_list_unfinished(const struct record_list *list, const char *tag,
                                                  int64_t run, const char *current)
{
    char begun[RECORD_VALUE_SIZE], done[RECORD_VALUE_SIZE];
    if (!tag || list->len == 0 || !current[0])
        return NULL;
    record_rollback_done(run, done);
    if (run != 0 && text_equal(tag, done) && text_equal(list->items[0].what, current))
        return &list->items[0];
    snprintf(begun, sizeof begun, "%s %s", list->items[0].what, current);
    for (size_t i = 1; i < list->len && text_equal(tag, begun); i++)
        if (text_equal(list->items[i].what, current))
            return &list->items[i];
    return NULL;
}

void record_list_drop_until(struct record_list *list, const char *what)
{
    size_t i = 0;
    while (i < list->len && strcmp(list->items[i].what, what) != 0)
        i++;
    if (i == list->len)
        return;
    list->len -= i;
    memmove(list->items, list->items + i, list->len * sizeof *list->items);
}
