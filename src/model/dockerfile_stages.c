/* Which stages a target needs, and which outside images they come from. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "model/dockerfile.h"
#include "model/dockerfile_environment.h"
#include "model/dockerfile_flags.h"
#include "model/dockerfile_lines.h"

/* As Go reads a number: a sign, and zeros in front, are part of it. */
static bool is_number(const char *text)
{
    text += *text == '+' || *text == '-';
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Is `name` the name or the number of this stage? */
static bool names_stage(const struct dockerfile *dockerfile, size_t stage, const char *name)
{
    if (is_number(name))
        return strtoull(name, NULL, 10) == stage;
    return text_equal_ignore_case(dockerfile->stages[stage].name, name);
}

static bool is_stage(const struct dockerfile *dockerfile, const char *name)
{
    for (size_t i = 0; i < dockerfile->stage_count; i++)
        if (names_stage(dockerfile, i, name))
            return true;
    return false;
}

int dockerfile_find_target(const struct dockerfile *dockerfile, const char *target,
                           size_t *ret_stage, struct error *err)
{
    size_t count = dockerfile->stage_count;
    *ret_stage = count > 0 ? count - 1 : 0;
    if (text_is_empty(target) || dockerfile->foreign)
        return 0;
    for (size_t i = count; i-- > 0;)
        if (names_stage(dockerfile, i, target)) {
            *ret_stage = i;
            return 0;
        }
    struct strbuf names = STRBUF_INIT(200);
    for (size_t i = 0; i < count; i++)
        if (dockerfile->stages[i].name)
            strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", dockerfile->stages[i].name);
    error_set(err, ERROR_INPUT, "%s: there is no stage '%s' in it; its stages: %s",
              dockerfile->name, target, names.len > 0 ? names.buf : "none has a name");
    strbuf_release(&names);
    return -1;
}

/* What an instruction takes from elsewhere, one name after the other. */
typedef void take_name(void *context, const struct dockerfile_instruction *instruction,
                       const char *name);

static void each_source(const struct dockerfile_instruction *instruction, char escape,
                        take_name *take, void *context);

static void each_trigger_source(const struct dockerfile_instruction *instruction, char escape,
                                take_name *take, void *context)
{
    struct dockerfile_instruction trigger;
    if (dockerfile_split_line(instruction->text, escape, instruction->line, &trigger, NULL) < 0)
        return; /* dockerfile_parse has refused it */
    if (!text_equal(trigger.name, "onbuild"))
        each_source(&trigger, escape, take, context);
    dockerfile_instruction_release(&trigger);
}

static void each_source(const struct dockerfile_instruction *instruction, char escape,
                        take_name *take, void *context)
{
    if (text_equal(instruction->name, "copy") || text_equal(instruction->name, "add")) {
        const char *from = dockerfile_flag(instruction, "--from");
        if (from && *from)
            take(context, instruction, from);
    } else if (text_equal(instruction->name, "onbuild")) {
        each_trigger_source(instruction, escape, take, context);
    }
    for (size_t i = 0; i < instruction->flags.len; i++) {
        const char *value = dockerfile_flag_value(instruction->flags.items[i], "--mount");
        struct dockerfile_mount mount;
        if (!value)
            continue;
        dockerfile_read_mount(value, &mount);
        if (*mount.from)
            take(context, instruction, mount.from);
        dockerfile_mount_release(&mount);
    }
}

struct search {
    const struct dockerfile *dockerfile;
    bool *needed;
    bool unsure, changed;
};

static void need(struct search *search, size_t stage)
{
    search->changed = search->changed || !search->needed[stage];
    search->needed[stage] = true;
}

static void need_name(void *context, const struct dockerfile_instruction *instruction,
                      const char *name)
{
    struct search *search = context;
    (void)instruction;
    search->unsure = search->unsure || strchr(name, '$');
    for (size_t i = 0; i < search->dockerfile->stage_count; i++)
        if (names_stage(search->dockerfile, i, name))
            need(search, i);
}

static void need_of_stage(struct search *search, const struct dockerfile_stage *stage)
{
    const struct dockerfile *dockerfile = search->dockerfile;
    if (stage->base >= 0)
        need(search, (size_t)stage->base);
    bool is_base_argument = text_equal(stage->argument, DOCKERFILE_BASE_ARGUMENT);
    search->unsure = search->unsure || (!stage->image && !is_base_argument);
    for (size_t i = 0; i < stage->count; i++)
        each_source(&dockerfile->instructions[stage->first + i], dockerfile->escape, need_name,
                    search);
}

void dockerfile_needed(const struct dockerfile *dockerfile, size_t target, bool *ret_needed)
{
    struct search search = {.dockerfile = dockerfile, .needed = ret_needed, .changed = true};
    for (size_t i = 0; i < dockerfile->stage_count; i++)
        ret_needed[i] = i == target;
    search.unsure = dockerfile->foreign;
    while (search.changed && !search.unsure) {
        search.changed = false;
        for (size_t i = 0; i < dockerfile->stage_count; i++)
            if (ret_needed[i])
                need_of_stage(&search, &dockerfile->stages[i]);
    }
    for (size_t i = 0; search.unsure && i < dockerfile->stage_count; i++)
        ret_needed[i] = true;
}

struct collector {
    const struct dockerfile *dockerfile;
    struct dockerfile_images *images;
    size_t stage;
};

static struct dockerfile_image *add_image(struct dockerfile_images *images)
{
    images->items = memory_resize(images->items, images->len + 1, sizeof *images->items);
    images->items[images->len] = (struct dockerfile_image){.name = NULL};
    return &images->items[images->len++];
}

static void collect_name(void *context, const struct dockerfile_instruction *instruction,
                         const char *name)
{
    struct collector *collector = context;
    if (text_equal_ignore_case(name, "scratch") || is_stage(collector->dockerfile, name))
        return;
    struct dockerfile_image *image = add_image(collector->images);
    image->line = instruction->line;
    image->name = memory_copy_string(name);
    image->stage = collector->stage;
    image->known = !strchr(name, '$');
}

static void collect_stage(struct collector *collector, const struct dockerfile_stage *stage)
{
    const struct dockerfile *dockerfile = collector->dockerfile;
    bool was_read = stage->written != NULL; /* else only another frontend can */
    if (was_read && stage->base < 0 && !text_equal(stage->image, "scratch")) {
        struct dockerfile_image *image = add_image(collector->images);
        image->line = stage->line;
        image->name = memory_copy_string(stage->image ? stage->image : stage->written);
        image->argument = memory_copy_string(stage->argument);
        image->stage = collector->stage;
        image->known = stage->image != NULL;
    }
    for (size_t i = 0; i < stage->count; i++)
        each_source(&dockerfile->instructions[stage->first + i], dockerfile->escape, collect_name,
                    collector);
}

void dockerfile_images(const struct dockerfile *dockerfile, size_t target,
                       struct dockerfile_images *ret_images)
{
    struct collector collector = {.dockerfile = dockerfile, .images = ret_images};
    bool *needed = memory_new(dockerfile->stage_count + 1);
    dockerfile_needed(dockerfile, target, needed);
    for (size_t i = 0; i < dockerfile->stage_count; i++) {
        collector.stage = i;
        if (needed[i])
            collect_stage(&collector, &dockerfile->stages[i]);
    }
    free(needed);
}

void dockerfile_images_release(struct dockerfile_images *images)
{
    for (size_t i = 0; i < images->len; i++) {
        free(images->items[i].name);
        free(images->items[i].argument);
    }
    free(images->items);
    *images = (struct dockerfile_images)DOCKERFILE_IMAGES_INIT;
}

/* "docker.io/library/python" → "python"; "…@sha256:…" and "…:tag" stay, ":latest" goes. */
static size_t familiar(const char **name)
{
    static const char *const defaults[] = {"docker.io/", "index.docker.io/", "library/"};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (text_starts_with(*name, defaults[i]))
            *name += strlen(defaults[i]);
    size_t len = strlen(*name);
    return text_ends_with(*name, ":latest") && !strchr(*name, '@') ? len - strlen(":latest") : len;
}

bool dockerfile_same_image(const char *a, const char *b)
{
    size_t a_len = familiar(&a), b_len = familiar(&b);
    return a_len == b_len && strncmp(a, b, a_len) == 0;
}

static bool is_base_name(const struct dockerfile *dockerfile, const char *name,
                         const struct strvec *base_names)
{
    for (size_t i = 0; base_names && i < base_names->len; i++)
        if (dockerfile_same_image(name, base_names->items[i]))
            return !is_stage(dockerfile, name);
    return false;
}

static bool argument_is_free(const struct dockerfile *dockerfile)
{
    const char *given;
    return environment_given(&dockerfile->given, DOCKERFILE_BASE_ARGUMENT, &given) ==
           DOCKERFILE_UNSET;
}

bool dockerfile_starts_from_base(const struct dockerfile *dockerfile,
                                 const struct dockerfile_stage *stage,
                                 const struct strvec *base_names)
{
    if (stage->base >= 0)
        return false;
    if (text_equal(stage->argument, DOCKERFILE_BASE_ARGUMENT) && argument_is_free(dockerfile))
        return true;
    return stage->image && is_base_name(dockerfile, stage->image, base_names);
}

bool dockerfile_uses_base(const struct dockerfile *dockerfile, size_t target,
                          const struct strvec *base_names, bool *ret_by_argument,
                          struct strvec *ret_names)
{
    struct dockerfile_images images = DOCKERFILE_IMAGES_INIT;
    const char *given;
    bool free_argument =
        environment_given(&dockerfile->given, DOCKERFILE_BASE_ARGUMENT, &given) == DOCKERFILE_UNSET;
    bool by_argument = false, by_name = false;
    dockerfile_images(dockerfile, target, &images);
    for (size_t i = 0; i < images.len; i++) {
        const struct dockerfile_image *image = &images.items[i];
        if (free_argument && text_equal(image->argument, DOCKERFILE_BASE_ARGUMENT)) {
            by_argument = true;
        } else if (image->known && is_base_name(dockerfile, image->name, base_names)) {
            by_name = true;
            if (ret_names && !strvec_contains(ret_names, image->name))
                strvec_push(ret_names, image->name);
        }
    }
    dockerfile_images_release(&images);
    if (ret_by_argument)
        *ret_by_argument = by_argument;
    return by_argument || by_name;
}

static bool needs_base(const struct dockerfile *dockerfile, size_t stage,
                       const struct strvec *base_names)
{
    return dockerfile_uses_base(dockerfile, stage, base_names, NULL, NULL);
}

/* Does one of the stages in `chosen` need this one to be built? */
static bool is_part_of_another(const struct dockerfile *dockerfile, const bool *chosen,
                               size_t stage)
{
    bool *needed = memory_new(dockerfile->stage_count + 1);
    bool is_part = false;
    for (size_t i = 0; i < dockerfile->stage_count && !is_part; i++) {
        if (!chosen[i] || i == stage)
            continue;
        dockerfile_needed(dockerfile, i, needed);
        is_part = needed[stage];
    }
    free(needed);
    return is_part;
}

void dockerfile_stages_without_base(const struct dockerfile *dockerfile, size_t target,
                                    const struct strvec *base_names, struct strvec *ret_names)
{
    if (dockerfile->foreign || !needs_base(dockerfile, target, base_names))
        return;
    bool *chosen = memory_new(dockerfile->stage_count + 1);
    dockerfile_needed(dockerfile, target, chosen);
    for (size_t i = 0; i < dockerfile->stage_count; i++)
        chosen[i] =
            chosen[i] && dockerfile->stages[i].name && !needs_base(dockerfile, i, base_names);
    for (size_t i = 0; i < dockerfile->stage_count; i++)
        if (chosen[i] && !is_part_of_another(dockerfile, chosen, i))
            strvec_push(ret_names, dockerfile->stages[i].name);
    free(chosen);
}
