"""Client of the local cloud: its control port, and the AWS calls that tests make themselves."""

import base64
import functools
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import urllib.parse

from . import sigv4

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY = "AKIDLOCALCLOUD000001"
SECRET = "local-cloud-secret-key-0000000000000001"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
FUNCTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/function"
CONTROL = ("127.0.0.1", 9000)

# Lambda's and ECR's operations that change nothing, by the beginning of their names.
READS = ("Get", "List", "Describe", "Head", "BatchGet", "BatchCheck", "Ping", "Invoke", "Request")


class CloudError(Exception):
    pass


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


@functools.cache
def trust():
    """The machine's own certificates; reading them takes longer than a request."""
    return ssl.create_default_context()


def fetch(method, url, body=b"", headers=None, timeout_s=60):
    """One request, by the machine's own certificates. Redirects are not followed."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    arguments = {"context": trust()} if parts.scheme == "https" else {}
    connection = kind(parts.netloc, timeout=timeout_s, **arguments)
    try:
        path = parts.path or "/"
        connection.request(method, path + ("?" + parts.query if parts.query else ""), body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def url_of(function, alias=None):
    """The address of a function's URL."""
    return f"https://{alias + '--' if alias else ''}{function}.lambda-url.{REGION}.on.aws"


class Cloud:
    def __init__(self, key=KEY, secret=SECRET, is_shared=False):
        self.key = key
        self.secret = secret
        self.is_shared = is_shared  # other tests use it at the same time: what holds for all of them is refused

    # The control port.

    def control(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        answer = fetch(method, f"http://{CONTROL[0]}:{CONTROL[1]}{path}", data, {"Content-Type": "application/json"})
        if answer.status >= 300:
            raise CloudError(f"{method} {path}: {answer.status} {answer.text}")
        return answer.json if answer.body else None

    def is_up(self):
        try:
            return fetch("GET", f"http://{CONTROL[0]}:{CONTROL[1]}/health", timeout_s=5).status == 200
        except OSError:
            return False

    def reset(self):
        self.control("POST", "/reset")

    def refuse_if_shared(self, what):
        if self.is_shared:
            raise CloudError(f"{what} holds for every test: give the test's class `alone = True`, or a fault its resource")

    def settings(self, **values):
        self.refuse_if_shared("a setting")
        return self.control("POST", "/settings", values)

    def settings_of(self, function, **values):
        """Of one function: `update_ms`, `create_ms`, `publish_ms`, `zstd_layers` and others (tests/cloud/README.md)."""
        return self.control("POST", f"/settings/{function}", values)

    def requests(self, *names, after=0):
        """The requests that concern one of these resources (functions, repositories); without names, all. `after` is a mark."""
        return [request for request in self.requests_after(after) if not names or concerns(request, names)]

    def last_request(self):
        """A mark: what comes later has a higher number."""
        return self.control("GET", "/requests/last")["n"]

    def requests_after(self, mark):
        """All that came since then."""
        return self.control("POST", f"/requests/after/{mark}", {})

    def fault(self, service, operation, fault, arg=None, nth=1, times=1, **only):
        """`resource` and `key` in `only`: for requests about that, or signed with that key."""
        if not only:
            self.refuse_if_shared("this fault")
        self.control("POST", "/faults", {"service": service, "operation": operation, "nth": nth, "times": times,
                                         "fault": fault, "arg": arg, **only})

    def forget_faults(self, **only):
        """Those that were ordered for this `resource` or `key`."""
        self.control("POST", "/faults/forget", only)

    def clear_faults(self):
        self.control("DELETE", "/faults")

    def state(self):
        return self.control("GET", "/state")

    def issued_secrets(self, after=0):
        """What AWS has given to anybody since a mark."""
        return set(self.control("POST", f"/secrets/after/{after}", {}))

    def create_function(self, name, image, **more):
        return self.control("POST", "/functions", {"name": name, "image": image, **more})

    def change_function(self, name, **changes):
        return self.control("POST", f"/functions/{name}", changes)

    def create_repository(self, name, **more):
        return self.control("POST", "/repositories", {"name": name, **more})

    def create_role(self, arn, policy=None, trust=None, external_id=None):
        allow_all = {"Version": "2012-10-17",
                     "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        trust = trust or {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        self.control("POST", "/roles", {"arn": arn, "trust": trust, "policy": policy or allow_all,
                                        "external_id": external_id})

    # AWS itself.

    def call(self, service, method, path, body=b"", headers=None, now=None, secret=None):
        """A signed request to AWS, as an Answer, whatever its status."""
        host = ("api.ecr" if service == "ecr" else service) + f".{REGION}.amazonaws.com"
        url = f"https://{host}{path}"
        signed = sigv4.sign(method, url, body, service=service, region=REGION, key=self.key,
                            secret=secret or self.secret, headers=headers, now=now)
        return fetch(method, url, body, signed)

    def ecr(self, operation, **members):
        answer = self.call("ecr", "POST", "/", json.dumps(members).encode(), {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}"})
        if answer.status != 200:
            raise CloudError(f"ecr {operation}: {answer.status} {answer.text}")
        return answer.json

    def function(self, name, qualifier=None):
        """GetFunction's answer, or None if there is no such function."""
        query = f"?Qualifier={qualifier}" if qualifier else ""
        answer = self.call("lambda", "GET", f"/2015-03-31/functions/{name}{query}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise CloudError(f"GetFunction {name}: {answer.status} {answer.text}")
        return answer.json

    def digest_of(self, function, qualifier=None):
        """The digest of the image that a function runs."""
        return self.function(function, qualifier)["Code"]["ResolvedImageUri"].split("@")[1]

    def update_code(self, name, image):
        return self.call("lambda", "PUT", f"/2015-03-31/functions/{name}/code",
                         json.dumps({"ImageUri": image}).encode(), {"Content-Type": "application/json"})

    def tags(self, repository):
        """{tag: digest} of a repository; {} if it does not exist."""
        try:
            images = self.ecr("DescribeImages", repositoryName=repository)["imageDetails"]
        except CloudError as error:
            if "RepositoryNotFound" in str(error):
                return {}
            raise
        return {tag: image["imageDigest"] for image in images for tag in image.get("imageTags", [])}

    def ask(self, function, path="/health", alias=None, method="GET", timeout_s=60):
        """What a client of the function URL gets, as an Answer."""
        return fetch(method, url_of(function, alias) + path, timeout_s=timeout_s)

    # The registry.

    def login(self):
        token = self.ecr("GetAuthorizationToken")["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().split(":", 1)

    def basic_login(self):
        return base64.b64encode(":".join(self.login()).encode()).decode()

    def manifest(self, repository, reference):
        answer = fetch("GET", f"https://{REGISTRY}/v2/{repository}/manifests/{reference}", headers={
            "Authorization": "Basic " + self.basic_login(), "Accept": ", ".join((
                "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.distribution.manifest.list.v2+json"))})
        if answer.status != 200:
            raise CloudError(f"manifest of {repository}:{reference}: {answer.status} {answer.text}")
        return answer.json

    def push(self, folder, repository, tag="seed", *options):
        """Build the Dockerfile of a folder and push it; the digest of what was pushed. Without options: one manifest,
        as Lambda wants it."""
        with tempfile.TemporaryDirectory() as config:
            with open(f"{config}/config.json", "w", encoding="utf-8") as file:
                json.dump({"auths": {REGISTRY: {"auth": self.basic_login()}}}, file)
            metadata = f"{config}/metadata.json"
            command = ["buildx", "build", "--progress=plain", "--metadata-file", metadata,
                       f"--output=type=image,name={REGISTRY}/{repository}:{tag},push=true",
                       *(options or ("--provenance=false", "--sbom=false")), str(folder)]
            done = subprocess.run(command, env={**os.environ, "DOCKER_CONFIG": config}, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                                  check=False)
            if done.returncode != 0:
                raise CloudError(f"push of {repository}:{tag}:\n{done.stdout}")
            with open(metadata, encoding="utf-8") as file:
                return json.load(file)["containerimage.digest"]


def concerns(request, names):
    """Is the request about one of these resources (their names, ARNs, or registry paths)?"""
    resource = urllib.parse.unquote(str(request.get("resource") or ""))
    parts = resource.replace(":", "/").split("/")
    return any(name in parts or resource == name or name in resource.split(".") for name in names)


def is_dry_run(request):
    return isinstance(request.get("body"), dict) and request["body"].get("DryRun") is True


def changes(requests):
    """Those of the requests that change something at AWS or push to the registry."""
    return [request for request in requests if request["service"] in ("lambda", "ecr", "registry")
            and not request["operation"].startswith(READS) and not is_dry_run(request)]


def operations(requests):
    """Their names; a dry run is said to be one."""
    return [request["operation"] + (" (dry run)" if is_dry_run(request) else "") for request in requests]
