"""The registry under ECR's host names: a front that checks what ECR checks, before the real
registry.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from . import iam, repositories
from .endpoint import Service
from .errors import AwsError
from .server import Response
from .storage import MANIFEST_TYPES, StorageError, digest_of

MANIFEST_LIMIT = 4 * 1024 * 1024
PATHS = (
    ("ping", re.compile(r"/v2/?")),
    ("manifests", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<upload>[^/]+)")),
    ("blobs", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
)


@dataclass(frozen=True)
class Operation:
    name: str
    action: str  # what IAM calls it


OPERATIONS = {
    ("ping", "GET"): Operation("Ping", None),
    ("ping", "HEAD"): Operation("Ping", None),
    ("manifests", "GET"): Operation("GetManifest", "ecr:BatchGetImage"),
    ("manifests", "HEAD"): Operation("HeadManifest", "ecr:BatchGetImage"),
    ("manifests", "PUT"): Operation("PutManifest", "ecr:PutImage"),
    ("blobs", "GET"): Operation("GetBlob", "ecr:GetDownloadUrlForLayer"),
    ("blobs", "HEAD"): Operation("HeadBlob", "ecr:BatchCheckLayerAvailability"),
    ("uploads", "POST"): Operation("StartUpload", "ecr:InitiateLayerUpload"),
    ("upload", "GET"): Operation("GetUpload", "ecr:UploadLayerPart"),
    ("upload", "PATCH"): Operation("PatchUpload", "ecr:UploadLayerPart"),
    ("upload", "PUT"): Operation("PutUpload", "ecr:CompleteLayerUpload"),
    ("upload", "DELETE"): Operation("CancelUpload", "ecr:InitiateLayerUpload"),
    ("tags", "GET"): Operation("ListTags", "ecr:ListImages"),
}
# AWS's error -> (the registry protocol's code, status)
CODES = {
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "LayersNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 400),
    "ReferencedImagesNotFoundException": ("MANIFEST_UNKNOWN", 400),
    "InvalidParameterException": ("MANIFEST_INVALID", 400),
    "AccessDeniedException": ("DENIED", 403),
}


class Registry(Service):
    name = "registry"

    def __init__(self, cloud):
        self._cloud = cloud
        self._storage = cloud.storage

    def prepare(self, call):
        kind, fields, request = None, {}, call.request
        for name, pattern in PATHS:
            match = pattern.fullmatch(request.path)
            if match:
                kind, fields = name, match.groupdict()
                break
        call.kind, call.fields = kind, fields
        operation = OPERATIONS.get((kind, request.method))
        query = dict(parse_qsl(request.query))
        call.operation = operation.name if operation else f"{request.method} {kind or request.path}"
        if call.operation == "StartUpload" and "mount" in query:
            call.operation = "MountBlob"
        call.action = operation.action if operation else None
        call.query = query
        name, reference = fields.get("name"), fields.get("reference") or query.get("digest")
        if name:
            joint = "@" if reference and reference.startswith("sha256:") else ":"
            call.resource = name + (joint + reference if reference else "")

    def answer(self, call):
        principal = self._authenticate(call)
        if call.action is None and call.kind != "ping":
            raise AwsError("UNSUPPORTED", "The operation is unsupported.", 405)
        try:
            if call.kind == "ping":
                return _response(200, b"{}")
            call.repository = self._repository(call, principal)
            method = getattr(self, "_" + call.operation.replace("MountBlob", "StartUpload"))
            return method(call)
        except StorageError as error:
            raise AwsError(
                "UNKNOWN", f"the registry behind this cloud failed: {error}", 500
            ) from error

    def code(self, error):
        return CODES.get(error.code, (error.code, error.status))[0]

    def refuse(self, error):
        code, status = CODES.get(error.code, (error.code, error.status))
        if error.exact:
            status = error.status
        body = json.dumps({"errors": [{"code": code, "message": error.message}]}).encode()
        return _response(status, body, error.headers)

    def _authenticate(self, call):
        text = call.request.headers.get("Authorization") or ""
        user, password = _basic(text)
        challenge = f'Basic realm="https://{call.route["host"]}/",service="ecr.amazonaws.com"'
        known = self._cloud.passwords.get(password)
        if user != "AWS" or known is None:
            raise AwsError(
                "UNAUTHORIZED", "Not Authorized", 401, headers={"WWW-Authenticate": challenge}
            )
        if self._cloud.clock.now() >= known.expires:
            raise AwsError(
                "DENIED", "Your authorization token has expired. Reauthenticate and try again.", 403
            )
        return known.principal

    def _repository(self, call, principal):
        repository = self._authorize(call, principal, call.action)
        if call.action == "ecr:CompleteLayerUpload" and call.request.has_body:
            self._authorize(call, principal, "ecr:UploadLayerPart")  # the layer comes with it
        return repository

    def _authorize(self, call, principal, action):
        account, region, name = call.route["account"], call.route["region"], call.fields["name"]
        known = self._cloud.repositories.get((account, region, name))
        arn = repositories.arn_of(account, region, name)
        iam.authorize(
            principal,
            action,
            arn,
            resource_policy=known.policy if known else None,
            owner=account,
        )
        return repositories.find(self._cloud, account, region, name)

    # Manifests

    def _digest(self, call):
        reference, repository = call.fields["reference"], call.repository
        with self._cloud.lock:
            digest = (
                reference if reference.startswith("sha256:") else repository.tags.get(reference)
            )
            record = repository.images.get(digest)
        accepted = _accepted(call.request.headers)
        if record is None or (accepted and record.media_type not in accepted):
            raise AwsError("ImageNotFoundException", f"Requested image not found: {reference}")
        return record

    def _HeadManifest(self, call):
        record = self._digest(call)
        data = self._storage.manifest(call.repository.upstream, record.digest)
        if data is None:
            raise AwsError("ImageNotFoundException", "Requested image not found")
        headers = [("Content-Type", record.media_type), ("Docker-Content-Digest", record.digest)]
        return Response(200, _versioned(headers) + [("Content-Length", str(len(data)))])

    def _GetManifest(self, call):
        """Without Docker-Content-Digest, as ECR answers a GET."""
        record = self._digest(call)
        data = self._storage.manifest(call.repository.upstream, record.digest)
        if data is None:
            raise AwsError("ImageNotFoundException", "Requested image not found")
        return Response(200, _versioned([("Content-Type", record.media_type)]), data)

    def _PutManifest(self, call):
        repository, reference = call.repository, call.fields["reference"]
        media_type = (call.request.headers.get("Content-Type") or "").split(";")[0].strip()
        data = call.request.read(MANIFEST_LIMIT)
        by_digest = reference.startswith("sha256:")
        if by_digest and digest_of(data) != reference:
            raise AwsError("DIGEST_INVALID", "provided digest did not match uploaded content", 400)
        if not by_digest and not repositories.TAG.fullmatch(reference):
            raise AwsError("TAG_INVALID", f"'{reference}' is not a tag", 400)
        digest = repositories.store_manifest(
            self._cloud, repository, data, media_type or None, None if by_digest else reference
        )
        location = f"https://{call.route['host']}/v2/{repository.name}/manifests/{digest}"
        headers = [("Docker-Content-Digest", digest), ("Location", location)]
        return Response(201, _versioned(headers), b"")

    def _ListTags(self, call):
        body = {"name": call.repository.name, "tags": sorted(call.repository.tags)}
        return _response(200, json.dumps(body).encode())

    # Blobs

    def _HeadBlob(self, call):
        return self._pass_on(call, "HEAD")

    def _GetBlob(self, call):
        repository, digest = call.repository, call.fields["reference"]
        if not self._cloud.settings.blob_redirect:
            return self._pass_on(call, "GET")
        if self._storage.blob_size(repository.upstream, digest) is None:
            raise AwsError("BLOB_UNKNOWN", "blob unknown to registry", 404)
        return Response(
            307, _versioned([("Location", self._cloud.downloads.url(repository, digest))]), b""
        )

    # Uploads

    def _StartUpload(self, call):
        query = {}
        if "mount" in call.query and self._cloud.settings.blob_mounting:
            source = (call.route["account"], call.route["region"], call.query.get("from"))
            other = self._cloud.repositories.get(source)
            if other is not None:
                query = {"mount": call.query["mount"], "from": other.upstream}
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return self._pass_on(call, "POST", text)

    def _GetUpload(self, call):
        return self._pass_on(call, "GET")

    def _PatchUpload(self, call):
        return self._pass_on(call, "PATCH")

    def _PutUpload(self, call):
        return self._pass_on(call, "PUT")

    def _CancelUpload(self, call):
        return self._pass_on(call, "DELETE")

    def _pass_on(self, call, method, query=None):
        """The same request to the real registry, bodies streamed both ways."""
        request, upstream = call.request, call.repository.upstream
        path = f"/v2/{upstream}" + request.path.removeprefix(f"/v2/{call.repository.name}")
        query = request.query if query is None else query
        wanted = ("content-type", "content-range", "range", "accept")
        headers = {name: value for name, value in request.headers.items() if name.lower() in wanted}
        body = request.pieces() if request.has_body else None
        answer = self._storage.request(
            method, path + (f"?{query}" if query else ""), headers, body, request.length
        )
        passed = []
        for name, value in answer.headers.items():
            if name.lower() == "location":
                value = _public(value, upstream, call.route["host"], call.repository.name)
            if name.lower() not in ("connection", "date", "transfer-encoding", "keep-alive"):
                passed.append((name, value))
        if method == "HEAD" or answer.headers.get("Content-Length") is None:
            data = answer.read()
            return Response(answer.status, passed, data)
        return Response(
            answer.status, passed, answer.pieces(), int(answer.headers["Content-Length"])
        )


def _public(location, upstream, host, name):
    parts = urlsplit(location)
    path = parts.path.replace(f"/v2/{upstream}/", f"/v2/{name}/", 1)
    return f"https://{host}{path}" + (f"?{parts.query}" if parts.query else "")


def _basic(text):
    scheme, _, encoded = text.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return user, password


def _accepted(headers):
    """The manifest types that a request wants, or None: whatever there is."""
    wanted = {
        each.split(";")[0].strip()
        for value in headers.get_all("Accept") or []
        for each in value.split(",")
        if each
    }
    if not wanted or "*/*" in wanted:
        return None
    return wanted & set(MANIFEST_TYPES) or {"none of them"}


def _versioned(headers):
    return [("Docker-Distribution-Api-Version", "registry/2.0")] + headers


def _response(status, body, more=None):
    headers = [("Content-Type", "application/json; charset=utf-8")] + list((more or {}).items())
    return Response(status, _versioned(headers), body)
