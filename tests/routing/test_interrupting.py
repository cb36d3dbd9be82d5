"""Calls interrupt chats where a profile says so, and only when nobody is free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from routing import clock
from routing.models import AgentProfile, Interruption
from routing.services import presence, queueing, reservations, supervising
from routing.services.dispatch import dispatch_all
from routing.services.reservations import NoCapacity
from tests.routing.conftest import Company
from tests.routing.line import item, load, offer_of, offers, wait
from tests.routing.test_lock_order import held


@pytest.fixture
def company(deciding_company: Company) -> Company:
    deciding_company.profile.work_rows.filter(kind="live_voice").update(interrupts=["messaging"])
    return deciding_company


@pytest.fixture
def ann(company: Company) -> AgentProfile:
    """Full of chats."""
    ann = company.agent("ann")
    for subject in ("c1", "c2", "c3"):
        wait(subject)
        reservations.accept(offer_of(subject).pk, ann)
    return ann


def laid_aside() -> list[str]:
    return list(Interruption.objects.filter(ended_at=None).order_by("pk").values_list("laid_aside__work_item__subject", flat=True))


def test_a_call_is_offered_to_somebody_full_of_chats_who_lays_them_aside(ann: AgentProfile) -> None:
    """The latest first, as many as the call needs; the offer says why."""
    AgentProfile.objects.filter(pk=ann.pk).update(capacity=8)
    wait("call", kind="live_voice")
    assert (offers(ann), laid_aside()) == (["call"], ["c3", "c2"])
    assert offer_of("call").reason == "Nobody was free; they lay other work aside for it."
    assert (load(ann), ann.laid_aside, item("c1").state, item("c3").state) == (8, 4, "assigned", "assigned")


def test_nobody_is_interrupted_while_somebody_is_free_or_held_by_somebody_else(company: Company, ann: AgentProfile) -> None:
    """Also when the dispatcher cannot tell yet whether they are."""
    ben = company.agent("ben", state="away")
    with held("SELECT 1 FROM routing_agentprofile WHERE id = %s FOR UPDATE", ann.pk):
        presence.set_state(ben, "available")
    wait("call", kind="live_voice")
    assert (offers(ben), laid_aside()) == (["call"], [])
    wait("second", kind="live_voice")
    assert (offers(ann), len(laid_aside())) == (["second"], 3)


@pytest.mark.parametrize("end", ["complete", "reject", "miss", "cancel", "requeue", "take away"])
def test_what_was_laid_aside_comes_back_however_the_call_ends(company: Company, ann: AgentProfile, end: str) -> None:
    """It counts again, and the agent is asked for more only then."""
    wait("call", kind="live_voice")
    call = offer_of("call")
    wait("later")
    assert (load(ann), ann.laid_aside, offers(ann)) == (6, 6, ["call"])
    if end == "reject":
        reservations.reject(call.pk, ann)
    elif end == "miss":
        with clock.at(call.expires_at + timedelta(seconds=1)):
            assert reservations.expire_due() == 1
    elif end == "cancel":
        queueing.cancel("call")
    else:
        reservations.accept(call.pk, ann)
        if end == "complete":
            reservations.complete("call")
        elif end == "requeue":
            queueing.requeue(item("call"))
        else:
            supervising.offer_to(item("call"), company.agent("ben", state="away"), by="Kim")
    assert (laid_aside(), load(ann), ann.laid_aside, offers(ann)) == ([], 6, 0, [])
    assert Interruption.objects.filter(ended_at__isnull=False).count() == 3


def test_what_ends_while_it_is_laid_aside_does_not_come_back(ann: AgentProfile) -> None:
    """The customer of a chat has gone; the agent has room for one more after the call."""
    wait("call", kind="live_voice")
    reservations.accept(offer_of("call").pk, ann)
    reservations.complete("c2")
    wait("later")
    assert (sorted(laid_aside()), load(ann), ann.laid_aside, offers(ann)) == (["c1", "c3"], 6, 4, [])
    reservations.complete("call")
    assert (laid_aside(), load(ann), ann.laid_aside, offers(ann)) == ([], 6, 0, ["later"])


def test_what_is_only_offered_is_not_laid_aside_and_a_pass_follows_when_it_is_taken(company: Company) -> None:
    """Nobody loses an offer that they are looking at; the call comes the moment that the chat is theirs."""
    ann = company.agent("ann")
    wait("c1")
    wait("call", kind="live_voice")
    assert offers(ann) == ["c1"]
    reservations.accept(offer_of("c1").pk, ann)
    assert (offers(ann), laid_aside()) == (["call"], ["c1"])


def test_whoever_laid_work_aside_takes_no_more_until_it_is_back(company: Company, ann: AgentProfile) -> None:
    """Not offered, not unasked, not from a supervisor; so all of it fits their capacity then."""
    AgentProfile.objects.filter(pk=ann.pk).update(capacity=7)
    company.profile.work_rows.create(kind="email", weight=1)
    wait("call", kind="live_voice")
    letter = wait("letter", kind="email")
    assert (load(ann), offers(ann)) == (6, ["call"])
    for bad in (
        lambda: reservations.assign(subject="letter", kind="email", agent=ann),
        lambda: supervising.offer_to(letter, ann, by="Kim"),
    ):
        with pytest.raises(NoCapacity, match="You laid work aside"):
            bad()
    reservations.reject(offer_of("call").pk, ann)
    assert (load(ann), offers(ann)) == (7, ["letter"])


def test_the_time_for_writing_up_does_not_run_while_it_is_laid_aside(company: Company, ann: AgentProfile) -> None:
    """A customer leaves during the call: the agent has the whole time for it afterwards."""
    company.profile.work_rows.filter(kind="messaging").update(wrap_up_seconds=60)
    wait("call", kind="live_voice")
    reservations.accept(offer_of("call").pk, ann)
    reservations.wrap_up("c1")
    with clock.at(clock.now() + timedelta(minutes=5)):
        assert reservations.end_wrap_ups() == []
        reservations.complete("call")
        assert reservations.end_wrap_ups() == []
    with clock.at(clock.now() + timedelta(minutes=7)):
        assert reservations.end_wrap_ups() == ["c1"]


def test_an_agent_whose_profile_says_nothing_is_not_interrupted(company: Company, ann: AgentProfile) -> None:
    """As before."""
    company.profile.work_rows.update(interrupts=[])
    wait("call", kind="live_voice")
    assert (dispatch_all(), offers(ann), load(ann)) == (0, [], 6)


def test_a_capacity_that_would_not_hold_what_comes_back_is_refused(company: Company, ann: AgentProfile) -> None:
    """By the database, whoever lowers it."""
    company.profile.work_rows.filter(kind="live_voice").update(weight=3)
    wait("call", kind="live_voice")
    assert (load(ann), ann.laid_aside) == (5, 4)
    with pytest.raises(DatabaseError, match="would not fit any more"), transaction.atomic():
        AgentProfile.objects.filter(pk=ann.pk).update(capacity=5)


def test_a_clock_that_was_set_back_keeps_nothing_laid_aside(ann: AgentProfile) -> None:
    """The call ends, by the clock, before it began: what was laid aside is back all the same."""
    wait("call", kind="live_voice")
    reservations.accept(offer_of("call").pk, ann)
    with clock.at(clock.now() - timedelta(minutes=5)):
        reservations.complete("call")
    assert (laid_aside(), load(ann), ann.laid_aside) == ([], 6, 0)


@pytest.mark.parametrize(("end", "about_it"), [("complete", 0), ("decline", 0), ("requeue", 0), ("wrap up", 1)])
def test_who_laid_nothing_aside_is_not_asked_about_it_when_work_ends(company: Company, end: str, about_it: int) -> None:
    """The agent's row, which is locked anyway, says so. Beginning to write up looks once, with the limit that it reads anyway."""
    ann = company.agent("ann")
    company.profile.work_rows.filter(kind="messaging").update(wrap_up_seconds=60)
    wait("c1")
    offer = offer_of("c1")
    if end != "decline":
        reservations.accept(offer.pk, ann)
    ends: dict[str, Callable[[], object]] = {
        "complete": lambda: reservations.complete("c1"),
        "decline": lambda: reservations.reject(offer.pk, ann),
        "requeue": lambda: queueing.requeue(item("c1")),
        "wrap up": lambda: reservations.wrap_up("c1"),
    }
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        ends[end]()
    assert sum("routing_interruption" in each["sql"] for each in asked.captured_queries) == about_it
