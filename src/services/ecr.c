#include "services/ecr.h"

#include "core/cleanup.h"
#include "core/crypto.h"
#include "core/memory.h"
#include "core/text.h"
#include "services/aws_operations.h"

#define LOGIN_USER  "AWS:"
#define LOGIN_MAX   65536
#define MAX_IMAGES  100 /* of one BatchGetImage */
#define EXPIRY_DAYS "14"

static const char *const manifest_types[] = {
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
};

/* Source: docs.aws.amazon.com/lambda/latest/dg/images-create.md, "Amazon ECR permissions". */
static const char pull_policy[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{"
    "\"Sid\":\"LambdaECRImageRetrievalPolicy\",\"Effect\":\"Allow\","
    "\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},"
    "\"Action\":[\"ecr:BatchGetImage\",\"ecr:GetDownloadUrlForLayer\"]}]}";

static const char lifecycle_policy[] =
    "{\"rules\":[{\"rulePriority\":1,\"description\":\"Untagged images expire\","
    "\"selection\":{\"tagStatus\":\"untagged\",\"countType\":\"sinceImagePushed\","
    "\"countUnit\":\"days\",\"countNumber\":" EXPIRY_DAYS "},"
    "\"action\":{\"type\":\"expire\"}}]}";

void ecr_login_release(struct ecr_login *login)
{
    if (!login)
        return;
    free(login->registry);
    memory_free_secret(login->password);
    *login = (struct ecr_login){.registry = NULL};
}

void ecr_repository_release(struct ecr_repository *repository)
{
    if (!repository)
        return;
    strvec_release(&repository->exclusions);
    *repository = (struct ecr_repository){.immutable = false};
}

void ecr_image_release(struct ecr_image *image)
{
    if (!image)
        return;
    free(image->manifest);
    *image = (struct ecr_image){.manifest = NULL};
}

static int call_ecr(struct aws *aws, const struct aws_operation *operation, const struct json *body,
                    struct aws_answer *ret_answer, struct error *err)
{
    const struct aws_call call = {.operation = operation, .body = body};
    return aws_call(aws, &call, ret_answer, err);
}

int ecr_get_login(struct aws *aws, struct ecr_login *ret_login, struct error *err)
{
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    CLEANUP_SECRET struct strbuf login = STRBUF_INIT(LOGIN_MAX);
    const char *token = NULL;
    const char *url = NULL;
    if (call_ecr(aws, &ecr_op_get_authorization_token, NULL, &answer, err) < 0)
        return -1;
    const struct json *data = json_first(json_get(answer.json, "authorizationData"));
    if (json_need_string(data, "authorizationToken", &token, err) < 0 ||
        json_need_string(data, "proxyEndpoint", &url, err) < 0 ||
        crypto_base64_decode(&login, token, strlen(token), err) < 0)
        return error_wrap(err, "ecr GetAuthorizationToken: reading the answer");
    if (!text_starts_with(login.buf, LOGIN_USER) || strlen(login.buf) != login.len ||
        login.len == strlen(LOGIN_USER) || !text_starts_with(url, "https://"))
        return error_set(err, ERROR_PROTOCOL,
                         "ecr GetAuthorizationToken: the answer is not a registry's login");
    *ret_login = (struct ecr_login){
        .registry = memory_copy_string(url + strlen("https://")),
        .password = memory_copy_string(login.buf + strlen(LOGIN_USER)),
        .expires_at = (int64_t)json_get_number(data, "expiresAt", 0),
    };
    return 0;
}

/* `pattern` as ECR's exclusion filters are written: '*' stands for any text, also none. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL; /* the last one met, and where its text began */
    const char *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

bool ecr_tag_is_immutable(const struct ecr_repository *repository, const char *tag)
{
    for (size_t i = 0; i < repository->exclusions.len; i++)
        if (matches(repository->exclusions.items[i], tag))
            return !repository->immutable;
    return repository->immutable;
}

static int read_repository(const struct json *json, struct ecr_repository *ret_repository,
                           struct error *err)
{
    const char *mutability;
    struct ecr_repository made = {.immutable = false};
    if (json_need_string(json, "imageTagMutability", &mutability, err) < 0)
        return -1;
    made.immutable = text_starts_with(mutability, "IMMUTABLE");
    if (text_ends_with(mutability, "_WITH_EXCLUSION"))
        JSON_EACH (filter, json_get(json, "imageTagMutabilityExclusionFilters")) {
            const char *pattern = json_get_string(filter, "filter");
            if (pattern)
                strvec_push(&made.exclusions, pattern);
        }
    *ret_repository = made;
    return 0;
}

static struct json *new_request(const char *registry_id, const char *repository)
{
    struct json *body = json_new_object();
    json_put_string(body, "registryId", registry_id);
    json_put_string(body, "repositoryName", repository);
    return body;
}

int ecr_describe_repository(struct aws *aws, const char *registry_id, const char *name,
                            struct ecr_repository *ret_repository, struct error *err)
{
    CLEANUP(json) struct json *body = new_request(registry_id, NULL);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct json *wanted = json_new_array();
    json_append_string(wanted, name);
    json_put(body, "repositoryNames", wanted);
    if (call_ecr(aws, &ecr_op_describe_repositories, body, &answer, err) < 0)
        return -1;
    const struct json *found = json_first(json_get(answer.json, "repositories"));
    if (read_repository(found, ret_repository, err) < 0)
        return error_wrap(err, "ecr DescribeRepositories: reading the answer");
    return 0;
}

/* What a repository that we make gets besides its settings. */
static const struct repository_policy {
    const struct aws_operation *get, *put;
    const char *missing; /* ECR's word for "there is none" */
    const char *member, *text;
} policies[] = {
    {&ecr_op_get_repository_policy, &ecr_op_set_repository_policy,
     "RepositoryPolicyNotFoundException", "policyText", pull_policy},
    {&ecr_op_get_lifecycle_policy, &ecr_op_put_lifecycle_policy, "LifecyclePolicyNotFoundException",
     "lifecyclePolicyText", lifecycle_policy},
};

static int put_policy(struct aws *aws, const struct repository_policy *policy, const char *name,
                      struct error *err)
{
    CLEANUP(json) struct json *body = new_request(NULL, name);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    json_put_string(body, policy->member, policy->text);
    return call_ecr(aws, policy->put, body, &answer, err);
}

static int put_policies(struct aws *aws, const char *name, struct error *err)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (put_policy(aws, &policies[i], name, err) < 0)
            return error_wrap(err, "the repository %s was created, but not made ready", name);
    return 0;
}

static int has_policy(struct aws *aws, const struct repository_policy *policy, const char *name,
                      bool *ret_has, struct error *err)
{
    CLEANUP(json) struct json *body = new_request(NULL, name);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error local = ERROR_INIT;
    bool has = call_ecr(aws, policy->get, body, &answer, &local) == 0;
    if (!has && strcmp(local.name, policy->missing) != 0) {
        if (err)
            *err = local;
        return -1;
    }
    *ret_has = has;
    return 0;
}

static int is_empty(struct aws *aws, const char *name, bool *ret_empty, struct error *err)
{
    CLEANUP(json) struct json *body = new_request(NULL, name);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    json_put_int(body, "maxResults", 1);
    if (call_ecr(aws, &ecr_op_list_images, body, &answer, err) < 0)
        return -1;
    *ret_empty = !json_first(json_get(answer.json, "imageIds"));
    return 0;
}

int ecr_complete_repository(struct aws *aws, const char *name, bool *ret_changed, struct error *err)
{
    bool changed = false, empty = false;
    if (is_empty(aws, name, &empty, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof policies / sizeof *policies && empty; i++) {
        bool has = false;
        if (has_policy(aws, &policies[i], name, &has, err) < 0 ||
            (!has && put_policy(aws, &policies[i], name, err) < 0))
            return -1;
        changed = changed || !has;
    }
    *ret_changed = changed;
    return 0;
}

int ecr_create_repository(struct aws *aws, const char *name, struct ecr_repository *ret_repository,
                          struct error *err)
{
    CLEANUP(json) struct json *body = new_request(NULL, name);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    CLEANUP(ecr_repository) struct ecr_repository made = {.immutable = false};
    struct error local = ERROR_INIT;
    struct json *scanning = json_new_object();
    json_put_bool(scanning, "scanOnPush", true);
    json_put(body, "imageScanningConfiguration", scanning);
    if (call_ecr(aws, &ecr_op_create_repository, body, &answer, &local) < 0) {
        if (strcmp(local.name, "RepositoryAlreadyExistsException") != 0) {
            if (err)
                *err = local;
            return -1;
        }
        if (ecr_describe_repository(aws, NULL, name, &made, err) < 0)
            return -1;
    } else if (read_repository(json_get(answer.json, "repository"), &made, err) < 0) {
        return error_wrap(err, "ecr CreateRepository: reading the answer");
    }
    /* ERROR_CONFLICT: somebody else's. Otherwise it is ours, made just now, perhaps by an attempt
     * whose answer was lost. */
    if (local.kind != ERROR_CONFLICT && put_policies(aws, name, err) < 0)
        return -1;
    *ret_repository = made;
    made = (struct ecr_repository){.immutable = false};
    return 0;
}

static bool is_digest(const char *tag_or_digest)
{
    return text_starts_with(tag_or_digest, "sha256:");
}

/* The image in `list` that was asked for as `wanted`. */
static const struct json *find_image(const struct json *list, const char *wanted)
{
    const char *member = is_digest(wanted) ? "imageId.imageDigest" : "imageId.imageTag";
    JSON_EACH (node, list) {
        if (text_equal(json_get_string(node, member), wanted))
            return node;
    }
    return NULL;
}

static int read_image(const struct json *json, const char *wanted, struct ecr_image *ret_image,
                      struct error *err)
{
    const char *digest;
    const char *manifest;
    struct ecr_image made = {.manifest = NULL};
    const char *type = json_get_string(json, "imageManifestMediaType");
    if (json_need_string(json, "imageId.imageDigest", &digest, err) < 0 ||
        json_need_string(json, "imageManifest", &manifest, err) < 0)
        return -1;
    if (strlen(digest) >= sizeof made.digest || (type && strlen(type) >= sizeof made.media_type))
        return error_set(err, ERROR_PROTOCOL, "the digest or media type of %s is too long", wanted);
    snprintf(made.digest, sizeof made.digest, "%s", digest);
    snprintf(made.media_type, sizeof made.media_type, "%s", type ? type : "");
    made.manifest = memory_copy_string(manifest);
    *ret_image = made;
    return 0;
}

/* Some failures mean that the image is not there; others that nobody can tell. */
static int check_failures(const struct json *failures, struct error *err)
{
    JSON_EACH (failure, failures) {
        const char *code = json_get_string(failure, "failureCode");
        const char *reason = json_get_string(failure, "failureReason");
        const char *tag = json_get_string(failure, "imageId.imageTag");
        const char *digest = json_get_string(failure, "imageId.imageDigest");
        if (text_equal(code, "ImageNotFound"))
            continue;
        error_set(err, ERROR_REFUSED, "image %s: %s: %s",
                  tag      ? tag
                  : digest ? digest
                           : "?",
                  code ? code : "?", reason ? reason : "no explanation was given");
        if (err)
            snprintf(err->name, sizeof err->name, "%s", code ? code : "");
        return -1;
    }
    return 0;
}

/* At most MAX_IMAGES. What was read before an error stays in ret_images for the caller to
 * release. */
static int get_batch(struct aws *aws, const char *registry_id, const char *repository,
                     const char *const *wanted, size_t count, struct ecr_image *ret_images,
                     struct error *err)
{
    CLEANUP(json) struct json *body = new_request(registry_id, repository);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct json *ids = json_new_array();
    for (size_t i = 0; i < count; i++) {
        struct json *id = json_new_object();
        json_put_string(id, is_digest(wanted[i]) ? "imageDigest" : "imageTag", wanted[i]);
        json_append(ids, id);
    }
    json_put(body, "imageIds", ids);
    struct json *types = json_new_array();
    for (size_t i = 0; i < sizeof manifest_types / sizeof *manifest_types; i++)
        json_append_string(types, manifest_types[i]);
    json_put(body, "acceptedMediaTypes", types);
    if (call_ecr(aws, &ecr_op_batch_get_image, body, &answer, err) < 0)
        return -1;
    if (check_failures(json_get(answer.json, "failures"), err) < 0)
        return error_wrap(err, "ecr BatchGetImage: %s", repository);
    const struct json *images = json_get(answer.json, "images");
    for (size_t i = 0; i < count; i++) {
        const struct json *found = find_image(images, wanted[i]);
        if (found && read_image(found, wanted[i], &ret_images[i], err) < 0)
            return error_wrap(err, "ecr BatchGetImage: reading the answer");
    }
    return 0;
}

int ecr_get_images(struct aws *aws, const char *registry_id, const char *repository,
                   const char *const *tags_or_digests, size_t count, struct ecr_image *ret_images,
                   bool *ret_repository_exists, struct error *err)
{
    struct ecr_image *found = memory_new(count * sizeof *found);
    struct error local = ERROR_INIT;
    int result = 0;
    for (size_t done = 0; done < count && result == 0; done += MAX_IMAGES) {
        size_t batch = count - done < MAX_IMAGES ? count - done : MAX_IMAGES;
        result = get_batch(aws, registry_id, repository, tags_or_digests + done, batch,
                           found + done, &local);
    }
    bool no_repository = result < 0 && strcmp(local.name, "RepositoryNotFoundException") == 0;
    if (result < 0)
        for (size_t i = 0; i < count; i++)
            ecr_image_release(&found[i]);
    if (result < 0 && !no_repository) {
        if (err)
            *err = local;
    } else {
        if (count > 0)
            memcpy(ret_images, found, count * sizeof *found);
        *ret_repository_exists = !no_repository;
        result = 0;
    }
    free(found);
    return result;
}

int ecr_get_image(struct aws *aws, const char *registry_id, const char *repository,
                  const char *tag_or_digest, struct ecr_image *ret_image, struct error *err)
{
    struct ecr_image image;
    bool exists;
    if (ecr_get_images(aws, registry_id, repository, &tag_or_digest, 1, &image, &exists, err) < 0)
        return -1;
    if (!exists)
        return error_set(err, ERROR_NOT_FOUND, "there is no ECR repository %s", repository);
    if (!image.digest[0])
        return error_set(err, ERROR_NOT_FOUND, "there is no image %s in the ECR repository %s",
                         tag_or_digest, repository);
    *ret_image = image;
    return 0;
}

/* Does the tag name this very digest already? */
static bool tag_is_there(struct aws *aws, const char *repository, const char *tag,
                         const char *digest)
{
    CLEANUP(ecr_image) struct ecr_image present = {.manifest = NULL};
    return ecr_get_image(aws, NULL, repository, tag, &present, NULL) == 0 &&
           strcmp(present.digest, digest) == 0;
}

int ecr_put_image(struct aws *aws, const char *repository, const struct ecr_image *image,
                  const char *tag, struct error *err)
{
    CLEANUP(json) struct json *body = new_request(NULL, repository);
    CLEANUP(aws_answer) struct aws_answer answer = AWS_ANSWER_INIT;
    struct error local = ERROR_INIT;
    json_put_string(body, "imageManifest", image->manifest);
    json_put_string(body, "imageManifestMediaType",
                    image->media_type[0] ? image->media_type : NULL);
    json_put_string(body, "imageTag", tag);
    json_put_string(body, "imageDigest", image->digest);
    if (call_ecr(aws, &ecr_op_put_image, body, &answer, &local) == 0)
        return 0;
    if (strcmp(local.name, "ImageAlreadyExistsException") == 0)
        return 0; /* this tag on this digest */
    if (strcmp(local.name, "ImageTagAlreadyExistsException") == 0) {
        if (tag_is_there(aws, repository, tag, image->digest))
            return 0;
        local.kind = ERROR_CONFLICT; /* also when an earlier attempt got no answer */
    }
    if (err)
        *err = local;
    return error_wrap(err, "giving %s the tag %s in %s", image->digest, tag, repository);
}
