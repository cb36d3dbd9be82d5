"""Keeping what a party has proven of who it is. What it may see follows from that; what is filed where does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.models import Customer, Identifier, Interaction, Proof
from conversations.models.identifier import ASSURANCE_RANK, Assurance
from conversations.services import facts, records, sharing, timeline
from conversations.services.parties import IdentifierClaim
from conversations.services.timeline import NewEntry

LEVELS = {method: Assurance.KNOWLEDGE if method == Proof.Method.KNOWLEDGE else Assurance.VERIFIED for method in Proof.Method}


def prove(
    interaction: Interaction,
    customer: Customer,
    *,
    method: str,
    made_by: str,
    sentence: str,
    identifier: IdentifierClaim | None = None,
    note: str = "",
    lifetime: timedelta | None = None,
) -> Proof:
    """Notes that the party of a line is the customer on a record, and says so in the history for staff.

    `identifier` is what was proven, when it was one. Without a `lifetime` the proof counts as long as the line lasts. The
    proof itself moves nothing: file the line where it belongs before. Must run in a transaction that holds the
    customer's lock; locks the interaction's conversation, then the interaction.
    """
    record = records.root_of(customer)
    level = LEVELS[Proof.Method(method)]
    proof = Proof.objects.create(
        interaction=interaction,
        customer=record,
        original_customer=record,
        method=method,
        level=level,
        kind=identifier.kind if identifier else "",
        value=identifier.value if identifier else "",
        made_by=made_by[:200],
        note=timeline.storable(note),
        expires_at=Now() + lifetime if lifetime else None,
    )
    line = Interaction.objects.select_related("conversation").get(pk=interaction.pk)
    timeline.append(
        line.conversation_id,
        NewEntry(
            kind="identity.proven",
            actor_kind="system",
            audience="staff",
            interaction=line,
            body=sentence,
            data={"method": method, "level": level, "proof": proof.pk},
        ),
    )
    if ASSURANCE_RANK[level] > ASSURANCE_RANK[line.assurance]:
        Interaction.objects.filter(pk=line.pk).update(assurance=level)
        interaction.assurance = level
    if line.conversation.facts:
        facts.gather(line.conversation_id)
    return proof


def keep_vouched(interaction: Interaction, claims: Iterable[IdentifierClaim], *, made_by: str) -> None:
    """Keeps what the host site of a chat vouched for as proof, once for each record that has it; not what too many show.

    A visitor token names a browser, which proves nothing of who sits in front of it. A proof counts as long as the site
    vouches, and longer when it has vouched again. Must run in a transaction that holds the customer's lock.
    """
    for claim in claims:
        if claim.assurance != Assurance.VERIFIED or claim.kind == Identifier.Kind.VISITOR:
            continue
        verified = Identifier.objects.filter(kind=claim.kind, value=claim.value, assurance=Assurance.VERIFIED)
        owned = verified.select_related("customer").annotate(shared=sharing.shared_up_to("kind", "value")).first()
        if owned is None or sharing.covers(owned.shared, claim):
            continue
        signed_in = Proof.objects.filter(interaction=interaction, method=Proof.Method.SIGNED_VISITOR, withdrawn_at__isnull=True)
        until = Greatest("expires_at", claim.until) if claim.until else None
        if signed_in.filter(customer=owned.customer).update(expires_at=until):
            continue
        prove(
            interaction,
            owned.customer,
            method=Proof.Method.SIGNED_VISITOR,
            made_by=made_by,
            sentence=_("Signed in on the web site."),
            identifier=claim,
            lifetime=claim.until - timezone.now() if claim.until else None,
        )


def attest(interaction: Interaction, *, by: str, note: str) -> Proof:
    """Notes that a person vouches for the party of a line being the customer on the record it is filed under, and why.

    One transaction; locks the customer, then what `prove` locks. Raises ValueError without a note.
    """
    if not note.strip():
        raise ValueError("An agent who attests says what was checked.")
    with transaction.atomic():
        line = Interaction.objects.select_related("conversation__customer").get(pk=interaction.pk)
        customer = records.lock_root(line.conversation.customer)
        sentence = _("%(agent)s attests who this is: %(note)s") % {"agent": by, "note": note.strip()}
        return prove(line, customer, method=Proof.Method.AGENT, made_by=by, sentence=sentence, note=note.strip())


def withdraw(interaction: Interaction) -> None:
    """Ends every proof of a line, as when its party signs out. What it has seen it has seen."""
    Proof.objects.filter(interaction=interaction, withdrawn_at__isnull=True).update(withdrawn_at=Now())
