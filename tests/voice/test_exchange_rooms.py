"""The simulator's rooms and its REST requests on any leg: who hears whom, who waits, who ends with whom."""

from typing import Any

import pytest
from django.test import AsyncClient

from conversations.voice.simulator.checking import ACTIONS
from conversations.voice.simulator.interpreter import BEGINNINGS
from tests.voice.exchange_side import Application, Holder, dial, eventually, rest, ring

SIP = {"type": "sip", "uri": "sip:ann@phones.harbor.example"}


def room(name: str = "desk", **options: Any) -> list[dict[str, Any]]:
    return [{"action": "conversation", "name": name, **options}]


async def hears(holder: Holder) -> list[str]:
    found: list[str] = (await holder.look())["together"]["hears"]
    return found


async def in_a_room(application: Application, *, count: int = 3, **options: Any) -> list[Holder]:
    """A caller and people whom the company rang, all in one room."""
    caller = await dial(application, room(**options))
    await caller.until_doing("connected")
    people = [await ring(room(), to=f"44163296011{number}") for number in range(1, count)]
    for person in people:
        await person.do("answer")
        await person.until_doing("connected")
    return [caller, *people]


async def test_every_action_that_can_be_asked_for_is_run() -> None:
    assert BEGINNINGS.keys() == ACTIONS.keys()


async def change(holder: Holder, action: str, **more: Any) -> None:
    assert (await rest("PUT", f"/v1/calls/{holder.leg}", {"action": action, **more})).status_code == 204


async def test_everybody_in_a_room_hears_everybody_else(application: Application) -> None:
    caller, ann, kim = await in_a_room(application)
    assert await hears(caller) == sorted([ann.leg, kim.leg])
    await ann.do("say", text="Hello Sam")
    assert (await caller.until_heard("Hello Sam"))["speaker"] == "441632960111"
    await kim.until_heard("Hello Sam")
    assert "Hello Sam" not in await ann.heard()


async def test_a_room_is_told_by_an_event_and_all_are_in_one_conversation(application: Application) -> None:
    caller, ann, _kim = await in_a_room(application)
    moves = [body for body in application.bodies("event") if "conversation_uuid_to" in body]
    assert len({body["conversation_uuid_to"] for body in moves}) == 1
    assert {body["uuid"] for body in moves} >= {caller.leg, ann.leg}
    assert (await caller.look())["together"]["conversation"] == moves[0]["conversation_uuid_to"]


async def test_a_room_waits_with_music_for_the_one_who_starts_it(application: Application) -> None:
    music = "https://harbor.example/hold.mp3"
    caller = await dial(application, room(startOnEnter=False, musicOnHoldUrl=[music]))
    state = await caller.until_doing("on_hold")
    assert (state["together"]["music"], state["together"]["is_started"]) == (music, False)
    other = await ring(room(startOnEnter=False))
    await other.do("answer")
    await other.until_doing("on_hold")
    assert await hears(caller) == []
    ann = await ring(room())
    await ann.do("answer")
    state = await caller.until_doing("connected")
    assert (state["together"]["music"], await hears(caller)) == ("", sorted([ann.leg, other.leg]))


async def test_who_leaves_ends_nobody_elses_call_unless_it_was_asked(application: Application) -> None:
    caller, ann, kim = await in_a_room(application)
    await ann.do("hang_up")
    await caller.until_heard("The other person left.")
    assert await hears(caller) == [kim.leg]
    await kim.do("hang_up")
    await eventually(lambda: "completed" in application.events(kim.leg))
    assert (await caller.look())["doing"] == "connected"


async def test_end_on_exit_ends_everybody(application: Application) -> None:
    caller, ann, kim = await in_a_room(application, endOnExit=True)
    await caller.do("hang_up")
    for each in (ann, kim):
        await each.until_over()
    (over,) = (body for body in application.bodies("event") if body.get("uuid") == ann.leg and body.get("status") == "completed")
    assert over["disconnected_by"] == "platform"


async def test_a_transfer_out_of_a_room_leaves_it(application: Application) -> None:
    caller, ann, _kim = await in_a_room(application)
    ncco = [{"action": "talk", "text": "One moment."}, {"action": "wait", "timeout": 600}]
    await change(caller, "transfer", destination={"type": "ncco", "ncco": ncco})
    await caller.until_heard("One moment.")
    assert caller.leg not in await hears(ann)
    application.will("elsewhere", [{"action": "talk", "text": "As the address says."}, {"action": "wait", "timeout": 600}])
    await change(caller, "transfer", destination={"type": "ncco", "url": [f"{application.url}/elsewhere/"]})
    await caller.until_heard("As the address says.")
    assert application.bodies("elsewhere")[0]["uuid"] == caller.leg


async def test_the_action_transfer_goes_into_a_conversation_that_others_are_in(application: Application) -> None:
    caller, ann = await in_a_room(application, count=2)
    conversation = (await caller.look())["together"]["conversation"]
    listens = await ring([{"action": "transfer", "conversationId": conversation, "canSpeak": []}], to="441632960119")
    await listens.do("answer")
    await listens.until_doing("connected")
    assert await hears(listens) == sorted([caller.leg, ann.leg])
    assert await hears(caller) == [ann.leg]
    nowhere = await ring([{"action": "transfer", "conversationId": "CON-nobody"}], to="441632960118")
    await nowhere.do("answer")
    await nowhere.until_over()
    assert "error" in application.events()


async def test_mute_and_earmuff_on_any_leg(application: Application) -> None:
    caller, ann, kim = await in_a_room(application)
    await change(ann, "mute")
    await caller.until(lambda state: ann.leg not in state["together"]["hears"])
    assert await hears(ann) == sorted([caller.leg, kim.leg])
    await change(ann, "unmute")
    await change(caller, "earmuff")
    await caller.until(lambda state: state["together"]["hears"] == [])
    assert caller.leg in await hears(ann)
    await change(caller, "unearmuff")
    await caller.until(lambda state: state["together"]["hears"] == sorted([ann.leg, kim.leg]))


@pytest.mark.parametrize(
    ("lists", "supervisor_hears", "caller_hears", "agent_hears"),
    [
        ({}, "caller agent", "agent supervisor", "caller supervisor"),
        ({"canSpeak": []}, "caller agent", "agent", "caller"),
        ({"mute": True}, "caller agent", "agent", "caller"),
        ({"canSpeak": ["agent"]}, "caller agent", "agent", "caller supervisor"),
        ({"canSpeak": [], "canHear": ["caller"]}, "caller", "agent", "caller"),
        ({"canHear": []}, "", "agent supervisor", "caller supervisor"),
    ],
    ids=["three", "listens", "muted", "whispers", "one only", "deaf"],
)
async def test_a_supervisor_in_the_room(
    application: Application, lists: dict[str, Any], supervisor_hears: str, caller_hears: str, agent_hears: str
) -> None:
    caller, agent = await in_a_room(application, count=2)
    named = {"caller": caller.leg, "agent": agent.leg}
    asked = {option: [named[each] for each in value] if isinstance(value, list) else value for option, value in lists.items()}
    supervisor = await ring(room(**asked), to="441632960119")
    named["supervisor"] = supervisor.leg
    await supervisor.do("answer")
    await supervisor.until_doing("connected")
    wanted = {supervisor: supervisor_hears, caller: caller_hears, agent: agent_hears}
    for holder, names in wanted.items():
        assert await hears(holder) == sorted(named[name] for name in names.split())


async def test_a_connect_brings_two_legs_together_until_one_leaves(application: Application) -> None:
    whisper = {"url": f"{application.url}/whisper/"}
    application.will("whisper", [{"action": "talk", "text": "A customer about a boiler."}])
    endpoint = {"type": "phone", "number": "441632960111", "onAnswer": whisper}
    caller = await dial(application, [{"action": "connect", "from": "441632960100", "endpoint": [endpoint]}])
    await caller.until_doing("connecting")
    ann = Holder(await rung_leg())
    await ann.do("answer")
    await ann.until_heard("A customer about a boiler.")
    await caller.until_doing("connected")
    assert await hears(caller) == [ann.leg]
    assert "A customer about a boiler." not in await caller.heard()
    await ann.do("hang_up")
    assert (await caller.until_over())["status"] == "completed"


async def rung_leg() -> str:
    (leg,) = (await AsyncClient().get("/simulator/phone/ringing/")).json()["legs"]
    return str(leg["leg"])


async def test_a_synchronous_connect_goes_on_as_the_application_says(application: Application) -> None:
    application.will("connected", [{"action": "talk", "text": "Nobody is there."}, {"action": "wait", "timeout": 600}])
    endpoint = {"type": "phone", "number": "441632960111"}
    connect = {"action": "connect", "endpoint": [endpoint], "eventType": "synchronous", "eventUrl": [f"{application.url}/connected/"]}
    caller = await dial(application, [connect, {"action": "talk", "text": "Not this."}])
    await caller.until_doing("connecting")
    await Holder(await rung_leg()).do("busy")
    await caller.until_heard("Nobody is there.")
    assert "Not this." not in await caller.heard()
    assert application.bodies("connected")[-1]["status"] == "busy"


async def test_a_sip_phone_is_rung_and_named_in_every_event(application: Application) -> None:
    ann = await ring([{"action": "talk", "text": "Hello."}], to=SIP)
    await ann.do("answer")
    await ann.until_heard("Hello.")
    await ann.until_over()
    await eventually(lambda: "completed" in application.events(ann.leg))
    assert {body["to"] for body in application.bodies("event") if body.get("uuid") == ann.leg} == {SIP["uri"]}
    assert (await rest("GET", f"/v1/calls/{ann.leg}")).json()["to"] == SIP


class TestBesideTheCall:
    """What REST requests play into a leg, and take out of it, without changing what it is doing."""

    @pytest.fixture
    async def call(self, application: Application) -> Holder:
        caller = await dial(application, [{"action": "input", "type": ["speech"]}])
        await caller.until_doing("listening")
        return caller

    async def test_talk_and_its_end(self, call: Holder) -> None:
        answer = await rest("PUT", f"/v1/calls/{call.leg}/talk", {"text": "A word between.", "loop": 0})
        assert answer.json() == {"message": "Talk started", "uuid": call.leg}
        await call.until_heard("A word between.")
        assert (await call.look())["doing"] == "listening"
        assert (await rest("DELETE", f"/v1/calls/{call.leg}/talk")).json()["message"] == "Talk stopped"
        await call.until_heard("Stopped.")

    async def test_audio_and_its_end(self, call: Holder) -> None:
        address = "https://harbor.example/tune.mp3"
        answer = await rest("PUT", f"/v1/calls/{call.leg}/stream", {"stream_url": [address], "loop": 0})
        assert answer.json()["message"] == "Stream started"
        await call.until_heard(address)
        assert (await rest("DELETE", f"/v1/calls/{call.leg}/stream")).json()["message"] == "Stream stopped"

    async def test_keys_out(self, call: Holder) -> None:
        assert (await rest("PUT", f"/v1/calls/{call.leg}/dtmf", {"digits": "1p2#"})).json()["message"] == "DTMF sent"
        await call.until_heard("[1p2#]")

    async def test_keys_in_one_by_one(self, application: Application, call: Holder) -> None:
        assert (await rest("PUT", f"/v1/calls/{call.leg}/input/dtmf", {"event_url": [f"{application.url}/keys/"]})).status_code == 200
        for digit in "12":
            await call.do("key", digit=digit)
        await eventually(lambda: [body["dtmf"]["digits"] for body in application.bodies("keys")] == ["1", "2"])
        assert (await rest("DELETE", f"/v1/calls/{call.leg}/input/dtmf")).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", "", {"action": "dance"}),
            ("PUT", "", {"action": "transfer", "destination": {"type": "ncco", "ncco": [{"action": "sing"}]}}),
            ("PUT", "", {"action": "transfer", "destination": {"type": "ncco", "url": "https://x.example"}}),
            ("PUT", "/talk", {"text": ""}),
            ("PUT", "/stream", {"stream_url": "https://x.example"}),
            ("PUT", "/dtmf", {"digits": "12x"}),
            ("PUT", "/input/dtmf", {}),
        ],
    )
    async def test_what_the_platform_refuses(self, call: Holder, method: str, path: str, body: dict[str, Any]) -> None:
        answer = await rest(method, f"/v1/calls/{call.leg}{path}", body)
        assert answer.status_code == 400
        assert answer.json().keys() == {"type", "title", "detail", "instance", "invalid_parameters"}

    async def test_a_leg_that_is_over_is_gone_for_all_of_them(self, call: Holder) -> None:
        await change(call, "hangup")
        await call.until_over()
        for method, path, body in (
            ("PUT", "", {"action": "mute"}),
            ("PUT", "", {"action": "hangup"}),
            ("PUT", "/talk", {"text": "Hello"}),
            ("DELETE", "/talk", None),
            ("PUT", "/stream", {"stream_url": ["https://x.example/a.mp3"]}),
            ("PUT", "/dtmf", {"digits": "1"}),
            ("DELETE", "/input/dtmf", None),
        ):
            assert (await rest(method, f"/v1/calls/{call.leg}{path}", body)).status_code == 404, path
