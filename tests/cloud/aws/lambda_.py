"""Lambda's control API: functions, their code and configuration, versions, tags. Aliases are in
aliases.py.
"""

import base64
import copy
import hashlib
import time

from . import configuration, functions, iam, images, invocations, paging
from .aliases import Aliases
from .endpoint import AwsService
from .errors import AwsError
from .functions import LATEST, Function, Version
from .protocols import RestJson

RATES = {"GetFunction": "get_function_rate", "Invoke": None}  # all others: control_rate


class Lambda(AwsService):
    name = "lambda"

    def __init__(self, cloud):
        super().__init__(cloud, RestJson)
        aliases = Aliases(cloud, self.target)
        self.operations = {
            "CreateFunction": self.create_function,
            "GetFunction": self.get_function,
            "GetFunctionConfiguration": self.get_function_configuration,
            "ListFunctions": self.list_functions,
            "UpdateFunctionCode": self.update_function_code,
            "UpdateFunctionConfiguration": self.update_function_configuration,
            "PublishVersion": self.publish_version,
            "ListVersionsByFunction": self.list_versions,
            "DeleteFunction": self.delete_function,
            "GetFunctionUrlConfig": self.get_function_url_config,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTags": self.list_tags,
            "Invoke": self.invoke,
            "CreateAlias": aliases.create_alias,
            "GetAlias": aliases.get_alias,
            "UpdateAlias": aliases.update_alias,
            "DeleteAlias": aliases.delete_alias,
            "ListAliases": aliases.list_aliases,
        }

    # Before every operation

    def resource(self, operation, parameters):
        text = parameters.get("FunctionName") or parameters.get("Resource") or parameters.get("ARN")
        match = functions.NAME.fullmatch(text) if isinstance(text, str) else None
        return match["name"] if match else text

    def authorize(self, caller, operation, parameters, call):
        rate = RATES.get(operation, "control_rate")
        if rate:
            self._count(rate, caller.account, call.region)
        action = "lambda:" + ("InvokeFunction" if operation == "Invoke" else operation)
        text = parameters.get("FunctionName") or parameters.get("Resource")
        if text is None:
            iam.authorize(caller, action, "*")
            return
        account, name, qualifier = functions.parse_name(
            text, caller.account, call.region, parameters.get("Qualifier")
        )
        arn = f"arn:aws:lambda:{call.region}:{account}:function:{name}"
        if (
            operation in ("Invoke", "GetFunction", "GetFunctionConfiguration", "DeleteFunction")
            and qualifier
        ):
            arn += f":{qualifier}"
        iam.authorize(caller, action, arn, owner=account)
        if operation in ("CreateFunction", "UpdateFunctionConfiguration") and parameters.get(
            "Role"
        ):
            context = {"iam:PassedToService": "lambda.amazonaws.com"}
            iam.authorize(caller, "iam:PassRole", parameters["Role"], context)

    def _count(self, setting, account, region):
        """The calls of one setting share its rate for the account in a region."""
        now, rate = time.monotonic(), getattr(self.cloud.settings, setting)
        key, calls = (setting, account, region), self.cloud.limited_calls
        with self.cloud.lock:
            recent = [each for each in calls.get(key, []) if each > now - 1]
            full = len(recent) >= rate
            calls[key] = recent if full else recent + [now]
        if full:
            raise AwsError(
                "TooManyRequestsException",
                "Rate exceeded",
                429,
                members={"Reason": "CallerRateLimitExceeded"},
            )

    def target(self, caller, parameters, call):
        """(function, qualifier or None)."""
        text = parameters.get("FunctionName") or parameters["Resource"]
        account, name, qualifier = functions.parse_name(
            text, caller.account, call.region, parameters.get("Qualifier")
        )
        return functions.find(self.cloud, account, call.region, name), qualifier

    # Create and show

    def create_function(self, caller, parameters, call):
        account, name, _ = functions.parse_name(
            parameters["FunctionName"], caller.account, call.region
        )
        key = (account, call.region, name)
        arn = f"arn:aws:lambda:{call.region}:{account}:function:{name}"
        configuration.check(
            self.cloud, parameters, parameters.get("PackageType", "Zip"), creating=True
        )
        configuration.check_tags(parameters.get("Tags") or {})
        if key in self.cloud.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
        version = Version(
            LATEST,
            configuration.settings_of(parameters),
            parameters.get("Architectures") or ["x86_64"],
        )
        self._set_code(
            version, parameters.get("Code", {}), caller, arn, parameters.get("PackageType", "Zip")
        )
        with self.cloud.lock:
            if key in self.cloud.functions:
                raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
            function = Function(
                account, call.region, name, parameters.get("PackageType", "Zip"), version
            )
            function.tags = dict(parameters.get("Tags") or {})
            function.created_at = self.cloud.clock.now()
            self.cloud.functions[key] = function
            functions.stamp(self.cloud, version)
            functions.touch(version)
            failure = version.image.failure if version.image else None
            create_ms = self.cloud.settings.of(name, "create_ms")
            functions.begin_create(version, create_ms, failure)
            functions.hide(function, self.cloud.settings.of(name, "visible_ms"))
            self._add_host(function)
            if parameters.get("Publish"):
                return functions.show(function, self._publish(function, None, create_ms))
            return functions.show(function, version)

    def _publish(self, function, description, after_ms, source=None):
        """A new version, which starts to become Active `after_ms` from now."""
        settings = self.cloud.settings
        milliseconds = after_ms + settings.of(function.name, "publish_ms")
        version = functions.mint(function, description, milliseconds, source)
        functions.hide(version, settings.of(function.name, "visible_ms"))
        return version

    def _add_host(self, function, alias=None):
        if self.cloud.hosts:
            self.cloud.hosts.add(function.url_host(alias))

    def get_function(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        with self.cloud.lock:
            functions.check_visible(function, qualifier)
            version = functions.pick(function, qualifier)
            result = {"Configuration": functions.show(function, version, qualifier)}
            if version.image:
                image = version.image
                result["Code"] = {
                    "RepositoryType": "ECR",
                    "ImageUri": image.uri,
                    "ResolvedImageUri": image.resolved_uri,
                }
            else:
                bucket = f"awslambda-{call.region}-tasks.s3.{call.region}.amazonaws.com"
                location = f"https://{bucket}/snapshots/{function.name}"
                result["Code"] = {"RepositoryType": "S3", "Location": location}
            if function.tags and iam.may(caller, "lambda:ListTags", function.arn):
                result["Tags"] = dict(function.tags)
            return result

    def get_function_configuration(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        with self.cloud.lock:
            return functions.show(function, functions.pick(function, qualifier), qualifier)

    def list_functions(self, caller, parameters, call):
        with self.cloud.lock:
            keys = sorted(
                key for key in self.cloud.functions if key[:2] == (caller.account, call.region)
            )
            shown = [
                functions.show(self.cloud.functions[key], self.cloud.functions[key].latest)
                for key in keys
            ]
        found, marker = paging.page(shown, parameters.get("Marker"), parameters.get("MaxItems", 50))
        return {"Functions": found, "NextMarker": marker}

    # Change

    def update_function_code(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._only_latest(qualifier)
        architectures = parameters.get("Architectures") or [
            "x86_64"
        ]  # the documented default, whatever it was
        with self.cloud.lock:
            functions.conflict(function, function.latest)
            functions.check_revision(function.latest, parameters.get("RevisionId"))
        draft = copy.copy(function.latest)
        draft.architectures = architectures
        self._set_code(draft, parameters, caller, function.arn, function.package_type)
        with self.cloud.lock:
            latest = function.latest
            functions.conflict(function, latest)
            functions.check_revision(latest, parameters.get("RevisionId"))
            if parameters.get("DryRun"):
                return functions.show(function, draft)
            functions.before_update(latest)
            latest.architectures = architectures
            latest.image, latest.code_sha256, latest.code_size = (
                draft.image,
                draft.code_sha256,
                draft.code_size,
            )
            failure = _ordered_failure(call) or (latest.image.failure if latest.image else None)
            self._begin(function, failure)
            if parameters.get("Publish"):
                update_ms = self.cloud.settings.of(function.name, "update_ms")
                return functions.show(function, self._publish(function, None, update_ms, latest))
            return functions.show(function, latest)

    def update_function_configuration(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._only_latest(qualifier)
        configuration.check(self.cloud, parameters, function.package_type, creating=False)
        with self.cloud.lock:
            latest = function.latest
            functions.conflict(function, latest)
            functions.check_revision(latest, parameters.get("RevisionId"))
            self._check_code_is_good(function)
            functions.before_update(latest)
            latest.settings.update(configuration.settings_of(parameters))
            if "Environment" in parameters:
                latest.environment_hidden = False
            self._begin(function, _ordered_failure(call))
            return functions.show(function, latest)

    def _check_code_is_good(self, function):
        """An image that is gone or was never good refuses a change of the configuration: code goes
        first.
        """
        latest = function.latest
        if latest.state == "Failed":
            message = (
                "The operation cannot be performed at this time. The function is currently in the"
                " following state: Failed"
            )
            raise AwsError("ResourceConflictException", message, 409)
        if latest.image is None:
            return
        if not images.still_there(self.cloud, latest.image, function.region):
            raise AwsError(
                "InvalidParameterValueException",
                f"Source image {latest.image.uri} does not exist. Provide a valid source image.",
            )
        text, code = latest.update_reason
        if latest.update_status == "Failed" and "Image" in (code or ""):
            raise AwsError(
                "InvalidParameterValueException",
                f"The last update of the function failed ({code}): {text}",
            )

    def _begin(self, function, failure):
        functions.stamp(self.cloud, function.latest)
        functions.touch(function.latest)
        update_ms = self.cloud.settings.of(function.name, "update_ms")
        functions.begin_update(function.latest, update_ms, failure)
        function.changed = True

    @staticmethod
    def _only_latest(qualifier):
        if qualifier not in (None, LATEST):
            raise AwsError(
                "InvalidParameterValueException",
                "This operation does not support a qualifier: only $LATEST can be changed.",
            )

    def _set_code(self, version, code, caller, arn, package_type):
        uri, zip_file = code.get("ImageUri"), code.get("ZipFile")
        if package_type == "Image":
            if not uri or zip_file or code.get("S3Bucket"):
                raise AwsError(
                    "InvalidParameterValueException",
                    "Please provide ImageUri when the intended function PackageType is Image.",
                )
            version.image = images.inspect(self.cloud, caller, uri, arn)
            version.code_sha256, version.code_size = version.image.sha256, 0
            return
        if uri:
            raise AwsError(
                "InvalidParameterValueException",
                "Please don't provide ImageUri when updating a function with packageType Zip.",
            )
        if not zip_file:
            raise AwsError(
                "InvalidParameterValueException",
                "Please provide a source for function code. (This cloud takes a ZipFile only.)",
            )
        data = base64.b64decode(zip_file)
        if data[:2] != b"PK":
            raise AwsError(
                "InvalidParameterValueException",
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            )
        version.code_sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode()
        version.code_size = len(data)

    # Versions

    def publish_version(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._only_latest(qualifier)
        with self.cloud.lock:
            latest = function.latest
            functions.conflict(function, latest)
            functions.check_revision(latest, parameters.get("RevisionId"))
            sha256 = (latest.serving or latest).code_sha256
            if parameters.get("CodeSha256") not in (None, "", sha256):
                raise AwsError(
                    "InvalidParameterValueException",
                    (
                        f"CodeSHA256 ({parameters['CodeSha256']}) is different from current"
                        f" CodeSHA256 in $LATEST ({sha256}). Please try again with the CodeSHA256"
                        " in $LATEST."
                    ),
                )
            if not function.changed and function.versions:
                return functions.show(function, function.versions[max(function.versions, key=int)])
            published = self._publish(function, parameters.get("Description"), 0)
            return functions.show(function, published)

    def list_versions(self, caller, parameters, call):
        function, _ = self.target(caller, parameters, call)
        with self.cloud.lock:
            versions = [function.latest] + [
                function.versions[number] for number in sorted(function.versions, key=int)
            ]
            shown = [functions.show(function, each, each.number) for each in versions]
        found, marker = paging.page(shown, parameters.get("Marker"), parameters.get("MaxItems", 50))
        return {"Versions": found, "NextMarker": marker}

    def delete_function(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        with self.cloud.lock:
            if qualifier is None:
                del self.cloud.functions[(function.account, function.region, function.name)]
            elif qualifier not in function.versions:
                if qualifier == LATEST or qualifier in function.aliases:
                    raise AwsError(
                        "InvalidParameterValueException",
                        "$LATEST version cannot be deleted without deleting the function.",
                    )
                raise functions.missing(f"{function.arn}:{qualifier}")
            else:
                users = [
                    each.name
                    for each in function.aliases.values()
                    if qualifier in (each.version, *functions.settle_alias(each).weights)
                ]
                if users:
                    message = (
                        "Unable to delete version because the following aliases reference it:"
                        f" [{', '.join(users)}]"
                    )
                    raise AwsError("ResourceConflictException", message, 409)
                del function.versions[qualifier]
        if self.cloud.pools:
            self.cloud.pools.end(function.arn, None if qualifier is None else qualifier)

    def get_function_url_config(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        with self.cloud.lock:
            functions.pick(function, qualifier)
        alias = qualifier if qualifier != LATEST else None
        if alias in function.versions:
            raise AwsError(
                "InvalidParameterValueException", "A function URL is of an alias or of $LATEST."
            )
        return {
            "FunctionUrl": f"https://{function.url_host(alias)}/",
            "FunctionArn": function.arn + (f":{alias}" if alias else ""),
            "AuthType": "NONE",
            "CreationTime": function.latest.last_modified,
            "LastModifiedTime": function.latest.last_modified,
            "InvokeMode": "BUFFERED",
        }

    # Tags

    def tag_resource(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._no_qualifier(qualifier)
        with self.cloud.lock:
            tags = {**function.tags, **parameters["Tags"]}
            configuration.check_tags(tags)
            function.tags = tags

    def untag_resource(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._no_qualifier(qualifier)
        with self.cloud.lock:
            function.tags = {
                name: value
                for name, value in function.tags.items()
                if name not in parameters["TagKeys"]
            }

    def list_tags(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        self._no_qualifier(qualifier)
        return {"Tags": dict(function.tags)}

    @staticmethod
    def _no_qualifier(qualifier):
        if qualifier:
            raise AwsError(
                "InvalidParameterValueException",
                (
                    "Tags on function aliases and versions are not supported. Please specify either"
                    " a function ARN or an event source mapping ARN"
                ),
            )

    # Invoke

    def invoke(self, caller, parameters, call):
        function, qualifier = self.target(caller, parameters, call)
        return invocations.invoke(self.cloud, function, qualifier, parameters)


def _ordered_failure(call):
    """(text, code) of a failure that a test ordered for this update."""
    wish = getattr(call, "update_failure", None)
    if wish is None:
        return None
    return wish.get("reason", "ordered by a test"), wish.get("reason_code", "InvalidImage")
