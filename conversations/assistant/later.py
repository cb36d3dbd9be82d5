"""What waits for its turn in a conversation: what else was wanted, and what was put aside. It stands in the form state as `later`.

Each is a mapping: `text` the words it was wanted in, with their `language`, or `state` where something that was begun stands, and what it
is `called`; `named` says that the customer was told that it is kept, `offered` how often it was offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from conversations.assistant import acts, weekdays
from conversations.assistant.brain import TURNS_OWN
from conversations.understanding.danger import read_at_risk, tells_of_cold
from conversations.understanding.gloss import gloss
from conversations.understanding.normalise import meaning, plain
from conversations.understanding.read import Understanding
from conversations.understanding.tone import read_answer

KEY: Final = "later"
DONE_HERE: Final = "done_here"
"""What was done last in this conversation: `kind` (visit, cancelled, call, called_off, payment or other) and what it is known by."""
OF_A_CALL: Final = "of_a_call"
"""The day and the hour that were told for a call."""
ADDRESS_NOTED: Final = "address_noted"
"""The address that was noted for the visit booked last, with that visit's postcode."""
OUTLASTING: Final = (KEY, DONE_HERE, OF_A_CALL, ADDRESS_NOTED, weekdays.WEEK)
"""What of a form state stays when what is going on in it ends or is dropped."""
OFFER: Final = "later"
"""The kind of an offer to go on with what waits first."""
MOST: Final = 8
LONGEST: Final = 300


def keep(state: MutableMapping[str, Any], wanted: Iterable[Understanding], language: str) -> None:
    """Adds what was wanted to what waits, once each."""
    waiting = list(state.get(KEY) or [])
    known = {each.get("text") for each in waiting}
    new = [{"text": each.text[:LONGEST], "language": language} for each in wanted if each.text[:LONGEST] not in known]
    if new:
        state[KEY] = [*waiting, *new][:MOST]


def forget(state: MutableMapping[str, Any], text: str) -> None:
    """Takes away what was answered."""
    left = [each for each in state.get(KEY) or [] if each.get("text") != text[:LONGEST]]
    state[KEY] = left


def forget_begun(state: MutableMapping[str, Any], action: str) -> None:
    """Takes away what was put aside of an action that is done now."""
    waiting = [each for each in state.get(KEY) or [] if action not in _actions_of(each.get("state") or {})]
    if KEY in state:
        state[KEY] = waiting


def _actions_of(begun: Mapping[str, Any]) -> set[str]:
    return {str(begun[name]) for name in ("action", "purpose") if begun.get(name)}


def left_over(state: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of a form state when what is going on in it is dropped: what waits, what was done, and what is not the brain's."""
    return {name: value for name, value in state.items() if name in (*OUTLASTING, "aside", *TURNS_OWN)}


def taken_up(text: str, state: MutableMapping[str, Any], language: str) -> tuple[str, str]:
    """The words to understand and their language: those that wait, when `text` says yes to going on with them, else `text` itself.

    That somebody is there whom the cold endangers is said of the cold that waits, and both are understood together.
    """
    waiting = list(state.get(KEY) or [])
    read = gloss(text, language)
    is_free = not (state.get("form") or state.get("action"))
    cold = _first_of_the_cold(waiting, language) if is_free and read_at_risk(meaning(read)) else None
    is_yes = is_offered(state) and read_answer(plain(read)) and acts.is_bare_answer(read)
    index = cold if cold is not None else 0 if waiting and "text" in waiting[0] and is_yes else None
    if index is None:
        return text, language
    taken = waiting.pop(index)
    state[KEY] = waiting
    state.pop("offer", None)
    if cold is not None:
        return f"{taken['text']}. {text}", language
    return str(taken["text"]), str(taken["language"])


def _first_of_the_cold(waiting: Sequence[Mapping[str, Any]], language: str) -> int | None:
    """The place among what waits of the first that tells of the cold."""
    said = (meaning(gloss(str(each.get("text", "")), language)) for each in waiting)
    return next((index for index, words in enumerate(said) if tells_of_cold(words)), None)


def is_offered(state: Mapping[str, Any]) -> bool:
    """Whether the last thing that was asked is whether to go on with what waits first."""
    return (state.get("offer") or {}).get("kind") == OFFER


def as_told(state: Mapping[str, Any], besides: Iterable[Understanding] = ()) -> list[str]:
    """What waits and what was wanted `besides` just now, in words for people."""
    waiting = [str(each.get("called") or f"“{each.get('text', '')}”") for each in state.get(KEY) or []]
    return list(dict.fromkeys([*waiting, *(f"“{each.text[:LONGEST]}”" for each in besides)]))
