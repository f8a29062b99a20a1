"""ECR's control API."""

import base64
import json
import secrets

from . import iam, paging, repositories
from .cloud import Password, parse_policy_text
from .endpoint import AwsService
from .errors import AwsError, ControlError
from .protocols import Json
from .storage import StorageError, digest_of

PASSWORD_S = 12 * 3600
GLOBAL = ("GetAuthorizationToken",)


class Ecr(AwsService):
    name = "ecr"

    def __init__(self, cloud):
        super().__init__(cloud, Json)
        self.operations = {
            "GetAuthorizationToken": self.get_authorization_token,
            "CreateRepository": self.create_repository,
            "DescribeRepositories": self.describe_repositories,
            "DeleteRepository": self.delete_repository,
            "PutImageTagMutability": self.put_image_tag_mutability,
            "PutLifecyclePolicy": self.put_lifecycle_policy,
            "GetLifecyclePolicy": self.get_lifecycle_policy,
            "DeleteLifecyclePolicy": self.delete_lifecycle_policy,
            "SetRepositoryPolicy": self.set_repository_policy,
            "GetRepositoryPolicy": self.get_repository_policy,
            "DeleteRepositoryPolicy": self.delete_repository_policy,
            "DescribeImages": self.describe_images,
            "ListImages": self.list_images,
            "BatchGetImage": self.batch_get_image,
            "PutImage": self.put_image,
            "BatchDeleteImage": self.batch_delete_image,
            "BatchCheckLayerAvailability": self.batch_check_layer_availability,
            "GetDownloadUrlForLayer": self.get_download_url_for_layer,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    def resource(self, operation, parameters):
        name = parameters.get("repositoryName") or parameters.get("resourceArn")
        names = parameters.get("repositoryNames")
        if name is None and isinstance(names, list) and names:
            name = ",".join(str(each) for each in names)
        return name if isinstance(name, str) else None

    def authorize(self, caller, operation, parameters, call):
        action = f"ecr:{operation}"
        if operation in GLOBAL:
            iam.authorize(caller, action, "*")
            return
        account = parameters.get("registryId") or caller.account
        if "resourceArn" in parameters:
            iam.authorize(caller, action, parameters["resourceArn"])
            return
        names = parameters.get("repositoryNames") or [parameters.get("repositoryName") or "*"]
        for name in names:
            known = self.cloud.repositories.get((account, call.region, name))
            arn = repositories.arn_of(account, call.region, name)
            policy = known.policy if known else None
            iam.authorize(caller, action, arn, resource_policy=policy, owner=account)

    def _repository(self, caller, parameters, call):
        account = parameters.get("registryId") or caller.account
        return repositories.find(self.cloud, account, call.region, parameters["repositoryName"])

    def _by_arn(self, caller, parameters):
        parts = parameters["resourceArn"].split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("repository/"):
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
            )
        return repositories.find(
            self.cloud, parts[4], parts[3], parts[5].removeprefix("repository/")
        )

    # Passwords

    def get_authorization_token(self, caller, parameters, call):
        wanted = parameters.get("registryIds") or [caller.account]
        expires = self.cloud.clock.now() + PASSWORD_S
        found = []
        for account in wanted:
            password = secrets.token_urlsafe(48)
            with self.cloud.lock:
                self.cloud.passwords[password] = Password(caller, expires)
                self.cloud.issue(password)
            found.append(
                {
                    "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
                    "expiresAt": round(expires, 3),
                    "proxyEndpoint": f"https://{repositories.registry_host(account, call.region)}",
                }
            )
        return {"authorizationData": found}

    # Repositories

    def create_repository(self, caller, parameters, call):
        account = parameters.get("registryId") or caller.account
        if account != caller.account:
            raise AwsError(
                "AccessDeniedException", "a repository cannot be made in another account", 403
            )
        filters = parameters.get("imageTagMutabilityExclusionFilters") or []
        repository = repositories.create(
            self.cloud, account, call.region, parameters["repositoryName"]
        )
        with self.cloud.lock:
            repository.mutability = parameters.get("imageTagMutability", "MUTABLE")
            repository.exclusions = [each["filter"] for each in filters]
            repository.scan_on_push = parameters.get("imageScanningConfiguration", {}).get(
                "scanOnPush", False
            )
            repository.encryption = parameters.get("encryptionConfiguration", {}).get(
                "encryptionType", "AES256"
            )
            repository.resource_tags = {
                each["Key"]: each.get("Value", "") for each in parameters.get("tags") or []
            }
            return {"repository": _describe(repository)}

    def describe_repositories(self, caller, parameters, call):
        account = parameters.get("registryId") or caller.account
        names = parameters.get("repositoryNames")
        if names:
            found = [repositories.find(self.cloud, account, call.region, name) for name in names]
        else:
            with self.cloud.lock:
                keys = sorted(
                    key for key in self.cloud.repositories if key[:2] == (account, call.region)
                )
                found = [self.cloud.repositories[key] for key in keys]
        shown, token = paging.page(
            found, parameters.get("nextToken"), parameters.get("maxResults", 100)
        )
        return {"repositories": [_describe(each) for each in shown], "nextToken": token}

    def delete_repository(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        with self.cloud.lock:
            if repository.images and not parameters.get("force"):
                message = (
                    f"The repository with name '{repository.name}' in registry with id"
                    f" '{repository.account}' "
                )
                raise AwsError(
                    "RepositoryNotEmptyException",
                    message + "cannot be deleted because it still contains images",
                )
            del self.cloud.repositories[(repository.account, repository.region, repository.name)]
            repository.images.clear()
        return {"repository": _describe(repository)}

    def put_image_tag_mutability(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        filters = parameters.get("imageTagMutabilityExclusionFilters") or []
        with self.cloud.lock:
            repository.mutability = parameters["imageTagMutability"]
            repository.exclusions = [each["filter"] for each in filters]
        return {**_names(repository), "imageTagMutability": repository.mutability}

    # Policies

    def put_lifecycle_policy(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        text = parameters["lifecyclePolicyText"]
        _check_lifecycle(text)
        repository.lifecycle_text = text
        return {**_names(repository), "lifecyclePolicyText": text}

    def get_lifecycle_policy(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        if repository.lifecycle_text is None:
            raise AwsError(
                "LifecyclePolicyNotFoundException",
                "Lifecycle policy does not exist for " + _where(repository),
            )
        return {**_names(repository), "lifecyclePolicyText": repository.lifecycle_text}

    def delete_lifecycle_policy(self, caller, parameters, call):
        result = self.get_lifecycle_policy(caller, parameters, call)
        self._repository(caller, parameters, call).lifecycle_text = None
        return result

    def set_repository_policy(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        try:
            policy = parse_policy_text(parameters["policyText"])
        except (ValueError, ControlError) as error:
            message = (
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid"
                f" repository policy provided' ({error})"
            )
            raise AwsError("InvalidParameterException", message) from None
        with self.cloud.lock:
            repository.policy, repository.policy_text = policy, parameters["policyText"]
        return {**_names(repository), "policyText": repository.policy_text}

    def get_repository_policy(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        if repository.policy_text is None:
            raise AwsError(
                "RepositoryPolicyNotFoundException",
                "Repository policy does not exist for " + _where(repository),
            )
        return {**_names(repository), "policyText": repository.policy_text}

    def delete_repository_policy(self, caller, parameters, call):
        result = self.get_repository_policy(caller, parameters, call)
        repository = self._repository(caller, parameters, call)
        with self.cloud.lock:
            repository.policy = repository.policy_text = None
        return result

    # Images

    def describe_images(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        wanted = parameters.get("imageIds")
        with self.cloud.lock:
            if wanted:
                found = [_named_image(repository, each) for each in wanted]
            else:
                found = sorted(
                    repository.images, key=lambda digest: repository.images[digest].pushed_at
                )
                found = _by_status(repository, found, parameters)
            shown, token = paging.page(
                found, parameters.get("nextToken"), parameters.get("maxResults", 100)
            )
            return {
                "imageDetails": [_detail(repository, digest) for digest in shown],
                "nextToken": token,
            }

    def list_images(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        with self.cloud.lock:
            found = []
            for digest in _by_status(repository, sorted(repository.images), parameters):
                tags = repository.tags_of(digest)
                found += [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [
                    {"imageDigest": digest}
                ]
        shown, token = paging.page(
            found, parameters.get("nextToken"), parameters.get("maxResults", 100)
        )
        return {"imageIds": shown, "nextToken": token}

    def batch_get_image(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        accepted, images, failures = parameters.get("acceptedMediaTypes"), [], []
        for wanted in parameters["imageIds"]:
            digest, failure = _look_up(repository, wanted)
            record = repository.images.get(digest)
            if record and accepted and record.media_type not in accepted:
                failure = ("ImageNotFound", "Requested image has none of the accepted media types")
            data = (
                self.cloud.storage.manifest(repository.upstream, digest)
                if record and not failure
                else None
            )
            if data is None:
                code, reason = failure or ("ImageNotFound", "Requested image not found")
                failures.append({"imageId": wanted, "failureCode": code, "failureReason": reason})
                continue
            images.append(
                _image(repository, {**wanted, "imageDigest": digest}, data, record.media_type)
            )
        return {"images": images, "failures": failures}

    def put_image(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        data = parameters["imageManifest"].encode()
        tag, digest = parameters.get("imageTag"), digest_of(data)
        if parameters.get("imageDigest") not in (None, digest):
            raise AwsError(
                "ImageDigestDoesNotMatchException",
                "The digest of the image does not match the digest of the manifest",
            )
        with self.cloud.lock:
            same = repository.tags.get(tag) == digest if tag else digest in repository.images
        if same:
            under = f"and tag '{tag}' " if tag else ""
            message = f"Image with digest '{digest}' {under}already exists in " + _where(repository)
            raise AwsError("ImageAlreadyExistsException", message)
        media_type = parameters.get("imageManifestMediaType")
        repositories.store_manifest(self.cloud, repository, data, media_type, tag)
        identity = {"imageDigest": digest, "imageTag": tag} if tag else {"imageDigest": digest}
        return {"image": _image(repository, identity, data, repository.images[digest].media_type)}

    def batch_delete_image(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        deleted, failures = [], []
        for wanted in parameters["imageIds"]:
            with self.cloud.lock:
                digest, failure = _look_up(repository, wanted)
                if failure is None and digest not in repository.images:
                    failure = ("ImageNotFound", "Requested image not found")
                if failure:
                    failures.append(
                        {"imageId": wanted, "failureCode": failure[0], "failureReason": failure[1]}
                    )
                    continue
                tags = [wanted["imageTag"]] if "imageTag" in wanted else repository.tags_of(digest)
                for tag in tags:
                    repository.tags.pop(tag, None)
                    deleted.append({"imageDigest": digest, "imageTag": tag})
                if not repository.tags_of(digest):  # the last tag takes the image with it
                    if not tags:
                        deleted.append({"imageDigest": digest})
                    del repository.images[
                        digest
                    ]  # the storage keeps its manifest, as Lambda keeps its own copy
        return {"imageIds": deleted, "failures": failures}

    # Layers

    def batch_check_layer_availability(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        layers, failures = [], []
        for digest in parameters["layerDigests"]:
            if not repositories.DIGEST.fullmatch(digest):
                failures.append(
                    {
                        "layerDigest": digest,
                        "failureCode": "InvalidLayerDigest",
                        "failureReason": "Invalid layer digest",
                    }
                )
                continue
            size = self.cloud.storage.blob_size(repository.upstream, digest)
            layer = {
                "layerDigest": digest,
                "layerAvailability": "UNAVAILABLE" if size is None else "AVAILABLE",
            }
            if size is not None:
                layer["layerSize"] = size
            layers.append(layer)
        return {"layers": layers, "failures": failures}

    def get_download_url_for_layer(self, caller, parameters, call):
        repository = self._repository(caller, parameters, call)
        digest = parameters["layerDigest"]
        if self.cloud.storage.blob_size(repository.upstream, digest) is None:
            raise AwsError(
                "LayerInaccessibleException",
                f"The layer with digest '{digest}' cannot be found in " + _where(repository),
            )
        return {"downloadUrl": self.cloud.downloads.url(repository, digest), "layerDigest": digest}

    # Tags of repositories

    def tag_resource(self, caller, parameters, call):
        repository = self._by_arn(caller, parameters)
        with self.cloud.lock:
            repository.resource_tags.update(
                {each["Key"]: each.get("Value", "") for each in parameters["tags"]}
            )

    def untag_resource(self, caller, parameters, call):
        repository = self._by_arn(caller, parameters)
        with self.cloud.lock:
            for name in parameters["tagKeys"]:
                repository.resource_tags.pop(name, None)

    def list_tags_for_resource(self, caller, parameters, call):
        tags = self._by_arn(caller, parameters).resource_tags
        return {"tags": [{"Key": name, "Value": value} for name, value in tags.items()]}

    def answer(self, call):
        try:
            return super().answer(call)
        except StorageError as error:
            raise AwsError(
                "ServerException", f"the registry behind this cloud failed: {error}", 500
            ) from error


def _names(repository):
    return {"registryId": repository.account, "repositoryName": repository.name}


def _where(repository):
    return (
        f"the repository with name '{repository.name}' in the registry with id"
        f" '{repository.account}'"
    )


def _describe(repository):
    description = {
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": round(repository.created_at, 3),
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": {"encryptionType": repository.encryption},
    }
    if repository.exclusions:
        filters = [{"filterType": "WILDCARD", "filter": each} for each in repository.exclusions]
        description["imageTagMutabilityExclusionFilters"] = filters
    return description


def _detail(repository, digest):
    record = repository.images[digest]
    detail = {
        **_names(repository),
        "imageDigest": digest,
        "imageSizeInBytes": record.size,
        "imagePushedAt": round(record.pushed_at, 3),
        "imageManifestMediaType": record.media_type,
        "artifactMediaType": record.artifact_type,
    }
    tags = repository.tags_of(digest)
    if tags:
        detail["imageTags"] = tags
    return {name: value for name, value in detail.items() if value is not None}


def _image(repository, identity, data, media_type):
    text = data.decode()
    return {
        **_names(repository),
        "imageId": identity,
        "imageManifest": text,
        "imageManifestMediaType": media_type,
    }


def _by_status(repository, digests, parameters):
    status = (parameters.get("filter") or {}).get("tagStatus", "ANY")
    if status == "ANY":
        return digests
    return [
        digest for digest in digests if bool(repository.tags_of(digest)) == (status == "TAGGED")
    ]


def _look_up(repository, wanted):
    """(digest or None, (failure code, reason) or None) of an imageId."""
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    if tag is None and digest is None:
        return None, (
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest are missing",
        )
    if digest is not None and not repositories.DIGEST.fullmatch(digest):
        return None, (
            "InvalidImageDigest",
            (
                "Invalid request parameters: image digest should satisfy the regex"
                " '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
            ),
        )
    if tag is None:
        return digest, None
    found = repository.tags.get(tag)
    if found is None:
        return None, ("ImageNotFound", "Requested image not found")
    if digest not in (None, found):
        return None, (
            "ImageTagDoesNotMatchDigest",
            "The image tag does not belong to the image digest",
        )
    return found, None


def _named_image(repository, wanted):
    digest, failure = _look_up(repository, wanted)
    if failure or digest not in repository.images:
        shown = ", ".join(
            f"{name}:'{wanted.get(name, 'null')}'" for name in ("imageDigest", "imageTag")
        )
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {{{shown}}} does not exist within " + _where(repository),
        )
    return digest


def _check_lifecycle(text):
    """What makes ECR refuse a lifecycle policy's text: shape, priorities, selections."""
    try:
        rules = json.loads(text)["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
        good = bool(rules) and len(set(priorities)) == len(priorities)
        for rule in rules:
            selection = rule["selection"]
            good = good and rule["action"]["type"] == "expire"
            good = good and selection["tagStatus"] in ("tagged", "untagged", "any")
            good = good and selection["countType"] in ("imageCountMoreThan", "sinceImagePushed")
            good = (
                good and isinstance(selection["countNumber"], int) and selection["countNumber"] > 0
            )
            good = good and (
                selection["countType"] != "sinceImagePushed" or selection.get("countUnit") == "days"
            )
            patterns = selection.get("tagPrefixList") or selection.get("tagPatternList")
            good = good and (selection["tagStatus"] == "tagged") == bool(patterns)
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        message = (
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle"
            " policy validation failure'"
        )
        raise AwsError("InvalidParameterException", message)
