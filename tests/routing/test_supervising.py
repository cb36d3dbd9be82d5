"""What supervisors do to the line and to agents, and what agents' silence does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from routing import clock
from routing.models import Presence, Queue, Reservation, ServiceHours
from routing.selectors import line
from routing.services import presence, queueing, reservations, supervising, waits
from routing.services.reservations import NoCapacity
from tests.routing.conftest import Company
from tests.routing.line import item, load, offer_of, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


class TestPausedQueues:
    def test_nothing_of_a_paused_queue_is_offered_until_it_goes_on(self, company: Company) -> None:
        """Its work keeps waiting; other queues go on."""
        supervising.pause_queue(company.service, by="kim", why="fire drill")
        ann = company.agent("ann")
        wait("c1")
        assert offers(ann) == []
        paused = Queue.objects.get(pk=company.service.pk)
        assert (paused.paused_by, paused.paused_why, paused.paused_at is not None) == ("kim", "fire drill", True)
        supervising.resume_queue(company.service)
        assert offers(ann) == ["c1"]

    def test_pausing_twice_keeps_the_first_time(self, company: Company) -> None:
        """Two supervisors press at once."""
        supervising.pause_queue(company.service, by="kim")
        supervising.pause_queue(company.service, by="lee")
        assert Queue.objects.get(pk=company.service.pk).paused_by == "kim"


class TestClass:
    def test_raised_work_goes_first(self, company: Company) -> None:
        """Whatever came before it."""
        wait("c1")
        wait("c2")
        supervising.change_class(item("c2"), 1)
        ann = company.agent("ann", state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["c2", "c1"]

    @pytest.mark.parametrize("number", [0, 10])
    def test_a_class_that_does_not_exist_is_refused(self, company: Company, number: int) -> None:
        """From 1 to 9."""
        with pytest.raises(ValueError, match="from 1 to 9"):
            supervising.change_class(wait("c1"), number)

    def test_taken_work_keeps_its_class(self, company: Company) -> None:
        """Somebody has it."""
        ann = company.agent("ann")
        wait("c1")
        reservations.accept(offer_of("c1").pk, ann)
        with pytest.raises(queueing.WorkEnded):
            supervising.change_class(item("c1"), 1)


class TestGiving:
    def test_waiting_work_is_offered_to_the_agent_that_was_named(self, company: Company) -> None:
        """Whoever else is free."""
        bob = company.agent("bob", state="away")
        wait("c1")
        offered = supervising.offer_to(item("c1"), bob, by="Kim")
        assert (offers(bob), load(bob), offered.reason) == (["c1"], 2, "Kim gave it to them.")
        assert supervising.offer_to(item("c1"), bob, by="Kim").pk == offered.pk

    def test_an_offer_to_somebody_else_and_taken_work_are_taken_back(self, company: Company) -> None:
        """Their capacity is theirs again."""
        ann = company.agent("ann")
        bob = company.agent("bob", state="away")
        wait("c1")
        supervising.offer_to(item("c1"), bob, by="Kim")
        assert (load(ann), load(bob)) == (0, 2)
        reservations.accept(offer_of("c1").pk, bob)
        supervising.offer_to(item("c1"), ann, by="Kim")
        assert (load(ann), load(bob), item("c1").state) == (2, 0, "reserved")
        assert set(Reservation.objects.values_list("state", flat=True)) == {"rescinded", "completed", "pending"}

    def test_nobody_is_given_more_than_fits(self, company: Company) -> None:
        """A supervisor cannot overload anybody either."""
        ann = company.agent("ann", capacity=1)
        wait("c1")
        with pytest.raises(NoCapacity):
            supervising.offer_to(item("c1"), ann, by="Kim")
        assert (item("c1").state, load(ann)) == ("queued", 0)

    def test_ended_work_is_given_to_nobody(self, company: Company) -> None:
        """It is over."""
        ann = company.agent("ann", state="away")
        wait("c1")
        ended = item("c1")
        queueing.cancel("c1")
        with pytest.raises(queueing.WorkEnded):
            supervising.offer_to(ended, ann, by="Kim")


class TestPresence:
    def test_a_profile_says_how_many_offers_in_a_row_may_be_missed(self, company: Company) -> None:
        """The second one makes them away; taking one in between counts anew."""
        company.profile.missed_offers_before_away = 2
        company.profile.save()
        ann = company.agent("ann")
        wait("c1")
        self.miss()
        assert Presence.objects.get(agent=ann).state == "available"
        wait("c2")
        reservations.accept(offer_of("c2").pk, ann)
        wait("c3")
        self.miss()
        assert Presence.objects.get(agent=ann).state == "available"
        wait("c4")
        self.miss()
        assert (Presence.objects.get(agent=ann).state, Presence.objects.get(agent=ann).missed_in_a_row) == ("away", 2)

    def miss(self) -> None:
        with clock.at(Reservation.objects.filter(state="pending").latest("pk").expires_at):
            assert reservations.expire_due() == 1

    def test_a_supervisor_who_sets_somebodys_state_is_named(self, company: Company) -> None:
        """Until the agent sets it themselves."""
        ann = company.agent("ann")
        assert presence.set_state(ann, "away", "training", by="Kim").set_by == "Kim"
        wait("c1")
        assert offers(ann) == []
        assert presence.set_state(ann, "available").set_by == ""
        assert offers(ann) == ["c1"]


class TestWrapUp:
    def test_writing_up_ends_by_itself_when_its_time_is_over(self, company: Company) -> None:
        """And the next customer is served."""
        company.profile.work_rows.filter(kind="messaging").update(wrap_up_seconds=30, max_at_once=1)
        ann = company.agent("ann")
        wait("c1")
        reservations.accept(offer_of("c1").pk, ann)
        wait("c2")
        reservations.wrap_up("c1")
        assert reservations.end_wrap_ups() == []
        with clock.at(clock.now() + timedelta(seconds=31)):
            assert reservations.end_wrap_ups() == ["c1"]
            assert reservations.end_wrap_ups() == []
        assert (item("c1").state, offers(ann)) == ("completed", ["c2"])

    def test_without_a_limit_it_takes_as_long_as_it_takes(self, company: Company) -> None:
        """And talking again stops the clock."""
        ann = company.agent("ann")
        wait("c1")
        reservations.accept(offer_of("c1").pk, ann)
        reservations.wrap_up("c1")
        company.profile.work_rows.filter(kind="messaging").update(wrap_up_seconds=30)
        with clock.at(clock.now() + timedelta(days=1)):
            assert reservations.end_wrap_ups() == []
            reservations.talk_again("c1")
            reservations.wrap_up("c1")
            reservations.talk_again("c1")
        with clock.at(clock.now() + timedelta(days=2)):
            assert reservations.end_wrap_ups() == []


class TestWaits:
    def test_the_position_is_that_in_the_line_of_the_queue(self, company: Company) -> None:
        """Classes count, and so does what is only offered."""
        wait("c1")
        wait("c2")
        wait("c3")
        supervising.change_class(item("c3"), 1)
        assert [line.position(item(name)) for name in ("c3", "c1", "c2")] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("opened_minutes_ago", "minutes"), [(240, 20), (12, 8), (1, 5 / 3 * 2)], ids=["long ago", "lately", "just now"]
    )
    def test_the_time_in_which_it_was_closed_counts_for_nothing(self, company: Company, opened_minutes_ago: int, minutes: float) -> None:
        """Just after opening, the pace is that since then; those who begin at the same moment tell little of it."""
        now = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
        opens = now - timedelta(minutes=opened_minutes_ago)
        expression = f"Mo-Fr {opens:%H:%M}-18:00"
        company.service.hours = ServiceHours.objects.create(code="day", name="Day", time_zone="UTC", expression=expression)
        company.service.save()
        with clock.at(now - timedelta(seconds=30)):
            ann = company.agent("ann")
            for taken in range(3):
                wait(f"t{taken}")
                reservations.accept(offer_of(f"t{taken}").pk, ann)
            presence.set_state(ann, "away")
            wait("c1")
            wait("c2")
        assert waits.estimated_wait(item("c2"), now) == timedelta(minutes=minutes)

    def test_the_wait_is_estimated_from_how_fast_the_queue_moved(self, company: Company) -> None:
        """Nothing is promised from nothing, nor from the one piece that somebody happened to take."""
        ann = company.agent("ann")
        for taken in range(3):
            wait(f"t{taken}")
            assert waits.estimated_wait(item(f"t{taken}"), clock.now()) is None
            reservations.accept(offer_of(f"t{taken}").pk, ann)
        presence.set_state(ann, "away")
        wait("c1")
        wait("c2")
        assert waits.estimated_wait(item("c2"), clock.now()) == timedelta(minutes=20)
        supervising.pause_queue(company.service, by="Kim", why="Fire drill")
        assert waits.estimated_wait(item("c2"), clock.now()) is None, "nobody knows how long it stays paused"
