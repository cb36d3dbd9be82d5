"""A host site says who sits in front of a browser; and somebody leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from conversations.flows import wrapping_up
from conversations.models import EntryPoint, Interaction, Proof
from conversations.services import host_sites, identity, proving, records, sharing, threads, visitors
from conversations.services.parties import IdentifierClaim
from conversations.services.visitors import Browser


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a host site's token says: identifiers in normal form, the site's own id first; what it calls the person, their
    language; until when it counts; its digest."""

    claims: tuple[IdentifierClaim, ...]
    name: str
    language: str
    until: datetime
    digest: str

    @property
    def person(self) -> IdentifierClaim:
        """The site's own id of the person."""
        return self.claims[0]


class ShownElsewhere(Exception):
    """The token was shown in another browser before, or its browser has signed out since."""


def sign_in(browser: Browser, session: str, vouched: Vouched, *, entry_point: EntryPoint) -> Browser:
    """Has a browser be the person whom a host site vouches for; returns it under the id that it goes by from now on.

    The id stays when it was given out for the same person: then the proof of its chat counts for longer. Otherwise it is
    another one that nobody else knows, and what was said before goes along when it is the same party's (`raising`). Who
    signs in where somebody else was signed in begins afresh, and that one is signed out. Of a browser that has not said
    anything yet nothing is written, but that the token counts for it.

    One transaction; takes the advisory locks of what is vouched for, the records, then what `raising` locks. Raises
    ShownElsewhere.
    """
    mark = visitors.mark_of(vouched.person)
    left: list[Interaction] = []
    with transaction.atomic():
        if not host_sites.take_token(vouched.digest, browser.series, expires_at=vouched.until):
            raise ShownElsewhere
        identity.lock(vouched.claims)
        chats = visitors.chats_of(browser.id).filter(entry_point=entry_point)
        line = chats.filter(provider_id=session).first() or chats.first()
        visitors.lock_records(browser.id, line, vouched.claims)
        # Whoever signed in on another socket meanwhile has taken the line along.
        line = chats.filter(pk=line.pk).first() if line else None
        if browser.person not in ("", mark):
            left = _leave(browser)
            browser = visitors.new_browser(mark)
            host_sites.hand_token_on(vouched.digest, browser.series)
        elif line is None:
            browser = browser if browser.person else visitors.renamed(browser, mark)
        elif browser.person == mark:
            _keep(line, vouched)
        else:
            browser = _rise(browser, line, vouched, mark)
    _begin_wrap_ups(left)
    return browser


def sign_out(browser: Browser) -> None:
    """Ends what a browser has proven, its chats, and the use of its id and of every token that it showed.

    Whoever shows a copy of one of them is somebody new. One transaction; locks the record that knows the browser, then
    conversations and lines.
    """
    with transaction.atomic():
        visitors.lock_records(browser.id, None, ())
        left = _leave(browser)
    _begin_wrap_ups(left)


def _rise(browser: Browser, line: Interaction, vouched: Vouched, mark: str) -> Browser:
    """Settles records and line, keeps the proofs, and gives the browser an id that nobody else knows.

    What was said before stays behind when it is not the same party's, and when what was vouched for proves nothing of a
    record, since too many show it.
    """
    if line.state == Interaction.State.ENDED and not visitors.is_theirs(line, vouched.person):
        return _behind(browser, mark)
    raised, new = visitors.raise_browser(
        line,
        vouched.person,
        method=Proof.Method.SIGNED_VISITOR,
        made_by=line.entry_point.name,
        sentence=_("Signed in on the web site."),
    )
    if new == browser.id:
        return _behind(browser, mark)
    _keep(raised, vouched)
    return replace(browser, id=new, person=mark)


def _behind(browser: Browser, mark: str) -> Browser:
    """The browser under an id that nobody else knows, with all that it said left behind."""
    visitors.retire(browser.id)
    return visitors.renamed(browser, mark)


def _keep(line: Interaction, vouched: Vouched) -> None:
    """Notes what was vouched for on the person's record, and keeps it as the line's proof while the line lasts.

    Nothing is noted on the record that holds an id which too many show: it need not be this person's.
    """
    holder = identity.holder_of(vouched.person)
    if holder is None or line.state == Interaction.State.ENDED:
        return
    if not sharing.is_shared(vouched.person):
        record = records.root_of(holder)
        for claim in vouched.claims[1:]:
            identity.remember(record, claim, source=line.get_channel_display())
        identity.introduce(record, vouched.name, vouched.language)
    proving.keep_vouched(line, vouched.claims, made_by=line.entry_point.name)


def _leave(browser: Browser) -> list[Interaction]:
    """Ends everything of a browser; returns the lines that ended. Needs the lock of the record that knows it."""
    chats = visitors.chats_of(browser.id).select_related("conversation")
    for line in chats.filter(proofs__withdrawn_at__isnull=True, proofs__isnull=False).distinct():
        proving.withdraw(line)
    open_ones = list(chats.exclude(state=Interaction.State.ENDED).order_by("conversation_id", "pk"))
    ended = [line for line in open_ones if threads.end_interaction(line, reason="signed_out")]
    visitors.retire(browser.id)
    host_sites.forget_tokens(browser.series)
    return ended


def _begin_wrap_ups(ended: list[Interaction]) -> None:
    for line in ended:
        wrapping_up.begin_when_over(line)
