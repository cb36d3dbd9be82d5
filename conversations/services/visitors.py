"""The ids that browsers go by: given out, replaced when a browser becomes somebody's, and taken out of use.

A visitor token is nothing but an id with our signature, so whoever has a copy is that visitor. When the party of a browser
has proven who it is, everything that its id names gets another id, and that one's token is handed only to the browser which
did the proving. What was planted or copied before names nothing any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Final

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, Now, StrIndex, Substr
from django.utils import timezone

from conversations.models import ChatSessionRecord, Customer, Identifier, Interaction, JoinCode, RetiredVisitor
from conversations.models.entry_point import Channel
from conversations.selectors import own_record
from conversations.services import announce, identity, raising, records
from conversations.services.parties import IdentifierClaim
from routing.compiled import CompiledOnce, Given

TOKEN_LIFETIME: Final = timedelta(days=180)
LINE: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("line"), party=Given("visitor")).order_by().select_related("conversation", "entry_point")
)
LINE_LOCKED: Final = CompiledOnce(
    lambda: Interaction.objects.filter(pk=Given("line"), party=Given("visitor"))
    .order_by()
    .select_related("conversation", "entry_point")
    .select_for_update(no_key=True, of=("self",))
)


class NotTheirs(Exception):
    """The line goes by another visitor id now: whoever asks is not its party any more."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser as its token names it.

    `id` is what its chats and its record know it by. `series` stays when the id is replaced, so that a message which is
    sent again is known again. `person` is the mark of whom a host site had vouched for when the id was given out (see
    `mark_of`), or "".
    """

    id: str
    series: str
    person: str = ""


def new_browser(person: str = "") -> Browser:
    """A browser that was never seen."""
    return Browser(_new_id(), _new_id(), person)


def renamed(browser: Browser, person: str = "") -> Browser:
    """The same browser under another id. Nothing is written: for one that has not said anything yet."""
    return replace(browser, id=_new_id(), person=person)


def mark_of(claim: IdentifierClaim) -> str:
    """A short mark of a person by an identifier in normal form, for a token: equal for equal ones, and without their value."""
    return sha256(f"{claim.kind}:{claim.value}".encode()).hexdigest()[:16]


def is_retired(visitor: str) -> bool:
    """Whether this id is out of use."""
    return RetiredVisitor.objects.filter(visitor=visitor).exists()


def chats_of(visitor: str) -> QuerySet[Interaction]:
    """The chat sessions of a browser, the newest first."""
    return Interaction.objects.filter(channel=Channel.CHAT, party=visitor).order_by("-pk")


def line_of(visitor: str, interaction_id: int, *, locked: bool = False) -> Interaction:
    """A line, if it is this visitor's; `locked`, it stays theirs until the transaction ends. Raises NotTheirs."""
    line = (LINE_LOCKED if locked else LINE).first(line=interaction_id, visitor=visitor)
    if line is None:
        raise NotTheirs(interaction_id)
    return line


def raise_browser(
    line: Interaction, claim: IdentifierClaim, *, method: str, made_by: str, sentence: str, heir: str = ""
) -> tuple[Interaction, str]:
    """Raises the line of a browser whose party has proven `claim` (`raising.raise_line`), and gives the browser another id.

    Returns the interaction as it is now, and the id. What the browser said on other lines goes along when the record was its
    own, or is the one that was proven. Must run in a transaction; takes the identifier's advisory lock, the records, then
    what `raising` locks.
    """
    identity.lock([claim])
    lock_records(line.party, line, [claim])
    line.refresh_from_db(fields=["party", "conversation"])
    is_all_theirs = is_theirs(line, claim)
    raised = raising.raise_line(line, claim, method=method, made_by=made_by, sentence=sentence)
    proof = raised.proofs.filter(method=method, kind=claim.kind, value=claim.value, withdrawn_at__isnull=True).first()
    if proof is None:
        return raised, line.party
    return raised, replace_id(line.party, record=proof.customer, line=None if is_all_theirs else raised, heir=heir)


def is_theirs(line: Interaction, claim: IdentifierClaim) -> bool:
    """Whether the record of a line is the one of what its party has proven, or the party's own (`own_record`)."""
    record, holder = records.root_of(line.conversation.customer), identity.holder_of(claim)
    return own_record.is_own(record, line) or (holder is not None and records.root_of(holder) == record)


def lock_records(visitor: str, line: Interaction | None, claims: Iterable[IdentifierClaim]) -> None:
    """Locks every record that a proof is about: the one that knows the browser, the line's, and those of what is proven.

    Must run in a transaction that holds the advisory locks of the claims.
    """
    known = Identifier.objects.filter(kind=Identifier.Kind.VISITOR, value=visitor).select_related("customer")
    found = [each.customer for each in known]
    found += [line.conversation.customer] if line else []
    found += [holder for claim in claims if (holder := identity.holder_of(claim))]
    if found:
        records.lock_roots(*found)


def replace_id(visitor: str, *, record: Customer, line: Interaction | None = None, heir: str = "") -> str:
    """Gives a browser another id, once its party has proven to be the customer on `record`; returns it.

    With a `line` only that chat goes along; what the browser had said before was somebody else's, and nobody's id opens it
    any more. Codes for going on by phone end, and so does what a call could see and prove by one: whoever planted the
    token may have keyed it in. Open sockets are told after commit; with `heir` the one that said the message with that
    client id takes the new id over, as when a code was proven in a message. Must run in a transaction that holds the locks of
    `record` and of the record that knows the browser; locks its chats.
    """
    new = _new_id()
    if line:
        _rename(chats_of(visitor).filter(pk=line.pk), new)
        Identifier.objects.create(
            customer=record,
            original_customer=record,
            kind=Identifier.Kind.VISITOR,
            value=new,
            assurance="verified",
            shown_as="verified",
            source=line.get_channel_display(),
        )
        retire(visitor, successor=new, heir=heir)
    else:
        _rename(chats_of(visitor), new)
        Identifier.objects.filter(kind=Identifier.Kind.VISITOR, value=visitor).update(value=new)
        _note_retired(visitor)
        announce.visitor_replaced(visitor, new, heir=heir)
    return new


def retire(visitor: str, *, successor: str = "", heir: str = "") -> None:
    """Takes an id out of use with all that it names: its token opens nothing, and whoever shows it is somebody new.

    Open sockets are told after commit; `successor` is the id that the `heir` among them goes on under, if any. Must run in a
    transaction that holds the lock of the record that knows the browser; locks its chats.
    """
    nobody = _new_id()
    _rename(chats_of(visitor), nobody)
    Identifier.objects.filter(kind=Identifier.Kind.VISITOR, value=visitor).update(value=nobody)
    _note_retired(visitor)
    announce.visitor_replaced(visitor, successor, heir=heir)


def _rename(chats: QuerySet[Interaction], new: str) -> None:
    """Moves chats to another visitor id, with the session ids that begin with it and the raw records that carry them."""
    rows = list(chats.select_for_update(no_key=True).order_by("pk").values_list("pk", "provider_id"))
    ids, sessions = [pk for pk, _session in rows], [session for _pk, session in rows]
    JoinCode.objects.filter(interaction__in=ids, used_at__isnull=True).delete()
    JoinCode.objects.filter(interaction__in=ids, used_by__isnull=False).update(used_by=None)
    ChatSessionRecord.objects.filter(session_id__in=sessions).update(session_id=_under(new, "session_id"), visitor=new)
    Interaction.objects.filter(pk__in=ids).update(provider_id=_under(new, "provider_id"), party=new)


def _under(visitor: str, column: str) -> Concat:
    """A session id `<visitor>.<number>` with another visitor."""
    return Concat(Value(f"{visitor}."), Substr(F(column), StrIndex(F(column), Value(".")) + 1))


def _note_retired(visitor: str) -> None:
    RetiredVisitor.objects.filter(retired_at__lt=timezone.now() - TOKEN_LIFETIME).delete()
    RetiredVisitor.objects.bulk_create([RetiredVisitor(visitor=visitor, retired_at=Now())], ignore_conflicts=True)


def _new_id() -> str:
    return secrets.token_hex(16)
