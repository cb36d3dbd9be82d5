"""Rows about what becomes of a call: ends with and without an answer, machines, keys and silence."""

from typing import Any

from conversations.voice.simulator.ringing import ENDS
from tests.voice.checklist import LISTENING, WAITING, choose, over, row
from tests.voice.exchange_side import Application, dial, eventually, rest, ring

for status, details in ENDS.items():
    for detail, extra in details.items():

        @row(f"an end without an answer: {status} {detail}".strip())
        async def _(application: Application, status: str = status, detail: str = detail, extra: dict[str, Any] = extra) -> None:
            phone = await ring(WAITING)
            await phone.do(status, **({"detail": detail} if detail else {}))
            event = await over(phone, application)
            assert (event["status"], event.get("detail", ""), event.get("sip_code")) == (status, detail, extra.get("sip_code"))


@row("a phone that nobody picks up: timeout; one that the company gives up on: cancelled")
async def _(application: Application) -> None:
    phone = await ring(WAITING, ringing_timer=1)
    assert (await over(phone, application))["status"] == "timeout"
    phone = await ring(WAITING)
    await rest("PUT", f"/v1/calls/{phone.leg}", {"action": "hangup"})
    assert (await over(phone, application))["status"] == "cancelled"


@row("who hung up: the user or the platform; what it took and cost")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING)
    await caller.until_doing("waiting")
    await caller.do("hang_up")
    event = await over(caller, application)
    assert (event["disconnected_by"], event["sip_code"]) == ("user", 200)
    assert {"start_time", "end_time", "duration", "rate", "price", "network"} <= event.keys()
    phone = await ring(WAITING, length_timer=1)
    await phone.do("answer")
    assert (await over(phone, application))["disconnected_by"] == "platform"


@row("machine detection beside the call: human; machine, then its beep; hung up on")
async def _(application: Application) -> None:
    goes_on = {"advanced_machine_detection": {"behavior": "continue", "mode": "default"}}
    person = await ring(WAITING, **goes_on)
    await person.do("answer")
    await eventually(lambda: application.events(person.leg)[-1:] == ["human"])
    machine = await ring(WAITING, **goes_on)
    await machine.do("machine")
    await eventually(lambda: "machine" in application.events(machine.leg))
    await machine.do("machine")
    verdicts = await eventually(lambda: two([body for body in application.bodies("event") if body.get("status") == "machine"]))
    assert [body.get("sub_state") for body in verdicts] == [None, "beep_start"]
    assert all("uuid" not in body and body["call_uuid"] == machine.leg for body in verdicts)
    hung_up_on = await ring(WAITING, advanced_machine_detection={"behavior": "hangup"})
    await hung_up_on.do("machine")
    assert (await over(hung_up_on, application))["disconnected_by"] == "platform"


def two(found: list[Any]) -> list[Any]:
    return found if len(found) == 2 else []


@row("machine detection before the call: nothing is run until the verdict, and a beep that does not come")
async def _(application: Application) -> None:
    await choose(options={"speed": 20})
    detection = {"behavior": "continue", "mode": "detect_beep", "beep_timeout": 45}
    phone = await ring([{"action": "talk", "text": "Hello."}, *WAITING], advanced_machine_detection=detection)
    await phone.do("machine")
    assert "Hello." not in await phone.heard() or "machine" in application.events(phone.leg)
    await phone.until_heard("Hello.")
    verdicts = await eventually(lambda: two([body for body in application.bodies("event") if body.get("status") == "machine"]))
    assert verdicts[1]["sub_state"] == "beep_timeout"


@row("keys one by one while the call goes on, by the action and by a request")
async def _(application: Application) -> None:
    keys = {"action": "input", "type": ["dtmf"], "mode": "asynchronous", "eventUrl": [f"{application.url}/keys/"]}
    caller = await dial(application, [keys, {"action": "conversation", "name": "desk"}])
    await caller.until_doing("connected")
    for digit in "42":
        await caller.do("key", digit=digit)
    await eventually(
        lambda: [body["dtmf"] for body in application.bodies("keys")] == [{"digits": each, "timed_out": False} for each in "42"]
    )


@row("speech that keys overrode, silence, keys that ended, and keys that stopped")
async def _(application: Application) -> None:
    listening = LISTENING | {"eventUrl": [f"{application.url}/heard/"], "dtmf": {"submitOnHash": True, "timeOut": 2}}
    for keys, dtmf in (("12#", {"digits": "12", "timed_out": False}), ("12", {"digits": "12", "timed_out": True})):
        # At its own speed: twenty times faster, the time between two keys is over after a tenth of a second.
        caller = await dial(application, [listening], speed=1)
        await caller.until_doing("listening")
        for digit in keys:
            await caller.do("key", digit=digit)
        await caller.until_over()
        body = application.bodies("heard")[-1]
        assert (body["speech"], body["dtmf"]) == ({"error": "Speech overridden by DTMF"}, dtmf)
    await (await dial(application, [listening], patience=0.1)).until_over()
    assert application.bodies("heard")[-1]["speech"] == {"timeout_reason": "start_timeout", "results": []}
