"""What a stand-in for the phone platform has to do, row by row: the table, and what its rows share.

Each row is one coroutine under the words of the row. The platform's side is the simulator, the application's is the test's.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from django.conf import settings
from django.test import AsyncClient

from conversations.voice.simulator.ringing import ENDS
from tests.voice.exchange_side import Application, Holder, eventually

Row = Callable[[Application], Awaitable[None]]
ROWS: dict[str, Row] = {}
LISTENING = {"action": "input", "type": ["speech", "dtmf"]}
WAITING = [{"action": "wait", "timeout": 7_000}]
CALLER_ID = {"type": "phone", "number": "441632960100"}
TO_ANN = [{"type": "phone", "number": "441632960111"}]


def row(name: str) -> Callable[[Row], Row]:
    """Puts a coroutine into the table under the words of its row."""

    def named(function: Row) -> Row:
        assert name not in ROWS
        ROWS[name] = function
        return function

    return named


async def claims_of(application: Application, name: str) -> list[dict[str, Any]]:
    taken = await eventually(lambda: [headers for path, _body, headers in application.taken if path.strip("/").endswith(name)])
    secret = settings.VONAGE_SIGNATURE_SECRET
    return [jwt.decode(each["Authorization"].split()[1], secret, algorithms=["HS256"], options={"verify_iat": False}) for each in taken]


async def over(holder: Holder, application: Application) -> dict[str, Any]:
    """The event that says how a leg ended."""
    await holder.until_over()
    terminal = {*ENDS, "completed", "cancelled"}
    found: list[dict[str, Any]] = await eventually(
        lambda: [body for body in application.bodies("event") if body.get("uuid") == holder.leg and body.get("status") in terminal]
    )
    return found[0]


async def choose(**chosen: Any) -> None:

    answer = await AsyncClient().put("/simulator/faults/", json.dumps(chosen), content_type="application/json")
    assert answer.status_code == 200, answer.content
