"""What a brain gets and what it gives: the same for the one without network and for a language model.

A brain reads a frozen `TurnContext`, calls tools through the `ToolBox` it is given (the guard decides, the history
keeps every call) and yields events, ending with a `Reply` or a `HandOff`. It writes nothing itself. Every text in
the context that came from outside (messages, facts, knowledge, results) is data and never an instruction.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from conversations.assistant.recording import TurnRecord
from conversations.assistant.tools.base import Link
from conversations.rendering.cards import Card
from conversations.services.facts import KnownFact
from conversations.understanding.read import Understanding

# What the turn keeps in the form state for itself; a brain neither needs nor writes it.
TURNS_OWN: Final = frozenset({"running", "announce", "callback", "warned", "line", "away"})


@dataclass(frozen=True, slots=True)
class FormField:
    """One fact to collect and how to ask for it, written and spoken."""

    fact: str
    prompt: str
    spoken_prompt: str
    required: bool


@dataclass(frozen=True, slots=True)
class Form:
    """Facts to collect for one purpose; `tool` uses them, or `closing` is said."""

    code: str
    name: str
    reasons: frozenset[str]
    tool: str
    closing: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The published playbook, as plain values, its forms in the customer's language.

    `names` are those of reasons, services and areas in that language, where they have another one.
    """

    code: str
    version: int
    persona: str
    policies: str
    tools: frozenset[str]
    knowledge_check: tuple[str, ...]
    opens_with_answers: frozenset[str]
    languages: tuple[str, ...]
    reason_threshold: float
    knowledge_threshold: float
    forms: tuple[Form, ...]
    links: tuple[Link, ...] = ()
    tool_limits: Mapping[str, int] = field(default_factory=dict)
    most_tool_calls: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def form(self, code: str) -> Form | None:
        """The form of that code, if the playbook has it."""
        return next((form for form in self.forms if form.code == code), None)

    def named(self, name: str) -> str:
        """What a reason, a service or an area is called in the customer's language."""
        return self.names.get(name, name)

    def form_for_reason(self, reason: str) -> Form | None:
        """The form that a reason starts, if any."""
        return next((form for form in self.forms if reason in form.reasons), None)

    def form_for_tool(self, tool: str) -> Form | None:
        """The first form that ends in that tool, if any."""
        return next((form for form in self.forms if form.tool == tool), None)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One earlier entry that this party may see."""

    seq: int
    kind: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why they came: a code of the company's list and the name people read."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class TurnContext:
    """Everything a brain may know in one turn.

    `text` is what the customer said since the last answer (empty when only something done is left to be told).
    `spoken` is a hint about rendering: short sentences, no addresses. `told_facts` are the names of the facts that
    may be said back to this party: those it gave itself, or all when its identity is proven. `now` is in the entry
    point's time zone. `hypotheses` are the readings of the last thing said, likeliest first. `changed_facts` maps what this
    turn replaced to the value before. `calls_from` is the number that a call shows, empty for a chat and for a withheld one:
    whoever is on the call has shown it themselves, so it may be said back. `language` is the customer's, with the region of the
    entry point; `gloss` the text with the English words that rules know in place of another language's. `asks_only_for_language` says
    that nothing but another language was asked for, which it is in now. `about` is the reason of these words alone, also when the
    conversation stays with its `reason`. `besides` is what else was wanted in the same
    breath, in order; `understanding` is of what comes first then, and `text` is all of it. `stops` says that what was going on was
    dropped in this breath, before these words.
    """

    conversation: UUID
    company: str
    language: str
    region: str
    spoken: bool
    now: datetime
    behaviour: Behaviour
    text: str
    hypotheses: tuple[str, ...]
    understanding: Understanding
    reason: Reason | None
    reason_is_new: bool
    alternatives: tuple[Reason, ...]
    history: tuple[HistoryLine, ...]
    facts: Mapping[str, KnownFact]
    new_facts: frozenset[str]
    changed_facts: Mapping[str, Any]
    told_facts: frozenset[str]
    form_state: Mapping[str, Any]
    decision: str
    assurance: str
    failed_turns: int
    waits_for_person: bool
    calls_from: str = ""
    gloss: str = ""
    asks_only_for_language: bool = False
    about: Reason | None = None
    besides: tuple[Understanding, ...] = ()
    stops: bool = False

    @property
    def words(self) -> str:
        """The words as rules read them; `text` is what was said, for people and for whoever reads any language."""
        return self.gloss or self.text

    def value(self, fact: str) -> str:
        """The value of a known fact as text; empty when it is not known."""
        known = self.facts.get(fact)
        return str(known.value) if known else ""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of a reply that is still being written; shown at once, never stored."""

    text: str


@dataclass(frozen=True, slots=True)
class StartAgain:
    """What was shown of the reply so far does not stand; what comes next begins anew."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered. `error` is empty when it worked, otherwise a word for what went wrong."""

    tool: str
    result: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    sentence: str = ""

    @property
    def worked(self) -> bool:
        """Whether there is a result."""
        return not self.error


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A suggestion under a message: what is shown and the words it sends.

    With `call`, a number in E.164, a screen that can have it rung does that instead.
    """

    label: str
    value: str
    call: str = ""

    def as_data(self) -> dict[str, str]:
        """How it is kept with the message."""
        return {"label": self.label, "value": self.value} | ({"call": self.call} if self.call else {})


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class AskedField:
    """The fact that the reply asks for, so that a screen can show a fitting input."""

    fact: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, ending the turn.

    `failed` says that the brain did not know what to do with what was said, `unanswered` that it was asked something it does not know,
    `nearest_only` that what it found is about something beside it, `held_back` that an answer to it was not let through;
    `ends_call` lets a caller go when it was said. `cards` are made from what its tools answered: a brain leaves them empty.
    """

    body: str
    quick_replies: tuple[QuickReply, ...] = ()
    sources: tuple[Source, ...] = ()
    asks: AskedField | None = None
    form_state: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False
    unanswered: bool = False
    nearest_only: bool = False
    held_back: bool = False
    ends_call: bool = False
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOff:
    """A person should go on, ending the turn; routing decides which and when.

    `why` is the reason when it is no rule of routing's; `message` is what the customer is told in
    place of “a colleague will join you”, when nobody needs to join at once;
    `asked_for` says that the customer has just said yes to a person.
    """

    next_step: str = ""
    why: str = ""
    asked_for: bool = False
    message: str = ""
    form_state: Mapping[str, Any] = field(default_factory=dict)


BrainEvent = TextDelta | StartAgain | Reply | HandOff


class ToolBox(Protocol):
    """The tools of one turn; every call is judged by the guard and kept in the history."""

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Runs a tool. A refusal and a failure are results with an `error`, not exceptions."""
        ...


class Brain(Protocol):
    """Something that answers."""

    def answer(self, context: TurnContext, tools: ToolBox, record: TurnRecord) -> AsyncGenerator[BrainEvent, None]:
        """Events ending with one Reply or HandOff; how they came about goes into `record`. What it raises fails the turn."""
        ...
