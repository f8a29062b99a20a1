/* The key of an image, and the digests of its parts. */
#include "model/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/text.h"

#define FORMAT   "lambda-fastdeploy identity 1\n"
#define NAMES    100 /* names below the context's root that get a digest of their own */
#define SHORT    8   /* hex digits of a part's digest */
#define EXPLAINS 5

/* One name below the context's root. Its digest only has to tell people what changed: a sum over
 * its entries, in whatever order they come. */
struct top {
    char *name; /* owned */
    bool folder;
    uint64_t sum;
};

struct identity_builder {
    struct sha256 *key, *context; /* owned */
    struct strbuf parts;
    struct strbuf record;
    struct top tops[NAMES];
    size_t top_count, last_top;
    uint64_t more;
    bool has_more;
};

struct identity_builder *identity_new(void)
{
    struct identity_builder *builder = memory_new(sizeof *builder);
    builder->key = sha256_new();
    builder->context = sha256_new();
    strbuf_init(&builder->parts, STRBUF_NO_CAP);
    strbuf_init(&builder->record, STRBUF_NO_CAP);
    sha256_add(builder->key, FORMAT, strlen(FORMAT));
    return builder;
}

void identity_free(struct identity_builder *builder)
{
    if (!builder)
        return;
    sha256_free(builder->key);
    sha256_free(builder->context);
    strbuf_release(&builder->parts);
    strbuf_release(&builder->record);
    for (size_t i = 0; i < builder->top_count; i++)
        free(builder->tops[i].name);
    free(builder);
}

static void add_number(struct strbuf *out, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        strbuf_addch(out, (char)(number >> shift & 0xFF));
}

/* FNV-1a, 64 bits. */
static uint64_t quick_sum(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t sum = 0xCBF29CE484222325u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 0x100000001B3u;
    return sum;
}

/* A name that can stand in front of '=' in a list of words. */
static void add_name(struct strbuf *out, const char *name, size_t len)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+@";
    for (size_t i = 0; i < len; i++)
        if (strchr(plain, name[i]))
            strbuf_addch(out, name[i]);
        else
            strbuf_addf(out, "%%%02X", (unsigned char)name[i]);
}

/* Hundreds of build arguments would leave no room for the paths: they go together into "more". */
static void add_part(struct identity_builder *builder, const char *name, const void *bytes,
                     size_t len)
{
    char hex[SHA256_HEX];
    if (builder->parts.len + strlen(name) > IDENTITY_PARTS_SIZE / 2) {
        builder->more += quick_sum(bytes, len);
        builder->has_more = true;
        return;
    }
    crypto_sha256_hex(bytes, len, hex);
    strbuf_addf(&builder->parts, " %s=%.*s", name, SHORT, hex);
}

static const char *const part_names[] = {
    [IDENTITY_DOCKERFILE] = "file",
    [IDENTITY_ARGUMENT] = "arg.",
    [IDENTITY_TARGET] = "target",
    [IDENTITY_PLATFORM] = "platform",
    [IDENTITY_COMPRESSION] = "compression",
    [IDENTITY_CHECK] = "check",
    [IDENTITY_BASE] = "base",
    [IDENTITY_PERIOD] = "period",
    [IDENTITY_CONTEXT] = "context",
};

void identity_add(struct identity_builder *builder, enum identity_part part, const void *bytes,
                  size_t len)
{
    CLEANUP(strbuf) struct strbuf head = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_addch(&head, (char)('A' + part));
    add_number(&head, len);
    sha256_add(builder->key, head.buf, head.len);
    sha256_add(builder->key, bytes, len);
    strbuf_reset(&head);
    strbuf_addstr(&head, part_names[part]);
    if (part == IDENTITY_ARGUMENT)
        add_name(&head, bytes, strcspn(bytes, "="));
    add_part(builder, head.buf, bytes, len);
}

void identity_add_text(struct identity_builder *builder, enum identity_part part, const char *text)
{
    if (text)
        identity_add(builder, part, text, strlen(text));
}

static bool is_top(const struct top *top, const char *name, size_t len)
{
    return strncmp(top->name, name, len) == 0 && top->name[len] == '\0';
}

static struct top *find_top(struct identity_builder *builder, const char *name, size_t len)
{
    if (builder->last_top < builder->top_count &&
        is_top(&builder->tops[builder->last_top], name, len))
        return &builder->tops[builder->last_top];
    for (size_t i = 0; i < builder->top_count; i++)
        if (is_top(&builder->tops[i], name, len)) {
            builder->last_top = i;
            return &builder->tops[i];
        }
    if (builder->top_count == NAMES)
        return NULL;
    struct top *top = &builder->tops[builder->top_count++];
    top->name = memory_copy_bytes(name, len);
    return top;
}

void identity_add_entry(struct identity_builder *builder, const struct identity_entry *entry)
{
    struct strbuf *record = &builder->record;
    size_t path_len = strlen(entry->path), top_len = strcspn(entry->path, "/");
    unsigned mode = entry->type == IDENTITY_LINK ? 0 : entry->mode & 07777u;
    strbuf_reset(record);
    strbuf_addch(record, (char)entry->type);
    add_number(record, mode);
    add_number(record, path_len);
    strbuf_add(record, entry->path, path_len);
    add_number(record, entry->detail_len);
    strbuf_add(record, entry->detail, entry->detail_len);
    sha256_add(builder->context, record->buf, record->len);

    uint64_t sum = quick_sum(record->buf, record->len);
    struct top *top = find_top(builder, entry->path, top_len);
    if (top) {
        top->folder = top->folder || top_len < path_len || entry->type == IDENTITY_FOLDER;
        top->sum += sum;
    } else {
        builder->more += sum;
        builder->has_more = true;
    }
}

static void add_sum(struct strbuf *parts, const char *name, uint64_t sum)
{
    strbuf_addf(parts, " %s=%08x", name, (unsigned)((sum ^ sum >> 32) & 0xFFFFFFFFu));
}

/* As many names as fit, then the rest as one. */
static void add_tops(struct identity_builder *builder)
{
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    const size_t rest = strlen(" more=") + SHORT;
    for (size_t i = 0; i < builder->top_count; i++) {
        const struct top *top = &builder->tops[i];
        strbuf_reset(&name);
        strbuf_addstr(&name, "path.");
        add_name(&name, top->name, strlen(top->name));
        strbuf_addstr(&name, top->folder ? "/" : "");
        if (builder->parts.len + name.len + SHORT + 2 + rest < IDENTITY_PARTS_SIZE) {
            add_sum(&builder->parts, name.buf, top->sum);
        } else {
            builder->more += top->sum;
            builder->has_more = true;
        }
    }
    if (builder->has_more)
        add_sum(&builder->parts, "more", builder->more);
}

void identity_finish(struct identity_builder *builder, char ret_hex[IDENTITY_HEX],
                     struct strbuf *ret_parts)
{
    unsigned char hash[SHA256_BYTES];
    sha256_finish(builder->context, hash);
    identity_add(builder, IDENTITY_CONTEXT, hash, sizeof hash);
    sha256_finish(builder->key, hash);
    crypto_hex(hash, sizeof hash, ret_hex);
    strbuf_reset(ret_parts);
    strbuf_addch(ret_parts, '1');
    add_tops(builder);
    strbuf_addsb(ret_parts, &builder->parts);
}

/* One word of the parts: where its name ends and its digest begins. */
struct word {
    const char *name, *digest;
    size_t name_len, digest_len;
};

static bool next_word(const char **at, struct word *ret_word)
{
    const char *text = *at + strspn(*at, " ");
    size_t len = strcspn(text, " "), name_len = strcspn(text, "= ");
    *at = text + len;
    if (len == 0 || name_len >= len)
        return false;
    *ret_word = (struct word){.name = text,
                              .digest = text + name_len + 1,
                              .name_len = name_len,
                              .digest_len = len - name_len - 1};
    return true;
}

/* The same word with the same digest in other parts. */
static bool has_word(const char *parts, const struct word *wanted, bool *ret_named)
{
    struct word word;
    *ret_named = false;
    parts += strcspn(parts, " ");
    while (next_word(&parts, &word)) {
        if (word.name_len != wanted->name_len ||
            strncmp(word.name, wanted->name, word.name_len) != 0)
            continue;
        *ret_named = true;
        return word.digest_len == wanted->digest_len &&
               strncmp(word.digest, wanted->digest, word.digest_len) == 0;
    }
    return false;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_decoded(struct strbuf *out, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool encoded = name[i] == '%' && i + 2 < len && hex_value(name[i + 1]) >= 0 &&
                       hex_value(name[i + 2]) >= 0;
        strbuf_addch(out, encoded ? (char)(hex_value(name[i + 1]) * 16 + hex_value(name[i + 2]))
                                  : name[i]);
        i += encoded ? 2 : 0;
    }
}

static const struct {
    const char *name, *words;
} explanations[] = {
    {"target", "the target"},
    {"platform", "the platform"},
    {"compression", "the compression"},
    {"check", "the check"},
    {"base", "the base image"},
    {"period", "the period of the maximum age"},
    {"more", "other files"},
};

/* In a person's words; false: nothing to say of it by itself. */
static bool describe(const struct word *word, const char *file, struct strbuf *out)
{
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(STRBUF_NO_CAP);
    strbuf_add(&name, word->name, word->name_len);
    if (text_equal(name.buf, "file")) {
        strbuf_addstr(out, file);
    } else if (text_starts_with(name.buf, "arg.")) {
        strbuf_addstr(out, "the build argument ");
        add_decoded(out, name.buf + 4, name.len - 4);
    } else if (text_starts_with(name.buf, "path.")) {
        add_decoded(out, name.buf + 5, name.len - 5);
    } else {
        for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++)
            if (text_equal(name.buf, explanations[i].name)) {
                strbuf_addstr(out, explanations[i].words);
                return true;
            }
        return false; /* "context": its paths say it better */
    }
    return true;
}

/* Describe the words of `parts` that `others` has not (or, with `only_missing`, not even by
 * name). */
static void add_differences(const char *parts, const char *others, bool only_missing,
                            const char *file, struct strvec *differences)
{
    struct word word;
    parts += strcspn(parts, " ");
    while (next_word(&parts, &word)) {
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
        bool named, same = has_word(others, &word, &named);
        if (!same && !(only_missing && named) && describe(&word, file, &text))
            strvec_push(differences, text.buf);
    }
}

static void join(const struct strvec *differences, struct strbuf *out)
{
    size_t shown = differences->len <= EXPLAINS ? differences->len : EXPLAINS;
    for (size_t i = 0; i < shown; i++) {
        bool last = i + 1 == differences->len;
        strbuf_addf(out, "%s%s", i == 0 ? "" : last ? " and " : ", ", differences->items[i]);
    }
    if (shown < differences->len)
        strbuf_addf(out, " and %zu more", differences->len - shown);
    if (shown > 0)
        strbuf_addstr(out, " changed");
}

void identity_explain(const char *old_parts, const char *new_parts, const char *file,
                      struct strbuf *ret_text)
{
    struct strvec differences = STRVEC_INIT;
    strbuf_reset(ret_text);
    if (!old_parts || !text_starts_with(old_parts, "1 "))
        return;
    add_differences(new_parts, old_parts, false, file, &differences);
    add_differences(old_parts, new_parts, true, file, &differences);
    join(&differences, ret_text);
    strvec_release(&differences);
}

/* BuildKit acts on these without an ARG. Proxies are not among them: they change nothing that is
 * kept. */
static bool is_heard(const char *key)
{
    static const char *const keys[] = {
        "SOURCE_DATE_EPOCH", "TARGETPLATFORM", "TARGETOS",    "TARGETOSVERSION",
        "TARGETARCH",        "TARGETVARIANT",  "TARGETSTAGE", "BUILDPLATFORM",
        "BUILDOS",           "BUILDOSVERSION", "BUILDARCH",   "BUILDVARIANT",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (text_equal(key, keys[i]))
            return true;
    return text_starts_with(key, "BUILDKIT_");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_repeated_later(const struct strvec *given, size_t index, size_t key_len)
{
    const char *item = given->items[index];
    for (size_t i = index + 1; i < given->len; i++)
        if (strncmp(given->items[i], item, key_len) == 0 &&
            strcspn(given->items[i], "=") == key_len)
            return true;
    return false;
}

void identity_arguments(const struct strvec *given, const struct strvec *declared, bool all,
                        struct strvec *ret_arguments)
{
    for (size_t i = 0; given && i < given->len; i++) {
        const char *item = given->items[i];
        size_t key_len = strcspn(item, "=");
        CLEANUP_FREE char *key = memory_copy_bytes(item, key_len);
        bool counts = all || is_heard(key) || strvec_contains(declared, key);
        if (counts && !is_repeated_later(given, i, key_len))
            strvec_push(ret_arguments, item);
    }
    if (ret_arguments->len > 1)
        qsort(ret_arguments->items, ret_arguments->len, sizeof *ret_arguments->items, by_text);
}
