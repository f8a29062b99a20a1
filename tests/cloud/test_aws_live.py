#!/usr/bin/env python3
"""Tests of the AWS endpoint with the real parts: engine, registry, containers. Runs inside the
local cloud:

    tests/cloud/enter python3 tests/cloud/test_aws_live.py

The functions are shell scripts on a static busybox, which speak the Runtime API with its wget.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

CONTROL = "http://127.0.0.1:9000"
ACCOUNT, REGION = "123456789012", "us-east-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
KEYS = {
    "aws_access_key_id": "AKIDLOCALCLOUD000001",
    "aws_secret_access_key": "local-cloud-secret-key-0000000000000001",
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lambda"

# Answers every event with what BODY says; $event is the event, $n counts the events of this
# container.
LOOP = r"""#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
START
n=0
while :; do
    wget -q -S -O /tmp/event "$api/invocation/next" 2>/tmp/head || exit 1
    id=$(sed -n 's/^ *[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *//p' /tmp/head | tr -d '\r')
    event=$(cat /tmp/event)
    n=$((n + 1))
    kind=response
    BODY
    printf %s "$answer" >/tmp/answer
    wget -q -O /dev/null --post-file /tmp/answer "$api/invocation/$id/$kind"
done
"""
ECHO = """answer='{"n":'$n',"version":"'$AWS_LAMBDA_FUNCTION_VERSION'","colour":"'$COLOUR'","uid":"'$(id -u)'","event":'$event'}'
    echo "event $n" """


def control(method, path, value=None):
    data = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(
        urllib.request.Request(CONTROL + path, data, method=method), timeout=60
    ) as answer:
        return json.loads(answer.read())


def client(service, **more):
    session = botocore.session.Session()
    config = Config(retries={"max_attempts": 0, "mode": "standard"})
    verify = "/etc/cloud/ca.pem"
    return session.create_client(service, REGION, config=config, verify=verify, **{**KEYS, **more})


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more)


def containers():
    return run("docker", "ps", "-aq", "--filter", "label=cloud").stdout.split()


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        os.environ["DOCKER_CONFIG"] = cls.folder.name

    def setUp(self):
        control("POST", "/reset")
        self.addCleanup(control, "POST", "/reset")
        self.ecr, self.functions = client("ecr"), client("lambda")
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        Path(self.folder.name, "config.json").write_text(
            json.dumps({"auths": {REGISTRY: {"auth": token}}})
        )
        self.ecr.create_repository(repositoryName="hello")

    def push(
        self,
        body=ECHO,
        tag="one",
        start="",
        entry=None,
        more=(),
        attest="false",
        base="busybox",
        repository="hello",
    ):
        """Builds and pushes a function; the digest."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "bootstrap").write_text(LOOP.replace("BODY", body).replace("START", start))
            entry = json.dumps(entry or ["/bin/sh", "/bootstrap"])
            Path(folder, "Dockerfile").write_text(
                f"FROM {base}\nCOPY --chmod=755 bootstrap /bootstrap\nENTRYPOINT {entry}\n"
            )
            run(
                "buildx",
                "build",
                "--progress=plain",
                f"--provenance={attest}",
                "--sbom=false",
                *more,
                "--metadata-file",
                f"{folder}/metadata",
                "--output",
                f"type=image,name={REGISTRY}/{repository}:{tag},push=true,oci-mediatypes=true",
                folder,
            )
            return json.loads(Path(folder, "metadata").read_text())["containerimage.digest"]

    def create(self, digest, name="hello", **more):
        self.functions.create_function(
            FunctionName=name,
            Role=ROLE,
            PackageType="Image",
            Code={"ImageUri": f"{REGISTRY}/hello@{digest}"},
            **more,
        )
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(self, event=None, name="hello", **more):
        """(parsed answer, whole answer)."""
        answer = self.functions.invoke(
            FunctionName=name, Payload=json.dumps(event or {}).encode(), LogType="Tail", **more
        )
        return json.loads(answer["Payload"].read()), answer

    def log(self, answer):
        return base64.b64decode(answer["LogResult"]).decode()

    def test_push_create_invoke(self):
        digest = self.push()
        self.create(digest, Environment={"Variables": {"COLOUR": "red"}})
        start = time.monotonic()
        value, answer = self.invoke({"q": 1})
        cold = time.monotonic() - start
        self.assertEqual(
            (value["n"], value["version"], value["colour"], value["event"]),
            (1, "$LATEST", "red", {"q": 1}),
        )
        self.assertEqual(value["uid"], "993")
        self.assertRegex(
            self.log(answer),
            r"(?s)^START RequestId: \S+ Version: \$LATEST\nevent 1\nEND .*\nREPORT .*Init Duration",
        )
        start = time.monotonic()
        value, answer = self.invoke({"q": 2})
        warm = time.monotonic() - start
        self.assertEqual(value["n"], 2)  # the same container
        self.assertNotIn("Init Duration", self.log(answer))
        self.assertNotIn("event 1", self.log(answer))
        print(f"\n  cold start {cold:.2f} s, warm {warm * 1000:.0f} ms", file=sys.stderr)

    def test_new_code_and_configuration_get_new_containers(self):
        self.create(self.push())
        self.assertEqual(self.invoke()[0]["n"], 1)
        self.functions.update_function_configuration(
            FunctionName="hello", Environment={"Variables": {"COLOUR": "blue"}}
        )
        self.functions.get_waiter("function_updated_v2").wait(FunctionName="hello")
        value = self.invoke()[0]
        self.assertEqual((value["n"], value["colour"]), (1, "blue"))
        second = self.push("answer='\"second\"'", tag="two")
        self.functions.update_function_code(
            FunctionName="hello", ImageUri=f"{REGISTRY}/hello@{second}"
        )
        self.functions.get_waiter("function_updated_v2").wait(FunctionName="hello")
        self.assertEqual(self.invoke()[0], "second")
        self.functions.publish_version(FunctionName="hello")
        self.functions.get_waiter("published_version_active").wait(
            FunctionName="hello", Qualifier="1"
        )
        answer = self.invoke(Qualifier="1")[1]
        self.assertEqual(answer["ExecutedVersion"], "1")

    def test_function_url(self):
        body = """answer='{"statusCode":201,"headers":{"X-Path":"'$(echo "$event" | sed 's/.*"rawPath": *"\\([^"]*\\)".*/\\1/')'"},"body":"made"}'"""
        self.create(self.push(body))
        url = self.functions.get_function_url_config(FunctionName="hello")["FunctionUrl"]
        out = run("curl", "-sS", "-i", "--cacert", "/etc/cloud/ca.pem", url + "health?x=1").stdout
        self.assertIn("HTTP/1.1 201", out)
        self.assertIn("X-Path: /health", out)
        self.assertTrue(out.endswith("made"))

    def test_parallel_invocations_get_containers_of_their_own(self):
        self.create(self.push("sleep 1; answer=$n"), Timeout=20)
        values, start = [], time.monotonic()
        threads = [
            threading.Thread(target=lambda: values.append(self.invoke()[0])) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(values, [1, 1, 1])
        self.assertEqual(len(containers()), 3)
        self.assertLess(time.monotonic() - start, 8)
        control("POST", "/reset")
        self.assertEqual(containers(), [])

    def test_timeout(self):
        self.create(self.push("sleep 30; answer=1"), Timeout=1)
        value, answer = self.invoke()
        self.assertEqual((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        self.assertEqual(value["errorType"], "Sandbox.Timedout")
        self.assertIn("Task timed out after 1.00 seconds", value["errorMessage"])
        self.assertIn("Task timed out after 1.00 seconds", self.log(answer))
        self.assertEqual(containers(), [])

    def test_failures_of_the_function(self):
        rows = (
            ({"start": "echo cannot start; exit 3"}, "Runtime.ExitError", "exit status 3"),
            ({"body": "exit 0"}, "Runtime.ExitError", "without providing a reason"),
            (
                {"body": "x=$(yes | head -c 300000000); answer=1"},
                "Runtime.ExitError",
                "signal: killed",
            ),  # memory
            (
                {"entry": ["/nothing"]},
                "Runtime.InvalidEntrypoint",
                "fork/exec /nothing: no such file or directory",
            ),
            ({"entry": ["/etc"]}, "Runtime.InvalidEntrypoint", "permission denied"),
        )
        for number, (how, kind, words) in enumerate(rows):
            with self.subTest(how):
                self.create(self.push(tag=f"t{number}", **how), name=f"f{number}", Timeout=20)
                value, answer = self.invoke(name=f"f{number}")
                self.assertEqual(
                    (answer["FunctionError"], value["errorType"]), ("Unhandled", kind), value
                )
                self.assertIn(words, value["errorMessage"])
                self.assertEqual(containers(), [])

    def test_errors_that_the_runtime_posts(self):
        self.create(self.push('kind=error; answer=\'{"errorType":"Oops","errorMessage":"no"}\''))
        value, answer = self.invoke()
        self.assertEqual((answer["FunctionError"], value["errorType"]), ("Unhandled", "Oops"))
        start = (
            'echo \'{"errorType":"Early"}\' >/tmp/x; wget -q -O /dev/null --post-file /tmp/x'
            " $api/init/error; exit 1"
        )
        self.create(self.push(tag="init", start=start), name="early")
        value, answer = self.invoke(name="early")
        self.assertEqual((answer["FunctionError"], value["errorType"]), ("Unhandled", "Early"))

    def test_file_system_is_read_only(self):
        self.create(
            self.push(
                "answer='\"'$(touch /x 2>&1 | tr -d \\\\042)$(touch /tmp/x && echo written)'\"'"
            )
        )
        value = self.invoke()[0]
        self.assertIn("Read-only file system", value)
        self.assertIn("written", value)

    def test_wrong_architecture(self):
        self.create(self.push(), Architectures=["arm64"])
        value, answer = self.invoke()
        self.assertEqual(
            (answer["FunctionError"], value["errorType"]),
            ("Unhandled", "Runtime.InvalidEntrypoint"),
        )
        self.assertIn("exec format error", value["errorMessage"])

    def test_image_config(self):
        self.create(
            self.push(),
            ImageConfig={
                "EntryPoint": ["/bin/sh", "-c"],
                "Command": ["COLOUR=green exec /bin/sh /bootstrap"],
            },
        )
        self.assertEqual(self.invoke()[0]["colour"], "green")

    def test_index_is_refused(self):
        digest = self.push(attest="mode=min")
        with self.assertRaises(ClientError) as caught:
            self.create(digest)
        self.assertEqual(
            caught.exception.response["Error"]["Code"], "InvalidParameterValueException"
        )
        self.assertIn("media type for the source image", str(caught.exception))

    def test_immutable_tag_and_missing_repository(self):
        self.ecr.create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
        self.push(repository="fixed")
        for repository, words in (
            ("fixed", "manifests/one: 400 Bad Request"),
            ("nobody", "404 Not Found"),
        ):
            with self.assertRaises(subprocess.CalledProcessError) as caught:
                self.push("answer=2", repository=repository)
            self.assertIn(words, caught.exception.stderr)

    def test_registry_cache_and_pull(self):
        cache = f"type=registry,ref={REGISTRY}/hello:cache,image-manifest=true,oci-mediatypes=true,mode=max"
        self.push(more=("--cache-to", cache))
        run("docker", "buildx", "prune", "-af")
        self.push(tag="again", more=("--cache-from", cache.removesuffix(",mode=max")))
        run("docker", "pull", "-q", f"{REGISTRY}/hello:again")
        run("docker", "image", "rm", f"{REGISTRY}/hello:again")
        found = self.ecr.describe_images(repositoryName="hello")["imageDetails"]
        self.assertIn("cache", [tag for each in found for tag in each.get("imageTags", [])])
        operations = {
            each["operation"]
            for each in control("GET", "/requests")
            if each["service"] == "registry"
        }
        self.assertLessEqual(
            {"HeadManifest", "GetBlob", "StartUpload", "PutUpload", "PutManifest"}, operations
        )

    def test_base_in_another_repository(self):
        self.ecr.create_repository(repositoryName="base")
        base = self.push(repository="base")
        run("docker", "image", "rm", f"{REGISTRY}/base:one")
        run("docker", "buildx", "prune", "-af")
        self.create(self.push("answer='\"on a base\"'", base=f"{REGISTRY}/base@{base}"))
        self.assertEqual(self.invoke()[0], "on a base")
        operations = [
            each["operation"]
            for each in control("GET", "/requests")
            if each["service"] == "registry"
        ]
        self.assertIn("MountBlob", operations)

    def test_image_that_is_deleted_runs_on(self):
        digest = self.push()
        self.create(digest)
        self.ecr.batch_delete_image(repositoryName="hello", imageIds=[{"imageDigest": digest}])
        self.assertEqual(self.invoke()[0]["n"], 1)

    def test_lost_blob(self):
        digest = self.push()
        manifest = json.loads(
            self.ecr.batch_get_image(repositoryName="hello", imageIds=[{"imageDigest": digest}])[
                "images"
            ][0]["imageManifest"]
        )
        layer = manifest["layers"][-1]["digest"]
        control("POST", "/repositories/hello/lose-blob", {"digest": layer})
        found = self.ecr.batch_check_layer_availability(
            repositoryName="hello", layerDigests=[layer]
        )
        self.assertEqual(found["layers"][0]["layerAvailability"], "UNAVAILABLE")

    def test_certificate_of_an_unknown_ca(self):
        control("POST", "/faults", {"service": "lambda", "operation": None, "fault": "tls"})
        command = (
            "curl",
            "-sS",
            "--cacert",
            "/etc/cloud/ca.pem",
            f"https://lambda.{REGION}.amazonaws.com/",
        )
        self.assertEqual(subprocess.run(command, capture_output=True, check=False).returncode, 60)
        self.assertEqual(subprocess.run(command, capture_output=True, check=False).returncode, 0)


if __name__ == "__main__":
    try:
        control("GET", "/health")
    except (OSError, urllib.error.URLError):
        sys.exit(
            "test_aws_live: runs inside the local cloud: tests/cloud/enter python3"
            " tests/cloud/test_aws_live.py"
        )
    unittest.main(warnings="ignore")
