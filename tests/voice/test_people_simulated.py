"""People on a call at the simulated exchange: who hears whom on hold, in private, three on the line, and under a supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from conversations.models import CallSeat, Conversation
from conversations.services import ownership
from conversations.voice import controls, seats, supervising, transfers
from routing.models import AgentProfile
from routing.services import reservations
from tests.record import rows
from tests.voice.people import AGENTS_PHONE, BENS_PHONE, CLEOS_PHONE
from tests.voice.test_simulator import Phone, call, interaction, phone, server, web

__all__ = ["call", "phone", "server", "web"]


@pytest.fixture
def people(call: Phone) -> Iterator[dict[str, AgentProfile]]:
    """Ann has the conversation with its work; Ben and Cleo are there."""
    numbers = {"Ann": AGENTS_PHONE, "Ben": BENS_PHONE, "Cleo": CLEOS_PHONE}
    found = {name: rows.agent(name, available=True, phone_number=number) for name, number in numbers.items()}
    with transaction.atomic():
        conversation = interaction(call).conversation
        reservations.assign(subject=conversation.public_id.hex, kind="live_voice", agent=found["Ann"])
        ownership.give_to_human(conversation, found["Ann"])
    yield found
    Conversation.objects.all().update(owner_kind="assistant", owner_agent=None)
    AgentProfile.objects.filter(pk__in=[agent.pk for agent in found.values()]).update(active=False)


def comes(call: Phone, number: str) -> Phone:
    """The phone with this number rings, is picked up, and 1 is pressed."""
    theirs = Phone(str(call.http.base_url), leg=ring_of(call, number.removeprefix("+")))
    theirs.do("answer")
    theirs.until_heard("Press 1")
    theirs.do("key", digit="1")
    until_connected(theirs)
    return theirs


def ring_of(call: Phone, digits: str) -> str:
    found: list[str] = []

    def rings(_state: dict[str, Any]) -> bool:
        found[:] = [each["leg"] for each in call.ringing() if each["status"] == "ringing" and each["to"] == digits]
        return bool(found)

    call.until(rings)
    return found[0]


def heard_by(speaker: Phone, words: str, *others: Phone) -> list[bool]:
    """Which of the others hear what somebody says."""
    before = [len(other.heard("other")) for other in others]
    speaker.do("say", text=words)
    speaker.until(lambda state: any(words in line["text"] for line in state["lines"] if line["who"] == "me"))
    for other in others:
        other.look()
    return [any(words in line for line in other.heard("other")[count:]) for other, count in zip(others, before, strict=True)]


def until_connected(phone: Phone) -> None:
    phone.until(lambda state: state["doing"] == "connected")


def test_who_hears_whom(call: Phone, people: dict[str, AgentProfile]) -> None:
    """On hold nobody; asked in private the two; then all three; a listener nobody, a whisper colleagues, in the talk everybody."""
    conversation = interaction(call).conversation
    seats.connect(interaction(call), people["Ann"])
    ann = comes(call, AGENTS_PHONE)
    until_connected(call)
    assert heard_by(call, "Good morning", ann) == [True]

    transfers.consult(conversation, people["Ann"], people["Ben"])
    ben = comes(call, BENS_PHONE)
    assert heard_by(ann, "Between us", ben, call) == [True, False]
    transfers.bring_in(conversation, people["Ann"])
    until_connected(call)
    assert heard_by(ben, "Hello to both", ann, call) == [True, True]

    supervising.supervise(conversation, people["Cleo"], "listen")
    cleo = comes(call, CLEOS_PHONE)
    assert heard_by(cleo, "I am not here", ann, ben, call) == [False, False, False]
    assert heard_by(call, "My boiler leaks", ann, ben, cleo) == [True, True, True]
    supervising.supervise(conversation, people["Cleo"], "whisper")
    until_connected(cleo)
    assert heard_by(cleo, "Offer a visit", ann, ben, call) == [True, True, False]
    supervising.supervise(conversation, people["Cleo"], "barge")
    until_connected(cleo)
    assert heard_by(cleo, "I am the supervisor", ann, ben, call) == [True, True, True]

    controls.hang_up(conversation, people["Ann"])
    for each in (call, ann, ben, cleo):
        each.until_over()
    assert not CallSeat.objects.filter(ended_at=None).exists()
