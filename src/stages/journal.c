#include "stages/journal.h"

#include "core/cleanup.h"
#include "core/log.h"

static void write_down(const struct run *run, const char *name, const char *value)
{
    struct error err = ERROR_INIT;
    if (github_state(&run->services.github, name, value, &err) < 0)
        log_warning("if this run is killed, nobody will know of %s: %s", name, err.msg);
}

void journal_temp_folder(const struct run *run)
{
    write_down(run, JOURNAL_TEMP_FOLDER, run->temp_folder);
}

void journal_builder(const struct run *run)
{
    write_down(run, JOURNAL_BUILDER, run->services.builder);
}

void journal_code(struct run *run, const char *digest)
{
    const struct lambda_function *before = &run->before;
    run->is_journaled = true;
    write_down(run, JOURNAL_IMAGE_BEFORE, before->resolved_image_uri);
    write_down(run, JOURNAL_DIGEST_BEFORE, before->digest);
    write_down(run, JOURNAL_ARCHITECTURE, before->architecture);
    write_down(run, JOURNAL_DIGEST_OURS, digest);
}

void journal_configuration(struct run *run)
{
    run->is_journaled = true;
    write_down(run, JOURNAL_CONFIGURATION, "changed");
}

void journal_configuration_is_back(const struct run *run)
{
    write_down(run, JOURNAL_CONFIGURATION, "");
}

void journal_alias(struct run *run)
{
    const struct lambda_alias *before = &run->alias_before;
    CLEANUP(strbuf) struct strbuf routing = STRBUF_INIT(STRBUF_NO_CAP);
    run->is_journaled = true;
    if (before->routed)
        json_print(before->routing, &routing);
    write_down(run, JOURNAL_ALIAS_BEFORE, before->version[0] ? before->version : "-");
    write_down(run, JOURNAL_ROUTING_BEFORE, routing.len > 0 ? routing.buf : "");
    write_down(run, JOURNAL_ALIAS_OURS, run->result.function.version);
}

void journal_ended(const struct run *run)
{
    if (run->is_journaled && !run->way_back_broke_off)
        write_down(run, JOURNAL_ENDED, "yes");
}
