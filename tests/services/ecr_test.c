#include <check.h>
#include <stdlib.h>

#include "core/cleanup.h"
#include "services/ecr.h"
#include "tests/services/support_aws.h"

Suite *ecr_suite(void);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define REGISTRY     "123456789012.dkr.ecr.us-east-1.amazonaws.com"
#define DIGEST_A     "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B     "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OCI          "application/vnd.oci.image.manifest.v1+json"
#define TYPES                                                                                      \
    "[\"application/vnd.docker.distribution.manifest.v2+json\",\"application/vnd.docker."          \
    "distribution.manifest.list.v2+json\",\"application/vnd.oci.image.manifest.v1+json\","         \
    "\"application/vnd.oci.image.index.v1+json\"]"
#define REPOSITORY_WITH(mutability)                                                                \
    "{\"repositoryArn\":\"arn:aws:ecr:us-east-1:123456789012:repository/hello\",\"registryId\":"   \
    "\"123456789012\",\"repositoryName\":\"hello\",\"repositoryUri\":\"" REGISTRY                  \
    "/hello\",\"createdAt\":1.795440000123E9," mutability "}"
#define REPOSITORY REPOSITORY_WITH("\"imageTagMutability\":\"MUTABLE\"")
#define FAULT(type)                                                                                \
    {                                                                                              \
        .status = 400, .body = "{\"__type\":\"" type "\",\"message\":\"m\"}"                       \
    }
#define IMAGE(tag, digest)                                                                         \
    "{\"registryId\":\"123456789012\",\"repositoryName\":\"hello\",\"imageId\":{\"imageDigest\":"  \
    "\"" digest "\",\"imageTag\":\"" tag "\"},\"imageManifest\":\"{ \\\"of\\\": \\\"" digest       \
    "\\\" }\",\"imageManifestMediaType\":\"" OCI "\"}"
#define NOT_FOUND(tag)                                                                             \
    "{\"imageId\":{\"imageTag\":\"" tag                                                            \
    "\"},\"failureCode\":\"ImageNotFound\",\"failureReason\":\"Requested image not found\"}"

static struct fake fake;

static const char *target(size_t i)
{
    const char *name = fake_header(&fake.requests[i], "X-Amz-Target");
    ck_assert_ptr_nonnull(name);
    return strrchr(name, '.') + 1;
}

/* ---- the login ---- */

START_TEST(logs_in)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnBhc3M6d29yZA==\","
                 "\"expiresAt\":1.795483200123E9,\"proxyEndpoint\":\"https://" REGISTRY "\"}]}"}};
    CLEANUP(ecr_login) struct ecr_login login = {.registry = NULL};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(ecr_get_login(&fake.aws, &login, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(target(0), "GetAuthorizationToken");
    fake_expect_json(&fake.requests[0], "{}");
    ck_assert_str_eq(login.registry, REGISTRY);
    ck_assert_str_eq(login.password, "pass:word");
    ck_assert_int_eq(login.expires_at, 1795483200);
    fake_stop(&fake);
}
END_TEST

static const char *const no_logins[] = {
    "{}",
    "{\"authorizationData\":[]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnB3\"}]}",
    "{\"authorizationData\":[{\"proxyEndpoint\":\"https://r\"}]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"***\",\"proxyEndpoint\":\"https://r\"}]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"eDp5\",\"proxyEndpoint\":\"https://r\"}]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOg==\",\"proxyEndpoint\":\"https://"
    "r\"}]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnAAdw==\",\"proxyEndpoint\":\"https://"
    "r\"}]}",
    "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnB3\",\"proxyEndpoint\":\"http://"
    "r\"}]}",
};

START_TEST(refuses_what_is_no_login)
{
    const struct fake_answer answers[] = {{.status = 200, .body = no_logins[_i]}};
    struct ecr_login login = {.registry = NULL};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_get_login(&fake.aws, &login, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.msg, "ecr GetAuthorizationToken: "));
    ck_assert_ptr_null(login.password);
    fake_stop(&fake);
}
END_TEST

/* ---- repositories ---- */

static const struct {
    const char *repository;
    const char *tag;
    bool immutable, tag_immutable;
} mutabilities[] = {
    {REPOSITORY, "v1", false, false},
    {REPOSITORY_WITH("\"imageTagMutability\":\"IMMUTABLE\""), "v1", true, true},
    {REPOSITORY_WITH("\"imageTagMutability\":\"IMMUTABLE_WITH_EXCLUSION\","
                     "\"imageTagMutabilityExclusionFilters\":[{\"filterType\":\"WILDCARD\","
                     "\"filter\":\"latest\"},{\"filterType\":\"WILDCARD\",\"filter\":\"dev-*\"}]"),
     "dev-3", true, false},
    {REPOSITORY_WITH("\"imageTagMutability\":\"IMMUTABLE_WITH_EXCLUSION\","
                     "\"imageTagMutabilityExclusionFilters\":[{\"filterType\":\"WILDCARD\","
                     "\"filter\":\"latest\"},{\"filterType\":\"WILDCARD\",\"filter\":\"dev-*\"}]"),
     "v1", true, true},
    {REPOSITORY_WITH("\"imageTagMutability\":\"MUTABLE_WITH_EXCLUSION\","
                     "\"imageTagMutabilityExclusionFilters\":[{\"filterType\":\"WILDCARD\","
                     "\"filter\":\"v*\"}]"),
     "v1", false, true},
    {REPOSITORY_WITH("\"imageTagMutability\":\"MUTABLE_WITH_EXCLUSION\","
                     "\"imageTagMutabilityExclusionFilters\":[{\"filterType\":\"WILDCARD\","
                     "\"filter\":\"v*\"}]"),
     "latest", false, false},
    /* filters that no longer apply */
    {REPOSITORY_WITH("\"imageTagMutability\":\"IMMUTABLE\",\"imageTagMutabilityExclusionFilters\":"
                     "[{\"filterType\":\"WILDCARD\",\"filter\":\"v*\"}]"),
     "v1", true, true},
};

START_TEST(describes_a_repository)
{
    CLEANUP(strbuf) struct strbuf body = STRBUF_INIT(STRBUF_NO_CAP);
    CLEANUP(ecr_repository) struct ecr_repository repository = {.immutable = false};
    struct error err = ERROR_INIT;
    strbuf_addf(&body, "{\"repositories\":[%s]}", mutabilities[_i].repository);
    const struct fake_answer answers[] = {{.status = 200, .body = body.buf}};
    fake_start(&fake, answers, 1, NULL);
    ck_assert_msg(ecr_describe_repository(&fake.aws, "210987654321", "hello", &repository, &err) ==
                      0,
                  "%s", err.msg);
    ck_assert_str_eq(target(0), "DescribeRepositories");
    fake_expect_json(&fake.requests[0],
                     "{\"registryId\":\"210987654321\",\"repositoryNames\":[\"hello\"]}");
    ck_assert_int_eq(repository.immutable, mutabilities[_i].immutable);
    ck_assert_int_eq(ecr_tag_is_immutable(&repository, mutabilities[_i].tag),
                     mutabilities[_i].tag_immutable);
    fake_stop(&fake);
}
END_TEST

static const struct {
    const char *pattern, *tag;
    bool matches;
} patterns[] = {
    {"*ab", "aab", true},
    {"v1", "v1", true},
    {"v1", "v12", false},
    {"v1", "v", false},
    {"*", "", true},
    {"*", "anything", true},
    {"v*", "v", true},
    {"v*", "w", false},
    {"*-dev", "a-dev", true},
    {"*-dev", "a-dev-", false},
    {"a*b*c", "a1b2b3c", true},
    {"a*b*c", "a1c2b", false},
    {"**", "x", true},
    {"a**b", "ab", true},
    {"", "", true},
    {"", "a", false},
    {"a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"v?", "v1", false},
    {"[a]", "a", false},
};

START_TEST(matches_tags)
{
    struct ecr_repository repository = {.immutable = false};
    strvec_push(&repository.exclusions, patterns[_i].pattern);
    ck_assert_int_eq(ecr_tag_is_immutable(&repository, patterns[_i].tag), patterns[_i].matches);
    ecr_repository_release(&repository);
}
END_TEST

START_TEST(misses_a_repository)
{
    static const struct fake_answer answers[] = {FAULT("RepositoryNotFoundException")};
    struct ecr_repository repository;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_describe_repository(&fake.aws, NULL, "hello", &repository, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    fake_expect_json(&fake.requests[0], "{\"repositoryNames\":[\"hello\"]}");
    fake_stop(&fake);
}
END_TEST

START_TEST(creates_a_repository)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"repository\":" REPOSITORY "}"},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "{}"}};
    CLEANUP(ecr_repository) struct ecr_repository repository = {.immutable = false};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(ecr_create_repository(&fake.aws, "hello", &repository, &err) == 0, "%s", err.msg);
    ck_assert_str_eq(target(0), "CreateRepository");
    fake_expect_json(&fake.requests[0], "{\"repositoryName\":\"hello\","
                                        "\"imageScanningConfiguration\":{\"scanOnPush\":true}}");
    ck_assert_str_eq(target(1), "SetRepositoryPolicy");
    fake_expect_json(
        &fake.requests[1],
        "{\"repositoryName\":\"hello\",\"policyText\":\"{\\\"Version\\\":\\\"2012-10-17\\\","
        "\\\"Statement\\\":[{\\\"Sid\\\":\\\"LambdaECRImageRetrievalPolicy\\\",\\\"Effect\\\":"
        "\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":\\\"lambda.amazonaws.com\\\"},"
        "\\\"Action\\\":[\\\"ecr:BatchGetImage\\\",\\\"ecr:GetDownloadUrlForLayer\\\"]}]}\"}");
    ck_assert_str_eq(target(2), "PutLifecyclePolicy");
    fake_expect_json(
        &fake.requests[2],
        "{\"repositoryName\":\"hello\",\"lifecyclePolicyText\":\"{\\\"rules\\\":[{"
        "\\\"rulePriority\\\":1,\\\"description\\\":\\\"Untagged images expire\\\","
        "\\\"selection\\\":{\\\"tagStatus\\\":\\\"untagged\\\",\\\"countType\\\":"
        "\\\"sinceImagePushed\\\",\\\"countUnit\\\":\\\"days\\\",\\\"countNumber\\\":14},"
        "\\\"action\\\":{\\\"type\\\":\\\"expire\\\"}}]}\"}");
    fake_stop(&fake);
}
END_TEST

START_TEST(leaves_anothers_repository_alone)
{
    static const struct fake_answer answers[] = {
        FAULT("RepositoryAlreadyExistsException"),
        {.status = 200,
         .body =
             "{\"repositories\":[" REPOSITORY_WITH("\"imageTagMutability\":\"IMMUTABLE\"") "]}"}};
    CLEANUP(ecr_repository) struct ecr_repository repository = {.immutable = false};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_create_repository(&fake.aws, "hello", &repository, &err), 0);
    ck_assert_int_eq(err.kind, ERROR_NONE);
    ck_assert(repository.immutable);
    fake_stop(&fake);
}
END_TEST

START_TEST(finishes_a_repository_whose_answer_was_lost)
{
    static const struct fake_answer answers[] = {
        {.error = ERROR_NETWORK, .error_name = "reset"},
        FAULT("RepositoryAlreadyExistsException"),
        {.status = 200, .body = "{\"repositories\":[" REPOSITORY "]}"},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "{}"}};
    CLEANUP(ecr_repository) struct ecr_repository repository = {.immutable = false};
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_create_repository(&fake.aws, "hello", &repository, NULL), 0);
    ck_assert_str_eq(target(3), "SetRepositoryPolicy");
    ck_assert_str_eq(target(4), "PutLifecyclePolicy");
    fake_stop(&fake);
}
END_TEST

START_TEST(says_what_a_new_repository_lacks)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"repository\":" REPOSITORY "}"}, FAULT("AccessDeniedException")};
    struct ecr_repository repository = {.immutable = false};
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_create_repository(&fake.aws, "hello", &repository, &err), -1);
    ck_assert_int_eq(err.kind, ERROR_DENIED);
    ck_assert_str_eq(err.msg,
                     "the repository hello was created, but not made ready: ecr "
                     "SetRepositoryPolicy: AccessDeniedException: m; this needs the IAM permission "
                     "ecr:SetRepositoryPolicy (HTTP 400)");
    fake_stop(&fake);
}
END_TEST

/* ---- images ---- */

START_TEST(gets_images)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"images\":[" IMAGE("v2", DIGEST_B) "," IMAGE(
             "v1", DIGEST_A) "],\"failures\":[" NOT_FOUND("none") "]}"}};
    static const char *const wanted[] = {"v1", "none", DIGEST_B, "v2", "v1"};
    struct ecr_image images[COUNT(wanted)];
    bool exists = false;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_msg(
        ecr_get_images(&fake.aws, NULL, "hello", wanted, COUNT(wanted), images, &exists, &err) == 0,
        "%s", err.msg);
    ck_assert(exists);
    ck_assert_str_eq(target(0), "BatchGetImage");
    fake_expect_json(
        &fake.requests[0],
        "{\"repositoryName\":\"hello\",\"imageIds\":[{\"imageTag\":\"v1\"},"
        "{\"imageTag\":\"none\"},{\"imageDigest\":\"" DIGEST_B
        "\"},{\"imageTag\":\"v2\"},{\"imageTag\":\"v1\"}],\"acceptedMediaTypes\":" TYPES "}");
    static const char *const digests[] = {DIGEST_A, "", DIGEST_B, DIGEST_B, DIGEST_A};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        ck_assert_str_eq(images[i].digest, digests[i]);
        ck_assert_int_eq(images[i].manifest != NULL, i != 1);
        ck_assert_str_eq(images[i].media_type, i == 1 ? "" : OCI);
    }
    ck_assert_str_eq(images[0].manifest, "{ \"of\": \"" DIGEST_A "\" }");
    for (size_t i = 0; i < COUNT(wanted); i++)
        ecr_image_release(&images[i]);
    fake_stop(&fake);
}
END_TEST

START_TEST(gets_images_of_no_repository)
{
    static const struct fake_answer answers[] = {FAULT("RepositoryNotFoundException")};
    static const char *const wanted[] = {"v1", "v2"};
    struct ecr_image images[2];
    bool exists = true;
    struct error err = ERROR_INIT;
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(
        ecr_get_images(&fake.aws, "210987654321", "hello", wanted, 2, images, &exists, &err), 0);
    ck_assert_int_eq(err.kind, ERROR_NONE);
    ck_assert(!exists);
    ck_assert_str_eq(images[0].digest, "");
    ck_assert_str_eq(images[1].digest, "");
    fake_stop(&fake);
}
END_TEST

START_TEST(gets_many_images_in_batches)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"images\":[" IMAGE("t0", DIGEST_A) "]}"},
        {.status = 200, .body = "{\"images\":[" IMAGE("t249", DIGEST_A) "]}"},
        {.status = 200, .body = "{\"images\":[" IMAGE("t249", DIGEST_B) "]}"}};
    static struct ecr_image images[250];
    struct strvec wanted = STRVEC_INIT;
    bool exists = false;
    for (int i = 0; i < 250; i++)
        strvec_pushf(&wanted, "t%d", i);
    fake_start(&fake, answers, COUNT(answers), NULL);
    ck_assert_int_eq(ecr_get_images(&fake.aws, NULL, "hello", (const char *const *)wanted.items,
                                    250, images, &exists, NULL),
                     0);
    for (int i = 0; i < 250; i++) {
        ck_assert_str_eq(images[i].digest, i == 0 ? DIGEST_A : i == 249 ? DIGEST_B : "");
        ecr_image_release(&images[i]);
    }
    ck_assert_ptr_nonnull(strstr(fake.requests[2].body, "{\"imageTag\":\"t200\"}"));
    ck_assert_ptr_null(strstr(fake.requests[2].body, "{\"imageTag\":\"t199\"}"));
    strvec_release(&wanted);
    fake_stop(&fake);
}
END_TEST

static const struct {
    struct fake_answer answer;
    enum error_kind kind;
    const char *message;
} no_images[] = {
    {{.status = 200, .body = "{\"images\":[],\"failures\":[" NOT_FOUND("v1") "]}"},
     ERROR_NOT_FOUND,
     "there is no image v1 in the ECR repository hello"},
    {{.status = 200, .body = "{}"},
     ERROR_NOT_FOUND,
     "there is no image v1 in the ECR repository hello"},
    {FAULT("RepositoryNotFoundException"), ERROR_NOT_FOUND, "there is no ECR repository hello"},
    {FAULT("AccessDeniedException"), ERROR_DENIED, "ecr:BatchGetImage"},
    {{.status = 200,
      .body = "{\"failures\":[{\"imageId\":{\"imageTag\":\"v1\"},\"failureCode\":\"KmsError\","
              "\"failureReason\":\"no key\"}]}"},
     ERROR_REFUSED,
     "ecr BatchGetImage: hello: image v1: KmsError: no key"},
    {{.status = 200, .body = "{\"images\":[{\"imageId\":{\"imageTag\":\"v1\"}}]}"},
     ERROR_PROTOCOL,
     "ecr BatchGetImage: reading the answer: "},
    {{.status = 200,
      .body =
          "{\"images\":[{\"imageId\":{\"imageTag\":\"v1\",\"imageDigest\":\"" DIGEST_A "\"}}]}"},
     ERROR_PROTOCOL,
     "imageManifest"},
    {{.status = 200,
      .body = "{\"images\":[{\"imageId\":{\"imageTag\":\"v1\",\"imageDigest\":\"" DIGEST_A DIGEST_A
              "\"},\"imageManifest\":\"{}\"}]}"},
     ERROR_PROTOCOL,
     "too long"},
};

START_TEST(says_why_there_is_no_image)
{
    struct ecr_image image = {.manifest = NULL};
    struct error err = ERROR_INIT;
    fake_start(&fake, &no_images[_i].answer, 1, NULL);
    ck_assert_int_eq(ecr_get_image(&fake.aws, NULL, "hello", "v1", &image, &err), -1);
    ck_assert_int_eq(err.kind, no_images[_i].kind);
    ck_assert_msg(strstr(err.msg, no_images[_i].message) != NULL, "%s", err.msg);
    ck_assert_ptr_null(image.manifest);
    fake_stop(&fake);
}
END_TEST

/* ---- tags ---- */

#define PRESENT(digest)                                                                            \
    {                                                                                              \
        .status = 200, .body = "{\"images\":[" IMAGE("v1", digest) "]}"                            \
    }

static const struct {
    const char *what;
    struct fake_answer answers[3];
    size_t count;
    enum error_kind kind;
} tag_cases[] = {
    {"a new tag", {{.status = 200, .body = "{\"image\":{}}"}}, 1, ERROR_NONE},
    {"there already", {FAULT("ImageAlreadyExistsException")}, 1, ERROR_NONE},
    {"there already, by an attempt whose answer was lost",
     {{.error = ERROR_NETWORK, .error_name = "reset"}, FAULT("ImageAlreadyExistsException")},
     2,
     ERROR_NONE},
    {"immutable, and on this digest",
     {FAULT("ImageTagAlreadyExistsException"), PRESENT(DIGEST_A)},
     2,
     ERROR_NONE},
    {"immutable, and elsewhere",
     {FAULT("ImageTagAlreadyExistsException"), PRESENT(DIGEST_B)},
     2,
     ERROR_CONFLICT},
    {"immutable, elsewhere, after a lost answer",
     {{.error = ERROR_NETWORK, .error_name = "reset"},
      FAULT("ImageTagAlreadyExistsException"),
      PRESENT(DIGEST_B)},
     3,
     ERROR_CONFLICT},
    {"immutable, and nobody may look",
     {FAULT("ImageTagAlreadyExistsException"), FAULT("AccessDeniedException")},
     2,
     ERROR_CONFLICT},
    {"no repository", {FAULT("RepositoryNotFoundException")}, 1, ERROR_NOT_FOUND},
    {"blobs are gone", {FAULT("LayersNotFoundException")}, 1, ERROR_REFUSED},
};

START_TEST(puts_a_tag)
{
    char manifest[] = "{ \"schemaVersion\": 2 }";
    const struct ecr_image image = {.digest = DIGEST_A, .manifest = manifest, .media_type = OCI};
    struct error err = ERROR_INIT;
    fake_start(&fake, tag_cases[_i].answers, tag_cases[_i].count, NULL);
    int result = ecr_put_image(&fake.aws, "hello", &image, "v1", &err);
    ck_assert_msg(result == (tag_cases[_i].kind ? -1 : 0), "%s: %s", tag_cases[_i].what, err.msg);
    ck_assert_msg(err.kind == tag_cases[_i].kind, "%s: %s", tag_cases[_i].what, err.msg);
    ck_assert_str_eq(target(0), "PutImage");
    fake_expect_json(&fake.requests[0],
                     "{\"repositoryName\":\"hello\",\"imageManifest\":\"{ \\\"schemaVersion\\\": 2 "
                     "}\",\"imageManifestMediaType\":\"" OCI
                     "\",\"imageTag\":\"v1\",\"imageDigest\":\"" DIGEST_A "\"}");
    if (result < 0)
        ck_assert_ptr_nonnull(strstr(err.msg, "giving " DIGEST_A " the tag v1 in hello: "));
    fake_stop(&fake);
}
END_TEST

Suite *ecr_suite(void)
{
    Suite *suite = suite_create("ecr");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, logs_in);
    tcase_add_loop_test(tcase, refuses_what_is_no_login, 0, COUNT(no_logins));
    tcase_add_loop_test(tcase, describes_a_repository, 0, COUNT(mutabilities));
    tcase_add_loop_test(tcase, matches_tags, 0, COUNT(patterns));
    tcase_add_test(tcase, misses_a_repository);
    tcase_add_test(tcase, creates_a_repository);
    tcase_add_test(tcase, leaves_anothers_repository_alone);
    tcase_add_test(tcase, finishes_a_repository_whose_answer_was_lost);
    tcase_add_test(tcase, says_what_a_new_repository_lacks);
    tcase_add_test(tcase, gets_images);
    tcase_add_test(tcase, gets_images_of_no_repository);
    tcase_add_test(tcase, gets_many_images_in_batches);
    tcase_add_loop_test(tcase, says_why_there_is_no_image, 0, COUNT(no_images));
    tcase_add_loop_test(tcase, puts_a_tag, 0, COUNT(tag_cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
