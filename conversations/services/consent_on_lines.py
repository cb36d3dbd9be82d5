"""What the party of a line says about consent: anybody may say no for their own line, a yes needs to be shown.

A party that has proven to be the customer speaks for the whole record. Any other no is kept for what the line itself shows
or was given on it, and staff see it in the history; it tells the party nothing of the record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Consent, Entry, Identifier, Interaction
from conversations.models.consent import Purpose
from conversations.models.identifier import E164, Assurance
from conversations.selectors import access
from conversations.selectors.consent import Act, Ledger, ledger_of
from conversations.services import consent, suppression
from conversations.services.consent import Address, NotShown, Said

NUMBERS = frozenset({Purpose.OUTBOUND_CALL.value, Purpose.SMS.value})
MOST_GIVEN = 5

CONFIRMED: Mapping[tuple[str, bool], str | Promise] = {
    (Purpose.CONTACT, True): gettext_lazy("Thank you, I have noted that we may get in touch with you again."),
    (Purpose.CONTACT, False): gettext_lazy("All right, I have noted that you want no more contact from us."),
    (Purpose.OUTBOUND_CALL, True): gettext_lazy("Thank you, I have noted that we may call you about your visits and questions."),
    (Purpose.OUTBOUND_CALL, False): gettext_lazy("All right, I have noted that you want no calls from us."),
    (Purpose.SMS, True): gettext_lazy("Thank you, I have noted that we may send you text messages about your visits and questions."),
    (Purpose.SMS, False): gettext_lazy("All right, I have noted that you want no text messages from us."),
    (Purpose.MARKETING, True): gettext_lazy("Thank you, I have noted that we may send you offers and news."),
    (Purpose.MARKETING, False): gettext_lazy("All right, I have noted that you want no offers or news from us."),
    (Purpose.RECORDING, True): gettext_lazy("Thank you, I have noted that your calls may be recorded."),
    (Purpose.RECORDING, False): gettext_lazy("All right, I have noted that your calls are not to be recorded."),
}
"""What the customer is told, by purpose and whether it was a yes: the same whatever stood on the record before."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of a party's words: the rows, whether they speak for the whole record, the sentence the customer is told."""

    rows: tuple[Consent, ...]
    whole_record: bool
    told: str


def keep(
    line: Interaction,
    *,
    purpose: str,
    agrees: bool,
    way: str = "",
    recorded_by: str,
    source_id: str | None = None,
    how: str = "",
    wording: str = "",
) -> Kept:
    """Keeps what the party of a line said about one purpose. Raises NotShown for a yes from a party that has shown nothing.

    `how` and `wording` are given where they were asked: by what they answered, and what they were asked.

    A caller who wants no contact at all has the number put on the do-not-contact list. One transaction; locks the customer,
    then the conversation.
    """
    told = str(CONFIRMED[purpose, agrees])
    with transaction.atomic():
        now = Interaction.objects.select_related("conversation__customer").get(pk=line.pk)
        if agrees and purpose not in purposes_to_agree_to(now):
            raise NotShown(_("A colleague has to note that, since it is not known here who you are."))
        whole = access.is_the_customer(now)
        agreed = None if agrees else ledger_of(now.conversation.customer)
        rows = []
        for number, identifier in enumerate(_scopes(now, purpose, whole=whole)):
            said = Said(
                given_by=Consent.GivenBy.CUSTOMER,
                how=how or consent.how_on(now),
                recorded_by=recorded_by,
                assurance=consent.assurance_for(now, identifier),
                interaction=now,
                source_id=f"{source_id}:{number}" if source_id else None,
                note="" if whole else _("Not proven who said it."),
            )
            rows.append(
                consent.record(
                    now.conversation.customer,
                    purpose=purpose,
                    decision=_kind_of_no(agreed, Act(purpose, way, *(identifier or ("", "")))) if agreed else Consent.Decision.GIVEN,
                    said=said,
                    way=way,
                    identifier=identifier,
                    wording=wording or (told if agrees else ""),
                )
            )
        own = consent.own_number(now)
        if purpose == Purpose.CONTACT and not agrees and own:
            reason = _("The caller asked for it.")
            suppression.suppress(*own, reason=reason, added_by=recorded_by, interaction=now)
    return Kept(tuple(rows), whole, told)


def purposes_to_agree_to(line: Interaction) -> frozenset[str]:
    """What the party of a line may say yes to: everything for the customer by proof, calls and texts for the number of a call.

    Whoever is on a call may have that call recorded.
    """
    if access.is_the_customer(line):
        return frozenset(Purpose.values)
    allowed = {Purpose.RECORDING.value} if line.channel == "voice" else set()
    if (own := consent.own_number(line)) and consent.assurance_for(line, own) != Assurance.CLAIMED:
        allowed |= NUMBERS
    return frozenset(allowed)


def _kind_of_no(before: Ledger, act: Act) -> Consent.Decision:
    """Whether a no takes back a yes that stood before; staff see the difference, the customer is told the same."""
    return Consent.Decision.REVOKED if before.yes(act) else Consent.Decision.REFUSED


def _scopes(line: Interaction, purpose: str, *, whole: bool) -> list[Address | None]:
    """For which numbers and addresses the words of this party count; None is for all of the record."""
    if whole:
        return [None]
    if own := consent.own_number(line):
        return [own]
    kinds = {Identifier.Kind.PHONE} if purpose in NUMBERS else {Identifier.Kind.PHONE, Identifier.Kind.EMAIL}
    given = [] if line.channel == "voice" else _given_on(line, kinds)
    return [*given] or [_line_itself(line)]


def _given_on(line: Interaction, kinds: set[Identifier.Kind]) -> list[Address]:
    """The numbers and addresses that this party gave of itself, the last ones first."""
    learned = Entry.objects.filter(interaction__in=access.lines_of_party(line), kind="fact.learned", data__name__in=kinds)
    values = learned.order_by("-pk").values_list("data__name", "data__value")[:MOST_GIVEN]
    usable = ((str(kind), str(value)) for kind, value in values if kind != "phone" or re.fullmatch(E164, str(value)))
    return list(dict.fromkeys(usable))


def _line_itself(line: Interaction) -> Address:
    """A browser by its visitor token, a withheld number by its call: a no that reaches nothing else."""
    if line.channel == "chat" and line.party:
        return (Identifier.Kind.VISITOR.value, line.party)
    return (Identifier.Kind.EXTERNAL.value, f"{line.channel}:{line.provider_id}")
