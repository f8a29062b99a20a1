"""The registry front."""

import base64
import json
from unittest import mock

from botocore.credentials import Credentials

from ..storage import digest_of
from .case import CloudCase, INDEX, OCI, REGISTRY


class RegistryFront(CloudCase):
    def ask(self, method, path, headers=None, body=b"", password=None):
        encoded = self.password() if password is None else password
        headers = {"Authorization": f"Basic {encoded}", **(headers or {})}
        return self.send(method, REGISTRY, path, headers, body)

    def assert_code(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.json()["errors"][0]["code"], code)

    def test_authentication(self):
        self.assertEqual(self.ask("GET", "/v2/").status, 200)
        for password in (
            base64.b64encode(b"AWS:guess").decode(),
            "!!!",
            base64.b64encode(b"root:x").decode(),
        ):
            answer = self.ask("GET", "/v2/", password=password)
            self.assert_code(answer, 401, "UNAUTHORIZED")
            self.assertEqual(
                answer.headers["WWW-Authenticate"],
                f'Basic realm="https://{REGISTRY}/",service="ecr.amazonaws.com"',
            )
        password = self.password()
        self.cloud.change_settings({"clock_offset_s": 13 * 3600})
        self.assert_code(self.ask("GET", "/v2/", password=password), 403, "DENIED")

    def test_repository_must_exist(self):
        self.assert_code(self.ask("POST", "/v2/nobody/blobs/uploads/"), 404, "NAME_UNKNOWN")
        last = self.order("GET", "/requests").json()[-1]
        self.assertEqual(
            (last["service"], last["operation"], last["status"], last["error"], last["resource"]),
            ("registry", "StartUpload", 404, "NAME_UNKNOWN", "nobody"),
        )

    def test_manifests(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="v1")
        data = self.storage.manifest(repository.upstream, digest)
        head = self.ask("HEAD", "/v2/app/manifests/v1", {"Accept": f"{INDEX}, {OCI}"})
        self.assertEqual(
            (head.status, head.headers["Docker-Content-Digest"], head.headers["Content-Length"]),
            (200, digest, str(len(data))),
        )
        got = self.ask("GET", "/v2/app/manifests/v1", {"Accept": OCI})
        self.assertEqual(
            (got.body, got.headers["Content-Type"], got.headers["Docker-Content-Digest"]),
            (data, OCI, None),
        )
        self.assert_code(
            self.ask("GET", "/v2/app/manifests/v1", {"Accept": INDEX}), 404, "MANIFEST_UNKNOWN"
        )
        self.assert_code(self.ask("GET", "/v2/app/manifests/v2"), 404, "MANIFEST_UNKNOWN")
        put = self.ask("PUT", "/v2/app/manifests/v2", {"Content-Type": OCI}, data)
        self.assertEqual((put.status, put.headers["Docker-Content-Digest"]), (201, digest))
        self.assertEqual(repository.tags, {"v1": digest, "v2": digest})
        wrong = self.ask("PUT", "/v2/app/manifests/sha256:" + "0" * 64, {"Content-Type": OCI}, data)
        self.assert_code(wrong, 400, "DIGEST_INVALID")
        self.assert_code(self.ask("DELETE", "/v2/app/manifests/v2"), 405, "UNSUPPORTED")

    def test_missing_blob(self):
        repository = self.make_repository()
        digest = self.make_image(repository)
        manifest = json.loads(self.storage.manifest(repository.upstream, digest))
        manifest["layers"][0]["digest"] = "sha256:" + "4" * 64
        answer = self.ask(
            "PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, json.dumps(manifest).encode()
        )
        self.assert_code(answer, 400, "MANIFEST_BLOB_UNKNOWN")

    def test_immutable_tag(self):
        repository = self.make_repository(immutable=True)
        digest = self.make_image(repository, tag="v1")
        data = self.storage.manifest(repository.upstream, digest)
        answer = self.ask(
            "PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, data
        )  # the same digest, too
        self.assert_code(answer, 400, "TAG_INVALID")
        self.assertIn(
            "cannot be overwritten because the repository is immutable", answer.body.decode()
        )
        self.assertEqual(
            self.ask("PUT", f"/v2/app/manifests/{digest}", {"Content-Type": OCI}, data).status, 201
        )
        other = json.dumps({**json.loads(data), "annotations": {"x": "y"}}).encode()
        self.assert_code(
            self.ask("PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, other),
            400,
            "TAG_INVALID",
        )
        self.assertIsNone(self.storage.manifest(repository.upstream, digest_of(other)))

    def test_immutable_tag_that_somebody_puts_meanwhile(self):
        repository = self.make_repository(immutable=True)
        digest = self.make_image(repository)
        data = self.storage.manifest(repository.upstream, digest)
        with mock.patch.object(
            self.storage, "put_manifest", lambda *_: repository.tags.update(v1="sha256:other")
        ):
            answer = self.ask("PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, data)
        self.assert_code(answer, 400, "TAG_INVALID")
        self.assertEqual(repository.tags, {"v1": "sha256:other"})

    def test_blob_is_a_redirect_that_takes_no_password(self):
        repository = self.make_repository()
        self.make_image(repository)
        digest = next(digest for name, digest in self.storage.blobs if name == repository.upstream)
        answer = self.ask("GET", f"/v2/app/blobs/{digest}")
        self.assertEqual(answer.status, 307)
        host, _, target = answer.headers["Location"].partition("://")[2].partition("/")
        refused = self.send(
            "GET", host, "/" + target, {"Authorization": f"Basic {self.password()}"}
        )
        self.assert_error(refused, 400, "InvalidArgument", "Only one auth mechanism allowed")
        self.assert_error(
            self.send("GET", host, "/" + target.replace("Signature=", "Signature=0")),
            403,
            "SignatureDoesNotMatch",
        )
        self.assert_code(self.ask("GET", "/v2/app/blobs/sha256:" + "5" * 64), 404, "BLOB_UNKNOWN")

    def test_policy(self):
        self.make_repository()
        policy = {
            "Statement": [
                {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": "ecr:BatchGetImage",
                    "Resource": "arn:aws:ecr:*:*:repository/app",
                },
            ]
        }
        self.order("POST", "/keys", {"id": "AKIDREADER", "secret": "s", "policy": policy})
        password = self.password(key=Credentials("AKIDREADER", "s"))
        self.assert_code(
            self.ask("GET", "/v2/app/manifests/v1", password=password), 404, "MANIFEST_UNKNOWN"
        )
        answer = self.ask("POST", "/v2/app/blobs/uploads/", password=password)
        self.assert_code(answer, 403, "DENIED")
        self.assertIn(
            "is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr",
            answer.body.decode(),
        )
