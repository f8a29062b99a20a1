"""Signature Version 4 of a request as it was received, recomputed by botocore's own signer."""

import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from .clock import basic_format, parse_basic

WINDOW_S = 15 * 60
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS"
    " Secret Access Key and signing method. Consult the service documentation for details."
)
HEADER = re.compile(r"^AWS4-HMAC-SHA256\s+(.*)$", re.DOTALL)


class Refusal(Exception):
    """`kind` is one of missing, incomplete, unknown-key, expired-token, expired, mismatch."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


class _Signer(SigV4Auth):
    """botocore's signer, over exactly the headers that the client says it signed."""

    def headers_to_sign(self, request):
        chosen = HTTPHeaders()
        for name in request.context["signed"]:
            for value in request.headers.get_all(name) or []:
                chosen.add_header(name, value)
        return chosen


def verify(request, body, service, region, keys, clock):
    """The key that signed the request; Refusal. `keys` maps an id to an object with secret, token
    and expires.
    """
    fields = _fields(request.headers)
    key_id, date, scope_region, scope_service = _scope(fields["Credential"])
    signed = fields["SignedHeaders"].split(";")
    stamp = _stamp(request.headers)
    _check_signed(request.headers, signed)
    key = keys.get(key_id)
    _check_key(key, request.headers, clock)
    if scope_region != region:
        raise Refusal(
            "mismatch", f"Credential should be scoped to a valid region, not '{scope_region}'. "
        )
    if scope_service != service:
        raise Refusal("mismatch", f"Credential should be scoped to correct service: '{service}'. ")
    if not stamp.startswith(date):
        raise Refusal(
            "mismatch",
            (
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
                f" from HTTP: '{date}' != '{stamp[:8]}', from '{stamp}'."
            ),
        )
    _check_date(stamp, clock.now())
    expected = signature(request, body, key, service, region, signed, stamp)
    if not hmac.compare_digest(expected, fields["Signature"]):
        raise Refusal("mismatch", MISMATCH)
    return key


def signature(request, body, key, service, region, signed, stamp):
    query = _canonical_query(request.query)
    url = f"https://{request.host}{request.path}" + (f"?{query}" if query else "")
    again = AWSRequest(method=request.method, url=url, data=body)
    for name, value in request.headers.items():
        again.headers.add_header(name, value)
    again.context["timestamp"] = stamp
    again.context["signed"] = signed
    del again.headers[
        "X-Amz-Content-SHA256"
    ]  # botocore would believe it: the hash is that of the body that came
    if "x-amz-content-sha256" in signed:
        again.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    signer = _Signer(Credentials(key.id, key.secret, key.token), service, region)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return signer.signature(text, again)


def _canonical_query(query):
    """Each name and value decoded and encoded again, whatever the client left unencoded."""
    pairs = []
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        pairs.append(f"{quote(unquote(name), safe='-_.~')}={quote(unquote(value), safe='-_.~')}")
    return "&".join(pairs)


def _fields(headers):
    text = headers.get("Authorization")
    if not text:
        raise Refusal("missing", "Missing Authentication Token")
    match = HEADER.match(text)
    if not match:
        raise Refusal("incomplete", "Authorization header requires the algorithm AWS4-HMAC-SHA256.")
    fields = {}
    for part in match.group(1).split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise Refusal("incomplete", f"Authorization header requires '{name}' parameter.")
    return fields


def _scope(credential):
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise Refusal(
            "incomplete",
            (
                "Credential must have exactly 5 slash-delimited elements, e.g."
                " keyid/date/region/service/term."
            ),
        )
    return parts[:4]


def _stamp(headers):
    stamp = headers.get("X-Amz-Date")
    if not stamp:
        raise Refusal(
            "incomplete",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    try:
        parse_basic(stamp)
    except ValueError:
        raise Refusal("incomplete", "Date must be in ISO-8601 'basic format'.") from None
    return stamp


def _check_signed(headers, signed):
    if signed != sorted(signed) or any(name != name.lower() for name in signed):
        raise Refusal("mismatch", MISMATCH)
    needed = {"host"} | {name.lower() for name in headers if name.lower().startswith("x-amz-")}
    left_out = sorted(needed - set(signed))
    if left_out:
        raise Refusal(
            "mismatch", f"'{left_out[0]}' must be a 'SignedHeader' in the AWS Authorization."
        )


def _check_key(key, headers, clock):
    token = headers.get("X-Amz-Security-Token")
    if key is None or (token or None) != key.token:
        raise Refusal("unknown-key", "The security token included in the request is invalid.")
    if key.expires is not None and clock.now() >= key.expires:
        raise Refusal("expired-token", "The security token included in the request is expired")


def _check_date(stamp, now):
    then = parse_basic(stamp)
    minutes = WINDOW_S // 60
    if then < now - WINDOW_S:
        raise Refusal(
            "expired",
            (
                f"Signature expired: {stamp} is now earlier than {basic_format(now - WINDOW_S)} "
                f"({basic_format(now)} - {minutes} min.)"
            ),
        )
    if then > now + WINDOW_S:
        raise Refusal(
            "expired",
            (
                f"Signature not yet current: {stamp} is still later than"
                f" {basic_format(now + WINDOW_S)} ({basic_format(now)} + {minutes} min.)"
            ),
        )
