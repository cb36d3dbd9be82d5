"""The signed visitor token: it names a browser, survives a reload, and says what a host site vouched for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.core import signing

from conversations.services.parties import IdentifierClaim, Party

SALT = "chat.visitor"
MAX_AGE_SECONDS = 180 * 24 * 3600
SESSION_NUMBER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: its id, and identifiers that a host site's signed token vouched for."""

    id: str
    claims: tuple[IdentifierClaim, ...] = ()

    @property
    def party(self) -> Party:
        """The visitor as a party: the visitor id is proven by our own signature."""
        own = IdentifierClaim("visitor", self.id, "verified")
        return Party(claims=(own, *self.claims), display=self.id)

    @property
    def token(self) -> str:
        """The token to hand to the browser."""
        vouched = [[claim.kind, claim.value] for claim in self.claims]
        return signing.dumps({"visitor": self.id, "vouched": vouched}, salt=SALT, compress=True)

    def owns_session(self, session: str) -> bool:
        """Whether a session id is one that this visitor can have been given."""
        visitor, _, number = session.rpartition(".")
        return visitor == self.id and SESSION_NUMBER.fullmatch(number) is not None

    def new_session(self) -> str:
        """A new chat session's id."""
        return f"{self.id}.{secrets.token_hex(8)}"


def new(vouched: Iterable[tuple[str, str]] = ()) -> Visitor:
    """A new visitor; `vouched` are (kind, value) pairs that a host site has proven."""
    return Visitor(secrets.token_hex(16), tuple(IdentifierClaim(kind, value, "verified") for kind, value in vouched))


def read(token: str | None) -> Visitor | None:
    """The visitor of a token, or None when it is missing, altered or older than half a year."""
    if not token:
        return None
    try:
        data = signing.loads(token, salt=SALT, max_age=MAX_AGE_SECONDS)
        vouched = tuple(IdentifierClaim(kind, value, "verified") for kind, value in data["vouched"])
        return Visitor(str(data["visitor"]), vouched)
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None
