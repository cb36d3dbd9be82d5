"""One row that is broken, or hours that cannot be read any more, keep nothing else from going on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from routing import clock
from routing.models import AgentProfile, Presence, Queue, Reservation, RoutingProfile, RoutingStep, ServiceHours, WorkItem
from routing.selectors import invariants
from routing.services import hours, presence, reservations
from routing.services.dispatch import dispatch_all
from tests.routing.conftest import Company
from tests.routing.line import GAS, item, offer_of, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


def break_load_of(agent: AgentProfile) -> None:
    """A load that is not what they hold, as the database lets nobody store: their reservations cannot end."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        AgentProfile.objects.filter(pk=agent.pk).update(load=0)
        cursor.execute("SET session_replication_role = DEFAULT")


@contextmanager
def nothing_weighs_five() -> Iterator[None]:
    """A pass that would make an offer of that weight fails meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE routing_reservation ADD CONSTRAINT nothing_weighs_five CHECK (weight <> 5)")
        yield
        cursor.execute("ALTER TABLE routing_reservation DROP CONSTRAINT nothing_weighs_five")


class TestSweeps:
    def test_an_offer_that_cannot_end_keeps_no_other_from_its_end(self, company: Company) -> None:
        """It is the first to be tried, each time; the sweep says that it failed, when all had their turn."""
        ann = company.agent("ann")
        wait("first")
        presence.set_state(ann, "away")
        bob = company.agent("bob")
        wait("second")
        Reservation.objects.update(expires_at=F("offered_at") - timedelta(minutes=1))
        break_load_of(ann)
        with pytest.raises(ExceptionGroup, match="1 of 2 pieces"):
            reservations.expire_due()
        assert (item("first").state, item("second").state) == ("reserved", "queued")
        assert Presence.objects.get(agent=bob).away_reason == reservations.MISSED_AN_OFFER

    def test_writing_up_that_cannot_end_keeps_no_other_from_its_end(self, company: Company) -> None:
        """The same of the sweep of writing-up."""
        company.profile.work_rows.update(wrap_up_seconds=0)
        for name in ("ann", "bob"):
            agent = company.agent(name)
            wait(f"{name}'s")
            reservations.accept(offer_of(f"{name}'s").pk, agent)
            reservations.wrap_up(f"{name}'s")
            presence.set_state(agent, "away")
        break_load_of(AgentProfile.objects.get(user__username="ann"))
        with pytest.raises(ExceptionGroup):
            reservations.end_wrap_ups()
        assert (item("ann's").state, item("bob's").state) == ("wrapping", "completed")

    def test_a_group_whose_pass_fails_keeps_no_other_from_its_own(self, company: Company) -> None:
        """Whatever it is that fails."""
        company.urgent.group = "another"
        company.urgent.save()
        only_urgent = RoutingProfile.objects.create(name="Only urgent")
        only_urgent.queue_rows.create(queue=company.urgent)
        only_urgent.work_rows.create(kind="messaging", weight=5)
        wait("urgent", GAS)
        company.agent("busy", skills=(company.gas,), profile=only_urgent)
        ann = company.agent("ann", state="away")
        wait("ordinary")
        Presence.objects.filter(agent=ann).update(state="available")
        with nothing_weighs_five(), pytest.raises(ExceptionGroup):
            dispatch_all()
        assert (offers(ann), item("urgent").state) == (["ordinary"], "queued")

    def test_somebody_whose_load_is_wrong_stops_no_pass(self, company: Company, caplog: pytest.LogCaptureFixture) -> None:
        """They get nothing, whichever way it is wrong; the others of the same pass do, the log and `doctor` name them."""
        too_little, too_much = company.agent("a"), company.agent("b")
        wait("theirs")
        break_load_of(too_little if offer_of("theirs").agent == too_little else too_much)
        AgentProfile.objects.filter(load=0).exclude(pk=offer_of("theirs").agent_id).update(load=4)
        ann = company.agent("ann", state="away")
        Presence.objects.filter(agent=ann).update(state="available")
        wait("c1")
        wait("c2")
        assert offers(ann) == ["c1", "c2"]
        assert {record.getMessage().split(":")[0] for record in caplog.records if record.levelname == "ERROR"} == {
            f"agent {agent.pk} gets no offers" for agent in (too_little, too_much)
        }
        assert [line.split(" has load ")[0] for line in invariants.agents_whose_load_is_wrong()] == ["A", "B"]

    def test_who_is_heard_of_at_that_moment_stays_available(self, company: Company) -> None:
        """And who went offline stays offline: the sweep looks again when it holds their row."""
        ann, bob = company.agent("ann"), company.agent("bob")
        long_ago = clock.now() - 2 * presence.SILENT_FOR
        Presence.objects.update(last_heartbeat_at=long_ago)
        presence.heartbeat(ann)
        assert presence.leave_the_silent() == 1
        assert dict(Presence.objects.values_list("agent", "away_reason")) == {ann.pk: "", bob.pk: presence.CONNECTION_LOST}


class TestHoursThatCannotBeRead:
    """Such as after a release of the calendar of holidays that knows a region by another name. They count as always open."""

    @pytest.fixture
    def unreadable(self, company: Company) -> ServiceHours:
        made = ServiceHours.objects.create(code="desk", name="Desk", time_zone="Europe/London", expression="Mo 08:00-09:00; Sa lunch")
        Queue.objects.update(hours=made)
        return made

    def test_work_waits_is_offered_and_grows_older(self, company: Company, unreadable: ServiceHours) -> None:
        """By the clock alone; nobody is left without an answer."""
        RoutingStep.objects.create(queue=company.service, after_seconds=60, without_skills=True)
        waiting = wait("c1")
        assert waiting.deadline - waiting.enqueued_at == timedelta(seconds=120)
        with clock.at(waiting.enqueued_at + timedelta(seconds=61)):
            dispatch_all()
        assert item("c1").steps_taken == 1
        ann = company.agent("ann", state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["c1"]

    def test_they_are_open_and_named(self, unreadable: ServiceHours) -> None:
        """At every door; `doctor` warns of them."""
        now = clock.now()
        assert hours.is_open(unreadable, now)
        assert hours.next_opening(unreadable, now) == now
        assert len(hours.open_days(unreadable, now.date(), now.date() + timedelta(days=6))) == 7
        (found,) = hours.unreadable_hours()
        assert found[0] == unreadable
        assert "Sa lunch" in found[1]

    def test_so_are_hours_with_an_exceptional_day_that_cannot_be_read(self, unreadable: ServiceHours) -> None:
        """A single day is enough."""
        ServiceHours.objects.update(expression="Mo 08:00-09:00")
        unreadable.exceptions.create(date=clock.now().date(), expression="lunch")
        unreadable.refresh_from_db()
        assert hours.is_open(unreadable, clock.now())
        assert [each for each, _why in hours.unreadable_hours()] == [unreadable]


@pytest.mark.parametrize(
    ("state", "held_as"),
    [("queued", "pending"), ("assigned", "pending"), ("reserved", "accepted"), ("wrapping", "accepted"), ("reserved", "missing")],
)
def test_work_and_an_offer_that_disagree_are_named(company: Company, state: str, held_as: str) -> None:
    """Each way round; what agrees is not named."""
    company.agent("ann")
    wait("c1")
    wait("c2")
    assert invariants.work_that_disagrees_with_its_offer() == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        if held_as == "missing":
            Reservation.objects.filter(work_item__subject="c1").update(state="timeout", ended_at=clock.now())
        else:
            Reservation.objects.filter(work_item__subject="c1").update(state=held_as)
        WorkItem.objects.filter(subject="c1").update(state=state)
        cursor.execute("SET session_replication_role = DEFAULT")
    (named,) = invariants.work_that_disagrees_with_its_offer()
    assert named == f"Work item {item('c1').pk} is {state}, but its live reservation is {held_as}."


def test_nothing_waits_that_was_broken_when_it_is_put_right(company: Company) -> None:
    """The next sweep ends what could not be ended."""
    ann = company.agent("ann")
    wait("first")
    presence.set_state(ann, "away")
    Reservation.objects.update(expires_at=F("offered_at") - timedelta(minutes=1))
    break_load_of(ann)
    with pytest.raises(ExceptionGroup):
        reservations.expire_due()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        AgentProfile.objects.filter(pk=ann.pk).update(load=2)
        cursor.execute("SET session_replication_role = DEFAULT")
    assert reservations.expire_due() == 1
    assert WorkItem.objects.get().state == "queued"
