"""Several needs in one breath: which is gone on with now, and what is wanted besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from conversations.assistant import acts, answers
from conversations.assistant.brain import Behaviour
from conversations.services.turns import OVER
from conversations.understanding import needs
from conversations.understanding.danger import higher
from conversations.understanding.facts import NAMES
from conversations.understanding.read import PERSON_REASON, Understanding

Read = Callable[..., Understanding]
NOT_IN_PARTS: Final = frozenset({"answers", "code", "callback"})
"""Steps in which every word may be of the answer."""
WHEN: Final = frozenset({"date", "time_window"})
SURE_NEED: Final = 0.5
TELLING: Final = re.compile(r"\b(?:owe|bill|cost|costs|much|price|open|visit)\b")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what was said, and what it means alone."""

    text: str
    understood: Understanding
    asks: bool
    is_besides: bool
    is_listed: bool = False

    @property
    def is_need(self) -> bool:
        """Whether something is wanted in it: a question with something in it, or a reason that is clear enough.

        How somebody feels about what else they say is no complaint besides. It makes no difference then that a full stop
        before it is seen in what is typed and not heard in what is said.
        """
        if needs.is_mood(self.text):
            return False
        reason = self.understood.reason
        return self.asks or (reason is not None and reason != PERSON_REASON and self.understood.confidence >= SURE_NEED)


def without_denied(text: str, whole: Understanding, state: Mapping[str, Any], read: Read) -> tuple[str, Understanding]:
    """What is wanted of a `text` that also says what is not: “I don't want a person, I want to know when you open”; and what it means.

    So of one that takes something back. The text and the `whole` themselves when it says nothing of the kind, or in the middle of
    something.
    """
    in_the_middle = state.get("step") and state["step"] not in OVER
    wanted = [] if in_the_middle or needs.is_meant_whole(text) else needs.meant(text)
    if not wanted:
        return text, whole
    left = " ".join(needs.bare(piece) for piece in wanted)
    return left, read(left, None)


def several(
    text: str, whole: Understanding, state: Mapping[str, Any], read: Read, behaviour: Behaviour, expecting: str | None
) -> tuple[Understanding, tuple[Understanding, ...]]:
    """What is gone on with of `text`, understood as a `whole`, and what is wanted besides, in order.

    `read` understands a text, and what was asked for in it, which is `expecting` for the whole.

    An emergency comes first, then what is to be done, then what is only asked. In the middle of something, that goes on with what is left.
    One need in several sentences is one: a symptom and the visit for it, or what points back to what was named.
    """
    step = str(state.get("step") or "")
    pieces = needs.parts_of(text)
    if step in NOT_IN_PARTS or (expecting and expecting not in NAMES):
        return whole, ()
    is_story = needs.is_story(text) and (not step or step in OVER)
    if len(pieces) < 2:
        return (_of_the_need(whole, read(pieces[0], None)) if is_story else whole), ()
    parts = [_part(piece, read) for piece in pieces]
    if step and step not in OVER:
        return _in_the_middle(whole, parts, read)
    groups = _groups(parts, behaviour)
    if len(groups) == 1 and (is_story or (whole.reason is None and _others_tell_facts(parts, groups[0]))):
        return _of_the_need(whole, groups[0][0].understood), ()
    if len(groups) < 2:
        return whole, ()
    understood = [group[0].understood if len(group) == 1 else read(" ".join(each.text for each in group), None) for group in groups]
    first = _first(understood, groups)
    besides = tuple(each for index, each in enumerate(understood) if index != first)
    urgency = reduce(higher, (each.urgency for each in understood), whole.urgency)
    kept = replace(_of_the_need(whole, understood[first]), text=understood[first].text, gloss=understood[first].gloss)
    # The day of another visit is not the day of this one.
    own = tuple(fact.name for fact in understood[first].facts)
    told = tuple(fact for fact in whole.facts if fact.name in own or fact.name not in WHEN)
    return replace(kept, urgency=urgency, facts=told), besides


def _of_the_need(whole: Understanding, need: Understanding) -> Understanding:
    return replace(whole, reason=need.reason, confidence=need.confidence, alternatives=need.alternatives)


def _others_tell_facts(parts: list[_Part], group: list[_Part]) -> bool:
    """Whether all besides one need only tells where, when or who: “my postcode is HB2 4QT and I have a leak”."""
    others = [part for part in parts if part not in group]
    return bool(others) and all(part.understood.facts and part.understood.reason is None for part in others)


def _part(piece: str, read: Read) -> _Part:
    text = needs.bare(piece)
    understood = read(text, None)
    words = understood.gloss or text
    asks = acts.asks_only(words)
    has_something = answers.shared_words("", words)[1] > 0 or TELLING.search(acts.plain(words)) is not None
    return _Part(text, understood, asks and has_something, needs.is_besides(piece), needs.is_listed(piece))


def _in_the_middle(whole: Understanding, parts: list[_Part], read: Read) -> tuple[Understanding, tuple[Understanding, ...]]:
    besides = [part for part in parts if part.asks or (part.is_besides and part.is_need)]
    rest = [part for part in parts if part not in besides]
    if not besides or not rest:
        return whole, ()
    left = read(" ".join(part.text for part in rest))
    return replace(left, urgency=higher(left.urgency, whole.urgency), wishes=whole.wishes), tuple(part.understood for part in besides)


def _groups(parts: list[_Part], behaviour: Behaviour) -> list[list[_Part]]:
    """The parts that belong together, in order, without those in which nothing is wanted."""
    groups: list[list[_Part]] = []
    for part in parts:
        if groups and _goes_with(part, groups[-1], behaviour):
            groups[-1].append(part)
        elif part.is_need:
            groups.append([part])
    return groups


def _goes_with(part: _Part, group: list[_Part], behaviour: Behaviour) -> bool:
    """Whether a part is more of the need before it."""
    if part.is_besides:
        return False
    if part.asks:
        return needs.points_back(part.text)
    if part.is_listed and group[0].asks:
        # “How much is a boiler service and a radiator” asks the same of both.
        return True
    reason, before = part.understood.reason, group[-1].understood.reason
    if reason is None or needs.points_back(part.text) or reason == before:
        return True
    if part.is_listed and part.is_need:
        return False
    form = behaviour.form_for_reason(reason)
    return form is not None and form == behaviour.form_for_reason(before or "")


def _first(understood: list[Understanding], groups: list[list[_Part]]) -> int:
    for index, each in enumerate(understood):
        if each.urgency == "emergency":
            return index
    return next((index for index, group in enumerate(groups) if not group[0].asks), 0)
