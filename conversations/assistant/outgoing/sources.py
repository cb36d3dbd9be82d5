"""What may be repeated to a party: what it said, what it was told, and what tools answered in this turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.formats import date_format

from conversations.assistant import wording
from conversations.assistant.brain import ToolResult, TurnContext
from conversations.assistant.outgoing.forms import digits_said, squeezed, words
from conversations.assistant.outgoing.private import writings_of_day
from conversations.assistant.tools import search_knowledge
from conversations.knowledge.sentences import sentences

NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
BETWEEN: Final = "|"
DAYS_AHEAD: Final = 2


class Sources:
    """Texts, searchable as they read and squeezed; the numbers in them; and the hosts of the pages that tools named.

    Also the sentences of articles that were found, and of what the AI agent has said of them before.
    """

    def __init__(self) -> None:
        self._squeezed: list[str] = []
        self._joined = ""
        self.numbers: set[Decimal] = set()
        self.words: set[str] = set()
        self.hosts: set[str] = set()
        self._of_articles: list[str] = []
        self._published: set[str] = set()

    def add(self, texts: Iterable[str]) -> None:
        """More that may be repeated."""
        for text in texts:
            self._squeezed += [squeezed(text), *digits_said(text)]
            self.numbers |= {Decimal(found.replace(",", "")) for found in NUMBER.findall(text)}
            self.words |= set(words(text))
        self._joined = ""

    def hold(self, form: str) -> bool:
        """Whether a squeezed text stands in any of them."""
        self._joined = self._joined or BETWEEN.join(self._squeezed)
        return form in self._joined

    def publish(self, sentence: str, *, is_part: bool = False) -> bool:
        """Whether a sentence is one of a published article, or with `is_part` a part of one."""
        self._published |= {_as_said(each) for text in self._of_articles for each in sentences(text)}
        self._of_articles.clear()
        form = _as_said(sentence)
        return bool(form) and (form in self._published or (is_part and any(form in each for each in self._published)))

    def add_published(self, text: str) -> None:
        """A passage of a published article, whose sentences may be said as they are."""
        self._of_articles.append(text)

    def add_result(self, result: ToolResult) -> None:
        """What a tool answered: every text and number in it, its days and times as they read, the hosts of its pages."""
        self.add([result.sentence, *_texts(result.result)])
        if result.tool == search_knowledge.TOOL.name:
            for passage in result.result.get("passages", ()):
                for text in (passage["title"], passage["text"]):
                    self.add_published(str(text))
        for key, value in _pairs(result.result):
            if key == "url":
                self.hosts.add(urlsplit(str(value)).netloc.lower())
            elif isinstance(value, str):
                self._add_moment(value)

    def _add_moment(self, value: str) -> None:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return
        self._squeezed += [*writings_of_day(moment.date()), squeezed(date_format(moment, "j F, H:i"))]

    def add_days(self, days: Iterable[date]) -> None:
        """Days that may be named."""
        for day in days:
            self._squeezed += writings_of_day(day)


def sources_of(context: TurnContext) -> Sources:
    """What may be repeated from the beginning of a turn on."""
    found = Sources()
    told = [str(fact.value) for name, fact in context.facts.items() if name in context.told_facts]
    said = [str(fact.value) for fact in context.understanding.facts]
    examples = map(str, wording.REPAIRS.values())
    company = [context.company, *examples, *(field.prompt for form in context.behaviour.forms for field in form.fields)]
    lines = [line.text for line in context.history]
    for line in context.history:
        if line.kind == "message" and line.speaker == "assistant":
            found.add_published(line.text)
    found.add([context.text, context.understanding.text, *context.hypotheses, context.calls_from, *told, *said, *company, *lines])
    for value in [*told, *said]:
        found._add_moment(value)
    today = context.now.date()
    found.add_days(today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD))
    announced = context.form_state.get("announce")
    if announced:
        result = announced.get("result") or {}
        found.add_result(ToolResult(str(announced["tool"]), result, str(announced.get("error", "")), str(announced.get("sentence", ""))))
    return found


def _as_said(sentence: str) -> str:
    """Squeezed, and the same whether “&” or “and” is written."""
    return squeezed(sentence.replace("’", "'").replace("&", " and "))


def _texts(value: Any) -> Iterator[str]:
    for _key, each in _pairs(value):
        yield str(each)


def _pairs(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is none of JSON's containers, with the name it stands under."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _pairs(each, str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _pairs(each, key)
    else:
        yield key, value
