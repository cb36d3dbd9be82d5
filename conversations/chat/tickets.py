"""How a browser becomes the visitor of a link that was opened in it: a ticket in the address's fragment, good for two minutes.

A fragment is sent to no server, and the widget takes it out of the address at once. The visitor token itself, which is good
for half a year, never stands in an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.core import signing
from django.utils.translation import gettext as _

from conversations.chat import visitor
from conversations.chat.visitor import Visitor
from conversations.selectors import access

SALT: Final = "chat.ticket"
MAX_AGE_SECONDS: Final = 120


class NotTaken(Exception):
    """The ticket makes nobody of this browser: a code for the widget, and a sentence for the customer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Taken:
    """A visitor token and the session that goes with it."""

    token: str
    session: str


def issue(guest: Visitor, session: str) -> str:
    """A ticket for this visitor and session."""
    return signing.dumps({"token": guest.token, "session": session}, salt=SALT, compress=True)


def take(ticket: str, own_token: str | None) -> Taken:
    """Who the browser with the token `own_token` is from now on. Raises NotTaken when it holds another open chat already."""
    try:
        data = signing.loads(ticket, salt=SALT, max_age=MAX_AGE_SECONDS)
        taken = Taken(str(data["token"]), str(data["session"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise NotTaken("ticket_too_old", _("That took too long. Ask for a new link on the phone, or write to us here.")) from None
    own = visitor.read(own_token)
    if own and not taken.session.startswith(f"{own.id}.") and access.has_open_chat(own.id):
        raise NotTaken("other_chat", _("Another chat with us is open in this browser, so the link opened nothing. Try a private window."))
    return taken
