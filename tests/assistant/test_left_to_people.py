"""What the AI agent may not do at a door goes to people, in whatever words it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from conversations.models import EntryPoint, Handoff
from routing.models import ReasonCode
from tests.assistant.conftest import Line

pytestmark = pytest.mark.usefixtures("monday")


@pytest.fixture
async def only_prices(monday: object) -> AsyncIterator[None]:
    """The web chat's AI agent answers what is about prices, and nothing else."""
    door = await EntryPoint.objects.aget(channel="chat")
    await door.reasons.aset([await ReasonCode.objects.aget(code__startswith="price")])
    await EntryPoint.objects.filter(pk=door.pk).aupdate(live_reasons=EntryPoint.LiveReasons.ONLY)
    yield
    await EntryPoint.objects.filter(pk=door.pk).aupdate(live_reasons=EntryPoint.LiveReasons.ALL)
    await door.reasons.aclear()


@pytest.mark.parametrize("words", ["yes please book it", "ok book that for me please", "I want an engineer to come tomorrow"])
async def test_a_visit_after_a_price_goes_to_people(only_prices: None, chat: Line, words: str) -> None:
    assert "£85" in await chat.say("how much is a boiler service?")
    told = await chat.say(words)
    assert await Handoff.objects.filter(conversation=chat.conversation_id).aexists(), told


async def test_another_price_is_still_told(only_prices: None, chat: Line) -> None:
    await chat.say("how much is a boiler service?")
    assert "£110" in await chat.say("and how much is replacing a tap?")
    assert not await Handoff.objects.filter(conversation=chat.conversation_id).aexists()
