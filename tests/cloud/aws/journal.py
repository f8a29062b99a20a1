"""Every request since the last delete, in memory, without secrets."""

import json
import threading
import time
from collections import deque

ENTRIES = 20_000
BODY_BYTES = 16 * 1024
AGENT_CHARS = 80


class Journal:
    def __init__(self):
        self._lock = threading.Lock()
        self._entries = deque(maxlen=ENTRIES)
        self._count = 0

    def open(self, service, operation, resource=None, body=None, agent=""):
        """An entry shows up at once, with status null until the request is answered."""
        with self._lock:
            self._count += 1
            entry = {
                "n": self._count,
                "service": service,
                "operation": operation,
                "status": None,
                "error": None,
                "start": time.time(),
                "ms": None,
                "resource": resource,
                "body": cut(body),
                "agent": agent[:AGENT_CHARS],
            }
            self._entries.append(entry)
        return entry

    def close(self, entry, status, error=None):
        with self._lock:
            entry["status"] = status
            entry["error"] = error
            entry["ms"] = round((time.time() - entry["start"]) * 1000, 1)

    def all(self):
        return self.since(0)

    def since(self, n):
        """Those with a higher number."""
        found = []
        with self._lock:
            for entry in reversed(self._entries):
                if entry["n"] <= n:
                    break
                found.append(dict(entry))
        return found[::-1]

    def last(self):
        with self._lock:
            return self._entries[-1]["n"] if self._entries else 0

    def clear(self):
        with self._lock:
            self._entries.clear()
            self._count = 0


def cut(body):
    """A body that is small enough to be kept: itself, or the first bytes of its text."""
    if body is None:
        return None
    text = body if isinstance(body, str) else json.dumps(body)
    return body if len(text) <= BODY_BYTES else text[:BODY_BYTES]
