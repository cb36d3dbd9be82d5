"""Proves that a webhook was sent by the voice platform and was not altered or kept back on the way.

Source of the format: Vonage, "Signing webhooks": `Authorization: Bearer <JWT>`, HS256 with the account's signature
secret; claims `iat`, `jti`, `iss`, `payload_hash` (SHA-256 of the raw body, hex), `api_key`, `application_id`. The
SDK's own check looks at the signature alone, so it is not used.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings

ISSUER = "Vonage"
MAX_AGE_SECONDS = 300
MAX_TOKEN_CHARACTERS = 4_096
MAX_TOKEN_ID_CHARACTERS = 100


class InvalidSignature(Exception):
    """The webhook cannot be trusted. The text says why, for the log; the sender is never told."""


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """A body that the platform signed: the token's id, and the SHA-256 of the body in hex."""

    token_id: str
    body_hash: str


def verify(authorization: str, body: bytes) -> VerifiedWebhook:
    """Check the `Authorization` header against the raw `body`, before anything reads the body.

    The token must be HS256, issued by the platform for this account (and, when it names one, this application) at
    most five minutes ago and at most so far in the future as clocks may be apart (`VONAGE_CLOCK_AHEAD_SECONDS`; the
    platform names no limit), not past its own expiry, and carry the hash of exactly this body. Whether its id was seen
    before is for the caller, who has the stored answers.

    Raises InvalidSignature.
    """
    claims = _claims(_token(authorization))
    _check_addressee(claims)
    _check_time(claims)
    body_hash = hashlib.sha256(body).hexdigest()
    if not _same(claims.get("payload_hash"), body_hash):
        raise InvalidSignature("the body is not the one that was signed")
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= MAX_TOKEN_ID_CHARACTERS or not token_id.isprintable():
        raise InvalidSignature("the token has no usable id")
    return VerifiedWebhook(token_id, body_hash)


def _token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise InvalidSignature("there is no bearer token")
    return token.strip()


def _claims(token: str) -> dict[str, Any]:
    if not settings.VONAGE_SIGNATURE_SECRET:
        raise InvalidSignature("no signature secret is configured")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            settings.VONAGE_SIGNATURE_SECRET,
            algorithms=["HS256"],
            options={"require": ["iat", "jti", "iss"], "verify_aud": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, ValueError, OverflowError) as error:
        raise InvalidSignature(str(error)) from error
    return claims


def _check_addressee(claims: dict[str, Any]) -> None:
    if not _same(claims.get("iss"), ISSUER):
        raise InvalidSignature("the token was issued by somebody else")
    if not _same(claims.get("api_key"), settings.VONAGE_API_KEY):
        raise InvalidSignature("the token is for another account")
    # The documentation calls this claim optional; a token of the account that leaves it out is still the platform's.
    if "application_id" in claims and not _same(claims["application_id"], settings.VONAGE_APPLICATION_ID):
        raise InvalidSignature("the token is for another application")


def _check_time(claims: dict[str, Any]) -> None:
    issued_at = claims["iat"]
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise InvalidSignature("the token does not say when it was issued")
    now = time.time()
    # Compared, not subtracted: an integer may be too large to become a float.
    if not now - MAX_AGE_SECONDS <= issued_at:
        raise InvalidSignature("the token is stale")
    if not issued_at <= now + settings.VONAGE_CLOCK_AHEAD_SECONDS:
        raise InvalidSignature("the token is from the future: the platform's clock is too far ahead of this machine's")


def _same(given: object, expected: str) -> bool:
    """Compares in constant time. JSON can carry lone surrogates, which UTF-8 has no bytes for."""
    return isinstance(given, str) and bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
