"""The real registry behind ECR (docker-registry, plain HTTP): manifests by digest, blobs, uploads.

Tags are not kept there: docker-registry cannot take one away.
"""

import hashlib
import http.client
import json
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

MANIFEST_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
INDEX_TYPES = (MANIFEST_TYPES[1], MANIFEST_TYPES[3])
PIECE = 64 * 1024
TIMEOUT_S = 120


class StorageError(Exception):
    """The registry answered what it should not, or not at all."""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Answer:
    """A registry's answer whose body is still to be read; close() gives the connection back if all
    was read.
    """

    def __init__(self, storage, connection, response):
        self._storage = storage
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self, limit=16 * 1024 * 1024):
        data = self._response.read(limit)
        self.close()
        return data

    def pieces(self):
        try:
            while piece := self._response.read(PIECE):
                yield piece
        finally:
            self.close()

    def close(self):
        connection, self._connection = self._connection, None
        if connection:
            self._storage.give_back(connection, self._response)


class Storage:
    def __init__(self, url):
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self._idle = []
        self._lock = threading.Lock()

    @property
    def name(self):
        """As the engine names it."""
        return f"{self.address[0]}:{self.address[1]}"

    def request(self, method, path, headers=None, body=None, length=None):
        """An Answer. `body`: None, bytes, or an iterator (chunked unless `length` is given)."""
        headers = dict(headers or {})
        if isinstance(body, bytes):
            length = len(body)
        fresh = body is not None and not isinstance(
            body, bytes
        )  # it could not be sent a second time
        for attempt in (1, 2):
            connection, reused = self._connection(fresh)
            try:
                self._send(connection, method, path, headers, body, length)
                return Answer(self, connection, connection.getresponse())
            except (http.client.HTTPException, ConnectionError) as error:
                connection.close()
                if not reused or attempt == 2:
                    raise StorageError(f"{method} {path}: {error!r}") from error
            except BaseException:
                connection.close()
                raise
        raise AssertionError("not reached")

    def _connection(self, fresh):
        with self._lock:
            if self._idle and not fresh:
                return self._idle.pop(), True
        return http.client.HTTPConnection(*self.address, timeout=TIMEOUT_S), False

    @staticmethod
    def _send(connection, method, path, headers, body, length):
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is None:
            if method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", "0")
            connection.endheaders()
            return
        if length is None:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            for piece in body:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            return
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        for piece in [body] if isinstance(body, bytes) else body:
            connection.send(piece)

    def give_back(self, connection, response):
        if not response.isclosed() or response.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)
            spare = self._idle.pop(0) if len(self._idle) > 16 else None
        if spare:
            spare.close()

    def alive(self):
        try:
            answer = self.request("GET", "/v2/")
            answer.read()
            return answer.status == 200
        except (OSError, StorageError):
            return False

    # What ECR and Lambda ask; `name` is the storage's name of the repository.

    def manifest(self, name, digest):
        """Its bytes, or None."""
        answer = self.request(
            "GET", f"/v2/{name}/manifests/{digest}", {"Accept": ", ".join(MANIFEST_TYPES)}
        )
        data = answer.read()
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise StorageError(f"GET manifest {digest}: {answer.status}")
        return data

    def put_manifest(self, name, data, media_type):
        """None, or the registry's (status, body) if it refuses."""
        path = f"/v2/{name}/manifests/{digest_of(data)}"
        answer = self.request("PUT", path, {"Content-Type": media_type}, data)
        body = answer.read()
        return None if answer.status == 201 else (answer.status, body)

    def blob_size(self, name, digest):
        """Its bytes' number, or None if it is not there."""
        answer = self.request("HEAD", f"/v2/{name}/blobs/{digest}")
        answer.read()
        return int(answer.headers["Content-Length"]) if answer.status == 200 else None

    def delete_blob(self, name, digest):
        answer = self.request("DELETE", f"/v2/{name}/blobs/{digest}")
        answer.read()
        return answer.status == 202

    @contextmanager
    def blob(self, name, digest, byte_range=None):
        headers = {"Range": byte_range} if byte_range else {}
        answer = self.request("GET", f"/v2/{name}/blobs/{digest}", headers)
        try:
            yield answer
        finally:
            answer.close()

    def blob_json(self, name, digest, limit=8 * 1024 * 1024):
        """A small blob that holds JSON, or None."""
        with self.blob(name, digest) as answer:
            if answer.status != 200:
                return None
            try:
                return json.loads(answer.read(limit))
            except ValueError:
                return None

    def blob_start(self, name, digest, count):
        """The first bytes of a blob, or None if it is not there."""
        with self.blob(name, digest, f"bytes=0-{count - 1}") as answer:
            return answer.read(count) if answer.status in (200, 206) else None
