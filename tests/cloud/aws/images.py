"""What Lambda wants of an image: it is there, Lambda may read it, its manifest and layers are of a
kind that it takes.
"""

import json
import re
from dataclasses import dataclass

from . import iam
from .cloud import parse_policy_text
from .errors import AwsError
from .storage import INDEX_TYPES

URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[a-z0-9._/-]+?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]*))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
CONFIGS = (
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
)
LAYERS = (
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
ZSTD = (
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
)
LIMIT_BYTES = 10 * 1024**3
GZIP = b"\x1f\x8b"
SOURCE_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
STATEMENT = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}


@dataclass(frozen=True)
class Image:
    uri: str  # as the caller said
    repository_uri: str
    digest: str
    upstream: str  # the repository's name in the storage
    architecture: str  # of the image's own configuration: "amd64", "arm64"
    config: str  # JSON of its run configuration: Entrypoint, Cmd, Env …
    failure: tuple = None  # (text, code): found when Lambda unpacks it, after the call was accepted

    @property
    def resolved_uri(self):
        return f"{self.repository_uri}@{self.digest}"

    @property
    def sha256(self):
        return self.digest.removeprefix("sha256:")


def inspect(cloud, caller, uri, function_arn):
    """An Image; AwsError as CreateFunction and UpdateFunctionCode give it at once. `caller` None:
    the control port.
    """
    match = URI.fullmatch(uri)
    parts = function_arn.split(":")
    region, account = parts[3], parts[4]
    if not match or match["region"] != region:
        raise AwsError(
            "InvalidParameterValueException",
            f"Source image {uri} is not valid. Provide a valid source image.",
        )
    repository = cloud.repositories.get((match["account"], region, match["name"]))
    digest = _digest(repository, match) if repository else None
    if digest is None:
        raise AwsError(
            "InvalidParameterValueException",
            f"Source image {uri} does not exist. Provide a valid source image.",
        )
    if caller is not None:
        _check_access(cloud, caller, repository, account, function_arn)
    record = repository.images[digest]
    data = cloud.storage.manifest(repository.upstream, digest)
    if data is None:
        raise AwsError(
            "InvalidParameterValueException",
            f"Source image {uri} does not exist. Provide a valid source image.",
        )
    manifest = json.loads(data)
    zstd_layers = cloud.settings.of(parts[6], "zstd_layers")
    _check_types(uri, manifest, record.media_type, zstd_layers)
    failure = _find_failure(cloud, repository, manifest, zstd_layers)
    config = cloud.storage.blob_json(repository.upstream, manifest["config"]["digest"]) or {}
    run = json.dumps(config.get("config") or {})
    return Image(
        uri,
        repository.uri,
        digest,
        repository.upstream,
        config.get("architecture", ""),
        run,
        failure,
    )


def still_there(cloud, image, region):
    """Is the image in its repository yet?"""
    match = URI.fullmatch(image.resolved_uri)
    repository = cloud.repositories.get((match["account"], region, match["name"]))
    return repository is not None and image.digest in repository.images


def _digest(repository, match):
    digest = match["digest"] or repository.tags.get(match["tag"] or "latest")
    return digest if digest in repository.images else None


def _check_types(uri, manifest, media_type, zstd_layers):
    refusal = AwsError(
        "InvalidParameterValueException",
        (
            f"The image manifest, config or layer media type for the source image {uri} is not"
            " supported."
        ),
    )
    if media_type in INDEX_TYPES or media_type not in MANIFESTS:
        raise refusal
    if manifest["config"].get("mediaType") not in CONFIGS:
        raise refusal
    for layer in manifest["layers"]:
        zstd = layer.get("mediaType") in ZSTD
        if zstd and zstd_layers == "refuse":
            raise refusal
        if not zstd and layer.get("mediaType") not in LAYERS:
            raise refusal
    size = sum(layer["size"] for layer in manifest["layers"])
    if size > LIMIT_BYTES:
        message = (
            f"The size of the source image {uri}, {size} bytes, exceeds the limit of"
            f" {LIMIT_BYTES} bytes."
        )
        raise AwsError("InvalidParameterValueException", message)


def _find_failure(cloud, repository, manifest, zstd_layers):
    """What Lambda finds only while it unpacks the image."""
    for layer in manifest["layers"]:
        digest, media_type = layer["digest"], layer["mediaType"]
        if media_type in ZSTD:
            if zstd_layers == "fail":
                return f"UnsupportedImageLayerDetected: Layer Digest {digest}", "InvalidImage"
            continue
        start = cloud.storage.blob_start(repository.upstream, digest, 2)
        if start is None:
            return (
                f"Layer with digest {digest} cannot be read from the source image.",
                "InvalidImage",
            )
        if media_type.endswith("gzip") and start != GZIP:
            return f"UnsupportedImageLayerDetected: Layer Digest {digest}", "InvalidImage"
    return None


def _check_access(cloud, caller, repository, account, function_arn):
    """Lambda reads by the repository's policy; for a caller who may, it writes its statement there
    itself.
    """
    if _policy_allows(repository, account, function_arn):
        return
    own = repository.account == account
    needed = ("ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy")
    if not own or not all(
        iam.may(caller, action, repository.arn, resource_policy=repository.policy)
        for action in needed
    ):
        raise AwsError(
            "AccessDeniedException",
            "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
            403,
        )
    document = (
        json.loads(repository.policy_text)
        if repository.policy_text
        else {"Version": "2008-10-17", "Statement": []}
    )
    statements = (
        document["Statement"]
        if isinstance(document["Statement"], list)
        else [document["Statement"]]
    )
    document["Statement"] = statements + [STATEMENT]
    with cloud.lock:
        repository.policy_text = json.dumps(document)
        repository.policy = parse_policy_text(repository.policy_text)


def _policy_allows(repository, account, function_arn):
    if repository.policy is None:
        return False
    context = {"aws:SourceArn": function_arn, "aws:SourceAccount": account}
    for action in SOURCE_ACTIONS:
        service = {"Service": {"lambda.amazonaws.com"}}
        if repository.policy.decide(action, repository.arn, context, service) != "Allow":
            return False
        if repository.account != account:
            caller = {"AWS": {account, f"arn:aws:iam::{account}:root", "*"}}
            if repository.policy.decide(action, repository.arn, context, caller) != "Allow":
                return False
    return True
