"""Rows about the webhooks: signed, tried again, sent to the fallback, late, garbled, repeated, out of order."""

import hashlib
import json
import time

from django.conf import settings

from conversations.voice.simulator import faults
from tests.voice.checklist import LISTENING, WAITING, claims_of, over, row
from tests.voice.exchange_side import Application, dial, eventually


@row("webhooks are signed for their very body, each with an id of its own")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING)
    await eventually(lambda: "answered" in application.events(caller.leg))
    claims = [*await claims_of(application, "event"), *await claims_of(application, "answer")]
    assert len({each["jti"] for each in claims}) == len(claims)
    body = json.dumps(application.bodies("answer")[0]).encode()
    (last,) = await claims_of(application, "answer")
    assert last["payload_hash"] == hashlib.sha256(body).hexdigest()
    assert (last["iss"], last["api_key"], last["application_id"]) == ("Vonage", settings.VONAGE_API_KEY, settings.VONAGE_APPLICATION_ID)


@row("an answer webhook that fails: twice, the fallback twice with the original request, then the call is dropped")
async def _(application: Application) -> None:
    application.will("answer", 503)
    application.will("fallback", 503)
    caller = await dial(application)
    assert (await over(caller, application))["status"] == "failed"
    names = [path.strip("/").rsplit("/", 1)[-1] for path, _body, _headers in application.taken]
    assert [name for name in names if name != "event"] == ["answer", "answer", "fallback", "fallback"]
    body = application.bodies("fallback")[0]
    assert body["original_request"] == {"url": f"{application.url}/voice/answer/", "type": "answer"}
    assert (body["reason"], body["uuid"]) == ("Connection closed.", caller.leg)
    assert len({each["jti"] for each in await claims_of(application, "answer")}) == 1


@row("an input webhook that fails: twice, the fallback twice, then the call goes on with what it has")
async def _(application: Application) -> None:
    application.will("event", 503)
    application.will("fallback", 503)
    caller = await dial(application, [LISTENING, {"action": "talk", "text": "Going on."}, *WAITING])
    await caller.until_doing("listening")
    await caller.do("say", text="Hello")
    await caller.until_heard("Going on.")
    assert [body["original_request"]["type"] for body in application.bodies("fallback")] == ["event", "event"]


@row("the fallback's answer is as good as the first")
async def _(application: Application) -> None:
    application.will("answer", 429)
    application.will("fallback", [{"action": "talk", "text": "From the fallback."}, *WAITING])
    await (await dial(application)).until_heard("From the fallback.")


@row("500 and 404 are no reason to try again")
async def _(application: Application) -> None:
    application.will("answer", 500)
    caller = await dial(application)
    assert (await over(caller, application))["status"] == "failed"
    assert (len(application.bodies("answer")), len(application.bodies("fallback"))) == (1, 0)


for fault, tries, fails in (
    ("answered-in-time", ["answer"], False),
    ("answered-too-late", ["answer", "answer"], False),
    ("answered-too-late-twice", ["answer", "answer", "fallback"], False),
    ("refused-once", ["answer"], False),
    ("refused-twice", ["fallback"], False),
    ("never-reached", [], True),
):

    @row(f"fault: {fault}")
    async def _(application: Application, fault: str = fault, tries: list[str] = tries, fails: bool = fails) -> None:
        application.will("fallback", WAITING)

        caller = await dial(application, WAITING, **faults.read({"faults": [fault]}))
        if fails:
            assert (await over(caller, application))["status"] == "failed"
        else:
            await caller.until_doing("waiting")
        names = [path.strip("/").rsplit("/", 1)[-1] for path, _body, _headers in application.taken]
        assert [name for name in names if name != "event"] == tries


@row("a garbled answer: an error event, and the end")
async def _(application: Application) -> None:
    caller = await dial(application, b"<html>")
    assert (await over(caller, application))["status"] == "completed"
    await eventually(lambda: "error" in application.events())


@row("an empty answer ends a call that was not answered, and lets one that was go on")
async def _(application: Application) -> None:
    application.will("answer", 204)
    assert (await over(await dial(application), application))["disconnected_by"] == "platform"
    caller = await dial(application, [LISTENING, {"action": "talk", "text": "Going on."}, *WAITING])
    await caller.until_doing("listening")
    await caller.do("say", text="Hello")
    await caller.until_heard("Going on.")


@row("an NCCO that cannot be run, and barge-in that no input follows: an error event, and the end")
async def _(application: Application) -> None:
    for ncco in ([{"action": "sing"}], [{"action": "talk", "text": "Hello", "bargeIn": True}, *WAITING]):
        caller = await dial(application, ncco)
        assert (await over(caller, application))["disconnected_by"] == "platform"
    reasons = [body["reason"] for body in application.bodies("event") if "reason" in body]
    assert [reason.partition(".")[0] for reason in reasons] == ["Syntax error in NCCO"] * 2
    assert "bargeIn" in reasons[1]


@row("events twice, and in any order")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING, repeat_events=2, shuffle_events=True)
    await caller.until_doing("waiting")
    assert not application.events(caller.leg)
    await caller.do("hang_up")
    await eventually(lambda: len(application.events(caller.leg)) == 8)
    assert sorted(application.events(caller.leg)) == sorted(["started", "ringing", "answered", "completed"] * 2)


@row("completed before answered")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING, completed_first=True)
    await caller.until_doing("waiting")
    await caller.do("hang_up")
    await eventually(lambda: application.events(caller.leg) == ["started", "ringing", "completed", "answered"])


@row("a clock that is forty seconds ahead or behind")
async def _(application: Application) -> None:
    for skew in (40, -40):
        await dial(application, WAITING, clock_skew=skew)
        await eventually(lambda: application.bodies("answer"))
        claims = await claims_of(application, "answer")
        assert abs(claims[-1]["iat"] - time.time() - skew) < 10
        application.taken.clear()


@row("a wrong hash, no token, and a token that comes again")
async def _(application: Application) -> None:
    await dial(application, WAITING, wrong_hash=True)
    (claims,) = await claims_of(application, "answer")
    assert claims["payload_hash"] != hashlib.sha256(json.dumps(application.bodies("answer")[0]).encode()).hexdigest()
    application.taken.clear()
    await dial(application, WAITING, unsigned=True)
    await eventually(lambda: application.bodies("answer"))
    assert [headers for path, _body, headers in application.taken if path.endswith("answer/") and "Authorization" not in headers]
    application.taken.clear()
    await dial(application, WAITING, replay=True)
    await eventually(lambda: len(application.bodies("answer")) == 2)
    assert len({each["jti"] for each in await claims_of(application, "answer")}) == 1
