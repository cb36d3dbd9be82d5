"""Routing consistency from end to end: two hundred needs, each typed into the chat and said on the phone, and then asked again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import yaml
from channels.db import database_sync_to_async
from django.test import override_settings
from django.utils import timezone

from conversations.demo import source
from conversations.models import Interaction
from conversations.services import async_connections
from reporting.metrics.routing_consistency import differences, flipped
from reporting.period import Period
from routing.models import Decision
from routing.need import Need
from routing.rules.evaluate import Outcome
from routing.services.decide import replay
from routing.services.replaying import ask_all_again
from tests.support.sockets import one_of_many_widgets
from tests.voice.platform import Caller, post_async

NEEDS = 200
AT_ONCE = 6
A_LITTLE = 0.25
WRITTEN_DOWN = yaml.safe_load((Path(__file__).parent.parent / "understanding" / "needs.yaml").read_text(encoding="utf-8"))
SITUATIONS = (
    "",
    "",
    "",
    "please can I speak to a real person",
    "it is really urgent",
    "I am very unhappy with you",
    "thank you very much, you are always so kind",
    "we have a small baby in the house",
)
FILLERS = ("um ", "uh so ", "hello yeah ", "er ", "well you know ")


@dataclass(frozen=True)
class Told:
    """One need as it is typed and as it is heard."""

    typed: str
    said: str


def needs() -> Iterator[Told]:
    """Those that people wrote down, then from the reasons' own example phrases, one of each in turn, in every situation.

    Phrases are heard with fillers and without punctuation.
    """
    yield from (Told(each["typed"], each["said"]) for each in WRITTEN_DOWN)
    phrases = [list(each["phrases"]) for each in source.reasons()]
    in_turn = (phrase for row in range(max(map(len, phrases))) for each in phrases if row < len(each) for phrase in [each[row]])
    for phrase, situation, filler in islice(zip(in_turn, cycle(SITUATIONS), cycle(FILLERS), strict=False), NEEDS - len(WRITTEN_DOWN)):
        typed = f"{phrase[0].upper()}{phrase[1:]}. {situation.capitalize()}{'.' if situation else ''}".strip()
        yield Told(typed, filler + f"{phrase} {situation}".lower().replace(",", "").replace("?", "").strip())


@override_settings(CHAT_SESSIONS_PER_HOUR=10_000)
async def test_two_hundred_needs_are_decided_alike_on_both_channels(transactional_db: None) -> None:
    """Through the public doors: the same need and the same decision; asked again, also with the channel flipped, all the same."""
    told = list(needs())
    assert len({each.typed for each in told}) == len(told) == NEEDS
    gate = asyncio.Semaphore(AT_ONCE)

    async def contact(each: Told) -> tuple[str, str]:
        async with gate:
            return await asyncio.gather(type_it(each.typed), say_it(each.said))

    try:
        contacts = await asyncio.gather(*(contact(each) for each in told))
        decided = await decisions_of([name for pair in contacts for name in pair])
    finally:
        await async_connections.close()
    pairs = [(each.typed, decided[typed], decided[said]) for each, (typed, said) in zip(told, contacts, strict=True)]
    differing = {typed: unlike for typed, one, other in pairs if (unlike := unlike_in(one, other))}
    assert not differing
    await database_sync_to_async(they_come_out_the_same)()
    # They are not all alike: every way in the tables is gone, and most reasons are met.
    assert len({each["reason"] for each in decided.values()}) > 15
    assert {each["handler"] for each in decided.values()} >= {"human", "assistant"}
    assert len(Counter(each["rule"] for each in decided.values())) >= 4


def unlike_in(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What two decisions and their needs do not have in common.

    The mood is read from the words, of which some are written otherwise than they are heard (“£120”); it may be a little off.
    """
    unlike = {name: (one[name], other[name]) for name in one if one[name] != other[name]}
    if "sentiment" in unlike and abs(one["sentiment"] - other["sentiment"]) < A_LITTLE:
        del unlike["sentiment"]
    return unlike


async def type_it(text: str) -> str:
    """Types a first message into the chat; returns the transport's id of the session."""
    async with one_of_many_widgets() as widget:
        welcome = await widget.hello()
        assert (await widget.say(text, client_id="one"))["type"] == "ack"
        return str(welcome["session"])


async def say_it(text: str) -> str:
    """Calls and says a first sentence; returns the platform's id of the call."""
    caller = Caller(number=None)
    assert (await post_async("/voice/answer/", caller.answer())).status_code == 200
    assert (await post_async("/voice/input/", caller.said(text))).status_code == 200
    return caller.uuid


async def decisions_of(contacts: list[str]) -> dict[str, Any]:
    """Waits until each contact's need is decided; what was decided, and from what, by contact."""
    async with asyncio.timeout(90):
        found: dict[str, Any] = {}
        while len(found) < len(contacts):
            found = await database_sync_to_async(first_decisions)()
            await asyncio.sleep(0.05)
    assert set(found) == set(contacts)
    return found


def first_decisions() -> dict[str, Any]:
    """The first decision of each contact. Of the declared facts only the names: they quote what was said, fillers and all."""
    contacts = {line.conversation.public_id.hex: line.provider_id for line in Interaction.objects.select_related("conversation")}
    found: dict[str, Any] = {}
    for decision in Decision.objects.select_related("queue", "service_level").order_by("pk"):
        need = decision.need | {"facts": sorted(decision.need["facts"])}
        told = {"rule": decision.rule_id, **need, **asdict(Outcome.of(decision))}
        found.setdefault(contacts[decision.subject], told)
    return found


def they_come_out_the_same() -> None:
    """All that were made: asked again as they were, with the channel flipped, and by the figure of the report."""
    made = list(Decision.objects.select_related("queue", "service_level", "rule_set", "escalation_rule_set"))
    assert len(made) >= 2 * NEEDS
    assert all(each.same for each in ask_all_again(timezone.now() - timezone.timedelta(days=1)))
    assert all(replay(each, flipped(Need.from_json(each.need))) == Outcome.of(each) for each in made)
    assert differences(Period.ending_today(2)) == []
