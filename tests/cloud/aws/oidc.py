"""An OIDC issuer like GitHub's: tokens that are really signed, and their check."""

import base64
import json
import secrets
from functools import lru_cache
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .endpoint import Service
from .errors import AwsError
from .server import Response

HOST = "token.actions.githubusercontent.com"
ISSUER = f"https://{HOST}"
TOKEN_PATH = "/local-cloud/_apis/pipelines/oidc/token"
KEY_ID = "local-cloud-1"
PATHS = {
    TOKEN_PATH: "GetToken",
    "/.well-known/openid-configuration": "GetConfiguration",
    "/.well-known/jwks": "GetKeys",
}


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@lru_cache(maxsize=None)
def _signing_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _subject(claims):
    """The subject as GitHub makes it of the other claims. A repository that is given by
    `repository_owner_id` and `repository_id`, too, is one of after 15 July 2026: the subject has
    the ids.
    """
    owner, _, name = claims["repository"].partition("/")
    if "repository_id" in claims:
        owner = f"{owner}@{claims['repository_owner_id']}"
        name = f"{name}@{claims['repository_id']}"
    if "environment" in claims:
        what = f"environment:{claims['environment']}"
    elif claims.get("event_name") == "pull_request":
        what = "pull_request"
    else:
        what = f"ref:{claims['ref']}"
    return f"repo:{owner}/{name}:{what}"


class Oidc(Service):
    name = "oidc"

    def __init__(self, cloud):
        self._cloud = cloud
        self._key = _signing_key()

    def prepare(self, call):
        call.operation = PATHS.get(call.request.path, call.request.method)
        call.resource = dict(parse_qsl(call.request.query)).get("audience")

    def answer(self, call):
        path = call.request.path
        if call.request.method != "GET" or path not in PATHS:
            raise AwsError("NotFound", "no such page", 404)
        if path == TOKEN_PATH:
            return _json(self._token(call))
        if path.endswith("/jwks"):
            numbers = self._key.public_key().public_numbers()
            modulus = _encode(numbers.n.to_bytes(256, "big"))
            return _json(
                {
                    "keys": [
                        {
                            "kty": "RSA",
                            "alg": "RS256",
                            "use": "sig",
                            "kid": KEY_ID,
                            "n": modulus,
                            "e": "AQAB",
                        }
                    ]
                }
            )
        return _json(
            {
                "issuer": ISSUER,
                "jwks_uri": f"{ISSUER}/.well-known/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def refuse(self, error):
        return _json({"message": error.message, "typeKey": error.code}, error.status, error.headers)

    def _token(self, call):
        cloud = self._cloud
        scheme, _, token = (call.request.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            token.strip(), cloud.oidc_request_token
        ):
            raise AwsError("Unauthorized", "the request's token is not good", 401)
        with cloud.lock:
            if cloud.oidc_fail_times > 0:
                cloud.oidc_fail_times -= 1
                raise AwsError("InternalServerError", "ordered by a test", 500)
            audience = (
                dict(parse_qsl(call.request.query)).get("audience") or "https://github.com/org"
            )
            token = self.sign(self._claims(audience))
            cloud.issue(token)
            return {"count": 1, "value": token}

    def _claims(self, audience):
        now = int(self._cloud.clock.now())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "repository": "org/repo",
            "ref": "refs/heads/main",
            "jti": secrets.token_hex(8),
            "iat": now,
            "nbf": now - 300,
            "exp": now + int(self._cloud.oidc_expires_in),
        }
        claims.update(self._cloud.oidc_claims)
        claims.setdefault("sub", _subject(claims))
        return claims

    def sign(self, claims):
        head = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
        text = _encode(json.dumps(head).encode()) + "." + _encode(json.dumps(claims).encode())
        return (
            text + "." + _encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
        )

    def check(self, token):
        """The claims of a token of this issuer; AwsError in STS's words. The audience is the
        caller's business.
        """
        try:
            text, _, signature = token.rpartition(".")
            head, claims = (json.loads(_decode(part)) for part in text.split("."))
            raw = _decode(signature)
        except (ValueError, TypeError):
            raise AwsError(
                "InvalidIdentityToken",
                (
                    "The ID Token provided is not a valid JWT. (You may see this error if you sent"
                    " an Access Token)"
                ),
            ) from None
        if claims.get("iss") != ISSUER:
            raise AwsError(
                "InvalidIdentityToken",
                f"No OpenIDConnect provider found in your account for {claims.get('iss')}",
            )
        if head.get("alg") != "RS256" or head.get("kid") != KEY_ID:
            raise AwsError(
                "InvalidIdentityToken",
                (
                    "Couldn't retrieve verification key from your identity provider,  please"
                    " reference AssumeRoleWithWebIdentity documentation for requirements"
                ),
            )
        try:
            self._key.public_key().verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise AwsError("InvalidIdentityToken", "Token signature invalid") from None
        now = self._cloud.clock.now()
        if now >= claims["exp"]:
            raise AwsError(
                "ExpiredTokenException",
                (
                    f"Token expired: current date/time {int(now)} must be before the expiration"
                    f" date/time {claims['exp']}"
                ),
            )
        return claims


def _json(value, status=200, headers=None):
    headers = [("Content-Type", "application/json; charset=utf-8")] + list((headers or {}).items())
    return Response(status, headers, json.dumps(value).encode())
