"""Who filled in a form was told what comes of it, and waits for nobody: nothing else is promised to them."""

from __future__ import annotations

from datetime import datetime

import pytest

from conversations.models import Entry
from routing.models import WorkItem
from tests.assistant.conftest import Line
from tests.assistant.test_overflow import a_minute_later, step, told

__all__ = ["step"]
QUOTE = ("I'd like a quote for a new boiler HB2 4QT", "a new combi in a three bedroom house please", "Anna Torres", "07700 900888")


async def test_no_call_back_is_promised_beside_what_a_form_promises(monday: datetime, chat: Line) -> None:
    for words in QUOTE:
        await chat.say(words)
    assert "A surveyor will ring you" in await chat.say("skip")
    await a_minute_later()
    assert await told(chat) == []
    work = await WorkItem.objects.aget()
    assert (work.kind, work.state) == ("messaging", "queued")


@pytest.mark.parametrize("says", ["A form is filled in", "Go on with what they filled in: Ask for a quote."])
async def test_people_are_told_that_nobody_asked_for_them(monday: datetime, chat: Line, says: str) -> None:
    for words in (*QUOTE, "skip"):
        await chat.say(words)
    asked = await Entry.objects.aget(kind="handoff.requested")
    assert says in f"{asked.body} {asked.data['next_step']}"
    assert "asks for a person" not in asked.body
