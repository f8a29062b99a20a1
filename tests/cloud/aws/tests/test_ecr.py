"""ECR's control API."""

import gzip
import json

from ..storage import digest_of
from .case import CloudCase, INDEX, REGISTRY


class Repositories(CloudCase):
    def test_create_and_describe(self):
        made = self.ecr_call(
            "CreateRepository",
            {"repositoryName": "a/b", "imageScanningConfiguration": {"scanOnPush": True}},
        )
        self.assertEqual(made.json()["repository"]["repositoryUri"], f"{REGISTRY}/a/b")
        again = self.ecr_call("CreateRepository", {"repositoryName": "a/b"})
        self.assert_error(
            again,
            400,
            "#RepositoryAlreadyExistsException",
            "already exists in the registry with id",
        )
        missing = self.ecr_call("DescribeRepositories", {"repositoryNames": ["nobody"]})
        self.assert_error(
            missing,
            400,
            "#RepositoryNotFoundException",
            "The repository with name 'nobody' does not exist in the registry",
        )
        self.assertEqual(missing.json()["__type"].partition("#")[2], "RepositoryNotFoundException")
        for number in range(5):
            self.ecr_call("CreateRepository", {"repositoryName": f"r{number}"})
        page = self.ecr_call("DescribeRepositories", {"maxResults": 4}).json()
        rest = self.ecr_call(
            "DescribeRepositories", {"maxResults": 4, "nextToken": page["nextToken"]}
        ).json()
        self.assertEqual(len(page["repositories"]) + len(rest["repositories"]), 6)
        self.assertNotIn("nextToken", rest)
        self.assert_error(
            self.ecr_call("DescribeRepositories", {"nextToken": "?"}),
            400,
            "InvalidParameterException",
        )

    def test_policies(self):
        self.make_repository("app")
        self.assert_error(
            self.ecr_call("GetLifecyclePolicy", {"repositoryName": "app"}),
            400,
            "LifecyclePolicyNotFoundException",
        )
        self.assert_error(
            self.ecr_call("GetRepositoryPolicy", {"repositoryName": "app"}),
            400,
            "RepositoryPolicyNotFoundException",
        )
        selection = {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 14,
        }
        rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
        text = json.dumps({"rules": [rule]})
        self.assertEqual(
            self.ecr_call(
                "PutLifecyclePolicy", {"repositoryName": "app", "lifecyclePolicyText": text}
            ).status,
            200,
        )
        self.assertEqual(
            self.ecr_call("GetLifecyclePolicy", {"repositoryName": "app"}).json()[
                "lifecyclePolicyText"
            ],
            text,
        )
        no_unit = {**selection}
        del no_unit["countUnit"]
        for bad in (
            "x" * 120,
            json.dumps({"rules": [rule, rule]}),
            json.dumps({"rules": [{**rule, "selection": no_unit}]}),
        ):
            answer = self.ecr_call(
                "PutLifecyclePolicy", {"repositoryName": "app", "lifecyclePolicyText": bad}
            )
            self.assert_error(answer, 400, "InvalidParameterException")
        for bad in ("{", "[]", '{"Statement":[{"Effect":"Maybe"}]}'):
            answer = self.ecr_call(
                "SetRepositoryPolicy", {"repositoryName": "app", "policyText": bad}
            )
            self.assert_error(answer, 400, "InvalidParameterException")

    def test_put_image(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        text = self.storage.manifest(repository.upstream, digest).decode()

        def put(**more):
            return self.ecr_call(
                "PutImage", {"repositoryName": "app", "imageManifest": text, **more}
            )

        self.assert_error(put(imageTag="one"), 400, "#ImageAlreadyExistsException")
        self.assert_error(put(), 400, "#ImageAlreadyExistsException")
        self.assertEqual(put(imageTag="two").status, 200)
        self.assert_error(
            put(imageTag="three", imageDigest="sha256:" + "0" * 64),
            400,
            "ImageDigestDoesNotMatchException",
        )
        lost = text.replace('"layers": [{', '"layers": [{"x":1,').replace(
            digest_of(gzip.compress(b"one")), "sha256:" + "2" * 64
        )
        manifest = json.loads(lost)
        manifest["layers"][0]["digest"] = "sha256:" + "2" * 64
        answer = self.ecr_call(
            "PutImage", {"repositoryName": "app", "imageManifest": json.dumps(manifest)}
        )
        self.assert_error(answer, 400, "#LayersNotFoundException", "2" * 64)
        found = self.ecr_call("DescribeImages", {"repositoryName": "app"}).json()["imageDetails"]
        self.assertEqual(found[0]["imageTags"], ["one", "two"])

    def test_immutable(self):
        repository = self.make_repository(immutable=True, exclusions=["cache*"])
        digest = self.make_image(repository, tag="v1")
        text = self.storage.manifest(repository.upstream, digest).decode()
        same = self.ecr_call(
            "PutImage", {"repositoryName": "app", "imageManifest": text, "imageTag": "v1"}
        )
        self.assert_error(same, 400, "#ImageAlreadyExistsException")
        other = json.dumps({**json.loads(text), "annotations": {"x": "y"}})
        answer = self.ecr_call(
            "PutImage", {"repositoryName": "app", "imageManifest": other, "imageTag": "v1"}
        )
        words = (
            "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten"
            " because the repository is immutable."
        )
        self.assert_error(answer, 400, "#ImageTagAlreadyExistsException", words)
        for data in (text, other):
            self.assertEqual(
                self.ecr_call(
                    "PutImage",
                    {"repositoryName": "app", "imageManifest": data, "imageTag": "cache-1"},
                ).status,
                200,
            )

    def test_batch_get_image(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        wanted = [
            {"imageTag": "one"},
            {"imageTag": "nothing"},
            {"imageDigest": digest},
            {"imageTag": "one", "imageDigest": "sha256:" + "0" * 64},
        ]
        found = self.ecr_call("BatchGetImage", {"repositoryName": "app", "imageIds": wanted}).json()
        self.assertEqual(
            [each["imageId"]["imageDigest"] for each in found["images"]], [digest, digest]
        )
        self.assertEqual(digest_of(found["images"][0]["imageManifest"].encode()), digest)
        self.assertEqual(
            [each["failureCode"] for each in found["failures"]],
            ["ImageNotFound", "ImageTagDoesNotMatchDigest"],
        )
        value = {
            "repositoryName": "app",
            "imageIds": [{"imageTag": "one"}],
            "acceptedMediaTypes": [INDEX],
        }
        self.assertEqual(
            self.ecr_call("BatchGetImage", value).json()["failures"][0]["failureCode"],
            "ImageNotFound",
        )

    def test_delete_images(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        self.ecr_call(
            "PutImage",
            {
                "repositoryName": "app",
                "imageManifest": self.storage.manifest(repository.upstream, digest).decode(),
                "imageTag": "two",
            },
        )
        self.ecr_call(
            "BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageTag": "one"}]}
        )
        self.assertEqual((repository.tags, list(repository.images)), ({"two": digest}, [digest]))
        self.ecr_call(
            "BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageTag": "two"}]}
        )
        self.assertEqual((repository.tags, repository.images), ({}, {}))
        wanted = {"repositoryName": "app", "imageIds": [{"imageDigest": digest}]}
        self.assertEqual(self.ecr_call("BatchGetImage", wanted).json()["images"], [])

    def test_delete_repository(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        full = self.ecr_call("DeleteRepository", {"repositoryName": "app"})
        self.assert_error(full, 400, "#RepositoryNotEmptyException")
        self.assertEqual(
            self.ecr_call("DeleteRepository", {"repositoryName": "app", "force": True}).status, 200
        )
        self.assertNotIn(digest, self.make_repository().images)

    def test_moved_tag_leaves_an_untagged_image(self):
        repository = self.make_repository()
        first = self.make_image(repository, "one", tag="v")
        self.make_image(repository, "two", tag="v")
        value = {"repositoryName": "app", "filter": {"tagStatus": "UNTAGGED"}}
        self.assertEqual(
            self.ecr_call("ListImages", value).json()["imageIds"], [{"imageDigest": first}]
        )

    def test_layers(self):
        repository = self.make_repository()
        self.make_image(repository)
        known = next(digest for name, digest in self.storage.blobs if name == repository.upstream)
        unknown = "sha256:" + "3" * 64
        answer = self.ecr_call(
            "BatchCheckLayerAvailability",
            {"repositoryName": "app", "layerDigests": [known, unknown]},
        ).json()
        self.assertEqual(
            [each["layerAvailability"] for each in answer["layers"]], ["AVAILABLE", "UNAVAILABLE"]
        )
        url = self.ecr_call(
            "GetDownloadUrlForLayer", {"repositoryName": "app", "layerDigest": known}
        ).json()["downloadUrl"]
        self.assertIn("starport-layer-bucket.s3", url)

    def test_two_accounts_and_regions_are_apart(self):
        self.make_repository("app")
        self.make_repository("app", account="210987654321")
        self.make_repository("app", region="eu-west-1")
        self.assertEqual(len({each.upstream for each in self.cloud.repositories.values()}), 3)
        answer = self.ecr_call(
            "DescribeRepositories", {"registryId": "210987654321", "repositoryNames": ["app"]}
        )
        self.assert_error(answer, 400, "AccessDeniedException", "no resource-based policy")
