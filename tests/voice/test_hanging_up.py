"""Each party hangs up at each step, in every order: nobody is left in silence, no leg is left over, and the work goes where it should.

What the platform would hear and do is followed beside the record: which legs are up, what each was told to do last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations

import pytest

from conversations import tasks
from conversations.models import CallSeat, Conversation, Entry, EntryPoint, OutsideNumber
from conversations.services import call_state
from routing.models import AgentProfile, Reservation, WorkItem
from routing.services import reservations
from tests.record import rows
from tests.voice.people import AGENTS_PHONE, BENS_PHONE, CLEOS_PHONE, Line, press, word_about
from tests.voice.platform import Caller, post
from tests.voice.rest_side import Platform

HEARD = ("talk", "barge")


@dataclass
class Floor(Line):
    """A call with the people on it, by the names of their legs, and what the platform knows."""

    legs_of: dict[str, str] = field(default_factory=dict)
    told_over: set[str] = field(default_factory=set)
    is_over: bool = False

    def rung(self, name: str, *, comes: bool = True) -> None:
        """Somebody's phone was rung last; they come on the call."""
        self.legs_of[name] = self.legs[-1]
        self.word("answered")
        if comes and "input" in self.platform.doors[self.legs[-1]]:
            assert "Connected" in press(self.platform, self.legs[-1], "1")

    def rings(self, name: str) -> None:
        self.legs_of[name] = self.legs[-1]

    def hangs_up(self, who: str) -> None:
        """Somebody's leg ends, the platform says so twice, and of every leg that this ends as well."""
        if who == "caller":
            self.is_over = True
            self.caller_hangs_up()
            self.caller_hangs_up()
        elif self.is_up(self.legs_of[who]):
            self.ends(self.legs_of[who])
        self.hears_what_ended()

    def ends(self, leg: str) -> None:
        self.told_over.add(leg)
        for _twice in range(2):
            word_about(self.platform, leg, "completed")

    def hears_what_ended(self) -> None:
        """The platform's word about the legs that it was asked to end."""
        while asked := [leg for leg in self.platform.ended() if leg not in self.told_over]:
            for leg in asked:
                if leg == self.caller.uuid:
                    self.is_over = True
                    self.told_over.add(leg)
                    self.caller_hangs_up()
                else:
                    self.ends(leg)

    def is_up(self, leg: str) -> bool:
        return leg not in self.told_over

    def must_be_right(self) -> None:
        """What has to be so after anything that happens."""
        up = {name for name, leg in self.legs_of.items() if self.is_up(leg)}
        live = {seat.name: seat for seat in CallSeat.objects.filter(interaction=self.call, state__in=CallSeat.LIVE_STATES)}
        assert up == set(live), "a leg without a place, or a place without its leg"
        if self.is_over:
            assert not live
            return
        last = self.platform.told(self.caller.uuid)[-1][-1] if self.platform.told(self.caller.uuid) else {"action": "input"}
        there = [seat for seat in live.values() if seat.state == "connected" and seat.manner in HEARD]
        if last["action"] == "conversation":
            assert [seat for seat in there if seat.purpose != "consult"], "the caller is alone in a room"
        elif last["action"] == "stream" and last.get("loop") == 0:
            waits_for_work = WorkItem.objects.filter(subject=self.subject, state__in=["queued", "reserved"]).exists()
            assert live or waits_for_work, "the caller hears music for nobody"
        else:
            assert last["action"] == "input", last
            assert not there, "people talk in a room that the caller is not in"

    @property
    def subject(self) -> str:
        return self.call.conversation.public_id.hex

    def work_must_be_right(self) -> None:
        """Somebody has the work, writes it up, or it waits; and whoever has it has the conversation."""
        work = WorkItem.objects.get(subject=self.subject)
        conversation = Conversation.objects.get(pk=self.call.conversation_id)
        held = Reservation.objects.filter(work_item=work, state__in=["accepted", "wrapping"]).first()
        assert work.state in ("queued", "reserved", "assigned", "wrapping")
        assert (held.agent_id if held else None) == conversation.owner_agent_id
        assert work.state != "assigned" or not self.is_over, "the call is over, and nobody writes it up"


Step = Callable[[Floor], None]


def ringing(floor: Floor) -> None:
    floor.connects("Ann")
    floor.rings("Ann")


def talking(floor: Floor) -> None:
    floor.connects("Ann")
    floor.rung("Ann")


def on_hold(floor: Floor) -> None:
    talking(floor)
    floor.does("Ann", "hold")


def parked(floor: Floor) -> None:
    talking(floor)
    floor.does("Ann", "park")
    floor.hears_what_ended()


def picked_up_again(floor: Floor) -> None:
    parked(floor)
    assert floor.client("Ann").post(floor.page("take-over")).status_code < 400
    floor.connects("Ann")
    floor.rung("Ann")


def asking(floor: Floor, how: str, name: str = "Ben") -> None:
    talking(floor)
    floor.does("Ann", "somebody", who=f"agent:{floor.agents[name].pk}", how=how)


def consult_ringing(floor: Floor) -> None:
    asking(floor, "consult")
    floor.rings("Ben")


def consulting(floor: Floor) -> None:
    asking(floor, "consult")
    floor.rung("Ben")


def handed_over(floor: Floor) -> None:
    consulting(floor)
    floor.does("Ann", "complete")
    floor.hears_what_ended()


def three_way(floor: Floor) -> None:
    consulting(floor)
    floor.does("Ann", "bring-in")


def join_ringing(floor: Floor) -> None:
    asking(floor, "add")
    floor.rings("Ben")


def joined(floor: Floor) -> None:
    asking(floor, "add")
    floor.rung("Ben")


def three_on_hold(floor: Floor) -> None:
    joined(floor)
    floor.does("Ann", "hold")


def outside(floor: Floor) -> OutsideNumber:
    return OutsideNumber.objects.get_or_create(name="Parts", number="+441632960199")[0]


def outside_ringing(floor: Floor) -> None:
    talking(floor)
    floor.does("Ann", "somebody", who=f"outside:{outside(floor).pk}", how="put_through")
    floor.rings("Parts")
    floor.hears_what_ended()


def put_through(floor: Floor) -> None:
    outside_ringing(floor)
    floor.rung("Parts")


def outside_consulted(floor: Floor) -> None:
    talking(floor)
    floor.does("Ann", "somebody", who=f"outside:{outside(floor).pk}", how="consult")
    floor.rung("Parts")


def supervised(floor: Floor, manner: str = "listen") -> None:
    talking(floor)
    floor.does("Cleo", f"supervise/{manner}")
    floor.rung("Cleo")


def barged(floor: Floor) -> None:
    supervised(floor, "barge")


def whispered(floor: Floor) -> None:
    consulting(floor)
    floor.does("Cleo", "supervise/whisper")
    floor.rung("Cleo")


STEPS: dict[Step, str] = {
    ringing: "Ann", talking: "Ann", on_hold: "Ann", parked: "", picked_up_again: "Ann", consult_ringing: "Ann Ben", consulting: "Ann Ben",
    handed_over: "Ben", three_way: "Ann Ben", join_ringing: "Ann Ben", joined: "Ann Ben", three_on_hold: "Ann Ben",
    outside_ringing: "Parts", put_through: "Parts", outside_consulted: "Ann Parts", supervised: "Ann Cleo", barged: "Ann Cleo",
    whispered: "Ann Ben Cleo",
}  # fmt: skip
"""Each step of a call with people, and who is on it then besides the caller."""


@pytest.fixture
def people(number: EntryPoint, platform: Platform) -> Iterator[dict[str, AgentProfile]]:
    """Ann and Ben, and Cleo who supervises. Nobody is offered anything: what there is they take."""
    numbers = {"Ann": AGENTS_PHONE, "Ben": BENS_PHONE, "Cleo": CLEOS_PHONE}
    found = {name: rows.agent(name, available=True, phone_number=number) for name, number in numbers.items()}
    found["Cleo"].user.is_staff = found["Cleo"].user.is_superuser = True
    found["Cleo"].user.save()
    yield found
    AgentProfile.objects.filter(pk__in=[agent.pk for agent in found.values()]).update(active=False)


def floor_of(platform: Platform, people: dict[str, AgentProfile], number: int) -> Floor:
    """A call that Ann has taken; what was left of another one is finished."""
    for subject in WorkItem.objects.filter(state__in=WorkItem.LIVE_STATES).values_list("subject", flat=True):
        reservations.complete(subject)
    caller = Caller(number=f"4477009{number:05d}")
    post("/voice/answer/", caller.answer())
    floor = Floor(caller, platform, people)
    assert floor.client("Ann").post(floor.page("take-over")).status_code < 400
    return floor


IN_EVERY_ORDER = {consulting, three_way, joined}
"""Steps at which two people who talk may have the caller after each other."""


def orders_of(parties: list[str], *, every: bool) -> list[list[str]]:
    """The orders in which they hang up: each of them first. With `every`, all but those that differ only after the caller is gone."""
    if not every:
        return [parties[first:] + parties[:first] for first in range(len(parties))]
    return list({order[: order.index("caller") + 1]: list(order) for order in permutations(parties)}.values())


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_nobody_is_left_alone(step: Step, platform: Platform, people: dict[str, AgentProfile]) -> None:
    """Whoever hangs up first, and then each of the others; where it matters most, in every order that can be told apart."""
    parties = ["caller", *STEPS[step].split()]
    for number, order in enumerate(orders_of(parties, every=step in IN_EVERY_ORDER)):
        floor = floor_of(platform, people, 10_000 + number)
        step(floor)
        floor.must_be_right()
        assert {name for name, leg in floor.legs_of.items() if floor.is_up(leg)} == set(parties[1:])
        for who in order:
            floor.hangs_up(who)
            floor.must_be_right()
        floor.work_must_be_right()
        assert tasks.end_lost_legs() == 0, "there is nothing left to be swept up"
        assert not any(floor.is_up(leg) for leg in floor.legs_of.values())


def test_who_hangs_up_while_asking_hands_over(platform: Platform, people: dict[str, AgentProfile]) -> None:
    """Conversation and work go to the colleague, and the caller comes to them; so do they from three on the line."""
    for number, step in enumerate((consulting, three_way, joined)):
        floor = floor_of(platform, people, 20_000 + number)
        step(floor)
        floor.hangs_up("Ann")
        assert floor.at == "room"
        assert floor.call.conversation.owner_agent == people["Ben"]
        assert floor.loads() == {"Ann": 0, "Ben": 6, "Cleo": 0}
        assert CallSeat.objects.get(interaction=floor.call, name="Ben", state="connected").purpose == "answer"
        floor.hangs_up("caller")


def test_a_completed_consult_moves_everything_at_once(platform: Platform, people: dict[str, AgentProfile]) -> None:
    """Work, owner, fence and the caller; whoever handed over controls nothing any more."""
    floor = floor_of(platform, people, 30_000)
    consulting(floor)
    fence = floor.call.conversation.fence
    assert floor.at == "hold"
    floor.does("Ann", "complete")
    conversation = floor.call.conversation
    assert (conversation.owner_agent, conversation.fence, floor.at) == (people["Ben"], fence + 1, "room")
    assert floor.loads() == {"Ann": 0, "Ben": 6, "Cleo": 0}
    assert floor.platform.ended() == [floor.legs_of["Ann"]]
    floor.does("Ann", "hold", 409)
    floor.does("Ben", "hold")
    assert Entry.objects.filter(kind="call.handed_over", interaction=floor.call).count() == 1


def test_a_colleague_without_room_is_brought_in_and_not_handed_over_to(platform: Platform, people: dict[str, AgentProfile]) -> None:
    floor = floor_of(platform, people, 31_000)
    consulting(floor)
    AgentProfile.objects.filter(pk=people["Ben"].pk).update(capacity=5)
    try:
        assert "has no room" in floor.does("Ann", "complete", 409)
        assert (floor.at, floor.people()) == ("hold", ["Ann", "Ben"])
        floor.hangs_up("Ann")
        assert (floor.at, floor.people()) == ("room", ["Ben"])
        assert floor.call.conversation.owner_agent == people["Ann"], "she writes it up"
    finally:
        AgentProfile.objects.filter(pk=people["Ben"].pk).update(capacity=6)


@pytest.mark.parametrize("status", ["rejected", "busy", "timeout", "failed", "no key", "key"])
def test_a_colleague_who_does_not_come_gives_the_caller_back(status: str, platform: Platform, people: dict[str, AgentProfile]) -> None:
    floor = floor_of(platform, people, 32_000)
    consult_ringing(floor)
    if status in ("key", "no key"):
        press(platform, floor.legs_of["Ben"], "2" if status == "key" else None)
    else:
        word_about(platform, floor.legs_of["Ben"], status)
    assert (floor.at, floor.people()) == ("room", ["Ann"])
    said = [body["text"] for _method, path, body in platform.requests if path.endswith(f"{floor.legs_of['Ann']}/talk")]
    assert said == ["Ringing Ben. The caller hears music and not you.", "Ben did not come to the phone."]


def test_asking_can_be_ended(platform: Platform, people: dict[str, AgentProfile]) -> None:
    floor = floor_of(platform, people, 33_000)
    consulting(floor)
    floor.does("Ann", "cancel")
    floor.hears_what_ended()
    floor.must_be_right()
    assert (floor.at, floor.people(), call_state.place_of(floor.call).at) == ("room", ["Ann"], "room")


def machine_at(floor: Floor, name: str, **more: str) -> None:
    """The platform has heard a machine on a leg; such an event names the leg otherwise than the others."""
    body = Caller(uuid=floor.legs_of[name]).event("machine", direction="outbound", **more)
    body["call_uuid"] = body.pop("uuid")
    assert post(floor.platform.doors[floor.legs_of[name]]["event"], body).status_code == 204


def test_a_machine_at_a_number_outside_takes_no_caller(platform: Platform, people: dict[str, AgentProfile]) -> None:
    """A greeting may be a switchboard's; at the beep the caller who is alone with it is taken back, and the leg is ended."""
    floor = floor_of(platform, people, 34_000)
    put_through(floor)
    rung = [body for method, path, body in platform.requests if method == "POST" and path.endswith("/v1/calls")]
    assert ["advanced_machine_detection" in body for body in rung] == [False, True], "an agent presses a key, which no machine does"
    machine_at(floor, "Parts")
    assert (floor.at, floor.people()) == ("room", ["Parts"])
    for _twice in range(2):
        machine_at(floor, "Parts", sub_state="beep_start")
    assert (floor.at, floor.people()) == ("voice", [])
    assert "Parts cannot be reached at the moment." in platform.said_to(floor.caller)[-1]
    assert platform.ended()[-1] == floor.legs_of["Parts"]
    floor.hears_what_ended()
    floor.must_be_right()
    assert CallSeat.objects.get(interaction=floor.call, name="Parts").outcome == "machine"
    assert Entry.objects.filter(kind="call.machine", interaction=floor.call).count() == 1


def test_who_asked_a_number_outside_decides_about_its_machine(platform: Platform, people: dict[str, AgentProfile]) -> None:
    """They hear it, and may leave a message."""
    floor = floor_of(platform, people, 35_000)
    outside_consulted(floor)
    machine_at(floor, "Parts")
    machine_at(floor, "Parts", sub_state="beep_start")
    assert (floor.at, floor.people()) == ("hold", ["Ann", "Parts"])
    assert Entry.objects.filter(kind="call.machine", interaction=floor.call).count() == 1
