"""What may stand in a function's configuration, its environment and its tags, beyond what the
model says.
"""

import copy
import re

from .errors import AwsError

IMAGE_CANNOT = ("Runtime", "Handler", "Layers")
NOT_SETTINGS = (
    "FunctionName",
    "RevisionId",
    "Code",
    "PackageType",
    "Publish",
    "Architectures",
    "Tags",
)
ENVIRONMENT_BYTES = 4096
RESERVED = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}
TAG_TEXT = re.compile(r"[\w \u00a0.:/=+\-@]*")
TAGS_AT_MOST = 50


def settings_of(parameters):
    return {
        name: copy.deepcopy(value)
        for name, value in parameters.items()
        if name not in NOT_SETTINGS and name != "DryRun"
    }


def check(cloud, parameters, package_type, creating):
    if package_type == "Image" and any(parameters.get(name) for name in IMAGE_CANNOT):
        raise AwsError(
            "InvalidParameterValueException",
            (
                "Please don't provide Handler or Runtime or Layer when the intended function"
                " PackageType is Image."
            ),
        )
    if package_type == "Zip" and parameters.get("ImageConfig"):
        raise AwsError(
            "InvalidParameterValueException",
            "Please don't provide ImageConfig when the intended function PackageType is Zip.",
        )
    if (
        package_type == "Zip"
        and creating
        and not (parameters.get("Runtime") and parameters.get("Handler"))
    ):
        raise AwsError(
            "InvalidParameterValueException",
            (
                "Runtime and Handler are mandatory parameters for functions created with deployment"
                " packages."
            ),
        )
    role = cloud.roles.get(parameters.get("Role"))
    if (
        role
        and role.trust.decide("sts:AssumeRole", role.arn, {}, {"Service": {"lambda.amazonaws.com"}})
        != "Allow"
    ):
        raise AwsError(
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        )
    _check_environment((parameters.get("Environment") or {}).get("Variables") or {})


def _check_environment(variables):
    reserved = sorted(RESERVED & set(variables))
    if reserved:
        message = (
            "Lambda was unable to configure your environment variables because the environment"
            " variables you have provided contains reserved keys that are currently not supported"
            f" for modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
        raise AwsError("InvalidParameterValueException", message)
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_BYTES:
        message = (
            "Lambda was unable to configure your environment variables because the environment"
            " variables you have "
        )
        raise AwsError(
            "InvalidParameterValueException",
            message + f"provided exceeded the {ENVIRONMENT_BYTES // 1024}KB limit.",
        )


def check_tags(tags):
    if len(tags) > TAGS_AT_MOST:
        raise AwsError(
            "InvalidParameterValueException", f"A function has at most {TAGS_AT_MOST} tags."
        )
    for name, value in tags.items():
        if not 1 <= len(name) <= 128 or len(value) > 256:
            raise AwsError(
                "InvalidParameterValueException",
                "Tag keys have 1 to 128 characters, tag values up to 256.",
            )
        if (
            name.lower().startswith("aws:")
            or not TAG_TEXT.fullmatch(name)
            or not TAG_TEXT.fullmatch(value)
        ):
            raise AwsError(
                "InvalidParameterValueException",
                (
                    f"Tag {name!r}: only letters, digits, spaces and _.:/=+-@ are allowed, and no"
                    " aws: in front."
                ),
            )
