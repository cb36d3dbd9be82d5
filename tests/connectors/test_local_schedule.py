"""The local schedule: areas, free windows, and bookings that cannot overlap."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.connectors import registry
from conversations.connectors.schedule import (
    BookedVisit,
    BookVisit,
    CancelVisit,
    CheckArea,
    FindSlots,
    MoveVisit,
    NoSuchVisit,
    NotServed,
    SlotTaken,
    VisitsOfConversations,
)
from conversations.models import Booking, Conversation, Customer, Technician, TechnicianShift
from routing.models import ServiceHours, ServiceHoursException, Territory, TerritoryPostcode

LONDON = ZoneInfo("Europe/London")
# A Monday in winter, before anybody's shift.
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
schedule = registry.schedule()


@pytest.fixture
def now():
    """Monday, 23 November 2026, 06:00 in London."""
    with time_machine.travel(MONDAY, tick=False):
        yield MONDAY


@pytest.fixture
def harbor(db) -> Territory:
    """Two technicians who work Monday 08:00-12:00 and 10:00-14:00 in HB1 and HB12."""
    harbor = Territory.objects.create(code="harbor", name="Harbor")
    for prefix in ("HB1", "HB12"):
        TerritoryPostcode.objects.create(territory=harbor, prefix=prefix)
    for name, starts, ends in (("Jo", time(8), time(12)), ("Kit", time(10), time(14))):
        technician = Technician.objects.create(name=name, time_zone="Europe/London")
        technician.territories.add(harbor)
        TechnicianShift.objects.create(technician=technician, weekday=0, starts=starts, ends=ends)
    return harbor


@pytest.fixture
def conversation(db) -> Conversation:
    """A customer's open conversation."""
    customer = Customer.objects.create(name="Sam Okafor")
    return Conversation.objects.create(customer=customer, original_customer=customer)


def at(hour: int) -> datetime:
    """That hour of the Monday, in London."""
    return datetime(2026, 11, 23, hour, tzinfo=LONDON)


def visit(conversation: Conversation, start: datetime, key: str = "key-1", postcode: str = "HB1 4QT") -> BookVisit:
    """A visit to book."""
    return BookVisit(
        conversation=conversation.public_id, service="Boiler repair", name="Sam Okafor", phone="+447700900123",
        postcode=postcode, start=start, idempotency_key=key,
    )  # fmt: skip


def free(postcode: str = "HB1 4QT", limit: int = 20) -> list[tuple[int, int]]:
    """Start and end hours, in London, of the free windows of the Monday."""
    found = schedule.find_slots(FindSlots(postcode, at(0), at(23), limit))
    return [(slot.start.astimezone(LONDON).hour, slot.end.astimezone(LONDON).hour) for slot in found]


class TestAreas:
    def test_the_longest_prefix_decides(self, harbor: Territory) -> None:
        """A longer prefix of another territory wins over a shorter one."""
        hills = Territory.objects.create(code="hills", name="Hills")
        TerritoryPostcode.objects.create(territory=hills, prefix="HB14")
        assert schedule.check_area(CheckArea("hb1 4qt")).territory == "hills"
        assert schedule.check_area(CheckArea("HB1 5QT")).territory == "harbor"

    @pytest.mark.parametrize("postcode", ["", "ZZ9 9ZZ", "§§§", "H", "x" * 100_000, "' or 1=1 --", "HB\x001"])
    def test_what_is_not_served_is_said_not_raised(self, harbor: Territory, postcode: str) -> None:
        """Any text is a question that has an answer."""
        assert schedule.check_area(CheckArea(postcode)).served is (postcode == "HB\x001")


class TestSlots:
    def test_windows_of_two_hours_each_once_earliest_first(self, harbor: Territory, now: datetime) -> None:
        """Two technicians who are free in the same window are one offer."""
        assert free() == [(8, 10), (10, 12), (12, 14)]

    def test_a_booked_window_stays_while_another_technician_is_free(
        self, harbor: Territory, conversation: Conversation, now: datetime
    ) -> None:
        """The window goes with the last technician who could come."""
        schedule.book(visit(conversation, at(10), "a"))
        assert free() == [(8, 10), (10, 12), (12, 14)]
        schedule.book(visit(conversation, at(10), "b"))
        assert free() == [(8, 10), (12, 14)]

    def test_nothing_starts_within_the_hour(self, harbor: Territory) -> None:
        """Somebody has to get there."""
        with time_machine.travel(at(9) + timedelta(minutes=1), tick=False):
            assert free() == [(12, 14)]

    def test_summer_time_is_the_technicians_clock(self, harbor: Territory) -> None:
        """A shift at 08:00 is 08:00 on the wall, in summer as in winter."""
        monday = datetime(2027, 6, 7, 4, tzinfo=UTC)
        with time_machine.travel(monday, tick=False):
            slots = schedule.find_slots(FindSlots("HB1 4QT", monday, monday + timedelta(hours=20), 9))
        assert slots[0].start.isoformat() == "2027-06-07T08:00:00+01:00"

    def test_nobody_comes_on_a_public_holiday_or_a_closed_day(self, harbor: Territory) -> None:
        """Monday 28 December stands in for Boxing Day, and 4 January is closed by hand; the week after that is as ever."""
        office = ServiceHours.objects.create(
            code="office", name="Office", time_zone="Europe/London", country="GB", subdivision="ENG", expression="Mo-Fr 08:00-18:00; PH off"
        )
        ServiceHoursException.objects.create(hours=office, date=date(2027, 1, 4), expression="")
        Technician.objects.update(hours=office)
        with time_machine.travel(datetime(2026, 12, 24, 12, tzinfo=UTC), tick=False):
            found = schedule.find_slots(FindSlots("HB1 4QT", timezone.now(), timezone.now() + timedelta(days=20), 100))
        assert {slot.start.date() for slot in found} == {date(2027, 1, 11)}

    def test_outside_the_area_is_an_error_for_good(self, harbor: Territory, now: datetime) -> None:
        """Trying again does not help."""
        with pytest.raises(NotServed) as problem:
            schedule.find_slots(FindSlots("ZZ9 9ZZ", at(0), at(23)))
        assert problem.value.permanent

    def test_times_without_a_zone_are_refused(self, harbor: Territory) -> None:
        """A naive time is a mistake of the caller."""
        with pytest.raises(ValueError, match="time zone"):
            schedule.find_slots(FindSlots("HB1 4QT", datetime(2026, 11, 23), datetime(2026, 11, 24)))  # noqa: DTZ001


class TestBooking:
    def test_the_same_key_books_once(self, harbor: Territory, conversation: Conversation, now: datetime) -> None:
        """A repeated call gets the first booking."""
        first = schedule.book(visit(conversation, at(8)))
        assert schedule.book(visit(conversation, at(8))) == first
        assert Booking.objects.count() == 1
        assert first.start == at(8)
        assert first.reference.startswith("HH-")

    def test_a_lost_window_offers_what_is_left(
        self, harbor: Territory, conversation: Conversation, now: datetime
    ) -> None:
        """The error carries windows that are free."""
        schedule.book(visit(conversation, at(8), "a"))
        with pytest.raises(SlotTaken) as problem:
            schedule.book(visit(conversation, at(8), "b"))
        assert [slot.start for slot in problem.value.others][:2] == [at(10), at(12)]

    @pytest.mark.parametrize("hour", [5, 9, 22])
    def test_a_window_that_nobody_works_is_refused(
        self, harbor: Territory, conversation: Conversation, now: datetime, hour: int
    ) -> None:
        """Only windows of the schedule can be booked, whatever a caller asks for."""
        with pytest.raises(SlotTaken):
            schedule.book(visit(conversation, at(hour)))

    def test_moving_and_cancelling(self, harbor: Territory, conversation: Conversation, now: datetime) -> None:
        """A moved visit frees its old window; a cancelled one cannot be moved; both can be repeated."""
        reference = schedule.book(visit(conversation, at(8))).reference
        for _repeat in range(2):
            assert schedule.reschedule(MoveVisit(reference, at(12))).start == at(12)
        assert free() == [(8, 10), (10, 12)]
        for _repeat in range(2):
            assert schedule.cancel(CancelVisit(reference.lower())).cancelled
        with pytest.raises(NoSuchVisit):
            schedule.reschedule(MoveVisit(reference, at(8)))
        assert free() == [(8, 10), (10, 12), (12, 14)]

    def test_visits_of_a_conversation_are_its_own(
        self, harbor: Territory, conversation: Conversation, now: datetime
    ) -> None:
        """No other conversation's visit is listed, nor one that is over."""
        alex = Customer.objects.create(name="Alex")
        other = Conversation.objects.create(customer=alex, original_customer=alex)
        mine = schedule.book(visit(conversation, at(8)))
        assert schedule.visits_of_conversations(VisitsOfConversations((conversation.public_id,), now)) == (mine,)
        assert schedule.visits_of_conversations(VisitsOfConversations((other.public_id,), now)) == ()
        assert schedule.visits_of_conversations(VisitsOfConversations((conversation.public_id,), at(10))) == ()


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def _at_once(self, calls: list[BookVisit]) -> list[BookedVisit | SlotTaken]:
        results: list[BookedVisit | SlotTaken] = []
        start = threading.Barrier(len(calls))

        def run(arguments: BookVisit) -> None:
            try:
                with time_machine.travel(MONDAY, tick=False):
                    start.wait()
                    results.append(schedule.book(arguments))
            except SlotTaken as problem:
                results.append(problem)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(arguments,)) for arguments in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_one_of_many_gets_the_window(self, harbor: Territory, conversation: Conversation) -> None:
        """Six people want the one window that one technician has: one gets it, five are offered another."""
        results = self._at_once([visit(conversation, at(8), f"key-{number}") for number in range(6)])
        assert sum(isinstance(each, BookedVisit) for each in results) == 1
        assert sum(isinstance(each, SlotTaken) for each in results) == 5

    def test_the_same_key_at_once_books_once(self, harbor: Territory, conversation: Conversation) -> None:
        """Two workers that run the same call both get the same booking."""
        results = self._at_once([visit(conversation, at(10)) for _number in range(4)])
        assert {each.reference for each in results if isinstance(each, BookedVisit)} == {
            Booking.objects.get().reference
        }
        assert len(results) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["book", "move", "cancel"]), st.sampled_from([8, 10, 12]), st.integers(0, 3)), max_size=12
    )
)
def test_no_technician_is_ever_in_two_places(
    harbor: Territory, conversation: Conversation, now: datetime, steps: list[tuple[str, int, int]]
) -> None:
    """Whatever is booked, moved and cancelled: no overlap, and free windows are those not fully booked."""
    Booking.objects.all().delete()
    references: list[str] = []
    for number, (what, hour, which) in enumerate(steps):
        try:
            if what == "book":
                references.append(schedule.book(visit(conversation, at(hour), f"step-{number}")).reference)
            elif references and what == "move":
                schedule.reschedule(MoveVisit(references[which % len(references)], at(hour)))
            elif references:
                schedule.cancel(CancelVisit(references[which % len(references)]))
        except (SlotTaken, NoSuchVisit):
            continue
    held = list(Booking.objects.filter(state="booked").values_list("technician__name", "window"))
    assert len({(name, window.lower) for name, window in held}) == len(held)
    for start, technicians in ((8, {"Jo"}), (10, {"Jo", "Kit"}), (12, {"Kit"})):
        busy = {name for name, window in held if window.lower == at(start)}
        assert ((start, start + 2) in free()) == (busy < technicians)
