#include "stages/pin.h"

#include "core/cleanup.h"
#include "core/log.h"
#include "stages/context_identity.h"
#include "stages/images.h"

void pin_base_names(struct run *run, struct strvec *ret_names)
{
    strvec_push(ret_names, "base");
    if (!run->facts.base.wanted)
        return;
    const char *repository = run->result.base.repository; /* the survey has set it */
    strvec_pushf(ret_names, "%s:%s", repository, run->facts.base.tag);
    strvec_push(ret_names, repository);
}

int pin_base_triggers(struct run *run, struct strvec *ret_triggers, bool *ret_known,
                      struct error *err)
{
    *ret_known = false;
    if (!run->facts.base.wanted) /* nothing is pinned */
        return 0;
    const struct identity_request request = {.workspace = run->paths.workspace,
                                             .file = run->paths.base_file,
                                             .platform = run_platform(run),
                                             .build_args = &run->inputs->base_build_args};
    CLEANUP(dockerfile) struct dockerfile dockerfile = DOCKERFILE_INIT;
    if (context_dockerfile(&request, &dockerfile, err) < 0)
        return error_wrap(err, "%s", run->inputs->base_file);
    if (dockerfile.foreign || dockerfile.stage_count == 0)
        return 0;
    dockerfile_triggers(&dockerfile, dockerfile.stage_count - 1, ret_triggers);
    *ret_known = true;
    return 0;
}

static int read_dockerfile(struct run *run, struct dockerfile *ret_dockerfile, size_t *ret_target,
                           struct error *err)
{
    const struct identity_request request = {.workspace = run->paths.workspace,
                                             .file = run->paths.file,
                                             .platform = run_platform(run),
                                             .build_args = &run->inputs->build_args};
    if (context_dockerfile(&request, ret_dockerfile, err) < 0)
        return -1;
    return dockerfile_find_target(ret_dockerfile, run->inputs->target, ret_target, err);
}

static void push_given_arguments(const struct run *run, struct strvec *build_args)
{
    for (size_t i = 0; i < run->inputs->build_args.len; i++)
        strvec_push(build_args, run->inputs->build_args.items[i]);
}

int pin_base(struct run *run, const char *base_uri, struct strvec *ret_contexts,
             struct strvec *ret_build_args, struct error *err)
{
    push_given_arguments(run, ret_build_args);
    if (!base_uri[0])
        return 0;

    CLEANUP(dockerfile) struct dockerfile dockerfile = DOCKERFILE_INIT;
    CLEANUP(strvec) struct strvec names = STRVEC_INIT, used = STRVEC_INIT;
    bool by_argument = false;
    size_t target = 0;
    pin_base_names(run, &names);
    if (read_dockerfile(run, &dockerfile, &target, err) < 0)
        return -1;
    if (!dockerfile_uses_base(&dockerfile, target, &names, &by_argument, &used)) {
        log_warning("%s does not use the base image: write FROM base, ARG BASE_IMAGE, or the "
                    "repository's name in it",
                    run->paths.file_name);
        return 0;
    }
    if (by_argument)
        strvec_pushf(ret_build_args, DOCKERFILE_BASE_ARGUMENT "=%s", base_uri);
    for (size_t i = 0; i < used.len; i++)
        strvec_pushf(ret_contexts, "%s=docker-image://%s", used.items[i], base_uri);
    return 0;
}

int pin_stages_without_base(struct run *run, struct strvec *ret_stages,
                            struct strvec *ret_build_args, struct error *err)
{
    CLEANUP(dockerfile) struct dockerfile dockerfile = DOCKERFILE_INIT;
    CLEANUP(strvec) struct strvec names = STRVEC_INIT;
    bool by_argument = false;
    size_t target = 0;
    pin_base_names(run, &names);
    if (read_dockerfile(run, &dockerfile, &target, err) < 0)
        return -1;
    push_given_arguments(run, ret_build_args);
    dockerfile_uses_base(&dockerfile, target, &names, &by_argument, NULL);
    if (by_argument) /* BuildKit refuses a FROM without a name, even of a stage that it does not
                        build */
        strvec_push(ret_build_args, DOCKERFILE_BASE_ARGUMENT "=scratch");
    dockerfile_stages_without_base(&dockerfile, target, &names, ret_stages);
    return 0;
}
