"""Function URLs: an HTTP request becomes an event (payload format 2.0), the function's answer an
HTTP response.

Source: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

import base64
import binascii
import json
import time
import uuid
from urllib.parse import unquote_plus

from . import invocations
from .endpoint import Service
from .errors import AwsError
from .server import Response

BODY_LIMIT = 6 * 1024 * 1024
TEXT = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
)
NOT_PASSED = ("connection", "content-length", "transfer-encoding", "date", "keep-alive")


class Url(Service):
    name = "url"

    def __init__(self, cloud):
        self._cloud = cloud

    def prepare(self, call):
        call.operation = "Request"
        call.resource = call.route["label"]
        call.payload = call.request.read(BODY_LIMIT)
        call.body = f"{call.request.method} {call.request.target}"
        call.function, call.qualifier = self._find(call.route["region"], call.route["host"])
        if call.function:
            call.resource = call.function.name

    def _find(self, region, host):
        with self._cloud.lock:
            for function in self._cloud.functions.values():
                if function.region != region:
                    continue
                if function.url_host() == host:
                    return function, None
                for alias in function.aliases:
                    if function.url_host(alias) == host:
                        return function, alias
        return None, None

    def answer(self, call):
        if call.function is None:
            raise AwsError("AccessDeniedException", "Forbidden", 403)
        event = _event(call)
        try:
            _, outcome = invocations.run(
                self._cloud, call.function, call.qualifier, json.dumps(event).encode()
            )
        except AwsError as error:
            call.error = error.code
            status = 429 if error.status == 429 else 502
            return _json(
                status, {"Message": "Internal Server Error" if status == 502 else error.message}
            )
        if outcome.failed:
            call.error = "FunctionError"
            return _json(502, {"Message": "Internal Server Error"})
        try:
            return _response(outcome.payload)
        except (ValueError, TypeError):
            call.error = "MalformedResponse"
            return _json(502, {"Message": "Internal Server Error"})

    def refuse(self, error):
        return _json(error.status, {"Message": error.message}, error.headers)


def _event(call):
    request, now = call.request, time.time()
    headers = {}
    for name, value in request.headers.items():
        name = name.lower()
        if name != "cookie":
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    headers.setdefault("x-forwarded-for", request.peer)
    headers.setdefault("x-forwarded-proto", "https")
    headers.setdefault("x-forwarded-port", "443")
    domain = call.route["host"]
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.peer,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    cookies = [
        each.strip()
        for value in request.headers.get_all("Cookie") or []
        for each in value.split(";")
    ]
    if cookies:
        event["cookies"] = cookies
    parameters = _parameters(request.query)
    if parameters:
        event["queryStringParameters"] = parameters
    if call.payload:
        _add_body(event, call.payload, headers.get("content-type", ""))
    return event


def _parameters(query):
    values = {}
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        values.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return {name: ",".join(several) for name, several in values.items()}


def _add_body(event, payload, content_type):
    try:
        if content_type.startswith(TEXT):
            event["body"] = payload.decode()
            return
    except UnicodeDecodeError:
        pass  # said to be text, and is not: it goes as bytes
    event["body"] = base64.b64encode(payload).decode()
    event["isBase64Encoded"] = True


def _response(payload):
    """ValueError or TypeError if it is not what a function URL understands."""
    value = json.loads(payload) if payload else None
    if not isinstance(value, dict) or "statusCode" not in value:
        return Response(200, [("Content-Type", "application/json")], payload)
    status = int(value["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError(status)
    body = value.get("body")
    if body is None:
        data = b""
    elif value.get("isBase64Encoded"):
        try:
            data = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise ValueError("the body is not base64") from error
    else:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = [
        (str(name), str(each).replace("\r", " ").replace("\n", " "))
        for name, each in (value.get("headers") or {}).items()
        if name.lower() not in NOT_PASSED
    ]
    headers += [("Set-Cookie", str(each)) for each in value.get("cookies") or []]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Response(status, headers, data)


def _json(status, value, more=None):
    return Response(
        status,
        [("Content-Type", "application/json")] + list((more or {}).items()),
        json.dumps(value).encode(),
    )
