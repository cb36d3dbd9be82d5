"""Who holds what while who waits: no order of locks ends in a deadlock, and nothing held is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from routing.models import AgentProfile, Presence, Reservation, WorkItem
from routing.services import queueing, reservations
from routing.services.decide import decide
from routing.services.dispatch import dispatch
from tests.routing.conftest import Company
from tests.routing.line import ANGER, GAS, item, load, offer_of, offers, wait
from tests.routing.test_concurrency import at_once
from tests.support.locks import other_connection, until, waits_for_lock


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


@contextmanager
def held(statement: str, *parameters: Any) -> Iterator[None]:
    """Somebody else holds what the statement locks until the block ends."""
    with other_connection() as other:
        other.execute(statement, list(parameters))
        yield
        other.rollback()


def holding(agent: AgentProfile) -> Any:
    return held("SELECT 1 FROM routing_agentprofile WHERE id = %s FOR UPDATE", agent.pk)


class Others:
    """Connections beside this one; each starts when the one before waits for a lock or has finished."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self.started: list[Future[Any]] = []

    def start(self, task: Callable[[], Any], *, waits_for: str = "routing_") -> None:
        waiting = _waiting(waits_for)
        future = self.pool.submit(_closing, task)
        self.started.append(future)
        until(lambda: future.done() or _waiting(waits_for) > waiting)

    def outcomes(self) -> list[Any]:
        """What each returned; raises what any of them raised."""
        return [future.result(timeout=60) for future in self.started]


def _waiting(what: str) -> int:
    with other_connection() as other:
        found = other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query ILIKE %s",
            [f"%{what}%"],
        ).fetchone()
    return int(found[0]) if found else 0


def _closing(task: Callable[[], Any]) -> Any:
    try:
        return task()
    finally:
        connection.close()


@pytest.fixture
def others(company: Company) -> Iterator[Others]:
    with ThreadPoolExecutor(3) as pool:
        yield Others(pool)


def two_agents_come_back(company: Company) -> tuple[AgentProfile, AgentProfile]:
    """Both away while work comes in, then available without a pass, as just before a sweep."""
    ann, bob = company.agent("ann", state="away"), company.agent("bob", state="away")
    wait("c1")
    Presence.objects.update(state="available")
    return ann, bob


class TestNoDeadlock:
    def test_taking_waiting_work_unasked_while_a_pass_runs(self, company: Company, others: Others) -> None:
        """The one holds the work and wants the agent; the pass must not hold the agent and want the work."""
        ann, bob = two_agents_come_back(company)
        with holding(bob):
            others.start(lambda: dispatch("main"))
            others.start(lambda: reservations.assign(subject="c1", kind="messaging", agent=ann))
        _made, taken = others.outcomes()
        assert (taken.state, taken.agent, item("c1").state) == ("accepted", ann, "assigned")
        assert (load(ann), load(bob)) == (2, 0)

    def test_a_pass_while_somebody_holds_work_and_waits_for_an_agent(self, company: Company, others: Others) -> None:
        """The work they hold is left to them."""
        ann, bob = two_agents_come_back(company)
        with holding(ann):
            others.start(lambda: reservations.assign(subject="c1", kind="messaging", agent=ann))
            others.start(lambda: dispatch("main"))
        taken, made = others.outcomes()
        assert (taken.state, made, load(ann), load(bob)) == ("accepted", [], 2, 0)

    def test_raising_one_subject_and_cancelling_another_while_a_pass_runs(self, company: Company, others: Others) -> None:
        """As when two conversations become one: work is raised and held, then an offer is ended."""
        ann, bob = two_agents_come_back(company)
        dispatch("main")
        assert load(ann) == 2
        Presence.objects.update(state="away")
        wait("c2")
        Presence.objects.update(state="available")
        angry = decide(ANGER, subject="c2")

        def join() -> None:
            with transaction.atomic():
                queueing.enqueue(subject="c2", kind="messaging", decision=angry)
                queueing.cancel("c1")

        with holding(bob):
            others.start(lambda: dispatch("main"))
            others.start(join)
        assert others.outcomes()[1] is None
        assert (item("c1").state, item("c2").queue, item("c2").state) == ("canceled", company.billing, "reserved")
        assert load(ann) + load(bob) == 2


class TestNothingIsForgotten:
    def test_a_pass_comes_again_for_an_agent_who_was_held(self, company: Company, others: Others) -> None:
        """It waits until they are free of locks, holding nothing, and then makes the offer."""
        ann = company.agent("ann", state="away")
        wait("c1")
        Presence.objects.update(state="available")
        with holding(ann):
            others.start(lambda: dispatch("main"))
            assert waits_for_lock("routing_agentprofile")
            assert _can_be_locked("routing.queue_group:main")
            assert offers(ann) == []
        assert [offer.agent for offer in others.outcomes()[0]] == [ann]
        assert offers(ann) == ["c1"]

    def test_work_that_was_held_is_offered_by_the_next_pass(self, company: Company) -> None:
        """A pass does not wait for it, nor give its agent to the next in line."""
        ann = company.agent("ann", capacity=2, state="away")
        wait("c1")
        wait("c2")
        Presence.objects.update(state="available")
        with held("SELECT 1 FROM routing_workitem WHERE subject = 'c1' FOR UPDATE"):
            assert dispatch("main") == []
        dispatch("main")
        assert offers(ann) == ["c1"]

    def test_the_sweep_of_offers_takes_the_subject_first(self, company: Company, others: Others) -> None:
        """Like everybody else who ends an offer."""
        company.agent("ann")
        wait("c1")
        Reservation.objects.update(expires_at=timezone.now())
        with held("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", "routing.subject:c1"):
            others.start(reservations.expire_due, waits_for="pg_advisory_xact_lock")
            assert waits_for_lock("pg_advisory_xact_lock")
            with transaction.atomic():
                assert WorkItem.objects.select_for_update(nowait=True).get(subject="c1").state == "reserved"
        assert others.outcomes() == [1]


def _can_be_locked(name: str) -> bool:
    with other_connection() as other:
        found = other.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name]).fetchone()
    return bool(found and found[0])


def test_an_emergency_and_an_answer_to_the_offer_at_once(company: Company) -> None:
    """Whoever comes first wins: it is taken as it was, or taken back and raised; never both, and no load is lost."""
    ann = company.agent("ann")
    for number in range(6):
        subject = f"c{number}"
        wait(subject)
        offered = offer_of(subject)
        at_once(
            [
                lambda pk=offered.pk: reservations.accept(pk, ann),
                lambda subject=subject: wait(subject, GAS),
                lambda pk=offered.pk: reservations.reject(pk, ann),
                reservations.expire_due,
            ]
        )
        offered.refresh_from_db()
        end = item(subject)
        allowed = {
            ("accepted", "assigned", "service", 2),
            ("rescinded", "queued", "urgent", 0),
            ("rejected", "queued", "urgent", 0),
        }
        assert (offered.state, end.state, end.queue.code, load(ann)) in allowed
        reservations.complete(subject)
    assert load(ann) == 0
