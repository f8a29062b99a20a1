"""The engine's API over its socket: as much of it as running a function needs."""

import base64
import http.client
import json
import socket
import struct
from urllib.parse import quote, urlencode


class EngineError(Exception):
    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    def __init__(self, path="/var/run/docker.sock"):
        self._path = path
        self._prefix = None

    def alive(self):
        try:
            self._call("GET", "/_ping", prefix="")
            return True
        except (OSError, EngineError, http.client.HTTPException):
            return False

    def gateway(self):
        """The address of this machine on the containers' network."""
        network = self._json("GET", "/networks/bridge")
        for each in network["IPAM"]["Config"]:
            if each.get("Gateway") and ":" not in each["Gateway"]:
                return each["Gateway"]
        raise EngineError(0, "the engine's bridge has no gateway")

    def has_image(self, name):
        try:
            self._call("GET", f"/images/{quote(name, safe='/:@')}/json")
            return True
        except EngineError as error:
            if error.status == 404:
                return False
            raise

    def pull(self, name, platform):
        """`name` is repository@digest."""
        query = urlencode({"fromImage": name, "platform": platform})
        auth = base64.urlsafe_b64encode(b"{}").decode()
        data = self._call(
            "POST", f"/images/create?{query}", headers={"X-Registry-Auth": auth}, timeout=600
        )
        for line in data.splitlines():
            status = json.loads(line) if line.strip() else {}
            if status.get("error"):
                raise EngineError(500, status["error"])

    def remove_image(self, name):
        self._quietly("DELETE", f"/images/{quote(name, safe='/:@')}?force=1")

    def create(self, specification, platform):
        query = urlencode({"platform": platform})
        return self._json("POST", f"/containers/create?{query}", specification)["Id"]

    def start(self, container):
        self._call("POST", f"/containers/{container}/start", timeout=60)

    def wait(self, container):
        """The exit code, when it has ended."""
        data = self._call("POST", f"/containers/{container}/wait", timeout=None)
        return json.loads(data)["StatusCode"]

    def inspect(self, container):
        return self._json("GET", f"/containers/{container}/json")

    def remove(self, container):
        self._quietly("DELETE", f"/containers/{container}?force=1&v=1")

    def labelled(self, label):
        """(id, labels) of every container with a label."""
        query = urlencode({"all": "1", "filters": json.dumps({"label": [label]})})
        return [
            (each["Id"], each["Labels"]) for each in self._json("GET", f"/containers/json?{query}")
        ]

    def follow_logs(self, container, on_data):
        """Calls on_data(bytes) with what the container writes, until it ends."""
        connection, response = self._open(
            "GET", f"/containers/{container}/logs?follow=1&stdout=1&stderr=1", timeout=None
        )
        try:
            while True:
                head = _exactly(response, 8)
                if head is None:
                    return
                data = _exactly(response, struct.unpack(">xxxxI", head)[0])
                if data is None:
                    return
                on_data(data)
        finally:
            connection.close()

    def _quietly(self, method, path):
        """For ends: what is gone already is as good."""
        try:
            self._call(method, path, timeout=60)
        except EngineError as error:
            if error.status not in (404, 409):
                raise

    def _json(self, method, path, body=None):
        return json.loads(self._call(method, path, body))

    def _call(self, method, path, body=None, headers=None, timeout=60, prefix=None):
        connection, response = self._open(method, path, body, headers, timeout, prefix)
        try:
            return response.read()
        finally:
            connection.close()

    def _open(self, method, path, body=None, headers=None, timeout=60, prefix=None):
        headers = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = _Connection(self._path, timeout)
        try:
            connection.request(
                method, (self._version() if prefix is None else prefix) + path, data, headers
            )
            response = connection.getresponse()
            if response.status >= 400:
                raise EngineError(response.status, _message(response.read()))
        except BaseException:
            connection.close()
            raise
        return connection, response

    def _version(self):
        if self._prefix is None:
            connection, response = self._open("GET", "/_ping", prefix="")
            version = response.headers.get("Api-Version")
            connection.close()
            self._prefix = f"/v{version}" if version else ""
        return self._prefix


def _exactly(response, count):
    data = b""
    while len(data) < count:
        piece = response.read(count - len(data))
        if not piece:
            return None
        data += piece
    return data


def _message(data):
    try:
        return json.loads(data)["message"]
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace")
