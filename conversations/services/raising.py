"""What follows when a party proves an identifier: which record its line belongs to, and what is joined for it.

Raising needs proof of both sides. The identifier is one side. The other is the record that the line is filed under:
a chat has its side proven by the visitor token while nothing but that browser is known of the record, a call while nothing
but that call is. Then the records are joined. Otherwise the line alone goes to the record of what was proven, and the other
record keeps all that it has. Two records that are each known to be somebody's are joined by people, never by a line. A value
that is nobody's yet is added to the record of who has proven, just now and on this line, to be its customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from conversations.models import Customer, Interaction
from conversations.models.entry_point import Channel
from conversations.selectors import own_record
from conversations.services import identity, joining, merging, proving, records, sharing, threads, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry

FROM_ONE_LINE_SCORE = 0.5


def raise_line(interaction: Interaction, claim: IdentifierClaim, *, method: str, made_by: str, sentence: str) -> Interaction:
    """Settles the records and the line of a party that has proven `claim` (in normal form), and keeps the proof.

    Returns the interaction as it is now. A value that is shared by many proves nothing of a record: it is noted, and
    nothing else happens. Must run in a transaction; takes the identifier's advisory lock, both records, then what
    `weaving` locks.
    """
    identity.lock([claim])
    line = _fresh(interaction)
    if sharing.is_shared(claim):
        _note_shared(line, claim, method)
        return line
    holder = identity.holder_of(claim)
    record = records.lock_roots(line.conversation.customer, *([holder] if holder else []))[0]
    evidence = {"method": method, "interaction": str(line.public_id), "proven": claim.kind, "sentence": sentence}
    goal = _settled(line, record, records.root_of(holder) if holder else None, claim, evidence, made_by)
    if goal is None:
        _note_shared(line, claim, method)
        return line
    line = _fresh(line)
    if line.conversation.customer != goal:
        # A person has the line, and it stays with them.
        sentence = _("%(sentence)s This is the customer on another record: %(name)s.") % {"sentence": sentence, "name": goal}
    proving.prove(line, goal, method=method, made_by=made_by, sentence=sentence, identifier=claim)
    return _fresh(line)


def _settled(
    line: Interaction, record: Customer, holder: Customer | None, claim: IdentifierClaim, evidence: Mapping[str, Any], made_by: str
) -> Customer | None:
    """The record of the party from now on, with the line filed there; None when one more has made the value a shared one."""
    is_own = own_record.is_nobody_elses if holder else own_record.is_own
    if holder == record or is_own(record, line):
        # Kept on the record that showed it before it is joined, so that it is counted on how many it was seen.
        identity.remember(record, claim, source=line.get_channel_display())
        if sharing.is_shared(claim):
            return None
        if holder is None or holder == record:
            return record
        merging.join_customers(record, holder, evidence=evidence, made_by=made_by)
        # The holder may have known it only from the network.
        identity.remember(holder, claim, source=line.get_channel_display())
        return holder
    goal = holder or Customer.objects.create()
    if line.channel == Channel.VOICE or own_record.is_own(record, line):
        # For a browser that several people share one after the other it would be shown for every pair of them.
        identity.note_candidate(goal, record, score=FROM_ONE_LINE_SCORE, evidence=evidence)
    identity.remember(goal, claim, source=line.get_channel_display())
    joining.go_on_in(line, threads.open_or_resume(goal), evidence=evidence, made_by=made_by)
    return goal


def _note_shared(line: Interaction, claim: IdentifierClaim, method: str) -> None:
    timeline.append(
        line.conversation_id,
        NewEntry(
            kind="identity.proven",
            actor_kind="system",
            audience="staff",
            interaction=line,
            body=_("The code was right, but so many people share the address or number that it does not say who this is."),
            data={"method": method, "shared": claim.kind},
        ),
    )


def _fresh(interaction: Interaction) -> Interaction:
    return Interaction.objects.select_related("conversation__customer", "entry_point").get(pk=interaction.pk)
