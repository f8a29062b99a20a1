"""A cloud on loopback, without an engine, with a registry in memory; its client signs with
botocore.
"""

import gzip
import http.client
import io
import json
import unittest
from urllib.parse import urlencode

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

from ..cloud import Cloud
from ..control import Control
from ..environments import Outcome
from ..house import make_endpoint
from ..server import Server
from ..storage import digest_of

KEY = Credentials("AKIDLOCALCLOUD000001", "local-cloud-secret-key-0000000000000001")
ACCOUNT, REGION = "123456789012", "us-east-1"
LAMBDA, ECR, STS = (f"{name}.{REGION}.amazonaws.com" for name in ("lambda", "api.ecr", "sts"))
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
OCI, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP_LAYER, ZSTD_LAYER = (
    f"application/vnd.oci.image.layer.v1.tar+{kind}" for kind in ("gzip", "zstd")
)
OTHER_KEY = Credentials("AKIDLOCALCLOUD000002", "local-cloud-secret-key-0000000000000002")
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hello"


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
    """A cloud of its own for each test: endpoint and control port on loopback, updates settled at
    once.
    """

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
        self.cloud.change_settings(
            {"update_ms": 0, "create_ms": 0, "publish_ms": 0, "control_rate": 1000}
        )

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
    def sign(
        method, host, target, body=b"", headers=None, key=KEY, service="lambda", region=REGION
    ):
        request = AWSRequest(method, f"https://{host}{target}", dict(headers or {}), body)
        SigV4Auth(key, service, region).add_auth(request)
        return dict(request.headers.items())

    def signed(self, method, host, target, body=b"", headers=None, **more):
        return self.send(
            method, host, target, self.sign(method, host, target, body, headers, **more), body
        )

    def lambda_call(self, method, path, value=None, **more):
        body = b"" if value is None else json.dumps(value).encode()
        return self.signed(method, LAMBDA, f"/2015-03-31/functions{path}", body, **more)

    def ecr_call(self, operation, value, **more):
        headers = {
            "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        return self.signed(
            "POST", ECR, "/", json.dumps(value).encode(), headers, service="ecr", **more
        )

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
            service,
            REGION,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            aws_session_token=key.token,
            config=config,
        )

        def send(request, **_):
            host, _, target = request.url.partition("://")[2].partition("/")
            headers = {
                name: value.decode() if isinstance(value, bytes) else value
                for name, value in request.headers.items()
            }
            headers.pop("Content-Length", None)
            body = request.body or b""
            answer = self.send(
                request.method,
                host,
                "/" + target,
                headers,
                body.encode() if isinstance(body, str) else body,
            )
            raw = io.BytesIO(answer.body)
            raw.stream = lambda *_args, **_more: iter([answer.body])
            return AWSResponse(request.url, answer.status, answer.headers, raw)

        client.meta.events.register_first("before-send", send)
        return client

    # Things to work with

    def make_repository(self, name="app", **more):
        answer = self.order("POST", "/repositories", {"name": name, **more})
        self.assertEqual(answer.status, 200, answer.body)
        return self.cloud.repositories[
            (more.get("account", ACCOUNT), more.get("region", REGION), name)
        ]

    def make_image(
        self,
        repository,
        text="one",
        layer_type=GZIP_LAYER,
        architecture="amd64",
        tag=None,
        layer=None,
    ):
        """Blobs and manifest as a push leaves them; the digest."""
        upstream = repository.upstream
        config = json.dumps(
            {"architecture": architecture, "os": "linux", "config": {"Entrypoint": ["/app", text]}}
        ).encode()
        layer = gzip.compress(text.encode()) if layer is None else layer
        for data in (config, layer):
            self.storage.blobs[(upstream, digest_of(data))] = data
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": layer_type, "digest": digest_of(layer), "size": len(layer)}],
        }
        value = {
            "repositoryName": repository.name,
            "imageManifest": json.dumps(manifest),
            "imageManifestMediaType": OCI,
        }
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
