"""A caller who would rather type gets a link by text message, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from conversations.models import ChatLink, Entry, EntryPoint, Interaction
from tests.assistant.conftest import Line
from tests.voice.rest_side import Platform, serving


@pytest.fixture
def platform(settings: Any) -> Iterator[Platform]:
    with serving() as (platform, port):
        settings.PORT = port
        yield platform


async def a_call(number: str = "+447700900123") -> Line:
    line = Line(channel="voice", party=number)
    await line.begin()
    return line


@pytest.mark.parametrize(
    "words",
    [
        "Can you text me a link?", "I'd rather type", "text me the link please", "could I type this instead",
        "I would prefer to write", "switch to web chat please",
    ],
)  # fmt: skip
async def test_who_asks_for_it_is_sent_a_link(monday: datetime, platform: Platform, words: str) -> None:
    call = await a_call()
    answer = await call.say(words)
    assert answer.startswith("I have sent a link to your number, ending in 1 2 3.")
    (text,) = platform.texts()
    assert text["to"] == "447700900123"
    assert await Entry.objects.filter(kind="link.sent", audience="staff").acount() == 1


@pytest.mark.parametrize(
    "words",
    ["I would like to chat with a person", "Can you text me when the engineer is on the way?", "I typed it wrong", "My boiler is cold"],
)
async def test_who_asks_for_something_else_is_not(monday: datetime, platform: Platform, words: str) -> None:
    call = await a_call()
    await call.say(words)
    assert platform.texts() == []


async def test_a_number_that_is_only_named_is_sent_nothing(monday: datetime, platform: Platform) -> None:
    """Attack: a caller asks for the link to be sent to somebody else."""
    call = await a_call()
    await call.say("Text me a link to 07700 900999")
    assert [text["to"] for text in platform.texts()] == ["447700900123"]


async def test_in_the_chat_there_is_no_link_to_it(monday: datetime, platform: Platform) -> None:
    chat = Line()
    await chat.say("Can you text me a link?")
    assert platform.texts() == []


async def test_a_withheld_number_is_told_why_and_goes_on(monday: datetime, platform: Platform) -> None:
    call = await a_call()
    await Interaction.objects.filter(provider_id=call.provider_id).aupdate(party="Withheld number")
    answer = await call.say("I'd rather type")
    assert answer == (
        "The number of this call is not shown, so no link can be sent to it. We can go on here. What can I do for you?"
    )
    assert platform.requests == []


async def test_a_platform_that_is_away_is_told_kindly(monday: datetime, platform: Platform) -> None:
    """Tried once: a second try could send two."""
    platform.code = 503
    call = await a_call()
    assert (await call.say("text me a link")).startswith("The text message could not be sent.")
    assert len(platform.texts()) == 1


async def test_a_link_in_the_middle_of_a_form_keeps_the_form(monday: datetime, platform: Platform) -> None:
    call = await a_call()
    await call.say("I want to book a boiler service")
    await call.say("Actually, text me a link")
    assert "Which day would suit you?" in await call.say("HB1 4QT")


async def test_on_trial_no_link_is_sent(monday: datetime, platform: Platform) -> None:
    """Where the AI agent only drafts, it sends nothing."""
    await EntryPoint.objects.filter(channel="voice").aupdate(mode="shadow")
    call = await a_call()
    await call.say("text me a link")
    assert platform.texts() == []
    assert await ChatLink.objects.acount() == 0


async def test_a_caller_who_is_not_understood_is_offered_the_link(monday: datetime, platform: Platform) -> None:
    call = await a_call()
    assert "If you would rather type, say: text me a link." in await call.say("florble wimsy grunk")
