"""What Lambda wants of an image."""

import gzip
import json
from unittest import mock

from botocore.credentials import Credentials

from ..storage import digest_of
from .case import ACCOUNT, CloudCase, INDEX, OCI, OTHER_KEY, REGION, REGISTRY, ZSTD_LAYER


class Images(CloudCase):
    def update(self, uri, **more):
        return self.lambda_call("PUT", "/hello/code", {"ImageUri": uri}, **more)

    def put_index(self, repository, digest, tag):
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{"mediaType": OCI, "digest": digest, "size": 1}],
        }
        value = {
            "repositoryName": repository.name,
            "imageManifest": json.dumps(index),
            "imageManifestMediaType": INDEX,
            "imageTag": tag,
        }
        answer = self.ecr_call("PutImage", value)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["image"]["imageId"]["imageDigest"]

    def test_index_is_refused(self):
        repository, digest = self.make_function()
        index = self.put_index(repository, digest, "multi")
        for uri in (self.uri(index), f"{REGISTRY}/app:multi"):
            words = (
                f"The image manifest, config or layer media type for the source image {uri} is not"
                " supported."
            )
            self.assert_error(self.update(uri), 400, "InvalidParameterValueException", words)
        self.assertEqual(
            self.lambda_call("GET", "/hello").json()["Code"]["ResolvedImageUri"], self.uri(digest)
        )

    def test_layer_types(self):
        repository, _ = self.make_function()
        strange = self.make_image(repository, "two", "application/vnd.oci.image.layer.v1.tar+xz")
        self.assert_error(
            self.update(self.uri(strange)),
            400,
            "InvalidParameterValueException",
            "layer media type",
        )
        zstd = self.make_image(repository, "three", ZSTD_LAYER, layer=b"\x28\xb5\x2f\xfd")
        self.assert_error(
            self.update(self.uri(zstd)), 400, "InvalidParameterValueException", "layer media type"
        )
        self.cloud.change_settings({"zstd_layers": "fail"})
        self.assertEqual(self.update(self.uri(zstd)).status, 200)
        shown = self.lambda_call("GET", "/hello").json()["Configuration"]
        self.assertEqual(
            (shown["LastUpdateStatus"], shown["LastUpdateStatusReasonCode"]),
            ("Failed", "InvalidImage"),
        )
        self.assertIn("UnsupportedImageLayerDetected", shown["LastUpdateStatusReason"])
        self.cloud.change_settings({"zstd_layers": "accept"})
        self.assertEqual(self.update(self.uri(zstd)).status, 200)
        self.assertEqual(
            self.lambda_call("GET", "/hello").json()["Configuration"]["LastUpdateStatus"],
            "Successful",
        )

    def test_layer_that_is_not_what_it_says(self):
        repository, _ = self.make_function()
        plain = self.make_image(repository, "two", layer=b"a tar without gzip")
        self.assertEqual(self.update(self.uri(plain)).status, 200)
        shown = self.lambda_call("GET", "/hello").json()["Configuration"]
        self.assertIn("UnsupportedImageLayerDetected", shown["LastUpdateStatusReason"])

    def test_missing_blob(self):
        repository, _ = self.make_function()
        second = self.make_image(repository, "two")
        layer = digest_of(gzip.compress(b"two"))
        manifest = json.loads(self.storage.manifest(repository.upstream, second))
        layer = manifest["layers"][0]["digest"]
        self.assertEqual(
            self.order("POST", "/repositories/app/lose-blob", {"digest": layer}).status, 200
        )
        self.assertEqual(
            self.order("POST", "/repositories/app/lose-blob", {"digest": layer}).status, 404
        )
        self.assertEqual(self.update(self.uri(second)).status, 200)
        shown = self.lambda_call("GET", "/hello").json()["Configuration"]
        self.assertEqual(
            (shown["LastUpdateStatus"], shown["LastUpdateStatusReasonCode"]),
            ("Failed", "InvalidImage"),
        )

    def test_image_over_ten_gigabytes(self):
        repository, digest = self.make_function()
        manifest = json.loads(self.storage.manifest(repository.upstream, digest))
        manifest["layers"][0]["size"] = 11 * 1024**3
        value = {"repositoryName": "app", "imageManifest": json.dumps(manifest), "imageTag": "big"}
        self.assertEqual(self.ecr_call("PutImage", value).status, 200)
        self.assert_error(
            self.update(f"{REGISTRY}/app:big"),
            400,
            "InvalidParameterValueException",
            "exceeds the limit",
        )

    def test_not_there(self):
        _, digest = self.make_function()
        for uri in (
            f"{REGISTRY}/app:nothing",
            self.uri("sha256:" + "1" * 64),
            self.uri(digest, "nowhere"),
        ):
            self.assert_error(
                self.update(uri),
                400,
                "InvalidParameterValueException",
                f"Source image {uri} does not exist.",
            )
        for uri in (
            "docker.io/library/busybox:latest",
            self.uri(digest).replace(REGION, "eu-west-1"),
        ):
            self.assert_error(
                self.update(uri), 400, "InvalidParameterValueException", "is not valid"
            )

    def test_tag_is_resolved_once(self):
        repository, _ = self.make_function()
        first = self.make_image(repository, "two", tag="v1")
        self.update(f"{REGISTRY}/app:v1")
        self.make_image(repository, "three", tag="v1")
        code = self.lambda_call("GET", "/hello").json()["Code"]
        self.assertEqual(
            (code["ImageUri"], code["ResolvedImageUri"]), (f"{REGISTRY}/app:v1", self.uri(first))
        )

    def test_lambda_writes_its_statement_if_the_caller_may(self):
        repository, digest = self.make_function()
        self.assertIsNone(repository.policy_text)
        self.assertEqual(self.update(self.uri(digest)).status, 200)
        self.assertIn("LambdaECRImageRetrievalPolicy", repository.policy_text)

    def test_lambda_may_not_read(self):
        _, digest = self.make_function()
        policy = {"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}
        self.order("POST", "/keys", {"id": "AKIDPOOR", "secret": "s", "policy": policy})
        answer = self.update(self.uri(digest), key=Credentials("AKIDPOOR", "s"))
        self.assert_error(
            answer,
            403,
            "AccessDeniedException",
            "Lambda does not have permission to access the ECR image",
        )

    def test_another_account_s_image(self):
        self.make_function()
        other = "210987654321"
        repository = self.make_repository("shared", account=other)
        with mock.patch.object(
            self, "ecr_call", lambda *args: type(self).ecr_call(self, *args, key=OTHER_KEY)
        ):
            digest = self.make_image(repository)
        uri = f"{repository.uri}@{digest}"
        self.assert_error(
            self.update(uri), 403, "AccessDeniedException", "does not have permission"
        )
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "ecr:*",
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Condition": {
                    "StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"}
                },
            },
        ]
        value = {"repositoryName": "shared", "policyText": json.dumps({"Statement": statements})}
        self.assertEqual(self.ecr_call("SetRepositoryPolicy", value, key=OTHER_KEY).status, 200)
        self.assertEqual(self.update(uri).status, 200)
