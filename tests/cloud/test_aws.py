#!/usr/bin/env python3
"""Tests of the local cloud's AWS endpoint: on loopback, without an engine, with a registry in memory.

    python3 tests/cloud/test_aws.py

The client signs with botocore. Where botocore's own client is used, its requests are sent to the loopback port
and its parser reads the answers.
"""

import base64
import datetime
import gzip
import http.client
import io
import json
import socket
import ssl
import sys
import tempfile
import threading
import time
import unittest
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import quote, urlencode

import botocore.auth
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from aws import functions, iam, models, paging, protocols  # noqa: E402
from aws.certificates import Authority  # noqa: E402
from aws.cloud import Cloud  # noqa: E402
from aws.control import Control  # noqa: E402
from aws.environments import Outcome  # noqa: E402
from aws.errors import AwsError, ControlError  # noqa: E402
from aws.faults import Faults  # noqa: E402
from aws.hosts import Hosts  # noqa: E402
from aws.house import Tls, make_endpoint  # noqa: E402
from aws.iam import Policy, Principal  # noqa: E402
from aws.journal import BODY_BYTES, ENTRIES, Journal  # noqa: E402
from aws.runtime import Event, RuntimeApi  # noqa: E402
from aws.server import Response, Server  # noqa: E402
from aws.storage import digest_of  # noqa: E402

KEY = Credentials("AKIDLOCALCLOUD000001", "local-cloud-secret-key-0000000000000001")
ACCOUNT, REGION = "123456789012", "us-east-1"
LAMBDA, ECR, STS = (f"{name}.{REGION}.amazonaws.com" for name in ("lambda", "api.ecr", "sts"))
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"
OCI, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER, ZSTD_LAYER = (f"application/vnd.oci.image.layer.v1.tar+{kind}" for kind in ("gzip", "zstd"))


class MemoryStorage:
    """As aws.storage.Storage, without a registry; uploads are taken whole."""

    name = "127.0.0.1:5000"

    def __init__(self):
        self.blobs, self.manifests = {}, {}

    def alive(self):
        return True

    def manifest(self, name, digest):
        return self.manifests.get((name, digest))

    def put_manifest(self, name, data, _media_type):
        self.manifests[(name, digest_of(data))] = data

    def delete_manifest(self, name, digest):
        self.manifests.pop((name, digest), None)

    def blob_size(self, name, digest):
        data = self.blobs.get((name, digest))
        return None if data is None else len(data)

    def blob_json(self, name, digest, limit=0):
        data = self.blobs.get((name, digest))
        return None if data is None else json.loads(data)

    def blob_start(self, name, digest, count):
        data = self.blobs.get((name, digest))
        return None if data is None else data[:count]

    def delete_blob(self, name, digest):
        return self.blobs.pop((name, digest), None) is not None


class EchoPools:
    """As aws.environments.Pools, without containers: answers what the test says."""

    def __init__(self):
        self.answer = b'{"ok":true}'
        self.failed = False
        self.ran = []

    def invoke(self, function, version, function_arn, request_id, payload):
        self.ran.append((version.image.digest, function_arn, payload))
        self.settings = dict(version.settings)
        return Outcome(self.answer, self.failed, b"START\nhello from the function\nEND\n", "0" * 32)

    def end(self, *_):
        pass

    def end_all(self, **_):
        pass


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class CloudCase(unittest.TestCase):
    """A cloud of its own for each test: endpoint and control port on loopback, updates settled at once."""

    @classmethod
    def setUpClass(cls):
        cls.server, cls.control_server = (Server(("127.0.0.1", 0), None).start() for _ in range(2))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.control_server.stop()

    def setUp(self):
        self.storage, self.pools = MemoryStorage(), EchoPools()
        self.cloud = Cloud(self.storage, self.pools)
        self.endpoint = make_endpoint(self.cloud)
        self.control = Control(self.cloud, lambda: {"registry": True})
        self.server.application, self.server.clock = self.endpoint.serve, self.cloud.clock
        self.control_server.application = self.control.serve
        self.addCleanup(setattr, self.cloud, "stopping", True)
        self.cloud.change_settings({"update_ms": 0, "create_ms": 0, "publish_ms": 0, "control_rate": 1000})

    # Requests

    def send(self, method, host, target, headers=None, body=b"", port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.server.port, timeout=10)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host)
            for name, value in dict(headers or {}).items():
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    @staticmethod
    def sign(method, host, target, body=b"", headers=None, key=KEY, service="lambda", region=REGION):
        request = AWSRequest(method, f"https://{host}{target}", dict(headers or {}), body)
        SigV4Auth(key, service, region).add_auth(request)
        return dict(request.headers.items())

    def signed(self, method, host, target, body=b"", headers=None, **more):
        return self.send(method, host, target, self.sign(method, host, target, body, headers, **more), body)

    def lambda_call(self, method, path, value=None, **more):
        body = b"" if value is None else json.dumps(value).encode()
        return self.signed(method, LAMBDA, f"/2015-03-31/functions{path}", body, **more)

    def ecr_call(self, operation, value, **more):
        headers = {
            "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        return self.signed("POST", ECR, "/", json.dumps(value).encode(), headers, service="ecr", **more)

    def sts_call(self, operation, key=KEY, signed=True, **fields):
        body = urlencode({"Action": operation, "Version": "2011-06-15", **fields}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signed:
            return self.signed("POST", STS, "/", body, headers, service="sts", key=key)
        return self.send("POST", STS, "/", headers, body)

    def order(self, method, path, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        return self.send(method, "127.0.0.1", path, {}, body, port=self.control_server.port)

    def client(self, service, key=KEY):
        """botocore's own client, its requests sent to our port."""
        session = botocore.session.Session()
        config = Config(retries={"max_attempts": 0, "mode": "standard"})
        client = session.create_client(
            service, REGION, aws_access_key_id=key.access_key, aws_secret_access_key=key.secret_key,
            aws_session_token=key.token, config=config,
        )  # fmt: skip

        def send(request, **_):
            host, _, target = request.url.partition("://")[2].partition("/")
            headers = {
                name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
            }
            headers.pop("Content-Length", None)
            body = request.body or b""
            answer = self.send(request.method, host, "/" + target, headers, body.encode() if isinstance(body, str) else body)
            raw = io.BytesIO(answer.body)
            raw.stream = lambda *_args, **_more: iter([answer.body])
            return AWSResponse(request.url, answer.status, answer.headers, raw)

        client.meta.events.register_first("before-send", send)
        return client

    # Things to work with

    def make_repository(self, name="app", **more):
        answer = self.order("POST", "/repositories", {"name": name, **more})
        self.assertEqual(answer.status, 200, answer.body)
        return self.cloud.repositories[(more.get("account", ACCOUNT), more.get("region", REGION), name)]

    def make_image(self, repository, text="one", layer_type=GZIP_LAYER, architecture="amd64", tag=None, layer=None):
        """Blobs and manifest as a push leaves them; the digest."""
        upstream = repository.upstream
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Entrypoint": ["/app", text]}}).encode()
        layer = gzip.compress(text.encode()) if layer is None else layer
        for data in (config, layer):
            self.storage.blobs[(upstream, digest_of(data))] = data
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": layer_type, "digest": digest_of(layer), "size": len(layer)}],
        }
        value = {"repositoryName": repository.name, "imageManifest": json.dumps(manifest), "imageManifestMediaType": OCI}
        if tag:
            value["imageTag"] = tag
        answer = self.ecr_call("PutImage", value)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["image"]["imageId"]["imageDigest"]

    def make_function(self, name="hello", **more):
        """A function on the image app@…; (repository, digest)."""
        repository = self.cloud.repositories.get((ACCOUNT, REGION, "app")) or self.make_repository()
        digest = self.make_image(repository)
        answer = self.order("POST", "/functions", {"name": name, "image": f"app@{digest}", **more})
        self.assertEqual(answer.status, 200, answer.body)
        return repository, digest

    def uri(self, digest, name="app"):
        return f"{REGISTRY}/{name}@{digest}"

    def password(self, **more):
        answer = self.ecr_call("GetAuthorizationToken", {}, **more)
        return answer.json()["authorizationData"][0]["authorizationToken"]

    def assert_error(self, answer, status, code, words=""):
        body = answer.body.decode("utf-8", "replace")
        self.assertEqual(answer.status, status, body)
        said = answer.headers.get("x-amzn-ErrorType") or body
        self.assertIn(code, said)
        self.assertIn(words, body)


class Signatures(CloudCase):
    def test_good_signature(self):
        self.make_function()
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)

    def test_arn_in_the_path_is_encoded_twice(self):
        self.make_function()
        path = "/2015-03-31/functions/" + quote(FUNCTION_ARN, safe="")
        self.assertIn("%3A", path)
        self.assertEqual(self.signed("GET", LAMBDA, path).status, 200)

    def test_arn_in_the_path_encoded_once_is_refused(self):
        """As a signer does that takes the path on the wire for the canonical one."""
        self.make_function()
        path = "/2015-03-31/functions/" + quote(FUNCTION_ARN, safe="")
        with mock.patch.object(SigV4Auth, "_normalize_url_path", lambda _self, path: path):
            headers = self.sign("GET", LAMBDA, path)
        self.assert_error(self.send("GET", LAMBDA, path, headers), 403, "InvalidSignatureException", "does not match")

    def test_query_is_part_of_the_signature(self):
        self.make_function(alias="live")
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=live")
        good = self.send("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=live", headers)
        self.assertEqual(good.status, 200)
        bad = self.send("GET", LAMBDA, "/2015-03-31/functions/hello?Qualifier=1", headers)
        self.assert_error(bad, 403, "InvalidSignatureException")

    def test_unencoded_query_value_is_not_what_aws_signs(self):
        self.make_function()
        target = "/2015-03-31/functions/hello?Qualifier=$LATEST"
        headers = self.sign("GET", LAMBDA, target)  # signs "$" as it stands
        self.assert_error(self.send("GET", LAMBDA, target, headers), 403, "InvalidSignatureException")
        encoded = target.replace("$", "%24")
        self.assertEqual(self.signed("GET", LAMBDA, encoded).status, 200)

    def test_wrong_secret(self):
        wrong = Credentials(KEY.access_key, "x" * 40)
        self.assert_error(self.lambda_call("GET", "/hello", key=wrong), 403, "InvalidSignatureException", "does not match")

    def test_unknown_key(self):
        unknown = Credentials("AKIDNOBODY0000000001", "x" * 40)
        answer = self.lambda_call("GET", "/hello", key=unknown)
        self.assert_error(answer, 403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        answer = self.ecr_call("DescribeRepositories", {}, key=unknown)
        self.assert_error(answer, 400, '"__type":"UnrecognizedClientException"')
        self.assert_error(self.sts_call("GetCallerIdentity", key=unknown), 403, "<Code>InvalidClientTokenId</Code>")

    def test_tampered_body(self):
        path = "/2015-03-31/functions/hello/code"
        headers = self.sign("PUT", LAMBDA, path, b'{"ImageUri":"a"}')
        self.assert_error(self.send("PUT", LAMBDA, path, headers, b'{"ImageUri":"b"}'), 403, "InvalidSignatureException")

    def test_payload_hash_that_is_signed_but_wrong(self):
        path, said = "/2015-03-31/functions/hello/code", digest_of(b"other")[7:]
        headers = self.sign("PUT", LAMBDA, path, b"{}", {"X-Amz-Content-SHA256": said})
        self.assert_error(self.send("PUT", LAMBDA, path, headers, b"{}"), 403, "InvalidSignatureException")

    def test_signed_payload_hash(self):
        self.make_function()
        headers = {"X-Amz-Content-SHA256": digest_of(b"")[7:]}
        self.assertEqual(self.lambda_call("GET", "/hello", headers=headers).status, 200)

    def test_clock_off_by_an_hour(self):
        for offset, words in ((3600, "Signature expired"), (-3600, "Signature not yet current")):
            with self.subTest(offset):
                self.cloud.change_settings({"clock_offset_s": offset})
                self.assert_error(self.lambda_call("GET", "/hello"), 403, "InvalidSignatureException", words)
                self.assert_error(self.sts_call("GetCallerIdentity"), 403, "<Code>SignatureDoesNotMatch</Code>", words)

    def test_clock_off_by_ten_minutes_is_good(self):
        for offset in (600, -600):
            self.cloud.change_settings({"clock_offset_s": offset})
            self.assertEqual(self.sts_call("GetCallerIdentity").status, 200)

    def test_date_header_follows_the_cloud_s_clock(self):
        self.cloud.change_settings({"clock_offset_s": -86400 * 400})
        year = (datetime.datetime.now() - datetime.timedelta(days=400)).year
        self.assertIn(str(year), self.lambda_call("GET", "/hello").headers["Date"])

    def test_scope(self):
        self.assert_error(self.lambda_call("GET", "/hello", region="eu-west-1"), 403, "InvalidSignatureException", "valid region")
        self.assert_error(self.lambda_call("GET", "/hello", service="ecr"), 403, "InvalidSignatureException", "correct service: 'lambda'")

    def test_incomplete(self):
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        cases = (
            ({"Authorization": "Basic QVdTOng="}, "IncompleteSignatureException"),
            ({"Authorization": headers["Authorization"].partition(", Signature")[0]}, "IncompleteSignatureException"),
            ({"Authorization": headers["Authorization"].replace("/aws4_request", "")}, "IncompleteSignatureException"),
            ({"X-Amz-Date": "yesterday"}, "IncompleteSignatureException"),
        )
        for change, code in cases:
            with self.subTest(change):
                answer = self.send("GET", LAMBDA, "/2015-03-31/functions/hello", {**headers, **change})
                self.assert_error(answer, 403, code)

    def test_missing(self):
        answer = self.send("GET", LAMBDA, "/2015-03-31/functions/hello")
        self.assert_error(answer, 403, "MissingAuthenticationTokenException")
        self.assert_error(self.sts_call("GetCallerIdentity", signed=False), 403, "<Code>MissingAuthenticationToken</Code>")

    def test_amz_headers_must_be_signed(self):
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        headers["X-Amz-Log-Type"] = "Tail"
        answer = self.send("GET", LAMBDA, "/2015-03-31/functions/hello", headers)
        self.assert_error(answer, 403, "InvalidSignatureException", "x-amz-log-type")

    def test_session_token(self):
        self.order("POST", "/roles", {"arn": f"arn:aws:iam::{ACCOUNT}:role/deploy"})
        key = self.cloud.add_session(Principal(ACCOUNT, "arn", "id"), 100)
        good = Credentials(key.id, key.secret, key.token)
        self.assertEqual(self.sts_call("GetCallerIdentity", key=good).status, 200)
        answer = self.lambda_call("GET", "/x", key=Credentials(key.id, key.secret))
        self.assert_error(answer, 403, "UnrecognizedClientException")
        answer = self.lambda_call("GET", "/x", key=Credentials(key.id, key.secret, "other"))
        self.assert_error(answer, 403, "UnrecognizedClientException")
        key.expires = self.cloud.clock.now() - 1
        self.assert_error(self.lambda_call("GET", "/x", key=good), 403, "ExpiredTokenException")
        self.assert_error(self.ecr_call("DescribeRepositories", {}, key=good), 400, "ExpiredTokenException")
        self.assert_error(self.sts_call("GetCallerIdentity", key=good), 403, "<Code>ExpiredToken</Code>")

    def test_a_folded_header_and_spaces_are_trimmed(self):
        self.make_function()
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello", headers={"X-Amz-Note": "  a   b "})
        self.assertEqual(self.send("GET", LAMBDA, "/2015-03-31/functions/hello", headers).status, 200)


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
        create = {"FunctionName": "new", "Role": role, "Code": {"ImageUri": "x"}, "PackageType": "Image"}
        cases = (
            ("PUT", "/hello/code", {"ImageUri": "x", "Nonsense": 1}, "SerializationException", "Unrecognized field"),
            ("PUT", "/hello/code", {"ImageUri": 7}, "SerializationException", "NUMBER_VALUE"),
            ("PUT", "/hello/code", {"Publish": "yes"}, "SerializationException", "Boolean"),
            ("PUT", "/hello/code", {"Architectures": ["sparc"]}, "ValidationException", "enum value set"),
            ("PUT", "/hello/code", {"Architectures": []}, "ValidationException", "length greater than or equal to 1"),
            ("PUT", "/hello/configuration", {"MemorySize": 64}, "ValidationException", "greater than or equal to 128"),
            ("PUT", "/hello/configuration", {"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
            ("PUT", "/hello/configuration", {"Role": "me"}, "ValidationException", "pattern"),
            ("PUT", "/hello/configuration", {"Environment": {"Variables": {"1": "x"}}}, "ValidationException", "pattern"),
            ("PUT", "/hello/configuration", {"Description": "x" * 257}, "ValidationException", "256"),
            ("POST", "", {**create, "Role": None}, "ValidationException", "Value null at 'role'"),
            ("POST", "", {**create, "PackageType": "Jar"}, "ValidationException", "enum"),
            ("POST", "/hello/aliases", {"Name": "123", "FunctionVersion": "1"}, "ValidationException", "pattern"),
            ("POST", "/hello/aliases", {"Name": "live"}, "ValidationException", "functionVersion"),
            ("GET", "/hello?Colour=red", None, "SerializationException", "unknown query parameter"),
            ("GET", "/he%20llo", None, "ValidationException", "pattern"),
            ("GET", "/hello/versions?MaxItems=x", None, "SerializationException", "not a number"),
        )
        for method, path, value, code, words in cases:
            with self.subTest(path=path, value=value):
                self.assert_error(self.lambda_call(method, path, value), 400, code, words)
        self.assert_error(self.signed("PUT", LAMBDA, "/2015-03-31/functions/hello/code", b"{"), 400, "SerializationException")
        self.assert_error(self.signed("PATCH", LAMBDA, "/2015-03-31/functions/hello"), 404, "UnknownOperationException")

    def test_refusals_of_ecr_and_sts(self):
        self.assert_error(self.ecr_call("CreateRepository", {"repositoryName": "UPPER"}), 400, "ValidationException", "pattern")
        self.assert_error(self.ecr_call("CreateRepository", {}), 400, "ValidationException", "repositoryName")
        self.assert_error(self.ecr_call("CreateTable", {}), 400, "UnknownOperationException")
        answer = self.sts_call("AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy")
        self.assert_error(answer, 400, "<Code>ValidationError</Code>", "roleSessionName")
        answer = self.sts_call("AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deploy", RoleSessionName="run", DurationSeconds="10")
        self.assert_error(answer, 400, "ValidationError", "900")
        self.assert_error(self.sts_call("GetCallerIdentity", Colour="red"), 400, "ValidationError")

    def test_a_bad_signature_is_told_before_a_bad_request(self):
        wrong = Credentials(KEY.access_key, "x" * 40)
        self.assert_error(self.lambda_call("PUT", "/hello/code", {"Nonsense": 1}, key=wrong), 403, "InvalidSignatureException")

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


class Functions(CloudCase):
    def create(self, digest, **more):
        value = {
            "FunctionName": "hello",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/lambda",
            "PackageType": "Image",
            "Code": {"ImageUri": self.uri(digest)},
            **more,
        }
        return self.lambda_call("POST", "", value)

    def revision(self):
        return self.lambda_call("GET", "/hello").json()["Configuration"]["RevisionId"]

    def test_life_of_a_function(self):
        self.cloud.change_settings({"create_ms": 150, "update_ms": 150, "publish_ms": 150})
        repository = self.make_repository()
        digest = self.make_image(repository)
        made = self.create(digest, MemorySize=1024, Timeout=30)
        self.assertEqual(made.status, 201, made.body)
        body = made.json()
        self.assertEqual((body["State"], body["StateReasonCode"]), ("Pending", "Creating"))
        self.assertEqual((body["CodeSha256"], body["CodeSize"]), (digest[7:], 0))
        self.assertRegex(body["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")
        for method, path, value in (
            ("PUT", "/hello/code", {"ImageUri": self.uri(digest)}),
            ("PUT", "/hello/configuration", {"Timeout": 3}),
            ("POST", "/hello/versions", {}),
            ("POST", "/hello/invocations", {}),
        ):
            answer = self.lambda_call(method, path, value)
            self.assert_error(answer, 409, "ResourceConflictException", "following state: Pending")
        time.sleep(0.2)
        active = self.lambda_call("GET", "/hello").json()
        self.assertEqual((active["Configuration"]["State"], active["Configuration"]["LastUpdateStatus"]), ("Active", "Successful"))
        self.assertNotEqual(active["Configuration"]["RevisionId"], body["RevisionId"])
        self.assertEqual(active["Code"]["ResolvedImageUri"], self.uri(digest))
        second = self.make_image(repository, "two")
        changed = self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second), "Architectures": ["x86_64"]}).json()
        self.assertEqual((changed["LastUpdateStatus"], changed["CodeSha256"]), ("InProgress", second[7:]))
        self.assert_error(self.lambda_call("PUT", "/hello/configuration", {"Timeout": 9}), 409, "ResourceConflictException", "An update is in progress")
        self.assert_error(self.lambda_call("POST", "/hello/versions", {}), 409, "ResourceConflictException", FUNCTION_ARN)
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)
        self.assertEqual(self.pools.ran[-1][0], digest)  # the old code serves while the new one is on its way
        time.sleep(0.2)
        settled = self.lambda_call("GET", "/hello/configuration").json()
        self.assertEqual(settled["LastUpdateStatus"], "Successful")
        self.assertNotEqual(settled["RevisionId"], changed["RevisionId"])
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], second)
        published = self.lambda_call("POST", "/hello/versions", {})
        self.assertEqual((published.status, published.json()["Version"], published.json()["State"]), (201, "1", "Pending"))
        self.assert_error(self.lambda_call("POST", "/hello/invocations?Qualifier=1", {}), 409, "ResourceConflictException")
        time.sleep(0.2)
        self.assertEqual(self.lambda_call("GET", "/hello?Qualifier=1").json()["Configuration"]["State"], "Active")

    def test_create_twice(self):
        _, digest = self.make_function()
        self.assert_error(self.create(digest), 409, "ResourceConflictException", "Function already exist: hello")

    def test_not_found(self):
        answer = self.lambda_call("GET", "/nobody")
        self.assert_error(answer, 404, "ResourceNotFoundException", f"Function not found: {FUNCTION_ARN.replace('hello', 'nobody')}")
        self.assertEqual(answer.json()["Type"], "User")
        self.make_function()
        self.assert_error(self.lambda_call("GET", "/hello?Qualifier=7"), 404, "ResourceNotFoundException", "hello:7")
        self.assert_error(self.lambda_call("GET", "/hello/aliases/live"), 404, "ResourceNotFoundException", "Cannot find alias arn")

    def test_names(self):
        self.make_function(alias="live")
        for name in ("hello", f"{ACCOUNT}:function:hello", "function:hello", FUNCTION_ARN):
            answer = self.lambda_call("GET", "/" + quote(name, safe=""))
            self.assertEqual(answer.json()["Configuration"]["FunctionArn"], FUNCTION_ARN, name)
        for name in ("hello:live", FUNCTION_ARN + ":live"):
            answer = self.lambda_call("GET", "/" + quote(name, safe=""))
            self.assertEqual(answer.json()["Configuration"]["FunctionArn"], FUNCTION_ARN + ":live", name)
            self.assertEqual(answer.json()["Configuration"]["Version"], "1")
        other = FUNCTION_ARN.replace(REGION, "eu-west-1")
        self.assert_error(self.lambda_call("GET", "/" + quote(other, safe="")), 404, "ResourceNotFoundException", "not reachable in this region")

    def test_revision(self):
        _, digest = self.make_function()
        old = self.revision()
        self.assertEqual(self.lambda_call("PUT", "/hello/configuration", {"Timeout": 9, "RevisionId": old}).status, 200)
        for method, path, value in (
            ("PUT", "/hello/configuration", {"Timeout": 10}),
            ("PUT", "/hello/code", {"ImageUri": self.uri(digest)}),
            ("POST", "/hello/versions", {}),
        ):
            answer = self.lambda_call(method, path, {**value, "RevisionId": old})
            self.assert_error(answer, 412, "PreconditionFailedException", "latest Revision Id")
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["Timeout"], 9)

    def test_rate(self):
        self.make_function()
        self.cloud.change_settings({"control_rate": 15})
        answers = [self.lambda_call("GET", "/hello/configuration") for _ in range(15)]
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assert_error(self.lambda_call("GET", "/hello/configuration"), 429, "TooManyRequestsException", "Rate exceeded")
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)
        time.sleep(1.05)
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").status, 200)

    def test_dry_run_changes_nothing(self):
        repository, digest = self.make_function()
        before = self.lambda_call("GET", "/hello").json()
        other = self.make_image(repository, "two")
        answer = self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(other), "DryRun": True})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(self.lambda_call("GET", "/hello").json(), before)
        answer = self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri("sha256:" + "0" * 64), "DryRun": True})
        self.assert_error(answer, 400, "InvalidParameterValueException", "does not exist")

    def test_architecture_is_the_documented_default_when_left_out(self):
        _, digest = self.make_function(architecture="arm64")
        self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(digest)})
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["Architectures"], ["x86_64"])

    def test_publish(self):
        _, digest = self.make_function()
        wrong = self.lambda_call("POST", "/hello/versions", {"CodeSha256": "0" * 64})
        self.assert_error(wrong, 400, "InvalidParameterValueException", "CodeSHA256")
        first = self.lambda_call("POST", "/hello/versions", {"CodeSha256": digest[7:], "Description": "one"}).json()
        self.assertEqual((first["Version"], first["Description"]), ("1", "one"))
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "1")
        self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(digest)})  # the same code is a change, too
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "2")
        self.assertEqual(self.lambda_call("DELETE", "/hello?Qualifier=2").status, 204)
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assertEqual(self.lambda_call("POST", "/hello/versions", {}).json()["Version"], "3")
        versions = self.lambda_call("GET", "/hello/versions").json()["Versions"]
        self.assertEqual([each["Version"] for each in versions], ["$LATEST", "1", "3"])
        self.assertEqual(versions[1]["FunctionArn"], FUNCTION_ARN + ":1")

    def test_versions_are_frozen(self):
        self.make_function(environment={"COLOUR": "red"})
        self.lambda_call("POST", "/hello/versions", {})
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"COLOUR": "blue"}}})
        old = self.lambda_call("GET", "/hello/configuration?Qualifier=1").json()
        new = self.lambda_call("GET", "/hello/configuration").json()
        self.assertEqual(old["Environment"]["Variables"], {"COLOUR": "red"})
        self.assertEqual(new["Environment"]["Variables"], {"COLOUR": "blue"})

    def test_update_code_and_publish(self):
        repository, _ = self.make_function()
        second = self.make_image(repository, "two")
        answer = self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second), "Publish": True}).json()
        self.assertEqual((answer["Version"], answer["CodeSha256"]), ("1", second[7:]))
        self.assertEqual(self.lambda_call("GET", "/hello?Qualifier=1").json()["Code"]["ResolvedImageUri"], self.uri(second))

    def test_aliases(self):
        self.make_function()
        missing = self.lambda_call("POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1"})
        self.assert_error(missing, 404, "ResourceNotFoundException", "Function not found: " + FUNCTION_ARN + ":1")
        self.lambda_call("POST", "/hello/versions", {})
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.lambda_call("POST", "/hello/versions", {})
        made = self.lambda_call("POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1", "Description": "d"})
        self.assertEqual(made.status, 201)
        self.assert_error(
            self.lambda_call("POST", "/hello/aliases", {"Name": "live", "FunctionVersion": "1"}), 409, "ResourceConflictException"
        )
        routing = {"AdditionalVersionWeights": {"2": 0.1}}
        self.assertEqual(self.lambda_call("PUT", "/hello/aliases/live", {"RoutingConfig": routing}).json()["RoutingConfig"], routing)
        kept = self.lambda_call("PUT", "/hello/aliases/live", {"Description": "e"}).json()
        self.assertEqual((kept["RoutingConfig"], kept["FunctionVersion"], kept["Description"]), (routing, "1", "e"))
        clash = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "2"})
        self.assert_error(clash, 400, "InvalidParameterValueException")
        moved = self.lambda_call(
            "PUT", "/hello/aliases/live", {"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {}}}
        ).json()
        self.assertEqual((moved["FunctionVersion"], "RoutingConfig" in moved, moved["Description"]), ("2", False, "e"))
        stale = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "1", "RevisionId": made.json()["RevisionId"]})
        self.assert_error(stale, 412, "PreconditionFailedException")
        gone = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "9"})
        self.assert_error(gone, 404, "ResourceNotFoundException")
        used = self.lambda_call("DELETE", "/hello?Qualifier=2")
        self.assert_error(used, 409, "ResourceConflictException", "[live]")
        latest = self.lambda_call("PUT", "/hello/aliases/live", {"FunctionVersion": "$LATEST", "RoutingConfig": routing})
        self.assert_error(latest, 400, "InvalidParameterValueException", "$LATEST is not supported")
        url = self.signed("GET", LAMBDA, "/2021-10-31/functions/hello/url?Qualifier=live").json()
        self.assertEqual(url["FunctionUrl"], "https://live--hello.lambda-url.us-east-1.on.aws/")

    def test_weights_choose(self):
        self.make_function()
        function = self.cloud.functions[(ACCOUNT, REGION, "hello")]
        for _ in "12":
            functions.mint(function, None, 0)
        function.aliases["live"] = functions.Alias("live", "1", weights={"2": 0.25})
        self.assertEqual(functions.pick(function, "live", 0.1).number, "2")
        self.assertEqual(functions.pick(function, "live", 0.3).number, "1")
        self.assertEqual(functions.pick(function, "live").number, "1")

    def test_tags(self):
        self.make_function()
        target = "/2017-03-31/tags/" + quote(FUNCTION_ARN, safe="")

        def put(tags):
            return self.signed("POST", LAMBDA, target, json.dumps({"Tags": tags}).encode())

        revision = self.revision()
        self.assertEqual(put({"lambda-fastdeploy:claim": "org/repo deploy.yml main 12", "a": "b"}).status, 204)
        self.assertEqual(self.revision(), revision)
        self.assertEqual(self.signed("DELETE", LAMBDA, target + "?tagKeys=a").status, 204)
        self.assertEqual(self.signed("GET", LAMBDA, target).json()["Tags"], {"lambda-fastdeploy:claim": "org/repo deploy.yml main 12"})
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Tags"], {"lambda-fastdeploy:claim": "org/repo deploy.yml main 12"})
        for bad in ({"x": "y" * 257}, {"k" * 129: ""}, {"aws:x": "y"}, {"x": "a;b"}, {f"k{number}": "" for number in range(51)}):
            self.assert_error(put(bad), 400, "InvalidParameterValueException")

    def test_environment(self):
        self.make_function(environment={"AB": "1"})
        reserved = self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"AWS_REGION": "x"}}})
        self.assert_error(reserved, 400, "InvalidParameterValueException", "AWS_REGION")
        large = self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"AB": "x" * 4100}}})
        self.assert_error(large, 400, "InvalidParameterValueException", "4KB")
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 4})
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").json()["Environment"], {"Variables": {"AB": "1"}})
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"CD": "2"}}})
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").json()["Environment"], {"Variables": {"CD": "2"}})
        self.order("POST", "/functions/hello", {"environment_hidden": True})
        self.assertIn("Error", self.lambda_call("GET", "/hello/configuration").json()["Environment"])
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {}}})
        self.assertNotIn("Environment", self.lambda_call("GET", "/hello/configuration").json())

    def test_zip_and_image_are_kept_apart(self):
        _, digest = self.make_function()
        handler = self.lambda_call("PUT", "/hello/configuration", {"Handler": "app.handler"})
        self.assert_error(handler, 400, "InvalidParameterValueException", "PackageType is Image")
        self.order("POST", "/functions", {"name": "old", "package": "Zip"})
        image = self.lambda_call("PUT", "/old/code", {"ImageUri": self.uri(digest)})
        self.assert_error(image, 400, "InvalidParameterValueException", "packageType Zip")
        self.assertEqual(self.lambda_call("GET", "/old").json()["Configuration"]["PackageType"], "Zip")

    def test_delete(self):
        self.make_function()
        self.assertEqual(self.lambda_call("DELETE", "/hello").status, 204)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 404)


class States(CloudCase):
    def change(self, **fields):
        answer = self.order("POST", "/functions/hello", fields)
        self.assertEqual(answer.status, 200, answer.body)

    def shown(self):
        return self.lambda_call("GET", "/hello").json()["Configuration"]

    def test_inactive_rejects_one_invocation_and_wakes(self):
        self.cloud.change_settings({"create_ms": 100})
        self.make_function()
        self.change(state="Inactive")
        self.assert_error(self.lambda_call("POST", "/hello/invocations", {}), 409, "ResourceConflictException", "Inactive")
        self.assert_error(self.lambda_call("POST", "/hello/invocations", {}), 409, "ResourceConflictException", "Pending")
        time.sleep(0.15)
        self.assertEqual(self.lambda_call("POST", "/hello/invocations", {}).status, 200)

    def test_inactive_can_be_updated(self):
        _, digest = self.make_function()
        self.change(state="Inactive")
        self.assertEqual(self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(digest)}).status, 200)
        self.assertEqual(self.shown()["State"], "Active")

    def test_update_that_fails(self):
        repository, digest = self.make_function()
        wish = {"service": "lambda", "operation": "UpdateFunctionCode", "fault": "update-failed", "arg": {"reason_code": "ImageAccessDenied", "reason": "no"}}
        self.assertEqual(self.order("POST", "/faults", wish).status, 200)
        second = self.make_image(repository, "two")
        self.assertEqual(self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second)}).status, 200)
        shown = self.shown()
        self.assertEqual(
            (shown["LastUpdateStatus"], shown["LastUpdateStatusReasonCode"], shown["LastUpdateStatusReason"], shown["State"]),
            ("Failed", "ImageAccessDenied", "no", "Active"),
        )
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], digest)
        refused = self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assert_error(refused, 400, "InvalidParameterValueException", "ImageAccessDenied")
        self.assertEqual(self.lambda_call("PUT", "/hello/code", {"ImageUri": self.uri(second)}).status, 200)
        self.assertEqual(self.shown()["LastUpdateStatus"], "Successful")
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.ran[-1][0], second)

    def test_old_configuration_serves_while_the_new_one_is_on_its_way(self):
        self.make_function(timeout=3)
        self.cloud.change_settings({"update_ms": 150})
        self.lambda_call("PUT", "/hello/configuration", {"Timeout": 9})
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual((self.shown()["Timeout"], self.pools.settings["Timeout"]), (9, 3))
        time.sleep(0.2)
        self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(self.pools.settings["Timeout"], 9)

    def test_image_that_is_gone_refuses_a_configuration_change(self):
        _, digest = self.make_function()
        self.ecr_call("BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageDigest": digest}]})
        answer = self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5})
        self.assert_error(answer, 400, "InvalidParameterValueException", "does not exist")

    def test_somebody_else_s_change_moves_the_revision(self):
        self.make_function()
        before = self.shown()["RevisionId"]
        self.change(environment={"XY": "z"})
        self.assertNotEqual(self.shown()["RevisionId"], before)
        self.change(last_update_status="Failed", reason_code="InvalidImage", reason="r")
        self.assertEqual(self.shown()["LastUpdateStatusReasonCode"], "InvalidImage")

    def test_update_in_progress_by_somebody_else(self):
        self.make_function()
        self.change(in_progress_ms=100, configuration={"Timeout": 60})
        self.assert_error(self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5}), 409, "ResourceConflictException")
        time.sleep(0.15)
        self.assertEqual(self.lambda_call("PUT", "/hello/configuration", {"Timeout": 5}).status, 200)


class Images(CloudCase):
    def update(self, uri, **more):
        return self.lambda_call("PUT", "/hello/code", {"ImageUri": uri}, **more)

    def put_index(self, repository, digest, tag):
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"mediaType": OCI, "digest": digest, "size": 1}]}
        value = {"repositoryName": repository.name, "imageManifest": json.dumps(index), "imageManifestMediaType": INDEX, "imageTag": tag}
        answer = self.ecr_call("PutImage", value)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["image"]["imageId"]["imageDigest"]

    def test_index_is_refused(self):
        repository, digest = self.make_function()
        index = self.put_index(repository, digest, "multi")
        for uri in (self.uri(index), f"{REGISTRY}/app:multi"):
            words = f"The image manifest, config or layer media type for the source image {uri} is not supported."
            self.assert_error(self.update(uri), 400, "InvalidParameterValueException", words)
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Code"]["ResolvedImageUri"], self.uri(digest))

    def test_layer_types(self):
        repository, _ = self.make_function()
        strange = self.make_image(repository, "two", "application/vnd.oci.image.layer.v1.tar+xz")
        self.assert_error(self.update(self.uri(strange)), 400, "InvalidParameterValueException", "layer media type")
        zstd = self.make_image(repository, "three", ZSTD_LAYER, layer=b"\x28\xb5\x2f\xfd")
        self.assert_error(self.update(self.uri(zstd)), 400, "InvalidParameterValueException", "layer media type")
        self.cloud.change_settings({"zstd_layers": "fail"})
        self.assertEqual(self.update(self.uri(zstd)).status, 200)
        shown = self.lambda_call("GET", "/hello").json()["Configuration"]
        self.assertEqual((shown["LastUpdateStatus"], shown["LastUpdateStatusReasonCode"]), ("Failed", "InvalidImage"))
        self.assertIn("UnsupportedImageLayerDetected", shown["LastUpdateStatusReason"])
        self.cloud.change_settings({"zstd_layers": "accept"})
        self.assertEqual(self.update(self.uri(zstd)).status, 200)
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["LastUpdateStatus"], "Successful")

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
        self.assertEqual(self.order("POST", "/repositories/app/lose-blob", {"digest": layer}).status, 200)
        self.assertEqual(self.order("POST", "/repositories/app/lose-blob", {"digest": layer}).status, 404)
        self.assertEqual(self.update(self.uri(second)).status, 200)
        shown = self.lambda_call("GET", "/hello").json()["Configuration"]
        self.assertEqual((shown["LastUpdateStatus"], shown["LastUpdateStatusReasonCode"]), ("Failed", "InvalidImage"))

    def test_not_there(self):
        _, digest = self.make_function()
        for uri in (f"{REGISTRY}/app:nothing", self.uri("sha256:" + "1" * 64), self.uri(digest, "nowhere")):
            self.assert_error(self.update(uri), 400, "InvalidParameterValueException", f"Source image {uri} does not exist.")
        for uri in ("docker.io/library/busybox:latest", self.uri(digest).replace(REGION, "eu-west-1")):
            self.assert_error(self.update(uri), 400, "InvalidParameterValueException", "is not valid")

    def test_tag_is_resolved_once(self):
        repository, _ = self.make_function()
        first = self.make_image(repository, "two", tag="v1")
        self.update(f"{REGISTRY}/app:v1")
        self.make_image(repository, "three", tag="v1")
        code = self.lambda_call("GET", "/hello").json()["Code"]
        self.assertEqual((code["ImageUri"], code["ResolvedImageUri"]), (f"{REGISTRY}/app:v1", self.uri(first)))

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
        self.assert_error(answer, 403, "AccessDeniedException", "Lambda does not have permission to access the ECR image")

    def test_another_account_s_image(self):
        self.make_function()
        other = "210987654321"
        repository = self.make_repository("shared", account=other)
        with mock.patch.object(self, "ecr_call", lambda *args: type(self).ecr_call(self, *args, key=OTHER_KEY)):
            digest = self.make_image(repository)
        uri = f"{repository.uri}@{digest}"
        self.assert_error(self.update(uri), 403, "AccessDeniedException", "does not have permission")
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "ecr:*"},
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"}},
            },
        ]
        value = {"repositoryName": "shared", "policyText": json.dumps({"Statement": statements})}
        self.assertEqual(self.ecr_call("SetRepositoryPolicy", value, key=OTHER_KEY).status, 200)
        self.assertEqual(self.update(uri).status, 200)


OTHER_KEY = Credentials("AKIDLOCALCLOUD000002", "local-cloud-secret-key-0000000000000002")


class Repositories(CloudCase):
    def test_create_and_describe(self):
        made = self.ecr_call("CreateRepository", {"repositoryName": "a/b", "imageScanningConfiguration": {"scanOnPush": True}})
        self.assertEqual(made.json()["repository"]["repositoryUri"], f"{REGISTRY}/a/b")
        again = self.ecr_call("CreateRepository", {"repositoryName": "a/b"})
        self.assert_error(again, 400, "#RepositoryAlreadyExistsException", "already exists in the registry with id")
        missing = self.ecr_call("DescribeRepositories", {"repositoryNames": ["nobody"]})
        self.assert_error(missing, 400, "#RepositoryNotFoundException", "The repository with name 'nobody' does not exist in the registry")
        self.assertEqual(missing.json()["__type"].partition("#")[2], "RepositoryNotFoundException")
        for number in range(5):
            self.ecr_call("CreateRepository", {"repositoryName": f"r{number}"})
        page = self.ecr_call("DescribeRepositories", {"maxResults": 4}).json()
        rest = self.ecr_call("DescribeRepositories", {"maxResults": 4, "nextToken": page["nextToken"]}).json()
        self.assertEqual(len(page["repositories"]) + len(rest["repositories"]), 6)
        self.assertNotIn("nextToken", rest)
        self.assert_error(self.ecr_call("DescribeRepositories", {"nextToken": "?"}), 400, "InvalidParameterException")

    def test_policies(self):
        self.make_repository("app")
        self.assert_error(self.ecr_call("GetLifecyclePolicy", {"repositoryName": "app"}), 400, "LifecyclePolicyNotFoundException")
        self.assert_error(self.ecr_call("GetRepositoryPolicy", {"repositoryName": "app"}), 400, "RepositoryPolicyNotFoundException")
        selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
        rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
        text = json.dumps({"rules": [rule]})
        self.assertEqual(self.ecr_call("PutLifecyclePolicy", {"repositoryName": "app", "lifecyclePolicyText": text}).status, 200)
        self.assertEqual(self.ecr_call("GetLifecyclePolicy", {"repositoryName": "app"}).json()["lifecyclePolicyText"], text)
        no_unit = {**selection}
        del no_unit["countUnit"]
        for bad in ("x" * 120, json.dumps({"rules": [rule, rule]}), json.dumps({"rules": [{**rule, "selection": no_unit}]})):
            answer = self.ecr_call("PutLifecyclePolicy", {"repositoryName": "app", "lifecyclePolicyText": bad})
            self.assert_error(answer, 400, "InvalidParameterException")
        for bad in ("{", "[]", '{"Statement":[{"Effect":"Maybe"}]}'):
            answer = self.ecr_call("SetRepositoryPolicy", {"repositoryName": "app", "policyText": bad})
            self.assert_error(answer, 400, "InvalidParameterException")

    def test_put_image(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        text = self.storage.manifest(repository.upstream, digest).decode()

        def put(**more):
            return self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": text, **more})

        self.assert_error(put(imageTag="one"), 400, "#ImageAlreadyExistsException")
        self.assert_error(put(), 400, "#ImageAlreadyExistsException")
        self.assertEqual(put(imageTag="two").status, 200)
        self.assert_error(put(imageTag="three", imageDigest="sha256:" + "0" * 64), 400, "ImageDigestDoesNotMatchException")
        lost = text.replace('"layers": [{', '"layers": [{"x":1,').replace(digest_of(gzip.compress(b"one")), "sha256:" + "2" * 64)
        manifest = json.loads(lost)
        manifest["layers"][0]["digest"] = "sha256:" + "2" * 64
        answer = self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": json.dumps(manifest)})
        self.assert_error(answer, 400, "#LayersNotFoundException", "2" * 64)
        found = self.ecr_call("DescribeImages", {"repositoryName": "app"}).json()["imageDetails"]
        self.assertEqual(found[0]["imageTags"], ["one", "two"])

    def test_immutable(self):
        repository = self.make_repository(immutable=True, exclusions=["cache*"])
        digest = self.make_image(repository, tag="v1")
        text = self.storage.manifest(repository.upstream, digest).decode()
        same = self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": text, "imageTag": "v1"})
        self.assert_error(same, 400, "#ImageAlreadyExistsException")
        other = json.dumps({**json.loads(text), "annotations": {"x": "y"}})
        answer = self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": other, "imageTag": "v1"})
        words = "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable."
        self.assert_error(answer, 400, "#ImageTagAlreadyExistsException", words)
        for data in (text, other):
            self.assertEqual(self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": data, "imageTag": "cache-1"}).status, 200)

    def test_batch_get_image(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        wanted = [{"imageTag": "one"}, {"imageTag": "nothing"}, {"imageDigest": digest}, {"imageTag": "one", "imageDigest": "sha256:" + "0" * 64}]
        found = self.ecr_call("BatchGetImage", {"repositoryName": "app", "imageIds": wanted}).json()
        self.assertEqual([each["imageId"]["imageDigest"] for each in found["images"]], [digest, digest])
        self.assertEqual(digest_of(found["images"][0]["imageManifest"].encode()), digest)
        self.assertEqual([each["failureCode"] for each in found["failures"]], ["ImageNotFound", "ImageTagDoesNotMatchDigest"])
        value = {"repositoryName": "app", "imageIds": [{"imageTag": "one"}], "acceptedMediaTypes": [INDEX]}
        self.assertEqual(self.ecr_call("BatchGetImage", value).json()["failures"][0]["failureCode"], "ImageNotFound")

    def test_delete_images(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="one")
        self.ecr_call("PutImage", {"repositoryName": "app", "imageManifest": self.storage.manifest(repository.upstream, digest).decode(), "imageTag": "two"})
        self.ecr_call("BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageTag": "one"}]})
        self.assertEqual((repository.tags, list(repository.images)), ({"two": digest}, [digest]))
        self.ecr_call("BatchDeleteImage", {"repositoryName": "app", "imageIds": [{"imageTag": "two"}]})
        self.assertEqual((repository.tags, repository.images), ({}, {}))
        self.assertIsNone(self.storage.manifest(repository.upstream, digest))

    def test_moved_tag_leaves_an_untagged_image(self):
        repository = self.make_repository()
        first = self.make_image(repository, "one", tag="v")
        self.make_image(repository, "two", tag="v")
        value = {"repositoryName": "app", "filter": {"tagStatus": "UNTAGGED"}}
        self.assertEqual(self.ecr_call("ListImages", value).json()["imageIds"], [{"imageDigest": first}])

    def test_layers(self):
        repository = self.make_repository()
        self.make_image(repository)
        known = next(digest for name, digest in self.storage.blobs if name == repository.upstream)
        unknown = "sha256:" + "3" * 64
        answer = self.ecr_call("BatchCheckLayerAvailability", {"repositoryName": "app", "layerDigests": [known, unknown]}).json()
        self.assertEqual([each["layerAvailability"] for each in answer["layers"]], ["AVAILABLE", "UNAVAILABLE"])
        url = self.ecr_call("GetDownloadUrlForLayer", {"repositoryName": "app", "layerDigest": known}).json()["downloadUrl"]
        self.assertIn("starport-layer-bucket.s3", url)

    def test_two_accounts_and_regions_are_apart(self):
        self.make_repository("app")
        self.make_repository("app", account="210987654321")
        self.make_repository("app", region="eu-west-1")
        self.assertEqual(len({each.upstream for each in self.cloud.repositories.values()}), 3)
        answer = self.ecr_call("DescribeRepositories", {"registryId": "210987654321", "repositoryNames": ["app"]})
        self.assert_error(answer, 400, "AccessDeniedException", "no resource-based policy")


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
        for password in (base64.b64encode(b"AWS:guess").decode(), "!!!", base64.b64encode(b"root:x").decode()):
            answer = self.ask("GET", "/v2/", password=password)
            self.assert_code(answer, 401, "UNAUTHORIZED")
            self.assertEqual(answer.headers["WWW-Authenticate"], f'Basic realm="https://{REGISTRY}/",service="ecr.amazonaws.com"')
        password = self.password()
        self.cloud.change_settings({"clock_offset_s": 13 * 3600})
        self.assert_code(self.ask("GET", "/v2/", password=password), 403, "DENIED")

    def test_repository_must_exist(self):
        self.assert_code(self.ask("POST", "/v2/nobody/blobs/uploads/"), 404, "NAME_UNKNOWN")

    def test_manifests(self):
        repository = self.make_repository()
        digest = self.make_image(repository, tag="v1")
        data = self.storage.manifest(repository.upstream, digest)
        head = self.ask("HEAD", "/v2/app/manifests/v1", {"Accept": f"{INDEX}, {OCI}"})
        self.assertEqual((head.status, head.headers["Docker-Content-Digest"], head.headers["Content-Length"]), (200, digest, str(len(data))))
        got = self.ask("GET", "/v2/app/manifests/v1", {"Accept": OCI})
        self.assertEqual((got.body, got.headers["Content-Type"], got.headers["Docker-Content-Digest"]), (data, OCI, None))
        self.assert_code(self.ask("GET", "/v2/app/manifests/v1", {"Accept": INDEX}), 404, "MANIFEST_UNKNOWN")
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
        answer = self.ask("PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, json.dumps(manifest).encode())
        self.assert_code(answer, 400, "MANIFEST_BLOB_UNKNOWN")

    def test_immutable_tag(self):
        repository = self.make_repository(immutable=True)
        digest = self.make_image(repository, tag="v1")
        data = self.storage.manifest(repository.upstream, digest)
        answer = self.ask("PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, data)  # the same digest, too
        self.assert_code(answer, 400, "TAG_INVALID")
        self.assertIn("cannot be overwritten because the repository is immutable", answer.body.decode())
        self.assertEqual(self.ask("PUT", f"/v2/app/manifests/{digest}", {"Content-Type": OCI}, data).status, 201)
        other = json.dumps({**json.loads(data), "annotations": {"x": "y"}}).encode()
        self.assert_code(self.ask("PUT", "/v2/app/manifests/v1", {"Content-Type": OCI}, other), 400, "TAG_INVALID")
        self.assertIsNone(self.storage.manifest(repository.upstream, digest_of(other)))

    def test_immutable_tag_that_somebody_puts_meanwhile(self):
        repository = self.make_repository(immutable=True)
        digest = self.make_image(repository)
        data = self.storage.manifest(repository.upstream, digest)
        with mock.patch.object(self.storage, "put_manifest", lambda *_: repository.tags.update(v1="sha256:other")):
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
        refused = self.send("GET", host, "/" + target, {"Authorization": f"Basic {self.password()}"})
        self.assert_error(refused, 400, "InvalidArgument", "Only one auth mechanism allowed")
        self.assert_error(self.send("GET", host, "/" + target.replace("Signature=", "Signature=0")), 403, "SignatureDoesNotMatch")
        self.assert_code(self.ask("GET", "/v2/app/blobs/sha256:" + "5" * 64), 404, "BLOB_UNKNOWN")

    def test_policy(self):
        self.make_repository()
        policy = {"Statement": [
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:*:*:repository/app"},
        ]}  # fmt: skip
        self.order("POST", "/keys", {"id": "AKIDREADER", "secret": "s", "policy": policy})
        password = self.password(key=Credentials("AKIDREADER", "s"))
        self.assert_code(self.ask("GET", "/v2/app/manifests/v1", password=password), 404, "MANIFEST_UNKNOWN")
        answer = self.ask("POST", "/v2/app/blobs/uploads/", password=password)
        self.assert_code(answer, 403, "DENIED")
        self.assertIn("is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr", answer.body.decode())


class Policies(CloudCase):
    def test_decisions(self):
        rows = (
            ({"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}, "lambda:GetFunction", "r", {}, "Allow"),
            ({"Effect": "Allow", "Action": "LAMBDA:get*", "Resource": "*"}, "lambda:GetFunction", "r", {}, "Allow"),
            ({"Effect": "Allow", "Action": "lambda:Get?unction", "Resource": "*"}, "lambda:GetFunction", "r", {}, "Allow"),
            ({"Effect": "Allow", "Action": "lambda:Get", "Resource": "*"}, "lambda:GetFunction", "r", {}, None),
            ({"Effect": "Allow", "Action": "*", "Resource": "arn:*:function:a"}, "x:y", "arn:1:function:a", {}, "Allow"),
            ({"Effect": "Allow", "Action": "*", "Resource": "arn:*:function:a"}, "x:y", "arn:1:function:ab", {}, None),
            ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "iam:PassRole", "r", {}, None),
            ({"Effect": "Allow", "Action": "*", "NotResource": "secret"}, "x:y", "secret", {}, None),
            ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "x:y", "r", {}, "Deny"),
            (cond("StringEquals", "k", ["a", "b"]), "x:y", "r", {"K": "b"}, "Allow"),
            (cond("StringEquals", "k", "a*"), "x:y", "r", {"k": "ab"}, None),
            (cond("StringLike", "k", "a*"), "x:y", "r", {"k": "ab"}, "Allow"),
            (cond("StringLike", "k", "a*"), "x:y", "r", {}, None),
            (cond("StringNotEquals", "k", "a"), "x:y", "r", {}, "Allow"),
            (cond("StringNotLike", "k", "a*"), "x:y", "r", {"k": "ab"}, None),
            (cond("StringEqualsIfExists", "k", "a"), "x:y", "r", {}, "Allow"),
        )
        for statement, action, resource, context, verdict in rows:
            with self.subTest(statement=statement, context=context):
                self.assertEqual(Policy({"Statement": statement}).decide(action, resource, context), verdict)
        both = {"Statement": [rows[0][0], rows[8][0]]}
        self.assertEqual(Policy(both).decide("lambda:GetFunction", "r"), "Deny")

    def test_documents_that_are_not_understood_are_refused(self):
        good = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        for bad in (
            [],
            {"Statement": {**good, "Condition": {"NumericLessThan": {"a": 1}}}},
            {"Statement": {**good, "Principal": "*"}},
            {"Statement": {"Effect": "Allow", "Action": "*"}},
            {"Statement": {**good, "Effect": "allow"}},
            {"Statement": {**good, "Resources": "*"}},
        ):
            with self.subTest(bad), self.assertRaises(ControlError):
                Policy(bad)
        self.assertEqual(self.order("POST", "/keys", {"id": "x", "secret": "y", "policy": {"Statement": {}}}).status, 400)

    def test_denied_in_aws_s_words(self):
        self.make_function()
        role = f"arn:aws:iam::{ACCOUNT}:role/deploy"
        policy = {"Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": FUNCTION_ARN}]}
        self.order("POST", "/roles", {"arn": role, "policy": policy})
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName="run-1")["Credentials"]
        key = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        self.assertEqual(self.lambda_call("GET", "/hello", key=key).status, 200)
        answer = self.lambda_call("PUT", "/hello/code", {"ImageUri": "x"}, key=key)
        words = (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-1 is not authorized to perform: "
            f"lambda:UpdateFunctionCode on resource: {FUNCTION_ARN} because no identity-based policy allows the "
            "lambda:UpdateFunctionCode action"
        )
        self.assert_error(answer, 403, "AccessDeniedException", words)
        answer = self.ecr_call("DescribeRepositories", {}, key=key)
        self.assert_error(answer, 400, "AccessDeniedException", "ecr:DescribeRepositories")
        self.assertNotIn("Tags", self.lambda_call("GET", "/hello", key=key).json())

    def test_pass_role(self):
        self.make_function()
        policy = {"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}
        self.order("POST", "/keys", {"id": "AKIDNOPASS", "secret": "s", "policy": policy})
        value = {"Role": f"arn:aws:iam::{ACCOUNT}:role/admin"}
        answer = self.lambda_call("PUT", "/hello/configuration", value, key=Credentials("AKIDNOPASS", "s"))
        self.assert_error(answer, 403, "AccessDeniedException", "iam:PassRole on resource: arn:aws:iam::123456789012:role/admin")

    def test_explicit_deny(self):
        self.make_function()
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        deny = {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"}
        self.order("POST", "/keys", {"id": "AKIDDENIED", "secret": "s", "policy": {"Statement": [allow, deny]}})
        answer = self.lambda_call("POST", "/hello/invocations", {}, key=Credentials("AKIDDENIED", "s"))
        self.assert_error(answer, 403, "AccessDeniedException", "with an explicit deny in an identity-based policy")


def cond(operator, key, value):
    return {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}


class Tokens(CloudCase):
    ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    SUB = "token.actions.githubusercontent.com:sub"

    def token(self, audience="sts.amazonaws.com"):
        where = self.order("GET", "/oidc").json()
        host, _, target = where["request_url"].partition("://")[2].partition("/")
        return self.send(
            "GET", host, f"/{target}&audience={audience}", {"Authorization": f"Bearer {where['request_token']}"}
        )

    def assume(self, token, **more):
        return self.sts_call(
            "AssumeRoleWithWebIdentity", signed=False, RoleArn=self.ROLE, RoleSessionName="run", WebIdentityToken=token, **more
        )

    def trust(self, **conditions):
        provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}}
        answer = self.order("POST", "/roles", {"arn": self.ROLE, "trust": {"Statement": [{**statement, "Condition": conditions}]}})
        self.assertEqual(answer.status, 200, answer.body)

    def test_web_identity(self):
        self.trust(StringLike={self.SUB: "repo:org/repo:*"})
        token = self.token().json()["value"]
        answer = self.assume(token)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn(b"<SubjectFromWebIdentityToken>repo:org/repo:ref:refs/heads/main<", answer.body)
        self.order("POST", "/oidc", {"claims": {"sub": "repo:other/repo:ref:refs/heads/main"}})
        self.assert_error(self.assume(self.token().json()["value"]), 403, "<Code>AccessDenied</Code>", "Not authorized to perform sts:AssumeRoleWithWebIdentity")

    def test_unknown_role_is_the_same_refusal(self):
        self.assert_error(self.assume(self.token().json()["value"]), 403, "<Code>AccessDenied</Code>")

    def test_bad_tokens(self):
        self.trust()
        good = self.token().json()["value"]
        head, claims, signature = good.split(".")
        forged = base64.urlsafe_b64encode(json.dumps({"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com", "sub": "x", "exp": 9e9}).encode()).decode().rstrip("=")
        self.assert_error(self.assume(f"{head}.{forged}.{signature}"), 400, "<Code>InvalidIdentityToken</Code>", "signature")
        self.assert_error(self.assume("abcde"), 400, "<Code>InvalidIdentityToken</Code>")
        self.assert_error(self.assume(self.token("other").json()["value"]), 400, "InvalidIdentityToken", "Incorrect token audience")
        self.cloud.change_settings({"clock_offset_s": 301})
        self.assert_error(self.assume(good), 400, "<Code>ExpiredTokenException</Code>", "Token expired")

    def test_issuer(self):
        self.order("POST", "/oidc", {"fail_times": 2})
        self.assertEqual([self.token().status for _ in range(3)], [500, 500, 200])
        where = self.order("GET", "/oidc").json()
        host, _, target = where["request_url"].partition("://")[2].partition("/")
        self.assertEqual(self.send("GET", host, "/" + target, {"Authorization": "Bearer x"}).status, 401)
        keys = self.send("GET", host, "/.well-known/jwks").json()["keys"]
        self.assertEqual(keys[0]["alg"], "RS256")
        log = json.dumps(self.order("GET", "/requests").json())
        self.assertNotIn(where["request_token"], log)

    def test_assume_role_and_its_end(self):
        self.order("POST", "/roles", {"arn": self.ROLE, "external_id": "xyz"})
        refused = self.sts_call("AssumeRole", RoleArn=self.ROLE, RoleSessionName="run")
        self.assert_error(refused, 403, "<Code>AccessDenied</Code>", f"sts:AssumeRole on resource: {self.ROLE}")
        self.cloud.change_settings({"token_seconds": 1})
        made = self.client("sts").assume_role(RoleArn=self.ROLE, RoleSessionName="run", ExternalId="xyz")
        credentials = made["Credentials"]
        key = Credentials(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
        said = self.client("sts", key).get_caller_identity()
        self.assertEqual(said["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run")
        time.sleep(1.1)
        self.assert_error(self.sts_call("GetCallerIdentity", key=key), 403, "<Code>ExpiredToken</Code>")

    def test_token_is_not_logged(self):
        self.trust()
        token = self.token().json()["value"]
        self.assume(token)
        self.assertNotIn(token[:40], json.dumps(self.order("GET", "/requests").json()))


class Ordered(CloudCase):
    """Faults."""

    def fault(self, kind, **more):
        wish = {"service": "lambda", "operation": "GetFunction", "fault": kind, **more}
        answer = self.order("POST", "/faults", wish)
        self.assertEqual(answer.status, 200, answer.body)

    def test_status(self):
        self.make_function()
        self.fault("status", arg={"status": 400, "code": "ThrottlingException", "headers": {"x-amz-retry-after": "50"}})
        answer = self.lambda_call("GET", "/hello")
        self.assert_error(answer, 400, "ThrottlingException")
        self.assertEqual(answer.headers["x-amz-retry-after"], "50")
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.fault("status", arg=503)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 503)

    def test_status_is_exact_in_ecr(self):
        self.order("POST", "/faults", {"service": "ecr", "operation": None, "fault": "status", "arg": 403})
        self.assertEqual(self.ecr_call("DescribeRepositories", {}).status, 403)

    def test_nth_and_times(self):
        self.make_function()
        self.fault("status", arg=500, nth=2, times=2)
        self.assertEqual([self.lambda_call("GET", "/hello").status for _ in range(5)], [200, 500, 500, 200, 200])
        self.fault("status", arg=500, times=-1)
        self.assertEqual([self.lambda_call("GET", "/hello").status for _ in range(3)], [500, 500, 500])
        self.assertEqual(self.lambda_call("GET", "/hello/configuration").status, 200)
        self.order("DELETE", "/faults")
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)

    def test_resets(self):
        _, digest = self.make_function()
        for kind, timeout in (("reset-before", 3), ("reset-after", 44)):
            wish = {"service": "lambda", "operation": "UpdateFunctionConfiguration", "fault": kind}
            self.order("POST", "/faults", wish)
            with self.assertRaises(ConnectionResetError):
                self.lambda_call("PUT", "/hello/configuration", {"Timeout": 44})
            self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["Timeout"], timeout)

    def test_truncate(self):
        self.make_function()
        self.fault("truncate")
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.lambda_call("GET", "/hello")
        self.assertGreater(len(caught.exception.partial), 100)
        self.assertGreater(caught.exception.expected, 100)

    def test_garbage_and_content_type(self):
        self.make_function()
        self.fault("garbage")
        answer = self.lambda_call("GET", "/hello")
        self.assertEqual(answer.status, 200)
        with self.assertRaises(ValueError):
            answer.json()
        self.fault("content-type", arg="text/html")
        answer = self.lambda_call("GET", "/hello")
        self.assertEqual((answer.headers["Content-Type"], answer.json()["Configuration"]["FunctionName"]), ("text/html", "hello"))

    def test_slow_and_delay(self):
        self.make_function()
        self.fault("delay", arg=200)
        start = time.monotonic()
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.assertGreater(time.monotonic() - start, 0.2)
        self.fault("slow", arg=0.2)
        start = time.monotonic()
        self.assertEqual(self.lambda_call("GET", "/hello").json()["Configuration"]["FunctionName"], "hello")
        self.assertGreater(time.monotonic() - start, 0.2)

    def test_hang(self):
        self.make_function()
        self.fault("hang")
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=0.3)
        connection.request("GET", "/2015-03-31/functions/hello", headers={"Host": LAMBDA, **headers})
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()
        for _ in range(50):
            last = self.order("GET", "/requests").json()[-1]
            if last["error"]:
                break
            time.sleep(0.05)
        self.assertEqual((last["status"], last["error"]), (None, "fault: hang"))

    def test_registry_and_oidc_too(self):
        self.order("POST", "/faults", {"service": "registry", "operation": "Ping", "fault": "status", "arg": 503})
        password = self.password()
        statuses = [self.send("GET", REGISTRY, "/v2/", {"Authorization": f"Basic {password}"}).status for _ in "12"]
        self.assertEqual(statuses, [503, 200])

    def test_bad_orders(self):
        for bad in (
            {"fault": "explode"},
            {"fault": "status"},
            {"fault": "status", "arg": "500"},
            {"fault": "slow"},
            {"fault": "hang", "nth": 0},
            {"fault": "hang", "times": 0},
            {"fault": "hang", "service": "s3"},
            {"fault": "hang", "color": "red"},
            [],
        ):
            with self.subTest(bad), self.assertRaises(ControlError):
                Faults().order(bad)


class Invocations(CloudCase):
    def test_invoke(self):
        _, digest = self.make_function(alias="live")
        headers = {"X-Amz-Log-Type": "Tail", "X-Amz-Invocation-Type": "RequestResponse"}
        answer = self.lambda_call("POST", "/hello/invocations?Qualifier=live", {"a": 1}, headers=headers)
        self.assertEqual((answer.status, answer.body), (200, b'{"ok":true}'))
        self.assertEqual(answer.headers["X-Amz-Executed-Version"], "1")
        self.assertIn(b"hello from the function", base64.b64decode(answer.headers["X-Amz-Log-Result"]))
        self.assertIsNone(answer.headers["X-Amz-Function-Error"])
        self.assertEqual(self.pools.ran[-1], (digest, FUNCTION_ARN + ":live", b'{"a": 1}'))
        self.pools.failed, self.pools.answer = True, b'{"errorType":"X"}'
        answer = self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual((answer.status, answer.headers["X-Amz-Function-Error"]), (200, "Unhandled"))
        self.assertIsNone(answer.headers["X-Amz-Log-Result"])

    def test_refusals(self):
        self.make_function()
        path = "/2015-03-31/functions/hello/invocations"
        self.assert_error(self.signed("POST", LAMBDA, path, b"{"), 400, "InvalidRequestContentException")
        large = b'"' + b"x" * (6 * 1024 * 1024) + b'"'
        self.assert_error(self.signed("POST", LAMBDA, path, large), 413, "RequestTooLargeException")
        dry = self.lambda_call("POST", "/hello/invocations", {}, headers={"X-Amz-Invocation-Type": "DryRun"})
        self.assertEqual((dry.status, self.pools.ran), (204, []))

    def test_logs(self):
        self.make_function()
        self.lambda_call("POST", "/hello/invocations", {})
        found = self.client("logs").filter_log_events(logGroupName="/aws/lambda/hello", filterPattern="hello from")
        self.assertEqual([each["message"] for each in found["events"]], ["hello from the function\n"])

    def ask_url(self, method="GET", target="/", headers=None, body=b"", host="hello"):
        return self.send(method, f"{host}.lambda-url.{REGION}.on.aws", target, headers, body)

    def test_url_event(self):
        self.make_function(alias="live")
        headers = {"Cookie": "a=1; b=2", "X-Two": "1", "Content-Type": "application/json"}
        self.ask_url("POST", "/query?q=a+b&q=c&x=%2F", headers, b'{"q":"ping"}', "live--hello")
        event = json.loads(self.pools.ran[-1][2])
        self.assertEqual(self.pools.ran[-1][1], FUNCTION_ARN + ":live")
        self.assertEqual((event["version"], event["rawPath"], event["rawQueryString"]), ("2.0", "/query", "q=a+b&q=c&x=%2F"))
        self.assertEqual(event["queryStringParameters"], {"q": "a b,c", "x": "/"})
        self.assertEqual((event["cookies"], event["body"], event["isBase64Encoded"]), (["a=1", "b=2"], '{"q":"ping"}', False))
        self.assertEqual(event["requestContext"]["http"]["method"], "POST")
        self.assertEqual(event["headers"]["x-two"], "1")
        self.ask_url("POST", "/", {"Content-Type": "image/png"}, b"\x89PNG")
        event = json.loads(self.pools.ran[-1][2])
        self.assertEqual((event["body"], event["isBase64Encoded"]), (base64.b64encode(b"\x89PNG").decode(), True))

    def test_url_answers(self):
        self.make_function()
        rows = (
            (b'{"ok":true}', 200, b'{"ok":true}', "application/json"),
            (b'"plain"', 200, b'"plain"', "application/json"),
            (b'{"statusCode":503,"body":"down","headers":{"Content-Type":"text/plain"}}', 503, b"down", "text/plain"),
            (b'{"statusCode":200,"body":"aGk=","isBase64Encoded":true}', 200, b"hi", "application/json"),
            (b'{"statusCode":200,"body":"!","isBase64Encoded":true}', 502, None, "application/json"),
            (b'{"statusCode":9}', 502, None, "application/json"),
            (b"<html>", 502, None, "application/json"),
        )
        for answer, status, body, content_type in rows:
            self.pools.answer = answer
            got = self.ask_url()
            self.assertEqual((got.status, got.headers["Content-Type"]), (status, content_type), answer)
            if body is not None:
                self.assertEqual(got.body, body)
        self.pools.answer = b'{"statusCode":302,"headers":{"Location":"/x\\r\\nX-Bad: 1"},"cookies":["a=1"]}'
        got = self.ask_url()
        self.assertEqual((got.status, got.headers["X-Bad"], got.headers["Set-Cookie"]), (302, None, "a=1"))
        self.pools.failed = True
        self.assertEqual(self.ask_url().status, 502)
        self.assertEqual(self.ask_url(host="nobody").status, 403)

    def test_runtime_api(self):
        api = RuntimeApi("127.0.0.1")
        self.addCleanup(api.end)

        def ask(method, path, body=b""):
            return self.send(method, "127.0.0.1", f"/2018-06-01/runtime{path}", {}, body, port=api.port)

        event = Event("id-1", b'{"n":1}', 1234, FUNCTION_ARN)
        self.assertFalse(api.ready.is_set())
        threading.Timer(0.1, api.offer, [event]).start()
        got = ask("GET", "/invocation/next")
        self.assertTrue(api.ready.is_set())
        self.assertEqual((got.body, got.headers["Lambda-Runtime-Aws-Request-Id"], got.headers["Lambda-Runtime-Deadline-Ms"]), (b'{"n":1}', "id-1", "1234"))
        self.assertEqual(ask("POST", "/invocation/id-0/response", b"1").status, 400)
        self.assertFalse(event.done.is_set())
        self.assertEqual(ask("POST", "/invocation/id-1/response", b"1").status, 202)
        self.assertEqual((event.done.is_set(), event.answer, event.failed), (True, b"1", False))
        self.assertEqual(ask("POST", "/invocation/id-1/response", b"1").status, 400)
        self.assertEqual(ask("POST", "/init/error", b'{"errorType":"Boom"}').status, 202)
        self.assertEqual(api.init_error, b'{"errorType":"Boom"}')


class ControlPort(CloudCase):
    def test_settings(self):
        self.assertEqual(self.order("GET", "/settings").json()["update_ms"], 0)
        self.assertEqual(self.order("POST", "/settings", {"latency_ms": 120}).json()["latency_ms"], 120)
        start = time.monotonic()
        self.sts_call("GetCallerIdentity")
        self.assertGreater(time.monotonic() - start, 0.12)
        for bad in ({"latency": 1}, {"latency_ms": -1}, {"latency_ms": "1"}, {"blob_redirect": 1}, []):
            self.assertEqual(self.order("POST", "/settings", bad).status, 400, bad)

    def test_requests_and_secrets(self):
        self.make_function(environment={"PASSWORD": "hunter2"})
        self.order("DELETE", "/requests")
        self.lambda_call("PUT", "/hello/configuration", {"Environment": {"Variables": {"PASSWORD": "hunter3"}}, "Timeout": 7})
        self.lambda_call("PUT", "/hello/configuration", {"Enviroment": {"Variables": {"PASSWORD": "hunter4"}}})
        self.lambda_call("GET", "/nobody")
        log = self.order("GET", "/requests").json()
        self.assertEqual([(each["n"], each["operation"], each["status"], each["error"]) for each in log], [
            (1, "UpdateFunctionConfiguration", 200, None),
            (2, "UpdateFunctionConfiguration", 400, "SerializationException"),
            (3, "GetFunction", 404, "ResourceNotFoundException"),
        ])  # fmt: skip
        self.assertEqual(log[0]["body"]["Environment"]["Variables"], {"PASSWORD": "***"})
        self.assertEqual((log[0]["body"]["Timeout"], log[0]["resource"], log[2]["resource"]), (7, "hello", "nobody"))
        text = json.dumps(log) + json.dumps(self.order("GET", "/state").json())
        for secret in ("hunter", "Signature=", KEY.secret_key):
            self.assertNotIn(secret, text)

    def test_journal_is_bounded(self):
        journal = Journal()
        for _ in range(ENTRIES + 5):
            journal.close(journal.open("lambda", "GetFunction", body={"x": "y"}), 200)
        journal.open("lambda", "Invoke", body="z" * BODY_BYTES * 2)
        entries = journal.all()
        self.assertEqual((len(entries), len(entries[-1]["body"])), (ENTRIES, BODY_BYTES))

    def test_state_and_reset(self):
        _, digest = self.make_function(alias="live")
        state = self.order("GET", "/state").json()
        self.assertEqual((state["functions"]["hello"]["digest"], state["functions"]["hello"]["aliases"]["live"]["version"]), (digest, "1"))
        self.assertIn(digest, state["repositories"]["app"]["images"])
        self.order("POST", "/keys", {"id": "AKIDNEW", "secret": "s"})
        self.order("POST", "/faults", {"fault": "status", "arg": 500, "times": -1})
        self.assertEqual(self.order("POST", "/reset").status, 200)
        state = self.order("GET", "/state").json()
        self.assertEqual((state["functions"], state["repositories"], state["faults"], state["settings"]["update_ms"]), ({}, {}, [], 300))
        self.assertEqual(self.sts_call("GetCallerIdentity").status, 200)
        self.assertEqual(self.sts_call("GetCallerIdentity", key=Credentials("AKIDNEW", "s")).status, 403)
        self.assertEqual(self.storage.manifest(self.make_repository().upstream, digest), None)

    def test_health_and_bad_requests(self):
        self.assertEqual(self.order("GET", "/health").status, 200)
        self.assertEqual(self.order("GET", "/nothing").status, 404)
        self.assertEqual(self.order("POST", "/functions", {"name": "x", "colour": "red"}).status, 400)
        self.assertEqual(self.order("POST", "/functions", {}).status, 400)
        self.assertEqual(self.order("POST", "/functions/nobody", {"state": "Inactive"}).status, 404)
        self.assertEqual(self.order("POST", "/roles", {"arn": "me"}).status, 400)

    def test_unknown_host(self):
        self.assertEqual(self.send("GET", "s3.us-east-1.amazonaws.com", "/").status, 421)

    def test_hosts_file(self):
        with tempfile.NamedTemporaryFile("w+") as file:
            file.write("127.0.0.1 localhost\n127.0.0.2 old.lambda-url.us-east-1.on.aws # by the AWS endpoint\n")
            file.flush()
            hosts = Hosts(file.name, "127.0.0.2", ["storage"])
            hosts.reset()
            hosts.add("a.lambda-url", "b.lambda-url")
            hosts.add("a.lambda-url")
            text = Path(file.name).read_text()
            self.assertEqual([line.split()[1] for line in text.splitlines()], ["localhost", "storage", "a.lambda-url", "b.lambda-url"])
            hosts.clear()
            self.assertEqual(Path(file.name).read_text(), "127.0.0.1 localhost\n")

    def test_paging(self):
        items, token, seen = list(range(7)), None, []
        while True:
            page, token = paging.page(items, token, 3)
            seen.append(page)
            if token is None:
                break
        self.assertEqual(seen, [[0, 1, 2], [3, 4, 5], [6]])
        with self.assertRaises(AwsError):
            paging.page(items, "bm9uc2Vuc2U=", 3)


class OwnClient(CloudCase):
    """botocore's client makes the requests and reads the answers."""

    def test_answers_are_what_the_model_says(self):
        self.make_function()
        client = self.client("lambda")
        arn = FUNCTION_ARN
        calls = (
            ("get_function", {"FunctionName": arn}),
            ("get_function_configuration", {"FunctionName": "hello"}),
            ("publish_version", {"FunctionName": "hello"}),
            ("create_alias", {"FunctionName": "hello", "Name": "live", "FunctionVersion": "1"}),
            ("update_alias", {"FunctionName": "hello", "Name": "live", "Description": "x"}),
            ("list_aliases", {"FunctionName": "hello"}),
            ("list_versions_by_function", {"FunctionName": "hello"}),
            ("list_functions", {}),
            ("tag_resource", {"Resource": arn, "Tags": {"a": "b c"}}),
            ("list_tags", {"Resource": arn}),
            ("get_function_url_config", {"FunctionName": "hello"}),
            ("update_function_configuration", {"FunctionName": "hello", "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}),
            ("invoke", {"FunctionName": "hello", "Payload": b"{}", "LogType": "Tail"}),
        )
        model = client.meta.service_model
        for name, arguments in calls:
            with self.subTest(name):
                answer = getattr(client, name)(**arguments)
                operation = client.meta.method_to_api_mapping[name]
                shape = model.operation_model(operation).output_shape
                missing = [each for each in (shape.members if shape else {}) if each not in answer]
                self.assertFalse(set(missing) - MAY_BE_LEFT_OUT, operation)
        self.assertEqual(client.get_function_configuration(FunctionName="hello")["VpcConfig"]["VpcId"][:4], "vpc-")
        client.get_waiter("function_updated_v2").wait(FunctionName="hello")
        with self.assertRaises(client.exceptions.ResourceNotFoundException):
            client.get_function(FunctionName="nobody")

    def test_ecr(self):
        client = self.client("ecr")
        client.create_repository(repositoryName="app")
        token = client.get_authorization_token()["authorizationData"][0]
        self.assertEqual(token["proxyEndpoint"], f"https://{REGISTRY}")
        self.assertTrue(base64.b64decode(token["authorizationToken"]).startswith(b"AWS:"))
        self.assertGreater((token["expiresAt"] - datetime.datetime.now(token["expiresAt"].tzinfo)).total_seconds(), 11 * 3600)
        with self.assertRaises(client.exceptions.ImageNotFoundException):
            client.describe_images(repositoryName="app", imageIds=[{"imageTag": "x"}])
        with self.assertRaises(ClientError) as caught:
            client.describe_images(repositoryName="nobody")
        self.assertEqual(caught.exception.response["Error"]["Code"], "RepositoryNotFoundException")

    def test_many_at_once(self):
        self.make_function()
        client, statuses = self.client("lambda"), []

        def work():
            statuses.append(client.get_function(FunctionName="hello")["ResponseMetadata"]["HTTPStatusCode"])

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 20)


MAY_BE_LEFT_OUT = {
    "CodeArtifact", "Concurrency", "Cors", "DeadLetterConfig", "Environment", "FileSystemConfigs", "FunctionError",
    "Handler", "ImageConfigResponse", "KMSKeyArn", "LastUpdateStatusReason", "LastUpdateStatusReasonCode", "Layers",
    "MasterArn", "NextMarker", "RoutingConfig", "Runtime", "RuntimeVersionConfig", "SigningJobArn", "SigningProfileVersionArn",
    "StateReason", "StateReasonCode", "Tags", "TagsError", "VpcConfig", "LastUpdateStatus",
}  # fmt: skip


class Wire(unittest.TestCase):
    """The server itself."""

    def serve(self, application, tls=None):
        server = Server(("127.0.0.1", 0), application, tls).start()
        self.addCleanup(server.stop)
        return server

    def talk(self, server, data):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received

    def test_keep_alive_and_chunks(self):
        server = self.serve(lambda request: Response(200, [], request.read(1000)[::-1]))
        first = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        second = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
        received = self.talk(server, first + second)
        self.assertEqual(received.count(b"HTTP/1.1 200"), 2)
        self.assertIn(b"edcba", received)
        self.assertTrue(received.endswith(b"ih"))

    def test_an_unread_body_is_not_the_next_request(self):
        server = self.serve(lambda request: Response(200, [], request.path.encode()))
        received = self.talk(server, b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(received.count(b"HTTP/1.1 200"), 2)
        self.assertTrue(received.endswith(b"/b"))

    def test_expect_continue(self):
        server = self.serve(lambda request: Response(200, [], request.read(10)))
        received = self.talk(server, b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        self.assertTrue(received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))

    def test_streams_without_length(self):
        server = self.serve(lambda _: Response(200, [], iter([b"ab", b"c"])))
        received = self.talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(received.endswith(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"))

    @contextmanager
    def open_tls(self, server, host, ca_file):
        context = ssl.create_default_context(cafile=ca_file)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                yield connection

    def test_tls(self):
        cloud = Cloud(MemoryStorage())
        endpoint = make_endpoint(cloud)
        with tempfile.TemporaryDirectory() as folder:
            Authority.make("test").save(folder)
            server = self.serve(endpoint.serve, Tls(Authority.load(folder), cloud, endpoint))
            for host in (LAMBDA, "my_f-1--x.lambda-url.us-east-1.on.aws", REGISTRY):
                with self.open_tls(server, host, f"{folder}/ca.pem") as connection:
                    self.assertEqual(connection.getpeercert()["subjectAltName"], (("DNS", host),))
            cloud.faults.order({"service": "lambda", "operation": "GetFunction", "fault": "tls"})
            with self.open_tls(server, ECR, f"{folder}/ca.pem"):
                pass
            with self.assertRaises(ssl.SSLCertVerificationError):
                with self.open_tls(server, LAMBDA, f"{folder}/ca.pem"):
                    pass
            with self.open_tls(server, LAMBDA, f"{folder}/ca.pem"):
                pass


class AuthorizeTest(unittest.TestCase):
    def test_two_accounts(self):
        caller = Principal("1", "arn:aws:iam::1:user/a", "A")
        policy = Policy({"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "ecr:*"}}, resource_based=True)
        iam.authorize(caller, "ecr:BatchGetImage", "r", resource_policy=policy, owner="2")
        self.assertFalse(iam.may(caller, "ecr:BatchGetImage", "r", owner="2"))
        poor = Principal("1", "arn:aws:iam::1:user/b", "B", Policy({"Statement": []}))
        self.assertFalse(iam.may(poor, "ecr:BatchGetImage", "r", resource_policy=policy, owner="2"))
        self.assertTrue(iam.may(poor, "ecr:BatchGetImage", "r", resource_policy=policy, owner="1"))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # botocore's own: utcnow
