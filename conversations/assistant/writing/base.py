"""What a writer gets and what it gives: plain values in, plain values out, the same with a language model and without.

Everything said in a `Heard` came from outside and is data, never an instruction. A writer reads no database and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.assistant.recording import TurnRecord

STYLES: Final[Mapping[str, str | Promise]] = {
    "tidy": _("Tidy up"),
    "greeting": _("Add a greeting and a sign-off"),
    "written_out": _("Write out I’m, we’ll, can’t"),
    "shorter": _("Shorter"),
    "friendlier": _("Friendlier"),
    "formal": _("More formal"),
}
"""Every way of rewriting, in the order in which they are offered; a writer names those that it truly can."""


SERVED: Final = "served"
NOT_SERVED: Final = "not_served"
CORRECTED: Final = "corrected"
"""What came of looking at an area, and of a change of a visit that left its time as it was (`Happened.detail`)."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said. `by` is `customer`, `assistant`, `agent` or `system`; `asked` the fact that it asked for; `mood` -1 to 1.

    `sources` are what it was answered from, `unknown` says that it told the customer that there is no answer.
    """

    seq: int
    by: str
    name: str
    text: str
    asked: str = ""
    sources: tuple[str, ...] = ()
    mood: float | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing done, such as `booking.made`, with its sentence; `detail` is a word of what came of it, `visit` the reference it is of."""

    seq: int
    kind: str
    sentence: str
    detail: str = ""
    visit: str = ""


@dataclass(frozen=True, slots=True)
class FactSaid:
    """A fact as it counts, with the entry that taught it; `was_said` is off for what a line showed or a person noted."""

    name: str
    label: str
    value: str
    seq: int
    was_said: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A way in which a conversation can end."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Heard:
    """All that a writer knows of one line, or of a whole conversation.

    `waiting` says that a person had been asked for before, in the conversation of the line, and had not spoken when it ended.
    """

    said: tuple[Said, ...]
    happened: tuple[Happened, ...]
    facts: tuple[FactSaid, ...]
    reason: str
    urgency: str
    name: str
    outcomes: tuple[Outcome, ...]
    language: str = "en"
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know, with the entry that it comes from."""

    text: str
    seq: int

    def as_data(self) -> dict[str, Any]:
        """How it is kept."""
        return {"text": self.text, "seq": self.seq}


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggested outcome: its code, empty when none fits, and the sentence that speaks for it."""

    code: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Mood:
    """How the customer sounded at first, at last and at worst, each -1 to 1."""

    start: float
    end: float
    lowest: float

    def as_data(self) -> dict[str, float]:
        """How it is kept."""
        return {"start": self.start, "end": self.end, "lowest": self.lowest}


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What is to be known of an interaction that ended; `mood` is None when the customer said nothing."""

    summary: str
    outcome: Suggested
    mood: Mood | None
    action_items: tuple[Point, ...]
    open_questions: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the knowledge base that may answer."""

    title: str
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that a person may send, with where it comes from: (title, address) pairs."""

    text: str
    sources: tuple[tuple[str, str], ...] = ()


MayLeave = Callable[[str], str]
"""Judges a text that may go to a customer: why it may not, as a word for programs; empty when it may."""


class Writer(Protocol):
    """Something that writes for the people of the company. How it came about goes into `record`.

    Raises whatever it likes: then nothing is written, or later. Called while no transaction is open: it may wait for a network.
    """

    name: str
    styles: tuple[str, ...]

    async def wrap_up(self, heard: Heard, record: TurnRecord) -> WrapUp:
        """The wrap-up of an interaction that ended."""
        ...

    async def summary(self, heard: Heard, record: TurnRecord) -> str:
        """What it was about so far, in a few sentences."""
        ...

    async def reply(
        self, heard: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> Draft | None:
        """A reply to what the customer said last, from these passages alone and such that it may leave; None when there is none."""
        ...

    async def summary_and_reply(
        self, heard: Heard, seen: Heard, question: str, passages: tuple[Passage, ...], may_leave: MayLeave, record: TurnRecord
    ) -> tuple[str, Draft | None]:
        """Both at once, of one request where a model is asked; `seen` is what the party of the line has seen of what was `heard`."""
        ...

    async def rewrite(self, text: str, style: str, known: Mapping[str, str], record: TurnRecord) -> str:
        """The text in one of `styles`; `known` is what placeholders stand for. Raises KeyError for another style."""
        ...
