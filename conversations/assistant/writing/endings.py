"""How it probably ended, from what was done and said alone: the same record always gives the same outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.assistant import acts
from conversations.assistant.writing.base import CORRECTED, NOT_SERVED, SERVED, Happened, Heard, Outcome, Suggested
from conversations.assistant.writing.questions import is_left, open_in
from conversations.understanding.embed import embed

ALIKE: Final = 0.6
"""From which likeness on an outcome of the company's list means an ending (“Visit booked” and “Appointment booked”: 0.74)."""

Ending = tuple[str, str | Promise, Callable[[Heard], bool]]


def _done(kind: str) -> Callable[[Heard], bool]:
    return lambda heard: _last_booking(heard) == kind


def _call_stands(heard: Heard) -> bool:
    """A call back was promised, and the last of them was not called off."""
    kinds = [each.kind for each in heard.happened if each.kind.startswith("callback.")]
    return "callback.requested" in kinds and kinds[-1] != "callback.cancelled"


def _answered(heard: Heard) -> bool:
    """Something was answered from an article, and nothing was left open."""
    handed_on = heard.waiting or any(each.kind == "handoff.requested" for each in heard.happened)
    return any(each.sources for each in heard.said) and not handed_on and not is_left(heard) and not open_in(heard)


def _not_served(heard: Heard) -> bool:
    """The place that was asked about last is not served, and nothing else was asked or wanted afterwards."""
    looked = [each for each in heard.happened if each.detail in (SERVED, NOT_SERVED)]
    if not looked or looked[-1].detail == SERVED:
        return False
    later = [each.text for each in heard.said if each.by == "customer" and each.seq > looked[-1].seq]
    return not any(acts.is_question(text) or acts.is_request(text) for text in later)


ENDINGS: Final[Sequence[Ending]] = (
    ("Visit cancelled", _("A visit was cancelled."), _done("booking.cancelled")),
    ("Visit moved to another time", _("A visit was moved."), _done("booking.changed")),
    ("Visit booked", _("A visit was booked."), _done("booking.made")),
    ("Outside our area, not served", _("The address lies outside the area that is served."), _not_served),
    ("Call back arranged", _("A call back was promised."), _call_stands),
    ("Customer left without an answer", _("The customer spoke last, and nobody answered."), is_left),
    ("Question answered", _("A question was answered from the knowledge base."), _answered),
)
"""What an ending is called in plain words, why it is thought of, and when; the first that holds is the one."""
DONE: Final = frozenset({"Visit cancelled", "Visit moved to another time", "Visit booked", "Call back arranged"})
"""The endings that only the record can show."""


def ending_of(heard: Heard) -> Suggested:
    """The outcome of the company's list that means how it ended; without a code when none does."""
    for name, because, holds in ENDINGS:
        if holds(heard):
            return Suggested(_alike(name, heard.outcomes), str(because))
    return Suggested()


def contradicted(code: str, heard: Heard) -> bool:
    """Whether an outcome says that something was done of which the record knows nothing, however often it was said."""
    done = [ending for ending in ENDINGS if ending[0] in DONE]
    return any(code == _alike(name, heard.outcomes) and not holds(heard) for name, _because, holds in done)


def _last_booking(heard: Heard) -> str:
    """The last thing done to a visit; another name or phone number on it leaves it as it was."""
    booked: list[Happened] = [each for each in heard.happened if each.kind.startswith("booking.") and each.detail != CORRECTED]
    return booked[-1].kind if booked else ""


def _alike(name: str, outcomes: Sequence[Outcome]) -> str:
    """The code of the outcome that is most like a name in its meaning; empty when none is like it."""
    if not outcomes:
        return ""
    vectors = embed([name, *(each.name for each in outcomes)])
    likeness = vectors[1:] @ vectors[0]
    best = int(likeness.argmax())
    return outcomes[best].code if likeness[best] >= ALIKE else ""
