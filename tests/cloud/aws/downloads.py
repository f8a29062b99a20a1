"""Where a blob really comes from: ECR sends a blob's GET to storage on another host, by a signed
address.
"""

import hashlib
import hmac
import secrets
import time
from urllib.parse import parse_qsl

from .endpoint import Service
from .errors import AwsError
from .server import Response
from .storage import StorageError

LIFE_S = 3600


def storage_host(region):
    return f"prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com"


class Downloads(Service):
    """Makes addresses and serves them; refuses a request that brings registry credentials along."""

    name = "storage"

    def __init__(self, cloud):
        self._cloud = cloud
        self._key = secrets.token_bytes(32)

    def url(self, repository, digest):
        path = f"/{repository.upstream}/{digest}"
        end = int(time.time()) + LIFE_S
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={end}&X-Amz-Signature={self._sign(path, end)}"
        )
        return f"https://{storage_host(repository.region)}{path}?{query}"

    def _sign(self, path, end):
        return hmac.new(self._key, f"{path}\n{end}".encode(), hashlib.sha256).hexdigest()

    def prepare(self, call):
        call.operation = (
            "GetBlob" if call.request.method in ("GET", "HEAD") else call.request.method
        )
        call.resource = call.request.path.rpartition("/")[2]

    def answer(self, call):
        request = call.request
        if request.headers.get("Authorization"):
            raise AwsError("InvalidArgument", "Only one auth mechanism allowed", 400)
        fields = dict(parse_qsl(request.query))
        end, signature = fields.get("X-Amz-Expires", ""), fields.get("X-Amz-Signature", "")
        if not end.isdigit() or not hmac.compare_digest(
            self._sign(request.path, int(end)), signature
        ):
            raise AwsError("SignatureDoesNotMatch", "The request signature does not match", 403)
        if int(end) < time.time():
            raise AwsError("AccessDenied", "Request has expired", 403)
        name, _, digest = request.path.lstrip("/").rpartition("/")
        headers = {"Range": request.headers["Range"]} if request.headers.get("Range") else {}
        try:
            answer = self._cloud.storage.request(
                request.method, f"/v2/{name}/blobs/{digest}", headers
            )
        except StorageError as error:
            raise AwsError("InternalError", str(error), 500) from error
        kept = ("content-length", "content-range", "accept-ranges", "etag")
        passed = [pair for pair in answer.headers.items() if pair[0].lower() in kept]
        passed.append(("Content-Type", "application/octet-stream"))
        length = (
            int(answer.headers["Content-Length"]) if answer.headers.get("Content-Length") else None
        )
        return Response(answer.status, passed, answer.pieces(), length)

    def refuse(self, error):
        text = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
        return Response(
            error.status,
            [("Content-Type", "application/xml")] + list(error.headers.items()),
            text.encode(),
        )
