/*
 * aws_operations.h: the rows of the table of everything that this program can ask of AWS.
 *
 * The service files (sts.c, ecr.c, lambda.c, …) name the rows; aws_operations.c holds them, one
 * beside the other, so that a reader sees the whole reach of the program at a glance and the IAM
 * policies in the documentation can be compared with it.
 */
#ifndef SERVICES_AWS_OPERATIONS_H
#define SERVICES_AWS_OPERATIONS_H

#include "services/aws.h"

extern const struct aws_operation sts_op_get_caller_identity;
extern const struct aws_operation sts_op_assume_role;
extern const struct aws_operation sts_op_assume_role_with_web_identity;

extern const struct aws_operation ecr_op_get_authorization_token;
extern const struct aws_operation ecr_op_describe_repositories;
extern const struct aws_operation ecr_op_create_repository;
extern const struct aws_operation ecr_op_get_repository_policy;
extern const struct aws_operation ecr_op_get_lifecycle_policy;
extern const struct aws_operation ecr_op_set_repository_policy;
extern const struct aws_operation ecr_op_put_lifecycle_policy;
extern const struct aws_operation ecr_op_list_images;
extern const struct aws_operation ecr_op_batch_get_image;
extern const struct aws_operation ecr_op_put_image;

extern const struct aws_operation lambda_op_get_function;
extern const struct aws_operation lambda_op_update_function_code;
extern const struct aws_operation lambda_op_update_function_configuration;
extern const struct aws_operation lambda_op_create_function;
extern const struct aws_operation lambda_op_publish_version;
extern const struct aws_operation lambda_op_get_alias;
extern const struct aws_operation lambda_op_create_alias;
extern const struct aws_operation lambda_op_update_alias;
extern const struct aws_operation lambda_op_delete_alias;
extern const struct aws_operation lambda_op_invoke;
extern const struct aws_operation lambda_op_tag_resource;
extern const struct aws_operation lambda_op_list_tags;

extern const struct aws_operation logs_op_filter_log_events;

#endif
