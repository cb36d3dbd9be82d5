"""Work that waits meets people who are free."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from routing import clock
from routing.models import AgentProfile, Presence, Queue, Reservation, RoutingProfile, WorkItem
from routing.need import Need
from routing.rules.publish import publish
from routing.services import presence, queueing, reservations
from routing.services.decide import decide
from routing.services.dispatch import NOT_AGAIN_FOR, dispatch_all
from routing.services.reservations import MISSED_AN_OFFER, ReservationGone
from tests.routing.conftest import Company, make_draft
from tests.routing.line import ANGER, GAS, PERSON, item, load, offer_of, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


class TestOfferAndWork:
    def test_waiting_work_is_offered_at_once_taken_and_finished(self, company: Company) -> None:
        """Enqueued work reaches a free agent without a sweep; completing it frees the capacity."""
        ann = company.agent("ann")
        wait("c1")
        offered = offer_of("c1")
        assert (offered.agent, load(ann)) == (ann, 2)
        reservations.accept(offered.pk, ann)
        assert item("c1").state == "assigned"
        reservations.wrap_up("c1")
        assert (item("c1").state, load(ann)) == ("wrapping", 2)
        reservations.talk_again("c1")
        assert (item("c1").state, Reservation.objects.get().state, load(ann)) == ("assigned", "accepted", 2)
        reservations.wrap_up("c1")
        reservations.complete("c1")
        offered.refresh_from_db()
        assert (item("c1").state, offered.state, load(ann)) == ("completed", "completed", 0)

    def test_accepting_twice_is_accepting_once(self, company: Company) -> None:
        """A repeated click changes nothing."""
        ann = company.agent("ann")
        wait("c1")
        first = reservations.accept(offer_of("c1").pk, ann)
        assert reservations.accept(first.pk, ann).accepted_at == first.accepted_at
        assert load(ann) == 2

    def test_an_offer_belongs_to_one_agent(self, company: Company) -> None:
        """Nobody else can take or decline it, and the refusal is a sentence."""
        company.agent("ann")
        wait("c1")
        bob = company.agent("bob", state="away")
        with pytest.raises(ReservationGone, match="not yours"):
            reservations.accept(offer_of("c1").pk, bob)
        with pytest.raises(ReservationGone, match="not yours"):
            reservations.reject(offer_of("c1").pk, bob)
        with pytest.raises(ReservationGone, match="not yours"):
            reservations.accept(10**9, bob)

    def test_an_offer_that_ran_out_cannot_be_taken_even_before_the_sweep(self, company: Company) -> None:
        """The time limit holds by itself."""
        ann = company.agent("ann")
        wait("c1")
        Reservation.objects.update(expires_at=timezone.now())
        with pytest.raises(ReservationGone, match="run out"):
            reservations.accept(offer_of("c1").pk, ann)

    def test_a_declined_offer_goes_to_the_next_agent_and_not_back_at_once(self, company: Company) -> None:
        """The one who declined gets it again only after a minute."""
        ann = company.agent("ann")
        wait("c1")
        reservations.reject(offer_of("c1").pk, ann)
        assert (offers(ann), load(ann), item("c1").state) == ([], 0, "queued")
        bob = company.agent("bob", state="away")
        presence.set_state(bob, "available")
        assert offers(bob) == ["c1"]
        reservations.reject(offer_of("c1").pk, bob)
        with clock.at(clock.now() + NOT_AGAIN_FOR + timedelta(seconds=1)):
            assert dispatch_all() == 1

    def test_a_missed_offer_keeps_its_place_and_makes_the_agent_away(self, company: Company) -> None:
        """After the time-out the work is first in line as before, and goes to somebody else."""
        ann = company.agent("ann")
        before = wait("c1")
        bob = company.agent("bob")
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert reservations.expire_due() == 1
        assert reservations.expire_due() == 0
        state = Presence.objects.get(agent=ann)
        assert (state.state, state.away_reason, load(ann)) == ("away", MISSED_AN_OFFER, 0)
        assert offers(bob) == ["c1"]
        after = item("c1")
        assert (after.enqueued_at, after.deadline) == (before.enqueued_at, before.deadline)

    def test_who_missed_an_offer_and_comes_back_is_asked_again_at_once(self, company: Company) -> None:
        """Gas work that only they may take does not wait while they are offered what is less urgent."""
        ann = company.agent("ann", skills=(company.gas,))
        wait("gas", GAS)
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert reservations.expire_due() == 1
        wait("c1")
        presence.set_state(ann, "available")
        assert offers(ann) == ["gas", "c1"]

    def test_who_misses_one_of_several_that_they_may_is_not_asked_again_at_once(self, company: Company) -> None:
        """They are there still, and did not answer."""
        company.profile.missed_offers_before_away = 2
        company.profile.save()
        ann = company.agent("ann")
        wait("c1")
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert reservations.expire_due() == 1
        assert (Presence.objects.get(agent=ann).state, offers(ann)) == ("available", [])

    def test_what_was_offered_to_who_goes_offline_is_offered_to_others_at_once(self, company: Company) -> None:
        """Nobody waits for an answer that cannot come; who is only away may still take it, and keeps what they have."""
        ann = company.agent("ann")
        wait("c1")
        reservations.accept(offer_of("c1").pk, ann)
        wait("c2")
        bob = company.agent("bob")
        presence.set_state(ann, "away")
        assert (offers(ann), offers(bob)) == (["c2"], [])
        presence.set_state(ann, "offline")
        assert (offers(ann), offers(bob)) == ([], ["c2"])
        assert (item("c1").state, load(ann)) == ("assigned", 2)

    def test_an_offer_that_was_put_back_into_the_line_is_not_made_again_at_once(self, company: Company) -> None:
        """Somebody decided that the work should go to another."""
        ann = company.agent("ann")
        wait("c1")
        queueing.requeue(item("c1"))
        assert (offers(ann), load(ann), item("c1").state) == ([], 0, "queued")
        bob = company.agent("bob", state="offline")
        presence.set_state(bob, "available")
        assert offers(bob) == ["c1"]

    def test_cancelled_work_frees_the_agent_it_was_offered_to(self, company: Company) -> None:
        """A customer who leaves the line takes the offer along; what is taken stays."""
        ann = company.agent("ann")
        wait("c1")
        gone = offer_of("c1")
        queueing.cancel("c1")
        assert (item("c1").state, load(ann)) == ("canceled", 0)
        with pytest.raises(ReservationGone, match="does not need a person"):
            reservations.accept(gone.pk, ann)
        wait("c2")
        reservations.accept(offer_of("c2").pk, ann)
        queueing.cancel("c2")
        assert item("c2").state == "assigned"

    def test_what_has_no_live_work_is_left_alone(self, company: Company) -> None:
        """Completing, wrapping up and cancelling an unknown subject does nothing."""
        reservations.complete("nobody")
        reservations.wrap_up("nobody")
        reservations.talk_again("nobody")
        queueing.cancel("nobody")
        assert not WorkItem.objects.exists()

    def test_transferred_work_keeps_its_place_and_does_not_come_back_at_once(self, company: Company) -> None:
        """Passing work to another queue frees the agent; another one gets it."""
        ann = company.agent("ann")
        started = wait("c1", preferred=ann)
        reservations.accept(offer_of("c1").pk, ann)
        moved = queueing.requeue(item("c1"), queue=company.billing)
        assert (moved.queue, moved.enqueued_at, load(ann), offers(ann)) == (
            company.billing,
            started.enqueued_at,
            0,
            [],
        )
        bob = company.agent("bob", state="offline")
        presence.set_state(bob, "available")
        assert offers(bob) == ["c1"]

    def test_ended_work_cannot_go_back_to_the_line(self, company: Company) -> None:
        """Requeueing completed work is refused."""
        waiting = wait("c1")
        reservations.complete("c1")
        with pytest.raises(queueing.WorkEnded):
            queueing.requeue(waiting)


class TestOneLiveItemPerSubject:
    def test_a_second_need_raises_waiting_work_and_keeps_its_place(self, company: Company) -> None:
        """The class rises, the queue follows, the deadline only comes nearer, the first time stays."""
        first = wait("c1")
        raised = wait("c1", GAS, kind="live_voice")
        assert raised.pk == first.pk
        assert (raised.priority_class, raised.queue, raised.kind) == (1, company.urgent, "live_voice")
        assert raised.enqueued_at == first.enqueued_at
        assert raised.deadline < first.deadline

    def test_a_lesser_need_never_lowers_waiting_work(self, company: Company) -> None:
        """Neither class nor queue nor kind of work go down."""
        first = wait("c1", GAS, kind="live_voice")
        again = wait("c1", PERSON, kind="messaging")
        assert (again.pk, again.priority_class, again.queue, again.kind) == (
            first.pk,
            1,
            company.urgent,
            "live_voice",
        )
        assert again.deadline == first.deadline

    def test_work_that_is_taken_is_returned_as_it_is(self, company: Company) -> None:
        """A second call while an agent has it makes no second item and changes nothing."""
        ann = company.agent("ann")
        first = wait("c1")
        reservations.accept(offer_of("c1").pk, ann)
        again = wait("c1", GAS)
        assert (again.pk, again.queue, again.priority_class, load(ann)) == (first.pk, company.service, 3, 2)
        assert WorkItem.objects.count() == 1

    def test_an_emergency_takes_an_offer_back_and_goes_to_the_right_people_at_once(self, company: Company) -> None:
        """“I smell gas” while an offer is pending: class, queue, skills, level and decision rise, and the offer moves."""
        ann = company.agent("ann")
        first = wait("c1")
        offered = offer_of("c1")
        expert = company.agent("eve", skills=(company.gas,))
        raised = wait("c1", GAS)
        offered.refresh_from_db()
        assert (offered.state, load(ann), offers(expert), load(expert)) == ("rescinded", 0, ["c1"], 2)
        assert (raised.pk, raised.enqueued_at) == (first.pk, first.enqueued_at)
        now_is = item("c1")
        assert (now_is.priority_class, now_is.queue, now_is.required_skills) == (1, company.urgent, ["gas"])
        assert now_is.decision is not None
        assert now_is.decision.handler == "human"
        assert now_is.deadline < first.deadline

    def test_an_emergency_that_nobody_free_can_take_waits_in_the_right_line(self, company: Company) -> None:
        """The offer to somebody without the skill is taken back all the same, and is not made to them again."""
        ann = company.agent("ann")
        wait("c1")
        wait("c1", GAS)
        assert (item("c1").state, item("c1").queue, offers(ann), load(ann)) == ("queued", company.urgent, [], 0)

    def test_an_offer_stands_when_only_the_class_rises_or_nothing_does(self, company: Company) -> None:
        """The right person has it already; after the time-out it goes on in its new class."""
        ann = company.agent("ann")
        first = wait("c1")
        offered = offer_of("c1")
        publish(make_draft([("Sooner", {}, {"handler": "human", "queue": "service", "priority_class": 2})]), by="tests")
        wait("c1")
        assert (offer_of("c1").pk, item("c1").priority_class, load(ann)) == (offered.pk, 2, 2)
        publish(make_draft([("Later", {}, {"handler": "human", "queue": "urgent", "priority_class": 4})]), by="tests")
        wait("c1")
        assert (offer_of("c1").pk, item("c1").priority_class, item("c1").queue) == (offered.pk, 2, company.service)
        Reservation.objects.update(expires_at=timezone.now())
        reservations.expire_due()
        assert (item("c1").state, item("c1").priority_class, item("c1").enqueued_at) == ("queued", 2, first.enqueued_at)

    def test_offered_work_that_becomes_heavier_is_offered_anew(self, company: Company) -> None:
        """Who is offered a message and would get a call is asked for the room that a call takes."""
        ann = company.agent("ann")
        wait("c1")
        assert load(ann) == 2
        wait("c1", kind="live_voice")
        assert (offers(ann), load(ann), offer_of("c1").weight) == (["c1"], 6, 6)

    def test_a_decision_without_a_queue_cannot_wait(self, company: Company) -> None:
        """What the assistant answers has no line."""
        decision = decide(Need(), subject="c1")
        with pytest.raises(queueing.DecisionWithoutQueue):
            queueing.enqueue(subject="c1", kind="messaging", decision=decision)


class TestWhoGetsWhat:
    def test_class_goes_before_deadline_and_deadline_before_number(self, company: Company) -> None:
        """The line is class, then deadline, then arrival."""
        wait("late")
        wait("anger", ANGER)
        wait("early")
        WorkItem.objects.filter(subject="early").update(deadline=timezone.now())
        ann = company.agent("ann", capacity=6, state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["anger", "early", "late"]

    def test_nothing_waits_beyond_its_longest_wait_before_others_of_its_class(self, company: Company) -> None:
        """What waited too long goes before nearer deadlines of its class, never before another class."""
        wait("old")
        wait("new")
        wait("anger", ANGER)
        now = timezone.now()
        WorkItem.objects.filter(subject="old").update(
            enqueued_at=now - timedelta(seconds=601), deadline=now + timedelta(hours=1), ages_at=now
        )
        ann = company.agent("ann", state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["anger", "old", "new"]

    def test_the_longest_idle_agent_gets_the_work_and_the_reason_says_so(self, company: Company) -> None:
        """Of the idle, the one idle longest."""
        company.agent("ann")
        bob = company.agent("bob")
        Presence.objects.filter(agent=bob).update(idle_since=timezone.now() - timedelta(minutes=12))
        wait("c1")
        assert (offer_of("c1").agent, offer_of("c1").reason) == (bob, "Idle for 12 min, the longest of 2 who could take it.")

    def test_work_is_spread_rather_than_piled_on_one_agent(self, company: Company) -> None:
        """Three pieces for three agents: one each."""
        agents = [company.agent(name) for name in ("ann", "bob", "cem")]
        for number in range(3):
            wait(f"c{number}")
        assert [len(offers(agent)) for agent in agents] == [1, 1, 1]

    def test_the_preferred_agent_goes_before_the_longest_idle(self, company: Company) -> None:
        """Whoever knows the customer gets them, when free."""
        company.agent("ann")
        bob = company.agent("bob")
        wait("c1", preferred=bob)
        assert offer_of("c1").agent == bob

    def test_an_agent_without_a_needed_skill_is_never_asked(self, company: Company) -> None:
        """Gas work waits for somebody who may do it."""
        ann = company.agent("ann")
        wait("c1", GAS)
        assert offers(ann) == []
        bob = company.agent("bob", skills=(company.gas,), state="away")
        presence.set_state(bob, "available")
        assert offers(bob) == ["c1"]

    def test_the_head_of_the_line_never_blocks_those_behind_it(self, company: Company) -> None:
        """What nobody can take now is passed over."""
        wait("gas", GAS)
        wait("c1")
        ann = company.agent("ann", state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["c1"]

    def test_a_call_takes_all_of_an_agent(self, company: Company) -> None:
        """No call for somebody who chats, no chat for somebody on a call."""
        ann = company.agent("ann")
        wait("chat")
        wait("call", kind="live_voice")
        assert offers(ann) == ["chat"]
        reservations.accept(offer_of("chat").pk, ann)
        reservations.complete("chat")
        assert offers(ann) == ["call"]
        wait("chat2")
        assert offers(ann) == ["call"]

    def test_the_limit_of_a_kind_holds_even_when_capacity_is_left(self, company: Company) -> None:
        """At most three messages at once, whatever the capacity."""
        ann = company.agent("ann", capacity=20)
        for number in range(5):
            wait(f"c{number}")
        assert len(offers(ann)) == 3

    def test_a_kind_that_a_profile_does_not_name_is_not_taken(self, company: Company) -> None:
        """A missing limit never means unlimited."""
        ann = company.agent("ann")
        wait("c1", kind="back_office")
        assert offers(ann) == []

    @pytest.mark.parametrize("change", [{"active": False}, {"capacity": 1}])
    def test_who_cannot_take_work_gets_none(self, company: Company, change: dict[str, object]) -> None:
        """Neither the inactive nor those too small for it."""
        ann = company.agent("ann")
        AgentProfile.objects.filter(pk=ann.pk).update(**change)
        wait("c1")
        assert offers(ann) == []

    @pytest.mark.parametrize("state", ["away", "offline"])
    def test_who_is_not_available_gets_none(self, company: Company, state: str) -> None:
        """Away and offline agents are not offered work, and a queue keeps it for them."""
        ann = company.agent("ann", state=state)
        wait("c1")
        assert (offers(ann), item("c1").state) == ([], "queued")

    def test_a_second_line_gets_work_only_after_its_delay(self, company: Company) -> None:
        """The delay of a queue in a profile counts from the first time in line."""
        company.profile.queue_rows.filter(queue=company.service).update(delay_seconds=30)
        ann = company.agent("ann")
        wait("c1")
        assert offers(ann) == []
        with clock.at(clock.now() + timedelta(seconds=31)):
            assert dispatch_all() == 1
        assert offers(ann) == ["c1"]

    def test_overflow_opens_the_work_to_another_queue(self, company: Company) -> None:
        """After a while the agents of the overflow queue may take it too, in another group even."""
        elsewhere = Queue.objects.create(
            code="night", name="Night", group="night", service_level=company.service.service_level
        )
        night = RoutingProfile.objects.create(name="Night")
        night.queue_rows.create(queue=elsewhere)
        night.work_rows.create(kind="messaging", weight=2, max_at_once=1)
        company.service.steps.create(after_seconds=60, also_queue=elsewhere)
        owl = company.agent("owl", profile=night)
        wait("c1")
        assert offers(owl) == []
        with clock.at(clock.now() + timedelta(seconds=61)):
            assert dispatch_all() == 1
        assert offers(owl) == ["c1"]

    def test_those_who_serve_a_queue_first_go_before_those_who_serve_it_second(self, company: Company) -> None:
        """A profile's order keeps its agents free for what they are there for."""
        helper = RoutingProfile.objects.create(name="Helpers")
        helper.queue_rows.create(queue=company.service, order=2)
        helper.work_rows.create(kind="messaging", weight=2, max_at_once=3)
        company.agent("helper", profile=helper)
        ann = company.agent("ann")
        wait("c1")
        assert offers(ann) == ["c1"]
