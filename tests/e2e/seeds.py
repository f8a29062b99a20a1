"""Images that are there before a test begins, each built once a suite: those that somebody else pushed, put into each test's
repository as any client of a registry does, and the base image of the tests' projects, made by the program.
"""

import hashlib
import threading
import urllib.parse
import uuid

from . import cloud as clouds

RUN = uuid.uuid4().hex[:6]  # the cloud may have been used before
REPOSITORY = f"seeds-{RUN}"
BASE_REPOSITORY = f"standing-base-{RUN}"


class Image:
    """A manifest and its blobs, as a registry gave them."""

    def __init__(self, registry, repository, digest):
        self.digest = digest
        answer = registry.get(repository, f"manifests/{digest}")
        self.manifest, self.kind = answer.body, answer.headers["Content-Type"]
        parts = answer.json
        self.blobs = {part["digest"]: registry.get(repository, f"blobs/{part['digest']}").body
                      for part in (parts["config"], *parts["layers"])}


class Registry:
    """Of the local cloud, with one login."""

    def __init__(self, cloud):
        self.headers = {"Authorization": "Basic " + cloud.basic_login()}

    def get(self, repository, path):
        return self.ask("GET", f"https://{clouds.REGISTRY}/v2/{repository}/{path}", 200)

    def put(self, repository, image, tag):
        for digest, data in image.blobs.items():
            begun = self.ask("POST", f"https://{clouds.REGISTRY}/v2/{repository}/blobs/uploads/", 202)
            place = urllib.parse.urljoin(f"https://{clouds.REGISTRY}/", begun.headers["Location"])
            self.ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={urllib.parse.quote(digest)}", 201, data,
                     {"Content-Type": "application/octet-stream"})
        self.ask("PUT", f"https://{clouds.REGISTRY}/v2/{repository}/manifests/{tag}", 201, image.manifest,
                 {"Content-Type": image.kind})

    def ask(self, method, url, status, body=b"", headers=None):
        answer = clouds.fetch(method, url, body, {**self.headers, **(headers or {})})
        if answer.status in (301, 302, 307):  # blobs are somewhere else, as ECR's are in S3
            answer = clouds.fetch(method, answer.headers["Location"])
        if answer.status != status:
            raise clouds.CloudError(f"{method} {url}: {answer.status} {answer.text}")
        return answer


class Seeds:
    def __init__(self):
        self.lock = threading.Lock()
        self.images = {}

    def put(self, cloud, project, repository, tag="seed"):
        """Its Dockerfile's image, in a repository that exists. Gives the digest."""
        key = fingerprint(project)
        registry = Registry(cloud)
        with self.lock:
            if key not in self.images:
                if not self.images:
                    cloud.create_repository(REPOSITORY)
                self.images[key] = Image(registry, REPOSITORY, cloud.push(project.folder, REPOSITORY, key))
        registry.put(repository, self.images[key], tag)
        return self.images[key].digest


def fingerprint(project):
    hashed = hashlib.sha256()
    for path in sorted(path for path in project.folder.rglob("*") if path.is_file() and ".git" not in path.parts):
        hashed.update(repr((str(path.relative_to(project.folder)), path.stat().st_mode, path.read_bytes())).encode())
    return hashed.hexdigest()[:16]


class StandingBase:
    def __init__(self):
        self.lock = threading.Lock()
        self.stands = False

    def repository(self, make):
        """Where it is; `make(repository)` the first time."""
        with self.lock:
            if not self.stands:
                make(BASE_REPOSITORY)
                self.stands = True
        return BASE_REPOSITORY


SEEDS = Seeds()
STANDING_BASE = StandingBase()
