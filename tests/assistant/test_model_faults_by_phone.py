"""Whatever a provider does, by the doors of the phone: an answer or a person within its budget, and never four seconds of nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from conversations.assistant import turn
from conversations.assistant.stand_in.scenes import FAULTS, says
from conversations.assistant.stand_in.server import StandIn
from conversations.models import Conversation, Interaction, TurnTrace, WebhookRecord
from conversations.voice.simulator.checking import checked
from routing.models import WorkItem
from tests.assistant.test_model_faults import again_and_again
from tests.voice.platform import Caller, longest_silence, post_async, words_of
from tests.voice.rest_side import Platform, serving

LONGEST_SILENCE = 4
BUDGET_SECONDS = 8
"""The model's second here, the rules', and what a busy machine adds; the phone's own limit is twenty."""
FILLERS = ("One moment, please.", "I am still looking into that. One moment, please.")


@pytest.fixture
def platform(record: None, settings: Settings) -> Iterator[Platform]:
    """Where replies are put into calls; the webhooks of a test are gone after it."""
    with serving() as (platform, port):
        settings.PORT = port
        yield platform
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE conversations_webhookrecord CASCADE")


@pytest.fixture(autouse=True)
async def _turns_are_over(_closed_pool: None) -> AsyncIterator[None]:
    yield
    await turn.settle(20)


class OnThePhone:
    """A caller who asks something and hears what comes: by the answer to a webhook, or put into the call."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.leg, self.heard = platform, Caller(dialled="441632960100"), [""]

    async def begins(self) -> None:
        await self._posts("answer", self.leg.answer())

    async def asks(self, text: str) -> str:
        """What answers a question, after every filler that comes before it."""
        before, began = len(self.platform.told(self.leg.uuid)), asyncio.get_running_loop().time()
        words = await self._posts("input", self.leg.said(text))
        while words in FILLERS:
            assert asyncio.get_running_loop().time() - began < BUDGET_SECONDS, "neither an answer nor a person"
            # As long as the caller may be silent after a filler.
            for _look in range(30):
                told = self.platform.told(self.leg.uuid)[before:]
                if told:
                    return self._hears(told[-1])
                await asyncio.sleep(0.1)
            words = await self._posts("input", self.leg.silent())
        return words

    async def _posts(self, door: str, body: dict[str, Any]) -> str:
        answer = await post_async(f"/voice/{door}/", body)
        assert answer.status_code == 200
        return self._hears(answer.json())

    def _hears(self, ncco: list[dict[str, Any]]) -> str:
        assert longest_silence(checked(ncco)) <= LONGEST_SILENCE
        self.heard.append(words_of(ncco[:1]))
        return self.heard[-1]


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_every_fault_is_answered(monday: datetime, platform: Platform, model: StandIn, settings: Settings, fault: str) -> None:
    """The rules answer, and the caller hears something all the while."""
    settings.VOICE_MODEL_TIMEOUT_SECONDS = 1
    caller = OnThePhone(platform)
    await caller.begins()
    model.play(*again_and_again(fault))
    assert "8 am" in await caller.asks("what are your opening hours?")
    assert (await TurnTrace.objects.aget()).answered_by == "rules"
    assert await WebhookRecord.objects.filter(answered_at__isnull=True).acount() == 0


async def test_an_answer_that_never_comes_is_a_persons(
    monday: datetime, platform: Platform, model: StandIn, settings: Settings
) -> None:
    """The fillers end with an apology and a person, whatever still works on the turn; its late answer is said to nobody."""
    settings.VOICE_LONGEST_WAIT_SECONDS, settings.VOICE_MODEL_TIMEOUT_SECONDS = 2, 30
    settings.MODEL_SILENCE_SECONDS = 30
    caller = OnThePhone(platform)
    await caller.begins()
    model.play(says("We are open.", first_seconds=60))
    assert (await caller.asks("what are your opening hours?")).startswith("I am sorry, something went wrong on my side.")
    call = await Interaction.objects.select_related("conversation").aget(provider_id=caller.leg.uuid)
    assert await WorkItem.objects.filter(subject=call.conversation.public_id.hex, state__in=WorkItem.LIVE_STATES).aexists()
    assert await Conversation.objects.filter(pk=call.conversation_id, turn_wanted_seq=call.conversation.turn_done_seq).aexists()
    assert await turn.settle(20), "the worker has noticed that the turn is not its any more"
    assert not any("We are open" in said for said in platform.said_to(caller.leg))
