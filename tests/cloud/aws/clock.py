"""The endpoint's clock: the machine's, plus an offset that a test sets."""

import time
from datetime import datetime, timezone
from email.utils import formatdate


class Clock:
    def __init__(self):
        self.offset_s = 0.0

    def now(self):
        """Seconds since the epoch, as this cloud believes."""
        return time.time() + self.offset_s

    def http_date(self):
        return formatdate(self.now(), usegmt=True)


def basic_format(seconds):
    """20260102T030405Z, as in X-Amz-Date."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def iso_seconds(seconds):
    """2026-01-02T03:04:05Z, as in STS's answers."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_millis(seconds, zone="Z"):
    """2026-01-02T03:04:05.678Z; Lambda's LastModified has the zone +0000."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}" + zone


def parse_basic(text):
    """Seconds of 20260102T030405Z; ValueError."""
    moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return moment.replace(tzinfo=timezone.utc).timestamp()
