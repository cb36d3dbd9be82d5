"""Whoever answers a text message with STOP, or writes that they want no calls, gets none: for their number, whoever has it.

Source: 47 CFR 64.1200(a)(10), revocation by any reasonable means; CTIA, "Messaging Principles and Best Practices" (STOP).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.models import Consent, Conversation, Customer
from conversations.models.consent import Purpose
from conversations.models.identifier import Assurance
from conversations.selectors.consent import suppression_of
from conversations.services import consent, records, suppression
from conversations.services.consent import Said

STOPPED: Final = gettext_noop("They wrote STOP.")
EVERYTHING = (Purpose.OUTBOUND_CALL, Purpose.SMS, Purpose.MARKETING)


def by_text(number: str, purposes: Iterable[str], *, stops_all: bool, recorded_by: str, source_id: str) -> int:
    """Keeps what the holder of a number wrote: a no to each purpose, on every record that has the number; returns how many noes.

    With `stops_all` it is a no to calls, texts and offers, and the number is put on the do-not-contact list, since it may be on no
    record at all. `source_id` makes a repetition write nothing. One transaction for each record; locks it, then its conversation.
    """
    wanted = tuple(EVERYTHING if stops_all else dict.fromkeys(purposes))
    if stops_all:
        suppression.suppress("phone", number, reason=_(STOPPED), added_by=recorded_by, ends_by_start=True)
    roots = Customer.objects.filter(identifiers__kind="phone", identifiers__value=number, root__isnull=True).distinct()
    return sum(_keep(root, number, wanted, recorded_by, source_id) for root in roots.order_by("pk"))


def begin_again_by_text(number: str, *, recorded_by: str, wording: str, source_id: str) -> int:
    """Whoever wrote STOP writes START: text messages, and nothing else, are wanted again; returns on how many records.

    The number comes off the do-not-contact list when STOP had put it there, and nobody else; also after an erasure, of which nothing
    but the keyed hash is left. One transaction for each record; locks
    it, then its conversation.
    """
    row = suppression_of("phone", number)
    if row is not None and row.ends_by_start:
        suppression.lift(row, reason=_("They wrote START."), lifted_by=recorded_by)
    roots = Customer.objects.filter(identifiers__kind="phone", identifiers__value=number, root__isnull=True).distinct()
    for root in roots.order_by("pk"):
        with transaction.atomic():
            records.lock_root(root)
            said = _texted(root, recorded_by, f"{source_id}:{root.pk}:start")
            consent.record(
                root, purpose=Purpose.SMS, decision=Consent.Decision.GIVEN, said=said, identifier=("phone", number), wording=wording
            )
    return roots.count()


def _keep(customer: Customer, number: str, purposes: tuple[str, ...], recorded_by: str, source_id: str) -> int:
    with transaction.atomic():
        root = records.lock_root(customer)
        for purpose in purposes:
            said = _texted(root, recorded_by, f"{source_id}:{root.pk}:{purpose}")
            consent.revoke(root, purpose, said=said, identifier=("phone", number))
    return len(purposes)


def _texted(root: Customer, recorded_by: str, source_id: str) -> Said:
    """How somebody said it who wrote from their number, in the conversation they had last."""
    latest = Conversation.objects.filter(customer=root, joined_into__isnull=True).order_by("-last_entry_at").first()
    return Said(
        given_by=Consent.GivenBy.CUSTOMER,
        how=Consent.How.TYPED,
        recorded_by=recorded_by,
        assurance=Assurance.NETWORK_HINT,
        conversation_id=latest.pk if latest else None,
        source_id=source_id,
    )
