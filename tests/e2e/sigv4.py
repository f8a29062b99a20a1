"""A second, independent signer of AWS requests (Signature Version 4), for what the tests ask of the cloud themselves.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import datetime
import hashlib
import hmac
import urllib.parse


def _hash(data):
    return hashlib.sha256(data).hexdigest()


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(method, url, body, *, service, region, key, secret, token=None, headers=None, now=None):
    """The headers of a signed request: those given, and what the signature adds."""
    parts = urllib.parse.urlsplit(url)
    now = now or datetime.datetime.now(datetime.UTC)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signed = {"host": parts.netloc, "x-amz-date": stamp,
              **{name.lower(): value for name, value in (headers or {}).items()}}
    if token:
        signed["x-amz-security-token"] = token
    names = ";".join(sorted(signed))
    query = "&".join(sorted(f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
                            for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True)))
    request = "\n".join([method, urllib.parse.quote(parts.path or "/", safe="/-_.~"), query,
                         *(f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)), "", names,
                         _hash(body)])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, _hash(request.encode())])
    signing_key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        signing_key = _hmac(signing_key, part)
    signature = _hmac(signing_key, text).hex()
    return {**signed, "authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
                                       f"Signature={signature}"}
