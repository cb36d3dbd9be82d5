"""The gate: whether a customer's phone may be rung now. There is no way round it, since the permission is a row of the database.

Asked at the moment of dialling, whatever was planned: consent and the do-not-contact list, the hours where the phone may be, how
often it was rung, and whether somebody talked about it lately. The counting, and what limits it, is in the trigger of
`models.dial_attempt`; the sentence for a refusal is here. Source of the rules: 47 CFR 64.1200 (hours, consent), 12 CFR
1006.14(b)(2) (seven calls in seven days, none for seven days after a conversation), and what managers set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Consent, Conversation, Customer, DialAttempt, EntryPoint, Interaction
from conversations.models.calling_rules import CallPurpose
from conversations.models.consent import Purpose, Way
from conversations.selectors import calling_hours
from conversations.selectors.consent import value_hash
from conversations.services import consent, facts, numbers, records, threads, timeline
from conversations.services.consent import Answer
from conversations.services.timeline import NewEntry

REFUSALS: Final[Mapping[str, str | Promise]] = {
    "special": gettext_lazy("it is an emergency or service number, or one that costs whoever rings it"),
    "suppressed": gettext_lazy("the number is on the do-not-contact list"),
    "no_contact": gettext_lazy("they want no contact"),
    "refused": gettext_lazy("they refused to be called"),
    "revoked": gettext_lazy("they took back that they may be called"),
    "ended": gettext_lazy("what they agreed to has ended"),
    "not_asked": gettext_lazy("they have not agreed to be called"),
    "no_offers": gettext_lazy("they have not agreed to get offers by phone"),
    "refused_on_this_number": gettext_lazy("somebody with this number wants no calls, and nobody on it has agreed to them since"),
    "no_consent": gettext_lazy("no yes of theirs stands for this call"),
    "unknown_place": gettext_lazy("nobody knows where the phone is, so nobody knows whether it is a decent hour there"),
    "holiday": gettext_lazy("it is a holiday where the phone may be"),
    "hours": gettext_lazy("it is not an hour at which the phone may be rung where it may be"),
    "too_often": gettext_lazy("it was rung about this as often as is allowed"),
    "talked_lately": gettext_lazy("somebody talked with them about this lately"),
    "no_policy": gettext_lazy("there is no calling policy for this purpose"),
    "number_is_dialled_once_at_a_time": gettext_lazy("the number is being called already"),
    "nobody_is_dialled_twice_about_the_same_at_once": gettext_lazy("a call about this is going on already"),
}
"""Why a phone was not rung, in words for staff, by the code or by the constraint that refused it."""
ASKED_FOR: Final = frozenset({CallPurpose.CALLBACK, CallPurpose.CALL_ME})
"""Calls that somebody asked for: a request for one lets these through, and no other."""
PASSING: Final = frozenset(
    {"hours", "holiday", "too_often", "talked_lately", "number_is_dialled_once_at_a_time", "nobody_is_dialled_twice_about_the_same_at_once"}
)
"""Refusals that end by themselves: it may be tried again later."""


class DialRefused(Exception):
    """The phone may not be rung. `code` is a word for programs, the message a sentence for staff."""

    def __init__(self, code: str) -> None:
        super().__init__(_("Not called: %(why)s.") % {"why": REFUSALS[code]})
        self.code = code

    @property
    def passes(self) -> bool:
        """Whether it may be tried again later."""
        return self.code in PASSING


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that is to be made: to whom, on which number, from which of ours, and what for.

    `subject` is what it is about, such as one debt; `offers` says that something is offered for sale on it.
    """

    customer: Customer
    number: str
    entry_point: EntryPoint
    purpose: str
    subject: str = ""
    offers: bool = False


def permit(wanted: Wanted, *, call: Interaction | None = None) -> DialAttempt:
    """The permission to ring a number once, as a row that counts from now on. Raises DialRefused, and tells of it in the history.

    `call` is the line it is for; one that is not there yet is named by `dial_attempts.attach`. Commit it before dialling
    (`voice.dialing` insists). Locks the customer, then the advisory locks of the number, the subject and the customer's calls, all
    until the transaction ends: one permission in a transaction.
    """
    try:
        with transaction.atomic():
            return _permitted(wanted, call)
    except DialRefused as refused:
        tell_of_refusal(wanted, refused)
        raise


def tell_of_refusal(wanted: Wanted, refused: DialRefused) -> None:
    """Writes a refusal into the customer's latest conversation for staff, once a day for the same reason, number and purpose.

    A customer without a conversation gets one that is closed at once. Locks the customer, then the conversation.
    """
    day = timezone.now().strftime("%Y%m%d")
    source_id = f"not-dialled:{wanted.customer.pk}:{value_hash('phone', wanted.number)[:16]}:{wanted.purpose}:{refused.code}:{day}"
    with transaction.atomic():
        root = records.lock_root(wanted.customer)
        latest = Conversation.objects.filter(customer=root, joined_into__isnull=True).order_by("-status", "-last_entry_at").first()
        conversation = latest or threads.open_or_resume(root)
        timeline.append(
            conversation.pk,
            NewEntry(
                kind="call.refused",
                actor_kind="system",
                audience="staff",
                body=_("%(number)s was not called: %(why)s.") % {"number": facts.phone(wanted.number), "why": REFUSALS[refused.code]},
                source_id=source_id,
                data={"reason": refused.code, "purpose": wanted.purpose, "phone": wanted.number},
            ),
        )
        if latest is None:
            threads.close(conversation, actor_kind="system", actor_name="", disposition=None)


def _permitted(wanted: Wanted, call: Interaction | None) -> DialAttempt:
    root = records.lock_root(wanted.customer)
    if numbers.is_emergency(wanted.number, wanted.entry_point.default_region) or not numbers.is_ordinary(wanted.number):
        raise DialRefused("special")
    asked = ("phone", wanted.number)
    yes = _yes(consent.may_we(root, Purpose.OUTBOUND_CALL, identifier=asked, by_request=wanted.purpose in ASKED_FOR))
    to_offers = None
    if wanted.offers:
        to_offers = _yes(consent.may_we(root, Purpose.MARKETING, way=Way.CALL, identifier=asked), not_asked="no_offers")
    try:
        with transaction.atomic():
            attempt = DialAttempt.objects.create(
                customer=root,
                original_customer=root,
                number=wanted.number,
                number_hash=value_hash(*asked),
                purpose=wanted.purpose,
                subject=wanted.subject,
                offers=wanted.offers,
                consent=yes,
                offers_consent=to_offers,
                zones=calling_hours.zones_of(wanted.number, root),
                interaction=call,
                entry_point=wanted.entry_point,
            )
    except IntegrityError as error:
        raise _refusal_of(error) from None
    attempt.refresh_from_db()
    return attempt


def _yes(answer: Answer, *, not_asked: str = "not_asked") -> Consent:
    if not answer.allowed or answer.because is None:
        raise DialRefused(not_asked if answer.code == "not_asked" else answer.code)
    return answer.because


def _refusal_of(error: IntegrityError) -> DialRefused:
    """What the database refused it for. Raises the error itself when it is none of the rules."""
    diagnosis = getattr(error.__cause__, "diag", None)
    code = str(getattr(diagnosis, "constraint_name", ""))
    if code not in REFUSALS:
        raise error
    return DialRefused(code)
