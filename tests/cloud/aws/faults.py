"""Faults that a test orders: which request they hit, and when."""

import re
import threading
from dataclasses import dataclass, field
from urllib.parse import unquote

from .errors import ControlError

KINDS = (
    "status",
    "reset-before",
    "reset-after",
    "truncate",
    "garbage",
    "content-type",
    "slow",
    "hang",
    "hang-after",
    "delay",
    "tls",
    "update-failed",
)
SERVICES = ("lambda", "ecr", "sts", "logs", "oidc", "registry", "storage", "url")
NEEDS_NUMBER = ("slow", "delay")


@dataclass
class Fault:
    service: str
    operation: str  # None: any
    fault: str
    arg: object = None
    nth: int = 1  # the first matching request, from the order on, that is hit
    times: int = 1  # -1: for ever
    resource: str = None  # only requests about what bears this name; None: any
    key: str = None  # only requests that are signed with this access key; None: any
    seen: int = field(default=0)
    forgotten: bool = field(default=False)  # what it holds is held no longer

    def hits(self):
        """Count one more matching request: is it hit?"""
        self.seen += 1
        return self.seen >= self.nth and (self.times < 0 or self.seen < self.nth + self.times)

    def spent(self):
        return self.times >= 0 and self.seen >= self.nth + self.times - 1


class Faults:
    def __init__(self):
        self._lock = threading.Lock()
        self._faults = []

    def order(self, wish):
        fault = _checked(wish)
        with self._lock:
            self._faults.append(fault)

    def forget(self, wish):
        """Take away those for one resource or key."""
        key, resource = wish.get("key"), wish.get("resource")
        self._forget(
            lambda fault: (fault.key, fault.resource) != (None, None)
            and (key is None or fault.key == key)
            and (resource is None or fault.resource == resource)
        )

    def clear(self):
        self._forget(lambda fault: True)

    def _forget(self, matches):
        with self._lock:
            for fault in self._faults:
                fault.forgotten = matches(fault)
            self._faults = [fault for fault in self._faults if not fault.forgotten]

    def all(self):
        """Those that may still hit something."""
        with self._lock:
            return [dict(vars(fault)) for fault in self._faults if not fault.spent()]

    def take(self, service, operation, resource=None, key=None):
        """The first fault that hits this request, or None. Every matching fault counts it."""
        return self._take(
            lambda fault: fault.fault != "tls"
            and fault.operation in (None, operation)
            and (fault.resource is None or _is_about(resource, fault.resource))
            and fault.key in (None, key),
            service,
        )

    def take_tls(self, service):
        """A handshake knows its host name only, so that a `tls` fault ignores the operation."""
        return self._take(lambda fault: fault.fault == "tls", service)

    def _take(self, matches, service):
        hit = None
        with self._lock:
            for fault in self._faults:
                if fault.service in (None, service) and matches(fault) and fault.hits():
                    hit = hit or fault
        return hit


def _is_about(resource, name):
    return name in re.split(r"[/:.@]", unquote(str(resource or "")))


def _checked(wish):
    if not isinstance(wish, dict):
        raise ControlError("a fault is an object")
    known = {"service", "operation", "nth", "times", "fault", "arg", "resource", "key"}
    unknown = set(wish) - known
    if unknown:
        raise ControlError(f"unknown member of a fault: {', '.join(sorted(unknown))}")
    kind = wish.get("fault")
    if kind not in KINDS:
        raise ControlError(f"no fault {kind!r}; there are: {', '.join(KINDS)}")
    service = wish.get("service")
    if service is not None and service not in SERVICES:
        raise ControlError(f"no service {service!r}; there are: {', '.join(SERVICES)}")
    nth, times = wish.get("nth", 1), wish.get("times", 1)
    if not _is_count(nth) or nth < 1:
        raise ControlError("nth is a number from 1 on")
    if not _is_count(times) or (times < 1 and times != -1):
        raise ControlError("times is a number from 1 on, or -1 for ever")
    arg = wish.get("arg")
    _check_arg(kind, arg)
    resource, key = wish.get("resource"), wish.get("key")
    if kind == "tls" and (resource is not None or key is not None):
        raise ControlError("a handshake tells neither resource nor key")
    return Fault(service, wish.get("operation"), kind, arg, nth, times, resource, key)


def _check_arg(kind, arg):
    if kind in NEEDS_NUMBER and (
        isinstance(arg, bool) or not isinstance(arg, (int, float)) or arg < 0
    ):
        raise ControlError(f"{kind} needs arg: milliseconds")
    if kind == "status":
        status = arg.get("status") if isinstance(arg, dict) else arg
        if not _is_count(status) or not 200 <= status <= 599:
            raise ControlError('status needs arg: a code, or {"status":…,"code":…,"headers":{…}}')
    if kind == "update-failed" and arg is not None and not isinstance(arg, dict):
        raise ControlError('update-failed takes arg {"reason_code":…,"reason":…}')


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool)
