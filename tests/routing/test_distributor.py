"""The distributor's promises with many workers at once, killed dispatchers and clocks that differ, counted from the rows."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from routing import clock
from routing.models import Interruption, Reservation, WorkItem
from routing.services import presence, reservations
from routing.services.dispatch import dispatch_all
from tests.routing import rush
from tests.routing.conftest import Company
from tests.routing.line import item, offers, wait


@pytest.fixture
def company(deciding_company: Company) -> Company:
    return deciding_company


@pytest.mark.parametrize(("seed", "interrupts"), [(1, []), (2, ["messaging"])])
def test_eight_workers_at_once_break_no_promise(company: Company, seed: int, interrupts: list[str]) -> None:
    """Nobody has two owners or too much, nobody is overtaken, and every piece reaches its end; also where calls interrupt chats."""
    company.profile.work_rows.filter(kind="live_voice").update(interrupts=interrupts)
    rush.fill_the_line(300)
    agents = rush.crew(company, 24)
    assert rush.work_through(agents, workers=8, seed=seed) == []
    assert rush.violations() == {}
    assert set(WorkItem.objects.values_list("state", flat=True)) == {"completed"}
    assert sum(agent.load + agent.laid_aside for agent in type(agents[0]).objects.all()) == 0
    assert Interruption.objects.exists() == bool(interrupts)


def test_whenever_eight_workers_stop_nothing_waits_that_somebody_free_could_take(company: Company) -> None:
    """Each event has its pass, and none is lost between passes that run at once: another look, as the sweep takes it, finds nothing."""
    rush.fill_the_line(300)
    agents = rush.crew(company, 24)
    left = []
    for seed in range(12):
        assert rush.work_through(agents, workers=8, seed=seed, looks=1) == []
        left.append((WorkItem.objects.filter(state="queued").count(), dispatch_all()))
    assert left[0][0] > 100, "there was something that could have been left"
    assert [found for _waiting, found in left] == [0] * 12
    assert rush.violations() == {}


def test_the_counts_of_violations_can_find_some(company: Company) -> None:
    """Offers made past the line, as no pass makes them: in their own lane an inversion, in whatever lane passing somebody over."""
    rush.fill_the_line(40)
    company.agent("nobody", state="away", skills=tuple(company.skill(code) for code in rush.SKILLS))
    ann = company.agent("ann", state="away", capacity=2)

    def offered_past_the_line(work: WorkItem) -> dict[str, int]:
        now = clock.now()
        made = Reservation.objects.create(work_item=work, agent=ann, state="rescinded", weight=1, reason="-", expires_at=now, ended_at=now)
        found = rush.violations()
        made.delete()
        return found

    line = WorkItem.objects.filter(state="queued").order_by("priority_class", "in_good_time", "deadline", "pk")
    for_anybody = [work for work in line if work.kind == "messaging" and not work.required_skills]
    alone_in_its_lane = next(work for work in for_anybody[1:] if work.lane != for_anybody[0].lane)
    assert offered_past_the_line(for_anybody[-1]) == {"inversions": 1, "passed over": 1}
    assert offered_past_the_line(alone_in_its_lane) == {"passed over": 1}, "the first of its lane"
    assert offered_past_the_line(for_anybody[0]) == {}, "those before it are calls, too heavy for them, or need skills that they lack"


def test_a_dispatcher_that_is_killed_at_any_moment_leaves_the_line_whole(company: Company) -> None:
    """What it had not committed never was; the next pass goes on."""
    rush.fill_the_line(400)
    agents = rush.crew(company, 12)
    for agent in agents:
        type(agent).objects.filter(pk=agent.pk).update(capacity=60)
    company.profile.work_rows.update(max_at_once=30, weight=2)
    chance = random.Random(7)

    def be_a_dispatcher() -> None:
        while True:
            for agent in agents:
                presence.set_state(agent, "away")
                presence.set_state(agent, "available")
                for offered in Reservation.objects.filter(agent=agent, state="pending")[:3]:
                    reservations.accept(offered.pk, agent)

    for _ in range(6):
        before = Reservation.objects.count()
        process = rush.in_its_own_process(be_a_dispatcher)
        until = time.monotonic() + 30
        while Reservation.objects.count() == before and time.monotonic() < until and before < 300:
            time.sleep(0.005)
        time.sleep(chance.random() / 20)
        process.kill()
        process.join()
        assert rush.violations() == {}
    for agent in agents:
        presence.set_state(agent, "available")
    dispatch_all()
    assert rush.violations() == {}
    assert Reservation.objects.filter(state__in=["pending", "accepted"]).count() >= 300


class TestClocks:
    @pytest.mark.parametrize("minutes", [-7, 7])
    def test_a_dispatcher_whose_clock_is_wrong_goes_by_the_databases(self, company: Company, minutes: int) -> None:
        """Offers, their ends, deadlines and presence are of one time, whoever writes them."""
        ann = company.agent("ann")
        before = clock.now()
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            wait("c1")
            offered = Reservation.objects.get()
            assert reservations.expire_due() == 0
            assert presence.leave_the_silent() == 0
            reservations.accept(offered.pk, ann)
            reservations.complete("c1")
        offered.refresh_from_db()
        moments = [offered.offered_at, offered.accepted_at, offered.ended_at, item("c1").enqueued_at, item("c1").ended_at]
        assert all(moment and before <= moment <= clock.now() for moment in moments)
        assert timedelta(0) < offered.expires_at - offered.offered_at < timedelta(minutes=2)

    def test_two_dispatchers_whose_clocks_differ_make_one_line(self, company: Company) -> None:
        """Work that the one whose clock runs ahead brings in does not stand behind what comes later."""
        with time_machine.travel(timezone.now() + timedelta(minutes=9)):
            wait("first")
        with time_machine.travel(timezone.now() - timedelta(minutes=9)):
            wait("second")
        ann = company.agent("ann", state="away")
        presence.set_state(ann, "available")
        assert offers(ann) == ["first", "second"]
