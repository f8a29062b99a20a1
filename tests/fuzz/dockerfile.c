/* A Dockerfile: its stages, images and what it reads; behind a NUL the triggers of a base. */
#include "model/dockerfile_reads.h"
#include "tests/fuzz/fuzz.h"

static void look(const struct dockerfile *dockerfile, size_t target, const struct strvec *names,
                 const struct strvec *onbuild)
{
    struct dockerfile_images images = DOCKERFILE_IMAGES_INIT;
    struct dockerfile_reads reads = DOCKERFILE_READS_INIT;
    struct strvec used = STRVEC_INIT;
    struct error err = ERROR_INIT;
    bool by_argument;
    dockerfile_images(dockerfile, target, &images);
    for (size_t i = 0; i < images.len; i++)
        EXPECT(images.items[i].name && images.items[i].stage < dockerfile->stage_count);
    if (dockerfile_reads(dockerfile, target, names, onbuild, &reads, &err) == 0) {
        for (size_t i = 0; i < reads.len; i++) {
            const char *path = reads.items[i].path;
            EXPECT(path[0] != '/' && !text_equal(path, "..") && !text_starts_with(path, "../"));
        }
        EXPECT(!reads.whole || reads.reason[0]);
    } else {
        EXPECT(err.kind == ERROR_INPUT);
    }
    dockerfile_uses_base(dockerfile, target, names, &by_argument, &used);
    dockerfile_reads_release(&reads);
    dockerfile_images_release(&images);
    strvec_release(&used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strvec) struct strvec arguments = STRVEC_INIT;
    CLEANUP(strvec) struct strvec names = STRVEC_INIT;
    CLEANUP(strvec) struct strvec onbuild = STRVEC_INIT;
    struct dockerfile dockerfile = DOCKERFILE_INIT;
    struct error err = ERROR_INIT;
    size_t len = fuzz_split(data, size);
    CLEANUP_FREE char *text = fuzz_text(data, len);
    strvec_push_many(&arguments, "VERSION=3.12", "EMPTY=", (char *)NULL);
    strvec_push_many(&names, "base", "123456789012.dkr.ecr.us-east-1.amazonaws.com/deps:3.12",
                     (char *)NULL);
    if (len < size) {
        CLEANUP_FREE char *triggers = fuzz_text(data + len + 1, size - len - 1);
        strvec_split(&onbuild, triggers, '\n');
    }
    const struct dockerfile_options options = {
        .name = "Dockerfile", .build_args = &arguments, .platform = "linux/arm64"};
    if (dockerfile_parse(text, len, &options, &dockerfile, &err) == 0) {
        size_t target;
        EXPECT(dockerfile.stage_count > 0 || dockerfile.foreign);
        EXPECT(dockerfile_find_target(&dockerfile, NULL, &target, &err) == 0);
        look(&dockerfile, target, &names, &onbuild);
        look(&dockerfile, 0, &names, &onbuild);
    } else {
        EXPECT(err.kind == ERROR_INPUT && text_starts_with(err.msg, "Dockerfile"));
    }
    dockerfile_release(&dockerfile);
    return 0;
}
