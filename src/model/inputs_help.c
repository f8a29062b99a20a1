/* The text of --help, at most WIDTH columns wide. */
#include <stdio.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/text.h"
#include "model/inputs_parts.h"

#define WIDTH  96
#define INDENT 27 /* of the texts behind the names */

static const char introduction[] =
    "Usage: lambda-fastdeploy [COMMAND] [--input VALUE | --input=VALUE]...\n"
    "\n"
    "Takes one commit of a repository to a verified AWS Lambda function built as a container\n"
    "image. Changes nothing that is as it should be, and puts back what it changed if it fails.\n";

static const char about_inputs[] =
    "\n"
    "Inputs. Each can also be given as the environment variable INPUT_<NAME> (upper case, dashes\n"
    "kept), which is better for secrets; a flag beats it. Empty means: not given.\n";

static const char other_flags[] =
    "\nOther flags\n"
    "  --json                   Print the result of plan and status as JSON.\n"
    "  --help                   Print this text.\n"
    "  --version                Print the version.\n"
    "\n"
    "Exit codes: 0 done, or nothing to do; 1 failed, and the function serves what it served\n"
    "before, unless on-failure: keep kept the new image or the run created the function, which\n"
    "stays; 2 bad input, nothing was tried; 3 failed, a person must look; 130 and 143 cancelled.\n";

/* `text` word by word from column `column` on, each further line indented. */
static void add_wrapped(struct strbuf *out, const char *text, size_t column)
{
    bool first = true;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (!first && column + 1 + len > WIDTH) {
            strbuf_addf(out, "\n%*s", INDENT, "");
            column = INDENT;
            first = true;
        }
        if (!first) {
            strbuf_addch(out, ' ');
            column++;
        }
        strbuf_add(out, text, len);
        column += len;
        first = false;
        text += len + (text[len] == ' ');
    }
    strbuf_addch(out, '\n');
}

static void add_row(struct strbuf *out, const char *name, const char *text)
{
    strbuf_addf(out, "%-*s", INDENT, name);
    add_wrapped(out, text, INDENT);
}

static void add_input(struct strbuf *out, const struct input_spec *spec)
{
    CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(200);
    CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(2000);
    strbuf_addf(&name, "  --%s", spec->name);
    strbuf_addstr(&text, spec->help);
    const char *value = spec->default_words ? spec->default_words : spec->default_text;
    if (spec->required)
        strbuf_addstr(&text, " (required)");
    else if (value)
        strbuf_addf(&text, " (default: %s)", value);
    if (spec->later)
        strbuf_addstr(&text, " (not supported yet)");
    add_row(out, name.buf, text.buf);
}

static void add_commands(struct strbuf *out)
{
    strbuf_addstr(out, "\nCommands\n");
    for (size_t i = 0; i < command_spec_count; i++) {
        CLEANUP(strbuf) struct strbuf name = STRBUF_INIT(100);
        CLEANUP(strbuf) struct strbuf text = STRBUF_INIT(1000);
        strbuf_addf(&name, "  %s", command_specs[i].name);
        strbuf_addf(&text, "%s%s", command_specs[i].help,
                    command_specs[i].later ? " (not supported yet)" : "");
        add_row(out, name.buf, text.buf);
    }
}

void inputs_help(struct strbuf *out)
{
    strbuf_addstr(out, introduction);
    add_commands(out);
    strbuf_addstr(out, about_inputs);
    const char *group = NULL;
    for (size_t i = 0; i < input_spec_count; i++) {
        if (!text_equal(group, input_specs[i].group)) {
            group = input_specs[i].group;
            strbuf_addf(out, "\n%s\n", group);
        }
        add_input(out, &input_specs[i]);
    }
    strbuf_addstr(out, other_flags);
}
