"""ECR's records: repositories, their settings, images and tags. The images' bytes are in the
storage.
"""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .errors import AwsError
from .storage import INDEX_TYPES, MANIFEST_TYPES, digest_of

NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class ImageRecord:
    digest: str
    media_type: str
    artifact_type: str
    size: int
    pushed_at: float


@dataclass
class Repository:
    account: str
    region: str
    name: str
    upstream: str  # its name in the storage
    created_at: float
    mutability: str = "MUTABLE"
    exclusions: list = field(
        default_factory=list
    )  # patterns of tags that the mutability is not for
    scan_on_push: bool = False
    encryption: str = "AES256"
    policy_text: str = None
    policy: object = None
    lifecycle_text: str = None
    resource_tags: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)  # digest -> ImageRecord
    tags: dict = field(default_factory=dict)  # tag -> digest

    @property
    def arn(self):
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{self.name}"

    @property
    def uri(self):
        return f"{registry_host(self.account, self.region)}/{self.name}"

    def fixed(self, tag):
        """Can this tag not be moved?"""
        excluded = any(fnmatchcase(tag, pattern) for pattern in self.exclusions)
        return self.mutability.startswith("IMMUTABLE") != excluded

    def tags_of(self, digest):
        return sorted(tag for tag, target in self.tags.items() if target == digest)


def registry_host(account, region):
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


def arn_of(account, region, name):
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


def not_found(account, name):
    message = (
        f"The repository with name '{name}' does not exist in the registry with id '{account}'"
    )
    return AwsError("RepositoryNotFoundException", message)


def tag_is_fixed(repository, tag):
    return AwsError(
        "ImageTagAlreadyExistsException",
        (
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot"
            " be overwritten because the repository is immutable."
        ),
    )


def find(cloud, account, region, name):
    with cloud.lock:
        repository = cloud.repositories.get((account, region, name))
    if repository is None:
        raise not_found(account, name)
    return repository


def create(cloud, account, region, name):
    with cloud.lock:
        key = (account, region, name)
        if key in cloud.repositories:
            message = (
                f"The repository with name '{name}' already exists in the registry with id"
                f" '{account}'"
            )
            raise AwsError("RepositoryAlreadyExistsException", message)
        upstream = f"{cloud.epoch}/{account}/{region}/{name}"
        cloud.repositories[key] = Repository(account, region, name, upstream, cloud.clock.now())
        return cloud.repositories[key]


def read_manifest(data, media_type):
    """(manifest as a dict, its media type); AwsError."""
    try:
        manifest = json.loads(data)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise AwsError(
            "InvalidParameterException", "Invalid parameter at 'imageManifest': it is not JSON"
        )
    media_type = media_type or manifest.get("mediaType")
    if media_type not in MANIFEST_TYPES or manifest.get("mediaType", media_type) != media_type:
        raise AwsError(
            "InvalidParameterException", f"Invalid parameter: manifest media type '{media_type}'"
        )
    return manifest, media_type


def references(manifest, media_type):
    """(digests of blobs, digests of manifests) that a manifest needs."""
    if media_type in INDEX_TYPES:
        return [], [each["digest"] for each in manifest.get("manifests", [])]
    return [each["digest"] for each in [manifest["config"], *manifest.get("layers", [])]], []


def size_of(manifest, media_type):
    if media_type in INDEX_TYPES:
        return sum(each.get("size", 0) for each in manifest.get("manifests", []))
    return sum(each.get("size", 0) for each in manifest.get("layers", []))


def store_manifest(cloud, repository, data, media_type, tag):
    """Put a manifest whose blobs are all there under its digest and perhaps a tag; the digest.

    An immutable tag that exists, on whatever digest, is refused: callers that know of harmless
    repetitions look first.
    """
    manifest, media_type = read_manifest(data, media_type)
    digest = digest_of(data)
    check_tag(repository, tag)
    try:
        blobs, manifests = references(manifest, media_type)
    except (KeyError, TypeError):
        raise AwsError(
            "InvalidParameterException", "Invalid parameter at 'imageManifest': a member is missing"
        ) from None
    missing = [each for each in blobs if cloud.storage.blob_size(repository.upstream, each) is None]
    if missing:
        message = (
            f"Layers with digests '[{', '.join(missing)}]' required for pushing image into"
            " repository with name "
        )
        message += (
            f"'{repository.name}' in the registry with id '{repository.account}' do not exist"
        )
        raise AwsError("LayersNotFoundException", message)
    absent = [each for each in manifests if each not in repository.images]
    if absent:
        message = (
            f"Images with digests '[{', '.join(absent)}]' required for pushing image into"
            " repository with name "
        )
        message += (
            f"'{repository.name}' in the registry with id '{repository.account}' do not exist"
        )
        raise AwsError("ReferencedImagesNotFoundException", message)
    refusal = cloud.storage.put_manifest(repository.upstream, data, media_type)
    if refusal:
        raise AwsError(
            "InvalidParameterException",
            f"Invalid parameter at 'imageManifest': {refusal[1][:300]!r}",
        )
    artifact = manifest.get("artifactType") or manifest.get("config", {}).get("mediaType")
    with cloud.lock:
        check_tag(repository, tag)
        if digest not in repository.images:
            record = ImageRecord(
                digest, media_type, artifact, size_of(manifest, media_type), cloud.clock.now()
            )
            repository.images[digest] = record
        if tag:
            repository.tags[tag] = digest
    return digest


def check_tag(repository, tag):
    if tag and tag in repository.tags and repository.fixed(tag):
        raise tag_is_fixed(repository, tag)
