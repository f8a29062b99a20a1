"""Requests against botocore's service models."""

from unittest import mock

from botocore.credentials import Credentials

from .. import models, protocols
from .case import ACCOUNT, CloudCase, KEY, LAMBDA


class Models(CloudCase):
    def test_every_pattern_compiles(self):
        for service in ("lambda", "ecr", "sts", "logs"):
            model = models.load(service)
            for name in model.shape_names:
                pattern = model.shape_for(name).metadata.get("pattern")
                if pattern:
                    models.compiled(pattern)

    def test_every_operation_is_one_of_the_model(self):
        for _, service in self.endpoint._routes:
            for name in getattr(service, "operations", {}):
                self.assertIn(name, service.protocol.model.operation_names)

    def test_refusals(self):
        self.make_function()
        role = f"arn:aws:iam::{ACCOUNT}:role/x"
        create = {
            "FunctionName": "new",
            "Role": role,
            "Code": {"ImageUri": "x"},
            "PackageType": "Image",
        }
        cases = (
            (
                "PUT",
                "/hello/code",
                {"ImageUri": "x", "Nonsense": 1},
                "SerializationException",
                "Unrecognized field",
            ),
            ("PUT", "/hello/code", {"ImageUri": 7}, "SerializationException", "NUMBER_VALUE"),
            ("PUT", "/hello/code", {"Publish": "yes"}, "SerializationException", "Boolean"),
            (
                "PUT",
                "/hello/code",
                {"Architectures": ["sparc"]},
                "ValidationException",
                "enum value set",
            ),
            (
                "PUT",
                "/hello/code",
                {"Architectures": []},
                "ValidationException",
                "length greater than or equal to 1",
            ),
            (
                "PUT",
                "/hello/configuration",
                {"MemorySize": 64},
                "ValidationException",
                "greater than or equal to 128",
            ),
            (
                "PUT",
                "/hello/configuration",
                {"Timeout": 0},
                "ValidationException",
                "greater than or equal to 1",
            ),
            ("PUT", "/hello/configuration", {"Role": "me"}, "ValidationException", "pattern"),
            (
                "PUT",
                "/hello/configuration",
                {"Environment": {"Variables": {"1": "x"}}},
                "ValidationException",
                "pattern",
            ),
            (
                "PUT",
                "/hello/configuration",
                {"Description": "x" * 257},
                "ValidationException",
                "256",
            ),
            ("POST", "", {**create, "Role": None}, "ValidationException", "Value null at 'role'"),
            ("POST", "", {**create, "PackageType": "Jar"}, "ValidationException", "enum"),
            (
                "POST",
                "/hello/aliases",
                {"Name": "123", "FunctionVersion": "1"},
                "ValidationException",
                "pattern",
            ),
            ("POST", "/hello/aliases", {"Name": "live"}, "ValidationException", "functionVersion"),
            ("GET", "/hello?Colour=red", None, "SerializationException", "unknown query parameter"),
            ("GET", "/he%20llo", None, "ValidationException", "pattern"),
            ("GET", "/hello/versions?MaxItems=x", None, "SerializationException", "not a number"),
        )
        for method, path, value, code, words in cases:
            with self.subTest(path=path, value=value):
                self.assert_error(self.lambda_call(method, path, value), 400, code, words)
        self.assert_error(
            self.signed("PUT", LAMBDA, "/2015-03-31/functions/hello/code", b"{"),
            400,
            "SerializationException",
        )
        self.assert_error(
            self.signed("PATCH", LAMBDA, "/2015-03-31/functions/hello"),
            404,
            "UnknownOperationException",
        )

    def test_refusals_of_ecr_and_sts(self):
        self.assert_error(
            self.ecr_call("CreateRepository", {"repositoryName": "UPPER"}),
            400,
            "ValidationException",
            "pattern",
        )
        self.assert_error(
            self.ecr_call("CreateRepository", {}), 400, "ValidationException", "repositoryName"
        )
        self.assert_error(self.ecr_call("CreateTable", {}), 400, "UnknownOperationException")
        answer = self.sts_call("AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy")
        self.assert_error(answer, 400, "<Code>ValidationError</Code>", "roleSessionName")
        answer = self.sts_call(
            "AssumeRole",
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy",
            RoleSessionName="run",
            DurationSeconds="10",
        )
        self.assert_error(answer, 400, "ValidationError", "900")
        self.assert_error(self.sts_call("GetCallerIdentity", Colour="red"), 400, "ValidationError")

    def test_a_bad_signature_is_told_before_a_bad_request(self):
        wrong = Credentials(KEY.access_key, "x" * 40)
        self.assert_error(
            self.lambda_call("PUT", "/hello/code", {"Nonsense": 1}, key=wrong),
            403,
            "InvalidSignatureException",
        )

    def test_operations_are_told_apart(self):
        protocol = protocols.RestJson(models.load("lambda"))
        cases = (
            ("GET", "/2015-03-31/functions/f", "GetFunction"),
            ("GET", "/2015-03-31/functions/", "ListFunctions"),
            ("GET", "/2015-03-31/functions/f/configuration", "GetFunctionConfiguration"),
            ("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/versions", "PublishVersion"),
            ("PUT", "/2015-03-31/functions/f/aliases/live", "UpdateAlias"),
            ("POST", "/2017-03-31/tags/arn%3Aaws", "TagResource"),
            ("GET", "/2021-10-31/functions/f/url", "GetFunctionUrlConfig"),
        )
        for method, path, name in cases:
            request = mock.Mock(method=method, path=path, query="")
            self.assertEqual(protocol.operation(request, b"")[0].name, name)
