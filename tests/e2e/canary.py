"""Every secret that the runs of the suite see is a string that is nowhere else: it must not be found in what they leave.

Each run is looked at when it has ended (case.py); the registry, with all that was pushed, once at the end of the suite.
"""

import base64
import pathlib
import threading
import urllib.parse
import zlib

REGISTRY = pathlib.Path("/var/lib/registry")  # of the local cloud, seen from inside
PIECE = 1 << 20
DEPTH = 64 << 20  # of a blob that is looked into
SHORTEST = 8  # bytes; shorter values are found by chance
SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                    "ACTIONS_RUNTIME_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
SECRET_INPUTS = {"aws-secret-access-key": None, "aws-session-token": None, "secrets": "=", "health-headers": ":"}


class Known:
    """All secrets of the suite, whatever test they are of."""

    def __init__(self):
        self.lock = threading.Lock()
        self.secrets = set()

    def add(self, secrets):
        with self.lock:
            self.secrets.update(secret for secret in secrets if len(secret) >= SHORTEST)

    def all(self):
        with self.lock:
            return set(self.secrets)


KNOWN = Known()


def given(env, inputs):
    """The secrets among what a run is given: keys, tokens, build secrets, headers."""
    found = {env[name] for name in SECRET_VARIABLES if env.get(name)}
    for name, separator in SECRET_INPUTS.items():
        for line in str(inputs.get(name) or "").split("\n"):
            value = line.partition(separator)[2] if separator else line
            found.add(value.strip())
    return {secret for secret in found if len(secret) >= SHORTEST}


def forms(secret):
    """The secret as it is, as a URL writes it, and as base64 does, wherever in an encoded text it begins."""
    data = secret.encode()
    found = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret, safe="").lower()}
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data).decode()
        inner = text[(shift * 8 + 5) // 6:(shift + len(data)) * 8 // 6]
        found |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return {form for form in found if len(form) >= SHORTEST}


def pieces(path):
    """The bytes of a blob, unpacked if it is gzip, each piece with the end of the one before."""
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        unpack = zlib.decompressobj(31) if start == b"\x1f\x8b" else None
        before, seen = b"", 0
        while seen < DEPTH and (data := file.read(PIECE)):
            try:
                data = unpack.decompress(data, DEPTH) if unpack else data
            except zlib.error:
                return  # cut, or not gzip: a test's own broken blob
            seen += len(data)
            yield before + data
            before = data[-512:]


def find_in_registry(secrets, folder=REGISTRY):
    """(blob, secret) for every secret that is in an image, a manifest, a configuration or a cache that was pushed."""
    needles = [(secret, secret.encode()) for secret in sorted(secrets)]
    found, count = [], 0
    for path in sorted(folder.glob("docker/registry/v2/blobs/*/*/*/data")):
        count += 1
        for piece in pieces(path):
            found += [(path.parent.name, secret) for secret, needle in needles if needle in piece]
    return found, count
