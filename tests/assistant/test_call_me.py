"""“Call me on …” typed in a chat: the button that has the number rung, and nothing is rung without it."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Interaction
from tests.assistant.conftest import Line

NUMBER = "+447700900500"


@pytest.mark.parametrize(
    "words",
    [
        "call me on 07700 900500", "Please call me now on 07700 900500", "can you ring me at 07700900500?",
        "Hi, give me a call on 07700 900500",
    ],
)  # fmt: skip
async def test_who_asks_to_be_called_gets_the_button_for_it(monday: datetime, chat: Line, words: str) -> None:
    """The number is offered as it was understood; a screen that knows no such button sends the words."""
    answer = await chat.say(words)
    assert answer.startswith("We can call 07700 900500 now.")
    assert chat.last.data["quick_replies"] == [{"label": "Call 07700 900500", "value": "Call 07700 900500", "call": NUMBER}]
    assert not await Interaction.objects.filter(channel="voice").aexists()


@pytest.mark.parametrize(
    "words",
    [
        "don't call me on 07700 900500", "call me on 07700 900500 tomorrow morning", "my number is 07700 900500",
        "can the engineer call me on 07700 900500 before he comes",
    ],
)  # fmt: skip
async def test_who_wants_something_else_does_not(monday: datetime, chat: Line, words: str) -> None:
    await chat.say(words)
    assert not any("call" in each for reply in chat.replies for each in reply.data.get("quick_replies", []))


async def test_the_number_that_a_form_asks_for_is_no_wish_to_be_called(monday: datetime, chat: Line) -> None:
    await chat.say("I'd like to book a boiler service, my postcode is HB1 4QT, tomorrow morning")
    await chat.say(chat.choices[0])
    asked = await chat.say("Jane Doe")
    assert "phone" in asked
    assert "booked" in await chat.say("call me on 07700 900500")


async def test_a_form_goes_on_after_it(monday: datetime, chat: Line) -> None:
    """Where the chat stands stays as it is."""
    await chat.say("I'd like to book a boiler service")
    assert "We can call" in await chat.say("call me on 07700 900500")
    assert "day" in await chat.say("HB1 4QT")


async def test_on_the_phone_nobody_is_offered_a_button(monday: datetime) -> None:
    call = Line(channel="voice", party="+447700900123")
    await call.begin()
    assert "Press the button" not in await call.say("call me on 07700 900500")
