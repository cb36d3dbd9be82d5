"""Whatever eight workers do at the same moment, again and again: no promise is broken, and everything reaches its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from routing.models import AgentProfile, Decision, Interruption, Presence, Reservation, WorkItem
from routing.rules.publish import publish
from routing.services import presence, queueing, reservations
from routing.services.dispatch import dispatch_all
from tests.routing import rush
from tests.routing.conftest import Company, make_draft, wipe
from tests.routing.line import ANGER, GAS, PERSON, wait
from tests.routing.test_concurrency import at_once
from tests.routing.test_dispatch_properties import interrupted

WORKERS = 8
TOLD = (reservations.ReservationGone, reservations.NoCapacity, queueing.WorkEnded)
"""What somebody is told who comes too late, or has no room."""
SUBJECTS = st.integers(0, 11).map("c{}".format)
NEEDS = st.sampled_from([PERSON, GAS, ANGER])
KINDS = st.sampled_from(["messaging", "live_voice"])
AGENTS = st.integers(0, 3)


def answer(agent: AgentProfile, how: str) -> None:
    """The agent answers the first offer they have, or misses it."""
    offered = Reservation.objects.filter(agent=agent, state="pending").order_by("pk").first()
    if offered is None:
        return
    if how == "miss":
        Reservation.objects.filter(pk=offered.pk).update(expires_at=F("offered_at") - timedelta(seconds=1))
        reservations.expire_due()
    else:
        getattr(reservations, how)(offered.pk, agent)


def pass_on(subject: str) -> None:
    live = WorkItem.objects.filter(subject=subject, state__in=WorkItem.LIVE_STATES).first()
    if live:
        queueing.requeue(live)


class AtOnce(RuleBasedStateMachine):
    """`agents` is set before the machine runs."""

    agents: list[AgentProfile] = []

    @initialize()
    def nobody_is_there_yet(self) -> None:
        wipe(Interruption, Reservation, WorkItem, Decision)
        AgentProfile.objects.update(load=0, laid_aside=0)
        Presence.objects.update(state="available", away_reason="", idle_since=timezone.now())

    @rule(needs=st.lists(st.tuples(SUBJECTS, NEEDS, KINDS), min_size=WORKERS, max_size=WORKERS))
    def eight_customers_need_somebody(self, needs: list[Any]) -> None:
        self._at_once([partial(wait, *each) for each in needs])

    @rule(data=st.data())
    def eight_things_happen(self, data: Any) -> None:
        self._at_once([self._something(data) for _worker in range(WORKERS)])

    @rule(how=st.lists(st.sampled_from(["accept", "accept", "reject", "miss"]), min_size=WORKERS, max_size=WORKERS))
    def everybody_answers_twice_over(self, how: list[str]) -> None:
        self._at_once([partial(answer, self.agents[number % len(self.agents)], each) for number, each in enumerate(how)])

    def _something(self, data: Any) -> Callable[[], Any]:
        agent = self.agents[data.draw(AGENTS)]
        subject = data.draw(SUBJECTS)
        things: dict[str, Callable[[], Any]] = {
            "a customer comes": partial(wait, subject, data.draw(NEEDS), data.draw(KINDS)),
            "somebody is available": partial(presence.set_state, agent, "available"),
            "somebody leaves": partial(presence.set_state, agent, "away"),
            "somebody answers": partial(answer, agent, "accept"),
            "somebody takes work": partial(reservations.assign, subject=subject, kind="messaging", agent=agent),
            "work is written up": partial(reservations.wrap_up, subject),
            "work ends": partial(reservations.complete, subject),
            "a customer goes": partial(queueing.cancel, subject),
            "work is passed on": partial(pass_on, subject),
            "the sweep": dispatch_all,
        }
        return things[data.draw(st.sampled_from(sorted(things)))]

    def _at_once(self, acts: list[Callable[[], Any]]) -> None:
        failed = [each for each in at_once(acts) if isinstance(each, Exception) and not isinstance(each, TOLD)]
        assert failed == []

    @invariant()
    def no_promise_is_broken(self) -> None:
        assert rush.violations() == {}

    @invariant()
    def nothing_waits_that_somebody_free_could_take(self) -> None:
        assert dispatch_all() == 0

    def teardown(self) -> None:
        """Everybody comes, and a minute later, when they may be offered again what they declined, works until nothing is left."""
        WorkItem.objects.update(given_back_at=None)
        for agent in self.agents:
            presence.set_state(agent, "available")
        for _round in range(20):
            for held in Reservation.objects.filter(state__in=Reservation.LIVE_STATES).select_related("agent", "work_item"):
                if held.state == Reservation.State.PENDING:
                    reservations.accept(held.pk, held.agent)
                reservations.complete(held.work_item.subject)
        assert set(WorkItem.objects.values_list("state", flat=True)) <= {"completed", "canceled"}
        assert sum(AgentProfile.objects.values_list("load", flat=True)) == 0


def test_eight_workers_keep_every_promise(committed_company: Company) -> None:
    """Any plan of what happens at once."""
    publish(make_draft(), by="tests")
    company = committed_company
    AtOnce.agents = [
        company.agent("ann", skills=(company.gas,), profile=interrupted(company)),
        company.agent("bob"),
        company.agent("cem", capacity=4, skills=(company.gas,)),
        company.agent("dee", skills=(company.gas,)),
    ]
    run_state_machine_as_test(
        AtOnce,
        # No shrinking: what happens at once is not repeated, and the steps of a failure are printed anyway.
        settings=settings(
            max_examples=5,
            stateful_step_count=8,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
