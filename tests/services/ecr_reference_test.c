#include <check.h>
#include <stdlib.h>

#include "services/ecr.h"

Suite *ecr_reference_suite(void);

#define REGISTRY "123456789012.dkr.ecr.us-east-1.amazonaws.com"
#define DIGEST   "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *registry, *region, *repository, *tag, *digest;
} good[] = {
    {REGISTRY "/hello", REGISTRY, "us-east-1", "hello", "", ""},
    {REGISTRY "/hello:v1", REGISTRY, "us-east-1", "hello", "v1", ""},
    {REGISTRY "/hello@" DIGEST, REGISTRY, "us-east-1", "hello", "", DIGEST},
    {REGISTRY "/a/b-c_d.e/f:V_1.0-x@" DIGEST, REGISTRY, "us-east-1", "a/b-c_d.e/f", "V_1.0-x",
     DIGEST},
    {REGISTRY "/a__b--c", REGISTRY, "us-east-1", "a__b--c", "", ""},
    {"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/x1",
     "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "x1", "", ""},
    {"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/hello",
     "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "hello", "", ""},
    {"123456789012.dkr-ecr.eu-west-1.on.aws/hello:1", "123456789012.dkr-ecr.eu-west-1.on.aws",
     "eu-west-1", "hello", "1", ""},
};

START_TEST(takes_apart)
{
    struct ecr_reference reference;
    ck_assert_msg(ecr_parse_reference(good[_i].text, &reference), "%s", good[_i].text);
    ck_assert_str_eq(reference.registry, good[_i].registry);
    ck_assert_str_eq(reference.account, "123456789012");
    ck_assert_str_eq(reference.region, good[_i].region);
    ck_assert_str_eq(reference.repository, good[_i].repository);
    ck_assert_str_eq(reference.tag, good[_i].tag);
    ck_assert_str_eq(reference.digest, good[_i].digest);
}
END_TEST

static const char *const bad[] = {
    NULL,
    "",
    "hello",
    "lambda-python-deps",
    "team/hello:v1",
    REGISTRY,
    REGISTRY "/",
    REGISTRY "/a",
    REGISTRY "/Hello",
    REGISTRY "//hello",
    REGISTRY "/hello/",
    REGISTRY "/hello-",
    REGISTRY "/-hello",
    REGISTRY "/he-/llo",
    REGISTRY "/he/-llo",
    REGISTRY "/hello:",
    REGISTRY "/hello:-x",
    REGISTRY "/hello:a b",
    REGISTRY "/hello:a:b",
    REGISTRY "/hello@",
    REGISTRY "/hello@sha256:0",
    REGISTRY "/hello@" DIGEST "0",
    REGISTRY "/hello@sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    REGISTRY "/hello@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    REGISTRY "/hello@" DIGEST ":tag",
    "https://" REGISTRY "/hello",
    "12345678901.dkr.ecr.us-east-1.amazonaws.com/hello",
    "1234567890123.dkr.ecr.us-east-1.amazonaws.com/hello",
    "12345678901x.dkr.ecr.us-east-1.amazonaws.com/hello",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/hello",
    "123456789012.dkr.ecr.us-east-1.evil.example/hello",
    "123456789012.dkr.ecr..amazonaws.com/hello",
    "123456789012.dkr.ecr.us-east-1/hello",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com/hello",
    "123456789012.dkr.ecr.a-region-with-a-very-very-long-name-1.amazonaws.com/hello",
    "123456789012.ecr.us-east-1.amazonaws.com/hello",
    "public.ecr.aws/lambda/python:3.12",
    "docker.io/library/python:3.12",
};

START_TEST(refuses)
{
    struct ecr_reference reference = {.registry = "as before"};
    ck_assert_msg(!ecr_parse_reference(bad[_i], &reference), "%s", bad[_i]);
    ck_assert_str_eq(reference.registry, "as before");
}
END_TEST

START_TEST(knows_lengths)
{
    static char text[1000];
    struct ecr_reference reference;
    snprintf(text, sizeof text, REGISTRY "/%0256d", 0);
    ck_assert(ecr_parse_reference(text, &reference));
    snprintf(text, sizeof text, REGISTRY "/%0257d", 0);
    ck_assert(!ecr_parse_reference(text, &reference));
    snprintf(text, sizeof text, REGISTRY "/hello:%0128d", 0);
    ck_assert(ecr_parse_reference(text, &reference));
    snprintf(text, sizeof text, REGISTRY "/hello:%0129d", 0);
    ck_assert(!ecr_parse_reference(text, &reference));
}
END_TEST

Suite *ecr_reference_suite(void)
{
    Suite *suite = suite_create("ecr_reference");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, takes_apart, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, refuses, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, knows_lengths);
    suite_add_tcase(suite, tcase);
    return suite;
}
