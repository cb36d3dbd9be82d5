"""Whatever is typed gets one answer, and no answer is longer than somebody reads."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Conversation
from tests.assistant.conftest import Line

LONGEST_ANSWER = 2000
STRANGE = [
    "",
    " \n\t ",
    "\x00\x00",
    "?" * 4000,
    "🙂" * 1000,
    "<script>alert(1)</script>",
    "'; DROP TABLE conversations_entry; --",
    "%(name)s %s {0} {name}",
    "\u202etxet desrever\u202c\u200b\u200b",
    "0" * 4000,
    "book book book book HB1 4QT HB2 1AA HB3 1AA 1 2 3 4 5 6 7 8 9 10",
    "yes no yes no first second third cancel",
]


@pytest.mark.parametrize("text", STRANGE)
async def test_anything_is_answered_once(monday: datetime, chat: Line, text: str) -> None:
    """Fresh and in the middle of a form: one answer, the turn is done, and the next sensible words are understood."""
    for opening in (None, "I want to book a boiler service"):
        if opening:
            await chat.say(opening)
        before = len(chat.replies)
        said = await chat.say(text)
        assert len(chat.replies) - before <= 1
        assert len(said) < LONGEST_ANSWER
        conversation = await chat.conversation()
        assert conversation.turn_done_seq == conversation.turn_wanted_seq
    assert "8 am" in await chat.say("what are your opening hours?")


async def test_a_hundred_kilobytes_of_nonsense(monday: datetime, chat: Line) -> None:
    """A text as long as a book is cut, answered and done; the next question gets its answer."""
    await chat.say("wibble wobble " * 7500)
    conversation = await chat.conversation()
    assert conversation.turn_done_seq == conversation.turn_wanted_seq
    assert conversation.owner_kind == Conversation.Owner.ASSISTANT
    assert "8 am" in await chat.say("what are your opening hours?")


async def test_words_in_a_name_stay_words(monday: datetime, chat: Line) -> None:
    """A name that looks like markup or a command is a name."""
    await chat.say("I'd like to book a boiler service at HB1 4QT, my number is 07700 900123")
    await chat.say("the first one")
    await chat.say("my name is Robert Tables")
    assert "Robert Tables" in chat.last.body
