"""The signed visitor token: it names a browser and survives a reload. Who sits in front of the browser is not in it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from django.core import signing
from django.utils import timezone

from conversations.services import visitors
from conversations.services.parties import IdentifierClaim, Party
from conversations.services.visitors import Browser

SALT = "chat.visitor"
SESSION_NUMBER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser, and what a host site vouches for on this socket of who sits in front of it."""

    browser: Browser
    claims: tuple[IdentifierClaim, ...] = ()
    name: str = ""
    language: str = ""

    @property
    def id(self) -> str:
        """What the browser's chats and its record know it by."""
        return self.browser.id

    @property
    def party(self) -> Party:
        """The visitor as a party: the visitor id is proven by our own signature, the rest while somebody vouches for it."""
        own, now = IdentifierClaim("visitor", self.id, "verified"), timezone.now()
        if any(each.until and each.until <= now for each in self.claims):
            return Party((own,), self.id)
        return Party((own, *self.claims), self.id, self.name, self.language)

    @property
    def token(self) -> str:
        """The token to hand to the browser."""
        named = {"visitor": self.browser.id, "series": self.browser.series, "person": self.browser.person}
        return signing.dumps(named, salt=SALT, compress=True)

    def owns_session(self, session: str) -> bool:
        """Whether a session id is one that this visitor can have been given."""
        visitor, _, number = session.rpartition(".")
        return visitor == self.id and SESSION_NUMBER.fullmatch(number) is not None

    def new_session(self) -> str:
        """A new chat session's id."""
        return f"{self.id}.{secrets.token_hex(8)}"

    def session_like(self, session: str) -> str:
        """The id that a session has after its visitor's id was replaced by this one's."""
        return f"{self.id}.{session.rpartition('.')[2]}"


def new() -> Visitor:
    """A new visitor."""
    return Visitor(visitors.new_browser())


def read(token: str | None) -> Visitor | None:
    """The visitor of a token, or None when it is missing, altered or older than half a year."""
    if not token:
        return None
    try:
        data = signing.loads(token, salt=SALT, max_age=visitors.TOKEN_LIFETIME)
        name = str(data["visitor"])
        # Tokens that were given out before ids could be replaced have no series: their id was it.
        return Visitor(Browser(name, str(data.get("series", name)), str(data.get("person", ""))))
    except (signing.BadSignature, AttributeError, KeyError, TypeError, ValueError):
        return None
