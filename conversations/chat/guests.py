"""Who is on a chat socket: which browser, in which session, and whom a host site says that it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from conversations.chat import host_identity, visitor
from conversations.chat.host_identity import NotBelieved
from conversations.chat.visitor import Visitor
from conversations.flows import signing_in
from conversations.models import EntryPoint
from conversations.services import visitors


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is on this socket, at which entry point, in which chat session; `vouched_until` when a host site vouches for them."""

    visitor: Visitor
    entry_point: EntryPoint
    session: str
    vouched_until: datetime | None = None

    @property
    def identity_frame(self) -> dict[str, Any] | None:
        """What the widget shows of who is signed in; None when nobody ever was in this browser."""
        if not self.visitor.browser.person:
            return None
        return {"name": self.visitor.name, "until": self.vouched_until.isoformat() if self.vouched_until else None}

    def renewed(self) -> Guest:
        """The same guest in a new session."""
        return replace(self, session=self.visitor.new_session())

    def under(self, visitor_id: str) -> Guest:
        """The same guest after its browser got another id, the session included."""
        known = replace(self.visitor, browser=replace(self.visitor.browser, id=visitor_id))
        return replace(self, visitor=known, session=known.session_like(self.session))


def known_by(token: str | None, session: str | None, entry_point: EntryPoint) -> Guest:
    """The guest with this visitor token; somebody new when it is missing, not ours or out of use."""
    shown = visitor.read(token)
    browser = visitor.new() if shown is None or visitors.is_retired(shown.id) else shown
    is_own = session is not None and browser.owns_session(session)
    return Guest(browser, entry_point, session if session and is_own else browser.new_session())


def identified(guest: Guest, token: str) -> Guest:
    """The guest as a host site's token says who it is. Raises NotBelieved, and then nothing has changed."""
    vouched = host_identity.read(token, guest.entry_point)
    try:
        browser = signing_in.sign_in(guest.visitor.browser, guest.session, vouched, entry_point=guest.entry_point)
    except signing_in.ShownElsewhere:
        raise NotBelieved("identity_used", _("The token was shown in another browser, or its customer has signed out since.")) from None
    known = Visitor(browser, vouched.claims, vouched.name, vouched.language)
    session = guest.session if browser.id == guest.visitor.id else known.session_like(guest.session)
    return Guest(known, guest.entry_point, session, vouched.until)


def signed_out(guest: Guest) -> Guest:
    """Somebody new in the place of a guest who leaves."""
    signing_in.sign_out(guest.visitor.browser)
    return known_by(None, None, guest.entry_point)
