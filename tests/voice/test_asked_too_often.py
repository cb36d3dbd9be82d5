"""The platform takes fifteen requests a second: the simulator refuses the sixteenth, and the gateway asks again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from pytest_django import Settings

from conversations.models import EntryPoint
from conversations.voice import gateway, ncco
from conversations.voice.gateway import CallGone, TooManyRequests
from conversations.voice.simulator import exchange
from tests.voice.exchange_side import rest


@pytest.fixture(autouse=True)
def served(number: EntryPoint, live_server: Any, settings: Settings) -> None:
    """The simulator, where this process's gateway sends its requests."""
    settings.PORT, settings.BIND_ADDRESS, settings.ALLOWED_HOSTS = live_server.thread.port, live_server.thread.host, ["*"]


async def used_up() -> None:
    """Fifteen requests were answered just now."""
    async with exchange.opened() as memory:
        while await memory.may_ask():
            pass


async def too_often(method: str, path: str, body: Any = None) -> Any:
    """The answer to a request that came within the second, if need be after another try."""
    for _each in range(20):
        await used_up()
        answer = await rest(method, path, body)
        if answer.status_code == 429:
            break
    return answer


async def test_the_sixteenth_request_of_a_second_is_refused() -> None:
    """As a problem document; calls that are begun have a limit of their own, and who has no token is told that."""
    answer = await too_often("GET", "/v1/calls")
    assert (answer.status_code, answer.json()["title"], answer.headers["Content-Type"]) == (
        429, "Rate Limited", "application/problem+json",
    )  # fmt: skip
    assert (await too_often("PUT", f"/v1/calls/{uuid4()}", {"action": "hangup"})).status_code == 429
    assert (await too_often("PUT", f"/v1/calls/{uuid4()}/talk", {"text": "Hi"})).status_code == 429
    await used_up()
    assert (await rest("POST", "/v1/calls", {})).status_code == 400
    assert (await rest("GET", "/v1/calls", bearer="x")).status_code == 401


def test_the_gateway_asks_again_after_a_moment() -> None:
    """Whoever looks a call up, speaks into it or ends it is answered, and does not notice."""
    async_to_sync(used_up)()
    assert list(gateway.records(since=timezone.now())) == []
    async_to_sync(used_up)()
    with pytest.raises(CallGone):
        gateway.say(str(uuid4()), "Hello", language="en-GB")
    async_to_sync(used_up)()
    with pytest.raises(CallGone):
        gateway.transfer(str(uuid4()), ncco.silence(1))


def test_it_gives_up_when_it_never_gets_its_turn() -> None:
    """Refused three times, the same as ever: nothing was done."""

    async def refused() -> None:
        async with exchange.opened() as memory:
            await memory.choose({}, ["429"] * 3)

    async_to_sync(refused)()
    with pytest.raises(TooManyRequests):
        gateway.hang_up(str(uuid4()))
