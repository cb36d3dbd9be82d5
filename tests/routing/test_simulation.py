"""A day played through the command: figures worked out by hand, the company's policy, and what it leaves behind: nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command

from routing.models import AgentSkill, Queue, Reservation, RoutingProfileQueue, RoutingProfileWork, RoutingStep
from routing.services import queueing, supervising
from routing.signals import presence_changed, reservation_changed, work_item_changed
from routing.simulation.overtaking import Overtaking
from tests.routing.conftest import Company
from tests.routing.line import GAS, item, wait
from tests.routing.simulating import files, pieces, simulate

ANN = "Ann,2026-11-27 09:00,2026-11-27 10:00,"
FIVE_CALLS = """
2026-11-27 09:00:00,600,300,3,,live_voice,service
2026-11-27 09:01:00,120,300,3,,live_voice,service
2026-11-27 09:02:00,600,60,3,,live_voice,service
2026-11-27 09:04:00,,120,3,,live_voice,service
2026-11-27 09:10:00,600,60,3,,live_voice,service
"""


@pytest.fixture
def company(committed_company: Company) -> Company:
    return committed_company


def outcomes(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Of each piece: what became of it, its wait, and who had it."""
    return [(row["outcome"], row["wait_s"], row["agent"]) for row in rows]


class TestFigures:
    def test_a_day_worked_out_by_hand(self, company: Company, tmp_path: Path) -> None:
        """Ann takes the 1st until 9:05; the 2nd gives up at 9:03; the 3rd waits 3 minutes, the 4th 2, the 5th not at all."""
        found = simulate(tmp_path, FIVE_CALLS, ANN)
        (service,), everything = found["queues"], found["all"]
        assert service == {
            "queue": "service",
            "came": 5,
            "answered": 4,
            "gave_up": 1,
            "still_waiting": 0,
            "had_to_wait": 60.0,
            "wait_mean": 75.0,
            "wait_median": 60.0,
            "wait_p95": 180.0,
            "level_seconds": 120,
            "service_level": 60.0,
            "abandonment": 20.0,
            "occupancy": 15.0,
            "inversions": 0,
        }
        assert everything == service | {"queue": "", "level_seconds": None}

    def test_each_queue_is_measured_by_its_own_service_level(self, company: Company, tmp_path: Path) -> None:
        """A wait of a minute is too long for urgent work (20 s) and not for service (120 s); both share Ann's hour."""
        trace = """
2026-11-27 09:00:00,,60,3,,live_voice,service
2026-11-27 09:00:00,,540,3,,live_voice,urgent
2026-11-27 09:09:00,,60,3,,live_voice,service
"""
        urgent, service = sorted(simulate(tmp_path, trace, ANN)["queues"], key=lambda queue: queue["level_seconds"])
        assert (urgent["service_level"], urgent["occupancy"]) == (0.0, 15.0)
        assert (service["service_level"], service["occupancy"]) == (100.0, pytest.approx(100 / 30))

    def test_lighter_work_takes_its_share_of_an_agent(self, company: Company, tmp_path: Path) -> None:
        """Three messages at once are a full agent: for half an hour of one hour, half of them."""
        trace = "\n".join(["2026-11-27 09:00:00,,1800,3,,messaging,service"] * 4)
        (service,) = simulate(tmp_path, trace, ANN)["queues"]
        assert service["wait_p95"] == 1800.0
        assert service["occupancy"] == pytest.approx(100 * (3 * 2 + 2) / (6 * 2))

    def test_what_is_finished_after_the_shift_counts_within_it_only(self, company: Company, tmp_path: Path) -> None:
        """Ann leaves at ten: she ends what she has and takes nothing more."""
        trace = """
2026-11-27 09:30:00,,3600,3,,live_voice,service
2026-11-27 09:40:00,,60,3,,live_voice,service
"""
        (service,) = simulate(tmp_path, trace, ANN)["queues"]
        assert (service["answered"], service["still_waiting"], service["occupancy"]) == (1, 1, 50.0)
        assert service["service_level"] == 50.0

    def test_who_comes_back_gets_what_waits(self, company: Company, tmp_path: Path) -> None:
        """A break of ten minutes, in which somebody calls."""
        staffing = "Ann,2026-11-27 09:00,2026-11-27 09:30,\nAnn,2026-11-27 09:40,2026-11-27 10:00,"
        rows = pieces(tmp_path, "2026-11-27 09:35:00,,60,3,,live_voice,service", staffing)
        assert outcomes(rows) == [("answered", "300.0", "Ann")]

    def test_nobody_is_there_at_all(self, company: Company, tmp_path: Path) -> None:
        """No division by nothing."""
        found = simulate(tmp_path, "2026-11-27 09:00:00,30,60,3,,live_voice,service", "agent,from,to,skills")
        assert (found["all"]["gave_up"], found["all"]["occupancy"], found["all"]["wait_mean"]) == (1, None, None)

    def test_times_are_of_the_zone_that_is_named(self, company: Company, tmp_path: Path) -> None:
        """Nine in Kolkata is half past three in UTC, and a time with an offset is what it says."""
        staffing = "Ann,2026-11-27 03:30Z,2026-11-27 04:30Z,"
        rows = pieces(tmp_path, "2026-11-27 09:00:00,,60,3,,live_voice,service", staffing, time_zone="Asia/Kolkata")
        assert rows[0]["arrived_at"] == "2026-11-27T03:30:00+00:00"
        assert outcomes(rows) == [("answered", "0.0", "Ann")]

    def test_people_get_a_table(self, company: Company, tmp_path: Path) -> None:
        """With a row for each queue and one for all."""
        printed = StringIO()
        call_command("simulate_routing", *files(tmp_path, FIVE_CALLS, ANN), stdout=printed)
        head, service, everything, *_rest = printed.getvalue().splitlines()
        assert head.split()[:3] == ["queue", "came", "answered"]
        assert " ".join(service.split()) == "service 5 4 1 (20.0 %) 0 60.0 % 1:15 min 1:00 min 3:00 min 2:00 min 60.0 % 15.0 % 0"
        assert everything.startswith("all")


class TestPolicy:
    def test_more_urgent_work_goes_first(self, company: Company, tmp_path: Path) -> None:
        """Class 1 before class 3, whenever it came."""
        trace = """
2026-11-27 09:00:00,,600,3,,live_voice,service
2026-11-27 09:01:00,,60,3,,live_voice,service
2026-11-27 09:02:00,,60,1,,live_voice,service
"""
        waits = {row["line"]: row["wait_s"] for row in pieces(tmp_path, trace, ANN)}
        assert waits == {"3": "0.0", "4": "600.0", "5": "480.0"}

    def test_only_who_has_the_skill_is_asked(self, company: Company, tmp_path: Path) -> None:
        """Bob waits for gas work; Ann has been idle for longer and may not take it."""
        staffing = f"{ANN}\nBob,2026-11-27 09:10,2026-11-27 10:00,gas"
        rows = pieces(tmp_path, "2026-11-27 09:00:00,,60,3,gas,live_voice,service", staffing)
        assert outcomes(rows) == [("answered", "600.0", "Bob")]

    def test_a_step_of_the_queue_asks_others(self, company: Company, tmp_path: Path) -> None:
        """After 90 seconds anybody may: found by the next sweep, at 9:01:35."""
        RoutingStep.objects.create(queue=company.service, after_seconds=92, without_skills=True)
        rows = pieces(tmp_path, "2026-11-27 09:00:00,,60,3,gas,live_voice,service", ANN)
        assert outcomes(rows) == [("answered", "95.0", "Ann")]

    def test_the_second_line_waits_as_long_as_its_profile_says(self, company: Company, tmp_path: Path) -> None:
        """Nobody else is there."""
        RoutingProfileQueue.objects.filter(queue=company.service).update(delay_seconds=60)
        rows = pieces(tmp_path, "2026-11-27 09:00:00,,60,3,,live_voice,service", ANN)
        assert outcomes(rows) == [("answered", "60.0", "Ann")]

    def test_what_is_laid_aside_stands_still(self, company: Company, tmp_path: Path) -> None:
        """Calls of five minutes and of one come into three chats of ten: these take sixteen, and no capacity for six of them."""
        company.profile.work_rows.filter(kind="live_voice").update(interrupts=["messaging"])
        chats = "\n".join(["2026-11-27 09:00:00,,600,3,,messaging,service"] * 3)
        calls = "2026-11-27 09:05:00,,300,3,,live_voice,service\n2026-11-27 09:11:00,,60,3,,live_voice,service"
        rows = pieces(tmp_path, f"{chats}\n{calls}", ANN)
        assert outcomes(rows) == [("answered", "0.0", "Ann")] * 5
        assert [row["finished_at"][11:16] for row in rows] == ["09:16"] * 3 + ["09:10", "09:12"]
        (service,) = simulate(tmp_path, f"{chats}\n{calls}", ANN)["queues"]
        assert service["occupancy"] == pytest.approx(100 * (3 * 2 * 600 + 6 * 360) / (6 * 3600))
        assert service["inversions"] == 0

    def test_agents_of_the_company_bring_their_skills_and_capacity(self, company: Company, tmp_path: Path) -> None:
        """By the name they sign in with or the one they show; what the file says of skills stands in their place."""
        company.agent("kim", skills=(company.gas,), capacity=2)
        trace = "\n".join(["2026-11-27 09:00:00,30,600,3,gas,messaging,service"] * 2)
        times = "2026-11-27 09:00,2026-11-27 10:00"
        for name in ("kim", "Kim"):
            assert [row["outcome"] for row in pieces(tmp_path, trace, f"{name},{times},")] == ["answered", "gave_up"]
        AgentSkill.objects.update(proficiency=2)
        Queue.objects.update(min_proficiency=3)
        assert [row["outcome"] for row in pieces(tmp_path, trace, f"kim,{times},gas")] == ["gave_up", "gave_up"]
        assert [row["outcome"] for row in pieces(tmp_path, trace, f"kim,{times},gas:3")] == ["answered", "gave_up"]

    def test_what_the_company_lacks_is_made_up_and_said(self, company: Company, tmp_path: Path) -> None:
        """A queue, a kind of work, a skill and an agent; one piece of such a kind takes all of an agent."""
        trace = "\n".join(["2026-11-27 09:00:00,,60,3,french,letters,post"] * 2)
        found = simulate(tmp_path, trace, f"{ANN}french")
        assert (found["all"]["wait_p95"], found["queues"][0]["level_seconds"]) == (60.0, 20)
        assert [word for note in found["notes"] for word in ("post", "letters", "Ann") if word in note] == ["post", "letters", "Ann"]

    def test_without_a_company_everything_is_made_up(self, transactional_db: None, tmp_path: Path) -> None:
        """An installation on its first day."""
        found = simulate(tmp_path, "2026-11-27 09:00:00,,60,3,,call,", ANN)
        assert (found["queues"][0]["queue"], found["all"]["answered"]) == ("simulated", 1)

    def test_queues_that_are_asked_for(self, company: Company, tmp_path: Path) -> None:
        """Lines of others are left out, which is said; one queue alone is that of lines without one."""
        trace = "2026-11-27 09:00:00,,60,3,,live_voice,\n2026-11-27 09:00:00,,60,3,,live_voice,urgent"
        found = simulate(tmp_path, trace, ANN, queue=["billing"])
        assert [(queue["queue"], queue["came"]) for queue in found["queues"]] == [("billing", 1)]
        assert "1 lines of other queues were left out." in found["notes"]

    def test_a_queue_that_is_paused_now_is_not_in_the_plan(self, company: Company, tmp_path: Path) -> None:
        """It is about another day."""
        supervising.pause_queue(company.service, by="kim")
        assert simulate(tmp_path, FIVE_CALLS, ANN)["all"]["answered"] == 4


class TestNothingIsLeft:
    def test_no_row_of_the_company_changes_and_nobody_hears_of_it(self, company: Company, tmp_path: Path) -> None:
        """Every table of routing and of users, row by row; screens that listen are told nothing."""
        kim = company.agent("kim", skills=(company.gas,))
        heard: list[Any] = []

        def hear(**told: Any) -> None:
            heard.append(told)

        for signal in (presence_changed, reservation_changed, work_item_changed):
            signal.connect(hear)
        before = all_rows()
        assert simulate(tmp_path, FIVE_CALLS, f"{kim.user.username},2026-11-27 09:00,2026-11-27 10:00,")["all"]["answered"] == 4
        assert all_rows() == before
        assert heard == []

    def test_numbers_are_not_used_up(self, company: Company, tmp_path: Path) -> None:
        """The next row of the company follows the last one."""
        last = Queue.objects.order_by("-pk")[0].pk
        simulate(tmp_path, "2026-11-27 09:00:00,,60,3,,letters,post", ANN)
        assert Queue.objects.create(code="new", name="New", service_level=company.urgent.service_level).pk == last + 1


def all_rows() -> dict[str, list[str]]:
    models = [model for app in ("routing", "auth") for model in apps.get_app_config(app).get_models(include_auto_created=True)]
    return {model._meta.label: sorted(map(repr, model._default_manager.values_list())) for model in models}


class TestOvertaking:
    """The watch over the order: a supervisor gives work away before its turn, which the distributor never does."""

    @pytest.fixture
    def two_wait(self, deciding_company: Company) -> Company:
        wait("c1")
        wait("c2")
        return deciding_company

    def overtaken(self, company: Company, subject: str, **agent: Any) -> bool:
        ann = company.agent("ann", state="away", **agent)
        supervising.offer_to(item(subject), ann, by="Kim")
        watch = Overtaking([ann])
        now = item(subject).enqueued_at
        return watch.happened(item(subject).pk, ann.pk, [], now)

    def test_the_second_before_the_first_is_seen(self, two_wait: Company) -> None:
        """Both are of one class, and Ann could have had either."""
        assert self.overtaken(two_wait, "c2")

    def test_the_first_before_the_second_is_right(self, two_wait: Company) -> None:
        """As it should be."""
        assert not self.overtaken(two_wait, "c1")

    def test_what_the_agent_may_not_take_is_passed_over_rightly(self, deciding_company: Company) -> None:
        """Gas work waits for others; here it is of the same class and queue."""
        first = wait("c1", GAS)
        queueing.requeue(first, queue=deciding_company.service)
        wait("c2")
        supervising.change_class(item("c2"), 1)
        assert not self.overtaken(deciding_company, "c2")
        AgentSkill.objects.create(agent=deciding_company.profile.agents.get(), skill=deciding_company.gas)
        ann = deciding_company.profile.agents.get()
        assert Overtaking([ann]).happened(item("c2").pk, ann.pk, [], item("c2").enqueued_at)

    def test_another_class_is_another_line(self, two_wait: Company) -> None:
        """More urgent work goes first."""
        supervising.change_class(item("c2"), 2)
        assert not self.overtaken(two_wait, "c2")

    def test_no_room_for_the_first_is_no_inversion(self, two_wait: Company) -> None:
        """It is heavier than what the agent has room for."""
        RoutingProfileWork.objects.filter(kind="messaging").update(max_at_once=1)
        ann = two_wait.agent("ann", state="away")
        offered = supervising.offer_to(item("c2"), ann, by="Kim")
        now = item("c2").enqueued_at
        assert Overtaking([ann]).happened(offered.work_item_id, ann.pk, [], now)
        assert not Overtaking([ann]).happened(offered.work_item_id, ann.pk, [(2, "messaging")], now)
        assert Reservation.objects.count() == 1
