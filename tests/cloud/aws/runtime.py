"""The Lambda Runtime API, for one container: it asks for the next event and posts answers.

Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field

from .server import Drop, Response, Server, TooLarge

ANSWER_LIMIT = 6 * 1024 * 1024
RESULT = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")


@dataclass
class Event:
    """One invocation on its way; `done` is set when the runtime has answered it."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: bytes = None
    failed: bool = False


class RuntimeApi:
    """Serves one container. `ready` is set when it asks for its first event; `init_error` holds
    what it posted before.
    """

    def __init__(self, address):
        self.ready = threading.Event()
        self.init_error = None
        self._changed = threading.Condition()
        self._event = None  # waiting to be fetched
        self._current = None  # fetched, not answered
        self._ended = False
        self._server = Server((address, 0), self._serve).start()

    @property
    def port(self):
        return self._server.port

    def offer(self, event):
        with self._changed:
            self._event = event
            self._changed.notify_all()

    def end(self):
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.stop()

    def _serve(self, request):
        path = request.path
        if request.method == "GET" and path == "/2018-06-01/runtime/invocation/next":
            return self._next()
        if request.method == "POST" and path == "/2018-06-01/runtime/init/error":
            self.init_error = request.read(ANSWER_LIMIT)
            return _json(202, {"status": "OK"})
        match = RESULT.fullmatch(path)
        if request.method == "POST" and match:
            return self._result(request, match[1], match[2] == "error")
        return _json(404, {"errorMessage": "no such page", "errorType": "NotFound"})

    def _next(self):
        self.ready.set()
        with self._changed:
            while self._event is None and not self._ended:
                self._changed.wait(1)
            if self._ended:
                raise Drop()
            event, self._event = self._event, None
            self._current = event
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", event.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(event.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", event.function_arn),
            (
                "Lambda-Runtime-Trace-Id",
                f"Root=1-{int(time.time()):08x}-{event.request_id.replace('-', '')[:24]};Sampled=0",
            ),
        ]
        return Response(200, headers, event.payload)

    def _result(self, request, request_id, failed):
        try:
            data = request.read(ANSWER_LIMIT)
        except TooLarge:
            data, failed = _too_large(), True
            status, said = 413, {
                "errorMessage": "Exceeded maximum allowed payload size",
                "errorType": "RequestEntityTooLarge",
            }
        else:
            status, said = 202, {"status": "OK"}
        with self._changed:
            event = self._current
            if event is None or event.request_id != request_id:
                return _json(
                    400, {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}
                )
            self._current = None
            event.answer, event.failed = data, failed
        event.done.set()
        return _json(status, said)


def _too_large():
    message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes)."
    return json.dumps(
        {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
    ).encode()


def _json(status, value):
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode())
