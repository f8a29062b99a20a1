"""Invoke, function URLs, the Runtime API."""

import base64
import json
import threading

from ..runtime import Event, RuntimeApi
from .case import CloudCase, FUNCTION_ARN, LAMBDA, REGION


class Invocations(CloudCase):
    def test_invoke(self):
        _, digest = self.make_function(alias="live")
        headers = {"X-Amz-Log-Type": "Tail", "X-Amz-Invocation-Type": "RequestResponse"}
        answer = self.lambda_call(
            "POST", "/hello/invocations?Qualifier=live", {"a": 1}, headers=headers
        )
        self.assertEqual((answer.status, answer.body), (200, b'{"ok":true}'))
        self.assertEqual(answer.headers["X-Amz-Executed-Version"], "1")
        self.assertIn(
            b"hello from the function", base64.b64decode(answer.headers["X-Amz-Log-Result"])
        )
        self.assertIsNone(answer.headers["X-Amz-Function-Error"])
        self.assertEqual(self.pools.ran[-1], (digest, FUNCTION_ARN + ":live", b'{"a": 1}'))
        self.pools.failed, self.pools.answer = True, b'{"errorType":"X"}'
        answer = self.lambda_call("POST", "/hello/invocations", {})
        self.assertEqual(
            (answer.status, answer.headers["X-Amz-Function-Error"]), (200, "Unhandled")
        )
        self.assertIsNone(answer.headers["X-Amz-Log-Result"])

    def test_refusals(self):
        self.make_function()
        path = "/2015-03-31/functions/hello/invocations"
        self.assert_error(
            self.signed("POST", LAMBDA, path, b"{"), 400, "InvalidRequestContentException"
        )
        large = b'"' + b"x" * (6 * 1024 * 1024) + b'"'
        self.assert_error(self.signed("POST", LAMBDA, path, large), 413, "RequestTooLargeException")
        dry = self.lambda_call(
            "POST", "/hello/invocations", {}, headers={"X-Amz-Invocation-Type": "DryRun"}
        )
        self.assertEqual((dry.status, self.pools.ran), (204, []))

    def test_logs(self):
        self.make_function()
        self.lambda_call("POST", "/hello/invocations", {})
        found = self.client("logs").filter_log_events(
            logGroupName="/aws/lambda/hello", filterPattern="hello from"
        )
        self.assertEqual(
            [each["message"] for each in found["events"]], ["hello from the function\n"]
        )

    def ask_url(self, method="GET", target="/", headers=None, body=b"", host="hello"):
        return self.send(method, f"{host}.lambda-url.{REGION}.on.aws", target, headers, body)

    def test_url_event(self):
        self.make_function(alias="live")
        headers = {"Cookie": "a=1; b=2", "X-Two": "1", "Content-Type": "application/json"}
        self.ask_url("POST", "/query?q=a+b&q=c&x=%2F", headers, b'{"q":"ping"}', "live--hello")
        event = json.loads(self.pools.ran[-1][2])
        self.assertEqual(self.pools.ran[-1][1], FUNCTION_ARN + ":live")
        self.assertEqual(
            (event["version"], event["rawPath"], event["rawQueryString"]),
            ("2.0", "/query", "q=a+b&q=c&x=%2F"),
        )
        self.assertEqual(event["queryStringParameters"], {"q": "a b,c", "x": "/"})
        self.assertEqual(
            (event["cookies"], event["body"], event["isBase64Encoded"]),
            (["a=1", "b=2"], '{"q":"ping"}', False),
        )
        self.assertEqual(event["requestContext"]["http"]["method"], "POST")
        self.assertEqual(event["headers"]["x-two"], "1")
        self.ask_url("POST", "/", {"Content-Type": "image/png"}, b"\x89PNG")
        event = json.loads(self.pools.ran[-1][2])
        self.assertEqual(
            (event["body"], event["isBase64Encoded"]), (base64.b64encode(b"\x89PNG").decode(), True)
        )

    def test_url_answers(self):
        self.make_function()
        rows = (
            (b'{"ok":true}', 200, b'{"ok":true}', "application/json"),
            (b'"plain"', 200, b'"plain"', "application/json"),
            (
                b'{"statusCode":503,"body":"down","headers":{"Content-Type":"text/plain"}}',
                503,
                b"down",
                "text/plain",
            ),
            (
                b'{"statusCode":200,"body":"aGk=","isBase64Encoded":true}',
                200,
                b"hi",
                "application/json",
            ),
            (
                b'{"statusCode":200,"body":"!","isBase64Encoded":true}',
                502,
                None,
                "application/json",
            ),
            (b'{"statusCode":9}', 502, None, "application/json"),
            (b"<html>", 502, None, "application/json"),
        )
        for answer, status, body, content_type in rows:
            self.pools.answer = answer
            got = self.ask_url()
            self.assertEqual(
                (got.status, got.headers["Content-Type"]), (status, content_type), answer
            )
            if body is not None:
                self.assertEqual(got.body, body)
        self.pools.answer = (
            b'{"statusCode":302,"headers":{"Location":"/x\\r\\nX-Bad: 1"},"cookies":["a=1"]}'
        )
        got = self.ask_url()
        self.assertEqual(
            (got.status, got.headers["X-Bad"], got.headers["Set-Cookie"]), (302, None, "a=1")
        )
        self.pools.failed = True
        self.assertEqual(self.ask_url().status, 502)
        self.assertEqual(self.ask_url(host="nobody").status, 403)

    def test_runtime_api(self):
        api = RuntimeApi("127.0.0.1")
        self.addCleanup(api.end)

        def ask(method, path, body=b""):
            return self.send(
                method, "127.0.0.1", f"/2018-06-01/runtime{path}", {}, body, port=api.port
            )

        event = Event("id-1", b'{"n":1}', 1234, FUNCTION_ARN)
        self.assertFalse(api.ready.is_set())
        threading.Timer(0.1, api.offer, [event]).start()
        got = ask("GET", "/invocation/next")
        self.assertTrue(api.ready.is_set())
        self.assertEqual(
            (
                got.body,
                got.headers["Lambda-Runtime-Aws-Request-Id"],
                got.headers["Lambda-Runtime-Deadline-Ms"],
            ),
            (b'{"n":1}', "id-1", "1234"),
        )
        self.assertEqual(ask("POST", "/invocation/id-0/response", b"1").status, 400)
        self.assertFalse(event.done.is_set())
        self.assertEqual(ask("POST", "/invocation/id-1/response", b"1").status, 202)
        self.assertEqual((event.done.is_set(), event.answer, event.failed), (True, b"1", False))
        self.assertEqual(ask("POST", "/invocation/id-1/response", b"1").status, 400)
        self.assertEqual(ask("POST", "/init/error", b'{"errorType":"Boom"}').status, 202)
        self.assertEqual(api.init_error, b'{"errorType":"Boom"}')
