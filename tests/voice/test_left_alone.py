"""Callers whom the person who had them has left: what they say is served by the AI agent, and nobody is told to be there who is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models.functions import Now

from conversations.models import Conversation, Entry, OutsideNumber
from conversations.services import ownership
from routing.models import Presence, WorkItem
from tests.record import rows
from tests.voice.people import Line
from tests.voice.platform import Caller, post, words_of

NOT_THERE = "Ann"


def given(line: Line, body: dict[str, Any]) -> str:
    return words_of(list(post("/voice/input/", body).json()))


def hangs_up(line: Line) -> None:
    line.accept("Ann")
    line.picks_up("Ann")
    line.word("completed")


def leaves_by_button(line: Line) -> None:
    line.accept("Ann")
    line.picks_up("Ann")
    line.does("Ann", "leave")


def writes_and_goes(line: Line) -> None:
    """Did not pick up the phone, writes what the voice says, and goes offline in opening hours."""
    line.accept("Ann")
    line.connects("Ann")
    line.word("busy")
    line.goes_offline("Ann")


def accepts_and_goes(line: Line) -> None:
    """Takes the work on the screen, is never rung, and goes offline in opening hours."""
    line.accept("Ann")
    line.goes_offline("Ann")


def accepts_and_closes_the_laptop(line: Line) -> None:
    """Their screen is silent for longer than a connection is lost."""
    line.accept("Ann")
    Presence.objects.filter(agent=line.agents["Ann"]).update(last_heartbeat_at=Now() - timedelta(minutes=5))


def rings_in_vain_after_hanging_up(line: Line) -> None:
    hangs_up(line)
    line.connects("Ann")
    line.word("timeout")


def puts_through_in_vain(line: Line) -> None:
    parts = OutsideNumber.objects.create(name="Parts", number="+441632960199")
    line.accept("Ann")
    line.picks_up("Ann")
    line.does("Ann", "somebody", who=f"outside:{parts.pk}", how="put_through")
    line.word("busy")


MORE = [accepts_and_closes_the_laptop, rings_in_vain_after_hanging_up]


@pytest.mark.parametrize("leaves", [hangs_up, leaves_by_button, puts_through_in_vain, writes_and_goes, accepts_and_goes, *MORE])
def test_what_the_caller_says_then_is_served(line: Line, leaves: Callable[[Line], None]) -> None:
    """By the AI agent, in the same conversation; what the person who left had to do is done."""
    leaves(line)
    assert line.at == "voice"
    answered = given(line, line.caller.said("How much is a boiler service?"))
    assert "A colleague will be with you" in answered, "here every need goes to a person, by the AI agent"
    assert NOT_THERE not in answered
    assert Conversation.objects.get().owner_kind == Conversation.Owner.ASSISTANT
    assert sorted(WorkItem.objects.values_list("state", flat=True)) == ["completed", "reserved"]
    assert NOT_THERE not in given(line, line.caller.silent())


@pytest.mark.parametrize("leaves", [hangs_up, puts_through_in_vain, writes_and_goes])
def test_silence_tells_of_nobody_and_takes_nothing_from_who_left(line: Line, leaves: Callable[[Line], None]) -> None:
    """Who lost the line rings again and has their work still; a caller who says nothing at all is let go in the end."""
    leaves(line)
    heard = [given(line, line.caller.silent()) for _each in range(4)]
    assert [words for words in heard if NOT_THERE in words] == []
    assert "tell me how I can help" in heard[0]
    assert "press zero" in heard[2]
    assert "Goodbye" in heard[3]
    assert Conversation.objects.get().owner_kind == Conversation.Owner.HUMAN


def test_who_is_rung_again_keeps_the_call(line: Line) -> None:
    hangs_up(line)
    line.connects("Ann")
    assert "Ann has that" in given(line, line.caller.said("How much is a boiler service?"))
    assert Conversation.objects.get().owner_kind == Conversation.Owner.HUMAN


def test_a_person_who_never_came_to_the_phone_answers_still(line: Line) -> None:
    """They were said to answer in the chat's way: through the automated voice."""
    line.accept("Ann")
    line.connects("Ann")
    line.word("busy")
    assert "Ann has that" in given(line, line.caller.said("How much is a boiler service?"))
    assert Entry.objects.filter(kind="message", actor_kind="customer", body__contains="boiler service").exists()


def test_a_person_whose_line_broke_and_who_writes_keeps_the_call(line: Line) -> None:
    """What they write is read out, and thanks for it are theirs."""
    hangs_up(line)
    written = line.client("Ann").post(line.page("say"), {"text": "Sorry, my phone dropped. One moment.", "client_id": str(uuid4())})
    assert written.status_code < 400
    assert "Ann says: Sorry" in line.platform.said_to(line.caller)[-1]
    assert "Ann has that" in given(line, line.caller.said("okay thank you"))
    assert Conversation.objects.get().owner_kind == Conversation.Owner.HUMAN


def test_danger_is_told_to_somebody(caller: Caller, patient: None) -> None:
    """Whoever has the conversation is gone, on whichever line they had it; all else than danger is kept for them."""
    post("/voice/answer/", caller.answer())
    with transaction.atomic():
        ownership.give_to_human(Conversation.objects.get(), rows.agent("Ann"))
    assert "Ann has that" in words_of(post("/voice/input/", caller.said("my tap drips")).json())
    told = words_of(post("/voice/input/", caller.said("I can smell gas in my kitchen")).json())
    assert "leave the house at once" in told
    assert "A colleague will be with you" in told
