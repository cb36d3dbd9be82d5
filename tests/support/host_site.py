"""A host site as a test needs it: keys of its own, and tokens that it signs for its customers."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.utils import timezone

from conversations.models import EntryPoint, HostSiteKey
from conversations.services import host_sites

SYSTEM = "shop"


@cache
def private_key(algorithm: str, number: int = 0) -> Any:
    """A private key of the kind that the algorithm needs; the same one for the same number, for the whole run."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def public_pem(key: Any) -> str:
    """The public half in PEM form."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(encoding, form).decode())


def key_for(door: EntryPoint, algorithm: str = "HS256", **more: Any) -> HostSiteKey:
    """A key of the site that the entry point believes."""
    public_key = "" if algorithm == "HS256" else public_pem(private_key(algorithm))
    return host_sites.make_key(door, system=SYSTEM, algorithm=algorithm, public_key=public_key, made_by="tests", **more)


def signing_key(key: HostSiteKey) -> Any:
    """What the site signs with."""
    return host_sites.verification_key(key) if key.algorithm == "HS256" else private_key(key.algorithm)


def claims_of(person: str, door: EntryPoint, *, at: datetime | None = None, minutes: float = 30, **more: Any) -> dict[str, Any]:
    """The claims of a token for a person (the site's own id), issued at `at`."""
    issued = at or timezone.now()
    times = {"iat": int(issued.timestamp()), "exp": int((issued + timedelta(minutes=minutes)).timestamp())}
    return {"sub": person, "aud": door.address, **times, **more}


def token_of(key: HostSiteKey, person: str = "10042", **claims: Any) -> str:
    """A token that is in order, for a person; `claims` are added, or stand in the place of those that it would have."""
    body = claims_of(person, key.entry_point, at=claims.pop("at", None), minutes=claims.pop("minutes", 30)) | claims
    body = {name: value for name, value in body.items() if value is not ...}
    return jwt.encode(body, signing_key(key), algorithm=key.algorithm, headers={"kid": key.kid})


def by_hand(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand, as one that no library would make."""
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
