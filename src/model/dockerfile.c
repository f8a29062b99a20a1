/* From instructions to stages and arguments. */
#include "model/dockerfile.h"

#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile_environment.h"
#include "model/dockerfile_lines.h"
#include "model/dockerfile_words.h"

struct parser {
    struct dockerfile *dockerfile;   /* borrowed */
    const struct strvec *build_args; /* borrowed */
    struct environment globals;
};

static const char *const known[] = {"add",     "arg",    "cmd",        "copy",  "entrypoint",
                                    "env",     "expose", "from",       "label", "healthcheck",
                                    "onbuild", "run",    "maintainer", "shell", "stopsignal",
                                    "user",    "volume", "workdir",    NULL};

static bool is_known(const char *name)
{
    for (size_t i = 0; known[i]; i++)
        if (text_equal(name, known[i]))
            return true;
    return false;
}

static void add_argument(struct dockerfile *dockerfile, const char *word)
{
    const char *equals = strchr(word, '=');
    dockerfile->arguments = memory_resize(dockerfile->arguments, dockerfile->argument_count + 1,
                                          sizeof *dockerfile->arguments);
    dockerfile->arguments[dockerfile->argument_count++] = (struct dockerfile_argument){
        .name =
            equals ? memory_copy_bytes(word, (size_t)(equals - word)) : memory_copy_string(word),
        .value = equals ? memory_copy_string(equals + 1) : NULL};
}

/* An ARG before the first FROM: the build argument, else the default, else nothing. */
static int set_global(struct parser *parser, const struct dockerfile_argument *argument,
                      struct error *err)
{
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *unknown = NULL;
    const char *given;
    switch (environment_given(parser->build_args, argument->name, &given)) {
    case DOCKERFILE_SET:
        environment_set(&parser->globals, argument->name, given);
        return 0;
    case DOCKERFILE_UNKNOWN:
        environment_set(&parser->globals, argument->name, NULL);
        return 0;
    case DOCKERFILE_UNSET:
        break;
    }
    if (!argument->value)
        return 0;
    if (dockerfile_expand(argument->value, parser->dockerfile->escape, environment_lookup,
                          &parser->globals, &text, &unknown, err) < 0)
        return -1;
    environment_set(&parser->globals, argument->name, unknown ? NULL : text.buf);
    return 0;
}

static int take_arg(struct parser *parser, const struct dockerfile_instruction *instruction,
                    bool trigger, struct error *err)
{
    struct dockerfile *dockerfile = parser->dockerfile;
    struct strvec words = STRVEC_INIT;
    int rc = 0;
    dockerfile_split_words(instruction->text, dockerfile->escape, &words);
    if (words.len == 0)
        rc = error_set(err, ERROR_INPUT, "ARG needs a name");
    for (size_t i = 0; rc == 0 && i < words.len; i++) {
        if (words.items[i][0] == '=')
            rc = error_set(err, ERROR_INPUT, "ARG needs a name in front of '='");
        else
            add_argument(dockerfile, words.items[i]);
        if (rc == 0 && dockerfile->stage_count == 0 && !trigger)
            rc = set_global(parser, &dockerfile->arguments[dockerfile->argument_count - 1], err);
    }
    strvec_release(&words);
    return rc;
}

/* "${NAME}", "$NAME", "${NAME:-…}": NAME, on the heap. */
static char *sole_argument(const char *written)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    if (written[0] != '$')
        return NULL;
    bool braces = written[1] == '{';
    const char *name = written + (braces ? 2 : 1);
    size_t len = strspn(name, letters), rest = strlen(name + len);
    if (len == 0)
        return NULL;
    if (!braces)
        return rest == 0 ? memory_copy_bytes(name, len) : NULL;
    bool ends = rest > 0 && strchr(name + len, '}') == name + len + rest - 1;
    bool plain = ends && (rest == 1 || name[len] == '-' || strncmp(name + len, ":-", 2) == 0);
    return plain ? memory_copy_bytes(name, len) : NULL;
}

static bool is_stage_name(const char *name)
{
    static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return name[0] >= 'a' && name[0] <= 'z' && name[strspn(name, more)] == '\0';
}

static int name_stage(struct dockerfile_stage *stage, const struct strvec *words, struct error *err)
{
    if (words->len == 1)
        return 0;
    if (words->len != 3 || !text_equal_ignore_case(words->items[1], "as"))
        return error_set(err, ERROR_INPUT, "FROM takes an image, or an image, AS and a name");
    stage->name = memory_copy_string(words->items[2]);
    for (char *c = stage->name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (!is_stage_name(stage->name))
        return error_set(err, ERROR_INPUT, "'%s' cannot be the name of a stage", words->items[2]);
    return 0;
}

static int find_earlier(const struct dockerfile *dockerfile, const char *image)
{
    for (size_t i = dockerfile->stage_count; i-- > 0;)
        if (dockerfile->stages[i].name && text_equal_ignore_case(dockerfile->stages[i].name, image))
            return (int)i;
    return -1;
}

static int expand_image(struct parser *parser, struct dockerfile_stage *stage, struct error *err)
{
    CLEANUP(strbuf) struct strbuf image = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP_FREE char *unknown = NULL;
    if (dockerfile_expand(stage->written, parser->dockerfile->escape, environment_lookup,
                          &parser->globals, &image, &unknown, err) < 0)
        return -1;
    if (unknown)
        return 0;
    if (image.len == 0 && text_equal(stage->argument, DOCKERFILE_BASE_ARGUMENT))
        return 0;
    if (image.len == 0)
        return error_set(err, ERROR_INPUT,
                         "FROM %s: the image's name is empty; give the ARG a default, or a build "
                         "argument",
                         stage->written);
    stage->base = find_earlier(parser->dockerfile, image.buf);
    stage->image = strbuf_detach(&image);
    return 0;
}

/* `at`: the index of the FROM among the instructions. */
static int take_from(struct parser *parser, size_t at, struct error *err)
{
    struct dockerfile *dockerfile = parser->dockerfile;
    const struct dockerfile_instruction *instruction = &dockerfile->instructions[at];
    struct dockerfile_stage stage = {.line = instruction->line, .base = -1, .first = at + 1};
    struct strvec words = STRVEC_INIT;
    dockerfile_split_plain(instruction->text, &words);
    int rc = words.len > 0 ? name_stage(&stage, &words, err)
                           : error_set(err, ERROR_INPUT, "FROM needs an image");
    if (rc == 0) {
        stage.written = memory_copy_string(words.items[0]);
        stage.argument = sole_argument(stage.written);
        rc = expand_image(parser, &stage, err);
    }
    strvec_release(&words);
    dockerfile->stages =
        memory_resize(dockerfile->stages, dockerfile->stage_count + 1, sizeof *dockerfile->stages);
    dockerfile->stages[dockerfile->stage_count++] = stage; /* released by the caller, good or not */
    return rc;
}

static int check_sources(const struct dockerfile_instruction *instruction, struct error *err)
{
    struct strvec words = STRVEC_INIT;
    if (!instruction->json)
        dockerfile_split_plain(instruction->text, &words);
    size_t count = instruction->json ? instruction->values.len : words.len;
    strvec_release(&words);
    if (count >= 2)
        return 0;
    return error_set(err, ERROR_INPUT, "%s needs a source and a destination",
                     text_equal(instruction->name, "add") ? "ADD" : "COPY");
}

static int take_onbuild(struct parser *parser, const struct dockerfile_instruction *instruction,
                        struct error *err)
{
    struct dockerfile_instruction trigger;
    if (dockerfile_split_line(instruction->text, parser->dockerfile->escape, instruction->line,
                              &trigger, err) < 0)
        return -1;
    int rc = 0;
    if (text_equal(trigger.name, "onbuild") || text_equal(trigger.name, "from") || !*trigger.name)
        rc = error_set(err, ERROR_INPUT, "ONBUILD cannot be followed by '%s'", trigger.name);
    else if (text_equal(trigger.name, "arg"))
        rc = take_arg(parser, &trigger, true, err);
    else if (text_equal(trigger.name, "copy") || text_equal(trigger.name, "add"))
        rc = check_sources(&trigger, err);
    dockerfile_instruction_release(&trigger);
    return rc;
}

static int take_instruction(struct parser *parser, size_t at, struct error *err)
{
    struct dockerfile *dockerfile = parser->dockerfile;
    const struct dockerfile_instruction *instruction = &dockerfile->instructions[at];
    const char *name = instruction->name;
    if (text_equal(name, "from"))
        return take_from(parser, at, err);
    if (!is_known(name) && !dockerfile->syntax)
        return error_set(err, ERROR_INPUT, "unknown instruction '%s'", name);
    if (dockerfile->stage_count == 0 && !text_equal(name, "arg"))
        return error_set(err, ERROR_INPUT, "'%s' stands before the first FROM", name);
    if (dockerfile->stage_count > 0)
        dockerfile->stages[dockerfile->stage_count - 1].count++;
    if (text_equal(name, "arg"))
        return take_arg(parser, instruction, false, err);
    if (text_equal(name, "copy") || text_equal(name, "add"))
        return check_sources(instruction, err);
    if (text_equal(name, "onbuild"))
        return take_onbuild(parser, instruction, err);
    return 0;
}

static int parse(struct parser *parser, const char *text, size_t len, struct error *err)
{
    struct dockerfile *dockerfile = parser->dockerfile;
    if (dockerfile_lines(dockerfile, text, len, err) < 0)
        return -1;
    for (size_t i = 0; i < dockerfile->instruction_count; i++)
        if (take_instruction(parser, i, err) < 0)
            return error_wrap(err, "%s:%d", dockerfile->name, dockerfile->instructions[i].line);
    if (dockerfile->stage_count == 0)
        return error_set(err, ERROR_INPUT, "%s: there is no FROM in it", dockerfile->name);
    return 0;
}

int dockerfile_parse(const char *text, size_t len, const struct dockerfile_options *options,
                     struct dockerfile *ret_dockerfile, struct error *err)
{
    struct error local = ERROR_INIT;
    struct parser parser = {.dockerfile = ret_dockerfile,
                            .build_args = options->build_args,
                            .globals = ENVIRONMENT_INIT};
    *ret_dockerfile = (struct dockerfile){
        .name = memory_copy_string(options->name), .globals = STRVEC_INIT, .given = STRVEC_INIT};
    for (size_t i = 0; options->build_args && i < options->build_args->len; i++)
        strvec_push(&ret_dockerfile->given, options->build_args->items[i]);
    environment_add_platform(&parser.globals, options->platform, options->build_args);
    int rc = parse(&parser, text, len, &local);
    const char *frontend;
    if (environment_given(options->build_args, "BUILDKIT_SYNTAX", &frontend) == DOCKERFILE_SET &&
        *frontend) {
        free(ret_dockerfile->syntax);
        ret_dockerfile->syntax = memory_copy_string(frontend);
        ret_dockerfile->foreign = !dockerfile_is_our_syntax(frontend);
    }
    ret_dockerfile->globals = parser.globals.variables; /* taken over */
    if (rc == 0 || ret_dockerfile->foreign)
        return 0;
    if (err)
        *err = local;
    return -1;
}

void dockerfile_release(struct dockerfile *dockerfile)
{
    for (size_t i = 0; i < dockerfile->instruction_count; i++)
        dockerfile_instruction_release(&dockerfile->instructions[i]);
    for (size_t i = 0; i < dockerfile->stage_count; i++) {
        struct dockerfile_stage *stage = &dockerfile->stages[i];
        free(stage->name);
        free(stage->written);
        free(stage->image);
        free(stage->argument);
    }
    for (size_t i = 0; i < dockerfile->argument_count; i++) {
        free(dockerfile->arguments[i].name);
        free(dockerfile->arguments[i].value);
    }
    free(dockerfile->instructions);
    free(dockerfile->stages);
    free(dockerfile->arguments);
    free(dockerfile->name);
    free(dockerfile->syntax);
    strvec_release(&dockerfile->globals);
    strvec_release(&dockerfile->given);
    *dockerfile = (struct dockerfile)DOCKERFILE_INIT;
}

bool dockerfile_declares(const struct dockerfile *dockerfile, const char *argument)
{
    for (size_t i = 0; i < dockerfile->argument_count; i++)
        if (text_equal(dockerfile->arguments[i].name, argument))
            return true;
    return false;
}
