#include "services/aws_operations.h"

static const struct aws_service sts = {
    .name = "sts",
    .endpoint_name = "sts",
    .endpoint_variable = "STS",
    .protocol = AWS_QUERY,
    .api_version = "2011-06-15",
};

static const struct aws_service ecr = {
    .name = "ecr",
    .endpoint_name = "api.ecr",
    .endpoint_variable = "ECR",
    .protocol = AWS_JSON_1_1,
    .target_prefix = "AmazonEC2ContainerRegistry_V20150921",
};

static const struct aws_service lambda = {
    .name = "lambda",
    .endpoint_name = "lambda",
    .endpoint_variable = "LAMBDA",
    .protocol = AWS_REST_JSON,
};

static const struct aws_service logs = {
    .name = "logs",
    .endpoint_name = "logs",
    .endpoint_variable = "CLOUDWATCH_LOGS",
    .protocol = AWS_JSON_1_1,
    .target_prefix = "Logs_20140328",
};

/* GetCallerIdentity needs no permission; AssumeRoleWithWebIdentity needs the role's trust alone. */
#define STS(operation, action, ...)                                                                \
    {                                                                                              \
        .service = &sts, .name = (operation), .iam_action = (action), __VA_ARGS__                  \
    }
#define ECR(operation, is_change)                                                                  \
    {                                                                                              \
        .service = &ecr, .name = (operation), .iam_action = "ecr:" operation,                      \
        .changes = (is_change)                                                                     \
    }
#define LAMBDA(operation, verb, where, is_change)                                                  \
    {                                                                                              \
        .service = &lambda, .name = (operation), .method = (verb), .path = (where),                \
        .iam_action = "lambda:" operation, .changes = (is_change)                                  \
    }

#define FUNCTIONS "/2015-03-31/functions"
#define FUNCTION  "/2015-03-31/functions/{}"
#define TAGS      "/2017-03-31/tags/{}"

const struct aws_operation sts_op_get_caller_identity =
    STS("GetCallerIdentity", "sts:GetCallerIdentity", .unsigned_call = false);
const struct aws_operation sts_op_assume_role =
    STS("AssumeRole", "sts:AssumeRole", .unsigned_call = false);
const struct aws_operation sts_op_assume_role_with_web_identity =
    STS("AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", .unsigned_call = true);

const struct aws_operation ecr_op_get_authorization_token = ECR("GetAuthorizationToken", false);
const struct aws_operation ecr_op_describe_repositories = ECR("DescribeRepositories", false);
const struct aws_operation ecr_op_create_repository = ECR("CreateRepository", true);
const struct aws_operation ecr_op_get_repository_policy = ECR("GetRepositoryPolicy", false);
const struct aws_operation ecr_op_get_lifecycle_policy = ECR("GetLifecyclePolicy", false);
const struct aws_operation ecr_op_set_repository_policy = ECR("SetRepositoryPolicy", true);
const struct aws_operation ecr_op_put_lifecycle_policy = ECR("PutLifecyclePolicy", true);
const struct aws_operation ecr_op_list_images = ECR("ListImages", false);
const struct aws_operation ecr_op_batch_get_image = ECR("BatchGetImage", false);
const struct aws_operation ecr_op_put_image = ECR("PutImage", true);

const struct aws_operation lambda_op_get_function = LAMBDA("GetFunction", "GET", FUNCTION, false);
const struct aws_operation lambda_op_update_function_code =
    LAMBDA("UpdateFunctionCode", "PUT", FUNCTION "/code", true);
const struct aws_operation lambda_op_update_function_configuration =
    LAMBDA("UpdateFunctionConfiguration", "PUT", FUNCTION "/configuration", true);
const struct aws_operation lambda_op_create_function =
    LAMBDA("CreateFunction", "POST", FUNCTIONS, true);
const struct aws_operation lambda_op_publish_version =
    LAMBDA("PublishVersion", "POST", FUNCTION "/versions", true);
const struct aws_operation lambda_op_get_alias =
    LAMBDA("GetAlias", "GET", FUNCTION "/aliases/{}", false);
const struct aws_operation lambda_op_create_alias =
    LAMBDA("CreateAlias", "POST", FUNCTION "/aliases", true);
const struct aws_operation lambda_op_update_alias =
    LAMBDA("UpdateAlias", "PUT", FUNCTION "/aliases/{}", true);
const struct aws_operation lambda_op_delete_alias =
    LAMBDA("DeleteAlias", "DELETE", FUNCTION "/aliases/{}", true);
const struct aws_operation lambda_op_invoke = {
    .service = &lambda,
    .name = "Invoke",
    .method = "POST",
    .path = FUNCTION "/invocations",
    .iam_action = "lambda:InvokeFunction",
    .changes = true, /* whatever the function does */
    .raw_answer = true,
};
const struct aws_operation lambda_op_tag_resource = LAMBDA("TagResource", "POST", TAGS, true);
const struct aws_operation lambda_op_list_tags = LAMBDA("ListTags", "GET", TAGS, false);
const struct aws_operation logs_op_filter_log_events = {
    .service = &logs,
    .name = "FilterLogEvents",
    .iam_action = "logs:FilterLogEvents",
};

const struct aws_operation *const aws_operations[] = {
    &sts_op_get_caller_identity,
    &sts_op_assume_role,
    &sts_op_assume_role_with_web_identity,
    &ecr_op_get_authorization_token,
    &ecr_op_describe_repositories,
    &ecr_op_create_repository,
    &ecr_op_get_repository_policy,
    &ecr_op_get_lifecycle_policy,
    &ecr_op_set_repository_policy,
    &ecr_op_put_lifecycle_policy,
    &ecr_op_list_images,
    &ecr_op_batch_get_image,
    &ecr_op_put_image,
    &lambda_op_get_function,
    &lambda_op_update_function_code,
    &lambda_op_update_function_configuration,
    &lambda_op_create_function,
    &lambda_op_publish_version,
    &lambda_op_get_alias,
    &lambda_op_create_alias,
    &lambda_op_update_alias,
    &lambda_op_delete_alias,
    &lambda_op_invoke,
    &lambda_op_tag_resource,
    &lambda_op_list_tags,
    &logs_op_filter_log_events,
    NULL,
};
