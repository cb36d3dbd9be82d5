"""What becomes of a permission to ring a phone: used once, and ended with an outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from conversations.models import CallLeg, Consent, Customer, DialAttempt, Entry, Interaction, SubjectTalk
from conversations.models.calling_rules import CallPurpose
from conversations.models.consent import Purpose
from conversations.models.dial_attempt import DialOutcome

UNUSED_FOR: Final = timedelta(minutes=2)
"""After so long a permission that nothing came of is taken for lost; it has counted all the same."""
OF_STATUS: Final = {
    "busy": DialOutcome.BUSY,
    "rejected": DialOutcome.DECLINED,
    "unanswered": DialOutcome.NO_ANSWER,
    "timeout": DialOutcome.NO_ANSWER,
    "cancelled": DialOutcome.NO_ANSWER,
    "failed": DialOutcome.FAILED,
    "not_placed": DialOutcome.FAILED,
    "machine": DialOutcome.MACHINE,
    "lost": DialOutcome.LOST,
}
"""What the platform's last word on a call, or ours, comes to."""


MAY_BE_A_MACHINE: Final = (DialOutcome.ANSWERED, DialOutcome.NO_ANSWER)
"""Outcomes that say nothing of who picked up, so that the platform's late word that it was a machine corrects them."""
TALKED: Final = frozenset({DialOutcome.REACHED, DialOutcome.ANSWERED, DialOutcome.OPTED_OUT})
"""Outcomes of a conversation with the person, or with whoever was taken for them."""
ABOUT_INVOICES: Final = ("find_invoices", "promise_to_pay")
"""What the AI agent uses when a debt is talked about."""


class NotPermitted(Exception):
    """There is no permission to ring this phone, or it was used."""


def attach(attempt: DialAttempt, call: Interaction) -> None:
    """Names the line on which the permission is used."""
    DialAttempt.objects.filter(pk=attempt.pk).update(interaction=call)


def use(call: Interaction) -> DialAttempt:
    """The permission to ring the party of a call, used from now on: whoever asks again gets none. Raises NotPermitted."""
    unused = DialAttempt.objects.filter(interaction=call, number=call.party, dialled_at__isnull=True, ended_at__isnull=True)
    if not unused.update(dialled_at=Now()):
        raise NotPermitted(f"the call {call.pk} may not be dialled")
    return DialAttempt.objects.get(interaction=call)


def end(attempt: DialAttempt, outcome: str) -> bool:
    """Ends an attempt once with how it went; says whether this call did it."""
    return bool(DialAttempt.objects.filter(pk=attempt.pk, ended_at__isnull=True).update(ended_at=Now(), outcome=outcome))


def end_of(call: Interaction, reason: str) -> None:
    """The call is over: its attempt, if it has one, ends with what became known on it, else with what the reason says.

    That somebody was talked with about a debt is kept, whoever called. Needs the locks of the call and its conversation.
    """
    attempt = DialAttempt.objects.filter(interaction=call, ended_at__isnull=True).first()
    if attempt is not None:
        outcome = _outcome_of(call, reason)
        if attempt.subject and outcome in TALKED:
            note_talk(attempt.customer, attempt.purpose, attempt.subject, call=call)
        end(attempt, outcome)
    elif call.channel == "voice" and _was_about_invoices(call):
        note_talk(call.conversation.customer, CallPurpose.COLLECTION, "", call=call)


def correct(call: Interaction) -> DialAttempt | None:
    """The platform has said after the end of a call that a machine picked it up: its attempt says so too; None where it said more.

    What was noted as a talk with the customer because of it was none.
    """
    if not _a_machine_was_heard(call):
        return None
    ended = DialAttempt.objects.filter(interaction=call, ended_at__isnull=False, outcome__in=MAY_BE_A_MACHINE)
    if not ended.update(outcome=DialOutcome.MACHINE):
        return None
    attempt = DialAttempt.objects.get(interaction=call)
    if not _was_about_invoices(call):
        SubjectTalk.objects.filter(interaction=call, purpose=attempt.purpose, subject=attempt.subject).delete()
    return attempt


def _outcome_of(call: Interaction, reason: str) -> str:
    refused = Consent.objects.filter(interaction=call, purpose__in=[Purpose.OUTBOUND_CALL, Purpose.CONTACT])
    if refused.exclude(decision=Consent.Decision.GIVEN).exists():
        return DialOutcome.OPTED_OUT
    answered = DialOutcome.ANSWERED if call.answered_at else DialOutcome.NO_ANSWER
    return str(call.data.get("outcome") or OF_STATUS.get(reason, DialOutcome.MACHINE if _a_machine_was_heard(call) else answered))


def _a_machine_was_heard(call: Interaction) -> bool:
    return call.legs.filter(role=CallLeg.Role.CUSTOMER, answered_by=DialOutcome.MACHINE).exists()


def _was_about_invoices(call: Interaction) -> bool:
    return Entry.objects.filter(
        Q(kind="payment.promised") | Q(kind="tool.called", data__tool__in=ABOUT_INVOICES, data__allowed=True), interaction=call
    ).exists()


def lost() -> QuerySet[DialAttempt]:
    """Permissions that nothing came of, as when a process died between having one and using it.

    Calls that a chat asked for end with their line, which has a sweep of its own. One that was used stays until it is known what
    became of it, by a webhook or by the platform's own list of calls.
    """
    unplaced = Q(
        interaction__provider_id__startswith="unplaced-", interaction__data__has_key="campaign", dialled_at__isnull=True
    )
    return DialAttempt.objects.filter(
        Q(interaction__isnull=True) | Q(interaction__state=Interaction.State.ENDED) | unplaced,
        ended_at__isnull=True,
        at__lt=Now() - UNUSED_FOR,
    )


def note_talk(customer: Customer, purpose: str, subject: str, *, call: Interaction) -> bool:
    """Keeps, once a line, that somebody talked with a customer about something; says whether it was new.

    For some days nobody is rung about it then, see `CallingPolicy.quiet_days`.
    """
    _row, is_new = SubjectTalk.objects.get_or_create(
        interaction=call, purpose=purpose, subject=subject, defaults={"customer": customer, "original_customer": customer}
    )
    return is_new
