/* The lines of a Dockerfile. */
#include "model/dockerfile_lines.h"

#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile_flags.h"
#include "model/dockerfile_words.h"
#include "model/glob.h"

#define LONGEST_LINE 65535
#define HEREDOCS     64 /* in one line */

struct reader {
    const char *at, *end;
    int line;            /* number of the line that was read last */
    bool directives_end; /* no parser directive can come any more */
    bool seen_escape, seen_syntax, seen_check;
    struct dockerfile *dockerfile; /* borrowed */
    struct strbuf current;         /* the line that was read last, with its end */
};

static bool has_more(const struct reader *reader)
{
    return reader->at < reader->end;
}

/* The next line into reader->current. */
static int next_line(struct reader *reader, struct error *err)
{
    const char *feed = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    const char *next = feed ? feed + 1 : reader->end;
    size_t len = (size_t)(next - reader->at);
    reader->line++;
    if (len > LONGEST_LINE + 1)
        return error_set(err, ERROR_INPUT, "the line is longer than 64 KiB");
    if (memchr(reader->at, '\0', len))
        return error_set(err, ERROR_INPUT, "there is a zero byte in the line");
    strbuf_reset(&reader->current);
    strbuf_add(&reader->current, reader->at, len);
    reader->at = next;
    return 0;
}

static void trim_line_end(struct strbuf *line)
{
    size_t len = line->len;
    while (len > 0 && (line->buf[len - 1] == '\n' || line->buf[len - 1] == '\r'))
        len--;
    strbuf_truncate(line, len);
}

static const char *skip_space(const char *text)
{
    size_t bytes;
    while (*text && glob_is_space(glob_decode(text, &bytes)))
        text += bytes;
    return text;
}

static bool is_comment(const char *line)
{
    return *skip_space(line) == '#';
}

/* `name = value`: the name's length and where the value starts; false: it is no directive. */
static bool split_directive(const char *text, size_t *ret_name_len, const char **ret_value)
{
    size_t len = 0;
    while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= 'A' && text[len] <= 'Z') ||
           (len > 0 && text[len] >= '0' && text[len] <= '9'))
        len++;
    const char *at = text + len + strspn(text + len, " \t\n\f\r");
    if (len == 0 || *at != '=')
        return false;
    at++;
    at += strspn(at, " \t\n\f\r");
    *ret_name_len = len;
    *ret_value = at;
    return *at != '\0';
}

static bool is_named(const char *text, size_t len, const char *name)
{
    char lower[16];
    if (len != strlen(name))
        return false;
    memcpy(lower, text, len);
    lower[len] = '\0';
    return text_equal_ignore_case(lower, name);
}

static int repeated(struct error *err, const char *name)
{
    return error_set(err, ERROR_INPUT, "the directive '%s' stands here a second time", name);
}

static int take_directive(struct reader *reader, const char *name, size_t name_len,
                          const char *value, struct error *err)
{
    struct dockerfile *dockerfile = reader->dockerfile;
    size_t value_len = strlen(value);
    while (value_len > 0 && strchr(" \t\n\f\r", value[value_len - 1]))
        value_len--;
    if (is_named(name, name_len, "escape")) {
        if (reader->seen_escape)
            return repeated(err, "escape");
        if (value_len != 1 || (*value != '\\' && *value != '`'))
            return error_set(err, ERROR_INPUT, "the escape character must be \\ or `, not '%.*s'",
                             (int)value_len, value);
        dockerfile->escape = *value;
        reader->seen_escape = true;
    } else if (is_named(name, name_len, "syntax")) {
        if (reader->seen_syntax)
            return repeated(err, "syntax");
        reader->seen_syntax = true; /* read by find_syntax */
    } else if (is_named(name, name_len, "check")) {
        if (reader->seen_check)
            return repeated(err, "check");
        reader->seen_check = true;
    } else {
        reader->directives_end = true;
    }
    return 0;
}

static int look_for_directive(struct reader *reader, const char *line, struct error *err)
{
    size_t name_len;
    const char *value;
    if (reader->directives_end)
        return 0;
    if (line[0] == '#') {
        const char *name = skip_space(line + 1);
        if (split_directive(name, &name_len, &value))
            return take_directive(reader, name, name_len, value, err);
    }
    reader->directives_end = true;
    return 0;
}

/* A line that ends in the escape character (and not in two of them) goes on in the next: cut it
 * off. */
static bool continues(struct strbuf *line, char escape)
{
    size_t len = line->len;
    while (len > 0 && (line->buf[len - 1] == ' ' || line->buf[len - 1] == '\t'))
        len--;
    if (len == 0 || line->buf[len - 1] != escape)
        return false;
    if (len > 1 && line->buf[len - 2] == escape)
        return false;
    strbuf_truncate(line, len - 1);
    return true;
}

/* The first line of an instruction, or nothing if it was a comment or empty. *ret_more: it goes
 * on. */
static int first_line(struct reader *reader, struct strbuf *ret_text, bool *ret_more,
                      struct error *err)
{
    strbuf_reset(ret_text);
    *ret_more = false;
    if (next_line(reader, err) < 0)
        return -1;
    trim_line_end(&reader->current);
    const char *line = skip_space(reader->current.buf);
    if (look_for_directive(reader, line, err) < 0)
        return -1;
    if (*line == '#')
        return 0;
    strbuf_addstr(ret_text, line);
    *ret_more = continues(ret_text, reader->dockerfile->escape);
    return 0;
}

/* The rest of an instruction; comments and empty lines in between are passed over. */
static int further_lines(struct reader *reader, struct strbuf *text, struct error *err)
{
    bool more = true;
    while (more && has_more(reader)) {
        if (next_line(reader, err) < 0)
            return -1;
        trim_line_end(&reader->current);
        if (is_comment(reader->current.buf) || !*skip_space(reader->current.buf))
            continue;
        more = continues(&reader->current, reader->dockerfile->escape);
        strbuf_addsb(text, &reader->current);
    }
    return 0;
}

static int skip_heredoc(struct reader *reader, const struct dockerfile_heredoc *heredoc,
                        struct error *err)
{
    while (has_more(reader)) {
        if (next_line(reader, err) < 0)
            return -1;
        trim_line_end(&reader->current);
        const char *line = reader->current.buf;
        line += heredoc->chomp ? strspn(line, "\t") : 0;
        if (strcmp(line, heredoc->name) == 0)
            return 0;
    }
    return error_set(err, ERROR_INPUT, "no line '%s' ends the heredoc", heredoc->name);
}

static bool can_have_heredoc(const struct dockerfile_instruction *instruction)
{
    return !instruction->json &&
           (text_equal(instruction->name, "run") || text_equal(instruction->name, "copy") ||
            text_equal(instruction->name, "add"));
}

static int skip_heredocs(struct reader *reader, const struct dockerfile_instruction *instruction,
                         const char *line, struct error *err)
{
    struct dockerfile_instruction trigger = {.name = NULL};
    bool onbuild = text_equal(instruction->name, "onbuild");
    if (onbuild && dockerfile_split_line(instruction->text, reader->dockerfile->escape,
                                         instruction->line, &trigger, err) < 0)
        return -1;
    bool wanted = can_have_heredoc(onbuild ? &trigger : instruction);
    dockerfile_instruction_release(&trigger);
    if (!wanted || !strstr(line, "<<"))
        return 0;
    struct dockerfile_heredoc heredocs[HEREDOCS];
    size_t count = dockerfile_find_heredocs(line, heredocs, HEREDOCS);
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        if (rc == 0)
            rc = skip_heredoc(reader, &heredocs[i], err);
        free(heredocs[i].name);
    }
    return rc;
}

static int add_instruction(struct reader *reader, const struct strbuf *text, int line,
                           struct error *err)
{
    struct dockerfile *dockerfile = reader->dockerfile;
    struct dockerfile_instruction instruction;
    if (dockerfile_split_line(text->buf, dockerfile->escape, line, &instruction, err) < 0)
        return -1;
    dockerfile->instructions =
        memory_resize(dockerfile->instructions, dockerfile->instruction_count + 1,
                      sizeof *dockerfile->instructions);
    dockerfile->instructions[dockerfile->instruction_count++] = instruction;
    return skip_heredocs(reader, &instruction, text->buf, err);
}

static int read_instruction(struct reader *reader, struct strbuf *text, struct error *err)
{
    bool more;
    int line = reader->line + 1, rc = first_line(reader, text, &more, err);
    if (rc == 0 && more)
        rc = further_lines(reader, text, err);
    const char *rest = text->buf;
    size_t len = text->len;
    glob_trim(&rest, &len);
    if (rc == 0 && len > 0)
        rc = add_instruction(reader, text, line, err);
    return rc == 0 ? 0 : error_wrap(err, "%s:%d", reader->dockerfile->name, line);
}

bool dockerfile_is_our_syntax(const char *syntax)
{
    static const char *const ours[] = {"docker/dockerfile", "docker/dockerfile-upstream"};
    static const char *const hosts[] = {"docker.io/", "index.docker.io/", "registry-1.docker.io/"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (text_starts_with(syntax, hosts[i]))
            syntax += strlen(hosts[i]);
    size_t len = strcspn(syntax, ":@");
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (len == strlen(ours[i]) && strncmp(syntax, ours[i], len) == 0)
            return true;
    return false;
}

/* `# syntax=` (or `// syntax=`) among the directives at the top, behind a line that starts with
 * `#!`. */
static char *find_syntax_after(const char *mark, const char *text, const char *end)
{
    CLEANUP(strbuf) struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    while (text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t name_len;
        const char *value;
        strbuf_reset(&line);
        strbuf_add(&line, text, (size_t)((feed ? feed : end) - text));
        trim_line_end(&line);
        const char *name =
            text_starts_with(line.buf, mark) ? skip_space(line.buf + strlen(mark)) : "";
        if (!split_directive(name, &name_len, &value))
            return NULL;
        if (is_named(name, name_len, "syntax"))
            return memory_copy_bytes(value, strcspn(value, " \t\r"));
        if (!is_named(name, name_len, "escape") && !is_named(name, name_len, "check"))
            return NULL;
        text = feed ? feed + 1 : end;
    }
    return NULL;
}

static void find_syntax(struct dockerfile *dockerfile, const char *text, const char *end)
{
    if (end - text >= 2 && memcmp(text, "#!", 2) == 0) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        text = feed ? feed + 1 : end;
    }
    dockerfile->syntax = find_syntax_after("#", text, end);
    if (!dockerfile->syntax)
        dockerfile->syntax = find_syntax_after("//", text, end);
    if (dockerfile->syntax)
        dockerfile->foreign = !dockerfile_is_our_syntax(dockerfile->syntax);
}

int dockerfile_lines(struct dockerfile *dockerfile, const char *text, size_t len, struct error *err)
{
    const char *end = text + len;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    dockerfile->escape = '\\';
    find_syntax(dockerfile, text, end);
    struct reader reader = {
        .at = text, .end = end, .dockerfile = dockerfile, .current = STRBUF_INIT(STRBUF_NO_CAP)};
    struct strbuf line = STRBUF_INIT(STRBUF_NO_CAP);
    int rc = 0;
    while (rc == 0 && has_more(&reader))
        rc = read_instruction(&reader, &line, err);
    strbuf_release(&line);
    strbuf_release(&reader.current);
    if (rc == 0 && dockerfile->instruction_count == 0)
        rc = error_set(err, ERROR_INPUT, "%s: there is no instruction in it", dockerfile->name);
    return rc;
}
