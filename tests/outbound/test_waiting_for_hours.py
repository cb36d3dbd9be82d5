"""A campaign outside the hours: whoever may not be rung waits for their hour, is not written about, and is never rung before."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from conversations.flows import campaigning
from conversations.models import CallingHours, CallingRegion, Campaign, DialAttempt, Entry
from conversations.models.calling_rules import CallPurpose
from conversations.selectors import calling_hours
from conversations.services import campaigns, dialing
from conversations.services.dialing import DialRefused
from tests.outbound.calling import open_hours, policy, wanted
from tests.outbound.campaigns import campaign, contact_of, somebody_with_a_visit
from tests.voice.rest_side import Platform

ZONES = ["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Los_Angeles"]


@pytest.fixture(autouse=True)
def _rules(transactional_db: None) -> None:
    open_hours()
    policy(CallPurpose.REMINDER)


def closed_until(days: int = 2) -> CallingRegion:
    """Nobody may be rung today and tomorrow; then at any hour from eight."""
    region = open_hours(opens=time(8))
    today = timezone.localtime(timezone=ZoneInfo("Europe/London")).weekday()
    region.hours.filter(weekday__in=[(today + day) % 7 for day in range(days)]).delete()
    return region


def test_nothing_is_written_to_those_who_wait(platform: Platform) -> None:
    everybody = [somebody_with_a_visit(f"Customer {number}")[0] for number in range(6)]
    running = campaign()
    closed_until()
    assert campaigning.run(seconds=0) == 0
    assert not Entry.objects.filter(kind="call.refused").exists()
    assert (platform.dialled(), DialAttempt.objects.count()) == (0, 0)
    opens = {contact_of(each).next_at.astimezone(ZoneInfo("Europe/London")) for each in everybody}
    assert {(each.hour, each.minute) for each in opens} == {(8, 0)}
    assert {contact_of(each).refusal for each in everybody} == {"hours"}
    assert campaigns.waiting_for_hours(running) == (6, min(opens))
    assert not campaigns.somebody_is_due()


def test_their_hour_comes(platform: Platform) -> None:
    customer = somebody_with_a_visit()[0]
    running = campaign()
    closed_until()
    assert not campaigning.call_next(running)
    open_hours()
    running.contacts.update(next_at=timezone.now())
    assert campaigning.call_next(running)
    assert (platform.dialled(), contact_of(customer).refusal) == (1, "")


def test_nobody_whose_hour_it_is_is_held_up(platform: Platform) -> None:
    """Those before them in line wait, some hundreds at a time, and the next one is called at once."""
    for number in range(8):
        somebody_with_a_visit(f"Customer {number}", number=f"+4915112345{number:03d}")
    customer = somebody_with_a_visit("Kim Lee")[0]
    abroad = CallingRegion.objects.create(name="There", prefixes=["+49"])
    tomorrow = (timezone.now() + timedelta(days=2)).weekday()
    CallingHours.objects.create(region=abroad, weekday=tomorrow, opens=time(8), closes=time(20))
    running = campaign()
    assert campaigning.call_next(running)
    assert (contact_of(customer).state, platform.dialled()) == ("dialling", 1)
    assert campaigns.waiting_for_hours(running)[0] == 8


def test_a_holiday_is_waited_for_too(platform: Platform) -> None:
    customer = somebody_with_a_visit()[0]
    running = campaign()
    region = open_hours()
    today = timezone.localtime(timezone=ZoneInfo("Europe/London")).date()
    region.holidays.create(day=today, name="A day off")
    assert not campaigning.call_next(running)
    assert (contact_of(customer).refusal, Entry.objects.filter(kind="call.refused").count()) == ("holiday", 0)


def test_where_nobody_knows_the_hour_the_gate_still_says_no(platform: Platform) -> None:
    """A number of no region is not waited for: that would be for ever."""
    customer = somebody_with_a_visit()[0]
    running = campaign()
    open_hours("+1")
    assert campaigning.call_next(running)
    assert (contact_of(customer).outcome, contact_of(customer).refusal) == ("not_allowed", "unknown_place")


def test_the_gate_is_asked_all_the_same() -> None:
    """Whoever dials by another way, or in the moment in which the hours end, is refused, and that is told."""
    customer, number, _visit = somebody_with_a_visit()
    closed_until()
    with pytest.raises(DialRefused):
        dialing.permit(wanted(customer, number))
    assert Entry.objects.filter(kind="call.refused").count() == 1


def test_a_purpose_without_hours_waits_for_none(platform: Platform) -> None:
    somebody_with_a_visit()
    running = campaign()
    policy(CallPurpose.REMINDER, keeps_hours=False)
    closed_until()
    assert campaigning.call_next(running)
    assert platform.dialled() == 1


def test_it_takes_few_statements_however_many_wait(platform: Platform) -> None:
    def statements() -> int:
        Campaign.objects.update(state="stopped", ended_at=timezone.now())
        running = campaign()
        with CaptureQueriesContext(
            connection,
        ) as counted:
            assert not campaigning.call_next(running)
        return len(counted)

    closed_until()
    for number in range(2):
        somebody_with_a_visit(f"Customer {number}")
    few = statements()
    for number in range(20):
        somebody_with_a_visit(f"Another {number}")
    assert statements() == few


@given(
    zones=st.lists(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True), min_size=1, max_size=5),
    opens=st.integers(0, 22), lasts=st.integers(1, 8),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZoneInfo("UTC"))),  # noqa: DTZ001  # the zone is given
)  # fmt: skip
def test_it_says_what_the_gate_says(zones: list[list[str]], opens: int, lasts: int, at: datetime) -> None:
    """For every zone that the phones may be in: closed exactly when the gate refuses, open again when it does not."""
    open_hours(opens=time(opens), closes=time(min(23, opens + lasts), 59))
    phones = {key: (f"+44770090{key:04d}", each) for key, each in enumerate(zones)}
    closed = calling_hours.closed_now(phones, at)
    for key, (number, each) in phones.items():
        assert (closed[key].why if key in closed else "") == calling_hours.refusal_at(number, each, at)
        if key in closed and (opening := closed[key].opens):
            assert calling_hours.refusal_at(number, each, opening) == ""
            assert opening > at
            assert opening <= (calling_hours.next_time(number, each, at) or opening)
