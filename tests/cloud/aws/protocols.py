"""How a service reads requests and writes answers and errors: rest-json, json 1.1 and query."""

import base64
import json
import re
import uuid
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from .clock import iso_seconds
from .errors import AwsError
from .server import Response


class Protocol:
    """`statuses` maps the kinds of signature.Refusal to this protocol's (code, status)."""

    refusals = {}
    unknown_operation_status = 400

    def __init__(self, model):
        self.model = model

    def code(self, error):
        return error.code

    def refusal(self, kind, message):
        code, status = self.refusals[kind]
        return AwsError(code, message, status)


def request_id():
    return str(uuid.uuid4())


def _load_json(body):
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        raise AwsError("SerializationException", "Could not parse request body into json") from None
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "the body must be a JSON object")
    return value


def _json_default(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value))


def to_json(value):
    return json.dumps(
        value, default=_json_default, separators=(",", ":"), ensure_ascii=False
    ).encode()


class RestJson(Protocol):
    """The operation is in method and path; members are in path, query, headers and body."""

    refusals = {
        "missing": ("MissingAuthenticationTokenException", 403),
        "incomplete": ("IncompleteSignatureException", 403),
        "unknown-key": ("UnrecognizedClientException", 403),
        "expired-token": ("ExpiredTokenException", 403),
        "expired": ("InvalidSignatureException", 403),
        "mismatch": ("InvalidSignatureException", 403),
    }

    def __init__(self, model):
        super().__init__(model)
        self._routes = []
        for name in model.operation_names:
            operation = model.operation_model(name)
            path, _, query = operation.http["requestUri"].partition("?")
            pattern = re.sub(
                r"\\{(\w+)\\?(\\\+)?\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/"))
            )
            route = (operation.http["method"], re.compile(pattern + "/?"), query, operation)
            self._routes.append((path.count("{"), route))
        self._routes = [route for _, route in sorted(self._routes, key=lambda row: row[0])]

    def operation(self, request, _body):
        """(operation model, what identifies it further)."""
        for method, pattern, query, operation in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method and (not query or query in request.query):
                return operation, {
                    name: unquote(value) for name, value in match.groupdict().items()
                }
        raise AwsError(
            "UnknownOperationException", f"no operation {request.method} {request.path}", 404
        )

    def parameters(self, operation, labels, request, body):
        shape = operation.input_shape
        values, members = {}, shape.members if shape else {}
        by_wire = {"uri": {}, "querystring": {}, "header": {}}
        for name, member in members.items():
            where = member.serialization.get("location")
            if where in by_wire:
                by_wire[where][member.serialization.get("name", name)] = name
        for wire, value in labels.items():
            values[by_wire["uri"][wire]] = value
        self._query(request, members, by_wire["querystring"], values)
        for wire, name in by_wire["header"].items():
            if request.headers.get(wire) is not None:
                values[name] = _typed(members[name], request.headers[wire])
        payload = shape.serialization.get("payload") if shape else None
        if payload:
            if body:
                values[payload] = body
        else:
            inside = _load_json(body)
            taken = set(values) & set(inside)
            if taken:
                raise AwsError(
                    "SerializationException", f"{sorted(taken)[0]} is not a member of the body"
                )
            values.update(inside)
        return values

    @staticmethod
    def _query(request, members, by_wire, values):
        fixed = [part.partition("=")[0] for part in ("find",)]
        for wire, value in parse_qsl(request.query, keep_blank_values=True):
            if wire not in by_wire:
                if wire in fixed:
                    continue
                raise AwsError("SerializationException", f"unknown query parameter {wire!r}")
            name = by_wire[wire]
            member = members[name]
            if member.type_name == "list":
                values.setdefault(name, []).append(_typed(member.member, value))
            else:
                values[name] = _typed(member, value)

    def answer(self, operation, result):
        shape, headers, body, status = (
            operation.output_shape,
            [],
            {},
            operation.http.get("responseCode", 200),
        )
        members = shape.members if shape else {}
        payload = shape.serialization.get("payload") if shape else None
        raw = b""
        for name, value in result.items():
            member = members.get(name)
            where = member.serialization.get("location") if member is not None else None
            if value is None:
                continue
            if where == "statusCode":
                status = value
            elif where == "header":
                headers.append((member.serialization.get("name", name), str(value)))
            elif name == payload:
                raw = value
            else:
                body[name] = value
        if payload is None and status != 204:
            raw = to_json(body)
        headers += [("Content-Type", "application/json"), ("x-amzn-RequestId", request_id())]
        return Response(status, headers, raw)

    def error(self, error):
        shape = self.model.shape_for(error.code) if error.code in self.model.shape_names else None
        modelled = shape.members if shape is not None else {}
        body = {"message" if "message" in modelled else "Message": error.message}
        if "Type" in modelled:
            body = {"Type": error.side, **body}
        body.update(error.members)
        headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", request_id())]
        headers += [("x-amzn-ErrorType", error.code)] + list(error.headers.items())
        return Response(error.status, headers, to_json(body))


def _typed(shape, text):
    """A member that travels as text."""
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("float", "double"):
            return float(text)
    except ValueError:
        raise AwsError("SerializationException", f"'{text}' is not a number") from None
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise AwsError("SerializationException", f"'{text}' is not a boolean")
        return text == "true"
    return text


class Json(Protocol):
    """The operation is in X-Amz-Target, everything else in the body."""

    refusals = {
        "missing": ("MissingAuthenticationTokenException", 400),
        "incomplete": ("IncompleteSignatureException", 400),
        "unknown-key": ("UnrecognizedClientException", 400),
        "expired-token": ("ExpiredTokenException", 400),
        "expired": ("InvalidSignatureException", 400),
        "mismatch": ("InvalidSignatureException", 400),
    }

    def operation(self, request, _body):
        target = request.headers.get("X-Amz-Target") or ""
        prefix, _, name = target.rpartition(".")
        content_type = (request.headers.get("Content-Type") or "").split(";")[0].strip()
        good = (
            request.method == "POST"
            and request.path == "/"
            and content_type == "application/x-amz-json-1.1"
        )
        if (
            not good
            or prefix != self.model.metadata["targetPrefix"]
            or name not in self.model.operation_names
        ):
            raise AwsError(
                "UnknownOperationException",
                f"no operation {target!r} for this method, path and content type",
            )
        return self.model.operation_model(name), {}

    def parameters(self, operation, labels, request, body):
        return _load_json(body)

    def answer(self, operation, result):
        body = {name: value for name, value in result.items() if value is not None}
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("x-amzn-RequestId", request_id()),
        ]
        return Response(200, headers, to_json(body))

    def error(self, error):
        status = 400 if error.status in (403, 404, 409) and not error.exact else error.status
        kind = error.code
        if kind in self.model.shape_names:
            namespace = (
                f"com.amazonaws.{self.model.service_name}.v{self.model.api_version.replace('-', '')}"
            )
            kind = f"{namespace}#{kind}"
        body = {"__type": kind, "message": error.message, **error.members}
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("x-amzn-RequestId", request_id()),
        ]
        return Response(status, headers + list(error.headers.items()), to_json(body))


QUERY_CODES = {
    "AccessDeniedException": "AccessDenied",
    "SerializationException": "ValidationError",
    "ValidationException": "ValidationError",
    "UnknownOperationException": "InvalidAction",
}


class Query(Protocol):
    """Form fields in, XML out."""

    refusals = {
        "missing": ("MissingAuthenticationToken", 403),
        "incomplete": ("IncompleteSignature", 400),
        "unknown-key": ("InvalidClientTokenId", 403),
        "expired-token": ("ExpiredToken", 403),
        "expired": ("SignatureDoesNotMatch", 403),
        "mismatch": ("SignatureDoesNotMatch", 403),
    }

    def code(self, error):
        return QUERY_CODES.get(error.code, error.code)

    def operation(self, request, body):
        form = request.query if request.method == "GET" else body.decode("utf-8", "replace")
        fields = dict(parse_qsl(form, keep_blank_values=True))
        name, version = fields.pop("Action", None), fields.pop("Version", None)
        if name not in self.model.operation_names or version != self.model.api_version:
            raise AwsError(
                "InvalidAction", f"Could not find operation {name} for version {version}"
            )
        return self.model.operation_model(name), fields

    def parameters(self, operation, labels, request, body):
        return _nested(operation.input_shape, labels) if operation.input_shape else _nothing(labels)

    def answer(self, operation, result):
        name, shape = operation.name, operation.output_shape
        inside = _xml_members(shape, result) if shape else ""
        space = self.model.metadata["xmlNamespace"]
        text = (
            f'<{name}Response xmlns="{space}"><{name}Result>{inside}</{name}Result>'
            f"<ResponseMetadata><RequestId>{request_id()}</RequestId></ResponseMetadata></{name}Response>"
        )
        return Response(200, [("Content-Type", "text/xml")], text.encode())

    def error(self, error):
        side = "Sender" if error.status < 500 else "Receiver"
        text = (
            "<ErrorResponse"
            f" xmlns=\"{self.model.metadata['xmlNamespace']}\"><Error><Type>{side}</Type>"
            f"<Code>{escape(self.code(error))}</Code><Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{request_id()}</RequestId></ErrorResponse>"
        )
        return Response(
            error.status,
            [("Content-Type", "text/xml")] + list(error.headers.items()),
            text.encode(),
        )


def _nothing(fields):
    if fields:
        raise AwsError("ValidationException", f"unknown parameter {sorted(fields)[0]!r}")
    return {}


def _nested(shape, fields):
    """{"Tags.member.1.Key": …} into the shape's members."""
    values, groups = {}, {}
    for name, value in fields.items():
        head, _, tail = name.partition(".")
        groups.setdefault(head, {})[tail] = value
    for head, inside in groups.items():
        member = shape.members.get(head)
        if member is None:
            raise AwsError("ValidationException", f"unknown parameter {head!r}")
        values[head] = _nested_value(member, inside, head)
    return values


def _nested_value(shape, inside, name):
    if shape.type_name == "structure":
        return _nested(shape, inside)
    if shape.type_name == "list":
        items = {}
        for path, value in inside.items():
            match = re.fullmatch(r"member\.([1-9][0-9]*)(?:\.(.*))?", path)
            if not match:
                raise AwsError("ValidationException", f"malformed list {name}.{path}")
            items.setdefault(int(match.group(1)), {})[match.group(2) or ""] = value
        return [_nested_value(shape.member, items[index], name) for index in sorted(items)]
    if set(inside) != {""}:
        raise AwsError("ValidationException", f"{name} has no members")
    return _typed(shape, inside[""])


def _xml_members(shape, value):
    parts = []
    for name, member in shape.members.items():
        if value.get(name) is not None:
            parts.append(f"<{name}>{_xml_value(member, value[name])}</{name}>")
    return "".join(parts)


def _xml_value(shape, value):
    if shape.type_name == "structure":
        return _xml_members(shape, value)
    if shape.type_name == "list":
        return "".join(f"<member>{_xml_value(shape.member, item)}</member>" for item in value)
    if shape.type_name == "timestamp":
        return iso_seconds(value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    return escape(str(value))
