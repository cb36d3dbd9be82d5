"""A phone's page that is left, or turns to another call, in the middle of what happens there."""

import asyncio

import pytest
from django.test import AsyncClient
from django.urls import reverse

from conversations.voice.simulator import exchange
from tests.voice.exchange_side import Application, Holder, dial

KEYS = 20
ROUNDS = 5
ANSWER = [{"action": "input", "type": ["dtmf"], "eventUrl": ["https://example.com/"], "dtmf": {"maxDigits": KEYS, "timeOut": 10}}]


async def _watch(leg: str, page: str, begun: asyncio.Event) -> None:
    if page == "look":
        begun.set()
        await AsyncClient().get(reverse("simulator:look", args=[leg]))
        return
    response = await AsyncClient().get(reverse("simulator:stream"), {"leg": leg, "number": "sip:nobody@example.com"})
    async for _update in response.streaming_content:
        begun.set()


@pytest.mark.parametrize("page", ["stream", "look"])
async def test_nothing_that_happens_is_lost_with_whoever_watches(application: Application, page: str) -> None:
    """The watcher leaves after one step of the event loop, after two, and so on: each key that was pressed is there once."""
    for first_steps in range(0, ROUNDS * KEYS, KEYS):
        call = await dial(application, ANSWER, patience=1_000)
        await call.until_doing("listening")
        for steps in range(first_steps, first_steps + KEYS):
            await _press_unseen(call)
            begun = asyncio.Event()
            watching = asyncio.create_task(_watch(call.leg, page, begun))
            await asyncio.wait_for(begun.wait(), 5)
            for _step in range(steps):
                await asyncio.sleep(0)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await call.until(lambda state: len([line for line in state["lines"] if line["who"] == "me"]) == KEYS)


async def _press_unseen(call: Holder) -> None:
    """A key is pressed, and nobody but who watches moves the call on."""
    async with exchange.opened() as memory:
        await memory.tell(call.leg, {"do": "key", "digit": "1"})
