"""What the tests of calls that we make have in common: customers who may be rung, and calls of the past."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from conversations.models import CallingHours, CallingPolicy, CallingRegion, Consent, Customer, DialAttempt, Identifier
from conversations.models.calling_rules import CallPurpose
from conversations.selectors.consent import value_hash
from conversations.services import consent, dialing
from conversations.services.consent import Said
from conversations.services.dialing import DialRefused, Wanted
from tests.record import rows
from tests.support import triggers

_numbers = count(1)
RULE = "conversations.DialAttempt:nobody_is_rung_against_the_rules"
BY_STAFF = Said(given_by="agent", how="said", recorded_by="Ann", assurance="verified")


def new_number() -> str:
    """A number of the kind that is kept for films."""
    return f"+4477009{next(_numbers):05d}"


def says(customer: Customer, purpose: str, decision: str, number: str = "") -> Consent:
    """The customer says yes or no, for one number or for all."""
    identifier = ("phone", number) if number else None
    wording = "May we call you?" if decision == "given" else ""
    return consent.record(customer, purpose=purpose, decision=decision, said=BY_STAFF, identifier=identifier, wording=wording)


def callable_customer(name: str = "Sam Okafor", number: str = "", **changes: Any) -> tuple[Customer, str]:
    """A customer who has agreed to calls, and the number."""
    number = number or new_number()
    customer = rows.customer(name, **changes)
    Identifier.objects.create(
        customer=customer, original_customer=customer, kind="phone", value=number, assurance="verified", shown_as="verified", source="tests"
    )
    says(customer, "outbound_call", "given")
    return customer, number


def asks_to_be_called_back(customer: Customer, number: str) -> Consent:
    """The customer asks for a call back on a number that they have shown to be theirs, good for a day."""
    said = Said(given_by="customer", how="said", recorded_by="tests", assurance="network_hint")
    return consent.record(
        customer, purpose="outbound_call", decision="given", said=said, identifier=("phone", number), wording="We call you back.",
        asked_for=True, expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def open_hours(prefix: str = "+44", opens: time = time(0), closes: time = time(23, 59, 59, 999999)) -> CallingRegion:
    """One region with the same hours every day, in place of all others."""
    CallingRegion.objects.all().delete()
    region = CallingRegion.objects.create(name="Here", prefixes=[prefix])
    CallingHours.objects.bulk_create(CallingHours(region=region, weekday=day, opens=opens, closes=closes) for day in range(7))
    return region


def policy(purpose: str = CallPurpose.REMINDER, *caps: tuple[str, int, int], **changes: Any) -> CallingPolicy:
    """A policy with caps of (what is counted, how many, within how many hours), in place of all others."""
    CallingPolicy.objects.all().delete()
    made = CallingPolicy.objects.create(purpose=purpose, **changes)
    for counted_by, most, hours in caps:
        made.caps.create(counted_by=counted_by, most=most, hours=hours)
    return made


def wanted(customer: Customer, number: str, purpose: str = CallPurpose.REMINDER, **changes: Any) -> Wanted:
    return Wanted(customer, number, rows.phone_line(), purpose, **changes)


def refusal_of(asked: Wanted) -> str:
    """Why it may not be rung; empty when it may, which then counts."""
    try:
        dialing.permit(asked)
    except DialRefused as refused:
        return refused.code
    return ""


def rung_before(asked: Wanted, ago: timedelta) -> DialAttempt:
    """A call of the past that is over."""
    at = timezone.now() - ago
    with triggers.ignored(RULE):
        return DialAttempt.objects.create(
            customer=asked.customer,
            original_customer=asked.customer,
            number=asked.number,
            number_hash=value_hash("phone", asked.number),
            purpose=asked.purpose,
            subject=asked.subject,
            consent=Consent.objects.filter(customer=asked.customer).earliest("pk"),
            entry_point=asked.entry_point,
            zones=["Europe/London"],
            at=at,
            dialled_at=at,
            ended_at=at,
            outcome="no_answer",
        )


def by_the_clock(hour: int, zone: Any, day: datetime) -> datetime:
    return day.astimezone(zone).replace(hour=hour, minute=0, second=0, microsecond=0)
