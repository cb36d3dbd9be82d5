"""A supervisor over a call, faults in the middle of each step, two who press at once, and what the database refuses."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from conversations import tasks
from conversations.models import CallSeat, Entry, EntryPoint, OutsideNumber
from routing.models import AgentProfile, WorkItem
from tests.record import rows
from tests.voice.people import AGENTS_PHONE, BENS_PHONE, CLEOS_PHONE, press
from tests.voice.platform import words_of
from tests.voice.rest_side import Platform
from tests.voice.test_hanging_up import Floor, consulting, floor_of, joined, on_hold, outside, people, supervised, talking

__all__ = ["people"]
PHONES = (AGENTS_PHONE, BENS_PHONE, CLEOS_PHONE)


@pytest.fixture
def floor(platform: Platform, people: dict[str, AgentProfile]) -> Iterator[Floor]:
    found = floor_of(platform, people, 40_000)
    yield found
    platform.changes_answer = 204
    found.hangs_up("caller")


def room_of(floor: Floor, name: str) -> dict[str, Any]:
    """The room that somebody's leg was told to go into last, while it was up."""
    return floor.platform.told(floor.legs_of[name])[-1][-1]


def notes() -> list[str]:
    return list(Entry.objects.filter(kind="call.supervised").order_by("pk").values_list("body", flat=True))


class TestSupervising:
    def test_only_with_the_permission(self, floor: Floor, people: dict[str, AgentProfile]) -> None:
        talking(floor)
        floor.does("Ben", "supervise/listen", 403)
        people["Ben"].user.is_staff = True
        people["Ben"].user.save()
        floor.does("Ben", "supervise/listen", 403)
        floor.does("Cleo", "supervise/shout", 404)
        assert floor.people() == ["Ann"]

    @pytest.mark.parametrize(
        ("manner", "words"),
        [
            ("listen", "you wanted to listen to the call of Ann."),
            ("whisper", "you wanted to speak to Ann, who is on a call. The caller will not hear you."),
            ("barge", "you wanted to speak on the call of Ann. Everybody will hear you."),
        ],
    )
    def test_the_phone_says_what_was_asked_for(self, floor: Floor, manner: str, words: str) -> None:
        talking(floor)
        floor.does("Cleo", f"supervise/{manner}")
        assert words in words_of(floor.platform.nccos()[-1])

    def test_from_listening_to_whispering_to_the_talk(self, floor: Floor) -> None:
        """The same room each time, with the lists that say who hears the supervisor; the customer is told of nothing."""
        talking(floor)
        floor.does("Cleo", "supervise/listen")
        floor.legs_of["Cleo"] = floor.legs[-1]
        floor.word("answered")
        response = press(floor.platform, floor.legs[-1], "1")
        assert "Connected" in response
        for manner, lists in (("whisper", {"canSpeak": [floor.legs_of["Ann"]]}), ("barge", {}), ("listen", {"canSpeak": []})):
            floor.does("Cleo", f"supervise/{manner}")
            told = room_of(floor, "Cleo")
            assert told["name"] == f"call-{floor.call.public_id.hex}"
            assert {name: told[name] for name in ("canSpeak", "canHear") if name in told} == lists
        floor.does("Cleo", "leave")
        assert notes() == [
            "Cleo listens in. Nobody hears them.",
            "Cleo listens in and speaks to colleagues alone.",
            "Cleo has joined the talk. Everybody hears them.",
            "Cleo has stopped listening.",
        ]
        seen = set(Entry.objects.filter(kind="call.supervised").values_list("audience", "actor_name"))
        assert seen == {("staff", "Cleo")}
        assert (floor.people(), floor.at) == (["Ann"], "room")

    def test_whoever_comes_is_whispered_to_as_well(self, floor: Floor, people: dict[str, AgentProfile]) -> None:
        supervised(floor, "whisper")
        floor.does("Ann", "somebody", who=f"agent:{people['Ben'].pk}", how="add")
        floor.rung("Ben")
        assert sorted(room_of(floor, "Cleo")["canSpeak"]) == sorted([floor.legs_of["Ann"], floor.legs_of["Ben"]])
        floor.hangs_up("Ben")
        assert room_of(floor, "Cleo")["canSpeak"] == [floor.legs_of["Ann"]]

    def test_a_change_that_the_platform_does_not_do_is_taken_back(self, floor: Floor) -> None:
        supervised(floor)
        floor.platform.refused_legs[floor.legs_of["Cleo"]] = 503
        floor.does("Cleo", "supervise/barge", 409)
        assert CallSeat.objects.get(name="Cleo", ended_at=None).manner == "listen"

    def test_nobody_listens_to_a_caller_alone(self, floor: Floor) -> None:
        assert floor.does("Cleo", "supervise/listen", 409) == "No colleague is on this call now."

    def test_the_board_offers_it(self, floor: Floor) -> None:
        talking(floor)
        work = WorkItem.objects.get(subject=floor.subject)
        assert "call/supervise/listen" in floor.client("Cleo").get(f"/inbox/board/work/{work.pk}/").text


class TestFaults:
    """The platform does not do what is asked in the middle of a step; afterwards all is as the record says."""

    @pytest.mark.parametrize("code", [404, 429, 500, 503])
    def test_a_colleague_who_cannot_be_rung(self, floor: Floor, people: dict[str, AgentProfile], code: int) -> None:
        talking(floor)
        floor.platform.code = code
        floor.does("Ann", "somebody", 409, who=f"agent:{people['Ben'].pk}", how="consult")
        floor.platform.code = 201
        assert (floor.at, floor.people()) == ("room", ["Ann"])
        floor.must_be_right()

    @pytest.mark.parametrize("code", [429, 500, 503])
    def test_a_caller_who_cannot_be_moved_as_a_colleague_is_to_be_asked(
        self, floor: Floor, people: dict[str, AgentProfile], code: int
    ) -> None:
        talking(floor)
        floor.platform.refused_legs[floor.caller.uuid] = code
        floor.does("Ann", "somebody", 409, who=f"agent:{people['Ben'].pk}", how="consult")
        assert floor.platform.dialled() == 1, "nobody is rung for a caller who is not on hold"
        del floor.platform.refused_legs[floor.caller.uuid]
        tasks.end_lost_legs()
        assert (floor.at, floor.people()) == ("room", ["Ann"])
        floor.must_be_right()

    @pytest.mark.parametrize("action", ["complete", "bring-in", "cancel"])
    def test_a_caller_who_cannot_be_taken_from_hold_is_by_the_sweep(self, floor: Floor, action: str) -> None:
        consulting(floor)
        floor.platform.refused_legs[floor.caller.uuid] = 503
        floor.does("Ann", action)
        floor.hears_what_ended()
        del floor.platform.refused_legs[floor.caller.uuid]
        tasks.end_lost_legs()
        assert floor.at == "room"
        floor.must_be_right()

    def test_a_leg_that_did_not_end_is_ended_again(self, floor: Floor) -> None:
        joined(floor)
        leg = floor.legs_of["Ann"]
        floor.platform.refused_legs[leg] = 503
        floor.does("Ann", "leave")
        del floor.platform.refused_legs[leg]
        CallSeat.objects.filter(leg_id=leg).update(ended_at=timezone.now() - timedelta(seconds=30))
        before = floor.platform.ended().count(leg)
        tasks.end_lost_legs()
        assert floor.platform.ended().count(leg) == before + 1

    def test_a_caller_who_is_gone_by_the_time_of_a_move_leaves_nobody(self, floor: Floor) -> None:
        consulting(floor)
        floor.platform.refused_legs[floor.caller.uuid] = 404
        floor.does("Ann", "bring-in")
        assert floor.people() == []
        assert set(floor.platform.ended()) >= {floor.legs_of["Ann"], floor.legs_of["Ben"]}


class TestAtOnce:
    def both(self, floor: Floor, one: str, other: str) -> list[int]:
        together = Barrier(2)
        first, second = floor.client("Ann"), floor.client("Ann")

        def press_button(client: Any, action: str) -> int:
            together.wait(30)
            try:
                return int(client.post(floor.page(f"call/{action}")).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(press_button, client, action) for client, action in ((first, one), (second, other))]
            return [each.result(60) for each in asked]

    @pytest.mark.parametrize(
        ("one", "other"), [("complete", "cancel"), ("complete", "complete"), ("bring-in", "cancel"), ("complete", "bring-in")]
    )
    def test_two_presses_leave_one_of_their_outcomes(self, floor: Floor, one: str, other: str) -> None:
        consulting(floor)
        codes = self.both(floor, one, other)
        assert set(codes) <= {204, 409}, codes
        assert 204 in codes
        floor.hears_what_ended()
        floor.must_be_right()
        assert floor.at == "room"

    def test_hold_and_resume_at_once(self, floor: Floor) -> None:
        """Whichever comes last, the caller is where the record says."""
        on_hold(floor)
        assert set(self.both(floor, "hold", "resume")) <= {204, 409}
        tasks.end_lost_legs()
        last = floor.platform.told(floor.caller.uuid)[-1][-1]["action"]
        assert last == {"room": "conversation", "hold": "stream"}[floor.at]


class TestRules:
    """What the database refuses."""

    def seat(self, floor: Floor, **values: Any) -> CallSeat:
        agent = rows.agent("Dora", phone_number="+441632960114")
        given = {"agent": agent, "name": "Dora", "purpose": "join", "until": timezone.now(), "interaction": floor.call} | values
        return CallSeat.objects.create(**given)

    @pytest.mark.parametrize(
        ("rule", "values"),
        [
            ("call_has_one_person_who_has_the_caller", {"purpose": "answer"}),
            ("call_has_one_consult_at_a_time", {"purpose": "consult"}),
            ("call_seat_is_of_an_agent_or_of_an_outside_number", {"agent": None}),
            ("only_supervisors_listen_whisper_or_barge", {"manner": "listen"}),
            ("only_supervisors_listen_whisper_or_barge", {"purpose": "supervise"}),
            ("call_seat_purpose_is_known", {"purpose": "watch"}),
            ("call_seat_has_the_outcome_and_times_of_its_state", {"state": "connected"}),
            ("call_seat_has_the_outcome_and_times_of_its_state", {"state": "ended", "outcome": "left", "ended_at": timezone.now()}),
            ("only_who_is_on_the_call_is_muted", {"muted": True}),
        ],
    )
    def test_what_cannot_be_is_refused(self, floor: Floor, rule: str, values: dict[str, Any]) -> None:
        consulting(floor)
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            self.seat(floor, **values)

    def test_a_person_is_on_one_call_at_a_time(self, floor: Floor, people: dict[str, AgentProfile]) -> None:
        talking(floor)
        with pytest.raises(IntegrityError, match="person_is_on_one_call_at_a_time"), transaction.atomic():
            self.seat(floor, agent=people["Ann"])

    def test_a_number_outside_is_one(self, number: EntryPoint) -> None:
        with pytest.raises(IntegrityError, match="outside_number_is_e164"), transaction.atomic():
            OutsideNumber.objects.create(name="Parts", number="01632 960199")

    def test_an_outside_number_is_asked_in_private_and_handed_over_to(self, floor: Floor) -> None:
        talking(floor)
        floor.does("Ann", "somebody", who=f"outside:{outside(floor).pk}", how="consult")
        floor.rung("Parts")
        assert floor.at == "hold"
        floor.does("Ann", "complete")
        floor.hears_what_ended()
        floor.must_be_right()
        assert (floor.at, floor.people()) == ("room", ["Parts"])
