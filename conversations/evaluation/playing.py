"""Plays a scripted customer on a channel: says what is written, answers what is asked, and notices what is asked again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from channels.db import database_sync_to_async

from conversations.evaluation.hearing import as_heard
from conversations.evaluation.lines import ChatLine, PhoneLine
from conversations.evaluation.outcome import EndState, end_state, last_said
from conversations.evaluation.scenario import Heard, Scenario, Step
from conversations.models import EntryPoint, Interaction
from conversations.services import joining
from conversations.understanding.languages import read_language

P = ParamSpec("P")
T = TypeVar("T")
MOST_ANSWERS: Final = 14
SPANISH_KEY: Final = "2"
"""What the greeting of the demo company says to press for Spanish, in Spanish."""
CONFIDENCE: Final = 0.93
OFFERED_TIME: Final = re.compile(r"\d{1,2}:\d\d")
YES_OR_NO: Final = frozenset({"yes", "no", "sí"})


async def play(scenario: Scenario, channel: str) -> EndState:
    """The end state after the scenario on a channel. Raises lines.TurnNotOver, and whatever the way in raises."""
    return await _Play(scenario, channel).run()


class _Play:
    """One scenario on its way."""

    def __init__(self, scenario: Scenario, channel: str) -> None:
        self._scenario = scenario
        self._channel = channel
        self._lines: list[ChatLine | PhoneLine] = []
        self._given: Counter[str] = Counter()
        self._reasked: list[str] = []
        self._zone = ZoneInfo("UTC")

    async def run(self) -> EndState:
        await self._change_line(self._channel)
        for step in self._scenario.steps:
            await self._do(step)
        provider_ids = [line.provider_id for line in self._lines]
        return await _in_thread(end_state)(provider_ids, reasked=self._reasked, zone=self._zone)

    async def _do(self, step: Step) -> None:
        if step.line:
            await self._change_line(step.line)
        line = self._lines[-1]
        if step.code:
            await self._key_in_code()
        elif isinstance(line, PhoneLine) and step.silence:
            await line.be_silent()
        elif isinstance(line, PhoneLine) and step.keys:
            await line.press(step.keys)
        elif step.say:
            await self._say(step.say, step.heard, step.gives)
        for _count in range(MOST_ANSWERS if step.answers is None else step.answers):
            if not await self._answer():
                break

    async def _change_line(self, channel: str) -> None:
        entry_point = await EntryPoint.objects.aget(channel="voice" if channel == "phone" else "chat")
        self._zone = ZoneInfo(entry_point.time_zone)
        line = PhoneLine(entry_point, self._number) if channel == "phone" else ChatLine(entry_point)
        await line.begin()
        self._lines.append(line)
        if channel == "phone":
            # A caller shows the number, so being asked for it is being asked again.
            self._given["phone"] = max(1, len(self._scenario.knows.get("phone", ())))
        if isinstance(line, PhoneLine) and len(self._lines) == 1 and self._speaks_spanish and self._scenario.presses_for_language:
            await line.press(SPANISH_KEY)

    @property
    def _speaks_spanish(self) -> bool:
        return self._scenario.expect.get("language") == "es"

    @property
    def _number(self) -> str:
        """The number that the customer calls from: the one they would tell, unless the scenario names another."""
        told = self._scenario.calls_from or self._scenario.knows.get("phone", ("07700 900200",))[-1]
        digits = re.sub(r"\D", "", told)
        return f"44{digits[1:]}" if digits.startswith("0") else digits

    async def _say(self, text: str, heard: tuple[Heard, ...], gives: frozenset[str]) -> None:
        line = self._lines[-1]
        if isinstance(line, PhoneLine):
            told = self._scenario.presses_for_language or read_language(text).language == "es"
            language = "es" if self._speaks_spanish and told else "en"
            await line.say(heard or (Heard(as_heard(text, language), CONFIDENCE),))
        else:
            await line.say((Heard(text, 1.0),))
        named = {fact for fact, answers in self._scenario.knows.items() if any(_plain(each) in _plain(text) for each in answers)}
        for fact in named | gives:
            self._given[fact] += 1

    async def _answer(self) -> bool:
        """Answers what was asked last; says whether anything was asked that the customer has an answer to."""
        last = await _in_thread(last_said)(self._lines[-1].provider_id)
        asked = self._asked(last)
        known = self._scenario.knows.get(asked, ())
        if asked and self._given[asked] >= max(1, len(known)) and asked not in ("slot", "yes_or_no"):
            self._reasked.append(asked)
        if not known:
            return False
        before = self._given[asked]
        if asked == "yes_or_no" and before >= len(known):
            return False
        answer = known[min(before, len(known) - 1)]
        await self._say(answer, (), frozenset({asked}))
        self._given[asked] = before + 1
        return True

    def _asked(self, last: dict[str, Any]) -> str:
        """The fact that is asked for, `slot` for one of some times, `yes_or_no`; empty when nothing is asked."""
        if "field" in last:
            return str(last["field"]["fact"])
        labels = [str(each["label"]) for each in last.get("quick_replies", [])]
        if any(OFFERED_TIME.search(label) for label in labels):
            return "slot"
        return "yes_or_no" if labels and {label.lower() for label in labels} <= YES_OR_NO else ""

    async def _key_in_code(self) -> None:
        chat, phone = self._lines[-2], self._lines[-1]
        interaction = await Interaction.objects.aget(provider_id=chat.provider_id)
        code, _row = await _in_thread(joining.issue_code)(interaction)
        if isinstance(phone, PhoneLine):
            await phone.press(code)


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _in_thread(function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    return database_sync_to_async(function, thread_sensitive=False)
