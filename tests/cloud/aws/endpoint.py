"""From a host name to a service; journal, latency, authentication and faults around every request.
"""

import re
import secrets
import time

from . import iam, models, signature
from .errors import AwsError
from .server import Drop, Response, TooLarge

BODY_LIMIT = 8 * 1024 * 1024
ERROR_OF_STATUS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    409: "ResourceConflictException",
    429: "TooManyRequestsException",
    500: "InternalFailure",
    503: "ServiceUnavailable",
}
BREAKING = ("truncate", "garbage", "content-type", "slow", "reset-after")


class Call:
    """One request on its way through a service. Services fill in what the journal shows."""

    def __init__(self, request, route):
        self.request = request
        self.route = route  # the host name's parts: region, account, name …
        self.operation = None
        self.resource = None
        self.body = None
        self.error = None


class Service:
    """`prepare(call)` names the operation and reads what that needs; `answer(call)` and
    `refuse(error)` give a Response.
    """

    name = None

    def code(self, error):
        """The error's name, as the client reads it."""
        return error.code


class Endpoint:
    """`routes`: pairs of a host name's pattern and a service.

    A service is a Service.
    """

    def __init__(self, cloud, routes):
        self._cloud = cloud
        self._routes = [(re.compile(pattern), service) for pattern, service in routes]

    def find(self, host):
        host = re.sub(r":\d+$", "", host.lower())
        for pattern, service in self._routes:
            match = pattern.fullmatch(host)
            if match:
                return service, {"region": "us-east-1", **match.groupdict(), "host": host}
        return None, {}

    def serve(self, request):
        service, route = self.find(request.host)
        if service is None:
            entry = self._cloud.journal.open("unknown", request.method, request.host)
            self._cloud.journal.close(entry, 421)
            return Response(
                421, [("Content-Type", "text/plain")], b"no service of this name here\n"
            )
        call = Call(request, route)
        problem = None
        try:
            service.prepare(call)
        except AwsError as error:
            problem = error
        except TooLarge:
            problem = AwsError(
                "RequestEntityTooLargeException", "Request must be smaller than 8388608 bytes", 413
            )
        return self._serve(service, call, problem)

    def _serve(self, service, call, problem):
        journal = self._cloud.journal
        agent = call.request.headers.get("User-Agent", "")
        entry = journal.open(service.name, call.operation, call.resource, call.body, agent)
        response = None
        try:
            self._wait(self._cloud.settings.latency_ms)
            fault = self._cloud.faults.take(
                service.name, call.operation, call.resource, _key_of(call.request)
            )
            if fault and fault.fault == "hang":
                self._hold(entry, fault, call)
            response = self._before(fault, service, call) or self._answer(service, call, problem)
            if fault and fault.fault == "hang-after":
                self._hold(entry, fault, call)
            response = _after(fault, response)
            return response
        finally:
            entry["resource"] = call.resource
            journal.close(entry, response.status if response else None, call.error)

    def _hold(self, entry, fault, call):
        """Until the client is gone, or the fault is forgotten; the journal tells meanwhile that it is held."""
        call.error = entry["error"] = f"fault: {fault.fault}"
        call.request.wait_until_gone(lambda: self._cloud.stopping or fault.forgotten)
        raise Drop()

    def _answer(self, service, call, problem):
        try:
            if problem:
                raise problem
            return service.answer(call)
        except AwsError as error:
            call.error = service.code(error)
            return service.refuse(error)

    def _before(self, fault, service, call):
        """The answer that a fault gives instead of the service, if it does."""
        if fault is None:
            return None
        if fault.fault == "reset-before":
            call.error = "fault: reset-before"
            raise Drop()
        if fault.fault == "delay":
            self._wait(fault.arg)
        if fault.fault == "update-failed":
            call.update_failure = fault.arg or {}
        if fault.fault == "status":
            error = _error_of(fault.arg)
            call.error = service.code(error)
            return service.refuse(error)
        return None

    def _wait(self, milliseconds):
        end = time.monotonic() + milliseconds / 1000
        while not self._cloud.stopping:
            rest = end - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(rest, 0.5))


def _key_of(request):
    match = re.search("Credential=([^/]+)/", request.headers.get("Authorization") or "")
    return match and match[1]


def _error_of(arg):
    arg = arg if isinstance(arg, dict) else {"status": arg}
    status = arg["status"]
    code = arg.get("code") or ERROR_OF_STATUS.get(status, "InternalFailure")
    return AwsError(
        code,
        arg.get("message", "ordered by a test"),
        status,
        headers=arg.get("headers"),
        exact=True,
    )


def _after(fault, response):
    if fault is None or fault.fault not in BREAKING:
        return response
    if fault.fault == "truncate":
        response.mishap = ("truncate", None)
    elif fault.fault == "slow":
        response.mishap = ("slow", fault.arg)
    elif fault.fault == "reset-after":
        response.mishap = ("reset", None)
    elif fault.fault == "content-type":
        headers = [pair for pair in response.headers if pair[0].lower() != "content-type"]
        response.headers = headers + [("Content-Type", fault.arg or "text/html")]
    elif fault.fault == "garbage":
        _drop_body(response)
        response.body, response.length = b"\x00\xff{garbage <" + secrets.token_bytes(200), None
        response.headers = [
            pair for pair in response.headers if pair[0].lower() != "content-length"
        ]
    return response


def _drop_body(response):
    close = getattr(response.body, "close", None)
    if close:
        close()


class AwsService(Service):
    """A service of AWS's kind: signed requests, a model, a table of operations.

    `operations` maps a name to a function (caller, parameters, call) -> result; `unsigned` names
    those that need no signature. `authorize(caller, operation, parameters, call)` and
    `resource(operation, parameters)` are the service's own.
    """

    signing_name = None
    unsigned = ()

    def __init__(self, cloud, protocol_class):
        self.cloud = cloud
        self.protocol = protocol_class(models.load(self.name))
        self.operations = {}

    def prepare(self, call):
        call.payload = call.request.read(BODY_LIMIT)
        operation, labels = self.protocol.operation(call.request, call.payload)
        call.model, call.operation = operation, operation.name
        call.parameters, call.problem = {}, None
        try:
            call.parameters = self.protocol.parameters(
                operation, labels, call.request, call.payload
            )
        except AwsError as error:
            call.problem = error  # told after the signature is checked, as AWS does
        call.resource = self.resource(operation.name, {**labels, **call.parameters})
        if operation.input_shape is not None:
            call.body = models.mask(operation.input_shape, call.parameters) or None

    def answer(self, call):
        caller = None
        if call.operation not in self.unsigned:
            caller = self._authenticate(call)
        if call.problem:
            raise call.problem
        if call.operation not in self.operations:
            raise AwsError(
                "UnknownOperationException", f"this cloud does not have {call.operation}", 404
            )
        if call.model.input_shape is not None:
            models.check(call.model.input_shape, call.parameters)
        call.region = call.route["region"]
        self.authorize(caller, call.operation, call.parameters, call)
        result = self.operations[call.operation](caller, call.parameters, call) or {}
        if isinstance(result, Response):
            return result
        return self.protocol.answer(call.model, result)

    def _authenticate(self, call):
        try:
            key = signature.verify(
                call.request,
                call.payload,
                self.signing_name or self.name,
                call.route["region"],
                self.cloud.keys,
                self.cloud.clock,
            )
        except signature.Refusal as refusal:
            raise self.protocol.refusal(refusal.kind, refusal.message) from None
        return key.principal

    def authorize(self, caller, operation, parameters, call):
        iam.authorize(caller, f"{self.name}:{operation}", "*")

    def resource(self, operation, parameters):
        return None

    def refuse(self, error):
        return self.protocol.error(error)

    def code(self, error):
        return self.protocol.code(error)
