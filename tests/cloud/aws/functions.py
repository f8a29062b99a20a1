"""Lambda's records: functions, versions, aliases, their states, and how they are shown.

Nothing runs in the background: a state that time has settled is settled when somebody looks.
"""

import copy
import re
import time
import uuid
from dataclasses import dataclass, field

from .clock import iso_millis
from .errors import AwsError

LATEST = "$LATEST"
NAME = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:"
    r"|(?P<partial>\d{12}):function:|function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


@dataclass
class Version:
    """$LATEST or a published version. `settings` holds the members of CreateFunction that stay."""

    number: str
    settings: dict
    architectures: list
    image: object = None  # images.Image; None: a zip
    code_sha256: str = ""
    code_size: int = 0
    last_modified: str = ""
    revision_id: str = ""
    state: str = "Active"
    state_reason: tuple = (None, None)  # (text, code)
    update_status: str = None
    update_reason: tuple = (None, None)
    settles_at: float = None  # monotonic
    failure: tuple = None  # (text, code): how it settles, if not well
    environment_hidden: bool = False  # Lambda cannot decrypt it for the caller
    generation: str = field(
        default_factory=lambda: uuid.uuid4().hex
    )  # containers of another one are stale
    serving: object = None  # the Version that answers while this one is on its way, or has failed
    visible_at: float = 0  # monotonic: GetFunction does not find it before


@dataclass
class Alias:
    name: str
    version: str
    description: str = ""
    weights: dict = field(default_factory=dict)
    revision_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    settles_at: float = None  # monotonic; not None: the weights are AWS's own, of a transition

    @property
    def serving(self):
        """The version that a transition leaves, else the one that the alias names."""
        return next(iter(self.weights)) if self.settles_at is not None else self.version


@dataclass
class Function:
    account: str
    region: str
    name: str
    package_type: str
    latest: Version
    tags: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)  # number -> Version
    aliases: dict = field(default_factory=dict)
    next_number: int = 1
    changed: bool = True  # since the last PublishVersion
    created_at: float = 0
    visible_at: float = 0  # as of a Version

    @property
    def arn(self):
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def url_host(self, alias=None):
        label = f"{alias}--{self.name}" if alias else self.name
        return f"{label.lower()}.lambda-url.{self.region}.on.aws"


def parse_name(text, caller_account, region, qualifier=None):
    """(account, name, qualifier or None) of a name, a partial or a full ARN; AwsError."""
    match = NAME.fullmatch(text)
    if not match:
        raise AwsError("InvalidParameterValueException", f"Invalid function name: {text}")
    if match["region"] and match["region"] != region:
        raise AwsError(
            "ResourceNotFoundException",
            f"Functions from '{match['region']}' are not reachable in this region ('{region}')",
            404,
        )
    if match["qualifier"] and qualifier and match["qualifier"] != qualifier:
        raise AwsError(
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    account = match["account"] or match["partial"] or caller_account
    return account, match["name"], qualifier or match["qualifier"]


def find(cloud, account, region, name):
    function = cloud.functions.get((account, region, name))
    if function is None:
        raise missing(f"arn:aws:lambda:{region}:{account}:function:{name}")
    return function


def missing(arn):
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)


def hide(item, milliseconds):
    """GetFunction does not find a function or a version that was just made, for a while."""
    item.visible_at = time.monotonic() + milliseconds / 1000


def check_visible(function, qualifier):
    """ResourceNotFoundException while GetFunction does not find the function, or this version."""
    now = time.monotonic()
    if now < function.visible_at:
        raise missing(function.arn)
    version = function.versions.get(qualifier)
    if version and now < version.visible_at:
        raise missing(f"{function.arn}:{qualifier}")


def pick(function, qualifier, draw=None):
    """The Version behind a qualifier; `draw` in [0, 1) chooses between an alias's versions."""
    if qualifier in (None, LATEST):
        return function.latest
    if qualifier in function.versions:
        return function.versions[qualifier]
    alias = function.aliases.get(qualifier)
    if alias is None:
        raise missing(f"{function.arn}:{qualifier}")
    settle_alias(alias)
    number = alias.version
    for other, weight in alias.weights.items():
        if draw is not None and draw < weight:
            number = other
            break
        draw = draw - weight if draw is not None else None
    return function.versions[number] if number != LATEST else function.latest


def touch(item):
    """A new RevisionId for a version or an alias."""
    item.revision_id = str(uuid.uuid4())


def renew(version):
    """Its containers from before are stale."""
    version.generation = uuid.uuid4().hex


def settle(version):
    """What time has done to a version by now."""
    if version.settles_at is None or time.monotonic() < version.settles_at:
        return version
    version.settles_at = None
    failure, version.failure = version.failure, None
    if version.state == "Pending":
        version.state, version.state_reason = (
            ("Failed", failure) if failure else ("Active", (None, None))
        )
        version.update_status = version.update_status or "Successful"
    if version.update_status == "InProgress":
        version.update_status, version.update_reason = (
            ("Failed", failure) if failure else ("Successful", (None, None))
        )
        if not failure and version.state in (
            "Inactive",
            "Failed",
        ):  # the new code is optimised, and that wakes it
            version.state, version.state_reason = "Active", (None, None)
    if not failure:
        version.serving = None
    touch(version)
    return version


def settle_alias(alias):
    """What time has done to an alias by now."""
    if alias.settles_at is not None and time.monotonic() >= alias.settles_at:
        alias.weights, alias.settles_at = {}, None
        touch(alias)
    return alias


def begin_transition(alias, serving, milliseconds):
    """The version that served goes on until the alias's new one is provisioned, shown as a weight."""
    if not milliseconds or serving == alias.version or LATEST in (serving, alias.version):
        return
    alias.weights = {serving: 1.0}
    alias.settles_at = time.monotonic() + milliseconds / 1000
    touch(alias)


def begin_create(version, milliseconds, failure=None):
    version.state, version.state_reason = "Pending", ("The function is being created.", "Creating")
    version.settles_at, version.failure = time.monotonic() + milliseconds / 1000, failure


def begin_update(version, milliseconds, failure=None):
    """From here on the version shows what is coming; `serving` is what it was."""
    version.update_status = "InProgress"
    version.update_reason = ("The function is being created.", "Creating")
    version.settles_at, version.failure = time.monotonic() + milliseconds / 1000, failure


def before_update(version):
    """Keep what serves now, then let the caller change the version."""
    serving = version.serving or copy.copy(version)
    serving.serving = None
    version.serving = serving
    version.settings = copy.deepcopy(version.settings)
    renew(version)


def conflict(function, version):
    """ResourceConflictException if the version cannot be changed or published now."""
    settle(version)
    if version.state == "Pending":
        raise _in_state("Pending")
    if version.update_status == "InProgress":
        message = (
            "The operation cannot be performed at this time. An update is in progress for"
            " resource: "
        )
        raise AwsError("ResourceConflictException", message + function.arn, 409)


def _in_state(state):
    message = (
        "The operation cannot be performed at this time. The function is currently in the following"
        " state: "
    )
    return AwsError("ResourceConflictException", message + state, 409)


def wake(version, milliseconds):
    """ResourceConflictException unless the version can be invoked now; an idle one is woken by the
    attempt.
    """
    settle(version)
    if version.state == "Inactive":
        version.state, version.state_reason = "Pending", (
            "The function is being restored.",
            "Restoring",
        )
        version.settles_at = time.monotonic() + milliseconds / 1000
        raise _in_state("Inactive")
    if version.state != "Active":
        raise _in_state(version.state)


def check_revision(item, revision_id):
    if revision_id and revision_id != item.revision_id:
        raise AwsError(
            "PreconditionFailedException",
            (
                "The Revision Id provided does not match the latest Revision Id. Call the"
                " GetFunction/GetAlias API to retrieve the latest Revision Id"
            ),
            412,
        )


def mint(function, description, milliseconds, source=None):
    """A new version of what $LATEST serves, or of `source`."""
    source = source or function.latest.serving or function.latest
    number = str(function.next_number)
    function.next_number += 1
    version = copy.copy(source)
    version.settings = copy.deepcopy(source.settings)
    version.number, version.serving = number, None
    version.update_status, version.update_reason = "Successful", (None, None)
    renew(version)
    if description is not None:
        version.settings["Description"] = description
    begin_create(version, milliseconds, source.failure)
    touch(version)
    function.versions[number] = version
    function.changed = False
    return version


def show(function, version, qualifier=None):
    """FunctionConfiguration."""
    settle(version)
    qualifier = qualifier or (version.number if version.number != LATEST else None)
    settings = version.settings
    shown = {
        "FunctionName": function.name,
        "FunctionArn": function.arn + (f":{qualifier}" if qualifier else ""),
        "Role": settings["Role"],
        "CodeSize": version.code_size,
        "Description": settings.get("Description", ""),
        "Timeout": settings.get("Timeout", 3),
        "MemorySize": settings.get("MemorySize", 128),
        "LastModified": version.last_modified,
        "CodeSha256": version.code_sha256,
        "Version": version.number,
        "TracingConfig": settings.get("TracingConfig", {"Mode": "PassThrough"}),
        "RevisionId": version.revision_id,
        "PackageType": function.package_type,
        "Architectures": list(version.architectures),
        "EphemeralStorage": settings.get("EphemeralStorage", {"Size": 512}),
        "SnapStart": {
            "ApplyOn": settings.get("SnapStart", {}).get("ApplyOn", "None"),
            "OptimizationStatus": "Off",
        },
        "LoggingConfig": {
            "LogFormat": "Text",
            "LogGroup": f"/aws/lambda/{function.name}",
            **settings.get("LoggingConfig", {}),
        },
        "State": version.state,
        "StateReason": version.state_reason[0],
        "StateReasonCode": version.state_reason[1],
        "LastUpdateStatus": version.update_status,
        "LastUpdateStatusReason": version.update_reason[0],
        "LastUpdateStatusReasonCode": version.update_reason[1],
    }
    for name in ("Runtime", "Handler", "KMSKeyArn", "DeadLetterConfig", "FileSystemConfigs"):
        if settings.get(name):
            shown[name] = settings[name]
    _show_environment(shown, version)
    if settings.get("ImageConfig"):
        shown["ImageConfigResponse"] = {"ImageConfig": settings["ImageConfig"]}
    if settings.get("Layers"):
        shown["Layers"] = [{"Arn": arn, "CodeSize": 1024} for arn in settings["Layers"]]
    if settings.get("VpcConfig"):
        vpc = settings["VpcConfig"]
        shown["VpcConfig"] = {
            "SubnetIds": vpc.get("SubnetIds", []),
            "SecurityGroupIds": vpc.get("SecurityGroupIds", []),
            "VpcId": "vpc-0a1b2c3d4e5f60718" if vpc.get("SubnetIds") else "",
            "Ipv6AllowedForDualStack": vpc.get("Ipv6AllowedForDualStack", False),
        }
    return {name: value for name, value in shown.items() if value is not None}


def _show_environment(shown, version):
    variables = (version.settings.get("Environment") or {}).get("Variables")
    if not variables:
        return
    if version.environment_hidden:
        message = (
            "Lambda was unable to decrypt your environment variables because the KMS access was"
            " denied."
        )
        shown["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException", "Message": message}}
    else:
        shown["Environment"] = {"Variables": variables}


def show_alias(function, alias):
    settle_alias(alias)
    shown = {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": alias.weights}
    return shown


def stamp(cloud, version):
    version.last_modified = iso_millis(cloud.clock.now(), "+0000")
