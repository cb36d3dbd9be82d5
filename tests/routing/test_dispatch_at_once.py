"""Eight workers at once, with any steps and in any state of the day: the same promises hold whenever they have done what they came for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from routing.models import AgentProfile, Interruption, Reservation, WorkItem
from routing.rules.publish import publish
from routing.services import presence, queueing, reservations
from routing.services.decide import decide
from routing.services.dispatch import dispatch_all
from tests.routing.conftest import Company, make_draft
from tests.routing.test_dispatch_properties import NEEDS, SUBJECTS, WEIGHTS, Promises, interrupted

WORKERS = 8
Step = Callable[["DispatchingAtOnce"], Any]


def _come(machine: DispatchingAtOnce, subject: str, need: str, kind: str) -> None:
    queueing.enqueue(subject=subject, kind=kind, decision=decide(NEEDS[need], subject=subject))


def _turn(machine: DispatchingAtOnce, number: int, state: str) -> None:
    presence.set_state(machine.agents[number], state)


def _answer(machine: DispatchingAtOnce, place: int, answer: str) -> None:
    """Whichever offer is at that place by now; several workers may answer the same one."""
    pending = list(Reservation.objects.filter(state="pending").order_by("pk").select_related("agent"))
    if not pending:
        return
    offered = pending[place % len(pending)]
    if answer == "miss":
        Reservation.objects.filter(pk=offered.pk, state="pending").update(expires_at=timezone.now() - timedelta(seconds=1))
        reservations.expire_due()
        return
    try:
        getattr(reservations, answer)(offered.pk, offered.agent)
    except reservations.ReservationGone:
        return


def _take_unasked(machine: DispatchingAtOnce, subject: str, number: int) -> None:
    try:
        reservations.assign(subject=subject, kind="messaging", agent=machine.agents[number])
    except reservations.NoCapacity:
        return


def _end(machine: DispatchingAtOnce, subject: str, end: Callable[[str], Any]) -> None:
    end(subject)


def _pass_on(machine: DispatchingAtOnce, subject: str) -> None:
    live = WorkItem.objects.filter(subject=subject, state__in=WorkItem.LIVE_STATES).first()
    if live is None:
        return
    try:
        queueing.requeue(live)
    except queueing.WorkEnded:
        return


def _sweep(machine: DispatchingAtOnce) -> None:
    dispatch_all()


def _step(act: Callable[..., Any], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(arguments).map(lambda drawn: partial(act, **drawn))


NUMBERS = st.integers(0, 2)
STEPS: st.SearchStrategy[Step] = st.one_of(
    _step(_come, subject=SUBJECTS, need=st.sampled_from(sorted(NEEDS)), kind=st.sampled_from(sorted(WEIGHTS))),
    _step(_turn, number=NUMBERS, state=st.sampled_from(["available", "available", "away", "offline"])),
    _step(_answer, place=st.integers(0, 3), answer=st.sampled_from(["accept", "accept", "reject", "miss"])),
    _step(_take_unasked, subject=SUBJECTS, number=NUMBERS),
    _step(_end, subject=SUBJECTS, end=st.sampled_from([reservations.complete, reservations.wrap_up, queueing.cancel])),
    _step(_pass_on, subject=SUBJECTS),
    _step(_sweep),
)


class DispatchingAtOnce(Promises):
    """Each step of this day is that of eight workers with connections of their own, who begin at the same instant."""

    @rule(steps=st.lists(st.lists(STEPS, min_size=1, max_size=3), min_size=WORKERS, max_size=WORKERS))
    def eight_workers_at_once(self, steps: list[list[Step]]) -> None:
        begin = Barrier(WORKERS)

        def work(mine: list[Step]) -> None:
            try:
                begin.wait()
                for step in mine:
                    step(self)
            finally:
                connection.close()

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(work, steps))
        # Who was free when something was laid aside cannot be asked afterwards; everything else can.
        newest = Interruption.objects.order_by("-pk").values_list("pk", flat=True).first()
        Promises.interruptions_seen = max(Promises.interruptions_seen, newest or 0)

    def teardown(self) -> None:
        """Everything reaches its end: everybody comes, forgets what they declined, and works until nothing is left."""
        WorkItem.objects.update(given_back_at=None)
        for agent in self.agents:
            presence.set_state(agent, "available")
        for _round in range(12):
            for held in Reservation.objects.filter(state__in=Reservation.LIVE_STATES).select_related("agent", "work_item"):
                if held.state == Reservation.State.PENDING:
                    reservations.accept(held.pk, held.agent)
                reservations.complete(held.work_item.subject)
        assert set(WorkItem.objects.values_list("state", flat=True)) <= {"completed", "canceled"}
        assert not AgentProfile.objects.exclude(load=0, laid_aside=0).exists()


def test_eight_workers_at_once_keep_every_promise(committed_company: Company) -> None:
    """Never two owners, never over capacity, nothing waits that somebody free could take: after each instant of eight workers."""
    publish(make_draft(), by="tests")
    company = committed_company
    agents: list[AgentProfile] = [
        company.agent("ann", skills=(company.gas,), profile=interrupted(company)),
        company.agent("bob"),
        company.agent("cem", capacity=4, skills=(company.gas,)),
    ]
    DispatchingAtOnce.agents = agents
    run_state_machine_as_test(
        DispatchingAtOnce,
        settings=settings(
            max_examples=3,
            stateful_step_count=6,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
