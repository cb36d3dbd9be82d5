"""Whatever was said, wherever the phone is and however often it was rung: eight dialers at once never ring outside the rules.

What should be is worked out here a second time, from the law and from what was said, and not from the product's own reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conversations.models import CallingHoliday, CallingHours, CallingRegion, Customer, DialAttempt, SubjectTalk
from conversations.selectors import calling_hours
from conversations.services import dial_attempts, dialing, suppression
from conversations.services.dialing import DialRefused, Wanted
from tests.outbound.calling import new_number, open_hours, policy, rung_before, says, wanted
from tests.record import rows

DIALERS = 8
ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Pago_Pago", "Australia/Lord_Howe")
NO_LIMITS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Saying:
    """One yes or no: about being contacted or called, for the number or for all."""

    purpose: str
    decision: str
    of_the_number: bool


@dataclass(frozen=True)
class Case:
    """All that decides whether a phone may be rung."""

    sayings: tuple[Saying, ...]
    listed: bool
    zone: str
    opens: int
    closes: int
    closed_today: bool
    holiday: bool
    caps: tuple[tuple[str, int, int], ...]
    before: tuple[int, ...]
    quiet_days: int
    talked_hours_ago: int | None


sayings = st.builds(
    Saying,
    st.sampled_from(["contact", "outbound_call", "outbound_call"]),
    st.sampled_from(["given", "given", "refused", "revoked"]),
    st.booleans(),
)
cases = st.builds(
    Case,
    sayings=st.lists(sayings, max_size=4).map(tuple),
    listed=st.sampled_from([False, False, False, True]),
    zone=st.sampled_from(ZONES),
    opens=st.sampled_from([0, 0, 8, 9, 12]),
    closes=st.sampled_from([18, 20, 21, 24, 24]),
    closed_today=st.sampled_from([False, False, False, True]),
    holiday=st.sampled_from([False, False, False, True]),
    caps=st.lists(
        st.tuples(st.sampled_from(["number", "customer", "subject"]), st.integers(0, 6), st.sampled_from([1, 24, 168])),
        max_size=2, unique_by=lambda cap: (cap[0], cap[2]),
    ).map(tuple),
    before=st.lists(st.sampled_from([10, 90, 1_400, 1_600, 9_900, 10_300]), max_size=6).map(tuple),
    quiet_days=st.sampled_from([0, 7]),
    talked_hours_ago=st.sampled_from([None, None, 1, 167, 170]),
)  # fmt: skip


def may_be_called(said: Sequence[Saying]) -> bool:
    """A yes for calls is there, and no no stands: a later yes lifts it that names as much as the no did."""

    def stands(place: int, refusal: Saying) -> bool:
        later = said[place + 1 :]
        return not any(
            each.purpose == refusal.purpose and each.decision == "given" and (each.of_the_number or not refusal.of_the_number)
            for each in later
        )

    agreed = any(each.purpose == "outbound_call" and each.decision == "given" for each in said)
    return agreed and not any(each.decision != "given" and stands(place, each) for place, each in enumerate(said))


def most_calls(case: Case) -> int:
    """How many more calls the caps allow now; each of them counts for number, customer and subject alike."""
    left = DIALERS
    for _counted_by, most, hours in case.caps:
        longer = 60 if hours >= 24 else 0
        made = sum(1 for minutes in case.before if minutes < hours * 60 + longer)
        left = min(left, most - made)
    return max(0, left)


def is_a_decent_hour(case: Case, at: datetime) -> bool:
    there = at.astimezone(ZoneInfo(case.zone))
    return case.opens <= there.hour < case.closes and not case.closed_today and not case.holiday


def oracle(case: Case, at: datetime) -> int:
    """How many of the dialers may ring the phone."""
    quiet = case.quiet_days and case.talked_hours_ago is not None and case.talked_hours_ago <= case.quiet_days * 24
    if not may_be_called(case.sayings) or case.listed or quiet or not is_a_decent_hour(case, at):
        return 0
    return most_calls(case)


def prepare(case: Case) -> Wanted:
    region = open_hours(opens=time(case.opens), closes=time(case.closes) if case.closes < 24 else time(23, 59, 59, 999999))
    today = timezone.now().astimezone(ZoneInfo(case.zone))
    if case.closed_today:
        CallingHours.objects.filter(region=region, weekday=today.weekday()).delete()
    if case.holiday:
        CallingHoliday.objects.create(region=region, day=today.date(), name="A holiday")
    policy("collection", *case.caps, quiet_days=case.quiet_days)
    customer, number = rows.customer(time_zone=case.zone), new_number()
    for each in case.sayings:
        says(customer, each.purpose, each.decision, number if each.of_the_number else "")
    if case.listed:
        suppression.suppress("phone", number, reason="asked", added_by="tests")
    asked = wanted(customer, number, "collection", subject=f"debt:{customer.pk}")
    if customer.consents.exists():
        for minutes in case.before:
            rung_before(asked, timedelta(minutes=minutes))
    if case.talked_hours_ago is not None:
        line = rows.interaction(rows.conversation(customer), door=rows.phone_line(), party=number)
        dial_attempts.note_talk(customer, "collection", asked.subject, call=line)
        SubjectTalk.objects.filter(customer=customer).update(at=timezone.now() - timedelta(hours=case.talked_hours_ago))
    return asked


def dial(asked: Wanted, together: Barrier) -> int:
    """One dialer, who tries until the rules refuse it for good; returns how many calls it placed."""
    together.wait(60)
    placed = 0
    try:
        while True:
            try:
                attempt = dialing.permit(asked)
            except DialRefused as refused:
                if refused.code in ("number_is_dialled_once_at_a_time", "nobody_is_dialled_twice_about_the_same_at_once"):
                    continue
                return placed
            placed += 1
            dial_attempts.end(attempt, "no_answer")
            if placed >= DIALERS:
                return placed
    finally:
        connection.close()


@pytest.mark.usefixtures("transactional_db")
@settings(NO_LIMITS, max_examples=25)
@given(cases)
def test_eight_dialers_at_once_ring_as_often_as_the_rules_allow_and_no_more(case: Case) -> None:
    asked = prepare(case)
    began = timezone.now()
    together = Barrier(DIALERS)
    with ThreadPoolExecutor(DIALERS) as pool:
        placed = sum(pool.map(lambda _dialer: dial(asked, together), range(DIALERS)))
    over = timezone.now()
    assume(oracle(case, began) == oracle(case, over))
    allowed = oracle(case, over)
    has_caps = bool(case.caps)
    assert placed == DialAttempt.objects.filter(customer=asked.customer, at__gte=began).count()
    if allowed == 0:
        assert placed == 0
    elif has_caps and allowed < DIALERS:
        assert placed == allowed
    else:
        assert placed >= DIALERS


@pytest.mark.usefixtures("transactional_db")
@settings(NO_LIMITS, max_examples=150)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    opens=st.integers(0, 12),
    closes=st.integers(13, 23),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # the zone is given beside
    days=st.sets(st.integers(0, 6), min_size=1),
)
def test_an_hour_is_decent_exactly_when_it_is_so_in_every_zone(
    zones: list[str], opens: int, closes: int, at: datetime, days: set[int]
) -> None:
    """Through two years with all their changes of clocks, in zones that change by an hour, by half an hour, or never."""
    CallingRegion.objects.all().delete()
    region = CallingRegion.objects.create(name="Here", prefixes=["+"])
    CallingHours.objects.bulk_create(CallingHours(region=region, weekday=day, opens=time(opens), closes=time(closes)) for day in days)
    local = [at.astimezone(ZoneInfo(zone)) for zone in zones]
    decent = all(each.weekday() in days and opens <= each.hour < closes for each in local)
    assert (calling_hours.refusal_at("+447700900123", zones, at) == "") == decent
    following = calling_hours.next_time("+447700900123", zones, at)
    if following is not None:
        assert calling_hours.refusal_at("+447700900123", zones, following) == ""
        assert following >= at


@pytest.mark.usefixtures("transactional_db")
def test_a_no_that_was_committed_before_the_permission_always_counts() -> None:
    """Dialers and a customer who takes the yes back, at once: no permission is younger than the no."""
    open_hours()
    policy("reminder")
    for _round in range(6):
        customer: Customer = rows.customer()
        number = new_number()
        says(customer, "outbound_call", "given")
        asked = wanted(customer, number)
        together = Barrier(4)

        def takes_back(customer: Customer = customer, together: Barrier = together) -> None:
            together.wait(60)
            says(customer, "outbound_call", "revoked")
            connection.close()

        with ThreadPoolExecutor(4) as pool:
            dialers = [pool.submit(dial, asked, together) for _dialer in range(3)]
            pool.submit(takes_back).result()
            for each in dialers:
                each.result()
        no = customer.consents.get(decision="revoked")
        assert not DialAttempt.objects.filter(customer=customer, at__gt=no.at + timedelta(seconds=1)).exists()
        with pytest.raises(DialRefused):
            dialing.permit(asked)


@pytest.mark.usefixtures("transactional_db")
def test_a_number_that_two_customers_have_is_counted_once_for_both() -> None:
    """No lock of a customer is shared by these dialers, only that of the number."""
    open_hours()
    policy("reminder", ("number", 3, 24))
    number = new_number()
    customers = [rows.customer() for _each in range(DIALERS)]
    for each in customers:
        says(each, "outbound_call", "given")
    together = Barrier(DIALERS)
    with ThreadPoolExecutor(DIALERS) as pool:
        placed = sum(pool.map(lambda asked: dial(asked, together), [wanted(each, number) for each in customers]))
    assert placed == 3
