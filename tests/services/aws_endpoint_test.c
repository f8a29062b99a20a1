#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "services/aws_operations.h"

Suite *aws_endpoint_suite(void);

static const struct {
    const char *region, *partition, *suffix;
} partitions[] = {
    {"us-east-1", "aws", "amazonaws.com"},
    {"eu-central-1", "aws", "amazonaws.com"},
    {"us-gov-west-1", "aws-us-gov", "amazonaws.com"},
    {"cn-north-1", "aws-cn", "amazonaws.com.cn"},
    {"us-iso-east-1", "aws-iso", "c2s.ic.gov"},
    {"us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"},
    {"eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"},
    {"us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"},
    {"eusc-de-east-1", "aws-eusc", "amazonaws.eu"},
    {"", "aws", "amazonaws.com"},
};

START_TEST(knows_partitions)
{
    ck_assert_str_eq(aws_partition(partitions[_i].region), partitions[_i].partition);
    ck_assert_str_eq(aws_dns_suffix(partitions[_i].region), partitions[_i].suffix);
}
END_TEST

static const struct {
    const char *region;
    const char *environ[4];
    const struct aws_operation *operation;
    const char *url, *complaint; /* one of them */
} endpoints[] = {
    {"us-east-1", {NULL}, &lambda_op_invoke, "https://lambda.us-east-1.amazonaws.com", NULL},
    {"eu-west-1", {NULL}, &ecr_op_put_image, "https://api.ecr.eu-west-1.amazonaws.com", NULL},
    {"cn-north-1",
     {NULL},
     &sts_op_get_caller_identity,
     "https://sts.cn-north-1.amazonaws.com.cn",
     NULL},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://all.example/"},
     &lambda_op_invoke,
     "https://all.example",
     NULL},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://all.example",
      "AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:4566/base//"},
     &lambda_op_invoke,
     "http://127.0.0.1:4566/base",
     NULL},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://all.example", "AWS_ENDPOINT_URL_LAMBDA=https://l.example"},
     &ecr_op_put_image,
     "https://all.example",
     NULL},
    {"us-east-1",
     {"AWS_ENDPOINT_URL_LAMBDA="},
     &lambda_op_invoke,
     "https://lambda.us-east-1.amazonaws.com",
     NULL},
    {"us-east-1",
     {"AWS_ENDPOINT_URL_STS=sts.example"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL_STS: not a URL that begins with https:// or http://"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=file:///etc/passwd"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: not a URL that begins with https:// or http://"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https:///x"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: the URL has no host"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: the URL has no host"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://user:pass@host"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: an endpoint is a scheme, a host, a port and a path, without user, query or "
     "fragment"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://host/?x=y"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: an endpoint is a scheme, a host, a port and a path, without user, query or "
     "fragment"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://ho st"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: an endpoint is a scheme, a host, a port and a path, without user, query or "
     "fragment"},
    {"us-east-1",
     {"AWS_ENDPOINT_URL=https://host\r\nX: y"},
     &sts_op_get_caller_identity,
     NULL,
     "AWS_ENDPOINT_URL: an endpoint is a scheme, a host, a port and a path, without user, query or "
     "fragment"},
};

START_TEST(finds_the_endpoint)
{
    CLEANUP(aws) struct aws aws = {.region = ""};
    CLEANUP(strbuf) struct strbuf url = STRBUF_INIT(1000);
    struct error err = ERROR_INIT;
    ck_assert_int_eq(aws_init(&aws, NULL, NULL, endpoints[_i].environ, endpoints[_i].region, &err),
                     0);
    int result = aws_endpoint(&aws, endpoints[_i].operation->service, &url, &err);
    ck_assert_int_eq(result, endpoints[_i].url ? 0 : -1);
    ck_assert_str_eq(url.buf, endpoints[_i].url ? endpoints[_i].url : "");
    if (!endpoints[_i].url) {
        ck_assert_str_eq(err.msg, endpoints[_i].complaint);
        ck_assert_int_eq(err.kind, ERROR_INPUT);
    }
}
END_TEST

static const struct {
    const char *region;
    bool good;
} regions[] = {
    {"us-east-1", true},      {"us-gov-west-1", true},
    {"eusc-de-east-1", true}, {"ap-southeast-12", true},
    {"us-east", false},       {"us-east-1/", false},
    {"US-EAST-1", false},     {"us_east_1", false},
    {"-us-east-1", false},    {"us--east-1", false},
    {"us-east-1-", false},    {"evil.example/us-east-1", false},
    {"us-east-1#", false},    {"a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-1", false},
    {"useast1", false},       {"us-east1", false},
    {"1s-east-1", false},     {"us-east-1\n", false},
};

START_TEST(takes_only_regions)
{
    static const char *const nothing[] = {NULL};
    CLEANUP(aws) struct aws aws = {.region = ""};
    struct error err = ERROR_INIT;
    int result = aws_init(&aws, NULL, NULL, nothing, regions[_i].region, &err);
    ck_assert_msg(result == (regions[_i].good ? 0 : -1), "%s", regions[_i].region);
    ck_assert_int_eq(err.kind, regions[_i].good ? ERROR_NONE : ERROR_INPUT);
}
END_TEST

START_TEST(says_that_no_region_is_known)
{
    static const char *const nothing[] = {NULL};
    struct aws aws = {.region = ""};
    struct error err = ERROR_INIT;
    ck_assert_int_eq(aws_init(&aws, NULL, NULL, nothing, NULL, &err), -1);
    ck_assert_str_eq(err.msg, "no AWS region is known: give aws-region, or set AWS_REGION");
}
END_TEST

START_TEST(lists_sound_operations)
{
    size_t count = 0;
    for (; aws_operations[count]; count++) {
        const struct aws_operation *operation = aws_operations[count];
        const struct aws_service *service = operation->service;
        bool rest = service->protocol == AWS_REST_JSON;
        ck_assert_msg(rest == (operation->method && operation->path), "%s", operation->name);
        ck_assert_msg((service->protocol == AWS_JSON_1_1) == (service->target_prefix != NULL), "%s",
                      operation->name);
        ck_assert_msg((service->protocol == AWS_QUERY) == (service->api_version != NULL), "%s",
                      operation->name);
        ck_assert_msg(strncmp(operation->iam_action, service->name, strlen(service->name)) == 0 &&
                          operation->iam_action[strlen(service->name)] == ':',
                      "%s", operation->name);
        bool reads = strncmp(operation->name, "Get", 3) == 0 ||
                     strncmp(operation->name, "List", 4) == 0 ||
                     strncmp(operation->name, "Describe", 8) == 0 ||
                     strncmp(operation->name, "BatchGet", 8) == 0 ||
                     strncmp(operation->name, "Filter", 6) == 0 ||
                     strncmp(operation->name, "Assume", 6) == 0;
        ck_assert_msg(reads != operation->changes, "%s", operation->name);
        for (size_t i = 0; i < count; i++)
            ck_assert_msg(aws_operations[i]->service != service ||
                              strcmp(aws_operations[i]->name, operation->name) != 0,
                          "%s is there twice", operation->name);
    }
    ck_assert_uint_ge(count, 22);
}
END_TEST

Suite *aws_endpoint_suite(void)
{
    Suite *suite = suite_create("aws_endpoint");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, knows_partitions, 0, sizeof partitions / sizeof *partitions);
    tcase_add_loop_test(tcase, finds_the_endpoint, 0, sizeof endpoints / sizeof *endpoints);
    tcase_add_loop_test(tcase, takes_only_regions, 0, sizeof regions / sizeof *regions);
    tcase_add_test(tcase, says_that_no_region_is_known);
    tcase_add_test(tcase, lists_sound_operations);
    suite_add_tcase(suite, tcase);
    return suite;
}
