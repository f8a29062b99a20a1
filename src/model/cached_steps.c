#include "model/cached_steps.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/strbuf.h"
#include "core/text.h"

#define KEY_LEN 4

/* Where "3/7]" begins in "[build 3/7] RUN make", or NULL: not an instruction of a Dockerfile. */
static const char *find_number(const char *name)
{
    const char *end = *name == '[' ? strchr(name, ']') : NULL;
    if (!end || end[1] != ' ')
        return NULL;
    const char *at = end;
    while (at > name + 1 && (isdigit((unsigned char)at[-1]) || at[-1] == '/'))
        at--;
    return memchr(at, '/', (size_t)(end - at)) ? at : NULL;
}

int cached_steps_number(const char *name)
{
    const char *number = find_number(name);
    return number ? (int)strtol(number, NULL, 10) : 0;
}

/* False: not a step that is remembered. */
static bool key_of(const char *name, char ret_key[KEY_LEN + 1])
{
    const char *number = find_number(name);
    if (!number)
        return false;
    const char *instruction = strchr(number, ']') + 2;
    if (text_starts_with(instruction, "FROM "))
        return false;
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    char hex[SHA256_HEX];
    strbuf_add(&text, name, (size_t)(number - name));
    strbuf_addstr(&text, instruction);
    crypto_sha256_hex(text.buf, text.len, hex);
    snprintf(ret_key, KEY_LEN + 1, "%.*s", KEY_LEN, hex);
    return true;
}

void cached_steps_format(const struct build_step_result *steps, size_t count,
                         char ret_text[CACHED_STEPS_SIZE])
{
    char key[KEY_LEN + 1];
    size_t len = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < count && len + KEY_LEN < CACHED_STEPS_SIZE; i++)
        if (steps[i].cached && key_of(steps[i].name, key)) {
            memcpy(ret_text + len, key, sizeof key);
            len += KEY_LEN;
        }
    if (len == 0)
        snprintf(ret_text, CACHED_STEPS_SIZE, "-");
}

static bool holds(const char *text, const char *key)
{
    size_t len = strlen(text);
    for (size_t at = 0; at + KEY_LEN <= len; at += KEY_LEN)
        if (strncmp(text + at, key, KEY_LEN) == 0)
            return true;
    return false;
}

const struct build_step_result *
cached_steps_lost(const char *text, const struct build_step_result *steps, size_t count)
{
    char key[KEY_LEN + 1];
    for (size_t i = 0; text && i < count; i++)
        if (!steps[i].cached && key_of(steps[i].name, key) && holds(text, key))
            return &steps[i];
    return NULL;
}
