"""Rows about the REST requests: who may ask, what is refused, what befalls a request."""

import json
import time
from datetime import UTC, datetime

import jwt
import pytest
import time_machine
from django.test import AsyncClient

from tests.voice.checklist import CALLER_ID, TO_ANN, WAITING, choose, row
from tests.voice.exchange_side import Application, dial, eventually, rest, token


@row("401 without, with a stale, another's or too long-lived token")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING)
    another = jwt.encode({"application_id": "x"}, "k" * 32, algorithm="HS256")
    now = int(time.time())
    for bearer in (
        "",
        "Bearer nonsense",
        f"Bearer {another}",
        f"Bearer {token(exp=now - 1)}",
        f"Bearer {token(application_id='another')}",
        f"Bearer {token(jti=None)}",
        f"Bearer {token(iat=now + 600)}",
        f"Bearer {token(exp=now + 25 * 3_600)}",
    ):
        for method, path in (("GET", "/v1/calls"), ("GET", f"/v1/calls/{caller.leg}"), ("PUT", f"/v1/calls/{caller.leg}")):
            answer = await rest(method, path, {"action": "hangup"} if method == "PUT" else None, bearer=bearer)
            assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (401, "unauthorized")


@row("404 for an unknown leg, a finished one, and at another region's host")
async def _(application: Application) -> None:
    caller = await dial(application, WAITING, region="api-us-2.nexmo.com")
    await eventually(lambda: "answered" in application.events(caller.leg))
    assert application.bodies("answer")[0]["region_url"] == "https://api-us-2.nexmo.com"
    path = f"/v1/calls/{caller.leg}"
    assert (await rest("GET", path)).status_code == 404
    hangup = {"action": "hangup"}
    for host, status in (("api-eu-1.nexmo.com", 404), ("api.nexmo.com", 404), ("api-us-2.nexmo.com", 204), ("api-us-2.nexmo.com", 404)):
        assert (await rest("PUT", path, hangup, **{"X-Platform-Host": host})).status_code == status
        await caller.look()
    assert (await rest("GET", "/v1/calls/6f336064-26fc-443c-afc7-b283972b326a")).json()["title"] == "Not Found"


@row("429 above three calls a second")
async def _(application: Application) -> None:
    assert await rung_within_a_second(4) == [201, 201, 201, 429]


@row("an error event for a connect above three calls a second")
async def _(application: Application) -> None:
    with time_machine.travel(time.time(), tick=False):
        await rung_within_a_second(3)
        await dial(application, [{"action": "connect", "endpoint": TO_ANN}])
        (error,) = await eventually(lambda: [body for body in application.bodies("event") if "reason" in body])
    assert error.keys() == {"reason", "conversation_uuid", "timestamp"}


async def rung_within_a_second(times: int) -> list[int]:
    """What so many requests to ring a phone are answered with, in a second that does not pass."""
    with time_machine.travel(time.time(), tick=False):
        return [(await rest("POST", "/v1/calls", {"to": TO_ANN, "from": CALLER_ID, "ncco": WAITING})).status_code for _call in range(times)]


@row("the list of calls in pages, by status, conversation and time, in either order")
async def _(application: Application) -> None:
    holders = [await dial(application, WAITING, caller=f"44770090012{number}") for number in range(5)]
    await holders[0].do("hang_up")
    await holders[0].until_over()
    first = (await rest("GET", "/v1/calls?page_size=2&order=asc")).json()
    assert (first["count"], first["page_size"], first["record_index"]) == (5, 2, 0)
    assert [each["uuid"] for each in first["_embedded"]["calls"]] == [holder.leg for holder in holders[:2]]
    last = (await rest("GET", "/v1/calls?page_size=2&order=asc&record_index=4")).json()
    assert [each["uuid"] for each in last["_embedded"]["calls"]] == [holders[4].leg]
    (done,) = (await rest("GET", "/v1/calls?status=completed")).json()["_embedded"]["calls"]
    assert {"rate", "price", "duration", "start_time", "end_time"} <= done.keys()
    (found,) = (await rest("GET", f"/v1/calls?conversation_uuid={done['conversation_uuid']}")).json()["_embedded"]["calls"]
    assert found == done
    tomorrow = datetime.fromtimestamp(time.time() + 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await rest("GET", f"/v1/calls?date_start={tomorrow}")).json()["count"] == 0
    for wrong in ("page_size=101", "page_size=0", "record_index=-1", "date_start=yesterday"):
        assert (await rest("GET", f"/v1/calls?{wrong}")).status_code == 400


@row("400 for a body that no call can be made of, with the parameter")
async def _(application: Application) -> None:
    good = {"to": TO_ANN, "from": CALLER_ID, "ncco": WAITING}
    answer_url = [f"{application.url}/answer/"]
    for wrong, name in (
        ({"to": []}, "to"),
        ({"to": [*TO_ANN, *TO_ANN]}, "to"),
        ({"to": [{"type": "phone", "number": "+441632960111"}]}, "to"),
        ({"to": [{"type": "app", "user": "ann"}]}, "to"),
        ({"from": "441632960100"}, "from"),
        ({"answer_url": answer_url}, "ncco"),
        ({"ncco": [{"action": "sing"}]}, "ncco"),
        ({"ringing_timer": 121}, "ringing_timer"),
        ({"length_timer": 0}, "length_timer"),
        ({"machine_detection": "perhaps"}, "machine_detection"),
        ({"advanced_machine_detection": {"beep_timeout": 5}}, "advanced_machine_detection"),
        ({"event_url": "https://x.example"}, "event_url"),
    ):
        answer = await rest("POST", "/v1/calls", good | wrong)
        assert (answer.status_code, answer.json()["invalid_parameters"][0]["name"]) == (400, name), wrong


@row("provider refuses requests, answers too late, cuts the connection")
async def _(application: Application) -> None:
    asked = {"to": TO_ANN, "from": CALLER_ID, "ncco": WAITING}
    await choose(requests=["429", "500", "503", "lost", "cut"])
    assert [(await rest("POST", "/v1/calls", asked)).status_code for _call in range(3)] == [429, 500, 503]
    for _cut in range(2):
        broken = await rest("POST", "/v1/calls", asked)
        with pytest.raises(ConnectionAbortedError):
            [each async for each in broken.streaming_content]
    assert (await rest("GET", "/v1/calls")).json()["count"] == 1


@row("faults for all calls, taken back again, and refused when they are none")
async def _(application: Application) -> None:
    await choose(options={"faults": ["completed-first"], "clock_skew": -40})
    caller = await dial(application, WAITING)
    await caller.until_doing("waiting")
    await caller.do("hang_up")
    await eventually(lambda: application.events(caller.leg)[-1:] == ["answered"])

    assert (await AsyncClient().delete("/simulator/faults/")).json() == {"options": {}, "requests": []}
    for wrong in ({"options": {"faults": ["gremlins"]}}, {"options": {"speed": "fast"}}, {"requests": ["418"]}):
        answer = await AsyncClient().put("/simulator/faults/", json.dumps(wrong), content_type="application/json")
        assert answer.status_code == 400
