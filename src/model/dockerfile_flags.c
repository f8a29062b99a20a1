/* Flags, and the split of one line into instruction, flags and arguments. */
#include "model/dockerfile_flags.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile_lines.h"
#include "model/dockerfile_words.h"
#include "model/glob.h"

/* Bytes, not characters: BuildKit looks at the flags byte by byte, as if they were Latin-1. */
static bool is_space(char c)
{
    return glob_is_space((unsigned char)c);
}

/* One flag without quotes and escapes; gives what is behind it. */
static const char *take_flag(const char *at, char escape, struct strbuf *ret_flag)
{
    char quote = '\0';
    strbuf_reset(ret_flag);
    for (; *at && (quote || !is_space(*at)); at++) {
        if (quote ? *at == quote : (*at == '\'' || *at == '"')) {
            quote = quote ? '\0' : *at;
        } else if (*at != escape) {
            strbuf_addch(ret_flag, *at);
        } else if (at[1]) {
            strbuf_addch(ret_flag, *++at);
        }
    }
    return at;
}

const char *dockerfile_take_flags(const char *text, char escape, struct strvec *ret_flags)
{
    struct strbuf flag = STRBUF_INIT(STRBUF_NO_CAP);
    for (;;) {
        while (*text && is_space(*text))
            text++;
        if (text[0] != '-' || text[1] != '-')
            break;
        text = take_flag(text, escape, &flag);
        if (strcmp(flag.buf, "--") == 0)
            break;
        strvec_push(ret_flags, flag.buf);
    }
    strbuf_release(&flag);
    return text;
}

const char *dockerfile_flag_value(const char *flag, const char *name)
{
    if (!text_starts_with(flag, name))
        return NULL;
    flag += strlen(name);
    return *flag == '=' ? flag + 1 : *flag == '\0' ? flag : NULL;
}

const char *dockerfile_flag(const struct dockerfile_instruction *instruction, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < instruction->flags.len; i++) {
        const char *value = dockerfile_flag_value(instruction->flags.items[i], name);
        found = value ? value : found;
    }
    return found;
}

static char *copy_lower(const char *text, size_t len)
{
    char *copy = memory_copy_bytes(text, len);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static char **mount_field(struct dockerfile_mount *mount, const char *name)
{
    if (text_equal(name, "type"))
        return &mount->type;
    if (text_equal(name, "from"))
        return &mount->from;
    if (text_equal(name, "source") || text_equal(name, "src"))
        return &mount->source;
    return NULL;
}

void dockerfile_read_mount(const char *value, struct dockerfile_mount *ret_mount)
{
    struct dockerfile_mount mount = {.type = memory_copy_string("bind"),
                                     .from = memory_copy_string(""),
                                     .source = memory_copy_string(""),
                                     .unsure = strpbrk(value, "\"$") || !is_ascii(value)};
    while (*value) {
        size_t len = strcspn(value, ","), name_len = strcspn(value, ",=");
        char *name = copy_lower(value, name_len);
        char **field = name_len < len ? mount_field(&mount, name) : NULL;
        if (field) {
            free(*field);
            *field = memory_copy_bytes(value + name_len + 1, len - name_len - 1);
        }
        free(name);
        value += len + (value[len] == ',' ? 1 : 0);
    }
    for (char *c = mount.type; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    *ret_mount = mount;
}

void dockerfile_mount_release(struct dockerfile_mount *mount)
{
    free(mount->type);
    free(mount->from);
    free(mount->source);
    *mount = (struct dockerfile_mount){.type = NULL};
}

/* These take a JSON array, if it is one. */
static bool may_be_json(const char *name)
{
    static const char *const names[] = {"add", "copy",  "cmd",    "entrypoint",
                                        "run", "shell", "volume", NULL};
    for (size_t i = 0; names[i]; i++)
        if (text_equal(name, names[i]))
            return true;
    return false;
}

int dockerfile_split_line(const char *text, char escape, int line,
                          struct dockerfile_instruction *ret_instruction, struct error *err)
{
    size_t len = strlen(text);
    glob_trim(&text, &len);
    char *copy = memory_copy_bytes(text, len);
    size_t name_len = strcspn(copy, "\t\v\f\r ");
    struct dockerfile_instruction instruction = {.line = line,
                                                 .name = copy_lower(copy, name_len),
                                                 .flags = STRVEC_INIT,
                                                 .values = STRVEC_INIT};
    const char *rest = dockerfile_take_flags(copy + name_len, escape, &instruction.flags);
    size_t rest_len = strlen(rest);
    glob_trim(&rest, &rest_len);
    instruction.text = memory_copy_bytes(rest, rest_len);
    free(copy);
    bool mixed = false;
    if (may_be_json(instruction.name))
        instruction.json = dockerfile_json_strings(instruction.text, &instruction.values, &mixed);
    if (mixed) {
        dockerfile_instruction_release(&instruction);
        return error_set(err, ERROR_INPUT, "the JSON array must hold nothing but strings");
    }
    *ret_instruction = instruction;
    return 0;
}

void dockerfile_instruction_release(struct dockerfile_instruction *instruction)
{
    free(instruction->name);
    free(instruction->text);
    strvec_release(&instruction->flags);
    strvec_release(&instruction->values);
    *instruction = (struct dockerfile_instruction){.name = NULL};
}
