/*
 * identity.c: prints what the program makes of a Dockerfile and a context, for tests and
 * benchmarks.
 *
 *     identity [--workspace DIR] [--target NAME] [--build-arg KEY=VALUE] [--base-name NAME]
 *              [--base-digest DIGEST] [--platform OS/ARCH] DOCKERFILE CONTEXT
 *
 * One `name value` a line: hex, files, bytes, seen, whole, reason, git, uses-base, parts,
 * resident-kib. Exit 0, or 1 and the error's kind and message on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "stages/context_identity.h"

/* The most memory that this program has had, from the kernel; 0: it does not say. */
static long resident_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (text_starts_with(line, "VmHWM:"))
            kib = strtol(line + strlen("VmHWM:"), NULL, 10);
    if (status)
        fclose(status);
    return kib;
}

static void print(const struct identity *identity)
{
    printf("hex %s\n", identity->hex);
    printf("files %zu\n", identity->file_count);
    printf("bytes %lld\n", (long long)identity->byte_count);
    printf("seen %zu\n", identity->seen_count);
    printf("whole %d\n", identity->whole_context);
    printf("reason %s\n", identity->reason);
    printf("git %s\n", identity->git_path);
    printf("uses-base %d\n", identity->uses_base);
    printf("parts %s\n", identity->parts);
    printf("resident-kib %ld\n", resident_kib());
}

int main(int argc, char **argv)
{
    struct strvec build_args = STRVEC_INIT, base_names = STRVEC_INIT;
    struct identity_request request = {.workspace = "/",
                                       .platform = "linux/amd64",
                                       .compression = "gzip",
                                       .build_args = &build_args,
                                       .base_names = &base_names,
                                       .period = -1};
    const struct {
        const char *flag;
        const char **place;
        struct strvec *list;
    } flags[] = {
        {"--workspace", &request.workspace, NULL}, {"--target", &request.target, NULL},
        {"--platform", &request.platform, NULL},   {"--base-digest", &request.base_digest, NULL},
        {"--build-arg", NULL, &build_args},        {"--base-name", NULL, &base_names},
    };
    int at = 1;
    while (at + 1 < argc && text_starts_with(argv[at], "--")) {
        size_t i = 0;
        while (i < sizeof flags / sizeof *flags && !text_equal(flags[i].flag, argv[at]))
            i++;
        if (i == sizeof flags / sizeof *flags)
            break;
        if (flags[i].place)
            *flags[i].place = argv[at + 1];
        else
            strvec_push(flags[i].list, argv[at + 1]);
        at += 2;
    }
    if (argc - at != 2) {
        fprintf(stderr, "usage: %s [--workspace DIR] [FLAG VALUE]… DOCKERFILE CONTEXT\n", argv[0]);
        return 2;
    }
    request.file = argv[at];
    request.context = argv[at + 1];
    struct identity identity;
    struct error err = ERROR_INIT;
    int rc = context_identity(&request, &identity, &err);
    if (rc == 0)
        print(&identity);
    else
        fprintf(stderr, "%s: %s\n", error_kind_name(err.kind), err.msg);
    strvec_release(&build_args);
    strvec_release(&base_names);
    return rc == 0 ? 0 : 1;
}
