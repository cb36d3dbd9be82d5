"""Whatever happens in whatever order: one live offer, load within capacity, nobody idle while work waits, order kept.

Calls interrupt chats of agents whose profile says so, when nobody free can take them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from routing.models import AgentProfile, Decision, Interruption, Presence, Reservation, RoutingProfile, WorkItem
from routing.need import Need
from routing.rules.publish import publish
from routing.services import presence, queueing, reservations
from routing.services.decide import decide
from routing.services.dispatch import NOT_AGAIN_FOR
from tests.routing.conftest import Company, make_draft, wipe

NEEDS = {
    "person": Need(asked_for_human=True),
    "gas": Need(reason="gas_smell"),
    "anger": Need(sentiment=-0.9, failed_turns=3),
}
WEIGHTS = {"live_voice": (6, 1), "messaging": (2, 3)}
SUBJECTS = st.sampled_from([f"c{number}" for number in range(8)])


class Promises(RuleBasedStateMachine):
    """A day of the distributor and what must be so after each of its steps; `agents` is set before the machine runs."""

    agents: list[AgentProfile] = []
    interruptions_seen = 0

    @initialize(backlog=st.lists(st.tuples(st.sampled_from(sorted(NEEDS)), st.sampled_from(sorted(WEIGHTS))), min_size=5, max_size=8))
    def start_the_day(self, backlog: list[tuple[str, str]]) -> None:
        wipe(Interruption, Reservation, WorkItem, Decision)
        AgentProfile.objects.update(load=0, laid_aside=0)
        Presence.objects.update(state="away", away_reason="", idle_since=timezone.now())
        for number, (need, kind) in enumerate(backlog):
            queueing.enqueue(subject=f"c{number}", kind=kind, decision=decide(NEEDS[need], subject=f"c{number}"))

    @invariant()
    def nobody_carries_more_than_fits(self) -> None:
        for agent in AgentProfile.objects.all():
            live = Reservation.objects.filter(agent=agent, state__in=Reservation.LIVE_STATES)
            aside = live.filter(interruptions__in=Interruption.objects.filter(ended_at=None))
            interrupting = live.filter(interrupts__in=Interruption.objects.filter(ended_at=None)).distinct()
            assert agent.load == _weight(live) - _weight(aside)
            assert agent.load <= agent.capacity
            assert agent.laid_aside == _weight(aside)
            assert _weight(live) - sum(each.weight for each in interrupting) <= agent.capacity
            assert interrupting.count() <= 1
            for kind, (_each, most) in WEIGHTS.items():
                assert live.filter(work_item__kind=kind).count() <= most

    @invariant()
    def offers_and_work_agree(self) -> None:
        of_state = {"reserved": ["pending"], "assigned": ["accepted"], "wrapping": ["wrapping"]}
        for item in WorkItem.objects.all():
            live = list(item.reservations.filter(state__in=Reservation.LIVE_STATES).values_list("state", flat=True))
            assert live == of_state.get(item.state, [])

    @invariant()
    def nothing_waits_that_somebody_free_could_take(self) -> None:
        for item in WorkItem.objects.filter(state="queued"):
            takers = [agent for agent in self._available() if self._could_take(agent, item, agent.load, self._counts(agent))]
            takers += [agent for agent in self._available() if self._would_lay_aside(agent, item, agent.load)]
            assert not takers, f"{item} waits although {takers} could take it"

    @invariant()
    def only_what_nobody_free_could_take_interrupts(self) -> None:
        for interruption in Interruption.objects.filter(ended_at=None).select_related("by__work_item", "laid_aside__work_item"):
            item = interruption.by.work_item
            assert (item.kind, interruption.laid_aside.work_item.kind) == ("live_voice", "messaging")
            later = Reservation.objects.filter(agent=interruption.agent_id, offered_at__gt=interruption.began_at)
            assert not later.exclude(state="rescinded").exists(), "somebody who laid work aside was offered more"
            if interruption.pk > self.interruptions_seen:
                Promises.interruptions_seen = interruption.pk
                others = [agent for agent in self._available() if agent.pk != interruption.agent_id]
                free = [agent for agent in others if self._could_take(agent, item, agent.load, self._counts(agent))]
                assert not free, f"{item} interrupts although {free} could take it"

    def _available(self) -> list[AgentProfile]:
        return list(AgentProfile.objects.filter(presence__state="available").select_related("routing_profile"))

    def _counts(self, agent: AgentProfile) -> dict[str, int]:
        live = Reservation.objects.filter(agent=agent, state__in=Reservation.LIVE_STATES)
        return {kind: live.filter(work_item__kind=kind).count() for kind in WEIGHTS}

    def _could_take(self, agent: AgentProfile, item: WorkItem, load: int, counts: dict[str, int]) -> bool:
        weight, most = WEIGHTS[item.kind]
        skills = set(agent.skill_rows.values_list("skill__code", flat=True))
        lately = item.reservations.filter(agent=agent, ended_at__gt=timezone.now() - NOT_AGAIN_FOR)
        given_back = lately.filter(
            Q(state__in=["rejected", "completed"])
            | Q(state="timeout", ended_at__gte=agent.presence.since)
            | Q(state="rescinded", ended_at=item.given_back_at)
        )
        return (
            load + weight <= agent.capacity
            and not agent.laid_aside
            and counts[item.kind] < most
            and set(item.required_skills) <= skills
            and not given_back.exists()
        )

    def _would_lay_aside(self, agent: AgentProfile, item: WorkItem, load: int) -> bool:
        """Whether an agent without room could make some for this piece, all else being right."""
        if item.kind != "live_voice" or agent.routing_profile.name != "Interrupted":
            return False
        chats = Reservation.objects.filter(agent=agent, state="accepted", work_item__kind="messaging")
        return self._could_take(agent, item, load - _weight(chats), self._counts(agent))


class Dispatching(Promises):
    """Customers come and go, agents too, one after the other."""

    @rule(subject=SUBJECTS, need=st.sampled_from(sorted(NEEDS)), kind=st.sampled_from(sorted(WEIGHTS)))
    def a_customer_needs_a_person(self, subject: str, need: str, kind: str) -> None:
        before = self._waiting(subject)
        queueing.enqueue(subject=subject, kind=kind, decision=decide(NEEDS[need], subject=subject))
        after = WorkItem.objects.get(subject=subject, state__in=WorkItem.LIVE_STATES)
        if before:
            assert after.pk == before.pk
            assert after.priority_class <= before.priority_class
            assert after.deadline <= before.deadline
            assert after.enqueued_at == before.enqueued_at

    @rule(number=st.integers(0, 2))
    def an_agent_becomes_available(self, number: int) -> None:
        agent = self.agents[number]
        expected = self._greedy(agent) if not self._somebody_available() else None
        presence.set_state(agent, "available")
        if expected is not None:
            made = Reservation.objects.filter(agent=agent, state="pending").order_by("pk")
            subjects = list(made.values_list("work_item__subject", flat=True))
            assert subjects[len(subjects) - len(expected) :] == expected

    @rule(number=st.integers(0, 2), state=st.sampled_from(["away", "offline"]))
    def an_agent_leaves(self, number: int, state: str) -> None:
        presence.set_state(self.agents[number], state)

    @precondition(lambda self: Reservation.objects.filter(state="pending").exists())
    @rule(data=st.data(), answer=st.sampled_from(["accept", "reject", "miss"]))
    def an_offer_is_answered(self, data: Any, answer: str) -> None:
        pending = list(Reservation.objects.filter(state="pending").order_by("pk").select_related("agent"))
        offered = pending[data.draw(st.integers(0, len(pending) - 1))]
        if answer == "accept":
            reservations.accept(offered.pk, offered.agent)
        elif answer == "reject":
            reservations.reject(offered.pk, offered.agent)
        else:
            Reservation.objects.filter(pk=offered.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
            assert reservations.expire_due() == 1

    @rule(subject=SUBJECTS, number=st.integers(0, 2))
    def an_agent_takes_work_unasked(self, subject: str, number: int) -> None:
        try:
            reservations.assign(subject=subject, kind="messaging", agent=self.agents[number])
        except reservations.NoCapacity:
            return

    @rule(subject=SUBJECTS, end=st.sampled_from([reservations.complete, reservations.wrap_up, reservations.talk_again, queueing.cancel]))
    def work_ends(self, subject: str, end: Any) -> None:
        end(subject)

    @rule(subject=SUBJECTS)
    def work_is_transferred(self, subject: str) -> None:
        live = WorkItem.objects.filter(subject=subject, state__in=WorkItem.LIVE_STATES).first()
        if live:
            assert queueing.requeue(live).enqueued_at == live.enqueued_at

    @rule(subject=SUBJECTS, kind=st.sampled_from(sorted(WEIGHTS)))
    def a_kind_is_kept(self, subject: str, kind: str) -> None:
        waiting = WorkItem.objects.filter(subject=subject, state__in=["queued", "reserved"]).exists()
        assert queueing.keep_kind(subject, kind) == waiting

    def _waiting(self, subject: str) -> WorkItem | None:
        return WorkItem.objects.filter(subject=subject, state__in=["queued", "reserved"]).first()

    def _somebody_available(self) -> bool:
        return Presence.objects.filter(state="available").exists()

    def _greedy(self, agent: AgentProfile) -> list[str]:
        """What a lone agent must be offered, worked out the slow way; nothing comes after what interrupts."""
        agent.refresh_from_db()
        load, counts, subjects = agent.load, self._counts(agent), []
        for item in sorted(WorkItem.objects.filter(state="queued"), key=lambda w: (w.priority_class, w.deadline, w.pk)):
            if self._could_take(agent, item, load, counts):
                load += WEIGHTS[item.kind][0]
                counts[item.kind] += 1
                subjects.append(item.subject)
            elif self._would_lay_aside(agent, item, load) and counts["live_voice"] == 0:
                return [*subjects, item.subject]
        return subjects


def _weight(live: QuerySet[Reservation]) -> int:
    return live.aggregate(weight=Sum("weight"))["weight"] or 0


def interrupted(company: Company) -> RoutingProfile:
    """A profile like the company's, but that calls interrupt chats."""
    profile = RoutingProfile.objects.create(name="Interrupted")
    for row in company.profile.queue_rows.all():
        profile.queue_rows.create(queue=row.queue)
    for work in company.profile.work_rows.all():
        profile.work_rows.create(
            kind=work.kind,
            weight=work.weight,
            max_at_once=work.max_at_once,
            interrupts=["messaging"] if work.kind == "live_voice" else [],
        )
    return profile


def test_dispatch_keeps_its_promises(committed_company: Company) -> None:
    """Any sequence of events leaves every promise standing after each step."""
    publish(make_draft(), by="tests")
    company = committed_company
    Dispatching.agents = [
        company.agent("ann", skills=(company.gas,), profile=interrupted(company)),
        company.agent("bob"),
        company.agent("cem", capacity=4, skills=(company.gas,)),
    ]
    run_state_machine_as_test(
        Dispatching,
        # No shrinking: with a real database it takes minutes, and the steps of a failure are printed anyway.
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
