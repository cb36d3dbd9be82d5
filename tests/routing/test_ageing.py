"""What waiting does to work: steps of its queue, classes, and going first in its class."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from routing import clock
from routing.models import AgentSkill, Queue, Reservation, ServiceHours, ServiceLevel, WorkItem
from routing.rules.publish import publish
from routing.services import presence, queueing
from routing.services.dispatch import dispatch_all
from tests.routing.conftest import Company, make_draft
from tests.routing.line import ANGER, GAS, item, load, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


def later(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class TestSkills:
    def test_an_agent_must_be_good_enough_until_a_step_asks_for_less(self, company: Company) -> None:
        """A beginner gets gas work once it has waited for the experts."""
        Queue.objects.filter(pk=company.urgent.pk).update(min_proficiency=4)
        company.urgent.steps.create(after_seconds=60, min_proficiency=2)
        ann = company.agent("ann", skills=(company.gas,))
        AgentSkill.objects.filter(agent=ann).update(proficiency=2)
        wait("gas", GAS)
        assert offers(ann) == []
        with clock.at(clock.now() + later(59)):
            assert dispatch_all() == 0
        with clock.at(clock.now() + later(61)):
            assert dispatch_all() == 1
        assert offers(ann) == ["gas"]

    def test_a_step_drops_skills_altogether(self, company: Company) -> None:
        """Whoever serves the queue may take it then."""
        company.urgent.steps.create(after_seconds=60, without_skills=True)
        ann = company.agent("ann")
        wait("gas", GAS)
        with clock.at(clock.now() + later(61)):
            assert dispatch_all() == 1
        assert offers(ann) == ["gas"]
        assert (item("gas").required_skills, item("gas").steps_taken) == ([], 1)

    def test_steps_follow_each_other_and_late_passes_miss_none(self, company: Company) -> None:
        """A pass that comes after the times of three steps goes through all of them, in their order."""
        company.service.steps.create(after_seconds=10, also_queue=company.billing)
        company.service.steps.create(after_seconds=20, raise_class_by=1)
        company.service.steps.create(after_seconds=30, becomes_kind="callback")
        wait("c1")
        with clock.at(clock.now() + later(31)):
            dispatch_all()
        aged = item("c1")
        assert (aged.steps_taken, aged.also_queues, aged.priority_class, aged.kind) == (3, [company.billing.pk], 2, "callback")

    def test_a_kind_that_stays_is_changed_by_no_step(self, company: Company) -> None:
        """Not in its queue, after a repetition or in another queue; an offer of it as what it was is taken back, and it keeps its place."""
        company.profile.work_rows.create(kind="callback", weight=6)
        for queue in (company.service, company.billing):
            queue.steps.create(after_seconds=30, becomes_kind="callback")
        before = wait("c1")
        with clock.at(clock.now() + later(31)):
            dispatch_all()
            ann = company.agent("ann")
            presence.set_state(ann, "available")
            dispatch_all()
            assert (offers(ann), load(ann)) == (["c1"], 6)
            company.profile.work_rows.filter(kind="messaging").delete()
            assert queueing.keep_kind("c1", "messaging")
            assert (offers(ann), load(ann), item("c1").state) == ([], 0, "queued")
            wait("c1")
            queueing.requeue(item("c1"), queue=company.billing)
        with clock.at(clock.now() + later(90)):
            dispatch_all()
            after = item("c1")
            assert (after.kind, after.steps_taken, after.enqueued_at) == ("messaging", 1, before.enqueued_at)
        queueing.cancel("c1")
        assert not queueing.keep_kind("c1", "callback")

    def test_work_that_goes_to_another_queue_goes_through_the_steps_of_that_one(self, company: Company) -> None:
        """With its wait so far, and asking for its skills again."""
        company.urgent.steps.create(after_seconds=60, without_skills=True)
        company.billing.steps.create(after_seconds=30, raise_class_by=1)
        wait("gas", GAS)
        with clock.at(clock.now() + later(70)):
            dispatch_all()
            assert item("gas").required_skills == []
            moved = queueing.requeue(item("gas"), queue=company.billing)
        assert (moved.required_skills, moved.steps_taken, moved.priority_class) == (["gas"], 1, 1)

    def test_what_steps_raise_counts_once_whichever_queues_work_goes_through(self, company: Company) -> None:
        """Passed on, back again, or spoken of once more: the queue whose steps raise most decides."""
        company.service.steps.create(after_seconds=10, raise_class_by=1)
        company.billing.steps.create(after_seconds=20, raise_class_by=1)
        company.urgent.steps.create(after_seconds=20, raise_class_by=1)
        company.urgent.steps.create(after_seconds=30, raise_class_by=2)
        waiting = wait("c1")
        WorkItem.objects.update(priority_class=7)

        def passed_on(queue: Queue) -> int:
            return queueing.requeue(item("c1"), queue=queue).priority_class

        with clock.at(waiting.enqueued_at + later(25)):
            dispatch_all()
            assert item("c1").priority_class == 6
            assert [passed_on(company.billing), passed_on(company.service), passed_on(company.urgent)] == [6, 6, 6]
        with clock.at(waiting.enqueued_at + later(31)):
            dispatch_all()
            assert (item("c1").priority_class, passed_on(company.service), passed_on(company.urgent)) == (4, 4, 4)

    def test_who_speaks_again_is_not_raised_again(self, company: Company) -> None:
        """The same need comes into the same queue anew, and its steps count from its first time."""
        company.service.steps.create(after_seconds=10, raise_class_by=1)
        wait("c1")
        publish(make_draft([("Sooner", {}, {"handler": "human", "queue": "service", "priority_class": 2})]), by="tests")
        with clock.at(clock.now() + later(11)):
            dispatch_all()
            for _again in range(3):
                wait("c1")
        assert (item("c1").priority_class, item("c1").raised_by_steps) == (2, 1)


class TestAgeing:
    def test_work_rises_by_a_class_each_time_it_has_waited_long_enough(self, company: Company) -> None:
        """So that what is least urgent is answered some day, too."""
        ServiceLevel.objects.filter(code="standard").update(rise_every_seconds=100)
        wait("c1")
        WorkItem.objects.update(priority_class=4)
        for waited, expected in ((99, 4), (101, 3), (150, 3), (201, 2)):
            with clock.at(item("c1").enqueued_at + later(waited)):
                dispatch_all()
            assert item("c1").priority_class == expected, waited

    def test_waiting_alone_brings_nothing_before_what_is_urgent_by_itself(self, company: Company) -> None:
        """A smell of gas goes before the oldest question; a step may raise to class 1, since a manager said so."""
        ServiceLevel.objects.filter(code="standard").update(rise_every_seconds=100)
        old = wait("old")
        with clock.at(old.enqueued_at + later(10_000)):
            wait("gas", GAS)
            ann = company.agent("ann", skills=(company.gas,), state="away")
            presence.set_state(ann, "available")
            assert [item("old").priority_class, item("gas").priority_class] == [2, 1]
            assert Reservation.objects.order_by("pk").values_list("work_item__subject", flat=True)[0] == "gas"
        presence.set_state(ann, "away")
        company.service.steps.create(after_seconds=60, raise_class_by=8)
        wait("other")
        with clock.at(clock.now() + later(61)):
            dispatch_all()
        assert item("other").priority_class == 1

    def test_a_new_service_level_lets_nothing_starve(self) -> None:
        """Ageing is on unless a manager empties it."""
        made = ServiceLevel(code="new", name="New", answer_within_seconds=60)
        assert made.rise_every_seconds == made.max_wait_seconds

    def test_what_rose_goes_before_younger_work_of_the_class_it_rose_to(self, company: Company) -> None:
        """No flow of more urgent work starves it."""
        ServiceLevel.objects.filter(code="standard").update(rise_every_seconds=100)
        old = wait("old")
        with clock.at(old.enqueued_at + later(101)):
            wait("anger", ANGER)
            ann = company.agent("ann", state="away")
            presence.set_state(ann, "available")
        assert offers(ann) == ["old", "anger"]

    def test_what_waited_too_long_goes_first_in_its_class(self, company: Company) -> None:
        """And says so, once."""
        old = wait("old")
        WorkItem.objects.filter(pk=old.pk).update(deadline=old.deadline + timedelta(hours=1))
        with clock.at(old.enqueued_at + later(100)):
            wait("new")
        with clock.at(old.enqueued_at + later(601)):
            ann = company.agent("ann", state="away")
            presence.set_state(ann, "available")
        assert offers(ann) == ["old", "new"]

    def test_work_that_counts_from_an_earlier_time_is_as_old_as_that(self, company: Company) -> None:
        """A customer who comes back keeps what the first wait had earned."""
        company.service.steps.create(after_seconds=60, raise_class_by=2)
        first = wait("c1")
        assert first.decision
        again = queueing.enqueue(subject="c2", kind="messaging", decision=first.decision, since=first.enqueued_at - later(61))
        assert (again.priority_class, again.steps_taken) == (1, 1)


def test_a_new_step_reaches_work_that_waits_already(company: Company) -> None:
    """Managers who widen a queue in a rush mean the work that is in it."""
    wait("gas", GAS)
    ann = company.agent("ann")
    with clock.at(clock.now() + later(30)):
        assert dispatch_all() == 0
        company.urgent.steps.create(after_seconds=20, without_skills=True)
        assert dispatch_all() == 1
    assert offers(ann) == ["gas"]


def test_a_published_table_changes_nothing_of_what_waits(company: Company) -> None:
    """Ageing asks the decision that was made, not the table of today."""
    company.urgent.steps.create(after_seconds=60, raise_class_by=1)
    wait("gas", GAS)
    publish(make_draft([("All to the assistant", {}, {"handler": "assistant"})]), by="tests")
    with clock.at(clock.now() + later(61)):
        dispatch_all()
    assert (item("gas").priority_class, item("gas").required_skills) == (1, ["gas"])


def test_a_wait_stands_still_while_the_queue_is_closed(company: Company) -> None:
    """What comes in on Friday evening is not late, urgent or a call back on Monday morning because of the weekend."""
    hours = ServiceHours.objects.create(code="day", name="Day", time_zone="Europe/London", expression="Mo-Fr 08:00-18:00")
    Queue.objects.filter(pk=company.service.pk).update(hours=hours)
    ServiceLevel.objects.filter(code="standard").update(rise_every_seconds=400)
    company.service.steps.create(after_seconds=300, becomes_kind="callback")
    friday, monday = datetime(2026, 11, 20, 17, 59, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)
    with clock.at(friday):
        wait("c1")

    def at(moment: datetime) -> tuple[str, int, bool]:
        with clock.at(moment):
            dispatch_all()
        return item("c1").kind, item("c1").priority_class, item("c1").in_good_time

    assert at(friday + timedelta(hours=1)) == at(monday + later(239)) == ("messaging", 3, True)
    assert at(monday + later(240)) == ("callback", 3, True)
    assert at(monday + later(340)) == ("callback", 2, True)
    assert at(monday + later(540)) == ("callback", 2, False)
    assert item("c1").deadline == monday + later(60)
