/* What a build is told, and what of that counts for the image's identity. */
#include <check.h>

#include "core/cleanup.h"
#include "stages/build_image.h"
#include "stages/reading.h"
#include "tests/model/support_inputs.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *build_image_suite(void);

static const struct {
    const char *compression, *level; /* the inputs; level NULL: not given */
    bool gzip_instead;
    const char *built;
    int built_level;
    const char *identity;
} compressions[] = {
    {"auto", NULL, false, "gzip", -1, "gzip"},   {"gzip", NULL, false, "gzip", -1, "gzip"},
    {"zstd", NULL, false, "zstd", 3, "zstd"},    {"auto", "9", false, "gzip", 9, "gzip 9"},
    {"gzip", "3", false, "gzip", 3, "gzip 3"},   {"gzip", "0", false, "gzip", 0, "gzip 0"},
    {"zstd", "3", false, "zstd", 3, "zstd"},     {"zstd", "19", false, "zstd", 19, "zstd 19"},
    {"zstd", "19", true, "gzip", -1, "zstd 19"}, /* what was asked for, and Lambda refused */
};

START_TEST(compression_is_as_the_inputs_say)
{
    char compression[40], level[40], buffer[READING_COMPRESSION_SIZE];
    const char *given = compressions[_i].level;
    snprintf(compression, sizeof compression, "--compression=%s", compressions[_i].compression);
    snprintf(level, sizeof level, "--compression-level=%s", given ? given : "");
    CLEANUP(inputs) struct inputs inputs = INPUTS(compression, given ? level : NULL);
    const struct run run = {.inputs = &inputs};
    const struct image_order order = {.gzip_instead = compressions[_i].gzip_instead};
    struct buildx_build build;
    build_image_arguments(&run, &order, &build);
    ck_assert_str_eq(build.compression, compressions[_i].built);
    ck_assert_int_eq(build.compression_level, compressions[_i].built_level);
    ck_assert_str_eq(reading_compression(&run, buffer), compressions[_i].identity);
}
END_TEST

Suite *build_image_suite(void)
{
    Suite *suite = suite_create("build_image");
    TCase *tests = tcase_create("build_image");
    tcase_add_loop_test(tests, compression_is_as_the_inputs_say, 0, COUNT(compressions));
    suite_add_tcase(suite, tests);
    return suite;
}
