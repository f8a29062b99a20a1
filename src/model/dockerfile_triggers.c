/* ONBUILD: what an image brings to those that start from it. */
#include <string.h>

#include "core/text.h"
#include "model/dockerfile.h"

void dockerfile_triggers(const struct dockerfile *dockerfile, size_t stage,
                         struct strvec *ret_triggers)
{
    const struct dockerfile_stage *of = &dockerfile->stages[stage];
    for (size_t i = 0; i < of->count; i++) {
        const struct dockerfile_instruction *instruction = &dockerfile->instructions[of->first + i];
        if (text_equal(instruction->name, "onbuild"))
            strvec_push(ret_triggers, instruction->text);
    }
}

bool dockerfile_triggers_take(const struct strvec *triggers)
{
    for (size_t i = 0; triggers && i < triggers->len; i++)
        if (text_contains_ignore_case(triggers->items[i], "from"))
            return true;
    return false;
}

static bool starts_with_one_of(const char *text, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (text_starts_with(text, *prefixes))
            return true;
    return false;
}

bool dockerfile_is_without_triggers(const char *image)
{
    static const char *const docker_hub[] = {"docker.io/", "index.docker.io/", NULL};
    static const char *const there[] = {"library/", "amazon/", NULL};
    static const char *const elsewhere[] = {"public.ecr.aws/docker/library/",
                                            "public.ecr.aws/lambda/",
                                            "public.ecr.aws/amazonlinux/",
                                            "public.ecr.aws/sam/",
                                            "gcr.io/distroless/",
                                            "mcr.microsoft.com/",
                                            NULL};
    if (strstr(image, "onbuild"))
        return false;
    if (starts_with_one_of(image, docker_hub))
        image = strchr(image, '/') + 1;
    return !strchr(image, '/') || starts_with_one_of(image, there) ||
           starts_with_one_of(image, elsewhere);
}
