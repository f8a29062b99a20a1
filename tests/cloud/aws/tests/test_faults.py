"""Faults that a test orders."""

import http.client
import time

from ..errors import ControlError
from ..faults import Faults
from .case import CloudCase, LAMBDA, REGISTRY


class Ordered(CloudCase):
    """Faults."""

    def fault(self, kind, **more):
        wish = {"service": "lambda", "operation": "GetFunction", "fault": kind, **more}
        answer = self.order("POST", "/faults", wish)
        self.assertEqual(answer.status, 200, answer.body)

    def test_status(self):
        self.make_function()
        self.fault(
            "status",
            arg={
                "status": 400,
                "code": "ThrottlingException",
                "headers": {"x-amz-retry-after": "50"},
            },
        )
        answer = self.lambda_call("GET", "/hello")
        self.assert_error(answer, 400, "ThrottlingException")
        self.assertEqual(answer.headers["x-amz-retry-after"], "50")
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.fault("status", arg=503)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 503)

    def test_only_one_resource_or_key(self):
        _, digest = self.make_function()
        self.order("POST", "/functions", {"name": "other", "image": f"app@{digest}"})
        self.fault("status", arg=503, resource="hello", times=-1)
        self.assertEqual(self.lambda_call("GET", "/other").status, 200)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 503)
        self.order("DELETE", "/faults")
        self.fault("status", arg=503, key="AKIDOTHER", times=-1)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.fault("status", arg=503, key="AKIDLOCALCLOUD000001", times=-1)
        self.assertEqual(self.lambda_call("GET", "/hello").status, 503)

    def test_status_is_exact_in_ecr(self):
        self.order(
            "POST", "/faults", {"service": "ecr", "operation": None, "fault": "status", "arg": 403}
        )
        self.assertEqual(self.ecr_call("DescribeRepositories", {}).status, 403)

    def test_nth_and_times(self):
        self.make_function()
        self.fault("status", arg=500, nth=2, times=2)
        self.assertEqual(
            [self.lambda_call("GET", "/hello").status for _ in range(5)], [200, 500, 500, 200, 200]
        )
        self.fault("status", arg=500, times=-1)
        self.assertEqual(
            [self.lambda_call("GET", "/hello").status for _ in range(3)], [500, 500, 500]
        )
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
            self.assertEqual(
                self.lambda_call("GET", "/hello").json()["Configuration"]["Timeout"], timeout
            )

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
        self.assertEqual(
            (answer.headers["Content-Type"], answer.json()["Configuration"]["FunctionName"]),
            ("text/html", "hello"),
        )

    def test_slow_and_delay(self):
        self.make_function()
        self.fault("delay", arg=200)
        start = time.monotonic()
        self.assertEqual(self.lambda_call("GET", "/hello").status, 200)
        self.assertGreater(time.monotonic() - start, 0.2)
        self.fault("slow", arg=0.2)
        start = time.monotonic()
        self.assertEqual(
            self.lambda_call("GET", "/hello").json()["Configuration"]["FunctionName"], "hello"
        )
        self.assertGreater(time.monotonic() - start, 0.2)

    def test_hang(self):
        self.make_function()
        self.fault("hang")
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=0.3)
        connection.request(
            "GET", "/2015-03-31/functions/hello", headers={"Host": LAMBDA, **headers}
        )
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()
        for _ in range(50):
            last = self.order("GET", "/requests").json()[-1]
            if last["error"]:
                break
            time.sleep(0.05)
        self.assertEqual((last["status"], last["error"]), (None, "fault: hang"))

    def test_hang_ends_when_it_is_forgotten(self):
        """The far side gives up: who waits for ever, as BuildKit does, goes on."""
        self.make_function()
        self.fault("hang", resource="hello")
        headers = self.sign("GET", LAMBDA, "/2015-03-31/functions/hello")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        connection.request(
            "GET", "/2015-03-31/functions/hello", headers={"Host": LAMBDA, **headers}
        )
        for _ in range(50):
            if self.order("GET", "/requests").json()[-1]["error"]:
                break
            time.sleep(0.05)
        self.assertEqual(self.order("GET", "/faults").json(), [], "it has hit what it was for")
        self.order("POST", "/faults/forget", {"resource": "hello"})
        with self.assertRaises(ConnectionError):
            connection.getresponse()
        connection.close()

    def test_registry_and_oidc_too(self):
        self.order(
            "POST",
            "/faults",
            {"service": "registry", "operation": "Ping", "fault": "status", "arg": 503},
        )
        password = self.password()
        statuses = [
            self.send("GET", REGISTRY, "/v2/", {"Authorization": f"Basic {password}"}).status
            for _ in "12"
        ]
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
