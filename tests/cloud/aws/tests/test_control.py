"""The control port, and small helpers."""

import json
import tempfile
import time
from pathlib import Path

from botocore.credentials import Credentials

from .. import paging
from ..errors import AwsError
from ..hosts import Hosts
from ..journal import BODY_BYTES, ENTRIES, Journal
from .case import CloudCase, KEY


class ControlPort(CloudCase):
    def test_settings_of_one_function(self):
        answer = self.order("POST", "/settings/hello", {"update_ms": 120, "zstd_layers": "accept"})
        self.assertEqual(answer.status, 200, answer.body)
        settings = self.cloud.settings
        self.assertEqual(
            [settings.of(name, "update_ms") for name in ("hello", "other")], [120, 0]
        )
        self.cloud.change_settings({"update_ms": 50, "publish_ms": 70})
        self.assertEqual(
            [settings.of(name, "update_ms") for name in ("hello", "other")], [120, 50]
        )
        self.assertEqual(settings.of("hello", "publish_ms"), 70)
        for bad in ({"latency_ms": 5}, {"update_ms": "5"}, []):
            self.assertEqual(self.order("POST", "/settings/hello", bad).status, 400, bad)
        settings.reset()
        self.assertEqual(settings.of("hello", "zstd_layers"), "refuse")

    def test_settings(self):
        self.assertEqual(self.order("GET", "/settings").json()["update_ms"], 0)
        self.assertEqual(
            self.order("POST", "/settings", {"latency_ms": 120}).json()["latency_ms"], 120
        )
        start = time.monotonic()
        self.sts_call("GetCallerIdentity")
        self.assertGreater(time.monotonic() - start, 0.12)
        for bad in (
            {"latency": 1},
            {"latency_ms": -1},
            {"latency_ms": "1"},
            {"blob_redirect": 1},
            [],
        ):
            self.assertEqual(self.order("POST", "/settings", bad).status, 400, bad)

    def test_requests_and_secrets(self):
        self.make_function(environment={"PASSWORD": "hunter2"})
        self.order("DELETE", "/requests")
        self.lambda_call(
            "PUT",
            "/hello/configuration",
            {"Environment": {"Variables": {"PASSWORD": "hunter3"}}, "Timeout": 7},
        )
        self.lambda_call(
            "PUT", "/hello/configuration", {"Enviroment": {"Variables": {"PASSWORD": "hunter4"}}}
        )
        self.lambda_call("GET", "/nobody")
        log = self.order("GET", "/requests").json()
        self.assertEqual(
            [(each["n"], each["operation"], each["status"], each["error"]) for each in log],
            [
                (1, "UpdateFunctionConfiguration", 200, None),
                (2, "UpdateFunctionConfiguration", 400, "SerializationException"),
                (3, "GetFunction", 404, "ResourceNotFoundException"),
            ],
        )
        self.assertEqual(log[0]["body"]["Environment"]["Variables"], {"PASSWORD": "***"})
        self.assertEqual(
            (log[0]["body"]["Timeout"], log[0]["resource"], log[2]["resource"]),
            (7, "hello", "nobody"),
        )
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
        self.assertEqual(
            (
                state["functions"]["hello"]["digest"],
                state["functions"]["hello"]["aliases"]["live"]["version"],
            ),
            (digest, "1"),
        )
        self.assertIn(digest, state["repositories"]["app"]["images"])
        self.order("POST", "/keys", {"id": "AKIDNEW", "secret": "s"})
        self.order("POST", "/faults", {"fault": "status", "arg": 500, "times": -1})
        self.assertEqual(self.order("POST", "/reset").status, 200)
        state = self.order("GET", "/state").json()
        self.assertEqual(
            (
                state["functions"],
                state["repositories"],
                state["faults"],
                state["settings"]["update_ms"],
            ),
            ({}, {}, [], 300),
        )
        self.assertEqual(self.sts_call("GetCallerIdentity").status, 200)
        self.assertEqual(
            self.sts_call("GetCallerIdentity", key=Credentials("AKIDNEW", "s")).status, 403
        )
        self.assertEqual(self.storage.manifest(self.make_repository().upstream, digest), None)

    def test_health_and_bad_requests(self):
        self.assertEqual(self.order("GET", "/health").status, 200)
        self.assertEqual(self.order("GET", "/nothing").status, 404)
        self.assertEqual(
            self.order("POST", "/functions", {"name": "x", "colour": "red"}).status, 400
        )
        self.assertEqual(self.order("POST", "/functions", {}).status, 400)
        self.assertEqual(self.order("POST", "/functions/nobody", {"state": "Inactive"}).status, 404)
        self.assertEqual(self.order("POST", "/roles", {"arn": "me"}).status, 400)

    def test_unknown_host(self):
        self.assertEqual(self.send("GET", "s3.us-east-1.amazonaws.com", "/").status, 421)

    def test_hosts_file(self):
        with tempfile.NamedTemporaryFile("w+") as file:
            file.write(
                "127.0.0.1 localhost\n127.0.0.2 old.lambda-url.us-east-1.on.aws # by the AWS"
                " endpoint\n"
            )
            file.flush()
            hosts = Hosts(file.name, "127.0.0.2")
            hosts.clear()
            hosts.add("a.lambda-url", "b.lambda-url")
            hosts.add("a.lambda-url")
            text = Path(file.name).read_text()
            self.assertEqual(
                [line.split()[1] for line in text.splitlines()],
                ["localhost", "a.lambda-url", "b.lambda-url"],
            )
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
