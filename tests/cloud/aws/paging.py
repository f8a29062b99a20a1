"""Lists in pages: an opaque token that says where the next page starts."""

import base64
import binascii

from .errors import AwsError


def page(items, token, size):
    """(items of this page, token of the next page or None)."""
    start = _start(token)
    rest = items[start : start + size]
    more = start + size < len(items)
    return rest, (base64.b64encode(f"from:{start + size}".encode()).decode() if more else None)


def _start(token):
    if not token:
        return 0
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        if word != "from":
            raise ValueError(word)
        return int(number)
    except (binascii.Error, ValueError, UnicodeDecodeError):
        raise AwsError(
            "InvalidParameterException", "Invalid parameter: the token of the page is invalid"
        ) from None
