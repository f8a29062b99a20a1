"""Requests against botocore's service models: required and unknown members, types, ranges,
patterns, enums.
"""

import base64
import binascii
import re
from functools import lru_cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

from .errors import AwsError

# Secret although the models of some botocore versions do not say so.
SECRET_MEMBERS = {
    "WebIdentityToken",
    "SAMLAssertion",
    "TokenCode",
    "authorizationToken",
    "SecretAccessKey",
    "SessionToken",
}
MASK = "***"


@lru_cache(maxsize=None)
def load(service):
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check(shape, value):
    """AwsError: SerializationException for what cannot be read at all, ValidationException for
    what may not be.
    """
    faults = []
    _check(shape, value, [], faults)
    if faults:
        many = "error" if len(faults) == 1 else "errors"
        raise AwsError(
            "ValidationException", f"{len(faults)} validation {many} detected: {'; '.join(faults)}"
        )


def mask(shape, value):
    """The value as it may be logged: without what the model calls sensitive and without what it
    does not know.
    """
    if shape is None or (
        shape.metadata.get("sensitive") and shape.type_name not in ("map", "blob")
    ):
        return MASK
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {
            name: MASK if name in SECRET_MEMBERS else mask(members.get(name), inner)
            for name, inner in value.items()
        }
    if shape.type_name == "map" and isinstance(value, dict):
        secret = shape.metadata.get("sensitive")
        return {name: MASK if secret else mask(shape.value, inner) for name, inner in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [mask(shape.member, inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def _check(shape, value, path, faults):
    kind = shape.type_name
    CHECKS[kind](shape, value, path, faults)


def _fail(path, value, constraint, shape, faults):
    shown = MASK if shape.metadata.get("sensitive") else value
    where = ".".join(path)
    where = where[:1].lower() + where[1:]
    quoted = "null" if value is None else f"'{shown}'"
    faults.append(f"Value {quoted} at '{where}' failed to satisfy constraint: {constraint}")


def _wrong_type(value, wanted):
    names = {dict: "START_OBJECT", list: "START_ARRAY", str: "STRING_VALUE", bool: "TRUE_VALUE"}
    name = names.get(type(value), "NUMBER_VALUE")
    raise AwsError("SerializationException", f"{name} can not be converted to {wanted}")


def _structure(shape, value, path, faults):
    if not isinstance(value, dict):
        _wrong_type(value, "a Structure")
    for name in value:
        if name not in shape.members:
            where = ".".join(path) or "the request"
            raise AwsError(
                "SerializationException",
                f'Unrecognized field "{name}" in {where}, not marked as ignorable',
            )
    for name in shape.required_members:
        if value.get(name) is None:
            _fail(path + [name], None, "Member must not be null", shape, faults)
    for name, inner in value.items():
        if inner is not None:
            _check(shape.members[name], inner, path + [name], faults)


def _list(shape, value, path, faults):
    if not isinstance(value, list):
        _wrong_type(value, "a List")
    _size(shape, len(value), value, path, faults)
    for index, inner in enumerate(value, 1):
        _check(shape.member, inner, path + [str(index), "member"], faults)


def _map(shape, value, path, faults):
    if not isinstance(value, dict):
        _wrong_type(value, "a Map")
    _size(shape, len(value), "a map", path, faults)
    for name, inner in value.items():
        _check(shape.key, name, path + ["key"], faults)
        _check(shape.value, inner, path + [name], faults)


def _string(shape, value, path, faults):
    if not isinstance(value, str):
        _wrong_type(value, "a String")
    _size(shape, len(value), value, path, faults)
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        _fail(
            path, value, f"Member must satisfy enum value set: [{', '.join(enum)}]", shape, faults
        )
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        _fail(
            path, value, f"Member must satisfy regular expression pattern: {pattern}", shape, faults
        )


def _size(shape, size, value, path, faults):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        _fail(path, value, f"Member must have length greater than or equal to {low}", shape, faults)
    if high is not None and size > high:
        _fail(path, value, f"Member must have length less than or equal to {high}", shape, faults)


def _integer(shape, value, path, faults):
    if isinstance(value, bool) or not isinstance(value, int):
        _wrong_type(value, "an Integer")
    _range(shape, value, path, faults)


def _float(shape, value, path, faults):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _wrong_type(value, "a Float")
    _range(shape, value, path, faults)


def _range(shape, value, path, faults):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        _fail(path, value, f"Member must have value greater than or equal to {low}", shape, faults)
    if high is not None and value > high:
        _fail(path, value, f"Member must have value less than or equal to {high}", shape, faults)


def _boolean(_shape, value, _path, _faults):
    if not isinstance(value, bool):
        _wrong_type(value, "a Boolean")


def _timestamp(_shape, value, _path, _faults):
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        _wrong_type(value, "a Timestamp")


def _blob(shape, value, path, faults):
    if isinstance(value, bytes):  # an HTTP body is one as it stands
        return
    if not isinstance(value, str):
        _wrong_type(value, "a Blob")
    try:
        size = len(base64.b64decode(value, validate=True))
    except binascii.Error:
        raise AwsError(
            "SerializationException", f"the blob at '{'.'.join(path)}' is not base64"
        ) from None
    _size(shape, size, "a blob", path, faults)


CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}

_patterns = {}


def compiled(pattern):
    """AWS's patterns are Java's; the classes that Python lacks are spelled out."""
    if pattern not in _patterns:
        text = pattern
        for java, python in JAVA_CLASSES:
            text = text.replace(java, python)
        text = re.sub(r"(\\[wd])-", r"\1\\-", text)  # Python takes the hyphen of [\w-_] for a range
        _patterns[pattern] = re.compile(text)
    return _patterns[pattern]


# Inside brackets. Letters, separators and digits of every script: \w without its underscore is
# close enough
# to be used with the underscore, which AWS's own patterns always allow beside them.
JAVA_CLASSES = (
    (r"\p{L}", r"\w"),
    (r"\p{N}", r"\d"),
    (r"\p{Z}", r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"),
    (r"\p{P}", r"!-/:-@\[-`{-~"),
)
